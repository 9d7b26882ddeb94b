#include "sql/grammar/parser.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/grammar/characters.h"
#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

Status check_size(std::string_view text) {
  if (text.size() <= kMaxScriptBytes) return Status::ok();
  return Status::resource_exhausted(
      fmt::format("the script has {} bytes; at most {} are read", text.size(), kMaxScriptBytes));
}

// Everything of `text` must have been read, but for a semicolon where one may stand.
Status finish_text(Parser& parser, std::string_view text, bool semicolon) {
  TokenStream& in = parser.tokens();
  if (semicolon) in.accept(TokenKind::kSemicolon);
  if (!in.is(TokenKind::kEnd)) in.fail_expected("the end of the text");
  return in.failed() ? to_status(in.error(), text) : Status::ok();
}

}  // namespace

Result<ast::StatementPtr> parse_statement(std::string_view sql) {
  CLP_RETURN_IF_ERROR(check_size(sql));
  Parser parser(sql, 0, find_bad_byte(sql));
  ast::StatementPtr statement = parser.statement();
  CLP_RETURN_IF_ERROR(finish_text(parser, sql, true));
  return statement;
}

Result<ast::StatementPtr> parse_statement(std::string_view text, ast::SourceRange range) {
  CLP_RETURN_IF_ERROR(check_size(text));
  CLP_CHECK(range.begin <= range.end && range.end <= text.size());
  const std::string_view until = text.substr(0, range.end);
  Parser parser(until, range.begin, find_bad_byte(until));
  ast::StatementPtr statement = parser.statement();
  CLP_RETURN_IF_ERROR(finish_text(parser, until, true));
  return statement;
}

Result<ast::ExpressionPtr> parse_expression(std::string_view sql) {
  CLP_RETURN_IF_ERROR(check_size(sql));
  Parser parser(sql, 0, find_bad_byte(sql));
  ast::ExpressionPtr expression = parser.expression();
  CLP_RETURN_IF_ERROR(finish_text(parser, sql, false));
  return expression;
}

Result<ast::TypeName> parse_type(std::string_view sql) {
  CLP_RETURN_IF_ERROR(check_size(sql));
  Parser parser(sql, 0, find_bad_byte(sql));
  ast::TypeName type = parser.type();
  CLP_RETURN_IF_ERROR(finish_text(parser, sql, false));
  return type;
}

ScriptReader::ScriptReader(std::string_view script)
    : script_(script), valid_end_(find_bad_byte(script)) {}

Result<std::optional<ScriptStatement>> ScriptReader::next() {
  CLP_RETURN_IF_ERROR(check_size(script_));
  Parser parser(script_, position_, valid_end_);
  TokenStream& in = parser.tokens();
  while (in.accept(TokenKind::kSemicolon)) {
  }
  position_ = in.last_end();
  if (in.is(TokenKind::kEnd)) return std::optional<ScriptStatement>();
  ScriptStatement result;
  result.statement = parser.statement();
  if (in.failed()) {
    Status status = to_status(in.error(), script_);
    skip_statement();
    return status;
  }
  result.range = result.statement->range;
  result.text = in.text_of(result.range);
  in.accept(TokenKind::kSemicolon);
  position_ = in.last_end();
  return std::optional<ScriptStatement>(std::move(result));
}

// Behind the next semicolon that stands outside of quotes and comments.
void ScriptReader::skip_statement() {
  Lexer lexer(script_, position_, valid_end_);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (token.kind == TokenKind::kSemicolon) break;
  }
  position_ = lexer.offset();
  // Behind a byte that is no text nothing is read.
  if (position_ == valid_end_) script_ = script_.substr(0, valid_end_);
}

bool needs_more_input(std::string_view text) {
  Lexer lexer(text, 0, find_bad_byte(text));
  bool inside = false;         // Of a statement.
  bool statement_set = false;  // Between its BEGIN and END, where semicolons end no statement.
  bool end_closes = false;     // An END here would be the statement set's own.
  Word last;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (lexer.is_unclosed()) return true;
    if (token.kind == TokenKind::kSemicolon) {
      inside = statement_set;
      end_closes = statement_set;
    } else {
      if (last == Word("STATEMENT") && token.word == Word("SET")) statement_set = true;
      if (end_closes && token.word == Word("END")) statement_set = false;
      inside = true;
      end_closes = false;
    }
    last = token.word;
  }
  return inside || lexer.is_unclosed();
}

}  // namespace clepsydra::grammar
