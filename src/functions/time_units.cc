#include "functions/time_units.h"

#include <array>

#include "stream/calendar.h"

namespace clepsydra {

std::int64_t add_months(std::int64_t days, std::int64_t months) {
  const CivilDate date = civil_from_days(days);
  const std::int64_t total = date.year * 12 + (date.month - 1) + months;
  const std::int64_t year = floor_div(total, 12);
  const auto month = static_cast<int>(total - year * 12) + 1;
  const int last = days_of_month(year, month);
  return days_from_civil({year, month, date.day < last ? date.day : last});
}

int day_of_year(std::int64_t days) {
  return static_cast<int>(days - days_from_civil({civil_from_days(days).year, 1, 1})) + 1;
}

int iso_day_of_week(std::int64_t days) {
  return static_cast<int>(floor_mod(days + 3, 7)) + 1;  // 1970-01-01 was a Thursday.
}

IsoWeek iso_week(std::int64_t days) {
  // The week belongs to the year of its Thursday.
  const std::int64_t thursday = days - (iso_day_of_week(days) - 4);
  const std::int64_t year = civil_from_days(thursday).year;
  return {year, static_cast<int>((thursday - days_from_civil({year, 1, 1})) / 7) + 1};
}

std::string_view time_unit_name(TimeUnit unit) {
  constexpr std::array<std::string_view, kTimeUnitCount> kNames = {
      "MILLENNIUM", "CENTURY",     "DECADE",      "YEAR",       "ISOYEAR", "QUARTER", "MONTH",
      "WEEK",       "DAY",         "DOW",         "ISODOW",     "DOY",     "HOUR",    "MINUTE",
      "SECOND",     "MILLISECOND", "MICROSECOND", "NANOSECOND", "EPOCH"};
  return kNames[static_cast<std::size_t>(unit)];
}

std::optional<TimeUnit> parse_time_unit(std::string_view name) {
  for (int i = 0; i < kTimeUnitCount; ++i) {
    const auto unit = static_cast<TimeUnit>(i);
    if (time_unit_name(unit) == name) return unit;
  }
  return std::nullopt;
}

std::int64_t floor_days(std::int64_t days, TimeUnit unit) {
  const CivilDate date = civil_from_days(days);
  switch (unit) {
    // Centuries and millennia start with the year 1.
    case TimeUnit::kMillennium:
      return days_from_civil({floor_div(date.year - 1, 1000) * 1000 + 1, 1, 1});
    case TimeUnit::kCentury:
      return days_from_civil({floor_div(date.year - 1, 100) * 100 + 1, 1, 1});
    case TimeUnit::kDecade:
      return days_from_civil({floor_div(date.year, 10) * 10, 1, 1});
    case TimeUnit::kYear:
      return days_from_civil({date.year, 1, 1});
    case TimeUnit::kIsoYear: {
      // The Monday of the week with 4 January.
      const std::int64_t fourth = days_from_civil({iso_week(days).year, 1, 4});
      return fourth - (iso_day_of_week(fourth) - 1);
    }
    case TimeUnit::kQuarter:
      return days_from_civil({date.year, (date.month - 1) / 3 * 3 + 1, 1});
    case TimeUnit::kMonth:
      return days_from_civil({date.year, date.month, 1});
    case TimeUnit::kWeek:
      return days - iso_day_of_week(days) % 7;  // Weeks start on Sunday here.
    default:
      return days;
  }
}

std::int64_t ceil_days(std::int64_t days, TimeUnit unit) {
  const std::int64_t first = floor_days(days, unit);
  const CivilDate date = civil_from_days(first);
  const bool starts_unit = first == days;
  switch (unit) {
    case TimeUnit::kMillennium:
      return days_from_civil({date.year + 1000, 1, 1});
    case TimeUnit::kCentury:
      return days_from_civil({date.year + 100, 1, 1});
    case TimeUnit::kDecade:
      return days_from_civil({date.year + 10, 1, 1});
    case TimeUnit::kYear:
      return starts_unit ? days : days_from_civil({date.year + 1, 1, 1});
    case TimeUnit::kIsoYear:
      return starts_unit ? days : floor_days(first + 7L * 53, unit);
    case TimeUnit::kQuarter:
      return starts_unit && date.month == 1 ? days : add_months(first, 3);
    case TimeUnit::kMonth:
      return starts_unit ? days : add_months(first, 1);
    case TimeUnit::kWeek:
      return starts_unit ? days : first + 7;
    default:
      return days;
  }
}

namespace {

std::int64_t months_between_days(std::int64_t from, std::int64_t to) {
  if (to < from) return -months_between_days(to, from);
  // No month has more than 31 days: not more than the true value.
  for (std::int64_t months = (to - from) / 31;; ++months) {
    if (add_months(from, months) >= to || add_months(from, months + 1) > to) return months;
  }
}

}  // namespace

std::int64_t months_between(std::int64_t from_millis, std::int64_t to_millis) {
  const std::int64_t from = floor_div(from_millis, kMillisPerDay);
  const std::int64_t to = floor_div(to_millis, kMillisPerDay);
  const std::int64_t months = months_between_days(from, to);
  const bool same_day = add_months(from, months) == to;
  return same_day && floor_mod(to_millis, kMillisPerDay) < floor_mod(from_millis, kMillisPerDay)
             ? months - 1
             : months;
}

std::int64_t unit_millis(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kWeek:
      return 7 * kMillisPerDay;
    case TimeUnit::kDay:
      return kMillisPerDay;
    case TimeUnit::kHour:
      return kMillisPerHour;
    case TimeUnit::kMinute:
      return kMillisPerMinute;
    case TimeUnit::kSecond:
      return kMillisPerSecond;
    case TimeUnit::kMillisecond:
      return 1;
    default:
      return 0;
  }
}

}  // namespace clepsydra
