// The rows of one namespace: pages of rows in the order of their insertion, and an index by key.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/check.h"
#include "clepsydra/status.h"
#include "state/hashmap/key_layout.h"
#include "state/hashmap/row_changes.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/hashmap/state_arena.h"
#include "state/keyed_state.h"
#include "stream/key_group.h"

namespace clepsydra {

class EntryIndex;
class EntryOrder;
class MemoryPool;

// What all namespaces of a state share.
struct RowShape {
  KeyLayout layout;
  std::int64_t value_bytes = 0;
  KeyGroupRange key_groups{0, 0};
  int max_parallelism = 0;
  std::int64_t page_bytes_max = StateArena::kPageBytesMax;
  std::shared_ptr<const EntryOrder> entries = nullptr;  // Of states of entries.

  [[nodiscard]] std::int64_t value_offset() const {
    return static_cast<std::int64_t>(sizeof(RowHeader)) + layout.key_bytes();
  }
  [[nodiscard]] std::int64_t row_bytes() const { return value_offset() + value_bytes; }
  [[nodiscard]] RowHeader* row_of(std::byte* value) const {
    return reinterpret_cast<RowHeader*>(value - value_offset());
  }
  [[nodiscard]] std::byte* value_of(RowHeader* row) const {
    return reinterpret_cast<std::byte*>(row) + value_offset();
  }
};

// The index is many small open-addressing tables, so that growing is many small steps: one that is
// full becomes two, by one more bit of the hash, and a directory says which one has which hashes
// (extendible hashing). An entry is the address of a row under 16 bits of its hash. Row addresses
// fit in 48 bits on all machines that this runs on; insert() checks it.
class RowTable {
 public:
  RowTable(const RowShape& shape, SnapshotEpochs& epochs, MemoryPool& pool);
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;
  virtual ~RowTable();

  // Probes, and keys of them, by `hashes` and what the layout encoded. See KeyedRows.
  // What it adds to early() must go out before the values are written.
  Status find_or_insert(const KeyBatch& keys, const EncodedKeys& encoded,
                        std::span<std::byte*> values);
  void find(const KeyBatch& keys, const EncodedKeys& encoded, std::span<std::byte*> values) const;
  Status find_or_insert_same(std::span<std::byte* const> from, std::span<std::byte*> values);
  std::int64_t scan(KeyedRows::Cursor& cursor, std::span<std::byte*> values) const;
  // The rows that are entries, by outer key; null unless the state is one of entries. Then rows
  // that are in memory never move.
  [[nodiscard]] EntryIndex* entries() const { return entries_.get(); }
  // Of at most kAskedMax keys that will be looked up, asks the memory for index and rows ahead of
  // use. likely[i]: the value of a row that is most likely the one with hashes[i], or null.
  void ask_for(std::span<const std::uint64_t> hashes, std::span<const std::byte*> likely) const;
  static constexpr std::int64_t kAskedMax = 64;
  // Adds to early() what must go out before the values are written.
  void prepare_write(std::span<std::byte* const> values);
  // Adds to early() what erase() must not be called before.
  void prepare_erase(std::span<std::byte* const> values);
  void erase(std::span<std::byte* const> values);

  // Values of rows that a snapshot still needed before they were written; emptied by who lets them
  // go out.
  [[nodiscard]] std::vector<std::byte*>& early() { return early_; }

  // Forgets what was listed for snapshots that are confirmed.
  void prune_changes() { changes_.prune(); }
  // For the snapshot that is being written: it needs something from here.
  [[nodiscard]] virtual bool has_images() const;
  // Begins anew.
  virtual void start_images() { images_ = {}; }
  // Appends the next values that it needs and marks their rows, up to values_max in all and looking
  // at no more than `budget` rows, which are taken off. True: that was all.
  virtual bool take_images(std::size_t values_max, std::int64_t& budget,
                           std::vector<std::byte*>& values);
  // The keys erased from what it has been told before; none for a namespace that is new to it.
  // Calls emit(rows, keys) per epoch.
  template <typename Emit>
  Status visit_erased(Emit&& emit) {
    if (is_new_to_snapshot()) return Status::ok();
    for (RowChanges::Epoch* epoch = changes_.next_epoch(epochs_->after(), epochs_->frozen());
         epoch != nullptr; epoch = changes_.next_epoch(epoch->epoch, epochs_->frozen())) {
      if (epoch->erased == 0) continue;
      CLP_RETURN_IF_ERROR(changes_.read_erased(*epoch));
      CLP_RETURN_IF_ERROR(emit(epoch->erased, epoch->erased_keys));
    }
    return Status::ok();
  }
  // When all changes were taken: appends rows that have not changed, up to values_max in all, from
  // `at` on, looking at no more than `budget` and no more than `left` rows, which are taken off.
  // True: those were the last ones.
  bool take_slice(KeyedRows::Cursor& at, std::size_t values_max, std::int64_t& budget,
                  std::int64_t& left, std::vector<std::byte*>& values) const;
  // How often rows have moved to other places.
  [[nodiscard]] std::int64_t moves() const { return moves_; }
  // Snapshots may know of it: it is older than the current epoch.
  [[nodiscard]] bool is_known() const {
    return epochs_->is_tracking() && created_ < epochs_->current();
  }

  [[nodiscard]] std::int64_t row_count() const { return live_rows_; }
  [[nodiscard]] StateMemory& memory() { return arena_; }

  // For rows that are kept elsewhere too. Adds one that is not here, as it was written in `epoch`,
  // its value all zero. No list of changes has it.
  Status load(std::uint64_t hash, const std::byte* slots, std::uint32_t null_bits,
              std::uint32_t epoch, RowHeader*& row);
  // Takes rows away without a trace; what their values held was given back. The others stay where
  // they are; new ones come in their places.
  void evict(std::span<std::byte* const> values);
  // Gives memory back that evicted rows have left. Where rows are left, and many are gone, they
  // move, unless `may_move` is false.
  void give_back(bool may_move);
  // Of rows, index and what values hold.
  [[nodiscard]] std::int64_t live_bytes() const;

 protected:
  // A snapshot that is being written takes all its rows, not what is listed: it is a base, or later
  // than all snapshots before it.
  [[nodiscard]] bool is_new_to_snapshot() const { return created_ > epochs_->after(); }
  [[nodiscard]] const RowShape& shape() const { return *shape_; }
  [[nodiscard]] const SnapshotEpochs& epochs() const { return *epochs_; }

 private:
  // Where a table would be larger, it becomes two.
  static constexpr std::uint32_t kTableEntriesMax = 4096;
  // Hashes that are much alike make one table larger instead of the directory.
  static constexpr std::size_t kDirectoryPerTableMax = 8;
  static constexpr std::int64_t kPageRowsMin = 4;

  using Entry = std::uint64_t;
  static constexpr Entry kEmpty = 0;
  static constexpr Entry kErased = 1;  // Never an address.
  struct Table {
    Entry* entries = nullptr;
    std::uint32_t mask = 0;  // Entries - 1.
    std::uint32_t used = 0;  // Not kEmpty.
    std::uint32_t live = 0;  // Neither kEmpty nor kErased.
    int depth = 0;           // So many first bits of directory_bits() are those of all its rows.
  };
  // Where the hashes of a few keys first point to, asked for ahead of use.
  static constexpr std::int64_t kPrefetchKeys = kAskedMax;
  struct FirstEntries {
    std::int64_t rehashes = 0;  // Good until the next rehash.
    std::array<const Entry*, kPrefetchKeys> entries;
  };
  static constexpr Entry kNoEntry = kEmpty;
  struct Page {
    BufferPtr buffer;
    std::byte* rows;
    std::int64_t count;
    std::int64_t capacity;
  };

  static Entry tag_of(std::uint64_t hash) { return (hash >> 24 & 0xFFFF) << 48; }
  static RowHeader* row_of(Entry entry) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a tag shares the word with the address.
    return reinterpret_cast<RowHeader*>(entry & 0xFFFF'FFFF'FFFF);
  }
  // Independent of the bits that choose key groups, places and tags, and never all ones.
  static std::uint64_t directory_bits(std::uint64_t hash) {
    return (hash * 0x9E37'79B9'7F4A'7C15) >> 1;
  }
  [[nodiscard]] const Table& table_of(std::uint64_t hash) const {
    return tables_[directory_[directory_bits(hash) >> (63 - directory_depth_)]];
  }
  Table& table_of(std::uint64_t hash) {
    return const_cast<Table&>(std::as_const(*this).table_of(hash));
  }

  template <typename Source>
  Status probe(const Source& source, std::int64_t count, std::span<std::byte*> values);
  template <typename Source>
  void ask_for_entries(const Source& source, std::int64_t begin, std::int64_t end,
                       FirstEntries& first) const;
  void ask_for_rows(std::int64_t count, const FirstEntries& first) const;
  template <typename Source>
  RowHeader* row_at(const FirstEntries& first, const Source& source, std::int64_t place,
                    std::int64_t i) const;
  template <typename Source>
  RowHeader* lookup(const Table& table, const Source& source, std::int64_t i) const;
  Status insert(std::uint64_t hash, const std::byte* slots, std::uint32_t null_bits,
                RowHeader*& row);
  template <typename Source>
  void ask_for_groups(const Source& source, std::int64_t begin, std::int64_t end);
  void remove_row(RowHeader* row);
  void reuse_place(RowHeader* row);
  // Out of line, so that probe() stays small.
  [[gnu::cold, gnu::noinline]] void touch(RowHeader* row);
  void note_written(RowHeader* row);
  void list_changes_anew();
  Status add_page();
  Status make_room(Table*& table, std::uint64_t hash);
  Status rehash(Table& table, std::uint32_t entries);
  Status split(Table& table, std::uint64_t hash);
  void move_entries(const Table& from, Table* const (&to)[2], int depth);
  void free_entries(const Table& table);
  static void put(Table& table, RowHeader* row);
  void compact();

  // Where take_images() goes on.
  struct ImageCursor {
    KeyedRows::Cursor row = {};  // When all rows are taken;
    std::uint32_t epoch = 0;     // else: of the list, and where in it.
    RowList::Cursor listed = {};
  };

  const RowShape* shape_;
  SnapshotEpochs* epochs_;
  MemoryPool* pool_;
  const std::uint32_t created_;  // Epoch. There are no lists of changes in it.
  StateArena arena_;
  std::unique_ptr<EntryIndex> entries_;
  std::vector<Page> pages_;
  std::vector<Table> tables_;
  // Places in `tables_`, by the first bits of directory_bits().
  std::vector<std::uint32_t> directory_;
  int directory_depth_ = 0;
  std::int64_t live_rows_ = 0;
  std::int64_t dead_rows_ = 0;  // Those in `evicted_` included.
  // Places of rows that are gone: where the next is, instead of a hash.
  RowHeader* evicted_ = nullptr;
  std::int64_t rehashes_ = 0;
  std::int64_t moves_ = 0;

  RowChanges changes_;
  std::vector<std::byte*> early_;
  ImageCursor images_;
  std::uint32_t images_taken_ = 0;  // By the snapshot frozen then.
};

}  // namespace clepsydra
