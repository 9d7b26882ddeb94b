// Checkpoints whose barriers overtake rows, in whole jobs with a sink that takes nothing.
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

namespace clepsydra {
namespace {

using testing::JobBuilder;
using testing::lines_of_rows;
using testing::read_all;
using testing::RowsSource;
using testing::seeds;
using testing::SimulatedCluster;
using testing::sorted;

RowsSource many_rows() {
  return {.splits = 2, .rows = 110000, .keys = 50, .has_watermark = true};
}

// Two tasks between the source and a client that does not read: every channel is full.
JobGraph blocked_job(const std::string& timeout) {
  JobBuilder job;
  const int from = job.source(many_rows(), 2);
  const int shared = job.pass({from}, Partitioning::kRebalance, 3);
  job.collect(job.pass({shared}, Partitioning::kRebalance, 2));
  job.set("execution.checkpointing.interval", "20 ms");
  job.set("execution.checkpointing.dir", "/checkpoints");
  if (!timeout.empty()) {
    job.set("execution.checkpointing.unaligned.enabled", "true");
    job.set("execution.checkpointing.aligned-checkpoint-timeout", timeout);
  }
  // Far less than the rows: 4 KiB a channel, and what waits for the client.
  job.set("clepsydra.channel.bytes-max", "4 kb");
  job.set("clepsydra.batch.rows-max", "32");
  return job.build();
}

struct Seen {
  std::int64_t completed = 0;
  std::int64_t duration_ms = 0;
  std::int64_t bytes = 0;
};
Seen run_blocked(const std::string& timeout, std::uint64_t seed) {
  SimulatedCluster world(seed);
  const Result<JobId> id = world.cluster->submit(blocked_job(timeout));
  EXPECT_TRUE(id.is_ok()) << id.status().to_string();
  world.pool.run_for_ns(500'000'000);
  const std::int64_t completed = world.cluster->status(*id)->checkpoints.completed;
  world.pool.run_for_ns(2'000'000'000);
  const CheckpointProgress checkpoints = world.cluster->status(*id)->checkpoints;
  EXPECT_EQ(checkpoints.failed, 0)
      << "seed " << seed << ": " << checkpoints.last_failure.to_string();
  const Seen seen{checkpoints.completed - completed, checkpoints.last_duration_ms,
                  checkpoints.last_state_bytes};
  // And then the client reads: everything is there, once.
  const auto reader = *world.cluster->fetch_results(*id, "result");
  const auto collected = read_all(*reader);
  EXPECT_TRUE(collected.is_ok()) << collected.status().to_string();
  if (collected.is_ok()) {
    EXPECT_EQ(sorted(collected->lines), lines_of_rows(many_rows()));
  }
  return seen;
}

TEST(UnalignedTest, aligned_checkpoints_wait_for_a_sink_that_takes_nothing) {
  for (const std::uint64_t seed : seeds(1)) {
    EXPECT_EQ(run_blocked("", seed).completed, 0) << "seed " << seed;
  }
}

TEST(UnalignedTest, barriers_that_overtake_do_not_wait_for_it) {
  for (const std::uint64_t seed : seeds(2)) {
    const Seen seen = run_blocked("0 ms", seed);
    EXPECT_GT(seen.completed, 50) << "seed " << seed;
    EXPECT_LT(seen.duration_ms, 20) << "seed " << seed;
    EXPECT_GT(seen.bytes, 5'000) << "seed " << seed;  // What is in flight.
  }
}

TEST(UnalignedTest, barriers_overtake_when_they_have_waited_for_so_long) {
  for (const std::uint64_t seed : seeds(2)) {
    const Seen seen = run_blocked("50 ms", seed);
    EXPECT_GT(seen.completed, 20) << "seed " << seed;
    EXPECT_GE(seen.duration_ms, 50) << "seed " << seed;
    EXPECT_LT(seen.duration_ms, 70) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clepsydra
