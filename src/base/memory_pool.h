// Memory pools: who uses how many bytes, and who must not use more.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "clepsydra/status.h"

namespace clepsydra {

class MemoryPool;

// Bytes taken from a pool, given back at destruction. Movable; one owner. Keeps the pool alive.
class Reservation {
 public:
  Reservation() = default;
  Reservation(std::shared_ptr<MemoryPool> pool, std::int64_t bytes)
      : pool_(std::move(pool)), bytes_(bytes) {}
  Reservation(Reservation&& other) noexcept
      : pool_(std::move(other.pool_)), bytes_(std::exchange(other.bytes_, 0)) {}
  Reservation& operator=(Reservation&& other) noexcept;
  ~Reservation() { reset(); }

  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  // Takes or gives back the difference. On error nothing has changed.
  Status resize(std::int64_t bytes);
  void reset();

 private:
  std::shared_ptr<MemoryPool> pool_;
  std::int64_t bytes_ = 0;
};

// A byte budget. Pools form a tree (process, job, task, operator): what a pool takes, its ancestors
// take too, and every limit on the way up holds at every moment. Counts are exact, not rounded.
//
// Threads: all methods, any thread. A pool lives until its last buffer, reservation and child is
// gone.
class MemoryPool : public std::enable_shared_from_this<MemoryPool> {
  struct Private {};

 public:
  static constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

  static std::shared_ptr<MemoryPool> make_root(std::string name,
                                               std::int64_t limit_bytes = kUnlimited);
  std::shared_ptr<MemoryPool> make_child(std::string_view name,
                                         std::int64_t limit_bytes = kUnlimited);

  MemoryPool(Private, std::string name, std::int64_t limit_bytes,
             std::shared_ptr<MemoryPool> parent);
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;
  ~MemoryPool();

  // Takes `bytes` (>= 0), or changes nothing and answers ResourceExhausted naming the pool whose
  // limit stands in the way, its limit and its use.
  Status try_reserve(std::int64_t bytes);
  // Gives back what try_reserve() took.
  void release(std::int64_t bytes);
  // try_reserve() with an owner.
  Result<Reservation> reserve(std::int64_t bytes);

  // The path from the root: "process/job-1/task-0".
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t used_bytes() const { return used_.load(std::memory_order_relaxed); }
  // The most that was in use at any moment.
  [[nodiscard]] std::int64_t peak_bytes() const { return peak_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t limit_bytes() const { return limit_; }

 private:
  bool take(std::int64_t bytes);

  const std::string name_;
  const std::int64_t limit_;
  const std::shared_ptr<MemoryPool> parent_;  // Null for a root.
  std::atomic<std::int64_t> used_{0};
  std::atomic<std::int64_t> peak_{0};
};

}  // namespace clepsydra
