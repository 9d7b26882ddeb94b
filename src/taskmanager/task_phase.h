// The life of a task as one table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace clepsydra {

enum class TaskPhase : std::uint8_t {
  kCreated,    // Its operators are built; nothing of it runs.
  kDeploying,  // Known to its worker, not yet to its neighbours.
  kRunning,    // Is stepped.
  kFinishing,  // Its input has ended; operators give out what they hold.
  kFinished,   // All its results are in the channels. An end.
  kCanceling,  // Was asked to stop; takes no more input.
  kCanceled,   // Has given back everything. An end.
  kFailed,     // Stopped by an error. An end.
};

constexpr std::string_view task_phase_name(TaskPhase phase) {
  constexpr std::array<std::string_view, 8> kNames = {
      "CREATED", "DEPLOYING", "RUNNING", "FINISHING", "FINISHED", "CANCELING", "CANCELED", "FAILED",
  };
  return kNames[static_cast<std::size_t>(phase)];
}

constexpr bool has_ended(TaskPhase phase) {
  return phase == TaskPhase::kFinished || phase == TaskPhase::kCanceled ||
         phase == TaskPhase::kFailed;
}

inline constexpr std::array<std::pair<TaskPhase, TaskPhase>, 11> kTaskPhaseMoves = {{
    {TaskPhase::kCreated, TaskPhase::kDeploying},
    {TaskPhase::kDeploying, TaskPhase::kRunning},
    {TaskPhase::kDeploying, TaskPhase::kCanceling},
    {TaskPhase::kDeploying, TaskPhase::kFailed},
    {TaskPhase::kRunning, TaskPhase::kFinishing},
    {TaskPhase::kRunning, TaskPhase::kCanceling},
    {TaskPhase::kRunning, TaskPhase::kFailed},
    {TaskPhase::kFinishing, TaskPhase::kFinished},
    {TaskPhase::kFinishing, TaskPhase::kCanceling},
    {TaskPhase::kFinishing, TaskPhase::kFailed},
    {TaskPhase::kCanceling, TaskPhase::kCanceled},
}};

constexpr bool may_move(TaskPhase from, TaskPhase to) {
  for (const auto& [allowed_from, allowed_to] : kTaskPhaseMoves) {
    if (allowed_from == from && allowed_to == to) return true;
  }
  return false;
}

}  // namespace clepsydra
