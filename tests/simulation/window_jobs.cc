#include "window_jobs.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "operators/window/window_test_plans.h"
#include "stream/column_builder.h"
#include "stream/watermark.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

WindowPlan plan_of(const WindowJob& window) {
  WindowPlan plan;
  plan.input = "k BIGINT NOT NULL, v BIGINT NOT NULL, at TIMESTAMP(3) *ROWTIME*";
  switch (window.kind) {
    case WindowKind::kTumble:
      plan.window = tumble_window(window.size_ms);
      break;
    case WindowKind::kHop:
      plan.window = hop_window(window.size_ms, window.step_ms);
      break;
    case WindowKind::kCumulate:
      plan.window = cumulate_window(window.size_ms, window.step_ms);
      break;
  }
  plan.aggregates = {count_star(),
                     {.function = "SUM", .arguments = {1}, .type = DataType::big_int()}};
  if (window.has_max) {
    plan.aggregates.push_back({.function = "MAX", .arguments = {1}, .type = DataType::big_int()});
  }
  if (window.has_distinct) {
    plan.aggregates.push_back({.function = "COUNT",
                               .arguments = {1},
                               .type = DataType::big_int().with_nullable(false),
                               .distinct = true});
  }
  return plan;
}

std::string timestamp_text(std::int64_t ms) {
  ColumnBuilder builder(DataType::timestamp(3), test_pool());
  builder.append<std::int64_t>(ms);
  return cell_of(*builder.finish(), 0);
}

}  // namespace

std::vector<std::pair<std::int64_t, std::int64_t>> windows_of(const WindowJob& window,
                                                              std::int64_t time_ms) {
  std::vector<std::pair<std::int64_t, std::int64_t>> windows;
  const std::int64_t size = window.size_ms;
  const std::int64_t step = window.kind == WindowKind::kTumble ? size : window.step_ms;
  if (window.kind == WindowKind::kCumulate) {
    const std::int64_t start = time_ms - time_ms % size;
    for (std::int64_t end = start + step; end <= start + size; end += step) {
      if (time_ms < end) windows.emplace_back(start, end);
    }
    return windows;
  }
  for (std::int64_t start = time_ms - time_ms % step; start > time_ms - size; start -= step) {
    windows.emplace_back(start, start + size);
  }
  return windows;
}

std::vector<WindowJob> all_window_jobs() {
  using enum WindowKind;
  return {{.kind = kTumble},
          {.kind = kTumble, .has_distinct = true},
          {.kind = kCumulate, .size_ms = 20'000, .step_ms = 5'000},
          {.kind = kHop, .size_ms = 10'000, .step_ms = 5'000},
          {.kind = kHop, .size_ms = 20'000, .step_ms = 2'000},
          {.kind = kHop, .size_ms = 20'000, .step_ms = 2'000, .has_max = true},
          {.kind = kHop, .size_ms = 20'000, .step_ms = 2'000, .has_distinct = true}};
}

int add_window_job(JobBuilder& job, int from, const WindowJob& window, bool two_phase,
                   int parallelism, int parallelism_before, Partitioning exchange) {
  std::vector<OperatorSpec> specs = window_aggregate_specs(plan_of(window), two_phase);
  if (two_phase) from = job.then(from, std::move(specs[0]), exchange, parallelism_before);
  return job.then(from, std::move(specs.back()), Partitioning::kHash, parallelism);
}

ExpectedWindows expected_windows(const RowsSource& source, const WindowJob& window) {
  struct Totals {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    std::int64_t max = 0;
  };
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Totals> totals;
  ExpectedWindows expected;
  std::int64_t mark = kMinWatermark;
  for (std::int64_t i = 0; i < source.rows; ++i) {
    const RowValues row = row_of(source, 0, i);
    bool is_late = true;
    for (const auto& [start, end] : windows_of(window, row.at_ms)) {
      if (mark >= end - 1) continue;
      is_late = false;
      Totals& of_window = totals[{row.k, start, end}];
      ++of_window.count;
      of_window.sum += row.v;
      of_window.max = std::max(of_window.max, row.v);
    }
    if (is_late) ++expected.late_rows;
    if (mark == kMinWatermark || row.at_ms - mark > 200) mark = std::max(mark, row.at_ms);
  }
  for (const auto& [of, values] : totals) {
    const auto& [key, start, end] = of;
    std::string line = std::to_string(key) + " | " + std::to_string(values.count) + " | " +
                       std::to_string(values.sum);
    if (window.has_max) line += " | " + std::to_string(values.max);
    // No two rows have the same v.
    if (window.has_distinct) line += " | " + std::to_string(values.count);
    expected.lines.push_back(line + " | " + timestamp_text(start) + " | " + timestamp_text(end));
  }
  expected.lines = sorted(std::move(expected.lines));
  return expected;
}

}  // namespace clepsydra::testing
