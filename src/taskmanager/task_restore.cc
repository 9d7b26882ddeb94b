#include "taskmanager/task_restore.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "base/check.h"
#include "checkpoint/checkpoint_storage.h"
#include "graph/job_graph.h"

namespace clepsydra {
namespace {

Result<RestoredTask> read_task(const TaskRestore& restore, const JobVertex& vertex,
                               FileSystem& files) {
  RestoredTask task;
  task.has_finished = restore.has_finished;
  for (const TaskRestore::Operator& op : restore.operators) {
    if (op.op < 0 || op.op >= static_cast<int>(vertex.operators.size())) {
      return Status::invalid_argument(
          fmt::format("state of operator {} of {}", op.op, vertex.operators.size()));
    }
    RestoredState& state = task.operators[op.op];
    for (const TaskRestore::Operator::Part& part : op.parts) {
      RestoredState::Part& read = state.parts.emplace_back();
      for (const StateFile& file : part.snapshots) {
        CLP_ASSIGN_OR_RETURN(SnapshotBytes bytes, open_state(files, restore.folder, file));
        read.snapshots.push_back(std::move(bytes));
      }
    }
  }
  return task;
}

}  // namespace

Result<RestoredTasks> read_restores(const std::vector<TaskRestore>& restores, const JobGraph& graph,
                                    FileSystem& files) {
  RestoredTasks tasks;
  for (const TaskRestore& restore : restores) {
    const auto vertex = static_cast<std::size_t>(restore.vertex);
    if (restore.vertex < 0 || vertex >= graph.vertices.size() || restore.subtask < 0 ||
        restore.subtask >= graph.vertices[vertex].parallelism) {
      return Status::invalid_argument(fmt::format(
          "state of subtask {} of vertex {}, which is not there", restore.subtask, restore.vertex));
    }
    const JobVertex& of = graph.vertices[vertex];
    Result<RestoredTask> task = read_task(restore, of, files);
    if (!task.is_ok()) {
      return task.status().with_context(
          fmt::format("restoring {} ({}/{})", of.name, restore.subtask + 1, of.parallelism));
    }
    tasks[{restore.vertex, restore.subtask}] = *std::move(task);
  }
  return tasks;
}

}  // namespace clepsydra
