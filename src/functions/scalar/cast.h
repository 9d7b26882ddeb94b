// CAST between any two types, for the cast family and for nested types.
#pragma once

#include "clepsydra/status.h"
#include "functions/scalar_function.h"

namespace clepsydra {

// The kernel of CAST(from AS to); with `try_cast`, what cannot be converted is NULL instead of a
// failure.
Result<BoundKernel> bind_cast(const DataType& from, const DataType& to, bool try_cast);

}  // namespace clepsydra
