#include "taskmanager/local_copies.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "base/check.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/logging.h"
#include "base/utf8.h"
#include "checkpoint/checkpoint_options.h"
#include "checkpoint/checkpoint_storage.h"

namespace clepsydra {
namespace {

constexpr std::string_view kFolder = "clepsydra-local-copies";
constexpr int kProcessesMax = 64;

std::string quoted(std::string_view path) {
  return fmt::format("'{}'", clip(path, 200));
}

void warn(std::string_view what, const Status& status) {
  CLP_LOG(kWarning, "taskmanager", fmt::format("{}: {}", what, status.to_string()));
}

// 7 of "7-0-2-1-0".
CheckpointId checkpoint_of(std::string_view name) {
  CheckpointId id = 0;
  (void)std::from_chars(name.data(), name.data() + name.size(), id);
  return id;
}

// The job whose checkpoints are in a folder; empty: it has no name that could be a folder's.
std::string_view job_of(std::string_view folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.remove_suffix(1);
  const std::string_view name = base_name(folder);
  return name == "." || name == ".." ? std::string_view() : name;
}

Status copy_file(FileSystem& files, const std::string& from, WritableFile& to) {
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> in, files.open_for_read(from));
  std::vector<std::uint8_t> piece(1U << 20);
  for (std::int64_t offset = 0;;) {
    CLP_ASSIGN_OR_RETURN(const std::int64_t got, in->read_at(offset, piece));
    if (got == 0) return Status::ok();
    CLP_RETURN_IF_ERROR(to.append(std::string_view(reinterpret_cast<const char*>(piece.data()),
                                                   static_cast<std::size_t>(got))));
    offset += got;
  }
}

}  // namespace

// ---- Writing ----

LocalCopies::Writer::Writer(std::shared_ptr<LocalCopies> copies, std::string source,
                            std::string path)
    : copies_(std::move(copies)), source_(std::move(source)), path_(std::move(path)) {}

LocalCopies::Writer::~Writer() {
  if (out_ == nullptr) return;
  out_.reset();
  (void)copies_->options_.files->remove(path_);
}

void LocalCopies::Writer::give_up(const Status& status) {
  warn(fmt::format("no local copy of {}", quoted(source_)), status);
  is_link_ = false;
  if (out_ == nullptr) return;
  out_.reset();
  (void)copies_->options_.files->remove(path_);
}

void LocalCopies::Writer::append(std::string_view bytes) {
  if (out_ == nullptr) return;
  if (const Status written = out_->append(bytes); !written.is_ok()) give_up(written);
}

void LocalCopies::Writer::finish() {
  FileSystem& files = *copies_->options_.files;
  const auto link_or_copy = [&]() -> Status {
    const Status linked = copies_->options_.link(source_, path_);
    if (linked.code() != StatusCode::kUnimplemented) return linked;
    // Another disk: from now on copies are written along.
    copies_->may_link_ = false;
    CLP_ASSIGN_OR_RETURN(out_, files.open_for_write(path_, WriteMode::kTruncate));
    return copy_file(files, source_, *out_);
  };
  if (is_link_) {
    if (const Status copied = link_or_copy(); !copied.is_ok()) return give_up(copied);
  }
  if (out_ == nullptr) return;
  // Not synced: what a power cut leaves of it is checked when it is read.
  if (const Status closed = out_->close(); !closed.is_ok()) return give_up(closed);
  out_.reset();
}

std::unique_ptr<LocalCopies::Writer> LocalCopies::write(const TaskId& task,
                                                        const std::string& folder,
                                                        const std::string& path) {
  const std::string_view job = job_of(folder);
  if (job.empty()) return nullptr;
  std::string local = path_of(job, path);
  std::unique_ptr<Writer> writer(
      new Writer(shared_from_this(), join_path(folder, path), std::move(local)));
  const Status made = options_.files->create_directories(directory_name(writer->path_));
  if (!made.is_ok()) {
    writer->give_up(made);
    return nullptr;
  }
  writer->is_link_ = may_link_ && scheme_of(folder).empty();
  if (!writer->is_link_) {
    Result<std::unique_ptr<WritableFile>> out =
        options_.files->open_for_write(writer->path_, WriteMode::kTruncate);
    if (!out.is_ok()) {
      writer->give_up(out.status());
      return nullptr;
    }
    writer->out_ = *std::move(out);
  }
  const std::string name(base_name(path));
  const MutexLock lock(mutex_);
  jobs_[task.job].tasks[{task.vertex, task.subtask}][name] = checkpoint_of(name);
  return writer;
}

void LocalCopies::remove(const TaskId& task, const std::string& path) {
  const std::string name(base_name(path));
  {
    const MutexLock lock(mutex_);
    const auto job = jobs_.find(task.job);
    if (job == jobs_.end() || job->second.tasks[{task.vertex, task.subtask}].erase(name) == 0) {
      return;
    }
  }
  (void)options_.files->remove(path_of(task.job.to_string(), name));
}

// ---- Reading ----

Result<SnapshotBytes> LocalCopies::read(const std::string& folder, const StateFile& file) {
  const std::string_view job = job_of(folder);
  if (job.empty() || file.path.empty()) return Status::not_found("there is no local copy");
  const std::string path = path_of(job, file.path);
  CLP_ASSIGN_OR_RETURN(const bool is_there, options_.files->exists(path));
  if (!is_there) return Status::not_found(fmt::format("there is no local copy {}", quoted(path)));
  StateFile copy = file;
  copy.path = base_name(path);
  Result<SnapshotBytes> bytes = open_state(*options_.files, directory_name(path), copy);
  if (bytes.is_ok() || bytes.status().code() != StatusCode::kDataLoss) return bytes;
  (void)options_.files->remove(path);
  return bytes.status().with_context("the local copy is damaged");
}

// ---- What is kept ----

void LocalCopies::restored(const TaskId& task, const std::string& folder) {
  const std::string former(job_of(folder));
  if (former.empty() || former == task.job.to_string()) return;
  const MutexLock lock(mutex_);
  jobs_[task.job].restored_from.insert(former);
}

void LocalCopies::confirm(const TaskId& task, CheckpointId id,
                          const std::vector<std::string>& paths) {
  std::set<std::string, std::less<>> used;
  for (const std::string& path : paths) used.emplace(base_name(path));
  std::vector<std::string> removed;
  {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(task.job);
    if (found == jobs_.end()) return;
    Job& job = found->second;
    const std::string name_of_job = task.job.to_string();
    std::erase_if(job.tasks[{task.vertex, task.subtask}], [&](const auto& file) {
      const bool goes = file.second <= id && !used.contains(file.first);
      if (goes) removed.push_back(path_of(name_of_job, file.first));
      return goes;
    });
    for (const std::string& former : std::exchange(job.restored_from, {})) {
      const bool lives = std::any_of(jobs_.begin(), jobs_.end(), [&](const auto& other) {
        return other.first.to_string() == former;
      });
      if (!lives) removed.push_back(join_path(options_.directory, former));
    }
  }
  remove_later(std::move(removed));
}

void LocalCopies::drop(const TaskId& task, CheckpointId id) {
  std::vector<std::string> removed;
  {
    const MutexLock lock(mutex_);
    const auto found = jobs_.find(task.job);
    if (found == jobs_.end()) return;
    const std::string name_of_job = task.job.to_string();
    std::erase_if(found->second.tasks[{task.vertex, task.subtask}], [&](const auto& file) {
      if (file.second != id) return false;
      removed.push_back(path_of(name_of_job, file.first));
      return true;
    });
  }
  remove_later(std::move(removed));
}

void LocalCopies::end_job(const JobId& job) {
  {
    const MutexLock lock(mutex_);
    if (jobs_.erase(job) == 0) return;
  }
  remove_later({join_path(options_.directory, job.to_string())});
}

void LocalCopies::remove_later(std::vector<std::string> paths) {
  if (paths.empty()) return;
  const Status submitted =
      options_.pool->submit([files = options_.files, paths = std::move(paths)] {
        for (const std::string& path : paths) {
          const Status removed = files->remove_all(path);
          if (!removed.is_ok()) warn("removing local copies", removed);
        }
      });
  if (!submitted.is_ok()) warn("removing local copies", submitted);
}

std::string LocalCopies::path_of(std::string_view job, std::string_view file) const {
  return join_path(join_path(options_.directory, job), base_name(file));
}

// ---- The directory ----

LocalCopies::LocalCopies(Options options)
    : options_(std::move(options)), may_link_(static_cast<bool>(options_.link)) {}

Result<std::shared_ptr<LocalCopies>> LocalCopies::open(Options options) {
  std::shared_ptr<LocalCopies> copies(new LocalCopies(std::move(options)));
  CLP_RETURN_IF_ERROR(copies->remove_oldest());
  return copies;
}

Status LocalCopies::remove_oldest() {
  CLP_ASSIGN_OR_RETURN(std::vector<FileInfo> left, options_.files->list(options_.directory));
  std::erase_if(left, [](const FileInfo& info) { return !info.is_directory; });
  std::sort(left.begin(), left.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.modified_ms > b.modified_ms; });
  for (std::size_t i = kFormerJobsMax; i < left.size(); ++i) {
    CLP_RETURN_IF_ERROR(options_.files->remove_all(join_path(options_.directory, left[i].name)));
  }
  return Status::ok();
}

LocalCopies::~LocalCopies() {
  const MutexLock lock(mutex_);
  for (const auto& [id, job] : jobs_) {
    (void)options_.files->remove_all(join_path(options_.directory, id.to_string()));
  }
}

LocalCopyPlaces::LocalCopyPlaces(FileSystem& files, BlockingPool& pool, std::string system_folder,
                                 Lock lock, LocalCopies::Link link)
    : files_(files),
      pool_(pool),
      system_folder_(std::move(system_folder)),
      lock_(std::move(lock)),
      link_(std::move(link)) {}

Result<std::shared_ptr<LocalCopies>> LocalCopyPlaces::open(const Configuration& configuration) {
  CLP_ASSIGN_OR_RETURN(const CheckpointOptions options, read_checkpoint_options(configuration));
  const MutexLock lock(mutex_);
  if (!options.local_copies_dir.empty()) {
    Result<std::shared_ptr<LocalCopies>> copies =
        open_at(join_path(options.local_copies_dir, kFolder));
    if (copies.is_ok()) return copies;
    return copies.status().with_context(
        "cannot use the folder of 'execution.checkpointing.local-backup.dirs'; give each process "
        "its own");
  }
  if (const auto own = own_.find(system_folder_); own != own_.end()) return open_at(own->second);
  Status last;
  // The first that no other process has: so what a process that was killed has left is found again.
  for (int i = 0; i < kProcessesMax; ++i) {
    const std::string directory = join_path(system_folder_, fmt::format("{}-{}", kFolder, i));
    Result<std::shared_ptr<LocalCopies>> copies = open_at(directory);
    if (copies.is_ok()) {
      own_.emplace(system_folder_, directory);
      return copies;
    }
    last = copies.status();
    const bool is_taken = last.code() == StatusCode::kFailedPrecondition ||
                          last.code() == StatusCode::kPermissionDenied;
    if (!is_taken) break;
  }
  return last.with_context("no place for local copies of state");
}

void LocalCopyPlaces::end_job(const JobId& job) {
  const MutexLock lock(mutex_);
  for (const auto& [directory, copies] : open_) copies->end_job(job);
}

Result<std::shared_ptr<LocalCopies>> LocalCopyPlaces::open_at(const std::string& directory) {
  if (const auto found = open_.find(directory); found != open_.end()) return found->second;
  CLP_RETURN_IF_ERROR(files_.create_directories(directory));
  std::shared_ptr<void> held;
  if (lock_) {
    CLP_ASSIGN_OR_RETURN(held, lock_(directory));
  }
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<LocalCopies> place,
                       LocalCopies::open({.files = &files_,
                                          .pool = &pool_,
                                          .directory = directory,
                                          .link = link_,
                                          .lock = std::move(held)}));
  open_.emplace(directory, place);
  return place;
}

}  // namespace clepsydra
