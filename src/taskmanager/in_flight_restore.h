// Brings what was in flight to the tasks that it belongs to now.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/fwd.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"
#include "network/in_flight.h"

namespace clepsydra {

// One former channel, or what of it belongs to the consumer.
struct RecoveredEdge {
  int edge = 0;
  InFlightChannel content = {};
};
// By vertex and subtask of the consumer.
using RecoveredEdges = std::map<std::pair<int, int>, std::vector<RecoveredEdge>>;

// Reads, checks and shares out: rows of a hash edge go to the subtask that owns their key group,
// with the marks that stood among them. Blocks. Errors name the edge.
//
// `with_state`: vertices whose operators are restored too. FailedPrecondition for one that has
// another parallelism when its subtasks had come to different event times, as they may where
// barriers overtake: what had been given out for some keys and not for others would have to be
// known by key.
Result<RecoveredEdges> read_in_flight(const std::vector<InFlightRestore>& restores,
                                      const JobGraph& graph, const std::set<int>& with_state,
                                      FileSystem& files, MemoryPool& pool);

}  // namespace clepsydra
