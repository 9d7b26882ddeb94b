// Second copies of state files on a disk of this machine, so that tasks that start again need not
// wait for the storage of the checkpoints.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/configuration.h"
#include "base/fwd.h"
#include "base/ids.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "checkpoint/checkpoint_types.h"
#include "clepsydra/status.h"
#include "state/snapshot_bytes.h"
#include "taskmanager/task_id.h"

namespace clepsydra {

class WritableFile;

// "<directory>/<job that wrote it>/<name of the state file>", the job being the last part of the
// folder of its checkpoints. A copy is a hard link where that is on the same disk, else it is
// written beside the file. Nothing depends on it: who cannot write one goes on without, and who
// reads one checks its size and its checksum.
//
// Kept are the files of the last completed checkpoint of each task, and those of newer ones under
// way; of jobs that processes before this one left behind, the newest kFormerJobsMax. What a job
// has goes when it has ended; what it was restored from, when it has a checkpoint of its own.
//
// Threads: all methods, any thread. Those of a task's thread (confirm, drop) do not block.
class LocalCopies final : public std::enable_shared_from_this<LocalCopies> {
 public:
  static constexpr std::size_t kFormerJobsMax = 16;

  // Replaces nothing; Unimplemented: the file has to be written again, as hard_link() says.
  using Link = std::function<Status(const std::string& from, const std::string& to)>;
  struct Options {
    FileSystem* files = nullptr;
    BlockingPool* pool = nullptr;
    std::string directory;
    Link link;                   // Empty: there are no hard links.
    std::shared_ptr<void> lock;  // Held as long as this lives.
  };

  // One copy that is being written, on an I/O thread. Errors are its own: it gives up.
  class Writer {
   public:
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    void append(std::string_view bytes);
    // The file itself is complete.
    void finish();

   private:
    friend class LocalCopies;
    Writer(std::shared_ptr<LocalCopies> copies, std::string source, std::string path);
    void give_up(const Status& status);

    const std::shared_ptr<LocalCopies> copies_;
    const std::string source_;           // The file that it is a copy of.
    const std::string path_;             // Of the copy.
    std::unique_ptr<WritableFile> out_;  // Null: it will be a link, or was given up.
    bool is_link_ = false;
  };

  // Makes the directory and removes what is too old. Blocks.
  static Result<std::shared_ptr<LocalCopies>> open(Options options);
  // What the jobs of this process have written goes. No file is being written any more. Blocks.
  ~LocalCopies();
  LocalCopies(const LocalCopies&) = delete;
  LocalCopies& operator=(const LocalCopies&) = delete;

  // `folder` of the checkpoints and `path` below it, as in a StateFile. Blocks.
  std::unique_ptr<Writer> write(const TaskId& task, const std::string& folder,
                                const std::string& path);
  // The file was abandoned. Blocks.
  void remove(const TaskId& task, const std::string& path);
  // Checked, as open_state() does. NotFound: there is no copy; DataLoss: it is damaged, and was
  // removed. Blocks.
  Result<SnapshotBytes> read(const std::string& folder, const StateFile& file);

  // `task` goes on from what `folder` has.
  void restored(const TaskId& task, const std::string& folder);
  // The checkpoint has completed and consists of these files of the task: older ones go.
  void confirm(const TaskId& task, CheckpointId id, const std::vector<std::string>& paths);
  // It was aborted.
  void drop(const TaskId& task, CheckpointId id);
  // No attempt of it will follow.
  void end_job(const JobId& job);

 private:
  struct Job {
    // Of each task, by vertex and subtask: names of files, with their checkpoints.
    std::map<std::pair<int, int>, std::map<std::string, CheckpointId>> tasks;
    std::set<std::string> restored_from;  // Folders of jobs that have gone.
  };

  explicit LocalCopies(Options options);
  [[nodiscard]] std::string path_of(std::string_view job, std::string_view file) const;
  Status remove_oldest();
  // On an I/O thread; each a file or a folder.
  void remove_later(std::vector<std::string> paths);

  const Options options_;
  std::atomic<bool> may_link_;
  Mutex mutex_;
  std::map<JobId, Job> jobs_ CLP_GUARDED_BY(mutex_);
};

// The directories of a process for local copies. Threads: any.
class LocalCopyPlaces {
 public:
  // FailedPrecondition: somebody else has it.
  using Lock = std::function<Result<std::shared_ptr<void>>(const std::string& directory)>;

  // `system_folder`: for temporary files.
  LocalCopyPlaces(FileSystem& files, BlockingPool& pool, std::string system_folder, Lock lock,
                  LocalCopies::Link link);

  // The place that the configuration names; every job that names it gets the same one. Another
  // process must not have it. Blocks.
  Result<std::shared_ptr<LocalCopies>> open(const Configuration& configuration);
  // No attempt of it will follow.
  void end_job(const JobId& job);

 private:
  Result<std::shared_ptr<LocalCopies>> open_at(const std::string& directory) CLP_REQUIRES(mutex_);

  FileSystem& files_;
  BlockingPool& pool_;
  const std::string system_folder_;
  const Lock lock_;
  const LocalCopies::Link link_;
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<LocalCopies>> open_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::string> own_ CLP_GUARDED_BY(mutex_);  // By folder it is below.
};

}  // namespace clepsydra
