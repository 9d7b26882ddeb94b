// What sinks prepared, until a completed checkpoint has it.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_types.h"
#include "checkpoint/pending_checkpoint.h"

namespace clepsydra {

// Of all subtasks of one sink.
struct SinkCommittables {
  int vertex = 0;
  int op = 0;
  std::vector<std::string> committables;
  friend bool operator==(const SinkCommittables&, const SinkCommittables&) = default;
};

// By sink, in the order of the graph; within a sink by subtask.
std::vector<SinkCommittables> committables_of(const CheckpointMetadata& metadata);

// Keeps committables of checkpoints that were aborted, of savepoints, which commit nothing, and of
// tasks that have finished, for the next checkpoint that completes. Each belongs to a moment: it is
// part of the checkpoints after that, and of no earlier one, which would replay its rows.
class Uncommitted {
 public:
  // Prepared at the barrier of `at`, or, at the end of a task, after that of `at`.
  void keep(CheckpointId at, SubtaskIndex task, const std::vector<OperatorSnapshot>& operators,
            bool is_in_savepoint);
  void keep_all(const CheckpointMetadata& metadata, bool is_in_savepoint);
  // Everything from before it becomes part of it; what it has already is not there twice.
  void add_to(CheckpointMetadata& metadata) const;
  // The checkpoint has completed and commits what it has. `remember`: somebody older has the same
  // and may still hand it to keep(), where it is then left out.
  void remove_committed(const CheckpointMetadata& metadata, bool remember);
  // There is nobody older any more.
  void forget_committed() { committed_.clear(); }
  // Forgets everything, and gives it.
  std::vector<SinkCommittables> take();
  // Forgets everything of these vertices, and gives what no savepoint has: that must not be taken
  // back.
  std::vector<SinkCommittables> take_of(const std::vector<int>& vertices);

 private:
  struct Key {
    SubtaskIndex task;
    int op = 0;
    std::string committable;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Entry {
    CheckpointId at = 0;
    bool is_in_savepoint = false;
  };
  std::map<Key, Entry> entries_;
  std::set<Key> committed_;  // Remembered.
};

}  // namespace clepsydra
