// Function calls: arguments of every form, and what may stand behind them.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {

using ast::ExpressionPtr;
using ast::JsonBehavior;

// From '('; the name has been taken.
ExpressionPtr Parser::call(ast::ObjectName function, ast::MatchSemantics semantics) {
  const std::size_t begin = function.range().begin;
  const bool plain = function.parts.size() == 1 && !function.parts.front().quoted;
  const Word word = plain ? Word::find(function.parts.front().name) : Word();
  if (word == Word("TRIM")) return trim();
  auto node = std::make_unique<ast::FunctionCall>();
  node->name = std::move(function);
  node->match_semantics = semantics;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  if (word == Word("EXTRACT")) {
    extract_arguments(*node);
  } else if (word == Word("FLOOR") || word == Word("CEIL") || word == Word("CEILING")) {
    round_arguments(*node);
  } else if (word == Word("TIMESTAMPADD") || word == Word("TIMESTAMPDIFF")) {
    timestamp_arguments(*node);
  } else if (word == Word("SUBSTRING")) {
    worded_arguments(*node, {"FROM", "FOR"});
  } else if (word == Word("POSITION")) {
    worded_arguments(*node, {"IN", "FROM"});
  } else if (word == Word("OVERLAY")) {
    worded_arguments(*node, {"PLACING", "FROM", "FOR"});
  } else if (word == Word("JSON_OBJECT") || word == Word("JSON_OBJECTAGG")) {
    json_object_arguments(*node);
  } else if (word == Word("JSON_VALUE") || word == Word("JSON_QUERY") ||
             word == Word("JSON_EXISTS") || word == Word("JSON_ARRAY") ||
             word == Word("JSON_ARRAYAGG")) {
    json_arguments(*node, word);
  } else {
    call_arguments(*node);
  }
  in_.expect_close(open.range);
  call_suffixes(*node);
  return finish(std::move(node), begin);
}

void Parser::add_argument(ast::FunctionCall& call, ExpressionPtr value) {
  ast::Argument argument;
  argument.value = std::move(value);
  call.arguments.push_back(std::move(argument));
}

// From '(' of TRIM: (x), (c FROM x), (FROM x), (LEADING FROM x), (BOTH c FROM x).
ExpressionPtr Parser::trim() {
  const std::size_t begin = in_.last_end() - std::string_view("TRIM").size();
  auto node = std::make_unique<ast::Trim>();
  const Token open = in_.take();
  const bool side = in_.is_one_of({"BOTH", "LEADING", "TRAILING"});
  if (side) {
    node->side = in_.is("BOTH")      ? ast::TrimSide::kBoth
                 : in_.is("LEADING") ? ast::TrimSide::kLeading
                                     : ast::TrimSide::kTrailing;
    in_.take();
  }
  if (in_.accept("FROM")) {
    node->value = expression();
  } else {
    node->value = expression();
    if (in_.accept("FROM")) {
      node->characters = std::move(node->value);
      node->value = expression();
    } else if (side) {
      in_.fail_expected("FROM");
    }
  }
  in_.expect_close(open.range);
  return finish(std::move(node), begin);
}

void Parser::extract_arguments(ast::FunctionCall& call) {
  auto unit = std::make_unique<ast::TimeUnitArgument>();
  const std::size_t begin = in_.peek().range.begin;
  unit->unit = time_unit();
  add_argument(call, finish(std::move(unit), begin));
  in_.expect("FROM");
  add_argument(call, expression());
}

// FLOOR and CEIL: (x), (x, digits), (t TO unit).
void Parser::round_arguments(ast::FunctionCall& call) {
  add_argument(call, expression());
  if (in_.accept("TO")) {
    auto unit = std::make_unique<ast::TimeUnitArgument>();
    const std::size_t begin = in_.peek().range.begin;
    unit->unit = time_unit();
    add_argument(call, finish(std::move(unit), begin));
  }
  while (in_.accept(TokenKind::kComma)) add_argument(call, expression());
}

void Parser::timestamp_arguments(ast::FunctionCall& call) {
  const std::size_t begin = in_.peek().range.begin;
  if (const std::optional<ast::TimeUnit> word = accept_time_unit()) {
    auto unit = std::make_unique<ast::TimeUnitArgument>();
    unit->unit = *word;
    add_argument(call, finish(std::move(unit), begin));
  } else {
    add_argument(call, expression());  // The binder says that this is no unit.
  }
  for (int i = 0; i < 2; ++i) {
    in_.expect(TokenKind::kComma);
    add_argument(call, expression());
  }
}

// Arguments separated by commas, or by the given words in their order; the last word may be left
// out.
void Parser::worded_arguments(ast::FunctionCall& call, std::initializer_list<Word> words) {
  // The operands of IN and the like end before their word: POSITION(a IN b).
  add_argument(call, expression(kAdditivePrecedence));
  bool worded = false;
  for (const Word word : words) {
    if (!in_.accept(word)) break;
    worded = true;
    add_argument(call, expression(word == Word("IN") ? kAdditivePrecedence : kLowest));
  }
  if (worded && call.arguments.size() < words.size()) {
    in_.fail_expected(std::data(words)[call.arguments.size() - 1].text());
  }
  while (!worded && in_.accept(TokenKind::kComma)) add_argument(call, expression());
}

// [KEY] k VALUE v or k : v, separated by commas, and the clause for nulls.
void Parser::json_object_arguments(ast::FunctionCall& call) {
  call.json = std::make_unique<ast::JsonClauses>();
  json_null_clause(*call.json);
  if (!in_.is(TokenKind::kRightParen) && !call.json->on_null) {
    do {
      const bool key = in_.is("KEY") && !in_.is_ahead(1, "VALUE") &&
                       !in_.is_ahead(1, TokenKind::kColon) && !in_.is_ahead(1, TokenKind::kDot);
      if (key) in_.take();
      add_argument(call, expression());
      if (!in_.accept("VALUE") && !in_.accept(TokenKind::kColon)) {
        in_.fail_expected("VALUE and the value of the key");
      }
      add_argument(call, expression());
    } while (in_.accept(TokenKind::kComma));
    json_null_clause(*call.json);
  }
}

void Parser::json_arguments(ast::FunctionCall& call, Word function) {
  call.json = std::make_unique<ast::JsonClauses>();
  const bool array = function == Word("JSON_ARRAY");
  if (array && in_.is(TokenKind::kRightParen)) return;
  if (array) json_null_clause(*call.json);
  if (call.json->on_null) return;
  if (function == Word("JSON_ARRAYAGG") && in_.accept("DISTINCT")) {
    call.quantifier = ast::CallQuantifier::kDistinct;
  }
  add_argument(call, expression());
  while (in_.accept(TokenKind::kComma)) add_argument(call, expression());
  if (array || function == Word("JSON_ARRAYAGG")) {
    json_null_clause(*call.json);
  } else {
    json_path_clauses(*call.json);
  }
}

void Parser::json_null_clause(ast::JsonClauses& json) {
  if (in_.accept_sequence({"NULL", "ON", "NULL"})) {
    json.on_null = JsonBehavior::kNull;
  } else if (in_.accept_sequence({"ABSENT", "ON", "NULL"})) {
    json.on_null = JsonBehavior::kAbsent;
  }
}

// [RETURNING type] [wrapper] [.. ON EMPTY] [.. ON ERROR] of JSON_VALUE, JSON_QUERY and JSON_EXISTS.
// Which of them the function takes is the binder's question.
void Parser::json_path_clauses(ast::JsonClauses& json) {
  if (in_.accept("RETURNING")) json.returning = type();
  if (in_.is("WITHOUT") || in_.is("WITH")) {
    const bool with = in_.take().word == Word("WITH");
    json.wrapper = with ? ast::JsonWrapper::kUnconditional : ast::JsonWrapper::kWithout;
    if (with && in_.accept("CONDITIONAL")) {
      json.wrapper = ast::JsonWrapper::kConditional;
    } else if (with) {
      in_.accept("UNCONDITIONAL");
    }
    in_.accept("ARRAY");
    in_.expect("WRAPPER");
  }
  ast::JsonHandler handler;
  while (!in_.failed() && json_handler(handler)) {
    in_.expect("ON");
    if (in_.accept("EMPTY")) {
      json.on_empty = std::move(handler);
    } else {
      in_.expect("ERROR");
      json.on_error = std::move(handler);
    }
    handler = {};
  }
}

bool Parser::json_handler(ast::JsonHandler& handler) {
  if (in_.accept("NULL")) {
    handler.behavior = JsonBehavior::kNull;
  } else if (in_.accept("ERROR")) {
    handler.behavior = JsonBehavior::kError;
  } else if (in_.accept("TRUE")) {
    handler.behavior = JsonBehavior::kTrue;
  } else if (in_.accept("FALSE")) {
    handler.behavior = JsonBehavior::kFalse;
  } else if (in_.accept("UNKNOWN")) {
    handler.behavior = JsonBehavior::kUnknown;
  } else if (in_.accept("EMPTY")) {
    handler.behavior = in_.accept("ARRAY")    ? JsonBehavior::kEmptyArray
                       : in_.accept("OBJECT") ? JsonBehavior::kEmptyObject
                                              : JsonBehavior::kEmpty;
  } else if (in_.accept("DEFAULT")) {
    handler.behavior = JsonBehavior::kDefault;
    handler.default_value = expression();
  } else {
    return false;
  }
  return true;
}

// Behind '(': nothing, *, or [DISTINCT|ALL] arguments [IGNORE NULLS] [ORDER BY ..].
void Parser::call_arguments(ast::FunctionCall& call) {
  if (in_.is(TokenKind::kRightParen)) return;
  if (in_.is(TokenKind::kStar)) {
    auto star = std::make_unique<ast::Star>();
    const std::size_t begin = in_.take().range.begin;
    add_argument(call, finish(std::move(star), begin));
    return;
  }
  if (in_.accept("DISTINCT")) {
    call.quantifier = ast::CallQuantifier::kDistinct;
  } else if (in_.accept("ALL")) {
    call.quantifier = ast::CallQuantifier::kAll;
  }
  do {
    call.arguments.push_back(argument());
  } while (in_.accept(TokenKind::kComma));
  null_treatment(call);
  // LISTAGG(a ORDER BY b) is LISTAGG(a) WITHIN GROUP (ORDER BY b).
  if (in_.accept("ORDER")) {
    in_.expect("BY");
    call.within_group = order_by();
  }
}

ast::Argument Parser::argument() {
  ast::Argument result;
  const TokenKind kind = in_.peek().kind;
  if ((kind == TokenKind::kWord || kind == TokenKind::kQuotedName) &&
      in_.is_ahead(1, TokenKind::kArrow)) {
    result.name = take_name();
    in_.take();
  }
  const std::size_t begin = in_.peek().range.begin;
  if (in_.is("TABLE")) {
    result.value = table_argument();
  } else if (in_.is("DESCRIPTOR") && in_.is_ahead(1, TokenKind::kLeftParen)) {
    in_.take();
    auto node = std::make_unique<ast::Descriptor>();
    node->columns = name_list("a column name");
    result.value = finish(std::move(node), begin);
  } else if (in_.is("MODEL") && is_name(1)) {
    in_.take();
    auto node = std::make_unique<ast::ModelArgument>();
    node->model = object_name("the name of a model");
    result.value = finish(std::move(node), begin);
  } else {
    result.value = expression();
    const bool query = result.value->kind == ast::ExpressionKind::kScalarQuery;
    if (query && in_.is_one_of({"PARTITION", "ORDER"})) {
      auto node = std::make_unique<ast::TableArgument>();
      node->query = std::move(result.value->as<ast::ScalarQuery>().query);
      table_argument_clauses(*node);
      result.value = finish(std::move(node), begin);
    }
  }
  return result;
}

ExpressionPtr Parser::table_argument() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::TableArgument>();
  if (in_.is(TokenKind::kLeftParen)) {
    const Token open = in_.take();
    if (is_query_start()) {
      node->query = query();
    } else {
      node->table = object_name("a table name");
    }
    in_.expect_close(open.range);
  } else {
    node->table = object_name("a table name");
  }
  table_argument_clauses(*node);
  return finish(std::move(node), begin);
}

// [PARTITION BY x | (x, y)] [ORDER BY x | (x, y)]: without parentheses a comma ends the argument.
void Parser::table_argument_clauses(ast::TableArgument& table) {
  if (in_.accept_sequence({"PARTITION", "BY"})) {
    ExpressionPtr keys = expression();
    auto* row =
        keys->kind == ast::ExpressionKind::kConstructor ? &keys->as<ast::Constructor>() : nullptr;
    if (row != nullptr && row->constructor == ast::ConstructorKind::kImplicitRow) {
      table.partition_by = std::move(row->elements);
    } else {
      table.partition_by.push_back(std::move(keys));
    }
  }
  if (!in_.accept_sequence({"ORDER", "BY"})) return;
  if (!in_.is(TokenKind::kLeftParen)) {
    table.order_by.push_back(order_item());
    return;
  }
  const Token open = in_.take();
  table.order_by = order_by();
  in_.expect_close(open.range);
}

bool Parser::null_treatment(ast::FunctionCall& call) {
  if (in_.accept_sequence({"IGNORE", "NULLS"})) {
    call.null_treatment = ast::NullTreatment::kIgnore;
    return true;
  }
  if (in_.accept_sequence({"RESPECT", "NULLS"})) {
    call.null_treatment = ast::NullTreatment::kRespect;
    return true;
  }
  return false;
}

// [IGNORE NULLS] [WITHIN GROUP (..)] [FILTER (..)] [OVER ..].
void Parser::call_suffixes(ast::FunctionCall& call) {
  null_treatment(call);
  if (call.within_group.empty() && in_.accept_sequence({"WITHIN", "GROUP"})) {
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    in_.expect_sequence({"ORDER", "BY"});
    call.within_group = order_by();
    in_.expect_close(open.range);
  }
  if (in_.accept("FILTER")) {
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    in_.expect("WHERE");
    call.filter = expression();
    in_.expect_close(open.range);
  }
  null_treatment(call);
  if (!in_.accept("OVER")) return;
  call.over = std::make_unique<ast::WindowSpecification>();
  if (in_.is(TokenKind::kLeftParen)) {
    *call.over = window_specification();
  } else if (is_name()) {
    call.over->base = take_name();
    call.over->range = call.over->base->range;
  } else {
    in_.fail_expected("'(' or a window name after OVER");
  }
}

ast::WindowSpecification Parser::window_specification() {
  ast::WindowSpecification window;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  if (is_name()) window.base = take_name();
  if (in_.accept("PARTITION")) {
    in_.expect("BY");
    do {
      window.partition_by.push_back(expression());
    } while (in_.accept(TokenKind::kComma));
  }
  if (in_.accept("ORDER")) {
    in_.expect("BY");
    window.order_by = order_by();
  }
  if (in_.is("ROWS") || in_.is("RANGE")) window.frame = window_frame();
  in_.expect_close(open.range);
  window.range = in_.range_from(open.range.begin);
  return window;
}

ast::WindowFrame Parser::window_frame() {
  ast::WindowFrame frame;
  const Token unit = in_.take();
  frame.unit = unit.word == Word("ROWS") ? ast::FrameUnit::kRows : ast::FrameUnit::kRange;
  if (in_.accept("BETWEEN")) {
    frame.start = frame_bound();
    in_.expect("AND");
    frame.end = frame_bound();
  } else {
    frame.start = frame_bound();
    frame.end.kind = ast::FrameBoundKind::kCurrentRow;
    frame.end.range = frame.start.range;
  }
  frame.range = in_.range_from(unit.range.begin);
  return frame;
}

ast::FrameBound Parser::frame_bound() {
  using ast::FrameBoundKind;
  ast::FrameBound bound;
  const std::size_t begin = in_.peek().range.begin;
  if (in_.accept_sequence({"CURRENT", "ROW"})) {
    bound.kind = FrameBoundKind::kCurrentRow;
  } else {
    const bool unbounded = in_.accept("UNBOUNDED");
    if (!unbounded) bound.offset = expression(kBetweenPrecedence + 1);
    if (in_.accept("PRECEDING")) {
      bound.kind = unbounded ? FrameBoundKind::kUnboundedPreceding : FrameBoundKind::kPreceding;
    } else if (in_.accept("FOLLOWING")) {
      bound.kind = unbounded ? FrameBoundKind::kUnboundedFollowing : FrameBoundKind::kFollowing;
    } else {
      in_.fail_expected("PRECEDING or FOLLOWING");
    }
  }
  bound.range = in_.range_from(begin);
  return bound;
}

std::vector<ast::OrderItem> Parser::order_by() {
  std::vector<ast::OrderItem> items;
  do {
    items.push_back(order_item());
  } while (in_.accept(TokenKind::kComma));
  return items;
}

ast::OrderItem Parser::order_item() {
  ast::OrderItem item;
  const std::size_t begin = in_.peek().range.begin;
  item.value = expression();
  if (in_.accept("ASC")) {
    item.direction = ast::SortDirection::kAscending;
  } else if (in_.accept("DESC")) {
    item.direction = ast::SortDirection::kDescending;
  }
  if (in_.accept("NULLS")) {
    if (in_.accept("FIRST")) {
      item.nulls = ast::NullsOrder::kFirst;
    } else {
      in_.expect("LAST");
      item.nulls = ast::NullsOrder::kLast;
    }
  }
  item.range = in_.range_from(begin);
  return item;
}

}  // namespace clepsydra::grammar
