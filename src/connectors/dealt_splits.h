// The enumerator of a source whose splits are all known at its start, such as a generator's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "clepsydra/source.h"

namespace clepsydra {

// Deals the splits out evenly: a subtask gets all of its share at its first request, as splits
// without an end would never make it ask again. After a restore what comes back is dealt anew, to
// more or fewer subtasks.
std::unique_ptr<SplitEnumerator> make_dealt_splits(
    std::function<std::vector<SourceSplit>(int parallelism)> make_splits);

}  // namespace clepsydra
