#include "stream/split_codec.h"

#include <utility>

#include "base/check.h"

namespace clepsydra {

ValueTree splits_to_tree(std::span<const SourceSplit> splits) {
  ValueTree list = ValueTree::list();
  for (const SourceSplit& split : splits) {
    list.add(ValueTree::map()
                 .set("id", split.id)
                 .set("payload", split.payload)
                 .set("progress", split.progress));
  }
  return list;
}

Result<std::vector<SourceSplit>> splits_from_tree(const ValueTree& tree) {
  if (tree.as_list() == nullptr) return Status::invalid_argument("the list of splits is broken");
  std::vector<SourceSplit> splits;
  splits.reserve(tree.as_list()->size());
  for (const ValueTree& item : *tree.as_list()) {
    SourceSplit split;
    CLP_ASSIGN_OR_RETURN(split.id, item.get_string("id"));
    CLP_ASSIGN_OR_RETURN(split.payload, item.get_string("payload"));
    CLP_ASSIGN_OR_RETURN(split.progress, item.get_string("progress"));
    splits.push_back(std::move(split));
  }
  return splits;
}

}  // namespace clepsydra
