// Instants in the session's time zone (table.local-time-zone).
#pragma once

#include <cstdint>

namespace clepsydra {

class TimeZone;

// Ticks of a TIMESTAMP(from) as ticks of a TIMESTAMP(to), cut to `to` digits (toward the past).
std::int64_t rescale_ticks(std::int64_t ticks, int from, int to);
// TIMESTAMP_LTZ ticks to the ticks of the local TIMESTAMP of the same precision, and back. `zone`
// null: UTC.
std::int64_t ticks_to_local(const TimeZone* zone, std::int64_t ticks, int precision);
std::int64_t ticks_from_local(const TimeZone* zone, std::int64_t ticks, int precision);

}  // namespace clepsydra
