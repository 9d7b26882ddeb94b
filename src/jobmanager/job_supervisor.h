// One job from its start to its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"
#include "jobmanager/alignment_groups.h"
#include "jobmanager/job_events.h"
#include "jobmanager/sink_commits.h"
#include "jobmanager/split_assigner.h"

namespace clepsydra {

class ConnectorRuntime;
class TaskManagerClient;

// What a supervisor uses; all of it outlives it.
struct JobServices {
  const Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  const ConnectorRuntime* connectors = nullptr;
  TextOutput* standard_output = nullptr;  // May be null.
  MemoryPool* memory = nullptr;
  TaskManagerClient* task_manager = nullptr;
  // Calls JobSupervisor::enumerator_timer(vertex) after a delay.
  std::function<void(const JobId& job, int vertex, std::int64_t delay_ms)> schedule;
  // Runs `work`, which blocks, elsewhere; then calls JobSupervisor::work_done() with its outcome.
  std::function<void(const JobId& job, std::function<Status()> work)> run_blocking;
  // The phase changed.
  std::function<void()> on_change;
};

// Events in, requests out: deploys the tasks, answers their sources, and when they have ended
// commits or aborts what the sinks prepared. The first failure is the root cause; it cancels
// everything else.
//
// Threads: one call at a time.
class JobSupervisor {
 public:
  // Checks what can be checked without running: connectors and their options.
  static Result<std::unique_ptr<JobSupervisor>> make(const JobId& id, JobGraph graph,
                                                     Configuration configuration,
                                                     JobServices services);

  // Starts the enumerators and asks the TaskManager for the tasks. On an error nothing runs.
  Status start();
  void cancel();

  void deployed(int attempt, const Status& status);
  void subtask_ended(SubtaskEnd end);
  void splits_requested(const SubtaskRef& subtask);
  void watermark_reported(const SubtaskRef& subtask, std::int64_t watermark);
  void metrics_reported(const SubtaskRef& subtask, SubtaskReport report);
  void enumerator_timer(int vertex);
  void work_done(const Status& status);

  [[nodiscard]] JobPhase phase() const { return phase_; }
  [[nodiscard]] JobStatus status() const;

 private:
  struct Subtask {
    bool has_ended = false;
    SubtaskReport report;
  };

  JobSupervisor(const JobId& id, JobGraph graph, Configuration configuration, JobServices services);
  Status make_sources();
  Status make_source(int vertex, const OperatorSpec& spec);
  // The subtask of this attempt, or null.
  Subtask* find(const SubtaskRef& subtask);
  void fail(const Status& status);
  void move_to(JobPhase phase);
  // After the last task: commit or abort.
  void settle_sinks();
  void send_limits(const std::vector<AlignmentGroups::Limit>& limits);
  [[nodiscard]] OperatorMetrics metrics_of(std::size_t vertex, std::size_t op) const;

  const JobId id_;
  const JobGraph graph_;
  const Configuration configuration_;  // Of the process and the job.
  const JobServices services_;
  const int attempt_ = 0;

  JobPhase phase_ = JobPhase::kCreated;
  Status error_;
  std::int64_t started_ms_ = 0;
  std::int64_t ended_ms_ = 0;
  std::vector<std::vector<Subtask>> subtasks_;  // By vertex.
  int live_ = 0;
  int finished_ = 0;
  std::map<int, std::unique_ptr<SplitAssigner>> sources_;  // By vertex.
  AlignmentGroups alignment_;
  std::shared_ptr<SinkCommits> sinks_;  // Shared with blocking work under way.
};

}  // namespace clepsydra
