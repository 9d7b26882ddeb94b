// Whole jobs that fail, die and come back, on one thread and virtual time. The disk is all that
// survives a process. Whatever happens, the files that are visible at the end hold what one pass
// over the rows gives, and at no moment anything else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/simulated_worker_pool.h"
#include "base/transport.h"
#include "clepsydra/source.h"
#include "connectors/connector_registry.h"
#include "main/local_cluster.h"
#include "main/test_cluster.h"
#include "process_files.h"
#include "seeds.h"
#include "stream/type_codec.h"
#include "window_jobs.h"

namespace clepsydra {
namespace {

using testing::ExpectedWindows;
using testing::FileFault;
using testing::JobBuilder;
using testing::ProcessFiles;
using testing::RowsSource;
using testing::WindowJob;

constexpr std::int64_t kNsPerMs = 1'000'000;

// How often what goes wrong, by seed.
struct Faults {
  double poll_error = 0;         // Of a source, per poll: the task fails.
  double file_error = 0;         // Per file operation.
  double file_death = 0;         // Per file operation.
  std::int64_t life_ms_max = 0;  // The process dies within so much virtual time; 0: it does not.
  bool cuts_power = false;       // A death takes what was not synced with it.
};

// The connectors of a process: rows by formula, whose readers fail now and then, and files.
class RecoveryConnectors final : public ConnectorRuntime {
 public:
  RecoveryConnectors(double poll_error, Random random)
      : poll_error_(poll_error), random_(std::move(random)) {}

  Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const override;
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override {
    return ConnectorRegistry::built_in().make_sink(spec);
  }
  [[nodiscard]] bool poll_fails() const { return random_.uniform_double() < poll_error_; }

 private:
  const double poll_error_;
  mutable Random random_;
  testing::TestConnectors rows_;
};

class FailingReader final : public SplitReader {
 public:
  FailingReader(std::unique_ptr<SplitReader> reader, const RecoveryConnectors& connectors)
      : reader_(std::move(reader)), connectors_(connectors) {}
  Result<Poll> poll(std::int64_t rows_max, Batch& batch) override {
    if (connectors_.poll_fails()) return Status::unavailable("the source has gone away");
    return reader_->poll(rows_max, batch);
  }
  [[nodiscard]] std::string position() const override { return reader_->position(); }
  [[nodiscard]] std::int64_t bytes_read() const override { return reader_->bytes_read(); }

 private:
  std::unique_ptr<SplitReader> reader_;
  const RecoveryConnectors& connectors_;
};

class FailingSource final : public Source {
 public:
  FailingSource(std::unique_ptr<Source> source, const RecoveryConnectors& connectors)
      : source_(std::move(source)), connectors_(connectors) {}
  [[nodiscard]] bool is_bounded() const override { return source_->is_bounded(); }
  Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const override {
    return source_->make_enumerator();
  }
  Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                  const SourceContext& context) const override {
    Result<std::unique_ptr<SplitReader>> reader = source_->open_split(split, context);
    if (!reader.is_ok()) return reader.status();
    return std::make_unique<FailingReader>(*std::move(reader), connectors_);
  }

 private:
  std::unique_ptr<Source> source_;
  const RecoveryConnectors& connectors_;
};

Result<std::unique_ptr<Source>> RecoveryConnectors::make_source(const ValueTree& spec) const {
  Result<std::unique_ptr<Source>> source = rows_.make_source(spec);
  if (!source.is_ok()) return source.status();
  return std::make_unique<FailingSource>(*std::move(source), *this);
}

// One process from its start to its end or death. The disk and its clock are the machine's.
class Process {
 public:
  Process(SimulatedClock& clock, MemoryFileSystem& disk, std::uint64_t seed, const Faults& faults)
      : pool_(clock, {.seed = seed}),
        blocking_pool_(pool_),
        transport_(pool_, {.seed = seed, .delay_ns_max = 500'000, .limits = {}}),
        files_(disk),
        connectors_(faults.poll_error, Random(seed).fork("connectors")) {
    Random random = Random(seed).fork("process");
    files_.set_plan([faults, random](std::int64_t /*operation*/) mutable {
      const double drawn = random.uniform_double();
      if (drawn < faults.file_death / 2) return FileFault::kDeathBefore;
      if (drawn < faults.file_death) return FileFault::kDeathAfter;
      if (drawn < faults.file_death + faults.file_error / 2) return FileFault::kErrorBefore;
      if (drawn < faults.file_death + faults.file_error) return FileFault::kErrorAfter;
      return FileFault::kNone;
    });
    LocalClusterOptions options;
    options.configuration.set("clepsydra.batch.rows-max",
                              std::to_string(random.uniform_between(1, 64)));
    options.configuration.set("clepsydra.channel.bytes-max",
                              fmt::format("{} b", random.uniform_between(1, 4096)));
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
    files_.kill();
    cluster_.reset();
  }

  LocalCluster& cluster() { return *cluster_; }
  SimulatedWorkerPool& pool() { return pool_; }
  ProcessFiles& files() { return files_; }

 private:
  SimulatedWorkerPool pool_;
  SimulatedBlockingPool blocking_pool_;
  SimulatedTransport transport_;
  ProcessFiles files_;
  RecoveryConnectors connectors_;
  std::unique_ptr<LocalCluster> cluster_;
};

// A job that counts rows per window into files, and the machine that it runs on, for as many lives
// as it takes.
class RecoveringJob {
 public:
  RecoveringJob(RowsSource source, WindowJob window, std::uint64_t seed)
      : source_(std::move(source)),
        window_(window),
        random_(Random(seed).fork("machine")),
        seed_(seed),
        disk_(clock_),
        two_phase_(random_.uniform(2) == 0),
        expected_(testing::expected_windows(source_, window)) {
    for (const std::string& line : expected_.lines) allowed_[csv_of(line)] = 1;
  }

  // Runs until the job has finished; empty, or what is wrong.
  std::string run(const Faults& faults, int lives_max) {
    for (int life = 1; life <= lives_max; ++life) {
      // The last life is a good one: progress within a bound.
      const std::string problem = live(life < lives_max ? faults : Faults{}, life);
      if (!problem.empty()) return fmt::format("life {}: {}", life, problem);
      if (finished_) return check_files(true);
    }
    return "the job has not finished in its last life, which was without faults";
  }

  [[nodiscard]] int lives() const { return lives_; }
  [[nodiscard]] int restored() const { return restored_; }
  [[nodiscard]] std::int64_t restarts() const { return restarts_; }
  [[nodiscard]] std::uint64_t trace() const { return trace_; }

 private:
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
        testing::add_window_job(job, job.source(source_), window_, two_phase_, parallelism);
    ValueTree options =
        ValueTree::map().set("path", "/out").set("format", "csv").set("connector", "filesystem");
    OperatorSpec sink;
    sink.kind = "sink_writer";
    sink.name = "Sink: out";
    sink.inputs = {job.output_of(counts)};
    sink.options.set("sink", ValueTree::map()
                                 .set("connector", "filesystem")
                                 .set("schema", schema_to_tree(*job.output_of(counts)))
                                 .set("options", std::move(options)));
    job.then(counts, std::move(sink), Partitioning::kForward, parallelism);
    job.set("execution.checkpointing.interval",
            fmt::format("{} ms", random_.uniform_between(10, 60)));
    job.set("execution.checkpointing.dir", "/checkpoints");
    job.set("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    job.set("execution.checkpointing.tolerable-failed-checkpoints", "1000");
    job.set("execution.checkpointing.num-retained", std::to_string(random_.uniform_between(1, 3)));
    if (random_.uniform(2) == 0) job.set("execution.checkpointing.data-inline-threshold", "0 b");
    job.set("restart-strategy.type", "fixed-delay");
    job.set("restart-strategy.fixed-delay.attempts", "1000");
    job.set("restart-strategy.fixed-delay.delay", "5 ms");
    if (!recovery_path.empty()) job.set("execution.state-recovery.path", recovery_path);
    return job.build();
  }

  std::string live(const Faults& faults, int life) {
    ++lives_;
    const std::string recovery_path = newest_checkpoint();
    if (!recovery_path.empty()) ++restored_;
    Process process(clock_, disk_, random_.next_u64(), faults);
    const std::int64_t dies_ns =
        faults.life_ms_max == 0
            ? Steppable::kNever
            : clock_.monotonic_ns() + random_.uniform_between(1, faults.life_ms_max * kNsPerMs);
    const Result<JobId> id = process.cluster().submit(build(recovery_path));
    std::string problem;
    if (!id.is_ok()) {
      // Looking at the checkpoint or at folders may fail like anything else.
      if (faults.file_error == 0 && faults.file_death == 0) problem = id.status().to_string();
    } else {
      process.pool().run_until([&] {
        if (process.files().is_dead() || clock_.monotonic_ns() >= dies_ns) return true;
        const Result<JobStatus> status = process.cluster().status(*id);
        return !status.is_ok() || has_ended(status->phase);
      });
      const JobStatus status = *process.cluster().status(*id);
      // A job gives up its last checkpoint only when all is done: it may die while it clears up.
      finished_ = status.phase == JobPhase::kFinished ||
                  (status.checkpoints.completed > 0 && !has_checkpoint(*id));
      restarts_ += status.attempt;
      if (status.phase == JobPhase::kFailed && faults.file_error == 0) {
        problem = status.error.to_string();
      }
      if (!finished_ && !has_ended(status.phase) && !process.files().is_dead() &&
          clock_.monotonic_ns() < dies_ns) {
        problem = fmt::format("the job stands still in phase {}", job_phase_name(status.phase));
      }
    }
    process.files().kill();
    trace_ = mix64(trace_ ^ process.pool().trace_hash());
    if (faults.cuts_power) disk_.drop_unsynced();
    if (!problem.empty()) return problem;
    (void)life;
    return check_files(false);
  }

  [[nodiscard]] bool has_checkpoint(const JobId& id) {
    const std::string folder = join_path("/checkpoints", id.to_string());
    const Result<std::vector<FileInfo>> entries = disk_.list(folder);
    return entries.is_ok() && std::any_of(entries->begin(), entries->end(), [&](const auto& entry) {
             return *disk_.exists(join_path(join_path(folder, entry.name), "_metadata"));
           });
  }

  // The newest folder with metadata of any life.
  std::string newest_checkpoint() {
    std::string newest;
    std::int64_t newest_ms = -1;
    const Result<std::vector<FileInfo>> jobs = disk_.list("/checkpoints");
    if (!jobs.is_ok()) return newest;
    for (const FileInfo& job : *jobs) {
      const std::string folder = join_path("/checkpoints", job.name);
      const std::vector<FileInfo> entries = *disk_.list(folder);
      for (const FileInfo& entry : entries) {
        if (!entry.name.starts_with("chk-")) continue;
        const std::string path = join_path(folder, entry.name);
        const Result<FileInfo> metadata = disk_.stat(join_path(path, "_metadata"));
        if (!metadata.is_ok() || metadata->modified_ms < newest_ms) continue;
        newest = path;
        newest_ms = metadata->modified_ms;
      }
    }
    return newest;
  }

  // Visible lines: each as often as it may be there at most; at the end, all of them.
  std::string check_files(bool at_end) {
    std::map<std::string, int> seen;
    const Result<std::vector<FileInfo>> files = disk_.list("/out");
    if (files.is_ok()) {
      for (const FileInfo& file : *files) {
        if (file.name.starts_with(".")) continue;
        const std::string text = *read_file(disk_, join_path("/out", file.name));
        for (std::size_t at = 0; at < text.size();) {
          const std::size_t end = text.find('\n', at);
          if (end == std::string::npos) return "a visible file ends within a line: " + file.name;
          const std::string line = text.substr(at, end - at);
          at = end + 1;
          if (!allowed_.contains(line)) return fmt::format("unexpected line '{}'", line);
          if (++seen[line] > 1) return fmt::format("line '{}' is there twice", line);
        }
      }
    }
    if (at_end && seen.size() != allowed_.size()) {
      for (const auto& [line, count] : allowed_) {
        if (!seen.contains(line)) {
          return fmt::format("{} of {} lines are missing, the first: '{}'",
                             allowed_.size() - seen.size(), allowed_.size(), line);
        }
      }
    }
    return "";
  }

  const RowsSource source_;
  const WindowJob window_;
  Random random_;
  const std::uint64_t seed_;
  SimulatedClock clock_;
  MemoryFileSystem disk_;
  const bool two_phase_;
  const ExpectedWindows expected_;
  std::map<std::string, int> allowed_;
  bool finished_ = false;
  int lives_ = 0;
  int restored_ = 0;
  std::int64_t restarts_ = 0;
  std::uint64_t trace_ = 0;
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
  std::int64_t lives = 0;
  std::int64_t restored = 0;
  std::int64_t restarts = 0;
};

Totals run_seeds(const Faults& faults, int lives_max, int seeds_per_window) {
  Totals totals;
  for (const WindowJob& window : testing::all_window_jobs()) {
    for (const std::uint64_t seed : testing::seeds(seeds_per_window)) {
      RecoveringJob job(slow_rows(), window, seed);
      const std::string problem = job.run(faults, lives_max);
      EXPECT_EQ(problem, "") << "seed " << seed;
      if (!problem.empty()) return totals;
      totals.lives += job.lives();
      totals.restored += job.restored();
      totals.restarts += job.restarts();
    }
  }
  return totals;
}

TEST(RecoveryTest, without_faults_a_job_with_checkpoints_gives_the_same) {
  const Totals totals = run_seeds({}, 1, 5);
  EXPECT_EQ(totals.restarts, 0);
}

TEST(RecoveryTest, tasks_that_fail_are_restarted_and_nothing_is_lost_or_twice) {
  const Totals totals = run_seeds({.poll_error = 0.01}, 2, 10);
  EXPECT_GT(totals.restarts, 20);
}

TEST(RecoveryTest, a_process_that_dies_goes_on_from_its_last_checkpoint) {
  const Totals totals = run_seeds({.life_ms_max = 300, .cuts_power = true}, 20, 10);
  EXPECT_GT(totals.restored, 20);
}

TEST(RecoveryTest, files_that_fail_stop_a_checkpoint_and_not_the_job) {
  run_seeds({.file_error = 0.01}, 10, 10);
}

TEST(RecoveryTest, everything_at_once) {
  const Totals totals = run_seeds({.poll_error = 0.003,
                                   .file_error = 0.005,
                                   .file_death = 0.003,
                                   .life_ms_max = 600,
                                   .cuts_power = true},
                                  30, 10);
  EXPECT_GT(totals.restored, 20);
}

TEST(RecoveryTest, a_seed_replays_exactly) {
  const Faults faults{.poll_error = 0.003, .file_death = 0.003, .life_ms_max = 600};
  for (const std::uint64_t seed : testing::seeds(3)) {
    RecoveringJob first(slow_rows(), {}, seed);
    RecoveringJob second(slow_rows(), {}, seed);
    EXPECT_EQ(first.run(faults, 20), second.run(faults, 20));
    EXPECT_EQ(first.trace(), second.trace()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace clepsydra
