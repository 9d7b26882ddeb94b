// Where the entries of each outer key are, of the rows of one namespace that are in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/entry_order.h"
#include "state/hashmap/entry_tree.h"
#include "state/hashmap/key_layout.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/keyed_state.h"

namespace clepsydra {

class MemoryPool;
class RowTable;
struct RowShape;

// Follows from the rows and is in no snapshot. Goes in the time of its pages. Threads: the owner of
// the state.
class EntryIndex {
 public:
  enum class Known : std::uint64_t {
    kNothing,   // A new group.
    kComplete,  // No rows of it are anywhere else.
    kLarge,     // It has more rows than are read for nothing.
  };
  // What is known of an outer key of which at least one row is in memory.
  struct Group {
    EntryTree entries;
    Known known;
  };

  // `order` outlives it.
  EntryIndex(const EntryOrder& order, const RowShape& rows, MemoryPool& pool);
  ~EntryIndex();
  EntryIndex(const EntryIndex&) = delete;
  EntryIndex& operator=(const EntryIndex&) = delete;

  Status add(RowHeader* row);
  // Of at most RowTable::kAskedMax rows that are about to come or go, by their hashes: asks the
  // memory for their groups ahead of use.
  void ask_for(std::span<const std::uint64_t> hashes);
  // Many of the last rows that were looked for were new, so that the next ones may be, too.
  [[nodiscard]] bool is_adding() {
    added_ = (added_ + 1) / 2;
    return added_ > kFewAdded;
  }
  // `is_evicted`: it goes on elsewhere.
  void remove(RowHeader* row, bool is_evicted);
  // All rows have been removed.
  void give_back();

  // Overwrites groups[0 .. keys.count); null where no entry is in memory.
  void find_groups(const KeyBatch& keys, const EncodedKeys& encoded, std::span<Group*> groups);
  [[nodiscard]] std::int64_t live_bytes() const;

 private:
  // Of the outer key of a row; good until another one is erased.
  Result<Group*> group_of(const RowHeader& row, bool insert);

  static constexpr std::uint32_t kFewAdded = 8;

  const EntryOrder* order_;
  std::uint32_t added_ = 0;  // Halved with each few rows that are looked for.
  SnapshotEpochs never_frozen_;
  const std::unique_ptr<RowShape> shape_;
  const std::unique_ptr<RowTable> groups_;
  std::vector<std::uint64_t> hashes_;  // Scratch.
  std::vector<std::byte*> values_;
};

// Key i of `ranges` from its columns: what its bounds are in the order.
class EncodedRanges {
 public:
  // The answers are good until the next call or the batch's end.
  void encode(const EntryOrder& order, const EntryRanges& ranges);
  [[nodiscard]] const EncodedKeys& outer() const { return outer_; }
  [[nodiscard]] EntryBound from(std::size_t i) const { return bound(from_, i); }
  [[nodiscard]] EntryBound to(std::size_t i) const { return bound(to_, i); }

 private:
  struct Bounds {
    KeyLayout::Encoder encoder;
    EncodedKeys keys;
    std::size_t columns = 0;
    bool is_included = true;
  };
  void encode(const KeyBatch& keys, const EntryRanges::Bound& given, Bounds& bounds);
  [[nodiscard]] EntryBound bound(const Bounds& bounds, std::size_t i) const;

  const EntryOrder* order_ = nullptr;
  KeyLayout::Encoder outer_encoder_;
  EncodedKeys outer_;
  Bounds from_;
  Bounds to_;
};

}  // namespace clepsydra
