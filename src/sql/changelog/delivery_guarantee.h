// The end-to-end guarantee of a job: what its sources can replay and its sinks can take back.
#pragma once

#include <string>

#include "clepsydra/status.h"
#include "sql/bind/environment.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

// "exactly-once", or the weaker guarantee and the parts that weaken it: "at-least-once (sink 'out':
// the connector 'print' cannot take back what it wrote)".
Result<std::string> describe_guarantee(const PlanRoots& roots, const BindEnvironment& environment);

}  // namespace clepsydra::sql
