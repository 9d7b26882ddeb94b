// The thread that waits for timers, for ThreadWorkerPool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "base/thread.h"
#include "base/thread_annotations.h"

namespace clepsydra::internal {

// Starts its thread with the first timer.
//
// Threads: all methods, any thread; shutdown() not from a callback.
class TimerThread {
 public:
  static constexpr std::size_t kTimersMax = std::size_t{1} << 20;

  TimerThread(const Clock& clock, std::string name);
  ~TimerThread();

  TimerId schedule_at(std::int64_t monotonic_ns, std::function<void()> callback);
  bool cancel(TimerId id);
  // Drops the timers that are not due; waits for a callback under way.
  void shutdown();

 private:
  void run();

  const Clock& clock_;
  const std::string name_;
  Parker parker_;
  Mutex mutex_;
  std::map<std::pair<std::int64_t, TimerId>, std::function<void()>> timers_ CLP_GUARDED_BY(mutex_);
  std::unordered_map<TimerId, std::int64_t> times_ CLP_GUARDED_BY(mutex_);
  TimerId next_id_ CLP_GUARDED_BY(mutex_) = 1;
  bool stopping_ CLP_GUARDED_BY(mutex_) = false;
  std::thread thread_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra::internal
