// What the tasks of a new attempt go on from.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "base/fwd.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"
#include "state/state_backend.h"

namespace clepsydra {

class LocalCopies;

// Threads of the I/O pool that help to restore; never more than tasks, or than the pool has free.
inline constexpr std::size_t kRestoreHelpersMax = 64;

// Of one task.
struct RestoredTask {
  bool has_finished = false;               // Before the checkpoint.
  std::map<int, RestoredState> operators;  // Those that had state.
};
// By vertex and subtask; tasks that are not here begin with nothing.
using RestoredTasks = std::map<std::pair<int, int>, RestoredTask>;

// Reads and checks all files, those of several tasks at the same time: blocks. DataLoss names a
// file that is missing or not as it was written, and the task that needs it; InvalidArgument a task
// or an operator that `graph` does not have. What `copies` have is read from there, if it is as it
// was written; null: there are none.
Result<RestoredTasks> read_restores(const std::vector<TaskRestore>& restores, const JobGraph& graph,
                                    FileSystem& files, BlockingPool& pool, LocalCopies* copies);

}  // namespace clepsydra
