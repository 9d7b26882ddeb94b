// The rows of one namespace, some of them in memory, all others in a local store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "state/hashmap/entry_index.h"
#include "state/hashmap/row_table.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/hashmap/state_arena.h"
#include "state/keyed_state.h"
#include "state/local_store.h"
#include "state/rocksdb/disk_space.h"
#include "state/rocksdb/row_records.h"
#include "state/rocksdb/row_use.h"

namespace clepsydra {

class MemoryPool;

// Behind the value of a row in memory.
struct RowTrailer {
  std::uint32_t
      stored_epoch;   // The epoch that the row has in the store; 0: it must go there again.
  std::uint32_t use;  // Of a new row all zero.

  // Some version of it is in the store.
  [[nodiscard]] bool is_stored() const { return (use & 1) != 0; }
  void set_stored() { use |= 1; }
  // RowUse's mark of the step in which it was handed out last, and how much it is worth keeping.
  [[nodiscard]] std::uint32_t mark() const { return use >> 1 & RowUse::kMarkMask; }
  [[nodiscard]] std::uint32_t worth() const { return use >> 8; }
  void set_used(std::uint32_t mark, std::uint32_t worth) {
    use = worth << 8 | mark << 1 | (use & 1);
  }
};
static_assert(sizeof(RowTrailer) == 8);

// Rows that a snapshot reads from the store, until they have gone out.
struct ScratchRows {
  explicit ScratchRows(MemoryPool& pool) : memory(pool) {}
  void clear();

  StateArena memory;
  std::vector<BufferPtr> rows;
  std::vector<std::byte*> values;
  // What keys refer to.
  std::vector<std::vector<StoreEntry>> entries;
  std::deque<std::string> texts = {};
};

// In the store a row is found by table and key; one that has changed since the last snapshot that
// was confirmed is listed beside it by the epoch of its last write, so that a delta finds it. Every
// row has the epoch of its last write wherever it is, so what SnapshotEpochs says holds for all:
//
// - A row that goes to the store or comes from it while a snapshot still needs it goes out at once,
//   and bears the mark that it did. Its epoch in memory then differs from that in the store, which
//   is how a row is known that must be stored again.
// - So a snapshot that is being written finds in the store alone what was there all the time. It
// goes
//   over it in the order of keys; a row that comes from behind this place has gone out.
//
// Threads: the owner of the state.
class DiskTable final : public RowTable {
 public:
  // All but `space` outlive it; that is shared, because the last tables go after their state.
  DiskTable(std::shared_ptr<DiskSpace> space, RowRecords& records, ScratchRows& scratch,
            const RowShape& shape, SnapshotEpochs& epochs, MemoryPool& pool);
  ~DiskTable() override;

  // Rows that are in the store and not in memory.
  [[nodiscard]] std::int64_t stored_rows() const { return stored_rows_; }
  // Some row has been in the store.
  [[nodiscard]] bool is_on_disk() const { return is_on_disk_; }
  [[nodiscard]] RowTrailer& trailer_of(std::byte* value) const {
    return *reinterpret_cast<RowTrailer*>(value + shape().value_bytes - sizeof(RowTrailer));
  }

  // Brings those of the keys that are there into memory. Overwrites values[0..keys.count). What it
  // adds to early() must go out before values are written; the same holds for all below.
  Status fetch(const KeyBatch& keys, const EncodedKeys& encoded, std::span<std::byte*> values);
  // The same for the keys of other rows.
  Status fetch_same(std::span<std::byte* const> from);
  // Brings as much of each range into memory as its answer needs.
  Status fetch_entries(const EntryRanges& ranges, const EncodedRanges& encoded);
  void note_inserted(std::int64_t rows) { unstored_rows_ += rows; }
  // The values are erased after this.
  void note_erased(std::span<std::byte* const> values, StoreWrites& writes);

  // What eviction adds to early() must go out between the two.
  void prepare_eviction(std::span<std::byte* const> values);
  Status evict_to_store(std::span<std::byte* const> values);

  // All rows, in the order of their hashes, brought into memory; see KeyedRows::scan().
  Status scan_all(KeyedRows::Cursor& cursor, std::span<std::byte*> values, std::int64_t& count);
  // Where eviction goes on; at the beginning once rows have moved.
  [[nodiscard]] KeyedRows::Cursor& hand() {
    if (std::exchange(hand_moves_, moves()) != moves()) hand_ = {};
    return hand_;
  }

  // While a scan goes over the pages, rows stay where they are.
  [[nodiscard]] bool is_being_scanned() const {
    return scan_step_ != 0 && space_->age_of(scan_step_) < kScanStepsMax;
  }
  void note_scan(bool goes_on) { scan_step_ = goes_on ? space_->step() : 0; }

  [[nodiscard]] bool has_images() const override;
  void start_images() override;
  bool take_images(std::size_t values_max, std::int64_t& budget,
                   std::vector<std::byte*>& values) override;

 private:
  // A scan that nobody has gone on with for so many steps was left.
  static constexpr std::uint32_t kScanStepsMax = 1 << 20;
  static constexpr std::size_t kReadRowsMax = 1024;
  // Outer keys with at most so many entries are read whole, so that they need not be read again.
  static constexpr std::size_t kWholeGroupMax = 64;
  enum class Part : char { kRow = 1, kChange = 2, kEnd = 3 };

  // Keys of a call, in a form that can be looked up.
  struct ReadKeys {
    std::vector<std::uint64_t> hashes;
    std::vector<std::uint32_t> null_bits;
    std::vector<std::uint64_t> slots;
  };
  // How far a snapshot has come.
  struct Walk {
    std::uint32_t frozen = 0;  // Of the snapshot; 0: it has not begun here.
    bool is_memory_done = false;
    bool is_done = false;
    std::string next = {};  // Key in the store.
  };

  [[nodiscard]] std::string prefix(Part part) const;
  [[nodiscard]] std::string change_prefix(std::uint32_t epoch) const;
  void append_row_key(const RecordKey& key, std::string& out) const;
  [[nodiscard]] RecordKey key_of(const RowHeader& row) const {
    return {.hash = row.hash,
            .null_bits = row.null_bits,
            .slots = reinterpret_cast<const std::byte*>(&row + 1)};
  }
  Status read_keys(const std::vector<StoreEntry>& entries, std::size_t prefix_bytes, ReadKeys& keys,
                   std::deque<std::string>& texts, std::vector<std::byte*>& values);
  [[nodiscard]] RecordKey read_key(const ReadKeys& keys, std::size_t i) const;
  Status fetch_missing(std::span<const RecordKey> missing);
  Status fetch_range(const std::string& begin, const std::string& end, std::size_t limit,
                     bool backwards, bool& has_ended);
  Status fetch_group(const EntryRanges& ranges, const EncodedRanges& encoded, std::size_t i,
                     const std::string& group, EntryIndex::Known& known);
  Status load_missing(const std::vector<StoreEntry>& entries, ReadKeys& keys,
                      std::vector<std::byte*>& values);
  Status load(std::span<const RecordKey> keys, std::span<const std::string_view> records,
              std::vector<std::byte*>& values);
  [[nodiscard]] bool has_gone_out(const RecordKey& key, std::uint32_t epoch) const;
  Status store(std::span<std::byte* const> values);
  Status store_new_rows();

  Status scan_on(std::string_view end, std::size_t entries_max, std::int64_t& budget,
                 std::vector<StoreEntry>& entries);
  Status walk_rows(std::size_t values_max, std::int64_t& budget, std::vector<std::byte*>& values);
  Status walk_changes(std::size_t values_max, std::int64_t& budget,
                      std::vector<std::byte*>& values);
  Status read_scratch(std::span<const RecordKey> keys, std::span<const std::string_view> records,
                      std::vector<std::byte*>& values);

  const std::shared_ptr<DiskSpace> space_;
  RowRecords* records_;
  ScratchRows* scratch_;
  MemoryPool* pool_;
  const std::uint64_t id_;
  std::int64_t stored_rows_ = 0;
  std::int64_t unstored_rows_ = 0;  // In memory, and never stored.
  bool is_on_disk_ = false;
  bool has_listed_changes_ = false;
  KeyedRows::Cursor hand_ = {};
  std::int64_t hand_moves_ = 0;
  std::uint32_t scan_step_ = 0;
  // Where the last scan_all() has come to, and where that is in the store.
  KeyedRows::Cursor scanned_ = {};
  std::string scan_next_;
  Walk walk_;
  StoreWrites writes_;  // Scratch.
};

}  // namespace clepsydra
