// Durations and memory sizes as text: "10 s", "200ms", "PT1M", "64 mb". Used by
// the configuration and by SQL options alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

// +-292 years.
using Duration = std::chrono::nanoseconds;

// A whole number and a unit, with or without space, in any case: d day days, h
// hour hours, m min minute minutes, s sec secs second seconds, ms milli millis
// millisecond milliseconds, µs micro micros microsecond microseconds, ns nano
// nanos nanosecond nanoseconds; no unit: milliseconds. Or ISO-8601
// ("P1DT2H3M4.5S"). Errors: InvalidArgument quoting the text and naming the
// units.
Result<Duration> parse_duration(std::string_view text);
// With the largest unit that keeps it a whole number: "90 s", "1 min", "0 ms".
// parse_duration() reads it.
std::string format_duration(Duration duration);

// A number of bytes, wrapped so that options can tell it from a plain number.
struct MemorySize {
  std::int64_t bytes = 0;
  friend auto operator<=>(const MemorySize&, const MemorySize&) = default;
};

// A whole number and a unit, with or without space, in any case: b bytes, k kb
// kibibytes, m mb mebibytes, g gb gibibytes, t tb tebibytes (all powers of
// 1024); no unit: bytes.
Result<MemorySize> parse_memory_size(std::string_view text);
// With the largest unit that keeps it a whole number: "64 mb", "100 bytes".
// parse_memory_size() reads it.
std::string format_memory_size(MemorySize size);

}  // namespace clepsydra
