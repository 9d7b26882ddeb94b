// What the JobManager hears from TaskManagers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "clepsydra/status.h"
#include "graph/job_status.h"

namespace clepsydra {

struct SubtaskRef {
  JobId job;
  int attempt = 0;
  int vertex = 0;
  int subtask = 0;
};

// The numbers of one subtask; of each OperatorMetrics only the numbers are set.
struct SubtaskReport {
  std::vector<OperatorMetrics> operators;
};

struct PreparedCommittables {
  int op = 0;  // In the vertex.
  std::vector<std::string> committables;
};

struct SubtaskEnd {
  enum class Outcome : std::uint8_t { kFinished, kCanceled, kFailed };
  SubtaskRef subtask;
  Outcome outcome = Outcome::kFinished;
  Status status;  // Why it failed.
  std::vector<PreparedCommittables> committables;
  SubtaskReport report;
};

}  // namespace clepsydra
