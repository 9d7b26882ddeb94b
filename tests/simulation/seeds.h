// Which seeds a simulation runs with: new ones in every run, so that more runs see more.
//
// Environment: CLEPSYDRA_SIMULATION_SEED, the first seed, to repeat a run (default: a random one);
//              CLEPSYDRA_SIMULATION_FACTOR, so many times the seeds (default 1).
#pragma once

#include <cstdint>
#include <vector>

namespace clepsydra::testing {

// `count` times the factor consecutive seeds. A failing test says its seed.
std::vector<std::uint64_t> seeds(int count);

}  // namespace clepsydra::testing
