// One job from its start to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "checkpoint/checkpoint_options.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"
#include "jobmanager/job_attempt.h"
#include "jobmanager/job_checkpoints.h"
#include "jobmanager/job_events.h"
#include "jobmanager/job_services.h"
#include "jobmanager/job_work.h"
#include "jobmanager/restart/restart_strategy.h"
#include "jobmanager/sink_commits.h"

namespace clepsydra {

// Events in, requests out. An attempt deploys the tasks and answers their sources; checkpoints go
// on beside it. When an attempt fails its tasks are cancelled, and when all have ended the restart
// strategy decides whether another one goes on from the last completed checkpoint. The first
// failure of an attempt is its root cause. What sinks prepared is committed with the checkpoint
// that holds it, and at the end.
//
// Threads: one call at a time. Services are called from within its methods, and never call back
// from there.
class JobSupervisor final : private CheckpointedJob {
 public:
  // Checks what can be checked without running: options, connectors.
  static Result<std::unique_ptr<JobSupervisor>> make(const JobId& id, JobGraph graph,
                                                     Configuration configuration,
                                                     JobServices services);

  // Starts the enumerators and asks the TaskManager for the tasks; when there are files to be read
  // before, that happens later. On an error nothing runs.
  Status start();
  void cancel();
  // The number to ask savepoint() with; what is wrong is in the answer. `dir` may be empty.
  std::int64_t request_savepoint(std::string dir, SavepointThen then);
  [[nodiscard]] Result<SavepointStatus> savepoint(std::int64_t request) const {
    return checkpoints_->savepoint(request);
  }

  void deployed(int attempt, const Status& status);
  void subtask_ended(SubtaskEnd end);
  void splits_requested(const SubtaskRef& subtask);
  void watermark_reported(const SubtaskRef& subtask, std::int64_t watermark);
  void metrics_reported(const SubtaskRef& subtask, SubtaskReport report);
  void checkpoint_acknowledged(const SubtaskRef& subtask, CheckpointId id,
                               const std::string& snapshot);
  void checkpoint_declined(const SubtaskRef& subtask, CheckpointId id, const Status& reason);

  [[nodiscard]] JobPhase phase() const { return phase_; }
  [[nodiscard]] const Status& error() const { return error_; }
  [[nodiscard]] JobStatus status() const;

 private:
  JobSupervisor(const JobId& id, JobGraph graph, Configuration configuration, JobServices services);
  Status open();

  Result<std::unique_ptr<JobAttempt>> make_attempt(int number);
  // Prepares, assigns state, recovers and deploys. Only what needs no files is done when it
  // returns; later errors go to deployment_failed().
  Status begin_attempt();
  Status recover_and_deploy();
  Status deploy(const StateAssignment& assignment);
  // Neither has the attempt that is beginning failed nor was the job cancelled.
  [[nodiscard]] bool is_starting() const {
    return !is_attempt_over_ && (phase_ == JobPhase::kCreated || phase_ == JobPhase::kRestarting);
  }
  void deployment_failed(const Status& status);

  enum class MayRestart : std::uint8_t { kYes, kNo };
  // Unless the attempt is over already.
  void fail(const Status& reason, MayRestart may_restart = MayRestart::kYes);
  void give_up_attempt(const Status& reason, MayRestart may_restart);
  // How long to wait for the next attempt; none: there is none.
  std::optional<std::int64_t> decide_restart(const Status& reason, MayRestart may_restart);
  void end_attempt(const Status& reason);
  void restart_after(std::int64_t delay_ms);
  // After every event: takes the step that nothing stands in the way of any more.
  void go_on();
  void move_to(JobPhase phase);
  [[nodiscard]] int subtask_count() const;

  // CheckpointedJob.
  std::vector<EnumeratorSnapshot> snapshot_enumerators() override;
  void attempt_failed(const Status& reason) override;
  void all_finished(std::vector<SinkCommittables> commit) override;
  void stopped(const std::string& location) override;

  const JobId id_;
  const JobGraph graph_;
  const Configuration configuration_;  // Of the process and the job.
  JobServices services_;
  JobWork work_;

  JobPhase phase_ = JobPhase::kCreated;
  Status error_;
  Status last_failure_;
  std::int64_t started_ms_ = 0;
  std::int64_t ended_ms_ = 0;
  std::unique_ptr<RestartStrategy> strategy_;
  std::shared_ptr<SinkCommits> sinks_;  // Shared with work under way.
  std::unique_ptr<JobCheckpoints> checkpoints_;
  std::unique_ptr<JobAttempt> attempt_;  // The last one.
  int restarts_ = 0;
  bool has_begun_ = false;              // attempt_ is more than a check.
  bool has_deployed_ = false;           // The tasks of attempt_ exist or have existed.
  bool is_attempt_over_ = false;        // Its tasks end, the next one has not begun.
  bool waits_ = false;                  // For the time of the next attempt.
  bool is_beyond_checkpoints_ = false;  // Sinks commit what no checkpoint holds.
  std::string stopped_with_;            // The savepoint after which it ends.
  bool has_cleaned_up_ = false;
};

}  // namespace clepsydra
