#include "jobmanager/job_supervisor.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "base/transport.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/checkpoint_storage.h"
#include "clepsydra/connector_runtime.h"
#include "jobmanager/recorded_orders_rpc.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::RecordedOrder;
using testing::RecordingTransport;
using ::testing::UnorderedElementsAre;

class NamingCommitter final : public SinkCommitter {
 public:
  NamingCommitter(std::vector<std::string>& events, const Status& failure,
                  const std::function<void()>& before_commit)
      : events_(events), failure_(failure), before_commit_(before_commit) {}
  Status commit(std::span<const std::string> committables) override {
    if (before_commit_) before_commit_();
    if (!failure_.is_ok()) return failure_;
    for (const std::string& committable : committables) events_.push_back("commit " + committable);
    return Status::ok();
  }
  Status commit_restored(std::span<const std::string> committables) override {
    if (!failure_.is_ok()) return failure_;
    for (const std::string& committable : committables) events_.push_back("again " + committable);
    return Status::ok();
  }
  void abort(std::span<const std::string> committables) override {
    for (const std::string& committable : committables) events_.push_back("abort " + committable);
  }
  void remove_leftovers(const std::string& job_id) override {
    events_.push_back("leftovers of " + job_id.substr(0, 4));
  }

 private:
  std::vector<std::string>& events_;
  const Status& failure_;
  const std::function<void()>& before_commit_;
};

class NamingSink final : public Sink {
 public:
  NamingSink(std::vector<std::string>& events, const Status& failure,
             const std::function<void()>& before_commit)
      : events_(events), failure_(failure), before_commit_(before_commit) {}
  Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& /*context*/) const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& /*context*/) const override {
    return std::make_unique<NamingCommitter>(events_, failure_, before_commit_);
  }

 private:
  std::vector<std::string>& events_;
  const Status& failure_;
  const std::function<void()>& before_commit_;
};

class SinkConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& /*spec*/) const override {
    return Status::unimplemented("not in this test");
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& /*spec*/) const override {
    return std::make_unique<NamingSink>(events, commit_failure, before_commit);
  }
  mutable std::vector<std::string> events;
  Status commit_failure;  // Ok: commits succeed.
  std::function<void()> before_commit;
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

  Result<std::unique_ptr<JobSupervisor>> make_supervisor() {
    JobServices services;
    services.clock = &clock_;
    services.file_system = &files_;
    services.connectors = &connectors_;
    services.memory = memory_.get();
    services.task_manager = &task_manager_;
    services.schedule = [this](const JobId&, std::int64_t delay_ms, std::function<void()> call) {
      timers_.emplace(clock_.monotonic_ns() + delay_ms * 1'000'000, std::move(call));
    };
    services.run_blocking = [this](const JobId&, std::function<Status()> work,
                                   std::function<void(const Status&)> done) {
      ASSERT_FALSE(work_) << "one piece at a time";
      work_ = [work = std::move(work), done = std::move(done)] { done(work()); };
    };
    services.lock_directory = lock_directory_;
    services.on_change = [this] { ++changes_; };
    return JobSupervisor::make(id_, graph_, configuration_, std::move(services));
  }
  void start() {
    Result<std::unique_ptr<JobSupervisor>> made = make_supervisor();
    ASSERT_TRUE(made.is_ok()) << made.status().to_string();
    job_ = *std::move(made);
    start_status_ = job_->start();
  }
  void deployed(int attempt, const Status& status = {}) { job_->deployed(attempt, status); }
  void end(int subtask, SubtaskEnd::Outcome outcome, const std::string& committable = "",
           Status status = {}, int attempt = 0) {
    SubtaskEnd ended;
    ended.subtask = {id_, attempt, 0, subtask};
    ended.outcome = outcome;
    ended.status = std::move(status);
    if (!committable.empty()) ended.committables.push_back({1, {committable}});
    job_->subtask_ended(std::move(ended));
  }
  void cancel_tasks(int attempt) {
    for (int subtask = 0; subtask < 2; ++subtask) {
      end(subtask, SubtaskEnd::Outcome::kCanceled, "", {}, attempt);
    }
  }
  void acknowledge(int subtask, CheckpointId id, const std::string& committable = "",
                   int attempt = 0) {
    TaskSnapshot snapshot;
    if (!committable.empty()) snapshot.operators.push_back({1, {}, {committable}, {}});
    job_->checkpoint_acknowledged({id_, attempt, 0, subtask}, id, encode_task_snapshot(snapshot));
  }
  // All blocking work, and what it leads to.
  void do_blocking_work() {
    ASSERT_TRUE(work_);
    while (work_) std::exchange(work_, nullptr)();
  }
  void pass_ms(std::int64_t ms) {
    const std::int64_t until_ns = clock_.monotonic_ns() + ms * 1'000'000;
    while (!timers_.empty() && timers_.begin()->first <= until_ns) {
      auto timer = timers_.extract(timers_.begin());
      if (timer.key() > clock_.monotonic_ns()) {
        clock_.advance_ns(timer.key() - clock_.monotonic_ns());
      }
      timer.mapped()();
    }
    clock_.advance_ns(until_ns - clock_.monotonic_ns());
  }
  // What was sent since the last call.
  std::vector<std::string> orders() {
    std::vector<std::string> texts;
    for (const RecordedOrder& order : transport_.orders) texts.push_back(order.to_string());
    transport_.orders.clear();
    return texts;
  }
  std::vector<std::string> events() { return std::exchange(connectors_.events, {}); }
  std::vector<std::string> names(const std::string& folder) {
    std::vector<std::string> found;
    const auto entries = files_.list(folder);
    if (!entries.is_ok()) return found;
    for (const FileInfo& entry : *entries) found.push_back(entry.name);
    return found;
  }
  void make_checkpoints() {
    configuration_.set("execution.checkpointing.interval", "1 s");
    configuration_.set("restart-strategy.type", "fixed-delay");
    configuration_.set("restart-strategy.fixed-delay.delay", "100 ms");
    configuration_.set("restart-strategy.fixed-delay.attempts", "3");
  }
  // A checkpoint of both tasks, to its end.
  void complete_checkpoint(CheckpointId id, int attempt = 0) {
    acknowledge(0, id, "a" + std::to_string(id), attempt);
    acknowledge(1, id, "b" + std::to_string(id), attempt);
    do_blocking_work();
  }

  const JobId id_{JobId::Bytes{7}};
  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> memory_ = MemoryPool::make_root("test");
  SinkConnectors connectors_;
  RecordingTransport transport_;
  TaskManagerClient task_manager_{transport_, "jobmanager", "taskmanager"};
  JobGraph graph_;
  Configuration configuration_;
  std::unique_ptr<JobSupervisor> job_;
  Status start_status_;
  std::function<void()> work_;
  std::function<Result<std::shared_ptr<void>>(const std::string&)> lock_directory_;
  std::multimap<std::int64_t, std::function<void()>> timers_;  // By when, in order of making.
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
  (void)orders();
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::data_loss("first"));
  EXPECT_EQ(job_->phase(), JobPhase::kFailing);
  EXPECT_THAT(orders(), ElementsAre("cancel 0"));
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
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("no such operator"));
}

TEST_F(JobSupervisorTest, a_job_cancelled_while_it_is_deployed_is_cancelled) {
  start();
  job_->cancel();
  job_->deployed(0, Status::not_found("no such operator"));
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

TEST_F(JobSupervisorTest, a_commit_that_fails_at_the_end_fails_the_job_and_takes_the_rest_back) {
  connectors_.commit_failure = Status::permission_denied("read-only");
  start();
  deployed(0);
  end(0, SubtaskEnd::Outcome::kFinished, "a");
  end(1, SubtaskEnd::Outcome::kFinished, "b");
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(events(), ElementsAre("abort a", "abort b"));
}

// ---- Checkpoints ----

TEST_F(JobSupervisorTest, checkpoints_are_triggered_completed_and_committed) {
  make_checkpoints();
  start();
  EXPECT_THAT(orders(), ElementsAre("deploy 0"));
  pass_ms(5000);  // No task runs yet.
  EXPECT_THAT(orders(), IsEmpty());
  deployed(0);
  pass_ms(999);
  EXPECT_THAT(orders(), IsEmpty());
  pass_ms(1);
  ASSERT_EQ(transport_.orders.size(), 1);
  EXPECT_EQ(transport_.orders[0].folder, "");  // There is no folder: state comes with the answers.
  EXPECT_THAT(orders(), ElementsAre("trigger 1: 0/0 0/1"));
  acknowledge(0, 1, "a");
  EXPECT_FALSE(work_);
  acknowledge(1, 1, "b");
  EXPECT_EQ(job_->status().checkpoints.completed, 0);
  do_blocking_work();
  EXPECT_THAT(orders(), ElementsAre("completed 1"));
  EXPECT_THAT(events(), ElementsAre("commit a", "commit b"));
  pass_ms(1000);
  EXPECT_THAT(orders(), ElementsAre("trigger 2: 0/0 0/1"));
  pass_ms(50);
  complete_checkpoint(2);
  const CheckpointProgress progress = job_->status().checkpoints;
  EXPECT_EQ(progress.completed, 2);
  EXPECT_EQ(progress.last_id, 2);
  EXPECT_EQ(progress.last_duration_ms, 50);
  EXPECT_EQ(progress.last_path, "");
}

TEST_F(JobSupervisorTest, what_finished_tasks_prepared_is_committed_with_the_last_checkpoint) {
  make_checkpoints();
  start();
  deployed(0);
  pass_ms(1000);
  complete_checkpoint(1);
  (void)events();
  (void)orders();
  end(0, SubtaskEnd::Outcome::kFinished, "end of a");
  EXPECT_FALSE(work_);
  end(1, SubtaskEnd::Outcome::kFinished, "end of b");
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);  // The last checkpoint is being stored.
  EXPECT_THAT(events(), IsEmpty());
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFinished);
  EXPECT_THAT(events(), ElementsAre("commit end of a", "commit end of b"));
  EXPECT_EQ(job_->status().checkpoints.completed, 2);
}

TEST_F(JobSupervisorTest, a_checkpoint_that_is_declined_is_aborted_and_its_results_come_later) {
  make_checkpoints();
  configuration_.set("execution.checkpointing.tolerable-failed-checkpoints", "1");
  start();
  deployed(0);
  pass_ms(1000);
  (void)orders();
  acknowledge(0, 1, "a1");
  job_->checkpoint_declined({id_, 0, 0, 1}, 1, Status::unavailable("no disk"));
  EXPECT_THAT(orders(), ElementsAre("aborted 1"));
  EXPECT_EQ(job_->status().checkpoints.failed, 1);
  EXPECT_THAT(std::string(job_->status().checkpoints.last_failure.message()), HasSubstr("no disk"));
  pass_ms(1000);
  complete_checkpoint(2);
  EXPECT_THAT(events(), UnorderedElementsAre("commit a1", "commit a2", "commit b2"));
}

TEST_F(JobSupervisorTest, an_acknowledgement_that_cannot_be_read_declines_the_checkpoint) {
  make_checkpoints();
  start();
  deployed(0);
  pass_ms(1000);
  job_->checkpoint_acknowledged({id_, 0, 0, 0}, 1, "no snapshot");
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);  // None may fail.
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("acknowledgement"));
}

// ---- Restarts ----

TEST_F(JobSupervisorTest, a_failed_attempt_is_followed_by_one_from_the_last_checkpoint) {
  make_checkpoints();
  start();
  deployed(0);
  pass_ms(1000);
  complete_checkpoint(1);
  pass_ms(1000);
  acknowledge(0, 2, "a2");
  (void)orders();
  (void)events();
  end(1, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"));
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kUnavailable);
  EXPECT_THAT(orders(), ElementsAre("cancel 0"));
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("abort a2"));
  pass_ms(1000);
  EXPECT_THAT(orders(), IsEmpty());  // A task of the old attempt still runs.
  end(0, SubtaskEnd::Outcome::kCanceled);
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("again a1", "again b1"));
  EXPECT_THAT(orders(), ElementsAre("deploy 1"));
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  deployed(1);
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  const JobStatus status = job_->status();
  EXPECT_EQ(status.attempt, 1);
  EXPECT_EQ(status.restarts, 1);
  EXPECT_TRUE(status.error.is_ok());
  EXPECT_EQ(status.last_failure.code(), StatusCode::kUnavailable);
  // Numbers of checkpoints go on.
  pass_ms(1000);
  EXPECT_THAT(orders(), ElementsAre("trigger 3: 0/0 0/1"));
  // What the first attempt says now is nobody's business.
  acknowledge(0, 3, "old", 0);
  complete_checkpoint(3, 1);
  EXPECT_THAT(events(), ElementsAre("commit a3", "commit b3"));
}

TEST_F(JobSupervisorTest, the_next_attempt_waits_for_its_time) {
  make_checkpoints();
  start();
  deployed(0);
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"));
  end(1, SubtaskEnd::Outcome::kCanceled);
  (void)orders();
  pass_ms(99);
  EXPECT_THAT(orders(), IsEmpty());
  pass_ms(1);
  EXPECT_THAT(orders(), ElementsAre("deploy 1"));  // From the start: there is no checkpoint.
}

TEST_F(JobSupervisorTest, the_strategy_ends_it) {
  make_checkpoints();
  start();
  for (int attempt = 0; attempt < 4; ++attempt) {
    deployed(attempt);
    end(0, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"), attempt);
    end(1, SubtaskEnd::Outcome::kCanceled, "", {}, attempt);
    pass_ms(100);
  }
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().restarts, 3);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kUnavailable);
}

TEST_F(JobSupervisorTest, what_somebody_must_change_is_not_tried_again) {
  make_checkpoints();
  start();
  deployed(0);
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::failed_precondition("a file is in the way"));
  end(1, SubtaskEnd::Outcome::kCanceled);
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
}

TEST_F(JobSupervisorTest, a_job_without_checkpoints_is_not_restarted_by_itself) {
  start();
  deployed(0);
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"));
  end(1, SubtaskEnd::Outcome::kCanceled);
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
}

TEST_F(JobSupervisorTest, a_commit_that_fails_is_made_up_for_before_anything_else_completes) {
  make_checkpoints();
  start();
  deployed(0);
  pass_ms(1000);
  connectors_.commit_failure = Status::unavailable("no answer");
  complete_checkpoint(1);
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kUnavailable);
  cancel_tasks(0);
  pass_ms(100);
  do_blocking_work();  // Fails again.
  EXPECT_THAT(events(), IsEmpty());
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  connectors_.commit_failure = Status::ok();
  pass_ms(100);
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("again a1", "again b1"));
  deployed(1);
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  EXPECT_EQ(job_->status().restarts, 2);
}

// Else whoever waits for its end waits for as long as the sinks are away.
TEST_F(JobSupervisorTest, a_job_that_was_cancelled_while_sinks_committed_does_not_try_again) {
  for (const bool is_cancelled : {false, true}) {
    connectors_.commit_failure = Status::ok();
    timers_.clear();
    make_checkpoints();
    start();
    deployed(0);
    end(0, SubtaskEnd::Outcome::kFinished, "a");
    end(1, SubtaskEnd::Outcome::kFinished, "b");
    std::exchange(work_, nullptr)();  // The last checkpoint is stored: committing comes next.
    ASSERT_EQ(job_->phase(), JobPhase::kFinishing);
    if (is_cancelled) job_->cancel();
    connectors_.commit_failure = Status::unavailable("no answer");
    do_blocking_work();
    EXPECT_EQ(job_->phase(), is_cancelled ? JobPhase::kFailed : JobPhase::kRestarting);
    EXPECT_EQ(job_->status().error.code(), StatusCode::kUnavailable);
  }
}

TEST_F(JobSupervisorTest, after_a_failed_commit_no_later_checkpoint_completes) {
  make_checkpoints();
  configuration_.set("execution.checkpointing.max-concurrent-checkpoints", "2");
  start();
  deployed(0);
  pass_ms(1000);
  acknowledge(0, 1, "a1");
  acknowledge(1, 1, "b1");
  std::exchange(work_, nullptr)();  // Stored: committing comes next.
  pass_ms(1000);
  acknowledge(0, 2, "a2");
  acknowledge(1, 2, "b2");
  connectors_.commit_failure = Status::unavailable("no answer");
  do_blocking_work();
  EXPECT_EQ(job_->status().checkpoints.last_id, 1);  // Of which all is committed again.
  connectors_.commit_failure = Status::ok();
  cancel_tasks(0);
  pass_ms(100);
  if (work_) do_blocking_work();
  EXPECT_THAT(events(), UnorderedElementsAre("abort a2", "abort b2", "again a1", "again b1"));
}

TEST_F(JobSupervisorTest, a_job_is_cancelled_while_it_waits_for_a_restart) {
  make_checkpoints();
  start();
  deployed(0);
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"));
  job_->cancel();
  EXPECT_EQ(job_->phase(), JobPhase::kCanceling);
  end(1, SubtaskEnd::Outcome::kCanceled);
  EXPECT_EQ(job_->phase(), JobPhase::kCanceled);
  EXPECT_TRUE(job_->status().error.is_ok());
  pass_ms(1000);
  EXPECT_EQ(job_->phase(), JobPhase::kCanceled);
}

// ---- Files ----

class JobSupervisorFilesTest : public JobSupervisorTest {
 protected:
  JobSupervisorFilesTest() {
    make_checkpoints();
    configuration_.set("execution.checkpointing.dir", "/checkpoints");
  }
  void start_and_deploy() {
    start();
    do_blocking_work();
    deployed(0);
  }
  const std::string folder_ = "/checkpoints/" + id_.to_string();
};

TEST_F(JobSupervisorFilesTest, checkpoints_are_files_and_go_with_the_job) {
  start_and_deploy();
  pass_ms(1000);
  EXPECT_EQ(transport_.orders.back().folder, folder_);
  complete_checkpoint(1);
  EXPECT_EQ(job_->status().checkpoints.last_path, folder_ + "/chk-1");
  EXPECT_THAT(names(folder_), UnorderedElementsAre("chk-1", "shared", "taskowned"));
  pass_ms(1000);
  complete_checkpoint(2);
  EXPECT_THAT(names(folder_), UnorderedElementsAre("chk-2", "shared", "taskowned"));
  end(0, SubtaskEnd::Outcome::kFinished);
  end(1, SubtaskEnd::Outcome::kFinished);
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFinished);
  EXPECT_THAT(names("/checkpoints"), IsEmpty());
}

TEST_F(JobSupervisorFilesTest, what_is_kept_of_a_job_that_does_not_finish) {
  struct Case {
    const char* retention;
    bool fails;
    bool kept;
  };
  for (const Case& c : std::vector<Case>{{"NO_EXTERNALIZED_CHECKPOINTS", false, false},
                                         {"NO_EXTERNALIZED_CHECKPOINTS", true, false},
                                         {"DELETE_ON_CANCELLATION", false, false},
                                         {"DELETE_ON_CANCELLATION", true, true},
                                         {"RETAIN_ON_CANCELLATION", false, true},
                                         {"RETAIN_ON_CANCELLATION", true, true}}) {
    SCOPED_TRACE(c.retention);
    ASSERT_TRUE(files_.remove_all("/checkpoints").is_ok());
    configuration_.set("execution.checkpointing.externalized-checkpoint-retention", c.retention);
    timers_.clear();
    start_and_deploy();
    pass_ms(1000);
    complete_checkpoint(1);
    pass_ms(1000);
    acknowledge(0, 2, "a2");
    if (c.fails) {
      end(0, SubtaskEnd::Outcome::kFailed, "", Status::failed_precondition("broken"));
    } else {
      job_->cancel();
    }
    cancel_tasks(0);
    do_blocking_work();
    EXPECT_EQ(job_->phase(), c.fails ? JobPhase::kFailed : JobPhase::kCanceled);
    if (c.kept) {
      EXPECT_THAT(names(folder_), UnorderedElementsAre("chk-1", "shared", "taskowned"));
    } else {
      EXPECT_THAT(names("/checkpoints"), IsEmpty());
    }
  }
}

TEST_F(JobSupervisorFilesTest, a_folder_that_cannot_be_used_fails_the_job) {
  ASSERT_TRUE(write_file_atomically(files_, "/checkpoints", "a file").is_ok());
  start();
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_THAT(std::string(job_->status().error.message()),
              HasSubstr("execution.checkpointing.dir"));
  EXPECT_THAT(orders(), IsEmpty());
}

TEST_F(JobSupervisorFilesTest, a_disk_that_is_full_for_a_while_is_waited_for) {
  files_.fail_operation(1, Status::resource_exhausted("disk full"), FileOperation::kOpenForWrite);
  start();
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  pass_ms(100);
  do_blocking_work();
  EXPECT_THAT(orders(), ElementsAre("deploy 0"));
}

TEST_F(JobSupervisorFilesTest, metadata_that_cannot_be_stored_fails_the_checkpoint) {
  configuration_.set("execution.checkpointing.tolerable-failed-checkpoints", "1");
  start_and_deploy();
  pass_ms(1000);
  files_.fail_operation(1, Status::unavailable("no disk"), FileOperation::kRename);
  complete_checkpoint(1);
  EXPECT_EQ(job_->status().checkpoints.failed, 1);
  EXPECT_THAT(names(folder_), UnorderedElementsAre("shared", "taskowned"));
  EXPECT_THAT(events(), IsEmpty());
  pass_ms(1000);
  complete_checkpoint(2);
  EXPECT_THAT(events(), UnorderedElementsAre("commit a1", "commit b1", "commit a2", "commit b2"));
}

// The next checkpoint may be complete already, and whoever goes on from that commits nothing of
// this one.
TEST_F(JobSupervisorFilesTest, what_a_stored_checkpoint_commits_depends_on_no_other_file) {
  start_and_deploy();
  pass_ms(1000);
  files_.set_fault_hook([this](FileOperation, const std::string& path) {
    const bool is_stored = job_->status().checkpoints.completed == 1;
    return is_stored && path == folder_ ? Status::unavailable("no disk") : Status::ok();
  });
  complete_checkpoint(1);
  EXPECT_THAT(events(), UnorderedElementsAre("commit a1", "commit b1"));
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  files_.set_fault_hook({});
}

TEST_F(JobSupervisorFilesTest, another_process_goes_on_where_this_one_was_killed) {
  start_and_deploy();
  pass_ms(1000);
  complete_checkpoint(1);
  pass_ms(1000);
  acknowledge(0, 2, "a2");
  (void)events();
  (void)orders();
  // It is gone; the next one knows the folder of the job.
  timers_.clear();
  configuration_.set("execution.state-recovery.path", folder_);
  configuration_.set("execution.checkpointing.dir", "/others");
  start();
  EXPECT_THAT(orders(), IsEmpty());
  do_blocking_work();
  EXPECT_THAT(events(),
              ElementsAre("again a1", "again b1", "leftovers of " + id_.to_string().substr(0, 4)));
  ASSERT_EQ(transport_.orders.size(), 1);
  EXPECT_EQ(transport_.orders[0].to_string(), "deploy 0");
  EXPECT_EQ(job_->status().restored_path, folder_ + "/chk-1");
  deployed(0);
  (void)orders();
  pass_ms(1000);
  // Its numbers are above those of what it came from, and nothing builds upon files of others.
  ASSERT_EQ(transport_.orders.size(), 1);
  EXPECT_EQ(transport_.orders[0].checkpoint, 2);
  EXPECT_TRUE(transport_.orders[0].as_base);
  complete_checkpoint(2);
  // What it came from was not given to it.
  EXPECT_THAT(names(folder_), UnorderedElementsAre("chk-1", "shared", "taskowned"));
}

TEST_F(JobSupervisorFilesTest, a_checkpoint_that_was_claimed_goes_when_there_is_a_newer_one) {
  start_and_deploy();
  pass_ms(1000);
  complete_checkpoint(1);
  timers_.clear();
  configuration_.set("execution.state-recovery.path", folder_ + "/chk-1");
  configuration_.set("execution.state-recovery.claim-mode", "CLAIM");
  configuration_.set("execution.checkpointing.dir", "/others");
  start_and_deploy();
  pass_ms(1000);
  complete_checkpoint(2);
  EXPECT_THAT(names(folder_), UnorderedElementsAre("shared", "taskowned"));
}

TEST_F(JobSupervisorFilesTest, a_path_that_does_not_exist_fails_the_job_without_retries) {
  configuration_.set("execution.state-recovery.path", "/nowhere");
  start();
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().restarts, 0);
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("/nowhere"));
}

TEST_F(JobSupervisorFilesTest, state_of_an_operator_that_is_gone_is_refused_unless_asked_for) {
  start_and_deploy();
  pass_ms(1000);
  TaskSnapshot snapshot;
  snapshot.operators.push_back({0, {inline_state("state")}, {}, {}});
  for (int subtask = 0; subtask < 2; ++subtask) {
    job_->checkpoint_acknowledged({id_, 0, 0, subtask}, 1, encode_task_snapshot(snapshot));
  }
  do_blocking_work();
  timers_.clear();
  (void)orders();
  configuration_.set("execution.state-recovery.path", folder_);
  configuration_.set("execution.checkpointing.dir", "/others");
  graph_.vertices[0].operators[0].spec.uid = "renamed";
  start();
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("Input"));
  configuration_.set("execution.state-recovery.ignore-unclaimed-state", "true");
  start();
  do_blocking_work();
  EXPECT_THAT(orders(), ElementsAre("deploy 0"));
}

TEST_F(JobSupervisorFilesTest, a_broken_checkpoint_is_passed_over_for_the_one_before) {
  configuration_.set("execution.checkpointing.num-retained", "2");
  start_and_deploy();
  pass_ms(1000);
  complete_checkpoint(1);
  pass_ms(1000);
  complete_checkpoint(2);
  end(0, SubtaskEnd::Outcome::kFailed, "", Status::unavailable("gone"));
  end(1, SubtaskEnd::Outcome::kCanceled);
  pass_ms(100);
  do_blocking_work();
  (void)events();
  (void)orders();
  deployed(1, Status::data_loss("a flipped bit"));
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("again a1", "again b1"));
  EXPECT_THAT(orders(), ElementsAre("deploy 2"));  // At once: nobody has failed.
  deployed(2, Status::data_loss("and here"));
  EXPECT_EQ(job_->phase(), JobPhase::kFailing);
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().error.code(), StatusCode::kDataLoss);
}

// ---- Regions ----

// Two tasks that are not connected: 0 and 1.
class JobRegionsTest : public JobSupervisorTest {
 protected:
  JobRegionsTest() {
    JobVertex second = graph_.vertices[0];
    second.id = "f00102030405060708090a0b0c0d0e0f";
    second.operators[0].spec.uid = "input 2";
    second.operators[1].spec.uid = "sink 2";
    graph_.vertices.push_back(std::move(second));
    make_checkpoints();
  }
  void start_both() {
    start();
    EXPECT_THAT(orders(), ElementsAre("deploy 0", "deploy 1"));
    deployed(0);
    EXPECT_EQ(job_->phase(), JobPhase::kCreated);
    deployed(1);
    EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  }
  void acknowledge_both(CheckpointId id, int first_attempt, int second_attempt) {
    for (int subtask = 0; subtask < 2; ++subtask) {
      acknowledge(subtask, id, fmt::format("{}: first {}", id, subtask), first_attempt);
      TaskSnapshot snapshot;
      snapshot.operators.push_back({1, {}, {fmt::format("{}: second {}", id, subtask)}, {}});
      job_->checkpoint_acknowledged({id_, second_attempt, 1, subtask}, id,
                                    encode_task_snapshot(snapshot));
    }
    do_blocking_work();
  }
  void end_second(int subtask, SubtaskEnd::Outcome outcome, int attempt, Status status = {}) {
    SubtaskEnd ended;
    ended.subtask = {id_, attempt, 1, subtask};
    ended.outcome = outcome;
    ended.status = std::move(status);
    job_->subtask_ended(std::move(ended));
  }
};

TEST_F(JobRegionsTest, one_that_fails_starts_anew_while_the_other_runs) {
  start_both();
  pass_ms(1000);
  EXPECT_THAT(orders(), ElementsAre("trigger 1: 0/0 0/1", "trigger 1: 1/0 1/1"));
  acknowledge_both(1, 0, 1);
  EXPECT_THAT(orders(), ElementsAre("completed 1", "completed 1"));
  EXPECT_THAT(events(), ElementsAre("commit 1: first 0", "commit 1: first 1", "commit 1: second 0",
                                    "commit 1: second 1"));
  pass_ms(1000);
  (void)orders();
  acknowledge(0, 2, "2: first 0");
  end_second(0, SubtaskEnd::Outcome::kFailed, 1, Status::internal("broken"));
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  EXPECT_THAT(orders(), ElementsAre("aborted 2", "cancel 1"));
  end_second(1, SubtaskEnd::Outcome::kCanceled, 1);
  while (work_) do_blocking_work();
  pass_ms(99);
  EXPECT_THAT(orders(), IsEmpty());
  pass_ms(1);
  // What the checkpoint has of it is committed again, and nothing else.
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("again 1: second 0", "again 1: second 1"));
  ASSERT_EQ(transport_.orders.size(), 1);
  EXPECT_THAT(transport_.orders[0].vertices, ElementsAre(1));
  EXPECT_THAT(orders(), ElementsAre("deploy 2"));
  deployed(2);
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  EXPECT_EQ(job_->status().restarts, 1);
  pass_ms(900);
  EXPECT_THAT(orders(), ElementsAre("trigger 3: 0/0 0/1", "trigger 3: 1/0 1/1"));
  acknowledge_both(3, 0, 2);
  EXPECT_THAT(events(), ElementsAre("commit 3: first 0", "commit 2: first 0", "commit 3: first 1",
                                    "commit 3: second 0", "commit 3: second 1"));
}

TEST_F(JobRegionsTest, a_commit_that_fails_is_made_up_for_by_all_together) {
  start_both();
  pass_ms(1000);
  (void)orders();
  connectors_.commit_failure = Status::unavailable("no answer");
  acknowledge_both(1, 0, 1);
  EXPECT_EQ(job_->phase(), JobPhase::kRestarting);
  EXPECT_THAT(orders(), ElementsAre("completed 1", "completed 1", "cancel 0", "cancel 1"));
  cancel_tasks(0);
  pass_ms(1000);
  EXPECT_FALSE(work_) << "the second one is not at its end";
  connectors_.commit_failure = Status::ok();
  (void)events();
  for (int subtask = 0; subtask < 2; ++subtask)
    end_second(subtask, SubtaskEnd::Outcome::kCanceled, 1);
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("again 1: first 0", "again 1: first 1", "again 1: second 0",
                                    "again 1: second 1"));
  EXPECT_THAT(orders(), ElementsAre("deploy 2", "deploy 3"));
}

TEST_F(JobRegionsTest, the_whole_job_is_one_region_if_that_is_wanted) {
  configuration_.set("jobmanager.execution.failover-strategy", "full");
  start();
  ASSERT_EQ(transport_.orders.size(), 1);
  EXPECT_THAT(transport_.orders[0].vertices, ElementsAre(0, 1));
  configuration_.set("jobmanager.execution.failover-strategy", "some");
  EXPECT_THAT(make_supervisor().status().to_string(),
              HasSubstr("'region' or 'full', but is 'some'"));
}

// ---- Savepoints ----

// Aborted in every way: by a refusal, by time, before or after the answers of the tasks. The number
// is CLEPSYDRA_ABORTED_CHECKPOINTS.
TEST_F(JobSupervisorFilesTest, aborted_checkpoints_leave_nothing) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody writes the environment.
  const char* wanted = std::getenv("CLEPSYDRA_ABORTED_CHECKPOINTS");
  const CheckpointId count = wanted == nullptr ? 300 : std::stoll(wanted);
  configuration_.set("execution.checkpointing.tolerable-failed-checkpoints", "1000000");
  configuration_.set("execution.checkpointing.timeout", "500 ms");
  start_and_deploy();
  const auto answer = [&](int subtask, CheckpointId id, bool is_shared) {
    TaskSnapshot snapshot;
    snapshot.operators.resize(1);
    const std::string path =
        state_file_path(id, CheckpointKind::kCheckpoint, is_shared, 0, 0, subtask, 0);
    snapshot.operators[0].files = {*write_state(files_, folder_, path, "state", 0)};
    job_->checkpoint_acknowledged({id_, 0, 0, subtask}, id, encode_task_snapshot(snapshot));
  };
  std::int64_t until_next_ms = 1000;
  for (CheckpointId id = 1; id <= count; ++id) {
    pass_ms(until_next_ms);
    until_next_ms = 1000;
    if (id % 3 > 0) answer(0, id, id % 2 == 0);
    if (id % 4 < 2) {
      job_->checkpoint_declined({id_, 0, 0, 1}, id, Status::unavailable("no disk"));
    } else {
      pass_ms(500);
      until_next_ms = 500;
    }
    if (work_) do_blocking_work();
    // One that comes too late.
    if (id % 5 == 0) answer(1, id, id % 2 == 0);
    if (work_) do_blocking_work();
  }
  EXPECT_EQ(job_->status().checkpoints.failed, count);
  EXPECT_EQ(job_->status().checkpoints.completed, 0);
  EXPECT_THAT(names(folder_), UnorderedElementsAre("shared", "taskowned"));
  EXPECT_THAT(names(folder_ + "/shared"), IsEmpty());
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
}

TEST_F(JobSupervisorFilesTest, the_folder_of_a_job_is_its_own_until_it_has_ended) {
  std::set<std::string> locked;
  lock_directory_ = [&](const std::string& directory) -> Result<std::shared_ptr<void>> {
    if (!locked.insert(directory).second) {
      return Status::failed_precondition("'" + directory + "' is in use by process 12");
    }
    return std::shared_ptr<void>(nullptr, [&locked, directory](void*) { locked.erase(directory); });
  };
  start_and_deploy();
  EXPECT_THAT(locked, ElementsAre(folder_));
  pass_ms(1000);
  complete_checkpoint(1);
  const std::unique_ptr<JobSupervisor> first = std::move(job_);
  timers_.clear();
  (void)orders();
  // Somebody goes on from its checkpoint while it runs.
  configuration_.set("execution.state-recovery.path", folder_);
  configuration_.set("execution.checkpointing.dir", "/others");
  start();
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFailed);
  EXPECT_EQ(job_->status().restarts, 0);
  EXPECT_THAT(std::string(job_->status().error.message()), HasSubstr("process 12"));
  EXPECT_THAT(orders(), IsEmpty());
  EXPECT_THAT(locked, ElementsAre(folder_));  // The first still has it.
  job_ = nullptr;
}

TEST_F(JobSupervisorFilesTest, a_job_that_has_ended_lets_go_of_its_folder) {
  int locks = 0;
  lock_directory_ = [&](const std::string&) -> Result<std::shared_ptr<void>> {
    ++locks;
    return std::shared_ptr<void>(nullptr, [&locks](void*) { --locks; });
  };
  start_and_deploy();
  EXPECT_EQ(locks, 1);
  job_->cancel();
  cancel_tasks(0);
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kCanceled);
  EXPECT_EQ(locks, 0);
}

TEST_F(JobSupervisorFilesTest, a_folder_that_only_can_be_read_is_gone_on_from_without_a_lock) {
  start_and_deploy();
  pass_ms(1000);
  complete_checkpoint(1);
  timers_.clear();
  (void)orders();
  lock_directory_ = [&](const std::string& directory) -> Result<std::shared_ptr<void>> {
    if (directory == folder_) return Status::permission_denied("read-only file system");
    return std::shared_ptr<void>();
  };
  configuration_.set("execution.state-recovery.path", folder_);
  configuration_.set("execution.checkpointing.dir", "/others");
  start();
  do_blocking_work();
  EXPECT_THAT(orders(), ElementsAre("deploy 0"));
}

TEST_F(JobSupervisorTest, a_savepoint_of_a_job_without_a_folder_for_checkpoints) {
  start();
  deployed(0);
  (void)orders();
  const std::int64_t request = job_->request_savepoint("/savepoints", SavepointThen::kGoOn);
  do_blocking_work();
  ASSERT_EQ(transport_.orders.size(), 1);
  const std::string folder = transport_.orders[0].folder;
  EXPECT_THAT(folder, HasSubstr("/savepoints/savepoint-"));
  EXPECT_EQ(transport_.orders[0].checkpoint_kind, CheckpointKind::kSavepoint);
  EXPECT_FALSE(job_->savepoint(request)->has_ended);
  acknowledge(0, 1, "a1");
  acknowledge(1, 1, "b1");
  do_blocking_work();
  const SavepointStatus answer = *job_->savepoint(request);
  EXPECT_TRUE(answer.has_ended);
  EXPECT_TRUE(answer.status.is_ok()) << answer.status.to_string();
  EXPECT_EQ(answer.location, folder);
  EXPECT_THAT(names(folder), ElementsAre("_metadata"));
  EXPECT_THAT(events(), IsEmpty());  // It commits nothing.
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  end(0, SubtaskEnd::Outcome::kFinished);
  end(1, SubtaskEnd::Outcome::kFinished);
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("commit a1", "commit b1"));
  EXPECT_THAT(names(folder), ElementsAre("_metadata"));
}

TEST_F(JobSupervisorTest, a_job_is_stopped_with_a_savepoint) {
  make_checkpoints();
  configuration_.set("execution.checkpointing.savepoint-dir", "/savepoints");
  start();
  deployed(0);
  const std::int64_t request = job_->request_savepoint("", SavepointThen::kStop);
  do_blocking_work();
  acknowledge(0, 1, "a1");
  acknowledge(1, 1, "b1");
  do_blocking_work();
  EXPECT_EQ(job_->phase(), JobPhase::kFinishing);
  EXPECT_THAT(events(), ElementsAre("commit a1", "commit b1"));
  EXPECT_TRUE(job_->savepoint(request)->has_ended);
  EXPECT_THAT(orders(), ::testing::Contains("cancel 0"));
  end(0, SubtaskEnd::Outcome::kCanceled, "after it");
  end(1, SubtaskEnd::Outcome::kFailed, "", Status::cancelled("in the middle"));
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("abort after it"));
  EXPECT_EQ(job_->phase(), JobPhase::kFinished);
  EXPECT_TRUE(job_->status().error.is_ok());
}

// Who would find the checkpoint again would write its rows again.
TEST_F(JobSupervisorFilesTest, what_a_stop_commits_is_in_no_older_checkpoint_after_a_power_cut) {
  configuration_.set("execution.checkpointing.num-retained", "2");
  configuration_.set("execution.checkpointing.externalized-checkpoint-retention",
                     "RETAIN_ON_CANCELLATION");
  start_and_deploy();
  for (CheckpointId id = 1; id <= 3; ++id) {
    pass_ms(1000);
    complete_checkpoint(id);
  }
  ASSERT_THAT(names(folder_), UnorderedElementsAre("chk-2", "chk-3", "shared", "taskowned"));
  (void)events();
  connectors_.before_commit = [this] { files_.drop_unsynced(); };
  (void)job_->request_savepoint("/savepoints", SavepointThen::kStop);
  do_blocking_work();
  acknowledge(0, 4, "a4");
  acknowledge(1, 4, "b4");
  do_blocking_work();
  EXPECT_THAT(events(), ElementsAre("commit a4", "commit b4"));
  std::vector<std::string> left;
  for (const std::string& path : files_.paths_below(folder_)) {
    if (base_name(path) == "_metadata") left.push_back(path);
  }
  EXPECT_THAT(left, IsEmpty());
}

TEST_F(JobSupervisorTest, savepoints_that_cannot_be_taken_say_why_and_leave_nothing) {
  make_checkpoints();
  start();
  const auto answer = [&](std::int64_t request) {
    return job_->savepoint(request)->has_ended ? job_->savepoint(request)->status : Status::ok();
  };
  EXPECT_THAT(answer(job_->request_savepoint("/s", SavepointThen::kGoOn)).message(),
              HasSubstr("does not run now"));
  deployed(0);
  EXPECT_THAT(answer(job_->request_savepoint("", SavepointThen::kGoOn)).message(),
              HasSubstr("execution.checkpointing.savepoint-dir"));
  EXPECT_EQ(job_->savepoint(99).status().code(), StatusCode::kNotFound);
  const std::int64_t declined = job_->request_savepoint("/s", SavepointThen::kGoOn);
  do_blocking_work();
  EXPECT_THAT(names("/s"), ::testing::SizeIs(1));
  job_->checkpoint_declined({id_, 0, 0, 1}, 1, Status::unavailable("no disk"));
  do_blocking_work();
  EXPECT_THAT(answer(declined).message(), HasSubstr("no disk"));
  EXPECT_THAT(names("/s"), IsEmpty());
  EXPECT_EQ(job_->phase(), JobPhase::kRunning);
  const std::int64_t waiting = job_->request_savepoint("/s", SavepointThen::kGoOn);
  do_blocking_work();
  job_->cancel();
  EXPECT_TRUE(job_->savepoint(waiting)->has_ended);
  cancel_tasks(0);
  do_blocking_work();
  EXPECT_FALSE(answer(waiting).is_ok());
  EXPECT_THAT(names("/s"), IsEmpty());
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
