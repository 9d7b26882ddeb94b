#include "functions/scalar_function.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/bits.h"
#include "base/check.h"
#include "base/memory_pool.h"
#include "functions/type_rules.h"

namespace clepsydra {

bool CallTyping::any_nullable() const {
  for (const ExpressionPtr& argument : arguments) {
    if (argument->type().nullable()) return true;
  }
  return false;
}

Status CallTyping::coerce(int i, const DataType& target) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value,
                       cast_to(argument(i), target.with_nullable(type(i).nullable())));
  set_argument(i, std::move(value));
  return Status::ok();
}

bool KernelCall::ensure(std::shared_ptr<MutableBuffer>& buffer, std::int64_t bytes) {
  if (buffer == nullptr) buffer = std::make_shared<MutableBuffer>(context.pool->shared_from_this());
  Status resized = buffer->resize(bytes);
  return resized.is_ok() || fail(std::move(resized));
}

bool KernelCall::allocate_results() {
  if (!ensure(buffers_.values, std::int64_t{out.type.fixed_width()} * rows.length)) return false;
  out.values = buffers_.values->data();
  out.values_owner = buffers_.values;
  return true;
}

std::uint8_t* KernelCall::mutable_validity() {
  if (buffers_.validity != nullptr && out.validity == buffers_.validity->data() &&
      out.validity != nullptr) {
    return buffers_.validity->mutable_data();
  }
  const std::int64_t bytes = bitmap_bytes(rows.length);
  if (!ensure(buffers_.validity, bytes)) return nullptr;
  if (out.validity == nullptr) {
    std::memset(buffers_.validity->mutable_data(), 0xFF, static_cast<std::size_t>(bytes));
  } else {
    std::memcpy(buffers_.validity->mutable_data(), out.validity, static_cast<std::size_t>(bytes));
  }
  out.validity = buffers_.validity->data();
  out.validity_owner = buffers_.validity;
  return buffers_.validity->mutable_data();
}

bool KernelCall::combine_validity() {
  const Vector* first = nullptr;
  std::uint8_t* combined = nullptr;
  const std::int64_t bytes = bitmap_bytes(rows.length);
  for (const Vector* argument : arguments) {
    if (argument->validity == nullptr || argument->is_constant) continue;
    if (first == nullptr) {
      first = argument;
      out.validity = argument->validity;
      out.validity_owner = argument->validity_owner;
      continue;
    }
    if (combined == nullptr) {
      combined = mutable_validity();
      if (combined == nullptr) return false;
    }
    for (std::int64_t i = 0; i < bytes; ++i) combined[i] &= argument->validity[i];
  }
  return true;
}

void KernelCall::set_null(std::int32_t row) {
  std::uint8_t* bits = mutable_validity();
  if (bits != nullptr) clear_bit(bits, row);
}

bool KernelCall::set_result(const Result<Column>& column) {
  if (!column.is_ok()) return fail(column.status());
  out.set_column(*column, out.is_constant);
  return true;
}

bool KernelCall::share_argument(int i) {
  const Vector& from = argument(i);
  const DataType type = out.type;
  out = from;
  out.type = type;
  return true;
}

Result<Column> KernelCall::argument_column(int i) const {
  const Vector& from = argument(i);
  if (!from.is_constant && from.column.has_value()) return from.column;
  if (from.is_constant && from.is_null(0)) {
    return make_null_column(from.type, rows.length, *context.pool);
  }
  if (from.column.has_value()) return repeat_row(from.column, 0, rows.length, *context.pool);
  ColumnData data{.type = from.type,
                  .length = from.is_constant ? 1 : rows.length,
                  .validity = nullptr,
                  .values = from.values_owner,
                  .blobs = from.blobs,
                  .children = {}};
  if (from.validity != nullptr) {
    data.null_count = data.length - count_set_bits(from.validity, 0, data.length);
    if (data.null_count > 0) data.validity = from.validity_owner;
  }
  if (!rows.is_dense() && from.type.physical() == PhysicalType::kView) {
    // Views of rows that were not computed may point anywhere: a column needs all of them right.
    const auto bytes = static_cast<std::int64_t>(sizeof(StringView16)) * data.length;
    CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> views,
                         allocate_zeroed_buffer(*context.pool, bytes));
    auto* to = reinterpret_cast<StringView16*>(views->mutable_data());
    for_each_row(rows, [&](std::int32_t row) { to[row] = from.data<StringView16>()[row]; });
    data.values = std::move(views);
  }
  const Column column(std::move(data));
  return from.is_constant ? repeat_row(column, 0, rows.length, *context.pool) : column;
}

bool KernelCall::fail(std::int32_t row, std::string message) {
  failed_row_ = row;
  return fail(Status::invalid_argument(std::move(message)));
}

bool KernelCall::fail(Status status) {
  if (status_.is_ok()) status_ = std::move(status);
  return false;
}

TextWriter::TextWriter(KernelCall& call) : call_(call), views_(call.results<StringView16>()) {
  if (call.buffers_.blob != nullptr) {
    block_ = reinterpret_cast<char*>(call.buffers_.blob->mutable_data());
    capacity_ = call.buffers_.blob->capacity();
  }
}

TextWriter::~TextWriter() {
  close_blob();
}

void TextWriter::close_blob() {
  if (size_ == 0) return;
  std::shared_ptr<MutableBuffer>& blob = call_.buffers_.blob;
  CLP_CHECK(blob->resize(size_).is_ok());  // It has the room.
  call_.out.blobs.push_back(blob);
  call_.out.blob_bases.push_back(block_);
  call_.buffers_.blob_bytes_expected = size_;
}

char* TextWriter::reserve(std::int64_t bytes) {
  if (size_ + bytes <= capacity_) return block_ + size_;
  constexpr std::int64_t kBlobMax = std::numeric_limits<std::int32_t>::max();
  if (bytes > kBlobMax) {
    call_.fail(Status::resource_exhausted("a text would be longer than 2 GiB"));
    return nullptr;
  }
  std::shared_ptr<MutableBuffer>& blob = call_.buffers_.blob;
  if (size_ + bytes > kBlobMax) {
    // Offsets in a blob have 31 bits: close it and start the next.
    close_blob();
    blob = nullptr;
    size_ = 0;
    capacity_ = 0;
  }
  if (blob == nullptr) {
    blob = std::make_shared<MutableBuffer>(call_.context.pool->shared_from_this());
  }
  const std::int64_t wanted = std::max(
      {size_ + bytes, 2 * capacity_, std::int64_t{1024}, call_.buffers_.blob_bytes_expected});
  Status status = blob->resize(size_);  // Only bytes within its size are kept when the data moves.
  if (status.is_ok()) status = blob->reserve(std::min(wanted, kBlobMax));
  if (!status.is_ok()) {
    call_.fail(std::move(status));
    return nullptr;
  }
  block_ = reinterpret_cast<char*>(blob->mutable_data());
  capacity_ = blob->capacity();
  return block_ + size_;
}

void TextWriter::commit(std::int32_t row, std::int64_t bytes) {
  const std::string_view text(block_ + size_, static_cast<std::size_t>(bytes));
  if (bytes <= StringView16::kInlineMax) {
    views_[row] = inline_view(text);
    return;
  }
  views_[row] = StringView16::make_ref(text, static_cast<std::int32_t>(call_.out.blobs.size()),
                                       static_cast<std::int32_t>(size_));
  size_ += bytes;
}

bool TextWriter::write(std::int32_t row, std::string_view text) {
  if (text.size() <= StringView16::kInlineMax) {
    views_[row] = inline_view(text);
    return true;
  }
  char* to = reserve(static_cast<std::int64_t>(text.size()));
  if (to == nullptr) return false;
  std::memcpy(to, text.data(), text.size());
  commit(row, static_cast<std::int64_t>(text.size()));
  return true;
}

TextSharer::TextSharer(KernelCall& call, const Vector& source)
    : source_(source), views_(call.results<StringView16>()) {
  call.out.blobs = source.blobs;
  call.out.blob_bases = source.blob_bases;
}

}  // namespace clepsydra
