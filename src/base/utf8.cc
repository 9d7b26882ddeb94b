#include "base/utf8.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bits.h"

namespace clepsydra {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}

// How many bytes of `bytes` from `i` on are ASCII (at least those of the full words).
std::size_t skip_ascii(std::string_view bytes, std::size_t i) {
  while (i + 8 <= bytes.size() && (load_le<std::uint64_t>(bytes.data() + i) & kHighBits) == 0)
    i += 8;
  while (i < bytes.size() && byte_at(bytes, i) < 0x80) ++i;
  return i;
}

struct Sequence {
  std::size_t length;  // Bytes: of the whole sequence, or of the broken part to skip.
  bool valid;
};

// The sequence at `i`, by table 3-7 of the Unicode Standard. A broken part is maximal: as many
// bytes as could start a valid sequence.
Sequence sequence_at(std::string_view bytes, std::size_t i) {
  const std::uint8_t first = byte_at(bytes, i);
  if (first < 0x80) return {1, true};
  std::size_t length = 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
  } else {
    return {1, false};
  }
  for (std::size_t k = 1; k < length; ++k) {
    if (i + k >= bytes.size()) return {k, false};
    const std::uint8_t next = byte_at(bytes, i + k);
    if (next < low || next > high) return {k, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

}  // namespace

bool is_ascii(std::string_view bytes) {
  return skip_ascii(bytes, 0) == bytes.size();
}

bool is_valid_utf8(std::string_view bytes) {
  return first_invalid_utf8(bytes) == bytes.size();
}

std::size_t first_invalid_utf8(std::string_view bytes) {
  std::size_t i = skip_ascii(bytes, 0);
  while (i < bytes.size()) {
    const Sequence sequence = sequence_at(bytes, i);
    if (!sequence.valid) return i;
    i += sequence.length;
    if (i < bytes.size() && byte_at(bytes, i) < 0x80) i = skip_ascii(bytes, i);
  }
  return bytes.size();
}

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const Sequence sequence = sequence_at(bytes, i);
    result += sequence.valid ? bytes.substr(i, sequence.length) : std::string_view("\xEF\xBF\xBD");
    i += sequence.length;
  }
  return result;
}

std::int64_t utf8_length(std::string_view text) {
  std::int64_t continuations = 0;
  for (const char c : text) continuations += (static_cast<std::uint8_t>(c) & 0xC0) == 0x80 ? 1 : 0;
  return static_cast<std::int64_t>(text.size()) - continuations;
}

std::size_t utf8_offset(std::string_view text, std::int64_t index) {
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((byte_at(text, i) & 0xC0) == 0x80) continue;
    if (index-- == 0) return i;
  }
  return i;
}

char32_t utf8_next(std::string_view text, std::size_t& offset) {
  const std::size_t length = sequence_at(text, offset).length;
  const std::uint8_t first = byte_at(text, offset);
  char32_t code_point = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t k = 1; k < length; ++k) {
    code_point = (code_point << 6) | (byte_at(text, offset + k) & 0x3FU);
  }
  offset += length;
  return code_point;
}

void utf8_append(char32_t code_point, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::string clip(std::string_view text, std::size_t characters_max) {
  std::string result;
  std::size_t i = 0;
  for (std::size_t count = 0; i < text.size() && count < characters_max; ++count) {
    const Sequence sequence = sequence_at(text, i);
    const std::uint8_t first = byte_at(text, i);
    if (first == '\n') {
      result += "\\n";
    } else if (first == '\t') {
      result += "\\t";
    } else if (first == '\r') {
      result += "\\r";
    } else if (first < 0x20 || first == 0x7F) {
      result += fmt::format("\\x{:02x}", first);
    } else if (sequence.valid) {
      result += text.substr(i, sequence.length);
    } else {
      for (std::size_t k = 0; k < sequence.length; ++k) {
        result += fmt::format("\\x{:02x}", byte_at(text, i + k));
      }
    }
    i += sequence.length;
  }
  if (i < text.size()) result += "...";
  return result;
}

}  // namespace clepsydra
