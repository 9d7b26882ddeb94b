#include "process_files.h"

#include <utility>

namespace clepsydra::testing {
namespace {

Status dead() {
  return Status::unavailable("the process has died");
}
Status injected() {
  return Status::unavailable("injected fault");
}

// A stale listing is counted where it is found that there is an old one.
void count(FileFault fault, FileOperation operation, Happenings& happened) {
  const bool is_death = fault == FileFault::kDeathBefore || fault == FileFault::kDeathAfter;
  const bool is_error = fault == FileFault::kErrorBefore || fault == FileFault::kErrorAfter;
  if (is_death) happened.add(Happening::kDeathInFileOperation);
  if (!is_death && !is_error) return;
  switch (operation) {
    case FileOperation::kOpenForRead:
    case FileOperation::kRead:
    case FileOperation::kList:
    case FileOperation::kStat:
      if (is_error) happened.add(Happening::kReadError);
      return;
    case FileOperation::kAppend:
      if (fault == FileFault::kErrorBefore || fault == FileFault::kDeathBefore) {
        happened.add(Happening::kTornWrite);
        return;
      }
      break;
    case FileOperation::kRename:
      if (fault == FileFault::kErrorBefore) happened.add(Happening::kRenameError);
      break;
    default:
      if (fault == FileFault::kErrorBefore) happened.add(Happening::kWriteError);
      break;
  }
  if (fault == FileFault::kErrorAfter) happened.add(Happening::kLostAnswer);
}

// Runs `operation` with what the plan has for it.
template <typename State, typename Operation>
auto attempt(State& state, FileOperation kind, Operation operation) -> decltype(operation()) {
  const FileFault fault = state.next(kind);
  switch (fault) {
    case FileFault::kNone:
    case FileFault::kStale:
      return operation();
    case FileFault::kErrorBefore:
      return injected();
    case FileFault::kErrorAfter:
      (void)operation();
      return injected();
    case FileFault::kDeathBefore:
      return dead();
    case FileFault::kDeathAfter:
      (void)operation();
      return dead();
  }
  return dead();
}

}  // namespace

FileFault ProcessFiles::State::next(FileOperation operation) {
  if (dead) return FileFault::kDeathBefore;
  ++operations;
  const FileFault fault = plan ? plan(operations, operation) : FileFault::kNone;
  count(fault, operation, happened);
  dead = fault == FileFault::kDeathBefore || fault == FileFault::kDeathAfter;
  return fault;
}

class ProcessFiles::ReadHandle final : public RandomAccessFile {
 public:
  ReadHandle(std::unique_ptr<RandomAccessFile> file, std::shared_ptr<State> state)
      : file_(std::move(file)), state_(std::move(state)) {}
  Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    return attempt(*state_, FileOperation::kRead, [&] { return file_->read_at(offset, out); });
  }
  [[nodiscard]] Result<std::int64_t> size() const override { return file_->size(); }
  [[nodiscard]] const std::string& path() const override { return file_->path(); }

 private:
  std::unique_ptr<RandomAccessFile> file_;
  std::shared_ptr<State> state_;
};

class ProcessFiles::WriteHandle final : public WritableFile {
 public:
  WriteHandle(std::unique_ptr<WritableFile> file, std::shared_ptr<State> state)
      : file_(std::move(file)), state_(std::move(state)) {}
  Status append(std::string_view bytes) override {
    // What a process writes after its death is nothing, not half.
    if (state_->dead) return dead();
    const FileFault fault = state_->next(FileOperation::kAppend);
    if (fault == FileFault::kNone || fault == FileFault::kStale) {
      Status appended = file_->append(bytes);
      if (appended.code() == StatusCode::kResourceExhausted) {
        state_->happened.add(Happening::kDiskFull);
      }
      return appended;
    }
    const bool is_whole = fault == FileFault::kErrorAfter || fault == FileFault::kDeathAfter;
    (void)file_->append(is_whole ? bytes : bytes.substr(0, bytes.size() / 2));
    return state_->dead ? dead() : injected();
  }
  Status sync() override {
    return attempt(*state_, FileOperation::kSync, [&] { return file_->sync(); });
  }
  Status close() override {
    return attempt(*state_, FileOperation::kClose, [&] { return file_->close(); });
  }
  [[nodiscard]] std::int64_t size() const override { return file_->size(); }
  [[nodiscard]] const std::string& path() const override { return file_->path(); }

 private:
  std::unique_ptr<WritableFile> file_;
  std::shared_ptr<State> state_;
};

Result<std::unique_ptr<RandomAccessFile>> ProcessFiles::open_for_read(std::string_view path) {
  return attempt(*state_, FileOperation::kOpenForRead,
                 [&]() -> Result<std::unique_ptr<RandomAccessFile>> {
                   Result<std::unique_ptr<RandomAccessFile>> file = disk_.open_for_read(path);
                   if (!file.is_ok()) return file.status();
                   return std::make_unique<ReadHandle>(*std::move(file), state_);
                 });
}

Result<std::unique_ptr<WritableFile>> ProcessFiles::open_for_write(std::string_view path,
                                                                   WriteMode mode) {
  return attempt(*state_, FileOperation::kOpenForWrite,
                 [&]() -> Result<std::unique_ptr<WritableFile>> {
                   Result<std::unique_ptr<WritableFile>> file = disk_.open_for_write(path, mode);
                   if (!file.is_ok()) return file.status();
                   return std::make_unique<WriteHandle>(*std::move(file), state_);
                 });
}

Status ProcessFiles::rename(std::string_view from, std::string_view to) {
  return attempt(*state_, FileOperation::kRename, [&] {
    const Status renamed = disk_.rename(from, to);
    if (renamed.is_ok() && on_renamed_) on_renamed_(std::string(to));
    return renamed;
  });
}
Status ProcessFiles::remove(std::string_view path) {
  return attempt(*state_, FileOperation::kRemove, [&] { return disk_.remove(path); });
}
Result<std::vector<FileInfo>> ProcessFiles::list(std::string_view directory) {
  if (state_->dead) return dead();
  const FileFault fault = state_->next(FileOperation::kList);
  if (fault == FileFault::kErrorBefore || fault == FileFault::kErrorAfter) return injected();
  if (state_->dead) return dead();
  const auto before = seen_.find(directory);
  if (fault == FileFault::kStale && before != seen_.end()) {
    state_->happened.add(Happening::kStaleListing);
    return before->second;
  }
  Result<std::vector<FileInfo>> listed = disk_.list(directory);
  if (listed.is_ok()) seen_[std::string(directory)] = *listed;
  return listed;
}
Result<FileInfo> ProcessFiles::stat(std::string_view path) {
  return attempt(*state_, FileOperation::kStat, [&] { return disk_.stat(path); });
}
Status ProcessFiles::create_directories(std::string_view path) {
  return attempt(*state_, FileOperation::kCreateDirectories,
                 [&] { return disk_.create_directories(path); });
}
Status ProcessFiles::sync_directory(std::string_view directory) {
  return attempt(*state_, FileOperation::kSyncDirectory,
                 [&] { return disk_.sync_directory(directory); });
}

}  // namespace clepsydra::testing
