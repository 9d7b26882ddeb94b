// The optimizer: rules over the plans of one job, in a fixed order.
#pragma once

#include <span>
#include <string_view>

#include "clepsydra/status.h"
#include "sql/bind/environment.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

struct Rule {
  std::string_view name;
  Result<PlanRoots> (*apply)(const PlanRoots& roots, const BindEnvironment& environment);
};

// In the order in which they are applied.
std::span<const Rule> rule_list();

// All rules, one after the other. The roots are Sink and Collect nodes.
Result<PlanRoots> optimize(PlanRoots roots, const BindEnvironment& environment);

}  // namespace clepsydra::sql
