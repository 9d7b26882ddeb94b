#include "base/block_cache.h"

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "base/bits.h"
#include "base/check.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

// Under a sanitizer every block is a fresh one, so that use after free and races are seen.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLP_KEEP_FREED_BLOCKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLP_KEEP_FREED_BLOCKS 0
#endif
#endif
#ifndef CLP_KEEP_FREED_BLOCKS
#define CLP_KEEP_FREED_BLOCKS 1
#endif

namespace clepsydra::internal {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr int kSmallestLog2 = 12;  // Below 4 KiB malloc is good enough.
constexpr int kLargestLog2 = 24;   // Above 16 MiB blocks go back to the system.
constexpr int kClassesPerOctave = 4;
constexpr int kClasses = (kLargestLog2 - kSmallestLog2) * kClassesPerOctave + 1;
// From here on the kernel is asked for huge pages: random access to large tables misses the TLB
// less.
constexpr std::int64_t kHugePageBytes = 2LL << 20;
constexpr std::int64_t kHugeFrom = 2 * kHugePageBytes;

// The class of a block size that is a class, or -1.
int class_of(std::int64_t bytes) {
  if (bytes < (1LL << kSmallestLog2) || bytes > (1LL << kLargestLog2)) return -1;
  const int log2 = 63 - std::countl_zero(static_cast<std::uint64_t>(bytes));
  const std::int64_t step = (1LL << log2) / kClassesPerOctave;
  return (log2 - kSmallestLog2) * kClassesPerOctave +
         static_cast<int>((bytes - (1LL << log2)) / step);
}

std::size_t alignment_of(std::int64_t bytes) {
  return static_cast<std::size_t>(bytes >= kHugeFrom ? kHugePageBytes : kAlignment);
}

std::uint8_t* allocate_from_system(std::int64_t bytes) {
  const auto size = static_cast<std::size_t>(bytes);
  void* block = ::operator new(size, std::align_val_t{alignment_of(bytes)}, std::nothrow);
  if (block != nullptr && bytes >= kHugeFrom) {
    (void)::madvise(block, size, MADV_HUGEPAGE);  // A wish; without huge pages all works the same.
  }
  return static_cast<std::uint8_t*>(block);
}

void free_to_system(std::uint8_t* block, std::int64_t bytes) {
  ::operator delete(block, std::align_val_t{alignment_of(bytes)});
}

// Last in, first out per class: the block freed last is the one still in the processor's cache.
//
// Threads: all methods, any thread.
class BlockCache {
 public:
  std::uint8_t* take(int size_class, std::int64_t bytes) {
    const MutexLock lock(mutex_);
    FreeBlock*& head = free_[static_cast<std::size_t>(size_class)];
    if (head == nullptr) return nullptr;
    FreeBlock* block = head;
    head = block->next;
    bytes_ -= bytes;
    return reinterpret_cast<std::uint8_t*>(block);
  }

  bool keep(std::uint8_t* memory, int size_class, std::int64_t bytes) {
    const MutexLock lock(mutex_);
    if (bytes_ + bytes > kBlockCacheBytesMax) return false;
    FreeBlock*& head = free_[static_cast<std::size_t>(size_class)];
    head = new (memory) FreeBlock{head};
    bytes_ += bytes;
    return true;
  }

  std::int64_t bytes() {
    const MutexLock lock(mutex_);
    return bytes_;
  }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  Mutex mutex_;
  std::array<FreeBlock*, kClasses> free_ CLP_GUARDED_BY(mutex_){};
  std::int64_t bytes_ CLP_GUARDED_BY(mutex_) = 0;
};

// Never destroyed: buffers may be freed by other threads until the very end.
BlockCache& cache() {
  alignas(BlockCache) static std::byte storage[sizeof(BlockCache)];
  static BlockCache* const instance = new (storage) BlockCache;
  return *instance;
}

}  // namespace

std::int64_t block_bytes(std::int64_t size) {
  if (size <= (1LL << kSmallestLog2)) return align_up(size, kAlignment);
  const int log2 = 63 - std::countl_zero(static_cast<std::uint64_t>(size));
  // Above the classes, huge pages are the step: a quarter of a large table would be too much waste.
  const std::int64_t step =
      size > (1LL << kLargestLog2) ? kHugePageBytes : (1LL << log2) / kClassesPerOctave;
  return align_up(size, step);
}

std::uint8_t* allocate_block(std::int64_t bytes) {
  CLP_CHECK(bytes > 0);
  if (CLP_KEEP_FREED_BLOCKS != 0) {
    const int size_class = class_of(bytes);
    if (size_class >= 0) {
      if (std::uint8_t* block = cache().take(size_class, bytes)) return block;
    }
  }
  return allocate_from_system(bytes);
}

void free_block(std::uint8_t* block, std::int64_t bytes) {
  if (block == nullptr) return;
  if (CLP_KEEP_FREED_BLOCKS != 0) {
    const int size_class = class_of(bytes);
    if (size_class >= 0 && cache().keep(block, size_class, bytes)) return;
  }
  free_to_system(block, bytes);
}

std::int64_t cached_block_bytes() {
  return cache().bytes();
}

}  // namespace clepsydra::internal
