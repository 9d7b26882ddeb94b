#include "state/timer_service.h"

#include "base/check.h"

namespace clepsydra {

TimerService::TimerService(MemoryPool& pool) : reserved_(pool.shared_from_this(), 0) {}

Status TimerService::set(Timer timer) {
  if ((size() + 1) * kTimerBytes > reserved_.bytes()) {
    // Only a timer that is new needs room.
    if (timers_.contains(timer)) return Status::ok();
    CLP_RETURN_IF_ERROR(reserved_.resize(reserved_.bytes() + kTimersPerStep * kTimerBytes));
  }
  timers_.insert(timer);
  return Status::ok();
}

bool TimerService::remove(Timer timer) {
  const bool removed = timers_.erase(timer) > 0;
  if (removed && size() * kTimerBytes <= reserved_.bytes() - 2 * kTimersPerStep * kTimerBytes) {
    // Giving back never fails.
    const Status status = reserved_.resize(reserved_.bytes() - kTimersPerStep * kTimerBytes);
    CLP_CHECK(status.is_ok());
  }
  return removed;
}

std::optional<Timer> TimerService::advance(std::int64_t now_ms) {
  if (timers_.empty() || timers_.begin()->time_ms > now_ms) return std::nullopt;
  const Timer due = *timers_.begin();
  remove(due);
  return due;
}

}  // namespace clepsydra
