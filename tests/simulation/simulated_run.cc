#include "simulated_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

bool one_in(Random& random, std::uint64_t n) {
  return random.uniform(n) == 0;
}

std::string ms(std::int64_t value) {
  return fmt::format("{} ms", value);
}

Branch draw_branch(Random& random, Promise promise) {
  Branch branch;
  branch.filters = one_in(random, 3);
  branch.is_partitioned = one_in(random, 6);
  // At least once makes windows count rows twice.
  if (promise == Promise::kAtLeastOnce || one_in(random, 4)) return branch;
  const std::vector<WindowJob> windows = all_window_jobs();
  branch.has_windows = true;
  branch.window = windows[random.uniform(windows.size())];
  branch.two_phase = one_in(random, 2);
  return branch;
}

LifeOptions draw_options(Random& random, const Scenario& scenario) {
  const Promise promise = scenario.promise;
  const bool has_regions = scenario.branches.front().source >= 0;
  LifeOptions options;
  options.parallelism = static_cast<int>(random.uniform_between(1, 3));
  options.source_parallelism = options.parallelism;
  if (scenario.rebalances && one_in(random, 2)) {
    options.source_parallelism = static_cast<int>(random.uniform_between(1, 3));
  }
  options.batch_rows_max = random.uniform_between(1, 64);
  options.channel_bytes_max = random.uniform_between(1, 4096);
  const auto set = [&](std::string_view key, std::string value) {
    options.configuration.emplace_back(key, std::move(value));
  };
  constexpr std::string_view kPrefix = "execution.checkpointing.";
  const auto set_checkpointing = [&](std::string_view key, std::string value) {
    set(fmt::format("{}{}", kPrefix, key), std::move(value));
  };
  set_checkpointing("interval", ms(random.uniform_between(10, 80)));
  set_checkpointing("dir", SimulatedMachine::kCheckpoints);
  set_checkpointing("externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
  set_checkpointing("tolerable-failed-checkpoints", one_in(random, 4) ? "1" : "1000");
  set_checkpointing("num-retained", std::to_string(random.uniform_between(1, 4)));
  if (one_in(random, 2)) set_checkpointing("data-inline-threshold", "0 b");
  if (one_in(random, 4)) set_checkpointing("incremental", "false");
  // Short enough to pass while storage is slow; a healthy job must be able to keep it.
  if (one_in(random, 2)) set_checkpointing("timeout", ms(random.uniform_between(150, 400)));
  if (one_in(random, 4)) set_checkpointing("min-pause", ms(random.uniform_between(1, 40)));
  if (one_in(random, 3)) set_checkpointing("max-concurrent-checkpoints", "3");
  if (promise == Promise::kAtLeastOnce) set_checkpointing("mode", "AT_LEAST_ONCE");
  if (promise == Promise::kExactlyOnceInFlight) {
    set_checkpointing("unaligned.enabled", "true");
    if (one_in(random, 3)) {
      set_checkpointing("aligned-checkpoint-timeout", ms(random.uniform_between(1, 30)));
    }
  }
  if (one_in(random, 4)) set("execution.state-recovery.claim-mode", "CLAIM");
  if (one_in(random, 3)) {
    set("state.backend.type", one_in(random, 2) ? "rocksdb" : "rocksdb_cached");
  }
  if (has_regions && one_in(random, 3)) set("jobmanager.execution.failover-strategy", "full");
  if (one_in(random, 3)) {
    set("restart-strategy.type", "exponential-delay");
    set("restart-strategy.exponential-delay.initial-backoff", "5 ms");
    set("restart-strategy.exponential-delay.max-backoff", "40 ms");
  } else {
    set("restart-strategy.type", "fixed-delay");
    set("restart-strategy.fixed-delay.attempts", "100000");
    set("restart-strategy.fixed-delay.delay", "5 ms");
  }
  return options;
}

void draw_events(Random& random, std::int64_t life_ns, LifeFaults& faults) {
  const auto add = [&](LifeEventKind kind) {
    faults.events.push_back({random.uniform_between(0, life_ns), kind});
  };
  if (one_in(random, 3)) add(LifeEventKind::kJumpClock);
  if (one_in(random, 5)) {
    const std::int64_t fills_ns = random.uniform_between(0, life_ns);
    faults.events.push_back({fills_ns, LifeEventKind::kFillDisk});
    faults.events.push_back({random.uniform_between(fills_ns, life_ns), LifeEventKind::kFreeDisk});
  }
  if (one_in(random, 6)) add(LifeEventKind::kRot);
  if (one_in(random, 3)) add(LifeEventKind::kSavepoint);
  if (one_in(random, 8)) add(LifeEventKind::kCancel);
  if (one_in(random, 8)) add(LifeEventKind::kStop);
  if (one_in(random, 8)) add(LifeEventKind::kDrain);
}

// Each kind of fault in some lives, so that some lives get far and others do not.
LifeFaults draw_faults(Random& random, std::int64_t duration_ms) {
  LifeFaults faults;
  const auto rate = [&](std::uint64_t in, double most) {
    return one_in(random, in) ? random.uniform_double() * most : 0.0;
  };
  faults.source.poll_error = rate(3, 0.03);
  faults.source.stall = rate(4, 0.02);
  faults.write_error = rate(4, 0.02);
  faults.preparation_error = rate(5, 0.1);
  faults.file_error = rate(3, 0.02);
  faults.file_death = rate(4, 0.01);
  faults.stale_list = rate(4, 0.5);
  faults.local_store_error = rate(4, 0.01);
  faults.slow_work = rate(3, 0.4);
  faults.slow_work_ms_max = random.uniform_between(5, one_in(random, 2) ? 100 : 600);
  if (one_in(random, 4)) {
    faults.slow_task_of = static_cast<int>(random.uniform_between(1, 4));
    faults.slow_task_ns = random.uniform_between(100'000, 2 * kNsPerMs);
  }
  // Some die within their recovery.
  const std::int64_t life_ns =
      random.uniform_between(1, one_in(random, 4) ? 20 : duration_ms + 50) * kNsPerMs;
  draw_events(random, life_ns, faults);
  if (one_in(random, 4)) {
    faults.heals_after_ns = life_ns;
  } else {
    faults.events.push_back({life_ns, LifeEventKind::kDie});
  }
  std::stable_sort(faults.events.begin(), faults.events.end(),
                   [](const LifeEvent& a, const LifeEvent& b) { return a.after_ns < b.after_ns; });
  return faults;
}

// The lives of one job.
class Run {
 public:
  Run(const Scenario& scenario, const RunPlan& plan, std::uint64_t seed)
      : scenario_(scenario),
        plan_(plan),
        random_(Random(seed).fork("lives")),
        machine_(scenario_.workload, scenario_.branches, scenario_.promise) {}

  RunReport run() {
    report_.rows = scenario_.workload.rows();
    const std::int64_t begin_ns = machine_.clock().monotonic_ns();
    bool is_over = false;
    for (int life = 1; !is_over && report_.problem.empty(); ++life) {
      // The last ones have no faults; what has rotten before may still make some of them fail.
      const bool is_last = life > scenario_.lives_max + kLivesForRot;
      is_over = live(life);
      if (!report_.problem.empty()) {
        report_.problem = fmt::format("life {}: {}", life, report_.problem);
      } else if (is_last && !is_over) {
        report_.problem = "the job has not finished in lives without faults";
      }
    }
    report_.happened.add(Happening::kWentBack, machine_.went_back());
    report_.cuts_checked = machine_.cuts_checked();
    report_.virtual_ms = (machine_.clock().monotonic_ns() - begin_ns) / kNsPerMs;
    return std::move(report_);
  }

 private:
  static constexpr int kLivesForRot = 12;

  bool live(int life);
  // Whether all is done; may set the problem.
  bool judge(const LifeReport& life, const LifeFaults& faults, const std::string& snapshot,
             std::size_t snapshots_before, bool may_fail);
  bool judge_drained(const LifeReport& life);
  bool begin_drained(const std::string& snapshot);
  void count_changes(const LifeOptions& options);
  void add(const LifeReport& life);

  const Scenario& scenario_;
  const RunPlan& plan_;
  Random random_;
  SimulatedMachine machine_;
  RunReport report_;
  std::string half_drained_;  // A savepoint to go on from.
  std::optional<Positions> drained_;
  Workload drained_workload_;  // Up to there.
  int parallelism_ = 0;        // Of the life before.
  int source_parallelism_ = 0;
  std::string backend_;
};

bool Run::live(int life) {
  ++report_.lives;
  const std::string snapshot = machine_.newest_snapshot();
  if (!snapshot.empty()) ++report_.restored;
  if (!snapshot.empty() && snapshot == half_drained_ && !begin_drained(snapshot)) return true;
  const bool has_faults = life <= scenario_.lives_max && !drained_;
  const LifeOptions options = plan_.options(life);
  count_changes(options);
  const LifeFaults faults = drained_      ? LifeFaults()
                            : has_faults  ? plan_.faults(life)
                            : plan_.peace ? plan_.peace(life)
                                          : LifeFaults();
  const std::size_t snapshots_before = machine_.snapshot_count();
  const std::int64_t begin_ns = machine_.clock().monotonic_ns();
  const SimulatedJob job{drained_ ? &drained_workload_ : &scenario_.workload, &scenario_.branches,
                         scenario_.rebalances};
  const LifeReport lived = run_life(machine_, job, options, faults, snapshot, random_.next_u64());
  add(lived);
  if (!lived.half_drained.empty()) half_drained_ = lived.half_drained;
  if (lived.end == LifeEnd::kDied && plan_.after_death) plan_.after_death(machine_);
  const bool is_over = judge(lived, faults, snapshot, snapshots_before, has_faults);
  constexpr const char* kEnds[] = {"finished", "stopped", "died", "failed", "broken"};
  report_.story += fmt::format(
      "  life {}: from '{}', {} to {} parallel, {} ms, {} checkpoints, {} attempts, {} rotten "
      "bits, "
      "{}{}\n",
      life, snapshot, options.source_parallelism, options.parallelism,
      (machine_.clock().monotonic_ns() - begin_ns) / kNsPerMs, lived.checkpoints, lived.attempts,
      machine_.rotten_bits(), kEnds[static_cast<int>(lived.end)],
      lived.error.is_ok() ? "" : ": " + lived.error.to_string());
  if (!is_over && has_faults && plan_.after_life) plan_.after_life(machine_);
  return is_over;
}

// What is left of a drain that has failed half-way: the sinks commit, and no row comes any more.
// False: that cannot be.
bool Run::begin_drained(const std::string& snapshot) {
  drained_ = machine_.positions_of(snapshot);
  if (!drained_) {
    if (machine_.rotten_bits() == 0) report_.problem = "the savepoint of a drain cannot be read";
    return false;
  }
  half_drained_.clear();
  drained_workload_ = read_of(scenario_.workload, *drained_);
  machine_.set_drained();
  return true;
}

void Run::count_changes(const LifeOptions& options) {
  const std::string backend = options.get("state.backend.type");
  if (report_.lives > 1) {
    const bool has_other_tasks = (options.source_parallelism == options.parallelism) !=
                                 (source_parallelism_ == parallelism_);
    if (options.parallelism != parallelism_) report_.happened.add(Happening::kRescale);
    if (has_other_tasks) report_.happened.add(Happening::kOtherTasks);
    if (backend != backend_) report_.happened.add(Happening::kOtherBackend);
  }
  parallelism_ = options.parallelism;
  source_parallelism_ = options.source_parallelism;
  backend_ = backend;
}

bool Run::judge(const LifeReport& life, const LifeFaults& faults, const std::string& snapshot,
                std::size_t snapshots_before, bool may_fail) {
  if (life.end == LifeEnd::kBroken) {
    report_.problem = life.problem;
    return false;
  }
  if (drained_) return judge_drained(life);
  if (life.has_drained) {
    const std::optional<Positions> covered = machine_.positions_of(machine_.newest_snapshot());
    report_.problem =
        covered ? machine_.check_drained(*covered) : "the savepoint after draining cannot be read";
    return true;
  }
  if (life.end == LifeEnd::kFinished) {
    report_.problem = machine_.check_whole(Positions::at_end(scenario_.workload));
    return true;
  }
  if (life.end == LifeEnd::kFailed) {
    const bool is_broken = life.error.code() == StatusCode::kDataLoss;
    if (machine_.rotten_bits() == 0 && (is_broken || !may_fail || !faults.may_fail_job())) {
      report_.problem = "the job has failed: " + life.error.to_string();
      return false;
    }
    if (machine_.rotten_bits() > 0 && !snapshot.empty()) machine_.give_up(snapshot);
  }
  // Its own checkpoints have gone: it was clearing up after the end, or was stopped with a
  // savepoint.
  if (life.checkpoints > 0 && scenario_.workload.is_bounded && !life.has_savepoint_of_stop &&
      !machine_.has_checkpoint_after(snapshots_before)) {
    const bool may_have_stopped = life.stop_was_asked || machine_.rotten_bits() > 0;
    if (!may_have_stopped || machine_.is_whole()) {
      report_.problem = machine_.check_whole(Positions::at_end(scenario_.workload));
      return true;
    }
  }
  const std::string newest = machine_.newest_snapshot();
  if (!newest.empty() && newest == half_drained_) return false;  // The next life tells.
  const std::optional<Positions> covered =
      newest.empty() ? std::nullopt : machine_.positions_of(newest);
  if (covered) {
    report_.problem = machine_.check_covered(*covered);
    if (!report_.problem.empty()) return false;
    if (life.has_savepoint_of_stop) {
      report_.problem = machine_.check_whole(*covered);
      if (!report_.problem.empty()) return false;
      // A job without an end has done all there is to do.
      const Positions end = Positions::at_end(scenario_.workload);
      if (!scenario_.workload.is_bounded && covered->is_at(end)) return true;
    }
  }
  return false;
}

bool Run::judge_drained(const LifeReport& life) {
  if (life.end == LifeEnd::kFinished || life.end == LifeEnd::kStopped) {
    report_.problem = machine_.check_drained(*drained_);
  } else if (machine_.rotten_bits() == 0) {
    report_.problem = "a job that was drained half-way has not ended: " + life.error.to_string();
  }
  // Else rot has taken the only snapshot that knows what was drained.
  return true;
}

void Run::add(const LifeReport& life) {
  report_.trace = mix64(report_.trace ^ life.trace);
  report_.attempts += life.attempts;
  report_.checkpoints += life.checkpoints;
  report_.failed_checkpoints += life.failed_checkpoints;
  report_.steps += life.steps;
  report_.file_operations += life.file_operations;
  report_.local_store_operations += life.local_store_operations;
  report_.healed_ms_max = std::max(report_.healed_ms_max, life.healed_ms);
  report_.happened.add(life.happened);
}

}  // namespace

void RunReport::add(const RunReport& other) {
  trace = mix64(trace ^ other.trace);
  for (std::int64_t RunReport::*count :
       {&RunReport::lives, &RunReport::restored, &RunReport::attempts, &RunReport::checkpoints,
        &RunReport::failed_checkpoints, &RunReport::cuts_checked, &RunReport::rows,
        &RunReport::steps, &RunReport::file_operations, &RunReport::local_store_operations,
        &RunReport::virtual_ms}) {
    this->*count += other.*count;
  }
  healed_ms_max = std::max(healed_ms_max, other.healed_ms_max);
  happened.add(other.happened);
}

std::string Scenario::describe() const {
  std::string text = workload.describe();
  for (const Branch& branch : branches) text += "; " + branch.describe();
  constexpr const char* kPromises[] = {"exactly once", "exactly once, unaligned", "at least once"};
  return fmt::format("{}{}; {}; {} lives with faults", text,
                     rebalances ? "; sources of other parallelism" : "",
                     kPromises[static_cast<int>(promise)], lives_max);
}

Scenario draw_scenario(std::uint64_t seed) {
  Random random = Random(seed).fork("scenario");
  Scenario scenario;
  scenario.workload = draw_workload(random);
  if (one_in(random, 12)) {
    scenario.promise = Promise::kAtLeastOnce;
  } else if (one_in(random, 4)) {
    scenario.promise = Promise::kExactlyOnceInFlight;
  }
  const bool has_regions = scenario.workload.sources.size() > 1 && one_in(random, 2);
  const int branches = (one_in(random, 4) ? 2 : 1) + (has_regions ? 1 : 0);
  for (int i = 0; i < branches; ++i) {
    scenario.branches.push_back(draw_branch(random, scenario.promise));
    if (has_regions) scenario.branches.back().source = i % 2;
  }
  scenario.lives_max = static_cast<int>(random.uniform_between(1, 6));
  // Which rows are late would depend on who is faster: also when a split comes back from being
  // idle, which one task hears before the other.
  const bool may_rebalance =
      !scenario.workload.has_late_rows && scenario.workload.idle_timeout_ms == 0;
  scenario.rebalances = may_rebalance && one_in(random, 2);
  return scenario;
}

RunReport run_scenario(const Scenario& scenario, const RunPlan& plan, std::uint64_t seed) {
  return Run(scenario, plan, seed).run();
}

RunReport run_seed(std::uint64_t seed) {
  const Scenario scenario = draw_scenario(seed);
  Random random = Random(seed).fork("plan");
  Happenings happened;
  const Workload& workload = scenario.workload;
  if (workload.is_out_of_order) happened.add(Happening::kOutOfOrder);
  if (workload.has_late_rows) happened.add(Happening::kLateRows);
  if (workload.has_key_flips) happened.add(Happening::kKeyFlips);
  if (workload.idle_timeout_ms > 0) happened.add(Happening::kIdleSplit);
  RunPlan plan;
  plan.options = [&](int) { return draw_options(random, scenario); };
  plan.faults = [&](int) { return draw_faults(random, scenario.workload.duration_ms()); };
  plan.peace = [&](int) {
    LifeFaults faults;
    faults.is_peace = true;
    if (!one_in(random, 4)) return faults;
    const std::int64_t after_ns =
        random.uniform_between(1, scenario.workload.duration_ms() + 20) * kNsPerMs;
    faults.events.push_back({after_ns, LifeEventKind::kDrain});
    return faults;
  };
  plan.after_death = [&](SimulatedMachine& machine) {
    if (!one_in(random, 2)) return;
    happened.add(Happening::kPowerCut);
    if (one_in(random, 2)) {
      machine.disk().drop_unsynced();
    } else {
      machine.disk().cut_power(random);
    }
  };
  plan.after_life = [&](SimulatedMachine& machine) {
    if (one_in(random, 12) && machine.rot(random)) happened.add(Happening::kRot);
  };
  RunReport report = run_scenario(scenario, plan, seed);
  report.happened.add(happened);
  return report;
}

}  // namespace clepsydra::testing
