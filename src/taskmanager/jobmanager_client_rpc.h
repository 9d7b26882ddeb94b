// How a TaskManager reaches its JobManager.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/transport.h"
#include "clepsydra/status.h"
#include "taskmanager/task_events.h"

namespace clepsydra {

// Encodes what happens (proto/control.proto) and sends it. What cannot be sent is logged and lost:
// a JobManager that hears nothing finds out by itself.
//
// Threads: all methods, any thread.
class JobManagerClient final : public TaskEvents {
 public:
  JobManagerClient(Transport& transport, std::string own_endpoint, std::string job_manager)
      : transport_(transport),
        own_endpoint_(std::move(own_endpoint)),
        job_manager_(std::move(job_manager)) {}

  void request_splits(const TaskId& task) override;
  void report_alignment(const TaskId& task, std::int64_t watermark) override;
  void task_ended(TaskEnd end) override;
  void checkpoint_acknowledged(const TaskId& task, CheckpointId checkpoint,
                               const TaskSnapshot& snapshot) override;
  void checkpoint_declined(const TaskId& task, CheckpointId checkpoint,
                           const Status& reason) override;
  void deployed(const JobId& job, int attempt, const Status& status);
  void report_metrics(const std::vector<std::pair<TaskId, TaskMetricsSnapshot>>& tasks);

 private:
  void send(std::string_view what, std::string bytes);

  Transport& transport_;
  const std::string own_endpoint_;
  const std::string job_manager_;
};

}  // namespace clepsydra
