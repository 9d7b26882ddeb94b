// Source splits as trees: how enumerators keep them in their snapshots.
#pragma once

#include <span>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"

namespace clepsydra {

ValueTree splits_to_tree(std::span<const SourceSplit> splits);
// InvalidArgument for a tree that splits_to_tree() does not write.
Result<std::vector<SourceSplit>> splits_from_tree(const ValueTree& tree);

}  // namespace clepsydra
