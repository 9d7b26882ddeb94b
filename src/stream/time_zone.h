// Time zones: fixed offsets and IANA names, with Java's rules at gaps and overlaps.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

class TimeZone;
using TimeZonePtr = std::shared_ptr<const TimeZone>;  // Shared by all who use the zone; immutable.

// Threads: all.
class TimeZone {
 public:
  virtual ~TimeZone() = default;
  // As it was asked for: "Europe/Berlin", "+08:00", "UTC".
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Seconds to add to the instant to get the local time.
  [[nodiscard]] virtual std::int64_t offset_at_instant(std::int64_t epoch_millis) const = 0;
  // Seconds to subtract from the local time to get the instant. In a gap: the offset before it (the
  // time moves forward); in an overlap: the earlier offset, as java.time does.
  [[nodiscard]] virtual std::int64_t offset_of_local(std::int64_t local_millis) const = 0;

  [[nodiscard]] std::int64_t to_local(std::int64_t epoch_millis) const {
    return epoch_millis + offset_at_instant(epoch_millis) * 1000;
  }
  [[nodiscard]] std::int64_t to_instant(std::int64_t local_millis) const {
    return local_millis - offset_of_local(local_millis) * 1000;
  }
};

// "UTC", "Z", "GMT+8", "UTC+01:00", "+08:00", "-0530", or an IANA name from the system's time zone
// data. NotFound for another name.
Result<TimeZonePtr> find_time_zone(std::string_view name);

}  // namespace clepsydra
