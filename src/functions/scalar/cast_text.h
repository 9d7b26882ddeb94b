// Casts to and from text, by way of stream/value_text.
#pragma once

#include "functions/scalar_function.h"

namespace clepsydra {

// Any type but text to CHAR, VARCHAR.
BoundKernel bind_cast_to_text(const DataType& from, const DataType& to);
// Text to text, bytes to text, text to bytes, bytes to bytes.
BoundKernel bind_cast_view(const DataType& from, const DataType& to);
// Text to any plain type; a null kernel when there is none.
BoundKernel bind_cast_from_text(const DataType& to, bool try_cast);

}  // namespace clepsydra
