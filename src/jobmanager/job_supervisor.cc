#include "jobmanager/job_supervisor.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "graph/failover_regions.h"
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

constexpr ConfigOption<std::string> kFailoverStrategy{
    "jobmanager.execution.failover-strategy", "region",
    "what starts anew when a task fails: 'region', all that is connected with it, or 'full', the "
    "job"};

Result<std::vector<std::vector<int>>> read_regions(const Configuration& configuration,
                                                   const JobGraph& graph) {
  CLP_ASSIGN_OR_RETURN(const std::string strategy, configuration.get(kFailoverStrategy));
  if (strategy == "region") return failover_regions(graph);
  if (strategy != "full") {
    return Status::invalid_argument(fmt::format("'{}' must be 'region' or 'full', but is '{}'",
                                                kFailoverStrategy.key, strategy));
  }
  std::vector<int> all(graph.vertices.size());
  std::iota(all.begin(), all.end(), 0);
  return std::vector<std::vector<int>>{std::move(all)};
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
  CLP_ASSIGN_OR_RETURN(sinks_, open_sinks());
  options.job = id_;
  options.graph = &graph_;
  options.configuration = &configuration_;
  options.services = &services_;
  options.work = &work_;
  options.owner = this;
  options.sinks = sinks_;
  CLP_ASSIGN_OR_RETURN(options.regions, read_regions(configuration_, graph_));
  regions_.resize(options.regions.size());
  set_regions(options.regions);
  checkpoints_ = std::make_unique<JobCheckpoints>(std::move(options));
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    CLP_ASSIGN_OR_RETURN(regions_[r].attempt, make_attempt(r, next_attempt_++));
  }
  return Status::ok();
}

Result<std::shared_ptr<SinkCommits>> JobSupervisor::open_sinks() const {
  SinkContext context;
  context.pool = services_.memory;
  context.file_system = services_.file_system;
  context.clock = services_.clock;
  context.configuration = &configuration_;
  context.standard_output = services_.standard_output;
  context.job_id = id_.to_string();
  return SinkCommits::make(graph_, *services_.connectors, context);
}

void JobSupervisor::set_regions(const std::vector<std::vector<int>>& regions) {
  region_of_.assign(graph_.vertices.size(), 0);
  for (std::size_t r = 0; r < regions.size(); ++r) {
    regions_[r].vertices = regions[r];
    for (const int vertex : regions[r]) region_of_[static_cast<std::size_t>(vertex)] = r;
  }
}

Result<std::unique_ptr<JobAttempt>> JobSupervisor::make_attempt(std::size_t region, int number) {
  JobAttempt::Options options;
  options.job = id_;
  options.number = number;
  options.vertices = regions_[region].vertices;
  options.graph = &graph_;
  options.services = &services_;
  options.fail = [this, region](const Status& reason) { fail({region}, reason); };
  options.schedule = [this, region, number](std::int64_t delay_ms,
                                            std::function<void(JobAttempt&)> call) {
    services_.schedule(id_, delay_ms, [this, region, number, call = std::move(call)] {
      const Region& of = regions_[region];
      if (of.attempt->number() == number && !of.is_over) call(*of.attempt);
    });
  };
  return JobAttempt::make(std::move(options));
}

JobSupervisor::Regions JobSupervisor::all_regions() const {
  Regions all(regions_.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

JobSupervisor::Region* JobSupervisor::find_region(const SubtaskRef& subtask) {
  if (subtask.vertex < 0 || static_cast<std::size_t>(subtask.vertex) >= region_of_.size()) {
    return nullptr;
  }
  Region& region = regions_[region_of(subtask.vertex)];
  return region.attempt->has(subtask) ? &region : nullptr;
}

// ---- Beginning ----

Status JobSupervisor::start() {
  return begin_attempts(all_regions());
}

Status JobSupervisor::begin_attempts(const Regions& regions) {
  is_beginning_ = true;
  ++beginnings_;
  const Status begun = prepare(regions);
  if (!begun.is_ok()) is_beginning_ = false;
  return begun;
}

Status JobSupervisor::prepare(const Regions& regions) {
  if (!checkpoints_->needs_preparation()) return recover_and_deploy(regions);
  checkpoints_->prepare([this, regions, beginning = beginnings_](const Status& status) {
    if (!is_beginning_ || beginning != beginnings_) return;
    if (!status.is_ok()) {
      beginning_failed(regions, status, is_transient(status) ? MayRestart::kYes : MayRestart::kNo);
      return;
    }
    const Status begun = recover_and_deploy(regions);
    if (!begun.is_ok()) beginning_failed(regions, begun, MayRestart::kYes);
  });
  return Status::ok();
}

Status JobSupervisor::unchain_restored() {
  const std::vector<std::pair<int, int>> operators = checkpoints_->chained_over();
  if (operators.empty()) return Status::ok();
  CLP_LOG(
      kInfo, "jobmanager",
      fmt::format("job {}: {} operators have tasks of their own for the rows that are in flight "
                  "to them; the next start chains them again",
                  id_.to_string(), operators.size()));
  CLP_ASSIGN_OR_RETURN(graph_, unchain(graph_, operators));
  CLP_ASSIGN_OR_RETURN(sinks_, open_sinks());
  // What is connected stays so: the regions are the same, in the order of their first task.
  CLP_ASSIGN_OR_RETURN(const auto regions, read_regions(configuration_, graph_));
  checkpoints_->tasks_changed(regions, sinks_);
  set_regions(regions);
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    CLP_ASSIGN_OR_RETURN(regions_[r].attempt, make_attempt(r, regions_[r].attempt->number()));
  }
  return Status::ok();
}

Status JobSupervisor::recover_and_deploy(const Regions& regions) {
  CLP_RETURN_IF_ERROR(unchain_restored());
  CLP_ASSIGN_OR_RETURN(StateAssignment assignment, checkpoints_->assign());
  if (regions.size() < regions_.size()) {
    std::vector<int> vertices;
    for (const std::size_t r : regions) {
      vertices.insert(vertices.end(), regions_[r].vertices.begin(), regions_[r].vertices.end());
    }
    assignment = assignment.of(vertices, graph_);
  }
  if (!checkpoints_->needs_recovery(assignment)) return deploy(regions, assignment);
  // Shared because a function that is stored has to be copyable.
  const auto shared = std::make_shared<const StateAssignment>(std::move(assignment));
  checkpoints_->recover(*shared,
                        [this, shared, regions, beginning = beginnings_](const Status& status) {
                          if (!is_beginning_ || beginning != beginnings_) return;
                          const Status begun = status.is_ok() ? deploy(regions, *shared) : status;
                          if (!begun.is_ok()) beginning_failed(regions, begun, MayRestart::kYes);
                        });
  return Status::ok();
}

void JobSupervisor::beginning_failed(const Regions& regions, const Status& reason,
                                     MayRestart may_restart) {
  is_beginning_ = false;
  give_up_attempts(regions, reason, may_restart);
}

Status JobSupervisor::deploy(const Regions& regions, const StateAssignment& assignment) {
  is_beginning_ = false;
  std::vector<StateAssignment> parts;
  for (const std::size_t r : regions) {
    Region& region = regions_[r];
    // The first one was made to see whether it can be.
    if (region.has_begun) {
      CLP_ASSIGN_OR_RETURN(region.attempt, make_attempt(r, next_attempt_++));
    }
    region.has_begun = true;
    region.has_deployed = false;
    parts.push_back(assignment.of(region.vertices, graph_));
    CLP_RETURN_IF_ERROR(region.attempt->start_sources(parts.back()));
  }
  for (std::size_t i = 0; i < regions.size(); ++i) {
    Region& region = regions_[regions[i]];
    const Status sent = region.attempt->deploy(parts[i]);
    if (!sent.is_ok()) {
      for (std::size_t before = 0; before < i; ++before)
        regions_[regions[before]].attempt->cancel();
      return sent;
    }
    region.is_over = false;
  }
  return Status::ok();
}

void JobSupervisor::deployed(int attempt, const Status& status) {
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    if (regions_[r].attempt->number() == attempt && !has_ended(phase_)) deployed(r, status);
  }
  go_on();
}

void JobSupervisor::deployed(std::size_t r, const Status& status) {
  Region& region = regions_[r];
  if (region.has_deployed) return;
  if (!status.is_ok()) {
    region.attempt->deployment_failed();
    if (is_starting() && !region.is_over) deployment_failed(r, status);
    return;
  }
  region.has_deployed = true;
  if (!is_starting() || region.is_over) return;
  const bool do_all_run = std::all_of(regions_.begin(), regions_.end(), [](const Region& each) {
    return each.has_deployed && !each.is_over;
  });
  if (do_all_run) {
    error_ = Status::ok();
    move_to(JobPhase::kRunning);
  }
  checkpoints_->start_region(r, region.attempt->number());
}

void JobSupervisor::deployment_failed(std::size_t r, const Status& status) {
  if (status.code() == StatusCode::kDataLoss && checkpoints_->has_restore_point()) {
    if (!checkpoints_->fall_back(status)) {
      fail(all_regions(), status, MayRestart::kNo);
      return;
    }
    // Not a failure of the job: the strategy is not asked.
    last_failure_ = status;
    if (phase_ != JobPhase::kRestarting) move_to(JobPhase::kRestarting);
    end_attempts(all_regions(), status);
    return;
  }
  fail({r}, status, is_transient(status) ? MayRestart::kYes : MayRestart::kNo);
}

// ---- Ending ----

void JobSupervisor::cancel() {
  // What the sinks do cannot be called back, but there is no next attempt when they fail.
  if (phase_ == JobPhase::kFinishing) cancel_was_asked_ = true;
  if (phase_ != JobPhase::kCreated && phase_ != JobPhase::kRunning &&
      phase_ != JobPhase::kRestarting) {
    return;
  }
  error_ = Status::ok();
  move_to(JobPhase::kCanceling);
  end_attempts(all_regions(), Status::cancelled("the job was cancelled"));
  go_on();
}

void JobSupervisor::fail(const Regions& regions, const Status& reason, MayRestart may_restart) {
  const bool is_any_live = std::any_of(regions.begin(), regions.end(),
                                       [&](std::size_t r) { return is_live(regions_[r]); });
  if (is_any_live) {
    give_up_attempts(regions, reason, may_restart);
    return;
  }
  CLP_LOG(kInfo, "jobmanager",
          fmt::format("job {}: also failed: {}", id_.to_string(), reason.to_string()));
}

void JobSupervisor::attempt_failed(const Status& reason) {
  // At the end of the job it can only be a commit, and that is no detail.
  if (phase_ == JobPhase::kFinishing && !stopped_with_.empty()) {
    give_up_attempts(
        all_regions(),
        reason.with_context(fmt::format("savepoint '{}' is complete, and a job that starts from it "
                                        "commits what is missing",
                                        stopped_with_)),
        MayRestart::kNo);
  } else if (phase_ == JobPhase::kFinishing) {
    give_up_attempts(all_regions(), reason, MayRestart::kYes);
  } else {
    fail(all_regions(), reason);
  }
}

void JobSupervisor::give_up_attempts(const Regions& regions, const Status& reason,
                                     MayRestart may_restart) {
  error_ = reason;
  const std::optional<std::int64_t> delay_ms = decide_restart(reason, may_restart);
  if (delay_ms) {
    last_failure_ = reason;
    if (phase_ != JobPhase::kRestarting) move_to(JobPhase::kRestarting);
    CLP_LOG(kWarning, "jobmanager",
            fmt::format("job {}: attempt {} failed, the next one{} comes in {} ms: {}",
                        id_.to_string(), regions_[regions[0]].attempt->number(),
                        regions.size() < regions_.size() ? " of its region" : "", *delay_ms,
                        reason.to_string()));
    end_attempts(regions, reason);
    restart_after(*delay_ms, regions);
  } else {
    move_to(JobPhase::kFailing);
    end_attempts(all_regions(), reason);
  }
}

std::optional<std::int64_t> JobSupervisor::decide_restart(const Status& reason,
                                                          MayRestart may_restart) {
  // What was committed without a checkpoint that holds it would be committed once more.
  if (may_restart == MayRestart::kNo || is_beyond_checkpoints_ || cancel_was_asked_ ||
      is_final(reason)) {
    return std::nullopt;
  }
  return strategy_->on_failure(services_.clock->monotonic_ns() / 1'000'000);
}

void JobSupervisor::restart_after(std::int64_t delay_ms, const Regions& regions) {
  ++restarts_;
  for (const std::size_t r : regions) {
    Region& region = regions_[r];
    region.waits = true;
    // A timer of an earlier wait does not end this one.
    services_.schedule(id_, delay_ms, [this, r, restart = restarts_] {
      if (regions_[r].waits_for == restart) regions_[r].waits = false;
    });
    region.waits_for = restarts_;
  }
}

void JobSupervisor::end_attempts(const Regions& regions, const Status& reason) {
  for (const std::size_t r : regions) {
    regions_[r].is_over = true;
    regions_[r].waits = false;
  }
  restarts_together_ = regions.size() == regions_.size();
  if (restarts_together_) {
    is_beginning_ = false;
    checkpoints_->end_all(reason);
  } else {
    for (const std::size_t r : regions) checkpoints_->end_region(r, reason);
  }
  for (const std::size_t r : regions) regions_[r].attempt->cancel();
}

void JobSupervisor::all_finished(std::vector<SinkCommittables> commit) {
  move_to(JobPhase::kFinishing);
  end_attempts(all_regions(), Status::cancelled("all tasks have finished"));
  if (commit.empty()) return;
  is_beyond_checkpoints_ = true;
  work_.add([sinks = sinks_, commit = std::move(commit)] { return sinks->commit_or_abort(commit); },
            [this](const Status& status) {
              if (!status.is_ok()) give_up_attempts(all_regions(), status, MayRestart::kNo);
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
  end_attempts(all_regions(), Status::cancelled("the job was stopped with a savepoint"));
}

void JobSupervisor::go_on() {
  if (!work_.is_idle() || checkpoints_->is_storing()) return;
  if (phase_ == JobPhase::kRestarting) {
    restart_ready();
    return;
  }
  const bool is_ending = phase_ == JobPhase::kFinishing || phase_ == JobPhase::kFailing ||
                         phase_ == JobPhase::kCanceling;
  const bool is_live = std::any_of(regions_.begin(), regions_.end(),
                                   [](const Region& region) { return region.attempt->live() > 0; });
  if (!is_ending || is_live || has_cleaned_up_) return;
  has_cleaned_up_ = true;
  const JobPhase end = phase_ == JobPhase::kFinishing ? JobPhase::kFinished
                       : phase_ == JobPhase::kFailing ? JobPhase::kFailed
                                                      : JobPhase::kCanceled;
  for (const Region& region : regions_) region.attempt->stop_sources();
  checkpoints_->clean_up(end, [this, end](const Status& /*status*/) { move_to(end); });
}

void JobSupervisor::restart_ready() {
  if (is_beginning_) return;
  Regions ready;
  for (std::size_t r = 0; r < regions_.size(); ++r) {
    const Region& region = regions_[r];
    if (region.is_over && !region.waits && region.attempt->live() == 0) ready.push_back(r);
  }
  // After a commit has failed all have to begin together, for each makes up for its own part.
  if (ready.empty() || (restarts_together_ && ready.size() < regions_.size())) return;
  restarts_together_ = false;
  const Status begun = begin_attempts(ready);
  if (!begun.is_ok()) give_up_attempts(ready, begun, MayRestart::kYes);
}

// ---- Events of tasks ----

void JobSupervisor::subtask_ended(SubtaskEnd end) {
  const SubtaskRef& subtask = end.subtask;
  Region* const region = find_region(subtask);
  if (region == nullptr) return;
  const std::size_t r = region_of(subtask.vertex);
  // A task cannot end before it was deployed, whatever has become of that answer.
  if (!region->has_deployed && !has_ended(phase_)) deployed(r, Status::ok());
  const bool has_finished = end.outcome == SubtaskEnd::Outcome::kFinished;
  JobAttempt& attempt = *region->attempt;
  if (!attempt.end_subtask(subtask, has_finished, std::move(end.report))) return;
  for (const PreparedCommittables& prepared : end.committables) {
    if (sinks_->is_sink(subtask.vertex, prepared.op)) continue;
    fail({r}, Status::invalid_argument(
                  fmt::format("operator {} of task {} prepared a commit but is no sink",
                              prepared.op, subtask.vertex)));
  }
  if (end.outcome == SubtaskEnd::Outcome::kFailed) fail({r}, end.status);
  checkpoints_->task_ended(subtask, has_finished, std::move(end.committables));
  if (is_live(*region) && attempt.live() == 0 && attempt.finished() < attempt.subtasks()) {
    fail({r}, Status::aborted("a task was cancelled that nobody had cancelled"));
  }
  go_on();
}

void JobSupervisor::splits_requested(const SubtaskRef& subtask) {
  const Region* region = find_region(subtask);
  if (region != nullptr && region->has_deployed && is_live(*region)) {
    region->attempt->splits_requested(subtask);
  }
  go_on();
}

void JobSupervisor::watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) {
  const Region* region = find_region(subtask);
  if (region != nullptr) region->attempt->watermark_reported(subtask, watermark);
  go_on();
}

void JobSupervisor::metrics_reported(const SubtaskRef& subtask, SubtaskReport report) {
  const Region* region = find_region(subtask);
  if (region != nullptr) region->attempt->metrics_reported(subtask, std::move(report));
}

void JobSupervisor::checkpoint_acknowledged(const SubtaskRef& subtask, CheckpointId id,
                                            const std::string& snapshot) {
  if (find_region(subtask) != nullptr) checkpoints_->acknowledged(subtask, id, snapshot);
  go_on();
}

void JobSupervisor::checkpoint_declined(const SubtaskRef& subtask, CheckpointId id,
                                        const Status& reason) {
  if (find_region(subtask) != nullptr) checkpoints_->declined(subtask, id, reason);
  go_on();
}

std::int64_t JobSupervisor::request_savepoint(std::string dir, SavepointThen then) {
  const std::int64_t request = checkpoints_->request_savepoint(
      std::move(dir), then, /*may_run=*/phase_ == JobPhase::kRunning);
  go_on();
  return request;
}

std::vector<EnumeratorSnapshot> JobSupervisor::snapshot_enumerators() {
  std::vector<EnumeratorSnapshot> all;
  for (const Region& region : regions_) {
    std::vector<EnumeratorSnapshot> part = region.attempt->snapshot_enumerators();
    std::move(part.begin(), part.end(), std::back_inserter(all));
  }
  return all;
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
  for (const Region& region : regions_) {
    status.finished_subtasks += region.attempt->finished();
    status.attempt = std::max(status.attempt, region.attempt->number());
  }
  status.restarts = restarts_;
  status.last_failure = last_failure_;
  for (std::size_t v = 0; v < graph_.vertices.size(); ++v) {
    const int vertex = static_cast<int>(v);
    std::vector<OperatorMetrics> part = regions_[region_of(vertex)].attempt->metrics(vertex);
    std::move(part.begin(), part.end(), std::back_inserter(status.operators));
  }
  checkpoints_->tell(status);
  return status;
}

}  // namespace clepsydra
