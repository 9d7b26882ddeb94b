// Shared libraries of users, loaded from below one folder.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

// A loaded library. It is never unloaded: what it made may live as long as the process.
class SharedLibrary {
 public:
  virtual ~SharedLibrary() = default;
  // The address of an exported symbol, or null.
  [[nodiscard]] virtual void* find(const char* symbol) const = 0;
};

// The file at `relative_path` below `directory`, with all links followed; its real path. Error when
// it leads out of the folder, is no plain file, or is not there.
Result<std::string> find_library(const std::string& directory, std::string_view relative_path);

// Loads the file, whose initializers run at once. FailedPrecondition says what the loader found.
Result<std::unique_ptr<SharedLibrary>> load_library(const std::string& path);

}  // namespace clepsydra
