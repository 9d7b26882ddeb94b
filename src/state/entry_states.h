// State of many entries per key: maps, multisets, logs and lists, a batch of keys at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/value_columns.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class KeyedStateBackend;
class MemoryPool;

struct EntryStateSpec {
  std::string name = {};
  std::vector<DataType> key_types = {};  // Of the outer key.
  std::vector<DataType> entry_types = {};
  std::vector<EntryDirection> directions = {};  // Of the entry types: KeyedRowsSpec.
  std::vector<Field> values = {};
  StateTtl ttl = {};  // Of each entry.
};

// Entries that were found, in the order in which they were asked for; those of key i are rows
// [ends[i - 1], ends[i]).
struct EntryColumns {
  std::vector<Column> entries;
  std::vector<Column> values;
  std::vector<std::size_t> ends;
  [[nodiscard]] std::size_t rows() const { return ends.empty() ? 0 : ends.back(); }
};

// By outer key, a map from entry keys to values that is sorted by entry key. Each entry is a row of
// its own: a delta has the entries that changed.
//
// In all calls, columns of entries and values stand beside those of the outer keys: row
// keys.rows[i] of each belongs to key i, and no row to two of them. Entries are flat; a batch may
// have several of one key. Addresses of rows are released by nobody here. Threads: the owner of the
// state.
class MapState {
 public:
  static Result<MapState> open(KeyedStateBackend& backend, EntryStateSpec spec, MemoryPool& pool);

  // Of equal entries of a call, the last one stays.
  Status put(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
             std::span<const Column> values);
  // Appends one column per value to `values`; NULL where there is no such entry, and there `found`
  // is null.
  Status get(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
             std::vector<Column>& values, std::vector<const std::byte*>& found);
  // Those that are there.
  Status erase(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries);

  Status range(StateNamespace ns, const EntryRanges& ranges, EntryColumns& found);
  // The first entries of each key.
  Status first(StateNamespace ns, const KeyBatch& keys, std::int64_t limit, EntryColumns& found) {
    return range(ns, {.keys = keys, .limit = limit}, found);
  }
  // At most ranges.limit per key; how many went, in all.
  Result<std::int64_t> erase_range(StateNamespace ns, const EntryRanges& ranges);
  // All entries of the keys.
  Status clear(StateNamespace ns, const KeyBatch& keys);
  // All entries of all keys, in the time of their pages.
  void drop(StateNamespace ns) { rows_->drop(ns); }

  // The rows themselves, whose keys are outer and entry columns, ...
  [[nodiscard]] KeyedRows& rows() { return *rows_; }
  [[nodiscard]] ValueColumns& values() { return *values_; }
  // ... and those of entries, found or made; then values are to be written.
  Status find_or_insert(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
                        std::vector<std::byte*>& found);
  Status find(StateNamespace ns, const KeyBatch& keys, std::span<const Column> entries,
              std::vector<std::byte*>& found);
  // Rows that were found, each once.
  Status erase_rows(StateNamespace ns, std::span<std::byte* const> rows);

 private:
  MapState(KeyedRows& rows, std::shared_ptr<ValueColumns> values, std::size_t outer_columns,
           MemoryPool& pool)
      : rows_(&rows), values_(std::move(values)), outer_columns_(outer_columns), pool_(&pool) {}

  KeyBatch whole_keys(const KeyBatch& keys, std::span<const Column> entries);
  Result<std::int64_t> erase_found(StateNamespace ns, FoundEntries& found);

  // Entries that are erased at a time, of all keys of a call together.
  static constexpr std::int64_t kErasedMax = 4096;

  KeyedRows* rows_;
  std::shared_ptr<ValueColumns> values_;  // Shared with the state's spec.
  std::size_t outer_columns_;
  MemoryPool* pool_;
  // Scratch.
  std::vector<Column> columns_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint64_t> entry_hashes_;
  std::vector<std::byte*> found_;
  FoundEntries ranges_;
};

// The same for states whose entry keys say all that there is to say; an entry is there so many
// times. Sorted: the first entry is the least.
class MultisetState {
 public:
  // spec.values is empty.
  static Result<MultisetState> open(KeyedStateBackend& backend, EntryStateSpec spec,
                                    MemoryPool& pool);

  // Adds deltas[i] to the count of element i, one after the other; counts[i] is what comes out. One
  // whose count is 0 at the end goes; counts below zero stay, for their additions may yet come.
  // OutOfRange beyond 64 bits.
  Status add(StateNamespace ns, const KeyBatch& keys, std::span<const Column> elements,
             std::span<const std::int64_t> deltas, std::span<std::int64_t> counts);
  // 0 for one that is not there.
  Status count(StateNamespace ns, const KeyBatch& keys, std::span<const Column> elements,
               std::span<std::int64_t> counts);
  // With their counts as the one value column.
  Status range(StateNamespace ns, const EntryRanges& ranges, EntryColumns& found) {
    return map_.range(ns, ranges, found);
  }
  Status first(StateNamespace ns, const KeyBatch& keys, std::int64_t limit, EntryColumns& found) {
    return map_.first(ns, keys, limit, found);
  }
  Status clear(StateNamespace ns, const KeyBatch& keys) { return map_.clear(ns, keys); }
  void drop(StateNamespace ns) { map_.drop(ns); }

 private:
  explicit MultisetState(MapState map) : map_(std::move(map)) {}
  MapState map_;
  std::vector<std::byte*> found_;  // Scratch.
};

// By outer key, rows in the order in which they were appended, each with an id: ids ascend, have
// gaps, and are never given twice in a state.
class AppendLog {
 public:
  // spec.entry_types and spec.directions are empty.
  static Result<AppendLog> open(KeyedStateBackend& backend, EntryStateSpec spec, MemoryPool& pool);

  // The id of each row that was appended.
  Status append(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values,
                std::span<std::int64_t> ids);
  // Bounds are columns of ids, BIGINT NOT NULL.
  Status range(StateNamespace ns, const EntryRanges& ranges, EntryColumns& found) {
    return map_.range(ns, ranges, found);
  }
  Status get(StateNamespace ns, const KeyBatch& keys, const Column& ids,
             std::vector<Column>& values, std::vector<const std::byte*>& found) {
    return map_.get(ns, keys, {&ids, 1}, values, found);
  }
  Status erase(StateNamespace ns, const KeyBatch& keys, const Column& ids) {
    return map_.erase(ns, keys, {&ids, 1});
  }
  Result<std::int64_t> erase_range(StateNamespace ns, const EntryRanges& ranges) {
    return map_.erase_range(ns, ranges);
  }
  Status clear(StateNamespace ns, const KeyBatch& keys) { return map_.clear(ns, keys); }
  void drop(StateNamespace ns) { map_.drop(ns); }
  static DataType id_type() { return DataType::big_int().with_nullable(false); }

 private:
  AppendLog(MapState map, std::int64_t& next_id, MemoryPool& pool)
      : map_(std::move(map)), next_id_(&next_id), pool_(&pool) {}
  MapState map_;
  std::int64_t* next_id_;
  MemoryPool* pool_;
};

// By outer key, a list of values.
class ListState {
 public:
  // As of an AppendLog.
  static Result<ListState> open(KeyedStateBackend& backend, EntryStateSpec spec, MemoryPool& pool);

  Status add(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values);
  // Whole lists, in their order; entries are the ids of their items.
  Status get(StateNamespace ns, const KeyBatch& keys, EntryColumns& found) {
    return log_.range(ns, {.keys = keys}, found);
  }
  // What `values` have of a key takes the place of its list.
  Status update(StateNamespace ns, const KeyBatch& keys, std::span<const Column> values);
  Status clear(StateNamespace ns, const KeyBatch& keys) { return log_.clear(ns, keys); }
  void drop(StateNamespace ns) { log_.drop(ns); }

 private:
  explicit ListState(AppendLog log) : log_(std::move(log)) {}
  AppendLog log_;
  std::vector<std::int64_t> ids_;  // Scratch.
};

}  // namespace clepsydra
