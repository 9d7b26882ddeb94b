#include "functions/session_zone.h"

#include "functions/time_units.h"
#include "stream/data_type.h"
#include "stream/time_zone.h"

namespace clepsydra {

std::int64_t rescale_ticks(std::int64_t ticks, int from, int to) {
  const std::int64_t from_unit = timestamp_ticks_per_second(from);
  const std::int64_t to_unit = timestamp_ticks_per_second(to);
  if (to_unit > from_unit) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(ticks) *
                                     static_cast<std::uint64_t>(to_unit / from_unit));
  }
  // Digits beyond the precision go, also those that the storage unit has room for.
  std::int64_t cut = from_unit;
  for (int digits = 0; digits < to && cut > 1; ++digits) cut /= 10;
  const std::int64_t kept = floor_div(ticks, cut) * cut;
  return floor_div(kept, from_unit / to_unit);
}

std::int64_t ticks_to_local(const TimeZone* zone, std::int64_t ticks, int precision) {
  if (zone == nullptr) return ticks;
  const std::int64_t offset = zone->offset_at_instant(timestamp_to_millis(ticks, precision));
  return ticks + offset * timestamp_ticks_per_second(precision);
}

std::int64_t ticks_from_local(const TimeZone* zone, std::int64_t ticks, int precision) {
  if (zone == nullptr) return ticks;
  const std::int64_t offset = zone->offset_of_local(timestamp_to_millis(ticks, precision));
  return ticks - offset * timestamp_ticks_per_second(precision);
}

}  // namespace clepsydra
