// The text being typed: one statement of any number of lines, and what keys do to it.
//
// Our own instead of libedit, because that shows one line at a time and draws it itself: no
// colours, no lists below, no statement of several lines to move in. And it would read the terminal
// past base/terminal.h, out of reach of tests without one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/console/history.h"
#include "gateway/console/keys.h"

namespace clepsydra::console {

// What may stand in place of text[begin, cursor).
struct Completion {
  std::size_t begin = 0;
  std::vector<std::string> candidates;  // Sorted.
};
using Completer = std::function<Completion(std::string_view text, std::size_t cursor)>;

enum class EditResult : std::uint8_t {
  kGoOn,
  kSubmit,      // take() has the text.
  kInterrupt,   // Ctrl-C: the text is gone.
  kEnd,         // Ctrl-D with nothing typed.
  kClear,       // Ctrl-L: the screen should be empty but for this.
  kOpenEditor,  // Ctrl-X Ctrl-E: the text should go through $EDITOR and set_text().
};

// Threads: one at a time.
class LineEditor {
 public:
  // More cannot be typed or pasted.
  static constexpr std::size_t kTextBytesMax = std::size_t{4} << 20;
  static constexpr std::size_t kChoicesMax = 10'000;

  // `is_complete`: whether Enter ends the text or adds a line. All outlive the editor.
  LineEditor(const History& history, Completer completer,
             std::function<bool(std::string_view text)> is_complete);

  EditResult handle(const Key& key);
  // Empties the editor.
  std::string take();
  // The cursor at its end.
  void set_text(std::string text);

  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] std::size_t cursor() const { return cursor_; }  // A byte offset.
  // To be listed below the text until the next key.
  [[nodiscard]] const std::vector<std::string>& choices() const { return choices_; }
  // What is being looked for in the history, with Ctrl-R; the text is what was found.
  [[nodiscard]] const std::optional<std::string>& search() const { return search_; }

 private:
  EditResult handle_control(char letter);
  EditResult handle_plain(const Key& key);
  void handle_meta(char letter);
  // False when the key ends the search and then does what it does.
  bool handle_search(const Key& key);
  void search_from(std::size_t end);
  EditResult enter();
  void insert(std::string_view text);
  void erase(std::size_t begin, std::size_t end);
  void kill(std::size_t begin, std::size_t end);
  void complete();
  void go_up();
  void go_down();
  void recall(std::size_t index);
  void older();
  void newer();

  [[nodiscard]] std::size_t previous(std::size_t at) const;
  [[nodiscard]] std::size_t following(std::size_t at) const;
  [[nodiscard]] std::size_t word_begin(std::size_t at) const;
  [[nodiscard]] std::size_t word_end(std::size_t at) const;
  [[nodiscard]] std::size_t line_begin(std::size_t at) const;
  [[nodiscard]] std::size_t line_end(std::size_t at) const;
  [[nodiscard]] std::size_t at_column(std::size_t begin, int column) const;

  const History& history_;
  const Completer completer_;
  const std::function<bool(std::string_view)> is_complete_;

  std::string text_;
  std::size_t cursor_ = 0;
  std::string killed_;
  std::string typed_;         // What stood there before the history was looked at.
  std::size_t recalled_ = 0;  // Entry shown; history_.size() or more: none.
  bool is_recalling_ = false;
  std::vector<std::string> choices_;
  std::optional<std::string> search_;
  std::size_t found_ = 0;  // Entry that search_ found.
  bool after_control_x_ = false;
};

}  // namespace clepsydra::console
