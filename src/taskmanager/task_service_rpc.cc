#include "taskmanager/task_service_rpc.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "checkpoint/checkpoint_codec.h"
#include "control.pb.h"
#include "graph/job_graph_codec.h"

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

Result<TaskId> read_task(const proto::TaskRef& message) {
  TaskId task;
  CLP_ASSIGN_OR_RETURN(task.job, read_job(message.job()));
  task.vertex = read_number(message.vertex());
  task.subtask = read_number(message.subtask());
  task.attempt = read_number(message.attempt());
  return task;
}

Status dispatch_splits(const proto::AssignSplits& message, TaskService& service) {
  CLP_ASSIGN_OR_RETURN(const TaskId task, read_task(message.task()));
  std::vector<SourceSplit> splits;
  for (const proto::Split& split : message.splits()) {
    splits.push_back({split.id(), split.payload(), split.progress()});
  }
  service.assign_splits(task, std::move(splits), message.no_more_splits());
  return Status::ok();
}

Result<std::vector<TaskRestore>> read_restores(const proto::Deploy& message) {
  std::vector<TaskRestore> restores;
  for (const std::string& bytes : message.restores()) {
    CLP_ASSIGN_OR_RETURN(TaskRestore restore, decode_task_restore(bytes));
    restores.push_back(std::move(restore));
  }
  return restores;
}

Result<std::vector<InFlightRestore>> read_in_flight(const proto::Deploy& message) {
  std::vector<InFlightRestore> restores;
  for (const std::string& bytes : message.in_flight()) {
    CLP_ASSIGN_OR_RETURN(InFlightRestore restore, decode_in_flight_restore(bytes));
    restores.push_back(std::move(restore));
  }
  return restores;
}

Status dispatch_trigger(const proto::TriggerCheckpoint& message, TaskService& service) {
  CLP_ASSIGN_OR_RETURN(const JobId job, read_job(message.job().job()));
  TaskCheckpointOrder order;
  order.id = message.checkpoint();
  order.timestamp_ms = message.timestamp_ms();
  order.folder = message.folder();
  order.as_base = message.as_base();
  order.drains = message.drains();
  if (order.id < 1) {
    return Status::invalid_argument(
        fmt::format("checkpoints are numbered from 1, not {}", order.id));
  }
  if (message.kind() > static_cast<std::uint32_t>(CheckpointKind::kSavepoint)) {
    return Status::invalid_argument(fmt::format("no kind of checkpoint {}", message.kind()));
  }
  order.kind = static_cast<CheckpointKind>(message.kind());
  std::vector<std::pair<int, int>> tasks;
  for (const proto::TriggerCheckpoint::Task& task : message.tasks()) {
    tasks.emplace_back(read_number(task.vertex()), read_number(task.subtask()));
  }
  service.trigger_checkpoint(job, read_number(message.job().attempt()), std::move(order),
                             std::move(tasks));
  return Status::ok();
}

}  // namespace

Status dispatch_to_task_service(std::string_view bytes, TaskService& service) {
  proto::ToTaskManager message;
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Status::invalid_argument(
        fmt::format("{} bytes are not a message to a TaskManager", bytes.size()));
  }
  switch (message.kind_case()) {
    case proto::ToTaskManager::kDeploy: {
      const proto::Deploy& deploy = message.deploy();
      DeploymentOrder order;
      CLP_ASSIGN_OR_RETURN(order.job, read_job(deploy.job().job()));
      order.attempt = read_number(deploy.job().attempt());
      for (const std::uint32_t v : deploy.vertices()) order.vertices.push_back(read_number(v));
      order.graph = decode_job_graph(deploy.job_graph());
      order.restores = read_restores(deploy);
      order.in_flight = read_in_flight(deploy);
      service.deploy(std::move(order));
      return Status::ok();
    }
    case proto::ToTaskManager::kCancelJob: {
      CLP_ASSIGN_OR_RETURN(const JobId job, read_job(message.cancel_job().job().job()));
      service.cancel_job(job, read_number(message.cancel_job().job().attempt()));
      return Status::ok();
    }
    case proto::ToTaskManager::kAssignSplits:
      return dispatch_splits(message.assign_splits(), service);
    case proto::ToTaskManager::kAlignmentLimit: {
      CLP_ASSIGN_OR_RETURN(const TaskId task, read_task(message.alignment_limit().task()));
      service.set_alignment_limit(task, message.alignment_limit().watermark());
      return Status::ok();
    }
    case proto::ToTaskManager::kTriggerCheckpoint:
      return dispatch_trigger(message.trigger_checkpoint(), service);
    case proto::ToTaskManager::kCheckpointEnded: {
      const proto::CheckpointEnded& ended = message.checkpoint_ended();
      CLP_ASSIGN_OR_RETURN(const JobId job, read_job(ended.job().job()));
      service.end_checkpoint(job, read_number(ended.job().attempt()), ended.checkpoint(),
                             ended.completed());
      return Status::ok();
    }
    case proto::ToTaskManager::kReleaseJob: {
      CLP_ASSIGN_OR_RETURN(const JobId job, read_job(message.release_job().job()));
      service.release_job(job);
      return Status::ok();
    }
    case proto::ToTaskManager::kJobEnded: {
      CLP_ASSIGN_OR_RETURN(const JobId job, read_job(message.job_ended().job()));
      service.job_ended(job);
      return Status::ok();
    }
    case proto::ToTaskManager::KIND_NOT_SET:
      return Status::ok();
  }
  return Status::ok();
}

}  // namespace clepsydra
