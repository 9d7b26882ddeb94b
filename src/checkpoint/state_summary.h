// What a checkpoint knows of each state, without the rows themselves.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/fwd.h"
#include "checkpoint/completed_checkpoint_store.h"
#include "clepsydra/status.h"

namespace clepsydra {

enum class StoredKind : std::uint8_t { kRows, kNumber, kList, kTimers };

// One named state of an operator, all subtasks together.
struct StateSummary {
  std::string type;          // Of rows: "(k BIGINT) -> (sum BIGINT)".
  std::int64_t entries = 0;  // Of bases: rows, items or timers. Numbers: subtasks that have one.
  // Of rows, in the deltas upon the bases.
  std::int64_t written = 0;
  std::int64_t erased = 0;
  std::int64_t dropped = 0;  // Namespaces.
  std::int64_t bytes = 0;    // Of rows, encoded.
  friend bool operator==(const StateSummary&, const StateSummary&) = default;
};

struct OperatorSummary {
  std::string uid;
  std::string name;
  std::string kind;
  std::string task;
  int parallelism = 0;
  int max_parallelism = 0;
  int finished = 0;  // Of its subtasks.
  std::map<std::pair<StoredKind, std::string>, StateSummary> states;
  std::int64_t bytes = 0;  // Of all its state, as stored.
  std::int64_t splits = 0;
  std::int64_t enumerator_bytes = 0;
  std::int64_t committables = 0;
  std::vector<std::string> broken;  // What cannot be read, and why.
};

// In the order of the job. Reads all state files, one at a time; blocks.
std::vector<OperatorSummary> summarize_state(FileSystem& files,
                                             const CompletedCheckpoint& checkpoint);

}  // namespace clepsydra
