// Open files of ObjectFileSystem.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/object_store/object_store.h"

namespace clepsydra {

// An upload whose parts are all there: what StagedFile::token() carries.
struct StagedUpload {
  std::string id;
  std::vector<UploadPart> parts;

  [[nodiscard]] std::string encode() const;
  static Result<StagedUpload> decode(std::string_view token);
};

// Ok as well when an earlier call, of whose answer nobody knows, has completed it: then there is an
// object as long as the parts. Keys of ours are never used again, so it is the same one.
Status complete_upload(ObjectStore& store, std::string_view key, const StagedUpload& upload);

// Threads: read_at() any; it waits for one that reads.
class ObjectReader final : public RandomAccessFile {
 public:
  ObjectReader(ObjectStore& store, ObjectInfo object, std::string path,
               std::int64_t read_ahead_bytes_max);

  Result<std::int64_t> read_at(std::int64_t offset, std::span<std::uint8_t> out) const override;
  [[nodiscard]] Result<std::int64_t> size() const override { return object_.size; }
  [[nodiscard]] const std::string& path() const override { return path_; }

 private:
  ObjectStore& store_;
  const ObjectInfo object_;
  const std::string path_;
  const std::int64_t read_ahead_bytes_max_;
  mutable Mutex mutex_;
  // Bytes from window_begin_ on. Twice as many each time that a reader goes on behind them.
  mutable std::vector<std::uint8_t> window_ CLP_GUARDED_BY(mutex_);
  mutable std::int64_t window_begin_ CLP_GUARDED_BY(mutex_) = 0;
  mutable std::int64_t next_window_bytes_ CLP_GUARDED_BY(mutex_);
};

// Threads: one at a time; its parts go up on those of the pool.
class ObjectWriter final : public StagedFile {
 public:
  enum class End : std::uint8_t {
    kVisible,  // sync() and close() make it visible.
    kStaged,   // They make it durable, and token() names it.
  };
  struct Options {
    End end = End::kVisible;
    PutCondition condition = PutCondition::kNone;
    std::int64_t part_bytes = 0;
    int parts_at_once = 1;
    BlockingPool* pool = nullptr;
  };

  ObjectWriter(ObjectStore& store, std::string key, std::string path, const Options& options);
  ~ObjectWriter() override;
  ObjectWriter(const ObjectWriter&) = delete;
  ObjectWriter& operator=(const ObjectWriter&) = delete;

  Status append(std::string_view bytes) override;
  Status sync() override { return finish(); }
  Status close() override;
  [[nodiscard]] std::int64_t size() const override { return size_; }
  [[nodiscard]] const std::string& path() const override { return path_; }
  [[nodiscard]] std::string token() const override;

 private:
  // What its parts share; kept alive by those that are under way.
  struct Progress {
    Mutex mutex;
    CondVar changed;
    int under_way CLP_GUARDED_BY(mutex) = 0;
    Status error CLP_GUARDED_BY(mutex);
    std::vector<UploadPart> parts CLP_GUARDED_BY(mutex);
  };

  Status finish();
  Status finish_upload();
  // Sends what is buffered as a part; returns while it is under way.
  Status send_part();
  // Until at most so many are under way; the first error of any.
  Status wait_for_parts(int under_way_max);
  [[nodiscard]] std::int64_t next_part_bytes() const;

  ObjectStore& store_;
  const std::string key_;
  const std::string path_;
  const Options options_;
  const std::shared_ptr<Progress> progress_;
  std::string buffer_;
  std::int64_t size_ = 0;
  StagedUpload upload_;  // Its id is empty until there is one.
  int part_count_ = 0;
  bool is_finished_ = false;
  bool is_closed_ = false;
};

}  // namespace clepsydra
