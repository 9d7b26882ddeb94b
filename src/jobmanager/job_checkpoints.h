// The checkpoints of one job: carries out what the coordinator decides.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint_coordinator.h"
#include "checkpoint/checkpoint_storage.h"
#include "checkpoint/completed_checkpoint_store.h"
#include "checkpoint/state_assignment.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"
#include "jobmanager/job_events.h"
#include "jobmanager/job_services.h"
#include "jobmanager/job_work.h"
#include "jobmanager/sink_commits.h"

namespace clepsydra {

// Whose checkpoints they are.
class CheckpointedJob {
 public:
  virtual ~CheckpointedJob() = default;
  virtual std::vector<EnumeratorSnapshot> snapshot_enumerators() = 0;
  // Too many checkpoints have failed, or what a completed one holds could not be committed.
  virtual void attempt_failed(const Status& reason) = 0;
  // All tasks have finished. `commit`: what no checkpoint has committed.
  virtual void all_finished(std::vector<SinkCommittables> commit) = 0;
  // The job is to end: the savepoint holds all there is.
  virtual void stopped(const std::string& location) = 0;
};

struct JobCheckpointsOptions {
  JobId job;
  const JobGraph* graph = nullptr;
  std::vector<std::vector<int>> regions;  // Vertices that fail and start anew together.
  CheckpointOptions checkpoints;
  RecoveryOptions recovery;
  // All outlive it.
  const Configuration* configuration = nullptr;  // Of the job.
  const JobServices* services = nullptr;
  JobWork* work = nullptr;
  CheckpointedJob* owner = nullptr;
  std::shared_ptr<SinkCommits> sinks;  // Shared with work under way.
};

// Messages to tasks go out at once; files, metadata and commits are work, in the order of the
// decisions. Where there is no folder for checkpoints they are kept in memory, state and all.
//
// Threads: one call at a time. Its callbacks into the owner come from within its methods.
class JobCheckpoints {
 public:
  explicit JobCheckpoints(JobCheckpointsOptions options);

  // Opens the job's folder and finds what the job starts from, then calls `done`. To be called
  // once; again after may_fall_back().
  void prepare(JobWork::Done done);
  [[nodiscard]] bool needs_preparation() const;

  // Of what the next attempts start with: see checkpoint/state_assignment.h. Nothing once an
  // attempt has run, as checkpoints know the tasks by number.
  [[nodiscard]] std::vector<std::pair<int, int>> chained_over() const;
  // The graph, at its old address, has other tasks. To be called before an attempt has run.
  void tasks_changed(std::vector<std::vector<int>> regions, std::shared_ptr<SinkCommits> sinks);

  // What the next attempts start with: nothing, or the last completed checkpoint.
  [[nodiscard]] Result<StateAssignment> assign() const;
  // Commits (again) what of that checkpoint was assigned, and removes what died with earlier
  // attempts, then calls `done`. No task of the regions that begin runs meanwhile, and no work is
  // under way when it is called. When a commit has failed, all regions begin.
  void recover(const StateAssignment& assignment, JobWork::Done done);
  // False: there is nothing to do.
  [[nodiscard]] bool needs_recovery(const StateAssignment& assignment) const;
  // The deployment of what assign() gave has failed with DataLoss. True: there is an older
  // checkpoint, or may be one after prepare().
  bool fall_back(const Status& reason);
  // A checkpoint or savepoint that the next attempt starts from.
  [[nodiscard]] bool has_restore_point() const { return store_.latest() != nullptr; }

  void start_region(std::size_t region, int attempt);
  void end_region(std::size_t region, const Status& reason);
  void end_all(const Status& reason);
  // Metadata is being stored: not known yet what the next attempt starts from.
  [[nodiscard]] bool is_storing() const { return coordinator_ && coordinator_->is_storing(); }

  // `snapshot` as in a message.
  void acknowledged(const SubtaskRef& subtask, CheckpointId id, const std::string& snapshot);
  void declined(const SubtaskRef& subtask, CheckpointId id, const Status& reason);
  // `has_finished`: to its end, not cancelled or failed.
  void task_ended(const SubtaskRef& subtask, bool has_finished,
                  std::vector<PreparedCommittables> committables);

  // The number to ask savepoint() with. `dir` may be empty: the configured one. `may_run`: the
  // job is in a state to take one.
  std::int64_t request_savepoint(std::string dir, SavepointThen then, bool may_run);
  [[nodiscard]] Result<SavepointStatus> savepoint(std::int64_t request) const;

  // The job has ended and no work is under way: removes checkpoints that are not to be kept, then
  // calls `done`, at once when there is nothing to do.
  void clean_up(JobPhase end, JobWork::Done done);

  void tell(JobStatus& status) const;

  // Answers of savepoints are remembered up to this number.
  static constexpr std::size_t kAnswersMax = 100;

 private:
  struct Found {
    std::optional<CheckpointStorage> storage;
    CheckpointId highest_id = 0;
    std::optional<FoundCheckpoint> checkpoint;
    std::map<std::string, std::shared_ptr<void>> locks;
  };

  // A folder that two processes must not write, or go on from at once. `is_own`: else a folder that
  // cannot be locked is read all the same.
  static Status lock(const JobServices& services, const std::string& folder, bool is_own,
                     Found& found);

  // What else is wrong with the checkpoint than that its operators cannot read it is found later,
  // when an older one may do.
  static Status check_state(const JobCheckpointsOptions& options,
                            const CompletedCheckpoint& checkpoint);
  void take_found(Found found);
  // It comes from a task of an attempt that runs.
  [[nodiscard]] bool runs(const SubtaskRef& subtask) const;
  // An earlier attempt may have left files.
  [[nodiscard]] bool has_orphans() const { return !storage_.folder().empty() && coordinator_; }
  void execute(CheckpointActions actions);
  void carry_out(const TriggerTasks& action);
  void carry_out(StoreMetadata action);
  void carry_out(CompleteCheckpoint action);
  void carry_out(AbortCheckpoint action);
  void carry_out(DiscardFiles action);
  void carry_out(DiscardCommittables action);
  void carry_out(AnswerSavepoint action);
  void carry_out(const FailAttempt& action);
  void carry_out(const StopJob& action);
  void carry_out(AllFinished action);
  void end_at_tasks(CheckpointId id, bool completed);
  void remove_aborted(CheckpointId id, std::string folder, std::vector<StateFile> files);
  void remove(CheckpointRemoval removal);
  void keep_everything(CheckpointId id);
  void discard(std::vector<SinkCommittables> committables);
  void answer(std::int64_t request, Status status, std::string location);
  // Calls on_time() when the coordinator wants it.
  void set_timer();
  // Work whose failure is only worth a line in the log.
  void add_work(std::string what, JobWork::Work work);

  JobCheckpointsOptions options_;
  CheckpointStorage storage_;
  CompletedCheckpointStore store_;
  std::optional<CheckpointCoordinator> coordinator_;  // From the first attempt on.
  CheckpointId first_id_ = 1;
  FileCheck file_check_ = FileCheck::kSize;
  bool keeps_everything_ = false;  // A checkpoint that was given up may be complete.
  bool is_prepared_ = false;
  std::map<std::string, std::shared_ptr<void>> locks_;  // By folder; until the job has ended.
  std::string restored_path_;
  std::string restored_job_;  // Whose leftovers are to be removed; empty: nobody's.
  struct Region {
    int attempt = -1;  // The last one that was started.
    bool runs = false;
  };
  std::vector<Region> regions_;

  std::deque<CheckpointAction> actions_;
  bool is_executing_ = false;
  std::optional<CompletedCheckpoint> stored_;  // Between metadata_stored() and its action.
  std::optional<std::int64_t> timer_ns_;       // When the next timer fires.

  struct Savepoint {
    SavepointStatus status;
    std::string folder;
  };
  std::map<std::int64_t, Savepoint> savepoints_;
  std::int64_t next_request_ = 1;
  Random random_;
};

}  // namespace clepsydra
