// The bytes of a snapshot where they are: in memory, or in a file that is read piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/file_system.h"
#include "clepsydra/status.h"

namespace clepsydra {

class MemoryPool;

// Copies share the bytes. Threads: one at a time, of all copies.
class SnapshotBytes {
 public:
  SnapshotBytes(std::string bytes);  // NOLINT(google-explicit-constructor): bytes are bytes.
  // `size`: bytes of the file. It is opened for the first read(). `files` outlives it.
  SnapshotBytes(FileSystem& files, std::string path, std::int64_t size);

  static std::vector<SnapshotBytes> all_of(std::vector<std::string> snapshots);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] bool is_in_memory() const { return file_ == nullptr; }
  // `offset` + `count` <= size(). Good until the next call with this `room`, and as long as this.
  // DataLoss: the file has become shorter.
  Result<std::string_view> read(std::int64_t offset, std::int64_t count, std::string& room) const;
  // A buffer of its own, aligned from byte `aligned_at` of it on. *shift: so many bytes of the
  // buffer come before those that were asked for.
  Result<BufferPtr> read_aligned(std::int64_t offset, std::int64_t count, std::int64_t aligned_at,
                                 MemoryPool& pool, std::int64_t* shift) const;
  // Until it is read again, no file is open.
  void close() const;

 private:
  struct File {
    FileSystem* files;
    std::string path;
    std::unique_ptr<RandomAccessFile> open = nullptr;
  };
  Status fill(std::int64_t offset, std::uint8_t* to, std::int64_t count) const;

  std::shared_ptr<const std::string> bytes_;
  std::shared_ptr<File> file_;
  std::int64_t size_ = 0;
};

}  // namespace clepsydra
