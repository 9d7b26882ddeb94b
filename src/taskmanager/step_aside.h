// A piece of a task's step that may wait for a disk, on an I/O thread.
#pragma once

#include <functional>
#include <memory>

#include "base/executor.h"
#include "clepsydra/status.h"

namespace clepsydra {

// While it runs the task touches nothing that it may touch. Threads: the task's.
class StepAside {
 public:
  // Wakes the task when it is done. Null when `pool` takes nothing now: then nobody will run it.
  static std::unique_ptr<StepAside> begin(BlockingPool& pool, Waker waker,
                                          std::function<Status()> piece);
  // What has not begun never will; what has is waited for.
  ~StepAside();
  StepAside(const StepAside&) = delete;
  StepAside& operator=(const StepAside&) = delete;

  [[nodiscard]] bool is_done() const;
  // What the piece said, once it is done.
  [[nodiscard]] const Status& status() const;

 private:
  struct Shared;
  explicit StepAside(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  const std::shared_ptr<Shared> shared_;  // With the I/O thread, which may come later than this.
};

}  // namespace clepsydra
