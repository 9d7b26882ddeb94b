#include "base/parallel.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace clepsydra {
namespace {

// Outlives the call: a helper that the pool starts late finds nothing left to do.
class SharedWork {
 public:
  SharedWork(std::size_t count, const std::function<Status(std::size_t)>& work)
      : end_(count), work_(work) {}

  void take_part() CLP_EXCLUDES(mutex_) {
    std::size_t index = 0;
    while (take(index)) done(index, work_(index));
  }

  Status wait() CLP_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    while (running_ > 0) is_idle_.wait(mutex_);
    return error_;
  }

 private:
  bool take(std::size_t& index) CLP_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (next_ >= end_) return false;
    index = next_++;
    ++running_;
    return true;
  }

  void done(std::size_t index, Status status) CLP_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    if (!status.is_ok()) {
      next_ = end_;
      if (error_.is_ok() || index < failed_) {
        failed_ = index;
        error_ = std::move(status);
      }
    }
    if (--running_ == 0) is_idle_.notify_all();
  }

  const std::size_t end_;
  // Only called for what was taken, for which the caller waits.
  const std::function<Status(std::size_t)>& work_;
  Mutex mutex_;
  CondVar is_idle_;
  std::size_t next_ CLP_GUARDED_BY(mutex_) = 0;
  std::size_t running_ CLP_GUARDED_BY(mutex_) = 0;
  std::size_t failed_ CLP_GUARDED_BY(mutex_) = 0;
  Status error_ CLP_GUARDED_BY(mutex_);
};

}  // namespace

Status for_each_in_parallel(BlockingPool& pool, std::size_t count, std::size_t helpers_max,
                            const std::function<Status(std::size_t)>& work) {
  const auto shared = std::make_shared<SharedWork>(count, work);
  const std::size_t helpers = std::min(helpers_max, count - std::min<std::size_t>(count, 1));
  for (std::size_t i = 0; i < helpers; ++i) {
    // A full queue means that there is no thread to spare.
    if (!pool.submit([shared] { shared->take_part(); }).is_ok()) break;
  }
  shared->take_part();
  return shared->wait();
}

}  // namespace clepsydra
