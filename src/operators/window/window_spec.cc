#include "operators/window/window_spec.h"

#include <fmt/format.h>

#include <numeric>

#include "base/check.h"

namespace clepsydra {
namespace {

// A hundred thousand years: longer windows are mistakes, and sums of times stay in range.
constexpr std::int64_t kLengthMax = 100'000LL * 366 * 24 * 3600 * 1000;

Result<std::int64_t> positive_length(const ValueTree& tree, std::string_view key) {
  CLP_ASSIGN_OR_RETURN(const std::int64_t length, tree.get_int(key));
  if (length <= 0 || length > kLengthMax) {
    return Status::invalid_argument(
        fmt::format("the {} of a window is {} ms; expected 1 to {}", key, length, kLengthMax));
  }
  return length;
}

}  // namespace

Result<WindowSpec> WindowSpec::from_tree(const ValueTree& tree) {
  WindowSpec spec;
  CLP_ASSIGN_OR_RETURN(const std::string kind, tree.get_string("kind"));
  CLP_ASSIGN_OR_RETURN(spec.size_, positive_length(tree, "size_ms"));
  spec.offset_ = tree.get_int_or("offset_ms", 0);
  spec.zone_ = tree.get_string_or("zone", "");
  if (spec.offset_ < -kLengthMax || spec.offset_ > kLengthMax) {
    return Status::invalid_argument(fmt::format(
        "the offset of a window is {} ms; expected at most {}", spec.offset_, kLengthMax));
  }
  std::int64_t period = 0;  // How far apart window starts are.
  if (kind == "tumble") {
    spec.kind_ = WindowKind::kTumble;
    spec.step_ = spec.slice_ = period = spec.size_;
  } else if (kind == "hop") {
    spec.kind_ = WindowKind::kHop;
    CLP_ASSIGN_OR_RETURN(spec.step_, positive_length(tree, "slide_ms"));
    spec.slice_ = std::gcd(spec.size_, spec.step_);
    period = spec.step_;
  } else if (kind == "cumulate") {
    spec.kind_ = WindowKind::kCumulate;
    CLP_ASSIGN_OR_RETURN(spec.step_, positive_length(tree, "step_ms"));
    if (spec.size_ % spec.step_ != 0) {
      return Status::invalid_argument(
          fmt::format("CUMULATE needs a size that is a multiple of its step, found {} ms and {} ms",
                      spec.size_, spec.step_));
    }
    spec.slice_ = spec.step_;
    period = spec.size_;
  } else {
    return Status::invalid_argument(
        fmt::format("unknown kind of window '{}'; expected tumble, hop or cumulate", kind));
  }
  spec.offset_ = floor_mod(spec.offset_, period);
  return spec;
}

std::int64_t WindowSpec::first_window_end(std::int64_t slice_end) const {
  if (kind_ != WindowKind::kHop) return slice_end;
  // The first end = start + size at or after slice_end, where starts lie at offset + n * step.
  return slice_end + floor_mod(offset_ + size_ - slice_end, step_);
}

std::int64_t WindowSpec::last_window_end(std::int64_t slice_end) const {
  const std::int64_t slice_start = slice_end - slice_;
  // The last start at or before the slice's.
  const std::int64_t period = kind_ == WindowKind::kHop ? step_ : size_;
  const std::int64_t end = slice_start - floor_mod(slice_start - offset_, period) + size_;
  return end >= slice_end ? end : slice_end - 1;
}

std::int64_t WindowSpec::window_start(std::int64_t window_end) const {
  if (kind_ != WindowKind::kCumulate) return window_end - size_;
  return window_end - 1 - floor_mod(window_end - 1 - offset_, size_);
}

std::int64_t WindowSpec::first_window_end_after(std::int64_t slice_end, std::int64_t time) const {
  const std::int64_t first = first_window_end(slice_end);
  if (first > time) return first;
  return first + ((time - first) / step_ + 1) * step_;
}

}  // namespace clepsydra
