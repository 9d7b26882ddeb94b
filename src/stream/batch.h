// The one unit of data: columns of equal length, optional row kinds, and watermark marks.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/column_builder.h"
#include "stream/data_type.h"

namespace clepsydra {

class MemoryPool;

// Stored on the wire and in state: never renumber.
enum class RowKind : std::uint8_t {
  kInsert = 0,
  kUpdateBefore = 1,
  kUpdateAfter = 2,
  kDelete = 3,
};
// "+I", "-U", "+U", "-D".
std::string_view row_kind_text(RowKind kind);

inline constexpr std::int64_t kMinWatermark = std::numeric_limits<std::int64_t>::min();
// After it no row can be on time: sent once, when every input has ended.
inline constexpr std::int64_t kMaxWatermark = std::numeric_limits<std::int64_t>::max();

// A watermark inside a batch. It stands before row `row` (0 <= row <= rows): rows [row, rows) come
// after it. `watermark` is in epoch milliseconds: no row with an event time <= watermark is
// expected any more.
struct Mark {
  std::int32_t row;
  std::int64_t watermark;
  friend bool operator==(const Mark&, const Mark&) = default;
};

// A cheap handle to immutable columns: pass by value, move it on. Marks ascend in row and,
// strictly, in watermark. A batch may have no rows and still carry marks.
class Batch {
 public:
  Batch() = default;
  Batch(SchemaPtr schema, std::int64_t rows, std::vector<Column> columns);

  // A batch without rows that carries one watermark.
  static Batch of_watermark(SchemaPtr schema, std::int64_t watermark);

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] bool empty() const { return rows_ == 0 && marks_.empty(); }
  [[nodiscard]] int column_count() const { return static_cast<int>(columns_.size()); }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] const Column& column(int i) const { return columns_[static_cast<std::size_t>(i)]; }
  // Null when every row is an insert.
  [[nodiscard]] const std::uint8_t* row_kinds() const {
    return row_kinds_ ? row_kinds_->data() : nullptr;
  }
  [[nodiscard]] const BufferPtr& row_kind_buffer() const { return row_kinds_; }
  [[nodiscard]] RowKind row_kind(std::int64_t row) const {
    return row_kinds_ ? static_cast<RowKind>(row_kinds_->data()[row]) : RowKind::kInsert;
  }
  [[nodiscard]] const std::vector<Mark>& marks() const { return marks_; }

  [[nodiscard]] Batch with_columns(SchemaPtr schema, std::vector<Column> columns) const;
  [[nodiscard]] Batch with_row_kinds(BufferPtr row_kinds) const;
  [[nodiscard]] Batch with_marks(std::vector<Mark> marks) const;

  // Rows at ascending `rows`; marks stay at their place among the rows that remain.
  Result<Batch> select(RowIndices rows, MemoryPool& pool) const;
  // Rows in any order, repeats allowed; marks are dropped.
  Result<Batch> gather(RowIndices rows, MemoryPool& pool) const;
  // Rows [offset, offset + length) and the marks m with offset < m.row <= offset + length, or
  // offset <= m.row when offset is 0: cutting a batch in two at k keeps every mark exactly once.
  Result<Batch> slice(std::int64_t offset, std::int64_t length, MemoryPool& pool) const;

  // Bytes its rows need, and bytes its buffers hold on to (each allocation once).
  [[nodiscard]] std::int64_t own_bytes() const;
  [[nodiscard]] std::int64_t pinned_bytes() const;
  // This batch, or a copy without foreign bytes when it pins more than twice its own.
  Result<Batch> compact_if_wasteful(MemoryPool& pool) const;

 private:
  [[nodiscard]] std::vector<Column::Pin> pins() const;

  SchemaPtr schema_;
  std::int64_t rows_ = 0;
  std::vector<Column> columns_;
  BufferPtr row_kinds_;
  std::vector<Mark> marks_;
};

// Batches of one schema, one after the other, marks shifted.
Result<Batch> concatenate(std::span<const Batch> batches, MemoryPool& pool);

// Builds a batch row by row or column by column.
class BatchBuilder {
 public:
  BatchBuilder(SchemaPtr schema, MemoryPool& pool);
  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  ColumnBuilder& column(int i) { return columns_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] int column_count() const { return static_cast<int>(columns_.size()); }
  // Rows are counted by commit_row(); every column must then have that many values.
  void commit_row(RowKind kind = RowKind::kInsert);
  // Takes back what was appended since the last commit_row().
  void discard_row();
  // A mark after the rows committed so far. Not above the last one: ignored.
  void add_mark(std::int64_t watermark);
  // Rows of `batch` at ascending `rows` (all when null) with kinds, strings copied; marks are not
  // taken.
  void append_rows(const Batch& batch, std::optional<RowIndices> rows);
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t bytes() const;
  [[nodiscard]] bool empty() const { return rows_ == 0 && marks_.empty(); }
  // The batch so far; the builder is empty and reusable afterwards.
  Result<Batch> finish();

 private:
  SchemaPtr schema_;
  MemoryPool* pool_;
  std::vector<ColumnBuilder> columns_;
  std::int64_t rows_ = 0;
  std::vector<std::uint8_t> kinds_;  // Empty while every row is an insert.
  std::vector<Mark> marks_;
};

}  // namespace clepsydra
