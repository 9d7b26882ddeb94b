// Aggregates of libraries.
#pragma once

#include <string_view>
#include <vector>

#include "functions/aggregate_function.h"

namespace clepsydra {

// `full_name` is one of is_user_function().
Result<AggregateFunctionPtr> make_user_aggregate(std::string_view full_name,
                                                 const std::vector<DataType>& argument_types,
                                                 const DataType& result_type);

}  // namespace clepsydra
