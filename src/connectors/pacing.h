// Holds a reader to a number of rows per second.
#pragma once

#include <algorithm>
#include <cstdint>

namespace clepsydra {

// Rows become due evenly from the first question on; what was not taken in time may be taken later.
class Pacing {
 public:
  // Not above 0: no limit.
  explicit Pacing(double rows_per_second) : rows_per_second_(rows_per_second) {}

  // Rows that may be read now, at most `wanted`.
  std::int64_t due(std::int64_t now_ns, std::int64_t wanted) {
    if (rows_per_second_ <= 0) return wanted;
    if (start_ns_ < 0) start_ns_ = now_ns;
    const double total = static_cast<double>(now_ns - start_ns_) / 1e9 * rows_per_second_ + 1;
    return std::clamp(static_cast<std::int64_t>(total) - taken_, std::int64_t{0}, wanted);
  }
  void take(std::int64_t rows) { taken_ += rows; }
  // When the next row is due, at least half a millisecond ahead: waking for every single row of a
  // fast stream would cost more than the rows.
  [[nodiscard]] std::int64_t next_ns(std::int64_t now_ns) const {
    const double at = static_cast<double>(taken_) / rows_per_second_ * 1e9;
    return std::max(start_ns_ + static_cast<std::int64_t>(at) + 1, now_ns + 500'000);
  }

 private:
  double rows_per_second_;
  std::int64_t start_ns_ = -1;
  std::int64_t taken_ = 0;
};

}  // namespace clepsydra
