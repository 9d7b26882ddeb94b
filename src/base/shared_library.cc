#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/file_system.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::size_t kNameShownMax = 200;

class LoadedLibrary final : public SharedLibrary {
 public:
  explicit LoadedLibrary(void* handle) : handle_(handle) {}
  [[nodiscard]] void* find(const char* symbol) const override { return dlsym(handle_, symbol); }

 private:
  void* handle_;
};

Result<std::string> real_path(const std::string& path, std::string_view what) {
  char resolved[PATH_MAX];
  if (realpath(path.c_str(), resolved) != nullptr) return std::string(resolved);
  return internal::status_from_errno(what, clip(path, kNameShownMax), errno);
}

// Links may be followed only as long as they stay below the folder; ".." is not looked at at all.
Status check_relative(std::string_view path) {
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.find('\0') != std::string_view::npos) {
      return Status::invalid_argument(
          fmt::format("library '{}' must be a path below the folder of libraries, without '.', "
                      "'..' or empty parts",
                      clip(path, kNameShownMax)));
    }
    if (slash == std::string_view::npos) return Status::ok();
    rest.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<std::string> find_library(const std::string& directory, std::string_view relative_path) {
  CLP_RETURN_IF_ERROR(check_relative(relative_path));
  CLP_ASSIGN_OR_RETURN(const std::string root,
                       real_path(directory, "cannot look into the folder of libraries"));
  CLP_ASSIGN_OR_RETURN(std::string path, real_path(join_path(root, std::string(relative_path)),
                                                   "cannot find the library"));
  if (!path.starts_with(root == "/" ? root : root + "/")) {
    return Status::failed_precondition(fmt::format(
        "library '{}' leads out of the folder of libraries", clip(relative_path, kNameShownMax)));
  }
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return internal::status_from_errno("cannot look at the library", path, errno);
  }
  if (!S_ISREG(info.st_mode)) {
    return Status::failed_precondition(
        fmt::format("library '{}' is not a plain file", clip(relative_path, kNameShownMax)));
  }
  return path;
}

Result<std::unique_ptr<SharedLibrary>> load_library(const std::string& path) {
  // All at once: a symbol that is missing is an error here and not the end of the process later.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle != nullptr) return std::make_unique<LoadedLibrary>(handle);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): what dlerror() says belongs to the thread.
  const char* reason = dlerror();
  return Status::failed_precondition(
      fmt::format("cannot load the library: {}", reason != nullptr ? reason : "unknown reason"));
}

}  // namespace clepsydra
