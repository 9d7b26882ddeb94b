#include "base/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "base/errno_status.h"
#include "base/file_system.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

// Whoever lets go of a lock removes its file: one that was opened before may be gone by now.
constexpr int kAttempts = 100;

bool is_at(int file, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

std::string owner_of(int file) {
  std::array<char, 32> text{};
  const ssize_t got = pread(file, text.data(), text.size(), 0);
  return got > 0 ? fmt::format("process {}", clip({text.data(), static_cast<std::size_t>(got)}, 20))
                 : std::string("another process");
}

Status failed(const std::string& path, int error) {
  return internal::status_from_errno("cannot lock", path, error);
}

}  // namespace

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
  const std::string path = join_path(directory, ".lock");
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return failed(path, errno);
    if (flock(file, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      const std::string owner = owner_of(file);
      close(file);
      if (error != EWOULDBLOCK) return failed(path, error);
      return Status::failed_precondition(
          fmt::format("'{}' is in use by {}", clip(directory, 200), owner));
    }
    if (is_at(file, path)) {
      const std::string owner = fmt::format("{}", getpid());
      // For messages only: without it they name nobody.
      if (ftruncate(file, 0) == 0) (void)!pwrite(file, owner.data(), owner.size(), 0);
      return std::unique_ptr<DirectoryLock>(new DirectoryLock(path, file));
    }
    close(file);
  }
  return Status::unavailable(
      fmt::format("cannot lock '{}': it is taken and left all the time", clip(directory, 200)));
}

DirectoryLock::~DirectoryLock() {
  (void)unlink(path_.c_str());
  close(file_);
}

}  // namespace clepsydra
