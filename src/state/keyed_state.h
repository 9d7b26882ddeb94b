// Keyed state as operators see it: rows found by key, a batch of keys at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// Memory beside the fixed part of rows: strings, lists, sets of values. It belongs to one namespace
// and is dropped with it. Blocks never move and start at 16-byte boundaries. Threads: the owner of
// the state.
class StateMemory {
 public:
  virtual ~StateMemory() = default;
  // `bytes` > 0, not initialised. ResourceExhausted: `block` is untouched.
  virtual Status allocate(std::int64_t bytes, std::byte*& block) = 0;
  // `bytes` as it was allocated.
  virtual void free(std::byte* block, std::int64_t bytes) = 0;
  // What it is charged to.
  virtual MemoryPool& pool() = 0;
};

// A namespace of a state: a slice or window, by its end; one number for state without windows.
using StateNamespace = std::int64_t;

// How the values of a state are stored: as columns. Threads: the owner of the state.
class RowValueCodec {
 public:
  virtual ~RowValueCodec() = default;
  // Name and type of each column; stored with the state. The same for as long as the codec lives.
  [[nodiscard]] virtual const std::vector<Field>& fields() const = 0;
  // These fields were stored and are to be read by their names: some may be missing, others wider
  // than they were. An error, which names them, when they would not mean what these here do.
  [[nodiscard]] virtual Status check_stored(std::span<const Field> /*stored*/) const {
    return Status::ok();
  }
  // Appends one column per field, one row per value. The values stay as they are.
  virtual Status write(std::span<std::byte* const> values, MemoryPool& pool,
                       std::vector<Column>& out) = 0;
  // The reverse: row i of `columns` into values[i], which are new (all zero), with what does not
  // fit into them in `memory`.
  virtual Status read(std::span<const Column> columns, std::span<std::byte* const> values,
                      StateMemory& memory) = 0;
  // The values hold nothing beside their own bytes, which may be copied.
  [[nodiscard]] virtual bool is_flat() const { return false; }
  // Gives back what the values hold in `memory` and makes them new.
  virtual void clear(std::span<std::byte* const> values, StateMemory& memory) = 0;
  // Some values may not be there any more for anybody who asks: those that are expired. A snapshot
  // of all state leaves them out.
  [[nodiscard]] virtual bool may_expire() const { return false; }
  [[nodiscard]] virtual bool is_expired(const std::byte* /*value*/) const { return false; }
};

// How long rows of a state live that nobody uses, in processing time: a row, which may be an entry,
// expires `ttl_ms` after its last access. All zero: until it is erased.
struct StateTtl {
  // What is an access. Writing is whatever hands rows out to be written.
  enum class Update : std::uint8_t { kOnCreateAndWrite, kOnReadAndWrite };
  // Whether a row that has expired is found once more, if it is still there, and then never again.
  enum class Visibility : std::uint8_t { kNeverReturnExpired, kReturnExpiredIfNotCleanedUp };

  static constexpr int kCleanupRowsMax = 1000;

  std::int64_t ttl_ms = 0;
  Update update = Update::kOnCreateAndWrite;
  Visibility visibility = Visibility::kNeverReturnExpired;
  // For each row of a call so many others are looked at, whether they have expired.
  int cleanup_rows = 5;

  [[nodiscard]] bool is_on() const { return ttl_ms != 0; }
  bool operator==(const StateTtl&) const = default;
};

// How the entries of a key are ordered by one of their columns.
struct EntryDirection {
  bool descending = false;
  bool nulls_last = false;
};

// A named state: rows of `value_bytes` bytes, found by key.
struct KeyedRowsSpec {
  std::string name;
  std::vector<DataType>
      key_types;  // Empty: one row per namespace. Not nested; at most kKeyColumnsMax.
  std::int64_t value_bytes = 8;  // A multiple of 8, at most kValueBytesMax.
  // Null: the state follows from others and is in no snapshot; its owner makes it again.
  std::shared_ptr<RowValueCodec> codec = nullptr;
  // Above 0, rows are entries, ordered within their outer key: the last so many key columns tell
  // those of one outer key apart. Such a key has at most 32 columns.
  int entry_columns = 0;
  // By entry column; ascending and NULL first beyond.
  std::vector<EntryDirection> directions = {};
  // Only with a codec.
  StateTtl ttl = {};

  static constexpr int kKeyColumnsMax = 1024;
  static constexpr std::int64_t kValueBytesMax = 1 << 20;
};

// Keys of a call: row rows[i] (row i when `rows` is null) of the columns, for 0 <= i < count.
struct KeyBatch {
  std::span<const Column> columns;
  // Of all rows of the columns: hash_rows().
  const std::uint64_t* hashes = nullptr;
  const std::int32_t* rows = nullptr;
  std::int64_t count = 0;
};

// Hashes by which entries are found: hashes[i] of the outer key and entry_hashes[i] of the entry
// columns (hash_rows() of both) into out[i]. An entry has the key group of its outer key.
void hash_entries(std::span<const std::uint64_t> hashes,
                  std::span<const std::uint64_t> entry_hashes, std::uint64_t* out);

// For each of several outer keys, a range of its entries.
struct EntryRanges {
  // Of the first entry columns, or of all; row as of the key's. None: there is no bound.
  struct Bound {
    std::span<const Column> columns = {};
    bool is_included = true;
  };
  KeyBatch keys = {};  // The outer columns and their own hashes.
  Bound from = {};
  Bound to = {};
  std::int64_t limit = std::numeric_limits<std::int64_t>::max();  // Entries per key.
  bool backwards = false;  // From the end of the range on, the last entry first.
};

// Rows that were found: those of key i are at [ends[i - 1], ends[i]).
struct FoundEntries {
  std::vector<std::byte*> values;
  std::vector<std::size_t> ends;
  void clear() {
    values.clear();
    ends.clear();
  }
};

// A handle to one named state. State copies the bytes of keys and keeps no view of an input.
//
// A row is named by the address of its value. It stays there until it is erased, its namespace is
// dropped, rows are released or, where said, other rows are erased. What find_or_insert...() gave
// may be written until the backend is frozen or its snapshot is written on. Values are 8-byte
// aligned; a new row's value is all zero. Keys are equal as in stream/key_group.h: NULL equals
// NULL, 0.0 equals -0.0, NaN equals NaN.
class KeyedRows {
 public:
  virtual ~KeyedRows() = default;

  // The row of each key, added where there was none. Equal keys of a call get the same row.
  // ResourceExhausted when the memory pool is full; some rows may have been added then.
  virtual Status find_or_insert(StateNamespace ns, const KeyBatch& keys,
                                std::span<std::byte*> values) = 0;
  // Null where there is no row. For reading only: what is written through them may miss the next
  // snapshot.
  virtual Status find(StateNamespace ns, const KeyBatch& keys, std::span<std::byte*> values) = 0;
  // The rows of namespace `ns` with the keys of `from`, which are rows of other namespaces of this
  // state; added where there was none.
  virtual Status find_or_insert_same(StateNamespace ns, std::span<std::byte* const> from,
                                     std::span<std::byte*> values) = 0;

  // Rows in the order in which they were added, as long as the backend has all of them in memory;
  // else in any. A cursor stays valid while rows are added, not while rows are erased.
  struct Cursor {
    std::int64_t page = 0;
    std::int64_t row = 0;
  };
  // The next rows, for reading only, at most values.size(); 0 at the end or when there is no such
  // namespace.
  virtual std::int64_t scan(StateNamespace ns, Cursor& cursor, std::span<std::byte*> values) = 0;
  // For states of entries: answers every range, in their order. For reading only. `found` is
  // overwritten.
  virtual Status find_entries(StateNamespace ns, const EntryRanges& ranges,
                              FoundEntries& found) = 0;
  // Appends one column per key, one row per value, in the order of `values` (of any namespaces).
  virtual Status read_keys(std::span<std::byte* const> values, MemoryPool& pool,
                           std::vector<Column>& out) const = 0;

  // Makes values writable that were only found.
  virtual void prepare_write(StateNamespace ns, std::span<std::byte* const> values) = 0;
  // Removes rows, each once; all other rows of the namespace may move, but for entries. What their
  // values hold in memory(ns) must have been given back before, through values that are writable.
  virtual void erase(StateNamespace ns, std::span<std::byte* const> values) = 0;
  // Removes a namespace with its memory(), in the time of its pages.
  virtual void drop(StateNamespace ns) = 0;

  [[nodiscard]] virtual bool contains(StateNamespace ns) const = 0;
  [[nodiscard]] virtual std::int64_t row_count(StateNamespace ns) const = 0;
  // Ascending.
  [[nodiscard]] virtual std::vector<StateNamespace> namespaces() const = 0;
  // For what values of this namespace hold beside their fixed part. Makes the namespace if need be;
  // the reference is good until it is dropped.
  virtual Result<StateMemory*> memory(StateNamespace ns) = 0;

  // All rows that were handed out, by this state and by the others of the backend, are not used any
  // more: they may go to disk, and have another address when they come back. Answers what went
  // wrong in calls that cannot say so.
  virtual Status release_rows() { return Status::ok(); }
};

}  // namespace clepsydra
