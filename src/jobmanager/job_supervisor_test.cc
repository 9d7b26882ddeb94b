#include "jobmanager/job_supervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "base/transport.h"
#include "clepsydra/connector_runtime.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Takes messages and counts them.
class SilentTransport final : public Transport {
 public:
  Status listen(std::string /*endpoint*/, MessageHandler /*handler*/) override {
    return Status::ok();
  }
  void close(std::string_view /*endpoint*/) override {}
  Status send(std::string_view /*from*/, std::string_view /*to*/, std::string /*bytes*/) override {
    ++messages;
    return reachable ? Status::ok() : Status::unavailable("nobody listens");
  }
  int messages = 0;
  bool reachable = true;
};

class NamingCommitter final : public SinkCommitter {
 public:
  explicit NamingCommitter(std::vector<std::string>& events) : events_(events) {}
  Status commit(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) events_.push_back("commit " + committable);
    return Status::ok();
  }
  void abort(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) events_.push_back("abort " + committable);
  }

 private:
  std::vector<std::string>& events_;
};

class NamingSink final : public Sink {
 public:
  explicit NamingSink(std::vector<std::string>& events) : events_(events) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& /*context*/) const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::make_unique<NamingCommitter>(events_);
  }

 private:
  std::vector<std::string>& events_;
};

class SinkConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& /*spec*/) const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& /*spec*/) const override {
    return std::make_unique<NamingSink>(events);
  }
  mutable std::vector<std::string> events;
};

// One task of two subtasks whose second operator is a sink. Subtasks end by hand.
class JobSupervisorTest : public ::testing::Test {
 protected:
  JobSupervisorTest() {
    JobVertex vertex;
    vertex.id = "000102030405060708090a0b0c0d0e0f";
    vertex.name = "Input -> Sink";
    vertex.parallelism = 2;
    vertex.operators.resize(2);
    const SchemaPtr schema = make_schema({{"a", DataType::big_int(), ""}});
    vertex.operators[0].spec = {"any", "input", "Input", {}, schema, {}};
    vertex.operators[1].spec = {"sink_writer", "sink", "Sink", {schema}, nullptr, {}};
    vertex.operators[1].spec.options.set("sink", ValueTree::map());
    vertex.operators[1].producer = 0;
    graph_.name = "job";
    graph_.vertices = {std::move(vertex)};
  }

  void start() {
    JobServices services;
    services.clock = &clock_;
    services.file_system = &files_;
    services.connectors = &connectors_;
    services.memory = memory_.get();
    services.task_manager = &task_manager_;
    services.schedule = [](const JobId&, int, std::int64_t) {};
    services.run_blocking = [this](const JobId&, std::function<Status()> work) {
      work_ = std::move(work);
    };
    services.on_change = [this] { ++changes_; };
    Result<std::unique_ptr<JobSupervisor>> made =
        JobSupervisor::make(id_, graph_, {}, std::move(services));
    ASSERT_TRUE(made.is_ok()) << made.status().to_string();
    job_ = *std::move(made);
    start_status_ = job_->start();
  }
  void end(int subtask, SubtaskEnd::Outcome outcome, const std::string& committable = "",
           Status status = {}) {
    SubtaskEnd ended;
    ended.subtask = {id_, 0, 0, subtask};
    ended.outcome = outcome;
    ended.status = std::move(status);
    if (!committable.empty()) ended.committables.push_back({1, {committable}});
    job_->subtask_ended(std::move(ended));
  }
  void do_blocking_work() {
    ASSERT_TRUE(work_);
    job_->work_done(std::exchange(work_, nullptr)());
  }

  const JobId id_{JobId::Bytes{7}};
  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> memory_ = MemoryPool::make_root("test");
  SinkConnectors connectors_;
  SilentTransport transport_;
  TaskManagerClient task_manager_{transport_, "jobmanager", "taskmanager"};
  JobGraph graph_;
  std::unique_ptr<JobSupervisor> job_;
  Status start_status_;
  std::function<Status()> work_;
  int changes_ = 0;
};

TEST_F(JobSupervisorTest, all_tasks_finish_then_the_sinks_commit) {
  start();
  EXPECT_EQ(job_->phase(), JobPhase::kCreated);
  job_->deployed(0, Status::ok());
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  end(0, SubtaskEnd::Outcome::kFinished, "a");
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  end(0, SubtaskEnd::Outcome::kFinished, "a");  // Said twice: counts once.
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  end(1, SubtaskEnd::Outcome::kFinished, "b");
  EXPECT_EQ(job_->phase(), JobPhase::kFinishing);
  EXPECT_THAT(connectors_.events, IsEmpty());
  job_->cancel();  // Too late.
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFinished);
  EXPECT_THAT(connectors_.events, ElementsAre("commit a", "commit b"));
  EXPECT_EQ(job_->status().finished_subtasks, 2);
}

TEST_F(JobSupervisorTest, the_first_failure_is_the_cause_and_everything_prepared_is_aborted) {
  start();
  job_->deployed(0, Status::ok());
  const int before = transport_.messages;
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::data_loss("first"));
  EXPECT_EQ(job_->phase(), JobPhase::kFailing);
  EXPECT_EQ(transport_.messages, before + 1);  // The cancellation.
  end(1, SubtaskEnd::Outcome::kFailed, "b", Status::internal("second"));
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kDataLoss);
  EXPECT_THAT(connectors_.events, ElementsAre("abort b"));
}

TEST_F(JobSupervisorTest, a_job_that_was_cancelled_commits_nothing_even_if_its_tasks_finish) {
  start();
  job_->deployed(0, Status::ok());
  job_->cancel();
  end(0, SubtaskEnd::Outcome::kFinished, "a");
  end(1, SubtaskEnd::Outcome::kCanceled);
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kCanceled);
  EXPECT_TRUE(job_->status().error.is_ok());
  EXPECT_THAT(connectors_.events, ElementsAre("abort a"));
}

TEST_F(JobSupervisorTest, a_deployment_that_fails_fails_the_job) {
  start();
  job_->deployed(0, Status::not_found("no such operator"));
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("no such operator"));
}

TEST_F(JobSupervisorTest, a_job_cancelled_while_it_is_deployed_is_cancelled) {
  start();
  job_->cancel();
  job_->deployed(0, Status::not_found("no such operator"));
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kCanceled);
}

TEST_F(JobSupervisorTest, what_is_heard_of_other_attempts_or_subtasks_is_ignored) {
  start();
  job_->deployed(1, Status::internal("another attempt"));
  EXPECT_EQ(job_->phase(), JobPhase::kCreated);
  job_->deployed(0, Status::ok());
  SubtaskEnd other;
  other.subtask = {id_, 0, 9, 0};
  other.outcome = SubtaskEnd::Outcome::kFailed;
  job_->subtask_ended(other);
  other.subtask = {id_, 0, 0, -1};
  job_->subtask_ended(std::move(other));
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
}

TEST_F(JobSupervisorTest, a_task_manager_that_cannot_be_reached_is_an_error_at_the_start) {
  transport_.reachable = false;
  start();
  EXPECT_EQ(start_status_.code(), StatusCode::kUnavailable);
}

TEST_F(JobSupervisorTest, committables_of_an_operator_that_is_no_sink_fail_the_job) {
  start();
  job_->deployed(0, Status::ok());
  SubtaskEnd ended;
  ended.subtask = {id_, 0, 0, 0};
  ended.committables.push_back({0, {"a"}});
  job_->subtask_ended(std::move(ended));
  EXPECT_EQ(job_->phase(), JobPhase::kFailing);
}

TEST_F(JobSupervisorTest, numbers_of_subtasks_are_added_up) {
  start();
  job_->deployed(0, Status::ok());
  for (int subtask = 0; subtask < 2; ++subtask) {
    SubtaskReport report;
    report.operators.resize(2);
    report.operators[1].rows_in = 10 + subtask;
    report.operators[1].watermark = 500 - subtask;
    report.operators[1].late_sample = {"a", "b", "c"};
    job_->metrics_reported({id_, 0, 0, subtask}, std::move(report));
    if (subtask == 0) {
      EXPECT_EQ(job_->status().operators[1].watermark, kMinWatermark);
    }
  }
  const OperatorMetrics sink = job_->status().operators[1];
  EXPECT_EQ(sink.rows_in, 21);
  EXPECT_EQ(sink.watermark, 499);
  EXPECT_EQ(sink.late_sample.size(), 5);
  EXPECT_TRUE(sink.is_sink);
}

}  // namespace
}  // namespace clepsydra
