// Worker threads: the real WorkerPool.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"

namespace clepsydra {

namespace internal {
class TimerThread;
}  // namespace internal

// N threads, each owning a set of steppables that it steps in turn. A worker
// without work spins for some microseconds (waking a thread costs more) and
// then sleeps until a wake or the next deadline. One more thread waits for
// timers, once there is one.
class ThreadWorkerPool final : public WorkerPool {
 public:
  struct Options {
    int threads = 1;
    // At most this long a worker looks for work before it sleeps; it adapts
    // below. 0: sleeps at once.
    std::int64_t spin_ns_max = 20'000;
    // Binds worker i to the i-th processor of the process's affinity set.
    bool pin_threads = false;
    std::string thread_name = "worker";
  };

  // Requires options.threads >= 1. `clock` must outlive the pool and tick in
  // real time.
  ThreadWorkerPool(const Clock& clock, Options options);
  // shutdown().
  ~ThreadWorkerPool() override;

  using WorkerPool::add;
  Waker add(Steppable* steppable, AddOptions options) override;
  TimerId schedule_at(std::int64_t monotonic_ns, std::function<void()> callback) override;
  bool cancel_timer(TimerId id) override;
  [[nodiscard]] const Clock& clock() const override;
  [[nodiscard]] int parallelism() const override;

  // Waits for the steps under way and ends the threads. Steppables not done are
  // dropped: no further step, no on_done. Timers not due are dropped. Not from
  // a thread of the pool. Idempotent.
  void shutdown();

  // Steppables added and not done.
  [[nodiscard]] std::int64_t live_steppables() const;

 private:
  class Cell;
  class Worker;

  const Clock& clock_;
  const Options options_;
  std::unique_ptr<internal::TimerThread> timers_;
  std::vector<std::shared_ptr<Worker>>
      workers_;  // Shared with cells: a late wake finds its worker.
};

}  // namespace clepsydra
