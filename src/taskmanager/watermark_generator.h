// The WATERMARK clause over the rows of one split.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "stream/batch.h"
#include "stream/column.h"

namespace clepsydra {

// Sets a mark after every row that advances the watermark by more than the interval (of event time:
// from the data, so that every run sets the same marks). A smaller advance is pending until the
// next such row or until somebody takes it.
class WatermarkGenerator {
 public:
  // 0: a mark after every row that advances the watermark at all.
  explicit WatermarkGenerator(std::int64_t interval_ms) : interval_ms_(interval_ms) {}

  // `watermarks`: a TIMESTAMP or TIMESTAMP_LTZ per row; `rowtimes` may be null. Rows where either
  // is NULL do not count.
  std::vector<Mark> advance(const Column& watermarks, const Column* rowtimes);

  // The largest watermark of a row so far.
  [[nodiscard]] std::int64_t current() const { return current_; }
  // The last mark, or what was taken.
  [[nodiscard]] std::int64_t emitted() const { return emitted_; }
  [[nodiscard]] bool has_pending() const { return current_ > emitted_; }
  // Makes the pending advance the emitted one.
  std::int64_t take_pending() { return emitted_ = current_; }
  // Goes on where another generator was.
  void restore(std::int64_t current, std::int64_t emitted) {
    emitted_ = emitted;
    current_ = std::max(current, emitted);
  }

 private:
  const std::int64_t interval_ms_;
  std::int64_t current_ = kMinWatermark;
  std::int64_t emitted_ = kMinWatermark;
};

}  // namespace clepsydra
