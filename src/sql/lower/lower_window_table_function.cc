#include <utility>

#include "base/check.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {

Result<Lowering::Lowered> lower_window_table_function(const PlanPtr& node, Lowering& lowering) {
  const auto& window = node->as<WindowTableFunctionNode>();
  CLP_ASSIGN_OR_RETURN(const Lowering::Lowered input, lowering.lower(window.input()));
  OperatorSpec spec;
  spec.kind = "window_table_function";
  spec.name = "WindowTableFunction";
  spec.inputs = {window.input()->schema};
  spec.output = node->schema;
  spec.options = ValueTree::map();
  spec.options.set("window", lower_window(window.window));
  spec.options.set("time_column", window.time_column);
  const int parallelism = lowering.parallelism_of(input);
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), parallelism, input, {})}};
}

}  // namespace clepsydra::sql
