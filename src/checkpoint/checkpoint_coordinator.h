// Decides when checkpoints and savepoints of a job begin, and how each ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/fwd.h"
#include "checkpoint/checkpoint_options.h"
#include "checkpoint/checkpoint_types.h"
#include "checkpoint/pending_checkpoint.h"
#include "checkpoint/uncommitted.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

// What becomes of the job after a savepoint.
enum class SavepointThen : std::uint8_t {
  kGoOn,
  kStop,   // It stops; rows after the savepoint are not committed.
  kDrain,  // Sources end before it and event time goes to its end: all windows fire.
};

// ---- Actions: what the owner carries out, in the order given. ----

// Snapshot the enumerators, then send the order to these tasks, then call triggered() or
// trigger_failed(). Without tasks (all have finished) only the enumerators are left to do.
struct TriggerTasks {
  CheckpointId id = 0;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  std::int64_t timestamp_ms = 0;
  bool as_base = false;
  SavepointThen then = SavepointThen::kGoOn;
  std::string folder;  // Of a savepoint; empty for a checkpoint, which goes to the job's folder.
  std::vector<SubtaskIndex> tasks;
};
// Make the metadata durable, then call metadata_stored() or metadata_failed().
struct StoreMetadata {
  CheckpointMetadata metadata;
  std::string folder;  // As in TriggerTasks.
};
// It is durable. Commit `commit` (empty for a savepoint after which the job goes on: what its
// sinks prepared is in the next checkpoint too); a checkpoint is the one to restore from now on.
// Tell the tasks: end_checkpoint(id, tell_completed).
struct CompleteCheckpoint {
  CheckpointMetadata metadata;
  std::string location;  // As metadata_stored() said.
  std::vector<SinkCommittables> commit;
  // False for a savepoint: nothing may build upon its files, which belong to somebody else.
  bool tell_completed = true;
};
// It will never complete. Tell the tasks, then remove what was written for it.
struct AbortCheckpoint {
  CheckpointId id = 0;
  CheckpointKind kind = CheckpointKind::kCheckpoint;
  std::string folder;  // As in TriggerTasks.
  Status reason;
  std::vector<StateFile> files;  // Of acknowledgements, those of completed ones among them.
};
// An acknowledgement came after its checkpoint was aborted: its files, but for those that completed
// checkpoints use, are nobody's.
struct DiscardFiles {
  CheckpointId id = 0;
  std::vector<StateFile> files;
};
// Prepared in an attempt that is over and part of no completed checkpoint: take it back.
struct DiscardCommittables {
  std::vector<SinkCommittables> committables;
};
// The answer to request_savepoint().
struct AnswerSavepoint {
  std::int64_t request = 0;
  Status status;
  std::string location;  // When it is ok.
};
// Too many checkpoints in a row have failed: fail the job's attempt. end_all() has been done.
struct FailAttempt {
  Status reason;
};
// The savepoint after which the job stops is complete, and what it commits was given before: end
// the tasks, the job has finished. end_all() has been done.
struct StopJob {
  std::string location;
};
// All tasks have finished, and a completed checkpoint has all that they prepared; without periodic
// checkpoints what is left is in `commit`. The job has finished when that is committed.
struct AllFinished {
  std::vector<SinkCommittables> commit;
};

using CheckpointAction =
    std::variant<TriggerTasks, StoreMetadata, CompleteCheckpoint, AbortCheckpoint, DiscardFiles,
                 DiscardCommittables, AnswerSavepoint, FailAttempt, StopJob, AllFinished>;
using CheckpointActions = std::vector<CheckpointAction>;

// For status and metrics.
struct CheckpointCounts {
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  CheckpointId last_completed = 0;
  std::int64_t last_completed_ms = 0;  // Wall time of its end.
  std::int64_t last_duration_ms = 0;
  std::int64_t last_state_bytes = 0;    // All it consists of.
  std::int64_t last_written_bytes = 0;  // New for it.
  std::string last_location;
  Status last_failure;
};

// A pure state machine: events in, actions out. Knows no message, file or thread; asks the clock.
//
// A job consists of regions, which fail and start anew on their own. Each runs from start_region()
// to end_region(), and the job from the first start to the last end or end_all(); checkpoints begin
// while all regions run. Ids ascend over all attempts. At most
// options.max_concurrent checkpoints and savepoints are pending at a time; a metadata file is
// stored one at a time. Everything triggered ends in CompleteCheckpoint or AbortCheckpoint.
// Events of another attempt, or for an id that is not pending, change nothing, but what sinks
// prepared for an aborted checkpoint of this attempt is kept for the next that completes.
//
// Threads: one call at a time.
class CheckpointCoordinator {
 public:
  // `first_id`: above all ids that the job's folder knows. The clock outlives it.
  CheckpointCoordinator(CheckpointOptions options, CheckpointTopology topology, std::string job_id,
                        CheckpointId first_id, const Clock& clock);

  // All tasks of a region run, in its attempt of this number. `first_is_base`: until a checkpoint
  // completes, none builds upon what was restored (its files belong to somebody else). Not while
  // is_storing().
  CheckpointActions start_region(std::size_t region, int attempt, bool first_is_base);
  // The attempt of a region, or of all, has failed or was cancelled. What is being stored may still
  // complete: only when is_storing() is false it is known what the next attempt restores from.
  CheckpointActions end_region(std::size_t region, const Status& reason);
  CheckpointActions end_all(const Status& reason);
  [[nodiscard]] bool is_storing() const { return storing_ != 0; }

  // Something may be due: to be called at wake_at_ns(), harmless at any time.
  CheckpointActions on_time();
  // Clock::monotonic_ns() of the next due moment; none: only events matter.
  [[nodiscard]] std::optional<std::int64_t> wake_at_ns() const;

  // TriggerTasks was carried out (or not).
  CheckpointActions triggered(CheckpointId id, std::vector<EnumeratorSnapshot> enumerators);
  CheckpointActions trigger_failed(CheckpointId id, const Status& reason);

  CheckpointActions acknowledged(int attempt, SubtaskIndex task, CheckpointId id,
                                 TaskSnapshot snapshot);
  // A reason of kCancelled is no failure: the checkpoint gave way to a newer one.
  CheckpointActions declined(int attempt, SubtaskIndex task, CheckpointId id, const Status& reason);
  // With what its sinks prepared at their end, after all barriers.
  CheckpointActions task_finished(int attempt, SubtaskIndex task,
                                  const std::vector<OperatorSnapshot>& committables);

  CheckpointActions metadata_stored(CheckpointId id, std::string location);
  CheckpointActions metadata_failed(CheckpointId id, const Status& reason);

  // `request`: the caller's number, in the answer. `folder`: empty and not used by anything else.
  CheckpointActions request_savepoint(std::int64_t request, std::string folder, SavepointThen then);

  [[nodiscard]] const CheckpointCounts& counts() const { return counts_; }
  [[nodiscard]] int pending() const { return static_cast<int>(pending_.size()); }

  static constexpr std::size_t kSavepointsQueuedMax = 100;
  // A checkpoint that a task's end has spoiled is tried again so soon.
  static constexpr std::int64_t kRetryMs = 50;

 private:
  struct Savepoint {
    std::int64_t request = 0;
    std::string folder;
    SavepointThen then = SavepointThen::kGoOn;
  };
  struct Pending {
    PendingCheckpoint checkpoint;
    std::optional<Savepoint> savepoint;
    std::int64_t triggered_ms = 0;  // Monotonic.
  };
  // Whether an abort is a failure of checkpointing.
  enum class Blame : std::uint8_t { kFailure, kNothing };

  struct Region {
    int attempt = -1;
    bool runs = false;
  };

  [[nodiscard]] std::int64_t now_ms() const;
  [[nodiscard]] bool do_all_run() const;
  // It comes from a task of the attempt that runs.
  [[nodiscard]] bool is_current(int attempt, SubtaskIndex task) const;
  [[nodiscard]] bool have_all_finished() const { return finished_ == topology_.tasks(); }
  [[nodiscard]] bool is_stopping() const;
  [[nodiscard]] bool has_room() const;
  // Periodic ones are wanted at all.
  [[nodiscard]] bool is_periodic() const;
  // The earliest moment for the next periodic one.
  [[nodiscard]] std::int64_t due_ms() const;

  // All that is possible now: times out, stores, begins, finishes.
  void go_on(CheckpointActions& actions);
  void expire(CheckpointActions& actions);
  void store_next(CheckpointActions& actions);
  void begin_due(CheckpointActions& actions);
  void begin(std::optional<Savepoint> savepoint, CheckpointActions& actions);
  // After the last task.
  void settle(CheckpointActions& actions);
  void complete(Pending pending, std::string location, CheckpointActions& actions);
  void complete_savepoint(const Pending& pending, const std::string& location,
                          CheckpointActions& actions);
  void abort(CheckpointId id, const Status& reason, Blame blame, CheckpointActions& actions);
  void forget_committed(const CheckpointMetadata& metadata);
  void count(const Pending& pending, const std::string& location);
  void end(const Status& reason, CheckpointActions& actions);
  // All checkpoints that are not being stored, and savepoints that have not begun.
  void give_up_pending(const Status& reason, CheckpointActions& actions);
  // Of regions that do not run any more.
  void discard_uncommitted(CheckpointActions& actions);

  const CheckpointOptions options_;
  const std::string job_id_;
  const CheckpointTopology topology_;
  const Clock& clock_;

  CheckpointId next_id_;
  std::vector<Region> regions_;
  std::set<std::size_t> lost_;  // Regions that ended; what their sinks prepared is to be discarded.
  bool is_running_ = false;     // Some region runs.
  bool has_settled_ = false;    // AllFinished was said.
  bool must_be_base_ = false;
  int failures_ = 0;                         // In a row.
  std::int64_t next_periodic_ms_ = 0;        // Monotonic, like all moments here.
  std::optional<std::int64_t> last_end_ms_;  // When the last one completed.
  std::map<CheckpointId, Pending> pending_;
  CheckpointId storing_ = 0;          // One of pending_, or 0.
  std::deque<Savepoint> savepoints_;  // Asked for, not begun.
  std::set<SubtaskIndex> finished_;
  // The newest checkpoint that a task has answered: what is not newer is known.
  std::map<SubtaskIndex, CheckpointId> answered_;
  Uncommitted uncommitted_;
  CheckpointId overtaken_by_ = 0;  // Older ones pending have what is remembered as committed.
  CheckpointCounts counts_;
};

}  // namespace clepsydra
