#include <utility>

#include "base/check.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {

Result<Lowering::Lowered> lower_collect(const PlanPtr& node, Lowering& lowering) {
  const auto& collect = node->as<CollectNode>();
  CLP_ASSIGN_OR_RETURN(const Lowering::Lowered input, lowering.lower(collect.input()));
  OperatorSpec spec;
  spec.kind = "collect_sink";
  spec.uid = "collect_sink";
  spec.name = "Collect";
  spec.inputs = {collect.input()->schema};
  spec.options = ValueTree::map();
  spec.options.set("result", collect.result_name);
  // Rows are shown in the order in which they arrive at the one subtask.
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), 1, input, {})}};
}

}  // namespace clepsydra::sql
