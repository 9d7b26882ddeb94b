// Status and Result: how every fallible call of Clepsydra reports success or failure.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace clepsydra {

/// What went wrong, in the classes of gRPC. The code tells the caller what to do next:
/// kUnavailable: retry this call. kAborted: retry the larger step (restart from the checkpoint).
/// kFailedPrecondition: stop until someone has changed something. kDataLoss: stored bytes are
/// broken.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
};

/// The code as it is printed: "InvalidArgument".
std::string_view status_code_name(StatusCode code);

/// The outcome of a call without a value. Success costs one null pointer.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message)
      : state_(code == StatusCode::kOk
                   ? nullptr
                   : std::make_shared<const State>(State{code, std::move(message)})) {}

  static Status ok() { return {}; }
  static Status cancelled(std::string m) { return {StatusCode::kCancelled, std::move(m)}; }
  static Status invalid_argument(std::string m) {
    return {StatusCode::kInvalidArgument, std::move(m)};
  }
  static Status deadline_exceeded(std::string m) {
    return {StatusCode::kDeadlineExceeded, std::move(m)};
  }
  static Status not_found(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
  static Status already_exists(std::string m) { return {StatusCode::kAlreadyExists, std::move(m)}; }
  static Status permission_denied(std::string m) {
    return {StatusCode::kPermissionDenied, std::move(m)};
  }
  static Status resource_exhausted(std::string m) {
    return {StatusCode::kResourceExhausted, std::move(m)};
  }
  static Status failed_precondition(std::string m) {
    return {StatusCode::kFailedPrecondition, std::move(m)};
  }
  static Status aborted(std::string m) { return {StatusCode::kAborted, std::move(m)}; }
  static Status out_of_range(std::string m) { return {StatusCode::kOutOfRange, std::move(m)}; }
  static Status unimplemented(std::string m) { return {StatusCode::kUnimplemented, std::move(m)}; }
  static Status internal(std::string m) { return {StatusCode::kInternal, std::move(m)}; }
  static Status unavailable(std::string m) { return {StatusCode::kUnavailable, std::move(m)}; }
  static Status data_loss(std::string m) { return {StatusCode::kDataLoss, std::move(m)}; }

  [[nodiscard]] bool is_ok() const { return state_ == nullptr; }
  [[nodiscard]] StatusCode code() const { return state_ ? state_->code : StatusCode::kOk; }
  /// The message alone, without the code; empty when ok.
  [[nodiscard]] std::string_view message() const {
    return state_ ? std::string_view(state_->message) : std::string_view();
  }
  /// The same code with "context: " in front of the message. Ok stays ok.
  [[nodiscard]] Status with_context(std::string_view context) const;
  /// "InvalidArgument: message", or "OK".
  [[nodiscard]] std::string to_string() const;

 private:
  struct State {
    StatusCode code;
    std::string message;
  };
  // Shared because a status is copied to everybody who waits for the same outcome; immutable.
  std::shared_ptr<const State> state_;
};

namespace internal {
[[noreturn]] void die(const char* file, int line, const char* what, std::string_view detail);
}  // namespace internal

/// A value, or the Status that says why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  // NOLINTBEGIN(google-explicit-constructor,bugprone-forwarding-reference-overload): so that
  // `return value;` and `return status;` read as they do without a Result.
  Result(T value) : value_(std::move(value)) {}
  Result(Status status) : status_(std::move(status)) {
    if (status_.is_ok()) internal::die(__FILE__, __LINE__, "Result from an ok Status", "");
  }
  // return std::make_unique<Derived>() as Result<std::unique_ptr<Base>>.
  template <typename U>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::decay_t<U>, T> &&
             !std::is_same_v<std::decay_t<U>, Result<T>> &&
             !std::is_same_v<std::decay_t<U>, Status>)
  Result(U&& value) : value_(std::forward<U>(value)) {}
  // NOLINTEND(google-explicit-constructor,bugprone-forwarding-reference-overload)

  [[nodiscard]] bool is_ok() const { return value_.has_value(); }
  [[nodiscard]] const Status& status() const { return status_; }

  /// The value. Calling it on an error is a bug and ends the process with the error's text.
  T& value() & {
    require();
    return *value_;
  }
  const T& value() const& {
    require();
    return *value_;
  }
  T&& value() && {
    require();
    return *std::move(value_);
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

 private:
  void require() const {
    if (!value_) internal::die(__FILE__, __LINE__, "value() of an error", status_.to_string());
  }
  std::optional<T> value_;
  Status status_;
};

}  // namespace clepsydra
