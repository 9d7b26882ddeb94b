#include "jobmanager/job_supervisor.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "jobmanager/job_phase.h"

namespace clepsydra {
namespace {

// Nothing will be different next time, unless somebody changes something.
bool is_final(const Status& reason) {
  return reason.code() == StatusCode::kFailedPrecondition ||
         reason.code() == StatusCode::kUnimplemented;
}

// Of what stands between a job and its first row: the next time may be better.
bool is_transient(const Status& reason) {
  return reason.code() == StatusCode::kUnavailable || reason.code() == StatusCode::kAborted ||
         reason.code() == StatusCode::kDeadlineExceeded ||
         reason.code() == StatusCode::kResourceExhausted;
}

}  // namespace

JobSupervisor::JobSupervisor(const JobId& id, JobGraph graph, Configuration configuration,
                             JobServices services)
    : id_(id),
      graph_(std::move(graph)),
      configuration_(std::move(configuration)),
      services_(std::move(services)),
      work_(
          [this](JobWork::Work work, JobWork::Done done) {
            services_.run_blocking(id_, std::move(work), std::move(done));
          },
          [this] { go_on(); }),
      started_ms_(services_.clock->now_ms()) {
  // A timer is an event as any other.
  services_.schedule = [this, schedule = services_.schedule](
                           const JobId& job, std::int64_t delay_ms, std::function<void()> call) {
    schedule(job, delay_ms, [this, call = std::move(call)] {
      call();
      go_on();
    });
  };
}

Result<std::unique_ptr<JobSupervisor>> JobSupervisor::make(const JobId& id, JobGraph graph,
                                                           Configuration configuration,
                                                           JobServices services) {
  CLP_RETURN_IF_ERROR(graph.validate());
  for (const auto& [key, value] : graph.configuration) configuration.set(key, value);
  std::unique_ptr<JobSupervisor> supervisor(
      new JobSupervisor(id, std::move(graph), std::move(configuration), std::move(services)));
  CLP_RETURN_IF_ERROR(supervisor->open());
  return supervisor;
}

Status JobSupervisor::open() {
  JobCheckpointsOptions options;
  CLP_ASSIGN_OR_RETURN(options.checkpoints, read_checkpoint_options(configuration_));
  CLP_ASSIGN_OR_RETURN(options.recovery, read_recovery_options(configuration_));
  CLP_ASSIGN_OR_RETURN(strategy_,
                       make_restart_strategy(configuration_, options.checkpoints.is_enabled(),
                                             services_.random.fork("restart")));
  SinkContext sink_context;
  sink_context.pool = services_.memory;
  sink_context.file_system = services_.file_system;
  sink_context.clock = services_.clock;
  sink_context.configuration = &configuration_;
  sink_context.standard_output = services_.standard_output;
  sink_context.job_id = id_.to_string();
  CLP_ASSIGN_OR_RETURN(sinks_, SinkCommits::make(graph_, *services_.connectors, sink_context));
  options.job = id_;
  options.graph = &graph_;
  options.services = &services_;
  options.work = &work_;
  options.owner = this;
  options.sinks = sinks_;
  checkpoints_ = std::make_unique<JobCheckpoints>(std::move(options));
  CLP_ASSIGN_OR_RETURN(attempt_, make_attempt(0));
  return Status::ok();
}

Result<std::unique_ptr<JobAttempt>> JobSupervisor::make_attempt(int number) {
  JobAttempt::Options options;
  options.job = id_;
  options.number = number;
  options.graph = &graph_;
  options.services = &services_;
  options.fail = [this](const Status& reason) { fail(reason); };
  options.schedule = [this, number](std::int64_t delay_ms, std::function<void(JobAttempt&)> call) {
    services_.schedule(id_, delay_ms, [this, number, call = std::move(call)] {
      if (attempt_->number() == number && !is_attempt_over_) call(*attempt_);
    });
  };
  return JobAttempt::make(std::move(options));
}

// ---- Beginning ----

Status JobSupervisor::start() {
  return begin_attempt();
}

Status JobSupervisor::begin_attempt() {
  is_attempt_over_ = false;
  if (!checkpoints_->needs_preparation()) return recover_and_deploy();
  checkpoints_->prepare([this](const Status& status) {
    if (!is_starting()) return;
    if (!status.is_ok()) {
      fail(status, is_transient(status) ? MayRestart::kYes : MayRestart::kNo);
      return;
    }
    const Status begun = recover_and_deploy();
    if (!begun.is_ok()) fail(begun);
  });
  return Status::ok();
}

Status JobSupervisor::recover_and_deploy() {
  CLP_ASSIGN_OR_RETURN(StateAssignment assignment, checkpoints_->assign());
  if (!checkpoints_->needs_recovery(assignment)) return deploy(assignment);
  // Shared because a function that is stored has to be copyable.
  const auto shared = std::make_shared<const StateAssignment>(std::move(assignment));
  checkpoints_->recover(*shared, [this, shared](const Status& status) {
    if (!is_starting()) return;
    const Status begun = status.is_ok() ? deploy(*shared) : status;
    if (!begun.is_ok()) fail(begun);
  });
  return Status::ok();
}

Status JobSupervisor::deploy(const StateAssignment& assignment) {
  // The first one was made to see whether it can be.
  if (has_begun_) {
    CLP_ASSIGN_OR_RETURN(attempt_, make_attempt(attempt_->number() + 1));
  }
  has_begun_ = true;
  has_deployed_ = false;
  return attempt_->start(assignment);
}

void JobSupervisor::deployed(int attempt, const Status& status) {
  if (attempt != attempt_->number() || has_deployed_ || has_ended(phase_)) return;
  if (!status.is_ok()) {
    attempt_->deployment_failed();
    if (is_starting()) deployment_failed(status);
  } else {
    has_deployed_ = true;
    if (is_starting()) {
      error_ = Status::ok();
      move_to(JobPhase::kRunning);
      checkpoints_->start_attempt(attempt);
    }
  }
  go_on();
}

void JobSupervisor::deployment_failed(const Status& status) {
  if (status.code() == StatusCode::kDataLoss && checkpoints_->has_restore_point()) {
    if (!checkpoints_->fall_back(status)) {
      fail(status, MayRestart::kNo);
      return;
    }
    // Not a failure of the job: the strategy is not asked.
    last_failure_ = status;
    is_attempt_over_ = true;
    if (phase_ != JobPhase::kRestarting) move_to(JobPhase::kRestarting);
    return;
  }
  fail(status, is_transient(status) ? MayRestart::kYes : MayRestart::kNo);
}

// ---- Ending ----

void JobSupervisor::cancel() {
  if (phase_ != JobPhase::kCreated && phase_ != JobPhase::kRunning &&
      phase_ != JobPhase::kRestarting) {
    return;
  }
  error_ = Status::ok();
  move_to(JobPhase::kCanceling);
  end_attempt(Status::cancelled("the job was cancelled"));
  go_on();
}

void JobSupervisor::fail(const Status& reason, MayRestart may_restart) {
  const bool is_live = !is_attempt_over_ && (is_starting() || phase_ == JobPhase::kRunning);
  if (is_live) {
    give_up_attempt(reason, may_restart);
    return;
  }
  CLP_LOG(kInfo, "jobmanager",
          fmt::format("job {}: also failed: {}", id_.to_string(), reason.to_string()));
}

void JobSupervisor::attempt_failed(const Status& reason) {
  // At the end of the job it can only be a commit, and that is no detail.
  if (phase_ == JobPhase::kFinishing && !stopped_with_.empty()) {
    give_up_attempt(
        reason.with_context(fmt::format("savepoint '{}' is complete, and a job that starts from it "
                                        "commits what is missing",
                                        stopped_with_)),
        MayRestart::kNo);
  } else if (phase_ == JobPhase::kFinishing) {
    give_up_attempt(reason, MayRestart::kYes);
  } else {
    fail(reason);
  }
}

void JobSupervisor::give_up_attempt(const Status& reason, MayRestart may_restart) {
  error_ = reason;
  const std::optional<std::int64_t> delay_ms = decide_restart(reason, may_restart);
  if (delay_ms) {
    last_failure_ = reason;
    if (phase_ != JobPhase::kRestarting) move_to(JobPhase::kRestarting);
    CLP_LOG(kWarning, "jobmanager",
            fmt::format("job {}: attempt {} failed, the next one comes in {} ms: {}",
                        id_.to_string(), attempt_->number(), *delay_ms, reason.to_string()));
    end_attempt(reason);
    restart_after(*delay_ms);
  } else {
    move_to(JobPhase::kFailing);
    end_attempt(reason);
  }
}

std::optional<std::int64_t> JobSupervisor::decide_restart(const Status& reason,
                                                          MayRestart may_restart) {
  // What was committed without a checkpoint that holds it would be committed once more.
  if (may_restart == MayRestart::kNo || is_beyond_checkpoints_ || is_final(reason)) {
    return std::nullopt;
  }
  return strategy_->on_failure(services_.clock->monotonic_ns() / 1'000'000);
}

void JobSupervisor::restart_after(std::int64_t delay_ms) {
  ++restarts_;
  waits_ = true;
  services_.schedule(id_, delay_ms, [this, restart = restarts_] {
    if (restart == restarts_) waits_ = false;
  });
}

void JobSupervisor::end_attempt(const Status& reason) {
  is_attempt_over_ = true;
  checkpoints_->end_attempt(reason);
  attempt_->cancel();
}

void JobSupervisor::all_finished(std::vector<SinkCommittables> commit) {
  move_to(JobPhase::kFinishing);
  end_attempt(Status::cancelled("all tasks have finished"));
  if (commit.empty()) return;
  is_beyond_checkpoints_ = true;
  work_.add([sinks = sinks_, commit = std::move(commit)] { return sinks->commit_or_abort(commit); },
            [this](const Status& status) {
              if (!status.is_ok()) give_up_attempt(status, MayRestart::kNo);
            });
}

void JobSupervisor::stopped(const std::string& location) {
  CLP_LOG(kInfo, "jobmanager",
          fmt::format("job {}: stopped with savepoint '{}'", id_.to_string(), location));
  is_beyond_checkpoints_ = true;
  // It was being stored when the attempt came to another end.
  if (phase_ != JobPhase::kRunning && phase_ != JobPhase::kRestarting) return;
  stopped_with_ = location;
  error_ = Status::ok();
  move_to(JobPhase::kFinishing);
  end_attempt(Status::cancelled("the job was stopped with a savepoint"));
}

void JobSupervisor::go_on() {
  if (!work_.is_idle() || checkpoints_->is_storing() || attempt_->live() > 0) return;
  if (phase_ == JobPhase::kRestarting && is_attempt_over_ && !waits_) {
    const Status begun = begin_attempt();
    if (!begun.is_ok()) fail(begun);
    return;
  }
  const bool is_ending = phase_ == JobPhase::kFinishing || phase_ == JobPhase::kFailing ||
                         phase_ == JobPhase::kCanceling;
  if (!is_ending || has_cleaned_up_) return;
  has_cleaned_up_ = true;
  const JobPhase end = phase_ == JobPhase::kFinishing ? JobPhase::kFinished
                       : phase_ == JobPhase::kFailing ? JobPhase::kFailed
                                                      : JobPhase::kCanceled;
  attempt_->stop_sources();
  checkpoints_->clean_up(end, [this, end](const Status& /*status*/) { move_to(end); });
}

// ---- Events of tasks ----

void JobSupervisor::subtask_ended(SubtaskEnd end) {
  const SubtaskRef& subtask = end.subtask;
  if (!attempt_->has(subtask)) return;
  // A task cannot end before it was deployed, whatever has become of that answer.
  if (!has_deployed_) deployed(attempt_->number(), Status::ok());
  const bool has_finished = end.outcome == SubtaskEnd::Outcome::kFinished;
  if (!attempt_->end_subtask(subtask, has_finished, std::move(end.report))) return;
  for (const PreparedCommittables& prepared : end.committables) {
    if (sinks_->is_sink(subtask.vertex, prepared.op)) continue;
    fail(Status::invalid_argument(fmt::format(
        "operator {} of task {} prepared a commit but is no sink", prepared.op, subtask.vertex)));
  }
  if (end.outcome == SubtaskEnd::Outcome::kFailed) fail(end.status);
  checkpoints_->task_ended(subtask, has_finished, std::move(end.committables));
  if (phase_ == JobPhase::kRunning && attempt_->live() == 0 &&
      attempt_->finished() < subtask_count()) {
    fail(Status::aborted("a task was cancelled that nobody had cancelled"));
  }
  go_on();
}

void JobSupervisor::splits_requested(const SubtaskRef& subtask) {
  if (phase_ == JobPhase::kRunning && attempt_->has(subtask)) attempt_->splits_requested(subtask);
  go_on();
}

void JobSupervisor::watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) {
  attempt_->watermark_reported(subtask, watermark);
  go_on();
}

void JobSupervisor::metrics_reported(const SubtaskRef& subtask, SubtaskReport report) {
  attempt_->metrics_reported(subtask, std::move(report));
}

void JobSupervisor::checkpoint_acknowledged(const SubtaskRef& subtask, CheckpointId id,
                                            const std::string& snapshot) {
  if (attempt_->has(subtask)) checkpoints_->acknowledged(subtask, id, snapshot);
  go_on();
}

void JobSupervisor::checkpoint_declined(const SubtaskRef& subtask, CheckpointId id,
                                        const Status& reason) {
  if (attempt_->has(subtask)) checkpoints_->declined(subtask, id, reason);
  go_on();
}

std::int64_t JobSupervisor::request_savepoint(std::string dir, SavepointThen then) {
  const std::int64_t request = checkpoints_->request_savepoint(
      std::move(dir), then, /*may_run=*/phase_ == JobPhase::kRunning);
  go_on();
  return request;
}

std::vector<EnumeratorSnapshot> JobSupervisor::snapshot_enumerators() {
  return attempt_->snapshot_enumerators();
}

// ---- What is known ----

void JobSupervisor::move_to(JobPhase phase) {
  CLP_CHECK_MSG(may_move(phase_, phase),
                fmt::format("{} -> {}", job_phase_name(phase_), job_phase_name(phase)));
  CLP_LOG(kInfo, "jobmanager",
          fmt::format("job {} ({}): {} -> {}", graph_.name, id_.to_string(), job_phase_name(phase_),
                      job_phase_name(phase)));
  phase_ = phase;
  if (has_ended(phase)) ended_ms_ = services_.clock->now_ms();
  services_.on_change();
}

int JobSupervisor::subtask_count() const {
  int count = 0;
  for (const JobVertex& vertex : graph_.vertices) count += vertex.parallelism;
  return count;
}

JobStatus JobSupervisor::status() const {
  JobStatus status;
  status.id = id_;
  status.name = graph_.name;
  status.phase = phase_;
  status.error = error_;
  status.started_ms = started_ms_;
  status.ended_ms = ended_ms_;
  status.subtasks = subtask_count();
  status.finished_subtasks = attempt_->finished();
  status.attempt = attempt_->number();
  status.restarts = restarts_;
  status.last_failure = last_failure_;
  status.operators = attempt_->metrics();
  checkpoints_->tell(status);
  return status;
}

}  // namespace clepsydra
