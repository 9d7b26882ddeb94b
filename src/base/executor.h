// Who runs what, when: stepped work on worker threads, blocking work on I/O
// threads, timers. The real ones are in thread_worker_pool.h and
// thread_blocking_pool.h, the simulated ones in simulated_worker_pool.h.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "clepsydra/status.h"

namespace clepsydra {

class Clock;

enum class StepResult : std::uint8_t {
  kProgress,  // Did something: step again soon.
  kBlocked,   // Cannot go on: step again after a wake (or at wake_deadline_ns()),
              // not before.
  kDone,      // Never step again.
};

// Work cut into steps. A step takes about 1 ms at most, never blocks, never
// sleeps.
//
// Threads: steps of one steppable never overlap, and each sees all that the one
// before wrote, whichever thread it ran on. So a steppable needs no lock for
// what only its steps touch.
class Steppable {
 public:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  virtual ~Steppable() = default;
  virtual StepResult step() = 0;
  // Asked after each step that returned kBlocked, by the same thread: step
  // again at this moment of Clock::monotonic_ns() even without a wake. Replaces
  // the deadline answered before.
  [[nodiscard]] virtual std::int64_t wake_deadline_ns() const { return kNever; }
};

namespace internal {
class WakeTarget {
 public:
  virtual ~WakeTarget() = default;
  virtual void wake() noexcept = 0;
};
}  // namespace internal

// Wakes one steppable. A cheap handle to copy; may outlive the steppable and
// its pool.
class Waker {
 public:
  Waker() = default;
  explicit Waker(std::shared_ptr<internal::WakeTarget> target) : target_(std::move(target)) {}

  // After this call the steppable is stepped at least once more (unless done),
  // and that step sees all that the caller wrote before. Any thread, also from
  // within a step. One atomic operation when the steppable is awake already; no
  // lost wakes, several wakes may share one step.
  void wake() const {
    if (target_ != nullptr) target_->wake();
  }
  [[nodiscard]] bool has_value() const { return target_ != nullptr; }

 private:
  std::shared_ptr<internal::WakeTarget> target_;  // Shared by all who may wake it.
};

using TimerId = std::uint64_t;

// Steps steppables, and calls back at given times.
class WorkerPool {
 public:
  struct AddOptions {
    // Called once after the step that returned kDone, by the thread that
    // stepped; from then on the pool touches the steppable no more, so this may
    // destroy it.
    std::function<void()> on_done;
    // Steppables with equal affinity >= 0 (modulo the number of workers) share
    // a worker; -1: the pool chooses the worker with the fewest.
    int affinity = -1;
    // For the trace of a simulation and for messages.
    std::string name;
  };

  virtual ~WorkerPool() = default;

  // Steps `steppable` until it is done, first soon after this call. The
  // steppable must live until on_done is called or the pool has shut down. Any
  // thread.
  virtual Waker add(Steppable* steppable, AddOptions options) = 0;
  Waker add(Steppable* steppable) { return add(steppable, AddOptions{}); }

  // Calls `callback` once at `monotonic_ns` or soon after (never before), on a
  // thread of the pool that may be any: it must be short and must not block;
  // typically it posts mail or wakes. At most 2^20 timers may be pending. Any
  // thread.
  virtual TimerId schedule_at(std::int64_t monotonic_ns, std::function<void()> callback) = 0;
  // True: the callback has not been called and never will be. False: it was
  // called, is being called now, or the id is unknown. Never waits. Any thread.
  virtual bool cancel_timer(TimerId id) = 0;

  [[nodiscard]] virtual const Clock& clock() const = 0;
  // Worker threads (1 for a simulation).
  [[nodiscard]] virtual int parallelism() const = 0;
};

// Runs work that may block: files, sockets, foreign libraries.
class BlockingPool {
 public:
  virtual ~BlockingPool() = default;
  // Queues `work` for an I/O thread. ResourceExhausted when the bounded queue
  // is full (retry later), Cancelled after shutdown began. Work queued is run,
  // also at shutdown. Any thread.
  virtual Status submit(std::function<void()> work) = 0;
};

}  // namespace clepsydra
