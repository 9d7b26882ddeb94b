#include "operators/window/window_time.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "operators/window/window_spec.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kHourMs = 3'600'000;
// Clocks are put back by less than this, and offsets are smaller.
constexpr std::int64_t kShiftMax = 26 * kHourMs;
// Watermarks further out close everything or nothing.
constexpr std::int64_t kFar = 2 * WindowSpec::kTimeMax;

bool has_window(std::int64_t time) {
  return time > WindowSpec::kTimeMin && time < WindowSpec::kTimeMax;
}

// Local times of instants that tend to lie close together.
class LocalTimes {
 public:
  explicit LocalTimes(const TimeZone& zone) : zone_(&zone) {}

  std::int64_t of(std::int64_t instant) {
    if (instant < hour_ || instant >= hour_ + kHourMs) {
      const std::int64_t hour = instant - WindowSpec::floor_mod(instant, kHourMs);
      const std::int64_t offset = zone_->offset_at_instant(hour);
      // Where clocks change within the hour, each instant is asked for.
      if (offset != zone_->offset_at_instant(hour + kHourMs - 1)) return zone_->to_local(instant);
      hour_ = hour;
      offset_ms_ = offset * 1000;
    }
    return instant + offset_ms_;
  }

 private:
  const TimeZone* zone_;
  std::int64_t hour_ = 2 * WindowSpec::kTimeMin;
  std::int64_t offset_ms_ = 0;
};

}  // namespace

Result<WindowTime> WindowTime::make(const std::string& zone) {
  WindowTime time;
  if (!zone.empty()) {
    CLP_ASSIGN_OR_RETURN(time.zone_, find_time_zone(zone));
  }
  return time;
}

void WindowTime::convert(const Column& column, std::int64_t* times) const {
  const std::int64_t rows = column.length();
  const int precision = column.type().precision();
  const auto* ticks = column.values<std::int64_t>();
  if (timestamp_ticks_per_second(precision) == 1000) {
    for (std::int64_t i = 0; i < rows; ++i) times[i] = has_window(ticks[i]) ? ticks[i] : kNone;
  } else {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t millis = timestamp_to_millis(ticks[i], precision);
      times[i] = has_window(millis) ? millis : kNone;
    }
  }
  if (column.null_count() > 0) {
    for (std::int64_t i = 0; i < rows; ++i) {
      if (column.is_null(i)) times[i] = kNone;
    }
  }
  if (zone_ != nullptr) {
    LocalTimes local(*zone_);
    for (std::int64_t i = 0; i < rows; ++i) {
      if (times[i] != kNone) times[i] = local.of(times[i]);
    }
  }
}

std::int64_t WindowTime::of_instant(std::int64_t instant_ms) const {
  return zone_ != nullptr ? zone_->to_local(instant_ms) : instant_ms;
}

std::int64_t WindowTime::closed_until(std::int64_t watermark) const {
  if (watermark >= kFar) return kFar;
  if (watermark < -kFar) return -kFar;
  const std::int64_t next = watermark + 1;
  if (zone_ == nullptr || !has_window(next)) return next;
  // The earliest local time of all instants from `next` on: its own, unless clocks are put back
  // soon.
  const std::int64_t local = zone_->to_local(next);
  const std::int64_t offset = zone_->offset_at_instant(next);
  std::int64_t after = next + kShiftMax;
  if (zone_->offset_at_instant(after) >= offset) return local;
  std::int64_t before = next;
  while (after - before > 1) {
    const std::int64_t middle = before + (after - before) / 2;
    (zone_->offset_at_instant(middle) == offset ? before : after) = middle;
  }
  return std::min(local, zone_->to_local(after));
}

std::int64_t WindowTime::passed_instant(std::int64_t time) const {
  if (zone_ == nullptr) return time;
  std::int64_t before = time - kShiftMax;
  std::int64_t passed = time + kShiftMax;
  while (passed - before > 1) {
    const std::int64_t middle = before + (passed - before) / 2;
    (closed_until(middle - 1) >= time ? passed : before) = middle;
  }
  return passed;
}

std::int64_t WindowTime::to_instant(std::int64_t time) const {
  return zone_ != nullptr ? zone_->to_instant(time) : time;
}

}  // namespace clepsydra
