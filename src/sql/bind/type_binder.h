// Data types as written to data types.
#pragma once

#include "clepsydra/status.h"
#include "sql/ast/type.h"
#include "sql/bind/statement_text.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

// Nullable unless NOT NULL is written, at every level. Errors: parameters out of range, types that
// are not built.
Result<DataType> bind_type(const ast::TypeName& type, const StatementText& text);

}  // namespace clepsydra::sql
