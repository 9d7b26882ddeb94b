#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/bits.h"
#include "base/check.h"
#include "base/utf8.h"
#include "stream/column.h"

namespace clepsydra {
namespace {

Status broken(const Column& column, std::string_view what) {
  return Status::data_loss(fmt::format("broken column of type {}: {}", column.type().name(), what));
}

Status require_bytes(const Column& column, const BufferPtr& buffer, std::int64_t bytes,
                     std::string_view name) {
  if (buffer && buffer->size() >= bytes) return Status::ok();
  return broken(column, fmt::format("{} has {} bytes, {} rows need {}", name,
                                    buffer ? buffer->size() : 0, column.length(), bytes));
}

Status validate_nulls(const Column& column) {
  const ColumnData& data = column.data();
  std::int64_t nulls = 0;
  if (data.type.physical() == PhysicalType::kNone) {
    nulls = data.length;
  } else if (data.validity) {
    if (data.validity->size() < bitmap_bytes(data.length)) {
      return require_bytes(column, data.validity, bitmap_bytes(data.length), "validity bitmap");
    }
    nulls = data.length - count_set_bits(data.validity->data(), 0, data.length);
  }
  if (nulls == data.null_count) return Status::ok();
  return broken(column, fmt::format("{} NULLs counted, {} stated", nulls, data.null_count));
}

Status validate_bools(const Column& column) {
  const auto* values = column.values<std::uint8_t>();
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (values[i] > 1) return broken(column, fmt::format("row {} is byte {}", i, values[i]));
  }
  return Status::ok();
}

Status validate_view(const Column& column, std::int64_t row, bool check_utf8) {
  const StringView16& view = column.values<StringView16>()[row];
  const std::vector<BufferPtr>& blobs = column.data().blobs;
  if (view.length < 0) {
    return broken(column, fmt::format("row {} has length {}", row, view.length));
  }
  if (view.is_inline()) {
    const char* end = view.inlined + StringView16::kInlineMax;
    if (std::any_of(view.inlined + view.length, end, [](char c) { return c != 0; })) {
      return broken(column, fmt::format("row {} has bytes behind its end", row));
    }
  } else {
    if (view.ref.blob < 0 || static_cast<std::size_t>(view.ref.blob) >= blobs.size()) {
      return broken(column,
                    fmt::format("row {} is in blob {} of {}", row, view.ref.blob, blobs.size()));
    }
    const std::int64_t size = blobs[static_cast<std::size_t>(view.ref.blob)]->size();
    if (view.ref.offset < 0 || view.ref.offset > size - view.length) {
      return broken(column, fmt::format("row {} is at byte {} with {} bytes, its blob has {}", row,
                                        view.ref.offset, view.length, size));
    }
    if (std::memcmp(view.ref.prefix, column.string_at(row).data(), 4) != 0) {
      return broken(column, fmt::format("row {} has a prefix unlike its bytes", row));
    }
  }
  if (check_utf8 && !is_valid_utf8(column.string_at(row))) {
    return broken(column, fmt::format("row {} is not UTF-8", row));
  }
  return Status::ok();
}

Status validate_views(const Column& column, bool check_utf8) {
  const std::vector<BufferPtr>& blobs = column.data().blobs;
  if (std::find(blobs.begin(), blobs.end(), nullptr) != blobs.end()) {
    return broken(column, "a blob is missing");
  }
  const bool is_text = column.type().is_character();
  for (std::int64_t row = 0; row < column.length(); ++row) {
    CLP_RETURN_IF_ERROR(validate_view(column, row, check_utf8 && is_text));
  }
  return Status::ok();
}

Status validate_offsets(const Column& column) {
  const auto* offsets = column.values<std::int32_t>();
  if (offsets[0] < 0) return broken(column, fmt::format("its first offset is {}", offsets[0]));
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (offsets[i] > offsets[i + 1]) {
      return broken(column, fmt::format("row {} ends at element {}, before its begin {}", i,
                                        offsets[i + 1], offsets[i]));
    }
  }
  for (const Column& child : column.data().children) {
    if (offsets[column.length()] > child.length()) {
      return broken(column, fmt::format("its rows end at element {} of {}",
                                        offsets[column.length()], child.length()));
    }
  }
  return Status::ok();
}

Status validate_values(const Column& column, bool check_utf8) {
  const ColumnData& data = column.data();
  switch (data.type.physical()) {
    case PhysicalType::kNone:
    case PhysicalType::kStruct:
      return Status::ok();
    case PhysicalType::kList:
    case PhysicalType::kMap:
      CLP_RETURN_IF_ERROR(require_bytes(column, data.values, (data.length + 1) * 4, "offsets"));
      return validate_offsets(column);
    default:
      break;
  }
  CLP_RETURN_IF_ERROR(
      require_bytes(column, data.values, data.length * data.type.fixed_width(), "values"));
  if (data.type.physical() == PhysicalType::kBool8) return validate_bools(column);
  if (data.type.physical() == PhysicalType::kView) return validate_views(column, check_utf8);
  return Status::ok();
}

}  // namespace

Status validate(const Column& column, bool check_utf8) {
  if (!column.has_value()) return Status::data_loss("broken column: nothing there");
  const ColumnData& data = column.data();
  if (data.length < 0) return broken(column, fmt::format("length {}", data.length));
  CLP_RETURN_IF_ERROR(validate_nulls(column));
  if (static_cast<int>(data.children.size()) != data.type.child_count()) {
    return broken(column, fmt::format("{} children, expected {}", data.children.size(),
                                      data.type.child_count()));
  }
  for (int i = 0; i < data.type.child_count(); ++i) {
    const Column& child = column.child(i);
    if (!child.has_value()) return broken(column, "a child is missing");
    if (!child.type().same_values(data.type.child_type(i))) {
      return broken(column, fmt::format("child {} is of type {}", i, child.type().name()));
    }
    if (data.type.physical() == PhysicalType::kStruct && child.length() != data.length) {
      return broken(column,
                    fmt::format("child {} has {} rows, not {}", i, child.length(), data.length));
    }
    CLP_RETURN_IF_ERROR(validate(child, check_utf8));
  }
  return validate_values(column, check_utf8);
}

}  // namespace clepsydra
