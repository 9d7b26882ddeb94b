// window_aggregate, single and in two phases, with batches of 1, 7 and 4096 rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "operators/operator_harness.h"
#include "operators/window/window_test_plans.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

using testing::aggregate_int;
using testing::AggregatePlan;
using testing::count_star;
using testing::cumulate_window;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using testing::hop_window;
using testing::OperatorHarness;
using testing::tumble_window;
using testing::window_aggregate_specs;
using testing::WindowPlan;

constexpr std::int64_t kSecond = 1000;

struct Outcome {
  std::vector<std::string> rows;
  std::vector<std::string> output = {};
  std::int64_t late_rows = 0;
  std::int64_t dropped_rows = 0;
  std::vector<std::string> late_sample = {};
};

// Keys of a window in any order: rows are sorted within runs of the same window end.
std::vector<std::string> sorted_in_windows(std::vector<std::string> rows) {
  const auto end_of = [](const std::string& row) { return row.substr(row.rfind('|')); };
  for (auto begin = rows.begin(); begin != rows.end();) {
    const auto end = std::find_if(
        begin, rows.end(), [&](const std::string& row) { return end_of(row) != end_of(*begin); });
    std::sort(begin, end);
    begin = end;
  }
  return rows;
}

Outcome run_once(const WindowPlan& plan, bool two_phase, const std::vector<std::string>& lines,
                 const OperatorHarness::Options& options) {
  auto made = OperatorHarness::make(window_aggregate_specs(plan, two_phase), options);
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  OperatorHarness& harness = **made;
  Status status = harness.push(lines);
  if (status.is_ok()) status = harness.finish();
  EXPECT_TRUE(status.is_ok()) << status.to_string();
  Outcome outcome{.rows = harness.rows(), .output = harness.output()};
  for (int op = 0; op < harness.chain().size(); ++op) {
    const OperatorCounters counters = harness.counters(op);
    outcome.late_rows += counters.late_rows;
    outcome.dropped_rows += counters.dropped_rows;
    for (const std::string& text : counters.late_sample) outcome.late_sample.push_back(text);
  }
  return outcome;
}

// The straight run. One that is restored between any two inputs, or from deltas, must agree with
// it.
Outcome run(const WindowPlan& plan, bool two_phase, std::int64_t batch_rows,
            const std::vector<std::string>& lines, std::int64_t output_rows_max = 4096) {
  OperatorHarness::Options options;
  options.batch_rows = batch_rows;
  options.output_rows_max = output_rows_max;
  Outcome straight = run_once(plan, two_phase, lines, options);
  options.checkpoint_every = 1;
  options.restore_every = batch_rows == 7 ? 7 : 1;
  const Outcome restored = run_once(plan, two_phase, lines, options);
  EXPECT_EQ(sorted_in_windows(restored.rows), sorted_in_windows(straight.rows)) << "restored";
  EXPECT_EQ(restored.late_rows, straight.late_rows);
  EXPECT_EQ(restored.dropped_rows, straight.dropped_rows);
  EXPECT_EQ(restored.late_sample, straight.late_sample);
  return straight;
}

// Every case runs in these ways, and all must agree.
struct Way {
  bool two_phase;
  std::int64_t batch_rows;
};
constexpr Way kWays[] = {{false, 1}, {false, 7}, {false, 4096}, {true, 1}, {true, 7}, {true, 4096}};

std::string name_of(const Way& way) {
  return (way.two_phase ? "two phases" : "one phase") + std::string(", batches of ") +
         std::to_string(way.batch_rows);
}

TEST(WindowAggregateTest, tumbling_windows_fire_in_order_with_keys_as_they_first_came) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond),
                        .aggregates = {count_star(), aggregate_int("SUM", 1)}};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows,
                                {"b | 1 | 2024-01-01 10:00:01", "a | 2 | 2024-01-01 10:00:09.999",
                                 "b | 3 | 2024-01-01 10:00:12", "b | 4 | 2024-01-01 10:00:00",
                                 "~2024-01-01 10:00:09.998", "c | NULL | 2024-01-01 10:00:05",
                                 "~2024-01-01 10:00:09.999", "a | 5 | 2024-01-01 10:00:10"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("b | 2 | 5 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "a | 1 | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "c | 1 | NULL | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "b | 1 | 3 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:20.000",
                            "a | 1 | 5 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:20.000"));
    EXPECT_EQ(outcome.late_rows, 0);
    EXPECT_EQ(outcome.output.back(), "~end");
  }
}

TEST(WindowAggregateTest, results_come_before_the_watermark_that_fires_them) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows,
                                {"a | 1 | 2024-01-01 10:00:01", "~2024-01-01 10:00:12",
                                 "a | 1 | 2024-01-01 10:00:13", "~2024-01-01 10:00:25"});
    EXPECT_THAT(outcome.output,
                ElementsAre("a | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "~2024-01-01 10:00:12.000",
                            "a | 1 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:20.000",
                            "~2024-01-01 10:00:25.000", "~end"));
  }
}

TEST(WindowAggregateTest, rows_behind_the_watermark_are_counted_and_shown_not_aggregated) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(
        plan, way.two_phase, way.batch_rows,
        {"a | 1 | 2024-01-01 10:00:01", "~2024-01-01 10:00:09.999", "b | 7 | 2024-01-01 10:00:09",
         "a | 1 | 2024-01-01 10:00:11", "b | 8 | 2024-01-01 10:00:08", "~2024-01-01 10:00:15"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("a | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "a | 1 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:20.000"));
    EXPECT_EQ(outcome.late_rows, 2);
    EXPECT_THAT(outcome.late_sample,
                ElementsAre("window_start 2024-01-01 10:00:00.000, row (b, 7, 2024-01-01 "
                            "10:00:09.000), watermark 2024-01-01 10:00:09.999",
                            "window_start 2024-01-01 10:00:00.000, row (b, 8, 2024-01-01 "
                            "10:00:08.000), watermark 2024-01-01 10:00:09.999"));
  }
}

TEST(WindowAggregateTest, only_a_few_late_rows_are_kept_as_samples) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  std::vector<std::string> lines = {"~2024-01-01 11:00:00"};
  for (int i = 0; i < 100; ++i) lines.emplace_back("a | 1 | 2024-01-01 10:00:01");
  for (const Way& way : kWays) {
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows, lines);
    EXPECT_EQ(outcome.late_rows, 100);
    EXPECT_EQ(outcome.late_sample.size(), 5U);
  }
}

TEST(WindowAggregateTest, rows_without_a_time_are_dropped_and_counted) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows,
                                {"a | 1 | NULL", "a | 1 | 2024-01-01 10:00:01", "a | 1 | NULL"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("a | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000"));
    EXPECT_EQ(outcome.dropped_rows, 2);
    EXPECT_EQ(outcome.late_rows, 0);
  }
}

TEST(WindowAggregateTest, a_row_that_is_late_for_some_hops_counts_for_the_others) {
  // Windows end every 10 s; a row of 10:00:05 is in those that end at 10:00:10, :20, :30 and :40.
  for (const bool subtractable : {true, false}) {
    WindowPlan plan{.window = hop_window(40 * kSecond, 10 * kSecond), .aggregates = {count_star()}};
    if (!subtractable) plan.aggregates.push_back(aggregate_int("MAX", 1));
    const std::string tail = subtractable ? "" : " | 1";
    for (const Way& way : kWays) {
      SCOPED_TRACE(name_of(way));
      const Outcome outcome = run(plan, way.two_phase, way.batch_rows,
                                  {"a | 1 | 2024-01-01 10:00:15", "~2024-01-01 10:00:19.999",
                                   "a | 1 | 2024-01-01 10:00:05", "b | 1 | 2024-01-01 10:00:06",
                                   "~2024-01-01 10:00:39.999", "a | 1 | 2024-01-01 10:00:07"});
      const auto line = [&](const char* key, int count, const char* start, const char* end) {
        return std::string(key) + " | " + std::to_string(count) + tail + " | 2024-01-01 " + start +
               ".000 | 2024-01-01 " + end + ".000";
      };
      EXPECT_THAT(
          outcome.rows,
          ElementsAre(line("a", 1, "09:59:40", "10:00:20"), line("a", 2, "09:59:50", "10:00:30"),
                      line("b", 1, "09:59:50", "10:00:30"), line("a", 2, "10:00:00", "10:00:40"),
                      line("b", 1, "10:00:00", "10:00:40"), line("a", 1, "10:00:10", "10:00:50")));
      EXPECT_EQ(outcome.late_rows, 1);
    }
  }
}

TEST(WindowAggregateTest, cumulating_windows_grow_to_their_size) {
  const WindowPlan plan{.window = cumulate_window(30 * kSecond, 10 * kSecond),
                        .aggregates = {aggregate_int("SUM", 1)}};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome =
        run(plan, way.two_phase, way.batch_rows,
            {"a | 1 | 2024-01-01 10:00:05", "b | 2 | 2024-01-01 10:00:15", "~2024-01-01 10:00:15",
             "a | 4 | 2024-01-01 10:00:06", "a | 8 | 2024-01-01 10:00:35"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("a | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                            "a | 5 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
                            "b | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
                            "a | 5 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:30.000",
                            "b | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:30.000",
                            "a | 8 | 2024-01-01 10:00:30.000 | 2024-01-01 10:00:40.000",
                            "a | 8 | 2024-01-01 10:00:30.000 | 2024-01-01 10:00:50.000",
                            "a | 8 | 2024-01-01 10:00:30.000 | 2024-01-01 10:01:00.000"));
  }
}

TEST(WindowAggregateTest, without_keys_a_window_with_rows_has_one_result) {
  WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  plan.keys = {};
  plan.outputs = {"window_time"};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows,
                                {"a | 1 | 2024-01-01 10:00:05", "b | 2 | 2024-01-01 10:00:05",
                                 "c | 2 | 2024-01-01 10:00:25"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("2 | 2024-01-01 10:00:09.999", "1 | 2024-01-01 10:00:29.999"));
  }
}

TEST(WindowAggregateTest, filters_and_distinct_choose_what_an_aggregate_sees) {
  WindowPlan plan{.input = "k STRING, v INT, ts TIMESTAMP(3), f BOOLEAN",
                  .window = hop_window(20 * kSecond, 10 * kSecond)};
  AggregatePlan filtered = count_star();
  filtered.filter = 3;
  AggregatePlan distinct{.function = "COUNT",
                         .arguments = {1},
                         .type = DataType::big_int().with_nullable(false),
                         .distinct = true};
  plan.aggregates = {count_star(), filtered, distinct};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome =
        run(plan, way.two_phase, way.batch_rows,
            {"a | 1 | 2024-01-01 10:00:05 | true", "a | 1 | 2024-01-01 10:00:06 | false",
             "a | 2 | 2024-01-01 10:00:15 | NULL", "a | 1 | 2024-01-01 10:00:16 | true",
             "a | NULL | 2024-01-01 10:00:17 | true"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("a | 2 | 1 | 1 | 2024-01-01 09:59:50.000 | 2024-01-01 10:00:10.000",
                            "a | 5 | 3 | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
                            "a | 3 | 2 | 2 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:30.000"));
  }
}

TEST(WindowAggregateTest, lists_keep_the_order_of_slices_and_of_arrival) {
  WindowPlan plan{.input = "k STRING, v STRING, ts TIMESTAMP(3)",
                  .window = hop_window(40 * kSecond, 10 * kSecond)};
  plan.aggregates = {{.function = "LISTAGG", .arguments = {1}, .type = DataType::string()}};
  for (const std::int64_t batch_rows : {1, 7, 4096}) {
    const Outcome outcome = run(plan, false, batch_rows,
                                {"a | x | 2024-01-01 10:00:35", "a | w | 2024-01-01 10:00:31",
                                 "a | v | 2024-01-01 10:00:25", "~2024-01-01 10:00:39.999",
                                 "a | late | 2024-01-01 10:00:26", "~2024-01-01 10:00:49.999"});
    ASSERT_EQ(outcome.rows.size(), 5U);
    EXPECT_EQ(outcome.rows[0], "a | v | 2024-01-01 09:59:50.000 | 2024-01-01 10:00:30.000");
    EXPECT_EQ(outcome.rows[1], "a | 'v,x,w' | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:40.000");
    EXPECT_EQ(outcome.rows[2],
              "a | 'v,late,x,w' | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:50.000");
    EXPECT_EQ(outcome.rows[4], "a | 'x,w' | 2024-01-01 10:00:30.000 | 2024-01-01 10:01:10.000");
  }
}

TEST(WindowAggregateTest, windows_of_a_zone_are_its_calendar_days) {
  WindowPlan plan{.input = "k STRING, v INT, ts TIMESTAMP_LTZ(3)",
                  .window = tumble_window(24L * 3600 * kSecond, 0, "America/New_York"),
                  .aggregates = {count_star()}};
  plan.outputs = {"window_start", "window_end"};
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    // The texts of TIMESTAMP_LTZ are UTC here. 2013-11-03 has 25 hours in New York.
    const Outcome outcome = run(
        plan, way.two_phase, way.batch_rows,
        {"a | 1 | 2013-11-03 03:59:59.999", "a | 1 | 2013-11-03 04:00:00",
         "~2013-11-03 03:59:59.998", "a | 1 | 2013-11-04 04:59:59.999", "~2013-11-04 04:59:59.998",
         "a | 1 | 2013-11-03 05:00:00", "a | 1 | 2013-11-04 05:00:00", "~2013-11-04 04:59:59.999"});
    EXPECT_THAT(outcome.rows,
                ElementsAre("a | 1 | 2013-11-02 00:00:00.000 | 2013-11-03 00:00:00.000",
                            "a | 3 | 2013-11-03 00:00:00.000 | 2013-11-04 00:00:00.000",
                            "a | 1 | 2013-11-04 00:00:00.000 | 2013-11-05 00:00:00.000"));
    EXPECT_EQ(outcome.late_rows, 0);
  }
  // As an instant of the zone.
  plan.outputs = {"window_time"};
  plan.output_type = DataType::timestamp_ltz(3);
  EXPECT_THAT(run(plan, false, 7, {"a | 1 | 2013-07-01 12:00:00"}).rows,
              ElementsAre("a | 1 | 2013-07-02 03:59:59.999"));
}

TEST(WindowAggregateTest, windows_of_processing_time_fire_by_the_clock_and_at_the_end) {
  WindowPlan plan{.window = hop_window(20 * kSecond, 10 * kSecond), .aggregates = {count_star()}};
  plan.time_column = -1;
  OperatorHarness::Options options;
  options.clock_start_ms = testing::millis_of("2024-01-01 10:00:03");
  auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), options).value();

  ASSERT_TRUE(harness->push({"a | 1 | NULL", "b | 1 | NULL", "~2030-01-01 00:00:00"}).is_ok());
  EXPECT_EQ(harness->chain().next_timer_ms(), testing::millis_of("2024-01-01 10:00:10"));
  ASSERT_TRUE(harness->advance_clock(testing::millis_of("2024-01-01 10:00:10")).is_ok());
  EXPECT_THAT(harness->rows(),
              ElementsAre("a | 1 | 2024-01-01 09:59:50.000 | 2024-01-01 10:00:10.000",
                          "b | 1 | 2024-01-01 09:59:50.000 | 2024-01-01 10:00:10.000"));
  ASSERT_TRUE(harness->push({"a | 1 | NULL"}).is_ok());
  ASSERT_TRUE(harness->finish().is_ok());

  EXPECT_THAT(std::vector(harness->rows().begin() + 2, harness->rows().end()),
              ElementsAre("a | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
                          "b | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
                          "a | 1 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:30.000"));
  EXPECT_EQ(harness->chain().next_timer_ms(), kMaxWatermark);
}

TEST(WindowAggregateTest, state_is_freed_with_the_last_window) {
  for (const ValueTree& window :
       {tumble_window(10 * kSecond), hop_window(60 * kSecond, 10 * kSecond),
        cumulate_window(60 * kSecond, 10 * kSecond)}) {
    for (const bool two_phase : {false, true}) {
      const WindowPlan plan{.window = window,
                            .aggregates = {count_star(), aggregate_int("MAX", 1)}};
      auto harness = OperatorHarness::make(window_aggregate_specs(plan, two_phase), {}).value();
      const std::int64_t before = harness->pool().used_bytes();
      std::vector<std::string> lines;
      for (int i = 0; i < 20'000; ++i) {
        lines.push_back("key number " + std::to_string(i) + " | 1 | 2024-01-01 10:00:01");
      }
      ASSERT_TRUE(harness->push(lines).is_ok());
      EXPECT_GT(harness->pool().used_bytes(), before + 20'000L * 40);
      ASSERT_TRUE(harness->push({"~2024-01-01 11:00:00"}).is_ok());
      // A few scratch buffers and timers may stay.
      EXPECT_LT(harness->pool().used_bytes(), before + 50'000);
    }
  }
}

TEST(WindowAggregateTest, a_window_with_many_keys_goes_out_in_steps) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  std::vector<std::string> lines;
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    lines.push_back("k" + std::to_string(i) + " | 1 | 2024-01-01 10:00:01");
    expected.push_back("k" + std::to_string(i) +
                       " | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000");
  }
  lines.emplace_back("~2024-01-01 10:00:10");
  // After the watermark, and not lost while the window goes out.
  lines.emplace_back("z | 1 | 2024-01-01 10:00:11");
  expected.emplace_back("z | 1 | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:20.000");
  for (const bool two_phase : {false, true}) {
    OperatorHarness::Options options;
    options.batch_rows = 100'000;
    options.output_rows_max = 100;
    auto harness = OperatorHarness::make(window_aggregate_specs(plan, two_phase), options).value();
    ASSERT_TRUE(harness->push(lines).is_ok());
    ASSERT_TRUE(harness->finish().is_ok());
    EXPECT_THAT(harness->rows(), ElementsAreArray(expected));
    EXPECT_LE(harness->step_rows_max(), 1000);
  }
}

TEST(WindowAggregateTest, a_flush_gives_out_partial_results_and_changes_no_result) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  auto harness = OperatorHarness::make(window_aggregate_specs(plan, true), {}).value();

  ASSERT_TRUE(
      harness->push({"a | 1 | 2024-01-01 10:00:01", "b | 1 | 2024-01-01 10:00:02"}).is_ok());
  EXPECT_EQ(harness->counters(1).rows_in, 0);
  ASSERT_TRUE(harness->flush().is_ok());
  EXPECT_EQ(harness->counters(1).rows_in, 2);
  ASSERT_TRUE(harness->push({"a | 1 | 2024-01-01 10:00:03"}).is_ok());
  ASSERT_TRUE(harness->finish().is_ok());

  EXPECT_THAT(harness->rows(),
              ElementsAre("a | 2 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000",
                          "b | 1 | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:10.000"));
}

TEST(WindowAggregateTest, a_full_pool_stops_the_job_and_names_the_operator) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  OperatorHarness::Options options;
  options.pool_bytes = 300'000;
  auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), options).value();
  Status status;
  for (int i = 0; i < 100'000 && status.is_ok(); ++i) {
    status = harness->push({"k" + std::to_string(i) + " | 1 | 2024-01-01 10:00:01"});
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.to_string(), HasSubstr("operator 'WindowAggregate'"));
}

TEST(WindowAggregateTest, a_row_that_takes_another_back_is_refused) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond), .aggregates = {count_star()}};
  for (const bool two_phase : {false, true}) {
    auto harness = OperatorHarness::make(window_aggregate_specs(plan, two_phase), {}).value();
    const Status status = harness->push({"-D a | 1 | 2024-01-01 10:00:01"});
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented);
    EXPECT_THAT(status.to_string(), HasSubstr("-D"));
  }
}

TEST(WindowAggregateTest, plans_that_do_not_fit_are_refused) {
  const auto error = [](const WindowPlan& plan, bool two_phase,
                        const std::function<void(std::vector<OperatorSpec>&)>& change) {
    std::vector<OperatorSpec> specs = window_aggregate_specs(plan, two_phase);
    change(specs);
    const Status status = OperatorHarness::make(std::move(specs), {}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  const WindowPlan plan{.window = tumble_window(10 * kSecond),
                        .aggregates = {aggregate_int("SUM", 1)}};
  const auto set = [](std::size_t op, const char* key, const ValueTree& value) {
    return [=](std::vector<OperatorSpec>& specs) { specs[op].options.set(key, value); };
  };
  EXPECT_THAT(error(plan, false, set(0, "phase", "middle")), HasSubstr("'middle'"));
  EXPECT_THAT(error(plan, false, set(0, "time_column", 1)), HasSubstr("not a time"));
  EXPECT_THAT(error(plan, false, set(0, "time_column", 9)), HasSubstr("not a time"));
  EXPECT_THAT(error(plan, true, set(0, "time_column", -1)), HasSubstr("one phase"));
  EXPECT_THAT(error(plan, false, set(0, "keys", testing::int_list({7}))), HasSubstr("key 7"));
  EXPECT_THAT(error(plan, false, set(0, "keys", testing::int_list({}))), HasSubstr("columns"));
  EXPECT_THAT(error(plan, false, set(0, "window", ValueTree::map())), HasSubstr("kind"));
  EXPECT_THAT(error(plan, false, set(0, "aggregates", ValueTree::list())), HasSubstr("columns"));
  EXPECT_THAT(error(plan, true, set(1, "keys", testing::int_list({1}))),
              HasSubstr("first columns"));
  EXPECT_THAT(
      error(plan, true,
            [](std::vector<OperatorSpec>& specs) { specs[1].inputs[0] = specs[0].inputs[0]; }),
      HasSubstr("slice_end"));
}

// The accumulators keep the values themselves: they are merged over slices, and restored.
TEST(WindowAggregateTest, aggregates_that_keep_values_merge_and_survive) {
  const auto of_type = [](std::string_view function, const DataType& type, bool distinct = false) {
    testing::AggregatePlan plan = aggregate_int(function, 1);
    plan.type = type;
    plan.distinct = distinct;
    return plan;
  };
  const DataType list = DataType::array(DataType::integer());
  WindowPlan plan{.window = hop_window(20 * kSecond, 10 * kSecond)};
  plan.aggregates = {
      of_type("COLLECT", DataType::multiset(DataType::integer()).with_nullable(false)),
      aggregate_int("VAR_POP", 1), aggregate_int("STDDEV_SAMP", 1),
      of_type("APPROX_COUNT_DISTINCT", DataType::big_int().with_nullable(false))};
  WindowPlan ordered = plan;
  ordered.aggregates = {of_type("ARRAY_AGG", list), of_type("ARRAY_AGG", list, true),
                        aggregate_int("FIRST_VALUE", 1), aggregate_int("LAST_VALUE", 1)};
  const std::vector<std::string> lines = {
      "a | 1 | 2024-01-01 10:00:01", "a | 9 | 2024-01-01 10:00:03",
      "a | NULL | 2024-01-01 10:00:04", "a | 5 | 2024-01-01 10:00:12",
      "a | 9 | 2024-01-01 10:00:14"};
  const auto windows = [](const std::vector<std::string>& values) {
    return std::vector<std::string>{
        "a | " + values[0] + " | 2024-01-01 09:59:50.000 | 2024-01-01 10:00:10.000",
        "a | " + values[1] + " | 2024-01-01 10:00:00.000 | 2024-01-01 10:00:20.000",
        "a | " + values[2] + " | 2024-01-01 10:00:10.000 | 2024-01-01 10:00:30.000"};
  };
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    EXPECT_EQ(run(plan, way.two_phase, way.batch_rows, lines).rows,
              windows({"{1=1, 9=1} | 16 | 5 | 2", "{1=1, 9=2, 5=1} | 11 | 3 | 3",
                       "{5=1, 9=1} | 4 | 2 | 2"}));
    if (way.two_phase) continue;  // The planner does not split what depends on the rows' order.
    EXPECT_EQ(run(ordered, false, way.batch_rows, lines).rows,
              windows({"[1, 9, NULL] | [1, 9, NULL] | 1 | 9",
                       "[1, 9, NULL, 5, 9] | [1, 9, NULL, 5] | 1 | 9", "[5, 9] | [5, 9] | 5 | 9"}));
  }
}

// ---- Restores ----

TEST(WindowAggregateTest, windows_of_processing_time_go_on_after_a_restore) {
  for (const ValueTree& window :
       {tumble_window(20 * kSecond), hop_window(40 * kSecond, 20 * kSecond)}) {
    WindowPlan plan{.window = window, .aggregates = {count_star()}};
    plan.time_column = -1;
    OperatorHarness::Options options;
    options.clock_start_ms = testing::millis_of("2024-01-01 10:00:03");
    auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), options).value();
    ASSERT_TRUE(harness->push({"a | 1 | NULL"}).is_ok());
    ASSERT_TRUE(harness->checkpoint().is_ok());
    ASSERT_TRUE(harness->push({"lost | 1 | NULL"}).is_ok());

    ASSERT_TRUE(harness->restore().is_ok());
    EXPECT_EQ(harness->chain().next_timer_ms(), testing::millis_of("2024-01-01 10:00:20"));
    ASSERT_TRUE(harness->push({"b | 1 | NULL"}).is_ok());
    ASSERT_TRUE(harness->advance_clock(testing::millis_of("2024-01-01 10:00:20")).is_ok());

    ASSERT_EQ(harness->rows().size(), 2U);
    EXPECT_THAT(harness->rows()[0], HasSubstr("a | 1 | "));
    EXPECT_THAT(harness->rows()[1], HasSubstr("b | 1 | "));
  }
}

TEST(WindowAggregateTest, a_restored_operator_does_not_keep_what_has_passed) {
  for (const bool subtractable : {true, false}) {
    WindowPlan plan{.window = hop_window(60 * kSecond, 10 * kSecond), .aggregates = {count_star()}};
    if (!subtractable) plan.aggregates.push_back(aggregate_int("MAX", 1));
    auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), {}).value();
    const std::int64_t before = harness->pool().used_bytes();
    std::vector<std::string> lines;
    for (int i = 0; i < 5000; ++i) {
      lines.push_back("key number " + std::to_string(i) + " | 1 | 2024-01-01 10:00:01");
    }
    ASSERT_TRUE(harness->push(lines).is_ok());
    ASSERT_TRUE(harness->push({"~2024-01-01 10:00:15", "a | 1 | 2024-01-01 10:01:30"}).is_ok());
    ASSERT_TRUE(harness->checkpoint().is_ok());
    ASSERT_TRUE(harness->restore().is_ok());
    EXPECT_GT(harness->pool().used_bytes(), before + 5000L * 40);
    ASSERT_TRUE(harness->push({"~2024-01-01 10:01:35"}).is_ok());
    EXPECT_LT(harness->pool().used_bytes(), before + 50'000);
  }
}

TEST(WindowAggregateTest, another_aggregation_does_not_take_the_state) {
  const WindowPlan plan{.window = tumble_window(10 * kSecond),
                        .aggregates = {aggregate_int("SUM", 1)}};
  auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), {}).value();
  ASSERT_TRUE(harness->push({"a | 1 | 2024-01-01 10:00:01"}).is_ok());
  ASSERT_TRUE(harness->checkpoint().is_ok());
  WindowPlan other = plan;
  other.aggregates = {aggregate_int("MAX", 1)};
  OperatorHarness::Options options;
  options.restored = {{.parts = {{.snapshots = SnapshotBytes::all_of(harness->snapshots()[0])}}}};

  const Status status =
      OperatorHarness::make(window_aggregate_specs(other, false), options).status();

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("state 'slices'"));
  EXPECT_THAT(status.to_string(), HasSubstr("0 SUM 1 BIGINT"));
  EXPECT_THAT(status.to_string(), HasSubstr("0 MAX 0 INT"));
}

// Rows of the key `a`: first with one input, then, restored, with another.
Result<std::vector<std::string>> over_two_inputs(const char* before, const char* after,
                                                 AggregatePlan aggregate, AggregatePlan later) {
  WindowPlan plan{
      .input = before, .window = tumble_window(10 * kSecond), .aggregates = {std::move(aggregate)}};
  auto harness = OperatorHarness::make(window_aggregate_specs(plan, false), {}).value();
  EXPECT_TRUE(
      harness->push({"1 | 7 | 2024-01-01 10:00:01", "2 | -5 | 2024-01-01 10:00:01"}).is_ok());
  EXPECT_TRUE(harness->checkpoint().is_ok());
  EXPECT_TRUE(harness->push({"1 | 11 | 2024-01-01 10:00:02"}).is_ok());
  EXPECT_TRUE(harness->checkpoint().is_ok());
  plan.input = after;
  plan.aggregates = {std::move(later)};
  OperatorHarness::Options options;
  options.restored = {{.parts = {{.snapshots = SnapshotBytes::all_of(harness->snapshots()[0])}}}};
  Result<std::unique_ptr<OperatorHarness>> now =
      OperatorHarness::make(window_aggregate_specs(plan, false), options);
  if (!now.is_ok()) return now.status();
  EXPECT_TRUE(
      (*now)->push({"1 | 100 | 2024-01-01 10:00:03", "3 | 1 | 2024-01-01 10:00:03"}).is_ok());
  EXPECT_TRUE((*now)->finish().is_ok());
  std::vector<std::string> rows = (*now)->rows();
  for (std::string& row : rows) row.resize(row.find(" | 2024"));
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(WindowAggregateTest, columns_may_be_wider_after_a_restore) {
  constexpr const char* kInt = "k INT, v INT, ts TIMESTAMP(3)";
  constexpr const char* kBig = "k BIGINT, v BIGINT, ts TIMESTAMP(3)";
  const DataType count = DataType::big_int().with_nullable(false);
  const auto of = [](const char* function, DataType type, bool distinct = false) {
    return AggregatePlan{
        .function = function, .arguments = {1}, .type = std::move(type), .distinct = distinct};
  };
  struct Case {
    const char* function;
    bool distinct;
    std::vector<std::string> rows;
  };
  const std::vector<Case> cases = {
      {"SUM", false, {"1 | 118", "2 | -5", "3 | 1"}},
      {"AVG", false, {"1 | 39", "2 | -5", "3 | 1"}},
      {"MAX", false, {"1 | 100", "2 | -5", "3 | 1"}},
      {"MIN", false, {"1 | 7", "2 | -5", "3 | 1"}},
      {"SUM", true, {"1 | 118", "2 | -5", "3 | 1"}},
      {"VAR_POP", false, {"1 | 1842", "2 | 0", "3 | 0"}},  // Of 7, 11 and 100: 1842.89, cut off.
      {"FIRST_VALUE", false, {"1 | 7", "2 | -5", "3 | 1"}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.function);
    const auto rows =
        over_two_inputs(kInt, kBig, of(each.function, DataType::integer(), each.distinct),
                        of(each.function, DataType::big_int(), each.distinct));
    ASSERT_TRUE(rows.is_ok()) << rows.status().to_string();
    EXPECT_EQ(*rows, each.rows);
  }
  for (const bool distinct : {false, true}) {
    const auto rows =
        over_two_inputs(kInt, kBig, of("COUNT", count, distinct), of("COUNT", count, distinct));
    ASSERT_TRUE(rows.is_ok()) << rows.status().to_string();
    EXPECT_THAT(*rows, ElementsAre("1 | 3", "2 | 1", "3 | 1"));
  }
  const auto decimals = over_two_inputs(
      "k INT, v DECIMAL(5, 2), ts TIMESTAMP(3)", "k INT, v DECIMAL(9, 2), ts TIMESTAMP(3)",
      of("SUM", DataType::decimal(38, 2)), of("SUM", DataType::decimal(38, 2)));
  ASSERT_TRUE(decimals.is_ok()) << decimals.status().to_string();
  EXPECT_THAT(*decimals, ElementsAre("1 | 118.00", "2 | -5.00", "3 | 1.00"));
}

TEST(WindowAggregateTest, accumulators_that_would_mean_something_else_are_refused) {
  const DataType count = DataType::big_int().with_nullable(false);
  struct Case {
    const char* function;
    const char* before;
    const char* after;
    DataType type_before;
    DataType type_after;
    const char* told;
  };
  const std::vector<Case> cases = {
      {"SUM", "DECIMAL(5, 2)", "DECIMAL(9, 3)", DataType::decimal(38, 2), DataType::decimal(38, 3),
       "0 SUM 0 BIGINT (scale 3)"},
      {"SUM", "INT", "DECIMAL(12, 0)", DataType::integer(), DataType::decimal(38, 0),
       "0 SUM 1 BIGINT (integers)"},
      {"VAR_POP", "INT", "DECIMAL(12, 2)", DataType::integer(), DataType::decimal(38, 6),
       "0 VAR_POP 0 BIGINT (DECIMAL(12, 2))"},
      {"APPROX_COUNT_DISTINCT", "INT", "BIGINT", count, count,
       "0 APPROX_COUNT_DISTINCT 0 BYTES (BIGINT)"},
      {"MAX", "INT", "STRING", DataType::integer(), DataType::string(),
       "field '0 MAX 0' of state 'slices' was stored as INT and cannot be restored as STRING"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.told);
    const auto input = [](const char* type) {
      return std::string("k INT, v ") + type + ", ts TIMESTAMP(3)";
    };
    const Status status =
        over_two_inputs(input(each.before).c_str(), input(each.after).c_str(),
                        {.function = each.function, .arguments = {1}, .type = each.type_before},
                        {.function = each.function, .arguments = {1}, .type = each.type_after})
            .status();
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(status.message(), HasSubstr(each.told));
  }
}

std::vector<AggregatePlan> aggregates_of_all_families() {
  const DataType count = DataType::big_int().with_nullable(false);
  const DataType text = DataType::string();
  const auto of = [](const char* function, int column, DataType type, bool distinct = false) {
    return AggregatePlan{
        .function = function, .arguments = {column}, .type = std::move(type), .distinct = distinct};
  };
  return {count_star(),
          of("COUNT", 1, count),
          of("SUM", 1, DataType::integer()),
          of("AVG", 1, DataType::integer()),
          of("SUM", 3, DataType::double_()),
          of("AVG", 3, DataType::double_()),
          of("SUM", 4, DataType::decimal(38, 2)),
          of("AVG", 4, DataType::decimal(38, 6)),
          of("MIN", 1, DataType::integer()),
          of("MAX", 3, DataType::double_()),
          of("MIN", 4, DataType::decimal(10, 2)),
          of("MAX", 5, text),
          of("MIN", 5, text),
          of("MAX", 2, DataType::timestamp(3)),
          of("COUNT", 5, count, true),
          of("SUM", 1, DataType::integer(), true),
          of("MAX", 5, text, true)};
}

// Multiples of a quarter, whose sums are exact in any order.
std::vector<std::string> lines_of_all_types(int keys, std::uint64_t seed) {
  Random random(seed);
  std::vector<std::string> lines;
  std::int64_t now = testing::millis_of("2024-01-01 10:00:00");
  for (int i = 0; i < 400; ++i) {
    now += random.uniform_between(0, 1500);
    std::string time;
    append_timestamp_text(now - random.uniform_between(0, 20'000), 3, time);
    const auto or_null = [&](std::string value) {
      return random.uniform(6) == 0 ? std::string("NULL") : std::move(value);
    };
    lines.push_back(
        "key " + std::to_string(random.uniform(static_cast<std::uint64_t>(keys))) + " | " +
        or_null(std::to_string(random.uniform_between(-9, 9))) + " | " + time + " | " +
        or_null(std::to_string(static_cast<double>(random.uniform_between(-40, 40)) / 4)) + " | " +
        or_null(std::to_string(random.uniform_between(-99, 99)) + ".25") + " | " +
        or_null("word " + std::string(random.uniform(30), 'x') +
                std::to_string(random.uniform(5))));
    if (random.uniform(3) == 0) {
      std::string mark;
      append_timestamp_text(now - 8000, 3, mark);
      lines.push_back("~" + mark);
    }
  }
  return lines;
}

// Watermarks do not go back.
std::vector<std::string> with_ascending_marks(std::vector<std::string> lines) {
  std::string last;
  std::erase_if(lines, [&](const std::string& line) {
    if (line[0] != '~') return false;
    if (line <= last) return true;
    last = line;
    return false;
  });
  return lines;
}

const char* const kAllTypes =
    "k STRING, v INT, ts TIMESTAMP(3), d DOUBLE, m DECIMAL(10, 2), t STRING";

TEST(WindowAggregateTest, every_function_goes_on_after_a_restore) {
  const std::vector<std::string> lines = with_ascending_marks(lines_of_all_types(5, 11));
  for (const ValueTree& window :
       {tumble_window(10 * kSecond), cumulate_window(30 * kSecond, 10 * kSecond),
        hop_window(20 * kSecond, 10 * kSecond), hop_window(60 * kSecond, 5 * kSecond)}) {
    WindowPlan plan{
        .input = kAllTypes, .window = window, .aggregates = aggregates_of_all_families()};
    for (const Way& way : kWays) {
      SCOPED_TRACE(name_of(way));
      EXPECT_GT(run(plan, way.two_phase, way.batch_rows, lines).rows.size(), 50U);
    }
    // Those whose result depends on the order of rows, in one phase.
    plan.aggregates.push_back(
        {.function = "LISTAGG", .arguments = {5}, .type = DataType::string()});
    plan.aggregates.push_back(
        {.function = "LISTAGG", .arguments = {5}, .type = DataType::string(), .distinct = true});
    EXPECT_GT(run(plan, false, 1, lines).rows.size(), 50U);
  }
}

// Subtasks side by side: rows go to the one that has their key group, watermarks to all.
class Subtasks {
 public:
  Subtasks(const WindowPlan& plan, int parallelism, const std::vector<RestoredState::Part>& parts)
      : parallelism_(parallelism) {
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      OperatorHarness::Options options;
      options.key_groups = key_group_range(subtask, kDefaultMaxParallelism, parallelism);
      options.restored = {{.parts = parts}};
      harnesses_.push_back(
          OperatorHarness::make(window_aggregate_specs(plan, false), options).value());
    }
  }

  // Whose row it is; of a watermark -1.
  static int owner(const std::string& line, int parallelism) {
    if (line[0] == '~') return -1;
    const auto pool = MemoryPool::make_root("keys");
    ColumnBuilder builder(DataType::string(), *pool);
    builder.append_string(line.substr(0, line.find(" | ")));
    const Column key = *builder.finish();
    std::uint64_t hash = 0;
    hash_rows({&key, 1}, 1, &hash);
    const int group = key_group_of(hash, kDefaultMaxParallelism);
    return subtask_of_key_group(group, kDefaultMaxParallelism, parallelism);
  }

  void push(const std::string& line) {
    const int of = owner(line, parallelism_);
    for (int subtask = 0; subtask < parallelism_; ++subtask) {
      if (of < 0 || of == subtask) push_to(subtask, line);
    }
  }
  void push_to(int subtask, const std::string& line) {
    ASSERT_TRUE(harnesses_[static_cast<std::size_t>(subtask)]->push({line}).is_ok());
  }

  // What state they leave behind.
  std::vector<RestoredState::Part> checkpoint() {
    std::vector<RestoredState::Part> parts;
    for (const auto& harness : harnesses_) {
      EXPECT_TRUE(harness->checkpoint().is_ok());
      parts.push_back({.snapshots = SnapshotBytes::all_of(harness->snapshots()[0])});
    }
    return parts;
  }

  void finish() {
    for (const auto& harness : harnesses_) ASSERT_TRUE(harness->finish().is_ok());
  }

  void add_to(Outcome& outcome) const {
    for (const auto& harness : harnesses_) {
      outcome.rows.insert(outcome.rows.end(), harness->rows().begin(), harness->rows().end());
      outcome.late_rows += harness->counters().late_rows;
    }
  }

 private:
  int parallelism_;
  std::vector<std::unique_ptr<OperatorHarness>> harnesses_;
};

TEST(WindowAggregateTest, windows_go_on_at_another_parallelism) {
  const std::vector<std::string> lines = with_ascending_marks(lines_of_all_types(40, 12));
  std::int64_t late_rows = 0;
  for (const ValueTree& window :
       {tumble_window(10 * kSecond), cumulate_window(30 * kSecond, 10 * kSecond),
        hop_window(20 * kSecond, 10 * kSecond), hop_window(60 * kSecond, 5 * kSecond)}) {
    for (const bool all_functions : {false, true}) {
      WindowPlan plan{.input = kAllTypes, .window = window, .aggregates = {count_star()}};
      if (all_functions) plan.aggregates = aggregates_of_all_families();
      Outcome straight = run_once(plan, false, lines, {});
      late_rows += straight.late_rows;

      Outcome rescaled;
      std::vector<RestoredState::Part> parts;
      const std::vector<int> parallelisms = {2, 3, 3, 2};
      for (std::size_t phase = 0; phase < parallelisms.size(); ++phase) {
        Subtasks subtasks(plan, parallelisms[phase], parts);
        const std::size_t begin = lines.size() * phase / parallelisms.size();
        const std::size_t end = lines.size() * (phase + 1) / parallelisms.size();
        for (std::size_t i = begin; i < end; ++i) subtasks.push(lines[i]);
        parts = subtasks.checkpoint();
        if (phase + 1 == parallelisms.size()) subtasks.finish();
        subtasks.add_to(rescaled);
      }

      std::sort(straight.rows.begin(), straight.rows.end());
      std::sort(rescaled.rows.begin(), rescaled.rows.end());
      EXPECT_EQ(rescaled.rows, straight.rows);
      EXPECT_EQ(rescaled.late_rows, straight.late_rows);
    }
  }
  EXPECT_GT(late_rows, 0);
}

// Where barriers overtake rows one of two subtasks may be further than the other. With another
// parallelism what the slower one had not heard comes first; no window comes twice, and none early.
TEST(WindowAggregateTest, windows_go_on_where_former_subtasks_were_not_equally_far) {
  const std::vector<std::string> lines = with_ascending_marks(lines_of_all_types(40, 12));
  const std::size_t slower_end = lines.size() / 3;
  const std::size_t faster_end = lines.size() * 2 / 3;
  for (const ValueTree& window :
       {tumble_window(10 * kSecond), cumulate_window(30 * kSecond, 10 * kSecond),
        hop_window(20 * kSecond, 10 * kSecond), hop_window(60 * kSecond, 5 * kSecond)}) {
    for (const bool all_functions : {false, true}) {
      WindowPlan plan{.input = kAllTypes, .window = window, .aggregates = {count_star()}};
      if (all_functions) plan.aggregates = aggregates_of_all_families();
      for (const int faster : {0, 1}) {
        Outcome straight = run_once(plan, false, lines, {});
        Outcome rescaled;
        Subtasks former(plan, 2, {});
        for (std::size_t i = 0; i < faster_end; ++i) {
          for (const int subtask : {0, 1}) {
            if (i >= slower_end && subtask != faster) continue;
            const int owner = Subtasks::owner(lines[i], 2);
            if (owner < 0 || owner == subtask) former.push_to(subtask, lines[i]);
          }
        }
        std::vector<RestoredState::Part> parts = former.checkpoint();
        former.add_to(rescaled);
        // And once more before that is made up for.
        const std::size_t middle = (slower_end + faster_end) / 2;
        Subtasks more(plan, 3, parts);
        for (std::size_t i = slower_end; i < middle; ++i) {
          if (Subtasks::owner(lines[i], 2) != faster) more.push(lines[i]);
        }
        parts = more.checkpoint();
        more.add_to(rescaled);
        Subtasks last(plan, 2, parts);
        for (std::size_t i = middle; i < lines.size(); ++i) {
          if (i >= faster_end || Subtasks::owner(lines[i], 2) != faster) last.push(lines[i]);
        }
        last.finish();
        last.add_to(rescaled);

        std::sort(straight.rows.begin(), straight.rows.end());
        std::sort(rescaled.rows.begin(), rescaled.rows.end());
        EXPECT_EQ(rescaled.rows, straight.rows);
        EXPECT_EQ(rescaled.late_rows, straight.late_rows);
      }
    }
  }
}

// ---- Against windows computed by their definition ----

struct Event {
  std::string key;
  int value;
  std::int64_t time;       // Of a row.
  std::int64_t watermark;  // kMinWatermark: a row.
};

std::vector<Event> random_events(std::uint64_t seed, std::int64_t span_ms) {
  Random random(seed);
  std::vector<Event> events;
  std::int64_t now = 0;
  std::int64_t watermark = kMinWatermark;
  for (int i = 0; i < 1500; ++i) {
    // Mostly small steps, seldom a gap that empties all windows.
    now += random.uniform(100) == 0 ? random.uniform_between(0, span_ms * 3)
                                    : random.uniform_between(0, span_ms / 50);
    const std::int64_t time = now - random.uniform_between(0, span_ms * 3 / 2);
    events.push_back({.key = std::string(1, static_cast<char>('a' + random.uniform(6))),
                      .value = static_cast<int>(random.uniform_between(-50, 50)),
                      .time = time,
                      .watermark = kMinWatermark});
    if (random.uniform(3) == 0) {
      const std::int64_t next = now - random.uniform_between(0, span_ms / 2);
      if (next > watermark) {
        watermark = next;
        events.push_back({.key = "", .value = 0, .time = 0, .watermark = watermark});
      }
    }
  }
  return events;
}

std::string timestamp_text(std::int64_t millis) {
  std::string text;
  append_timestamp_text(millis, 3, text);
  return text;
}

std::vector<std::string> lines_of(const std::vector<Event>& events) {
  std::vector<std::string> lines;
  for (const Event& event : events) {
    lines.push_back(event.watermark != kMinWatermark
                        ? "~" + timestamp_text(event.watermark)
                        : event.key + " | " + std::to_string(event.value) + " | " +
                              timestamp_text(event.time));
  }
  return lines;
}

struct WindowCase {
  const char* name;
  std::string kind;
  std::int64_t size;
  std::int64_t step;
  std::int64_t offset;

  [[nodiscard]] ValueTree tree() const {
    return kind == "tumble" ? tumble_window(size, offset)
           : kind == "hop"  ? hop_window(size, step, offset)
                            : cumulate_window(size, step, offset);
  }
  // Every window [start, end) that holds `time`.
  [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> windows_of(
      std::int64_t time) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> windows;
    const std::int64_t period = kind == "hop" ? step : size;
    const std::int64_t around = time / period;
    for (std::int64_t n = around - size / period - 2; n <= around + 2; ++n) {
      const std::int64_t start = n * period + offset;
      const std::int64_t first = kind == "cumulate" ? start + step : start + size;
      for (std::int64_t end = first; end <= start + size; end += kind == "cumulate" ? step : size) {
        if (start <= time && time < end) windows.emplace_back(start, end);
      }
    }
    return windows;
  }
};

struct Expected {
  std::vector<std::string> rows;  // Windows by end, keys sorted.
  std::int64_t late_rows = 0;
};

// COUNT(*), SUM, MIN, MAX, COUNT(DISTINCT) per window and key.
Expected compute(const WindowCase& window, const std::vector<Event>& events, bool all_functions) {
  std::map<std::tuple<std::int64_t, std::int64_t, std::string>, std::vector<int>> groups;
  Expected expected;
  std::int64_t watermark = kMinWatermark;
  for (const Event& event : events) {
    if (event.watermark != kMinWatermark) {
      watermark = event.watermark;
      continue;
    }
    bool counts = false;
    const auto windows = window.windows_of(event.time);
    for (const auto& [start, end] : windows) {
      if (watermark != kMinWatermark && watermark >= end - 1) continue;
      counts = true;
      groups[{end, start, event.key}].push_back(event.value);
    }
    if (!counts && !windows.empty()) ++expected.late_rows;
  }
  for (const auto& [group, values] : groups) {
    const auto& [end, start, key] = group;
    int sum = 0;
    for (const int value : values) sum += value;
    std::string line = key + " | " + std::to_string(values.size()) + " | " + std::to_string(sum);
    if (all_functions) {
      line += " | " + std::to_string(*std::min_element(values.begin(), values.end())) + " | " +
              std::to_string(*std::max_element(values.begin(), values.end())) + " | " +
              std::to_string(std::set<int>(values.begin(), values.end()).size());
    }
    expected.rows.push_back(line + " | " + timestamp_text(start) + " | " + timestamp_text(end));
  }
  return expected;
}

class WindowDefinitionTest
    : public ::testing::TestWithParam<std::tuple<WindowCase, bool, std::uint64_t>> {};

TEST_P(WindowDefinitionTest, results_and_late_rows_are_those_of_the_definition) {
  const auto& [window, all_functions, seed] = GetParam();
  WindowPlan plan{.window = window.tree(), .aggregates = {count_star(), aggregate_int("SUM", 1)}};
  if (all_functions) {
    plan.aggregates.push_back(aggregate_int("MIN", 1));
    plan.aggregates.push_back(aggregate_int("MAX", 1));
    plan.aggregates.push_back({.function = "COUNT",
                               .arguments = {1},
                               .type = DataType::big_int().with_nullable(false),
                               .distinct = true});
  }
  const std::vector<Event> events = random_events(seed, window.size);
  const Expected expected = compute(window, events, all_functions);
  ASSERT_GT(expected.rows.size(), 50U);
  ASSERT_GT(expected.late_rows, 0);
  const std::vector<std::string> lines = lines_of(events);
  std::map<bool, std::vector<std::string>> first_order;
  for (const Way& way : kWays) {
    SCOPED_TRACE(name_of(way));
    const Outcome outcome = run(plan, way.two_phase, way.batch_rows, lines);
    EXPECT_EQ(outcome.late_rows, expected.late_rows);
    ASSERT_EQ(sorted_in_windows(outcome.rows), expected.rows);
    // The order of keys depends on the input and the plan alone.
    if (!first_order.contains(way.two_phase)) first_order[way.two_phase] = outcome.rows;
    EXPECT_EQ(outcome.rows, first_order[way.two_phase]);
  }
}

const WindowCase kCases[] = {
    {"tumble", "tumble", 1000, 0, 0},       {"tumble_offset", "tumble", 1000, 0, 300},
    {"hop_of_2", "hop", 1000, 500, 0},      {"hop_of_3_offset", "hop", 900, 300, 70},
    {"hop_of_10", "hop", 1000, 100, 0},     {"hop_of_10_offset", "hop", 1000, 100, 33},
    {"hop_uneven", "hop", 1000, 300, 50},   {"hop_with_gaps", "hop", 400, 1000, 0},
    {"cumulate", "cumulate", 1000, 100, 0}, {"cumulate_offset", "cumulate", 1000, 250, 40},
};

INSTANTIATE_TEST_SUITE_P(All, WindowDefinitionTest,
                         ::testing::Combine(::testing::ValuesIn(kCases), ::testing::Bool(),
                                            ::testing::Values(1, 2, 3)),
                         [](const auto& param) {
                           return std::string(std::get<0>(param.param).name) +
                                  (std::get<1>(param.param) ? "_all_functions_" : "_count_sum_") +
                                  std::to_string(std::get<2>(param.param));
                         });

}  // namespace
}  // namespace clepsydra
