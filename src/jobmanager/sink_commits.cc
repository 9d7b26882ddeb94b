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

Status SinkCommits::add(int vertex, int op, std::vector<std::string> committables) {
  const auto found = sinks_.find({vertex, op});
  if (found == sinks_.end()) {
    return Status::invalid_argument(
        fmt::format("operator {} of task {} prepared a commit but is no sink", op, vertex));
  }
  for (std::string& committable : committables) {
    found->second.committables.push_back(std::move(committable));
  }
  return Status::ok();
}

Status SinkCommits::commit() {
  for (auto& [id, sink] : sinks_) {
    if (sink.committer != nullptr && !sink.committables.empty()) {
      CLP_RETURN_IF_ERROR(
          sink.committer->commit(sink.committables)
              .with_context(fmt::format("making the results of {} visible", sink.name)));
    }
    sink.is_committed = true;
  }
  return Status::ok();
}

void SinkCommits::abort() {
  for (auto& [id, sink] : sinks_) {
    if (sink.is_committed || sink.committer == nullptr || sink.committables.empty()) continue;
    sink.committer->abort(sink.committables);
  }
}

}  // namespace clepsydra
