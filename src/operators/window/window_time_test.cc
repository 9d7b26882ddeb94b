#include "operators/window/window_time.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/memory_pool.h"
#include "operators/operator_harness.h"
#include "operators/window/window_spec.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

using testing::millis_of;

// New York: on 2013-03-10 at 07:00 UTC the clocks went from 02:00 to 03:00, on 2013-11-03 at 06:00
// UTC from 02:00 back to 01:00.
WindowTime new_york() {
  return WindowTime::make("America/New_York").value();
}

TEST(WindowTimeTest, without_a_zone_windows_lie_on_the_scale_of_the_stream) {
  const WindowTime time = WindowTime::make("").value();
  EXPECT_EQ(time.of_instant(1234), 1234);
  EXPECT_EQ(time.to_instant(1234), 1234);
  EXPECT_EQ(time.passed_instant(1234), 1234);
  // A window that ends at e closes at the watermark e - 1.
  EXPECT_EQ(time.closed_until(999), 1000);
}

TEST(WindowTimeTest, extreme_watermarks_close_everything_or_nothing) {
  for (const char* zone : {"", "America/New_York"}) {
    const WindowTime time = WindowTime::make(zone).value();
    EXPECT_GT(time.closed_until(std::numeric_limits<std::int64_t>::max()), WindowSpec::kTimeMax);
    EXPECT_LT(time.closed_until(std::numeric_limits<std::int64_t>::min()), WindowSpec::kTimeMin);
  }
}

TEST(WindowTimeTest, windows_lie_on_local_time) {
  const WindowTime time = new_york();
  EXPECT_EQ(time.of_instant(millis_of("2013-07-01 04:00:00")), millis_of("2013-07-01 00:00:00"));
  EXPECT_EQ(time.to_instant(millis_of("2013-07-01 00:00:00")), millis_of("2013-07-01 04:00:00"));
  EXPECT_EQ(time.closed_until(millis_of("2013-07-01 03:59:59.999")),
            millis_of("2013-07-01 00:00:00"));
  EXPECT_EQ(time.passed_instant(millis_of("2013-07-01 00:00:00")),
            millis_of("2013-07-01 04:00:00"));
}

TEST(WindowTimeTest, a_window_in_the_repeated_hour_closes_after_its_second_pass) {
  const WindowTime time = new_york();
  // 05:30 UTC is 01:30 for the first time; from 06:00 UTC on it is 01:00 and later again.
  EXPECT_EQ(time.of_instant(millis_of("2013-11-03 05:30:00")), millis_of("2013-11-03 01:30:00"));
  EXPECT_EQ(time.closed_until(millis_of("2013-11-03 05:29:59.999")),
            millis_of("2013-11-03 01:00:00"));
  EXPECT_EQ(time.closed_until(millis_of("2013-11-03 05:59:59.999")),
            millis_of("2013-11-03 01:00:00"));
  EXPECT_EQ(time.closed_until(millis_of("2013-11-03 06:29:59.999")),
            millis_of("2013-11-03 01:30:00"));
  EXPECT_EQ(time.passed_instant(millis_of("2013-11-03 01:30:00")),
            millis_of("2013-11-03 06:30:00"));
  EXPECT_EQ(time.passed_instant(millis_of("2013-11-03 00:30:00")),
            millis_of("2013-11-03 04:30:00"));
}

TEST(WindowTimeTest, windows_in_a_skipped_hour_close_when_it_is_skipped) {
  const WindowTime time = new_york();
  EXPECT_EQ(time.closed_until(millis_of("2013-03-10 06:59:59.998")),
            millis_of("2013-03-10 01:59:59.999"));
  EXPECT_EQ(time.closed_until(millis_of("2013-03-10 06:59:59.999")),
            millis_of("2013-03-10 03:00:00"));
  EXPECT_EQ(time.passed_instant(millis_of("2013-03-10 02:30:00")),
            millis_of("2013-03-10 07:00:00"));
}

TEST(WindowTimeTest, closing_never_goes_back) {
  const WindowTime time = new_york();
  for (const char* around : {"2013-03-10 07:00:00", "2013-11-03 06:00:00"}) {
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
    for (std::int64_t minute = -1800; minute <= 1800; ++minute) {
      const std::int64_t watermark = millis_of(around) + minute * 60'000;
      const std::int64_t closed = time.closed_until(watermark);
      ASSERT_GE(closed, last);
      // No later instant falls into what has closed.
      for (std::int64_t later = 1; later < 200; later += 7) {
        ASSERT_GE(time.of_instant(watermark + 1 + later * 60'000), closed);
      }
      last = closed;
    }
  }
}

TEST(WindowTimeTest, columns_are_converted_row_by_row) {
  const auto pool = MemoryPool::make_root("test");
  const std::vector<const char*> instants = {"2013-03-10 06:59:59", "2013-03-10 07:00:00",
                                             "2013-11-03 05:30:00", "2013-11-03 06:30:00",
                                             "2013-07-01 04:00:00"};
  ColumnBuilder builder(DataType::timestamp_ltz(3), *pool);
  for (const char* instant : instants) builder.append(millis_of(instant));
  builder.append_null();
  builder.append(std::numeric_limits<std::int64_t>::max());
  builder.append(std::numeric_limits<std::int64_t>::min());
  std::vector<std::int64_t> times(8);

  new_york().convert(builder.finish().value(), times.data());

  const std::vector<std::int64_t> expected = {millis_of("2013-03-10 01:59:59"),
                                              millis_of("2013-03-10 03:00:00"),
                                              millis_of("2013-11-03 01:30:00"),
                                              millis_of("2013-11-03 01:30:00"),
                                              millis_of("2013-07-01 00:00:00"),
                                              WindowTime::kNone,
                                              WindowTime::kNone,
                                              WindowTime::kNone};
  EXPECT_EQ(times, expected);
}

TEST(WindowTimeTest, other_precisions_count_in_milliseconds) {
  const auto pool = MemoryPool::make_root("test");
  ColumnBuilder builder(DataType::timestamp(6), *pool);
  builder.append(std::int64_t{1'234'567});
  builder.append(std::int64_t{-1});
  std::vector<std::int64_t> times(2);

  WindowTime::make("").value().convert(builder.finish().value(), times.data());

  EXPECT_EQ(times, (std::vector<std::int64_t>{1234, -1}));
}

TEST(WindowTimeTest, an_unknown_zone_is_an_error) {
  EXPECT_EQ(WindowTime::make("Mars/Olympus").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace clepsydra
