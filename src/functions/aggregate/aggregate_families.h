// The families of aggregate functions that make_aggregate() chooses from. Each answers null for an
// argument type that it does not take.
#pragma once

#include <vector>

#include "functions/aggregate_function.h"
#include "stream/data_type.h"

namespace clepsydra {

AggregateFunctionPtr make_count(bool has_argument, const DataType& result);
AggregateFunctionPtr make_sum(const DataType& argument, const DataType& result);
AggregateFunctionPtr make_avg(const DataType& argument, const DataType& result);
AggregateFunctionPtr make_min_max(bool is_max, const DataType& argument, const DataType& result);
// `argument_types`: the text, and the separator when given (else ",").
AggregateFunctionPtr make_list_agg(const std::vector<DataType>& argument_types,
                                   const DataType& result, bool distinct);
// Hands each value of `argument` that is new to the accumulator on to `inner`.
AggregateFunctionPtr make_distinct(AggregateFunctionPtr inner, const DataType& argument);

}  // namespace clepsydra
