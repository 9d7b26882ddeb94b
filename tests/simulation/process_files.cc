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

// Runs `operation` with what the plan has for it.
template <typename State, typename Operation>
auto attempt(State& state, Operation operation) -> decltype(operation()) {
  const FileFault fault = state.next();
  switch (fault) {
    case FileFault::kNone:
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

FileFault ProcessFiles::State::next() {
  ++operations;
  if (dead) return FileFault::kDeathBefore;
  const FileFault fault = plan ? plan(operations) : FileFault::kNone;
  dead = fault == FileFault::kDeathBefore || fault == FileFault::kDeathAfter;
  return fault;
}

class ProcessFiles::ReadHandle final : public RandomAccessFile {
 public:
  ReadHandle(std::unique_ptr<RandomAccessFile> file, std::shared_ptr<State> state)
      : file_(std::move(file)), state_(std::move(state)) {}
  Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    return attempt(*state_, [&] { return file_->read_at(offset, out); });
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
    const FileFault fault = state_->next();
    if (fault == FileFault::kNone) return file_->append(bytes);
    if (fault == FileFault::kErrorAfter || fault == FileFault::kDeathAfter) {
      (void)file_->append(bytes);
    } else if (!state_->dead || fault == FileFault::kErrorBefore) {
      (void)file_->append(bytes.substr(0, bytes.size() / 2));
    }
    return state_->dead ? dead() : injected();
  }
  Status sync() override {
    return attempt(*state_, [&] { return file_->sync(); });
  }
  Status close() override {
    return attempt(*state_, [&] { return file_->close(); });
  }
  [[nodiscard]] std::int64_t size() const override { return file_->size(); }
  [[nodiscard]] const std::string& path() const override { return file_->path(); }

 private:
  std::unique_ptr<WritableFile> file_;
  std::shared_ptr<State> state_;
};

Result<std::unique_ptr<RandomAccessFile>> ProcessFiles::open_for_read(std::string_view path) {
  return attempt(*state_, [&]() -> Result<std::unique_ptr<RandomAccessFile>> {
    Result<std::unique_ptr<RandomAccessFile>> file = disk_.open_for_read(path);
    if (!file.is_ok()) return file.status();
    return std::make_unique<ReadHandle>(*std::move(file), state_);
  });
}

Result<std::unique_ptr<WritableFile>> ProcessFiles::open_for_write(std::string_view path,
                                                                   WriteMode mode) {
  return attempt(*state_, [&]() -> Result<std::unique_ptr<WritableFile>> {
    Result<std::unique_ptr<WritableFile>> file = disk_.open_for_write(path, mode);
    if (!file.is_ok()) return file.status();
    return std::make_unique<WriteHandle>(*std::move(file), state_);
  });
}

Status ProcessFiles::rename(std::string_view from, std::string_view to) {
  return attempt(*state_, [&] { return disk_.rename(from, to); });
}
Status ProcessFiles::remove(std::string_view path) {
  return attempt(*state_, [&] { return disk_.remove(path); });
}
Result<std::vector<FileInfo>> ProcessFiles::list(std::string_view directory) {
  return attempt(*state_, [&] { return disk_.list(directory); });
}
Result<FileInfo> ProcessFiles::stat(std::string_view path) {
  return attempt(*state_, [&] { return disk_.stat(path); });
}
Status ProcessFiles::create_directories(std::string_view path) {
  return attempt(*state_, [&] { return disk_.create_directories(path); });
}
Status ProcessFiles::sync_directory(std::string_view directory) {
  return attempt(*state_, [&] { return disk_.sync_directory(directory); });
}

}  // namespace clepsydra::testing
