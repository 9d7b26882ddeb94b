#include "base/thread_worker_pool.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/thread.h"
#include "base/timer_thread.h"

namespace clepsydra {
namespace {

// The life of a steppable. A wake sets kNotifiedBit and nothing else; whoever sets it on kIdle also
// puts the steppable into its worker's inbox, and nobody else does, so it is in there at most once.
//
//   kIdle --wake--> kQueued --worker--> kRunning --wake--> kRunningNotified
//     ^                                  |    ^                   |
//     +----------- kBlocked ------------+    +--- steps again ---+        kRunning* --kDone-->
//     kDone
//
// Every wake is a read-modify-write, also on a notified steppable: it orders the waker's writes
// before the step that clears the bit. A plain load would let waker and worker miss each other.
using State = std::uint32_t;
constexpr State kIdle = 0;
constexpr State kNotifiedBit = 1;
constexpr State kQueued = kNotifiedBit;
constexpr State kRunning = 2;  // Being stepped, or in the worker's own queue after kProgress.
constexpr State kDone = 4;

constexpr std::int64_t kSpinMinNs = 1'000;
constexpr int kSpinsPerClockRead = 32;

}  // namespace

class ThreadWorkerPool::Cell final : public internal::WakeTarget {
 public:
  Cell(Steppable* steppable, AddOptions options, std::shared_ptr<Worker> worker)
      : steppable_(steppable), on_done_(std::move(options.on_done)), worker_(std::move(worker)) {}

  void wake() noexcept override;

 private:
  friend class Worker;

  std::atomic<State> state_{kQueued};
  Cell* inbox_next_ = nullptr;  // While in the inbox.

  // The worker's thread only, after add().
  Steppable* steppable_;
  std::function<void()> on_done_;
  std::int64_t deadline_ns_ = Steppable::kNever;
  std::size_t index_ = 0;       // In Worker::cells_.
  std::shared_ptr<Cell> self_;  // Keeps this alive until it is done or the pool shuts down.

  const std::shared_ptr<Worker> worker_;
};

class ThreadWorkerPool::Worker {
 public:
  Worker(const Clock& clock, const Options& options, int index)
      : clock_(clock), spin_ns_max_(options.spin_ns_max), spin_ns_(options.spin_ns_max) {
    thread_ = internal::start_thread(options.thread_name + "-" + std::to_string(index),
                                     [this, pin = options.pin_threads, index] {
                                       if (pin) internal::pin_this_thread(index);
                                       (void)internal::prefer_short_waits();
                                       run();
                                     });
  }

  // Takes over a new cell. After shutdown it is dropped.
  void adopt(const std::shared_ptr<Cell>& cell) {
    live_.fetch_add(1, std::memory_order_relaxed);
    cell->self_ = cell;
    if (!post(cell.get())) {
      cell->state_.store(kDone, std::memory_order_relaxed);
      cell->on_done_ = nullptr;
      cell->self_.reset();
      live_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  // Puts a cell that just became kQueued into the inbox; false after shutdown.
  bool post(Cell* cell) {
    Cell* head = inbox_.load(std::memory_order_relaxed);
    do {
      if (head == closed()) return false;
      cell->inbox_next_ = head == parked() ? nullptr : head;
    } while (!inbox_.compare_exchange_weak(head, cell, std::memory_order_acq_rel,
                                           std::memory_order_relaxed));
    if (head == parked()) parker_.unpark();
    return true;
  }

  void stop() {
    stopping_.store(true, std::memory_order_release);
    parker_.unpark();
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::int64_t live() const { return live_.load(std::memory_order_relaxed); }

 private:
  // Marks in place of the inbox's first cell: the worker sleeps, or takes no more.
  Cell* parked() { return reinterpret_cast<Cell*>(&parked_mark_); }
  Cell* closed() { return reinterpret_cast<Cell*>(&closed_mark_); }

  void run() {
    while (!stopping_.load(std::memory_order_acquire)) {
      take_inbox(nullptr);
      if (next_deadline_ns_ != Steppable::kNever) wake_due_cells();
      if (queue_.empty()) {
        wait();
        continue;
      }
      Cell* cell = queue_.front();
      queue_.pop_front();
      step(cell);
    }
    drop_all();
  }

  void step(Cell* cell) {
    // Clears the notice of wakes that this step answers.
    if (cell->state_.load(std::memory_order_relaxed) != kRunning) {
      cell->state_.exchange(kRunning, std::memory_order_acq_rel);
    }
    cell->deadline_ns_ = Steppable::kNever;
    switch (cell->steppable_->step()) {
      case StepResult::kProgress:
        queue_.push_back(cell);
        return;
      case StepResult::kBlocked: {
        const std::int64_t deadline_ns = cell->steppable_->wake_deadline_ns();
        State expected = kRunning;
        if (cell->state_.compare_exchange_strong(expected, kIdle, std::memory_order_acq_rel,
                                                 std::memory_order_relaxed)) {
          cell->deadline_ns_ = deadline_ns;
          next_deadline_ns_ = std::min(next_deadline_ns_, deadline_ns);
        } else {
          queue_.push_back(cell);  // A wake came during the step.
        }
        return;
      }
      case StepResult::kDone:
        finish(cell);
        return;
    }
  }

  void finish(Cell* cell) {
    cell->state_.store(kDone, std::memory_order_release);
    cells_.back()->index_ = cell->index_;
    cells_[cell->index_] = cells_.back();
    cells_.pop_back();
    const std::shared_ptr<Cell> last_reference = std::move(cell->self_);
    const std::function<void()> on_done = std::move(cell->on_done_);
    live_.fetch_sub(1, std::memory_order_relaxed);
    if (on_done) on_done();
  }

  // Moves the inbox to the end of the queue, first come first served, leaving `mark` in it.
  void take_inbox(Cell* mark) {
    if (mark == nullptr && inbox_.load(std::memory_order_relaxed) == nullptr) return;
    Cell* newest = inbox_.exchange(mark, std::memory_order_acq_rel);
    if (newest == parked()) return;
    Cell* oldest = nullptr;
    while (newest != nullptr) {
      Cell* next = newest->inbox_next_;
      newest->inbox_next_ = oldest;
      oldest = newest;
      newest = next;
    }
    for (Cell* cell = oldest; cell != nullptr; cell = cell->inbox_next_) {
      const bool is_new = cell->index_ >= cells_.size() || cells_[cell->index_] != cell;
      if (is_new) {
        cell->index_ = cells_.size();
        cells_.push_back(cell);
      }
      queue_.push_back(cell);
    }
  }

  // A few steppables per worker: looking at all of them when one is due beats keeping them sorted.
  void wake_due_cells() {
    const std::int64_t now_ns = clock_.monotonic_ns();
    if (now_ns < next_deadline_ns_) return;
    next_deadline_ns_ = Steppable::kNever;
    for (Cell* cell : cells_) {
      if (cell->deadline_ns_ <= now_ns) {
        cell->deadline_ns_ = Steppable::kNever;
        // Not idle: some wake came first, and the cell is in the inbox.
        if (cell->state_.fetch_or(kNotifiedBit, std::memory_order_acq_rel) == kIdle) {
          queue_.push_back(cell);
        }
      }
      next_deadline_ns_ = std::min(next_deadline_ns_, cell->deadline_ns_);
    }
  }

  void wait() {
    if (spin()) return;
    Cell* expected = nullptr;
    if (!inbox_.compare_exchange_strong(expected, parked(), std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
      return;
    }
    std::int64_t timeout_ns = internal::Parker::kForever;
    if (next_deadline_ns_ != Steppable::kNever) {
      timeout_ns = std::max<std::int64_t>(0, next_deadline_ns_ - clock_.monotonic_ns());
    }
    parker_.park(timeout_ns);
    expected = parked();
    inbox_.compare_exchange_strong(expected, nullptr, std::memory_order_acq_rel,
                                   std::memory_order_relaxed);
  }

  // Looks for work for a while: true when there is some. Spins longer after it paid, shorter after
  // not.
  bool spin() {
    if (spin_ns_max_ <= 0) return false;
    const std::int64_t start_ns = clock_.monotonic_ns();
    const std::int64_t end_ns = std::min(start_ns + spin_ns_, next_deadline_ns_);
    do {
      for (int i = 0; i < kSpinsPerClockRead; ++i) {
        if (inbox_.load(std::memory_order_relaxed) != nullptr) {
          spin_ns_ = std::min(spin_ns_max_, spin_ns_ * 2);
          return true;
        }
        internal::relax_processor();
      }
      if (stopping_.load(std::memory_order_relaxed)) return true;
    } while (clock_.monotonic_ns() < end_ns);
    spin_ns_ = std::max(std::min(kSpinMinNs, spin_ns_max_), spin_ns_ / 2);
    return false;
  }

  void drop_all() {
    take_inbox(closed());
    queue_.clear();
    std::vector<Cell*> cells = std::move(cells_);
    for (Cell* cell : cells) {
      cell->state_.store(kDone, std::memory_order_release);
      const std::shared_ptr<Cell> last_reference = std::move(cell->self_);
      const std::function<void()> dropped = std::move(cell->on_done_);
      live_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  const Clock& clock_;
  const std::int64_t spin_ns_max_;
  alignas(64) std::atomic<Cell*> inbox_{nullptr};  // Newest first.
  internal::Parker parker_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::int64_t> live_{0};
  alignas(Cell) char parked_mark_ = 0;
  alignas(Cell) char closed_mark_ = 0;

  // The worker's thread only.
  alignas(64) std::deque<Cell*> queue_;  // Stepped in turn.
  std::vector<Cell*> cells_;             // All that are not done.
  // No cell has an earlier deadline (there may be none at it any more).
  std::int64_t next_deadline_ns_ = Steppable::kNever;
  std::int64_t spin_ns_;

  std::thread thread_;
};

void ThreadWorkerPool::Cell::wake() noexcept {
  if (state_.fetch_or(kNotifiedBit, std::memory_order_acq_rel) == kIdle) worker_->post(this);
}

ThreadWorkerPool::ThreadWorkerPool(const Clock& clock, Options options)
    : clock_(clock),
      options_(std::move(options)),
      timers_(std::make_unique<internal::TimerThread>(clock, options_.thread_name + "-timer")) {
  CLP_CHECK(options_.threads >= 1);
  for (int i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_shared<Worker>(clock_, options_, i));
  }
}

ThreadWorkerPool::~ThreadWorkerPool() {
  shutdown();
}

Waker ThreadWorkerPool::add(Steppable* steppable, AddOptions options) {
  CLP_CHECK(steppable != nullptr);
  std::shared_ptr<Worker> worker;
  if (options.affinity >= 0) {
    worker = workers_[static_cast<std::size_t>(options.affinity) % workers_.size()];
  } else {
    worker = *std::min_element(workers_.begin(), workers_.end(),
                               [](const auto& a, const auto& b) { return a->live() < b->live(); });
  }
  auto cell = std::make_shared<Cell>(steppable, std::move(options), worker);
  worker->adopt(cell);
  return Waker(std::move(cell));
}

TimerId ThreadWorkerPool::schedule_at(std::int64_t monotonic_ns, std::function<void()> callback) {
  return timers_->schedule_at(monotonic_ns, std::move(callback));
}

bool ThreadWorkerPool::cancel_timer(TimerId id) {
  return timers_->cancel(id);
}

const Clock& ThreadWorkerPool::clock() const {
  return clock_;
}

int ThreadWorkerPool::parallelism() const {
  return options_.threads;
}

void ThreadWorkerPool::shutdown() {
  timers_->shutdown();
  for (const auto& worker : workers_) worker->stop();
  for (const auto& worker : workers_) worker->join();
}

std::int64_t ThreadWorkerPool::live_steppables() const {
  std::int64_t live = 0;
  for (const auto& worker : workers_) live += worker->live();
  return live;
}

}  // namespace clepsydra
