// What a TaskManager tells the JobManager; the way there is in jobmanager_client_rpc.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "taskmanager/task_id.h"
#include "taskmanager/task_metrics.h"
#include "taskmanager/task_phase.h"

namespace clepsydra {

// What the sink writers of one operator subtask prepared.
struct OperatorCommittables {
  int op = 0;  // In the task's chain.
  std::vector<std::string> committables;
};

struct TaskEnd {
  TaskId task;
  TaskPhase phase = TaskPhase::kFinished;  // One of the ends.
  Status status;                           // Why it failed.
  std::vector<OperatorCommittables> committables;
  TaskMetricsSnapshot metrics;
};

// Threads: all methods, any thread.
class TaskEvents {
 public:
  virtual ~TaskEvents() = default;
  virtual void request_splits(const TaskId& task) = 0;
  virtual void report_alignment(const TaskId& task, std::int64_t watermark) = 0;
  virtual void task_ended(TaskEnd end) = 0;
  virtual void checkpoint_acknowledged(const TaskId& task, CheckpointId checkpoint,
                                       const TaskSnapshot& snapshot) = 0;
  // The task gives nothing to this checkpoint; it goes on. A reason of kCancelled is no failure:
  // the checkpoint gave way to a newer one, or to the end of the task.
  virtual void checkpoint_declined(const TaskId& task, CheckpointId checkpoint,
                                   const Status& reason) = 0;
};

}  // namespace clepsydra
