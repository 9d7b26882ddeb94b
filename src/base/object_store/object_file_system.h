// Files that are objects: paths "s3://bucket/key" over ObjectStore.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/object_store/object_store.h"

namespace clepsydra {

// Differs from a disk in what StagingArea says, and so:
// - open_for_write() shows nothing until sync() or close(), which end the file; without either it
//   leaves nothing. kAppend and rename() are Unimplemented, kCreateNew is as good as
//   PutCondition::kIfAbsent.
// - create_directories() and sync_directory() do nothing; list() of a folder that is not there is
//   empty, and stat() of it NotFound.
// - write_atomically() is one put.
// Large files go up in parts, several at a time on the pool; large reads come in growing pieces
// ahead of a reader that goes on from where it was.
//
// Threads: all methods, any thread.
class ObjectFileSystem final : public FileSystem, public StagingArea {
 public:
  // Answers the same store for the same bucket, for as long as this object lives. Any thread.
  using FindBucket = std::function<Result<ObjectStore*>(std::string_view bucket)>;

  struct Options {
    std::int64_t part_bytes = 8LL << 20;  // At least what the store asks for.
    int parts_at_once = 4;                // Of one file, with a pool.
    BlockingPool* pool = nullptr;         // Null: parts go up one by one, by the caller.
    std::int64_t read_ahead_bytes_max = 8LL << 20;
  };

  ObjectFileSystem(FindBucket find_bucket, Options options);
  explicit ObjectFileSystem(FindBucket find_bucket);

  Result<std::unique_ptr<RandomAccessFile>> open_for_read(std::string_view path) override;
  Result<std::unique_ptr<WritableFile>> open_for_write(std::string_view path,
                                                       WriteMode mode) override;
  Status rename(std::string_view from, std::string_view to) override;
  Status remove(std::string_view path) override;
  Result<std::vector<FileInfo>> list(std::string_view directory) override;
  Result<FileInfo> stat(std::string_view path) override;
  Status create_directories(std::string_view path) override;
  Status sync_directory(std::string_view directory) override;
  // And aborts uploads that are open below. Refused for a whole bucket.
  Status remove_all(std::string_view path) override;
  Status write_atomically(std::string_view path, std::string_view bytes) override;
  StagingArea* staging_area(std::string_view path) override;

  Result<std::unique_ptr<StagedFile>> stage(std::string_view path) override;
  Status publish(std::string_view path, std::string_view token) override;
  Status discard(std::string_view path, std::string_view token) override;
  Result<std::vector<StagedInfo>> list_staged(std::string_view directory) override;

 private:
  struct Place {
    ObjectStore* store = nullptr;
    std::string bucket;
    std::string key;   // Empty: the bucket itself.
    std::string path;  // "s3://bucket/key"
  };

  [[nodiscard]] Result<Place> find(std::string_view path) const;
  // For what must be a file.
  [[nodiscard]] Result<Place> find_file(std::string_view path) const;
  static Result<bool> is_folder(const Place& place);

  const FindBucket find_bucket_;
  const Options options_;
};

}  // namespace clepsydra
