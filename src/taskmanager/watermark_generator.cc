#include "taskmanager/watermark_generator.h"

#include "base/check.h"
#include "stream/data_type.h"

namespace clepsydra {

std::vector<Mark> WatermarkGenerator::advance(const Column& watermarks, const Column* rowtimes) {
  std::vector<Mark> marks;
  const int precision = watermarks.type().precision();
  const bool is_millis = timestamp_ticks_per_second(precision) == 1000;
  const bool has_nulls =
      watermarks.null_count() > 0 || (rowtimes != nullptr && rowtimes->null_count() > 0);
  const auto* ticks = watermarks.values<std::int64_t>();
  for (std::int64_t row = 0; row < watermarks.length(); ++row) {
    if (has_nulls && (watermarks.is_null(row) || (rowtimes != nullptr && rowtimes->is_null(row)))) {
      continue;
    }
    const std::int64_t watermark =
        is_millis ? ticks[row] : timestamp_to_millis(ticks[row], precision);
    if (watermark <= current_) continue;
    current_ = watermark;
    // kMaxWatermark is for the end of input alone.
    if (current_ == kMaxWatermark) --current_;
    // Compared without wrapping around at the ends of the range.
    if (emitted_ == kMinWatermark ||
        static_cast<std::uint64_t>(current_) - static_cast<std::uint64_t>(emitted_) >
            static_cast<std::uint64_t>(interval_ms_)) {
      emitted_ = current_;
      const auto after = static_cast<std::int32_t>(row) + 1;
      marks.push_back({after, emitted_});
    }
  }
  return marks;
}

}  // namespace clepsydra
