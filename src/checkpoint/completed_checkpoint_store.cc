#include "checkpoint/completed_checkpoint_store.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"

namespace clepsydra {

std::set<std::string> CompletedCheckpoint::files() const {
  std::set<std::string> paths;
  for_each_file(metadata, [&](const StateFile& file) {
    if (!file.path.empty()) paths.insert(join_path(folder, file.path));
  });
  return paths;
}

CompletedCheckpointStore::CompletedCheckpointStore(int num_retained)
    : num_retained_(static_cast<std::size_t>(num_retained)) {
  CLP_CHECK(num_retained >= 1);
}

CheckpointRemoval CompletedCheckpointStore::add(CompletedCheckpoint checkpoint) {
  CheckpointRemoval removal;
  std::set<std::string> files = checkpoint.files();
  for (const std::string& file : files) ++uses_[file];
  std::erase_if(checkpoints_, [](const Entry& entry) { return entry.is_foreign; });
  checkpoints_.push_back({std::move(checkpoint), std::move(files), false});
  while (checkpoints_.size() > num_retained_) {
    Entry oldest = std::move(checkpoints_.front());
    checkpoints_.pop_front();
    release(std::move(oldest), removal);
  }
  return removal;
}

void CompletedCheckpointStore::add_foreign(CompletedCheckpoint checkpoint) {
  checkpoints_.push_back({std::move(checkpoint), {}, true});
}

void CompletedCheckpointStore::drop(CheckpointId id) {
  const auto found = std::find_if(checkpoints_.begin(), checkpoints_.end(),
                                  [id](const Entry& e) { return e.checkpoint.metadata.id == id; });
  if (found == checkpoints_.end()) return;
  CheckpointRemoval not_removed;
  Entry entry = std::move(*found);
  checkpoints_.erase(found);
  release(std::move(entry), not_removed);
}

CheckpointRemoval CompletedCheckpointStore::take_all() {
  CheckpointRemoval removal;
  while (!checkpoints_.empty()) {
    Entry entry = std::move(checkpoints_.front());
    checkpoints_.pop_front();
    if (!entry.is_foreign) release(std::move(entry), removal);
  }
  for (const auto& [id, files] : begun_) release(files, removal);
  begun_.clear();
  return removal;
}

void CompletedCheckpointStore::begin(CheckpointId id) {
  if (checkpoints_.empty() || begun_.contains(id)) return;
  const std::set<std::string>& files = begun_.emplace(id, checkpoints_.back().files).first->second;
  for (const std::string& file : files) ++uses_[file];
}

CheckpointRemoval CompletedCheckpointStore::end(CheckpointId id) {
  CheckpointRemoval removal;
  const auto found = begun_.find(id);
  if (found == begun_.end()) return removal;
  release(found->second, removal);
  begun_.erase(found);
  return removal;
}

const CompletedCheckpoint* CompletedCheckpointStore::latest() const {
  return checkpoints_.empty() ? nullptr : &checkpoints_.back().checkpoint;
}

const CompletedCheckpoint* CompletedCheckpointStore::find(CheckpointId id) const {
  for (const Entry& entry : checkpoints_) {
    if (entry.checkpoint.metadata.id == id) return &entry.checkpoint;
  }
  return nullptr;
}

std::set<std::string> CompletedCheckpointStore::used_files() const {
  std::set<std::string> files;
  for (const auto& [file, count] : uses_) files.insert(file);
  return files;
}

std::set<std::string> CompletedCheckpointStore::metadata_folders() const {
  std::set<std::string> folders;
  for (const Entry& entry : checkpoints_) {
    if (!entry.checkpoint.metadata_folder.empty()) folders.insert(entry.checkpoint.metadata_folder);
  }
  return folders;
}

void CompletedCheckpointStore::release(Entry entry, CheckpointRemoval& removal) {
  if (!entry.checkpoint.metadata_folder.empty()) {
    removal.metadata_folders.push_back(std::move(entry.checkpoint.metadata_folder));
  }
  release(entry.files, removal);
}

void CompletedCheckpointStore::release(const std::set<std::string>& files,
                                       CheckpointRemoval& removal) {
  for (const std::string& file : files) {
    const auto use = uses_.find(file);
    CLP_CHECK(use != uses_.end());
    if (--use->second > 0) continue;
    uses_.erase(use);
    removal.files.push_back(file);
  }
}

}  // namespace clepsydra
