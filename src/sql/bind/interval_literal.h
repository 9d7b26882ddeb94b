// The text of an INTERVAL literal.
#pragma once

#include <cstdint>

#include "clepsydra/status.h"
#include "sql/ast/expression.h"
#include "sql/bind/statement_text.h"

namespace clepsydra::sql {

// Months of a year-month interval, milliseconds of a day-time interval. The leading field has at
// most as many digits as its precision (2 when none is written), as in the reference.
Result<std::int64_t> parse_interval(const ast::Literal& literal, const StatementText& text);

// Milliseconds, or months, of one unit.
std::int64_t unit_length(ast::TimeUnit unit);

}  // namespace clepsydra::sql
