#include "sql/optimize/rule_list.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

constexpr std::array kRules = {
    Rule{"identify_aggregations", identify_aggregations},
    Rule{"fold_constants", fold_plan_constants},
    Rule{"push_down_filters", push_down_filters},
    Rule{"merge_projections", merge_projections},
    Rule{"push_projections_below_windows", push_projections_below_windows},
    // Filters above a projection that has moved can follow it.
    Rule{"push_down_filters", push_down_filters},
    Rule{"merge_projections", merge_projections},
    Rule{"make_window_aggregates", make_window_aggregates},
    // HAVING stands next to its aggregation now.
    Rule{"push_down_filters", push_down_filters},
    Rule{"merge_projections", merge_projections},
    // Substitution brings constants together.
    Rule{"fold_constants", fold_plan_constants},
    // Before pruning, so that a table read twice is found, and then read for the union of what is
    // needed.
    Rule{"reuse_plans", reuse_plans},
    Rule{"prune_columns", prune_columns},
    Rule{"merge_projections", merge_projections},
    // Filters and scans are where they will be.
    Rule{"prune_partitions", prune_partitions},
    Rule{"choose_aggregate_phases", choose_aggregate_phases},
};

}  // namespace

std::span<const Rule> rule_list() {
  return kRules;
}

Result<PlanRoots> optimize(PlanRoots roots, const BindEnvironment& environment) {
  for (const Rule& rule : rule_list()) {
    CLP_ASSIGN_OR_RETURN(roots, rule.apply(roots, environment));
  }
  return roots;
}

}  // namespace clepsydra::sql
