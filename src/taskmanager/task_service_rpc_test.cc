#include "taskmanager/task_service_rpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "control.pb.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;

// Writes down what was called.
class RecordingService final : public TaskService {
 public:
  void deploy(const JobId& job, int attempt, Result<JobGraph> graph) override {
    calls.push_back("deploy " + job.to_string().substr(0, 4) + " " + std::to_string(attempt) + " " +
                    std::string(status_code_name(graph.status().code())));
  }
  void cancel_job(const JobId& /*job*/, int attempt) override {
    calls.push_back("cancel " + std::to_string(attempt));
  }
  void assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                     bool no_more_splits) override {
    std::string text =
        "splits of " + std::to_string(task.vertex) + "/" + std::to_string(task.subtask) + ":";
    for (const SourceSplit& split : splits) text += " " + split.id + "=" + split.payload;
    calls.push_back(text + (no_more_splits ? " end" : ""));
  }
  void set_alignment_limit(const TaskId& /*task*/, std::int64_t watermark) override {
    calls.push_back("limit " + std::to_string(watermark));
  }
  void release_job(const JobId& job) override {
    calls.push_back("release " + job.to_string().substr(0, 4));
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
  assign.set_no_more_splits(true);
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
  proto::ToTaskManager cancel;
  cancel.mutable_cancel_job()->mutable_job()->set_job(job);
  cancel.mutable_cancel_job()->mutable_job()->set_attempt(3);
  dispatch(cancel);
  dispatch(splits_message());
  proto::ToTaskManager limit;
  limit.mutable_alignment_limit()->mutable_task()->set_job(job);
  limit.mutable_alignment_limit()->set_watermark(-7);
  dispatch(limit);
  proto::ToTaskManager release;
  release.mutable_release_job()->set_job(job);
  dispatch(release);
  dispatch({});  // A kind that is not known here.
  // A graph that cannot be read is for the service to report, not for the log.
  EXPECT_THAT(service.calls, ElementsAre("deploy abab 1 InvalidArgument", "cancel 3",
                                         "splits of 2/5: one=1 end", "limit -7", "release abab"));
}

TEST(TaskServiceRpcTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::string bytes = splits_message().SerializeAsString();
  Random random(5);
  RecordingService service;
  for (int i = 0; i < 20'000; ++i) {
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
