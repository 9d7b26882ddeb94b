// The order of values of one column type, as ORDER BY, MAX and partitions have it.
#pragma once

#include <cstdint>

#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

// False for nested types and the type of NULL.
[[nodiscard]] bool has_value_order(const DataType& type);

// Below, at or above 0 as row i of `a` comes before, with or after row j of `b`. Neither is NULL;
// both have one type, which has an order. FALSE is least, NaN is the greatest and equal to itself,
// texts and bytes go by their bytes.
[[nodiscard]] int compare_values(const Column& a, std::int64_t i, const Column& b, std::int64_t j);

}  // namespace clepsydra
