// Which writes a snapshot of the in-memory backend has.
#pragma once

#include <cstdint>

#include "state/hashmap/key_layout.h"

namespace clepsydra {

// Every row carries the epoch of its last write. Freezing ends the epoch `current`, say f: the
// snapshot has the rows last written in (after, f]. A row whose image went out is marked with f +
// 1, and the next epoch is f + 2. So rows say themselves whether the snapshot still needs them, and
// when it fails, the mark still says that the row has changed since the last one that did not.
// Threads: the owner of the state.
class SnapshotEpochs {
 public:
  [[nodiscard]] std::uint32_t current() const { return current_; }
  // From the first snapshot on changes are listed.
  [[nodiscard]] bool is_tracking() const { return current_ != kFirstEpoch; }

  // Of the snapshot that is being written; 0: none is.
  [[nodiscard]] std::uint32_t frozen() const { return frozen_; }
  // 0: it has everything.
  [[nodiscard]] std::uint32_t after() const { return after_; }
  [[nodiscard]] std::uint32_t written_mark() const { return frozen_ + 1; }
  [[nodiscard]] bool needs_image(const RowHeader& row) const {
    return row.epoch > after_ && row.epoch <= frozen_;
  }
  // What was listed until then has served.
  [[nodiscard]] std::uint32_t served() const {
    return frozen_ != 0 && after_ < confirmed_ ? after_ : confirmed_;
  }
  // Changes of this epoch could not be listed, because there was no memory.
  void lose_changes(std::uint32_t epoch) {
    if (epoch > lost_) lost_ = epoch;
  }

  // A snapshot begins. It has everything when asked, when there is none to build on, and when
  // changes were lost.
  void freeze(bool as_base);
  // Those since the last base have more than twice its bytes.
  [[nodiscard]] bool changes_outweigh_base() const;
  // It was written to its end; `bytes` is how much that was.
  void end(std::int64_t bytes);
  // It was given up.
  void abandon() { frozen_ = 0; }
  // The last snapshot that was written to its end is confirmed, or given up.
  void confirm(bool completed);

 private:
  // Below, a base costs nothing.
  static constexpr std::int64_t kBaseBytesMin = 64 << 10;

  std::uint32_t current_ = kFirstEpoch;
  std::uint32_t frozen_ = 0;
  std::uint32_t after_ = 0;
  // Rows last written until then are in the last snapshot that was confirmed; 0: there is none.
  std::uint32_t confirmed_ = 0;
  std::uint32_t lost_ = 0;
  // The last snapshot that was written to its end; mark 0: confirmed or given up.
  std::uint32_t written_ = 0;
  bool written_is_base_ = false;
  std::int64_t written_bytes_ = 0;
  // Of those that were confirmed: the last base, and what came after.
  std::int64_t base_bytes_ = 0;
  std::int64_t delta_bytes_ = 0;
};

}  // namespace clepsydra
