// What is typed into a terminal, as keys instead of bytes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace clepsydra::console {

enum class KeyKind : std::uint8_t {
  kText,     // A character, or all that was pasted at once: `text`.
  kControl,  // With Ctrl: `letter`, 'A' to 'Z' or '_'.
  kMeta,     // With Alt: `letter`, 'a' to 'z'.
  kEnter,
  kMetaEnter,
  kTab,
  kBackTab,
  kEscape,
  kBackspace,
  kMetaBackspace,
  kDelete,
  kUp,
  kDown,
  kLeft,
  kRight,
  kWordLeft,  // Ctrl or Alt with the arrow.
  kWordRight,
  kHome,
  kEnd,
  kPageUp,
  kPageDown,
};

struct Key {
  KeyKind kind = KeyKind::kText;
  char letter = 0;
  std::string text = {};

  friend bool operator==(const Key&, const Key&) = default;
};

// Understands what xterm and its many relatives send. Sequences that nobody knows are dropped; so
// are broken bytes.
//
// Threads: one at a time.
class KeyReader {
 public:
  // More of a paste is cut off.
  static constexpr std::size_t kPasteBytesMax = std::size_t{1} << 20;

  // The keys in `bytes` and in what feed() got before and could not finish.
  void feed(std::string_view bytes);
  // Nothing more came for a while: an ESC that waits for the rest of a sequence was the key.
  void settle();
  // False when there is none.
  bool next(Key& key);

 private:
  // Bytes used by the key at the front of `rest`; 0: it is not complete yet.
  std::size_t read_key(std::string_view rest);
  std::size_t read_escape(std::string_view rest);
  std::size_t read_sequence(std::string_view rest);
  std::size_t read_control(char byte);
  void read_paste();
  void push(KeyKind kind, char letter = 0, std::string text = {});

  std::string pending_;
  std::string pasted_;
  bool is_pasting_ = false;
  std::deque<Key> keys_;
};

}  // namespace clepsydra::console
