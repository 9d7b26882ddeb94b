// The blocking work of one job, one piece after the other.
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "clepsydra/status.h"

namespace clepsydra {

// So that what a checkpoint commits is committed before the next one is stored, and files are
// removed after nothing names them any more. Bounded by what its users have under way: a few pieces
// per checkpoint.
//
// Threads: one call at a time; the work itself elsewhere.
class JobWork {
 public:
  using Work = std::function<Status()>;
  using Done = std::function<void(const Status&)>;
  // Runs `work` elsewhere, then calls `done` with its outcome, not from within this call.
  using Run = std::function<void(Work work, Done done)>;

  // `on_idle`: after the last piece was done.
  JobWork(Run run, std::function<void()> on_idle)
      : run_(std::move(run)), on_idle_(std::move(on_idle)) {}

  // `work` must not touch what events touch.
  void add(Work work, Done done) {
    pieces_.push_back({std::move(work), std::move(done)});
    if (pieces_.size() == 1) run_first();
  }
  [[nodiscard]] bool is_idle() const { return pieces_.empty(); }

 private:
  struct Piece {
    Work work;
    Done done;
  };

  void run_first() {
    run_(pieces_.front().work, [this](const Status& status) {
      // It stays the first while it is told, so that what it adds waits its turn.
      const Done done = std::move(pieces_.front().done);
      done(status);
      pieces_.pop_front();
      if (pieces_.empty()) {
        on_idle_();
      } else {
        run_first();
      }
    });
  }

  const Run run_;
  const std::function<void()> on_idle_;
  std::deque<Piece> pieces_;
};

}  // namespace clepsydra
