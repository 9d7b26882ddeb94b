// Timers of an operator: moments of event time or processing time at which a namespace is due.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "base/memory_pool.h"
#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "stream/batch.h"

namespace clepsydra {

struct Timer {
  std::int64_t time_ms;
  StateNamespace ns;
  friend auto operator<=>(const Timer&, const Timer&) = default;
};

// One ordered set of timers; event time and processing time have one each. A timer belongs to a
// namespace, not to a key, so there are as many as open windows. Threads: the owner of the state.
class TimerService {
 public:
  explicit TimerService(MemoryPool& pool);

  // Once however often it is set. ResourceExhausted when the pool is full.
  Status set(Timer timer);
  // True when it was set.
  bool remove(Timer timer);
  // Takes the earliest timer at or before `now_ms` (ties: the smaller namespace). Call until there
  // is none; timers set in between count.
  std::optional<Timer> advance(std::int64_t now_ms);
  // kMaxWatermark when there is none.
  [[nodiscard]] std::int64_t next_ms() const {
    return timers_.empty() ? kMaxWatermark : timers_.begin()->time_ms;
  }
  // In their order.
  [[nodiscard]] const std::set<Timer>& timers() const { return timers_; }
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(timers_.size()); }

 private:
  // What a node of the set takes, rounded up.
  static constexpr std::int64_t kTimerBytes = 64;
  // Bytes are taken and given back for so many timers at a time.
  static constexpr std::int64_t kTimersPerStep = 64;

  std::set<Timer> timers_;
  Reservation reserved_;
};

}  // namespace clepsydra
