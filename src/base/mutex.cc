#include "base/mutex.h"

#include <chrono>
#include <cstdint>
#include <mutex>

namespace clepsydra {

// Not inline: the standard library asks the clock, which only this room may do.
void CondVar::wait_for(Mutex& mutex, std::int64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
  condition_.wait_for(lock, std::chrono::nanoseconds(timeout_ns));
  lock.release();
}

}  // namespace clepsydra
