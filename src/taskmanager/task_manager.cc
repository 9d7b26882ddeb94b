#include "taskmanager/task_manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/logging.h"
#include "base/memory_pool.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "base/transport.h"
#include "graph/job_graph.h"
#include "taskmanager/jobmanager_client_rpc.h"
#include "taskmanager/local_copies.h"
#include "taskmanager/result_exchange.h"
#include "taskmanager/task_service_rpc.h"

namespace clepsydra {

// Threads: the endpoint's handler, workers whose task has ended, and the timer for metrics meet at
// `mutex_`.
class TaskManager::Impl final : public TaskService, public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(TaskManagerOptions options)
      : options_(std::move(options)),
        job_manager_(*options_.transport, options_.endpoint, options_.job_manager) {
    options_.environment.events = &job_manager_;
  }

  Status listen() {
    return options_.transport->listen(options_.endpoint, [this](Message message) {
      const Status dispatched = dispatch_to_task_service(message.bytes, *this);
      if (dispatched.is_ok()) return;
      CLP_LOG(kWarning, "taskmanager",
              fmt::format("ignored a message from {}: {}", message.from, dispatched.to_string()));
    });
  }

  void stop() {
    options_.transport->close(options_.endpoint);
    std::map<JobId, Job> jobs;
    {
      const MutexLock lock(mutex_);
      stopped_ = true;
      jobs.swap(jobs_);
    }
  }

  void deploy(DeploymentOrder order) override;
  void cancel_job(const JobId& job, int attempt) override;
  void assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                     bool no_more_splits) override;
  void set_alignment_limit(const TaskId& task, std::int64_t watermark) override;
  void trigger_checkpoint(const JobId& job, int attempt, TaskCheckpointOrder order,
                          std::vector<std::pair<int, int>> tasks) override;
  void end_checkpoint(const JobId& job, int attempt, CheckpointId id, bool completed) override;
  void release_job(const JobId& job) override { options_.environment.results->release(job); }
  void job_ended(const JobId& job) override {
    if (options_.environment.local_copies != nullptr) {
      options_.environment.local_copies->end_job(job);
    }
  }

  [[nodiscard]] std::int64_t live_tasks() const {
    const MutexLock lock(mutex_);
    std::size_t live = 0;
    for (const auto& [id, job] : jobs_) {
      live += job.arrivals.size();
      for (const auto& [attempt, deployment] : job.deployments) live += deployment->live_tasks;
    }
    return static_cast<std::int64_t>(live);
  }

 private:
  // A deployment that was asked for and is not there yet: it waits for the tasks of an attempt
  // before it to be gone, or is being built.
  struct Arrival {
    DeploymentPlan plan;  // Taken when it is built, but for the vertices.
    bool is_canceled = false;
    bool waits = false;
  };
  // By attempt.
  struct Job {
    std::map<int, std::unique_ptr<Deployment>> deployments;
    std::map<int, Arrival> arrivals;
    std::shared_ptr<SlotSharers> sharers = std::make_shared<SlotSharers>();
  };

  // Builds the deployment that has arrived, on an I/O thread when there is something to read or
  // `elsewhere` asks for it.
  void begin(const JobId& job, int attempt, bool elsewhere);
  void build(const DeploymentPlan& plan, const std::shared_ptr<SlotSharers>& sharers);
  void refuse(const JobId& job, int attempt, const Status& status);
  void task_is_done(const JobId& job, int attempt, std::size_t index);
  Status accept(DeploymentPlan plan, bool& waits) CLP_REQUIRES(mutex_);
  Deployment* find_deployment(const JobId& job, int attempt) CLP_REQUIRES(mutex_);
  Task* find_task(const TaskId& id) CLP_REQUIRES(mutex_);
  void forget_if_idle(const JobId& job) CLP_REQUIRES(mutex_);
  void schedule_report() CLP_REQUIRES(mutex_);
  void report_metrics();

  TaskManagerOptions options_;
  JobManagerClient job_manager_;
  mutable Mutex mutex_;
  std::map<JobId, Job> jobs_ CLP_GUARDED_BY(mutex_);  // That have deployments or arrivals.
  bool reports_ CLP_GUARDED_BY(mutex_) = false;       // A report is scheduled.
  bool stopped_ CLP_GUARDED_BY(mutex_) = false;
};

namespace {

// Of ascending numbers.
bool share_any(const std::vector<int>& a, const std::vector<int>& b) {
  return std::any_of(a.begin(), a.end(),
                     [&](int each) { return std::binary_search(b.begin(), b.end(), each); });
}

}  // namespace

void TaskManager::Impl::deploy(DeploymentOrder order) {
  for (const Status& read :
       {order.graph.status(), order.restores.status(), order.in_flight.status()}) {
    if (read.is_ok()) continue;
    job_manager_.deployed(order.job, order.attempt, read);
    return;
  }
  DeploymentPlan plan = {.job = order.job,
                         .attempt = order.attempt,
                         .graph = *std::move(order.graph),
                         .vertices = std::move(order.vertices),
                         .restores = *std::move(order.restores),
                         .in_flight = *std::move(order.in_flight)};
  if (plan.vertices.empty()) {
    plan.vertices.resize(plan.graph.vertices.size());
    std::iota(plan.vertices.begin(), plan.vertices.end(), 0);
  }
  bool waits = false;
  Status accepted;
  {
    const MutexLock lock(mutex_);
    accepted = accept(std::move(plan), waits);
    if (!accepted.is_ok()) job_manager_.deployed(order.job, order.attempt, accepted);
  }
  if (accepted.is_ok() && !waits) begin(order.job, order.attempt, false);
}

Status TaskManager::Impl::accept(DeploymentPlan plan, bool& waits) {
  if (stopped_) return Status::unavailable("the TaskManager stops");
  Job& job = jobs_[plan.job];
  const int attempt = plan.attempt;
  bool is_taken = job.arrivals.contains(attempt) || job.deployments.contains(attempt);
  for (const auto& [other, arrival] : job.arrivals) {
    is_taken = is_taken || share_any(arrival.plan.vertices, plan.vertices);
  }
  for (const auto& [other, deployment] : job.deployments) {
    if (!share_any(deployment->vertices, plan.vertices)) continue;
    // The last task of the attempt before may have said that it ended and not be gone yet.
    waits = true;
    is_taken = is_taken || other > attempt;
  }
  if (is_taken) {
    return Status::already_exists(fmt::format("tasks of job {} run already", plan.job.to_string()));
  }
  job.arrivals[attempt] = {.plan = std::move(plan), .is_canceled = false, .waits = waits};
  return Status::ok();
}

void TaskManager::Impl::begin(const JobId& job, int attempt, bool elsewhere) {
  DeploymentPlan plan;
  std::shared_ptr<SlotSharers> sharers;
  {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(job);
    if (found == jobs_.end()) return;
    const auto arrival = found->second.arrivals.find(attempt);
    if (arrival == found->second.arrivals.end()) return;
    arrival->second.waits = false;
    plan = std::move(arrival->second.plan);
    arrival->second.plan.vertices = plan.vertices;
    sharers = found->second.sharers;
  }
  if (plan.restores.empty() && plan.in_flight.empty() && !elsewhere) return build(plan, sharers);
  const Status submitted = options_.environment.blocking_pool->submit(
      [self = shared_from_this(), plan = std::move(plan), sharers] { self->build(plan, sharers); });
  if (!submitted.is_ok()) refuse(job, attempt, submitted);
}

void TaskManager::Impl::build(const DeploymentPlan& plan,
                              const std::shared_ptr<SlotSharers>& sharers) {
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
  }
  Result<std::unique_ptr<Deployment>> built =
      build_deployment(plan, options_.memory->make_child("job-" + plan.job.to_string()), *sharers,
                       options_.environment);
  if (!built.is_ok()) return refuse(plan.job, plan.attempt, built.status());
  Deployment& deployment = **built;
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
    Job& job = jobs_[plan.job];
    const auto arrival = job.arrivals.find(plan.attempt);
    if (arrival->second.is_canceled) {
      for (const auto& task : deployment.tasks) task->mailbox().post_cancel();
    }
    job.arrivals.erase(arrival);
    job.deployments.insert_or_assign(plan.attempt, *std::move(built));
    schedule_report();
    // Before the first task can say anything.
    job_manager_.deployed(plan.job, plan.attempt, Status::ok());
  }
  start_tasks(deployment, *options_.worker_pool,
              [self = shared_from_this(), job = plan.job, attempt = plan.attempt](
                  std::size_t index) { self->task_is_done(job, attempt, index); });
}

void TaskManager::Impl::refuse(const JobId& job, int attempt, const Status& status) {
  const MutexLock lock(mutex_);
  if (stopped_) return;
  jobs_[job].arrivals.erase(attempt);
  forget_if_idle(job);
  job_manager_.deployed(job, attempt, status);
}

void TaskManager::Impl::forget_if_idle(const JobId& job) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  if (found->second.arrivals.empty() && found->second.deployments.empty()) jobs_.erase(found);
}

void TaskManager::Impl::cancel_job(const JobId& job, int attempt) {
  const MutexLock lock(mutex_);
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return;
  const auto arrival = found->second.arrivals.find(attempt);
  if (arrival != found->second.arrivals.end()) arrival->second.is_canceled = true;
  const Deployment* deployment = find_deployment(job, attempt);
  if (deployment == nullptr) return;
  for (const auto& task : deployment->tasks) {
    if (task != nullptr) task->mailbox().post_cancel();
  }
}

void TaskManager::Impl::trigger_checkpoint(const JobId& job, int attempt, TaskCheckpointOrder order,
                                           std::vector<std::pair<int, int>> tasks) {
  const MutexLock lock(mutex_);
  const Deployment* deployment = find_deployment(job, attempt);
  if (deployment == nullptr) return;
  deployment->orders->add(order);
  for (const auto& [vertex, subtask] : tasks) {
    // One that has ended told so: the JobManager takes the checkpoint back.
    if (Task* task = find_task({job, vertex, subtask, attempt})) {
      task->mailbox().post_trigger(order);
    }
  }
}

void TaskManager::Impl::end_checkpoint(const JobId& job, int attempt, CheckpointId id,
                                       bool completed) {
  const MutexLock lock(mutex_);
  const Deployment* deployment = find_deployment(job, attempt);
  if (deployment == nullptr) return;
  for (const auto& task : deployment->tasks) {
    if (task != nullptr) task->mailbox().post_checkpoint_ended(id, completed);
  }
}

void TaskManager::Impl::assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                                      bool no_more_splits) {
  const MutexLock lock(mutex_);
  if (Task* found = find_task(task)) {
    found->mailbox().post_splits(std::move(splits), no_more_splits);
  }
}

void TaskManager::Impl::set_alignment_limit(const TaskId& task, std::int64_t watermark) {
  const MutexLock lock(mutex_);
  if (Task* found = find_task(task)) found->mailbox().post_alignment_limit(watermark);
}

Deployment* TaskManager::Impl::find_deployment(const JobId& job, int attempt) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return nullptr;
  const auto deployment = found->second.deployments.find(attempt);
  return deployment == found->second.deployments.end() ? nullptr : deployment->second.get();
}

Task* TaskManager::Impl::find_task(const TaskId& id) {
  const Deployment* found = find_deployment(id.job, id.attempt);
  if (found == nullptr) return nullptr;
  const Deployment& deployment = *found;
  const auto vertex = static_cast<std::size_t>(id.vertex);
  if (id.vertex < 0 || vertex >= deployment.first_task.size() || id.subtask < 0) return nullptr;
  const std::size_t index = deployment.first_task[vertex] + static_cast<std::size_t>(id.subtask);
  const std::size_t end = vertex + 1 < deployment.first_task.size()
                              ? deployment.first_task[vertex + 1]
                              : deployment.tasks.size();
  return index < end ? deployment.tasks[index].get() : nullptr;
}

void TaskManager::Impl::task_is_done(const JobId& job, int attempt, std::size_t index) {
  // Destroyed without the lock: a task gives back much memory.
  std::unique_ptr<Task> task;
  std::unique_ptr<Deployment> deployment;
  {
    const MutexLock lock(mutex_);
    Deployment* const found = find_deployment(job, attempt);
    if (found == nullptr) return;
    task = std::move(found->tasks[index]);
    if (--found->live_tasks > 0) return;
    deployment = std::move(jobs_[job].deployments[attempt]);
    jobs_[job].deployments.erase(attempt);
  }
  const std::vector<int> vertices = deployment->vertices;
  task.reset();
  deployment.reset();
  // What has waited for these tasks, and for no others.
  std::vector<int> next;
  {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(job);
    if (found != jobs_.end()) {
      for (const auto& [number, arrival] : found->second.arrivals) {
        if (arrival.waits && share_any(arrival.plan.vertices, vertices)) next.push_back(number);
      }
    }
    forget_if_idle(job);
  }
  for (const int number : next) begin(job, number, true);
  if (options_.on_change) options_.on_change();
}

void TaskManager::Impl::schedule_report() {
  if (reports_ || stopped_ || jobs_.empty()) return;
  reports_ = true;
  const std::int64_t at_ns =
      options_.environment.clock->monotonic_ns() + options_.metrics_every_ms * 1'000'000;
  options_.worker_pool->schedule_at(at_ns, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->report_metrics();
  });
}

void TaskManager::Impl::report_metrics() {
  std::vector<std::pair<TaskId, TaskMetricsSnapshot>> tasks;
  const std::int64_t now_ns = options_.environment.clock->monotonic_ns();
  {
    const MutexLock lock(mutex_);
    reports_ = false;
    if (stopped_) return;
    for (const auto& [id, job] : jobs_) {
      for (const auto& [attempt, deployment] : job.deployments) {
        for (const auto& task : deployment->tasks) {
          if (task == nullptr) continue;
          tasks.emplace_back(task->id(), task->metrics().snapshot());
          tasks.back().second.count_waiting_until(now_ns);
        }
      }
    }
    schedule_report();
  }
  if (!tasks.empty()) job_manager_.report_metrics(tasks);
}

TaskManager::TaskManager(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

TaskManager::~TaskManager() {
  impl_->stop();
}

Result<std::unique_ptr<TaskManager>> TaskManager::start(TaskManagerOptions options) {
  auto impl = std::make_shared<Impl>(std::move(options));
  CLP_RETURN_IF_ERROR(impl->listen());
  return std::unique_ptr<TaskManager>(new TaskManager(std::move(impl)));
}

std::int64_t TaskManager::live_tasks() const {
  return impl_->live_tasks();
}

}  // namespace clepsydra
