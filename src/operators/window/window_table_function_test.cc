#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "operators/operator_harness.h"
#include "operators/window/window_test_plans.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::cumulate_window;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::hop_window;
using testing::OperatorHarness;
using testing::schema_of;
using testing::tumble_window;

OperatorSpec spec_of(const ValueTree& window, int time_column = 1,
                     const char* time_type = "TIMESTAMP(3)") {
  OperatorSpec spec;
  spec.kind = "window_table_function";
  spec.name = "WindowTableFunction";
  const std::string input = std::string("k STRING, ts ") + time_type;
  spec.inputs = {schema_of(input)};
  spec.output = schema_of(
      input + ", window_start TIMESTAMP(3), window_end TIMESTAMP(3), window_time " + time_type);
  spec.options.set("window", window);
  spec.options.set("time_column", time_column);
  return spec;
}

// The output of the operator, the same for batches of 1, 7 and 4096 rows; watermarks are left out
// of the comparison, since those without rows in between may become one.
std::vector<std::string> run(const OperatorSpec& spec, const std::vector<std::string>& lines,
                             bool with_watermarks = false) {
  std::vector<std::string> first;
  for (const std::int64_t batch_rows : {1, 7, 4096}) {
    OperatorHarness::Options options;
    options.batch_rows = batch_rows;
    auto harness = OperatorHarness::make({spec}, options).value();
    EXPECT_TRUE(harness->push(lines).is_ok());
    EXPECT_TRUE(harness->finish().is_ok());
    const auto& output = with_watermarks ? harness->output() : harness->rows();
    if (first.empty()) first = output;
    EXPECT_EQ(output, first) << "with batches of " << batch_rows;
  }
  return first;
}

TEST(WindowTableFunctionTest, a_row_has_one_tumbling_window) {
  EXPECT_THAT(run(spec_of(tumble_window(10'000, 3'000)), {"a | 2024-01-01 10:00:12.999"}),
              ElementsAre("a | 2024-01-01 10:00:12.999 | 2024-01-01 10:00:03.000 | 2024-01-01 "
                          "10:00:13.000 | 2024-01-01 10:00:12.999"));
}

// golden/queries/win_hop_rows: order 1.
TEST(WindowTableFunctionTest, a_row_has_every_hop_that_holds_it) {
  EXPECT_THAT(run(spec_of(hop_window(60'000, 30'000)), {"1 | 2024-01-01 10:00:14"}),
              ElementsAre("1 | 2024-01-01 10:00:14.000 | 2024-01-01 09:59:30.000 | 2024-01-01 "
                          "10:00:30.000 | 2024-01-01 10:00:29.999",
                          "1 | 2024-01-01 10:00:14.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:01:00.000 | 2024-01-01 10:00:59.999"));
}

TEST(WindowTableFunctionTest, a_row_in_a_gap_between_hops_has_none) {
  EXPECT_THAT(run(spec_of(hop_window(10'000, 60'000)),
                  {"a | 2024-01-01 10:00:14", "b | 2024-01-01 10:00:09"}),
              ElementsAre("b | 2024-01-01 10:00:09.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:00:10.000 | 2024-01-01 10:00:09.999"));
}

TEST(WindowTableFunctionTest, a_row_has_its_cumulating_windows_up_to_the_longest) {
  EXPECT_THAT(run(spec_of(cumulate_window(30'000, 10'000)), {"a | 2024-01-01 10:00:14"}),
              ElementsAre("a | 2024-01-01 10:00:14.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:00:20.000 | 2024-01-01 10:00:19.999",
                          "a | 2024-01-01 10:00:14.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:00:30.000 | 2024-01-01 10:00:29.999"));
}

TEST(WindowTableFunctionTest, watermarks_and_row_kinds_keep_their_place) {
  EXPECT_THAT(run(spec_of(hop_window(20'000, 10'000)),
                  {"a | 2024-01-01 10:00:01", "~2024-01-01 10:00:02", "-D b | 2024-01-01 10:00:03",
                   "~2024-01-01 10:00:04"},
                  true),
              ElementsAre("a | 2024-01-01 10:00:01.000 | 2024-01-01 09:59:50.000 | 2024-01-01 "
                          "10:00:10.000 | 2024-01-01 10:00:09.999",
                          "a | 2024-01-01 10:00:01.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:00:20.000 | 2024-01-01 10:00:19.999",
                          "~2024-01-01 10:00:02.000",
                          "-D b | 2024-01-01 10:00:03.000 | 2024-01-01 09:59:50.000 | 2024-01-01 "
                          "10:00:10.000 | 2024-01-01 10:00:09.999",
                          "-D b | 2024-01-01 10:00:03.000 | 2024-01-01 10:00:00.000 | 2024-01-01 "
                          "10:00:20.000 | 2024-01-01 10:00:19.999",
                          "~2024-01-01 10:00:04.000", "~end"));
}

TEST(WindowTableFunctionTest, late_rows_pass_and_rows_without_a_time_are_dropped) {
  auto harness = OperatorHarness::make({spec_of(tumble_window(10'000))}, {}).value();
  ASSERT_TRUE(
      harness->push({"~2024-01-01 11:00:00", "a | 2024-01-01 10:00:01", "b | NULL"}).is_ok());
  EXPECT_EQ(harness->rows().size(), 1U);
  EXPECT_EQ(harness->counters().late_rows, 0);
  EXPECT_EQ(harness->counters().dropped_rows, 1);
}

TEST(WindowTableFunctionTest, many_windows_go_out_in_steps_with_marks_in_place) {
  OperatorHarness::Options options;
  options.output_rows_max = 100;
  auto harness = OperatorHarness::make({spec_of(hop_window(3'600'000, 1'000))}, options).value();
  ASSERT_TRUE(harness
                  ->push({"a | 2024-01-01 10:00:00", "~2024-01-01 10:00:00",
                          "b | 2024-01-01 10:00:01", "~2024-01-01 10:00:01"})
                  .is_ok());
  EXPECT_EQ(harness->rows().size(), 7200U);
  EXPECT_LE(harness->step_rows_max(), 400);
  EXPECT_EQ(harness->output()[3600], "~2024-01-01 10:00:00.000");
  EXPECT_EQ(harness->output().back(), "~2024-01-01 10:00:01.000");
}

TEST(WindowTableFunctionTest, windows_of_a_zone_show_its_clock_and_window_time_is_an_instant) {
  // The texts of TIMESTAMP_LTZ are UTC here.
  EXPECT_THAT(run(spec_of(tumble_window(86'400'000, 0, "Asia/Shanghai"), 1, "TIMESTAMP_LTZ(3)"),
                  {"a | 2024-01-01 15:59:59"}),
              ElementsAre("a | 2024-01-01 15:59:59.000 | 2024-01-01 00:00:00.000 | 2024-01-02 "
                          "00:00:00.000 | 2024-01-01 15:59:59.999"));
}

TEST(WindowTableFunctionTest, processing_time_is_the_clock_of_the_task) {
  OperatorHarness::Options options;
  options.clock_start_ms = testing::millis_of("2024-01-01 10:00:03");
  auto harness = OperatorHarness::make({spec_of(tumble_window(10'000), -1)}, options).value();
  ASSERT_TRUE(harness->push({"a | NULL"}).is_ok());
  EXPECT_THAT(harness->rows(), ElementsAre("a | NULL | 2024-01-01 10:00:00.000 | 2024-01-01 "
                                           "10:00:10.000 | 2024-01-01 10:00:09.999"));
}

TEST(WindowTableFunctionTest, specs_that_do_not_fit_are_refused) {
  OperatorSpec wrong_time = spec_of(tumble_window(10), 0);
  EXPECT_THAT(OperatorHarness::make({wrong_time}, {}).status().to_string(),
              HasSubstr("not a time"));
  OperatorSpec wrong_output = spec_of(tumble_window(10));
  wrong_output.output = wrong_output.inputs[0];
  EXPECT_THAT(OperatorHarness::make({wrong_output}, {}).status().to_string(),
              HasSubstr("three timestamps"));
}

}  // namespace
}  // namespace clepsydra
