// Operators, by precedence climbing: expression(p) reads operators that bind at least as tightly as
// p.
#include <array>
#include <optional>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::ExpressionPtr;
using ast::Operator;

struct SymbolOperator {
  TokenKind kind;
  Operator op;
  int precedence;
};

constexpr std::array<SymbolOperator, 12> kSymbolOperators{{
    {TokenKind::kEqual, Operator::kEqual, kComparisonPrecedence},
    {TokenKind::kNotEqual, Operator::kNotEqual, kComparisonPrecedence},
    {TokenKind::kLess, Operator::kLess, kComparisonPrecedence},
    {TokenKind::kLessOrEqual, Operator::kLessOrEqual, kComparisonPrecedence},
    {TokenKind::kGreater, Operator::kGreater, kComparisonPrecedence},
    {TokenKind::kGreaterOrEqual, Operator::kGreaterOrEqual, kComparisonPrecedence},
    {TokenKind::kPlus, Operator::kAdd, kAdditivePrecedence},
    {TokenKind::kMinus, Operator::kSubtract, kAdditivePrecedence},
    {TokenKind::kStar, Operator::kMultiply, kMultiplicativePrecedence},
    {TokenKind::kSlash, Operator::kDivide, kMultiplicativePrecedence},
    {TokenKind::kPercent, Operator::kModulo, kMultiplicativePrecedence},
    {TokenKind::kConcat, Operator::kConcat, kMultiplicativePrecedence},
}};

struct WordOperator {
  std::array<Word, 2> words;  // The second may be none.
  Operator op;
};

// Comparisons of periods and collections that are words.
constexpr std::array<WordOperator, 9> kWordComparisons{{
    {{"OVERLAPS", Word()}, Operator::kOverlaps},
    {{"CONTAINS", Word()}, Operator::kContains},
    {{"EQUALS", Word()}, Operator::kPeriodEquals},
    {{"PRECEDES", Word()}, Operator::kPrecedes},
    {{"IMMEDIATELY", "PRECEDES"}, Operator::kImmediatelyPrecedes},
    {{"SUCCEEDS", Word()}, Operator::kSucceeds},
    {{"IMMEDIATELY", "SUCCEEDS"}, Operator::kImmediatelySucceeds},
    {{"MEMBER", "OF"}, Operator::kMemberOf},
    {{"SUBMULTISET", "OF"}, Operator::kSubmultisetOf},
}};

ExpressionPtr make_unary(Operator op, ast::SourceRange op_range, ExpressionPtr operand,
                         ast::SourceRange range) {
  auto node = std::make_unique<ast::Operation>();
  node->op = op;
  node->op_range = op_range;
  node->operands.push_back(std::move(operand));
  node->range = range;
  return node;
}

bool is_plain_comparison(Operator op) {
  return op >= Operator::kEqual && op <= Operator::kGreaterOrEqual;
}

}  // namespace

ExpressionPtr Parser::expression(int min_precedence) {
  const Nesting nesting(*this);
  return continued(prefix(), min_precedence);
}

ExpressionPtr Parser::continued(ExpressionPtr left, int min_precedence) {
  ast::Operation* chain = nullptr;  // The AND or OR that this loop is adding operands to.
  while (!in_.failed() && infix(left, min_precedence, chain)) {
  }
  return left;
}

ExpressionPtr Parser::prefix() {
  const Token token = in_.peek();
  if (in_.accept("NOT")) {
    ExpressionPtr value = expression(kNotPrecedence);
    return make_unary(Operator::kNot, token.range, std::move(value),
                      in_.range_from(token.range.begin));
  }
  if (in_.accept(TokenKind::kMinus) || in_.accept(TokenKind::kPlus)) {
    const Operator op = token.kind == TokenKind::kMinus ? Operator::kMinus : Operator::kPlus;
    ExpressionPtr value = expression(kUnaryPrecedence);
    return make_unary(op, token.range, std::move(value), in_.range_from(token.range.begin));
  }
  return operand();
}

// Takes one operator and what belongs to it, if it binds tightly enough.
bool Parser::infix(ExpressionPtr& left, int min_precedence, ast::Operation*& chain) {
  const Token token = in_.peek();
  for (const SymbolOperator& symbol : kSymbolOperators) {
    if (symbol.kind != token.kind) continue;
    if (symbol.precedence < min_precedence) return false;
    in_.take();
    if (is_plain_comparison(symbol.op) && in_.is_one_of({"ANY", "SOME", "ALL"})) {
      left = quantified(std::move(left), symbol.op);
      wrap();
    } else {
      binary(left, symbol.op, token.range, symbol.precedence + 1);
    }
    return true;
  }
  if (token.kind != TokenKind::kWord || token.word.is_none()) return false;

  const bool is_or = token.word == Word("OR");
  if (is_or || token.word == Word("AND")) {
    const Operator op = is_or ? Operator::kOr : Operator::kAnd;
    const int precedence = is_or ? kOrPrecedence : kAndPrecedence;
    if (precedence < min_precedence) return false;
    in_.take();
    if (chain != nullptr && chain == left.get() && chain->op == op) {
      chain->operands.push_back(expression(precedence + 1));
      chain->range = in_.range_from(chain->range.begin);
    } else {
      binary(left, op, token.range, precedence + 1);
      chain = &left->as<ast::Operation>();
    }
    return true;
  }
  if (token.word == Word("IS")) {
    if (kIsPrecedence < min_precedence) return false;
    is_test(left);
    return true;
  }
  if (token.word == Word("MULTISET")) {
    const bool intersect = in_.is_ahead(1, "INTERSECT");
    if (!intersect && !in_.is_ahead(1, "UNION") && !in_.is_ahead(1, "EXCEPT")) return false;
    if ((intersect ? kMultisetIntersectPrecedence : kMultisetUnionPrecedence) < min_precedence) {
      return false;
    }
    multiset_operator(left);
    return true;
  }
  for (const WordOperator& comparison : kWordComparisons) {
    const auto [first, second] = comparison.words;
    if (token.word != first || (!second.is_none() && !in_.is_ahead(1, second))) continue;
    if (kComparisonPrecedence < min_precedence) return false;
    in_.take();
    if (!second.is_none()) in_.take();
    binary(left, comparison.op, in_.range_from(token.range.begin), kComparisonPrecedence + 1);
    return true;
  }
  return kBetweenPrecedence >= min_precedence && negatable(left, min_precedence);
}

// BETWEEN, IN, LIKE, SIMILAR TO, and each of them behind NOT.
bool Parser::negatable(ExpressionPtr& left, int min_precedence) {
  const std::size_t skip = in_.is("NOT") ? 1 : 0;
  const auto stands = [&](Word word) { return in_.is_ahead(skip, word); };
  const bool submultiset = skip == 1 && stands("SUBMULTISET");
  if (submultiset && kComparisonPrecedence < min_precedence) return false;
  if (!submultiset && !stands("BETWEEN") && !stands("IN") && !stands("LIKE") &&
      !stands("SIMILAR")) {
    return false;
  }
  const Token first = in_.peek();
  if (skip == 1) in_.take();
  const bool negated = skip == 1;
  if (submultiset) {
    in_.take();
    in_.expect("OF");
    binary(left, Operator::kNotSubmultisetOf, in_.range_from(first.range.begin),
           kComparisonPrecedence + 1);
    return true;
  }
  if (in_.accept("BETWEEN")) {
    left = between(std::move(left), negated);
  } else if (in_.accept("IN")) {
    left = in(std::move(left), negated);
  } else {
    left = like(std::move(left), negated);
  }
  wrap();
  return true;
}

void Parser::binary(ExpressionPtr& left, Operator op, ast::SourceRange op_range, int right) {
  auto node = std::make_unique<ast::Operation>();
  node->op = op;
  node->op_range = op_range;
  const std::size_t begin = left->range.begin;
  node->operands.push_back(std::move(left));
  node->operands.push_back(expression(right));
  node->range = in_.range_from(begin);
  left = std::move(node);
  wrap();
}

void Parser::is_test(ExpressionPtr& left) {
  const Token first = in_.take();
  const bool negated = in_.accept("NOT");
  const auto choose = [negated](Operator plain, Operator inverse) {
    return negated ? inverse : plain;
  };
  std::optional<Operator> op;
  if (in_.accept("NULL")) {
    op = choose(Operator::kIsNull, Operator::kIsNotNull);
  } else if (in_.accept("TRUE")) {
    op = choose(Operator::kIsTrue, Operator::kIsNotTrue);
  } else if (in_.accept("FALSE")) {
    op = choose(Operator::kIsFalse, Operator::kIsNotFalse);
  } else if (in_.accept("UNKNOWN")) {
    op = choose(Operator::kIsUnknown, Operator::kIsNotUnknown);
  } else if (in_.accept("DISTINCT")) {
    in_.expect("FROM");
    binary(left, choose(Operator::kIsDistinctFrom, Operator::kIsNotDistinctFrom),
           in_.range_from(first.range.begin), kComparisonPrecedence + 1);
    return;
  } else if (in_.accept("JSON")) {
    op = in_.accept("OBJECT")   ? choose(Operator::kIsJsonObject, Operator::kIsNotJsonObject)
         : in_.accept("ARRAY")  ? choose(Operator::kIsJsonArray, Operator::kIsNotJsonArray)
         : in_.accept("SCALAR") ? choose(Operator::kIsJsonScalar, Operator::kIsNotJsonScalar)
                                : choose(Operator::kIsJsonValue, Operator::kIsNotJsonValue);
    if (*op == Operator::kIsJsonValue || *op == Operator::kIsNotJsonValue) in_.accept("VALUE");
  } else if (in_.accept_sequence({"A", "SET"})) {
    op = choose(Operator::kIsASet, Operator::kIsNotASet);
  } else if (in_.accept("EMPTY")) {
    op = choose(Operator::kIsEmpty, Operator::kIsNotEmpty);
  } else {
    in_.fail_expected("NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON after IS");
    return;
  }
  const ast::SourceRange range = in_.range_from(left->range.begin);
  left = make_unary(*op, in_.range_from(first.range.begin), std::move(left), range);
  wrap();
}

void Parser::multiset_operator(ExpressionPtr& left) {
  const Token first = in_.take();
  const Token kind = in_.take();
  const bool all = in_.accept("ALL");
  if (!all) in_.accept("DISTINCT");
  const bool intersect = kind.word == Word("INTERSECT");
  Operator op = all ? Operator::kMultisetUnionAll : Operator::kMultisetUnion;
  if (intersect) op = all ? Operator::kMultisetIntersectAll : Operator::kMultisetIntersect;
  if (kind.word == Word("EXCEPT")) {
    op = all ? Operator::kMultisetExceptAll : Operator::kMultisetExcept;
  }
  binary(left, op, in_.range_from(first.range.begin),
         (intersect ? kMultisetIntersectPrecedence : kMultisetUnionPrecedence) + 1);
}

ExpressionPtr Parser::between(ExpressionPtr value, bool negated) {
  auto node = std::make_unique<ast::Between>();
  node->negated = negated;
  node->symmetric = in_.accept("SYMMETRIC");
  if (!node->symmetric) in_.accept("ASYMMETRIC");
  const std::size_t begin = value->range.begin;
  node->value = std::move(value);
  node->low = expression(kBetweenPrecedence + 1);
  in_.expect("AND");
  node->high = expression(kBetweenPrecedence + 1);
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::in(ExpressionPtr value, bool negated) {
  const std::size_t begin = value->range.begin;
  const Token open = in_.peek();
  if (!in_.is(TokenKind::kLeftParen)) {
    in_.fail_expected("'(' with a list or query after IN");
    return value;
  }
  in_.take();
  if (is_query_start()) {
    auto node = std::make_unique<ast::InQuery>();
    node->negated = negated;
    node->value = std::move(value);
    node->query = query();
    in_.expect_close(open.range);
    return finish(std::move(node), begin);
  }
  std::vector<ExpressionPtr> list = expression_list(TokenKind::kRightParen);
  in_.expect_close(open.range);
  // ((SELECT ...)): parentheses around the query alone.
  if (list.size() == 1 && list.front()->kind == ast::ExpressionKind::kScalarQuery) {
    auto node = std::make_unique<ast::InQuery>();
    node->negated = negated;
    node->value = std::move(value);
    node->query = std::move(list.front()->as<ast::ScalarQuery>().query);
    return finish(std::move(node), begin);
  }
  auto node = std::make_unique<ast::InList>();
  node->negated = negated;
  node->value = std::move(value);
  node->list = std::move(list);
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::like(ExpressionPtr value, bool negated) {
  auto node = std::make_unique<ast::Like>();
  node->negated = negated;
  if (in_.accept("SIMILAR")) {
    in_.expect("TO");
    node->similar = true;
  } else {
    in_.expect("LIKE");
  }
  const std::size_t begin = value->range.begin;
  node->value = std::move(value);
  node->pattern = expression(kBetweenPrecedence + 1);
  if (in_.accept("ESCAPE")) node->escape = expression(kBetweenPrecedence + 1);
  return finish(std::move(node), begin);
}

ExpressionPtr Parser::quantified(ExpressionPtr value, Operator op) {
  auto node = std::make_unique<ast::Quantified>();
  node->comparison = op;
  node->quantifier = in_.is("ALL") ? ast::Quantifier::kAll : ast::Quantifier::kAny;
  in_.take();
  const std::size_t begin = value->range.begin;
  node->value = std::move(value);
  const Token open = in_.peek();
  in_.expect(TokenKind::kLeftParen);
  if (is_query_start()) {
    node->query = query();
  } else {
    node->list = expression_list(TokenKind::kRightParen);
  }
  in_.expect_close(open.range);
  return finish(std::move(node), begin);
}

}  // namespace clepsydra::grammar
