// Which subtask of which job.
#pragma once

#include <compare>

#include "base/ids.h"

namespace clepsydra {

struct TaskId {
  JobId job;
  int vertex = 0;
  int subtask = 0;
  int attempt = 0;  // How often the job was started before.
  friend auto operator<=>(const TaskId&, const TaskId&) = default;
};

}  // namespace clepsydra
