#include "sql/grammar/characters.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace clepsydra::grammar {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& r) { return c >= r.first && c <= r.last; });
}

constexpr std::array<Range, 6> kZeroWidth{{{0x0300, 0x036F},
                                           {0x200B, 0x200F},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F},
                                           {0xFE20, 0xFE2F},
                                           {0xFEFF, 0xFEFF}}};
constexpr std::array<Range, 10> kWide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFE30, 0xFE6F},
                                       {0xFF00, 0xFF60},
                                       {0xFFE0, 0xFFE6},
                                       {0x1F300, 0x1FAFF},
                                       {0x20000, 0x3FFFD}}};
// As the reference's identifiers, and Hangul syllables.
constexpr std::array<Range, 8> kNameLetters{{{0x00C0, 0x00D6},
                                             {0x00D8, 0x00F6},
                                             {0x00F8, 0x1FFF},
                                             {0x3040, 0x318F},
                                             {0x3300, 0x337F},
                                             {0x3400, 0x9FFF},
                                             {0xAC00, 0xD7A3},
                                             {0xF900, 0xFAFF}}};

}  // namespace

std::size_t find_bad_byte(std::string_view text) {
  return first_invalid_utf8(text.substr(0, text.find('\0')));
}

int display_width(char32_t code_point) {
  if (code_point < 0x300) return 1;
  if (contains(kZeroWidth, code_point)) return 0;
  return contains(kWide, code_point) ? 2 : 1;
}

bool is_name_letter(char32_t code_point) {
  return contains(kNameLetters, code_point);
}

}  // namespace clepsydra::grammar
