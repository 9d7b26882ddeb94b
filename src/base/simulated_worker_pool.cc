#include "base/simulated_worker_pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"

namespace clepsydra {

class SimulatedWorkerPool::Cell final : public internal::WakeTarget,
                                        public std::enable_shared_from_this<Cell> {
 public:
  enum class State : std::uint8_t { kIdle, kQueued, kRunning, kRunningNotified, kDone };

  Cell(SimulatedWorkerPool& pool, std::uint64_t id, Steppable* steppable, AddOptions options)
      : pool_(pool), id_(id), steppable_(steppable), options_(std::move(options)) {
    if (options_.name.empty()) options_.name = fmt::format("steppable-{}", id);
    name_hash_ = hash64_with_seed(options_.name, id);
  }

  void wake() noexcept override {
    if (state_ == State::kIdle) {
      pool_.make_runnable(shared_from_this());
    } else if (state_ == State::kRunning) {
      state_ = State::kRunningNotified;
    }
  }

 private:
  friend class SimulatedWorkerPool;

  SimulatedWorkerPool& pool_;  // Not used once kDone, so a waker may outlive the pool.
  const std::uint64_t id_;
  Steppable* const steppable_;
  AddOptions options_;
  std::uint64_t name_hash_;
  State state_ = State::kIdle;
  std::int64_t rest_ns_ = 0;                      // After each step.
  std::int64_t rests_until_ns_ = 0;               // Not stepped before.
  std::int64_t deadline_ns_ = Steppable::kNever;  // Its entry in deadlines_, unless kNever.
};

SimulatedWorkerPool::SimulatedWorkerPool(SimulatedClock& clock, Options options)
    : clock_(clock), options_(options), random_(mix64(options.seed)) {
  CLP_CHECK(options_.step_ns_max >= 0);
}

SimulatedWorkerPool::~SimulatedWorkerPool() {
  for (auto& [id, cell] : cells_) {
    cell->state_ = Cell::State::kDone;
    cell->options_.on_done = nullptr;
  }
}

Waker SimulatedWorkerPool::add(Steppable* steppable, AddOptions options) {
  check_thread();
  CLP_CHECK(steppable != nullptr);
  const std::uint64_t id = next_cell_id_++;
  auto cell = std::make_shared<Cell>(*this, id, steppable, std::move(options));
  if (pace_) cell->rest_ns_ = pace_(cell->options_.name);
  cells_.emplace(id, cell);
  make_runnable(cell);
  return Waker(std::move(cell));
}

TimerId SimulatedWorkerPool::schedule_at(std::int64_t monotonic_ns,
                                         std::function<void()> callback) {
  check_thread();
  const TimerId id = next_timer_id_++;
  timers_.emplace(std::pair(monotonic_ns, id), Timer{std::move(callback)});
  timer_times_.emplace(id, monotonic_ns);
  return id;
}

bool SimulatedWorkerPool::cancel_timer(TimerId id) {
  check_thread();
  const auto time = timer_times_.find(id);
  if (time == timer_times_.end()) return false;
  const auto timer = timers_.find(std::pair(time->second, id));
  const std::function<void()> dropped = std::move(timer->second.callback);
  timers_.erase(timer);
  timer_times_.erase(time);
  return true;
}

SimulationEnd SimulatedWorkerPool::run_until(const std::function<bool()>& predicate) {
  return run(predicate, Steppable::kNever);
}

SimulationEnd SimulatedWorkerPool::run_until_idle() {
  return run(nullptr, Steppable::kNever);
}

SimulationEnd SimulatedWorkerPool::run_for_ns(std::int64_t ns) {
  return run(nullptr, clock_.monotonic_ns() + ns);
}

void SimulatedWorkerPool::note(std::uint64_t value) {
  trace_hash_ = combine_hashes(trace_hash_, value);
}

std::vector<std::string> SimulatedWorkerPool::live_steppables() const {
  std::vector<std::pair<std::uint64_t, std::string>> live;
  for (const auto& [id, cell] : cells_) live.emplace_back(id, cell->options_.name);
  std::sort(live.begin(), live.end());
  std::vector<std::string> names;
  for (auto& [id, name] : live) names.push_back(std::move(name));
  return names;
}

SimulationEnd SimulatedWorkerPool::run(const std::function<bool()>& predicate,
                                       std::int64_t until_ns) {
  check_thread();
  const std::int64_t last_step = steps_ + options_.steps_max;
  while (true) {
    if (predicate && predicate()) return SimulationEnd::kSatisfied;
    if (clock_.monotonic_ns() >= until_ns) return SimulationEnd::kSatisfied;
    if (steps_ >= last_step) return SimulationEnd::kStepLimit;
    if (fire_due()) continue;
    if (!runnable_.empty()) {
      step_one();
    } else if (!advance(until_ns)) {
      return until_ns == Steppable::kNever ? SimulationEnd::kStalled : SimulationEnd::kSatisfied;
    }
  }
}

void SimulatedWorkerPool::check_thread() const {
  CLP_CHECK_MSG(std::this_thread::get_id() == thread_, "a simulation has one thread");
}

void SimulatedWorkerPool::step_one() {
  const std::size_t pick = random_.uniform(runnable_.size());
  const std::shared_ptr<Cell> cell = std::move(runnable_[pick]);
  runnable_[pick] = std::move(runnable_.back());
  runnable_.pop_back();
  if (cell->deadline_ns_ != Steppable::kNever) {
    deadlines_.erase(std::pair(cell->deadline_ns_, cell->id_));
    cell->deadline_ns_ = Steppable::kNever;
  }

  cell->state_ = Cell::State::kRunning;
  const StepResult result = cell->steppable_->step();
  ++steps_;
  note(cell->name_hash_ ^ static_cast<std::uint64_t>(result));
  clock_.advance_ns(random_.uniform_between(0, options_.step_ns_max));
  note(static_cast<std::uint64_t>(clock_.monotonic_ns()));
  if (cell->rest_ns_ > 0) cell->rests_until_ns_ = clock_.monotonic_ns() + cell->rest_ns_;

  if (result == StepResult::kDone) {
    cell->state_ = Cell::State::kDone;
    cells_.erase(cell->id_);
    const std::function<void()> on_done = std::move(cell->options_.on_done);
    if (on_done) on_done();
  } else if (result == StepResult::kProgress || cell->state_ == Cell::State::kRunningNotified) {
    make_runnable(cell);
  } else {
    cell->state_ = Cell::State::kIdle;
    cell->deadline_ns_ = cell->steppable_->wake_deadline_ns();
    if (cell->deadline_ns_ != Steppable::kNever) {
      deadlines_.emplace(std::pair(cell->deadline_ns_, cell->id_), cell->id_);
    }
  }
}

bool SimulatedWorkerPool::advance(std::int64_t until_ns) {
  std::int64_t next_ns = Steppable::kNever;
  if (!timers_.empty()) next_ns = timers_.begin()->first.first;
  if (!deadlines_.empty()) next_ns = std::min(next_ns, deadlines_.begin()->first.first);
  const bool found = next_ns <= until_ns && next_ns != Steppable::kNever;
  if (found || until_ns != Steppable::kNever) clock_.advance_to_ns(std::min(next_ns, until_ns));
  return found;
}

// One timer or deadline per call, so that the bounds of run() see them all.
bool SimulatedWorkerPool::fire_due() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  if (!deadlines_.empty() && deadlines_.begin()->first.first <= now_ns) {
    const std::uint64_t id = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const std::shared_ptr<Cell> cell = cells_.at(id);
    cell->deadline_ns_ = Steppable::kNever;
    cell->wake();
    return true;
  }
  if (timers_.empty() || timers_.begin()->first.first > now_ns) return false;
  const auto first = timers_.begin();
  const std::function<void()> callback = std::move(first->second.callback);
  timer_times_.erase(first->first.second);
  ++steps_;
  note(first->first.second);
  timers_.erase(first);
  callback();
  return true;
}

void SimulatedWorkerPool::make_runnable(const std::shared_ptr<Cell>& cell) {
  check_thread();
  cell->state_ = Cell::State::kQueued;
  if (cell->rests_until_ns_ > clock_.monotonic_ns()) {
    // Wakes meanwhile change nothing: it is queued.
    schedule_at(cell->rests_until_ns_, [this, cell] { runnable_.push_back(cell); });
    return;
  }
  runnable_.push_back(cell);
}

SimulatedBlockingPool::SimulatedBlockingPool(SimulatedWorkerPool& pool, Options options)
    : pool_(pool),
      options_(options),
      random_(pool.fork_random("blocking pool")),
      queued_(std::make_shared<std::int64_t>(0)) {}

Status SimulatedBlockingPool::submit(std::function<void()> work) {
  if (*queued_ >= options_.queue_max) {
    return Status::resource_exhausted(
        fmt::format("the queue of the I/O threads is full with {} entries", *queued_));
  }
  ++*queued_;
  const std::int64_t delay_ns = random_.uniform_between(0, options_.delay_ns_max);
  pool_.schedule_at(pool_.clock().monotonic_ns() + delay_ns,
                    [queued = queued_, work = std::move(work)] {
                      --*queued;
                      work();
                    });
  return Status::ok();
}

}  // namespace clepsydra
