// Shared libraries that are loaded when they are first needed, so that a process that does not need
// them starts without them.
#pragma once

#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

// The address of `symbol` in `library` ("libcurl.so.4"), which stays loaded. `package` says in the
// error what to install.
Result<void*> find_foreign_symbol(const char* library, const char* symbol,
                                  std::string_view package);

}  // namespace clepsydra
