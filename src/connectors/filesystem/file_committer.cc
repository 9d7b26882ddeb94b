#include "connectors/filesystem/file_committer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/logging.h"
#include "connectors/filesystem/partition_path.h"
#include "stream/batch.h"

namespace clepsydra {
namespace {

// Calls `visit(folder below the table's, entry)` for every file in the folders `depth` below it.
// A folder that has gone is passed over.
Status visit_files(FileSystem& files, const std::string& table, const std::string& below,
                   std::size_t depth,
                   const std::function<Status(const std::string&, const FileInfo&)>& visit) {
  const std::string folder = below.empty() ? table : join_path(table, below);
  const Result<std::vector<FileInfo>> entries = files.list(folder);
  if (entries.status().code() == StatusCode::kNotFound) return Status::ok();
  if (!entries.is_ok()) return entries.status();
  for (const FileInfo& entry : *entries) {
    if (depth == 0) {
      if (!entry.is_directory) CLP_RETURN_IF_ERROR(visit(below, entry));
    } else if (entry.is_directory && !entry.name.starts_with('.')) {
      const std::string next = below.empty() ? entry.name : join_path(below, entry.name);
      CLP_RETURN_IF_ERROR(visit_files(files, table, next, depth - 1, visit));
    }
  }
  return Status::ok();
}

std::string held_path(const std::string& visible) {
  const std::string_view name = base_name(visible);
  return visible.substr(0, visible.size() - name.size()) + held_name(name);
}

}  // namespace

FileCommitter::FileCommitter(FileSinkSpec spec, const SinkContext& context)
    : spec_(std::move(spec)),
      job_id_(context.job_id),
      files_(*context.file_system),
      clock_(*context.clock) {}

std::string FileCommitter::folder_of(const std::string& partition) const {
  return partition.empty() ? spec_.directory : join_path(spec_.directory, partition);
}

Status FileCommitter::commit(std::span<const std::string> committables) {
  return commit(committables, /*is_restored=*/false);
}

Status FileCommitter::commit_restored(std::span<const std::string> committables) {
  return commit(committables, /*is_restored=*/true);
}

Status FileCommitter::commit(std::span<const std::string> committables, bool is_restored) {
  std::vector<PartFile> parts;
  std::int64_t watermark = kMaxWatermark;
  bool has_progress = false;
  for (const std::string& bytes : committables) {
    CLP_ASSIGN_OR_RETURN(FileCommittable committable, decode_file_committable(bytes));
    if (auto* part = std::get_if<PartFile>(&committable)) {
      parts.push_back(std::move(*part));
    } else {
      // Writers that have ended say nothing any more, and hold nothing back.
      has_progress = true;
      watermark = std::min(watermark, std::get<WriterProgress>(committable).watermark);
    }
  }
  std::set<std::string> partitions;
  for (const PartFile& part : parts) partitions.insert(part.partition);
  if (spec_.marks_partitions) {
    CLP_RETURN_IF_ERROR(find_pending());
    for (const std::string& partition : partitions) CLP_RETURN_IF_ERROR(make_pending(partition));
  }
  for (const PartFile& part : parts) {
    CLP_RETURN_IF_ERROR(publish(part, is_restored));
    release(part, is_restored);
  }
  for (const std::string& partition : partitions) {
    const Status synced = files_.sync_directory(folder_of(partition));
    if (!synced.is_ok() && !(is_restored && synced.code() == StatusCode::kNotFound)) return synced;
  }
  if (!has_progress) return Status::ok();
  const bool is_end = watermark == kMaxWatermark;
  if (spec_.replaces) {
    written_.merge(partitions);
    if (is_end) CLP_RETURN_IF_ERROR(remove_replaced());
  }
  return spec_.marks_partitions ? mark_complete(watermark, is_end) : Status::ok();
}

// The new files are there before the old ones go: who dies in between leaves both, never neither.
Status FileCommitter::remove_replaced() {
  if (spec_.partition_keys.empty()) {
    written_ = {""};
  } else if (!spec_.replaced_partition.empty()) {
    written_ = {spec_.replaced_partition};
  }
  for (const std::string& partition : written_) {
    CLP_RETURN_IF_ERROR(
        remove_others(folder_of(partition)).with_context("removing what was there"));
  }
  return Status::ok();
}

// Hidden files are those of jobs under way.
Status FileCommitter::remove_others(const std::string& folder) {
  const Result<std::vector<FileInfo>> entries = files_.list(folder);
  if (entries.status().code() == StatusCode::kNotFound) return Status::ok();
  if (!entries.is_ok()) return entries.status();
  for (const FileInfo& entry : *entries) {
    if (entry.name.starts_with('.') || is_part_of(entry.name, job_id_)) continue;
    const std::string path = join_path(folder, entry.name);
    const Status removed = entry.is_directory ? files_.remove_all(path) : files_.remove(path);
    if (!removed.is_ok() && removed.code() != StatusCode::kNotFound) return removed;
  }
  return files_.sync_directory(folder);
}

Status FileCommitter::publish_staged(const PartFile& part) {
  StagingArea* area = files_.staging_area(part.visible);
  if (area == nullptr) {
    return Status::invalid_argument(
        fmt::format("'{}' is not on an object store, but was written to one", part.visible));
  }
  return area->publish(part.visible, part.token);
}

Status FileCommitter::publish(const PartFile& part, bool is_restored) {
  std::string what;
  if (!part.token.empty()) {
    const Status published = publish_staged(part);
    if (published.code() != StatusCode::kNotFound) return published;
    what = "its upload";
  } else {
    CLP_ASSIGN_OR_RETURN(const bool hidden_exists, files_.exists(part.hidden));
    if (hidden_exists) return files_.rename(part.hidden, part.visible);
    // A repeated commit: the first one's answer was lost.
    CLP_ASSIGN_OR_RETURN(const bool visible_exists, files_.exists(part.visible));
    if (visible_exists) return Status::ok();
    what = fmt::format("its hidden file '{}'", part.hidden);
  }
  if (!is_restored) {
    return Status::data_loss(fmt::format("cannot commit '{}': {} has gone", part.visible, what));
  }
  // It was visible once, and somebody has taken it since: a table's files are the user's.
  CLP_LOG(kWarning, "connectors",
          fmt::format("file '{}' of the checkpoint that is restored is not there any more",
                      part.visible));
  return Status::ok();
}

Status FileCommitter::hold(std::span<const std::string> committables) {
  for (const std::string& bytes : committables) {
    CLP_ASSIGN_OR_RETURN(const FileCommittable committable, decode_file_committable(bytes));
    const auto* part = std::get_if<PartFile>(&committable);
    if (part == nullptr || held_.contains(part->visible)) continue;
    held_.insert(part->visible);  // Also if it is not known whether it was written.
    CLP_RETURN_IF_ERROR(write_file_atomically(files_, held_path(part->visible), ""));
  }
  return Status::ok();
}

bool FileCommitter::is_held(const std::string& visible) const {
  const Result<bool> exists = files_.exists(held_path(visible));
  return !exists.is_ok() || *exists;
}

// Whoever held it may have been another process.
void FileCommitter::release(const PartFile& part, bool is_restored) {
  if (held_.erase(part.visible) == 0 && !is_restored) return;
  (void)files_.remove(held_path(part.visible));
}

void FileCommitter::abort(std::span<const std::string> committables) {
  for (const std::string& bytes : committables) {
    const Result<FileCommittable> committable = decode_file_committable(bytes);
    if (!committable.is_ok()) continue;
    const auto* part = std::get_if<PartFile>(&*committable);
    if (part == nullptr) continue;
    release(*part, /*is_restored=*/false);
    if (part->token.empty()) {
      (void)files_.remove(part->hidden);
    } else if (StagingArea* area = files_.staging_area(part->visible); area != nullptr) {
      (void)area->discard(part->visible, part->token);
    }
  }
}

void FileCommitter::remove_staged_leftovers(StagingArea& area, const std::string& job_id) {
  const Result<std::vector<StagedInfo>> staged = area.list_staged(spec_.directory);
  if (!staged.is_ok()) {
    CLP_LOG(kWarning, "connectors",
            fmt::format("cannot look for uploads that job {} has left in '{}': {}", job_id,
                        spec_.directory, staged.status().to_string()));
    return;
  }
  for (const StagedInfo& info : *staged) {
    if (!is_part_of(base_name(info.path), job_id) || is_held(info.path)) continue;
    (void)area.discard(info.path, info.token);
  }
}

void FileCommitter::remove_leftovers(const std::string& job_id) {
  if (StagingArea* area = files_.staging_area(spec_.directory); area != nullptr) {
    remove_staged_leftovers(*area, job_id);
    return;
  }
  const Status removed = visit_files(files_, spec_.directory, "", spec_.partition_keys.size(),
                                     [&](const std::string& below, const FileInfo& entry) {
                                       const std::string folder = folder_of(below);
                                       if (is_hidden_part_of(entry.name, job_id) &&
                                           !is_held(join_path(folder, visible_name(entry.name)))) {
                                         (void)files_.remove(join_path(folder, entry.name));
                                       }
                                       return Status::ok();
                                     });
  if (removed.is_ok()) return;
  CLP_LOG(kWarning, "connectors",
          fmt::format("cannot look for files that job {} has left in '{}': {}", job_id,
                      spec_.directory, removed.to_string()));
}

// ---- Partitions ----

Status FileCommitter::make_pending(const std::string& partition) {
  if (pending_.contains(partition)) return Status::ok();
  const std::string folder = folder_of(partition);
  CLP_RETURN_IF_ERROR(files_.create_directories(folder));
  CLP_RETURN_IF_ERROR(write_file_atomically(files_, join_path(folder, kPendingName), ""));
  pending_[partition] = clock_.now_ms();
  return Status::ok();
}

Status FileCommitter::find_pending() {
  if (knows_pending_) return Status::ok();
  CLP_RETURN_IF_ERROR(visit_files(files_, spec_.directory, "", spec_.partition_keys.size(),
                                  [&](const std::string& below, const FileInfo& entry) {
                                    if (entry.name == kPendingName) {
                                      pending_[below] = entry.modified_ms;
                                    }
                                    return Status::ok();
                                  }));
  knows_pending_ = true;
  return Status::ok();
}

Status FileCommitter::mark_complete(std::int64_t watermark, bool is_end) {
  for (auto partition = pending_.begin(); partition != pending_.end();) {
    bool is_due = is_end;
    if (!is_end) {
      CLP_ASSIGN_OR_RETURN(is_due, is_complete(partition->first, partition->second, watermark));
    }
    if (!is_due) {
      ++partition;
      continue;
    }
    const std::string folder = folder_of(partition->first);
    CLP_RETURN_IF_ERROR(write_file_atomically(files_, join_path(folder, spec_.success_file), ""));
    const Status removed = files_.remove(join_path(folder, kPendingName));
    if (!removed.is_ok() && removed.code() != StatusCode::kNotFound) return removed;
    partition = pending_.erase(partition);
  }
  return Status::ok();
}

Result<bool> FileCommitter::is_complete(const std::string& partition, std::int64_t since_ms,
                                        std::int64_t watermark) const {
  if (!spec_.by_event_time) {
    return spec_.commit_delay_ms == 0 || clock_.now_ms() > since_ms + spec_.commit_delay_ms;
  }
  // A folder that is not one of this table's (any more) never gets complete by time.
  const std::optional<PartitionValues> values = parse_partition_path(partition, spec_.key_names());
  if (!values) return false;
  CLP_ASSIGN_OR_RETURN(const std::int64_t local_ms, partition_time(*values, spec_.time_pattern));
  return watermark > spec_.watermark_zone->to_instant(local_ms) + spec_.commit_delay_ms;
}

}  // namespace clepsydra
