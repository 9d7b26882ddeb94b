// What TaskManagers tell the JobManager, decoded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "jobmanager/job_events.h"

namespace clepsydra {

// Threads: the endpoint's, one call at a time.
class JobService {
 public:
  virtual ~JobService() = default;
  virtual void deployed(const JobId& job, int attempt, const Status& status) = 0;
  virtual void subtask_ended(SubtaskEnd end) = 0;
  virtual void splits_requested(const SubtaskRef& subtask) = 0;
  virtual void watermark_reported(const SubtaskRef& subtask, std::int64_t watermark) = 0;
  virtual void metrics_reported(const SubtaskRef& subtask, SubtaskReport report) = 0;
  // `snapshot`: checkpoint_codec.h reads it.
  virtual void checkpoint_acknowledged(const SubtaskRef& subtask, std::int64_t checkpoint,
                                       const std::string& snapshot) = 0;
  virtual void checkpoint_declined(const SubtaskRef& subtask, std::int64_t checkpoint,
                                   const Status& reason) = 0;
};

// Decodes one message of proto/control.proto and makes the call. InvalidArgument for other bytes.
Status dispatch_to_job_service(std::string_view bytes, JobService& service);

}  // namespace clepsydra
