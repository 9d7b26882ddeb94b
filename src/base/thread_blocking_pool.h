// I/O threads: the real BlockingPool.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace clepsydra {

// Threads start as work comes, up to the limit, and stay.
class ThreadBlockingPool final : public BlockingPool {
 public:
  struct Options {
    int threads_max = 4;
    std::size_t queue_max = 4096;
    std::string thread_name = "io";
  };

  explicit ThreadBlockingPool(Options options);
  // shutdown().
  ~ThreadBlockingPool() override;

  Status submit(std::function<void()> work) override;
  // Runs what is queued and ends the threads. Idempotent. Not from a thread of
  // the pool.
  void shutdown();

 private:
  void run();

  const Options options_;
  Mutex mutex_;
  CondVar work_ready_;
  std::deque<std::function<void()>> queue_ CLP_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ CLP_GUARDED_BY(mutex_);
  int idle_ CLP_GUARDED_BY(mutex_) = 0;
  bool stopping_ CLP_GUARDED_BY(mutex_) = false;
};

}  // namespace clepsydra
