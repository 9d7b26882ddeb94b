#include "base/thread_blocking_pool.h"

#include <fmt/format.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/thread.h"

namespace clepsydra {

ThreadBlockingPool::ThreadBlockingPool(Options options) : options_(std::move(options)) {
  CLP_CHECK(options_.threads_max >= 1);
}

ThreadBlockingPool::~ThreadBlockingPool() {
  shutdown();
}

Status ThreadBlockingPool::submit(std::function<void()> work) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return Status::cancelled("the I/O threads are shutting down");
    if (queue_.size() >= options_.queue_max) {
      return Status::resource_exhausted(
          fmt::format("the queue of the I/O threads is full with {} entries", queue_.size()));
    }
    queue_.push_back(std::move(work));
    if (static_cast<std::size_t>(idle_) < queue_.size() &&
        threads_.size() < static_cast<std::size_t>(options_.threads_max)) {
      const std::string name = options_.thread_name + "-" + std::to_string(threads_.size());
      threads_.push_back(internal::start_thread(name, [this] { run(); }));
    }
  }
  work_ready_.notify_one();
  return Status::ok();
}

void ThreadBlockingPool::shutdown() {
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
  }
  work_ready_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void ThreadBlockingPool::run() {
  while (true) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      ++idle_;
      while (queue_.empty() && !stopping_) work_ready_.wait(mutex_);
      --idle_;
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace clepsydra
