#include "main/local_cluster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/job_graph.h"
#include "main/test_cluster.h"

namespace clepsydra {
namespace {

using testing::Collected;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::JobBuilder;
using testing::lines_of_rows;
using testing::read_all;
using testing::RowsSource;
using testing::SimulatedCluster;
using testing::sorted;
using testing::ThreadedCluster;

// Each case runs on one thread, on two, and on simulations with three seeds.
struct World {
  std::string name;
  int threads = 0;
  std::uint64_t seed = 0;
};

class LocalClusterTest : public ::testing::TestWithParam<World> {
 protected:
  void SetUp() override {
    if (GetParam().threads > 0) {
      threaded_ = std::make_unique<ThreadedCluster>(GetParam().threads);
    } else {
      simulated_ = std::make_unique<SimulatedCluster>(GetParam().seed);
    }
  }
  LocalCluster& cluster() { return threaded_ ? *threaded_->cluster : *simulated_->cluster; }
  testing::SinkLog& log() {
    return threaded_ ? threaded_->connectors.log() : simulated_->connectors.log();
  }

  JobId submit(JobBuilder& job) {
    const Result<JobId> id = cluster().submit(job.build());
    EXPECT_TRUE(id.is_ok()) << id.status().to_string();
    return *id;
  }
  JobStatus wait(const JobId& id) {
    const Result<JobStatus> status = cluster().wait(id, std::chrono::seconds(60));
    EXPECT_TRUE(status.is_ok()) << status.status().to_string();
    return *status;
  }
  // Runs a job with one result and expects it to finish.
  Collected collect(JobBuilder& job) {
    const JobId id = submit(job);
    Result<std::unique_ptr<ResultReader>> reader = cluster().fetch_results(id, "result");
    EXPECT_TRUE(reader.is_ok()) << reader.status().to_string();
    Result<Collected> collected = read_all(**reader);
    EXPECT_TRUE(collected.is_ok()) << collected.status().to_string();
    const JobStatus status = wait(id);
    EXPECT_EQ(status.phase, JobPhase::kFinished) << status.error.to_string();
    return collected.is_ok() ? *std::move(collected) : Collected();
  }

  std::unique_ptr<ThreadedCluster> threaded_;
  std::unique_ptr<SimulatedCluster> simulated_;
};

INSTANTIATE_TEST_SUITE_P(Worlds, LocalClusterTest,
                         ::testing::Values(World{"one_thread", 1, 0}, World{"two_threads", 2, 0},
                                           World{"seed_1", 0, 1}, World{"seed_2", 0, 2},
                                           World{"seed_3", 0, 3}),
                         [](const auto& world) { return world.param.name; });

TEST_P(LocalClusterTest, rows_come_from_the_source_to_the_client_in_order) {
  JobBuilder job;
  const RowsSource rows{.rows = 500};
  job.collect(job.source(rows), "result", Partitioning::kForward);
  const Collected result = collect(job);
  EXPECT_EQ(sorted(result.lines), lines_of_rows(rows));
  EXPECT_THAT(result.lines[0], HasSubstr("0 | 0 | 2024-01-01"));
  EXPECT_THAT(result.lines[499], HasSubstr(" | 499 | "));
}

TEST_P(LocalClusterTest, a_filter_in_the_chain_keeps_its_rows) {
  JobBuilder job;
  job.collect(job.filter(job.source({.rows = 500})), "result", Partitioning::kForward);
  EXPECT_EQ(collect(job).lines.size(), 400);  // One row in five has k = 0.
}

TEST_P(LocalClusterTest, every_partitioning_delivers_every_row_once) {
  for (const Partitioning partitioning :
       {Partitioning::kForward, Partitioning::kRebalance, Partitioning::kHash}) {
    JobBuilder job;
    const RowsSource rows{.splits = 5, .rows = 300};
    const int source = job.source(rows, 2);
    job.collect(job.pass({source}, partitioning, 2));
    EXPECT_EQ(sorted(collect(job).lines), lines_of_rows(rows)) << partitioning_name(partitioning);
  }
}

TEST_P(LocalClusterTest, broadcast_delivers_every_row_to_every_subtask) {
  JobBuilder job;
  const RowsSource rows{.splits = 2, .rows = 50};
  job.collect(job.pass({job.source(rows, 2)}, Partitioning::kBroadcast, 3));
  std::vector<std::string> three_times;
  for (const std::string& line : lines_of_rows(rows))
    three_times.insert(three_times.end(), 3, line);
  EXPECT_EQ(sorted(collect(job).lines), three_times);
}

TEST_P(LocalClusterTest, a_union_ends_when_all_its_sources_have) {
  JobBuilder job;
  const RowsSource many{.rows = 400};
  const RowsSource none{.splits = 0};
  const int a = job.source(many);
  const int b = job.source(none);
  job.collect(job.pass({a, b}, Partitioning::kForward));
  EXPECT_EQ(sorted(collect(job).lines), lines_of_rows(many));
}

TEST_P(LocalClusterTest, what_sinks_prepared_is_committed_once_when_all_tasks_have_finished) {
  JobBuilder job;
  const RowsSource rows{.splits = 3, .rows = 200};
  job.write(job.source(rows, 2), {}, Partitioning::kForward, 2);
  EXPECT_EQ(wait(submit(job)).phase, JobPhase::kFinished);
  EXPECT_EQ(log().committed_lines(), lines_of_rows(rows));
  EXPECT_EQ(log().commits(), 2);
  EXPECT_EQ(log().aborted_writers(), 0);
}

TEST_P(LocalClusterTest, a_failing_reader_fails_the_job_and_nothing_is_committed) {
  JobBuilder job;
  const int healthy = job.source({.rows = 100});
  job.write(healthy);
  job.write(job.source({.rows = 1000, .fail_at = 777}));
  const JobStatus status = wait(submit(job));
  EXPECT_EQ(status.phase, JobPhase::kFailed);
  EXPECT_EQ(status.error.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.error.message()), HasSubstr("row 777 is broken"));
  EXPECT_THAT(std::string(status.error.message()), HasSubstr("Source: rows"));
  EXPECT_THAT(log().committed_lines(), IsEmpty());
  // What the healthy sink had prepared is taken back, or its writer was stopped before that.
  EXPECT_EQ(log().aborted_committables() + log().aborted_writers(), 2);
}

TEST_P(LocalClusterTest, a_failing_sink_cancels_endless_sources) {
  JobBuilder job;
  const int source = job.source({.splits = 2, .rows = 1'000'000'000, .bounded = false}, 2);
  job.write(source, {.fail_at = 10}, Partitioning::kRebalance, 1);
  const JobStatus status = wait(submit(job));
  EXPECT_EQ(status.phase, JobPhase::kFailed);
  EXPECT_EQ(status.error.code(), StatusCode::kResourceExhausted) << status.error.to_string();
  EXPECT_EQ(log().aborted_writers(), 1);
}

TEST_P(LocalClusterTest, a_failing_commit_fails_the_job) {
  JobBuilder job;
  job.write(job.source({.rows = 10}), {.fail_commit = true});
  const JobStatus status = wait(submit(job));
  EXPECT_EQ(status.phase, JobPhase::kFailed);
  EXPECT_EQ(status.error.code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(log().aborted_committables(), 1);
}

TEST_P(LocalClusterTest, a_failing_prepare_aborts_the_writer) {
  JobBuilder job;
  job.write(job.source({.rows = 10}), {.fail_prepare = true});
  EXPECT_EQ(wait(submit(job)).error.code(), StatusCode::kUnavailable);
  EXPECT_EQ(log().aborted_writers(), 1);
  EXPECT_THAT(log().committed_lines(), IsEmpty());
}

TEST_P(LocalClusterTest, a_split_that_cannot_be_opened_fails_the_job) {
  JobBuilder job;
  job.write(job.source({.fail_open = true}));
  EXPECT_EQ(wait(submit(job)).error.code(), StatusCode::kNotFound);
}

TEST_P(LocalClusterTest, jobs_that_cannot_start_are_refused) {
  JobBuilder enumerator;
  enumerator.write(enumerator.source({.fail_enumerator = true}));
  EXPECT_EQ(cluster().submit(enumerator.build()).status().code(), StatusCode::kNotFound);

  JobBuilder unknown;
  unknown.write(unknown.source({}));
  JobGraph graph = unknown.build();
  graph.vertices[0].operators[0].spec.options.set("source",
                                                  ValueTree().set("connector", "no_such"));
  const Status status = cluster().submit(graph).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("no source connector 'no_such'"));
}

TEST_P(LocalClusterTest, an_operator_that_cannot_be_built_fails_the_job) {
  JobBuilder job;
  job.write(job.source({}));
  JobGraph graph = job.build();
  graph.vertices[0].operators.back().spec.kind = "no_such_kind";
  const Result<JobId> id = cluster().submit(graph);
  ASSERT_TRUE(id.is_ok());
  const JobStatus status = wait(*id);
  EXPECT_EQ(status.phase, JobPhase::kFailed);
  EXPECT_THAT(std::string(status.error.message()), HasSubstr("no_such_kind"));
}

TEST_P(LocalClusterTest, an_endless_job_is_cancelled) {
  JobBuilder job;
  const int source = job.source({.splits = 2, .rows = 1'000'000'000, .bounded = false}, 2);
  job.write(job.pass({source}, Partitioning::kHash, 2), {}, Partitioning::kForward, 2);
  const JobId id = submit(job);
  EXPECT_FALSE(has_ended(cluster().wait(id, std::chrono::milliseconds(5))->phase));
  ASSERT_TRUE(cluster().cancel(id).is_ok());
  EXPECT_EQ(wait(id).phase, JobPhase::kCanceled);
  EXPECT_EQ(log().aborted_writers(), 2);
  EXPECT_THAT(log().committed_lines(), IsEmpty());
  EXPECT_TRUE(cluster().cancel(id).is_ok());  // Nothing left to do.
  EXPECT_EQ(wait(id).phase, JobPhase::kCanceled);
}

TEST_P(LocalClusterTest, a_reader_of_a_cancelled_job_hears_of_it) {
  JobBuilder job;
  job.collect(job.source({.rows = 10, .bounded = false}), "result", Partitioning::kForward);
  const JobId id = submit(job);
  const auto reader = *cluster().fetch_results(id, "result");
  EXPECT_EQ(reader->next(std::chrono::seconds(60))->state, ResultReader::State::kBatch);
  ASSERT_TRUE(cluster().cancel(id).is_ok());
  wait(id);
  Result<ResultReader::Fetched> fetched = reader->try_next();
  while (fetched.is_ok() && fetched->state == ResultReader::State::kBatch) {
    fetched = reader->try_next();
  }
  EXPECT_EQ(fetched.status().code(), StatusCode::kCancelled) << fetched.status().to_string();
}

TEST_P(LocalClusterTest, a_slow_reader_holds_the_job_back) {
  JobBuilder job;
  const std::int64_t rows = 2'000'000;
  job.collect(job.pass({job.source({.rows = rows})}, Partitioning::kForward), "result",
              Partitioning::kForward);
  job.set("clepsydra.batch.rows-max", "4096");
  const JobId id = submit(job);
  const auto reader = *cluster().fetch_results(id, "result");
  // Nobody reads: the source comes to wait for room, far before the end.
  JobStatus held;
  do {
    EXPECT_TRUE(cluster().wait(id, std::chrono::milliseconds(50)).is_ok());
    held = *cluster().status(id);
    ASSERT_EQ(held.phase, JobPhase::kRunning);
  } while (held.operators.empty() || held.operators[0].backpressured_ns == 0);
  EXPECT_GT(held.operators[0].rows_out, 0);
  EXPECT_LT(held.operators[0].rows_out, rows / 2);
  std::int64_t read = 0;
  while (true) {
    const Result<ResultReader::Fetched> fetched = reader->next(std::chrono::seconds(60));
    ASSERT_TRUE(fetched.is_ok()) << fetched.status().to_string();
    if (fetched->state == ResultReader::State::kEnd) break;
    read += fetched->batch.rows();
  }
  EXPECT_EQ(read, rows);
  const JobStatus status = wait(id);
  EXPECT_EQ(status.phase, JobPhase::kFinished);
  EXPECT_GT(status.operators[0].backpressured_ns, 0);
}

TEST_P(LocalClusterTest, status_counts_rows_and_says_how_far_event_time_is) {
  JobBuilder job;
  const int source = job.source({.rows = 500, .has_watermark = true});
  job.write(job.filter(source));
  const JobStatus status = wait(submit(job));
  EXPECT_EQ(status.phase, JobPhase::kFinished);
  EXPECT_EQ(status.subtasks, 1);
  EXPECT_EQ(status.finished_subtasks, 1);
  ASSERT_EQ(status.operators.size(), 3);
  EXPECT_EQ(status.operators[0].name, "Source: rows");
  EXPECT_TRUE(status.operators[0].is_source);
  EXPECT_EQ(status.operators[0].rows_out, 500);
  EXPECT_EQ(status.operators[0].bytes_in, 500 * 24);
  EXPECT_EQ(status.operators[0].watermark, kMaxWatermark);
  EXPECT_GT(status.operators[0].peak_memory_bytes, 0);
  EXPECT_EQ(status.operators[1].rows_in, 500);
  EXPECT_EQ(status.operators[1].rows_out, 400);
  EXPECT_EQ(status.operators[2].rows_in, 400);
  EXPECT_TRUE(status.operators[2].is_sink);
}

TEST_P(LocalClusterTest, splits_found_later_are_read_too) {
  JobBuilder job;
  const RowsSource rows{.splits = 3, .rows = 20, .discover_after_ms = 5};
  job.collect(job.source(rows, 2));
  EXPECT_EQ(sorted(collect(job).lines), lines_of_rows(rows));
}

TEST_P(LocalClusterTest, unknown_jobs_and_results_are_named) {
  const JobId unknown;
  EXPECT_EQ(cluster().status(unknown).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(cluster().wait(unknown, std::chrono::milliseconds(0)).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(cluster().cancel(unknown).code(), StatusCode::kNotFound);
  JobBuilder job;
  job.collect(job.source({.rows = 1}), "result", Partitioning::kForward);
  const JobId id = submit(job);
  EXPECT_EQ(cluster().fetch_results(id, "other").status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(cluster().fetch_results(id, "result").is_ok());
  EXPECT_EQ(cluster().fetch_results(id, "result").status().code(), StatusCode::kNotFound);
}

TEST_P(LocalClusterTest, jobs_run_side_by_side) {
  const RowsSource rows{.rows = 300};
  std::vector<JobId> ids;
  for (int i = 0; i < 4; ++i) {
    JobBuilder job;
    job.write(job.source(rows));
    ids.push_back(submit(job));
  }
  for (const JobId& id : ids) EXPECT_EQ(wait(id).phase, JobPhase::kFinished);
  EXPECT_EQ(log().committed_lines().size(), 1200);
}

TEST_P(LocalClusterTest, a_cluster_that_goes_takes_its_jobs_along) {
  JobBuilder job;
  job.write(job.source({.rows = 1'000'000'000, .bounded = false}));
  submit(job);
  testing::SinkLog& sinks = log();
  (threaded_ ? threaded_->cluster : simulated_->cluster).reset();
  EXPECT_EQ(sinks.aborted_writers(), 1);
}

}  // namespace
}  // namespace clepsydra
