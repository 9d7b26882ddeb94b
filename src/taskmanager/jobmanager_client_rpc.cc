#include "taskmanager/jobmanager_client_rpc.h"

#include <fmt/format.h>

#include <string_view>

#include "base/logging.h"
#include "checkpoint/checkpoint_codec.h"
#include "control.pb.h"

namespace clepsydra {
namespace {

void write_task(const TaskId& task, proto::TaskRef& out) {
  out.set_job(std::string(task.job.bytes().begin(), task.job.bytes().end()));
  out.set_vertex(static_cast<std::uint32_t>(task.vertex));
  out.set_subtask(static_cast<std::uint32_t>(task.subtask));
  out.set_attempt(static_cast<std::uint32_t>(task.attempt));
}

void write_status(const Status& status, proto::StatusMessage& out) {
  out.set_code(static_cast<std::uint32_t>(status.code()));
  out.set_message(std::string(status.message()));
}

void write_metrics(const TaskMetricsSnapshot& metrics, proto::TaskMetrics& out) {
  for (const TaskMetricsSnapshot::OfOperator& from : metrics.operators) {
    proto::OperatorMetrics& to = *out.add_operators();
    to.set_rows_in(from.rows_in);
    to.set_rows_out(from.rows_out);
    to.set_bytes_in(from.bytes_in);
    to.set_late_rows(from.late_rows);
    to.set_dropped_rows(from.dropped_rows);
    to.set_peak_memory_bytes(from.peak_memory_bytes);
    for (const std::string& sample : from.late_sample) to.add_late_sample(sample);
  }
  out.set_watermark(metrics.watermark);
  out.set_backpressured_ns(metrics.backpressured_ns);
  out.set_busy_ns(metrics.busy_ns);
  out.set_idle_ns(metrics.idle_ns);
}

proto::TaskOutcome outcome_of(TaskPhase phase) {
  switch (phase) {
    case TaskPhase::kFinished:
      return proto::FINISHED;
    case TaskPhase::kCanceled:
      return proto::CANCELED;
    default:
      return proto::FAILED;
  }
}

}  // namespace

void JobManagerClient::request_splits(const TaskId& task) {
  proto::ToJobManager message;
  write_task(task, *message.mutable_split_request()->mutable_task());
  send("a split request", message.SerializeAsString());
}

void JobManagerClient::report_alignment(const TaskId& task, std::int64_t watermark) {
  proto::ToJobManager message;
  write_task(task, *message.mutable_alignment_report()->mutable_task());
  message.mutable_alignment_report()->set_watermark(watermark);
  send("a watermark for alignment", message.SerializeAsString());
}

void JobManagerClient::task_ended(TaskEnd end) {
  proto::ToJobManager message;
  proto::TaskEnded& ended = *message.mutable_task_ended();
  write_task(end.task, *ended.mutable_task());
  ended.set_outcome(outcome_of(end.phase));
  write_status(end.status, *ended.mutable_status());
  for (const OperatorCommittables& from : end.committables) {
    proto::Committables& to = *ended.add_committables();
    to.set_operator_(static_cast<std::uint32_t>(from.op));
    for (const std::string& committable : from.committables) to.add_committables(committable);
  }
  write_metrics(end.metrics, *ended.mutable_metrics());
  send("the end of a task", message.SerializeAsString());
}

void JobManagerClient::checkpoint_acknowledged(const TaskId& task, CheckpointId checkpoint,
                                               const TaskSnapshot& snapshot) {
  proto::ToJobManager message;
  proto::CheckpointAcknowledged& acknowledged = *message.mutable_checkpoint_acknowledged();
  write_task(task, *acknowledged.mutable_task());
  acknowledged.set_checkpoint(checkpoint);
  acknowledged.set_snapshot(encode_task_snapshot(snapshot));
  send("the acknowledgement of a checkpoint", message.SerializeAsString());
}

void JobManagerClient::checkpoint_declined(const TaskId& task, CheckpointId checkpoint,
                                           const Status& reason) {
  proto::ToJobManager message;
  proto::CheckpointDeclined& declined = *message.mutable_checkpoint_declined();
  write_task(task, *declined.mutable_task());
  declined.set_checkpoint(checkpoint);
  write_status(reason, *declined.mutable_reason());
  send("the refusal of a checkpoint", message.SerializeAsString());
}

void JobManagerClient::deployed(const JobId& job, int attempt, const Status& status) {
  proto::ToJobManager message;
  proto::Deployed& deployed = *message.mutable_deployed();
  deployed.mutable_job()->set_job(std::string(job.bytes().begin(), job.bytes().end()));
  deployed.mutable_job()->set_attempt(static_cast<std::uint32_t>(attempt));
  write_status(status, *deployed.mutable_status());
  send("the outcome of a deployment", message.SerializeAsString());
}

void JobManagerClient::report_metrics(
    const std::vector<std::pair<TaskId, TaskMetricsSnapshot>>& tasks) {
  proto::ToJobManager message;
  for (const auto& [task, metrics] : tasks) {
    proto::TaskMetricsReport& report = *message.mutable_metrics_report()->add_tasks();
    write_task(task, *report.mutable_task());
    write_metrics(metrics, *report.mutable_metrics());
  }
  send("metrics", message.SerializeAsString());
}

void JobManagerClient::send(std::string_view what, std::string bytes) {
  const Status sent = transport_.send(own_endpoint_, job_manager_, std::move(bytes));
  if (sent.is_ok()) return;
  CLP_LOG(kWarning, "taskmanager",
          fmt::format("cannot send {} to {}: {}", what, job_manager_, sent.to_string()));
}

}  // namespace clepsydra
