// Which tasks of a job must start anew together when one of them fails.
#pragma once

#include <vector>

#include "graph/fwd.h"

namespace clepsydra {

// The vertices of each region, ascending; regions by their first vertex. Vertices that rows or the
// alignment of watermarks connect are of one region: who loses rows has to be fed again from the
// last checkpoint, and who has got rows from him has to forget them.
std::vector<std::vector<int>> failover_regions(const JobGraph& graph);

}  // namespace clepsydra
