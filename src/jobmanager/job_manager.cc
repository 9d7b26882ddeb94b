#include "jobmanager/job_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/thread_annotations.h"
#include "base/transport.h"
#include "jobmanager/job_service_rpc.h"
#include "jobmanager/job_supervisor.h"
#include "jobmanager/taskmanager_client_rpc.h"

namespace clepsydra {

// Threads: clients, the endpoint's handler, timers and blocking work meet at `mutex_`, which orders
// all calls of supervisors. Nothing that is called under it calls back.
class JobManager::Impl final : public JobService, public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(JobManagerOptions options)
      : options_(std::move(options)),
        task_manager_(*options_.transport, options_.endpoint, options_.task_manager) {}

  Status listen() {
    return options_.transport->listen(options_.endpoint, [this](Message message) {
      const MutexLock lock(mutex_);
      const Status dispatched = dispatch_to_job_service(message.bytes, *this);
      if (dispatched.is_ok()) return;
      CLP_LOG(kWarning, "jobmanager",
              fmt::format("ignored a message from {}: {}", message.from, dispatched.to_string()));
    });
  }

  void stop() {
    options_.transport->close(options_.endpoint);
    const MutexLock lock(mutex_);
    stopped_ = true;
  }

  Result<JobId> submit(const JobGraph& graph);
  Status cancel(const JobId& id);
  void cancel_all();
  Result<std::int64_t> savepoint(const JobId& id, std::string dir, SavepointThen then);
  Result<SavepointStatus> savepoint_status(const JobId& id, std::int64_t request) const;
  Result<JobStatus> status(const JobId& id) const;
  Result<JobPhase> phase(const JobId& id) const;
  [[nodiscard]] bool all_ended() const;

  // JobService: under the lock of the endpoint's handler.
  void deployed(const JobId& job, int attempt, const Status& status) override CLP_REQUIRES(mutex_);
  void subtask_ended(SubtaskEnd end) override CLP_REQUIRES(mutex_);
  void splits_requested(const SubtaskRef& subtask) override CLP_REQUIRES(mutex_);
  void watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) override
      CLP_REQUIRES(mutex_);
  void metrics_reported(const SubtaskRef& subtask, SubtaskReport report) override
      CLP_REQUIRES(mutex_);
  void checkpoint_acknowledged(const SubtaskRef& subtask, std::int64_t checkpoint,
                               const std::string& snapshot) override CLP_REQUIRES(mutex_);
  void checkpoint_declined(const SubtaskRef& subtask, std::int64_t checkpoint,
                           const Status& reason) override CLP_REQUIRES(mutex_);

 private:
  JobServices make_services(const JobId& id);
  void schedule(const JobId& job, std::int64_t delay_ms, std::function<void()> call);
  void run_blocking(const JobId& job, std::function<Status()> work,
                    std::function<void(const Status&)> done);
  JobSupervisor* find(const JobId& id) const CLP_REQUIRES(mutex_);
  Status unknown(const JobId& id) const;
  void forget_old_jobs() CLP_REQUIRES(mutex_);

  const JobManagerOptions options_;
  TaskManagerClient task_manager_;
  mutable Mutex mutex_;
  std::map<JobId, std::unique_ptr<JobSupervisor>> jobs_ CLP_GUARDED_BY(mutex_);
  std::deque<JobId> submitted_ CLP_GUARDED_BY(mutex_);  // Oldest first.
  bool stopped_ CLP_GUARDED_BY(mutex_) = false;
};

JobServices JobManager::Impl::make_services(const JobId& id) {
  JobServices services;
  services.clock = options_.clock;
  services.file_system = options_.file_system;
  services.connectors = options_.connectors;
  services.standard_output = options_.standard_output;
  services.memory = options_.memory;
  services.task_manager = &task_manager_;
  services.random = options_.random->fork(id.to_string());
  services.schedule = [this](const JobId& job, std::int64_t delay_ms, std::function<void()> call) {
    schedule(job, delay_ms, std::move(call));
  };
  services.run_blocking = [this](const JobId& job, std::function<Status()> work,
                                 std::function<void(const Status&)> done) {
    run_blocking(job, std::move(work), std::move(done));
  };
  services.lock_directory = options_.lock_directory;
  services.check_state = options_.check_state;
  services.on_change = options_.on_change;
  return services;
}

Result<JobId> JobManager::Impl::submit(const JobGraph& graph) {
  const MutexLock lock(mutex_);
  const JobId id = JobId::make(*options_.random);
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<JobSupervisor> supervisor,
                       JobSupervisor::make(id, graph, options_.configuration, make_services(id)));
  JobSupervisor& started = *supervisor;
  jobs_.emplace(id, std::move(supervisor));
  const Status status = started.start();
  if (!status.is_ok()) {
    jobs_.erase(id);
    return status;
  }
  submitted_.push_back(id);
  forget_old_jobs();
  return id;
}

void JobManager::Impl::forget_old_jobs() {
  if (submitted_.size() <= kEndedJobsMax) return;
  const auto oldest = std::find_if(
      submitted_.begin(), submitted_.end(),
      [&](const JobId& id) CLP_REQUIRES(mutex_) { return has_ended(find(id)->phase()); });
  if (oldest == submitted_.end()) return;
  const Status released = task_manager_.release_job(*oldest);
  if (!released.is_ok()) {
    CLP_LOG(kWarning, "jobmanager",
            fmt::format("cannot release job {}: {}", oldest->to_string(), released.to_string()));
  }
  jobs_.erase(*oldest);
  submitted_.erase(oldest);
}

void JobManager::Impl::schedule(const JobId& job, std::int64_t delay_ms,
                                std::function<void()> call) {
  const std::int64_t at_ns =
      options_.clock->monotonic_ns() + std::max<std::int64_t>(0, delay_ms) * 1'000'000;
  options_.worker_pool->schedule_at(at_ns, [weak = weak_from_this(), job, call = std::move(call)] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    const MutexLock lock(self->mutex_);
    if (!self->stopped_ && self->find(job) != nullptr) call();
  });
}

void JobManager::Impl::run_blocking(const JobId& job, std::function<Status()> work,
                                    std::function<void(const Status&)> done) {
  // After the work the outcome goes to a timer that is due: also when there is no thread for the
  // work and it runs here, under the lock, nobody is called back from within this call.
  const auto run = [weak = weak_from_this(), job, work = std::move(work), done = std::move(done)] {
    const Status status = work();
    const auto self = weak.lock();
    if (self == nullptr) return;
    self->options_.worker_pool->schedule_at(self->options_.clock->monotonic_ns(),
                                            [weak, job, done, status] {
                                              const auto alive = weak.lock();
                                              if (alive == nullptr) return;
                                              const MutexLock lock(alive->mutex_);
                                              if (!alive->stopped_ && alive->find(job) != nullptr)
                                                done(status);
                                            });
  };
  if (!options_.blocking_pool->submit(run).is_ok()) run();
}

Status JobManager::Impl::cancel(const JobId& id) {
  const MutexLock lock(mutex_);
  JobSupervisor* supervisor = find(id);
  if (supervisor == nullptr) return unknown(id);
  supervisor->cancel();
  return Status::ok();
}

void JobManager::Impl::cancel_all() {
  const MutexLock lock(mutex_);
  for (const auto& [id, supervisor] : jobs_) supervisor->cancel();
}

Result<std::int64_t> JobManager::Impl::savepoint(const JobId& id, std::string dir,
                                                 SavepointThen then) {
  const MutexLock lock(mutex_);
  JobSupervisor* supervisor = find(id);
  if (supervisor == nullptr) return unknown(id);
  return supervisor->request_savepoint(std::move(dir), then);
}

Result<SavepointStatus> JobManager::Impl::savepoint_status(const JobId& id,
                                                           std::int64_t request) const {
  const MutexLock lock(mutex_);
  const JobSupervisor* supervisor = find(id);
  if (supervisor == nullptr) return unknown(id);
  return supervisor->savepoint(request);
}

Result<JobStatus> JobManager::Impl::status(const JobId& id) const {
  const MutexLock lock(mutex_);
  const JobSupervisor* supervisor = find(id);
  if (supervisor == nullptr) return unknown(id);
  return supervisor->status();
}

Result<JobPhase> JobManager::Impl::phase(const JobId& id) const {
  const MutexLock lock(mutex_);
  const JobSupervisor* supervisor = find(id);
  if (supervisor == nullptr) return unknown(id);
  return supervisor->phase();
}

bool JobManager::Impl::all_ended() const {
  const MutexLock lock(mutex_);
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const auto& job) { return has_ended(job.second->phase()); });
}

JobSupervisor* JobManager::Impl::find(const JobId& id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second.get();
}

Status JobManager::Impl::unknown(const JobId& id) const {
  return Status::not_found(fmt::format("no job {} here", id.to_string()));
}

void JobManager::Impl::deployed(const JobId& job, int attempt, const Status& status) {
  if (JobSupervisor* supervisor = find(job)) supervisor->deployed(attempt, status);
}

void JobManager::Impl::subtask_ended(SubtaskEnd end) {
  if (JobSupervisor* supervisor = find(end.subtask.job)) supervisor->subtask_ended(std::move(end));
}

void JobManager::Impl::splits_requested(const SubtaskRef& subtask) {
  if (JobSupervisor* supervisor = find(subtask.job)) supervisor->splits_requested(subtask);
}

void JobManager::Impl::watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) {
  if (JobSupervisor* supervisor = find(subtask.job)) {
    supervisor->watermark_reported(subtask, watermark);
  }
}

void JobManager::Impl::metrics_reported(const SubtaskRef& subtask, SubtaskReport report) {
  if (JobSupervisor* supervisor = find(subtask.job)) {
    supervisor->metrics_reported(subtask, std::move(report));
  }
}

void JobManager::Impl::checkpoint_acknowledged(const SubtaskRef& subtask, std::int64_t checkpoint,
                                               const std::string& snapshot) {
  if (JobSupervisor* supervisor = find(subtask.job)) {
    supervisor->checkpoint_acknowledged(subtask, checkpoint, snapshot);
  }
}

void JobManager::Impl::checkpoint_declined(const SubtaskRef& subtask, std::int64_t checkpoint,
                                           const Status& reason) {
  if (JobSupervisor* supervisor = find(subtask.job)) {
    supervisor->checkpoint_declined(subtask, checkpoint, reason);
  }
}

JobManager::JobManager(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

JobManager::~JobManager() {
  impl_->stop();
}

Result<std::unique_ptr<JobManager>> JobManager::start(JobManagerOptions options) {
  auto impl = std::make_shared<Impl>(std::move(options));
  CLP_RETURN_IF_ERROR(impl->listen());
  return std::unique_ptr<JobManager>(new JobManager(std::move(impl)));
}

Result<JobId> JobManager::submit(const JobGraph& graph) {
  return impl_->submit(graph);
}
Result<JobStatus> JobManager::status(const JobId& id) const {
  return impl_->status(id);
}
Result<JobPhase> JobManager::phase(const JobId& id) const {
  return impl_->phase(id);
}
Status JobManager::cancel(const JobId& id) {
  return impl_->cancel(id);
}
void JobManager::cancel_all() {
  impl_->cancel_all();
}
Result<std::int64_t> JobManager::savepoint(const JobId& id, std::string dir) {
  return impl_->savepoint(id, std::move(dir), SavepointThen::kGoOn);
}
Result<std::int64_t> JobManager::stop(const JobId& id, std::string dir, bool drain) {
  return impl_->savepoint(id, std::move(dir), drain ? SavepointThen::kDrain : SavepointThen::kStop);
}
Result<SavepointStatus> JobManager::savepoint_status(const JobId& id, std::int64_t request) const {
  return impl_->savepoint_status(id, request);
}
bool JobManager::all_ended() const {
  return impl_->all_ended();
}

}  // namespace clepsydra
