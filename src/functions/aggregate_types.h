// The types of aggregate functions.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "stream/data_type.h"

namespace clepsydra {

// The canonical name of an aggregate's other spelling, else `name` itself.
std::string_view canonical_aggregate(std::string_view name);

// Settles the types of every aggregate but COUNT: coerces the arguments and answers the result
// type. `name` is canonical, or the name of a variant that a binder chose by the call's clauses:
// ARRAY_AGG_IGNORE_NULLS, JSON_OBJECTAGG_ and JSON_ARRAYAGG_ with NULL_ON_NULL or ABSENT_ON_NULL,
// and _OF_JSON behind them for values that are JSON texts. NotFound: no aggregate.
Result<DataType> derive_aggregate(std::string_view name, std::vector<ExpressionPtr>& arguments,
                                  bool distinct);

}  // namespace clepsydra
