#include "network/mark_merging.h"

#include <utility>
#include <vector>

namespace clepsydra {

Batch merge_marks(Batch batch, int input, WatermarkMerger& merger) {
  merger.set_idle(input, false);
  if (batch.marks().empty()) return batch;
  std::vector<Mark> merged;
  bool is_same = true;
  for (const Mark& mark : batch.marks()) {
    const std::int64_t before = merger.watermark();
    merger.advance(input, mark.watermark);
    if (merger.watermark() > before) {
      is_same = is_same && merger.watermark() == mark.watermark;
      merged.push_back({mark.row, merger.watermark()});
    }
  }
  if (is_same && merged.size() == batch.marks().size()) return batch;
  return batch.with_marks(std::move(merged));
}

}  // namespace clepsydra
