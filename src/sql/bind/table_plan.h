// A catalog table as a plan: scan, computed columns, watermark.
#pragma once

#include "clepsydra/status.h"
#include "sql/bind/environment.h"
#include "sql/catalog/table.h"
#include "sql/logical/plan.h"

namespace clepsydra::sql {

// `options`: the table's, perhaps with those of a hint. The output has table.schema. Error: the
// connector cannot be read.
Result<PlanPtr> make_table_plan(const CatalogTablePtr& table, const TableOptions& options,
                                const BindEnvironment& environment);

}  // namespace clepsydra::sql
