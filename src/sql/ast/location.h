// Where in the text of a script something was written.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace clepsydra::ast {

// Bytes [begin, end) of the text that was given to the parser (for a script: the whole script, not
// the statement). grammar/diagnostic.h computes line and column. {0, 0} in nodes made by code.
struct SourceRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] bool empty() const { return begin == end; }
  friend bool operator==(const SourceRange&, const SourceRange&) = default;
};

inline SourceRange cover(SourceRange first, SourceRange last) {
  return {first.begin, last.end};
}

// A name as written: without its backticks, doubled backticks undone, case kept. Identifiers are
// case sensitive, quoted or not, as in the reference.
struct Identifier {
  std::string name;
  bool quoted = false;  // It stood in backticks.
  SourceRange range;
};

// `catalog`.`database`.`object`, or a prefix-less shorter form. Never empty in a parsed tree.
struct ObjectName {
  std::vector<Identifier> parts;

  [[nodiscard]] SourceRange range() const {
    return parts.empty() ? SourceRange{} : cover(parts.front().range, parts.back().range);
  }
};

}  // namespace clepsydra::ast
