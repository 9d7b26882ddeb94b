#include "taskmanager/task_service_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "checkpoint/checkpoint_codec.h"
#include "control.pb.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Writes down what was called.
class RecordingService final : public TaskService {
 public:
  void deploy(DeploymentOrder order) override {
    std::string text =
        "deploy " + order.job.to_string().substr(0, 4) + " " + std::to_string(order.attempt);
    for (const int vertex : order.vertices) text += " v" + std::to_string(vertex);
    calls.push_back(
        text + " " + std::string(status_code_name(order.graph.status().code())) + " " +
        (order.restores.is_ok() ? std::to_string(order.restores->size())
                                : std::string(status_code_name(order.restores.status().code()))) +
        (order.in_flight.is_ok() ? "" : " in flight: " + order.in_flight.status().to_string()));
  }
  void trigger_checkpoint(const JobId& job, int attempt, TaskCheckpointOrder order,
                          std::vector<std::pair<int, int>> tasks) override {
    std::string text = "trigger " + job.to_string().substr(0, 4) + " " + std::to_string(attempt) +
                       " " + std::to_string(order.id) + " at " +
                       std::to_string(order.timestamp_ms) + " in " + order.folder +
                       (order.kind == CheckpointKind::kSavepoint ? " savepoint" : "") +
                       (order.as_base ? " base" : "") + (order.drains ? " drains" : "") + ":";
    for (const auto& [vertex, subtask] : tasks) {
      text += " " + std::to_string(vertex) + "/" + std::to_string(subtask);
    }
    calls.push_back(text);
  }
  void end_checkpoint(const JobId& /*job*/, int attempt, CheckpointId id, bool completed) override {
    calls.push_back("end " + std::to_string(attempt) + " " + std::to_string(id) +
                    (completed ? " completed" : " aborted"));
  }
  void cancel_job(const JobId& /*job*/, int attempt) override {
    calls.push_back("cancel " + std::to_string(attempt));
  }
  void assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                     bool no_more_splits) override {
    std::string text =
        "splits of " + std::to_string(task.vertex) + "/" + std::to_string(task.subtask) + ":";
    for (const SourceSplit& split : splits) {
      text += " " + split.id + "=" + split.payload + "+" + split.progress;
    }
    calls.push_back(text + (no_more_splits ? " end" : ""));
  }
  void set_alignment_limit(const TaskId& /*task*/, std::int64_t watermark) override {
    calls.push_back("limit " + std::to_string(watermark));
  }
  void release_job(const JobId& job) override {
    calls.push_back("release " + job.to_string().substr(0, 4));
  }
  void job_ended(const JobId& job) override {
    calls.push_back("ended " + job.to_string().substr(0, 4));
  }
  std::vector<std::string> calls;
};

proto::ToTaskManager splits_message() {
  proto::ToTaskManager message;
  proto::AssignSplits& assign = *message.mutable_assign_splits();
  assign.mutable_task()->set_job(std::string(16, '\xab'));
  assign.mutable_task()->set_vertex(2);
  assign.mutable_task()->set_subtask(5);
  proto::Split& split = *assign.add_splits();
  split.set_id("one");
  split.set_payload("1");
  split.set_progress("far");
  assign.set_no_more_splits(true);
  return message;
}

proto::ToTaskManager trigger_message() {
  proto::ToTaskManager message;
  proto::TriggerCheckpoint& trigger = *message.mutable_trigger_checkpoint();
  trigger.mutable_job()->set_job(std::string(16, '\xab'));
  trigger.mutable_job()->set_attempt(2);
  trigger.set_checkpoint(7);
  trigger.set_timestamp_ms(1234);
  trigger.set_folder("/f");
  proto::TriggerCheckpoint::Task& task = *trigger.add_tasks();
  task.set_vertex(3);
  task.set_subtask(1);
  return message;
}

TEST(TaskServiceRpcTest, every_kind_of_message_makes_its_call) {
  RecordingService service;
  const auto dispatch = [&](const proto::ToTaskManager& message) {
    const Status status = dispatch_to_task_service(message.SerializeAsString(), service);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  };
  const std::string job(16, '\xab');
  proto::ToTaskManager deploy;
  deploy.mutable_deploy()->mutable_job()->set_job(job);
  deploy.mutable_deploy()->mutable_job()->set_attempt(1);
  deploy.mutable_deploy()->set_job_graph("no graph");
  dispatch(deploy);
  TaskRestore restore;
  restore.vertex = 2;
  deploy.mutable_deploy()->add_restores(encode_task_restore(restore));
  dispatch(deploy);
  deploy.mutable_deploy()->add_restores("no restore");
  deploy.mutable_deploy()->add_vertices(3);
  deploy.mutable_deploy()->add_vertices(7);
  dispatch(deploy);
  proto::ToTaskManager cancel;
  cancel.mutable_cancel_job()->mutable_job()->set_job(job);
  cancel.mutable_cancel_job()->mutable_job()->set_attempt(3);
  dispatch(cancel);
  dispatch(splits_message());
  proto::ToTaskManager limit;
  limit.mutable_alignment_limit()->mutable_task()->set_job(job);
  limit.mutable_alignment_limit()->set_watermark(-7);
  dispatch(limit);
  proto::ToTaskManager trigger = trigger_message();
  dispatch(trigger);
  trigger.mutable_trigger_checkpoint()->set_kind(1);
  trigger.mutable_trigger_checkpoint()->set_as_base(true);
  trigger.mutable_trigger_checkpoint()->set_drains(true);
  dispatch(trigger);
  proto::ToTaskManager ended;
  ended.mutable_checkpoint_ended()->mutable_job()->set_job(job);
  ended.mutable_checkpoint_ended()->mutable_job()->set_attempt(4);
  ended.mutable_checkpoint_ended()->set_checkpoint(7);
  dispatch(ended);
  ended.mutable_checkpoint_ended()->set_completed(true);
  dispatch(ended);
  proto::ToTaskManager release;
  release.mutable_release_job()->set_job(job);
  dispatch(release);
  proto::ToTaskManager over;
  over.mutable_job_ended()->set_job(job);
  dispatch(over);
  dispatch({});  // A kind that is not known here.
  // A graph that cannot be read is for the service to report, not for the log.
  EXPECT_THAT(
      service.calls,
      ElementsAre("deploy abab 1 InvalidArgument 0", "deploy abab 1 InvalidArgument 1",
                  "deploy abab 1 v3 v7 InvalidArgument InvalidArgument", "cancel 3",
                  "splits of 2/5: one=1+far end", "limit -7", "trigger abab 2 7 at 1234 in /f: 3/1",
                  "trigger abab 2 7 at 1234 in /f savepoint base drains: 3/1", "end 4 7 aborted",
                  "end 4 7 completed", "release abab", "ended abab"));
}

TEST(TaskServiceRpcTest, checkpoints_that_cannot_be_are_refused) {
  RecordingService service;
  proto::ToTaskManager message = trigger_message();
  message.mutable_trigger_checkpoint()->set_checkpoint(0);
  EXPECT_EQ(dispatch_to_task_service(message.SerializeAsString(), service).code(),
            StatusCode::kInvalidArgument);
  message = trigger_message();
  message.mutable_trigger_checkpoint()->set_kind(2);
  EXPECT_EQ(dispatch_to_task_service(message.SerializeAsString(), service).code(),
            StatusCode::kInvalidArgument);
  EXPECT_THAT(service.calls, IsEmpty());
}

TEST(TaskServiceRpcTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::vector<std::string> whole = {splits_message().SerializeAsString(),
                                          trigger_message().SerializeAsString()};
  Random random(5);
  RecordingService service;
  for (int i = 0; i < 20'000; ++i) {
    const std::string& bytes = whole[random.uniform(whole.size())];
    std::string broken = bytes.substr(0, random.uniform(bytes.size() + 1));
    for (std::uint64_t flips = random.uniform(4); flips > 0 && !broken.empty(); --flips) {
      broken[random.uniform(broken.size())] = static_cast<char>(random.uniform(256));
    }
    const Status status = dispatch_to_task_service(broken, service);
    EXPECT_TRUE(status.is_ok() || status.code() == StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace clepsydra
