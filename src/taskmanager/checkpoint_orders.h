// What the JobManager said about the checkpoints of a job, for all tasks of one attempt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "checkpoint/checkpoint_types.h"
#include "stream/stream_element.h"

namespace clepsydra {

// A checkpoint that begins.
struct TaskCheckpointOrder {
  CheckpointId id = 0;
  std::int64_t timestamp_ms = 0;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  std::string folder;    // Where files go; empty: everything is part of the acknowledgement.
  bool as_base = false;  // All of the state, not what changed.
  // The job ends with it: sources read nothing more, event time goes to its end, operators finish.
  bool drains = false;
  friend bool operator==(const TaskCheckpointOrder&, const TaskCheckpointOrder&) = default;
};

// A barrier says that a checkpoint has begun, the order where its files go: the TaskManager adds
// the order before any task of its can send the barrier. Bounded: the newest are kept.
//
// Threads: all methods, any thread.
class CheckpointOrders {
 public:
  static constexpr std::size_t kOrdersMax = 256;

  void add(TaskCheckpointOrder order) {
    const MutexLock lock(mutex_);
    orders_.push_back(std::move(order));
    if (orders_.size() > kOrdersMax) orders_.pop_front();
  }
  [[nodiscard]] std::optional<TaskCheckpointOrder> find(CheckpointId id) const {
    const MutexLock lock(mutex_);
    for (const TaskCheckpointOrder& order : orders_) {
      if (order.id == id) return order;
    }
    return std::nullopt;
  }

 private:
  mutable Mutex mutex_;
  std::deque<TaskCheckpointOrder> orders_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
