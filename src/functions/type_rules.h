// How SQL types combine: common types, casts, and the precision of decimal results, as the
// reference has them.
#pragma once

#include <span>
#include <string>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "stream/data_type.h"

namespace clepsydra {

// The least type that all of `types` convert to; InvalidArgument names those that do not fit
// together. NULL fits everything. It is nullable when one of them is.
Result<DataType> least_common_type(std::span<const DataType> types);

// Whether CAST(... AS ...) exists for the pair, at every level of nested types.
bool can_cast(const DataType& from, const DataType& to);
// Whether a value may be converted without being asked for: no loss but of length and time zone.
bool can_cast_implicitly(const DataType& from, const DataType& to);

// `value` as `target` including its nullability as declared; itself when the values are the same
// already. InvalidArgument when there is no cast.
Result<ExpressionPtr> cast_to(ExpressionPtr value, const DataType& target, bool try_cast = false);

// The type of an exact numeric as DECIMAL: INT is DECIMAL(10, 0).
DataType as_decimal(const DataType& type);
// Result types of decimal arithmetic; arguments as as_decimal() gives them.
DataType decimal_sum_type(const DataType& a, const DataType& b);
DataType decimal_product_type(const DataType& a, const DataType& b);
DataType decimal_quotient_type(const DataType& a, const DataType& b);
DataType decimal_remainder_type(const DataType& a, const DataType& b);
// The type in which two numbers are compared, as Java promotes them.
DataType comparison_type(const DataType& a, const DataType& b);

// "INT, STRING" for messages.
std::string type_list(std::span<const DataType> types);

}  // namespace clepsydra
