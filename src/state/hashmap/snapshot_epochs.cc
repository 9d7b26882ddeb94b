#include "state/hashmap/snapshot_epochs.h"

#include <algorithm>

#include "base/check.h"

namespace clepsydra {

void SnapshotEpochs::freeze(bool as_base) {
  CLP_CHECK(frozen_ == 0);
  const bool is_base = as_base || confirmed_ <= lost_;
  after_ = is_base ? 0 : confirmed_;
  frozen_ = current_;
  current_ += 2;
}

bool SnapshotEpochs::changes_outweigh_base() const {
  return delta_bytes_ > 2 * std::max(base_bytes_, kBaseBytesMin);
}

void SnapshotEpochs::end(std::int64_t bytes) {
  CLP_CHECK(frozen_ != 0);
  written_ = written_mark();
  written_is_base_ = after_ == 0;
  written_bytes_ = bytes;
  frozen_ = 0;
}

void SnapshotEpochs::confirm(bool completed) {
  if (completed && written_ != 0) {
    confirmed_ = written_;
    if (written_is_base_) {
      base_bytes_ = written_bytes_;
      delta_bytes_ = 0;
    } else {
      delta_bytes_ += written_bytes_;
    }
  }
  written_ = 0;
}

}  // namespace clepsydra
