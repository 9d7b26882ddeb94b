// Runs the tasks of jobs: what a process that is not the JobManager does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/fwd.h"
#include "clepsydra/status.h"
#include "taskmanager/deployment.h"

namespace clepsydra {

struct TaskManagerOptions {
  std::string endpoint = "taskmanager";
  std::string job_manager = "jobmanager";
  Transport* transport = nullptr;
  WorkerPool* worker_pool = nullptr;
  // Its events are the TaskManager's own; the rest is passed on to tasks.
  TaskEnvironment environment;
  std::shared_ptr<MemoryPool> memory;  // The process's.
  std::int64_t metrics_every_ms = 200;
  // The last task of a job is gone. Must not call the TaskManager. May be empty.
  std::function<void()> on_change;
};

// Listens at its endpoint for the messages of proto/control.proto and reports to the JobManager.
//
// Threads: construction and destruction one; the rest happens on the worker pool. Destroy it when
// no task runs any more, or after the pool was shut down.
class TaskManager {
 public:
  static Result<std::unique_ptr<TaskManager>> start(TaskManagerOptions options);
  ~TaskManager();
  TaskManager(const TaskManager&) = delete;
  TaskManager& operator=(const TaskManager&) = delete;

  // Tasks that have not ended, and deployments that have not begun.
  [[nodiscard]] std::int64_t live_tasks() const;

 private:
  class Impl;
  explicit TaskManager(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // Shared with timers that may be under way.
};

}  // namespace clepsydra
