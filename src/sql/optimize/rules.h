// The rules, one per file of this folder. rule_list.cc gives their order.
#pragma once

#include "clepsydra/status.h"
#include "sql/bind/environment.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

// Notes on every aggregation what it computes, before anything is rewritten: ids of operators do
// not depend on the other rules.
Result<PlanRoots> identify_aggregations(const PlanRoots& roots, const BindEnvironment& environment);
// Calls without columns become literals; filters that are always true go, those that never are
// empty their input. What fails when computed now is left for the run.
Result<PlanRoots> fold_plan_constants(const PlanRoots& roots, const BindEnvironment& environment);
// Filters are merged and moved towards the sources: through projections, window functions, UNION
// ALL and, for grouping keys, aggregations. They stay above watermarks, which every row advances.
Result<PlanRoots> push_down_filters(const PlanRoots& roots, const BindEnvironment& environment);
// Projections over projections become one; those that change nothing go.
Result<PlanRoots> merge_projections(const PlanRoots& roots, const BindEnvironment& environment);
// What a projection above a window function computes from the function's input is computed below
// it.
Result<PlanRoots> push_projections_below_windows(const PlanRoots& roots,
                                                 const BindEnvironment& environment);
// Aggregations by window bounds become window aggregations by slices.
Result<PlanRoots> make_window_aggregates(const PlanRoots& roots,
                                         const BindEnvironment& environment);
// Equal parts of the plans become one part with several consumers.
Result<PlanRoots> reuse_plans(const PlanRoots& roots, const BindEnvironment& environment);
// Columns, and fields of ROW columns, that nobody reads are not produced.
Result<PlanRoots> prune_columns(const PlanRoots& roots, const BindEnvironment& environment);
// Filters right above the scan of a partitioned table tell it which partitions to leave out; they
// stay where they are. Not through a watermark, which every row advances.
Result<PlanRoots> prune_partitions(const PlanRoots& roots, const BindEnvironment& environment);
// Window aggregations become two-phase where that pays.
Result<PlanRoots> choose_aggregate_phases(const PlanRoots& roots,
                                          const BindEnvironment& environment);

}  // namespace clepsydra::sql
