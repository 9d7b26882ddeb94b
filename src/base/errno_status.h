// Errors of the operating system as Status, for base/ only.
#pragma once

#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra::internal {

// "<action> '<path>': <what the system says>" with the code that tells the caller what to do.
Status status_from_errno(std::string_view action, std::string_view path, int error);

}  // namespace clepsydra::internal
