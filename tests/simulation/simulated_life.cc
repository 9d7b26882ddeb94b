#include "simulated_life.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "base/simulated_worker_pool.h"
#include "base/transport.h"
#include "checked_sink.h"
#include "connectors/connector_registry.h"
#include "functions/expression.h"
#include "main/local_cluster.h"
#include "main/test_cluster.h"
#include "operators/window/window_test_plans.h"
#include "state/local_stores.h"
#include "state/state_backend.h"
#include "stream/type_codec.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
// Between questions about the state of the job, which are dear.
constexpr int kStepsPerQuestion = 64;
constexpr std::int64_t kNsPerQuestion = 10 * kNsPerMs;
// A life that takes longer than this after its last fault makes no progress.
constexpr std::int64_t kProgressNs = 10'000 * kNsPerMs;
constexpr std::int64_t kStepsMax = 4'000'000;

// Some work takes long.
class SlowBlockingPool final : public BlockingPool {
 public:
  SlowBlockingPool(SimulatedWorkerPool& pool, const LifeFaults& faults, const bool& is_healed,
                   Happenings& happened)
      : pool_(pool),
        faults_(faults),
        is_healed_(is_healed),
        happened_(happened),
        random_(pool.fork_random("slow blocking pool")) {}
  Status submit(std::function<void()> work) override {
    std::int64_t delay_ns = random_.uniform_between(0, kNsPerMs);
    if (!is_healed_ && random_.uniform_double() < faults_.slow_work) {
      delay_ns = random_.uniform_between(0, faults_.slow_work_ms_max * kNsPerMs);
      happened_.add(Happening::kSlowStorage);
    }
    pool_.schedule_at(pool_.clock().monotonic_ns() + delay_ns, std::move(work));
    return Status::ok();
  }

 private:
  SimulatedWorkerPool& pool_;
  const LifeFaults& faults_;
  const bool& is_healed_;
  Happenings& happened_;
  Random random_;
};

class LifeConnectors final : public ConnectorRuntime {
 public:
  LifeConnectors(WorkloadProcess& sources, SinkProcess& sinks, const SimulatedJob& job)
      : sources_(sources), sinks_(sinks), job_(job) {}

  Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const override {
    return make_workload_source(sources_, static_cast<int>(spec.get_int_or("number", 0)));
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override {
    Result<std::unique_ptr<Sink>> inner = ConnectorRegistry::built_in().make_sink(spec);
    if (!inner.is_ok()) return inner.status();
    const auto branch = static_cast<std::size_t>(spec.get_int_or("branch", 0));
    return make_checked_sink(sinks_, job_.branches->at(branch), *job_.workload, *std::move(inner));
  }

 private:
  WorkloadProcess& sources_;
  SinkProcess& sinks_;
  const SimulatedJob& job_;
};

// "rocksdb" with so little memory that rows leave it again and again, or with none.
template <std::int64_t kCachedBytes>
Result<std::unique_ptr<KeyedStateBackend>> make_on_disk(const StateBackendOptions& options) {
  StateBackendOptions own = options;
  own.local.cached_bytes = kCachedBytes;
  return StateBackendRegistry::built_in().make("rocksdb", own);
}

const StateBackendRegistry& simulated_backends() {
  static const StateBackendRegistry registry = [] {
    StateBackendRegistry made;
    made.add({.name = "hashmap", .make = [](const StateBackendOptions& options) {
                StateBackendOptions own = options;
                own.snapshot_rows_min = 0;  // Few rows do what many would.
                return StateBackendRegistry::built_in().make("hashmap", own);
              }});
    made.add({.name = "rocksdb", .make = make_on_disk<0>, .uses_local_disk = true});
    made.add({.name = "rocksdb_cached", .make = make_on_disk<8 << 10>, .uses_local_disk = true});
    return made;
  }();
  return registry;
}

int add_source(JobBuilder& job, const Workload& workload, int number, int parallelism) {
  StreamNode node;
  node.spec.kind = "source";
  node.spec.uid = fmt::format("source-{}", number);
  node.spec.name = fmt::format("Source: {}", number);
  node.spec.output = workload_schema();
  ExpressionPtr watermark = Expression::column(2, workload_schema()->field(2).type, "at");
  if (workload.delay_ms > 0) {
    const DataType type = watermark->type();
    watermark =
        Expression::call("-", {std::move(watermark), day_time_literal(workload.delay_ms)}, type);
  }
  node.spec.options
      .set("source", ValueTree::map().set("connector", "workload").set("number", number))
      .set("bounded", workload.is_bounded)
      .set("rowtime", 2)
      .set("watermark", expression_to_tree(*watermark))
      .set("idle_timeout_ms", workload.idle_timeout_ms);
  node.parallelism = parallelism;
  return job.add(std::move(node));
}

void add_branch(JobBuilder& job, int from, const Branch& branch, int number, int parallelism,
                Partitioning exchange) {
  constexpr Partitioning kForward = Partitioning::kForward;
  if (branch.filters) from = job.filter(from, std::exchange(exchange, kForward), parallelism);
  if (branch.has_windows) {
    from = add_window_job(job, from, branch.window, branch.two_phase, parallelism, parallelism,
                          exchange);
  }
  ValueTree options = ValueTree::map()
                          .set("path", SimulatedMachine::table_folder(number))
                          .set("format", "csv")
                          .set("connector", "filesystem");
  if (number % 2 == 1) options.set("sink.rolling-policy.file-size", "200 b");
  OperatorSpec sink;
  sink.kind = "sink_writer";
  sink.name = fmt::format("Sink: {}", number);
  sink.inputs = {job.output_of(from)};
  ValueTree spec = ValueTree::map()
                       .set("connector", "filesystem")
                       .set("branch", number)
                       .set("schema", schema_to_tree(*job.output_of(from)));
  if (branch.is_partitioned) {
    spec.set("partition_keys", int_list({0}));
    options.set("sink.partition-commit.policy.kind", "success-file");
  }
  spec.set("options", std::move(options));
  sink.options.set("sink", std::move(spec));
  // Rows are dealt out by key, windows stay with the task that made them.
  job.then(from, std::move(sink), branch.has_windows ? Partitioning::kForward : Partitioning::kHash,
           parallelism);
}

JobGraph build_job(const SimulatedJob& job, const LifeOptions& options,
                   const std::string& snapshot) {
  JobBuilder builder;
  const int parallelism = options.parallelism;
  const int source_parallelism =
      options.source_parallelism > 0 ? options.source_parallelism : parallelism;
  const Partitioning exchange =
      source_parallelism == parallelism ? Partitioning::kForward : Partitioning::kRebalance;
  std::vector<int> sources;
  for (std::size_t i = 0; i < job.workload->sources.size(); ++i) {
    sources.push_back(add_source(builder, *job.workload, static_cast<int>(i), source_parallelism));
  }
  int all = sources.size() == 1 ? sources.front() : -1;  // All sources; below 0: not needed yet.
  for (std::size_t i = 0; i < job.branches->size(); ++i) {
    const Branch& branch = (*job.branches)[i];
    if (branch.source < 0 && all < 0) {
      all = builder.pass(sources, exchange, parallelism);
    }
    const bool is_source = branch.source >= 0 || sources.size() == 1;
    const int from = branch.source < 0 ? all : sources[static_cast<std::size_t>(branch.source)];
    add_branch(builder, from, branch, static_cast<int>(i), parallelism,
               is_source ? exchange : Partitioning::kForward);
  }
  for (const auto& [key, value] : options.configuration) builder.set(key, value);
  if (!snapshot.empty()) builder.set("execution.state-recovery.path", snapshot);
  return builder.build();
}

class Life final {
 public:
  Life(SimulatedMachine& machine, const SimulatedJob& job, const LifeFaults& faults,
       const LifeOptions& options, std::uint64_t seed)
      : machine_(machine),
        job_(job),
        faults_(faults),
        random_(Random(seed).fork("life")),
        begin_ns_(machine.clock().monotonic_ns()),
        pool_(machine.clock(), {.seed = seed, .steps_max = kStepsMax}),
        blocking_pool_(pool_, faults_, is_healed_, happened_),
        transport_(pool_, {.seed = seed, .delay_ns_max = 500'000, .limits = {}}),
        files_(machine.disk(), happened_),
        positions_(Positions::at_start(*job.workload)) {
    sources_.workload = job.workload;
    sources_.region_of = regions_of(*job.branches, job.workload->sources.size());
    sources_.on_attempt = [this](int region, const RestoredSplits& restored) {
      attempt_started(region, restored);
    };
    sources_.faults = faults.source;
    sources_.happened = &happened_;
    sinks_.happened = &happened_;
    sinks_.keeps_order = !job.rebalances;
    sources_.random = Random(seed).fork("sources");
    sinks_.random = Random(seed).fork("sinks");
    local_stores_ = make_memory_stores(
        {.fault = [this, random = Random(seed).fork("local stores")](std::string_view) mutable {
          ++local_store_operations_;
          const bool fails = !is_healed_ && random.uniform_double() < faults_.local_store_error;
          if (fails) happened_.add(Happening::kLocalStoreError);
          return fails ? Status::unavailable("the local disk has gone away") : Status::ok();
        }});
    sinks_.write_error = faults.write_error;
    sinks_.preparation_error = faults.preparation_error;
    files_.set_on_renamed([this](const std::string& path) { machine_.renamed(path); });
    files_.set_plan(make_plan(Random(seed).fork("files")));
    if (faults.slow_task_of > 0) {
      pool_.set_pace([this, seed](std::string_view name) -> std::int64_t {
        if (name.find('/') == std::string_view::npos) return 0;  // No task.
        const auto of = static_cast<std::uint64_t>(faults_.slow_task_of);
        if (hash64_with_seed(name, seed) % of != 0) return 0;
        has_slow_sink_ = has_slow_sink_ || name.find("Sink: ") != std::string_view::npos;
        return faults_.slow_task_ns;
      });
    }
    start_cluster(options, seed);
  }

  ~Life() {
    files_.kill();
    is_over_ = true;
    cluster_.reset();
    machine_.disk().set_capacity_bytes(std::numeric_limits<std::int64_t>::max());
  }

  LifeReport run(const LifeOptions& options, const std::string& snapshot);

 private:
  ProcessFiles::Plan make_plan(Random random);
  void start_cluster(const LifeOptions& options, std::uint64_t seed);
  void attempt_started(int region, const RestoredSplits& restored);
  // Runs until something is to be done here.
  void run_until_event(std::int64_t until_ns);
  void look();
  void happen(LifeEventKind kind);
  void take_savepoint(bool stops, bool drains = false);
  void heal();
  void count_of_life();
  // A job without an end has read all there is.
  [[nodiscard]] bool must_stop() const {
    return !job_.workload->is_bounded && !has_savepoint_of_stop_ &&
           static_cast<int>(sources_.read_to_end.size()) == job_.workload->split_count();
  }
  [[nodiscard]] std::int64_t now_ns() const { return machine_.clock().monotonic_ns(); }
  [[nodiscard]] bool is_wrong() const { return !problem_.empty() || !sinks_.problem.empty(); }
  // Nothing more will be done in this life.
  [[nodiscard]] bool is_gone() const { return files_.is_dead() || is_dead_ || is_wrong(); }
  LifeEnd end_of(const JobStatus& status);

  SimulatedMachine& machine_;
  const SimulatedJob& job_;
  const LifeFaults& faults_;
  Random random_;
  const std::int64_t begin_ns_;
  bool is_healed_ = false;
  bool is_dead_ = false;
  bool is_over_ = false;
  bool has_slow_sink_ = false;
  Happenings happened_;
  SimulatedWorkerPool pool_;
  SlowBlockingPool blocking_pool_;
  SimulatedTransport transport_;
  ProcessFiles files_;
  WorkloadProcess sources_;
  SinkProcess sinks_;
  LifeConnectors connectors_{sources_, sinks_, job_};
  std::unique_ptr<LocalStores> local_stores_;
  std::unique_ptr<LocalCluster> cluster_;
  JobId id_;
  TimerId ticker_ = 0;
  Positions positions_;                   // What the last attempts have restored.
  std::map<int, std::int64_t> attempts_;  // That have set out, by region.
  bool was_cancelled_ = false;
  bool has_savepoint_of_stop_ = false;
  bool drain_was_asked_ = false;
  bool has_drained_ = false;
  std::size_t snapshots_before_drain_ = 0;
  std::int64_t timeouts_seen_ = 0;  // Checkpoints that had failed when it was last looked.
  bool stop_was_asked_ = false;
  std::optional<JobStatus> last_;
  std::int64_t local_store_operations_ = 0;
  std::string problem_;
};

ProcessFiles::Plan Life::make_plan(Random random) {
  if (faults_.file_plan) return faults_.file_plan;
  return [this, random](std::int64_t, FileOperation operation) mutable {
    if (is_healed_) return FileFault::kNone;
    const double drawn = random.uniform_double();
    const double death = faults_.file_death;
    const double error = death + faults_.file_error;
    if (drawn < death / 2) return FileFault::kDeathBefore;
    if (drawn < death) return FileFault::kDeathAfter;
    if (drawn < (death + error) / 2) return FileFault::kErrorBefore;
    if (drawn < error) return FileFault::kErrorAfter;
    if (operation == FileOperation::kList && random.uniform_double() < faults_.stale_list) {
      return FileFault::kStale;
    }
    return FileFault::kNone;
  };
}

void Life::start_cluster(const LifeOptions& options, std::uint64_t seed) {
  LocalClusterOptions cluster;
  cluster.configuration.set("clepsydra.batch.rows-max", std::to_string(options.batch_rows_max));
  cluster.configuration.set("clepsydra.channel.bytes-max",
                            fmt::format("{} b", options.channel_bytes_max));
  cluster.connectors = &connectors_;
  cluster.clock = &machine_.wall_clock();
  cluster.worker_pool = &pool_;
  cluster.blocking_pool = &blocking_pool_;
  cluster.transport = &transport_;
  cluster.file_system = &files_;
  cluster.local_stores = local_stores_.get();
  cluster.state_backends = &simulated_backends();
  cluster.seed = seed;
  // Whoever waits in a process that dies waits no more.
  cluster.run_until = [this](const std::function<bool()>& predicate) {
    return pool_.run_until([&] { return (is_gone() && !is_over_) || predicate(); }) ==
           SimulationEnd::kSatisfied;
  };
  Result<std::unique_ptr<LocalCluster>> made = LocalCluster::make(std::move(cluster));
  CLP_CHECK_MSG(made.is_ok(), made.status().to_string());
  cluster_ = *std::move(made);
}

void Life::attempt_started(int region, const RestoredSplits& restored) {
  if (is_gone()) return;
  ++attempts_[region];
  const Positions start = Positions::at_start(*job_.workload);
  for (std::size_t source = 0; source < restored.size(); ++source) {
    if (sources_.region_of[source] != region) continue;
    std::vector<Positions::Split>& splits = positions_.sources[source];
    splits = start.sources[source];
    if (restored[source]) {
      const Status set = positions_.set_remaining(static_cast<int>(source), *restored[source]);
      if (!set.is_ok()) problem_ = set.to_string();
    }
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const int number = job_.workload->split_number(static_cast<int>(source), static_cast<int>(i));
      if (splits[i].has_finished) {
        sources_.read_to_end.insert(number);
      } else {
        sources_.read_to_end.erase(number);
      }
    }
  }
  pool_.note(static_cast<std::uint64_t>(now_ns()));
  if (problem_.empty()) problem_ = machine_.check_cut(region, positions_);
}

void Life::run_until_event(std::int64_t until_ns) {
  int steps = 0;
  // Nobody's timer but this one comes when the job has ended; time would leap to it.
  std::function<void()> tick = [&] {
    steps = 0;
    ticker_ = pool_.schedule_at(now_ns() + kNsPerQuestion, tick);
  };
  tick();
  pool_.run_until([&] {
    if (is_gone() || now_ns() >= until_ns) return true;
    if (steps++ % kStepsPerQuestion != 0) return false;
    look();
    return has_ended(last_->phase) || must_stop();
  });
  pool_.cancel_timer(ticker_);
  look();
}

void Life::look() {
  last_ = *cluster_->status(id_);
  const CheckpointProgress& checkpoints = last_->checkpoints;
  if (checkpoints.failed > std::exchange(timeouts_seen_, checkpoints.failed) &&
      checkpoints.last_failure.code() == StatusCode::kDeadlineExceeded) {
    happened_.add(Happening::kCheckpointTimeout);
  }
}

void Life::heal() {
  is_healed_ = true;
  sources_.is_healed = true;
  sinks_.is_healed = true;
  machine_.disk().set_capacity_bytes(std::numeric_limits<std::int64_t>::max());
}

// Once event time has been sent to its end whoever asks again wants the same.
void Life::take_savepoint(bool stops, bool drains) {
  drains = drains || drain_was_asked_;
  stops = stops || drains;
  if (drains && !std::exchange(drain_was_asked_, true)) {
    snapshots_before_drain_ = machine_.snapshot_count();
  }
  const Result<std::string> taken = stops
                                        ? cluster_->stop(id_, SimulatedMachine::kSavepoints, drains)
                                        : cluster_->savepoint(id_, SimulatedMachine::kSavepoints);
  stop_was_asked_ = stop_was_asked_ || stops;
  if (!taken.is_ok() || is_gone()) return;
  happened_.add(drains ? Happening::kDrain : stops ? Happening::kStop : Happening::kSavepoint);
  has_savepoint_of_stop_ = has_savepoint_of_stop_ || stops;
  has_drained_ = has_drained_ || drains;
  if (machine_.rotten_bits() == 0 && !machine_.positions_of(*taken)) {
    problem_ = fmt::format("the savepoint in '{}' cannot be read", *taken);
  }
}

void Life::happen(LifeEventKind kind) {
  switch (kind) {
    case LifeEventKind::kJumpClock:
      happened_.add(Happening::kClockJump);
      machine_.wall_clock().jump_ms(random_.uniform_between(-3'600'000, 3'600'000));
      break;
    case LifeEventKind::kFillDisk:
      machine_.disk().set_capacity_bytes(machine_.disk().used_bytes() +
                                         random_.uniform_between(0, 3000));
      break;
    case LifeEventKind::kFreeDisk:
      machine_.disk().set_capacity_bytes(std::numeric_limits<std::int64_t>::max());
      break;
    case LifeEventKind::kRot:
      if (machine_.rot(random_)) happened_.add(Happening::kRot);
      break;
    case LifeEventKind::kSavepoint:
      take_savepoint(false);
      break;
    case LifeEventKind::kCancel:
      if (!cluster_->cancel(id_).is_ok()) break;
      happened_.add(Happening::kCancel);
      was_cancelled_ = true;
      break;
    case LifeEventKind::kStop:
      take_savepoint(true);
      break;
    case LifeEventKind::kDrain:
      take_savepoint(true, true);
      break;
    case LifeEventKind::kDie:
      happened_.add(attempts_.empty() ? Happening::kDeathInRecovery : Happening::kDeath);
      is_dead_ = true;
      break;
  }
}

LifeEnd Life::end_of(const JobStatus& status) {
  if (files_.is_dead() || is_dead_) return LifeEnd::kDied;
  switch (status.phase) {
    case JobPhase::kFinished:
      // What was asked for may have been done although its answer is an error, or have come too
      // late.
      if (has_savepoint_of_stop_) return LifeEnd::kStopped;
      return stop_was_asked_ && !machine_.is_whole() ? LifeEnd::kStopped : LifeEnd::kFinished;
    case JobPhase::kCanceled:
      if (was_cancelled_) return LifeEnd::kStopped;
      problem_ = "the job was cancelled by nobody";
      return LifeEnd::kBroken;
    case JobPhase::kFailed:
      return LifeEnd::kFailed;
    default:
      problem_ = fmt::format(
          "the job stands still in phase {} after {} ms and {} steps; live: {}; last failure: {}; "
          "checkpoint: {}",
          job_phase_name(status.phase), (now_ns() - begin_ns_) / kNsPerMs, pool_.steps(),
          fmt::join(pool_.live_steppables(), ", "), status.last_failure.to_string(),
          status.checkpoints.last_failure.to_string());
      return LifeEnd::kBroken;
  }
}

LifeReport Life::run(const LifeOptions& options, const std::string& snapshot) {
  const Result<JobId> submitted = cluster_->submit(build_job(job_, options, snapshot));
  CLP_CHECK_MSG(submitted.is_ok(), submitted.status().to_string());
  id_ = *submitted;
  // Exactly once: what is before the restored positions was written, but for rows on their way.
  if (machine_.promise() != Promise::kExactlyOnceInFlight) sinks_.restored = &positions_;
  std::vector<LifeEvent> events = faults_.events;
  const std::int64_t heals_ns =
      faults_.heals_after_ns > 0 ? begin_ns_ + faults_.heals_after_ns : Steppable::kNever;
  if (faults_.heals_after_ns < 0) heal();
  // Until the last event, which may be its death, faults may hold it up.
  const std::int64_t last_event_ns = events.empty() ? 0 : events.back().after_ns;
  std::int64_t stands_still_ns =
      begin_ns_ + std::max(last_event_ns, faults_.heals_after_ns) + kProgressNs;
  // A savepoint that was asked for is waited for, as long as faults hold it up.
  const auto is_in_time = [&] {
    stands_still_ns = std::max(stands_still_ns, now_ns() + kProgressNs);
  };
  std::size_t next = 0;
  while (!is_gone()) {
    std::int64_t until_ns = stands_still_ns;
    if (next < events.size()) until_ns = std::min(until_ns, begin_ns_ + events[next].after_ns);
    if (!is_healed_) until_ns = std::min(until_ns, heals_ns);
    run_until_event(until_ns);
    if (is_gone() || has_ended(last_->phase)) break;
    if (must_stop() && now_ns() < until_ns) {
      take_savepoint(true);
      if (!has_savepoint_of_stop_) pool_.run_for_ns(10 * kNsPerMs);  // Asked again.
      continue;
    }
    if (now_ns() >= heals_ns && !is_healed_) {
      heal();
      is_in_time();
      next = events.size();
    }
    if (next < events.size() && now_ns() >= begin_ns_ + events[next].after_ns) {
      happen(events[next++].kind);
      is_in_time();
    } else if (now_ns() < until_ns || now_ns() >= stands_still_ns) {
      break;  // Nothing will ever happen, or it takes too long.
    }
  }
  last_ = *cluster_->status(id_);
  LifeReport report;
  if (problem_.empty()) problem_ = sinks_.problem;
  if (!is_wrong()) report.end = end_of(*last_);
  report.problem = problem_;
  report.error = last_->error;
  files_.kill();
  report.trace = pool_.trace_hash();
  report.steps = pool_.steps();
  report.file_operations = files_.operations();
  report.local_store_operations = local_store_operations_;
  report.attempts = last_->attempt + 1;
  report.checkpoints = last_->checkpoints.completed;
  report.failed_checkpoints = last_->checkpoints.failed;
  count_of_life();
  report.happened = happened_;
  const std::int64_t healed_ns = begin_ns_ + std::max<std::int64_t>(0, faults_.heals_after_ns);
  if (is_healed_ || faults_.is_peace) report.healed_ms = (now_ns() - healed_ns) / kNsPerMs;
  report.stop_was_asked = stop_was_asked_;
  report.has_drained = has_drained_ && report.end == LifeEnd::kStopped;
  report.has_savepoint_of_stop = has_savepoint_of_stop_ && report.end == LifeEnd::kStopped;
  if (drain_was_asked_ && !report.has_drained) {
    report.half_drained = machine_.savepoint_after(snapshots_before_drain_);
    report.happened.add(Happening::kFailedDrain);
    if (!report.half_drained.empty()) report.happened.add(Happening::kHalfDrain);
  }
  return report;
}

void Life::count_of_life() {
  if (attempts_.size() > 1) {
    const auto [least, most] =
        std::minmax_element(attempts_.begin(), attempts_.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; });
    happened_.add(Happening::kRegionAlone, most->second - least->second);
  }
  if (has_slow_sink_) happened_.add(Happening::kSlowSink);
  if (std::any_of(last_->operators.begin(), last_->operators.end(),
                  [](const OperatorMetrics& op) { return op.backpressured_ns > 0; })) {
    happened_.add(Happening::kBackpressure);
  }
}

}  // namespace

LifeReport run_life(SimulatedMachine& machine, const SimulatedJob& job, const LifeOptions& options,
                    const LifeFaults& faults, const std::string& snapshot, std::uint64_t seed) {
  Life life(machine, job, faults, options, seed);
  return life.run(options, snapshot);
}

}  // namespace clepsydra::testing
