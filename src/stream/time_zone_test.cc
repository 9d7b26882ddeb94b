#include "stream/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "base/local_file_system.h"
#include "base/random.h"
#include "stream/calendar.h"
#include "stream/value_text.h"
#include "stream/zone_rules.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

std::int64_t millis_of(std::string_view text) {
  std::int64_t ticks = 0;
  EXPECT_TRUE(parse_timestamp(text, 3, ticks)) << text;
  return ticks;
}

std::string text_of(std::int64_t millis) {
  std::string text;
  append_timestamp_text(timestamp_from_millis(millis, 0), 0, text);
  return text;
}

TimeZonePtr zone(std::string_view name) {
  return find_time_zone(name).value();
}

TEST(CalendarTest, dates_count_from_1970_and_back) {
  EXPECT_EQ(days_from_civil({1970, 1, 1}), 0);
  EXPECT_EQ(days_from_civil({2000, 2, 29}), 11'016);
  EXPECT_EQ(days_from_civil({1, 1, 1}), -719'162);
  std::int64_t days = days_from_civil({1596, 1, 1});
  for (std::int64_t year = 1596; year < 2405; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= days_of_month(year, month); ++day, ++days) {
        ASSERT_EQ(days_from_civil({year, month, day}), days);
        const CivilDate date = civil_from_days(days);
        ASSERT_TRUE(date.year == year && date.month == month && date.day == day);
      }
    }
  }
}

TEST(TimeZoneTest, offsets_are_written_in_many_ways) {
  const std::pair<const char*, std::int64_t> kOffsets[] = {
      {"UTC", 0},          {"Z", 0},
      {"GMT", 0},          {"+08:00", 28'800},
      {"GMT+8", 28'800},   {"UTC+01:00", 3600},
      {"-0530", -19'800},  {"+8", 28'800},
      {"+8:30", 30'600},   {"GMT-08:00", -28'800},
      {"+01:02:03", 3723}, {"+010203", 3723},
      {"-18:00", -64'800}, {"UT", 0},
      {"UT-1", -3600}};
  for (const auto& [name, seconds] : kOffsets) {
    const Result<TimeZonePtr> found = find_time_zone(name);
    ASSERT_TRUE(found.is_ok()) << name;
    EXPECT_EQ((*found)->offset_at_instant(0), seconds) << name;
    EXPECT_EQ((*found)->offset_of_local(0), seconds) << name;
    EXPECT_EQ((*found)->name(), name);
  }
}

TEST(TimeZoneTest, what_is_no_zone_is_refused) {
  for (const char* name : {"",
                           "Europe",
                           "Europe/",
                           "Europe/Nowhere",
                           "europe/berlin ",
                           "+19:00",
                           "+18:01",
                           "+1:2",
                           "+08:60",
                           "+08:00:",
                           "+",
                           "GMT+",
                           "8",
                           "../etc/passwd",
                           "/etc/passwd",
                           "Europe/../Europe/Berlin",
                           "right/UTC",
                           "leapseconds",
                           "tzdata.zi",
                           "Europe\nBerlin"}) {
    const Status status = find_time_zone(name).status();
    EXPECT_EQ(status.code(), StatusCode::kNotFound) << name;
  }
  EXPECT_THAT(find_time_zone("Europe/Nowhere").status().to_string(),
              HasSubstr("there is no time zone 'Europe/Nowhere'; expected a name such as"));
}

// Computed with Python's zoneinfo over the same data.
TEST(TimeZoneTest, offsets_of_named_zones_over_all_time) {
  static const char* const kDates[] = {"1850-01-01", "2011-12-30", "2024-01-15", "2024-07-15",
                                       "2039-07-15", "2100-01-15", "2499-07-15", "3024-07-15"};
  struct Case {
    const char* name;
    std::array<std::int64_t, std::size(kDates)> offsets;
  };
  const Case kCases[] = {
      {"Europe/Berlin", {3208, 3600, 3600, 7200, 7200, 3600, 7200, 7200}},
      {"America/New_York", {-17762, -18000, -18000, -14400, -14400, -18000, -14400, -14400}},
      {"Europe/Dublin", {-1521, 0, 0, 3600, 3600, 0, 3600, 3600}},
      {"Asia/Kolkata", {21208, 19800, 19800, 19800, 19800, 19800, 19800, 19800}},
      {"Australia/Lord_Howe", {38180, 39600, 39600, 37800, 37800, 39600, 37800, 37800}},
      {"Pacific/Apia", {45184, 50400, 46800, 46800, 46800, 46800, 46800, 46800}},
      {"Antarctica/Troll", {0, 0, 0, 7200, 7200, 0, 7200, 7200}},
  };
  for (const Case& c : kCases) {
    const TimeZonePtr found = zone(c.name);
    for (std::size_t i = 0; i < std::size(kDates); ++i) {
      const std::int64_t noon = millis_of(std::string(kDates[i]) + " 12:00:00");
      EXPECT_EQ(found->offset_at_instant(noon), c.offsets[i]) << c.name << " " << kDates[i];
    }
  }
}

TEST(TimeZoneTest, offset_changes_at_the_millisecond) {
  const TimeZonePtr berlin = zone("Europe/Berlin");
  const std::int64_t change = millis_of("2024-03-31 01:00:00");
  EXPECT_EQ(text_of(berlin->to_local(change - 1)), "2024-03-31 01:59:59");
  EXPECT_EQ(text_of(berlin->to_local(change)), "2024-03-31 03:00:00");
}

// As java.time: in a gap the offset before it, so that the time moves forward; in an overlap the
// earlier one.
TEST(TimeZoneTest, local_times_in_gaps_and_overlaps) {
  struct Case {
    const char* name;
    const char* local;
    const char* instant;
  };
  const Case kCases[] = {
      {"Europe/Berlin", "2024-03-31 01:59:59", "2024-03-31 00:59:59"},
      {"Europe/Berlin", "2024-03-31 02:00:00", "2024-03-31 01:00:00"},  // Gap.
      {"Europe/Berlin", "2024-03-31 02:30:00", "2024-03-31 01:30:00"},
      {"Europe/Berlin", "2024-03-31 03:00:00", "2024-03-31 01:00:00"},
      {"Europe/Berlin", "2024-10-27 01:59:59", "2024-10-26 23:59:59"},
      {"Europe/Berlin", "2024-10-27 02:00:00", "2024-10-27 00:00:00"},  // Overlap.
      {"Europe/Berlin", "2024-10-27 02:59:59", "2024-10-27 00:59:59"},
      {"Europe/Berlin", "2024-10-27 03:00:00", "2024-10-27 02:00:00"},
      {"Europe/Berlin", "2099-10-25 02:30:00", "2099-10-25 00:30:00"},
      {"America/New_York", "2024-11-03 01:30:00", "2024-11-03 05:30:00"},
      {"Pacific/Apia", "2011-12-30 12:00:00", "2011-12-30 22:00:00"},  // A day that was left out.
      {"Pacific/Apia", "2011-12-31 00:00:00", "2011-12-30 10:00:00"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(text_of(zone(c.name)->to_instant(millis_of(c.local))), c.instant)
        << c.name << " " << c.local;
  }
}

TEST(TimeZoneTest, instants_survive_the_way_to_local_time_and_back_but_for_overlaps) {
  Random random(3);
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tehran"}) {
    const TimeZonePtr found = zone(name);
    for (int i = 0; i < 5000; ++i) {
      const std::int64_t instant =
          random.uniform_between(millis_of("1800-01-01"), millis_of("2999-12-31"));
      const std::int64_t back = found->to_instant(found->to_local(instant));
      // In an overlap the earlier of the two instants with this local time.
      EXPECT_EQ(found->to_local(back), found->to_local(instant));
      EXPECT_LE(back, instant);
      EXPECT_LE(instant - back, 2 * 3'600'000);
    }
  }
}

TEST(ZoneRulesTest, broken_files_are_errors) {
  LocalFileSystem files;
  const std::string berlin = read_file(files, "/usr/share/zoneinfo/Europe/Berlin").value();
  ASSERT_TRUE(ZoneRules::parse(berlin).is_ok());
  for (std::size_t size = 0; size < berlin.size(); ++size) {
    EXPECT_FALSE(ZoneRules::parse(std::string_view(berlin).substr(0, size)).is_ok()) << size;
  }
  Random random(9);
  for (int round = 0; round < 2000; ++round) {
    std::string changed = berlin;
    changed[random.uniform(changed.size())] = static_cast<char>(random.next_u64());
    if (const Result<ZoneRules> rules = ZoneRules::parse(changed); rules.is_ok()) {
      EXPECT_LE(std::abs(rules->offset_at_instant(static_cast<std::int64_t>(random.next_u64()))),
                200 * 3600);
    } else {
      EXPECT_EQ(rules.status().code(), StatusCode::kDataLoss);
    }
  }
}

}  // namespace
}  // namespace clepsydra
