#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_manager.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "state/local_stores.h"

namespace clepsydra {
namespace {

constexpr std::string_view kLockFile = "LOCK";
constexpr std::size_t kMultiGetKeysMax = 4096;
// Of a write buffer, for a filter that says of most keys at once that it does not have them.
constexpr double kBufferFilterRatio = 0.05;
// Where files of one size are merged: so many runs are read beside each other, and so many percent
// of room is left to rows that are out of date.
constexpr int kRunsMax = 8;
constexpr unsigned kOutdatedPercentMax = 100;

rocksdb::Slice slice_of(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view view_of(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

// What RocksDB says, by what the caller can do.
Status status_of(const rocksdb::Status& status, std::string_view action, std::string_view path) {
  if (status.ok()) return Status::ok();
  std::string message =
      fmt::format("cannot {} the local store '{}': {}", action, path, status.ToString());
  const rocksdb::Status::SubCode reason = status.subcode();
  if (status.IsNoSpace() || status.IsMemoryLimit() || reason == rocksdb::Status::kNoSpace ||
      reason == rocksdb::Status::kSpaceLimit) {
    return Status::resource_exhausted(std::move(message));
  }
  if (status.IsCorruption()) return Status::data_loss(std::move(message));
  if (status.IsNotFound() || status.IsPathNotFound()) return Status::not_found(std::move(message));
  if (status.IsNotSupported()) return Status::unimplemented(std::move(message));
  if (status.IsInvalidArgument()) return Status::invalid_argument(std::move(message));
  return Status::unavailable(std::move(message));
}

// Memory of a slot: one block cache and one limit of write buffers for all its stores.
struct SlotMemory {
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

std::shared_ptr<SlotMemory> make_slot_memory(const LocalStoreMemory& memory) {
  auto made = std::make_shared<SlotMemory>();
  made->cache = rocksdb::NewLRUCache(static_cast<std::size_t>(memory.block_cache_bytes));
  made->write_buffers = std::make_shared<rocksdb::WriteBufferManager>(
      static_cast<std::size_t>(memory.write_buffer_bytes));
  return made;
}

rocksdb::CompressionType compression_of(StoreCompression compression) {
  switch (compression) {
    case StoreCompression::kNone:
      return rocksdb::kNoCompression;
    case StoreCompression::kSnappy:
      return rocksdb::kSnappyCompression;
    case StoreCompression::kLz4:
      return rocksdb::kLZ4Compression;
    case StoreCompression::kZstd:
      return rocksdb::kZSTD;
  }
  return rocksdb::kNoCompression;
}

void set_compaction(const LocalStoreOptions& options, rocksdb::Options& out) {
  if (options.compaction == StoreCompaction::kUniversal) {
    out.compaction_style = rocksdb::kCompactionStyleUniversal;
    out.compaction_options_universal.size_ratio = 10;
    out.compaction_options_universal.max_size_amplification_percent = kOutdatedPercentMax;
    out.level0_file_num_compaction_trigger = kRunsMax;
  }
  for (int level = 0; level < out.num_levels && !options.compression.empty(); ++level) {
    const auto place = std::min(static_cast<std::size_t>(level), options.compression.size() - 1);
    out.compression_per_level.push_back(compression_of(options.compression[place]));
  }
}

rocksdb::Options options_of(const LocalStoreOptions& options, const SlotMemory& memory) {
  rocksdb::Options out;
  out.write_buffer_manager = memory.write_buffers;
  // One that is filled beside one that is being written out.
  out.write_buffer_size = static_cast<std::size_t>(options.memory.write_buffer_bytes / 2);
  out.max_background_jobs = 2;
  out.avoid_flush_during_shutdown = true;  // Nothing here outlives the process.
  out.info_log_level = rocksdb::WARN_LEVEL;
  out.keep_log_file_num = 1;
  out.memtable_whole_key_filtering = true;
  out.memtable_prefix_bloom_size_ratio = kBufferFilterRatio;
  // Nearly all keys that are asked for are there, most of them in the last level, whose filter
  // would be nine tenths of all.
  out.optimize_filters_for_hits = true;
  set_compaction(options, out);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = memory.cache;
  table.block_size = static_cast<std::size_t>(options.block_bytes);
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  if (options.filter_bits_per_key > 0) {
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(options.filter_bits_per_key));
  }
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  if (options.disk_bytes_max > 0) {
    out.sst_file_manager.reset(rocksdb::NewSstFileManager(rocksdb::Env::Default()));
    out.sst_file_manager->SetMaxAllowedSpaceUsage(
        static_cast<std::uint64_t>(options.disk_bytes_max));
  }
  return out;
}

class RocksdbStore final : public LocalStore {
 public:
  // `memory` is shared by the stores of a slot.
  RocksdbStore(std::string path, std::unique_ptr<rocksdb::DB> db,
               std::shared_ptr<SlotMemory> memory)
      : path_(std::move(path)), memory_(std::move(memory)), db_(std::move(db)) {
    reading_once_.fill_cache = false;
    without_log_.disableWAL = true;
  }
  ~RocksdbStore() override { static_cast<void>(close()); }

  Status multi_get(std::span<const std::string_view> keys, StoreValues& values) override {
    CLP_RETURN_IF_ERROR(check_open());
    values.reset(keys.size());
    std::vector<rocksdb::Slice> slices;
    std::vector<rocksdb::PinnableSlice> found;
    std::vector<rocksdb::Status> statuses;
    for (std::size_t begin = 0; begin < keys.size(); begin += kMultiGetKeysMax) {
      const std::size_t count = std::min(kMultiGetKeysMax, keys.size() - begin);
      slices.clear();
      for (const std::string_view key : keys.subspan(begin, count)) slices.push_back(slice_of(key));
      found = std::vector<rocksdb::PinnableSlice>(count);
      statuses.assign(count, {});
      db_->MultiGet(reading_, db_->DefaultColumnFamily(), count, slices.data(), found.data(),
                    statuses.data());
      for (std::size_t i = 0; i < count; ++i) {
        if (statuses[i].IsNotFound()) continue;
        if (!statuses[i].ok()) return status_of(statuses[i], "read from", path_);
        values.set(begin + i, view_of(found[i]));
      }
    }
    return Status::ok();
  }

  Status write(const StoreWrites& writes) override {
    CLP_RETURN_IF_ERROR(check_open());
    rocksdb::WriteBatch batch(writes.bytes() + writes.size() * 16);
    rocksdb::Status status;
    for (std::size_t i = 0; i < writes.size() && status.ok(); ++i) {
      const StoreWrites::Change change = writes[i];
      switch (change.kind) {
        case StoreWrites::Kind::kPut:
          status = batch.Put(slice_of(change.key), slice_of(change.value));
          break;
        case StoreWrites::Kind::kErase:
          status = batch.Delete(slice_of(change.key));
          break;
        case StoreWrites::Kind::kEraseRange:
          if (change.key < change.value) {
            status = batch.DeleteRange(slice_of(change.key), slice_of(change.value));
          }
          break;
      }
    }
    if (status.ok()) status = db_->Write(without_log_, &batch);
    return status_of(status, "write to", path_);
  }

  Status scan(std::string_view begin, std::string_view end, const ScanLimits& limits,
              std::vector<StoreEntry>& entries) override {
    CLP_RETURN_IF_ERROR(check_open());
    entries.clear();
    const rocksdb::Slice first = slice_of(begin);
    const rocksdb::Slice bound = slice_of(end);
    rocksdb::ReadOptions options = limits.is_repeated ? reading_ : reading_once_;
    options.iterate_lower_bound = &first;
    options.iterate_upper_bound = &bound;
    const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(options));
    std::size_t bytes = 0;
    // Backwards it starts at the last one before the upper bound.
    for (limits.backwards ? at->SeekToLast() : at->Seek(first);
         at->Valid() && entries.size() < limits.entries_max &&
         (bytes < limits.bytes_max || entries.empty());
         limits.backwards ? at->Prev() : at->Next()) {
      bytes += at->key().size() + at->value().size();
      entries.push_back({.key = at->key().ToString(), .value = at->value().ToString()});
    }
    return status_of(at->status(), "read from", path_);
  }

  Status checkpoint(std::string_view directory) override {
    CLP_RETURN_IF_ERROR(check_open());
    const std::string target(directory);
    if (rocksdb::Env::Default()->FileExists(target).ok()) {
      return Status::already_exists(
          fmt::format("cannot copy a local store to '{}': it is there already", target));
    }
    rocksdb::Checkpoint* made = nullptr;
    rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
    const std::unique_ptr<rocksdb::Checkpoint> owned(made);
    if (status.ok()) status = owned->CreateCheckpoint(target);
    return status_of(status, "copy", path_);
  }

  Status close() override {
    if (db_ == nullptr) return Status::ok();
    const Status status = status_of(db_->Close(), "close", path_);
    db_.reset();
    return status;
  }

 private:
  [[nodiscard]] Status check_open() const {
    if (db_ != nullptr) return Status::ok();
    return Status::failed_precondition(fmt::format("the local store '{}' is closed", path_));
  }

  const std::string path_;
  const std::shared_ptr<SlotMemory> memory_;
  rocksdb::ReadOptions reading_;
  rocksdb::ReadOptions reading_once_;
  rocksdb::WriteOptions without_log_;
  std::unique_ptr<rocksdb::DB> db_;
};

class RocksdbStores final : public LocalStores {
 public:
  RocksdbStores(std::string directory, FileSystem& files, rocksdb::FileLock* lock)
      : directory_(std::move(directory)), files_(&files), lock_(lock) {}
  ~RocksdbStores() override { rocksdb::Env::Default()->UnlockFile(lock_).PermitUncheckedError(); }
  RocksdbStores(const RocksdbStores&) = delete;
  RocksdbStores& operator=(const RocksdbStores&) = delete;

  Result<std::unique_ptr<LocalStore>> open(std::string_view name,
                                           const LocalStoreOptions& options) override {
    const std::string path = join_path(directory_, name);
    CLP_RETURN_IF_ERROR(check_not_open(path));
    CLP_RETURN_IF_ERROR(files_->remove_all(path));
    CLP_RETURN_IF_ERROR(files_->create_directories(path));
    return open_at(path, options, true);
  }

  Result<std::unique_ptr<LocalStore>> open_copy(std::string_view directory,
                                                const LocalStoreOptions& options) override {
    const std::string path(directory);
    CLP_ASSIGN_OR_RETURN(const bool is_there, files_->exists(path));
    if (!is_there) {
      return Status::not_found(fmt::format("there is no copy of a local store in '{}'", path));
    }
    CLP_RETURN_IF_ERROR(check_not_open(path));
    return open_at(path, options, false);
  }

  Status remove(std::string_view name) override {
    const std::string path = join_path(directory_, name);
    CLP_RETURN_IF_ERROR(check_not_open(path));
    return files_->remove_all(path);
  }

 private:
  // RocksDB's own lock says whether it is open.
  Status check_not_open(const std::string& path) const {
    const std::string lock_path = join_path(path, kLockFile);
    CLP_ASSIGN_OR_RETURN(const bool is_there, files_->exists(lock_path));
    if (!is_there) return Status::ok();
    rocksdb::FileLock* lock = nullptr;
    const rocksdb::Status status = rocksdb::Env::Default()->LockFile(lock_path, &lock);
    if (status.ok()) {
      return status_of(rocksdb::Env::Default()->UnlockFile(lock), "open", path);
    }
    return Status::failed_precondition(
        fmt::format("the local store '{}' is open: {}", path, status.ToString()));
  }

  Result<std::unique_ptr<LocalStore>> open_at(const std::string& path,
                                              const LocalStoreOptions& options, bool create) {
    std::shared_ptr<SlotMemory> memory = memory_of(options);
    rocksdb::Options rocksdb_options = options_of(options, *memory);
    rocksdb_options.create_if_missing = create;
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(rocksdb_options, path, &db);
    CLP_RETURN_IF_ERROR(status_of(status, "open", path));
    return std::make_unique<RocksdbStore>(path, std::unique_ptr<rocksdb::DB>(db),
                                          std::move(memory));
  }

  std::shared_ptr<SlotMemory> memory_of(const LocalStoreOptions& options) {
    const MutexLock lock(mutex_);
    std::erase_if(slots_, [](const auto& slot) { return slot.second.expired(); });
    std::weak_ptr<SlotMemory>& slot = slots_[options.slot];
    std::shared_ptr<SlotMemory> memory = slot.lock();
    if (memory == nullptr) slot = memory = make_slot_memory(options.memory);
    return memory;
  }

  const std::string directory_;
  FileSystem* files_;
  rocksdb::FileLock* lock_;
  Mutex mutex_;
  // Owned by the stores of the slot.
  std::map<std::string, std::weak_ptr<SlotMemory>, std::less<>> slots_ CLP_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<LocalStores>> make_rocksdb_stores(std::string_view directory,
                                                         FileSystem& files) {
  const std::string path(directory);
  const std::string lock_path = join_path(path, kLockFile);
  // An attempt to write says more about why it fails than an attempt to lock.
  const auto prepare = [&]() -> Status {
    CLP_RETURN_IF_ERROR(files.create_directories(path));
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<WritableFile> probe,
                         files.open_for_write(lock_path, WriteMode::kAppend));
    return probe->close();
  };
  if (const Status prepared = prepare(); !prepared.is_ok()) {
    return prepared.with_context(
        "cannot use the local state directory; 'state.backend.rocksdb.localdir' names another");
  }
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::Status status = rocksdb::Env::Default()->LockFile(lock_path, &lock);
  if (!status.ok()) {
    return Status::failed_precondition(fmt::format(
        "the local state directory '{}' is in use by another process; give each process its own "
        "'state.backend.rocksdb.localdir' ({})",
        path, status.getState() != nullptr ? status.getState() : "no reason given"));
  }
  auto stores = std::make_unique<RocksdbStores>(path, files, lock);
  CLP_ASSIGN_OR_RETURN(const std::vector<FileInfo> left, files.list(path));
  for (const FileInfo& file : left) {
    if (file.name == kLockFile) continue;
    CLP_RETURN_IF_ERROR(files.remove_all(join_path(path, file.name)));
  }
  return stores;
}

}  // namespace clepsydra
