// For tests that run whole jobs: a connector whose rows are known by formula and whose sink
// remembers, jobs built by hand, and clusters on real threads or on a simulation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/mutex.h"
#include "base/simulated_worker_pool.h"
#include "base/transport.h"
#include "clepsydra/connector_runtime.h"
#include "graph/job_graph.h"
#include "graph/stream_graph.h"
#include "main/local_cluster.h"

namespace clepsydra::testing {

// What the sinks of a test did. Threads: all methods, any thread.
class SinkLog {
 public:
  void commit(const std::string& committable);
  void abort(const std::string& committable);
  void abort_writer();
  void wrote(std::int64_t rows);
  // Lines that were made visible, sorted.
  [[nodiscard]] std::vector<std::string> committed_lines() const;
  [[nodiscard]] int commits() const;
  [[nodiscard]] int aborted_committables() const;
  [[nodiscard]] int aborted_writers() const;
  [[nodiscard]] std::int64_t rows_written() const;

 private:
  mutable Mutex mutex_;
  std::vector<std::string> lines_;
  std::set<std::string> committed_;  // Names of committables.
  int commits_ = 0;
  int aborted_committables_ = 0;
  int aborted_writers_ = 0;
  std::int64_t rows_written_ = 0;
};

// The source "rows" gives (k BIGINT, v BIGINT, at TIMESTAMP(3)):
// row i of split s is (i * 7 + s) mod keys, i, and the time
// i * step_ms + s * skew_ms - (i * 37 mod 11) * disorder_ms after 2024-01-01.
struct RowsSource {
  int splits = 1;
  std::int64_t rows = 100;  // Per split.
  std::int64_t keys = 5;
  std::int64_t step_ms = 1000;
  std::int64_t skew_ms = 0;
  std::int64_t disorder_ms = 0;
  bool bounded = true;
  std::int64_t fail_at = -1;    // A split fails before this row.
  std::int64_t rest_every = 0;  // After so many rows a split has nothing for rest_ms.
  std::int64_t rest_ms = 10;
  bool fail_enumerator = false;
  bool fail_open = false;
  std::int64_t discover_after_ms = 0;  // The enumerator finds its splits only then.
  // As in the source operator; the watermark is `at` minus 0 ms.
  bool has_watermark = false;
  std::int64_t idle_timeout_ms = 0;
  std::string alignment_group = {};
  std::int64_t alignment_max_drift_ms = 0;
};
struct RowValues {
  std::int64_t k;
  std::int64_t v;
  std::int64_t at_ms;
};
RowValues row_of(const RowsSource& source, int split, std::int64_t i);
SchemaPtr rows_schema();
// "k | v | at" of every row, sorted.
std::vector<std::string> lines_of_rows(const RowsSource& source);
inline constexpr std::int64_t kRowsBaseMs = 1'704'067'200'000;  // 2024-01-01.

struct MemorySink {
  std::int64_t fail_at = -1;  // A writer fails before this row.
  bool fail_prepare = false;
  bool fail_commit = false;
};

// Threads: all methods, any thread.
class TestConnectors final : public ConnectorRuntime {
 public:
  Result<std::unique_ptr<Source>> make_source(const ValueTree& spec) const override;
  Result<std::unique_ptr<Sink>> make_sink(const ValueTree& spec) const override;

  SinkLog& log() const { return *log_; }

 private:
  std::unique_ptr<SinkLog> log_ = std::make_unique<SinkLog>();
};

// Builds jobs over rows_schema().
class JobBuilder {
 public:
  int source(const RowsSource& rows, int parallelism = 1);
  // Keeps rows with k <> 0.
  int filter(int from, Partitioning partitioning = Partitioning::kForward, int parallelism = 1);
  // Any operator with one input.
  int then(int from, OperatorSpec spec, Partitioning partitioning, int parallelism = 1);
  // Passes everything on, as a task of its own.
  int pass(const std::vector<int>& from, Partitioning partitioning, int parallelism = 1);
  int collect(int from, std::string_view name = "result",
              Partitioning partitioning = Partitioning::kGlobal);
  int write(int from, const MemorySink& sink = {},
            Partitioning partitioning = Partitioning::kForward, int parallelism = 1);
  int add(StreamNode node) { return graph_.add(std::move(node)); }
  [[nodiscard]] SchemaPtr output_of(int node) const {
    return graph_.nodes[static_cast<std::size_t>(node)].spec.output;
  }
  void connect(int from, int to, Partitioning partitioning, int input = 0);
  void set(std::string key, std::string value) {
    graph_.configuration.emplace_back(std::move(key), std::move(value));
  }
  [[nodiscard]] JobGraph build();

 private:
  int calc(const std::vector<int>& from, Partitioning partitioning, int parallelism, bool filters);
  std::string next_uid(std::string_view kind);

  StreamGraph graph_;
};

// Everything that a fetched result held.
struct Collected {
  std::vector<std::string> lines;        // Rows in order of arrival.
  std::vector<std::int64_t> watermarks;  // Marks in order of arrival.
};
// Reads to the end; waits in virtual or real time.
Result<Collected> read_all(ResultReader& reader);
std::vector<std::string> sorted(std::vector<std::string> lines);

// A cluster on real threads.
struct ThreadedCluster {
  explicit ThreadedCluster(int threads = 2, Configuration configuration = {});
  TestConnectors connectors;
  std::unique_ptr<LocalCluster> cluster;
};

// A cluster on one thread and virtual time; which task is stepped when, how long messages take, how
// many rows a batch has and how many bytes a channel are drawn from the seed.
struct SimulatedCluster {
  explicit SimulatedCluster(std::uint64_t seed);
  ~SimulatedCluster();
  TestConnectors connectors;
  SimulatedClock clock;
  SimulatedWorkerPool pool;
  SimulatedBlockingPool blocking_pool;
  SimulatedTransport transport;
  MemoryFileSystem file_system;
  std::unique_ptr<LocalCluster> cluster;
};

}  // namespace clepsydra::testing
