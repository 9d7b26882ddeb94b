// clepsydra list, cancel, savepoint, stop; checkpoint and savepoint inspect.
#pragma once

#include "base/fwd.h"
#include "main/command_line.h"

namespace clepsydra {

// The exit code: 0, 1 when it did not work, 2 for a wrong setting.
int run_job_command(const JobCommand& command, Process& process);

}  // namespace clepsydra
