#include "base/buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "base/block_cache.h"
#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kBufferBytesMax = 1LL << 46;

class SlicedBuffer final : public Buffer {
 public:
  SlicedBuffer(BufferPtr parent, std::int64_t offset, std::int64_t size)
      : parent_(std::move(parent)) {
    data_ = parent_->data() + offset;
    size_ = size;
    capacity_ = parent_->capacity();
    allocation_ = parent_->allocation();
  }

 private:
  BufferPtr parent_;
};

class WrappedBuffer final : public Buffer {
 public:
  WrappedBuffer(std::shared_ptr<const void> owner, const std::uint8_t* data, std::int64_t size)
      : owner_(std::move(owner)) {
    data_ = data;
    size_ = size;
    capacity_ = size;
    allocation_ = owner_.get() != nullptr ? owner_.get() : this;
  }

 private:
  std::shared_ptr<const void> owner_;
};

}  // namespace

BufferPtr Buffer::slice(const BufferPtr& parent, std::int64_t offset, std::int64_t size) {
  CLP_CHECK(offset >= 0 && size >= 0 && offset <= parent->size() - size);
  if (offset == 0 && size == parent->size()) return parent;
  return std::make_shared<const SlicedBuffer>(parent, offset, size);
}

BufferPtr Buffer::wrap(std::shared_ptr<const void> owner, const std::uint8_t* data,
                       std::int64_t size) {
  return std::make_shared<const WrappedBuffer>(std::move(owner), data, size);
}

MutableBuffer::MutableBuffer(std::shared_ptr<MemoryPool> pool) : pool_(std::move(pool)) {
  allocation_ = this;
}

MutableBuffer::~MutableBuffer() {
  internal::free_block(block_, capacity_);
  pool_->release(capacity_);
}

Status MutableBuffer::reserve(std::int64_t capacity) {
  if (capacity <= capacity_) return Status::ok();
  return reallocate(capacity);
}

Status MutableBuffer::resize(std::int64_t size) {
  CLP_CHECK(size >= 0);
  if (size > capacity_) {
    // Doubling, but not where only the doubling would break the limit.
    const std::int64_t doubled = std::max(size, 2 * capacity_);
    const Status status = reallocate(doubled);
    if (!status.is_ok()) {
      if (doubled == size) return status;
      CLP_RETURN_IF_ERROR(reallocate(size));
    }
  }
  size_ = size;
  return Status::ok();
}

Status MutableBuffer::shrink_to_fit() {
  if (allocation_bytes(size_) == capacity_) return Status::ok();
  return reallocate(size_);
}

Status MutableBuffer::reallocate(std::int64_t capacity) {
  if (capacity > kBufferBytesMax) {
    return Status::resource_exhausted(
        fmt::format("cannot allocate a buffer of {} bytes: at most {} bytes are possible", capacity,
                    kBufferBytesMax));
  }
  const std::int64_t bytes = allocation_bytes(capacity);
  std::uint8_t* block = nullptr;
  if (bytes > 0) {
    CLP_RETURN_IF_ERROR(pool_->try_reserve(bytes));
    block = internal::allocate_block(bytes);
    if (block == nullptr) {
      pool_->release(bytes);
      return Status::resource_exhausted(fmt::format(
          "cannot allocate {} bytes for memory pool '{}': the system has no memory left", bytes,
          pool_->name()));
    }
    if (size_ > 0) std::memcpy(block, block_, static_cast<std::size_t>(size_));
  }
  internal::free_block(block_, capacity_);
  pool_->release(capacity_);
  block_ = block;
  data_ = block;
  capacity_ = bytes;
  return Status::ok();
}

Result<std::shared_ptr<MutableBuffer>> allocate_buffer(MemoryPool& pool, std::int64_t size) {
  auto buffer = std::make_shared<MutableBuffer>(pool.shared_from_this());
  CLP_RETURN_IF_ERROR(buffer->resize(size));
  return buffer;
}

Result<std::shared_ptr<MutableBuffer>> allocate_zeroed_buffer(MemoryPool& pool, std::int64_t size) {
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer, allocate_buffer(pool, size));
  if (size > 0) std::memset(buffer->mutable_data(), 0, static_cast<std::size_t>(size));
  return buffer;
}

Result<BufferPtr> copy_to_buffer(MemoryPool& pool, std::span<const std::uint8_t> bytes) {
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer,
                       allocate_buffer(pool, static_cast<std::int64_t>(bytes.size())));
  if (!bytes.empty()) std::memcpy(buffer->mutable_data(), bytes.data(), bytes.size());
  return BufferPtr(std::move(buffer));
}

std::int64_t allocation_bytes(std::int64_t size) {
  return internal::block_bytes(size);
}

}  // namespace clepsydra
