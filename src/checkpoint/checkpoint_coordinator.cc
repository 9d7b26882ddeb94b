#include "checkpoint/checkpoint_coordinator.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/duration.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

std::string text_of_ms(std::int64_t ms) {
  return format_duration(std::chrono::milliseconds(ms));
}

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(CheckpointOptions options, CheckpointTopology topology,
                                             std::string job_id, CheckpointId first_id,
                                             const Clock& clock)
    : options_(std::move(options)),
      job_id_(std::move(job_id)),
      topology_(std::move(topology)),
      clock_(clock),
      next_id_(first_id),
      regions_(topology_.regions().size()) {
  CLP_CHECK(first_id >= 1);
}

// ---- Attempts ----

bool CheckpointCoordinator::do_all_run() const {
  return std::all_of(regions_.begin(), regions_.end(),
                     [](const Region& region) { return region.runs; });
}

bool CheckpointCoordinator::is_current(int attempt, SubtaskIndex task) const {
  if (!topology_.has(task)) return false;
  const Region& region = regions_[topology_.region_of(task)];
  return region.runs && region.attempt == attempt;
}

CheckpointActions CheckpointCoordinator::start_region(std::size_t region, int attempt,
                                                      bool first_is_base) {
  CLP_CHECK(region < regions_.size() && !regions_[region].runs && !is_storing());
  if (!is_running_) {
    CLP_CHECK(pending_.empty());
    is_running_ = true;
    has_settled_ = false;
    must_be_base_ = false;
    failures_ = 0;
    finished_.clear();
    answered_.clear();
    next_periodic_ms_ = now_ms() + options_.interval_ms;
  }
  regions_[region] = {attempt, true};
  must_be_base_ = must_be_base_ || first_is_base;
  CheckpointActions actions;
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::end_all(const Status& reason) {
  CheckpointActions actions;
  end(reason, actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::end_region(std::size_t region, const Status& reason) {
  CheckpointActions actions;
  if (!is_running_ || !regions_[region].runs) return actions;
  const bool is_last = std::count_if(regions_.begin(), regions_.end(),
                                     [](const Region& each) { return each.runs; }) == 1;
  if (is_last) {
    end(reason, actions);
    return actions;
  }
  regions_[region].runs = false;
  lost_.insert(region);
  const auto is_lost = [&](SubtaskIndex task) { return topology_.region_of(task) == region; };
  std::erase_if(finished_, is_lost);
  std::erase_if(answered_, [&](const auto& answered) { return is_lost(answered.first); });
  give_up_pending(reason, actions);
  if (!is_storing()) discard_uncommitted(actions);
  return actions;
}

void CheckpointCoordinator::end(const Status& reason, CheckpointActions& actions) {
  if (!is_running_) return;
  is_running_ = false;
  for (std::size_t region = 0; region < regions_.size(); ++region) {
    regions_[region].runs = false;
    lost_.insert(region);
  }
  give_up_pending(reason, actions);
  // What is being stored may have some of them.
  if (!is_storing()) discard_uncommitted(actions);
}

void CheckpointCoordinator::give_up_pending(const Status& reason, CheckpointActions& actions) {
  std::vector<CheckpointId> ids;
  for (const auto& [id, pending] : pending_) {
    if (id != storing_) ids.push_back(id);
  }
  for (const CheckpointId id : ids) {
    // A savepoint that drains ends the attempt, and with it all others.
    if (pending_.contains(id)) abort(id, reason, Blame::kNothing, actions);
  }
  for (const Savepoint& savepoint : savepoints_) {
    actions.emplace_back(AnswerSavepoint{savepoint.request, reason, {}});
  }
  savepoints_.clear();
}

void CheckpointCoordinator::discard_uncommitted(CheckpointActions& actions) {
  std::vector<SinkCommittables> left;
  for (const std::size_t region : lost_) {
    std::vector<SinkCommittables> of_region = uncommitted_.take_of(topology_.regions()[region]);
    std::move(of_region.begin(), of_region.end(), std::back_inserter(left));
  }
  lost_.clear();
  if (!left.empty()) actions.emplace_back(DiscardCommittables{std::move(left)});
}

// ---- Time ----

std::int64_t CheckpointCoordinator::now_ms() const {
  return clock_.monotonic_ns() / kNsPerMs;
}

CheckpointActions CheckpointCoordinator::on_time() {
  CheckpointActions actions;
  go_on(actions);
  return actions;
}

bool CheckpointCoordinator::is_stopping() const {
  return std::any_of(pending_.begin(), pending_.end(), [](const auto& entry) {
    const std::optional<Savepoint>& savepoint = entry.second.savepoint;
    return savepoint && savepoint->then != SavepointThen::kGoOn;
  });
}

bool CheckpointCoordinator::has_room() const {
  return is_running_ && do_all_run() && !is_stopping() &&
         pending_.size() < static_cast<std::size_t>(options_.max_concurrent);
}

bool CheckpointCoordinator::is_periodic() const {
  return options_.is_enabled() && (options_.after_tasks_finish || finished_.empty());
}

std::int64_t CheckpointCoordinator::due_ms() const {
  return last_end_ms_ ? std::max(next_periodic_ms_, *last_end_ms_ + options_.min_pause_ms)
                      : next_periodic_ms_;
}

std::optional<std::int64_t> CheckpointCoordinator::wake_at_ns() const {
  std::optional<std::int64_t> wake_ms;
  const auto consider = [&wake_ms](std::int64_t ms) {
    wake_ms = std::min(wake_ms.value_or(ms), ms);
  };
  for (const auto& [id, pending] : pending_) {
    if (id != storing_) consider(pending.triggered_ms + options_.timeout_ms);
  }
  const bool may_begin = have_all_finished() ? pending_.empty() && !has_settled_ : has_room();
  if (is_running_ && may_begin && is_periodic()) consider(due_ms());
  if (!wake_ms) return std::nullopt;
  return *wake_ms * kNsPerMs;
}

void CheckpointCoordinator::go_on(CheckpointActions& actions) {
  if (pending_.empty() || pending_.begin()->first > overtaken_by_) uncommitted_.forget_committed();
  expire(actions);
  store_next(actions);
  begin_due(actions);
  settle(actions);
}

void CheckpointCoordinator::expire(CheckpointActions& actions) {
  const std::int64_t now = now_ms();
  std::vector<CheckpointId> expired;
  for (const auto& [id, pending] : pending_) {
    if (id != storing_ && now - pending.triggered_ms >= options_.timeout_ms) expired.push_back(id);
  }
  for (const CheckpointId id : expired) {
    // The failure of one may have ended the attempt and all others with it.
    if (!pending_.contains(id)) continue;
    abort(id,
          Status::deadline_exceeded(
              fmt::format("it took longer than {} (execution.checkpointing.timeout)",
                          text_of_ms(options_.timeout_ms))),
          Blame::kFailure, actions);
  }
}

// ---- Beginning ----

void CheckpointCoordinator::begin_due(CheckpointActions& actions) {
  while (has_room() && !have_all_finished()) {
    if (!savepoints_.empty()) {
      Savepoint savepoint = std::move(savepoints_.front());
      savepoints_.pop_front();
      begin(std::move(savepoint), actions);
    } else if (is_periodic() && now_ms() >= due_ms()) {
      begin(std::nullopt, actions);
    } else {
      return;
    }
  }
}

void CheckpointCoordinator::begin(std::optional<Savepoint> savepoint, CheckpointActions& actions) {
  CheckpointMetadata metadata;
  metadata.id = next_id_++;
  metadata.kind = savepoint ? CheckpointKind::kSavepoint : CheckpointKind::kCheckpoint;
  metadata.timestamp_ms = clock_.now_ms();
  metadata.job_id = job_id_;
  metadata.job_name = topology_.job_name();
  metadata.vertices = topology_.vertices();

  TriggerTasks trigger;
  trigger.id = metadata.id;
  trigger.kind = metadata.kind;
  trigger.timestamp_ms = metadata.timestamp_ms;
  trigger.as_base = savepoint.has_value() || must_be_base_ || !options_.is_incremental;
  if (savepoint) {
    trigger.then = savepoint->then;
    trigger.folder = savepoint->folder;
  } else {
    next_periodic_ms_ = now_ms() + options_.interval_ms;
  }
  trigger.tasks = topology_.without_live_inputs(finished_);
  pending_.emplace(trigger.id,
                   Pending{PendingCheckpoint(std::move(metadata), topology_.tasks(), finished_),
                           std::move(savepoint), now_ms()});
  actions.emplace_back(std::move(trigger));
}

CheckpointActions CheckpointCoordinator::triggered(CheckpointId id,
                                                   std::vector<EnumeratorSnapshot> enumerators) {
  CheckpointActions actions;
  if (const auto found = pending_.find(id); found != pending_.end()) {
    found->second.checkpoint.set_enumerators(std::move(enumerators));
  }
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::trigger_failed(CheckpointId id, const Status& reason) {
  CheckpointActions actions;
  if (pending_.contains(id) && id != storing_) abort(id, reason, Blame::kFailure, actions);
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::request_savepoint(std::int64_t request, std::string folder,
                                                           SavepointThen then) {
  const auto refuse = [request](Status status) {
    return CheckpointActions{AnswerSavepoint{request, std::move(status), {}}};
  };
  if (!is_running_ || !do_all_run()) {
    return refuse(Status::unavailable("cannot take a savepoint: the job does not run now"));
  }
  if (folder.empty()) {
    return refuse(Status::invalid_argument("cannot take a savepoint without a folder for it"));
  }
  if (have_all_finished() || (!options_.after_tasks_finish && !finished_.empty())) {
    return refuse(Status::failed_precondition(
        fmt::format("cannot take a savepoint: {} of {} tasks have finished", finished_.size(),
                    topology_.tasks().size())));
  }
  const bool stops_already =
      is_stopping() || std::any_of(savepoints_.begin(), savepoints_.end(), [](const Savepoint& s) {
        return s.then != SavepointThen::kGoOn;
      });
  if (stops_already) {
    return refuse(Status::failed_precondition(
        "cannot take a savepoint: the job is being stopped with one already"));
  }
  if (savepoints_.size() >= kSavepointsQueuedMax) {
    return refuse(Status::resource_exhausted(
        fmt::format("cannot take a savepoint: {} others are waiting", savepoints_.size())));
  }
  savepoints_.push_back({request, std::move(folder), then});
  CheckpointActions actions;
  go_on(actions);
  return actions;
}

// ---- Answers of tasks ----

CheckpointActions CheckpointCoordinator::acknowledged(int attempt, SubtaskIndex task,
                                                      CheckpointId id, TaskSnapshot snapshot) {
  CheckpointActions actions;
  if (!is_current(attempt, task) || id >= next_id_) return actions;
  CheckpointId& answered = answered_[task];
  const auto found = pending_.find(id);
  if (found != pending_.end()) {
    if (!found->second.checkpoint.is_missing(task)) return actions;
    const Status taken =
        found->second.checkpoint.acknowledge(task, std::move(snapshot), topology_.edges());
    if (!taken.is_ok()) {
      abort(id, taken.with_context(fmt::format("task {}", topology_.name_of(task))),
            Blame::kFailure, actions);
    }
  } else if (id > answered) {
    // Aborted in the meantime. Its sinks have handed over what they prepared, and will not again.
    uncommitted_.keep(id, task, snapshot.operators, /*is_in_savepoint=*/false);
    DiscardFiles discard{id, {}};
    for (OperatorSnapshot& op : snapshot.operators) {
      for (StateFile& file : op.files) {
        if (!file.path.empty()) discard.files.push_back(std::move(file));
      }
    }
    for (InFlightFile& in_flight : snapshot.in_flight) {
      if (!in_flight.file.path.empty()) discard.files.push_back(std::move(in_flight.file));
    }
    if (!discard.files.empty()) actions.emplace_back(std::move(discard));
  }
  answered = std::max(answered, id);
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::declined(int attempt, SubtaskIndex task, CheckpointId id,
                                                  const Status& reason) {
  CheckpointActions actions;
  if (!is_current(attempt, task)) return actions;
  const auto found = pending_.find(id);
  if (found == pending_.end() || !found->second.checkpoint.is_missing(task)) return actions;
  abort(id, reason.with_context(fmt::format("task {}", topology_.name_of(task))),
        reason.code() == StatusCode::kCancelled ? Blame::kNothing : Blame::kFailure, actions);
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::task_finished(
    int attempt, SubtaskIndex task, const std::vector<OperatorSnapshot>& committables) {
  CheckpointActions actions;
  if (!is_current(attempt, task)) return actions;
  if (!finished_.insert(task).second) return actions;
  uncommitted_.keep(next_id_ - 1, task, committables, /*is_in_savepoint=*/false);
  std::vector<CheckpointId> spoiled;
  for (const auto& [id, pending] : pending_) {
    if (pending.checkpoint.is_missing(task)) spoiled.push_back(id);
  }
  for (const CheckpointId id : spoiled) {
    if (!pending_.contains(id)) continue;  // One before may have ended the attempt.
    abort(id,
          Status::aborted(fmt::format("task {} finished before its part was taken; ask again",
                                      topology_.name_of(task))),
          Blame::kNothing, actions);
  }
  if (!spoiled.empty()) next_periodic_ms_ = std::min(next_periodic_ms_, now_ms() + kRetryMs);
  go_on(actions);
  return actions;
}

// ---- Ending ----

void CheckpointCoordinator::store_next(CheckpointActions& actions) {
  if (is_storing()) return;
  const auto ready = std::find_if(pending_.begin(), pending_.end(), [](const auto& entry) {
    return entry.second.checkpoint.is_complete();
  });
  if (ready == pending_.end()) return;
  // What was prepared before and is in no completed checkpoint yet: of aborted ones, and of older
  // ones that are still under way and may never get to their end.
  Uncommitted before = uncommitted_;
  for (auto older = pending_.begin(); older != ready; ++older) {
    before.keep_all(older->second.checkpoint.metadata(), /*is_in_savepoint=*/false);
  }
  CheckpointMetadata& metadata = ready->second.checkpoint.metadata();
  before.add_to(metadata);
  storing_ = ready->first;
  actions.emplace_back(StoreMetadata{
      metadata, ready->second.savepoint ? ready->second.savepoint->folder : std::string()});
}

CheckpointActions CheckpointCoordinator::metadata_stored(CheckpointId id, std::string location) {
  CheckpointActions actions;
  CLP_CHECK(id != 0 && id == storing_);
  storing_ = 0;
  auto stored = pending_.extract(id);
  complete(std::move(stored.mapped()), std::move(location), actions);
  discard_uncommitted(actions);
  go_on(actions);
  return actions;
}

CheckpointActions CheckpointCoordinator::metadata_failed(CheckpointId id, const Status& reason) {
  CheckpointActions actions;
  CLP_CHECK(id != 0 && id == storing_);
  storing_ = 0;
  abort(id, reason, is_running_ ? Blame::kFailure : Blame::kNothing, actions);
  discard_uncommitted(actions);
  go_on(actions);
  return actions;
}

void CheckpointCoordinator::complete(Pending pending, std::string location,
                                     CheckpointActions& actions) {
  failures_ = 0;
  last_end_ms_ = now_ms();
  if (pending.savepoint) {
    complete_savepoint(pending, location, actions);
    return;
  }
  const CheckpointMetadata& metadata = pending.checkpoint.metadata();
  must_be_base_ = false;
  count(pending, location);
  CompleteCheckpoint done{metadata, std::move(location), committables_of(metadata), true};
  actions.emplace_back(std::move(done));
  // Older checkpoints have lost their use; savepoints were asked for.
  std::vector<CheckpointId> older;
  for (const auto& [id, other] : pending_) {
    if (id < metadata.id && !other.savepoint) older.push_back(id);
  }
  for (const CheckpointId id : older) {
    abort(id, Status::cancelled(fmt::format("checkpoint {} was complete before it", metadata.id)),
          Blame::kNothing, actions);
  }
  forget_committed(metadata);
  const auto& tasks = topology_.tasks();
  const bool is_final = is_running_ && have_all_finished() &&
                        std::all_of(tasks.begin(), tasks.end(), [&](SubtaskIndex task) {
                          return metadata.vertices[static_cast<std::size_t>(task.vertex)]
                              .subtasks[static_cast<std::size_t>(task.subtask)]
                              .has_finished;
                        });
  if (is_final) {
    has_settled_ = true;
    actions.emplace_back(AllFinished{});
  }
}

void CheckpointCoordinator::complete_savepoint(const Pending& pending, const std::string& location,
                                               CheckpointActions& actions) {
  const CheckpointMetadata& metadata = pending.checkpoint.metadata();
  CompleteCheckpoint done{metadata, location, {}, false};
  const AnswerSavepoint answer{pending.savepoint->request, Status::ok(), location};
  if (pending.savepoint->then == SavepointThen::kGoOn) {
    uncommitted_.keep_all(metadata, /*is_in_savepoint=*/true);
    actions.emplace_back(std::move(done));
    actions.emplace_back(answer);
    return;
  }
  done.commit = committables_of(metadata);
  forget_committed(metadata);
  actions.emplace_back(std::move(done));
  actions.emplace_back(answer);
  end(Status::cancelled("the job was stopped with a savepoint"), actions);
  actions.emplace_back(StopJob{location});
}

void CheckpointCoordinator::forget_committed(const CheckpointMetadata& metadata) {
  // One that began before and is not at its end has the same: it must not bring it back.
  const bool has_overtaken = !pending_.empty() && pending_.begin()->first < metadata.id;
  if (has_overtaken) overtaken_by_ = std::max(overtaken_by_, metadata.id);
  uncommitted_.remove_committed(metadata, has_overtaken);
}

void CheckpointCoordinator::count(const Pending& pending, const std::string& location) {
  ++counts_.completed;
  counts_.last_completed = pending.checkpoint.id();
  counts_.last_completed_ms = clock_.now_ms();
  counts_.last_duration_ms = now_ms() - pending.triggered_ms;
  counts_.last_state_bytes = pending.checkpoint.state_bytes();
  counts_.last_written_bytes = pending.checkpoint.written_bytes();
  counts_.last_location = location;
}

void CheckpointCoordinator::abort(CheckpointId id, const Status& reason, Blame blame,
                                  CheckpointActions& actions) {
  auto node = pending_.extract(id);
  CLP_CHECK(!node.empty() && id != storing_);
  const Pending& pending = node.mapped();
  const CheckpointMetadata& metadata = pending.checkpoint.metadata();
  uncommitted_.keep_all(metadata, /*is_in_savepoint=*/false);
  const Status status = reason.with_context(
      fmt::format("{} {} was aborted", pending.savepoint ? "savepoint" : "checkpoint", id));
  actions.emplace_back(AbortCheckpoint{
      id, metadata.kind, pending.savepoint ? pending.savepoint->folder : std::string(), status,
      pending.checkpoint.files()});
  if (pending.savepoint) {
    actions.emplace_back(AnswerSavepoint{pending.savepoint->request, status, {}});
    // Its sources have ended: the job cannot go on as if nothing had been.
    if (is_running_ && pending.savepoint->then == SavepointThen::kDrain) {
      end(status, actions);
      actions.emplace_back(FailAttempt{status});
    }
    return;
  }
  if (blame == Blame::kNothing) return;
  ++counts_.failed;
  counts_.last_failure = status;
  ++failures_;
  if (failures_ <= options_.tolerable_failures || !is_running_) return;
  const Status failure =
      Status::aborted(fmt::format("{} ({} in a row, tolerated: {}, "
                                  "execution.checkpointing.tolerable-failed-checkpoints)",
                                  status.to_string(), failures_, options_.tolerable_failures));
  end(failure, actions);
  actions.emplace_back(FailAttempt{failure});
}

void CheckpointCoordinator::settle(CheckpointActions& actions) {
  if (!is_running_ || has_settled_ || !have_all_finished() || !pending_.empty()) return;
  for (const Savepoint& savepoint : savepoints_) {
    actions.emplace_back(AnswerSavepoint{
        savepoint.request, Status::failed_precondition("all tasks have finished"), {}});
  }
  savepoints_.clear();
  if (!is_periodic()) {
    has_settled_ = true;
    actions.emplace_back(AllFinished{uncommitted_.take()});
    return;
  }
  // The last checkpoint, of nothing but what sinks prepared: at once, and after a failure when the
  // next one is due.
  if (failures_ == 0 || now_ms() >= due_ms()) begin(std::nullopt, actions);
}

}  // namespace clepsydra
