// A whole cluster in this process: one JobManager, one TaskManager, the threads they run on, and
// the client that reaches them. All that is not deterministic can be put in from outside.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "api/job_client.h"
#include "base/configuration.h"
#include "base/fwd.h"
#include "clepsydra/status.h"

namespace clepsydra {

class ConnectorRuntime;
class LocalStores;
class OperatorRegistry;
class StateBackendRegistry;

struct LocalClusterOptions {
  // Required; outlives the cluster.
  const ConnectorRuntime* connectors = nullptr;
  // Where `print` writes; outlives the cluster. Null: jobs that print are refused.
  TextOutput* standard_output = nullptr;
  // Of the process; what a job graph carries wins.
  Configuration configuration;
  int worker_threads = 0;  // 0: one per processor that the process may use.

  // The injected world; each outlives the cluster. Null: the cluster makes the real one.
  const Clock* clock = nullptr;
  WorkerPool* worker_pool = nullptr;
  BlockingPool* blocking_pool = nullptr;
  Transport* transport = nullptr;
  FileSystem* file_system = nullptr;
  LocalStores* local_stores = nullptr;          // Null: RocksDB, where the configuration says.
  const OperatorRegistry* operators = nullptr;  // Null: OperatorRegistry::built_in().
  const StateBackendRegistry* state_backends = nullptr;  // Null: StateBackendRegistry::built_in().
  std::uint64_t seed = 0;                                // 0: from the operating system.
  // With a simulated pool: how waiting calls let virtual time pass. Runs until the predicate holds;
  // false when it never will.
  std::function<bool(const std::function<bool()>&)> run_until;
};

// Destroying it cancels the jobs that run and waits for their tasks to end; its result readers go
// first.
//
// Threads: all methods, any thread (with a simulated pool: its thread).
class LocalCluster final : public JobClient {
 public:
  static Result<std::unique_ptr<LocalCluster>> make(LocalClusterOptions options);
  ~LocalCluster() override;
  LocalCluster(const LocalCluster&) = delete;
  LocalCluster& operator=(const LocalCluster&) = delete;

  Result<JobId> submit(const JobGraph& graph) override;
  Result<JobStatus> status(const JobId& id) override;
  Result<std::vector<JobStatus>> list() override;
  Result<std::string> savepoint(const JobId& id, const std::string& directory) override;
  Result<std::string> stop(const JobId& id, const std::string& directory, bool drain) override;
  Status cancel(const JobId& id) override;
  Result<JobStatus> wait(const JobId& id,
                         std::optional<std::chrono::milliseconds> timeout) override;
  Result<std::unique_ptr<ResultReader>> fetch_results(const JobId& id,
                                                      std::string_view name) override;

 private:
  struct Impl;
  explicit LocalCluster(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace clepsydra
