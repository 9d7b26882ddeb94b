#include "stream/column_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column_layout.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kFirstRows = 64;
// What a builder that has been finished once expects of the next round, at most.
constexpr std::int64_t kExpectedRowsMax = 8192;
constexpr std::int64_t kFirstBlobBytes = 1024;
// A blob of this size is left as it is and the next one begun, rather than doubled (and copied)
// again.
constexpr std::int64_t kBlobBytes = 1 << 20;
// Strings are copied 16 bytes at a time; this much behind the last one may be written over.
constexpr std::int64_t kBlobSlack = 32;
constexpr std::int64_t kOffsetMax = std::numeric_limits<std::int32_t>::max();

bool has_offsets(PhysicalType physical) {
  return physical == PhysicalType::kList || physical == PhysicalType::kMap;
}

// Bytes of the values buffer that `rows` rows need.
std::int64_t values_bytes(PhysicalType physical, int width, std::int64_t rows) {
  if (has_offsets(physical)) return (rows + 1) * 4;
  return rows * width;
}

// Copies `size` bytes; may read and write up to 32 bytes from the start of both where `wide`.
void copy_string(std::uint8_t* target, const std::uint8_t* source, std::size_t size, bool wide) {
  if (wide && size <= 32) {
    std::memcpy(target, source, 16);
    std::memcpy(target + 16, source + 16, 16);
  } else {
    std::memcpy(target, source, size);
  }
}

// Bytes that the non-inline strings of `rows` have.
std::int64_t referenced_bytes(const StringView16* views, RowIndices rows) {
  std::int64_t bytes = 0;
  for (const std::int32_t row : rows) {
    const std::int32_t length = views[row].length;
    bytes += length > StringView16::kInlineMax ? length : 0;
  }
  return bytes;
}

}  // namespace

ColumnBuilder::ColumnBuilder(DataType type, MemoryPool& pool)
    : type_(std::move(type)),
      physical_(type_.physical()),
      width_(type_.fixed_width()),
      pool_(&pool) {
  const int children = type_.child_count();
  children_.reserve(static_cast<std::size_t>(children));
  for (int i = 0; i < children; ++i) children_.emplace_back(type_.child_type(i), pool);
}

ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;

std::int64_t ColumnBuilder::bytes() const {
  std::int64_t bytes = values_bytes(physical_, width_, length_) + full_blob_bytes_ + blob_size_;
  if (validity_ != nullptr) bytes += bitmap_bytes(length_);
  for (const ColumnBuilder& child : children_) bytes += child.bytes();
  return bytes;
}

void ColumnBuilder::reserve(std::int64_t rows) {
  if (length_ + rows > capacity_) grow(length_ + rows);
}

bool ColumnBuilder::fail(Status status) {
  if (status_.is_ok()) status_ = std::move(status);
  capacity_ = length_;  // Every later append asks grow(), which refuses.
  return false;
}

bool ColumnBuilder::grow(std::int64_t rows) {
  if (!status_.is_ok()) return false;
  std::int64_t capacity = std::max({rows, capacity_ * 2, kFirstRows});
  if (capacity_ == 0) capacity = std::max(capacity, expected_rows_);
  if (physical_ != PhysicalType::kStruct && physical_ != PhysicalType::kNone) {
    if (!values_buffer_) {
      values_buffer_ = std::make_shared<MutableBuffer>(pool_->shared_from_this());
    }
    Status status = values_buffer_->resize(values_bytes(physical_, width_, capacity));
    if (!status.is_ok()) return fail(std::move(status));
    values_ = values_buffer_->mutable_data();
    if (length_ == 0 && has_offsets(physical_)) std::memset(values_, 0, 4);
  }
  if (validity_buffer_) {
    const std::int64_t old_bytes = validity_buffer_->size();
    Status status = validity_buffer_->resize(bitmap_bytes(capacity));
    if (!status.is_ok()) return fail(std::move(status));
    validity_ = validity_buffer_->mutable_data();
    std::memset(validity_ + old_bytes, 0,
                static_cast<std::size_t>(validity_buffer_->size() - old_bytes));
  }
  capacity_ = capacity;
  return true;
}

bool ColumnBuilder::start_validity() {
  auto bits = allocate_zeroed_buffer(*pool_, bitmap_bytes(capacity_));
  if (!bits.is_ok()) return fail(bits.status());
  validity_buffer_ = *std::move(bits);
  validity_ = validity_buffer_->mutable_data();
  fill_bits(validity_, 0, length_, true);
  return true;
}

void ColumnBuilder::append_null() {
  if (length_ == capacity_ && !grow(length_ + 1)) return;
  if (physical_ != PhysicalType::kNone && validity_ == nullptr && !start_validity()) return;
  if (has_offsets(physical_)) {
    auto* offsets = reinterpret_cast<std::int32_t*>(values_);
    offsets[length_ + 1] = offsets[length_];
  } else if (physical_ == PhysicalType::kStruct) {
    for (ColumnBuilder& child : children_) child.append_null();
  } else if (width_ > 0) {
    std::memset(values_ + length_ * width_, 0, static_cast<std::size_t>(width_));
  }
  ++null_count_;
  ++length_;
}

// Room for `bytes` more string bytes in blob_, with slack behind them.
bool ColumnBuilder::reserve_blob(std::int64_t bytes) {
  if (!status_.is_ok()) return false;
  if (bytes > kOffsetMax - kBlobSlack) {
    return fail(Status::resource_exhausted(
        fmt::format("cannot store a string of {} bytes, at most {} are possible", bytes,
                    kOffsetMax - kBlobSlack)));
  }
  std::int64_t needed = blob_size_ + bytes + kBlobSlack;
  if (blob_ && needed <= blob_->size()) return true;
  if (blob_ && needed > kBlobBytes) {
    Status status = close_blob();
    if (!status.is_ok()) return fail(std::move(status));
    needed = bytes + kBlobSlack;
  }
  std::int64_t target = std::max(kFirstBlobBytes, expected_blob_bytes_);
  if (blob_) {
    target = std::min(2 * blob_->size(), kBlobBytes);
  } else {
    blob_ = std::make_shared<MutableBuffer>(pool_->shared_from_this());
  }
  target = std::max(target, needed);
  Status status = blob_->resize(target);
  return status.is_ok() || fail(std::move(status));
}

// Moves the open blob to the full ones.
Status ColumnBuilder::close_blob() {
  if (!blob_) return Status::ok();
  if (blob_size_ > 0) {
    CLP_RETURN_IF_ERROR(blob_->resize(blob_size_));
    if (blob_->capacity() > 2 * allocation_bytes(blob_size_)) {
      CLP_RETURN_IF_ERROR(blob_->shrink_to_fit());
    }
    full_blob_bytes_ += blob_size_;
    full_blobs_.push_back(std::move(blob_));
  }
  blob_ = nullptr;
  blob_size_ = 0;
  return Status::ok();
}

void ColumnBuilder::append_string(std::string_view bytes) {
  if (bytes.size() <= static_cast<std::size_t>(StringView16::kInlineMax)) {
    append(StringView16::make_inline(bytes));
    return;
  }
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (!reserve_blob(size)) return;
  std::memcpy(blob_->mutable_data() + blob_size_, bytes.data(), bytes.size());
  const auto blob = static_cast<std::int32_t>(full_blobs_.size());
  const std::int64_t before = length_;
  append(StringView16::make_ref(bytes, blob, static_cast<std::int32_t>(blob_size_)));
  if (length_ > before) blob_size_ += size;
}

void ColumnBuilder::append_from(const Column& column, std::int64_t row) {
  if (column.is_null(row)) {
    append_null();
  } else if (physical_ == PhysicalType::kView) {
    append_string(column.string_at(row));
  } else if (width_ > 0) {
    visit_width(width_, [&]<typename T>() { append<T>(column.values<T>()[row]); });
  } else if (has_offsets(physical_)) {
    const auto* offsets = column.values<std::int32_t>();
    for (std::size_t c = 0; c < children_.size(); ++c) {
      children_[c].append_range(column.data().children[c], offsets[row],
                                offsets[row + 1] - offsets[row]);
    }
    close_list();
  } else if (physical_ == PhysicalType::kStruct) {
    for (std::size_t c = 0; c < children_.size(); ++c) {
      children_[c].append_from(column.data().children[c], row);
    }
    close_struct();
  }
}

void ColumnBuilder::append_range(const Column& column, std::int64_t offset, std::int64_t length) {
  CLP_CHECK(offset >= 0 && length >= 0 && offset <= column.length() - length);
  if (length == 0) return;
  const bool plain = width_ > 0 && physical_ != PhysicalType::kView;
  if (plain && column.type().physical() == physical_) {
    if (length_ + length > capacity_ && !grow(length_ + length)) return;
    if (column.null_count() > 0 && validity_ == nullptr && !start_validity()) return;
    std::memcpy(values_ + length_ * width_, column.values<std::uint8_t>() + offset * width_,
                static_cast<std::size_t>(length * width_));
    if (validity_ != nullptr && column.validity() != nullptr) {
      copy_bits(column.validity(), offset, validity_, length_, length);
      null_count_ += length - count_set_bits(validity_, length_, length);
    } else if (validity_ != nullptr) {
      fill_bits(validity_, length_, length, true);
    }
    length_ += length;
    return;
  }
  std::array<std::int32_t, 256> rows;
  const std::int64_t end = offset + length;
  for (std::int64_t at = offset; at < end; at += static_cast<std::int64_t>(rows.size())) {
    const auto count = std::min(static_cast<std::int64_t>(rows.size()), end - at);
    std::iota(rows.begin(), rows.begin() + count, static_cast<std::int32_t>(at));
    append_rows(column, RowIndices(rows.data(), static_cast<std::size_t>(count)));
  }
}

void ColumnBuilder::append_rows(const Column& column, RowIndices rows) {
  const auto count = static_cast<std::int64_t>(rows.size());
  if (count == 0) return;
  if (column.type().physical() == PhysicalType::kNone) {
    for (std::int64_t i = 0; i < count; ++i) append_null();
    return;
  }
  CLP_CHECK(column.type().physical() == physical_);
  if (length_ + count > capacity_ && !grow(length_ + count)) return;
  if (column.null_count() > 0 && validity_ == nullptr && !start_validity()) return;
  if (physical_ == PhysicalType::kView) {
    if (!append_views(column, rows)) return;
  } else if (width_ > 0) {
    visit_width(width_, [&]<typename T>() {
      const T* source = column.values<T>();
      T* target = reinterpret_cast<T*>(values_) + length_;
      for (std::size_t i = 0; i < rows.size(); ++i) target[i] = source[rows[i]];
    });
  } else if (has_offsets(physical_)) {
    if (!append_lists(column, rows)) return;
  } else {
    for (std::size_t c = 0; c < children_.size(); ++c) {
      children_[c].append_rows(column.data().children[c], rows);
    }
  }
  append_validity(column, rows);
  length_ += count;
}

// The bits of `rows` behind the first length_ ones; the values are there already.
void ColumnBuilder::append_validity(const Column& column, RowIndices rows) {
  if (validity_ == nullptr) return;
  const std::uint8_t* source = column.validity();
  if (source == nullptr) {
    fill_bits(validity_, length_, static_cast<std::int64_t>(rows.size()), true);
    return;
  }
  std::int64_t nulls = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (get_bit(source, rows[i])) {
      set_valid(length_ + static_cast<std::int64_t>(i));
    } else {
      ++nulls;
    }
  }
  null_count_ += nulls;
}

bool ColumnBuilder::append_views(const Column& column, RowIndices rows) {
  // Memory is asked for once per so many rows, and once per row where these have gigabytes.
  constexpr std::size_t kRowsAtOnce = 1024;
  constexpr std::int64_t kBytesAtOnce = 1LL << 30;
  const auto* views = column.values<StringView16>();
  std::int64_t to = length_;
  while (!rows.empty()) {
    RowIndices some = rows.first(std::min(rows.size(), kRowsAtOnce));
    std::int64_t bytes = referenced_bytes(views, some);
    if (bytes > kBytesAtOnce) {
      some = rows.first(1);
      bytes = referenced_bytes(views, some);
    }
    if (bytes > 0 && !reserve_blob(bytes)) return false;
    copy_views(column, some, bytes > 0, to);
    to += static_cast<std::int64_t>(some.size());
    rows = rows.subspan(some.size());
  }
  return true;
}

// Whether a string is inline is as good as random, and a mispredicted branch costs more than the
// copy: so each row copies 32 bytes to the blob, which an inline one then does not keep. The blob
// has room.
void ColumnBuilder::copy_views(const Column& column, RowIndices rows, bool referenced,
                               std::int64_t to) {
  const auto* views = column.values<StringView16>();
  auto* target = reinterpret_cast<StringView16*>(values_) + to;
  const std::uint8_t* validity = column.null_count() > 0 ? column.validity() : nullptr;
  const std::vector<BufferPtr>& blobs = column.data().blobs;
  if (!referenced) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool valid = validity == nullptr || get_bit(validity, rows[i]);
      target[i] = valid ? views[rows[i]] : StringView16();
    }
    return;
  }
  const auto open = static_cast<std::int32_t>(full_blobs_.size());
  std::uint8_t* blob = blob_->mutable_data();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    StringView16 view = views[rows[i]];
    if (validity != nullptr && !get_bit(validity, rows[i])) {
      target[i] = StringView16();
      continue;
    }
    const bool is_reference = !view.is_inline();
    const std::int32_t size = is_reference ? view.length : 0;
    const Buffer& source = *blobs[static_cast<std::size_t>(is_reference ? view.ref.blob : 0)];
    const std::int32_t offset = is_reference ? view.ref.offset : 0;
    copy_string(blob + blob_size_, source.data() + offset, static_cast<std::size_t>(size),
                offset + kBlobSlack <= source.size());
    view.ref.blob = is_reference ? open : view.ref.blob;
    view.ref.offset = is_reference ? static_cast<std::int32_t>(blob_size_) : view.ref.offset;
    blob_size_ += size;
    target[i] = view;
  }
}

bool ColumnBuilder::append_lists(const Column& column, RowIndices rows) {
  const auto* source = column.values<std::int32_t>();
  auto* target = reinterpret_cast<std::int32_t*>(values_) + length_;
  std::int64_t total = target[0];
  std::vector<std::int32_t> elements;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t begin = source[rows[i]];
    const std::int32_t end = source[rows[i] + 1];
    total += end - begin;
    if (total > kOffsetMax) return fail_elements(total);
    for (std::int32_t e = begin; e < end; ++e) elements.push_back(e);
    target[i + 1] = static_cast<std::int32_t>(total);
  }
  for (std::size_t c = 0; c < children_.size(); ++c) {
    children_[c].append_rows(column.data().children[c], elements);
  }
  return true;
}

bool ColumnBuilder::fail_elements(std::int64_t elements) {
  return fail(Status::resource_exhausted(
      fmt::format("cannot build a column of type {} with {} elements in all rows, at most {} fit; "
                  "use smaller batches",
                  type_.to_string(), elements, kOffsetMax)));
}

void ColumnBuilder::close_list() {
  const std::int64_t elements = children_[0].length();
  if (elements > kOffsetMax) {
    fail_elements(elements);
    return;
  }
  if (length_ == capacity_ && !grow(length_ + 1)) return;
  reinterpret_cast<std::int32_t*>(values_)[length_ + 1] = static_cast<std::int32_t>(elements);
  if (validity_ != nullptr) set_valid(length_);
  ++length_;
}

void ColumnBuilder::close_struct() {
  if (length_ == capacity_ && !grow(length_ + 1)) return;
  if (validity_ != nullptr) set_valid(length_);
  ++length_;
}

void ColumnBuilder::truncate(std::int64_t length) {
  CLP_CHECK(length >= 0);
  if (physical_ == PhysicalType::kStruct) {
    // Children may be ahead: a bad record ends in the middle of a row.
    for (ColumnBuilder& child : children_) child.truncate(length);
  } else if (has_offsets(physical_)) {
    const auto* offsets = reinterpret_cast<const std::int32_t*>(values_);
    const std::int64_t kept = std::min(length, length_);
    const std::int32_t elements = values_ == nullptr ? 0 : offsets[kept];
    for (ColumnBuilder& child : children_) child.truncate(elements);
  }
  if (length >= length_) return;
  if (physical_ == PhysicalType::kView && blob_) {
    const auto* views = reinterpret_cast<const StringView16*>(values_);
    const auto open = static_cast<std::int32_t>(full_blobs_.size());
    for (std::int64_t i = length; i < length_; ++i) {
      if (!views[i].is_inline() && views[i].ref.blob == open) {
        blob_size_ = std::min<std::int64_t>(blob_size_, views[i].ref.offset);
      }
    }
  }
  if (validity_ != nullptr) {
    const std::int64_t rows = length_ - length;
    null_count_ -= rows - count_set_bits(validity_, length, rows);
    fill_bits(validity_, length, rows, false);
  } else if (physical_ == PhysicalType::kNone) {
    null_count_ = length;
  }
  length_ = length;
}

Status ColumnBuilder::take_values(ColumnData& data) {
  if (physical_ == PhysicalType::kStruct || physical_ == PhysicalType::kNone) return Status::ok();
  const std::int64_t bytes = values_bytes(physical_, width_, length_);
  if (!values_buffer_) {
    CLP_ASSIGN_OR_RETURN(data.values, allocate_zeroed_buffer(*pool_, bytes));
    return Status::ok();
  }
  CLP_RETURN_IF_ERROR(values_buffer_->resize(bytes));
  if (values_buffer_->capacity() > 2 * allocation_bytes(bytes)) {
    CLP_RETURN_IF_ERROR(values_buffer_->shrink_to_fit());
  }
  data.values = std::move(values_buffer_);
  return Status::ok();
}

Status ColumnBuilder::take(ColumnData& data) {
  CLP_RETURN_IF_ERROR(status_);
  data.type = type_;
  data.length = length_;
  data.null_count = null_count_;
  if (validity_buffer_ && null_count_ > 0) {
    CLP_RETURN_IF_ERROR(validity_buffer_->resize(bitmap_bytes(length_)));
    data.validity = std::move(validity_buffer_);
  }
  CLP_RETURN_IF_ERROR(take_values(data));
  expected_blob_bytes_ = blob_size_ == 0 ? 0 : std::min(blob_size_ + blob_size_ / 8, kBlobBytes);
  CLP_RETURN_IF_ERROR(close_blob());
  data.blobs = std::move(full_blobs_);
  for (ColumnBuilder& child : children_) {
    CLP_ASSIGN_OR_RETURN(Column column, child.finish());
    const bool per_row = physical_ == PhysicalType::kStruct;
    CLP_CHECK(!per_row || column.length() == length_);
    data.children.push_back(std::move(column));
  }
  return Status::ok();
}

void ColumnBuilder::reset() {
  expected_rows_ = std::min(length_, kExpectedRowsMax);
  length_ = 0;
  capacity_ = 0;
  null_count_ = 0;
  values_ = nullptr;
  validity_ = nullptr;
  values_buffer_ = nullptr;
  validity_buffer_ = nullptr;
  full_blobs_.clear();
  full_blob_bytes_ = 0;
  blob_ = nullptr;
  blob_size_ = 0;
  status_ = Status::ok();
  for (ColumnBuilder& child : children_) child.reset();
}

Result<Column> ColumnBuilder::finish() {
  ColumnData data;
  const Status status = take(data);
  reset();
  if (!status.is_ok()) return status;
  return Column(std::move(data));
}

}  // namespace clepsydra
