#include "checkpoint/pending_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "graph/job_graph.h"

namespace clepsydra {

CheckpointTopology::CheckpointTopology(const JobGraph& graph, std::vector<std::vector<int>> regions)
    : job_name_(graph.name),
      producers_(graph.vertices.size()),
      regions_(std::move(regions)),
      region_of_(graph.vertices.size(), regions_.size()) {
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    for (const int vertex : regions_[r]) region_of_[static_cast<std::size_t>(vertex)] = r;
  }
  for (const std::size_t region : region_of_) CLP_CHECK(region < regions_.size());
  for (std::size_t v = 0; v < graph.vertices.size(); ++v) {
    const JobVertex& vertex = graph.vertices[v];
    CheckpointMetadata::Vertex& described = vertices_.emplace_back();
    described.name = vertex.name;
    described.max_parallelism = vertex.max_parallelism;
    for (const ChainedOperator& chained : vertex.operators) {
      described.operators.push_back({chained.spec.uid, chained.spec.name, chained.spec.kind, {}});
    }
    described.subtasks.resize(static_cast<std::size_t>(vertex.parallelism));
    for (int s = 0; s < vertex.parallelism; ++s) tasks_.insert({static_cast<int>(v), s});
  }
  for (const JobEdge& edge : graph.edges) {
    producers_[static_cast<std::size_t>(edge.to_vertex)].push_back(
        {edge.from_vertex, edge.partitioning == Partitioning::kForward});
    const JobVertex& from = graph.vertices[static_cast<std::size_t>(edge.from_vertex)];
    const JobVertex& to = graph.vertices[static_cast<std::size_t>(edge.to_vertex)];
    edges_.push_back({edge.from_vertex, edge.to_vertex,
                      from.operators[static_cast<std::size_t>(edge.from_operator)].spec.uid,
                      to.operators[0].spec.uid, edge.to_input});
  }
}

bool CheckpointTopology::is_live(const Producer& producer, int subtask,
                                 const std::set<SubtaskIndex>& finished) const {
  if (producer.is_forward) return !finished.contains({producer.vertex, subtask});
  const auto& subtasks = vertices_[static_cast<std::size_t>(producer.vertex)].subtasks;
  for (int s = 0; s < static_cast<int>(subtasks.size()); ++s) {
    if (!finished.contains({producer.vertex, s})) return true;
  }
  return false;
}

std::string CheckpointTopology::name_of(SubtaskIndex task) const {
  const CheckpointMetadata::Vertex& vertex = vertices_[static_cast<std::size_t>(task.vertex)];
  return fmt::format("'{}' ({}/{})", clip(vertex.name, 64), task.subtask + 1,
                     vertex.subtasks.size());
}

std::vector<SubtaskIndex> CheckpointTopology::without_live_inputs(
    const std::set<SubtaskIndex>& finished) const {
  std::vector<SubtaskIndex> tasks;
  for (const SubtaskIndex task : tasks_) {
    if (finished.contains(task)) continue;
    const std::vector<Producer>& producers = producers_[static_cast<std::size_t>(task.vertex)];
    const bool has_live = std::any_of(
        producers.begin(), producers.end(),
        [&](const Producer& producer) { return is_live(producer, task.subtask, finished); });
    if (!has_live) tasks.push_back(task);
  }
  return tasks;
}

PendingCheckpoint::PendingCheckpoint(CheckpointMetadata metadata, std::set<SubtaskIndex> missing,
                                     const std::set<SubtaskIndex>& finished)
    : metadata_(std::move(metadata)), missing_(std::move(missing)) {
  for (const SubtaskIndex task : finished) {
    metadata_.vertices[static_cast<std::size_t>(task.vertex)]
        .subtasks[static_cast<std::size_t>(task.subtask)]
        .has_finished = true;
    missing_.erase(task);
  }
}

Status PendingCheckpoint::acknowledge(SubtaskIndex task, TaskSnapshot snapshot,
                                      const std::vector<CheckpointMetadata::Edge>& edges) {
  CLP_CHECK(missing_.contains(task));
  CheckpointMetadata::Vertex& vertex = metadata_.vertices[static_cast<std::size_t>(task.vertex)];
  std::vector<OperatorSnapshot>& operators = snapshot.operators;
  std::sort(operators.begin(), operators.end(),
            [](const OperatorSnapshot& a, const OperatorSnapshot& b) { return a.op < b.op; });
  const int count = static_cast<int>(vertex.operators.size());
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const int op = operators[i].op;
    if (op < 0 || op >= count || (i > 0 && operators[i - 1].op == op)) {
      return Status::invalid_argument(
          fmt::format("a snapshot of operator {}, expected each of {} once", op, count));
    }
  }
  for (const InFlightFile& in_flight : snapshot.in_flight) {
    const auto e = static_cast<std::size_t>(in_flight.edge);
    if (e < edges.size() &&
        task.vertex == (in_flight.is_output ? edges[e].from_vertex : edges[e].to_vertex)) {
      continue;
    }
    return Status::invalid_argument(fmt::format("rows in flight on edge {}, which is not its", e));
  }
  missing_.erase(task);
  written_bytes_ += snapshot.written_bytes;
  if (!snapshot.in_flight.empty()) metadata_.edges = edges;
  CheckpointMetadata::Subtask& subtask = vertex.subtasks[static_cast<std::size_t>(task.subtask)];
  subtask.operators = std::move(operators);
  subtask.in_flight = std::move(snapshot.in_flight);
  return Status::ok();
}

void PendingCheckpoint::set_enumerators(std::vector<EnumeratorSnapshot> enumerators) {
  for (EnumeratorSnapshot& enumerator : enumerators) {
    const auto vertex = static_cast<std::size_t>(enumerator.vertex);
    const auto op = static_cast<std::size_t>(enumerator.op);
    CLP_CHECK(vertex < metadata_.vertices.size() &&
              op < metadata_.vertices[vertex].operators.size());
    metadata_.vertices[vertex].operators[op].enumerator = std::move(enumerator.bytes);
  }
  has_enumerators_ = true;
}

std::vector<StateFile> PendingCheckpoint::files() const {
  std::vector<StateFile> all;
  for_each_file(metadata_, [&](const StateFile& file) {
    if (!file.path.empty()) all.push_back(file);
  });
  return all;
}

std::int64_t PendingCheckpoint::state_bytes() const {
  std::int64_t bytes = 0;
  for_each_file(metadata_, [&](const StateFile& file) { bytes += file.bytes; });
  return bytes;
}

}  // namespace clepsydra
