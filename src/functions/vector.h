// The values that kernels read and write while a program runs over one batch.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/buffer.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

// The rows that a kernel has to compute: all of a batch, or those that a CASE, AND, ... has left
// over.
struct Rows {
  const std::int32_t* indices = nullptr;  // Ascending; null: [0, count).
  std::int32_t count = 0;
  std::int32_t length = 0;  // Of the batch: vectors are this long whatever rows are computed.

  [[nodiscard]] bool is_dense() const { return indices == nullptr; }
};

// One register of a program: a value per row, at the row's own index, or one for all rows (at index
// 0). Values of rows that were not computed, and those under a NULL, are unspecified.
struct Vector {
  DataType type;
  bool is_constant = false;
  const std::uint8_t* values = nullptr;    // By physical type; null for nested types.
  const std::uint8_t* validity = nullptr;  // Bitmap; null when no value is NULL.
  // What keeps them alive when they belong to others (a column, another register).
  BufferPtr values_owner;
  BufferPtr validity_owner;
  // kView: what non-inline views point into.
  std::vector<BufferPtr> blobs;
  std::vector<const char*> blob_bases;
  // Nested types are whole columns, always. Others: set when the vector is exactly this column.
  Column column;

  template <typename T>
  [[nodiscard]] const T* data() const {
    return reinterpret_cast<const T*>(values);
  }
  [[nodiscard]] std::int32_t index_of(std::int32_t row) const { return is_constant ? 0 : row; }
  [[nodiscard]] bool is_null(std::int32_t row) const {
    return validity != nullptr && !get_bit(validity, index_of(row));
  }
  [[nodiscard]] std::string_view string_at(std::int32_t row) const {
    const StringView16& view = data<StringView16>()[index_of(row)];
    if (view.is_inline()) return {view.inlined, static_cast<std::size_t>(view.length)};
    return {blob_bases[static_cast<std::size_t>(view.ref.blob)] + view.ref.offset,
            static_cast<std::size_t>(view.length)};
  }
  // Makes this vector the column's values, shared.
  void set_column(const Column& source, bool constant);
  // Makes it NULL for all rows; there are no values to be read.
  void set_null_constant();
  // Lets go of everything shared.
  void release();
};

// StringView16::make_inline() without a call per text.
inline StringView16 inline_view(std::string_view text) {
  StringView16 view;
  const std::size_t length = text.size();
  view.length = static_cast<std::int32_t>(length);
  const char* from = text.data();
  // Two copies of a fixed length that overlap.
  if (length >= 8) {
    std::memcpy(view.inlined, from, 8);
    std::memcpy(view.inlined + length - 4, from + length - 4, 4);
  } else if (length >= 4) {
    std::memcpy(view.inlined, from, 4);
    std::memcpy(view.inlined + length - 4, from + length - 4, 4);
  } else if (length > 0) {
    view.inlined[0] = from[0];
    view.inlined[length / 2] = from[length / 2];
    view.inlined[length - 1] = from[length - 1];
  }
  return view;
}

// Calls f(row) for each row to compute.
template <typename F>
void for_each_row(const Rows& rows, F&& f) {
  if (rows.is_dense()) {
    for (std::int32_t i = 0; i < rows.count; ++i) f(i);
  } else {
    for (std::int32_t i = 0; i < rows.count; ++i) f(rows.indices[i]);
  }
}

// The same, only where `validity` (may be null) has a 1; stops when f(row) answers false.
template <typename F>
bool for_each_valid_row(const Rows& rows, const std::uint8_t* validity, F&& f) {
  for (std::int32_t i = 0; i < rows.count; ++i) {
    const std::int32_t row = rows.is_dense() ? i : rows.indices[i];
    if (validity != nullptr && !get_bit(validity, row)) continue;
    if (!f(row)) return false;
  }
  return true;
}

// A fixed-width argument read the same way whether it is constant or not.
template <typename T>
class Reader {
 public:
  explicit Reader(const Vector& vector)
      : values_(vector.data<T>()), mask_(vector.is_constant ? 0 : -1) {}
  T operator[](std::int32_t row) const { return values_[row & mask_]; }

 private:
  const T* values_;
  std::int32_t mask_;
};

}  // namespace clepsydra
