// The families of aggregate functions that make_aggregate() chooses from. Each answers null for an
// argument type that it does not take.
#pragma once

#include <cstdint>
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
// ARRAY_AGG; with `distinct` each value once.
AggregateFunctionPtr make_array_agg(const DataType& argument, const DataType& result,
                                    bool skips_nulls, bool distinct);
// COLLECT: a MULTISET; with `distinct` each value counts once.
AggregateFunctionPtr make_collect(const DataType& argument, const DataType& result, bool distinct);

enum class Choice : std::uint8_t { kFirst, kLast, kSingle };
// FIRST_VALUE, LAST_VALUE, SINGLE_VALUE.
AggregateFunctionPtr make_chosen_value(Choice choice, const DataType& argument,
                                       const DataType& result);

struct JsonAggregateRules {
  bool is_object = false;
  bool keeps_nulls = false;      // NULL ON NULL.
  bool values_are_json = false;  // Texts of JSON, not texts.
};
// JSON_OBJECTAGG: key and value; JSON_ARRAYAGG: value.
AggregateFunctionPtr make_json_aggregate(JsonAggregateRules rules,
                                         const std::vector<DataType>& argument_types,
                                         const DataType& result);

AggregateFunctionPtr make_percentile(const std::vector<DataType>& argument_types,
                                     const DataType& result, bool distinct);
AggregateFunctionPtr make_approximate_count(const DataType& argument, const DataType& result);

struct SpreadKind {
  bool is_sample = false;     // Divides by one less than the number of values.
  bool is_deviation = false;  // The root of the variance.
};
// VAR_POP, VAR_SAMP, STDDEV_POP, STDDEV_SAMP.
AggregateFunctionPtr make_spread(SpreadKind kind, const DataType& argument, const DataType& result);

// Hands each value of `argument` that is new to the accumulator on to `inner`.
AggregateFunctionPtr make_distinct(AggregateFunctionPtr inner, const DataType& argument);

}  // namespace clepsydra
