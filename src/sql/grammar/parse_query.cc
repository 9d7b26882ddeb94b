// Queries: WITH, set operations, SELECT, VALUES, ORDER BY, OFFSET, LIMIT and FETCH.
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::QueryPtr;

// Whether an ORDER BY, OFFSET or LIMIT from outside would clash with what the query has.
bool is_finished(const ast::Query& query) {
  return !query.order_by.empty() || query.offset != nullptr || query.limit != nullptr;
}

}  // namespace

bool Parser::is_query_start(std::size_t count) {
  const Token& token = in_.ahead(count);
  if (token.kind != TokenKind::kWord) return false;
  return token.word == Word("SELECT") || token.word == Word("WITH") ||
         token.word == Word("VALUES") || token.word == Word("TABLE");
}

bool Parser::is_query_continuation() {
  return in_.is_one_of({"UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"});
}

QueryPtr Parser::query() {
  const Nesting nesting(*this);
  const std::size_t begin = in_.peek().range.begin;
  if (!in_.is("WITH")) {
    QueryPtr result = query_from(query_operand());
    result->range = in_.range_from(begin);
    return result;
  }
  auto head = std::make_unique<ast::Query>();
  with_clause(*head);
  QueryPtr result = query_from(query_operand());
  // WITH a AS (..) (WITH b AS (..) SELECT ..): the inner names are the inner query's own.
  if (!result->with.empty()) {
    auto nested = std::make_unique<ast::NestedQuery>();
    nested->range = result->range;
    nested->query = std::move(result);
    result = body_query(std::move(nested));
  }
  result->with = std::move(head->with);
  result->recursive = head->recursive;
  result->range = in_.range_from(begin);
  return result;
}

void Parser::with_clause(ast::Query& query) {
  in_.expect("WITH");
  query.recursive = in_.accept("RECURSIVE");
  do {
    ast::CommonTableExpression table;
    table.name = name("a name for the query");
    if (in_.is(TokenKind::kLeftParen)) table.columns = name_list("a column name");
    in_.expect("AS");
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    table.query = this->query();
    in_.expect_close(open.range);
    query.with.push_back(std::move(table));
  } while (in_.accept(TokenKind::kComma));
}

QueryPtr Parser::query_from(QueryPtr first) {
  QueryPtr result = set_operations(std::move(first));
  order_and_limit(result);
  return result;
}

QueryPtr Parser::set_operations(QueryPtr left) {
  left = intersections(std::move(left));
  ast::SetOperation* chain = nullptr;
  while (in_.is("UNION") || in_.is("EXCEPT")) {
    add_input(left, chain, in_.is("UNION") ? ast::SetOperator::kUnion : ast::SetOperator::kExcept);
  }
  return left;
}

// INTERSECT binds tighter than UNION and EXCEPT.
QueryPtr Parser::intersections(QueryPtr left) {
  ast::SetOperation* chain = nullptr;
  while (in_.is("INTERSECT")) add_input(left, chain, ast::SetOperator::kIntersect);
  return left;
}

// Takes the operator and its right side. `chain` is the node that this loop made last: a run of the
// same operator becomes one node.
void Parser::add_input(QueryPtr& left, ast::SetOperation*& chain, ast::SetOperator op) {
  in_.take();
  const bool all = in_.accept("ALL");
  if (!all) in_.accept("DISTINCT");
  const std::size_t begin = left->range.begin;
  const auto right = [&] {
    QueryPtr input = query_operand();
    return op == ast::SetOperator::kIntersect ? std::move(input) : intersections(std::move(input));
  };
  if (chain != nullptr && chain->op == op && chain->all == all) {
    chain->inputs.push_back(right());
    chain->range = in_.range_from(begin);
    left->range = chain->range;
    return;
  }
  auto node = std::make_unique<ast::SetOperation>();
  node->op = op;
  node->all = all;
  node->inputs.push_back(std::move(left));
  node->inputs.push_back(right());
  node->range = in_.range_from(begin);
  chain = node.get();
  left = body_query(std::move(node));
  wrap();
}

void Parser::order_and_limit(QueryPtr& query) {
  if (!in_.is_one_of({"ORDER", "LIMIT", "OFFSET", "FETCH"})) return;
  if (is_finished(*query)) {
    auto nested = std::make_unique<ast::NestedQuery>();
    nested->range = query->range;
    nested->query = std::move(query);
    query = body_query(std::move(nested));
    wrap();
  }
  if (in_.accept("ORDER")) {
    in_.expect("BY");
    query->order_by = order_by();
  }
  // LIMIT n [OFFSET m], OFFSET m [LIMIT n], OFFSET m [ROWS] [FETCH ..].
  for (bool more = true; more && !in_.failed();) {
    more = false;
    if (query->offset == nullptr && in_.accept("OFFSET")) {
      query->offset = expression();
      if (!in_.accept("ROWS")) in_.accept("ROW");
      more = true;
    }
    if (query->limit == nullptr && in_.accept("LIMIT")) {
      // LIMIT ALL is no limit; LIMIT start, count is not the reference's.
      if (!in_.accept("ALL")) query->limit = expression();
      more = query->limit != nullptr;
    } else if (query->limit == nullptr && in_.accept("FETCH")) {
      if (!in_.accept("FIRST")) in_.expect("NEXT");
      query->limit = expression();
      if (!in_.accept("ROWS")) in_.expect("ROW");
      in_.expect("ONLY");
      more = true;
    }
  }
  query->range = in_.range_from(query->range.begin);
}

QueryPtr Parser::body_query(ast::QueryBodyPtr body) {
  auto query = std::make_unique<ast::Query>();
  query->range = body->range;
  query->body = std::move(body);
  return query;
}

// SELECT, VALUES, TABLE t, or a query in parentheses.
QueryPtr Parser::query_operand() {
  const Token first = in_.peek();
  if (in_.is("SELECT")) return body_query(select());
  if (in_.is("VALUES")) return body_query(values());
  if (in_.accept("TABLE")) {
    auto table = std::make_unique<ast::ExplicitTable>();
    table->name = object_name("a table name");
    return body_query(finish(std::move(table), first.range.begin));
  }
  if (in_.accept(TokenKind::kLeftParen)) {
    QueryPtr inner = query();
    in_.expect_close(first.range);
    return inner;
  }
  in_.fail_expected("a query (SELECT, VALUES, WITH or '(')");
  return body_query(std::make_unique<ast::Values>());
}

ast::QueryBodyPtr Parser::values() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Values>();
  do {
    ast::ExpressionPtr row = expression();
    node->row_ranges.push_back(row->range);
    auto* tuple =
        row->kind == ast::ExpressionKind::kConstructor ? &row->as<ast::Constructor>() : nullptr;
    const bool is_row =
        tuple != nullptr && (tuple->constructor == ast::ConstructorKind::kImplicitRow ||
                             tuple->constructor == ast::ConstructorKind::kRow);
    if (is_row) {
      node->rows.push_back(std::move(tuple->elements));
    } else {
      node->rows.emplace_back().push_back(std::move(row));
    }
  } while (in_.accept(TokenKind::kComma));
  return finish(std::move(node), begin);
}

ast::QueryBodyPtr Parser::select() {
  const std::size_t begin = in_.take().range.begin;
  auto node = std::make_unique<ast::Select>();
  node->hints = hints();
  node->stream = in_.accept("STREAM");
  node->distinct = in_.accept("DISTINCT");
  if (!node->distinct) in_.accept("ALL");
  do {
    node->items.push_back(select_item());
  } while (in_.accept(TokenKind::kComma));
  if (!in_.accept("FROM")) return finish(std::move(node), begin);
  node->from = from();
  if (in_.accept("WHERE")) node->where = expression();
  if (in_.accept("GROUP")) group_by(*node);
  if (in_.accept("HAVING")) node->having = expression();
  if (in_.accept("WINDOW")) named_windows(*node);
  if (in_.accept("QUALIFY")) node->qualify = expression();
  return finish(std::move(node), begin);
}

ast::SelectItem Parser::select_item() {
  ast::SelectItem item;
  const std::size_t begin = in_.peek().range.begin;
  // *, t.*, db.t.*.
  std::size_t star = 0;
  while (is_name(star) && in_.is_ahead(star + 1, TokenKind::kDot)) star += 2;
  if (in_.is_ahead(star, TokenKind::kStar)) {
    auto node = std::make_unique<ast::Star>();
    for (std::size_t i = 0; i < star; i += 2) {
      node->qualifier.push_back(take_name());
      in_.take();
    }
    in_.take();
    item.value = finish(std::move(node), begin);
  } else {
    item.value = expression();
    item.alias = alias();
  }
  item.range = in_.range_from(begin);
  return item;
}

// [AS] name.
std::optional<ast::Identifier> Parser::alias() {
  if (in_.accept("AS")) return name("a name for the column");
  if (!is_name()) return std::nullopt;
  ast::Identifier result = take_name();
  in_.note_implicit_alias(result.range);
  return result;
}

void Parser::group_by(ast::Select& select) {
  in_.expect("BY");
  select.has_group_by = true;
  select.group_distinct = in_.accept("DISTINCT");
  if (!select.group_distinct) in_.accept("ALL");
  do {
    select.group_by.push_back(grouping_element());
  } while (in_.accept(TokenKind::kComma));
}

ast::GroupingElement Parser::grouping_element() {
  using ast::GroupingKind;
  const Nesting nesting(*this);
  ast::GroupingElement element;
  const std::size_t begin = in_.peek().range.begin;
  const bool sets = in_.is_sequence({"GROUPING", "SETS"});
  if (sets || in_.is("ROLLUP") || in_.is("CUBE")) {
    element.kind = sets               ? GroupingKind::kSets
                   : in_.is("ROLLUP") ? GroupingKind::kRollup
                                      : GroupingKind::kCube;
    in_.take();
    if (sets) in_.take();
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    do {
      element.elements.push_back(grouping_element());
    } while (in_.accept(TokenKind::kComma));
    in_.expect_close(open.range);
  } else if (in_.is(TokenKind::kLeftParen) && in_.is_ahead(1, TokenKind::kRightParen)) {
    in_.take();
    in_.take();
    element.kind = GroupingKind::kEmpty;
  } else {
    ast::ExpressionPtr value = expression();
    auto* row =
        value->kind == ast::ExpressionKind::kConstructor ? &value->as<ast::Constructor>() : nullptr;
    if (row != nullptr && row->constructor == ast::ConstructorKind::kImplicitRow) {
      element.kind = GroupingKind::kTuple;
      element.expressions = std::move(row->elements);
    } else {
      element.expressions.push_back(std::move(value));
    }
  }
  element.range = in_.range_from(begin);
  return element;
}

void Parser::named_windows(ast::Select& select) {
  do {
    ast::NamedWindow window;
    window.name = name("a window name");
    in_.expect("AS");
    window.window = window_specification();
    select.windows.push_back(std::move(window));
  } while (in_.accept(TokenKind::kComma));
}

}  // namespace clepsydra::grammar
