// Windows as slices: where they begin and end, and which of them a slice belongs to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/value_tree.h"
#include "clepsydra/status.h"

namespace clepsydra {

enum class WindowKind : std::uint8_t { kTumble, kHop, kCumulate };

// Time is cut into slices of equal length; every window is a run of slices, and every row falls
// into exactly one. Slices and windows are named by their end (excluded). Times here are
// milliseconds on the scale on which windows lie: the column's own, or local time of a zone
// (window_time.h).
class WindowSpec {
 public:
  // {kind: "tumble" | "hop" | "cumulate", size_ms, slide_ms (hop), step_ms (cumulate), offset_ms,
  // zone}. InvalidArgument names the value that is out of range.
  static Result<WindowSpec> from_tree(const ValueTree& tree);

  // Times beyond these have no windows: their ends could not be computed.
  static constexpr std::int64_t kTimeMax = std::int64_t{1} << 61;
  static constexpr std::int64_t kTimeMin = -kTimeMax;

  [[nodiscard]] WindowKind kind() const { return kind_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  // How far apart windows end: size, slide or step.
  [[nodiscard]] std::int64_t step() const { return step_; }
  [[nodiscard]] std::int64_t slice() const { return slice_; }
  // Slices of the longest window.
  [[nodiscard]] std::int64_t slices_per_window() const { return size_ / slice_; }
  // Empty: windows lie on the time column's own scale.
  [[nodiscard]] const std::string& zone() const { return zone_; }

  // The end of the slice of `time`, which is within kTimeMin and kTimeMax.
  [[nodiscard]] std::int64_t slice_end(std::int64_t time) const {
    return time - floor_mod(time - offset_, slice_) + slice_;
  }
  // Windows that a slice belongs to: ends first, first + step, ..., last; none when last < first (a
  // HOP that slides by more than its size has gaps).
  [[nodiscard]] std::int64_t first_window_end(std::int64_t slice_end) const;
  [[nodiscard]] std::int64_t last_window_end(std::int64_t slice_end) const;
  [[nodiscard]] std::int64_t window_start(std::int64_t window_end) const;
  // The earliest window of the slice that ends after `time`.
  [[nodiscard]] std::int64_t first_window_end_after(std::int64_t slice_end,
                                                    std::int64_t time) const;

  // The remainder that is never negative; b > 0.
  static std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
    const std::int64_t r = a % b;
    return r < 0 ? r + b : r;
  }

 private:
  WindowKind kind_ = WindowKind::kTumble;
  std::int64_t size_ = 0;
  std::int64_t step_ = 0;
  std::int64_t slice_ = 0;
  std::int64_t offset_ = 0;  // 0 <= offset < slice for slices; window starts use it too.
  std::string zone_;
};

}  // namespace clepsydra
