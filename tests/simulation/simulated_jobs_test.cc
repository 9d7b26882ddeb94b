// Whole jobs on one thread and virtual time. A seed decides which task is stepped when, how long a
// step and a message take, how many rows a batch has and how many bytes a channel. The same seed
// must give the same run, and every seed the same results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "main/test_cluster.h"
#include "seeds.h"
#include "tests/harness/batch_text.h"
#include "window_jobs.h"

namespace clepsydra {
namespace {

using testing::Collected;
using testing::expected_windows;
using testing::ExpectedWindows;
using testing::JobBuilder;
using testing::read_all;
using testing::RowsSource;
using testing::seeds;
using testing::SimulatedCluster;
using testing::sorted;
using testing::WindowJob;

struct Outcome {
  std::vector<std::string> lines;  // Sorted.
  std::int64_t late_rows = 0;
  std::uint64_t trace = 0;
  std::int64_t steps = 0;
  bool operator==(const Outcome&) const = default;
};

Outcome run(JobBuilder& job, std::uint64_t seed) {
  SimulatedCluster world(seed);
  Outcome outcome;
  const Result<JobId> id = world.cluster->submit(job.build());
  EXPECT_TRUE(id.is_ok()) << id.status().to_string();
  {
    const auto reader = *world.cluster->fetch_results(*id, "result");
    const Result<Collected> collected = read_all(*reader);
    EXPECT_TRUE(collected.is_ok()) << "seed " << seed << ": " << collected.status().to_string();
    if (collected.is_ok()) outcome.lines = sorted(collected->lines);
  }
  const JobStatus status = *world.cluster->wait(*id, std::nullopt);
  EXPECT_EQ(status.phase, JobPhase::kFinished) << "seed " << seed;
  for (const OperatorMetrics& metrics : status.operators) outcome.late_rows += metrics.late_rows;
  outcome.trace = world.pool.trace_hash();
  outcome.steps = world.pool.steps();
  return outcome;
}

int aggregate(JobBuilder& job, int from, bool two_phase, int parallelism) {
  return testing::add_window_job(job, from, {}, two_phase, parallelism);
}

// One split, out of order by up to 10 s: many rows are late.
RowsSource disordered() {
  return {.rows = 600, .keys = 7, .step_ms = 1900, .disorder_ms = 1000, .has_watermark = true};
}

TEST(SimulatedJobsTest, a_seed_replays_exactly_and_seeds_differ) {
  std::set<std::uint64_t> traces;
  for (const std::uint64_t seed : seeds(8)) {
    JobBuilder first;
    first.collect(aggregate(first, first.source(disordered()), true, 2));
    JobBuilder second;
    second.collect(aggregate(second, second.source(disordered()), true, 2));
    const Outcome once = run(first, seed);
    EXPECT_EQ(once, run(second, seed)) << "seed " << seed;
    traces.insert(once.trace);
  }
  EXPECT_EQ(traces.size(), seeds(8).size());
}

TEST(SimulatedJobsTest, every_seed_gives_the_results_and_late_rows_of_one_pass_over_the_rows) {
  const ExpectedWindows expected = expected_windows(disordered(), {});
  EXPECT_GT(expected.late_rows, 50);
  EXPECT_GT(expected.lines.size(), 100);
  for (const bool two_phase : {false, true}) {
    for (const int parallelism : {1, 3}) {
      for (const std::uint64_t seed : seeds(40)) {
        JobBuilder job;
        job.collect(aggregate(job, job.source(disordered()), two_phase, parallelism));
        const Outcome outcome = run(job, seed);
        EXPECT_EQ(outcome.lines, expected.lines) << "seed " << seed;
        EXPECT_EQ(outcome.late_rows, expected.late_rows) << "seed " << seed;
      }
    }
  }
}

TEST(SimulatedJobsTest, every_kind_of_window_gives_the_same_for_every_seed) {
  std::int64_t late_rows = 0;
  for (const WindowJob& window : testing::all_window_jobs()) {
    const ExpectedWindows expected = expected_windows(disordered(), window);
    late_rows += expected.late_rows;
    for (const std::uint64_t seed : seeds(5)) {
      JobBuilder job;
      job.collect(testing::add_window_job(job, job.source(disordered()), window, seed % 2 == 0, 2));
      const Outcome outcome = run(job, seed);
      EXPECT_EQ(outcome.lines, expected.lines) << "seed " << seed;
      EXPECT_EQ(outcome.late_rows, expected.late_rows) << "seed " << seed;
    }
  }
  EXPECT_GT(late_rows, 100);
}

// Most subtasks of the source have no split. None of them may hold event time back for some of the
// rows of the one that has: late rows would then depend on who was faster.
int build_sparse_source(JobBuilder& job, const RowsSource& source) {
  // Through a task in between, so that the news takes two hops.
  const int rows = job.pass({job.source(source, 3)}, Partitioning::kForward, 3);
  return job.collect(aggregate(job, rows, false, 2));
}

TEST(SimulatedJobsTest, source_subtasks_that_end_without_a_split_change_nothing) {
  const ExpectedWindows expected = expected_windows(disordered(), {});
  for (const std::uint64_t seed : seeds(60)) {
    JobBuilder job;
    build_sparse_source(job, disordered());
    const Outcome outcome = run(job, seed);
    EXPECT_EQ(outcome.lines, expected.lines) << "seed " << seed;
    EXPECT_EQ(outcome.late_rows, expected.late_rows) << "seed " << seed;
  }
}

TEST(SimulatedJobsTest, source_subtasks_that_idle_without_a_split_change_nothing) {
  RowsSource source = disordered();
  source.bounded = false;
  const ExpectedWindows expected = expected_windows(source, {});
  for (const std::uint64_t seed : seeds(60)) {
    JobBuilder job;
    build_sparse_source(job, source);
    SimulatedCluster world(seed);
    const JobId id = *world.cluster->submit(job.build());
    // The last windows never close: wait for the rows to be counted.
    std::int64_t late_rows = 0;
    world.pool.run_until([&] {
      const JobStatus status = *world.cluster->status(id);
      late_rows = 0;
      std::int64_t seen = 0;
      for (const OperatorMetrics& metrics : status.operators) {
        late_rows += metrics.late_rows;
        if (metrics.name == "WindowAggregate") seen = metrics.rows_in;
      }
      return seen == source.rows;
    });
    EXPECT_EQ(late_rows, expected.late_rows) << "seed " << seed;
  }
}

TEST(SimulatedJobsTest, two_timed_sources_of_ordered_rows_give_the_same_windows_for_every_seed) {
  const auto build = [](JobBuilder& job) {
    const int a = job.source({.rows = 300, .step_ms = 1000, .has_watermark = true});
    const int b = job.source({.rows = 200, .step_ms = 1700, .has_watermark = true});
    const int both = job.pass({a, b}, Partitioning::kForward);
    job.collect(aggregate(job, both, true, 2));
  };
  JobBuilder first;
  build(first);
  const Outcome reference = run(first, 1);
  EXPECT_EQ(reference.late_rows, 0);
  EXPECT_GT(reference.lines.size(), 100);
  for (const std::uint64_t seed : seeds(40)) {
    JobBuilder job;
    build(job);
    const Outcome outcome = run(job, seed);
    EXPECT_EQ(outcome.lines, reference.lines) << "seed " << seed;
    EXPECT_EQ(outcome.late_rows, 0) << "seed " << seed;
  }
}

// Without alignment the second source would be read to its end at once.
TEST(SimulatedJobsTest, aligned_sources_stay_within_the_drift_of_the_slower_one) {
  for (const std::uint64_t seed : seeds(20)) {
    JobBuilder job;
    const RowsSource slow{.rows = 100,
                          .step_ms = 1000,
                          .rest_every = 10,
                          .rest_ms = 1000,
                          .has_watermark = true,
                          .alignment_group = "g",
                          .alignment_max_drift_ms = 5000};
    RowsSource fast = slow;
    fast.rest_every = 0;
    job.write(job.source(slow));
    job.write(job.source(fast));
    SimulatedCluster world(seed);
    const JobId id = *world.cluster->submit(job.build());
    std::int64_t ahead_max = 0;
    while (true) {
      world.pool.run_for_ns(100'000'000);
      const JobStatus status = *world.cluster->status(id);
      if (has_ended(status.phase)) {
        EXPECT_EQ(status.phase, JobPhase::kFinished);
        break;
      }
      const std::int64_t ahead = status.operators[2].rows_out - status.operators[0].rows_out;
      ahead_max = std::max(ahead_max, ahead);
    }
    // Rows are a second apart: five of drift, one that steps over the limit, and a batch.
    EXPECT_GT(ahead_max, 0) << "seed " << seed;
    EXPECT_LE(ahead_max, 10 + 5 + 1 + 64) << "seed " << seed;
  }
}

TEST(SimulatedJobsTest, a_link_that_is_cut_for_a_while_stops_nobody_who_has_his_splits) {
  JobBuilder job;
  job.write(job.source({.rows = 1000, .rest_every = 100, .rest_ms = 50}));
  SimulatedCluster world(3);
  const JobId id = *world.cluster->submit(job.build());
  world.pool.run_for_ns(20'000'000);
  world.transport.cut("jobmanager", "taskmanager");
  world.pool.run_for_ns(200'000'000);
  world.transport.mend("jobmanager", "taskmanager");
  EXPECT_EQ(world.cluster->wait(id, std::nullopt)->phase, JobPhase::kFinished);
  EXPECT_EQ(world.connectors.log().committed_lines().size(), 1000);
}

}  // namespace
}  // namespace clepsydra
