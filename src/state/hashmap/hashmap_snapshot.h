// A snapshot of the in-memory backend while it is being written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/base_slices.h"
#include "state/hashmap/hashmap_rows.h"
#include "state/hashmap/rows_images.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"

namespace clepsydra {

class MemoryPool;

// Threads: the owner of the state.
class HashmapSnapshot final : public StateSnapshot {
 public:
  // What was frozen last. `slices`: null where there are none. `is_alive` is true as long as it
  // lives.
  HashmapSnapshot(SnapshotEpochs& epochs, BaseSlices* slices, std::size_t outdated,
                  MemoryPool& pool, bool& is_alive);
  ~HashmapSnapshot() override;
  HashmapSnapshot(const HashmapSnapshot&) = delete;
  HashmapSnapshot& operator=(const HashmapSnapshot&) = delete;

  // What it begins with, encoded at once; then the states whose rows follow. With nothing at all it
  // has no bytes, and nothing can be built on it.
  StateBlockWriter& writer() { return writer_; }
  std::string& prefix() { return prefix_; }
  Status add_rows(HashmapRows& rows);

  Result<bool> write_some(std::int64_t rows_max, std::string& out) override;
  [[nodiscard]] bool is_base() const override { return is_base_; }
  [[nodiscard]] std::size_t outdated() const override { return outdated_; }

 private:
  Result<bool> write(std::int64_t budget, std::string& out);
  Result<bool> write_slice(std::int64_t& budget, std::string& out);

  SnapshotEpochs* epochs_;
  BaseSlices* slices_;
  MemoryPool* pool_;
  bool* is_alive_;
  const bool is_base_;
  const std::size_t outdated_;
  StateBlockWriter writer_;
  std::string prefix_;
  std::vector<std::unique_ptr<RowsImages>> states_;
  std::size_t next_state_ = 0;
  // Rows that the slice is still to look at, once the changes were written.
  std::optional<std::int64_t> slice_left_;
  bool has_wrapped_ = false;
  std::int64_t bytes_ = 0;
  bool has_ended_ = false;
  Status error_;  // Of a step before: what it took is lost to this snapshot.
};

}  // namespace clepsydra
