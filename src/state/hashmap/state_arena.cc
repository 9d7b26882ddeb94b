#include "state/hashmap/state_arena.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"

namespace clepsydra {

int StateArena::class_of(std::int64_t bytes) {
  if (bytes <= kFineClasses * 16L) return static_cast<int>((bytes + 15) / 16) - 1;
  // 1025..2048 is the first of the coarse classes.
  return kFineClasses + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(bytes - 1))) -
         11;
}

std::int64_t StateArena::class_bytes(int size_class) {
  if (size_class < kFineClasses) return (size_class + 1) * 16L;
  return std::int64_t{2048} << (size_class - kFineClasses);
}

Status StateArena::add_page(std::int64_t bytes_min) {
  const std::int64_t bytes = std::max(page_bytes_, bytes_min);
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> page, allocate_buffer(*pool_, bytes));
  next_ = reinterpret_cast<std::byte*>(page->mutable_data());
  left_ = bytes;
  page_bytes_ = std::min(bytes * 2, page_bytes_max_);
  pages_.push_back(std::move(page));
  return Status::ok();
}

Status StateArena::allocate(std::int64_t bytes, std::byte*& block) {
  CLP_CHECK(bytes > 0);
  if (bytes > kPagedBytesMax) {
    CLP_ASSIGN_OR_RETURN(std::shared_ptr<MutableBuffer> buffer, allocate_buffer(*pool_, bytes));
    block = reinterpret_cast<std::byte*>(buffer->mutable_data());
    large_.emplace(block, std::move(buffer));
    live_bytes_ += bytes;
    return Status::ok();
  }
  const int size_class = class_of(bytes);
  const std::int64_t rounded = class_bytes(size_class);
  FreeBlock*& first = free_[static_cast<std::size_t>(size_class)];
  if (first != nullptr) {
    block = reinterpret_cast<std::byte*>(first);
    first = first->next;
    live_bytes_ += rounded;
    return Status::ok();
  }
  if (rounded > left_) CLP_RETURN_IF_ERROR(add_page(rounded));
  block = next_;
  next_ += rounded;
  left_ -= rounded;
  live_bytes_ += rounded;
  return Status::ok();
}

void StateArena::free(std::byte* block, std::int64_t bytes) {
  if (bytes > kPagedBytesMax) {
    large_.erase(block);
    live_bytes_ -= bytes;
    return;
  }
  const int size_class = class_of(bytes);
  FreeBlock*& first = free_[static_cast<std::size_t>(size_class)];
  first = new (block) FreeBlock{first};
  live_bytes_ -= class_bytes(size_class);
}

void StateArena::reset() {
  CLP_CHECK(live_bytes_ == 0);
  next_ = nullptr;
  left_ = 0;
  page_bytes_ = kPageBytesMin;
  free_.fill(nullptr);
  pages_.clear();
}

}  // namespace clepsydra
