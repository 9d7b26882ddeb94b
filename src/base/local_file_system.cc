#include "base/local_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/errno_status.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

using internal::status_from_errno;

// An open descriptor, closed at destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

std::int64_t modified_ms(const struct stat& info) {
  return static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
}

class LocalReadableFile final : public RandomAccessFile {
 public:
  LocalReadableFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::pread(fd_.get(), out.data() + done, out.size() - done,
                                  offset + static_cast<std::int64_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return status_from_errno("cannot read", path_, errno);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return static_cast<std::int64_t>(done);
  }

  [[nodiscard]] Result<std::int64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_.get(), &info) != 0) return status_from_errno("cannot look at", path_, errno);
    return static_cast<std::int64_t>(info.st_size);
  }

  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class LocalWritableFile final : public WritableFile {
 public:
  LocalWritableFile(Descriptor fd, std::string path, std::int64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  Status append(std::string_view bytes) override {
    if (fd_.get() < 0) return closed();
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return status_from_errno("cannot write", path_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(put));
      size_ += put;
    }
    return Status::ok();
  }

  Status sync() override {
    if (fd_.get() < 0) return closed();
    // EINVAL: a pipe or device, which has no stable storage to wait for.
    if (::fdatasync(fd_.get()) != 0 && errno != EINVAL) {
      return status_from_errno("cannot sync", path_, errno);
    }
    return Status::ok();
  }

  Status close() override {
    if (fd_.get() < 0) return Status::ok();
    // The descriptor is gone whatever close() answers (Linux), also after EINTR.
    if (::close(fd_.release()) != 0 && errno != EINTR) {
      return status_from_errno("cannot close", path_, errno);
    }
    return Status::ok();
  }

  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  [[nodiscard]] Status closed() const {
    return Status::failed_precondition(fmt::format("the file '{}' is closed", clip(path_, 200)));
  }

  Descriptor fd_;
  const std::string path_;
  std::int64_t size_;
};

int open_flags(WriteMode mode) {
  switch (mode) {
    case WriteMode::kTruncate:
      return O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
    case WriteMode::kCreateNew:
      return O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    case WriteMode::kAppend:
      break;
  }
  return O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
}

}  // namespace

Result<std::unique_ptr<RandomAccessFile>> LocalFileSystem::open_for_read(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(std::string name, local_path(path));
  // Non-blocking, so that opening a pipe does not wait for its writer before it is refused below.
  Descriptor fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return status_from_errno("cannot open", name, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return status_from_errno("cannot look at", name, errno);
  if (S_ISDIR(info.st_mode)) return status_from_errno("cannot open", name, EISDIR);
  if (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode)) {
    return Status::failed_precondition(
        fmt::format("cannot open '{}': pipes and sockets cannot be read at an offset; expected a "
                    "regular file",
                    clip(name, 200)));
  }
  return std::make_unique<LocalReadableFile>(std::move(fd), std::move(name));
}

Result<std::unique_ptr<WritableFile>> LocalFileSystem::open_for_write(std::string_view path,
                                                                      WriteMode mode) {
  CLP_ASSIGN_OR_RETURN(std::string name, local_path(path));
  Descriptor fd(::open(name.c_str(), open_flags(mode), 0666));
  if (fd.get() < 0) return status_from_errno("cannot open for writing", name, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return status_from_errno("cannot look at", name, errno);
  const std::int64_t size = mode == WriteMode::kAppend ? info.st_size : 0;
  return std::make_unique<LocalWritableFile>(std::move(fd), std::move(name), size);
}

Status LocalFileSystem::rename(std::string_view from, std::string_view to) {
  CLP_ASSIGN_OR_RETURN(const std::string old_name, local_path(from));
  CLP_ASSIGN_OR_RETURN(const std::string new_name, local_path(to));
  if (std::rename(old_name.c_str(), new_name.c_str()) != 0) {
    return status_from_errno(fmt::format("cannot rename '{}' to", clip(old_name, 200)), new_name,
                             errno);
  }
  return Status::ok();
}

Status LocalFileSystem::remove(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, local_path(path));
  if (::unlink(name.c_str()) == 0) return Status::ok();
  // Linux says EISDIR for a directory, others EPERM.
  if (errno != EISDIR && errno != EPERM) return status_from_errno("cannot remove", name, errno);
  const int unlink_error = errno;
  if (::rmdir(name.c_str()) == 0) return Status::ok();
  return status_from_errno("cannot remove", name, errno == ENOTDIR ? unlink_error : errno);
}

Result<std::vector<FileInfo>> LocalFileSystem::list(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const std::string name, local_path(directory));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(name.c_str()), ::closedir);
  if (stream == nullptr) return status_from_errno("cannot list", name, errno);
  std::vector<FileInfo> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe): own stream
    if (entry == nullptr) break;
    const std::string_view entry_name = entry->d_name;
    if (entry_name == "." || entry_name == "..") continue;
    struct stat info {};
    if (::fstatat(::dirfd(stream.get()), entry->d_name, &info, 0) != 0) {
      if (errno == ENOENT) continue;  // Removed meanwhile, or a link to nothing.
      return status_from_errno("cannot look at", join_path(name, entry_name), errno);
    }
    if (static_cast<std::int64_t>(entries.size()) >= kListMax) {
      return Status::resource_exhausted(
          fmt::format("cannot list '{}': more than {} entries", clip(name, 200), kListMax));
    }
    entries.push_back(
        {std::string(entry_name), info.st_size, S_ISDIR(info.st_mode), modified_ms(info)});
  }
  if (errno != 0) return status_from_errno("cannot list", name, errno);
  std::sort(entries.begin(), entries.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.name < b.name; });
  return entries;
}

Result<FileInfo> LocalFileSystem::stat(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, local_path(path));
  struct stat info {};
  if (::stat(name.c_str(), &info) != 0) return status_from_errno("cannot look at", name, errno);
  return FileInfo{std::string(path), info.st_size, S_ISDIR(info.st_mode), modified_ms(info)};
}

Status LocalFileSystem::create_directories(std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string name, local_path(path));
  for (std::size_t slash = name.find('/', 1);; slash = name.find('/', slash + 1)) {
    const std::string part = name.substr(0, slash);
    if (::mkdir(part.c_str(), 0777) == 0) {
      const Status synced = sync_directory(directory_name(part));
      // A folder that may be written to and not read: nothing more can be done.
      if (!synced.is_ok() && synced.code() != StatusCode::kPermissionDenied) return synced;
    } else if (errno != EEXIST) {
      return status_from_errno("cannot create the directory", part, errno);
    }
    if (slash == std::string::npos) break;
  }
  struct stat info {};
  if (::stat(name.c_str(), &info) != 0) return status_from_errno("cannot look at", name, errno);
  if (!S_ISDIR(info.st_mode)) {
    return status_from_errno("cannot create the directory", name, ENOTDIR);
  }
  return Status::ok();
}

Status LocalFileSystem::sync_directory(std::string_view directory) {
  CLP_ASSIGN_OR_RETURN(const std::string name, local_path(directory));
  const Descriptor fd(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return status_from_errno("cannot open the directory", name, errno);
  // EINVAL: a file system that cannot sync directories.
  if (::fsync(fd.get()) != 0 && errno != EINVAL) {
    return status_from_errno("cannot sync the directory", name, errno);
  }
  return Status::ok();
}

Status hard_link(std::string_view from, std::string_view to) {
  CLP_ASSIGN_OR_RETURN(const std::string old_name, local_path(from));
  CLP_ASSIGN_OR_RETURN(const std::string new_name, local_path(to));
  if (::link(old_name.c_str(), new_name.c_str()) == 0) return Status::ok();
  const int error = errno;
  Status status =
      status_from_errno(fmt::format("cannot link '{}' to", clip(old_name, 200)), new_name, error);
  const bool cannot = error == EXDEV || error == EPERM || error == EOPNOTSUPP || error == EMLINK;
  return cannot ? Status::unimplemented(std::string(status.message())) : status;
}

Result<std::string> make_temporary_directory(std::string_view prefix) {
  const char* parent = std::getenv("TMPDIR");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  std::string name = join_path(parent == nullptr || *parent == '\0' ? "/tmp" : parent, prefix);
  name += "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    return status_from_errno("cannot create a temporary directory", name, errno);
  }
  return name;
}

}  // namespace clepsydra
