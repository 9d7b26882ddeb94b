// The named state of the backend "rocksdb": a DiskTable per namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/hashmap_rows.h"
#include "state/hashmap/row_table.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/keyed_state.h"
#include "state/rocksdb/disk_space.h"
#include "state/rocksdb/disk_table.h"
#include "state/rocksdb/row_records.h"

namespace clepsydra {

// Reads what is not in memory in the call that asks for it, with one multi-get per call. Threads:
// the owner of the state.
class DiskRows final : public HashmapRows {
 public:
  // `shape` has room for a RowTrailer behind each value. `space` is shared by the backend's states.
  DiskRows(KeyedRowsSpec spec, RowShape shape, SnapshotEpochs& epochs,
           std::shared_ptr<DiskSpace> space);
  ~DiskRows() override;
  DiskRows(const DiskRows&) = delete;
  DiskRows& operator=(const DiskRows&) = delete;

  Status find_or_insert(StateNamespace ns, const KeyBatch& keys,
                        std::span<std::byte*> values) override;
  Status find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) override;
  Status find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                             std::span<std::byte*> values) override;
  Status find_entries(StateNamespace ns, const EntryRanges& ranges, FoundEntries& found) override;
  std::int64_t scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) override;
  void erase(StateNamespace ns, std::span<std::byte* const> values) override;
  void drop(StateNamespace ns) override;
  [[nodiscard]] std::int64_t row_count(StateNamespace ns) const override;
  std::int64_t visit_stored(StateNamespace ns, Cursor& cursor,
                            std::span<std::byte*> values) override;
  Status release_rows() override { return space_->release(); }
  Status end_images_step() override;

  // For DiskSpace.
  [[nodiscard]] std::int64_t live_bytes() const;
  [[nodiscard]] std::int64_t rows_in_memory() const;
  // About, with its part of the index.
  [[nodiscard]] std::int64_t bytes_of_a_row() const;
  // Of about one in `stride` rows in memory.
  void sample_worths(std::int64_t stride, std::vector<std::int32_t>& worths) const;
  // Goes round over the rows once and lets those go that are worth at most that, from now, and were
  // not handed out in this step, until `excess` bytes have gone, which are taken off.
  Status evict(std::int32_t worth_max, std::int64_t& excess, bool may_move);

 protected:
  std::unique_ptr<RowTable> make_table() override;

 private:
  // Both for a table that rows are about to come into.
  DiskTable& disk_table(StateNamespace ns);
  DiskTable* find_disk_table(StateNamespace ns);
  // Makes room and tries again, twice, when memory runs out.
  template <typename Call>
  Status with_room(Call&& call);
  void save(StateNamespace ns, DiskTable& table) {
    if (!table.early().empty()) save_early(ns, table);
  }
  void mark_used(const DiskTable& table, std::span<std::byte* const> values) const;
  // From the table's hand on. True: to the end of the table.
  Result<bool> evict_from(StateNamespace ns, DiskTable& table, std::int32_t worth_max,
                          std::int64_t& excess);

  const std::shared_ptr<DiskSpace> space_;
  // Tables that may have rows in memory.
  std::map<StateNamespace, DiskTable*> warm_;
  StateNamespace next_evicted_ = std::numeric_limits<StateNamespace>::min();
  RowRecords records_;
  ScratchRows scratch_;
  StoreWrites writes_;
};

}  // namespace clepsydra
