// Whole jobs on the model of an object store, on one thread and virtual time: checkpoints and
// results are objects, which are all that survives a process. Requests fail, are carried out
// without an answer, are the last thing that a process does; listings lag. Whatever happens, the
// objects that are visible at the end hold what one pass over the rows gives, and at no moment
// anything else.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/object_store/memory_object_store.h"
#include "base/object_store/object_file_system.h"
#include "base/random.h"
#include "base/simulated_worker_pool.h"
#include "base/transport.h"
#include "clepsydra/source.h"
#include "connectors/connector_registry.h"
#include "main/local_cluster.h"
#include "main/test_cluster.h"
#include "stream/type_codec.h"
#include "tests/simulation/seeds.h"
#include "tests/simulation/window_jobs.h"

namespace clepsydra {
namespace {

using testing::ExpectedWindows;
using testing::JobBuilder;
using testing::RowsSource;
using testing::WindowJob;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kPartBytes = 256;
constexpr std::string_view kCheckpoints = "s3://bucket/checkpoints";
constexpr std::string_view kOut = "s3://bucket/out";

// How often what goes wrong, by seed.
struct Faults {
  double error = 0;              // Per request, half of them after their effect.
  double death = 0;              // Per request, half of them after their effect.
  std::int64_t life_ms_max = 0;  // The process dies within so much virtual time; 0: it does not.
  std::int64_t listing_delay_ms_max = 0;
};

// Rows by formula, and the sinks of the engine.
class Connectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const override {
    return rows_.make_source(spec);
  }
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override {
    return ConnectorRegistry::built_in().make_sink(spec);
  }

 private:
  testing::TestConnectors rows_;
};

ObjectFileSystem::Options small_parts() {
  ObjectFileSystem::Options options;
  options.part_bytes = kPartBytes;
  options.read_ahead_bytes_max = 4096;
  return options;
}

// One process from its start to its end or death.
class Process {
 public:
  Process(SimulatedClock& clock, MemoryObjectStore& store, std::uint64_t seed, const Faults& faults)
      : pool_(clock, {.seed = seed}),
        blocking_pool_(pool_),
        transport_(pool_, {.seed = seed, .delay_ns_max = 500'000, .limits = {}}),
        store_(store),
        files_([&store](std::string_view) { return Result<ObjectStore*>(&store); }, small_parts()) {
    Random random = Random(seed).fork("process");
    store_.set_listing_delay_ms(random.uniform_between(0, faults.listing_delay_ms_max));
    store_.set_fault_hook([this, faults, random](ObjectOperation, const std::string&) mutable {
      ObjectFault fault;
      if (is_dead_) {
        fault.before = Status::cancelled("the process is dead");
        return fault;
      }
      const double drawn = random.uniform_double();
      const bool after = random.uniform(2) == 0;
      Status& status = after ? fault.after : fault.before;
      if (drawn < faults.death) {
        is_dead_ = true;
        status = Status::cancelled("the process is dead");
      } else if (drawn < faults.death + faults.error) {
        status = Status::unavailable("the server answers 503 (SlowDown)");
      }
      return fault;
    });
    LocalClusterOptions options;
    options.configuration.set("clepsydra.batch.rows-max",
                              std::to_string(random.uniform_between(1, 64)));
    options.connectors = &connectors_;
    options.clock = &clock;
    options.worker_pool = &pool_;
    options.blocking_pool = &blocking_pool_;
    options.transport = &transport_;
    options.file_system = &files_;
    options.seed = seed;
    options.run_until = [this](const std::function<bool()>& predicate) {
      return pool_.run_until(predicate) == SimulationEnd::kSatisfied;
    };
    Result<std::unique_ptr<LocalCluster>> made = LocalCluster::make(std::move(options));
    CLP_CHECK_MSG(made.is_ok(), made.status().to_string());
    cluster_ = *std::move(made);
  }
  ~Process() {
    kill();
    cluster_.reset();
    store_.set_fault_hook(nullptr);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void kill() { is_dead_ = true; }
  [[nodiscard]] bool is_dead() const { return is_dead_; }
  LocalCluster& cluster() { return *cluster_; }
  SimulatedWorkerPool& pool() { return pool_; }

 private:
  SimulatedWorkerPool pool_;
  SimulatedBlockingPool blocking_pool_;
  SimulatedTransport transport_;
  MemoryObjectStore& store_;
  ObjectFileSystem files_;
  Connectors connectors_;
  bool is_dead_ = false;
  std::unique_ptr<LocalCluster> cluster_;
};

// A job that counts rows per window into objects, for as many lives as it takes.
class ObjectJob {
 public:
  ObjectJob(RowsSource source, WindowJob window, std::uint64_t seed)
      : source_(std::move(source)),
        window_(window),
        random_(Random(seed).fork("store")),
        expected_(testing::expected_windows(source_, window)) {
    for (const std::string& line : expected_.lines) allowed_[csv_of(line)] = 1;
  }

  // Runs until the job has finished; empty, or what is wrong.
  std::string run(const Faults& faults, int lives_max) {
    for (int life = 1; life <= lives_max; ++life) {
      const bool is_last = life == lives_max;
      const std::string problem = live(is_last ? Faults{} : faults);
      if (!problem.empty()) return fmt::format("life {}: {}", life, problem);
      if (finished_) return check_objects(true);
    }
    return "the job has not finished in its last life, which was without faults";
  }

  [[nodiscard]] int restored() const { return restored_; }
  [[nodiscard]] std::int64_t restarts() const { return restarts_; }
  [[nodiscard]] const MemoryObjectStore& store() const { return store_; }

 private:
  // "a | b" -> "a,b"
  static std::string csv_of(const std::string& line) {
    std::string text;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find(" | ", at), line.size());
      if (at > 0) text += ",";
      text.append(line, at, end - at);
      at = end + 3;
    }
    return text;
  }

  JobGraph build(const std::string& recovery_path) {
    JobBuilder job;
    const int parallelism = static_cast<int>(random_.uniform_between(1, 3));
    const int counts =
        testing::add_window_job(job, job.source(source_), window_, true, parallelism);
    ValueTree options = ValueTree::map()
                            .set("path", std::string(kOut))
                            .set("format", "csv")
                            .set("connector", "filesystem");
    if (random_.uniform(2) == 0) options.set("sink.rolling-policy.file-size", "600 b");
    OperatorSpec sink;
    sink.kind = "sink_writer";
    sink.name = "Sink: out";
    sink.inputs = {job.output_of(counts)};
    sink.options.set("sink", ValueTree::map()
                                 .set("connector", "filesystem")
                                 .set("schema", schema_to_tree(*job.output_of(counts)))
                                 .set("partition_keys", ValueTree::list())
                                 .set("options", std::move(options)));
    job.then(counts, std::move(sink), Partitioning::kForward, parallelism);
    job.set("execution.checkpointing.interval",
            fmt::format("{} ms", random_.uniform_between(10, 60)));
    job.set("execution.checkpointing.dir", std::string(kCheckpoints));
    job.set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    job.set("execution.checkpointing.tolerable-failed-checkpoints", "1000");
    job.set("execution.checkpointing.data-inline-threshold", "0 b");
    job.set("restart-strategy.type", "fixed-delay");
    job.set("restart-strategy.fixed-delay.attempts", "1000");
    job.set("restart-strategy.fixed-delay.delay", "5 ms");
    if (!recovery_path.empty()) job.set("execution.state-recovery.path", recovery_path);
    return job.build();
  }

  std::string live(const Faults& faults) {
    const std::string recovery_path = newest_checkpoint();
    if (!recovery_path.empty()) ++restored_;
    Process process(clock_, store_, random_.next_u64(), faults);
    const std::int64_t dies_ns =
        faults.life_ms_max == 0
            ? Steppable::kNever
            : clock_.monotonic_ns() + random_.uniform_between(1, faults.life_ms_max * kNsPerMs);
    const Result<JobId> id = process.cluster().submit(build(recovery_path));
    if (!id.is_ok()) return faults.error + faults.death > 0 ? "" : id.status().to_string();
    process.pool().run_until([&] {
      if (process.is_dead() || clock_.monotonic_ns() >= dies_ns) return true;
      const Result<JobStatus> status = process.cluster().status(*id);
      return !status.is_ok() || has_ended(status->phase);
    });
    const JobStatus status = *process.cluster().status(*id);
    // A job gives up its last checkpoint only when all is done: it may die while it clears up, and
    // leave an older one that it could not remove before.
    finished_ = status.phase == JobPhase::kFinished ||
                (status.checkpoints.completed > 0 && !is_there(status.checkpoints.last_path));
    restarts_ += status.attempt;
    if (status.phase == JobPhase::kFailed && faults.error == 0) return status.error.to_string();
    if (!finished_ && !has_ended(status.phase) && !process.is_dead() &&
        clock_.monotonic_ns() < dies_ns) {
      return fmt::format("the job stands still in phase {}", job_phase_name(status.phase));
    }
    process.kill();
    return check_objects(false);
  }

  bool is_there(const std::string& checkpoint) {
    constexpr std::string_view kBucket = "s3://bucket/";
    CLP_CHECK(checkpoint.starts_with(kBucket));
    return store_.look_at(checkpoint.substr(kBucket.size()) + "/_metadata").is_ok();
  }

  // The newest folder with metadata of any life.
  std::string newest_checkpoint() {
    std::string newest;
    std::int64_t newest_ms = -1;
    for (const std::string& key : store_.keys()) {
      if (!key.starts_with("checkpoints/") || !key.ends_with("/_metadata")) continue;
      const ObjectInfo info = *store_.look_at(key);
      if (info.modified_ms < newest_ms) continue;
      newest = fmt::format("s3://bucket/{}", key.substr(0, key.rfind('/')));
      newest_ms = info.modified_ms;
    }
    return newest;
  }

  std::string check_objects(bool at_end) {
    std::map<std::string, int> seen;
    for (const std::string& key : store_.keys()) {
      if (!key.starts_with("out/")) continue;
      const std::string text = *store_.bytes_of(key);
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        if (end == std::string::npos) return "a visible object ends within a line: " + key;
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (!allowed_.contains(line)) return fmt::format("unexpected line '{}'", line);
        if (++seen[line] > 1) return fmt::format("line '{}' is there twice", line);
      }
    }
    if (at_end && seen.size() != allowed_.size()) {
      return fmt::format("{} of {} lines are missing", allowed_.size() - seen.size(),
                         allowed_.size());
    }
    return "";
  }

  const RowsSource source_;
  const WindowJob window_;
  Random random_;
  SimulatedClock clock_;
  MemoryObjectStore store_{clock_, kPartBytes};
  const ExpectedWindows expected_;
  std::map<std::string, int> allowed_;
  bool finished_ = false;
  int restored_ = 0;
  std::int64_t restarts_ = 0;
};

// Rows that take about half a second of virtual time, out of order so that many are late.
RowsSource slow_rows() {
  return {.rows = 400,
          .keys = 7,
          .step_ms = 1900,
          .disorder_ms = 1000,
          .rest_every = 8,
          .rest_ms = 10,
          .has_watermark = true};
}

struct Totals {
  std::int64_t restored = 0;
  std::int64_t restarts = 0;
  std::size_t open_uploads = 0;
  std::size_t objects_but_results = 0;
};

Totals run_seeds(const Faults& faults, int lives_max, int count) {
  Totals totals;
  for (const std::uint64_t seed : testing::seeds(count)) {
    ObjectJob job(slow_rows(), WindowJob{}, seed);
    const std::string problem = job.run(faults, lives_max);
    EXPECT_EQ(problem, "") << "seed " << seed;
    if (!problem.empty()) return totals;
    totals.restored += job.restored();
    totals.restarts += job.restarts();
    totals.open_uploads += job.store().open_uploads().size();
    for (const std::string& key : job.store().keys()) {
      if (!key.starts_with("out/")) ++totals.objects_but_results;
    }
  }
  return totals;
}

TEST(SimulatedObjectsTest, without_faults_only_the_results_are_left) {
  const Totals totals = run_seeds({}, 1, 20);
  EXPECT_EQ(totals.restarts, 0);
  EXPECT_EQ(totals.open_uploads, 0U);
  EXPECT_EQ(totals.objects_but_results, 0U);
}

TEST(SimulatedObjectsTest, requests_that_fail_or_lose_their_answer) {
  const Totals totals = run_seeds({.error = 0.01}, 10, 40);
  EXPECT_GT(totals.restarts, 10);
}

TEST(SimulatedObjectsTest, a_process_that_dies_goes_on_from_its_last_checkpoint) {
  const Totals totals = run_seeds({.death = 0.002, .life_ms_max = 300}, 20, 40);
  EXPECT_GT(totals.restored, 20);
}

TEST(SimulatedObjectsTest, everything_at_once_with_listings_that_lag) {
  const Totals totals = run_seeds(
      {.error = 0.005, .death = 0.003, .life_ms_max = 600, .listing_delay_ms_max = 200}, 30, 60);
  EXPECT_GT(totals.restored, 20);
}

}  // namespace
}  // namespace clepsydra
