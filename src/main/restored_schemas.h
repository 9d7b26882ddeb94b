// Whether the operators of a job can read the state that a checkpoint has for them, found out
// before a task starts.
#pragma once

#include <string>
#include <vector>

#include "base/fwd.h"
#include "checkpoint/completed_checkpoint_store.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

class OperatorRegistry;

// What becomes of the state of an operator that the checkpoint and the job have.
struct RestoredSchemas {
  std::string uid;
  std::string name;
  std::vector<std::string> changes;  // A line each; empty: all is as it was.
  Status status;                     // FailedPrecondition names the operator and the state.
};

// Builds each operator once over the schemas of its stored state alone, in the way in which a task
// restores it, so that this refuses what a task would. Reads the beginning of a file per operator;
// blocks. What cannot be read is passed over: tasks that miss it fall back to another checkpoint.
Result<std::vector<RestoredSchemas>> restored_schemas(FileSystem& files,
                                                      const CompletedCheckpoint& checkpoint,
                                                      const JobGraph& graph,
                                                      const Configuration& configuration,
                                                      const OperatorRegistry& operators);
// The first that is refused.
Status check_restored_schemas(FileSystem& files, const CompletedCheckpoint& checkpoint,
                              const JobGraph& graph, const Configuration& configuration,
                              const OperatorRegistry& operators);

}  // namespace clepsydra
