// The set of values that a DISTINCT aggregate has seen, inside an accumulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "functions/aggregate_function.h"
#include "stream/column.h"
#include "stream/column_builder.h"

namespace clepsydra {

// Non-NULL values of one type, each once, in the order of their first occurrence. Trivially
// relocatable; all zero bytes are the empty set. Up to eight values are searched one by one, more
// through an index. NaN equals NaN; 0.0 and -0.0 differ, as boxed values of the reference do.
class ValueSet {
 public:
  // Adds row `row` of a column that is not NULL there. `added` tells whether it is new.
  Status insert(const Column& column, std::int64_t row, StateAllocator& allocator, bool& added);
  // Adds every value of `other`, a set of the same type.
  // The new ones are those from size() before the call on.
  Status unite(const ValueSet& other, bool is_text, StateAllocator& allocator);
  [[nodiscard]] std::uint32_t size() const { return size_; }
  // Appends the values [begin, size()).
  void append_to(ColumnBuilder& builder, std::uint32_t begin) const;
  // The bytes of value `i` of a set of texts.
  [[nodiscard]] std::string_view text(std::uint32_t i) const { return text_of(entries()[i]); }
  void destroy(bool is_text, StateAllocator& allocator);

 private:
  // A text: length, then up to 12 bytes inline, or 4 unused bytes and a pointer. Other values:
  // their bits.
  struct Entry {
    std::uint64_t words[2];
  };

  static std::string_view text_of(const Entry& entry);
  static std::uint64_t hash(const Entry& entry, bool is_text);
  static bool equal(const Entry& a, const Entry& b, bool is_text);
  static Entry bits_of(const Column& column, std::int64_t row);
  static Entry view_of(std::string_view text);

  [[nodiscard]] Entry* entries() const { return reinterpret_cast<Entry*>(block_); }
  [[nodiscard]] std::uint32_t* index() const {
    return reinterpret_cast<std::uint32_t*>(block_ + sizeof(Entry) * capacity_);
  }
  [[nodiscard]] std::uint32_t index_mask() const { return capacity_ * 2 - 1; }
  static std::int64_t block_bytes(std::uint32_t capacity);
  [[nodiscard]] bool find(const Entry& entry, bool is_text, std::uint32_t& slot) const;
  Status insert_entry(Entry entry, bool is_text, StateAllocator& allocator, bool& added);
  Status grow(bool is_text, StateAllocator& allocator);

  std::byte* block_;
  std::uint32_t size_;
  std::uint32_t capacity_;
};
static_assert(sizeof(ValueSet) == 16);

}  // namespace clepsydra
