// What a job would keep of the checkpoint that it is to go on from: a part of EXPLAIN.
#pragma once

#include <string>

#include "base/fwd.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

// Lines: the checkpoint, then the operators whose state is kept, dropped or new, each with its
// states, their types and sizes and how they have changed, and last whether the job would start.
// Reads execution.state-recovery.* and the files of the checkpoint; blocks. Names may hold
// anything.
Result<std::string> recovery_report(FileSystem& files, const Configuration& configuration,
                                    const JobGraph& graph);

}  // namespace clepsydra
