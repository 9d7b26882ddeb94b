// What single characters are to the grammar and to a terminal. UTF-8 itself is in base/utf8.h.
#pragma once

#include <cstddef>
#include <string_view>

namespace clepsydra::grammar {

// The offset of the first byte that is not UTF-8, or of the first NUL; text.size() if there is
// none.
std::size_t find_bad_byte(std::string_view text);

// Columns of a terminal: 0 for combining marks, 2 for wide East Asian characters and emoji, else 1.
int display_width(char32_t code_point);

// Letters that may stand in a name without backticks (beside ASCII letters, digits, '_' and '$').
bool is_name_letter(char32_t code_point);

}  // namespace clepsydra::grammar
