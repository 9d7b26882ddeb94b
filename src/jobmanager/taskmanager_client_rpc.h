// How the JobManager reaches a TaskManager.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/transport.h"
#include "checkpoint/checkpoint_coordinator.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"
#include "jobmanager/job_events.h"

namespace clepsydra {

// Encodes requests (proto/control.proto) and sends them; answers come as events
// (job_service_rpc.h). Errors are those of the transport.
//
// Threads: all methods, any thread.
class TaskManagerClient {
 public:
  TaskManagerClient(Transport& transport, std::string own_endpoint, std::string task_manager)
      : transport_(transport),
        own_endpoint_(std::move(own_endpoint)),
        task_manager_(std::move(task_manager)) {}

  // The tasks of `vertices`, which no edge connects with others. `restores`: of the tasks that go
  // on from a checkpoint; `in_flight`: of their channels.
  Status deploy(const JobId& job, int attempt, std::string job_graph,
                const std::vector<int>& vertices, const std::vector<TaskRestore>& restores,
                const std::vector<InFlightRestore>& in_flight);
  Status cancel_job(const JobId& job, int attempt);
  Status assign_splits(const SubtaskRef& subtask, std::vector<SourceSplit> splits,
                       bool no_more_splits);
  Status set_alignment_limit(const SubtaskRef& subtask, std::int64_t watermark);
  // `folder`: where files go; empty: everything is part of the acknowledgements.
  Status trigger_checkpoint(const JobId& job, int attempt, const TriggerTasks& trigger,
                            const std::string& folder);
  // Not completed: aborted.
  Status end_checkpoint(const JobId& job, int attempt, CheckpointId id, bool completed);
  Status release_job(const JobId& job);
  Status job_ended(const JobId& job);

 private:
  Status send(std::string bytes);

  Transport& transport_;
  const std::string own_endpoint_;
  const std::string task_manager_;
};

}  // namespace clepsydra
