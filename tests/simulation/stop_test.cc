// Jobs that end with a savepoint: what is visible then, and what a job that goes on from it adds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "main/test_cluster.h"
#include "seeds.h"
#include "window_jobs.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using testing::expected_windows;
using testing::ExpectedWindows;
using ::testing::HasSubstr;
using testing::JobBuilder;
using testing::RowsSource;
using testing::seeds;
using testing::SimulatedCluster;

// All rows are there at once, and then nothing more comes, ever.
RowsSource endless() {
  return {.rows = 300, .keys = 5, .step_ms = 1000, .bounded = false, .has_watermark = true};
}

class StopTest : public ::testing::TestWithParam<bool> {
 protected:
  // Asks for the end when the job has read everything; what was answered.
  static Result<std::string> stop(SimulatedCluster& world, std::uint64_t seed, bool drains,
                                  bool is_unaligned, bool fail_commit = false) {
    JobBuilder job;
    const int counts = testing::add_window_job(job, job.source(endless()), {}, seed % 2 == 0, 2);
    OperatorSpec sink;
    sink.kind = "sink_writer";
    sink.name = "Sink: memory";
    sink.inputs = {job.output_of(counts)};
    sink.options.set("sink",
                     ValueTree::map().set("connector", "memory").set("fail_commit", fail_commit));
    job.then(counts, std::move(sink), Partitioning::kForward, 2);
    if (is_unaligned) {
      job.set("execution.checkpointing.unaligned.enabled", "true");
      if (!fail_commit) job.set("execution.checkpointing.interval", "10 ms");
    }
    const Result<JobId> id = world.cluster->submit(job.build());
    EXPECT_TRUE(id.is_ok()) << id.status().to_string();
    world.pool.run_until([&] {
      const JobStatus status = *world.cluster->status(*id);
      return std::any_of(status.operators.begin(), status.operators.end(), [](const auto& op) {
        return op.is_source && op.rows_out == endless().rows;
      });
    });
    const Result<std::string> path = world.cluster->stop(*id, "/savepoints", drains);
    // Whoever stopped it reads what it has written.
    EXPECT_EQ(world.cluster->status(*id)->phase,
              fail_commit ? JobPhase::kFailed : JobPhase::kFinished);
    return path;
  }

  // The lines that the sink shows then.
  static std::vector<std::string> lines_after(std::uint64_t seed, bool drains, bool is_unaligned) {
    SimulatedCluster world(seed);
    const Result<std::string> path = stop(world, seed, drains, is_unaligned);
    EXPECT_TRUE(path.is_ok()) << "seed " << seed << ": " << path.status().to_string();
    return world.connectors.log().committed_lines();
  }
};

TEST_P(StopTest, a_drained_job_gives_out_the_windows_that_are_open) {
  const ExpectedWindows expected = expected_windows(endless(), {});
  for (const std::uint64_t seed : seeds(10)) {
    EXPECT_EQ(lines_after(seed, true, GetParam()), expected.lines) << "seed " << seed;
  }
}

TEST_P(StopTest, others_keep_them) {
  const ExpectedWindows expected = expected_windows(endless(), {});
  for (const std::uint64_t seed : seeds(10)) {
    const std::vector<std::string> lines = lines_after(seed, false, GetParam());
    EXPECT_LT(lines.size(), expected.lines.size()) << "seed " << seed;
    EXPECT_TRUE(
        std::includes(expected.lines.begin(), expected.lines.end(), lines.begin(), lines.end()))
        << "seed " << seed;
  }
}

TEST_P(StopTest, a_sink_that_cannot_commit_is_told_of_with_the_savepoint) {
  SimulatedCluster world(1);
  const Result<std::string> path = stop(world, 1, true, GetParam(), true);
  EXPECT_THAT(path.status().to_string(),
              AllOf(HasSubstr("the savepoint '/savepoints/savepoint-"),
                    HasSubstr("' is complete, but the job failed"), HasSubstr("cannot commit")));
}

INSTANTIATE_TEST_SUITE_P(Barriers, StopTest, ::testing::Bool(),
                         [](const auto& param) { return param.param ? "unaligned" : "aligned"; });

}  // namespace
}  // namespace clepsydra
