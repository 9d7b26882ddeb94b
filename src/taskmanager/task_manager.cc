#include "taskmanager/task_manager.h"

#include <fmt/format.h>

#include <map>
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
    std::map<JobId, std::unique_ptr<Deployment>> deployments;
    {
      const MutexLock lock(mutex_);
      stopped_ = true;
      deployments.swap(deployments_);
      arrivals_.clear();
    }
  }

  void deploy(const JobId& job, int attempt, Result<JobGraph> graph,
              Result<std::vector<TaskRestore>> restores,
              Result<std::vector<InFlightRestore>> in_flight) override;
  void cancel_job(const JobId& job, int attempt) override;
  void assign_splits(const TaskId& task, std::vector<SourceSplit> splits,
                     bool no_more_splits) override;
  void set_alignment_limit(const TaskId& task, std::int64_t watermark) override;
  void trigger_checkpoint(const JobId& job, int attempt, TaskCheckpointOrder order,
                          std::vector<std::pair<int, int>> tasks) override;
  void end_checkpoint(const JobId& job, int attempt, CheckpointId id, bool completed) override;
  void release_job(const JobId& job) override { options_.environment.results->release(job); }

  [[nodiscard]] std::int64_t live_tasks() const {
    const MutexLock lock(mutex_);
    std::int64_t live = 0;
    live += static_cast<std::int64_t>(arrivals_.size());
    for (const auto& [job, deployment] : deployments_) {
      live += static_cast<std::int64_t>(deployment->live_tasks);
    }
    return live;
  }

 private:
  // A deployment that was asked for and is not there yet: it waits for the tasks of the attempt
  // before it to be gone, or is being built.
  struct Arrival {
    int attempt = 0;
    JobGraph graph;
    std::vector<TaskRestore> restores;
    std::vector<InFlightRestore> in_flight;
    bool is_canceled = false;
    bool waits = false;
  };

  // Builds the deployment that has arrived, on an I/O thread when there is something to read or
  // `elsewhere` asks for it.
  void begin(const JobId& job, bool elsewhere);
  void build(const JobId& job, const Arrival& arrival);
  void refuse(const JobId& job, int attempt, const Status& status);
  void task_is_done(const JobId& job, std::size_t index);
  Deployment* find_deployment(const JobId& job, int attempt) CLP_REQUIRES(mutex_);
  Task* find_task(const TaskId& id) CLP_REQUIRES(mutex_);
  void schedule_report() CLP_REQUIRES(mutex_);
  void report_metrics();

  TaskManagerOptions options_;
  JobManagerClient job_manager_;
  mutable Mutex mutex_;
  std::map<JobId, std::unique_ptr<Deployment>> deployments_ CLP_GUARDED_BY(mutex_);
  std::map<JobId, Arrival> arrivals_ CLP_GUARDED_BY(mutex_);
  bool reports_ CLP_GUARDED_BY(mutex_) = false;  // A report is scheduled.
  bool stopped_ CLP_GUARDED_BY(mutex_) = false;
};

void TaskManager::Impl::deploy(const JobId& job, int attempt, Result<JobGraph> graph,
                               Result<std::vector<TaskRestore>> restores,
                               Result<std::vector<InFlightRestore>> in_flight) {
  for (const Status& read : {graph.status(), restores.status(), in_flight.status()}) {
    if (read.is_ok()) continue;
    job_manager_.deployed(job, attempt, read);
    return;
  }
  bool waits = false;
  {
    const MutexLock lock(mutex_);
    const auto found = deployments_.find(job);
    // The last task of the attempt before may have said that it ended and not be gone yet.
    waits = found != deployments_.end() && found->second->attempt < attempt;
    const bool is_taken = arrivals_.contains(job) || (found != deployments_.end() && !waits);
    if (!is_taken && !stopped_) {
      arrivals_[job] = {.attempt = attempt,
                        .graph = *std::move(graph),
                        .restores = *std::move(restores),
                        .in_flight = *std::move(in_flight),
                        .waits = waits};
    } else {
      waits = true;
      const Status taken =
          Status::already_exists(fmt::format("tasks of job {} run already", job.to_string()));
      job_manager_.deployed(job, attempt, taken);
    }
  }
  if (!waits) begin(job, false);
}

void TaskManager::Impl::begin(const JobId& job, bool elsewhere) {
  Arrival taken;
  {
    const MutexLock lock(mutex_);
    const auto found = arrivals_.find(job);
    if (found == arrivals_.end()) return;
    Arrival& arrival = found->second;
    arrival.waits = false;
    taken.attempt = arrival.attempt;
    taken.graph = std::move(arrival.graph);
    taken.restores = std::move(arrival.restores);
    taken.in_flight = std::move(arrival.in_flight);
  }
  const int attempt = taken.attempt;
  if (taken.restores.empty() && taken.in_flight.empty() && !elsewhere) return build(job, taken);
  const Status submitted = options_.environment.blocking_pool->submit(
      [self = shared_from_this(), job, taken = std::move(taken)] { self->build(job, taken); });
  if (!submitted.is_ok()) refuse(job, attempt, submitted);
}

void TaskManager::Impl::build(const JobId& job, const Arrival& arrived) {
  const int attempt = arrived.attempt;
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
  }
  Result<std::unique_ptr<Deployment>> built =
      build_deployment(arrived.graph, job, attempt, arrived.restores, arrived.in_flight,
                       options_.memory->make_child("job-" + job.to_string()), options_.environment);
  if (!built.is_ok()) return refuse(job, attempt, built.status());
  Deployment& deployment = **built;
  {
    const MutexLock lock(mutex_);
    if (stopped_) return;
    const auto arrival = arrivals_.find(job);
    if (arrival->second.is_canceled) {
      for (const auto& task : deployment.tasks) task->mailbox().post_cancel();
    }
    arrivals_.erase(arrival);
    deployments_.insert_or_assign(job, *std::move(built));
    schedule_report();
    // Before the first task can say anything.
    job_manager_.deployed(job, attempt, Status::ok());
  }
  start_tasks(
      deployment, *options_.worker_pool,
      [self = shared_from_this(), job](std::size_t index) { self->task_is_done(job, index); });
}

void TaskManager::Impl::refuse(const JobId& job, int attempt, const Status& status) {
  const MutexLock lock(mutex_);
  if (stopped_) return;
  arrivals_.erase(job);
  job_manager_.deployed(job, attempt, status);
}

void TaskManager::Impl::cancel_job(const JobId& job, int attempt) {
  const MutexLock lock(mutex_);
  const auto arrival = arrivals_.find(job);
  if (arrival != arrivals_.end() && arrival->second.attempt == attempt) {
    arrival->second.is_canceled = true;
  }
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
  const auto found = deployments_.find(job);
  if (found == deployments_.end() || found->second->attempt != attempt) return nullptr;
  return found->second.get();
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

void TaskManager::Impl::task_is_done(const JobId& job, std::size_t index) {
  // Destroyed without the lock: a task gives back much memory.
  std::unique_ptr<Task> task;
  std::unique_ptr<Deployment> deployment;
  bool next_arrives = false;
  {
    const MutexLock lock(mutex_);
    const auto found = deployments_.find(job);
    if (found == deployments_.end()) return;
    task = std::move(found->second->tasks[index]);
    if (--found->second->live_tasks > 0) return;
    deployment = std::move(found->second);
    deployments_.erase(found);
    const auto arrival = arrivals_.find(job);
    next_arrives = arrival != arrivals_.end() && arrival->second.waits;
  }
  task.reset();
  deployment.reset();
  if (next_arrives) begin(job, true);
  if (options_.on_change) options_.on_change();
}

void TaskManager::Impl::schedule_report() {
  if (reports_ || stopped_ || deployments_.empty()) return;
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
    for (const auto& [job, deployment] : deployments_) {
      for (const auto& task : deployment->tasks) {
        if (task == nullptr) continue;
        tasks.emplace_back(task->id(), task->metrics().snapshot());
        tasks.back().second.count_waiting_until(now_ns);
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
