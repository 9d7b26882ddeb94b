#include "base/duration.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace clepsydra {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, reads_every_unit_and_form) {
  const std::vector<std::pair<std::string_view, Duration>> cases = {
      {"10 s", 10s},
      {"10s", 10s},
      {"  10   S  ", 10s},
      {"3 secs", 3s},
      {"1 second", 1s},
      {"2 seconds", 2s},
      {"200ms", 200ms},
      {"200", 200ms},
      {"0", 0ms},
      {"7 milliseconds", 7ms},
      {"1 min", 1min},
      {"5m", 5min},
      {"2 minutes", 2min},
      {"3 h", 3h},
      {"1 hour", 1h},
      {"1 d", 24h},
      {"2 days", 48h},
      {"5 \xC2\xB5s", 5us},
      {"5 micros", 5us},
      {"9 ns", 9ns},
      {"9 nanos", 9ns},
      {"PT10S", 10s},
      {"pt1m30s", 90s},
      {"PT0.2S", 200ms},
      {"PT0,000000001S", 1ns},
      {"P1DT2H3M4.5S", 24h + 2h + 3min + 4500ms},
      {"P2D", 48h},
      {"-PT1S", -1s},
      {"PT-1.5S", -1500ms},
      {"PT1H-30M", 30min},
      {"292 d", 292 * 24h},
  };
  for (const auto& [text, expected] : cases) {
    const Result<Duration> parsed = parse_duration(text);
    ASSERT_TRUE(parsed.is_ok()) << text << ": " << parsed.status().to_string();
    EXPECT_EQ(*parsed, expected) << text;
  }
}

TEST(DurationTest, refuses_anything_else_quoting_it) {
  for (const std::string_view text :
       {"", "  ", "s", "ten s", "10 parsecs", "1.5 s", "-3 s", "10 s 5", "P", "PT", "P1DT", "PT1",
        "PT1S1M", "P1M", "PT1.5H", "1d2h", "PT1.1234567891S", "T1S", "\xB5s"}) {
    const Result<Duration> parsed = parse_duration(text);
    ASSERT_FALSE(parsed.is_ok()) << text;
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalidArgument);
  }
  EXPECT_NE(parse_duration("10 parsecs").status().message().find("\"10 parsecs\""),
            std::string::npos);
}

TEST(DurationTest, out_of_range_is_an_error_not_a_wrap) {
  for (const std::string_view text : {"99999999999999999999", "300000 d", "P200000D",
                                      "PT9223372037S", "P106751DT23H47M16.854775808S"}) {
    EXPECT_FALSE(parse_duration(text).is_ok()) << text;
  }
  EXPECT_EQ(*parse_duration("P106751DT23H47M16.854775807S"), Duration::max());
}

TEST(DurationTest, prints_with_the_largest_whole_unit) {
  EXPECT_EQ(format_duration(0s), "0 ms");
  EXPECT_EQ(format_duration(90s), "90 s");
  EXPECT_EQ(format_duration(60s), "1 min");
  EXPECT_EQ(format_duration(1500us), "1500 \xC2\xB5s");
  EXPECT_EQ(format_duration(48h), "2 d");
  for (const Duration duration :
       {Duration(1), Duration(-1), Duration(-1'500'000'000), Duration::max(), Duration(60s)}) {
    EXPECT_EQ(*parse_duration(format_duration(duration)), duration) << format_duration(duration);
  }
}

TEST(MemorySizeTest, reads_every_unit) {
  const std::vector<std::pair<std::string_view, std::int64_t>> cases = {
      {"0", 0},
      {"100", 100},
      {"7 b", 7},
      {"7bytes", 7},
      {"1k", 1024},
      {"16 kb", 16 << 10},
      {"2 kibibytes", 2048},
      {"64 mb", 64 << 20},
      {"64MB", 64 << 20},
      {"3 m", 3 << 20},
      {"1 mebibytes", 1 << 20},
      {"1 g", 1LL << 30},
      {"4 gb", 4LL << 30},
      {"2 gibibytes", 2LL << 30},
      {"1t", 1LL << 40},
      {"1 tb", 1LL << 40},
      {"8388607 tebibytes", 8388607LL << 40},
  };
  for (const auto& [text, expected] : cases) {
    const Result<MemorySize> parsed = parse_memory_size(text);
    ASSERT_TRUE(parsed.is_ok()) << text;
    EXPECT_EQ(parsed->bytes, expected) << text;
  }
  for (const std::string_view text :
       {"", "mb", "1.5 gb", "-1 b", "10 pb", "64 mb x", "8388608 tb", "99999999999999999999"}) {
    EXPECT_FALSE(parse_memory_size(text).is_ok()) << text;
  }
}

TEST(MemorySizeTest, prints_with_the_largest_whole_unit) {
  EXPECT_EQ(format_memory_size({64 << 20}), "64 mb");
  EXPECT_EQ(format_memory_size({1536}), "1536 bytes");
  EXPECT_EQ(format_memory_size({2048}), "2 kb");
  EXPECT_EQ(format_memory_size({0}), "0 bytes");
}

}  // namespace
}  // namespace clepsydra
