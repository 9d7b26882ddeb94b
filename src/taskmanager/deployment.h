// From a job graph to tasks: builds the operators, wires gates and channels.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "stream/time_zone.h"
#include "taskmanager/checkpoint_orders.h"
#include "taskmanager/task_loop.h"

namespace clepsydra {

class ConnectorRuntime;
class OperatorRegistry;
class ResultExchange;
class LocalCopies;
class LocalCopyPlaces;
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
  LocalCopyPlaces* local_copies = nullptr;  // Null: there are none.
  // Of the TaskManager; what a job carries wins.
  Configuration configuration;
};

// Counts who shares the memory for state of a slot: subtasks of one number, of all deployments of a
// job. Threads: any.
class SlotSharers {
 public:
  std::shared_ptr<std::atomic<int>> of_slot(int subtask);

 private:
  Mutex mutex_;
  std::map<int, std::shared_ptr<std::atomic<int>>> by_subtask_ CLP_GUARDED_BY(mutex_);
};

// The tasks of one attempt of a region of a job, and what they share.
struct Deployment {
  JobId job;
  int attempt = 0;
  std::vector<int> vertices;  // Ascending.
  Configuration configuration;
  TimeZonePtr session_zone;
  std::shared_ptr<MemoryPool> pool;  // The job's.
  std::shared_ptr<CheckpointOrders> orders;
  std::shared_ptr<LocalStores> local_stores;  // Shared by the jobs of the process. May be null.
  std::shared_ptr<LocalCopies> local_copies;  // The same.

  // Whom each channel wakes: indices in `tasks`.
  struct Link {
    std::shared_ptr<LocalChannel> channel;
    std::size_t producer = 0;
    std::size_t consumer = 0;
  };
  std::vector<Link> links;

  // In the order of vertices and subtasks; null once the task has ended.
  std::vector<std::unique_ptr<Task>> tasks;
  std::vector<std::size_t> first_task;  // By vertex; of one of other deployments, the next one's.
  std::size_t live_tasks = 0;
};

// What a deployment is built from.
struct DeploymentPlan {
  JobId job;
  int attempt = 0;
  JobGraph graph;
  std::vector<int> vertices;  // Ascending, not connected with others.
  std::vector<TaskRestore> restores;
  std::vector<InFlightRestore> in_flight;
};

// Builds all subtasks of the vertices: one TaskManager runs a whole region as long as there are no
// channels between processes. With something to restore it reads files, and blocks. Errors name the
// task.
Result<std::unique_ptr<Deployment>> build_deployment(const DeploymentPlan& plan,
                                                     std::shared_ptr<MemoryPool> pool,
                                                     SlotSharers& sharers,
                                                     const TaskEnvironment& environment);

// Adds the tasks to the workers, tells channels whom to wake, and lets the tasks run. `on_done`
// gets the index of a task that has ended, once, from a worker; the task may then be destroyed.
void start_tasks(Deployment& deployment, WorkerPool& workers,
                 const std::function<void(std::size_t task)>& on_done);

}  // namespace clepsydra
