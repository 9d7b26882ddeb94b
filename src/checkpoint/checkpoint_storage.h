// Files and folders of a job's checkpoints. docs/formats/checkpoint.md has the layout.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/hash.h"
#include "checkpoint/checkpoint_types.h"
#include "checkpoint/completed_checkpoint_store.h"
#include "clepsydra/status.h"
#include "state/snapshot_bytes.h"

namespace clepsydra {

class Random;

// All calls of this file block: they belong on the BlockingPool.

// ---- For tasks ----

// Where the state of one operator goes, relative to the folder of the order: "shared/…" when
// later checkpoints may build upon it, "chk-7/…" when it belongs to this one alone, and a plain
// name in a savepoint. `attempt` keeps files of an attempt that is not quite over apart.
std::string state_file_path(CheckpointId id, CheckpointKind kind, bool is_shared, int attempt,
                            int vertex, int subtask, int op);

// Where goes what was in flight at one end of an edge.
std::string in_flight_file_path(CheckpointId id, int attempt, int vertex, int subtask, int edge,
                                bool is_output);

// Writes one state file. Destroyed before finish(): the file is removed.
class StateFileWriter {
 public:
  // Makes folders that are missing. `path` as state_file_path() gave it.
  static Result<std::unique_ptr<StateFileWriter>> create(FileSystem& files, std::string_view folder,
                                                         std::string path);
  ~StateFileWriter();
  StateFileWriter(const StateFileWriter&) = delete;
  StateFileWriter& operator=(const StateFileWriter&) = delete;

  Status append(std::string_view bytes);
  // It is on stable storage, name and all.
  Result<StateFile> finish();

 private:
  StateFileWriter(FileSystem& files, std::string full_path, StateFile file,
                  std::unique_ptr<WritableFile> out);

  FileSystem& files_;
  const std::string full_path_;
  StateFile file_;
  Hasher64 hasher_;
  std::unique_ptr<WritableFile> out_;
  bool is_finished_ = false;
};

// All of it at once: in the metadata when it has at most `inline_bytes_max` bytes or `folder` is
// empty, else as a file.
Result<StateFile> write_state(FileSystem& files, std::string_view folder, std::string path,
                              std::string bytes, std::int64_t inline_bytes_max);
// The bytes, checked: DataLoss for a missing file, another size or another checksum.
Result<std::string> read_state(FileSystem& files, std::string_view folder, const StateFile& file);
// The same, but a large file on a disk is only read through here, and again, block by block, when
// its rows are restored. `files` outlives the result.
Result<SnapshotBytes> open_state(FileSystem& files, std::string_view folder, const StateFile& file);
// Removes what a task wrote for a checkpoint that will never complete. Files of others in the same
// folder stay.
Status remove_state(FileSystem& files, std::string_view folder,
                    const std::vector<StateFile>& written);

// ---- For the JobManager ----

// A checkpoint that was found.
struct FoundCheckpoint {
  CompletedCheckpoint checkpoint;
  // Newer ones that cannot be used, each with its reason: for the log and for people.
  std::vector<std::string> skipped;
};

enum class FileCheck : std::uint8_t {
  kSize,      // Every file is there and as long as it was.
  kChecksum,  // Every byte is as it was: reads all of the state.
};

// `path`: the folder of a checkpoint or savepoint, its `_metadata` file, or the folder of a job, of
// which the latest usable one is found. A broken checkpoint of a job's folder is passed over for
// the one before and said in `skipped`; any other error (a later version, no permission) is an
// error at once, because going back is not the answer to it. NotFound says what is there instead.
Result<FoundCheckpoint> find_checkpoint(FileSystem& files, std::string_view path, FileCheck check);

// All of a job's folder: what is usable and what is not, ascending.
struct ListedCheckpoint {
  CheckpointId id = 0;
  std::string folder;
  Status status;  // Why it cannot be used.
  CheckpointMetadata metadata;
};
Result<std::vector<ListedCheckpoint>> list_checkpoints(FileSystem& files, std::string_view folder);

// An empty folder for a savepoint: "<dir>/savepoint-<6 digits of the job>-<12 random ones>".
Result<std::string> make_savepoint_folder(FileSystem& files, std::string_view dir,
                                          std::string_view job_id, Random& random);

// The folder of one job.
class CheckpointStorage {
 public:
  // "<dir>/<job_id>", which it makes with `shared` and `taskowned`. Errors name the option.
  static Result<CheckpointStorage> open(FileSystem& files, std::string_view dir,
                                        std::string_view job_id);

  // Of a job that keeps its checkpoints in memory: only savepoints have files. folder() is empty.
  static CheckpointStorage for_savepoints(FileSystem& files) { return {files, ""}; }

  // What TriggerCheckpoint names: paths of acknowledgements are relative to it.
  [[nodiscard]] const std::string& folder() const { return folder_; }
  // The highest id that the folder knows, complete or not; 0: none.
  [[nodiscard]] Result<CheckpointId> highest_id() const;
  // Atomically: afterwards the checkpoint is complete. `savepoint_folder` is empty for a
  // checkpoint. After an error it may be complete all the same (the answer was lost): forget() it.
  Result<CompletedCheckpoint> store(const CheckpointMetadata& metadata,
                                    std::string_view savepoint_folder) const;
  // Ok: what store() did not store is not complete and never will be, not even after a power cut.
  // Until then nothing that it holds may be thrown away.
  Status forget(CheckpointId id, std::string_view savepoint_folder) const;
  // Everything of an aborted checkpoint that is only its own: its folder, and `files` but for those
  // of `used` (full paths). Of a savepoint its whole folder.
  Status remove_aborted(CheckpointId id, std::string_view savepoint_folder,
                        const std::vector<StateFile>& files,
                        const std::set<std::string>& used) const;
  // Files that no checkpoint needs any more.
  Status remove(const CheckpointRemoval& removal) const;
  // The same when none may be left to go on from: whatever a crash leaves or a power cut brings
  // back is newer than all that it does not. Older ones that are still there go first.
  Status remove_last(const CheckpointRemoval& removal) const;
  // What aborted checkpoints and attempts that died have left: folders and shared files of
  // checkpoints below `below` that are not among `retained` (their metadata folders) and `used`.
  Status remove_orphans(CheckpointId below, const std::set<std::string>& retained,
                        const std::set<std::string>& used) const;
  // The job needs none of it any more: the folder goes unless something is left in it.
  Status remove_if_empty() const;

 private:
  CheckpointStorage(FileSystem& files, std::string folder)
      : files_(&files), folder_(std::move(folder)) {}
  [[nodiscard]] std::string metadata_folder_of(CheckpointId id,
                                               std::string_view savepoint_folder) const;
  Status remove_older(const CheckpointRemoval& removal) const;

  FileSystem* files_;
  std::string folder_;
};

}  // namespace clepsydra
