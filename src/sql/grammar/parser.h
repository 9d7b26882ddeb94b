// SQL text to AST: the whole of the grammar's public side.
//
// Errors are Statuses made by to_status() (grammar/diagnostic.h): kInvalidArgument for wrong SQL,
// kUnimplemented for a statement that is known and not built. Nothing here looks at a catalog.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "clepsydra/status.h"
#include "sql/ast/expression.h"
#include "sql/ast/statement.h"
#include "sql/ast/type.h"
#include "sql/grammar/diagnostic.h"

namespace clepsydra::grammar {

// Levels of nesting of one statement; more is refused, so that recursion over a tree is safe.
inline constexpr int kMaxNesting = 500;
// Bytes of one script.
inline constexpr std::size_t kMaxScriptBytes = std::size_t{256} << 20;

// Exactly one statement; a final semicolon is allowed.
Result<ast::StatementPtr> parse_statement(std::string_view sql);
// The statement that stands at `range` of a larger text; ranges in the tree are of that text.
Result<ast::StatementPtr> parse_statement(std::string_view text, ast::SourceRange range);
// Exactly one expression or type, for tests and for stored texts.
Result<ast::ExpressionPtr> parse_expression(std::string_view sql);
Result<ast::TypeName> parse_type(std::string_view sql);

// One statement of a script and where it stood. Ranges in the tree are relative to the whole
// script.
struct ScriptStatement {
  ast::StatementPtr statement;
  std::string_view text;  // Of the script, without the semicolon and what is around it.
  ast::SourceRange range;
};

// Reads a script statement by statement, so that those before an error can run before it is
// reported. Empty statements are skipped; BEGIN STATEMENT SET; ... END; is one statement.
//
//   ScriptReader reader(script);
//   while (true) {
//     CLP_ASSIGN_OR_RETURN(std::optional<ScriptStatement> next, reader.next());
//     if (!next) break;
//     run(*next);
//   }
class ScriptReader {
 public:
  // `script` must outlive the reader and all that it returned.
  explicit ScriptReader(std::string_view script);

  // The next statement, nothing at the end, or the error; after an error the reader goes on behind
  // the next semicolon (a console may want that; a script stops).
  Result<std::optional<ScriptStatement>> next();

 private:
  void skip_statement();

  std::string_view script_;
  std::size_t valid_end_ = 0;  // Behind it is what no statement may contain.
  std::size_t position_ = 0;
};

// Whether `text` ends inside a statement: no semicolon yet, or inside a quote, comment or statement
// set. For a console that reads line by line.
bool needs_more_input(std::string_view text);

}  // namespace clepsydra::grammar
