// What is wrong with a statement and where: made by the parser and the binder, shown with the line
// and a caret under the place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "sql/ast/location.h"

namespace clepsydra {

struct Diagnostic {
  // The place, in bytes of the text handed to to_status. An empty range points between two
  // characters (end of the text, for instance).
  ast::SourceRange range;
  // One sentence without a final dot: "expected an expression, found 'FROM'".
  std::string message;
  // What to do about it, or empty: "write <> instead".
  std::string suggestion;
  // kInvalidArgument for wrong SQL, kNotFound for unknown names, kUnimplemented for what is not
  // built.
  StatusCode code = StatusCode::kInvalidArgument;
};

// Line and column count from 1; a column is a character (code point), not a byte.
struct LineColumn {
  std::size_t line = 1;
  std::size_t column = 1;
};
LineColumn line_column(std::string_view sql, std::size_t offset);

//   line 1, column 15: expected an expression, found 'FROM'
//     SELECT a, FROM t
//               ^^^^
//   hint: ...
// Long lines are clipped around the place; the caret respects the width of characters in a
// terminal.
std::string render(const Diagnostic& diagnostic, std::string_view sql);
Status to_status(const Diagnostic& diagnostic, std::string_view sql);

// The candidate closest to `name` by edit distance, ignoring case; empty when none is close enough
// to be a likely slip. For unknown columns, tables, functions and options.
std::string_view closest_name(std::string_view name,
                              const std::vector<std::string_view>& candidates);

}  // namespace clepsydra
