// Finds settings that cannot be meant, when they are made and not when somebody reads them.
#pragma once

#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

// InvalidArgument: the value is not of the form that its option has, or the key stands among those
// of checkpoints, state, restarts or of this project and nobody knows it. A mistyped one of these
// would be a job without checkpoints, and noticed after its failure. Other keys are free.
Status check_option(std::string_view key, std::string_view value);

}  // namespace clepsydra
