// The only way to ask for the time. Nobody outside base/ reads a clock of the operating system.
#pragma once

#include <atomic>
#include <cstdint>

namespace clepsydra {

// Threads: all methods, any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time: milliseconds since 1970-01-01 00:00 UTC. May jump.
  [[nodiscard]] virtual std::int64_t now_ms() const = 0;
  // Nanoseconds since some fixed moment; never goes back. For timers and durations.
  [[nodiscard]] virtual std::int64_t monotonic_ns() const = 0;
  // Wall time in nanoseconds, for what prints more than milliseconds.
  [[nodiscard]] virtual std::int64_t now_ns() const { return now_ms() * 1'000'000; }

  // The moment of `wall_ms` on the monotonic scale, as far as the wall clock can be trusted now.
  [[nodiscard]] std::int64_t monotonic_ns_at(std::int64_t wall_ms) const {
    const std::int64_t ahead_ms = wall_ms - now_ms();
    constexpr std::int64_t kFarMs = 100LL * 365 * 24 * 3600 * 1000;
    return monotonic_ns() + (ahead_ms > kFarMs    ? kFarMs
                             : ahead_ms < -kFarMs ? -kFarMs
                                                  : ahead_ms) *
                                1'000'000;
  }
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override;
  [[nodiscard]] std::int64_t now_ns() const override;
  [[nodiscard]] std::int64_t monotonic_ns() const override;
};

// Stands still until advanced. Wall and monotonic time move together.
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(std::int64_t start_ms = 1'700'000'000'000) : start_ms_(start_ms) {}

  [[nodiscard]] std::int64_t now_ms() const override {
    return start_ms_ + monotonic_ns() / 1'000'000;
  }
  [[nodiscard]] std::int64_t now_ns() const override {
    return start_ms_ * 1'000'000 + monotonic_ns();
  }
  [[nodiscard]] std::int64_t monotonic_ns() const override {
    return elapsed_ns_.load(std::memory_order_relaxed);
  }
  void advance_ns(std::int64_t ns) { elapsed_ns_.fetch_add(ns, std::memory_order_relaxed); }
  void advance_ms(std::int64_t ms) { advance_ns(ms * 1'000'000); }
  // To a later moment of monotonic_ns(); earlier ones are ignored.
  void advance_to_ns(std::int64_t monotonic) {
    const std::int64_t ahead = monotonic - monotonic_ns();
    if (ahead > 0) advance_ns(ahead);
  }

 private:
  const std::int64_t start_ms_;
  std::atomic<std::int64_t> elapsed_ns_{0};
};

}  // namespace clepsydra
