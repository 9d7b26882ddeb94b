#include "base/timer_thread.h"

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include "base/check.h"

namespace clepsydra::internal {

TimerThread::TimerThread(const Clock& clock, std::string name)
    : clock_(clock), name_(std::move(name)) {}

TimerThread::~TimerThread() {
  shutdown();
}

TimerId TimerThread::schedule_at(std::int64_t monotonic_ns, std::function<void()> callback) {
  bool is_first = false;
  TimerId id = 0;
  {
    const MutexLock lock(mutex_);
    CLP_CHECK(timers_.size() < kTimersMax);
    id = next_id_++;
    if (stopping_) return id;
    if (!thread_.joinable()) thread_ = start_thread(name_, [this] { run(); });
    const auto [entry, added] = timers_.emplace(std::pair(monotonic_ns, id), std::move(callback));
    times_.emplace(id, monotonic_ns);
    is_first = entry == timers_.begin();
  }
  if (is_first) parker_.unpark();
  return id;
}

bool TimerThread::cancel(TimerId id) {
  std::function<void()> callback;  // Destroyed outside the lock: it may own anything.
  const MutexLock lock(mutex_);
  const auto time = times_.find(id);
  if (time == times_.end()) return false;
  const auto timer = timers_.find(std::pair(time->second, id));
  callback = std::move(timer->second);
  timers_.erase(timer);
  times_.erase(time);
  return true;
}

void TimerThread::shutdown() {
  std::thread thread;
  std::map<std::pair<std::int64_t, TimerId>, std::function<void()>> dropped;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    dropped.swap(timers_);
    times_.clear();
    thread.swap(thread_);
  }
  parker_.unpark();
  if (thread.joinable()) thread.join();
}

void TimerThread::run() {
  while (true) {
    std::function<void()> due;
    std::int64_t sleep_ns = Parker::kForever;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      if (!timers_.empty()) {
        const auto first = timers_.begin();
        const std::int64_t ahead_ns = first->first.first - clock_.monotonic_ns();
        if (ahead_ns > 0) {
          sleep_ns = ahead_ns;
        } else {
          due = std::move(first->second);
          times_.erase(first->first.second);
          timers_.erase(first);
        }
      }
    }
    if (due) {
      due();
    } else {
      parker_.park(sleep_ns);
    }
  }
}

}  // namespace clepsydra::internal
