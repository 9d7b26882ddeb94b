#include "taskmanager/watermark_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::column_of;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Times of day on 1970-01-01: "00:00:01" is 1000 ms.
Column seconds(const std::vector<std::string_view>& values) {
  return column_of("TIMESTAMP(3)", values);
}

TEST(WatermarkGeneratorTest,
     a_mark_stands_after_every_row_that_advances_by_more_than_the_interval) {
  WatermarkGenerator generator(200);
  EXPECT_THAT(generator.advance(seconds({"1970-01-01 00:00:01.000", "1970-01-01 00:00:01.200",
                                         "1970-01-01 00:00:01.201", "1970-01-01 00:00:01.100",
                                         "1970-01-01 00:00:01.402"}),
                                nullptr),
              ElementsAre(Mark{1, 1000}, Mark{3, 1201}, Mark{5, 1402}));
  EXPECT_FALSE(generator.has_pending());
}

TEST(WatermarkGeneratorTest, a_smaller_advance_waits_across_batches) {
  WatermarkGenerator generator(200);
  generator.advance(seconds({"1970-01-01 00:00:01.000"}), nullptr);
  EXPECT_THAT(generator.advance(seconds({"1970-01-01 00:00:01.150"}), nullptr), IsEmpty());
  EXPECT_TRUE(generator.has_pending());
  EXPECT_EQ(generator.emitted(), 1000);
  EXPECT_THAT(generator.advance(seconds({"1970-01-01 00:00:01.250"}), nullptr),
              ElementsAre(Mark{1, 1250}));
}

TEST(WatermarkGeneratorTest, what_is_pending_can_be_taken) {
  WatermarkGenerator generator(200);
  generator.advance(seconds({"1970-01-01 00:00:01.000", "1970-01-01 00:00:01.150"}), nullptr);
  EXPECT_EQ(generator.take_pending(), 1150);
  EXPECT_FALSE(generator.has_pending());
  EXPECT_THAT(generator.advance(seconds({"1970-01-01 00:00:01.350"}), nullptr), IsEmpty());
}

TEST(WatermarkGeneratorTest, interval_zero_marks_every_advance) {
  WatermarkGenerator generator(0);
  EXPECT_THAT(generator.advance(seconds({"1970-01-01 00:00:00.005", "1970-01-01 00:00:00.005",
                                         "1970-01-01 00:00:00.006"}),
                                nullptr),
              ElementsAre(Mark{1, 5}, Mark{3, 6}));
}

TEST(WatermarkGeneratorTest, rows_with_null_do_not_count) {
  WatermarkGenerator generator(0);
  const Column rowtimes = seconds({"1970-01-01 00:00:00.001", "1970-01-01 00:00:00.001", "NULL"});
  EXPECT_THAT(
      generator.advance(seconds({"1970-01-01 00:00:00.005", "NULL", "1970-01-01 00:00:00.009"}),
                        &rowtimes),
      ElementsAre(Mark{1, 5}));
}

TEST(WatermarkGeneratorTest, every_precision_is_in_milliseconds) {
  for (const std::string_view type : {"TIMESTAMP(0)", "TIMESTAMP(6)", "TIMESTAMP_LTZ(9)"}) {
    WatermarkGenerator generator(0);
    EXPECT_THAT(generator.advance(column_of(type, {"1970-01-01 00:00:02"}), nullptr),
                ElementsAre(Mark{1, 2000}))
        << type;
  }
}

TEST(WatermarkGeneratorTest, times_before_1970_count_too) {
  WatermarkGenerator generator(200);
  EXPECT_THAT(
      generator.advance(seconds({"1960-01-01 00:00:00.000", "1960-01-01 00:00:01.000"}), nullptr)
          .size(),
      2);
}

}  // namespace
}  // namespace clepsydra
