#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sql/logical/expression_rewrite.h"
#include "sql/logical/plan_digest.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

// A single chain of nodes has no two equal parts.
bool is_chain(const PlanRoots& roots) {
  if (roots.size() > 1) return false;
  const PlanNode* node = roots[0].get();
  while (node->inputs.size() == 1) node = node->inputs[0].get();
  return node->inputs.empty();
}

// RAND() drawn in two places is drawn twice.
bool is_deterministic(const PlanNode& node, const FunctionRegistry& functions) {
  if (const auto* project = node.as_if<ProjectNode>()) {
    return std::all_of(project->expressions.begin(), project->expressions.end(),
                       [&](const ExpressionPtr& e) { return functions.is_deterministic(*e); });
  }
  if (const auto* filter = node.as_if<FilterNode>())
    return functions.is_deterministic(*filter->condition);
  return true;
}

// Scan, its computed columns and its watermark: what becomes one source.
bool is_source_part(const PlanNode& node) {
  switch (node.kind) {
    case PlanKind::kScan:
    case PlanKind::kWatermark:
      return true;
    case PlanKind::kProject:
      return node.input()->kind == PlanKind::kScan;
    default:
      return false;
  }
}

}  // namespace

Result<PlanRoots> reuse_plans(const PlanRoots& roots, const BindEnvironment& environment) {
  if (!environment.settings.reuse_sub_plans || is_chain(roots)) return roots;
  std::unordered_map<std::string, PlanPtr> known;
  return rewrite_bottom_up(roots, [&](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> {
    if (node->kind == PlanKind::kSink || node->kind == PlanKind::kCollect ||
        node->kind == PlanKind::kValues) {
      return node;
    }
    if (is_source_part(*node) ? !environment.settings.reuse_sources
                              : !is_deterministic(*node, environment.functions)) {
      return node;
    }
    std::string key = node_digest(*node);
    for (const PlanPtr& input : node->inputs) {
      key += fmt::format("|{}", static_cast<const void*>(input.get()));
    }
    return known.emplace(std::move(key), node).first->second;
  });
}

}  // namespace clepsydra::sql
