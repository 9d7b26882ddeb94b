// UTF-8: checking, counting and cutting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace clepsydra {

// True for bytes below 0x80 only.
bool is_ascii(std::string_view bytes);
// Well-formed UTF-8: no overlong forms, surrogates or values above U+10FFFF.
bool is_valid_utf8(std::string_view bytes);
// Where the first byte that is not well-formed sits; bytes.size() when all are.
std::size_t first_invalid_utf8(std::string_view bytes);
// Every maximal broken part replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view bytes);

// Code points of well-formed UTF-8.
std::int64_t utf8_length(std::string_view text);
// Byte offset of code point `index` (0-based); text.size() when there are
// fewer.
std::size_t utf8_offset(std::string_view text, std::int64_t index);
// Decodes the code point at `offset` and moves `offset` behind it. Requires
// well-formed text there.
char32_t utf8_next(std::string_view text, std::size_t& offset);
// Appends a code point. Requires a Unicode scalar value.
void utf8_append(char32_t code_point, std::string& out);

// For messages: at most `characters_max` characters of `text`, "..." when cut,
// control characters and broken bytes made visible as \n, \t, \x1b.
std::string clip(std::string_view text, std::size_t characters_max);

}  // namespace clepsydra
