// "Did you mean": names that look like a mistyped one.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace clepsydra {

// Insertions, deletions, replacements and swaps of neighbours that turn `a`
// into `b`, ASCII case ignored; `limit` + 1 when more than `limit` are needed.
// Bytes, not characters.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

// Up to `count_max` of the candidates, closest first (then in their order),
// that are within a third of the word's length, or start with it, or contain
// it. Duplicates are dropped.
std::vector<std::string> close_names(std::string_view word, std::span<const std::string> candidates,
                                     std::size_t count_max = 3);

// " Did you mean 'a', 'b' or 'c'?", or "" for no names: to append to a message.
std::string did_you_mean(std::span<const std::string> names);

}  // namespace clepsydra
