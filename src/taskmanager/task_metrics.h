// What a task publishes about itself while it runs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "stream/batch.h"

namespace clepsydra {

// A copy of all numbers at some moment.
struct TaskMetricsSnapshot {
  enum class Waiting : std::uint8_t { kNothing, kInput, kOutput };
  struct OfOperator {
    std::int64_t rows_in = 0;
    std::int64_t rows_out = 0;
    std::int64_t bytes_in = 0;
    std::int64_t late_rows = 0;
    std::int64_t dropped_rows = 0;
    std::int64_t peak_memory_bytes = 0;
    std::vector<std::string> late_sample;
  };
  std::vector<OfOperator> operators;
  std::int64_t watermark = kMinWatermark;
  std::int64_t backpressured_ns = 0;
  std::int64_t busy_ns = 0;
  std::int64_t idle_ns = 0;
  // What it waits for since when (Clock::monotonic_ns()): not in the numbers above.
  Waiting waiting = Waiting::kNothing;
  std::int64_t waiting_since_ns = 0;

  // The numbers with the time waited until now.
  void count_waiting_until(std::int64_t now_ns) {
    if (waiting == Waiting::kInput) idle_ns += now_ns - waiting_since_ns;
    if (waiting == Waiting::kOutput) backpressured_ns += now_ns - waiting_since_ns;
    waiting_since_ns = now_ns;
  }
};

// Threads: publish() the task's; snapshot() any thread.
class TaskMetrics {
 public:
  explicit TaskMetrics(std::size_t operators) { published_.operators.resize(operators); }

  void publish(TaskMetricsSnapshot metrics) {
    const MutexLock lock(mutex_);
    published_ = std::move(metrics);
  }
  [[nodiscard]] TaskMetricsSnapshot snapshot() const {
    const MutexLock lock(mutex_);
    return published_;
  }

 private:
  mutable Mutex mutex_;
  TaskMetricsSnapshot published_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
