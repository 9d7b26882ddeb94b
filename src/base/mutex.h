// std::mutex in clothes that Clang's thread-safety analysis knows: CLP_GUARDED_BY works with these
// only.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "base/thread_annotations.h"

namespace clepsydra {

class CLP_CAPABILITY("mutex") Mutex {
 public:
  void lock() CLP_ACQUIRE() { mutex_.lock(); }
  void unlock() CLP_RELEASE() { mutex_.unlock(); }
  bool try_lock() CLP_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Locks for the rest of the block.
class CLP_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) CLP_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() CLP_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class CondVar {
 public:
  // Gives the mutex up while it waits; may return without a notify: wait in a loop over the
  // condition.
  void wait(Mutex& mutex) CLP_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // As wait(), but returns after `timeout_ns` at the latest.
  void wait_for(Mutex& mutex, std::int64_t timeout_ns) CLP_REQUIRES(mutex);
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace clepsydra
