#include "stream/column.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column_layout.h"

namespace clepsydra {
namespace {

// The validity bits [offset, offset + length) from bit 0 on. A slice cannot fail: where the pool
// has no room for these few bytes they are taken from the heap, uncharged.
BufferPtr slice_validity(const Column& column, std::int64_t offset, std::int64_t length,
                         MemoryPool& pool) {
  const ColumnData& data = column.data();
  if ((offset & 7) == 0) return Buffer::slice(data.validity, offset >> 3, bitmap_bytes(length));
  auto charged = allocate_zeroed_buffer(pool, bitmap_bytes(length));
  if (charged.is_ok()) {
    std::shared_ptr<MutableBuffer> bits = *std::move(charged);
    copy_bits(data.validity->data(), offset, bits->mutable_data(), 0, length);
    return bits;
  }
  auto bits = std::make_shared<std::vector<std::uint8_t>>(
      static_cast<std::size_t>(align_up(bitmap_bytes(length), 64)));
  copy_bits(data.validity->data(), offset, bits->data(), 0, length);
  const std::uint8_t* start = bits->data();
  return Buffer::wrap(std::move(bits), start, bitmap_bytes(length));
}

std::int64_t own_bytes_of(const Column& column, std::int64_t begin, std::int64_t end) {
  const ColumnData& data = column.data();
  const std::int64_t rows = end - begin;
  std::int64_t bytes = data.validity ? bitmap_bytes(rows) : 0;
  switch (data.type.physical()) {
    case PhysicalType::kNone:
      return 0;
    case PhysicalType::kView: {
      const auto* views = column.values<StringView16>();
      for (std::int64_t i = begin; i < end; ++i) {
        if (!views[i].is_inline() && !column.is_null(i)) bytes += views[i].length;
      }
      return bytes + rows * static_cast<std::int64_t>(sizeof(StringView16));
    }
    case PhysicalType::kList:
    case PhysicalType::kMap: {
      const auto* offsets = column.values<std::int32_t>();
      for (const Column& child : data.children) {
        bytes += own_bytes_of(child, offsets[begin], offsets[end]);
      }
      return bytes + (rows + 1) * static_cast<std::int64_t>(sizeof(std::int32_t));
    }
    case PhysicalType::kStruct:
      for (const Column& child : data.children) bytes += own_bytes_of(child, begin, end);
      return bytes;
    default:
      return bytes + rows * data.type.fixed_width();
  }
}

void collect_pins(const Column& column, std::vector<Column::Pin>& pins) {
  const ColumnData& data = column.data();
  const auto add = [&pins](const BufferPtr& buffer) {
    if (buffer) pins.push_back({buffer->allocation(), buffer->capacity()});
  };
  add(data.validity);
  add(data.values);
  for (const BufferPtr& blob : data.blobs) add(blob);
  for (const Column& child : data.children) collect_pins(child, pins);
}

}  // namespace

Column Column::with_type(DataType type) const {
  CLP_CHECK(type.physical() == data_->type.physical());
  ColumnData data = *data_;
  data.type = std::move(type);
  return Column(std::move(data));
}

Column Column::slice(std::int64_t offset, std::int64_t length, MemoryPool& pool) const {
  CLP_CHECK(offset >= 0 && length >= 0 && offset <= data_->length - length);
  if (offset == 0 && length == data_->length) return *this;
  ColumnData data;
  data.type = data_->type;
  data.length = length;
  const PhysicalType physical = data.type.physical();
  if (physical == PhysicalType::kNone) {
    data.null_count = length;
    return Column(std::move(data));
  }
  if (data_->validity) {
    const std::int64_t valid = count_set_bits(data_->validity->data(), offset, length);
    data.null_count = length - valid;
    if (data.null_count > 0) data.validity = slice_validity(*this, offset, length, pool);
  }
  if (physical == PhysicalType::kStruct) {
    data.children.reserve(data_->children.size());
    for (const Column& child : data_->children) {
      data.children.push_back(child.slice(offset, length, pool));
    }
    return Column(std::move(data));
  }
  const bool has_offsets = physical == PhysicalType::kList || physical == PhysicalType::kMap;
  const std::int64_t width = has_offsets ? 4 : data.type.fixed_width();
  const std::int64_t elements = length + (has_offsets ? 1 : 0);
  data.values = Buffer::slice(data_->values, offset * width, elements * width);
  data.blobs = data_->blobs;
  data.children = data_->children;
  return Column(std::move(data));
}

std::int64_t Column::own_bytes() const {
  return own_bytes_of(*this, 0, data_->length);
}

void Column::add_pins(std::vector<Pin>& pins) const {
  collect_pins(*this, pins);
  // By address so that equal ones meet; nobody sees the order.
  std::sort(pins.begin(), pins.end(),
            [](const Pin& a, const Pin& b) { return std::less<>()(a.allocation, b.allocation); });
  const auto same = [](const Pin& a, const Pin& b) { return a.allocation == b.allocation; };
  pins.erase(std::unique(pins.begin(), pins.end(), same), pins.end());
}

Result<Column> make_null_column(const DataType& type, std::int64_t length, MemoryPool& pool) {
  ColumnData data;
  data.type = type;
  data.length = length;
  data.null_count = length;
  const PhysicalType physical = type.physical();
  if (physical == PhysicalType::kNone) return Column(std::move(data));
  if (length > 0) {
    CLP_ASSIGN_OR_RETURN(data.validity, allocate_zeroed_buffer(pool, bitmap_bytes(length)));
  }
  const bool has_offsets = physical == PhysicalType::kList || physical == PhysicalType::kMap;
  if (physical != PhysicalType::kStruct) {
    const std::int64_t bytes = has_offsets ? (length + 1) * 4 : length * type.fixed_width();
    CLP_ASSIGN_OR_RETURN(data.values, allocate_zeroed_buffer(pool, bytes));
  }
  for (int i = 0; i < type.child_count(); ++i) {
    const std::int64_t child_length = has_offsets ? 0 : length;
    CLP_ASSIGN_OR_RETURN(Column child, make_null_column(type.child_type(i), child_length, pool));
    data.children.push_back(std::move(child));
  }
  return Column(std::move(data));
}

Column make_empty_column(const DataType& type) {
  // One offset, zero; whoever reads a full vector of it stays inside.
  alignas(64) static const std::uint8_t kZeros[64] = {};
  ColumnData data;
  data.type = type;
  const PhysicalType physical = type.physical();
  if (physical == PhysicalType::kNone) return Column(std::move(data));
  if (physical != PhysicalType::kStruct) data.values = Buffer::wrap(nullptr, kZeros, 4);
  for (int i = 0; i < type.child_count(); ++i) {
    data.children.push_back(make_empty_column(type.child_type(i)));
  }
  return Column(std::move(data));
}

Result<Column> repeat_row(const Column& source, std::int64_t row, std::int64_t length,
                          MemoryPool& pool) {
  CLP_CHECK(row >= 0 && row < source.length() && length >= 0);
  if (source.is_null(row)) return make_null_column(source.type(), length, pool);
  // One row first: then only its own blob or elements are held on to and repeated.
  const auto index = static_cast<std::int32_t>(row);
  CLP_ASSIGN_OR_RETURN(const Column one, gather(source, {&index, 1}, pool));
  const std::vector<std::int32_t> zeros(static_cast<std::size_t>(length), 0);
  return gather(one, zeros, pool);
}

}  // namespace clepsydra
