#include "stream/batch.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

// What each buffer may waste before a batch counts as wasteful: allocations come in multiples of 64
// bytes.
constexpr std::int64_t kSlackPerAllocation = 64;

// Adds a mark behind the ones there, of which none is in a later row. One that says nothing new is
// left out; of several at one place the last, which is the largest, stays.
void push_mark(std::vector<Mark>& marks, Mark mark) {
  if (!marks.empty()) {
    if (mark.watermark <= marks.back().watermark) return;
    if (mark.row == marks.back().row) {
      marks.back().watermark = mark.watermark;
      return;
    }
  }
  marks.push_back(mark);
}

Result<BufferPtr> gather_row_kinds(const std::uint8_t* kinds, RowIndices rows, MemoryPool& pool) {
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> gathered,
                       allocate_buffer(pool, static_cast<std::int64_t>(rows.size())));
  std::uint8_t* target = gathered->mutable_data();
  std::uint8_t all = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint8_t kind = kinds[rows[i]];
    target[i] = kind;
    all |= kind;
  }
  if (all == static_cast<std::uint8_t>(RowKind::kInsert)) return BufferPtr();
  return BufferPtr(std::move(gathered));
}

std::vector<Mark> select_marks(const std::vector<Mark>& marks, RowIndices rows) {
  std::vector<Mark> kept;
  kept.reserve(marks.size());
  auto from = rows.begin();
  for (const Mark& mark : marks) {
    from = std::lower_bound(from, rows.end(), mark.row);
    push_mark(kept, {static_cast<std::int32_t>(from - rows.begin()), mark.watermark});
  }
  return kept;
}

}  // namespace

std::string_view row_kind_text(RowKind kind) {
  switch (kind) {
    case RowKind::kInsert:
      return "+I";
    case RowKind::kUpdateBefore:
      return "-U";
    case RowKind::kUpdateAfter:
      return "+U";
    case RowKind::kDelete:
      return "-D";
  }
  return "??";
}

Batch::Batch(SchemaPtr schema, std::int64_t rows, std::vector<Column> columns)
    : schema_(std::move(schema)), rows_(rows), columns_(std::move(columns)) {
  CLP_CHECK(schema_ != nullptr && schema_->fields().size() == columns_.size());
  CLP_CHECK(rows_ >= 0 && rows_ <= std::numeric_limits<std::int32_t>::max());
  for (const Column& column : columns_) CLP_CHECK(column.length() == rows_);
}

Batch Batch::of_watermark(SchemaPtr schema, std::int64_t watermark) {
  std::vector<Column> columns;
  columns.reserve(schema->fields().size());
  for (const Field& field : schema->fields()) columns.push_back(make_empty_column(field.type));
  Batch batch(std::move(schema), 0, std::move(columns));
  batch.marks_.push_back({0, watermark});
  return batch;
}

Batch Batch::with_columns(SchemaPtr schema, std::vector<Column> columns) const {
  Batch batch(std::move(schema), rows_, std::move(columns));
  batch.row_kinds_ = row_kinds_;
  batch.marks_ = marks_;
  return batch;
}

Batch Batch::with_row_kinds(BufferPtr row_kinds) const {
  CLP_CHECK(row_kinds == nullptr || row_kinds->size() >= rows_);
  Batch batch = *this;
  batch.row_kinds_ = std::move(row_kinds);
  return batch;
}

Batch Batch::with_marks(std::vector<Mark> marks) const {
  for (std::size_t i = 0; i < marks.size(); ++i) {
    CLP_CHECK(marks[i].row >= 0 && marks[i].row <= rows_);
    if (i == 0) continue;
    CLP_CHECK(marks[i - 1].row <= marks[i].row && marks[i - 1].watermark < marks[i].watermark);
  }
  Batch batch = *this;
  batch.marks_ = std::move(marks);
  return batch;
}

Result<Batch> Batch::select(RowIndices rows, MemoryPool& pool) const {
  if (static_cast<std::int64_t>(rows.size()) == rows_) return *this;
  CLP_ASSIGN_OR_RETURN(Batch selected, gather(rows, pool));
  selected.marks_ = select_marks(marks_, rows);
  return selected;
}

Result<Batch> Batch::gather(RowIndices rows, MemoryPool& pool) const {
  Batch gathered;
  gathered.schema_ = schema_;
  gathered.rows_ = static_cast<std::int64_t>(rows.size());
  gathered.columns_.reserve(columns_.size());
  for (const Column& column : columns_) {
    CLP_ASSIGN_OR_RETURN(Column part, clepsydra::gather(column, rows, pool));
    gathered.columns_.push_back(std::move(part));
  }
  if (row_kinds_) {
    CLP_ASSIGN_OR_RETURN(gathered.row_kinds_, gather_row_kinds(row_kinds_->data(), rows, pool));
  }
  return gathered;
}

Result<Batch> Batch::slice(std::int64_t offset, std::int64_t length, MemoryPool& pool) const {
  CLP_CHECK(offset >= 0 && length >= 0 && offset <= rows_ - length);
  if (length == rows_) return *this;
  Batch part;
  part.schema_ = schema_;
  part.rows_ = length;
  part.columns_.reserve(columns_.size());
  for (const Column& column : columns_) part.columns_.push_back(column.slice(offset, length, pool));
  if (row_kinds_) part.row_kinds_ = Buffer::slice(row_kinds_, offset, length);
  for (const Mark& mark : marks_) {
    const bool from_here = offset == 0 ? mark.row >= 0 : mark.row > offset;
    if (!from_here || mark.row > offset + length) continue;
    part.marks_.push_back({static_cast<std::int32_t>(mark.row - offset), mark.watermark});
  }
  return part;
}

std::int64_t Batch::own_bytes() const {
  std::int64_t bytes = row_kinds_ ? rows_ : 0;
  for (const Column& column : columns_) bytes += column.own_bytes();
  return bytes + static_cast<std::int64_t>(marks_.size() * sizeof(Mark));
}

std::vector<Column::Pin> Batch::pins() const {
  std::vector<Column::Pin> pins;
  for (const Column& column : columns_) column.add_pins(pins);
  if (row_kinds_) {
    const void* allocation = row_kinds_->allocation();
    const bool known = std::any_of(pins.begin(), pins.end(), [allocation](const Column::Pin& pin) {
      return pin.allocation == allocation;
    });
    if (!known) pins.push_back({allocation, row_kinds_->capacity()});
  }
  return pins;
}

std::int64_t Batch::pinned_bytes() const {
  std::int64_t bytes = static_cast<std::int64_t>(marks_.size() * sizeof(Mark));
  for (const Column::Pin& pin : pins()) bytes += pin.bytes;
  return bytes;
}

Result<Batch> Batch::compact_if_wasteful(MemoryPool& pool) const {
  std::int64_t pinned = 0;
  std::int64_t slack = 0;
  for (const Column::Pin& pin : pins()) {
    pinned += pin.bytes;
    slack += kSlackPerAllocation;
  }
  if (pinned <= 2 * (own_bytes() + slack)) return *this;
  Batch compacted = *this;
  for (Column& column : compacted.columns_) {
    CLP_ASSIGN_OR_RETURN(column, compact(column, pool));
  }
  if (row_kinds_ && row_kinds_->capacity() > allocation_bytes(rows_)) {
    CLP_ASSIGN_OR_RETURN(
        compacted.row_kinds_,
        copy_to_buffer(pool, row_kinds_->bytes().first(static_cast<std::size_t>(rows_))));
  }
  return compacted;
}

Result<Batch> concatenate(std::span<const Batch> batches, MemoryPool& pool) {
  CLP_CHECK(!batches.empty());
  if (batches.size() == 1) return batches[0];
  std::int64_t rows = 0;
  bool has_kinds = false;
  for (const Batch& batch : batches) {
    CLP_CHECK(batch.column_count() == batches[0].column_count());
    rows += batch.rows();
    has_kinds = has_kinds || batch.row_kinds() != nullptr;
  }
  std::vector<Column> columns;
  columns.reserve(batches[0].columns().size());
  for (int c = 0; c < batches[0].column_count(); ++c) {
    std::vector<Column> parts;
    parts.reserve(batches.size());
    for (const Batch& batch : batches) parts.push_back(batch.column(c));
    CLP_ASSIGN_OR_RETURN(Column column, concatenate(parts, pool));
    columns.push_back(std::move(column));
  }
  std::vector<Mark> marks;
  std::int64_t at = 0;
  for (const Batch& batch : batches) {
    for (const Mark& mark : batch.marks()) {
      push_mark(marks, {static_cast<std::int32_t>(at + mark.row), mark.watermark});
    }
    at += batch.rows();
  }
  Batch result = Batch(batches[0].schema(), rows, std::move(columns)).with_marks(std::move(marks));
  if (!has_kinds) return result;
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> kinds, allocate_zeroed_buffer(pool, rows));
  std::uint8_t* target = kinds->mutable_data();
  for (const Batch& batch : batches) {
    if (batch.row_kinds() != nullptr) std::copy_n(batch.row_kinds(), batch.rows(), target);
    target += batch.rows();
  }
  return result.with_row_kinds(std::move(kinds));
}

BatchBuilder::BatchBuilder(SchemaPtr schema, MemoryPool& pool)
    : schema_(std::move(schema)), pool_(&pool) {
  columns_.reserve(schema_->fields().size());
  for (const Field& field : schema_->fields()) columns_.emplace_back(field.type, pool);
}

void BatchBuilder::commit_row(RowKind kind) {
  if (kind != RowKind::kInsert || !kinds_.empty()) {
    kinds_.resize(static_cast<std::size_t>(rows_), static_cast<std::uint8_t>(RowKind::kInsert));
    kinds_.push_back(static_cast<std::uint8_t>(kind));
  }
  ++rows_;
}

void BatchBuilder::discard_row() {
  for (ColumnBuilder& column : columns_) column.truncate(rows_);
}

void BatchBuilder::add_mark(std::int64_t watermark) {
  push_mark(marks_, {static_cast<std::int32_t>(rows_), watermark});
}

void BatchBuilder::append_rows(const Batch& batch, std::optional<RowIndices> rows) {
  const std::int64_t count = rows ? static_cast<std::int64_t>(rows->size()) : batch.rows();
  if (count == 0) return;
  CLP_CHECK(batch.column_count() == column_count());
  for (int c = 0; c < column_count(); ++c) {
    if (rows) {
      column(c).append_rows(batch.column(c), *rows);
    } else {
      column(c).append_range(batch.column(c), 0, count);
    }
  }
  const std::uint8_t* kinds = batch.row_kinds();
  if (kinds != nullptr || !kinds_.empty()) {
    kinds_.resize(static_cast<std::size_t>(rows_), static_cast<std::uint8_t>(RowKind::kInsert));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = rows ? (*rows)[static_cast<std::size_t>(i)] : i;
      kinds_.push_back(kinds != nullptr ? kinds[row] : static_cast<std::uint8_t>(RowKind::kInsert));
    }
  }
  rows_ += count;
}

std::int64_t BatchBuilder::bytes() const {
  auto bytes = static_cast<std::int64_t>(kinds_.size() + marks_.size() * sizeof(Mark));
  for (const ColumnBuilder& column : columns_) bytes += column.bytes();
  return bytes;
}

Result<Batch> BatchBuilder::finish() {
  const std::int64_t rows = std::exchange(rows_, 0);
  const std::vector<std::uint8_t> kinds = std::exchange(kinds_, {});
  std::vector<Mark> marks = std::exchange(marks_, {});
  std::vector<Column> columns;
  columns.reserve(columns_.size());
  Status status;
  for (ColumnBuilder& column : columns_) {
    // Every column, also behind an error: the builder must be empty afterwards.
    Result<Column> finished = column.finish();
    if (finished.is_ok()) {
      columns.push_back(*std::move(finished));
    } else if (status.is_ok()) {
      status = finished.status();
    }
  }
  CLP_RETURN_IF_ERROR(status);
  Batch batch = Batch(schema_, rows, std::move(columns)).with_marks(std::move(marks));
  if (kinds.empty()) return batch;
  CLP_ASSIGN_OR_RETURN(BufferPtr buffer, copy_to_buffer(*pool_, kinds));
  return batch.with_row_kinds(std::move(buffer));
}

}  // namespace clepsydra
