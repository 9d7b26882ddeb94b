#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

enum class Reads { kNothing, kInput, kBounds };

// What an expression above a window function reads of it.
Reads reads_of(const Expression& expression, int input_columns) {
  Reads reads = Reads::kNothing;
  for_each_column(expression, [&](int column) {
    if (column >= input_columns) {
      reads = Reads::kBounds;
    } else if (reads == Reads::kNothing) {
      reads = Reads::kInput;
    }
  });
  return reads;
}

// Project(exprs) over W(input) becomes Project(plain columns) over W(Project(input columns +
// exprs)).
PlanPtr push_below(const PlanPtr& node, const FunctionRegistry& functions) {
  const auto& project = node->as<ProjectNode>();
  const auto& window = node->input()->as<WindowTableFunctionNode>();
  const PlanPtr& input = window.input();
  const int input_columns = input->schema->size();
  std::vector<ExpressionPtr> below;
  std::vector<Field> fields = input->schema->fields();
  for (int i = 0; i < input_columns; ++i) below.push_back(column_of(*input, i));
  std::vector<int> moved(project.expressions.size(), -1);
  for (std::size_t i = 0; i < project.expressions.size(); ++i) {
    const ExpressionPtr& expression = project.expressions[i];
    if (expression->kind() != Expression::Kind::kCall ||
        reads_of(*expression, input_columns) != Reads::kInput ||
        !functions.is_deterministic(*expression)) {
      continue;
    }
    moved[i] = static_cast<int>(below.size());
    below.push_back(expression);
    fields.push_back({fmt::format("$w{}", i), expression->type(), {}});
  }
  const int added = static_cast<int>(below.size()) - input_columns;
  if (added == 0) return node;
  PlanPtr lower = std::make_shared<ProjectNode>(input, make_schema(fields), std::move(below));
  for (int bound = 0; bound < 3; ++bound)
    fields.push_back(window.schema->field(input_columns + bound));
  PlanPtr above = std::make_shared<WindowTableFunctionNode>(
      std::move(lower), make_schema(std::move(fields)), window.window, window.time_column);
  std::vector<int> shifted;
  for (int i = 0; i < input_columns; ++i) shifted.push_back(i);
  for (int bound = 0; bound < 3; ++bound) shifted.push_back(input_columns + added + bound);
  std::vector<ExpressionPtr> expressions;
  for (std::size_t i = 0; i < project.expressions.size(); ++i) {
    expressions.push_back(moved[i] >= 0 ? column_of(*above, moved[i])
                                        : remap_columns(project.expressions[i], shifted));
  }
  return std::make_shared<ProjectNode>(std::move(above), node->schema, std::move(expressions));
}

}  // namespace

Result<PlanRoots> push_projections_below_windows(const PlanRoots& roots,
                                                 const BindEnvironment& environment) {
  return rewrite_bottom_up(roots, [&](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> {
    if (node->kind != PlanKind::kProject || node->input()->kind != PlanKind::kWindowTableFunction) {
      return node;
    }
    return push_below(node, environment.functions);
  });
}

}  // namespace clepsydra::sql
