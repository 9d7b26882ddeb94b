// The named state of the in-memory backend: a RowTable per namespace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/entry_index.h"
#include "state/hashmap/key_layout.h"
#include "state/hashmap/row_table.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/keyed_state.h"

namespace clepsydra {

class MemoryPool;
class RowsImages;

// Threads: the owner of the state.
class HashmapRows : public KeyedRows {
 public:
  HashmapRows(KeyedRowsSpec spec, RowShape shape, SnapshotEpochs& epochs, MemoryPool& pool)
      : spec_(std::move(spec)), shape_(std::move(shape)), epochs_(&epochs), pool_(&pool) {}

  [[nodiscard]] const KeyedRowsSpec& spec() const { return spec_; }

  Status find_or_insert(StateNamespace ns, const KeyBatch& keys,
                        std::span<std::byte*> values) override;
  Status find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) override;
  Status find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                             std::span<std::byte*> values) override;
  std::int64_t scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) override;
  Status find_entries(StateNamespace ns, const EntryRanges& ranges, FoundEntries& found) override;
  Status read_keys(std::span<std::byte* const> values, MemoryPool& pool,
                   std::vector<Column>& out) const override;
  void prepare_write(StateNamespace ns, std::span<std::byte* const> values) override;
  void erase(StateNamespace ns, std::span<std::byte* const> values) override;
  void drop(StateNamespace ns) override;
  [[nodiscard]] bool contains(StateNamespace ns) const override { return tables_.contains(ns); }
  [[nodiscard]] std::int64_t row_count(StateNamespace ns) const override;
  [[nodiscard]] std::vector<StateNamespace> namespaces() const override;
  Result<StateMemory*> memory(StateNamespace ns) override { return &table(ns).memory(); }

  // For snapshots. What is about to be lost to the one that is being written goes to `images`.
  void set_images(RowsImages* images) { images_ = images; }
  // Appends the columns of keys and values.
  Status read_columns(std::span<std::byte* const> values, MemoryPool& pool,
                      std::vector<Column>& out) const;
  // Namespaces dropped in the epochs after `after` up to `until`.
  [[nodiscard]] std::vector<StateNamespace> dropped(std::uint32_t after, std::uint32_t until) const;
  // The first namespace at or after `ns`; null when there is none.
  RowTable* table_from(StateNamespace& ns) const;
  // The next rows for clean-up, 0 at the end: those in memory, and those that are stored elsewhere,
  // which come into memory. As scan(), but a cursor may be kept while rows go and move; it may miss
  // some then.
  std::int64_t visit_in_memory(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values);
  virtual std::int64_t visit_stored(StateNamespace /*ns*/, Cursor& /*cursor*/,
                                    std::span<std::byte*> /*values*/) {
    return 0;
  }
  // What a snapshot took from here in a step has gone out.
  virtual Status end_images_step() { return Status::ok(); }

 protected:
  virtual std::unique_ptr<RowTable> make_table();
  [[nodiscard]] const RowShape& shape() const { return shape_; }
  [[nodiscard]] SnapshotEpochs& epochs() const { return *epochs_; }
  [[nodiscard]] MemoryPool& pool() const { return *pool_; }
  [[nodiscard]] RowsImages* images() const { return images_; }
  [[nodiscard]] const auto& tables() const { return tables_; }
  [[nodiscard]] RowTable* find_table(StateNamespace ns) const;
  RowTable& table(StateNamespace ns);
  EncodedKeys encode(const KeyBatch& keys) { return encoder_.encode(shape_.layout, keys); }
  void save_early(StateNamespace ns, RowTable& table);
  const EncodedRanges& encode(const EntryRanges& ranges);
  // What `table` has in memory of ranges that were encoded last.
  void collect(RowTable& table, const EntryRanges& ranges, FoundEntries& found);

 private:
  struct Dropped {
    std::uint32_t epoch;
    std::vector<StateNamespace> namespaces;
  };
  // Remembered per epoch; beyond, the next snapshot is a base.
  static constexpr std::size_t kDroppedMax = 1 << 20;

  void note_dropped(StateNamespace ns);

  const KeyedRowsSpec spec_;
  const RowShape shape_;
  SnapshotEpochs* epochs_;
  MemoryPool* pool_;
  KeyLayout::Encoder encoder_;
  EncodedRanges ranges_;
  std::vector<EntryIndex::Group*> groups_;  // Scratch.
  std::vector<RowHeader*> found_;
  std::map<StateNamespace, std::unique_ptr<RowTable>> tables_;
  // Rows of a batch tend to fall into the namespace of the batch before.
  StateNamespace last_namespace_ = 0;
  RowTable* last_ = nullptr;

  RowsImages* images_ = nullptr;
  std::vector<Dropped> dropped_;  // Ascending.
};

}  // namespace clepsydra
