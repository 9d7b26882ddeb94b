// Appends values one by one (formats, state, tests) and makes a Column of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// Grows by doubling; memory is charged to the pool as it grows. Appends never fail in the middle:
// the first failed allocation is remembered, later appends do nothing, and finish() returns the
// error.
//
// append<T>: T must be the C++ type of the physical layout (bool as uint8_t, DECIMAL as Int128).
// Nested: for ARRAY append the element values to child(0), then close_list(); for MAP and MULTISET
// to child(0) and child(1), then close_list(); for ROW append to every child, then close_struct().
// append_null() on a ROW appends NULL to every child itself.
class ColumnBuilder {
 public:
  ColumnBuilder(DataType type, MemoryPool& pool);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;

  [[nodiscard]] const DataType& type() const { return type_; }
  [[nodiscard]] std::int64_t length() const { return length_; }
  // Bytes appended so far, without growth reserve.
  [[nodiscard]] std::int64_t bytes() const;

  void reserve(std::int64_t rows);
  template <typename T>
  void append(T value) {
    if (length_ == capacity_ && !grow(length_ + 1)) return;
    reinterpret_cast<T*>(values_)[length_] = value;
    if (validity_ != nullptr) set_valid(length_);
    ++length_;
  }
  void append_null();
  void append_string(std::string_view bytes);
  // Row `row` of a column of the same physical type. Strings are copied.
  void append_from(const Column& column, std::int64_t row);
  // Rows at `rows` of a column, strings copied: the partitioner's and state's bulk path.
  void append_rows(const Column& column, RowIndices rows);
  // Rows [offset, offset + length) of a column, strings copied.
  void append_range(const Column& column, std::int64_t offset, std::int64_t length);
  ColumnBuilder& child(int i) { return children_[static_cast<std::size_t>(i)]; }
  void close_list();
  void close_struct();
  // Takes back rows from `length` on (also of children): used when a record turns out to be bad.
  void truncate(std::int64_t length);

  [[nodiscard]] const Status& status() const { return status_; }
  // The column of all appended rows; the builder is empty and reusable afterwards.
  Result<Column> finish();

 private:
  bool grow(std::int64_t rows);
  void set_valid(std::int64_t row) {
    validity_[row >> 3] = static_cast<std::uint8_t>(validity_[row >> 3] | (1U << (row & 7)));
  }
  bool start_validity();
  // Remembers the first error and makes later appends do nothing; false.
  bool fail(Status status);
  bool fail_elements(std::int64_t elements);
  bool reserve_blob(std::int64_t bytes);
  Status close_blob();
  bool append_views(const Column& column, RowIndices rows);
  void copy_views(const Column& column, RowIndices rows, bool referenced, std::int64_t to);
  bool append_lists(const Column& column, RowIndices rows);
  void append_validity(const Column& column, RowIndices rows);
  Status take_values(ColumnData& data);
  Status take(ColumnData& data);
  void reset();

  DataType type_;
  PhysicalType physical_;
  int width_;  // type_.fixed_width()
  MemoryPool* pool_;
  std::int64_t length_ = 0;
  std::int64_t capacity_ = 0;  // Rows that fit without growing.
  std::int64_t null_count_ = 0;
  std::uint8_t* values_ = nullptr;    // Start of values_buffer_.
  std::uint8_t* validity_ = nullptr;  // Null while no NULL was appended.
  std::shared_ptr<MutableBuffer> values_buffer_;
  std::shared_ptr<MutableBuffer> validity_buffer_;
  std::vector<BufferPtr> full_blobs_;
  std::shared_ptr<MutableBuffer> blob_;  // The blob being filled; a full one moves to full_blobs_.
  std::int64_t blob_size_ = 0;           // Bytes used of blob_; its size() is the room.
  std::int64_t full_blob_bytes_ = 0;
  // What the last round needed, so that the next one grows once.
  std::int64_t expected_rows_ = 0;
  std::int64_t expected_blob_bytes_ = 0;
  std::vector<ColumnBuilder> children_;
  Status status_;
};

}  // namespace clepsydra
