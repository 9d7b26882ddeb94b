// What has changed in a namespace since the last confirmed snapshot.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "state/hashmap/key_layout.h"
#include "state/hashmap/snapshot_epochs.h"
#include "stream/column.h"
#include "stream/column_builder.h"

namespace clepsydra {

class MemoryPool;

// Addresses of rows, in pieces that never move.
class RowList {
 public:
  Status push(RowHeader* row, MemoryPool& pool);
  [[nodiscard]] std::int64_t size() const { return size_; }
  void clear();

  struct Cursor {
    std::size_t piece = 0;
    std::int64_t at = 0;
  };
  // Null at the end.
  RowHeader* next(Cursor& cursor) const;

 private:
  struct Piece {
    BufferPtr buffer;
    RowHeader** rows;
    std::int64_t count;
    std::int64_t capacity;
  };
  std::vector<Piece> pieces_;
  std::int64_t size_ = 0;
};

// By epoch: rows written first in it, and keys of rows erased in it. A row may be in several
// epochs; the one of its last write has it for certain. Without memory for a list its changes are
// lost (SnapshotEpochs). Threads: the owner of the state.
class RowChanges {
 public:
  RowChanges(SnapshotEpochs& epochs, MemoryPool& pool) : epochs_(&epochs), pool_(&pool) {}

  struct Epoch {
    std::uint32_t epoch = 0;
    RowList rows = {};
    std::int64_t erased = 0;  // Keys.
    std::vector<ColumnBuilder> erased_builders =
        {};                                // One per key column, until they are read, ...
    std::vector<Column> erased_keys = {};  // ... and then these.
  };

  // In the current epoch. True: it is the first change in it.
  bool note_written(RowHeader* row);
  void note_erased(std::span<const RowHeader* const> rows, const KeyLayout& layout);
  // Lists all rows anew, because they have moved: clear_rows(), then each that is alive.
  void clear_rows();
  void note_again(RowHeader* row);

  [[nodiscard]] bool has_changes_in(std::uint32_t after, std::uint32_t until) const;
  // The first epoch after `after` up to `until`; null when there is none.
  Epoch* next_epoch(std::uint32_t after, std::uint32_t until);
  // Of an epoch that has ended: one column per key column.
  Status read_erased(Epoch& epoch);
  // Forgets what has served.
  void prune();
  // More is listed than it would cost to list all rows anew.
  [[nodiscard]] bool is_wasteful(std::int64_t live_rows) const;

 private:
  static constexpr std::int64_t kWasteRowsMin = 1024;

  Epoch& current();
  void push(Epoch& epoch, RowHeader* row);

  SnapshotEpochs* epochs_;
  MemoryPool* pool_;
  std::vector<Epoch> changes_;  // Ascending.
};

}  // namespace clepsydra
