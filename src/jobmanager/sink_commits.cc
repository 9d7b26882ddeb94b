#include "jobmanager/sink_commits.h"

#include <fmt/format.h>

#include <cstddef>

#include "base/check.h"
#include "clepsydra/connector_runtime.h"
#include "graph/job_graph.h"

namespace clepsydra {

Result<std::shared_ptr<SinkCommits>> SinkCommits::make(const JobGraph& graph,
                                                       const ConnectorRuntime& connectors,
                                                       const SinkContext& context) {
  auto commits = std::make_shared<SinkCommits>();
  for (std::size_t v = 0; v < graph.vertices.size(); ++v) {
    const JobVertex& vertex = graph.vertices[v];
    for (std::size_t op = 0; op < vertex.operators.size(); ++op) {
      const OperatorSpec& spec = vertex.operators[op].spec;
      if (spec.kind != "sink_writer") continue;
      SinkContext sink_context = context;
      sink_context.parallelism = vertex.parallelism;
      CLP_ASSIGN_OR_RETURN(const ValueTree sink_spec, spec.options.get("sink"));
      Result<std::unique_ptr<Sink>> sink = connectors.make_sink(sink_spec);
      if (!sink.is_ok()) return sink.status().with_context(spec.name);
      Result<std::unique_ptr<SinkCommitter>> committer = (*sink)->make_committer(sink_context);
      if (!committer.is_ok()) return committer.status().with_context(spec.name);
      SinkOfJob& added = commits->sinks_[{static_cast<int>(v), static_cast<int>(op)}];
      added.name = spec.name;
      added.sink = *std::move(sink);
      added.committer = *std::move(committer);
    }
  }
  return commits;
}

Status SinkCommits::commit_one(const SinkCommittables& sink, bool is_restored) {
  const auto found = sinks_.find({sink.vertex, sink.op});
  if (found == sinks_.end()) {
    return Status::invalid_argument(fmt::format(
        "operator {} of task {} prepared a commit but is no sink", sink.op, sink.vertex));
  }
  SinkCommitter* committer = found->second.committer.get();
  if (committer == nullptr || sink.committables.empty()) return Status::ok();
  const Status committed = is_restored ? committer->commit_restored(sink.committables)
                                       : committer->commit(sink.committables);
  return committed.with_context(
      fmt::format("making the results of {} visible", found->second.name));
}

Status SinkCommits::commit(const std::vector<SinkCommittables>& sinks) {
  CLP_RETURN_IF_ERROR(failure_);
  for (const SinkCommittables& sink : sinks) {
    failure_ = commit_one(sink, /*is_restored=*/false);
    CLP_RETURN_IF_ERROR(failure_);
  }
  return Status::ok();
}

Status SinkCommits::commit_or_abort(const std::vector<SinkCommittables>& sinks) {
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    const Status committed = commit_one(sinks[i], /*is_restored=*/false);
    if (committed.is_ok()) continue;
    abort({sinks.begin() + static_cast<std::ptrdiff_t>(i), sinks.end()});
    return committed;
  }
  return Status::ok();
}

Status SinkCommits::commit_restored(const std::vector<SinkCommittables>& sinks) {
  for (const SinkCommittables& sink : sinks) {
    CLP_RETURN_IF_ERROR(commit_one(sink, /*is_restored=*/true));
  }
  failure_ = Status::ok();
  return Status::ok();
}

Status SinkCommits::hold(const std::vector<SinkCommittables>& sinks) {
  for (const SinkCommittables& sink : sinks) {
    const auto found = sinks_.find({sink.vertex, sink.op});
    if (found == sinks_.end() || found->second.committer == nullptr) continue;
    const Status held = found->second.committer->hold(sink.committables);
    CLP_RETURN_IF_ERROR(held.with_context(
        fmt::format("keeping what {} has prepared for the savepoint", found->second.name)));
  }
  return Status::ok();
}

void SinkCommits::abort(const std::vector<SinkCommittables>& sinks) {
  for (const SinkCommittables& sink : sinks) {
    const auto found = sinks_.find({sink.vertex, sink.op});
    if (found == sinks_.end() || found->second.committer == nullptr) continue;
    if (!sink.committables.empty()) found->second.committer->abort(sink.committables);
  }
}

void SinkCommits::remove_leftovers(const std::string& job_id) {
  for (auto& [id, sink] : sinks_) {
    if (sink.committer != nullptr) sink.committer->remove_leftovers(job_id);
  }
}

}  // namespace clepsydra
