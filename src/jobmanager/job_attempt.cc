#include "jobmanager/job_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/logging.h"
#include "clepsydra/connector_runtime.h"
#include "graph/job_graph_codec.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {

JobAttempt::JobAttempt(Options options)
    : options_(std::move(options)), subtasks_(options_.graph->vertices.size()) {
  for (const int v : options_.vertices) {
    const auto vertex = static_cast<std::size_t>(v);
    subtasks_[vertex].resize(
        static_cast<std::size_t>(options_.graph->vertices[vertex].parallelism));
  }
}

Result<std::unique_ptr<JobAttempt>> JobAttempt::make(Options options) {
  std::unique_ptr<JobAttempt> attempt(new JobAttempt(std::move(options)));
  for (const int v : attempt->options_.vertices) {
    const JobVertex& vertex = attempt->options_.graph->vertices[static_cast<std::size_t>(v)];
    const OperatorSpec& head = vertex.operators[0].spec;
    if (head.kind != "source") continue;
    CLP_RETURN_IF_ERROR(attempt->make_source(v, head).with_context(head.name));
  }
  return attempt;
}

Status JobAttempt::make_source(int vertex, const OperatorSpec& spec) {
  const JobServices& services = *options_.services;
  CLP_ASSIGN_OR_RETURN(const ValueTree scan_spec, spec.options.get("source"));
  SplitAssignerOptions options;
  CLP_ASSIGN_OR_RETURN(options.source, services.connectors->make_source(scan_spec));
  options.parallelism = options_.graph->vertices[static_cast<std::size_t>(vertex)].parallelism;
  options.file_system = services.file_system;
  options.clock = services.clock;
  options.send = [this, vertex](int subtask, std::vector<SourceSplit> splits, bool no_more) {
    const Status sent = options_.services->task_manager->assign_splits(
        {options_.job, options_.number, vertex, subtask}, std::move(splits), no_more);
    if (!sent.is_ok()) options_.fail(sent.with_context("assigning splits"));
  };
  options.schedule = [this, vertex](std::int64_t delay_ms) {
    options_.schedule(delay_ms,
                      [vertex](JobAttempt& attempt) { attempt.enumerator_timer(vertex); });
  };
  const std::string group = spec.options.get_string_or("alignment_group", "");
  if (!group.empty()) {
    alignment_.add_source(vertex, options.parallelism, group,
                          spec.options.get_int_or("alignment_max_drift_ms", 0));
  }
  CLP_ASSIGN_OR_RETURN(sources_[vertex], SplitAssigner::make(std::move(options)));
  return Status::ok();
}

Status JobAttempt::deploy(const StateAssignment& restore) {
  CLP_RETURN_IF_ERROR(options_.services->task_manager->deploy(
      options_.job, options_.number, encode_job_graph(*options_.graph), options_.vertices,
      restore.tasks, restore.in_flight));
  live_ = subtasks();
  return Status::ok();
}

int JobAttempt::subtasks() const {
  int count = 0;
  for (const std::vector<Subtask>& each : subtasks_) count += static_cast<int>(each.size());
  return count;
}

Status JobAttempt::start_sources(const StateAssignment& restore) {
  for (const auto& [vertex, source] : sources_) {
    const std::string& name =
        options_.graph->vertices[static_cast<std::size_t>(vertex)].operators[0].spec.name;
    const auto restored =
        std::find_if(restore.sources.begin(), restore.sources.end(),
                     [v = vertex](const SourceRestore& r) { return r.vertex == v && r.op == 0; });
    if (restored == restore.sources.end()) {
      CLP_RETURN_IF_ERROR(source->start().with_context(name));
      continue;
    }
    std::set<int> finished;
    for (const TaskRestore& task : restore.tasks) {
      if (task.vertex == vertex && task.has_finished) finished.insert(task.subtask);
    }
    CLP_RETURN_IF_ERROR(source->restore(restored->enumerator, restored->splits, finished)
                            .with_context(fmt::format("restoring {}", name)));
  }
  return Status::ok();
}

void JobAttempt::cancel() {
  if (live_ == 0) return;
  const Status sent = options_.services->task_manager->cancel_job(options_.job, options_.number);
  if (sent.is_ok()) return;
  CLP_LOG(kWarning, "jobmanager",
          fmt::format("cannot cancel attempt {} of job {}: {}", options_.number,
                      options_.job.to_string(), sent.to_string()));
}

bool JobAttempt::end_subtask(const SubtaskRef& subtask, bool has_finished, SubtaskReport report) {
  Subtask* ended = find(subtask);
  if (ended == nullptr || ended->has_ended || live_ == 0) return false;
  ended->has_ended = true;
  ended->report = std::move(report);
  --live_;
  if (has_finished) ++finished_;
  send_limits(alignment_.report(subtask.vertex, subtask.subtask, kMaxWatermark));
  return true;
}

void JobAttempt::splits_requested(const SubtaskRef& subtask) {
  const auto source = sources_.find(subtask.vertex);
  if (source == sources_.end() || find(subtask) == nullptr) return;
  const Status handled = source->second->handle_request(subtask.subtask);
  if (!handled.is_ok()) options_.fail(handled.with_context("finding splits"));
}

void JobAttempt::enumerator_timer(int vertex) {
  const auto source = sources_.find(vertex);
  if (source == sources_.end()) return;
  const Status handled = source->second->on_timer();
  if (!handled.is_ok()) options_.fail(handled.with_context("finding splits"));
}

std::vector<EnumeratorSnapshot> JobAttempt::snapshot_enumerators() const {
  std::vector<EnumeratorSnapshot> snapshots;
  for (const auto& [vertex, source] : sources_) {
    snapshots.push_back({vertex, 0, source->snapshot()});
  }
  return snapshots;
}

void JobAttempt::watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) {
  const Subtask* reporter = find(subtask);
  if (reporter == nullptr || reporter->has_ended) return;
  send_limits(alignment_.report(subtask.vertex, subtask.subtask, watermark));
}

void JobAttempt::send_limits(const std::vector<AlignmentGroups::Limit>& limits) {
  for (const AlignmentGroups::Limit& limit : limits) {
    const Status sent = options_.services->task_manager->set_alignment_limit(
        {options_.job, options_.number, limit.vertex, limit.subtask}, limit.watermark);
    if (sent.is_ok()) continue;
    options_.fail(sent.with_context("aligning watermarks"));
    return;
  }
}

void JobAttempt::metrics_reported(const SubtaskRef& subtask, SubtaskReport report) {
  Subtask* reporter = find(subtask);
  if (reporter != nullptr && !reporter->has_ended) reporter->report = std::move(report);
}

bool JobAttempt::has(const SubtaskRef& subtask) const {
  const auto vertex = static_cast<std::size_t>(subtask.vertex);
  return subtask.attempt == options_.number && vertex < subtasks_.size() &&
         static_cast<std::size_t>(subtask.subtask) < subtasks_[vertex].size();
}

JobAttempt::Subtask* JobAttempt::find(const SubtaskRef& subtask) {
  if (!has(subtask)) return nullptr;
  return &subtasks_[static_cast<std::size_t>(subtask.vertex)]
                   [static_cast<std::size_t>(subtask.subtask)];
}

std::vector<OperatorMetrics> JobAttempt::metrics(int vertex) const {
  const auto v = static_cast<std::size_t>(vertex);
  std::vector<OperatorMetrics> all;
  for (std::size_t op = 0; op < options_.graph->vertices[v].operators.size(); ++op) {
    all.push_back(metrics_of(v, op));
  }
  return all;
}

OperatorMetrics JobAttempt::metrics_of(std::size_t vertex, std::size_t op) const {
  constexpr std::size_t kSampleMax = 5;
  const JobVertex& task = options_.graph->vertices[vertex];
  const OperatorSpec& spec = task.operators[op].spec;
  OperatorMetrics total;
  total.uid = spec.uid;
  total.name = spec.name;
  total.vertex = static_cast<int>(vertex);
  total.parallelism = task.parallelism;
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
