#include "graph/job_status.h"

namespace clepsydra {

std::string_view job_phase_name(JobPhase phase) {
  switch (phase) {
    case JobPhase::kCreated:
      return "CREATED";
    case JobPhase::kRunning:
      return "RUNNING";
    case JobPhase::kFinishing:
      return "FINISHING";
    case JobPhase::kFailing:
      return "FAILING";
    case JobPhase::kCanceling:
      return "CANCELLING";
    case JobPhase::kRestarting:
      return "RESTARTING";
    case JobPhase::kFinished:
      return "FINISHED";
    case JobPhase::kFailed:
      return "FAILED";
    case JobPhase::kCanceled:
      return "CANCELED";
  }
  return "UNKNOWN";
}

}  // namespace clepsydra
