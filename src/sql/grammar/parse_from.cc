// What stands in FROM: tables, subqueries, table functions, joins, MATCH_RECOGNIZE.
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::FromItemPtr;

FromItemPtr missing_table() {
  return std::make_unique<ast::TableReference>();
}

}  // namespace

FromItemPtr Parser::from() {
  FromItemPtr left = joins(table_factor());
  while (in_.is(TokenKind::kComma) && !in_.failed()) {
    auto node = std::make_unique<ast::Join>();
    node->join = ast::JoinKind::kComma;
    node->join_range = in_.take().range;
    const std::size_t begin = left->range.begin;
    node->left = std::move(left);
    node->right = joins(table_factor());
    left = finish(std::move(node), begin);
    wrap();
  }
  return left;
}

bool Parser::is_join() {
  return in_.is_one_of({"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"});
}

FromItemPtr Parser::joins(FromItemPtr left) {
  while (is_join() && !in_.failed()) {
    left = join(std::move(left));
    wrap();
  }
  return left;
}

FromItemPtr Parser::join(FromItemPtr left) {
  using ast::JoinKind;
  auto node = std::make_unique<ast::Join>();
  const std::size_t begin = left->range.begin;
  const std::size_t words = in_.peek().range.begin;
  node->natural = in_.accept("NATURAL");
  if (in_.accept("CROSS")) {
    node->join = JoinKind::kCross;
  } else if (!in_.accept("INNER") && in_.is_one_of({"LEFT", "RIGHT", "FULL"})) {
    node->join = in_.is("LEFT")    ? JoinKind::kLeft
                 : in_.is("RIGHT") ? JoinKind::kRight
                                   : JoinKind::kFull;
    in_.take();
    in_.accept("OUTER");
  }
  in_.expect("JOIN");
  node->join_range = in_.range_from(words);
  node->left = std::move(left);
  node->right = table_factor();
  if (in_.accept("ON")) {
    node->on = expression();
  } else if (in_.accept("USING")) {
    node->using_columns = name_list("a column name");
  }
  return finish(std::move(node), begin);
}

// One operand of a join: a table of any kind with all that may follow it.
FromItemPtr Parser::table_factor() {
  const Nesting nesting(*this);
  const std::size_t begin = in_.peek().range.begin;
  FromItemPtr item = table_primary();
  if (item->kind == ast::FromKind::kJoin || item->alias) return item;  // Parentheses closed it.
  if (in_.is("MATCH_RECOGNIZE")) item = match_recognize(std::move(item));
  if (!item->alias) item->alias = table_alias();
  if (in_.is("MATCH_RECOGNIZE")) {
    item = match_recognize(std::move(item));
    item->alias = table_alias();
  }
  if (in_.is("TABLESAMPLE") && item->kind == ast::FromKind::kTable) {
    item->as<ast::TableReference>().sample = table_sample();
  }
  item->range = in_.range_from(begin);
  return item;
}

FromItemPtr Parser::table_primary() {
  const bool lateral = in_.accept("LATERAL");
  if (in_.is(TokenKind::kLeftParen)) return parenthesised_from(lateral);
  if (in_.is("UNNEST")) return unnest(lateral);
  if (in_.is("TABLE")) {
    const std::size_t begin = in_.take().range.begin;
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    FromItemPtr function = table_function(lateral);
    in_.expect_close(open.range);
    function->as<ast::TableFunction>().wrapped = true;
    function->range = in_.range_from(begin);
    return function;
  }
  if (!is_name()) {
    const bool query = is_query_start();
    in_.fail_expected(query ? "'(' before a query in FROM" : "a table name or '('");
    return missing_table();
  }
  return named_table(lateral);
}

// (query), (table JOIN table ...), or more parentheses around either.
FromItemPtr Parser::parenthesised_from(bool lateral) {
  const Nesting nesting(*this);
  const Token open = in_.take();
  const auto derived = [&](ast::QueryPtr query) {
    auto node = std::make_unique<ast::DerivedTable>();
    node->lateral = lateral;
    node->query = std::move(query);
    in_.expect_close(open.range);
    return finish(std::move(node), open.range.begin);
  };
  if (is_query_start()) return derived(query());
  const bool deeper = in_.is(TokenKind::kLeftParen);
  FromItemPtr inner = deeper ? parenthesised_from(false) : table_factor();
  // ((SELECT ..) UNION (SELECT ..)): the inner parentheses held an operand of a query.
  if (inner->kind == ast::FromKind::kDerived && !inner->alias && is_query_continuation()) {
    return derived(query_from(std::move(inner->as<ast::DerivedTable>().query)));
  }
  if (deeper && inner->kind == ast::FromKind::kDerived && !inner->alias) {
    inner->alias = table_alias();
  }
  inner = joins(std::move(inner));
  in_.expect_close(open.range);
  return inner;
}

FromItemPtr Parser::named_table(bool lateral) {
  const std::size_t begin = in_.peek().range.begin;
  // A function is a name with '(' behind it: look past the parts of the name.
  std::size_t behind = 1;
  while (in_.is_ahead(behind, TokenKind::kDot) && is_name(behind + 1)) behind += 2;
  if (in_.is_ahead(behind, TokenKind::kLeftParen)) return table_function(lateral);
  if (lateral) in_.fail_expected("'(' or a table function after LATERAL");
  auto node = std::make_unique<ast::TableReference>();
  node->name = object_name("a table name");
  if (in_.is(TokenKind::kHintBegin)) node->hints = hints();
  if (in_.is("FOR")) {
    in_.take();
    in_.expect_sequence({"SYSTEM_TIME", "AS", "OF"});
    node->system_time = expression();
  }
  return finish(std::move(node), begin);
}

FromItemPtr Parser::table_function(bool lateral) {
  const std::size_t begin = in_.peek().range.begin;
  auto node = std::make_unique<ast::TableFunction>();
  node->lateral = lateral;
  ast::ObjectName function = object_name("the name of a table function");
  if (!in_.is(TokenKind::kLeftParen)) in_.fail_expected("'(' and the arguments of the function");
  node->call = call(std::move(function), ast::MatchSemantics::kNone);
  return finish(std::move(node), begin);
}

FromItemPtr Parser::unnest(bool lateral) {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Unnest>();
  node->lateral = lateral;
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  node->values = expression_list(TokenKind::kRightParen);
  in_.expect_close(open.range);
  if (in_.accept("WITH")) {
    in_.expect("ORDINALITY");
    node->with_ordinality = true;
  }
  return finish(std::move(node), begin);
}

// [AS] t [(a, b)].
std::optional<ast::TableAlias> Parser::table_alias() {
  ast::TableAlias alias;
  if (in_.accept("AS")) {
    alias.name = name("a name for the table");
  } else if (is_name()) {
    alias.name = take_name();
    in_.note_implicit_alias(alias.name.range);
  } else {
    return std::nullopt;
  }
  if (in_.is(TokenKind::kLeftParen)) alias.columns = name_list("a column name");
  return alias;
}

ast::TableSample Parser::table_sample() {
  ast::TableSample sample;
  const std::size_t begin = in_.take().range.begin;
  if (in_.accept("SYSTEM")) {
    sample.method = ast::SampleMethod::kSystem;
  } else {
    in_.expect("BERNOULLI");
  }
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  sample.percent = expression();
  in_.expect_close(open.range);
  if (in_.accept("REPEATABLE")) {
    const Token seed = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    sample.seed = expression();
    in_.expect_close(seed.range);
  }
  sample.range = in_.range_from(begin);
  return sample;
}

FromItemPtr Parser::match_recognize(FromItemPtr input) {
  const Nesting nesting(*this);
  auto node = std::make_unique<ast::MatchRecognize>();
  const std::size_t begin = input->range.begin;
  node->input = std::move(input);
  in_.expect("MATCH_RECOGNIZE");
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  if (in_.accept("PARTITION")) {
    in_.expect("BY");
    node->partition_by = expression_list(TokenKind::kRightParen);
  }
  if (in_.accept("ORDER")) {
    in_.expect("BY");
    node->order_by = order_by();
  }
  if (in_.accept("MEASURES")) {
    do {
      ast::NamedExpression measure;
      measure.value = expression();
      in_.expect("AS");
      measure.name = name("a name for the measure");
      node->measures.push_back(std::move(measure));
    } while (in_.accept(TokenKind::kComma));
  }
  match_rows(*node);
  in_.expect("PATTERN");
  const Token pattern_open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  node->pattern = pattern();
  in_.expect_close(pattern_open.range);
  if (in_.accept("WITHIN")) node->within = expression();
  if (in_.accept("SUBSET")) {
    do {
      ast::PatternSubset subset;
      subset.name = name("a name for the subset");
      in_.expect(TokenKind::kEqual);
      subset.variables = name_list("a pattern variable");
      node->subsets.push_back(std::move(subset));
    } while (in_.accept(TokenKind::kComma));
  }
  in_.expect("DEFINE");
  do {
    ast::NamedExpression definition;
    definition.name = name("a pattern variable");
    in_.expect("AS");
    definition.value = expression();
    node->define.push_back(std::move(definition));
  } while (in_.accept(TokenKind::kComma));
  in_.expect_close(open.range);
  return finish(std::move(node), begin);
}

// [ONE ROW | ALL ROWS PER MATCH] [AFTER MATCH SKIP ..].
void Parser::match_rows(ast::MatchRecognize& match) {
  if (in_.accept("ONE")) {
    in_.expect_sequence({"ROW", "PER", "MATCH"});
    match.rows = ast::RowsPerMatch::kOneRow;
  } else if (in_.accept("ALL")) {
    in_.expect_sequence({"ROWS", "PER", "MATCH"});
    match.rows = ast::RowsPerMatch::kAllRows;
  }
  if (in_.is("AFTER")) match.skip = skip_clause();
}

ast::SkipClause Parser::skip_clause() {
  using ast::SkipKind;
  ast::SkipClause skip;
  const std::size_t begin = in_.peek().range.begin;
  in_.expect_sequence({"AFTER", "MATCH", "SKIP"});
  if (in_.accept("PAST")) {
    in_.expect_sequence({"LAST", "ROW"});
  } else {
    in_.expect("TO");
    if (in_.accept_sequence({"NEXT", "ROW"})) {
      skip.kind = SkipKind::kToNextRow;
    } else {
      skip.kind = in_.accept("FIRST")  ? SkipKind::kToFirst
                  : in_.accept("LAST") ? SkipKind::kToLast
                                       : SkipKind::kToVariable;
      skip.variable = name("a pattern variable");
    }
  }
  skip.range = in_.range_from(begin);
  return skip;
}

ast::Pattern Parser::pattern() {
  const Nesting nesting(*this);
  ast::Pattern first = pattern_sequence();
  if (!in_.is(TokenKind::kBar)) return first;
  ast::Pattern alternation;
  alternation.kind = ast::PatternKind::kAlternation;
  const std::size_t begin = first.range.begin;
  alternation.children.push_back(std::move(first));
  while (in_.accept(TokenKind::kBar)) alternation.children.push_back(pattern_sequence());
  alternation.range = in_.range_from(begin);
  return alternation;
}

ast::Pattern Parser::pattern_sequence() {
  ast::Pattern sequence;
  sequence.kind = ast::PatternKind::kConcat;
  const std::size_t begin = in_.peek().range.begin;
  do {
    sequence.children.push_back(pattern_factor());
  } while (!in_.failed() && !in_.is(TokenKind::kRightParen) && !in_.is(TokenKind::kBar) &&
           !in_.is(TokenKind::kComma) && !in_.is(TokenKind::kRightBraceMinus));
  if (sequence.children.size() == 1) {
    ast::Pattern only = std::move(sequence.children.front());
    return only;
  }
  sequence.range = in_.range_from(begin);
  return sequence;
}

ast::Pattern Parser::pattern_factor() {
  ast::Pattern primary = pattern_primary();
  const TokenKind kind = in_.peek().kind;
  if (kind != TokenKind::kStar && kind != TokenKind::kPlus && kind != TokenKind::kQuestion &&
      kind != TokenKind::kLeftBrace) {
    return primary;
  }
  ast::Pattern quantified;
  quantified.kind = ast::PatternKind::kQuantified;
  const std::size_t begin = primary.range.begin;
  quantified.children.push_back(std::move(primary));
  pattern_quantifier(quantified);
  quantified.reluctant = in_.accept(TokenKind::kQuestion);
  quantified.range = in_.range_from(begin);
  return quantified;
}

// *, +, ?, {n}, {n,}, {n,m}, {,m}.
void Parser::pattern_quantifier(ast::Pattern& quantified) {
  const Token token = in_.take();
  const auto number = [this] { return static_cast<std::uint32_t>(small_number().value_or(0)); };
  if (token.kind == TokenKind::kStar) {
    quantified.repeat_min = 0;
  } else if (token.kind == TokenKind::kPlus) {
    quantified.repeat_min = 1;
  } else if (token.kind == TokenKind::kQuestion) {
    quantified.repeat_min = 0;
    quantified.repeat_max = 1;
  } else {
    const bool has_minimum = !in_.is(TokenKind::kComma);
    quantified.repeat_min = has_minimum ? number() : 0;
    if (!in_.accept(TokenKind::kComma)) {
      quantified.repeat_max = quantified.repeat_min;
    } else if (!has_minimum || in_.is(TokenKind::kInteger)) {
      quantified.repeat_max = number();
    }
    in_.expect(TokenKind::kRightBrace);
    const ast::SourceRange range = in_.range_from(token.range.begin);
    if (quantified.repeat_max && *quantified.repeat_max < quantified.repeat_min) {
      in_.fail({range, "the greatest number of repetitions is less than the smallest", ""});
    } else if (quantified.repeat_max && *quantified.repeat_max == 0) {
      in_.fail({range, "a variable that is repeated zero times matches nothing", ""});
    }
  }
}

ast::Pattern Parser::pattern_primary() {
  const Nesting nesting(*this);
  ast::Pattern result;
  const Token token = in_.peek();
  if (in_.accept(TokenKind::kLeftParen)) {
    if (in_.accept(TokenKind::kRightParen)) {
      result.kind = ast::PatternKind::kEmpty;
    } else {
      result = pattern();
      in_.expect_close(token.range);
    }
  } else if (in_.accept(TokenKind::kLeftBraceMinus)) {
    result.kind = ast::PatternKind::kExclusion;
    result.children.push_back(pattern());
    in_.expect(TokenKind::kRightBraceMinus);
  } else if (in_.accept("PERMUTE")) {
    result.kind = ast::PatternKind::kPermute;
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    do {
      result.children.push_back(pattern());
    } while (in_.accept(TokenKind::kComma));
    in_.expect_close(open.range);
  } else if (in_.accept(TokenKind::kCaret)) {
    result.kind = ast::PatternKind::kStart;
  } else if (in_.accept(TokenKind::kDollar)) {
    result.kind = ast::PatternKind::kEnd;
  } else {
    result.kind = ast::PatternKind::kVariable;
    result.variable = name("a pattern variable");
  }
  result.range = in_.range_from(token.range.begin);
  return result;
}

}  // namespace clepsydra::grammar
