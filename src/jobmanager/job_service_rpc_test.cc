#include "jobmanager/job_service_rpc.h"

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
using ::testing::IsEmpty;

// Writes down what was called.
class RecordingService final : public JobService {
 public:
  void deployed(const JobId& job, int attempt, const Status& status) override {
    calls.push_back("deployed " + job.to_string().substr(0, 4) + " " + std::to_string(attempt) +
                    " " + status.to_string());
  }
  void subtask_ended(SubtaskEnd end) override { ends.push_back(std::move(end)); }
  void splits_requested(const SubtaskRef& subtask) override {
    calls.push_back("splits " + std::to_string(subtask.vertex) + "/" +
                    std::to_string(subtask.subtask));
  }
  void watermark_reported(const SubtaskRef& /*subtask*/, std::int64_t watermark) override {
    calls.push_back("watermark " + std::to_string(watermark));
  }
  void metrics_reported(const SubtaskRef& /*subtask*/, SubtaskReport report) override {
    calls.push_back("metrics of " + std::to_string(report.operators.size()));
  }
  void checkpoint_acknowledged(const SubtaskRef& subtask, std::int64_t checkpoint,
                               const std::string& snapshot) override {
    calls.push_back("acknowledged " + std::to_string(checkpoint) + " by " +
                    std::to_string(subtask.subtask) + " with " + snapshot);
  }
  void checkpoint_declined(const SubtaskRef& subtask, std::int64_t checkpoint,
                           const Status& reason) override {
    calls.push_back("declined " + std::to_string(checkpoint) + " by " +
                    std::to_string(subtask.subtask) + ": " + reason.to_string());
  }
  std::vector<std::string> calls;
  std::vector<SubtaskEnd> ends;
};

proto::TaskRef task() {
  proto::TaskRef ref;
  ref.set_job(std::string(16, '\xab'));
  ref.set_vertex(3);
  ref.set_subtask(1);
  ref.set_attempt(2);
  return ref;
}

proto::ToJobManager end_message() {
  proto::ToJobManager message;
  proto::TaskEnded& ended = *message.mutable_task_ended();
  *ended.mutable_task() = task();
  ended.set_outcome(proto::FAILED);
  ended.mutable_status()->set_code(static_cast<std::uint32_t>(StatusCode::kDataLoss));
  ended.mutable_status()->set_message("not \xff UTF-8");
  proto::Committables& committables = *ended.add_committables();
  committables.set_operator_(4);
  committables.add_committables("file");
  proto::OperatorMetrics& metrics = *ended.mutable_metrics()->add_operators();
  metrics.set_rows_in(7);
  metrics.add_late_sample("a row");
  ended.mutable_metrics()->set_busy_ns(5);
  ended.mutable_metrics()->set_watermark(kMaxWatermark);
  return message;
}

TEST(JobServiceRpcTest, the_end_of_a_task_arrives_whole) {
  RecordingService service;
  ASSERT_TRUE(dispatch_to_job_service(end_message().SerializeAsString(), service).is_ok());
  ASSERT_EQ(service.ends.size(), 1);
  const SubtaskEnd& end = service.ends[0];
  EXPECT_EQ(end.subtask.job.to_string(), "abababababababababababababababab");
  EXPECT_EQ(end.subtask.vertex, 3);
  EXPECT_EQ(end.subtask.subtask, 1);
  EXPECT_EQ(end.subtask.attempt, 2);
  EXPECT_EQ(end.outcome, SubtaskEnd::Outcome::kFailed);
  EXPECT_EQ(end.status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(end.status.message(), "not \xff UTF-8");
  ASSERT_EQ(end.committables.size(), 1);
  EXPECT_EQ(end.committables[0].op, 4);
  EXPECT_THAT(end.committables[0].committables, ElementsAre("file"));
  ASSERT_EQ(end.report.operators.size(), 1);
  EXPECT_EQ(end.report.operators[0].rows_in, 7);
  EXPECT_THAT(end.report.operators[0].late_sample, ElementsAre("a row"));
  EXPECT_EQ(end.report.operators[0].busy_ns, 5);
  EXPECT_EQ(end.report.operators[0].watermark, kMaxWatermark);
}

TEST(JobServiceRpcTest, every_kind_of_message_makes_its_call) {
  RecordingService service;
  const auto dispatch = [&](const proto::ToJobManager& message) {
    EXPECT_TRUE(dispatch_to_job_service(message.SerializeAsString(), service).is_ok());
  };
  proto::ToJobManager deployed;
  deployed.mutable_deployed()->mutable_job()->set_job(task().job());
  deployed.mutable_deployed()->mutable_job()->set_attempt(1);
  dispatch(deployed);
  proto::ToJobManager request;
  *request.mutable_split_request()->mutable_task() = task();
  dispatch(request);
  proto::ToJobManager alignment;
  *alignment.mutable_alignment_report()->mutable_task() = task();
  alignment.mutable_alignment_report()->set_watermark(-5);
  dispatch(alignment);
  proto::ToJobManager metrics;
  for (int i = 0; i < 2; ++i) {
    proto::TaskMetricsReport& report = *metrics.mutable_metrics_report()->add_tasks();
    *report.mutable_task() = task();
    report.mutable_metrics()->add_operators();
  }
  dispatch(metrics);
  proto::ToJobManager acknowledged;
  *acknowledged.mutable_checkpoint_acknowledged()->mutable_task() = task();
  acknowledged.mutable_checkpoint_acknowledged()->set_checkpoint(1LL << 40);
  acknowledged.mutable_checkpoint_acknowledged()->set_snapshot("a snapshot");
  dispatch(acknowledged);
  proto::ToJobManager declined;
  *declined.mutable_checkpoint_declined()->mutable_task() = task();
  declined.mutable_checkpoint_declined()->set_checkpoint(8);
  declined.mutable_checkpoint_declined()->mutable_reason()->set_code(14);
  declined.mutable_checkpoint_declined()->mutable_reason()->set_message("no disk");
  dispatch(declined);
  dispatch({});  // A kind that is not known here.
  EXPECT_THAT(service.calls,
              ElementsAre("deployed abab 1 OK", "splits 3/1", "watermark -5", "metrics of 1",
                          "metrics of 1", "acknowledged 1099511627776 by 1 with a snapshot",
                          "declined 8 by 1: Unavailable: no disk"));
}

TEST(JobServiceRpcTest, messages_without_a_job_are_refused) {
  RecordingService service;
  proto::ToJobManager message = end_message();
  message.mutable_task_ended()->mutable_task()->set_job("short");
  EXPECT_EQ(dispatch_to_job_service(message.SerializeAsString(), service).code(),
            StatusCode::kInvalidArgument);
  EXPECT_THAT(service.ends, IsEmpty());
}

TEST(JobServiceRpcTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::string bytes = end_message().SerializeAsString();
  Random random(3);
  RecordingService service;
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = bytes.substr(0, random.uniform(bytes.size() + 1));
    for (std::uint64_t flips = random.uniform(4); flips > 0 && !broken.empty(); --flips) {
      broken[random.uniform(broken.size())] = static_cast<char>(random.uniform(256));
    }
    const Status status = dispatch_to_job_service(broken, service);
    EXPECT_TRUE(status.is_ok() || status.code() == StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace clepsydra
