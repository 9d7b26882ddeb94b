// Gather, concatenate and compact: new columns out of rows of old ones.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column.h"
#include "stream/column_layout.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int32_t>::max();

bool has_offsets(PhysicalType physical) {
  return physical == PhysicalType::kList || physical == PhysicalType::kMap;
}

Status too_many_elements(const DataType& type, std::int64_t elements) {
  return Status::resource_exhausted(
      fmt::format("cannot build a column of type {} with {} elements in all rows, at most {} fit; "
                  "use smaller batches",
                  type.to_string(), elements, kOffsetMax));
}

// Sets data.validity and data.null_count from the source's bits at `rows`.
Status gather_validity(const Column& column, RowIndices rows, MemoryPool& pool, ColumnData& data) {
  const std::uint8_t* source = column.validity();
  if (source == nullptr || column.null_count() == 0) return Status::ok();
  const auto length = static_cast<std::int64_t>(rows.size());
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> bits,
                       allocate_buffer(pool, bitmap_bytes(length)));
  std::uint8_t* target = bits->mutable_data();
  std::int64_t valid = 0;
  std::size_t i = 0;
  for (std::int64_t byte = 0; byte < bitmap_bytes(length); ++byte) {
    const std::size_t end = std::min(rows.size(), i + 8);
    unsigned packed = 0;
    for (unsigned bit = 0; i < end; ++i, ++bit) {
      const std::int32_t row = rows[i];
      packed |= ((source[row >> 3] >> (row & 7)) & 1U) << bit;
    }
    target[byte] = static_cast<std::uint8_t>(packed);
    valid += __builtin_popcount(packed);
  }
  data.null_count = length - valid;
  if (data.null_count > 0) data.validity = std::move(bits);
  return Status::ok();
}

Status gather_fixed(const Column& column, RowIndices rows, MemoryPool& pool, ColumnData& data) {
  const int width = column.type().fixed_width();
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values,
                       allocate_buffer(pool, static_cast<std::int64_t>(rows.size()) * width));
  visit_width(width, [&]<typename T>() {
    const T* source = column.values<T>();
    T* target = reinterpret_cast<T*>(values->mutable_data());
    for (std::size_t i = 0; i < rows.size(); ++i) target[i] = source[rows[i]];
  });
  data.values = std::move(values);
  return Status::ok();
}

Status gather_views(const Column& column, RowIndices rows, MemoryPool& pool, ColumnData& data) {
  const auto length = static_cast<std::int64_t>(rows.size());
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values, allocate_buffer(pool, length * 16));
  const auto* source = column.values<StringView16>();
  auto* target = reinterpret_cast<StringView16*>(values->mutable_data());
  std::int32_t longest = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const StringView16 view = source[rows[i]];
    longest = std::max(longest, view.length);
    target[i] = view;
  }
  data.values = std::move(values);
  if (longest > StringView16::kInlineMax) data.blobs = column.data().blobs;
  return Status::ok();
}

Status gather_lists(const Column& column, RowIndices rows, MemoryPool& pool, ColumnData& data) {
  const auto length = static_cast<std::int64_t>(rows.size());
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values,
                       allocate_buffer(pool, (length + 1) * 4));
  const auto* source = column.values<std::int32_t>();
  auto* target = reinterpret_cast<std::int32_t*>(values->mutable_data());
  std::int64_t total = 0;
  for (const std::int32_t row : rows) total += source[row + 1] - source[row];
  if (total > kOffsetMax) return too_many_elements(column.type(), total);
  std::vector<std::int32_t> elements;
  elements.reserve(static_cast<std::size_t>(total));
  target[0] = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::int32_t e = source[rows[i]]; e < source[rows[i] + 1]; ++e) elements.push_back(e);
    target[i + 1] = static_cast<std::int32_t>(elements.size());
  }
  data.values = std::move(values);
  for (const Column& child : column.data().children) {
    CLP_ASSIGN_OR_RETURN(Column gathered, gather(child, elements, pool));
    data.children.push_back(std::move(gathered));
  }
  return Status::ok();
}

// ---------------------------------------------------------------------------------------------
// concatenate

Status concatenate_validity(std::span<const Column> columns, MemoryPool& pool, ColumnData& data) {
  for (const Column& column : columns) data.null_count += column.null_count();
  if (data.null_count == 0) return Status::ok();
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> bits,
                       allocate_zeroed_buffer(pool, bitmap_bytes(data.length)));
  std::int64_t at = 0;
  for (const Column& column : columns) {
    if (column.validity() != nullptr) {
      copy_bits(column.validity(), 0, bits->mutable_data(), at, column.length());
    } else {
      fill_bits(bits->mutable_data(), at, column.length(), true);
    }
    at += column.length();
  }
  data.validity = std::move(bits);
  return Status::ok();
}

Status concatenate_fixed(std::span<const Column> columns, MemoryPool& pool, ColumnData& data) {
  const std::int64_t width = data.type.fixed_width();
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values,
                       allocate_buffer(pool, data.length * width));
  std::uint8_t* target = values->mutable_data();
  for (const Column& column : columns) {
    const auto bytes = static_cast<std::size_t>(column.length() * width);
    if (bytes > 0) std::memcpy(target, column.values<std::uint8_t>(), bytes);
    target += bytes;
  }
  data.values = std::move(values);
  return Status::ok();
}

// Where each blob of `column` stands among `all`, which gets the missing ones. Batches of one
// source share blobs, and neighbours share most, so the last ones are looked at first and only a
// few.
std::vector<std::int32_t> merge_blobs(const Column& column, std::vector<BufferPtr>& all) {
  constexpr std::size_t kLookBack = 16;
  std::vector<std::int32_t> places;
  places.reserve(column.data().blobs.size());
  for (const BufferPtr& blob : column.data().blobs) {
    std::size_t place = all.size();
    const std::size_t oldest = all.size() - std::min(all.size(), kLookBack);
    for (std::size_t i = all.size(); i > oldest; --i) {
      if (all[i - 1]->data() == blob->data() && all[i - 1]->size() >= blob->size()) {
        place = i - 1;
        break;
      }
    }
    if (place == all.size()) all.push_back(blob);
    places.push_back(static_cast<std::int32_t>(place));
  }
  return places;
}

Status concatenate_views(std::span<const Column> columns, MemoryPool& pool, ColumnData& data) {
  CLP_RETURN_IF_ERROR(concatenate_fixed(columns, pool, data));
  // Nobody else holds the buffer that concatenate_fixed() has just made.
  auto* views = reinterpret_cast<StringView16*>(const_cast<std::uint8_t*>(data.values->data()));
  for (const Column& column : columns) {
    if (!column.data().blobs.empty()) {
      const std::vector<std::int32_t> places = merge_blobs(column, data.blobs);
      for (std::int64_t i = 0; i < column.length(); ++i) {
        if (views[i].is_inline()) continue;
        const auto blob = static_cast<std::size_t>(views[i].ref.blob);
        // Under a NULL a view may say anything.
        views[i].ref.blob = blob < places.size() ? places[blob] : 0;
      }
    }
    views += column.length();
  }
  return Status::ok();
}

Status concatenate_lists(std::span<const Column> columns, MemoryPool& pool, ColumnData& data) {
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values,
                       allocate_buffer(pool, (data.length + 1) * 4));
  auto* target = reinterpret_cast<std::int32_t*>(values->mutable_data());
  std::vector<std::vector<Column>> parts(columns[0].data().children.size());
  std::int64_t total = 0;
  *target++ = 0;
  for (const Column& column : columns) {
    const auto* offsets = column.values<std::int32_t>();
    const std::int32_t first = offsets[0];
    const std::int32_t elements = offsets[column.length()] - first;
    if (total + elements > kOffsetMax) return too_many_elements(data.type, total + elements);
    for (std::int64_t i = 1; i <= column.length(); ++i) {
      *target++ = static_cast<std::int32_t>(total + offsets[i] - first);
    }
    total += elements;
    for (std::size_t c = 0; c < parts.size(); ++c) {
      parts[c].push_back(column.data().children[c].slice(first, elements, pool));
    }
  }
  data.values = std::move(values);
  for (const std::vector<Column>& part : parts) {
    CLP_ASSIGN_OR_RETURN(Column child, concatenate(part, pool));
    data.children.push_back(std::move(child));
  }
  return Status::ok();
}

Status concatenate_structs(std::span<const Column> columns, MemoryPool& pool, ColumnData& data) {
  for (std::size_t c = 0; c < columns[0].data().children.size(); ++c) {
    std::vector<Column> part;
    part.reserve(columns.size());
    for (const Column& column : columns) part.push_back(column.data().children[c]);
    CLP_ASSIGN_OR_RETURN(Column child, concatenate(part, pool));
    data.children.push_back(std::move(child));
  }
  return Status::ok();
}

// ---------------------------------------------------------------------------------------------
// compact

// The first `bytes` of a buffer, in an allocation of their own unless they nearly fill the one they
// have.
Result<BufferPtr> compact_buffer(const BufferPtr& buffer, std::int64_t bytes, MemoryPool& pool) {
  if (buffer->capacity() <= allocation_bytes(bytes)) return buffer;
  return copy_to_buffer(pool, buffer->bytes().first(static_cast<std::size_t>(bytes)));
}

Status compact_views(const Column& column, MemoryPool& pool, ColumnData& data) {
  const std::int64_t length = column.length();
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values, allocate_buffer(pool, length * 16));
  const auto* source = column.values<StringView16>();
  auto* target = reinterpret_cast<StringView16*>(values->mutable_data());
  std::int64_t row = 0;
  // More than one blob only where an offset would not fit.
  while (row < length) {
    std::int64_t bytes = 0;
    std::int64_t end = row;
    for (; end < length; ++end) {
      if (source[end].is_inline() || column.is_null(end)) continue;
      if (bytes + source[end].length > kOffsetMax) break;
      bytes += source[end].length;
    }
    std::uint8_t* blob_data = nullptr;
    const auto blob = static_cast<std::int32_t>(data.blobs.size());
    if (bytes > 0) {
      CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> fresh, allocate_buffer(pool, bytes));
      blob_data = fresh->mutable_data();
      data.blobs.push_back(std::move(fresh));
    }
    std::int32_t offset = 0;
    for (; row < end; ++row) {
      if (column.is_null(row)) {
        target[row] = StringView16();
      } else if (source[row].is_inline()) {
        target[row] = source[row];
      } else {
        const std::string_view text = column.string_at(row);
        std::memcpy(blob_data + offset, text.data(), text.size());
        target[row] = StringView16::make_ref(text, blob, offset);
        offset += static_cast<std::int32_t>(text.size());
      }
    }
  }
  data.values = std::move(values);
  return Status::ok();
}

Status compact_lists(const Column& column, MemoryPool& pool, ColumnData& data) {
  const std::int64_t length = column.length();
  const auto* offsets = column.values<std::int32_t>();
  const std::int32_t first = offsets[0];
  if (first == 0) {
    CLP_ASSIGN_OR_RETURN(data.values, compact_buffer(column.data().values, (length + 1) * 4, pool));
  } else {
    CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> values,
                         allocate_buffer(pool, (length + 1) * 4));
    auto* target = reinterpret_cast<std::int32_t*>(values->mutable_data());
    for (std::int64_t i = 0; i <= length; ++i) target[i] = offsets[i] - first;
    data.values = std::move(values);
  }
  for (const Column& child : column.data().children) {
    const Column part = child.slice(first, offsets[length] - first, pool);
    CLP_ASSIGN_OR_RETURN(Column compacted, compact(part, pool));
    data.children.push_back(std::move(compacted));
  }
  return Status::ok();
}

}  // namespace

Result<Column> gather(const Column& column, RowIndices rows, MemoryPool& pool) {
  ColumnData data;
  data.type = column.type();
  data.length = static_cast<std::int64_t>(rows.size());
  const PhysicalType physical = data.type.physical();
  if (physical == PhysicalType::kNone) {
    data.null_count = data.length;
    return Column(std::move(data));
  }
  CLP_RETURN_IF_ERROR(gather_validity(column, rows, pool, data));
  if (physical == PhysicalType::kView) {
    CLP_RETURN_IF_ERROR(gather_views(column, rows, pool, data));
  } else if (has_offsets(physical)) {
    CLP_RETURN_IF_ERROR(gather_lists(column, rows, pool, data));
  } else if (physical == PhysicalType::kStruct) {
    for (const Column& child : column.data().children) {
      CLP_ASSIGN_OR_RETURN(Column gathered, gather(child, rows, pool));
      data.children.push_back(std::move(gathered));
    }
  } else {
    CLP_RETURN_IF_ERROR(gather_fixed(column, rows, pool, data));
  }
  return Column(std::move(data));
}

Result<Column> concatenate(std::span<const Column> columns, MemoryPool& pool) {
  CLP_CHECK(!columns.empty());
  if (columns.size() == 1) return columns[0];
  ColumnData data;
  data.type = columns[0].type();
  const PhysicalType physical = data.type.physical();
  for (const Column& column : columns) {
    CLP_CHECK(column.type().physical() == physical);
    data.length += column.length();
  }
  if (physical == PhysicalType::kNone) {
    data.null_count = data.length;
    return Column(std::move(data));
  }
  CLP_RETURN_IF_ERROR(concatenate_validity(columns, pool, data));
  if (physical == PhysicalType::kView) {
    CLP_RETURN_IF_ERROR(concatenate_views(columns, pool, data));
  } else if (has_offsets(physical)) {
    CLP_RETURN_IF_ERROR(concatenate_lists(columns, pool, data));
  } else if (physical == PhysicalType::kStruct) {
    CLP_RETURN_IF_ERROR(concatenate_structs(columns, pool, data));
  } else {
    CLP_RETURN_IF_ERROR(concatenate_fixed(columns, pool, data));
  }
  return Column(std::move(data));
}

Result<Column> compact(const Column& column, MemoryPool& pool) {
  const ColumnData& source = column.data();
  ColumnData data;
  data.type = source.type;
  data.length = source.length;
  data.null_count = source.null_count;
  const PhysicalType physical = data.type.physical();
  if (physical == PhysicalType::kNone) return column;
  if (source.validity && source.null_count > 0) {
    CLP_ASSIGN_OR_RETURN(data.validity,
                         compact_buffer(source.validity, bitmap_bytes(data.length), pool));
  }
  if (physical == PhysicalType::kView) {
    CLP_RETURN_IF_ERROR(compact_views(column, pool, data));
  } else if (has_offsets(physical)) {
    CLP_RETURN_IF_ERROR(compact_lists(column, pool, data));
  } else if (physical == PhysicalType::kStruct) {
    for (const Column& child : source.children) {
      CLP_ASSIGN_OR_RETURN(Column compacted, compact(child, pool));
      data.children.push_back(std::move(compacted));
    }
  } else {
    CLP_ASSIGN_OR_RETURN(
        data.values, compact_buffer(source.values, data.length * data.type.fixed_width(), pool));
  }
  return Column(std::move(data));
}

}  // namespace clepsydra
