// Counts rows that came too late, and keeps a few as text for who asks where they went.
#pragma once

#include <cstdint>

#include "clepsydra/status.h"
#include "operators/operator_registry.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {

// `rows` more late rows; row `row` of the batch is one of them (or their partial result). Times are
// as windows are printed.
void count_late_rows(OperatorCounters& counters, std::int64_t rows, std::int64_t window_start,
                     const Batch& batch, std::int64_t row, std::int64_t closed_until,
                     const TimeZone* zone);

// Aggregations over windows take rows as they come, and cannot take one back.
Status check_inserts_only(const Batch& batch);

}  // namespace clepsydra
