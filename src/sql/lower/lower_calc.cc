// Filter and projection: one calc operator for both where they stand together.
#include <utility>

#include "base/check.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {

Result<Lowering::Lowered> lower_calc(const PlanPtr& node, Lowering& lowering) {
  OperatorSpec spec;
  spec.kind = "calc";
  spec.name = "Calc";
  spec.output = node->schema;
  spec.options = ValueTree::map();
  PlanPtr input = node;
  if (const auto* project = node->as_if<ProjectNode>()) {
    CLP_ASSIGN_OR_RETURN(ValueTree projection, lower_expressions(project->expressions));
    spec.options.set("projection", std::move(projection));
    input = project->input();
  }
  // A filter that others read too is computed for all of them at once.
  if (const auto* filter = input->as_if<FilterNode>();
      filter != nullptr && !lowering.is_shared(*input)) {
    CLP_ASSIGN_OR_RETURN(ValueTree condition, lower_expression(*filter->condition));
    spec.options.set("filter", std::move(condition));
    input = filter->input();
  }
  CLP_ASSIGN_OR_RETURN(const Lowering::Lowered lowered, lowering.lower(input));
  spec.inputs = {input->schema};
  const int parallelism = lowering.parallelism_of(lowered);
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), parallelism, lowered, {})}};
}

}  // namespace clepsydra::sql
