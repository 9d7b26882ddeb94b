#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

constexpr int kProjectionNodesMax = 2000;
constexpr int kDepthMax = 60;

bool names_equal(const Schema& a, const Schema& b) {
  if (a.size() != b.size()) return false;
  for (int i = 0; i < a.size(); ++i) {
    if (a.field(i).name != b.field(i).name) return false;
  }
  return true;
}

bool same_time_attributes(const Schema& a, const Schema& b) {
  for (int i = 0; i < a.size(); ++i) {
    if (a.field(i).type.time_attribute() != b.field(i).type.time_attribute()) return false;
  }
  return true;
}

// Whether each expression of `inner` that is not deterministic would still be computed at most
// once.
bool keeps_randomness(const ProjectNode& outer, const ProjectNode& inner,
                      const FunctionRegistry& functions) {
  std::vector<int> uses(inner.expressions.size(), 0);
  for (const ExpressionPtr& expression : outer.expressions) {
    for_each_column(*expression, [&](int column) { ++uses[static_cast<std::size_t>(column)]; });
  }
  for (std::size_t i = 0; i < uses.size(); ++i) {
    if (uses[i] > 1 && !functions.is_deterministic(*inner.expressions[i])) return false;
  }
  return true;
}

// The node with other column names; null for kinds that get their names from elsewhere.
PlanPtr with_names(const PlanPtr& node, const Schema& names) {
  std::vector<Field> fields = node->schema->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) fields[i].name = names.fields()[i].name;
  if (const auto* values = node->as_if<ValuesNode>()) {
    return std::make_shared<ValuesNode>(make_schema(std::move(fields)), values->columns,
                                        values->rows);
  }
  if (node->kind == PlanKind::kUnionAll) {
    return std::make_shared<UnionAllNode>(node->inputs, make_schema(std::move(fields)));
  }
  return nullptr;
}

PlanPtr merge(const PlanPtr& node, const PlanPtr& input, const BindEnvironment& environment) {
  const auto& outer = node->as<ProjectNode>();
  const auto& inner = input->as<ProjectNode>();
  if (!keeps_randomness(outer, inner, environment.functions)) return nullptr;
  std::vector<ExpressionPtr> expressions;
  int nodes = 0;
  for (const ExpressionPtr& expression : outer.expressions) {
    expressions.push_back(substitute(expression, inner.expressions));
    nodes += count_nodes(*expressions.back(), kProjectionNodesMax);
    if (nodes >= kProjectionNodesMax && expressions.back() != expression) return nullptr;
    if (depth_of(*expressions.back()) > kDepthMax) return nullptr;
  }
  return std::make_shared<ProjectNode>(inner.input(), node->schema, std::move(expressions));
}

}  // namespace

Result<PlanRoots> merge_projections(const PlanRoots& roots, const BindEnvironment& environment) {
  const auto consumers = count_consumers(roots);
  const auto rule = [&](const PlanPtr& node, const PlanNode& original) -> Result<PlanPtr> {
    if (node->kind != PlanKind::kProject) return node;
    // What others read too is computed once for all of them, under the names that they know.
    const bool exclusive = consumers.at(original.input().get()) == 1;
    PlanPtr result = node;
    if (exclusive && node->input()->kind == PlanKind::kProject) {
      if (PlanPtr merged = merge(node, node->input(), environment)) result = std::move(merged);
    }
    const auto& project = result->as<ProjectNode>();
    if (!is_identity(project) || !same_time_attributes(*project.schema, *project.input()->schema)) {
      return result;
    }
    if (names_equal(*project.schema, *project.input()->schema)) return project.input();
    if (exclusive && result == node) {
      if (PlanPtr renamed = with_names(project.input(), *project.schema)) return renamed;
    }
    return result;
  };
  return rewrite_bottom_up(roots, rule);
}

}  // namespace clepsydra::sql
