// What a job did, told when it has ended.
#pragma once

#include <cstdint>
#include <string>

#include "api/job_client.h"

namespace clepsydra::console {

// What the process spent between the job's start and end.
struct JobResources {
  std::int64_t cpu_ns = 0;
  std::int64_t peak_resident_bytes = 0;  // Of the process so far.
};

// Several lines: the totals, a table of operators, then late and dropped rows, each with a sample.
// "<count> late" stands in it once per operator that has late rows, and nowhere else.
std::string summary_text(const JobStatus& job, const JobResources& resources);

}  // namespace clepsydra::console
