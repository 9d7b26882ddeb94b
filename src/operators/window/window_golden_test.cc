// Windows over the orders of tests/golden/queries against what the reference answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "operators/operator_harness.h"
#include "operators/window/window_test_plans.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using testing::aggregate_int;
using testing::AggregatePlan;
using testing::count_star;
using testing::cumulate_window;
using ::testing::ElementsAreArray;
using testing::hop_window;
using testing::OperatorHarness;
using testing::tumble_window;
using testing::WindowPlan;

// Columns of an order.
constexpr int kOrder = 0;
constexpr int kUser = 1;
constexpr int kProduct = 2;
constexpr int kAmount = 3;
constexpr int kPrice = 4;
constexpr int kTime = 5;

std::vector<std::string> lines_of_file(const std::string& name) {
  std::ifstream file(testing::source_path("tests/golden/queries/" + name));
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : line) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string line;
  for (const std::string& part : parts) line += (line.empty() ? "" : " | ") + part;
  return line;
}

struct GoldenCase {
  const char* name;
  ValueTree window;
  std::vector<int> keys;
  std::vector<AggregatePlan> aggregates;
  std::vector<std::string> outputs;
  bool even_orders_only = false;
  bool can_split = true;
};

// The watermark is five seconds behind, and set after each row that moves it by more than 200 ms:
// also after one that a filter behind it drops.
std::vector<std::string> input_of(const GoldenCase& golden) {
  std::vector<std::string> lines;
  std::int64_t watermark = kMinWatermark;
  for (const std::string& order : lines_of_file(std::string(golden.name) + ".input/orders.csv")) {
    std::vector<std::string> values = split(order, ',');
    const std::int64_t time = testing::millis_of(values[kTime]);
    if (!golden.even_orders_only || std::stoi(values[kOrder]) % 2 == 0) {
      lines.push_back(joined(values));
    }
    if (watermark == kMinWatermark || time - 5000 > watermark + 200) {
      watermark = time - 5000;
      lines.push_back("@" + std::to_string(watermark));
    }
  }
  return lines;
}

// The rows of the reference, with the columns of the window moved behind the others.
std::vector<std::string> expected_of(const GoldenCase& golden) {
  std::vector<std::string> rows;
  for (const std::string& line : lines_of_file(std::string(golden.name) + ".expected")) {
    if (line.starts_with("# ")) continue;
    std::vector<std::string> values = split(line, '\t');
    std::rotate(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(golden.outputs.size()),
                values.end());
    for (std::string& value : values) {
      if (value == "\\N") value = "NULL";
      if (value.find(',') != std::string::npos) value = "'" + value + "'";
    }
    rows.push_back(joined(values));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

AggregatePlan aggregate(const char* function, int column, DataType type, bool distinct = false) {
  return {
      .function = function, .arguments = {column}, .type = std::move(type), .distinct = distinct};
}

std::vector<GoldenCase> golden_cases() {
  const DataType count = DataType::big_int().with_nullable(false);
  const std::vector<AggregatePlan> five = {
      count_star(), aggregate_int("SUM", kAmount), aggregate("MIN", kPrice, DataType::double_()),
      aggregate("MAX", kPrice, DataType::double_()), aggregate_int("AVG", kAmount)};
  const std::vector<AggregatePlan> distinct = {aggregate("COUNT", kProduct, count, true),
                                               aggregate("COUNT", kUser, count, true)};
  std::vector<AggregatePlan> distinct_and_sum = distinct;
  distinct_and_sum.push_back(aggregate("SUM", kAmount, DataType::integer(), true));
  const std::vector<std::string> bounds = {"window_start", "window_end"};
  return {
      {"win_hop_uneven_agg_all", hop_window(60'000, 20'000, 5'000), {}, five, bounds},
      {"win_hop_uneven_distinct", hop_window(60'000, 20'000, 5'000), {}, distinct, bounds},
      {"win_cumulate_agg_all", cumulate_window(120'000, 20'000), {}, five, bounds},
      {"win_cumulate_distinct", cumulate_window(120'000, 20'000), {}, distinct_and_sum, bounds},
      {"win_named_params", hop_window(180'000, 60'000), {}, {count_star()}, {"window_start"}},
      {"win_day_tumble", tumble_window(86'400'000), {}, {count_star()}, bounds},
      {"win_late_strict_watermark",
       tumble_window(30'000),
       {},
       {count_star(), aggregate("LISTAGG", kOrder, DataType::string())},
       {"window_start"},
       true,
       false},
  };
}

class WindowGoldenTest : public ::testing::TestWithParam<GoldenCase> {};

TEST_P(WindowGoldenTest, results_are_those_of_the_reference) {
  const GoldenCase& golden = GetParam();
  // LISTAGG takes text: the query casts the order's number.
  const WindowPlan plan{
      .input = std::string("order_id ") + (golden.can_split ? "INT" : "STRING") +
               ", user_id INT, product STRING, amount INT, price DOUBLE, ts TIMESTAMP(3)",
      .window = golden.window,
      .time_column = kTime,
      .keys = golden.keys,
      .aggregates = golden.aggregates,
      .outputs = golden.outputs};
  const std::vector<std::string> input = input_of(golden);
  const std::vector<std::string> expected = expected_of(golden);
  ASSERT_FALSE(expected.empty());
  for (const bool two_phase : {false, true}) {
    if (two_phase && !golden.can_split) continue;
    for (const std::int64_t batch_rows : {1, 7, 4096}) {
      for (const std::int64_t restore_every : {0, 1, 3}) {
        OperatorHarness::Options options;
        options.batch_rows = batch_rows;
        options.checkpoint_every = restore_every > 0 ? 1 : 0;
        options.restore_every = restore_every;
        auto harness =
            OperatorHarness::make(testing::window_aggregate_specs(plan, two_phase), options)
                .value();
        ASSERT_TRUE(harness->push(input).is_ok());
        ASSERT_TRUE(harness->finish().is_ok());
        std::vector<std::string> rows = harness->rows();
        std::sort(rows.begin(), rows.end());
        EXPECT_THAT(rows, ElementsAreArray(expected))
            << (two_phase ? "two phases" : "one phase") << ", batches of " << batch_rows
            << ", restored after every " << restore_every;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, WindowGoldenTest, ::testing::ValuesIn(golden_cases()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace clepsydra
