#include "sql/logical/expression_rewrite.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra::sql {
namespace {

// Rebuilds the tree with every column replaced by leaf(column); unchanged parts are shared.
template <typename Leaf>
ExpressionPtr rebuild(const ExpressionPtr& expression, const Leaf& leaf) {
  switch (expression->kind()) {
    case Expression::Kind::kColumn:
      return leaf(expression);
    case Expression::Kind::kLiteral:
      return expression;
    case Expression::Kind::kCall:
      break;
  }
  std::vector<ExpressionPtr> arguments;
  arguments.reserve(expression->arguments().size());
  bool changed = false;
  for (const ExpressionPtr& argument : expression->arguments()) {
    arguments.push_back(rebuild(argument, leaf));
    changed |= arguments.back() != argument;
  }
  if (!changed) return expression;
  return Expression::call(expression->name(), std::move(arguments), expression->type());
}

void collect_conjuncts(const ExpressionPtr& condition, std::vector<ExpressionPtr>& out) {
  if (condition->kind() == Expression::Kind::kCall && condition->name() == "AND") {
    for (const ExpressionPtr& argument : condition->arguments()) collect_conjuncts(argument, out);
  } else {
    out.push_back(condition);
  }
}

// More than so many stand in calls of so many: a tree of pairs would be most of a long statement.
constexpr std::size_t kFlatConjunctsMin = 64;

ExpressionPtr flat_conjunction(std::vector<ExpressionPtr> conjuncts) {
  if (conjuncts.size() == 1) return conjuncts[0];
  const bool nullable =
      std::any_of(conjuncts.begin(), conjuncts.end(),
                  [](const ExpressionPtr& conjunct) { return conjunct->type().nullable(); });
  return Expression::call("AND", std::move(conjuncts), DataType::boolean().with_nullable(nullable));
}

}  // namespace

ExpressionPtr substitute(const ExpressionPtr& expression,
                         std::span<const ExpressionPtr> replacements) {
  return rebuild(expression, [&](const ExpressionPtr& column) {
    const auto index = static_cast<std::size_t>(column->column_index());
    CLP_CHECK(index < replacements.size());
    return replacements[index];
  });
}

ExpressionPtr remap_columns(const ExpressionPtr& expression, std::span<const int> columns) {
  return rebuild(expression, [&](const ExpressionPtr& column) {
    const auto index = static_cast<std::size_t>(column->column_index());
    CLP_CHECK(index < columns.size() && columns[index] >= 0);
    if (columns[index] == column->column_index()) return column;
    return Expression::column(columns[index], column->type(), column->name());
  });
}

void for_each_column(const Expression& expression, const std::function<void(int)>& visit) {
  if (expression.kind() == Expression::Kind::kColumn) visit(expression.column_index());
  for (const ExpressionPtr& argument : expression.arguments()) for_each_column(*argument, visit);
}

bool has_columns(const Expression& expression) {
  if (expression.kind() == Expression::Kind::kColumn) return true;
  return std::any_of(expression.arguments().begin(), expression.arguments().end(),
                     [](const ExpressionPtr& argument) { return has_columns(*argument); });
}

int count_nodes(const Expression& expression, int limit) {
  int count = 1;
  for (const ExpressionPtr& argument : expression.arguments()) {
    if (count >= limit) break;
    count += count_nodes(*argument, limit - count);
  }
  return count;
}

int depth_of(const Expression& expression) {
  int depth = 0;
  for (const ExpressionPtr& argument : expression.arguments()) {
    depth = std::max(depth, depth_of(*argument));
  }
  return depth + 1;
}

std::vector<ExpressionPtr> split_conjunction(const ExpressionPtr& condition) {
  std::vector<ExpressionPtr> conjuncts;
  collect_conjuncts(condition, conjuncts);
  return conjuncts;
}

ExpressionPtr make_conjunction(std::span<const ExpressionPtr> conjuncts) {
  if (conjuncts.empty()) return nullptr;
  if (conjuncts.size() == 1) return conjuncts[0];
  if (conjuncts.size() > kFlatConjunctsMin) {
    std::vector<ExpressionPtr> groups;
    while (!conjuncts.empty()) {
      const auto group = conjuncts.first(std::min(kFlatConjunctsMin, conjuncts.size()));
      conjuncts = conjuncts.subspan(group.size());
      groups.push_back(flat_conjunction({group.begin(), group.end()}));
    }
    return make_conjunction(groups);
  }
  const std::size_t half = conjuncts.size() / 2;
  ExpressionPtr left = make_conjunction(conjuncts.first(half));
  ExpressionPtr right = make_conjunction(conjuncts.subspan(half));
  const bool nullable = left->type().nullable() || right->type().nullable();
  return Expression::call("AND", {std::move(left), std::move(right)},
                          DataType::boolean().with_nullable(nullable));
}

}  // namespace clepsydra::sql
