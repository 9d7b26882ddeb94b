// Who gets which state back: the metadata of a checkpoint and a job graph, which may have changed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_types.h"
#include "checkpoint/uncommitted.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

// What the enumerator of a source starts with, in place of nothing.
struct SourceRestore {
  int vertex = 0;
  int op = 0;
  std::string enumerator;           // For SplitEnumerator::restore().
  std::vector<SourceSplit> splits;  // For add_splits_back(); by former subtask.
  friend bool operator==(const SourceRestore&, const SourceRestore&) = default;
};

struct StateAssignment {
  std::vector<TaskRestore> tasks;  // Of those that restore something, by vertex and subtask.
  std::vector<SourceRestore> sources;
  std::vector<InFlightRestore> in_flight;  // By edge.
  // To be committed (again) before any task starts.
  std::vector<SinkCommittables> commit;
  // What was left out because the job does not have its operator.
  std::vector<std::string> dropped;

  // The part of these vertices, which no edge connects with others.
  [[nodiscard]] StateAssignment of(const std::vector<int>& vertices, const JobGraph& graph) const;
};

// Operators are found by uid, in whatever task they are now. Of an operator whose parallelism is
// what it was each subtask gets the state of its predecessor; else each gets all parts and takes
// its key groups from them. A task is finished when all former subtasks of all its operators were
// (at the same parallelism: its own, unless it is fed by one that is not).
//
// What was in flight goes to the edge between the same operators, the n-th such edge to the n-th.
//
// FailedPrecondition, naming the operator: it has state and is not in the graph (unless
// `allow_dropping`), its maximal parallelism was another, or its parallelism is above that; a task
// that had finished but is fed by one that had not; an edge that had rows in flight and is not
// there (unless `allow_dropping`).
Result<StateAssignment> assign_state(const CheckpointMetadata& metadata, const std::string& folder,
                                     const JobGraph& graph, bool allow_dropping);

// The operators (vertex, operator) that are chained to the one that feeds them, but had an edge
// between them on which rows could be in flight: of one parallelism now, they had been of two. Such
// rows come in at a gate, so before assign_state() they need tasks of their own (unchain()).
std::vector<std::pair<int, int>> chained_over(const CheckpointMetadata& metadata,
                                              const JobGraph& graph);

}  // namespace clepsydra
