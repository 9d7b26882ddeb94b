// Columns: immutable typed vectors in Arrow layout. Strings are 16-byte views into shared blobs, so
// selecting and shuffling rows does not copy their bytes.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// Arrow's BinaryView: up to 12 bytes inline; else 4 bytes of prefix, the blob's index, the offset
// in it. Unused bytes are zero, so that two inline views are equal when their 16 bytes are.
struct StringView16 {
  static constexpr std::int32_t kInlineMax = 12;
  std::int32_t length = 0;
  union {
    char inlined[12];
    struct {
      char prefix[4];
      std::int32_t blob;
      std::int32_t offset;
    } ref;
  };
  StringView16() : inlined{} {}
  [[nodiscard]] bool is_inline() const { return length <= kInlineMax; }
  static StringView16 make_inline(std::string_view text) {
    StringView16 view;
    view.length = static_cast<std::int32_t>(text.size());
    text.copy(view.inlined, text.size());  // An empty text may have no address.
    return view;
  }
  static StringView16 make_ref(std::string_view text, std::int32_t blob, std::int32_t offset) {
    StringView16 view;
    view.length = static_cast<std::int32_t>(text.size());
    std::memcpy(view.ref.prefix, text.data(), 4);
    view.ref.blob = blob;
    view.ref.offset = offset;
    return view;
  }
};
static_assert(sizeof(StringView16) == 16);

struct ColumnData;

// A cheap, immutable, thread-safe handle.
class Column {
 public:
  Column() = default;
  explicit Column(ColumnData data);

  [[nodiscard]] bool has_value() const { return data_ != nullptr; }
  [[nodiscard]] const ColumnData& data() const { return *data_; }
  [[nodiscard]] const DataType& type() const;
  [[nodiscard]] std::int64_t length() const;
  [[nodiscard]] std::int64_t null_count() const;
  [[nodiscard]] bool is_null(std::int64_t row) const;
  // Null when no value is NULL.
  [[nodiscard]] const std::uint8_t* validity() const;
  // Of a fixed-width layout: uint8_t for kBool8, StringView16 for kView, int32_t for offsets.
  template <typename T>
  [[nodiscard]] const T* values() const;
  [[nodiscard]] const Column& child(int i) const;
  // The bytes of row `row` of a kView column; valid while this column lives.
  [[nodiscard]] std::string_view string_at(std::int64_t row) const;

  // The same values under another type of the same physical layout.
  [[nodiscard]] Column with_type(DataType type) const;
  // Rows [offset, offset + length), without copying values (validity bits may be copied).
  [[nodiscard]] Column slice(std::int64_t offset, std::int64_t length, MemoryPool& pool) const;
  // Bytes that the rows need: fixed parts, referenced string bytes, children.
  [[nodiscard]] std::int64_t own_bytes() const;
  // Adds each owning allocation once: (identity, capacity).
  struct Pin {
    const void* allocation;
    std::int64_t bytes;
  };
  void add_pins(std::vector<Pin>& pins) const;

 private:
  std::shared_ptr<const ColumnData> data_;
};

// The parts of a column. validity: bitmap, least significant bit first, 1 = not NULL; null when no
// value is NULL. values: see PhysicalType (kList, kMap: the offsets). Values under a NULL are
// unspecified but initialised. Buffers may be longer than needed. No offset: row i is element i of
// every buffer.
struct ColumnData {
  DataType type;
  std::int64_t length = 0;
  std::int64_t null_count = 0;  // Exact.
  BufferPtr validity = {};
  BufferPtr values = {};
  std::vector<BufferPtr> blobs = {};
  std::vector<Column> children = {};
};

inline Column::Column(ColumnData data)
    : data_(std::make_shared<const ColumnData>(std::move(data))) {}

inline const DataType& Column::type() const {
  return data_->type;
}

inline std::int64_t Column::length() const {
  return data_->length;
}

inline std::int64_t Column::null_count() const {
  return data_->null_count;
}

inline bool Column::is_null(std::int64_t row) const {
  if (data_->type.kind() == TypeKind::kNull) return true;
  if (!data_->validity) return false;
  return (data_->validity->data()[row >> 3] >> (row & 7) & 1) == 0;
}

inline const std::uint8_t* Column::validity() const {
  return data_->validity ? data_->validity->data() : nullptr;
}

template <typename T>
const T* Column::values() const {
  return reinterpret_cast<const T*>(data_->values->data());
}

inline const Column& Column::child(int i) const {
  return data_->children[static_cast<std::size_t>(i)];
}

inline std::string_view Column::string_at(std::int64_t row) const {
  const StringView16& view = values<StringView16>()[row];
  if (view.is_inline()) return {view.inlined, static_cast<std::size_t>(view.length)};
  const auto* base = data_->blobs[static_cast<std::size_t>(view.ref.blob)]->data();
  return {reinterpret_cast<const char*>(base) + view.ref.offset,
          static_cast<std::size_t>(view.length)};
}

// Indices of rows, ascending unless said.
using RowIndices = std::span<const std::int32_t>;

// Rows of `column` at `rows` in that order (any order, repeats allowed). Blobs are shared, not
// copied.
Result<Column> gather(const Column& column, RowIndices rows, MemoryPool& pool);
// Columns of one type, one after the other. Blobs are shared.
Result<Column> concatenate(std::span<const Column> columns, MemoryPool& pool);
// The same values with string bytes copied into one fresh blob of exactly the bytes needed.
Result<Column> compact(const Column& column, MemoryPool& pool);
// `length` NULLs of a type.
Result<Column> make_null_column(const DataType& type, std::int64_t length, MemoryPool& pool);
// No rows, no memory of a pool.
Column make_empty_column(const DataType& type);
// `length` copies of row `row` of `source`.
Result<Column> repeat_row(const Column& source, std::int64_t row, std::int64_t length,
                          MemoryPool& pool);

// Checks lengths, offsets, view bounds, bitmap sizes and UTF-8 when asked: for columns from
// outside.
Status validate(const Column& column, bool check_utf8);

}  // namespace clepsydra
