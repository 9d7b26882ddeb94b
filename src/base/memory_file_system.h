// Files in memory, with faults on demand: for simulations and tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace clepsydra {

class Random;

enum class FileOperation : std::uint8_t {
  kOpenForRead,
  kOpenForWrite,
  kRead,
  kAppend,
  kSync,
  kClose,
  kRename,
  kRemove,
  kList,
  kStat,
  kCreateDirectories,
  kSyncDirectory,
};

// Behaves as LocalFileSystem does (one conformance suite holds for both), with
// the root "/" present and relative paths starting there. An open file stays
// readable and writable after its removal.
class MemoryFileSystem final : public FileSystem {
 public:
  // `clock` gives modification times.
  explicit MemoryFileSystem(const Clock& clock);
  ~MemoryFileSystem() override;

  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override;
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override;
  Status rename(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Result<std::vector<FileInfo>> list(std::string_view directory) override;
  Result<FileInfo> stat(std::string_view path) override;
  Status create_directories(std::string_view path) override;
  Status sync_directory(std::string_view directory) override;

  // The n-th operation from now (1 = the next one) of that kind, or of any
  // kind, fails with `status`.
  void fail_operation(std::int64_t n, Status status,
                      std::optional<FileOperation> kind = std::nullopt);
  // Asked before every operation; an error it returns is the operation's.
  // Empty: none.
  using FaultHook = std::function<Status(FileOperation operation, const std::string& path)>;
  void set_fault_hook(FaultHook hook);
  // Appending fails with ResourceExhausted once all files together hold this
  // many bytes; the bytes that fit are written, as a real disk does.
  void set_capacity_bytes(std::int64_t bytes);
  // What a power cut leaves at worst: bytes that were not synced are gone, and so is every change
  // of a name in a folder that was not synced. Renaming happens as a whole or not at all.
  void drop_unsynced();
  // What one may leave: some of those bytes, and in each folder the first so many changes.
  void cut_power(Random& random);
  // Bit rot. NotFound when there is no such bit.
  Status flip_bit(std::string_view path, std::uint64_t bit);
  // All files below a folder, ascending; no operation for the hook.
  [[nodiscard]] std::vector<std::string> paths_below(std::string_view directory) const;

  [[nodiscard]] std::int64_t used_bytes() const;
  [[nodiscard]] std::int64_t operations() const;

 private:
  struct Node;
  struct NameChange;
  class ReadHandle;
  class WriteHandle;
  struct Shared;

  // Shared with open handles, which may outlive the file system object.
  std::shared_ptr<Shared> shared_;
};

}  // namespace clepsydra
