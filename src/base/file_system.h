// Files behind an interface: the local disk (local_file_system.h) or memory
// with faults (memory_file_system.h). Nobody outside base/ opens a file in
// another way.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

struct FileInfo {
  std::string name;  // In list(): the last part of the path. In stat(): the path
                     // as it was asked.
  std::int64_t size = 0;
  bool is_directory = false;
  std::int64_t modified_ms = 0;  // Wall time, as Clock::now_ms().
};

// Threads: read_at() from several threads at once.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  // Fills `out` from `offset`; less only at the end of the file. Returns the
  // bytes read.
  virtual Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const = 0;
  // The size now: a file that is still written to grows.
  [[nodiscard]] virtual Result<std::int64_t> size() const = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;
};

// One thread at a time. Destroying it without close() closes it and loses the
// errors of that.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Appends all bytes or fails; after a failure the end of the file is
  // unspecified.
  virtual Status append(std::string_view bytes) = 0;
  // Returns when all that was appended is on stable storage.
  virtual Status sync() = 0;
  // Idempotent. Appending afterwards is an error.
  virtual Status close() = 0;
  // Bytes appended through this object, plus what was there when opened with
  // kAppend.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  [[nodiscard]] virtual const std::string& path() const = 0;
};

enum class WriteMode : std::uint8_t {
  kTruncate,   // Creates or empties.
  kCreateNew,  // AlreadyExists when there is such a file.
  kAppend,     // Creates or continues.
};

// Paths are "/a/b", relative "a/b", or URIs "file:///a/b" (percent escapes
// decoded); other schemes are InvalidArgument. Errors name the operation, the
// path and the system's reason: NotFound, PermissionDenied, AlreadyExists,
// ResourceExhausted (disk or quota full), FailedPrecondition (a directory where
// a file is needed and the reverse, directory not empty), Unavailable (other
// input/output errors).
//
// Threads: all methods, any thread. Calls block: use a BlockingPool from a
// task.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) = 0;
  virtual Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                               WriteMode mode) = 0;
  // Replaces a file at `to` in one step: readers see the old or the new one.
  virtual Status rename(std::string_view from, std::string_view to) = 0;
  // A file or an empty directory.
  virtual Status remove(std::string_view path) = 0;
  // Entries in ascending byte order of their names, without "." and "..". At
  // most kListMax.
  virtual Result<std::vector<FileInfo>> list(std::string_view directory) = 0;
  virtual Result<FileInfo> stat(std::string_view path) = 0;
  // With all parents. Fine when it is there already.
  virtual Status create_directories(std::string_view path) = 0;
  // Makes renames, creations and removals in `directory` survive a power cut.
  virtual Status sync_directory(std::string_view directory) = 0;

  // False for NotFound; other errors stay errors.
  Result<bool> exists(std::string_view path);
  // `path` with everything in it; NotFound is fine.
  Status remove_all(std::string_view path);

  static constexpr std::int64_t kListMax = 1'000'000;
};

// The whole file; ResourceExhausted above `bytes_max`.
Result<std::string> read_file(FileSystem& files, std::string_view path,
                              std::int64_t bytes_max = 64LL << 20);
// Writes a temporary file beside `path`, syncs it and renames it over `path`.
Status write_file_atomically(FileSystem& files, std::string_view path, std::string_view bytes);

// "file:///a%20b" -> "/a b"; plain paths stay. InvalidArgument for other
// schemes and hosts.
Result<std::string> local_path(std::string_view path_or_uri);
// "a" + "b" -> "a/b"; an absolute `name` stays as it is.
std::string join_path(std::string_view directory, std::string_view name);
// "/a/b.csv" -> "b.csv"; "/a/b.csv" -> "/a". "." when there is no directory
// part.
std::string_view base_name(std::string_view path);
std::string_view directory_name(std::string_view path);

}  // namespace clepsydra
