// What holds for every seed of the simulation beyond its own checks.
#include "seeds.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "base/logging.h"
#include "oracle.h"
#include "simulated_run.h"

namespace clepsydra::testing {
namespace {

TEST(SeedsTest, a_seed_with_faults_replays_exactly) {
  ASSERT_TRUE(configure_logging({.level = LogLevel::kOff, .file = ""}).is_ok());
  for (const std::uint64_t seed : seeds(20)) {
    const RunReport first = run_seed(seed);
    const RunReport second = run_seed(seed);
    EXPECT_EQ(first.problem, "") << "seed " << seed;
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.file_operations, second.file_operations) << "seed " << seed;
  }
}

// Those that have not happened.
std::string missing(const Happenings& happened) {
  std::string names;
  for (std::size_t i = 0; i < kHappenings; ++i) {
    const auto happening = static_cast<Happening>(i);
    if (happened.of(happening) == 0) names += std::string(happening_name(happening)) + "; ";
  }
  return names;
}

TEST(SeedsTest, faults_of_all_kinds_happen) {
  ASSERT_TRUE(configure_logging({.level = LogLevel::kOff, .file = ""}).is_ok());
  RunReport totals;
  int runs = 0;
  for (const std::uint64_t seed : seeds(5000)) {
    const RunReport report = run_seed(seed);
    ASSERT_EQ(report.problem, "") << "seed " << seed << "\n" << report.story;
    totals.add(report);
    if (++runs >= 300 && missing(totals.happened).empty()) break;
  }
  EXPECT_EQ(missing(totals.happened), "");
  EXPECT_GT(totals.restored, 100);
  EXPECT_GT(totals.attempts, totals.lives);
  EXPECT_GT(totals.failed_checkpoints, 0);
  EXPECT_GT(totals.cuts_checked, 300);
  EXPECT_GT(totals.local_store_operations, 1000);
}

// The oracle knows a window's line once; here it is counted anew from the rows before each cut.
TEST(OracleTest, what_is_due_at_a_cut_is_what_the_rows_before_it_give) {
  for (const std::uint64_t seed : seeds(30)) {
    Random random(seed);
    const Workload workload = draw_workload(random);
    if (workload.idle_timeout_ms > 0) continue;
    const Branch branch{.has_windows = true, .window = {.kind = WindowKind::kHop, .step_ms = 5000}};
    const Oracle oracle(workload, branch);
    Positions positions = Positions::at_start(workload);
    std::map<std::tuple<std::int64_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>> windows;
    for (std::size_t source = 0; source < workload.sources.size(); ++source) {
      for (std::size_t i = 0; i < workload.sources[source].splits.size(); ++i) {
        const WorkloadSplit& split = workload.sources[source].splits[i];
        const auto next = static_cast<std::int64_t>(random.uniform(split.rows.size() + 1));
        positions.sources[source][i].next = next;
        for (std::int64_t row = 0; row < next; ++row) {
          const auto at = static_cast<std::size_t>(row);
          for (const auto& [start, end] : windows_of(branch.window, split.rows[at].at_ms)) {
            if (workload.has_late_rows && split.watermarks[at] >= end - 1) continue;
            auto& [count, sum] = windows[{split.rows[at].k, end}];
            ++count;
            sum += split.rows[at].v;
          }
        }
      }
    }
    const std::int64_t watermark = cut_watermark(workload, branch, positions).at_most;
    int due = 0;
    for (int i = 0; i < oracle.lines(); ++i) due += oracle.is_due(i, positions, watermark) ? 1 : 0;
    for (const auto& [of, values] : windows) {
      const auto& [key, end] = of;
      if (end - 1 > watermark) continue;
      --due;
      const std::string line = std::to_string(key) + "," + std::to_string(values.first) + "," +
                               std::to_string(values.second) + "," +
                               event_time_text(end - branch.window.size_ms) + "," +
                               event_time_text(end);
      EXPECT_GE(oracle.find(line), 0) << "seed " << seed << ": " << line;
    }
    EXPECT_EQ(due, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clepsydra::testing
