// What is promised of the columns of a sink or a result, and not looked at by sources and casts.
#pragma once

#include <vector>

#include "clepsydra/status.h"
#include "sql/bind/environment.h"
#include "sql/logical/plan.h"

namespace clepsydra::sql {

// The rows of `plan` as table.exec.sink.type-length-enforcer and table.exec.sink.not-null-enforcer
// want them, with columns of `types`: with TRIM_PAD texts and bytes cut to the length of their
// type, CHAR and BINARY filled up to it; with DROP without the rows that have NULL in a column that
// is NOT NULL. (With ERROR sinks fail on these.)
Result<PlanPtr> enforce_types(PlanPtr plan, const std::vector<DataType>& types,
                              const BindEnvironment& environment);

}  // namespace clepsydra::sql
