// UNION ALL is no operator: its inputs all feed what comes next.
#include <utility>

#include "base/check.h"
#include "sql/lower/lowering.h"

namespace clepsydra::sql {

Result<Lowering::Lowered> lower_union_all(const PlanPtr& node, Lowering& lowering) {
  Lowering::Lowered all;
  for (const PlanPtr& input : node->inputs) {
    CLP_ASSIGN_OR_RETURN(Lowering::Lowered lowered, lowering.lower(input));
    all.nodes.insert(all.nodes.end(), lowered.nodes.begin(), lowered.nodes.end());
  }
  return all;
}

}  // namespace clepsydra::sql
