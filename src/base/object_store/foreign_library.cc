#include "base/object_store/foreign_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace clepsydra {

Result<void*> find_foreign_symbol(const char* library, const char* symbol,
                                  std::string_view package) {
  // Counted by the loader: the same library is the same handle. Never closed.
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  void* address = handle == nullptr ? nullptr : dlsym(handle, symbol);
  if (address != nullptr) return address;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): what dlerror() says belongs to the thread.
  const char* reason = dlerror();
  return Status::failed_precondition(
      fmt::format("cannot load '{}', which s3:// needs: {}; install the package '{}'", library,
                  reason != nullptr ? reason : "unknown", package));
}

}  // namespace clepsydra
