// SHOW JOBS, DESCRIBE JOB, STOP JOB over jobs that are only told about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kRunning = "00000000000000000000000000000001";
constexpr std::string_view kFinished = "00000000000000000000000000000002";

struct ToldJobs final : SessionJobs {
  ToldJobs() {
    JobStatus running;
    running.id = *JobId::parse(kRunning);
    running.name = "insert-into_t";
    running.phase = JobPhase::kRunning;
    running.started_ms = 1'704'103'200'000;
    JobStatus finished = running;
    finished.id = *JobId::parse(kFinished);
    finished.phase = JobPhase::kFinished;
    jobs = {running, finished};
  }
  Result<std::vector<JobStatus>> list() override { return jobs; }
  Status cancel(const JobId& id) override {
    calls.push_back("cancel " + id.to_string());
    return Status::ok();
  }
  Result<std::string> stop(const JobId& id, bool drain) override {
    calls.push_back((drain ? "drain " : "stop ") + id.to_string());
    if (fails) return failure;
    return std::string("/savepoints/savepoint-1");
  }
  Result<std::string> explain_recovery(const StreamGraph& graph,
                                       const Configuration& configuration) override {
    if (fails) return failure;
    return std::string("from ") + *configuration.find("execution.state-recovery.path") + " for " +
           graph.nodes[0].spec.name + "\n";
  }

  std::vector<JobStatus> jobs;
  std::vector<std::string> calls;
  bool fails = false;
  const Status failure = Status::failed_precondition("no folder for savepoints");
};

class JobStatementsTest : public SessionTest {
 protected:
  JobStatementsTest() { session_.set_jobs(&jobs_); }
  ToldJobs jobs_;
};

TEST_F(JobStatementsTest, jobs_are_listed_and_described) {
  const std::vector<std::string> lines = rows("SHOW JOBS");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "job id | job name | status | start time");
  EXPECT_THAT(lines[1], HasSubstr("00000000000000000000000000000001 | insert-into_t | RUNNING | "
                                  "2024-01-01"));
  EXPECT_THAT(lines[2], HasSubstr(" | FINISHED | "));
  EXPECT_EQ(rows("DESCRIBE JOB '00000000000000000000000000000002'")[1], lines[2]);
  EXPECT_THAT(error("DESCRIBE JOB '00000000000000000000000000000003'"),
              HasSubstr("NotFound: line 1, column 14: there is no job"));
  EXPECT_THAT(error("DESCRIBE JOB 'x'"), HasSubstr("InvalidArgument: line 1, column 14"));
}

TEST_F(JobStatementsTest, jobs_are_stopped_with_and_without_savepoint) {
  run("STOP JOB '00000000000000000000000000000001'");
  EXPECT_THAT(rows("STOP JOB '00000000000000000000000000000001' WITH SAVEPOINT"),
              ElementsAre("savepoint path", "/savepoints/savepoint-1"));
  rows("STOP JOB '00000000000000000000000000000001' WITH SAVEPOINT WITH DRAIN");
  EXPECT_THAT(jobs_.calls, ElementsAre("cancel 00000000000000000000000000000001",
                                       "stop 00000000000000000000000000000001",
                                       "drain 00000000000000000000000000000001"));
  jobs_.fails = true;
  EXPECT_THAT(error("STOP JOB '00000000000000000000000000000001' WITH SAVEPOINT"),
              HasSubstr("FailedPrecondition: line 1, column 10: no folder for savepoints"));
  EXPECT_THAT(error("STOP JOB '00000000000000000000000000000002'"),
              HasSubstr("has ended already: FINISHED"));
  EXPECT_THAT(error("STOP JOB '00000000000000000000000000000001' WITH DRAIN"),
              HasSubstr("goes with a savepoint"));
}

TEST_F(JobStatementsTest, explain_says_what_a_job_would_go_on_from) {
  create_orders();
  EXPECT_THAT(text("EXPLAIN SELECT product FROM orders"), Not(HasSubstr("== State ==")));
  run("SET 'execution.state-recovery.path' = '/savepoints/1'");
  EXPECT_THAT(text("EXPLAIN SELECT product FROM orders"),
              HasSubstr("\n== State ==\nfrom /savepoints/1 for Source: orders[1]\n"));
  jobs_.fails = true;
  EXPECT_THAT(text("EXPLAIN SELECT product FROM orders"),
              HasSubstr("\n== State ==\nThe job would be refused: no folder for savepoints\n"));
}

TEST_F(SessionTest, statements_about_jobs_need_somebody_who_runs_them) {
  EXPECT_THAT(error("SHOW JOBS"), HasSubstr("Unimplemented: line 1, column 1: SHOW JOBS here"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
