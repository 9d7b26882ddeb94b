// From a job graph to tasks: builds the operators, wires gates and channels.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"
#include "stream/time_zone.h"
#include "taskmanager/checkpoint_orders.h"
#include "taskmanager/task_loop.h"

namespace clepsydra {

class ConnectorRuntime;
class OperatorRegistry;
class ResultExchange;
class LocalStores;
class StateBackendRegistry;
class TaskEvents;

// What the tasks of a TaskManager use; all of it outlives them.
struct TaskEnvironment {
  const Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  BlockingPool* blocking_pool = nullptr;
  const ConnectorRuntime* connectors = nullptr;
  const OperatorRegistry* operators = nullptr;
  const StateBackendRegistry* state_backends = nullptr;
  TextOutput* standard_output = nullptr;  // May be null.
  ResultExchange* results = nullptr;
  TaskEvents* events = nullptr;
  // For state on local disk, shared by who uses it. Empty: there is no place for that.
  std::function<Result<std::shared_ptr<LocalStores>>(const Configuration&)> open_local_stores = {};
  // Of the TaskManager; what a job carries wins.
  Configuration configuration;
};

// The tasks of one job, and what they share.
struct Deployment {
  JobId job;
  int attempt = 0;
  Configuration configuration;
  TimeZonePtr session_zone;
  std::shared_ptr<MemoryPool> pool;  // The job's.
  std::shared_ptr<CheckpointOrders> orders;
  std::shared_ptr<LocalStores> local_stores;  // Shared by the jobs of the process. May be null.

  // Whom each channel wakes: indices in `tasks`.
  struct Link {
    std::shared_ptr<LocalChannel> channel;
    std::size_t producer = 0;
    std::size_t consumer = 0;
  };
  std::vector<Link> links;

  // In the order of vertices and subtasks; null once the task has ended.
  std::vector<std::unique_ptr<Task>> tasks;
  std::vector<std::size_t> first_task;  // By vertex.
  std::size_t live_tasks = 0;
};

// Builds all subtasks of `graph`: one TaskManager runs a whole job as long as there are no channels
// between processes. With something to restore it reads files, and blocks. Errors name the task.
Result<std::unique_ptr<Deployment>> build_deployment(const JobGraph& graph, const JobId& job,
                                                     int attempt,
                                                     const std::vector<TaskRestore>& restores,
                                                     const std::vector<InFlightRestore>& in_flight,
                                                     std::shared_ptr<MemoryPool> pool,
                                                     const TaskEnvironment& environment);

// Adds the tasks to the workers, tells channels whom to wake, and lets the tasks run. `on_done`
// gets the index of a task that has ended, once, from a worker; the task may then be destroyed.
void start_tasks(Deployment& deployment, WorkerPool& workers,
                 const std::function<void(std::size_t task)>& on_done);

}  // namespace clepsydra
