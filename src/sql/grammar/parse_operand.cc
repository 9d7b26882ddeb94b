// Operands: literals, names, parentheses, CASE, CAST, constructors, and [..] and .field behind
// them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::ExpressionPtr;
using ast::LiteralKind;

// Reserved words that are functions when '(' follows.
constexpr auto kReservedFunctions = std::to_array<Word>({
    "ABS",
    "AVG",
    "CARDINALITY",
    "CEIL",
    "CEILING",
    "CHAR",
    "CHARACTER_LENGTH",
    "CHAR_LENGTH",
    "CLASSIFIER",
    "COALESCE",
    "COLLECT",
    "CONVERT",
    "CORR",
    "COUNT",
    "COVAR_POP",
    "COVAR_SAMP",
    "CUME_DIST",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DENSE_RANK",
    "ELEMENT",
    "EVERY",
    "EXP",
    "FIRST_VALUE",
    "FLOOR",
    "FUSION",
    "GROUPING",
    "HOUR",
    "INTERSECTION",
    "JSON_ARRAY",
    "JSON_ARRAYAGG",
    "JSON_EXISTS",
    "JSON_OBJECT",
    "JSON_OBJECTAGG",
    "JSON_QUERY",
    "JSON_VALUE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "LEFT",
    "LN",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOWER",
    "MATCH_NUMBER",
    "MAX",
    "MIN",
    "MINUTE",
    "MOD",
    "MONTH",
    "NEXT",
    "NTH_VALUE",
    "NTILE",
    "NULLIF",
    "OCTET_LENGTH",
    "OVERLAY",
    "PERCENT_RANK",
    "POSITION",
    "POWER",
    "PREV",
    "RANK",
    "RIGHT",
    "ROW_NUMBER",
    "SECOND",
    "SOME",
    "SQRT",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUBSTRING",
    "SUM",
    "TRANSLATE",
    "TRIM",
    "TRUNCATE",
    "UPPER",
    "USER",
    "VAR_POP",
    "VAR_SAMP",
    "YEAR",
    "EXTRACT",
});

// Functions without parentheses.
constexpr auto kBareFunctions = std::to_array<Word>({
    "CURRENT_CATALOG",
    "CURRENT_DATE",
    "CURRENT_PATH",
    "CURRENT_ROLE",
    "CURRENT_SCHEMA",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "SESSION_USER",
    "SYSTEM_USER",
    "USER",
});

template <std::size_t N>
bool contains(const std::array<Word, N>& words, Word word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

ExpressionPtr Parser::placeholder() {
  return std::make_unique<ast::Literal>();
}

ExpressionPtr Parser::literal(LiteralKind kind, std::string text, std::size_t begin) {
  auto node = std::make_unique<ast::Literal>();
  node->literal_kind = kind;
  node->text = std::move(text);
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::operand() {
  const Token token = in_.peek();
  const std::size_t begin = token.range.begin;
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
      in_.take();
      return literal(LiteralKind::kExact, std::string(in_.text_of(token.range)), begin);
    case TokenKind::kApproximate:
      in_.take();
      return literal(LiteralKind::kApproximate, std::string(in_.text_of(token.range)), begin);
    case TokenKind::kString:
    case TokenKind::kUnicodeString:
    case TokenKind::kCharsetString: {
      std::string text = string_value();
      return literal(LiteralKind::kString, std::move(text), begin);
    }
    case TokenKind::kBinaryString: {
      bool odd = false;
      std::string bytes = binary_string(odd);
      ExpressionPtr binary = literal(LiteralKind::kBinary, std::move(bytes), begin);
      if (odd) binary->as<ast::Literal>().odd = true;
      return binary;
    }
    case TokenKind::kLeftParen:
      return subscripts(parenthesised());
    case TokenKind::kLeftBrace:
      return brace_escape();
    case TokenKind::kQuotedName:
      return subscripts(name_operand());
    case TokenKind::kWord:
      return subscripts(word_operand());
    default:
      in_.fail_expected("an expression");
      return placeholder();
  }
}

// {d '..'}, {t '..'}, {ts '..'} and {fn call}: how JDBC writes literals and calls.
ExpressionPtr Parser::brace_escape() {
  const std::size_t begin = in_.take().range.begin;
  std::string word(in_.text_of(in_.peek().range));
  for (char& c : word) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  ExpressionPtr result;
  if (in_.is_ahead(1, TokenKind::kString) && (word == "d" || word == "t" || word == "ts")) {
    in_.take();
    std::string text = string_value();
    result = literal(word == "d"   ? LiteralKind::kDate
                     : word == "t" ? LiteralKind::kTime
                                   : LiteralKind::kTimestamp,
                     std::move(text), begin);
  } else if (word == "fn") {
    in_.take();
    result = expression(kUnaryPrecedence);
  } else {
    in_.fail_expected("d, t, ts or fn after '{'");
    return placeholder();
  }
  in_.expect(TokenKind::kRightBrace);
  result->range = in_.range_from(begin);
  return result;
}

// value[index] and value.field, as often as they follow.
ExpressionPtr Parser::subscripts(ExpressionPtr value) {
  while (!in_.failed()) {
    const std::size_t begin = value->range.begin;
    if (in_.is(TokenKind::kLeftBracket)) {
      in_.take();
      auto node = std::make_unique<ast::ElementAccess>();
      node->value = std::move(value);
      node->index = expression();
      in_.expect(TokenKind::kRightBracket);
      value = finish(std::move(node), begin);
    } else if (in_.is(TokenKind::kDot) && is_name(1)) {
      in_.take();
      auto node = std::make_unique<ast::FieldAccess>();
      node->value = std::move(value);
      node->field = take_name();
      value = finish(std::move(node), begin);
    } else {
      break;
    }
    wrap();
  }
  return value;
}

ExpressionPtr Parser::word_operand() {
  const Token token = in_.peek();
  const std::size_t begin = token.range.begin;
  const bool call_follows = in_.is_ahead(1, TokenKind::kLeftParen);
  const bool string_follows = in_.is_ahead(1, TokenKind::kString);
  if (in_.accept("NULL")) return literal(LiteralKind::kNull, "NULL", begin);
  if (in_.accept("TRUE")) return literal(LiteralKind::kBoolean, "TRUE", begin);
  if (in_.accept("FALSE")) return literal(LiteralKind::kBoolean, "FALSE", begin);
  if (in_.accept("UNKNOWN")) return literal(LiteralKind::kUnknown, "UNKNOWN", begin);
  if (string_follows && in_.is_one_of({"DATE", "TIME", "TIMESTAMP"})) {
    in_.take();
    const LiteralKind kind = token.word == Word("DATE")   ? LiteralKind::kDate
                             : token.word == Word("TIME") ? LiteralKind::kTime
                                                          : LiteralKind::kTimestamp;
    std::string text = string_value();
    return literal(kind, std::move(text), begin);
  }
  if (in_.is("INTERVAL")) return interval_literal();
  if (in_.is("CASE")) return case_expression();
  if (in_.is_one_of({"CAST", "TRY_CAST"})) return cast();
  if (in_.is("EXISTS")) {
    in_.take();
    auto node = std::make_unique<ast::Exists>();
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    node->query = query();
    in_.expect_close(open.range);
    return finish(std::move(node), begin);
  }
  if (in_.is("ROW") && call_follows) return constructor(ast::ConstructorKind::kRow);
  if (in_.is("ARRAY")) return constructor(ast::ConstructorKind::kArray);
  if (in_.is("MULTISET")) return constructor(ast::ConstructorKind::kMultiset);
  if (in_.is("MAP") && (call_follows || in_.is_ahead(1, TokenKind::kLeftBracket))) {
    return constructor(ast::ConstructorKind::kMap);
  }
  if (in_.accept("DEFAULT")) return finish(std::make_unique<ast::Default>(), begin);
  const bool final_call = in_.is("FINAL") && !call_follows &&
                          in_.ahead(1).kind == TokenKind::kWord &&
                          in_.is_ahead(2, TokenKind::kLeftParen);
  if (in_.is("RUNNING") || final_call) {
    in_.take();
    ast::ObjectName function;
    function.parts.push_back(take_name());
    return call(std::move(function),
                final_call ? ast::MatchSemantics::kFinal : ast::MatchSemantics::kRunning);
  }
  if (!token.word.is_reserved()) return name_operand();
  if (call_follows && contains(kReservedFunctions, token.word)) {
    ast::ObjectName function;
    function.parts.push_back(take_name());
    return call(std::move(function), ast::MatchSemantics::kNone);
  }
  if (contains(kBareFunctions, token.word)) {
    auto node = std::make_unique<ast::FunctionCall>();
    node->name.parts.push_back(take_name());
    node->bare = true;
    return finish(std::move(node), begin);
  }
  in_.fail_expected(token.word.is_clause() ? "an expression" : "an expression or a name");
  return placeholder();
}

// A name of one or more parts: a column, or a function if '(' follows.
ExpressionPtr Parser::name_operand() {
  const std::size_t begin = in_.peek().range.begin;
  std::vector<ast::Identifier> parts;
  parts.push_back(take_name());
  while (in_.is(TokenKind::kDot)) {
    in_.take();
    parts.push_back(name("a name"));
  }
  if (in_.is(TokenKind::kLeftParen)) {
    return call(ast::ObjectName{std::move(parts)}, ast::MatchSemantics::kNone);
  }
  auto node = std::make_unique<ast::ColumnReference>();
  node->parts = std::move(parts);
  return finish(std::move(node), begin);
}

// (expression), (a, b), or (query) as a value.
ExpressionPtr Parser::parenthesised() {
  const Token open = in_.take();
  const std::size_t begin = open.range.begin;
  if (is_query_start()) {
    ast::QueryPtr inner = query();
    in_.expect_close(open.range);
    return query_value(std::move(inner), begin);
  }
  ExpressionPtr first = expression();
  // ((SELECT 1) UNION (SELECT 2)): what began as a value turns out to be an operand of a query.
  if (first->kind == ast::ExpressionKind::kScalarQuery && is_query_continuation()) {
    ast::QueryPtr inner = query_from(std::move(first->as<ast::ScalarQuery>().query));
    in_.expect_close(open.range);
    return query_value(std::move(inner), begin);
  }
  if (!in_.is(TokenKind::kComma)) {
    in_.expect_close(open.range);
    return interval_difference(std::move(first), begin);
  }
  auto row = std::make_unique<ast::Constructor>();
  row->constructor = ast::ConstructorKind::kImplicitRow;
  row->elements.push_back(std::move(first));
  while (in_.accept(TokenKind::kComma)) row->elements.push_back(expression());
  in_.expect_close(open.range);
  return finish(std::move(row), begin);
}

// What followed '(' and ')': with a unit behind it, (a - b) DAY is a difference in time.
ExpressionPtr Parser::interval_difference(ExpressionPtr value, std::size_t begin) {
  const auto* operation = value->as_if<ast::Operation>();
  if (operation == nullptr || operation->op != ast::Operator::kSubtract ||
      !in_.is_one_of({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})) {
    return value;
  }
  auto node = std::make_unique<ast::IntervalDifference>();
  std::vector<ExpressionPtr>& operands = value->as<ast::Operation>().operands;
  node->left = std::move(operands[0]);
  node->right = std::move(operands[1]);
  node->interval = interval_qualifier();
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::query_value(ast::QueryPtr query, std::size_t begin) {
  auto node = std::make_unique<ast::ScalarQuery>();
  node->query = std::move(query);
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::interval_literal() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Literal>();
  node->literal_kind = LiteralKind::kInterval;
  node->negative = in_.is(TokenKind::kMinus);
  if (!in_.accept(TokenKind::kMinus)) in_.accept(TokenKind::kPlus);
  if (in_.is(TokenKind::kInteger)) {
    const std::string number(in_.text_of(in_.peek().range));
    in_.fail({in_.peek().range, "expected the interval in single quotes, found a number",
              fmt::format("write INTERVAL '{}'", number)});
  }
  node->text = string_text("the interval in single quotes");
  node->interval = interval_qualifier();
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::case_expression() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Case>();
  if (!in_.is("WHEN")) node->operand = expression();
  if (!in_.is("WHEN")) in_.fail_expected("WHEN");
  while (in_.accept("WHEN")) {
    ast::Case::When& when = node->whens.emplace_back();
    do {
      when.conditions.push_back(expression());
    } while (node->operand != nullptr && in_.accept(TokenKind::kComma));
    in_.expect("THEN");
    when.result = expression();
  }
  if (in_.accept("ELSE")) node->otherwise = expression();
  in_.expect("END");
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::cast() {
  auto node = std::make_unique<ast::Cast>();
  node->try_cast = in_.is("TRY_CAST");
  const std::size_t begin = in_.take().range.begin;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  node->value = expression();
  in_.expect("AS");
  node->type = type();
  in_.expect_close(open.range);
  return finish(std::move(node), begin);
}

// ROW(..), ARRAY[..], MAP[..], MULTISET[..], and the last three over a query in parentheses.
ExpressionPtr Parser::constructor(ast::ConstructorKind kind) {
  const std::size_t begin = in_.take().range.begin;
  const Token open = in_.peek();
  const bool row = kind == ast::ConstructorKind::kRow;
  if (!row && in_.accept(TokenKind::kLeftParen)) {
    auto node = std::make_unique<ast::ConstructorQuery>();
    node->constructor = kind;
    node->query = query();
    in_.expect_close(open.range);
    return finish(std::move(node), begin);
  }
  auto node = std::make_unique<ast::Constructor>();
  node->constructor = kind;
  if (row) {
    in_.expect(TokenKind::kLeftParen);
    node->elements = expression_list(TokenKind::kRightParen);
    in_.expect_close(open.range);
  } else {
    in_.expect(TokenKind::kLeftBracket);
    if (!in_.is(TokenKind::kRightBracket)) {
      node->elements = expression_list(TokenKind::kRightBracket);
    }
    in_.expect(TokenKind::kRightBracket);
  }
  node->range = in_.range_from(begin);
  if (kind == ast::ConstructorKind::kMap && node->elements.size() % 2 != 0) {
    in_.fail(
        {node->range, "MAP needs a value for every key", "write MAP[key1, value1, key2, value2]"});
  }
  return node;
}

// One or more expressions; `close` is what the caller expects behind them.
std::vector<ExpressionPtr> Parser::expression_list(TokenKind close) {
  std::vector<ExpressionPtr> list;
  do {
    if (!list.empty() && in_.is(close)) {
      in_.fail_expected("an expression after ','");
      break;
    }
    list.push_back(expression());
  } while (in_.accept(TokenKind::kComma));
  return list;
}

}  // namespace clepsydra::grammar
