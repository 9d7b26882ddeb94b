#include "base/errno_status.h"

#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "base/utf8.h"

namespace clepsydra::internal {
namespace {

StatusCode code_of(int error) {
  switch (error) {
    case ENOENT:
      return StatusCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return StatusCode::kPermissionDenied;
    case EEXIST:
      return StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return StatusCode::kResourceExhausted;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case EBUSY:
    case EXDEV:
    case ESPIPE:
      return StatusCode::kFailedPrecondition;
    case EINVAL:
    case ENAMETOOLONG:
    case ELOOP:
      return StatusCode::kInvalidArgument;
    default:
      return StatusCode::kUnavailable;
  }
}

}  // namespace

Status status_from_errno(std::string_view action, std::string_view path, int error) {
  return {code_of(error), fmt::format("{} '{}': {}", action, clip(path, 200),
                                      std::generic_category().message(error))};
}

}  // namespace clepsydra::internal
