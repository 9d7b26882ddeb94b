// Types of functions that a list of parameter kinds describes; see ScalarFunction::parameters.
#pragma once

#include "functions/scalar_function.h"

namespace clepsydra {

Result<DataType> derive_by_signature(const ScalarFunction& function, CallTyping& call);

}  // namespace clepsydra
