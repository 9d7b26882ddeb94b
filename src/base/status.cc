#include "clepsydra/status.h"

#include <string>
#include <string_view>

namespace clepsydra {

std::string_view status_code_name(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "OK";
    case StatusCode::kCancelled:
      return "Cancelled";
    case StatusCode::kUnknown:
      return "Unknown";
    case StatusCode::kInvalidArgument:
      return "InvalidArgument";
    case StatusCode::kDeadlineExceeded:
      return "DeadlineExceeded";
    case StatusCode::kNotFound:
      return "NotFound";
    case StatusCode::kAlreadyExists:
      return "AlreadyExists";
    case StatusCode::kPermissionDenied:
      return "PermissionDenied";
    case StatusCode::kResourceExhausted:
      return "ResourceExhausted";
    case StatusCode::kFailedPrecondition:
      return "FailedPrecondition";
    case StatusCode::kAborted:
      return "Aborted";
    case StatusCode::kOutOfRange:
      return "OutOfRange";
    case StatusCode::kUnimplemented:
      return "Unimplemented";
    case StatusCode::kInternal:
      return "Internal";
    case StatusCode::kUnavailable:
      return "Unavailable";
    case StatusCode::kDataLoss:
      return "DataLoss";
  }
  return "Unknown";
}

Status Status::with_context(std::string_view context) const {
  if (is_ok()) return *this;
  std::string text(context);
  text += ": ";
  text += message();
  return {code(), std::move(text)};
}

std::string Status::to_string() const {
  std::string text(status_code_name(code()));
  if (is_ok()) return text;
  text += ": ";
  text += message();
  return text;
}

namespace internal {
void die(const char* file, int line, const char* what, std::string_view detail) {
  std::fprintf(stderr, "%s:%d: %s %.*s\n", file, line, what, static_cast<int>(detail.size()),
               detail.data());
  std::fflush(stderr);
  std::abort();
}
}  // namespace internal

}  // namespace clepsydra
