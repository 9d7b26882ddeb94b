// variant['key'], variant[index]: the part of ITEM that concerns VARIANT.
#pragma once

#include "functions/scalar_function.h"

namespace clepsydra {

Result<DataType> derive_variant_item(CallTyping& call);
Result<BoundKernel> bind_variant_item(const CallBinding& call);

}  // namespace clepsydra
