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
  int former_consumer = 0;
  InFlightChannel content = {};
};
// By vertex and subtask of the consumer.
using RecoveredEdges = std::map<std::pair<int, int>, std::vector<RecoveredEdge>>;

// Reads, checks and shares out: rows of a hash edge go to the subtask that owns their key group,
// with what was said of event time among them: as signals, so that each former subtask's rows can
// wait for those that were behind them in event time. Blocks. Errors name the edge.
Result<RecoveredEdges> read_in_flight(const std::vector<InFlightRestore>& restores,
                                      const JobGraph& graph, FileSystem& files, MemoryPool& pool);

}  // namespace clepsydra
