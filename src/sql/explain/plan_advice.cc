#include <fmt/format.h>

#include <set>

#include "sql/explain/explain.h"

namespace clepsydra::sql {
namespace {

// The aggregations in one phase, over rows that cross the network one by one.
void count_single_phase(const PlanNode& node, std::set<const PlanNode*>& seen, int& found) {
  if (!seen.insert(&node).second) return;
  const auto* aggregate = node.as_if<WindowAggregateNode>();
  if (aggregate != nullptr && aggregate->phase == AggregatePhase::kSingle &&
      !aggregate->window.processing_time) {
    ++found;
  }
  for (const PlanPtr& input : node.inputs) count_single_phase(*input, seen, found);
}

}  // namespace

std::string plan_advice(const PlanRoots& roots, int parallelism) {
  std::set<const PlanNode*> seen;
  int single = 0;
  for (const PlanPtr& root : roots) count_single_phase(*root, seen, single);
  if (single == 0 || parallelism == 1) return "No available advice...\n";
  return fmt::format(
      "advice[1]: [ADVICE] {} aggregation{} in one phase: all rows cross the network. You might "
      "want to "
      "enable local-global two-phase optimization by configuring "
      "('table.optimizer.agg-phase-strategy' to "
      "'AUTO'); DISTINCT and functions that depend on the order of rows stay in one phase.\n",
      single, single == 1 ? " is" : "s are");
}

}  // namespace clepsydra::sql
