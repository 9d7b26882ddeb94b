// The model of an object store, with faults on demand: for simulations and tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/object_store/object_store.h"

namespace clepsydra {

enum class ObjectOperation : std::uint8_t {
  kPut,
  kGet,
  kHead,
  kList,
  kRemove,
  kCopy,
  kCreateUpload,
  kUploadPart,
  kCompleteUpload,
  kAbortUpload,
  kListUploads,
};

// What goes wrong with one operation.
struct ObjectFault {
  Status before;  // The operation has no effect: refused, throttled, not reached.
  Status after;   // It has its effect, and its answer is lost.
};

// Threads: all methods, any thread.
class MemoryObjectStore final : public ObjectStore {
 public:
  explicit MemoryObjectStore(const Clock& clock, std::int64_t part_bytes_min = kPartBytesMin)
      : clock_(clock), part_bytes_min_(part_bytes_min) {}

  Status put(std::string_view key, std::string_view bytes, PutCondition condition) override;
  Result<std::int64_t> get(std::string_view key, std::int64_t offset, std::span<std::uint8_t> out,
                           std::string_view etag) override;
  Result<ObjectInfo> head(std::string_view key) override;
  Result<ObjectListing> list(const ObjectListRequest& request) override;
  Status remove(std::string_view key) override;
  Status remove_many(std::span<const std::string> keys) override;
  Status copy(std::string_view from, std::string_view to) override;
  Result<std::string> create_upload(std::string_view key) override;
  Result<UploadPart> upload_part(std::string_view key, std::string_view upload_id, int part,
                                 std::string_view bytes) override;
  Status complete_upload(std::string_view key, std::string_view upload_id,
                         std::span<const UploadPart> parts) override;
  Status abort_upload(std::string_view key, std::string_view upload_id) override;
  Result<UploadListing> list_uploads(std::string_view prefix,
                                     std::string_view continuation) override;

  // Asked before every operation, by the thread that does it; may take (virtual) time for slow
  // ones.
  using FaultHook = std::function<ObjectFault(ObjectOperation operation, const std::string& key)>;
  void set_fault_hook(FaultHook hook);
  // list() shows the store as it was so long ago.
  void set_listing_delay_ms(std::int64_t delay_ms);
  // Bit rot. NotFound when there is no such bit.
  Status flip_bit(std::string_view key, std::uint64_t bit);

  [[nodiscard]] std::int64_t operations() const;
  [[nodiscard]] std::vector<std::string> keys() const;
  [[nodiscard]] std::vector<OpenUpload> open_uploads() const;
  // No operation for the hook.
  [[nodiscard]] Result<ObjectInfo> look_at(std::string_view key) const;
  [[nodiscard]] Result<std::string> bytes_of(std::string_view key) const;

 private:
  struct Version {
    std::int64_t since_ms = 0;
    bool is_there = false;
    std::string bytes;  // Of the last version only.
    ObjectInfo info;
  };
  struct Upload {
    std::string key;
    std::int64_t started_ms = 0;
    std::map<int, std::string> parts;
  };

  Result<ObjectFault> begin(ObjectOperation operation, std::string_view key);
  void store(std::string_view key, std::string_view bytes) CLP_REQUIRES(mutex_);
  void erase(std::string_view key) CLP_REQUIRES(mutex_);
  [[nodiscard]] const Version* find(std::string_view key) const CLP_REQUIRES(mutex_);
  // What list() shows of a key; null: nothing.
  [[nodiscard]] const Version* listed(const std::vector<Version>& versions) const
      CLP_REQUIRES(mutex_);

  const Clock& clock_;
  const std::int64_t part_bytes_min_;
  mutable Mutex mutex_;
  // Shared with operations that are about to ask it: it keeps its state between them.
  std::shared_ptr<FaultHook> hook_ CLP_GUARDED_BY(mutex_);
  // Oldest first, as far back as a late listing may look.
  std::map<std::string, std::vector<Version>, std::less<>> objects_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, Upload, std::less<>> uploads_ CLP_GUARDED_BY(mutex_);
  std::int64_t listing_delay_ms_ CLP_GUARDED_BY(mutex_) = 0;
  std::int64_t operations_ CLP_GUARDED_BY(mutex_) = 0;
  std::int64_t next_id_ CLP_GUARDED_BY(mutex_) = 1;
};

}  // namespace clepsydra
