#include "taskmanager/step_aside.h"

#include <atomic>
#include <utility>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace clepsydra {

struct StepAside::Shared {
  Mutex mutex;  // Held while the piece runs.
  std::function<Status()> piece CLP_GUARDED_BY(mutex);
  Status status;  // Written before is_done.
  std::atomic<bool> is_done{false};
};

std::unique_ptr<StepAside> StepAside::begin(BlockingPool& pool, Waker waker,
                                            std::function<Status()> piece) {
  auto shared = std::make_shared<Shared>();
  {
    const MutexLock lock(shared->mutex);
    shared->piece = std::move(piece);
  }
  const Status submitted = pool.submit([shared, waker = std::move(waker)] {
    {
      const MutexLock lock(shared->mutex);
      if (shared->piece == nullptr) return;
      shared->status = shared->piece();
      shared->piece = nullptr;
      shared->is_done.store(true, std::memory_order_release);
    }
    waker.wake();
  });
  if (!submitted.is_ok()) return nullptr;
  return std::unique_ptr<StepAside>(new StepAside(std::move(shared)));
}

StepAside::~StepAside() {
  const MutexLock lock(shared_->mutex);
  shared_->piece = nullptr;
}

bool StepAside::is_done() const {
  return shared_->is_done.load(std::memory_order_acquire);
}

const Status& StepAside::status() const {
  return shared_->status;
}

}  // namespace clepsydra
