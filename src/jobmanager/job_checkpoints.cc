#include "jobmanager/job_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/logging.h"
#include "checkpoint/checkpoint_codec.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {
namespace {

constexpr CheckpointId kAllIds = std::numeric_limits<CheckpointId>::max();

std::string of_job(const JobId& job, std::string_view what) {
  return fmt::format("job {}: {}", job.to_string(), what);
}

std::vector<SinkCommittables> committables_of(const TaskSnapshot& snapshot, int vertex) {
  std::vector<SinkCommittables> sinks;
  for (const OperatorSnapshot& op : snapshot.operators) {
    if (!op.committables.empty()) sinks.push_back({vertex, op.op, op.committables});
  }
  return sinks;
}

// Whether it is certain that a checkpoint that could not be stored is not there.
bool forget_unstored(const CheckpointStorage& storage, CheckpointId id, const std::string& folder) {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    if (storage.forget(id, folder).is_ok()) return true;
  }
  return false;
}

}  // namespace

JobCheckpoints::JobCheckpoints(JobCheckpointsOptions options)
    : options_(std::move(options)),
      storage_(CheckpointStorage::for_savepoints(*options_.services->file_system)),
      store_(options_.checkpoints.num_retained),
      regions_(options_.regions.size()),
      random_(options_.services->random.fork("savepoints")) {
  for (const std::string& overruled : options_.checkpoints.overruled) {
    CLP_LOG(kWarning, "jobmanager", of_job(options_.job, overruled));
  }
}

// ---- Before an attempt ----

bool JobCheckpoints::needs_preparation() const {
  if (is_prepared_) return false;
  const bool has_folder = options_.checkpoints.is_enabled() && !options_.checkpoints.dir.empty();
  return has_folder || !options_.recovery.path.empty();
}

void JobCheckpoints::prepare(JobWork::Done done) {
  const auto found = std::make_shared<Found>();
  found->locks = locks_;
  FileSystem* files = options_.services->file_system;
  const bool opens = options_.checkpoints.is_enabled() && !options_.checkpoints.dir.empty() &&
                     storage_.folder().empty();
  const auto work = [found, files, services = options_.services, opens, options = &options_,
                     dir = options_.checkpoints.dir, job = options_.job.to_string(),
                     path = options_.recovery.path, check = file_check_]() -> Status {
    if (!path.empty()) {
      CLP_ASSIGN_OR_RETURN(found->checkpoint, find_checkpoint(*files, path, check));
      // Who has made it may have died just before that: what is committed because of it must not
      // outlive it.
      CLP_RETURN_IF_ERROR(files->sync_directory(found->checkpoint->checkpoint.metadata_folder));
      const CompletedCheckpoint& checkpoint = found->checkpoint->checkpoint;
      if (checkpoint.metadata.kind == CheckpointKind::kCheckpoint) {
        CLP_RETURN_IF_ERROR(lock(*services, checkpoint.folder, /*is_own=*/false, *found)
                                .with_context("the job whose checkpoint it is still runs, or "
                                              "another one has gone on from it"));
      }
      CLP_RETURN_IF_ERROR(check_state(*options, checkpoint));
    }
    if (!opens) return Status::ok();
    CLP_ASSIGN_OR_RETURN(found->storage, CheckpointStorage::open(*files, dir, job));
    CLP_RETURN_IF_ERROR(lock(*services, found->storage->folder(), /*is_own=*/true, *found));
    CLP_ASSIGN_OR_RETURN(found->highest_id, found->storage->highest_id());
    return Status::ok();
  };
  options_.work->add(work, [this, found, done = std::move(done)](const Status& status) {
    if (status.is_ok()) take_found(std::move(*found));
    done(status);
  });
}

Status JobCheckpoints::lock(const JobServices& services, const std::string& folder, bool is_own,
                            Found& found) {
  if (!services.lock_directory || found.locks.contains(folder)) return Status::ok();
  Result<std::shared_ptr<void>> locked = services.lock_directory(folder);
  if (locked.is_ok()) {
    found.locks[folder] = *std::move(locked);
    return Status::ok();
  }
  // Nobody writes where we cannot.
  const bool is_taken = locked.status().code() == StatusCode::kFailedPrecondition;
  return is_own || is_taken ? locked.status() : Status::ok();
}

Status JobCheckpoints::check_state(const JobCheckpointsOptions& options,
                                   const CompletedCheckpoint& checkpoint) {
  if (!options.services->check_state) return Status::ok();
  Status status = options.services->check_state(*options.graph, *options.configuration, checkpoint);
  return status.code() == StatusCode::kFailedPrecondition ? status : Status::ok();
}

void JobCheckpoints::take_found(Found found) {
  locks_ = std::move(found.locks);
  is_prepared_ = true;
  if (found.storage) storage_ = *std::move(found.storage);
  first_id_ = std::max(first_id_, found.highest_id + 1);
  if (!found.checkpoint) return;
  for (const std::string& skipped : found.checkpoint->skipped) {
    CLP_LOG(kWarning, "jobmanager",
            of_job(options_.job, fmt::format("passed over a checkpoint: {}", skipped)));
  }
  CompletedCheckpoint checkpoint = std::move(found.checkpoint->checkpoint);
  CLP_LOG(kInfo, "jobmanager",
          of_job(options_.job,
                 fmt::format("starts from checkpoint {} of job {} in '{}'", checkpoint.metadata.id,
                             checkpoint.metadata.job_id, checkpoint.metadata_folder)));
  first_id_ = std::max(first_id_, checkpoint.metadata.id + 1);
  restored_path_ = checkpoint.metadata_folder;
  // Who has made a savepoint may still run, and other savepoints of it may be wanted; but a
  // checkpoint is gone on from when its job has died.
  if (checkpoint.metadata.kind == CheckpointKind::kCheckpoint) {
    restored_job_ = checkpoint.metadata.job_id;
  }
  if (options_.recovery.claim_mode == RecoveryClaimMode::kClaim) {
    (void)store_.add(std::move(checkpoint));  // There is none before it.
  } else {
    store_.add_foreign(std::move(checkpoint));
  }
}

std::vector<std::pair<int, int>> JobCheckpoints::chained_over() const {
  const CompletedCheckpoint* latest = store_.latest();
  if (latest == nullptr || coordinator_) return {};
  return clepsydra::chained_over(latest->metadata, *options_.graph);
}

void JobCheckpoints::tasks_changed(std::vector<std::vector<int>> regions,
                                   std::shared_ptr<SinkCommits> sinks) {
  CLP_CHECK(!coordinator_ && regions.size() == regions_.size());
  options_.regions = std::move(regions);
  options_.sinks = std::move(sinks);
}

Result<StateAssignment> JobCheckpoints::assign() const {
  const CompletedCheckpoint* latest = store_.latest();
  if (latest == nullptr) return StateAssignment();
  Result<StateAssignment> assignment = assign_state(
      latest->metadata, latest->folder, *options_.graph, options_.recovery.ignore_unclaimed_state);
  if (!assignment.is_ok()) {
    return assignment.status().with_context(
        fmt::format("cannot go on from checkpoint {}", latest->metadata.id));
  }
  for (const std::string& dropped : assignment->dropped) {
    CLP_LOG(kWarning, "jobmanager",
            of_job(options_.job, fmt::format("left out state that nobody has: {}", dropped)));
  }
  return assignment;
}

bool JobCheckpoints::needs_recovery(const StateAssignment& assignment) const {
  return !assignment.commit.empty() || !restored_job_.empty() || has_orphans() ||
         !options_.sinks->failure().is_ok();
}

void JobCheckpoints::recover(const StateAssignment& assignment, JobWork::Done done) {
  if (has_orphans()) {
    add_work(
        "removing what earlier attempts left",
        [storage = storage_, retained = store_.metadata_folders(), used = store_.used_files()] {
          return storage.remove_orphans(kAllIds, retained, used);
        });
  }
  options_.work->add(
      [sinks = options_.sinks, commit = assignment.commit, job = restored_job_] {
        CLP_RETURN_IF_ERROR(sinks->commit_restored(commit));
        if (!job.empty()) sinks->remove_leftovers(job);
        return Status::ok();
      },
      [this, done = std::move(done)](const Status& status) {
        if (status.is_ok()) restored_job_.clear();
        done(status);
      });
}

bool JobCheckpoints::fall_back(const Status& reason) {
  const CompletedCheckpoint* broken = store_.latest();
  if (broken == nullptr) return false;
  const CheckpointId id = broken->metadata.id;
  const bool is_own = broken->folder == storage_.folder();
  CLP_LOG(kError, "jobmanager",
          of_job(options_.job,
                 fmt::format(
                     "checkpoint {} cannot be used, an older one is looked for; what it has made "
                     "visible already comes again: {}",
                     id, reason.to_string())));
  store_.drop(id);
  if (store_.latest() != nullptr) return true;
  // Of the folder that the job was started from all files are read now, once.
  if (is_own || file_check_ == FileCheck::kChecksum) return false;
  file_check_ = FileCheck::kChecksum;
  is_prepared_ = false;
  return true;
}

// ---- An attempt ----

void JobCheckpoints::start_region(std::size_t region, int attempt) {
  if (!coordinator_) {
    coordinator_.emplace(options_.checkpoints,
                         CheckpointTopology(*options_.graph, options_.regions),
                         options_.job.to_string(), first_id_, *options_.services->clock);
  }
  regions_[region] = {attempt, true};
  const CompletedCheckpoint* latest = store_.latest();
  const bool first_is_base = latest != nullptr && latest->folder != storage_.folder();
  execute(coordinator_->start_region(region, attempt, first_is_base));
}

void JobCheckpoints::end_region(std::size_t region, const Status& reason) {
  regions_[region].runs = false;
  if (coordinator_) execute(coordinator_->end_region(region, reason));
}

void JobCheckpoints::end_all(const Status& reason) {
  for (Region& region : regions_) region.runs = false;
  if (coordinator_) execute(coordinator_->end_all(reason));
}

bool JobCheckpoints::runs(const SubtaskRef& subtask) const {
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    const std::vector<int>& vertices = options_.regions[r];
    if (std::find(vertices.begin(), vertices.end(), subtask.vertex) == vertices.end()) continue;
    return regions_[r].runs && regions_[r].attempt == subtask.attempt;
  }
  return false;
}

void JobCheckpoints::acknowledged(const SubtaskRef& subtask, CheckpointId id,
                                  const std::string& bytes) {
  if (!coordinator_) return;
  Result<TaskSnapshot> snapshot = decode_task_snapshot(bytes);
  if (!snapshot.is_ok()) {
    declined(subtask, id, snapshot.status().with_context("reading an acknowledgement"));
    return;
  }
  if (!runs(subtask)) {
    // It belongs to no checkpoint that could complete. Files are removed before the next attempt.
    discard(committables_of(*snapshot, subtask.vertex));
    return;
  }
  execute(coordinator_->acknowledged(subtask.attempt, {subtask.vertex, subtask.subtask}, id,
                                     *std::move(snapshot)));
}

void JobCheckpoints::declined(const SubtaskRef& subtask, CheckpointId id, const Status& reason) {
  if (!coordinator_) return;
  execute(coordinator_->declined(subtask.attempt, {subtask.vertex, subtask.subtask}, id, reason));
}

void JobCheckpoints::task_ended(const SubtaskRef& subtask, bool has_finished,
                                std::vector<PreparedCommittables> committables) {
  if (!has_finished || !runs(subtask)) {
    std::vector<SinkCommittables> sinks;
    for (PreparedCommittables& prepared : committables) {
      sinks.push_back({subtask.vertex, prepared.op, std::move(prepared.committables)});
    }
    discard(std::move(sinks));
    return;
  }
  std::vector<OperatorSnapshot> operators;
  for (PreparedCommittables& prepared : committables) {
    OperatorSnapshot& op = operators.emplace_back();
    op.op = prepared.op;
    op.committables = std::move(prepared.committables);
  }
  execute(
      coordinator_->task_finished(subtask.attempt, {subtask.vertex, subtask.subtask}, operators));
}

// ---- Actions ----

void JobCheckpoints::execute(CheckpointActions actions) {
  actions_.insert(actions_.end(), std::make_move_iterator(actions.begin()),
                  std::make_move_iterator(actions.end()));
  if (is_executing_) return;
  is_executing_ = true;
  while (!actions_.empty()) {
    CheckpointAction action = std::move(actions_.front());
    actions_.pop_front();
    std::visit([this](auto& each) { carry_out(std::move(each)); }, action);
  }
  is_executing_ = false;
  set_timer();
}

void JobCheckpoints::carry_out(const TriggerTasks& action) {
  const bool is_checkpoint = action.folder.empty() && action.kind == CheckpointKind::kCheckpoint;
  const std::string& folder = is_checkpoint ? storage_.folder() : action.folder;
  store_.begin(action.id);
  Status sent;
  for (std::size_t r = 0; r < regions_.size() && sent.is_ok(); ++r) {
    TriggerTasks part = action;
    std::erase_if(part.tasks, [&](SubtaskIndex task) {
      const std::vector<int>& vertices = options_.regions[r];
      return std::find(vertices.begin(), vertices.end(), task.vertex) == vertices.end();
    });
    sent = options_.services->task_manager->trigger_checkpoint(options_.job, regions_[r].attempt,
                                                               part, folder);
  }
  // Mail keeps its order: splits that were sent before the order are the tasks', all others are
  // in the snapshot.
  execute(sent.is_ok() ? coordinator_->triggered(action.id, options_.owner->snapshot_enumerators())
                       : coordinator_->trigger_failed(action.id, sent));
}

void JobCheckpoints::carry_out(StoreMetadata action) {
  const auto stored = std::make_shared<CompletedCheckpoint>();
  const auto is_unsure = std::make_shared<bool>(false);
  const CheckpointId id = action.metadata.id;
  const auto work = [stored, is_unsure, sinks = options_.sinks, storage = storage_,
                     metadata = std::move(action.metadata),
                     folder = std::move(action.folder)]() -> Status {
    if (!sinks->failure().is_ok()) {
      return Status::aborted(fmt::format("what an earlier checkpoint holds was not committed: {}",
                                         sinks->failure().to_string()));
    }
    if (metadata.kind == CheckpointKind::kSavepoint) {
      CLP_RETURN_IF_ERROR(sinks->hold(committables_of(metadata)));
    }
    if (folder.empty() && storage.folder().empty()) {
      stored->metadata = metadata;
      return Status::ok();
    }
    Result<CompletedCheckpoint> result = storage.store(metadata, folder);
    if (result.is_ok()) {
      *stored = *std::move(result);
      return Status::ok();
    }
    *is_unsure = !forget_unstored(storage, metadata.id, folder);
    return result.status();
  };
  options_.work->add(work, [this, id, stored, is_unsure](const Status& status) {
    if (!status.is_ok()) {
      if (*is_unsure) keep_everything(id);
      execute(coordinator_->metadata_failed(id, status));
      return;
    }
    stored_ = std::move(*stored);
    execute(coordinator_->metadata_stored(id, stored_->metadata_folder));
  });
}

void JobCheckpoints::keep_everything(CheckpointId id) {
  CLP_LOG(
      kError, "jobmanager",
      of_job(options_.job,
             fmt::format("whether checkpoint {} was stored is not known, and somebody may go on "
                         "from it: nothing of unfinished checkpoints is removed any more",
                         id)));
  keeps_everything_ = true;
}

void JobCheckpoints::carry_out(CompleteCheckpoint action) {
  CLP_CHECK(stored_ && stored_->metadata.id == action.metadata.id);
  CompletedCheckpoint completed = *std::exchange(stored_, std::nullopt);
  const bool is_savepoint = action.metadata.kind == CheckpointKind::kSavepoint;
  end_at_tasks(action.metadata.id, action.tell_completed);
  if (!action.commit.empty()) {
    // A savepoint that commits ends the job. Who would go on from a checkpoint before it would get
    // its rows once more, so those go first and for good, even if the process is killed or the
    // power fails in between. Nothing stands before the commit of any other: the next one that
    // completes counts on it.
    CheckpointRemoval removal = is_savepoint ? store_.take_all() : CheckpointRemoval();
    options_.work->add(
        [sinks = options_.sinks, commit = std::move(action.commit), storage = storage_,
         removal = std::move(removal), is_savepoint]() -> Status {
          const Status removed = is_savepoint ? storage.remove_last(removal) : Status::ok();
          CLP_RETURN_IF_ERROR(removed.with_context("removing older checkpoints"));
          return sinks->commit(commit);
        },
        [this, id = action.metadata.id](const Status& status) {
          if (status.is_ok()) return;
          options_.owner->attempt_failed(
              status.with_context(fmt::format("committing checkpoint {}", id)));
        });
  }
  if (!is_savepoint) remove(store_.add(std::move(completed)));
  remove(store_.end(action.metadata.id));
  options_.services->on_change();
}

void JobCheckpoints::carry_out(AbortCheckpoint action) {
  CLP_LOG(kInfo, "jobmanager", of_job(options_.job, action.reason.to_string()));
  end_at_tasks(action.id, /*completed=*/false);
  remove_aborted(action.id, std::move(action.folder), std::move(action.files));
  // One that may have been stored after all is built on what was there when it was triggered.
  if (!keeps_everything_) remove(store_.end(action.id));
  options_.services->on_change();
}

void JobCheckpoints::remove(CheckpointRemoval removal) {
  if (removal.is_empty()) return;
  add_work("removing an older checkpoint",
           [storage = storage_, removal = std::move(removal)] { return storage.remove(removal); });
}

void JobCheckpoints::carry_out(DiscardFiles action) {
  remove_aborted(action.id, "", std::move(action.files));
}

void JobCheckpoints::carry_out(DiscardCommittables action) {
  discard(std::move(action.committables));
}

void JobCheckpoints::carry_out(AnswerSavepoint action) {
  answer(action.request, std::move(action.status), std::move(action.location));
}

void JobCheckpoints::carry_out(const FailAttempt& action) {
  for (Region& region : regions_) region.runs = false;
  options_.owner->attempt_failed(action.reason);
}

void JobCheckpoints::carry_out(const StopJob& action) {
  for (Region& region : regions_) region.runs = false;
  options_.owner->stopped(action.location);
}

void JobCheckpoints::carry_out(AllFinished action) {
  options_.owner->all_finished(std::move(action.commit));
}

void JobCheckpoints::end_at_tasks(CheckpointId id, bool completed) {
  for (const Region& region : regions_) {
    if (!region.runs) continue;
    const Status sent = options_.services->task_manager->end_checkpoint(
        options_.job, region.attempt, id, completed);
    if (sent.is_ok()) continue;
    CLP_LOG(
        kWarning, "jobmanager",
        of_job(options_.job, fmt::format("cannot tell the tasks of the end of checkpoint {}: {}",
                                         id, sent.to_string())));
  }
}

void JobCheckpoints::remove_aborted(CheckpointId id, std::string folder,
                                    std::vector<StateFile> files) {
  if (keeps_everything_ || (folder.empty() && storage_.folder().empty())) return;
  add_work(
      fmt::format("removing what was written for checkpoint {}", id),
      [storage = storage_, id, folder = std::move(folder), files = std::move(files),
       used = store_.used_files()] { return storage.remove_aborted(id, folder, files, used); });
}

void JobCheckpoints::discard(std::vector<SinkCommittables> committables) {
  if (keeps_everything_ || committables.empty()) return;
  add_work("taking back what sinks prepared",
           [sinks = options_.sinks, committables = std::move(committables)] {
             sinks->abort(committables);
             return Status::ok();
           });
}

void JobCheckpoints::add_work(std::string what, JobWork::Work work) {
  options_.work->add(std::move(work), [job = options_.job,
                                       what = std::move(what)](const Status& status) {
    if (status.is_ok()) return;
    CLP_LOG(kWarning, "jobmanager", of_job(job, fmt::format("{}: {}", what, status.to_string())));
  });
}

void JobCheckpoints::set_timer() {
  const std::optional<std::int64_t> wake_ns = coordinator_->wake_at_ns();
  if (!wake_ns || (timer_ns_ && *timer_ns_ <= *wake_ns)) return;
  timer_ns_ = wake_ns;
  const std::int64_t left_ns = *wake_ns - options_.services->clock->monotonic_ns();
  const std::int64_t delay_ms = std::max<std::int64_t>(0, (left_ns + 999'999) / 1'000'000);
  options_.services->schedule(options_.job, delay_ms, [this, at_ns = *wake_ns] {
    // An earlier one may have taken its place and set another.
    if (timer_ns_ == at_ns) timer_ns_.reset();
    execute(coordinator_->on_time());
  });
}

// ---- Savepoints ----

std::int64_t JobCheckpoints::request_savepoint(std::string dir, SavepointThen then, bool may_run) {
  const std::int64_t request = next_request_++;
  savepoints_[request] = {};
  if (dir.empty()) dir = options_.checkpoints.savepoint_dir;
  Status refused;
  if (!may_run) {
    refused = Status::unavailable("the job does not run now");
  } else if (savepoints_.size() > 2 * kAnswersMax) {
    refused = Status::resource_exhausted("too many others are waiting");
  } else if (dir.empty()) {
    refused = Status::failed_precondition(
        "no folder was named and 'execution.checkpointing.savepoint-dir' is not set");
  }
  if (!refused.is_ok()) {
    answer(request, refused.with_context("cannot take a savepoint"), "");
    return request;
  }
  const auto folder = std::make_shared<std::string>();
  const auto random = std::make_shared<Random>(random_.next_u64());
  options_.work->add(
      [folder, random, dir = std::move(dir), job = options_.job.to_string(),
       files = options_.services->file_system]() -> Status {
        CLP_ASSIGN_OR_RETURN(*folder, make_savepoint_folder(*files, dir, job, *random));
        return Status::ok();
      },
      [this, request, folder, then](const Status& status) {
        savepoints_[request].folder = *folder;
        if (!status.is_ok() || !coordinator_) {
          answer(request,
                 status.is_ok() ? Status::unavailable("cannot take a savepoint: no task runs yet")
                                : status,
                 "");
          return;
        }
        execute(coordinator_->request_savepoint(request, *folder, then));
      });
  return request;
}

void JobCheckpoints::answer(std::int64_t request, Status status, std::string location) {
  const auto found = savepoints_.find(request);
  if (found == savepoints_.end() || found->second.status.has_ended) return;
  Savepoint& savepoint = found->second;
  if (!status.is_ok() && !savepoint.folder.empty()) {
    add_work("removing the folder of a savepoint that was not taken",
             [files = options_.services->file_system, folder = savepoint.folder] {
               return files->remove_all(folder);
             });
  }
  savepoint.status = {true, std::move(status), std::move(location)};
  // The oldest answer goes; those that are awaited stay.
  while (savepoints_.size() > kAnswersMax && savepoints_.begin()->second.status.has_ended) {
    savepoints_.erase(savepoints_.begin());
  }
  options_.services->on_change();
}

Result<SavepointStatus> JobCheckpoints::savepoint(std::int64_t request) const {
  const auto found = savepoints_.find(request);
  if (found != savepoints_.end()) return found->second.status;
  return Status::not_found(
      fmt::format("job {} has no savepoint request {}", options_.job.to_string(), request));
}

// ---- The end ----

void JobCheckpoints::clean_up(JobPhase end, JobWork::Done done) {
  for (auto& [request, savepoint] : savepoints_) {
    if (!savepoint.status.has_ended) {
      savepoint.status = {true, Status::unavailable("the job has ended"), ""};
    }
  }
  if (options_.checkpoints.has_local_copies) {
    const Status told = options_.services->task_manager->job_ended(options_.job);
    if (!told.is_ok()) CLP_LOG(kWarning, "jobmanager", of_job(options_.job, told.to_string()));
  }
  if (storage_.folder().empty() && store_.latest() == nullptr) {
    locks_.clear();
    done(Status::ok());
    return;
  }
  const CheckpointRetention retention = options_.checkpoints.retention;
  // What was not committed is needed again, whatever was asked for.
  const bool keeps =
      !options_.sinks->failure().is_ok() ||
      (end != JobPhase::kFinished &&
       (retention == CheckpointRetention::kRetainOnCancel ||
        (end == JobPhase::kFailed && retention == CheckpointRetention::kDeleteOnCancel)));
  const CheckpointRemoval removal = keeps ? CheckpointRemoval() : store_.take_all();
  options_.work->add(
      [storage = storage_, removal, keeps, retained = store_.metadata_folders(),
       used = store_.used_files(),
       locks = std::make_shared<decltype(locks_)>(std::move(locks_))]() -> Status {
        CLP_RETURN_IF_ERROR(storage.remove_last(removal));
        if (storage.folder().empty()) return Status::ok();
        CLP_RETURN_IF_ERROR(storage.remove_orphans(kAllIds, retained, used));
        locks->clear();  // With their files, or the folder would not be empty.
        return keeps ? Status::ok() : storage.remove_if_empty();
      },
      [job = options_.job, done = std::move(done)](const Status& status) {
        if (!status.is_ok()) {
          CLP_LOG(kWarning, "jobmanager",
                  of_job(job, fmt::format("removing its checkpoints: {}", status.to_string())));
        }
        done(Status::ok());
      });
}

void JobCheckpoints::tell(JobStatus& status) const {
  status.restored_path = restored_path_;
  if (!coordinator_) return;
  const CheckpointCounts& counts = coordinator_->counts();
  CheckpointProgress& to = status.checkpoints;
  to.completed = counts.completed;
  to.failed = counts.failed;
  to.pending = coordinator_->pending();
  to.last_id = counts.last_completed;
  to.last_completed_ms = counts.last_completed_ms;
  to.last_duration_ms = counts.last_duration_ms;
  to.last_state_bytes = counts.last_state_bytes;
  to.last_written_bytes = counts.last_written_bytes;
  to.last_path = counts.last_location;
  to.last_failure = counts.last_failure;
}

}  // namespace clepsydra
