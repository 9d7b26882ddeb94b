#include "jobmanager/job_supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "clepsydra/connector_runtime.h"
#include "graph/job_graph_codec.h"
#include "jobmanager/job_phase.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {

JobSupervisor::JobSupervisor(const JobId& id, JobGraph graph, Configuration configuration,
                             JobServices services)
    : id_(id),
      graph_(std::move(graph)),
      configuration_(std::move(configuration)),
      services_(std::move(services)),
      started_ms_(services_.clock->now_ms()) {
  for (const JobVertex& vertex : graph_.vertices) {
    subtasks_.emplace_back(static_cast<std::size_t>(vertex.parallelism));
    live_ += vertex.parallelism;
  }
}

Result<std::unique_ptr<JobSupervisor>> JobSupervisor::make(const JobId& id, JobGraph graph,
                                                           Configuration configuration,
                                                           JobServices services) {
  CLP_RETURN_IF_ERROR(graph.validate());
  for (const auto& [key, value] : graph.configuration) configuration.set(key, value);
  std::unique_ptr<JobSupervisor> supervisor(
      new JobSupervisor(id, std::move(graph), std::move(configuration), std::move(services)));
  CLP_RETURN_IF_ERROR(supervisor->make_sources());
  SinkContext sink_context;
  sink_context.pool = supervisor->services_.memory;
  sink_context.file_system = supervisor->services_.file_system;
  sink_context.clock = supervisor->services_.clock;
  sink_context.configuration = &supervisor->configuration_;
  sink_context.standard_output = supervisor->services_.standard_output;
  sink_context.job_id = id.to_string();
  CLP_ASSIGN_OR_RETURN(
      supervisor->sinks_,
      SinkCommits::make(supervisor->graph_, *supervisor->services_.connectors, sink_context));
  return supervisor;
}

Status JobSupervisor::make_sources() {
  for (std::size_t v = 0; v < graph_.vertices.size(); ++v) {
    const OperatorSpec& head = graph_.vertices[v].operators[0].spec;
    if (head.kind != "source") continue;
    CLP_RETURN_IF_ERROR(make_source(static_cast<int>(v), head).with_context(head.name));
  }
  return Status::ok();
}

Status JobSupervisor::make_source(int vertex, const OperatorSpec& spec) {
  CLP_ASSIGN_OR_RETURN(const ValueTree scan_spec, spec.options.get("source"));
  SplitAssignerOptions options;
  CLP_ASSIGN_OR_RETURN(options.source, services_.connectors->make_source(scan_spec));
  options.parallelism = graph_.vertices[static_cast<std::size_t>(vertex)].parallelism;
  options.file_system = services_.file_system;
  options.clock = services_.clock;
  options.send = [this, vertex](int subtask, std::vector<SourceSplit> splits, bool no_more) {
    const Status sent = services_.task_manager->assign_splits({id_, attempt_, vertex, subtask},
                                                              std::move(splits), no_more);
    if (!sent.is_ok()) fail(sent.with_context("assigning splits"));
  };
  options.schedule = [this, vertex](std::int64_t delay_ms) {
    services_.schedule(id_, vertex, delay_ms);
  };
  const std::string group = spec.options.get_string_or("alignment_group", "");
  if (!group.empty()) {
    alignment_.add_source(vertex, options.parallelism, group,
                          spec.options.get_int_or("alignment_max_drift_ms", 0));
  }
  CLP_ASSIGN_OR_RETURN(sources_[vertex], SplitAssigner::make(std::move(options)));
  return Status::ok();
}

Status JobSupervisor::start() {
  for (const auto& [vertex, source] : sources_) {
    CLP_RETURN_IF_ERROR(source->start().with_context(
        graph_.vertices[static_cast<std::size_t>(vertex)].operators[0].spec.name));
  }
  return services_.task_manager->deploy(id_, attempt_, encode_job_graph(graph_));
}

void JobSupervisor::deployed(int attempt, const Status& status) {
  if (attempt != attempt_ || has_ended(phase_)) return;
  if (status.is_ok()) {
    if (phase_ == JobPhase::kCreated) move_to(JobPhase::kRunning);
    return;
  }
  live_ = 0;
  if (phase_ == JobPhase::kCreated) {
    error_ = status;
    move_to(JobPhase::kFailing);
  }
  settle_sinks();
}

void JobSupervisor::cancel() {
  if (phase_ != JobPhase::kCreated && phase_ != JobPhase::kRunning) return;
  move_to(JobPhase::kCanceling);
  const Status sent = services_.task_manager->cancel_job(id_, attempt_);
  if (!sent.is_ok()) {
    CLP_LOG(kWarning, "jobmanager",
            fmt::format("cannot cancel job {}: {}", id_.to_string(), sent.to_string()));
  }
}

void JobSupervisor::fail(const Status& status) {
  if (phase_ != JobPhase::kCreated && phase_ != JobPhase::kRunning) return;
  error_ = status;
  move_to(JobPhase::kFailing);
  const Status sent = services_.task_manager->cancel_job(id_, attempt_);
  if (!sent.is_ok()) {
    CLP_LOG(kWarning, "jobmanager",
            fmt::format("cannot cancel job {}: {}", id_.to_string(), sent.to_string()));
  }
}

void JobSupervisor::subtask_ended(SubtaskEnd end) {
  Subtask* subtask = find(end.subtask);
  if (subtask == nullptr || subtask->has_ended) return;
  subtask->has_ended = true;
  subtask->report = std::move(end.report);
  --live_;
  for (PreparedCommittables& prepared : end.committables) {
    const Status added =
        sinks_->add(end.subtask.vertex, prepared.op, std::move(prepared.committables));
    if (!added.is_ok()) fail(added);
  }
  if (end.outcome == SubtaskEnd::Outcome::kFailed) fail(end.status);
  if (end.outcome == SubtaskEnd::Outcome::kFinished) ++finished_;
  send_limits(alignment_.report(end.subtask.vertex, end.subtask.subtask, kMaxWatermark));
  if (live_ > 0) return;
  if (phase_ == JobPhase::kRunning) move_to(JobPhase::kFinishing);
  settle_sinks();
}

void JobSupervisor::settle_sinks() {
  sources_.clear();
  if (phase_ == JobPhase::kFinishing) {
    services_.run_blocking(id_, [sinks = sinks_] {
      Status committed = sinks->commit();
      if (!committed.is_ok()) sinks->abort();
      return committed;
    });
    return;
  }
  services_.run_blocking(id_, [sinks = sinks_] {
    sinks->abort();
    return Status::ok();
  });
}

void JobSupervisor::work_done(const Status& status) {
  switch (phase_) {
    case JobPhase::kFinishing:
      if (status.is_ok()) {
        move_to(JobPhase::kFinished);
        return;
      }
      error_ = status;
      move_to(JobPhase::kFailing);
      move_to(JobPhase::kFailed);
      return;
    case JobPhase::kFailing:
      move_to(JobPhase::kFailed);
      return;
    case JobPhase::kCanceling:
      move_to(JobPhase::kCanceled);
      return;
    default:
      CLP_CHECK_MSG(false, job_phase_name(phase_));
  }
}

void JobSupervisor::splits_requested(const SubtaskRef& subtask) {
  if (find(subtask) == nullptr || phase_ != JobPhase::kRunning) return;
  const auto source = sources_.find(subtask.vertex);
  if (source == sources_.end()) return;
  const Status handled = source->second->handle_request(subtask.subtask);
  if (!handled.is_ok()) fail(handled.with_context("finding splits"));
}

void JobSupervisor::enumerator_timer(int vertex) {
  if (phase_ != JobPhase::kRunning && phase_ != JobPhase::kCreated) return;
  const auto source = sources_.find(vertex);
  if (source == sources_.end()) return;
  const Status handled = source->second->on_timer();
  if (!handled.is_ok()) fail(handled.with_context("finding splits"));
}

void JobSupervisor::watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) {
  const Subtask* reporter = find(subtask);
  if (reporter == nullptr || reporter->has_ended) return;
  send_limits(alignment_.report(subtask.vertex, subtask.subtask, watermark));
}

void JobSupervisor::send_limits(const std::vector<AlignmentGroups::Limit>& limits) {
  for (const AlignmentGroups::Limit& limit : limits) {
    const Status sent = services_.task_manager->set_alignment_limit(
        {id_, attempt_, limit.vertex, limit.subtask}, limit.watermark);
    if (!sent.is_ok()) fail(sent.with_context("aligning watermarks"));
  }
}

void JobSupervisor::metrics_reported(const SubtaskRef& subtask, SubtaskReport report) {
  Subtask* reporter = find(subtask);
  if (reporter != nullptr && !reporter->has_ended) reporter->report = std::move(report);
}

JobSupervisor::Subtask* JobSupervisor::find(const SubtaskRef& subtask) {
  const auto vertex = static_cast<std::size_t>(subtask.vertex);
  const auto index = static_cast<std::size_t>(subtask.subtask);
  if (subtask.attempt != attempt_ || vertex >= subtasks_.size() ||
      index >= subtasks_[vertex].size()) {
    return nullptr;
  }
  return &subtasks_[vertex][index];
}

void JobSupervisor::move_to(JobPhase phase) {
  CLP_CHECK_MSG(may_move(phase_, phase),
                fmt::format("{} -> {}", job_phase_name(phase_), job_phase_name(phase)));
  CLP_LOG(kInfo, "jobmanager",
          fmt::format("job {} ({}): {} -> {}", graph_.name, id_.to_string(), job_phase_name(phase_),
                      job_phase_name(phase)));
  phase_ = phase;
  if (has_ended(phase)) ended_ms_ = services_.clock->now_ms();
  services_.on_change();
}

JobStatus JobSupervisor::status() const {
  JobStatus status;
  status.id = id_;
  status.name = graph_.name;
  status.phase = phase_;
  status.error = error_;
  status.started_ms = started_ms_;
  status.ended_ms = ended_ms_;
  status.finished_subtasks = finished_;
  for (std::size_t v = 0; v < graph_.vertices.size(); ++v) {
    status.subtasks += graph_.vertices[v].parallelism;
    for (std::size_t op = 0; op < graph_.vertices[v].operators.size(); ++op) {
      status.operators.push_back(metrics_of(v, op));
    }
  }
  return status;
}

OperatorMetrics JobSupervisor::metrics_of(std::size_t vertex, std::size_t op) const {
  constexpr std::size_t kSampleMax = 5;
  const OperatorSpec& spec = graph_.vertices[vertex].operators[op].spec;
  OperatorMetrics total;
  total.uid = spec.uid;
  total.name = spec.name;
  total.vertex = static_cast<int>(vertex);
  total.parallelism = graph_.vertices[vertex].parallelism;
  total.is_source = spec.inputs.empty();
  total.is_sink = spec.output == nullptr;
  total.watermark = kMaxWatermark;
  for (const Subtask& subtask : subtasks_[vertex]) {
    if (op >= subtask.report.operators.size()) {
      total.watermark = kMinWatermark;
      continue;
    }
    const OperatorMetrics& part = subtask.report.operators[op];
    total.rows_in += part.rows_in;
    total.rows_out += part.rows_out;
    total.bytes_in += part.bytes_in;
    total.late_rows += part.late_rows;
    total.dropped_rows += part.dropped_rows;
    total.peak_memory_bytes += part.peak_memory_bytes;
    total.backpressured_ns += part.backpressured_ns;
    total.busy_ns += part.busy_ns;
    total.idle_ns += part.idle_ns;
    total.watermark = std::min(total.watermark, part.watermark);
    for (const std::string& sample : part.late_sample) {
      if (total.late_sample.size() < kSampleMax) total.late_sample.push_back(sample);
    }
  }
  return total;
}

}  // namespace clepsydra
