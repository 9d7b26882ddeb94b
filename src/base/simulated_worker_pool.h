// One thread, virtual time, an order drawn from a seed: the simulated
// WorkerPool and BlockingPool.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"

namespace clepsydra {

enum class SimulationEnd : std::uint8_t {
  kSatisfied,  // The predicate holds.
  kStalled,    // Nothing is runnable and no timer or deadline is pending: nothing
               // will ever happen.
  kStepLimit,  // Options::steps_max steps were taken in this run.
};

// Steps runnable steppables one at a time in random order. Each step takes a
// random bit of virtual time; when nothing is runnable the clock jumps to the
// next timer or deadline.
//
// Threads: all calls, also wakes, from the thread that constructed it.
class SimulatedWorkerPool final : public WorkerPool {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::int64_t step_ns_max = 20'000;    // Virtual time of a step: uniform in [0, step_ns_max].
    std::int64_t steps_max = 50'000'000;  // Per run: ends runaway simulations.
  };

  // `clock` must outlive the pool; nobody else advances it during a run.
  SimulatedWorkerPool(SimulatedClock& clock, Options options);
  ~SimulatedWorkerPool() override;

  using WorkerPool::add;
  Waker add(Steppable* steppable, AddOptions options) override;
  TimerId schedule_at(std::int64_t monotonic_ns, std::function<void()> callback) override;
  bool cancel_timer(TimerId id) override;
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  [[nodiscard]] int parallelism() const override { return 1; }

  // How long a steppable of this name rests after each of its steps, in virtual time: what is slow,
  // and what is in front of it, shows. Asked when it was added. Empty: nobody rests.
  using Pace = std::function<std::int64_t(std::string_view name)>;
  void set_pace(Pace rest_ns) { pace_ = std::move(rest_ns); }

  // Runs until the predicate (asked between steps) holds.
  SimulationEnd run_until(const std::function<bool()>& predicate);
  // Runs until nothing is runnable and nothing is pending: kStalled is the
  // expected answer.
  SimulationEnd run_until_idle();
  // Runs for `ns` of virtual time; kSatisfied when all of it has passed.
  SimulationEnd run_for_ns(std::int64_t ns);

  // Depends on every step's steppable (by name and order of add), result and
  // virtual time, on every timer called and on note(): equal hashes mean equal
  // runs.
  [[nodiscard]] std::uint64_t trace_hash() const { return trace_hash_; }
  // Mixes what a simulation wants to compare into the trace hash.
  void note(std::uint64_t value);
  [[nodiscard]] std::int64_t steps() const { return steps_; }
  // Steppables added and not done, with their names: says who waits when a run
  // stalls.
  [[nodiscard]] std::vector<std::string> live_steppables() const;
  // A generator for another user of this simulation.
  [[nodiscard]] Random fork_random(std::string_view name) const { return random_.fork(name); }

 private:
  class Cell;
  struct Timer {
    std::function<void()> callback;
  };

  SimulationEnd run(const std::function<bool()>& predicate, std::int64_t until_ns);
  void check_thread() const;
  void step_one();
  // Moves the clock to the next event at or before `until_ns`; false when there
  // is none.
  bool advance(std::int64_t until_ns);
  // Calls or wakes what is due first; false when nothing is due.
  bool fire_due();
  void make_runnable(const std::shared_ptr<Cell>& cell);

  SimulatedClock& clock_;
  const Options options_;
  Pace pace_;
  Random random_;
  const std::thread::id thread_ = std::this_thread::get_id();
  std::unordered_map<std::uint64_t, std::shared_ptr<Cell>> cells_;  // Not done, by id.
  std::vector<std::shared_ptr<Cell>> runnable_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::uint64_t>
      deadlines_;  // (when, cell id) -> cell id.
  std::map<std::pair<std::int64_t, TimerId>, Timer> timers_;
  std::unordered_map<TimerId, std::int64_t> timer_times_;
  std::uint64_t next_cell_id_ = 1;
  TimerId next_timer_id_ = 1;
  std::int64_t steps_ = 0;
  std::uint64_t trace_hash_ = 0;
};

// Runs submitted work on the simulation's thread after a random delay.
class SimulatedBlockingPool final : public BlockingPool {
 public:
  struct Options {
    std::int64_t delay_ns_max = 1'000'000;
    std::int64_t queue_max = 4096;
  };

  SimulatedBlockingPool(SimulatedWorkerPool& pool, Options options);
  explicit SimulatedBlockingPool(SimulatedWorkerPool& pool)
      : SimulatedBlockingPool(pool, Options{}) {}
  Status submit(std::function<void()> work) override;

 private:
  SimulatedWorkerPool& pool_;
  const Options options_;
  Random random_;
  std::shared_ptr<std::int64_t> queued_;  // Shared with the timers, which may outlive this.
};

}  // namespace clepsydra
