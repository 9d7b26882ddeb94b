// clepsydra checkpoint list | inspect, savepoint inspect | diff.
#pragma once

#include "base/fwd.h"
#include "main/command_line.h"

namespace clepsydra {

// The exit code: 0, or 1 when there is nothing to read.
int run_snapshot_command(const SnapshotCommand& command, Process& process);

}  // namespace clepsydra
