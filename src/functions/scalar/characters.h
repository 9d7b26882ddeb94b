// Positions in UTF-8 texts, counted in characters (code points) as SQL does.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/utf8.h"

namespace clepsydra {

// Characters [begin, begin + count) of `text`; what lies outside is left out. Requires begin, count
// >= 0.
inline std::string_view characters(std::string_view text, std::int64_t begin, std::int64_t count) {
  const std::string_view rest = text.substr(utf8_offset(text, begin));
  return rest.substr(0, utf8_offset(rest, count));
}

// SUBSTRING: positions from 1, 0 as 1, negative ones from the end; outside: empty.
inline std::string_view substring(std::string_view text, std::int64_t position,
                                  std::int64_t count) {
  if (position > 0) return characters(text, position - 1, count);
  if (position == 0) return characters(text, 0, count);
  const std::int64_t begin = utf8_length(text) + position;
  return begin < 0 ? std::string_view() : characters(text, begin, count);
}

}  // namespace clepsydra
