#include <algorithm>
#include <utility>

#include "base/check.h"
#include "functions/aggregate_function.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

// Partial aggregates are merged in any order; LISTAGG and the like depend on the order of rows.
Result<bool> can_split(const WindowAggregateNode& node) {
  for (const AggregateCall& call : node.calls) {
    std::vector<DataType> types;
    for (const int argument : call.arguments)
      types.push_back(node.input()->schema->field(argument).type);
    CLP_ASSIGN_OR_RETURN(const AggregateFunctionPtr function,
                         make_aggregate(call.function, types, call.type, call.distinct));
    if (function->is_order_sensitive() || call.distinct) return false;
  }
  return true;
}

}  // namespace

Result<PlanRoots> choose_aggregate_phases(const PlanRoots& roots,
                                          const BindEnvironment& environment) {
  const AggregatePhaseStrategy strategy = environment.settings.aggregate_phase;
  // With one subtask there is no exchange that partial aggregates could make cheaper.
  if (strategy == AggregatePhaseStrategy::kOnePhase ||
      (strategy == AggregatePhaseStrategy::kAuto && environment.settings.parallelism == 1)) {
    return roots;
  }
  return rewrite_bottom_up(roots, [&](const PlanPtr& plan, const PlanNode&) -> Result<PlanPtr> {
    const auto* node = plan->as_if<WindowAggregateNode>();
    if (node == nullptr || node->window.processing_time) return plan;
    CLP_ASSIGN_OR_RETURN(const bool splittable, can_split(*node));
    if (!splittable) return plan;
    auto split = std::make_shared<WindowAggregateNode>(node->input(), node->schema, node->window,
                                                       node->time_column, node->keys, node->calls,
                                                       node->bounds, AggregatePhase::kTwoPhase);
    split->identity = node->identity;
    return split;
  });
}

}  // namespace clepsydra::sql
