// Brings what was in flight to the tasks that it belongs to now.
#pragma once

#include <map>
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
  int producer = -1;  // Who goes on with the channel; -1: the edge has other subtasks now.
  InFlightChannel content = {};
};
// By vertex and subtask of the consumer.
using RecoveredEdges = std::map<std::pair<int, int>, std::vector<RecoveredEdge>>;

// Reads, checks and shares out: rows of a hash edge go to the subtask that owns their key group,
// with the marks that stood among them. Blocks. Errors name the edge.
Result<RecoveredEdges> read_in_flight(const std::vector<InFlightRestore>& restores,
                                      const JobGraph& graph, FileSystem& files, MemoryPool& pool);

}  // namespace clepsydra
