// The units of time that SQL knows, over the days of stream/calendar.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace clepsydra {

inline constexpr std::int64_t kMillisPerSecond = 1000;
inline constexpr std::int64_t kMillisPerMinute = 60 * kMillisPerSecond;
inline constexpr std::int64_t kMillisPerHour = 60 * kMillisPerMinute;
inline constexpr std::int64_t kMillisPerDay = 24 * kMillisPerHour;

constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}
constexpr std::int64_t floor_mod(std::int64_t a, std::int64_t b) {
  return a - floor_div(a, b) * b;
}

// The same day `months` later, or the last day of that month when it is shorter.
std::int64_t add_months(std::int64_t days, std::int64_t months);

int day_of_year(std::int64_t days);      // 1 to 366
int iso_day_of_week(std::int64_t days);  // 1 (Monday) to 7
struct IsoWeek {
  std::int64_t year;
  int week;  // 1 to 53
};
IsoWeek iso_week(std::int64_t days);

enum class TimeUnit : std::uint8_t {
  kMillennium,
  kCentury,
  kDecade,
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kEpoch,
};
// "YEAR", "DOW"; upper case. Nothing for other words.
std::optional<TimeUnit> parse_time_unit(std::string_view name);
std::string_view time_unit_name(TimeUnit unit);
inline constexpr int kTimeUnitCount = 19;

// The first day of the unit that `days` lies in. Smaller units leave the day as it is.
std::int64_t floor_days(std::int64_t days, TimeUnit unit);
// The first day of the next unit, or `days` when it starts one; as the reference has it: decades,
// centuries and millennia always give the next one, quarters only stay on 1 January.
std::int64_t ceil_days(std::int64_t days, TimeUnit unit);
// Whole months from `from` to `to`, both in milliseconds; the last day of a shorter month completes
// one.
std::int64_t months_between(std::int64_t from_millis, std::int64_t to_millis);
// Milliseconds of a fixed-length unit (week to millisecond), or 0.
std::int64_t unit_millis(TimeUnit unit);

}  // namespace clepsydra
