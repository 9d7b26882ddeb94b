// Buffers: the memory that columns live in. Allocated once, charged once to a pool, shared by
// reference.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "clepsydra/status.h"

namespace clepsydra {

class Buffer;
class MemoryPool;
class MutableBuffer;

using BufferPtr = std::shared_ptr<const Buffer>;

// A run of bytes inside one owning allocation. Immutable and thread-safe once it is held by a
// BufferPtr: whoever filled it keeps no MutableBuffer to write through.
//
// Allocations start at 64-byte boundaries and are readable up to the next multiple of 64 bytes;
// bytes from size() on are unspecified. Whole kernels may so read (never write) a full vector at
// the end.
class Buffer {
 public:
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  [[nodiscard]] const std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::int64_t size() const { return size_; }
  // Bytes that the owning allocation charges to its pool; the same for all slices of it.
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }
  // Identity of the owning allocation, shared by its slices: add capacity() once per identity to
  // know how many bytes a set of buffers pins.
  [[nodiscard]] const void* allocation() const { return allocation_; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const {
    return {data_, static_cast<std::size_t>(size_)};
  }

  // Bytes [offset, offset + size) of `parent`, which stays alive. Requires 0 <= offset, 0 <= size
  // and offset + size <= parent->size().
  static BufferPtr slice(const BufferPtr& parent, std::int64_t offset, std::int64_t size);
  // Bytes of somebody else (Arrow, a mapped file), kept alive by `owner` and charged to no pool.
  static BufferPtr wrap(std::shared_ptr<const void> owner, const std::uint8_t* data,
                        std::int64_t size);

 protected:
  Buffer() = default;
  ~Buffer() = default;  // Destroyed only through the shared pointer that made it.

  const std::uint8_t* data_ = nullptr;
  std::int64_t size_ = 0;
  std::int64_t capacity_ = 0;
  const void* allocation_ = nullptr;
};

// A buffer while it is being filled, by one thread. Converts to BufferPtr (std::move it there and
// write no more). New bytes are not initialised. Keeps its pool alive.
class MutableBuffer final : public Buffer {
 public:
  explicit MutableBuffer(std::shared_ptr<MemoryPool> pool);
  ~MutableBuffer();

  [[nodiscard]] std::uint8_t* mutable_data() { return block_; }

  // Makes room for `capacity` bytes, keeping size() and contents; the data may move.
  Status reserve(std::int64_t capacity);
  // Sets the size, growing to at least twice the capacity when it does not fit; the data may move.
  // Shrinking keeps the memory.
  Status resize(std::int64_t size);
  // Gives memory back when the allocation is larger than size() needs; the data may move.
  Status shrink_to_fit();

 private:
  Status reallocate(std::int64_t capacity);

  std::shared_ptr<MemoryPool> pool_;
  std::uint8_t* block_ = nullptr;
};

// A buffer of `size` bytes, not initialised. Errors: ResourceExhausted naming the pool and its
// limit.
Result<std::shared_ptr<MutableBuffer>> allocate_buffer(MemoryPool& pool, std::int64_t size);
// The same with all bytes zero.
Result<std::shared_ptr<MutableBuffer>> allocate_zeroed_buffer(MemoryPool& pool, std::int64_t size);
// A buffer of its own holding a copy of `bytes`.
Result<BufferPtr> copy_to_buffer(MemoryPool& pool, std::span<const std::uint8_t> bytes);

// The bytes that an allocation of `size` bytes charges: size classes with at most a quarter of
// waste above 4 KiB, multiples of 64 below. buffer->capacity() <= allocation_bytes(buffer->size())
// after shrink_to_fit().
std::int64_t allocation_bytes(std::int64_t size);

}  // namespace clepsydra
