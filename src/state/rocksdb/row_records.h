// Rows as bytes of a local store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "clepsydra/status.h"
#include "state/hashmap/entry_order.h"
#include "state/hashmap/key_layout.h"
#include "state/keyed_state.h"
#include "stream/column.h"

namespace clepsydra {

class MemoryPool;

// A key and its hash. Texts of `slots` lie where it was read from.
struct RecordKey {
  std::uint64_t hash = 0;
  std::uint32_t null_bits = 0;
  const std::byte* slots = nullptr;
};

// Keys in the order of their bytes are in the order of their hashes. A key is its hash, high bytes
// first; a byte 1 and the null bits, or a byte 0 when there are none; what KeyLayout makes of it.
// Of an entry it is a group, so that those of an outer key stand together in their order: the upper
// half of the hash, and null bits and KeyLayout of the outer columns alone; then what EntryOrder
// makes of the others; then the lower half. A
// record is the epoch of its last write, then the value: its own bytes when it is flat, else one
// cell per column of the codec. Nothing of it outlives the process. Threads: the owner of the
// state.
class RowRecords {
 public:
  RowRecords(const KeyLayout& layout, std::int64_t value_bytes,
             std::shared_ptr<RowValueCodec> codec, std::shared_ptr<const EntryOrder> entries);

  void append_key(const RecordKey& key, std::string& out) const;
  // Of entries: what those of an outer key begin with. Slots and null bits are of that alone.
  void append_group(const RecordKey& outer, std::string& out) const;
  // `slots`: room for it. Its texts lie in `bytes` or `texts`. DataLoss.
  Status read_key(std::string_view bytes, std::byte* slots, RecordKey& key,
                  std::deque<std::string>& texts) const;
  // With which keys begin that are in the order of their hashes.
  [[nodiscard]] int hash_bytes() const { return entries_ != nullptr ? 4 : 8; }

  // Calls emit(i, record) for each value, which stands with epochs[i].
  template <typename Emit>
  Status write(std::span<std::byte* const> values, std::span<const std::uint32_t> epochs,
               MemoryPool& pool, Emit&& emit) {
    CLP_RETURN_IF_ERROR(begin_write(values, pool));
    for (std::size_t i = 0; i < values.size(); ++i) {
      emit(i, record(values, epochs[i], i));
    }
    columns_.clear();
    return Status::ok();
  }
  // DataLoss for a record that is too short.
  static Status read_epoch(std::string_view record, std::uint32_t& epoch);
  // Into values[i], which are new.
  Status read(std::span<const std::string_view> records, std::span<std::byte* const> values,
              StateMemory& memory, MemoryPool& pool) const;
  // Gives back what values hold in `memory`.
  void clear(std::span<std::byte* const> values, StateMemory& memory) const;

 private:
  Status begin_write(std::span<std::byte* const> values, MemoryPool& pool);
  std::string_view record(std::span<std::byte* const> values, std::uint32_t epoch, std::size_t i);

  const KeyLayout* layout_;
  const std::int64_t value_bytes_;
  const std::shared_ptr<RowValueCodec> codec_;       // Shared with the state's spec.
  const std::shared_ptr<const EntryOrder> entries_;  // Shared with the state's shape; may be null.
  const bool is_flat_;
  std::vector<Column> columns_;  // Scratch.
  std::string record_;
};

}  // namespace clepsydra
