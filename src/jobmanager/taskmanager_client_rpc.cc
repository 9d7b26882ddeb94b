#include "jobmanager/taskmanager_client_rpc.h"

#include "checkpoint/checkpoint_codec.h"
#include "control.pb.h"

namespace clepsydra {
namespace {

std::string job_bytes(const JobId& job) {
  return {job.bytes().begin(), job.bytes().end()};
}

void write_job(const JobId& job, int attempt, proto::JobRef& out) {
  out.set_job(job_bytes(job));
  out.set_attempt(static_cast<std::uint32_t>(attempt));
}

void write_subtask(const SubtaskRef& subtask, proto::TaskRef& out) {
  out.set_job(job_bytes(subtask.job));
  out.set_attempt(static_cast<std::uint32_t>(subtask.attempt));
  out.set_vertex(static_cast<std::uint32_t>(subtask.vertex));
  out.set_subtask(static_cast<std::uint32_t>(subtask.subtask));
}

}  // namespace

Status TaskManagerClient::deploy(const JobId& job, int attempt, std::string job_graph,
                                 const std::vector<int>& vertices,
                                 const std::vector<TaskRestore>& restores,
                                 const std::vector<InFlightRestore>& in_flight) {
  proto::ToTaskManager message;
  proto::Deploy& deploy = *message.mutable_deploy();
  write_job(job, attempt, *deploy.mutable_job());
  deploy.set_job_graph(std::move(job_graph));
  for (const int vertex : vertices) deploy.add_vertices(static_cast<std::uint32_t>(vertex));
  for (const TaskRestore& restore : restores) deploy.add_restores(encode_task_restore(restore));
  for (const InFlightRestore& restore : in_flight) {
    deploy.add_in_flight(encode_in_flight_restore(restore));
  }
  return send(message.SerializeAsString());
}

Status TaskManagerClient::cancel_job(const JobId& job, int attempt) {
  proto::ToTaskManager message;
  write_job(job, attempt, *message.mutable_cancel_job()->mutable_job());
  return send(message.SerializeAsString());
}

Status TaskManagerClient::assign_splits(const SubtaskRef& subtask, std::vector<SourceSplit> splits,
                                        bool no_more_splits) {
  proto::ToTaskManager message;
  proto::AssignSplits& assign = *message.mutable_assign_splits();
  write_subtask(subtask, *assign.mutable_task());
  for (SourceSplit& split : splits) {
    proto::Split& out = *assign.add_splits();
    out.set_id(std::move(split.id));
    out.set_payload(std::move(split.payload));
    out.set_progress(std::move(split.progress));
  }
  assign.set_no_more_splits(no_more_splits);
  return send(message.SerializeAsString());
}

Status TaskManagerClient::set_alignment_limit(const SubtaskRef& subtask, std::int64_t watermark) {
  proto::ToTaskManager message;
  write_subtask(subtask, *message.mutable_alignment_limit()->mutable_task());
  message.mutable_alignment_limit()->set_watermark(watermark);
  return send(message.SerializeAsString());
}

Status TaskManagerClient::trigger_checkpoint(const JobId& job, int attempt,
                                             const TriggerTasks& trigger,
                                             const std::string& folder) {
  proto::ToTaskManager message;
  proto::TriggerCheckpoint& out = *message.mutable_trigger_checkpoint();
  write_job(job, attempt, *out.mutable_job());
  out.set_checkpoint(trigger.id);
  out.set_timestamp_ms(trigger.timestamp_ms);
  out.set_kind(static_cast<std::uint32_t>(trigger.kind));
  out.set_folder(folder);
  for (const SubtaskIndex& task : trigger.tasks) {
    proto::TriggerCheckpoint::Task& to = *out.add_tasks();
    to.set_vertex(static_cast<std::uint32_t>(task.vertex));
    to.set_subtask(static_cast<std::uint32_t>(task.subtask));
  }
  out.set_as_base(trigger.as_base);
  out.set_drains(trigger.then == SavepointThen::kDrain);
  return send(message.SerializeAsString());
}

Status TaskManagerClient::end_checkpoint(const JobId& job, int attempt, CheckpointId id,
                                         bool completed) {
  proto::ToTaskManager message;
  proto::CheckpointEnded& ended = *message.mutable_checkpoint_ended();
  write_job(job, attempt, *ended.mutable_job());
  ended.set_checkpoint(id);
  ended.set_completed(completed);
  return send(message.SerializeAsString());
}

Status TaskManagerClient::release_job(const JobId& job) {
  proto::ToTaskManager message;
  message.mutable_release_job()->set_job(job_bytes(job));
  return send(message.SerializeAsString());
}

Status TaskManagerClient::job_ended(const JobId& job) {
  proto::ToTaskManager message;
  message.mutable_job_ended()->set_job(job_bytes(job));
  return send(message.SerializeAsString());
}

Status TaskManagerClient::send(std::string bytes) {
  return transport_.send(own_endpoint_, task_manager_, std::move(bytes));
}

}  // namespace clepsydra
