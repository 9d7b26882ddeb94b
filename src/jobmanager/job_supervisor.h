// One job from its start to its end.
#pragma once

#include <cstddef>
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

// Events in, requests out. The regions of the job (graph/failover_regions.h) run in attempts: each
// deploys the tasks of a region and answers their sources; checkpoints of all regions go on beside
// them. When an attempt fails its tasks are cancelled, and when all have ended, and the restart
// strategy lets it, another one goes on from the last completed checkpoint, while the other regions
// run. What concerns the whole job (a commit, too many failed checkpoints, a checkpoint that cannot
// be read) ends the attempts of all regions, which then begin together. What sinks prepared is
// committed with the checkpoint that holds it, and at the end.
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
  [[nodiscard]] Result<std::shared_ptr<SinkCommits>> open_sinks() const;
  void set_regions(const std::vector<std::vector<int>>& regions);

  struct Region {
    std::vector<int> vertices;
    std::unique_ptr<JobAttempt> attempt;  // The last one.
    bool has_begun = false;               // `attempt` is more than a check.
    bool has_deployed = false;            // The tasks of `attempt` exist or have existed.
    bool is_over = true;                  // Its tasks end, the next one has not been deployed.
    bool waits = false;                   // For the time of the next attempt:
    int waits_for = 0;                    // that of this restart.
  };
  using Regions = std::vector<std::size_t>;

  Result<std::unique_ptr<JobAttempt>> make_attempt(std::size_t region, int number);
  enum class MayRestart : std::uint8_t { kYes, kNo };
  // Prepares, assigns state, recovers and deploys. Only what needs no files is done when it
  // returns; later errors go to beginning_failed().
  Status begin_attempts(const Regions& regions);
  Status prepare(const Regions& regions);
  // Gives those operators tasks of their own for which rows are in flight. Of all regions none has
  // run yet.
  Status unchain_restored();
  Status recover_and_deploy(const Regions& regions);
  Status deploy(const Regions& regions, const StateAssignment& assignment);
  void beginning_failed(const Regions& regions, const Status& reason, MayRestart may_restart);
  // The job is neither running on all regions nor at its end.
  [[nodiscard]] bool is_starting() const {
    return phase_ == JobPhase::kCreated || phase_ == JobPhase::kRestarting;
  }
  [[nodiscard]] bool is_live(const Region& region) const {
    return !region.is_over && (is_starting() || phase_ == JobPhase::kRunning);
  }
  [[nodiscard]] Regions all_regions() const;
  [[nodiscard]] std::size_t region_of(int vertex) const {
    return region_of_[static_cast<std::size_t>(vertex)];
  }
  // Of the subtask's vertex; null for what is no task of its last attempt.
  Region* find_region(const SubtaskRef& subtask);
  void deployment_failed(std::size_t region, const Status& status);
  void deployed(std::size_t region, const Status& status);

  // Unless the attempts are over already.
  void fail(const Regions& regions, const Status& reason,
            MayRestart may_restart = MayRestart::kYes);
  void give_up_attempts(const Regions& regions, const Status& reason, MayRestart may_restart);
  // How long to wait for the next attempt; none: there is none.
  std::optional<std::int64_t> decide_restart(const Status& reason, MayRestart may_restart);
  void end_attempts(const Regions& regions, const Status& reason);
  void restart_after(std::int64_t delay_ms, const Regions& regions);
  // After every event: takes the step that nothing stands in the way of any more.
  void go_on();
  void restart_ready();
  void move_to(JobPhase phase);
  [[nodiscard]] int subtask_count() const;

  // CheckpointedJob.
  std::vector<EnumeratorSnapshot> snapshot_enumerators() override;
  void attempt_failed(const Status& reason) override;
  void all_finished(std::vector<SinkCommittables> commit) override;
  void stopped(const std::string& location) override;

  const JobId id_;
  JobGraph graph_;                     // Its tasks may change before the first attempt.
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
  std::vector<Region> regions_;
  std::vector<std::size_t> region_of_;  // By vertex.
  int next_attempt_ = 0;
  int restarts_ = 0;
  // Attempts are on their way between begin_attempts() and deploy(). The number tells them from
  // those that were given up there.
  bool is_beginning_ = false;
  int beginnings_ = 0;
  bool restarts_together_ = false;      // All regions are over.
  bool is_beyond_checkpoints_ = false;  // Sinks commit what no checkpoint holds.
  bool cancel_was_asked_ = false;       // While they did.
  std::string stopped_with_;            // The savepoint after which it ends.
  bool has_cleaned_up_ = false;
};

}  // namespace clepsydra
