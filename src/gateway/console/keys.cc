#include "gateway/console/keys.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace clepsydra::console {
namespace {

constexpr char kEscapeByte = '\x1b';
constexpr std::string_view kPasteEnd = "\x1b[201~";
// No terminal sends longer ones: what goes on for longer is not a sequence.
constexpr std::size_t kSequenceBytesMax = 32;

struct Sequence {
  std::string_view bytes;  // Behind "ESC [" or "ESC O".
  KeyKind kind;
};

constexpr auto kSequences = std::to_array<Sequence>({
    {"A", KeyKind::kUp},          {"B", KeyKind::kDown},         {"C", KeyKind::kRight},
    {"D", KeyKind::kLeft},        {"H", KeyKind::kHome},         {"F", KeyKind::kEnd},
    {"Z", KeyKind::kBackTab},     {"1~", KeyKind::kHome},        {"3~", KeyKind::kDelete},
    {"4~", KeyKind::kEnd},        {"5~", KeyKind::kPageUp},      {"6~", KeyKind::kPageDown},
    {"7~", KeyKind::kHome},       {"8~", KeyKind::kEnd},         {"1;5C", KeyKind::kWordRight},
    {"1;5D", KeyKind::kWordLeft}, {"1;3C", KeyKind::kWordRight}, {"1;3D", KeyKind::kWordLeft},
    {"5C", KeyKind::kWordRight},  {"5D", KeyKind::kWordLeft},    {"M", KeyKind::kEnter},
});

// Line ends as \n, nothing else that could steer a terminal. Tabs stay: they may stand in a string.
std::string clean_paste(std::string_view pasted) {
  std::string out;
  for (std::size_t i = 0; i < pasted.size(); ++i) {
    const char c = pasted[i];
    if (c == '\r') {
      if (i + 1 == pasted.size() || pasted[i + 1] != '\n') out += '\n';
    } else if (c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f)) {
      out += c;
    }
  }
  return replace_invalid_utf8(out);
}

std::size_t utf8_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
}

}  // namespace

void KeyReader::feed(std::string_view bytes) {
  pending_ += bytes;
  std::size_t used = 0;
  while (used < pending_.size()) {
    if (is_pasting_) {
      pending_.erase(0, used);
      used = 0;
      read_paste();
      if (is_pasting_) return;
      continue;
    }
    const std::size_t size = read_key(std::string_view(pending_).substr(used));
    if (size == 0) break;
    used += size;
  }
  pending_.erase(0, used);
}

void KeyReader::settle() {
  if (is_pasting_ || pending_.empty()) return;
  if (pending_ == "\x1b") push(KeyKind::kEscape);
  pending_.clear();
}

bool KeyReader::next(Key& key) {
  if (keys_.empty()) return false;
  key = std::move(keys_.front());
  keys_.pop_front();
  return true;
}

std::size_t KeyReader::read_key(std::string_view rest) {
  const char first = rest.front();
  if (first == kEscapeByte) return read_escape(rest);
  if (static_cast<unsigned char>(first) < 0x20 || first == 0x7f) return read_control(first);
  const std::size_t size = utf8_size(first);
  if (size == 0) return 1;
  if (rest.size() < size) return is_valid_utf8(rest) ? 1 : 0;
  const std::string_view character = rest.substr(0, size);
  if (!is_valid_utf8(character)) return 1;
  push(KeyKind::kText, 0, std::string(character));
  return size;
}

std::size_t KeyReader::read_control(char byte) {
  switch (byte) {
    case '\r':
    case '\n':
      push(KeyKind::kEnter);
      break;
    case '\t':
      push(KeyKind::kTab);
      break;
    case '\b':
    case 0x7f:
      push(KeyKind::kBackspace);
      break;
    default:
      if ((byte >= 1 && byte <= 26) || byte == 31) {
        push(KeyKind::kControl, static_cast<char>('@' + byte));
      }
  }
  return 1;
}

std::size_t KeyReader::read_escape(std::string_view rest) {
  if (rest.size() == 1) return 0;
  const char second = rest[1];
  if (second == '[' || second == 'O') return read_sequence(rest);
  if (second == '\r' || second == '\n') {
    push(KeyKind::kMetaEnter);
  } else if (second == 0x7f || second == '\b') {
    push(KeyKind::kMetaBackspace);
  } else if ((second >= 'a' && second <= 'z') || (second >= 'A' && second <= 'Z')) {
    push(KeyKind::kMeta, static_cast<char>(second | 0x20));
  } else if (second == kEscapeByte) {
    push(KeyKind::kEscape);
    return 1;
  }
  return 2;
}

// ESC [ or ESC O, parameters, and the letter or ~ that ends it.
std::size_t KeyReader::read_sequence(std::string_view rest) {
  const auto is_final = [](char c) { return c >= 0x40 && c <= 0x7e; };
  std::size_t end = 2;
  while (end < rest.size() && !is_final(rest[end])) {
    // A byte that no sequence has ends it, unused.
    if (static_cast<unsigned char>(rest[end]) < 0x20 || end > kSequenceBytesMax) return end;
    ++end;
  }
  if (end == rest.size()) return 0;
  const std::string_view body = rest.substr(2, end - 1);
  if (body == "200~") {
    is_pasting_ = true;
    return end + 1;
  }
  for (const Sequence& sequence : kSequences) {
    if (sequence.bytes == body) push(sequence.kind);
  }
  return end + 1;
}

void KeyReader::read_paste() {
  const std::size_t end = pending_.find(kPasteEnd);
  // The end mark may have come by half.
  const std::size_t kept =
      end == std::string::npos ? std::min(pending_.size(), kPasteEnd.size()) : 0;
  const std::size_t taken = end == std::string::npos ? pending_.size() - kept : end;
  pasted_.append(pending_, 0, std::min(taken, kPasteBytesMax - pasted_.size()));
  pending_.erase(0, end == std::string::npos ? taken : end + kPasteEnd.size());
  if (end == std::string::npos) return;
  is_pasting_ = false;
  push(KeyKind::kText, 0, clean_paste(pasted_));
  pasted_.clear();
}

void KeyReader::push(KeyKind kind, char letter, std::string text) {
  keys_.push_back({kind, letter, std::move(text)});
}

}  // namespace clepsydra::console
