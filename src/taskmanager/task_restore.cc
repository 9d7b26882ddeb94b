#include "taskmanager/task_restore.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/logging.h"
#include "base/parallel.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_storage.h"
#include "graph/job_graph.h"
#include "taskmanager/local_copies.h"

namespace clepsydra {
namespace {

// Reads files, and counts where they were.
class StateReader {
 public:
  StateReader(const std::string& folder, FileSystem& files, LocalCopies* copies)
      : folder_(folder), files_(files), copies_(copies) {}

  Result<SnapshotBytes> open(const StateFile& file) {
    if (copies_ == nullptr || file.path.empty()) return open_state(files_, folder_, file);
    Result<SnapshotBytes> bytes = copies_->read(folder_, file);
    if (bytes.is_ok()) {
      ++local_;
      return bytes;
    }
    is_damaged_ = is_damaged_ || bytes.status().code() != StatusCode::kNotFound;
    if (remote_++ == 0 || bytes.status().code() != StatusCode::kNotFound) {
      why_ = bytes.status().to_string();
    }
    return open_state(files_, folder_, file);
  }
  // Nothing, if there were no copies to be looked for.
  void report(const std::string& task) const {
    if (local_ + remote_ == 0) return;
    std::string text = fmt::format("restored {}: {} of {} files from local copies", task, local_,
                                   local_ + remote_);
    if (remote_ > 0) text += fmt::format(", the others from '{}' ({})", clip(folder_, 200), why_);
    // A savepoint and another machine's checkpoint have none.
    if (is_damaged_ || (local_ > 0 && remote_ > 0)) {
      CLP_LOG(kWarning, "taskmanager", text);
    } else {
      CLP_LOG(kInfo, "taskmanager", text);
    }
  }

 private:
  const std::string& folder_;
  FileSystem& files_;
  LocalCopies* copies_;
  int local_ = 0;
  int remote_ = 0;
  bool is_damaged_ = false;
  std::string why_;  // One of those was not read here.
};

Result<RestoredTask> read_task(const TaskRestore& restore, const JobVertex& vertex,
                               StateReader& reader) {
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
        CLP_ASSIGN_OR_RETURN(SnapshotBytes bytes, reader.open(file));
        read.snapshots.push_back(std::move(bytes));
      }
    }
  }
  return task;
}

}  // namespace

Result<RestoredTasks> read_restores(const std::vector<TaskRestore>& restores, const JobGraph& graph,
                                    FileSystem& files, BlockingPool& pool, LocalCopies* copies) {
  std::vector<RestoredTask> read(restores.size());
  const auto read_one = [&](std::size_t i) -> Status {
    const TaskRestore& restore = restores[i];
    const auto vertex = static_cast<std::size_t>(restore.vertex);
    if (restore.vertex < 0 || vertex >= graph.vertices.size() || restore.subtask < 0 ||
        restore.subtask >= graph.vertices[vertex].parallelism) {
      return Status::invalid_argument(fmt::format(
          "state of subtask {} of vertex {}, which is not there", restore.subtask, restore.vertex));
    }
    const JobVertex& of = graph.vertices[vertex];
    StateReader reader(restore.folder, files, copies);
    const std::string name =
        fmt::format("{} ({}/{})", of.name, restore.subtask + 1, of.parallelism);
    Result<RestoredTask> task = read_task(restore, of, reader);
    if (!task.is_ok()) return task.status().with_context("restoring " + name);
    reader.report(name);
    read[i] = *std::move(task);
    return Status::ok();
  };
  CLP_RETURN_IF_ERROR(for_each_in_parallel(pool, restores.size(), kRestoreHelpersMax, read_one));
  RestoredTasks tasks;
  for (std::size_t i = 0; i < restores.size(); ++i) {
    tasks[{restores[i].vertex, restores[i].subtask}] = std::move(read[i]);
  }
  return tasks;
}

}  // namespace clepsydra
