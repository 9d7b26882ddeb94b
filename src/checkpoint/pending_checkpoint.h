// One checkpoint between its trigger and its end.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

struct SubtaskIndex {
  int vertex = 0;
  int subtask = 0;
  friend auto operator<=>(const SubtaskIndex&, const SubtaskIndex&) = default;
};

// What SplitEnumerator::snapshot() gave.
struct EnumeratorSnapshot {
  int vertex = 0;
  int op = 0;
  std::string bytes;
};

// Of a job graph, what checkpoints need: its tasks and who feeds whom.
class CheckpointTopology {
 public:
  // `regions`: as failover_regions() gives them; each vertex is in one.
  CheckpointTopology(const JobGraph& graph, std::vector<std::vector<int>> regions);

  [[nodiscard]] const std::string& job_name() const { return job_name_; }
  // The vertices with their operators and with empty subtasks.
  [[nodiscard]] const std::vector<CheckpointMetadata::Vertex>& vertices() const {
    return vertices_;
  }
  [[nodiscard]] const std::set<SubtaskIndex>& tasks() const { return tasks_; }
  [[nodiscard]] const std::vector<CheckpointMetadata::Edge>& edges() const { return edges_; }
  [[nodiscard]] bool has(SubtaskIndex task) const { return tasks_.contains(task); }
  [[nodiscard]] const std::vector<std::vector<int>>& regions() const { return regions_; }
  [[nodiscard]] std::size_t region_of(SubtaskIndex task) const {
    return region_of_[static_cast<std::size_t>(task.vertex)];
  }
  // "'Source: orders' (2/3)".
  [[nodiscard]] std::string name_of(SubtaskIndex task) const;
  // Tasks outside of `finished` all of whose producers are in it: no barrier reaches them.
  [[nodiscard]] std::vector<SubtaskIndex> without_live_inputs(
      const std::set<SubtaskIndex>& finished) const;

 private:
  struct Producer {
    int vertex = 0;
    bool is_forward = false;  // Subtask i feeds subtask i alone.
  };
  [[nodiscard]] bool is_live(const Producer& producer, int subtask,
                             const std::set<SubtaskIndex>& finished) const;

  std::string job_name_;
  std::vector<CheckpointMetadata::Vertex> vertices_;
  std::vector<std::vector<Producer>> producers_;  // By vertex.
  std::set<SubtaskIndex> tasks_;
  std::vector<CheckpointMetadata::Edge> edges_;
  std::vector<std::vector<int>> regions_;  // Vertices of each.
  std::vector<std::size_t> region_of_;     // By vertex.
};

// Gathers acknowledgements. Threads: one call at a time.
class PendingCheckpoint {
 public:
  // `finished`: the tasks that had finished when it was triggered.
  PendingCheckpoint(CheckpointMetadata metadata, std::set<SubtaskIndex> missing,
                    const std::set<SubtaskIndex>& finished);

  [[nodiscard]] CheckpointId id() const { return metadata_.id; }
  [[nodiscard]] CheckpointKind kind() const { return metadata_.kind; }
  // Of a task that is missing. InvalidArgument for operators and edges that it does not have.
  // `edges`: of the topology.
  Status acknowledge(SubtaskIndex task, TaskSnapshot snapshot,
                     const std::vector<CheckpointMetadata::Edge>& edges);
  void set_enumerators(std::vector<EnumeratorSnapshot> enumerators);
  [[nodiscard]] bool is_missing(SubtaskIndex task) const { return missing_.contains(task); }
  // All tasks and the enumerators.
  [[nodiscard]] bool is_complete() const { return missing_.empty() && has_enumerators_; }
  [[nodiscard]] const CheckpointMetadata& metadata() const { return metadata_; }
  [[nodiscard]] CheckpointMetadata& metadata() { return metadata_; }
  [[nodiscard]] std::int64_t written_bytes() const { return written_bytes_; }
  // All files that were acknowledged.
  [[nodiscard]] std::vector<StateFile> files() const;
  // Of all that it consists of, inline or not.
  [[nodiscard]] std::int64_t state_bytes() const;

 private:
  CheckpointMetadata metadata_;
  std::set<SubtaskIndex> missing_;
  bool has_enumerators_ = false;
  std::int64_t written_bytes_ = 0;
};

}  // namespace clepsydra
