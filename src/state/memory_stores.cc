#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "state/local_stores.h"

namespace clepsydra {
namespace {

using Contents = std::map<std::string, std::string, std::less<>>;

// What all stores of one directory share. Threads: any.
class World {
 public:
  explicit World(MemoryStoresOptions options) : options_(std::move(options)) {}

  Status fault(std::string_view operation) const {
    return options_.fault ? options_.fault(operation) : Status::ok();
  }
  Status open(const std::string& name) {
    const MutexLock lock(mutex_);
    if (open_.insert(name).second) return Status::ok();
    return Status::failed_precondition(fmt::format("the local store '{}' is open already", name));
  }
  void close(const std::string& name) {
    const MutexLock lock(mutex_);
    open_.erase(name);
  }
  bool is_open(const std::string& name) {
    const MutexLock lock(mutex_);
    return open_.contains(name);
  }
  Status keep(std::string_view directory, const Contents& contents) {
    const MutexLock lock(mutex_);
    if (copies_.emplace(std::string(directory), contents).second) return Status::ok();
    return Status::already_exists(
        fmt::format("cannot copy a local store to '{}': it is there already", directory));
  }
  Result<Contents> copy_in(std::string_view directory) {
    const MutexLock lock(mutex_);
    const auto found = copies_.find(directory);
    if (found != copies_.end()) return found->second;
    return Status::not_found(fmt::format("there is no copy of a local store in '{}'", directory));
  }

 private:
  const MemoryStoresOptions options_;
  Mutex mutex_;
  std::set<std::string, std::less<>> open_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, Contents, std::less<>> copies_ CLP_GUARDED_BY(mutex_);
};

class MemoryStore final : public LocalStore {
 public:
  // `world` is shared by all stores and their opener, which may go first.
  MemoryStore(std::shared_ptr<World> world, std::string name, Contents contents,
              std::int64_t disk_bytes_max)
      : world_(std::move(world)),
        name_(std::move(name)),
        disk_bytes_max_(disk_bytes_max),
        contents_(std::move(contents)) {
    for (const auto& [key, value] : contents_) bytes_ += bytes_of(key, value);
  }
  ~MemoryStore() override { static_cast<void>(close()); }

  Status multi_get(std::span<const std::string_view> keys, StoreValues& values) override {
    const MutexLock lock(mutex_);
    CLP_RETURN_IF_ERROR(check("get"));
    values.reset(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = contents_.find(keys[i]);
      if (found != contents_.end()) values.set(i, found->second);
    }
    return Status::ok();
  }

  Status write(const StoreWrites& writes) override {
    const MutexLock lock(mutex_);
    CLP_RETURN_IF_ERROR(check("write"));
    if (disk_bytes_max_ > 0 &&
        bytes_ + static_cast<std::int64_t>(writes.bytes()) > disk_bytes_max_) {
      return Status::resource_exhausted(fmt::format(
          "cannot write to the local store '{}': it may have {} bytes", name_, disk_bytes_max_));
    }
    for (std::size_t i = 0; i < writes.size(); ++i) apply(writes[i]);
    return Status::ok();
  }

  Status scan(std::string_view begin, std::string_view end, const ScanLimits& limits,
              std::vector<StoreEntry>& entries) override {
    const MutexLock lock(mutex_);
    CLP_RETURN_IF_ERROR(check("scan"));
    entries.clear();
    std::size_t bytes = 0;
    const auto take = [&](const auto& entry) {
      if (entries.size() >= limits.entries_max || (bytes >= limits.bytes_max && !entries.empty())) {
        return false;
      }
      bytes += entry.first.size() + entry.second.size();
      entries.push_back({.key = entry.first, .value = entry.second});
      return true;
    };
    if (limits.backwards) {
      auto at = contents_.lower_bound(end);
      while (at != contents_.begin() && (--at)->first >= begin && take(*at)) {
      }
      return Status::ok();
    }
    for (auto at = contents_.lower_bound(begin);
         at != contents_.end() && at->first < end && take(*at); ++at) {
    }
    return Status::ok();
  }

  Status checkpoint(std::string_view directory) override {
    const MutexLock lock(mutex_);
    CLP_RETURN_IF_ERROR(check("checkpoint"));
    return world_->keep(directory, contents_);
  }

  Status close() override {
    const MutexLock lock(mutex_);
    if (!std::exchange(is_closed_, true)) {
      contents_.clear();
      world_->close(name_);
    }
    return Status::ok();
  }

 private:
  static std::int64_t bytes_of(std::string_view key, std::string_view value) {
    return static_cast<std::int64_t>(key.size() + value.size());
  }

  Status check(std::string_view operation) const CLP_REQUIRES(mutex_) {
    if (is_closed_) {
      return Status::failed_precondition(fmt::format("the local store '{}' is closed", name_));
    }
    return world_->fault(operation);
  }

  void apply(const StoreWrites::Change& change) CLP_REQUIRES(mutex_) {
    switch (change.kind) {
      case StoreWrites::Kind::kPut: {
        const auto [at, is_new] = contents_.try_emplace(std::string(change.key));
        bytes_ += is_new ? bytes_of(change.key, change.value)
                         : bytes_of(change.value, {}) - bytes_of(at->second, {});
        at->second = change.value;
        return;
      }
      case StoreWrites::Kind::kErase:
        if (const auto at = contents_.find(change.key); at != contents_.end()) {
          bytes_ -= bytes_of(at->first, at->second);
          contents_.erase(at);
        }
        return;
      case StoreWrites::Kind::kEraseRange: {
        auto at = contents_.lower_bound(change.key);
        while (at != contents_.end() && at->first < change.value) {
          bytes_ -= bytes_of(at->first, at->second);
          at = contents_.erase(at);
        }
        return;
      }
    }
  }

  const std::shared_ptr<World> world_;
  const std::string name_;
  const std::int64_t disk_bytes_max_;
  Mutex mutex_;
  Contents contents_ CLP_GUARDED_BY(mutex_);
  std::int64_t bytes_ CLP_GUARDED_BY(mutex_) = 0;
  bool is_closed_ CLP_GUARDED_BY(mutex_) = false;
};

class MemoryStores final : public LocalStores {
 public:
  explicit MemoryStores(MemoryStoresOptions options)
      : world_(std::make_shared<World>(std::move(options))) {}

  Result<std::unique_ptr<LocalStore>> open(std::string_view name,
                                           const LocalStoreOptions& options) override {
    return open(name, {}, options);
  }
  Result<std::unique_ptr<LocalStore>> open_copy(std::string_view directory,
                                                const LocalStoreOptions& options) override {
    CLP_ASSIGN_OR_RETURN(Contents contents, world_->copy_in(directory));
    return open(directory, std::move(contents), options);
  }
  Status remove(std::string_view name) override {
    if (!world_->is_open(std::string(name))) return Status::ok();
    return Status::failed_precondition(fmt::format("the local store '{}' is open", name));
  }

 private:
  Result<std::unique_ptr<LocalStore>> open(std::string_view name, Contents contents,
                                           const LocalStoreOptions& options) {
    CLP_RETURN_IF_ERROR(world_->fault("open"));
    CLP_RETURN_IF_ERROR(world_->open(std::string(name)));
    return std::make_unique<MemoryStore>(world_, std::string(name), std::move(contents),
                                         options.disk_bytes_max);
  }

  const std::shared_ptr<World> world_;
};

}  // namespace

std::unique_ptr<LocalStores> make_memory_stores(MemoryStoresOptions options) {
  return std::make_unique<MemoryStores>(std::move(options));
}

}  // namespace clepsydra
