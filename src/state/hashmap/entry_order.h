// How the entries of a key are ordered: in memory, and as bytes of a local store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/key_layout.h"
#include "state/keyed_state.h"
#include "stream/data_type.h"

namespace clepsydra {

// The entry columns of a key, or the first of them, as a KeyLayout of its own has them.
struct EntryKey {
  const std::byte* slots = nullptr;
  std::uint32_t null_bits = 0;
  std::size_t columns = 0;
};

// The keys of rows are outer columns, then entry columns, at most kColumnsMax in all. Numbers come
// by value, NaN last; texts by their bytes; times by time. Immutable.
class EntryOrder {
 public:
  // The last entry_columns of the spec's key types. InvalidArgument, Unimplemented.
  static Result<EntryOrder> make(const KeyedRowsSpec& spec);
  // All of them have their null bits in the header.
  static constexpr std::size_t kColumnsMax = 32;

  [[nodiscard]] const KeyLayout& outer_layout() const { return outer_; }
  [[nodiscard]] std::size_t entry_columns() const { return columns_.size(); }
  // Of the first so many entry columns; at least one.
  [[nodiscard]] const KeyLayout& layout_of(std::size_t columns) const {
    return layouts_[columns - 1];
  }

  [[nodiscard]] EntryKey entry_of(const std::byte* slots, std::uint32_t null_bits) const {
    return {.slots = slots + outer_.key_bytes(),
            .null_bits = outer_columns_ < kColumnsMax ? null_bits >> outer_columns_ : 0,
            .columns = columns_.size()};
  }
  [[nodiscard]] EntryKey entry_of(const RowHeader& row) const {
    return entry_of(reinterpret_cast<const std::byte*>(&row + 1), row.null_bits);
  }
  [[nodiscard]] std::uint32_t outer_null_bits(std::uint32_t null_bits) const {
    return outer_columns_ < kColumnsMax ? null_bits & ((1U << outer_columns_) - 1) : null_bits;
  }
  // The hash by which groups of entries are told apart: the same for all entries of an outer key.
  static std::uint64_t group_hash(std::uint64_t hash) {
    const std::uint64_t high = hash >> 32;
    return high << 32 | (high * 0x9E3779B97F4A7C15ULL) >> 32;
  }

  // Tells most keys apart: prefix(a) < prefix(b) means that a comes before b.
  [[nodiscard]] std::uint64_t prefix(const EntryKey& key) const;
  // Of the columns that both have.
  [[nodiscard]] int compare(const EntryKey& a, const EntryKey& b) const;

  // Bytes in the order of the keys; those of fewer columns are the beginning of those of more.
  void append_ordered(const EntryKey& key, std::string& out) const;
  // The reverse, for all columns, into the slots and null bits of a whole key; takes off what it
  // read. Long texts lie in `bytes` or, where they look otherwise there, in `texts`. False for
  // bytes of another form.
  bool read_ordered(std::string_view& bytes, std::byte* slots, std::uint32_t& null_bits,
                    std::deque<std::string>& texts) const;

 private:
  struct EntryColumn {
    PhysicalType physical;
    std::int64_t offset;
    EntryDirection direction;
  };
  [[nodiscard]] static std::uint64_t value_prefix(const EntryColumn& column, const std::byte* slot);
  [[nodiscard]] static int compare_values(const EntryColumn& column, const std::byte* a,
                                          const std::byte* b);

  KeyLayout outer_;
  std::vector<KeyLayout> layouts_;
  std::vector<EntryColumn> columns_;
  std::size_t outer_columns_ = 0;
};

}  // namespace clepsydra
