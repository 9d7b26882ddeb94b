#include <utility>

#include "base/check.h"
#include "sql/bind/expression_binder.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/optimize/rules.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

ExpressionPtr fold_inside(const ExpressionPtr& expression, const BindEnvironment& environment) {
  if (expression->kind() != Expression::Kind::kCall) return expression;
  if (!has_columns(*expression)) {
    Result<ExpressionPtr> folded = fold(expression, environment);
    // A division by zero that no row reaches is no error.
    if (folded.is_ok() && (*folded)->type().same_values(expression->type()))
      return *std::move(folded);
  }
  std::vector<ExpressionPtr> arguments;
  bool changed = false;
  for (const ExpressionPtr& argument : expression->arguments()) {
    arguments.push_back(fold_inside(argument, environment));
    changed |= arguments.back() != argument;
  }
  if (!changed) return expression;
  return Expression::call(expression->name(), std::move(arguments), expression->type());
}

bool is_true(const Expression& expression) {
  if (expression.kind() != Expression::Kind::kLiteral || expression.literal_value().is_null(0))
    return false;
  return expression.type().kind() == TypeKind::kBoolean &&
         expression.literal_value().values<std::uint8_t>()[0] != 0;
}

Result<PlanPtr> empty_values(const SchemaPtr& schema) {
  std::vector<Column> columns;
  for (const Field& field : schema->fields()) {
    ColumnBuilder builder(field.type, literal_pool());
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    columns.push_back(std::move(column));
  }
  return std::make_shared<ValuesNode>(schema, std::move(columns), 0);
}

Result<PlanPtr> fold_filter(const PlanPtr& node, const BindEnvironment& environment) {
  const auto& filter = node->as<FilterNode>();
  std::vector<ExpressionPtr> kept;
  for (const ExpressionPtr& conjunct : split_conjunction(filter.condition)) {
    ExpressionPtr folded = fold_inside(conjunct, environment);
    if (is_true(*folded)) continue;
    if (folded->kind() == Expression::Kind::kLiteral) return empty_values(node->schema);
    kept.push_back(std::move(folded));
  }
  if (kept.empty()) return node->input();
  return std::make_shared<FilterNode>(node->input(), make_conjunction(kept));
}

PlanPtr fold_project(const PlanPtr& node, const BindEnvironment& environment) {
  const auto& project = node->as<ProjectNode>();
  std::vector<ExpressionPtr> expressions;
  bool changed = false;
  for (const ExpressionPtr& expression : project.expressions) {
    expressions.push_back(fold_inside(expression, environment));
    changed |= expressions.back() != expression;
  }
  if (!changed) return node;
  return std::make_shared<ProjectNode>(node->input(), node->schema, std::move(expressions));
}

bool is_empty(const PlanNode& node) {
  return node.kind == PlanKind::kValues && node.as<ValuesNode>().rows == 0;
}

// What reads no rows emits none. Sinks stay: an empty INSERT is a job too.
Result<PlanPtr> propagate_emptiness(const PlanPtr& node) {
  switch (node->kind) {
    case PlanKind::kWatermark:
    case PlanKind::kFilter:
    case PlanKind::kProject:
    case PlanKind::kWindowTableFunction:
    case PlanKind::kAggregate:  // By window: no rows, no window.
    case PlanKind::kWindowAggregate:
      return is_empty(*node->input()) ? empty_values(node->schema) : Result<PlanPtr>(node);
    case PlanKind::kUnionAll:
      break;
    case PlanKind::kScan:
    case PlanKind::kValues:
    case PlanKind::kSink:
    case PlanKind::kCollect:
      return node;
  }
  std::vector<PlanPtr> inputs;
  for (const PlanPtr& input : node->inputs) {
    if (!is_empty(*input)) inputs.push_back(input);
  }
  if (inputs.empty()) return empty_values(node->schema);
  return with_inputs(node, std::move(inputs));
}

}  // namespace

Result<PlanRoots> fold_plan_constants(const PlanRoots& roots, const BindEnvironment& environment) {
  const auto rule = [&](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> {
    CLP_ASSIGN_OR_RETURN(PlanPtr folded, propagate_emptiness(node));
    if (folded->kind == PlanKind::kFilter) return fold_filter(folded, environment);
    if (folded->kind == PlanKind::kProject) return fold_project(folded, environment);
    return folded;
  };
  return rewrite_bottom_up(roots, rule);
}

}  // namespace clepsydra::sql
