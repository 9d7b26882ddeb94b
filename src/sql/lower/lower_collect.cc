#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {
namespace {

// Columns whose type promises that there is no NULL: one that overflows breaks the promise.
std::vector<int> columns_to_check(const Schema& schema) {
  std::vector<int> columns;
  for (int i = 0; i < schema.size(); ++i) {
    if (!schema.field(i).type.nullable()) columns.push_back(i);
  }
  return columns;
}

}  // namespace

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
  if (lowering.environment().settings.not_null_enforcer == NotNullEnforcer::kError) {
    spec.options.set("not_null", lower_integers(columns_to_check(*collect.schema)));
  }
  // Rows are shown in the order in which they arrive at the one subtask.
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), 1, input, {})}};
}

}  // namespace clepsydra::sql
