// The last lines of a terminal, painted over and over.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {
class TextOutput;
}  // namespace clepsydra

namespace clepsydra::console {

// A place in the painted area, from 0.
struct ScreenCursor {
  std::size_t line = 0;
  int column = 0;

  friend bool operator==(const ScreenCursor&, const ScreenCursor&) = default;
};

// Paints an area below whatever was written before. The cursor rests under it, or in it where
// something is being typed; text written after erase() or leave() takes its place or follows it.
//
// Threads: one at a time.
class Screen {
 public:
  explicit Screen(TextOutput& output) : output_(output) {}
  // Replaces what was painted before. Every line must fit the terminal's width, escape sequences
  // not counted; nothing is written when nothing has changed.
  void paint(const std::vector<std::string>& lines, std::optional<ScreenCursor> cursor = {});
  // Takes the area away.
  void erase();
  // The area stays as it is; the next paint() starts below.
  void leave();
  // Everything goes, the next paint() starts at the top.
  void clear();
  // A sequence that shows nothing.
  void send(const std::string& sequence) { write(sequence); }

 private:
  // Lines between the top of the area and the cursor.
  [[nodiscard]] std::size_t lines_above() const { return cursor_ ? cursor_->line : lines_.size(); }
  // A terminal that is gone changes nothing: results and jobs go on.
  void write(const std::string& text);

  TextOutput& output_;
  std::vector<std::string> lines_;
  std::optional<ScreenCursor> cursor_;
};

}  // namespace clepsydra::console
