#include "checkpoint/checkpoint_storage.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_codec.h"

namespace clepsydra {
namespace {

constexpr std::string_view kMetadataName = "_metadata";
constexpr std::string_view kCheckpointPrefix = "chk-";
constexpr std::string_view kShared = "shared";
constexpr std::string_view kTaskOwned = "taskowned";
constexpr std::int64_t kStateFileBytesMax = 1LL << 40;
// Smaller ones are not worth an open file.
constexpr std::int64_t kReadAtOnceMax = 1 << 20;

std::string quoted(std::string_view path) {
  return fmt::format("'{}'", clip(path, 200));
}

// The number that `text` begins with, up to its end or to a '-'.
std::optional<CheckpointId> leading_id(std::string_view text) {
  CheckpointId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || id < 1) return std::nullopt;
  if (end != text.data() + text.size() && *end != '-') return std::nullopt;
  return id;
}

// 7 of "chk-7".
std::optional<CheckpointId> id_of_folder(std::string_view name) {
  if (!name.starts_with(kCheckpointPrefix)) return std::nullopt;
  name.remove_prefix(kCheckpointPrefix.size());
  return name.find('-') == std::string_view::npos ? leading_id(name) : std::nullopt;
}

Status but_not_found(const Status& status) {
  return status.code() == StatusCode::kNotFound ? Status::ok() : status;
}

// First what makes it a checkpoint, so that a folder half removed is not taken for one.
Status remove_checkpoint_folder(FileSystem& files, std::string_view folder) {
  CLP_RETURN_IF_ERROR(but_not_found(files.remove(join_path(folder, kMetadataName))));
  return files.remove_all(folder);
}

Status missing(std::string_view path) {
  return Status::data_loss(fmt::format("the state file {} is missing", quoted(path)));
}

Status wrong_size(std::string_view path, std::int64_t found, std::int64_t expected) {
  return Status::data_loss(
      fmt::format("the state file {} has {} bytes, expected {}", quoted(path), found, expected));
}

Status wrong_checksum(std::string_view path) {
  return Status::data_loss(fmt::format(
      "the checksum of the state file {} is wrong; its bytes are damaged", quoted(path)));
}

Status check_size(FileSystem& files, const std::string& path, const StateFile& file) {
  const Result<FileInfo> info = files.stat(path);
  if (!info.is_ok() && info.status().code() == StatusCode::kNotFound) return missing(path);
  if (!info.is_ok()) return info.status();
  if (info->size != file.bytes) return wrong_size(path, info->size, file.bytes);
  return Status::ok();
}

Status check_bytes(FileSystem& files, const std::string& path, const StateFile& file) {
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> in, files.open_for_read(path));
  std::vector<std::uint8_t> piece(1U << 20);
  Hasher64 hasher;
  std::int64_t offset = 0;
  while (offset < file.bytes) {
    CLP_ASSIGN_OR_RETURN(const std::int64_t got, in->read_at(offset, piece));
    if (got == 0) return wrong_size(path, offset, file.bytes);
    hasher.update(piece.data(), static_cast<std::size_t>(got));
    offset += got;
  }
  return hasher.digest() == file.checksum ? Status::ok() : wrong_checksum(path);
}

Status check_files(FileSystem& files, const CompletedCheckpoint& checkpoint, FileCheck check) {
  std::set<std::string> seen;
  Status status;
  for_each_file(checkpoint.metadata, [&](const StateFile& file) {
    if (!status.is_ok() || file.path.empty() || !seen.insert(file.path).second) return;
    const std::string path = join_path(checkpoint.folder, file.path);
    status = check_size(files, path, file);
    if (status.is_ok() && check == FileCheck::kChecksum) status = check_bytes(files, path, file);
  });
  return status;
}

// `folder` has, or should have, a `_metadata`.
Result<CompletedCheckpoint> read_checkpoint(FileSystem& files, const std::string& folder,
                                            FileCheck check) {
  CompletedCheckpoint checkpoint;
  CLP_ASSIGN_OR_RETURN(const std::string bytes, read_file(files, join_path(folder, kMetadataName),
                                                          kCheckpointMetadataBytesMax));
  CLP_ASSIGN_OR_RETURN(checkpoint.metadata, decode_checkpoint_metadata(bytes));
  checkpoint.metadata_folder = folder;
  checkpoint.folder = checkpoint.metadata.kind == CheckpointKind::kSavepoint
                          ? folder
                          : std::string(directory_name(folder));
  CLP_RETURN_IF_ERROR(check_files(files, checkpoint, check));
  return checkpoint;
}

struct CheckpointFolder {
  CheckpointId id = 0;
  std::string path;
};

// "chk-…" of a job's folder that have metadata, ascending.
Result<std::vector<CheckpointFolder>> completed_folders(FileSystem& files,
                                                        const std::string& folder) {
  std::vector<CheckpointFolder> found;
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files.list(folder));
  for (const FileInfo& entry : entries) {
    const std::optional<CheckpointId> id = id_of_folder(entry.name);
    if (!id || !entry.is_directory) continue;
    std::string path = join_path(folder, entry.name);
    CLP_ASSIGN_OR_RETURN(const bool has_metadata, files.exists(join_path(path, kMetadataName)));
    if (has_metadata) found.push_back({*id, std::move(path)});
  }
  std::sort(found.begin(), found.end(),
            [](const CheckpointFolder& a, const CheckpointFolder& b) { return a.id < b.id; });
  return found;
}

Result<CompletedCheckpoint> read_numbered(FileSystem& files, const CheckpointFolder& folder,
                                          FileCheck check) {
  CLP_ASSIGN_OR_RETURN(CompletedCheckpoint checkpoint, read_checkpoint(files, folder.path, check));
  if (checkpoint.metadata.id != folder.id) {
    return Status::data_loss(fmt::format("the metadata in {} are those of checkpoint {}",
                                         quoted(folder.path), checkpoint.metadata.id));
  }
  return checkpoint;
}

bool is_broken(const Status& status) {
  return status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kNotFound;
}

// What stands in a folder without checkpoints, to say what was probably meant.
Result<FoundCheckpoint> nothing_in(FileSystem& files, const std::string& folder) {
  const std::string_view name = base_name(folder);
  if (id_of_folder(name) || name.starts_with("savepoint-")) {
    return Status::not_found(
        fmt::format("{} has no file {}: it was never completed, or it is damaged", quoted(folder),
                    kMetadataName));
  }
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files.list(folder));
  if (entries.empty()) {
    return Status::not_found(
        fmt::format("there is no checkpoint in {}: it is empty", quoted(folder)));
  }
  std::string inside;
  for (std::size_t i = 0; i < std::min<std::size_t>(entries.size(), 3); ++i) {
    inside += fmt::format("{}'{}'", i == 0 ? "" : ", ", clip(entries[i].name, 64));
  }
  return Status::not_found(fmt::format(
      "there is no checkpoint in {}, which has {}{}; expected the folder of a checkpoint "
      "('chk-7'), of a savepoint, or of a job",
      quoted(folder), inside,
      entries.size() > 3 ? fmt::format(" and {} more", entries.size() - 3) : ""));
}

Result<FoundCheckpoint> find_latest(FileSystem& files, const std::string& folder, FileCheck check) {
  CLP_ASSIGN_OR_RETURN(std::vector<CheckpointFolder> folders, completed_folders(files, folder));
  if (folders.empty()) return nothing_in(files, folder);
  FoundCheckpoint found;
  for (; !folders.empty(); folders.pop_back()) {
    Result<CompletedCheckpoint> checkpoint = read_numbered(files, folders.back(), check);
    if (!checkpoint.is_ok() && !is_broken(checkpoint.status())) {
      return checkpoint.status().with_context(quoted(folders.back().path));
    }
    if (!checkpoint.is_ok()) {
      found.skipped.push_back(fmt::format("checkpoint {} in {} cannot be used: {}",
                                          folders.back().id, quoted(folders.back().path),
                                          checkpoint.status().to_string()));
      continue;
    }
    found.checkpoint = *std::move(checkpoint);
    if (!found.skipped.empty()) {
      found.skipped.back() +=
          fmt::format("; going back to checkpoint {}: what was made visible after it is made again",
                      found.checkpoint.metadata.id);
    }
    return found;
  }
  std::string reasons;
  for (const std::string& skipped : found.skipped) reasons += "; " + skipped;
  return Status::data_loss(
      fmt::format("no checkpoint in {} can be used{}", quoted(folder), reasons));
}

// On an object store: files of checkpoints below `below` that a process began and did not end. What
// has ended is an object.
Status discard_uploads(FileSystem& files, const std::string& folder, CheckpointId below) {
  StagingArea* area = files.staging_area(folder);
  if (area == nullptr) return Status::ok();
  CLP_ASSIGN_OR_RETURN(const std::vector<StagedInfo> staged, area->list_staged(folder));
  for (const StagedInfo& info : staged) {
    const std::optional<CheckpointId> id = leading_id(base_name(info.path));
    if (!id || *id >= below) continue;
    CLP_RETURN_IF_ERROR(but_not_found(area->discard(info.path, info.token)));
  }
  return Status::ok();
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

// ---- For tasks ----

std::string state_file_path(CheckpointId id, CheckpointKind kind, bool is_shared, int attempt,
                            int vertex, int subtask, int op) {
  const std::string name = fmt::format("{}-{}-{}-{}-{}", id, attempt, vertex, subtask, op);
  if (kind == CheckpointKind::kSavepoint) return name;
  return is_shared ? fmt::format("{}/{}", kShared, name)
                   : fmt::format("{}{}/{}", kCheckpointPrefix, id, name);
}

std::string in_flight_file_path(CheckpointId id, int attempt, int vertex, int subtask, int edge,
                                bool is_output) {
  return fmt::format("{}{}/{}-{}-{}-{}-{}{}", kCheckpointPrefix, id, id, attempt, vertex, subtask,
                     is_output ? "out" : "in", edge);
}

StateFileWriter::StateFileWriter(FileSystem& files, std::string full_path, StateFile file,
                                 std::unique_ptr<WritableFile> out)
    : files_(files),
      full_path_(std::move(full_path)),
      file_(std::move(file)),
      out_(std::move(out)) {}

Result<std::unique_ptr<StateFileWriter>> StateFileWriter::create(FileSystem& files,
                                                                 std::string_view folder,
                                                                 std::string path) {
  CLP_RETURN_IF_ERROR(check_relative_path(path));
  std::string full_path = join_path(folder, path);
  // The folder itself is not made: where it is gone, the checkpoint was aborted. On an object store
  // no folder is there before something is in it.
  if (path.find('/') != std::string::npos && files.staging_area(folder) == nullptr) {
    CLP_ASSIGN_OR_RETURN(const FileInfo info, files.stat(folder));
    if (!info.is_directory) {
      return Status::failed_precondition(fmt::format("{} is no folder", quoted(folder)));
    }
    CLP_RETURN_IF_ERROR(files.create_directories(directory_name(full_path)));
  }
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> out,
                       files.open_for_write(full_path, WriteMode::kTruncate));
  StateFile file;
  file.path = std::move(path);
  return std::unique_ptr<StateFileWriter>(
      new StateFileWriter(files, std::move(full_path), std::move(file), std::move(out)));
}

StateFileWriter::~StateFileWriter() {
  if (is_finished_) return;
  out_.reset();
  (void)files_.remove(full_path_);  // What stays is found by remove_orphans().
}

Status StateFileWriter::append(std::string_view bytes) {
  CLP_RETURN_IF_ERROR(out_->append(bytes));
  hasher_.update(bytes);
  file_.bytes += static_cast<std::int64_t>(bytes.size());
  return Status::ok();
}

Result<StateFile> StateFileWriter::finish() {
  CLP_RETURN_IF_ERROR(out_->sync());
  CLP_RETURN_IF_ERROR(out_->close());
  CLP_RETURN_IF_ERROR(files_.sync_directory(directory_name(full_path_)));
  is_finished_ = true;
  file_.checksum = hasher_.digest();
  return file_;
}

Result<StateFile> write_state(FileSystem& files, std::string_view folder, std::string path,
                              std::string bytes, std::int64_t inline_bytes_max) {
  if (folder.empty() || static_cast<std::int64_t>(bytes.size()) <= inline_bytes_max) {
    return inline_state(std::move(bytes));
  }
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<StateFileWriter> writer,
                       StateFileWriter::create(files, folder, std::move(path)));
  CLP_RETURN_IF_ERROR(writer->append(bytes));
  return writer->finish();
}

Result<std::string> read_state(FileSystem& files, std::string_view folder, const StateFile& file) {
  if (file.path.empty()) {
    if (hash64(file.inline_bytes) != file.checksum) {
      return Status::data_loss("the checksum of inline state is wrong; its bytes are damaged");
    }
    return file.inline_bytes;
  }
  CLP_RETURN_IF_ERROR(check_relative_path(file.path));
  const std::string path = join_path(folder, file.path);
  CLP_RETURN_IF_ERROR(check_size(files, path, file));
  CLP_ASSIGN_OR_RETURN(std::string bytes, read_file(files, path, kStateFileBytesMax));
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (size != file.bytes) return wrong_size(path, size, file.bytes);
  if (hash64(bytes) != file.checksum) return wrong_checksum(path);
  return bytes;
}

Result<SnapshotBytes> open_state(FileSystem& files, std::string_view folder,
                                 const StateFile& file) {
  const bool is_far = !scheme_of(folder).empty();
  if (file.path.empty() || is_far || file.bytes <= kReadAtOnceMax) {
    CLP_ASSIGN_OR_RETURN(std::string bytes, read_state(files, folder, file));
    return SnapshotBytes(std::move(bytes));
  }
  CLP_RETURN_IF_ERROR(check_relative_path(file.path));
  std::string path = join_path(folder, file.path);
  CLP_RETURN_IF_ERROR(check_size(files, path, file));
  CLP_RETURN_IF_ERROR(check_bytes(files, path, file));
  return SnapshotBytes(files, std::move(path), file.bytes);
}

Status remove_state(FileSystem& files, std::string_view folder,
                    const std::vector<StateFile>& written) {
  Status first;
  for (const StateFile& file : written) {
    if (file.path.empty()) continue;
    Status removed = check_relative_path(file.path);
    if (removed.is_ok()) removed = but_not_found(files.remove(join_path(folder, file.path)));
    if (first.is_ok()) first = removed;
  }
  return first;
}

// ---- Finding ----

Result<FoundCheckpoint> find_checkpoint(FileSystem& files, std::string_view path, FileCheck check) {
  CLP_ASSIGN_OR_RETURN(std::string folder, canonical_path(path));
  folder = without_slashes(std::move(folder));
  CLP_ASSIGN_OR_RETURN(const FileInfo info, files.stat(folder));
  if (!info.is_directory && base_name(folder) != kMetadataName) {
    return Status::invalid_argument(
        fmt::format("{} is a file; expected the folder of a checkpoint or savepoint, or its {}",
                    quoted(folder), kMetadataName));
  }
  if (!info.is_directory) folder = directory_name(folder);
  CLP_ASSIGN_OR_RETURN(const bool has_metadata, files.exists(join_path(folder, kMetadataName)));
  if (!has_metadata) return find_latest(files, folder, check);
  Result<CompletedCheckpoint> checkpoint = read_checkpoint(files, folder, check);
  if (checkpoint.is_ok()) return FoundCheckpoint{*std::move(checkpoint), {}};
  return checkpoint.status().with_context(quoted(folder));
}

Result<std::vector<ListedCheckpoint>> list_checkpoints(FileSystem& files, std::string_view folder) {
  CLP_ASSIGN_OR_RETURN(std::string path, canonical_path(folder));
  path = without_slashes(std::move(path));
  CLP_ASSIGN_OR_RETURN(const std::vector<CheckpointFolder> folders, completed_folders(files, path));
  if (folders.empty()) return nothing_in(files, path).status();
  std::vector<ListedCheckpoint> listed;
  for (const CheckpointFolder& found : folders) {
    ListedCheckpoint& entry = listed.emplace_back();
    entry.id = found.id;
    entry.folder = found.path;
    Result<CompletedCheckpoint> checkpoint = read_numbered(files, found, FileCheck::kSize);
    entry.status = checkpoint.status();
    if (checkpoint.is_ok()) entry.metadata = std::move(checkpoint->metadata);
  }
  return listed;
}

Result<std::string> make_savepoint_folder(FileSystem& files, std::string_view dir,
                                          std::string_view job_id, Random& random) {
  const std::string folder = join_path(
      dir, fmt::format("savepoint-{}-{:012x}", job_id.substr(0, 6), random.next_u64() >> 16));
  CLP_RETURN_IF_ERROR(files.create_directories(dir));
  CLP_ASSIGN_OR_RETURN(const bool exists, files.exists(folder));
  if (exists) {
    return Status::already_exists(fmt::format("{} is there already; try again", quoted(folder)));
  }
  CLP_RETURN_IF_ERROR(files.create_directories(folder));
  return folder;
}

// ---- The folder of one job ----

Result<CheckpointStorage> CheckpointStorage::open(FileSystem& files, std::string_view dir,
                                                  std::string_view job_id) {
  const CheckpointStorage storage(files, join_path(dir, job_id));
  const auto prepare = [&]() -> Status {
    CLP_RETURN_IF_ERROR(files.create_directories(join_path(storage.folder_, kShared)));
    CLP_RETURN_IF_ERROR(files.create_directories(join_path(storage.folder_, kTaskOwned)));
    // Better now than at the first checkpoint.
    const std::string probe = join_path(storage.folder_, ".writable");
    CLP_RETURN_IF_ERROR(write_file_atomically(files, probe, "can this be written?"));
    CLP_RETURN_IF_ERROR(files.remove(probe));
    return files.sync_directory(dir);
  };
  const Status prepared = prepare();
  if (!prepared.is_ok()) {
    return prepared.with_context("cannot use the folder of 'execution.checkpointing.dir'");
  }
  return storage;
}

Result<CheckpointId> CheckpointStorage::highest_id() const {
  CheckpointId highest = 0;
  if (folder_.empty()) return highest;
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files_->list(folder_));
  for (const FileInfo& entry : entries) {
    highest = std::max(highest, id_of_folder(entry.name).value_or(0));
  }
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> shared,
                       files_->list(join_path(folder_, kShared)));
  for (const FileInfo& entry : shared) {
    highest = std::max(highest, leading_id(entry.name).value_or(0));
  }
  return highest;
}

Result<CompletedCheckpoint> CheckpointStorage::store(const CheckpointMetadata& metadata,
                                                     std::string_view savepoint_folder) const {
  CLP_CHECK(!folder_.empty() || !savepoint_folder.empty());
  CompletedCheckpoint checkpoint;
  checkpoint.metadata = metadata;
  checkpoint.folder = savepoint_folder.empty() ? folder_ : std::string(savepoint_folder);
  checkpoint.metadata_folder = metadata_folder_of(metadata.id, savepoint_folder);
  const std::string& folder = checkpoint.metadata_folder;
  const auto write = [&]() -> Status {
    CLP_RETURN_IF_ERROR(files_->create_directories(folder));
    CLP_RETURN_IF_ERROR(files_->sync_directory(directory_name(folder)));
    return write_file_atomically(*files_, join_path(folder, kMetadataName),
                                 encode_checkpoint_metadata(metadata));
  };
  const Status written = write();
  if (written.is_ok()) return checkpoint;
  return written.with_context(fmt::format("cannot store the metadata in {}", quoted(folder)));
}

std::string CheckpointStorage::metadata_folder_of(CheckpointId id,
                                                  std::string_view savepoint_folder) const {
  return savepoint_folder.empty() ? join_path(folder_, fmt::format("{}{}", kCheckpointPrefix, id))
                                  : std::string(savepoint_folder);
}

Status CheckpointStorage::forget(CheckpointId id, std::string_view savepoint_folder) const {
  const std::string folder = metadata_folder_of(id, savepoint_folder);
  CLP_RETURN_IF_ERROR(but_not_found(files_->remove(join_path(folder, kMetadataName))));
  return but_not_found(files_->sync_directory(folder));
}

Status CheckpointStorage::remove_aborted(CheckpointId id, std::string_view savepoint_folder,
                                         const std::vector<StateFile>& files,
                                         const std::set<std::string>& used) const {
  if (!savepoint_folder.empty()) return remove_checkpoint_folder(*files_, savepoint_folder);
  if (folder_.empty()) return Status::ok();
  const std::string folder = join_path(folder_, fmt::format("{}{}", kCheckpointPrefix, id));
  CLP_RETURN_IF_ERROR(remove_checkpoint_folder(*files_, folder));
  std::vector<StateFile> own;
  for (const StateFile& file : files) {
    if (!used.contains(join_path(folder_, file.path))) own.push_back(file);
  }
  return remove_state(*files_, folder_, own);
}

Status CheckpointStorage::remove(const CheckpointRemoval& removal) const {
  // All metadata first: what is not removed after an error is an orphan and names nothing.
  for (const std::string& folder : removal.metadata_folders) {
    CLP_RETURN_IF_ERROR(but_not_found(files_->remove(join_path(folder, kMetadataName))));
  }
  for (const std::string& folder : removal.metadata_folders) {
    CLP_RETURN_IF_ERROR(files_->remove_all(folder));
  }
  for (const std::string& file : removal.files) {
    CLP_RETURN_IF_ERROR(but_not_found(files_->remove(file)));
  }
  return Status::ok();
}

Status CheckpointStorage::remove_last(const CheckpointRemoval& removal) const {
  // Those that were removed before are older than these.
  if (!folder_.empty()) CLP_RETURN_IF_ERROR(but_not_found(files_->sync_directory(folder_)));
  CLP_RETURN_IF_ERROR(remove_older(removal));
  for (const std::string& folder : removal.metadata_folders) {
    CLP_RETURN_IF_ERROR(but_not_found(files_->remove(join_path(folder, kMetadataName))));
    CLP_RETURN_IF_ERROR(but_not_found(files_->sync_directory(folder)));
  }
  return remove(removal);
}

// What should have gone before and could not be removed then.
Status CheckpointStorage::remove_older(const CheckpointRemoval& removal) const {
  if (folder_.empty() || removal.metadata_folders.empty()) return Status::ok();
  const auto found = completed_folders(*files_, folder_);
  if (!found.is_ok()) return but_not_found(found.status());
  const std::vector<std::string>& last = removal.metadata_folders;
  const auto first =
      std::find_if(found->begin(), found->end(), [&](const CheckpointFolder& folder) {
        return std::find(last.begin(), last.end(), folder.path) != last.end();
      });
  if (first == found->end()) return Status::ok();
  for (auto older = found->begin(); older != first; ++older) {
    CLP_RETURN_IF_ERROR(but_not_found(files_->remove(join_path(older->path, kMetadataName))));
    CLP_RETURN_IF_ERROR(but_not_found(files_->sync_directory(older->path)));
  }
  return Status::ok();
}

Status CheckpointStorage::remove_orphans(CheckpointId below, const std::set<std::string>& retained,
                                         const std::set<std::string>& used) const {
  if (folder_.empty()) return Status::ok();
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> entries, files_->list(folder_));
  for (const FileInfo& entry : entries) {
    const std::optional<CheckpointId> id = id_of_folder(entry.name);
    const std::string path = join_path(folder_, entry.name);
    if (!id || *id >= below || retained.contains(path)) continue;
    CLP_RETURN_IF_ERROR(remove_checkpoint_folder(*files_, path));
  }
  const std::string shared = join_path(folder_, kShared);
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> shared_files, files_->list(shared));
  for (const FileInfo& entry : shared_files) {
    const std::optional<CheckpointId> id = leading_id(entry.name);
    const std::string path = join_path(shared, entry.name);
    if (!id || *id >= below || used.contains(path)) continue;
    CLP_RETURN_IF_ERROR(but_not_found(files_->remove(path)));
  }
  return discard_uploads(*files_, folder_, below);
}

Status CheckpointStorage::remove_if_empty() const {
  if (folder_.empty()) return Status::ok();
  for (const std::string& path :
       {join_path(folder_, kShared), join_path(folder_, kTaskOwned), folder_}) {
    const Status removed = files_->remove(path);
    // Something is left in it: it stays.
    if (removed.code() == StatusCode::kFailedPrecondition) return Status::ok();
    CLP_RETURN_IF_ERROR(but_not_found(removed));
  }
  return Status::ok();
}

}  // namespace clepsydra
