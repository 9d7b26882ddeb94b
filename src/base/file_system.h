// Files behind an interface: the local disk (local_file_system.h), memory with
// faults (memory_file_system.h), objects of a store such as S3
// (object_store/object_file_system.h), or all of them by the scheme of the path
// (uri_file_system.h). Nobody outside base/ opens a file in another way.
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

// A file that becomes visible as a whole, and only once somebody publishes it, which may be another
// process after the death of this one: what object stores call a multipart upload. Destroyed
// without close(): it is discarded. sync() and close() write its end: nothing can be appended
// afterwards.
class StagedFile : public WritableFile {
 public:
  // After close(): names it for publish() and discard().
  [[nodiscard]] virtual std::string token() const = 0;
};

struct StagedInfo {
  std::string path;
  std::string token;            // For discard(); publish() may need more.
  std::int64_t started_ms = 0;  // Wall time of the store.
};

// What paths on an object store have in place of renaming. There, nothing is renamed or appended
// to, a folder is only the common beginning of names (there when something is in it, and never made
// or synced), and a file is visible, whole and durable from the moment its sync() or close()
// returns.
//
// Threads: all methods, any thread.
class StagingArea {
 public:
  virtual ~StagingArea() = default;
  virtual Result<std::unique_ptr<StagedFile>> stage(std::string_view path) = 0;
  // Ok also when it was published before and is still there; NotFound when there is neither the one
  // nor the other.
  virtual Status publish(std::string_view path, std::string_view token) = 0;
  // NotFound is fine, and what was published stays.
  virtual Status discard(std::string_view path, std::string_view token) = 0;
  // What is staged below a folder, its subfolders included. At most FileSystem::kListMax.
  virtual Result<std::vector<StagedInfo>> list_staged(std::string_view directory) = 0;
};

enum class WriteMode : std::uint8_t {
  kTruncate,   // Creates or empties.
  kCreateNew,  // AlreadyExists when there is such a file.
  kAppend,     // Creates or continues.
};

// Paths are "/a/b", relative "a/b", or URIs "file:///a/b" (percent escapes
// decoded); other schemes are InvalidArgument unless the file system is made for
// them. Errors name the operation, the
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
  // With all parents. Fine when it is there already. What it makes survives a
  // power cut: files in a folder that has gone are lost however well synced.
  virtual Status create_directories(std::string_view path) = 0;
  // Makes renames, creations and removals in `directory` survive a power cut.
  virtual Status sync_directory(std::string_view directory) = 0;

  // `path` with everything in it; NotFound is fine.
  virtual Status remove_all(std::string_view path);
  // Readers see the old file or the new one, and the new one for good when this is Ok. By default
  // through a temporary file beside it.
  virtual Status write_atomically(std::string_view path, std::string_view bytes);
  // Null where files have names that can be changed, as on a disk.
  virtual StagingArea* staging_area(std::string_view path);

  // False for NotFound; other errors stay errors.
  Result<bool> exists(std::string_view path);

  static constexpr std::int64_t kListMax = 1'000'000;
};

// The whole file; ResourceExhausted above `bytes_max`.
Result<std::string> read_file(FileSystem& files, std::string_view path,
                              std::int64_t bytes_max = 64LL << 20);
// FileSystem::write_atomically().
Status write_file_atomically(FileSystem& files, std::string_view path, std::string_view bytes);

// "file:///a%20b" -> "/a b"; plain paths stay. InvalidArgument for other
// schemes and hosts.
Result<std::string> local_path(std::string_view path_or_uri);
// What a file system takes for `path_or_uri`: a local path as local_path() answers it, or
// "s3://bucket/key" (also for the schemes s3a and s3p) without slashes at its end. InvalidArgument
// for other schemes.
Result<std::string> canonical_path(std::string_view path_or_uri);
// "s3" of "s3://bucket/key", in small letters; empty for a plain path.
std::string scheme_of(std::string_view path_or_uri);
// "a" + "b" -> "a/b"; an absolute `name` stays as it is.
std::string join_path(std::string_view directory, std::string_view name);
// "/a/b.csv" -> "b.csv"; "/a/b.csv" -> "/a". "." when there is no directory
// part.
std::string_view base_name(std::string_view path);
std::string_view directory_name(std::string_view path);

}  // namespace clepsydra
