// Accepts jobs and sees them through: the control plane of a cluster.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"

namespace clepsydra {

struct CompletedCheckpoint;
class ConnectorRuntime;

struct JobManagerOptions {
  std::string endpoint = "jobmanager";
  std::string task_manager = "taskmanager";
  Transport* transport = nullptr;
  WorkerPool* worker_pool = nullptr;      // For timers.
  BlockingPool* blocking_pool = nullptr;  // For commits.
  const Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  const ConnectorRuntime* connectors = nullptr;
  TextOutput* standard_output = nullptr;  // May be null.
  MemoryPool* memory = nullptr;
  Random* random = nullptr;  // For job ids.
  // Of the process; what a job carries wins.
  Configuration configuration;
  // As in JobServices; may be empty.
  std::function<Result<std::shared_ptr<void>>(const std::string& directory)> lock_directory;
  std::function<Status(const JobGraph& graph, const Configuration& configuration,
                       const CompletedCheckpoint& checkpoint)>
      check_state;
  // A job's phase has changed. Must not call the JobManager.
  std::function<void()> on_change;
};

// Listens at its endpoint for what TaskManagers tell (proto/control.proto).
//
// Threads: all methods, any thread; destruction when nothing of the worker and blocking pools runs
// any more for a job that has not ended.
class JobManager {
 public:
  // Jobs that have ended are remembered up to this number.
  static constexpr std::size_t kEndedJobsMax = 1000;

  static Result<std::unique_ptr<JobManager>> start(JobManagerOptions options);
  ~JobManager();
  JobManager(const JobManager&) = delete;
  JobManager& operator=(const JobManager&) = delete;

  Result<JobId> submit(const JobGraph& graph);
  Result<JobStatus> status(const JobId& id) const;
  // Only the phase and the error: cheap to ask again and again.
  Result<JobPhase> phase(const JobId& id) const;
  Status cancel(const JobId& id);
  void cancel_all();
  // Asks for a savepoint below `dir` (empty: the configured folder); stop(): for one after which
  // the job ends, with `drain` after its sources have. The number is for savepoint_status().
  Result<std::int64_t> savepoint(const JobId& id, std::string dir);
  Result<std::int64_t> stop(const JobId& id, std::string dir, bool drain);
  // The last 100 answers are remembered; of a job that has ended as long as the job is.
  Result<SavepointStatus> savepoint_status(const JobId& id, std::int64_t request) const;
  // No job is under way.
  [[nodiscard]] bool all_ended() const;

 private:
  class Impl;
  explicit JobManager(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // Shared with timers and blocking work that may be under way.
};

}  // namespace clepsydra
