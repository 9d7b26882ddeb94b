#include "jobmanager/job_service_rpc.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "control.pb.h"

namespace clepsydra {
namespace {

Result<JobId> read_job(const std::string& bytes) {
  JobId::Bytes id{};
  if (bytes.size() != id.size()) {
    return Status::invalid_argument(
        fmt::format("a job id of {} bytes, expected {}", bytes.size(), id.size()));
  }
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return JobId(id);
}

// Beyond int: a number that no task has.
int read_number(std::uint32_t value) {
  constexpr auto kMax = static_cast<std::uint32_t>(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(value, kMax));
}

Result<SubtaskRef> read_subtask(const proto::TaskRef& message) {
  SubtaskRef subtask;
  CLP_ASSIGN_OR_RETURN(subtask.job, read_job(message.job()));
  subtask.attempt = read_number(message.attempt());
  subtask.vertex = read_number(message.vertex());
  subtask.subtask = read_number(message.subtask());
  return subtask;
}

Status read_status(const proto::StatusMessage& message) {
  const std::uint32_t code = message.code();
  if (code > static_cast<std::uint32_t>(StatusCode::kDataLoss)) {
    return {StatusCode::kUnknown, message.message()};
  }
  return {static_cast<StatusCode>(code), message.message()};
}

SubtaskReport read_report(const proto::TaskMetrics& message) {
  SubtaskReport report;
  for (const proto::OperatorMetrics& from : message.operators()) {
    OperatorMetrics& to = report.operators.emplace_back();
    to.rows_in = from.rows_in();
    to.rows_out = from.rows_out();
    to.bytes_in = from.bytes_in();
    to.late_rows = from.late_rows();
    to.dropped_rows = from.dropped_rows();
    to.peak_memory_bytes = from.peak_memory_bytes();
    to.late_sample.assign(from.late_sample().begin(), from.late_sample().end());
    to.watermark = message.watermark();
    to.backpressured_ns = message.backpressured_ns();
    to.busy_ns = message.busy_ns();
    to.idle_ns = message.idle_ns();
  }
  return report;
}

Status dispatch_end(const proto::TaskEnded& message, JobService& service) {
  SubtaskEnd end;
  CLP_ASSIGN_OR_RETURN(end.subtask, read_subtask(message.task()));
  switch (message.outcome()) {
    case proto::FINISHED:
      end.outcome = SubtaskEnd::Outcome::kFinished;
      break;
    case proto::CANCELED:
      end.outcome = SubtaskEnd::Outcome::kCanceled;
      break;
    default:
      end.outcome = SubtaskEnd::Outcome::kFailed;
      break;
  }
  end.status = read_status(message.status());
  for (const proto::Committables& from : message.committables()) {
    PreparedCommittables& to = end.committables.emplace_back();
    to.op = read_number(from.operator_());
    to.committables.assign(from.committables().begin(), from.committables().end());
  }
  end.report = read_report(message.metrics());
  service.subtask_ended(std::move(end));
  return Status::ok();
}

}  // namespace

Status dispatch_to_job_service(std::string_view bytes, JobService& service) {
  proto::ToJobManager message;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status::invalid_argument(
        fmt::format("{} bytes are not a message to a JobManager", bytes.size()));
  }
  switch (message.kind_case()) {
    case proto::ToJobManager::kDeployed: {
      const proto::Deployed& deployed = message.deployed();
      CLP_ASSIGN_OR_RETURN(const JobId job, read_job(deployed.job().job()));
      service.deployed(job, read_number(deployed.job().attempt()), read_status(deployed.status()));
      return Status::ok();
    }
    case proto::ToJobManager::kTaskEnded:
      return dispatch_end(message.task_ended(), service);
    case proto::ToJobManager::kSplitRequest: {
      CLP_ASSIGN_OR_RETURN(const SubtaskRef subtask, read_subtask(message.split_request().task()));
      service.splits_requested(subtask);
      return Status::ok();
    }
    case proto::ToJobManager::kAlignmentReport: {
      CLP_ASSIGN_OR_RETURN(const SubtaskRef subtask,
                           read_subtask(message.alignment_report().task()));
      service.watermark_reported(subtask, message.alignment_report().watermark());
      return Status::ok();
    }
    case proto::ToJobManager::kMetricsReport: {
      for (const proto::TaskMetricsReport& task : message.metrics_report().tasks()) {
        CLP_ASSIGN_OR_RETURN(const SubtaskRef subtask, read_subtask(task.task()));
        service.metrics_reported(subtask, read_report(task.metrics()));
      }
      return Status::ok();
    }
    case proto::ToJobManager::kCheckpointAcknowledged: {
      const proto::CheckpointAcknowledged& acknowledged = message.checkpoint_acknowledged();
      CLP_ASSIGN_OR_RETURN(const SubtaskRef subtask, read_subtask(acknowledged.task()));
      service.checkpoint_acknowledged(subtask, acknowledged.checkpoint(), acknowledged.snapshot());
      return Status::ok();
    }
    case proto::ToJobManager::kCheckpointDeclined: {
      const proto::CheckpointDeclined& declined = message.checkpoint_declined();
      CLP_ASSIGN_OR_RETURN(const SubtaskRef subtask, read_subtask(declined.task()));
      service.checkpoint_declined(subtask, declined.checkpoint(), read_status(declined.reason()));
      return Status::ok();
    }
    case proto::ToJobManager::KIND_NOT_SET:
      return Status::ok();
  }
  return Status::ok();
}

}  // namespace clepsydra
