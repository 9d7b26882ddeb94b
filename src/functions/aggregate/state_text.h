// Bytes of any length inside an accumulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "functions/aggregate_function.h"

namespace clepsydra {

// A growing text kept out of line. Trivially relocatable; all zero bytes are the empty text.
class StateText {
 public:
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(block_), size_};
  }

  Status append(std::string_view text, StateAllocator& allocator) {
    CLP_RETURN_IF_ERROR(reserve(std::uint64_t{size_} + text.size(), true, allocator));
    text.copy(reinterpret_cast<char*>(block_) + size_, text.size());
    size_ += static_cast<std::uint32_t>(text.size());
    return Status::ok();
  }

  // `text` must not be a part of this one.
  Status assign(std::string_view text, StateAllocator& allocator) {
    CLP_RETURN_IF_ERROR(reserve(text.size(), false, allocator));
    text.copy(reinterpret_cast<char*>(block_), text.size());
    size_ = static_cast<std::uint32_t>(text.size());
    return Status::ok();
  }

  void destroy(StateAllocator& allocator) {
    if (block_ != nullptr) allocator.free(block_, capacity_);
    block_ = nullptr;
    size_ = 0;
    capacity_ = 0;
  }

 private:
  Status reserve(std::uint64_t bytes, bool keep, StateAllocator& allocator) {
    if (bytes <= capacity_) return Status::ok();
    if (bytes > kBytesMax) {
      return Status::resource_exhausted("an aggregate's text would be longer than 2 GiB");
    }
    std::uint64_t capacity = capacity_ == 0 ? 16 : std::uint64_t{capacity_} * 2;
    while (capacity < bytes) capacity *= 2;
    if (capacity > kBytesMax) capacity = kBytesMax;
    std::byte* block = nullptr;
    CLP_RETURN_IF_ERROR(allocator.allocate(static_cast<std::int64_t>(capacity), block));
    if (keep && size_ > 0) std::memcpy(block, block_, size_);
    if (block_ != nullptr) allocator.free(block_, capacity_);
    block_ = block;
    capacity_ = static_cast<std::uint32_t>(capacity);
    return Status::ok();
  }

  static constexpr std::uint64_t kBytesMax = 0x7FFFFFFF;
  std::byte* block_;
  std::uint32_t size_;
  std::uint32_t capacity_;
};
static_assert(sizeof(StateText) == 16);

}  // namespace clepsydra
