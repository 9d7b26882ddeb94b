// + - * where an interval is involved: what "+", "-" and "*" hand on when an argument is no number.
#pragma once

#include "functions/scalar_function.h"

namespace clepsydra {

// An interval, date, time or timestamp.
bool is_interval_arithmetic(const DataType& type);

Result<DataType> derive_interval_plus(CallTyping& call);
Result<DataType> derive_interval_minus(CallTyping& call);
Result<DataType> derive_interval_times(CallTyping& call);
// For calls of "+", "-" and "*" with types as derived above.
Result<BoundKernel> bind_interval_arithmetic(const CallBinding& call);

}  // namespace clepsydra
