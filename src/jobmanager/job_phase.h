// The life of a job as one table (the phases themselves: graph/job_status.h).
#pragma once

#include <array>
#include <utility>

#include "graph/job_status.h"

namespace clepsydra {

inline constexpr std::array<std::pair<JobPhase, JobPhase>, 17> kJobPhaseMoves = {{
    {JobPhase::kCreated, JobPhase::kRunning},
    {JobPhase::kCreated, JobPhase::kFailing},
    {JobPhase::kCreated, JobPhase::kRestarting},
    {JobPhase::kCreated, JobPhase::kCanceling},
    {JobPhase::kRunning, JobPhase::kFinishing},
    {JobPhase::kRunning, JobPhase::kFailing},
    {JobPhase::kRunning, JobPhase::kRestarting},
    {JobPhase::kRunning, JobPhase::kCanceling},
    {JobPhase::kRestarting, JobPhase::kRunning},
    {JobPhase::kRestarting, JobPhase::kFinishing},  // A savepoint with which it stops is complete.
    {JobPhase::kRestarting, JobPhase::kFailing},
    {JobPhase::kRestarting, JobPhase::kCanceling},
    {JobPhase::kFinishing, JobPhase::kFinished},
    {JobPhase::kFinishing, JobPhase::kFailing},
    {JobPhase::kFinishing, JobPhase::kRestarting},
    {JobPhase::kFailing, JobPhase::kFailed},
    {JobPhase::kCanceling, JobPhase::kCanceled},
}};

constexpr bool may_move(JobPhase from, JobPhase to) {
  for (const auto& [allowed_from, allowed_to] : kJobPhaseMoves) {
    if (allowed_from == from && allowed_to == to) return true;
  }
  return false;
}

}  // namespace clepsydra
