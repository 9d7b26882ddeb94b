// Memory of one namespace: blocks cut from pages that are charged to a pool and dropped together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/buffer.h"
#include "clepsydra/status.h"
#include "state/keyed_state.h"

namespace clepsydra {

class MemoryPool;

// Small blocks are cut one after the other from pages that double in size up to kPageBytesMax, so
// that a namespace with few rows is small; freed ones are used again for blocks of their size
// class. Blocks above kPagedBytesMax are allocations of their own. Threads: the owner of the state.
class StateArena final : public StateMemory {
 public:
  explicit StateArena(MemoryPool& pool, std::int64_t page_bytes_max = kPageBytesMax)
      : pool_(&pool), page_bytes_max_(page_bytes_max) {
    free_.fill(nullptr);
  }
  StateArena(const StateArena&) = delete;
  StateArena& operator=(const StateArena&) = delete;

  Status allocate(std::int64_t bytes, std::byte*& block) override;
  void free(std::byte* block, std::int64_t bytes) override;
  MemoryPool& pool() override { return *pool_; }
  // Of blocks that are in use.
  [[nodiscard]] std::int64_t live_bytes() const { return live_bytes_; }
  // Gives all pages back; no block is in use.
  void reset();

  static constexpr std::int64_t kPageBytesMin = 256;
  // Large namespaces get pages for which the system gives huge pages: random access misses the TLB
  // less.
  static constexpr std::int64_t kPageBytesMax = 4 << 20;
  static constexpr std::int64_t kPagedBytesMax = 512 << 10;

 private:
  // Classes of 16 bytes up to 1 KiB, then powers of two.
  static constexpr int kFineClasses = 64;
  static constexpr int kClasses = kFineClasses + 9;
  struct FreeBlock {
    FreeBlock* next;
  };
  static int class_of(std::int64_t bytes);
  static std::int64_t class_bytes(int size_class);
  Status add_page(std::int64_t bytes_min);

  MemoryPool* pool_;
  const std::int64_t page_bytes_max_;
  std::byte* next_ = nullptr;  // Free part of the last page.
  std::int64_t left_ = 0;
  std::int64_t page_bytes_ = kPageBytesMin;  // Of the next page.
  std::int64_t live_bytes_ = 0;
  std::array<FreeBlock*, kClasses> free_;
  std::vector<BufferPtr> pages_;
  std::unordered_map<const std::byte*, BufferPtr> large_;
};

}  // namespace clepsydra
