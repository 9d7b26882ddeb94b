#include "sql/grammar/keyword.h"

namespace clepsydra::grammar {
namespace {

consteval std::size_t longest_word() {
  std::size_t longest = 0;
  for (const internal::TableEntry& entry : internal::kWordTable) {
    longest = std::max(longest, entry.text.size());
  }
  return longest;
}

constexpr auto kClauseWords = std::to_array<Word>(
    {"ALL",    "AND",     "AS",     "BETWEEN",   "BY",    "CROSS", "DISTINCT", "ELSE",
     "END",    "EXCEPT",  "FETCH",  "FILTER",    "FOR",   "FROM",  "FULL",     "GROUP",
     "HAVING", "IN",      "INNER",  "INTERSECT", "INTO",  "IS",    "JOIN",     "LIKE",
     "LIMIT",  "NATURAL", "OFFSET", "ON",        "OR",    "ORDER", "OVER",     "PARTITION",
     "SELECT", "SET",     "THEN",   "UNION",     "USING", "WHEN",  "WHERE",    "WITH"});

}  // namespace

bool Word::is_clause() const {
  return std::find(kClauseWords.begin(), kClauseWords.end(), *this) != kClauseWords.end();
}

Word Word::find(std::string_view name) {
  std::array<char, longest_word()> upper{};
  if (name.size() > upper.size()) return {};
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    upper[i] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const std::size_t index = internal::find_word(std::string_view(upper.data(), name.size()));
  Word word;
  if (index != internal::kWordCount) word.index_ = static_cast<std::uint16_t>(index);
  return word;
}

}  // namespace clepsydra::grammar
