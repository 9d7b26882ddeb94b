#include "main/local_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/directory_lock.h"
#include "base/memory_pool.h"
#include "base/mutex.h"
#include "base/process.h"
#include "base/random.h"
#include "base/thread_annotations.h"
#include "base/thread_blocking_pool.h"
#include "base/thread_worker_pool.h"
#include "base/transport.h"
#include "base/uri_file_system.h"
#include "jobmanager/job_manager.h"
#include "main/restored_schemas.h"
#include "operators/operator_registry.h"
#include "state/local_state.h"
#include "state/local_stores.h"
#include "state/state_backend.h"
#include "taskmanager/local_copies.h"
#include "taskmanager/result_exchange.h"
#include "taskmanager/task_manager.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// Lets threads sleep until something has changed. Threads: all methods, any thread.
class ChangeSignal {
 public:
  void notify() {
    {
      const MutexLock lock(mutex_);
      ++changes_;
    }
    changed_.notify_all();
  }

  // Asks `predicate`, without the lock, after every change until it holds or `deadline_ns` of
  // `clock` has passed; the last answer.
  bool wait(const Clock& clock, std::int64_t deadline_ns, const std::function<bool()>& predicate) {
    while (true) {
      const std::uint64_t seen = changes();
      if (predicate()) return true;
      const std::int64_t left_ns = deadline_ns - clock.monotonic_ns();
      if (left_ns <= 0) return false;
      const MutexLock lock(mutex_);
      if (changes_ == seen) changed_.wait_for(mutex_, std::min(left_ns, kPieceNs));
    }
  }

 private:
  // Far deadlines overflow inside the standard library.
  static constexpr std::int64_t kPieceNs = 3'600'000'000'000;

  std::uint64_t changes() {
    const MutexLock lock(mutex_);
    return changes_;
  }

  Mutex mutex_;
  CondVar changed_;
  std::uint64_t changes_ CLP_GUARDED_BY(mutex_) = 0;
};

std::int64_t deadline_after(const Clock& clock, std::optional<std::chrono::milliseconds> timeout) {
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  const std::int64_t now_ns = clock.monotonic_ns();
  if (!timeout || timeout->count() >= (kNever - now_ns) / kNsPerMs) return kNever;
  return now_ns + std::max<std::int64_t>(0, timeout->count()) * kNsPerMs;
}

Result<std::shared_ptr<void>> lock_local_directory(const std::string& directory) {
  // Only of this machine's folders it is known who has died.
  if (directory.find("://") != std::string::npos) return std::shared_ptr<void>();
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<DirectoryLock> lock, DirectoryLock::take(directory));
  return std::shared_ptr<void>(std::move(lock));
}

}  // namespace

// Destroyed from the last to the first: what runs goes before what it runs on.
struct LocalCluster::Impl {
  LocalClusterOptions options;
  ChangeSignal changed;
  std::unique_ptr<SystemClock> own_clock;
  std::unique_ptr<Random> random;
  std::unique_ptr<UriFileSystem> own_file_system;
  std::unique_ptr<LocalStores> own_local_stores;
  std::unique_ptr<LocalStatePlaces> local_state;
  std::unique_ptr<LocalCopyPlaces> local_copies;
  std::shared_ptr<MemoryPool> memory;
  std::unique_ptr<ResultExchange> results;
  std::unique_ptr<ThreadBlockingPool> own_blocking_pool;
  std::unique_ptr<ThreadWorkerPool> own_worker_pool;
  std::unique_ptr<InProcessTransport> own_transport;
  std::unique_ptr<TaskManager> task_manager;
  std::unique_ptr<JobManager> job_manager;

  Mutex mutex;
  // Which results a job has, and which were fetched.
  std::map<JobId, std::set<std::string>> unfetched CLP_GUARDED_BY(mutex);
  std::vector<JobId> submitted CLP_GUARDED_BY(mutex);  // That the JobManager remembers.

  // Blocking work calls back into the worker pool and may do so last when its job has ended: its
  // threads end while there still is one.
  ~Impl() {
    job_manager.reset();
    task_manager.reset();
    if (own_blocking_pool != nullptr) own_blocking_pool->shutdown();
  }

  void make_world();
  Status start();
  // Waits for the answer to a request for a savepoint.
  Result<std::string> await_savepoint(const JobId& id, const Result<std::int64_t>& request);
  // Lets time pass until the predicate holds or the deadline is over; the last answer.
  bool wait_until(std::int64_t deadline_ns, const std::function<bool()>& predicate);
  void shut_down();
};

namespace {

class LocalResultReader final : public ResultReader {
 public:
  using WaitUntil = std::function<bool(std::int64_t, const std::function<bool()>&)>;

  LocalResultReader(std::shared_ptr<ResultChannel> channel, const JobId& job,
                    const JobManager& jobs, WaitUntil wait_until, const Clock& clock)
      : channel_(std::move(channel)),
        job_(job),
        jobs_(jobs),
        wait_until_(std::move(wait_until)),
        clock_(clock) {}
  ~LocalResultReader() override { channel_->close(); }

  Result<Fetched> try_next() override {
    // Asked first: what a job sent before its end is in the channel afterwards.
    CLP_ASSIGN_OR_RETURN(const JobPhase phase, jobs_.phase(job_));
    Fetched fetched;
    switch (channel_->take(fetched.batch)) {
      case ResultChannel::State::kBatch:
        fetched.state = State::kBatch;
        return fetched;
      case ResultChannel::State::kEnd:
        fetched.state = State::kEnd;
        return fetched;
      case ResultChannel::State::kNothingYet:
        break;
    }
    if (!has_ended(phase)) return fetched;
    CLP_ASSIGN_OR_RETURN(const JobStatus status, jobs_.status(job_));
    if (!status.error.is_ok()) return status.error;
    return Status::cancelled(fmt::format("job '{}' was cancelled", status.name));
  }

  Result<Fetched> next(std::chrono::milliseconds timeout) override {
    std::optional<Result<Fetched>> result;
    wait_until_(deadline_after(clock_, timeout), [&] {
      result = try_next();
      return !result->is_ok() || (*result)->state != State::kNothingYet;
    });
    return *std::move(result);
  }

 private:
  const std::shared_ptr<ResultChannel> channel_;
  const JobId job_;
  const JobManager& jobs_;
  const WaitUntil wait_until_;
  const Clock& clock_;
};

}  // namespace

void LocalCluster::Impl::make_world() {
  if (options.clock == nullptr) {
    own_clock = std::make_unique<SystemClock>();
    options.clock = own_clock.get();
  }
  random =
      std::make_unique<Random>(options.seed == 0 ? Random::from_entropy() : Random(options.seed));
  if (options.file_system == nullptr) {
    own_file_system = std::make_unique<UriFileSystem>(options.configuration);
    options.file_system = own_file_system.get();
  }
  if (options.blocking_pool == nullptr) {
    own_blocking_pool = std::make_unique<ThreadBlockingPool>(ThreadBlockingPool::Options{});
    options.blocking_pool = own_blocking_pool.get();
  }
  if (options.worker_pool == nullptr) {
    ThreadWorkerPool::Options workers;
    workers.threads = options.worker_threads > 0 ? options.worker_threads
                                                 : make_process()->available_processors();
    own_worker_pool = std::make_unique<ThreadWorkerPool>(*options.clock, std::move(workers));
    options.worker_pool = own_worker_pool.get();
  }
  if (options.transport == nullptr) {
    own_transport = std::make_unique<InProcessTransport>(*options.worker_pool);
    options.transport = own_transport.get();
  }
  if (options.operators == nullptr) options.operators = &OperatorRegistry::built_in();
  if (options.state_backends == nullptr) {
    options.state_backends = &StateBackendRegistry::built_in();
  }
  if (options.local_stores == nullptr && options.run_until) {
    own_local_stores = make_memory_stores();
    options.local_stores = own_local_stores.get();
  }
  const std::optional<std::string> temporary = make_process()->environment("TMPDIR");
  local_state = std::make_unique<LocalStatePlaces>(temporary.value_or("/tmp"));
  const bool is_real = own_file_system != nullptr;
  local_copies = std::make_unique<LocalCopyPlaces>(
      *options.file_system, *options.blocking_pool, temporary.value_or("/tmp"),
      is_real ? lock_local_directory : LocalCopyPlaces::Lock(),
      is_real ? hard_link : LocalCopies::Link());
  memory = MemoryPool::make_root("process");
  results = std::make_unique<ResultExchange>([this] { changed.notify(); });
}

Status LocalCluster::Impl::start() {
  TaskManagerOptions tasks;
  tasks.transport = options.transport;
  tasks.worker_pool = options.worker_pool;
  tasks.memory = memory;
  tasks.on_change = [this] { changed.notify(); };
  tasks.environment.clock = options.clock;
  tasks.environment.file_system = options.file_system;
  tasks.environment.blocking_pool = options.blocking_pool;
  tasks.environment.connectors = options.connectors;
  tasks.environment.operators = options.operators;
  tasks.environment.state_backends = options.state_backends;
  tasks.environment.standard_output = options.standard_output;
  tasks.environment.results = results.get();
  tasks.environment.open_local_stores =
      [this](const Configuration& configuration) -> Result<std::shared_ptr<LocalStores>> {
    if (options.local_stores == nullptr) return local_state->open(configuration);
    return std::shared_ptr<LocalStores>(options.local_stores, [](LocalStores*) {});
  };
  tasks.environment.local_copies = local_copies.get();
  tasks.environment.configuration = options.configuration;
  CLP_ASSIGN_OR_RETURN(task_manager, TaskManager::start(std::move(tasks)));

  JobManagerOptions jobs;
  jobs.transport = options.transport;
  jobs.worker_pool = options.worker_pool;
  jobs.blocking_pool = options.blocking_pool;
  jobs.clock = options.clock;
  jobs.file_system = options.file_system;
  jobs.connectors = options.connectors;
  jobs.standard_output = options.standard_output;
  jobs.memory = memory.get();
  jobs.random = random.get();
  jobs.configuration = options.configuration;
  jobs.on_change = [this] { changed.notify(); };
  if (own_file_system != nullptr) {
    jobs.lock_directory = lock_local_directory;
  }
  jobs.check_state = [this](const JobGraph& graph, const Configuration& configuration,
                            const CompletedCheckpoint& checkpoint) {
    return check_restored_schemas(*options.file_system, checkpoint, graph, configuration,
                                  *options.operators);
  };
  CLP_ASSIGN_OR_RETURN(job_manager, JobManager::start(std::move(jobs)));
  return Status::ok();
}

bool LocalCluster::Impl::wait_until(std::int64_t deadline_ns,
                                    const std::function<bool()>& predicate) {
  if (!options.run_until) return changed.wait(*options.clock, deadline_ns, predicate);
  bool holds = false;
  options.run_until([&] {
    holds = predicate();
    return holds || options.clock->monotonic_ns() >= deadline_ns;
  });
  return holds || predicate();
}

Result<std::string> LocalCluster::Impl::await_savepoint(const JobId& id,
                                                        const Result<std::int64_t>& request) {
  if (!request.is_ok()) return request.status();
  Result<SavepointStatus> answer = SavepointStatus();
  wait_until(std::numeric_limits<std::int64_t>::max(), [&] {
    answer = job_manager->savepoint_status(id, *request);
    return !answer.is_ok() || answer->has_ended;
  });
  if (!answer.is_ok()) return answer.status();
  if (!answer->status.is_ok()) return answer->status;
  return answer->location;
}

void LocalCluster::Impl::shut_down() {
  if (job_manager == nullptr) return;
  job_manager->cancel_all();
  wait_until(std::numeric_limits<std::int64_t>::max(),
             [this] { return job_manager->all_ended() && task_manager->live_tasks() == 0; });
}

LocalCluster::LocalCluster(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LocalCluster::~LocalCluster() {
  impl_->shut_down();
}

Result<std::unique_ptr<LocalCluster>> LocalCluster::make(LocalClusterOptions options) {
  CLP_CHECK(options.connectors != nullptr);
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->make_world();
  CLP_RETURN_IF_ERROR(impl->start());
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(impl)));
}

Result<JobId> LocalCluster::submit(const JobGraph& graph) {
  std::set<std::string> sinks;
  for (const JobVertex& vertex : graph.vertices) {
    for (const ChainedOperator& chained : vertex.operators) {
      if (chained.spec.kind != "collect_sink") continue;
      sinks.insert(chained.spec.options.get_string_or("result", ""));
    }
  }
  CLP_ASSIGN_OR_RETURN(const JobId id, impl_->job_manager->submit(graph));
  const MutexLock lock(impl_->mutex);
  impl_->unfetched[id] = std::move(sinks);
  impl_->submitted.push_back(id);
  return id;
}

Result<std::vector<JobStatus>> LocalCluster::list() {
  std::vector<JobId> ids;
  {
    const MutexLock lock(impl_->mutex);
    ids = impl_->submitted;
  }
  std::vector<JobStatus> jobs;
  for (const JobId& id : ids) {
    Result<JobStatus> status = impl_->job_manager->status(id);
    if (status.is_ok()) {
      jobs.push_back(*std::move(status));
      continue;
    }
    const MutexLock lock(impl_->mutex);
    std::erase(impl_->submitted, id);
  }
  return jobs;
}

Result<std::string> LocalCluster::savepoint(const JobId& id, const std::string& directory) {
  return impl_->await_savepoint(id, impl_->job_manager->savepoint(id, directory));
}

Result<std::string> LocalCluster::stop(const JobId& id, const std::string& directory, bool drain) {
  CLP_ASSIGN_OR_RETURN(std::string folder,
                       impl_->await_savepoint(id, impl_->job_manager->stop(id, directory, drain)));
  // Sinks commit what the savepoint covers once it is complete: who asks sees it all.
  CLP_ASSIGN_OR_RETURN(const JobStatus status, wait(id, std::nullopt));
  if (status.phase == JobPhase::kFailed || status.phase == JobPhase::kCanceled) {
    return Status::failed_precondition(fmt::format(
        "the savepoint '{}' is complete, but the job {} before its sinks had committed all that it "
        "covers{}{}; a job that starts from it commits the rest",
        folder, status.phase == JobPhase::kFailed ? "failed" : "was cancelled",
        status.error.is_ok() ? "" : ": ", status.error.message()));
  }
  return folder;
}

Result<JobStatus> LocalCluster::status(const JobId& id) {
  return impl_->job_manager->status(id);
}

Status LocalCluster::cancel(const JobId& id) {
  return impl_->job_manager->cancel(id);
}

Result<JobStatus> LocalCluster::wait(const JobId& id,
                                     std::optional<std::chrono::milliseconds> timeout) {
  CLP_RETURN_IF_ERROR(impl_->job_manager->phase(id).status());
  impl_->wait_until(deadline_after(*impl_->options.clock, timeout), [&] {
    const Result<JobPhase> phase = impl_->job_manager->phase(id);
    return !phase.is_ok() || has_ended(*phase);
  });
  return impl_->job_manager->status(id);
}

Result<std::unique_ptr<ResultReader>> LocalCluster::fetch_results(const JobId& id,
                                                                  std::string_view name) {
  {
    const MutexLock lock(impl_->mutex);
    const auto job = impl_->unfetched.find(id);
    if (job == impl_->unfetched.end() || job->second.erase(std::string(name)) == 0) {
      return Status::not_found(fmt::format("job {} has no result '{}' that was not fetched before",
                                           id.to_string(), name));
    }
  }
  Impl& impl = *impl_;
  return std::make_unique<LocalResultReader>(
      impl.results->channel(id, name), id, *impl.job_manager,
      [&impl](std::int64_t deadline_ns, const std::function<bool()>& predicate) {
        return impl.wait_until(deadline_ns, predicate);
      },
      *impl.options.clock);
}

}  // namespace clepsydra
