// What a TaskManager is asked to do, decoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "taskmanager/checkpoint_orders.h"
#include "taskmanager/task_id.h"

namespace clepsydra {

// Tasks to be built, and what they start with. The last three are errors when their bytes are not
// valid.
struct DeploymentOrder {
  JobId job;
  int attempt = 0;
  std::vector<int> vertices;  // None: all of the graph.
  Result<JobGraph> graph = JobGraph();
  Result<std::vector<TaskRestore>> restores = std::vector<TaskRestore>();
  Result<std::vector<InFlightRestore>> in_flight = std::vector<InFlightRestore>();
};

// Threads: the endpoint's, one call at a time.
class TaskService {
 public:
  virtual ~TaskService() = default;
  virtual void deploy(DeploymentOrder order) = 0;
  virtual void cancel_job(const JobId& job, int attempt) = 0;
  virtual void assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                             bool no_more_splits) = 0;
  virtual void set_alignment_limit(const TaskId& task, std::int64_t watermark) = 0;
  // `tasks`, as (vertex, subtask), have no input that lives: they begin the checkpoint.
  virtual void trigger_checkpoint(const JobId& job, int attempt, TaskCheckpointOrder order,
                                  std::vector<std::pair<int, int>> tasks) = 0;
  // Not completed: aborted.
  virtual void end_checkpoint(const JobId& job, int attempt, CheckpointId id, bool completed) = 0;
  virtual void release_job(const JobId& job) = 0;
  virtual void job_ended(const JobId& job) = 0;
};

// Decodes one message of proto/control.proto and makes the call. InvalidArgument for other bytes.
Status dispatch_to_task_service(std::string_view bytes, TaskService& service);

}  // namespace clepsydra
