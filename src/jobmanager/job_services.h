// What the parts of a supervised job use; all of it outlives them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/fwd.h"
#include "base/ids.h"
#include "base/random.h"
#include "clepsydra/status.h"

namespace clepsydra {

struct CompletedCheckpoint;
class ConnectorRuntime;
struct JobGraph;
class TaskManagerClient;

struct JobServices {
  const Clock* clock = nullptr;
  FileSystem* file_system = nullptr;
  const ConnectorRuntime* connectors = nullptr;
  TextOutput* standard_output = nullptr;  // May be null.
  MemoryPool* memory = nullptr;
  TaskManagerClient* task_manager = nullptr;
  Random random{0};  // For waits between restarts and names of savepoints.
  // Calls `call` after a delay, as an event of the job, unless the job is forgotten by then.
  std::function<void(const JobId& job, std::int64_t delay_ms, std::function<void()> call)> schedule;
  // Runs `work`, which blocks, elsewhere; then calls `done` with its outcome, as an event of the
  // job, unless the job is forgotten by then.
  std::function<void(const JobId& job, std::function<Status()> work,
                     std::function<void(const Status&)> done)>
      run_blocking;
  // Keeps others out of a folder as long as the result lives (base/directory_lock.h); blocks.
  // Empty: nobody is kept out.
  std::function<Result<std::shared_ptr<void>>(const std::string& directory)> lock_directory;
  // Whether the operators of a job can read the state that a checkpoint has for them; blocks.
  // FailedPrecondition: the job does not begin. Empty: its tasks find out.
  std::function<Status(const JobGraph& graph, const Configuration& configuration,
                       const CompletedCheckpoint& checkpoint)>
      check_state;
  // Something that JobStatus tells has changed.
  std::function<void()> on_change;
};

}  // namespace clepsydra
