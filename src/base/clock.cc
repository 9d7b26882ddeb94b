#include "base/clock.h"

#include <chrono>
#include <cstdint>

namespace clepsydra {

std::int64_t SystemClock::now_ms() const {
  return now_ns() / 1'000'000;
}

std::int64_t SystemClock::now_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t SystemClock::monotonic_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace clepsydra
