// Batches of random values, for tests that compare two ways to the same result.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"
#include "stream/batch.h"
#include "stream/column.h"
#include "stream/data_type.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {

struct RandomShape {
  double null_share = 0.2;       // Of values whose type is nullable.
  std::int32_t string_max = 40;  // Bytes; a third of the strings fit into a view.
  int list_max = 4;
  int distinct_max = 0;  // Values are drawn from so many; 0: no limit.
};

// Values are valid ones of the type: UTF-8 text, DECIMAL within its precision, TIME within a day,
// TIMESTAMP between the years 1 and 9999 (nanoseconds: what 64 bits hold). Some are extremes.
Column random_column(const DataType& type, std::int64_t rows, Random& random,
                     const RandomShape& shape = {}, MemoryPool& pool = test_pool());
// With row kinds other than insert and with marks now and then.
Batch random_batch(const SchemaPtr& schema, std::int64_t rows, Random& random,
                   const RandomShape& shape = {}, MemoryPool& pool = test_pool());

// One type of each kind and some nested ones, nullable and not.
std::vector<DataType> all_types();

}  // namespace clepsydra::testing
