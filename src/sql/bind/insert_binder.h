// INSERT INTO as written to a plan that ends in a sink.
#pragma once

#include "clepsydra/status.h"
#include "sql/ast/statement.h"
#include "sql/bind/query_binder.h"

namespace clepsydra::sql {

// The root is a SinkNode. `state` is shared by the inserts of a statement set.
Result<PlanPtr> bind_insert(const ast::Insert& insert, const BindEnvironment& environment,
                            const StatementText& text, BindState& state);

}  // namespace clepsydra::sql
