// Which completed checkpoints are kept, and which files they share.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "checkpoint/checkpoint_types.h"

namespace clepsydra {

struct CompletedCheckpoint {
  CheckpointMetadata metadata;
  std::string folder;           // What its paths are relative to. Empty: it is only in memory.
  std::string metadata_folder;  // That has `_metadata`: "…/chk-7", or the savepoint.

  // The full path of every file it needs, itself left out.
  [[nodiscard]] std::set<std::string> files() const;
};

// What is to be removed, in this order, so that no metadata ever name a file that is gone.
struct CheckpointRemoval {
  std::vector<std::string> metadata_folders;  // First the `_metadata` in it, then all of it.
  std::vector<std::string> files;
  [[nodiscard]] bool is_empty() const { return metadata_folders.empty() && files.empty(); }
  friend bool operator==(const CheckpointRemoval&, const CheckpointRemoval&) = default;
};

// Pure bookkeeping: the caller removes what it is told. Threads: one call at a time.
class CompletedCheckpointStore {
 public:
  // Keeps the newest `num_retained`, at least 1.
  explicit CompletedCheckpointStore(int num_retained);

  // Newer than all before. Answers what nothing needs any more.
  CheckpointRemoval add(CompletedCheckpoint checkpoint);
  // Restored from, and not the job's own: it is latest() until the job has one, and never removed.
  void add_foreign(CompletedCheckpoint checkpoint);
  // It cannot be used: latest() is the one before from now on. Nothing is removed, so that somebody
  // may look at it.
  void drop(CheckpointId id);
  // A checkpoint is triggered: tasks may write it on top of the latest one, whose files stay until
  // its end, whatever completes before it.
  void begin(CheckpointId id);
  // It has been added, or will not be. Answers what nothing needs any more.
  CheckpointRemoval end(CheckpointId id);
  // The job needs none of them any more.
  CheckpointRemoval take_all();

  // Null: there is none.
  [[nodiscard]] const CompletedCheckpoint* latest() const;
  [[nodiscard]] const CompletedCheckpoint* find(CheckpointId id) const;
  [[nodiscard]] std::size_t size() const { return checkpoints_.size(); }
  // For CheckpointStorage::remove_aborted() and remove_orphans().
  [[nodiscard]] std::set<std::string> used_files() const;
  [[nodiscard]] std::set<std::string> metadata_folders() const;

 private:
  struct Entry {
    CompletedCheckpoint checkpoint;
    std::set<std::string> files;
    bool is_foreign = false;
  };
  void release(Entry entry, CheckpointRemoval& removal);
  void release(const std::set<std::string>& files, CheckpointRemoval& removal);

  const std::size_t num_retained_;
  std::deque<Entry> checkpoints_;  // Oldest first.
  std::map<CheckpointId, std::set<std::string>> begun_;
  std::map<std::string, int> uses_;  // By file: of all above.
};

}  // namespace clepsydra
