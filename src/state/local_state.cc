#include "state/local_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "state/local_stores.h"

namespace clepsydra {
namespace {

constexpr ConfigOption<std::string> kDirectory{"state.backend.rocksdb.localdir", std::nullopt,
                                               "where rows that are not in memory are kept"};
constexpr ConfigOption<StringList> kTemporaryFolders{"io.tmp.dirs", std::nullopt,
                                                     "folders for temporary files"};
constexpr ConfigOption<bool> kIsManaged{"state.backend.rocksdb.memory.managed", "true",
                                        "one limit for the memory of a slot"};
constexpr ConfigOption<MemorySize> kFixedPerSlot{"state.backend.rocksdb.memory.fixed-per-slot",
                                                 std::nullopt, "memory of a slot"};
constexpr ConfigOption<double> kWriteBufferRatio{"state.backend.rocksdb.memory.write-buffer-ratio",
                                                 "0.5",
                                                 "share of write buffers in what the store has"};
constexpr ConfigOption<MemorySize> kBlockBytes{"state.backend.rocksdb.block.blocksize", "4 kb",
                                               "bytes read at once"};
constexpr ConfigOption<MemorySize> kBlockCacheBytes{"state.backend.rocksdb.block.cache-size",
                                                    "8 mb", "memory for what was read"};
constexpr ConfigOption<MemorySize> kWriteBufferBytes{"state.backend.rocksdb.writebuffer.size",
                                                     "64 mb", "a write buffer"};
constexpr ConfigOption<std::int32_t> kWriteBuffers{"state.backend.rocksdb.writebuffer.count", "2",
                                                   "write buffers"};
constexpr ConfigOption<bool> kHasFilter{"state.backend.rocksdb.use-bloom-filter", "true",
                                        "keep filters of keys"};
constexpr ConfigOption<double> kFilterBits{"state.backend.rocksdb.bloom-filter.bits-per-key",
                                           "10.0", "bits per key of a filter"};
constexpr ConfigOption<std::string> kCompaction{"state.backend.rocksdb.compaction.style",
                                                "UNIVERSAL", "how files are merged"};
constexpr ConfigOption<StringList> kCompression{"state.backend.rocksdb.compression.per.level",
                                                "NO_COMPRESSION", "compression of files, by level"};

// Of a slot, unless it is set.
constexpr std::int64_t kSlotBytes = 128 << 20;
// Below, a batch of rows leaves no room for others.
constexpr std::int64_t kSlotBytesMin = 4 << 20;
constexpr std::int64_t kSlotBytesMax = std::int64_t{1} << 46;
constexpr std::size_t kLevelsMax = 64;
constexpr std::string_view kFolder = "clepsydra-state";

Status out_of_bounds(std::string_view key, std::string_view expected, std::string_view found) {
  return Status::invalid_argument(fmt::format("'{}' must be {}, but is {}", key, expected, found));
}

Result<std::int64_t> bytes_between(const Configuration& configuration,
                                   const ConfigOption<MemorySize>& option, std::int64_t least,
                                   std::int64_t most) {
  CLP_ASSIGN_OR_RETURN(const MemorySize size, configuration.get(option));
  if (size.bytes >= least && size.bytes <= most) return size.bytes;
  return out_of_bounds(option.key, fmt::format("between {} and {} bytes", least, most),
                       fmt::format("{} bytes", size.bytes));
}

Status read_compaction(const Configuration& configuration, LocalStoreOptions& options) {
  CLP_ASSIGN_OR_RETURN(const std::string style, configuration.get(kCompaction));
  if (style != "UNIVERSAL" && style != "LEVEL") {
    return out_of_bounds(kCompaction.key, "UNIVERSAL or LEVEL", style);
  }
  options.compaction = style == "LEVEL" ? StoreCompaction::kLeveled : StoreCompaction::kUniversal;
  CLP_ASSIGN_OR_RETURN(const StringList levels, configuration.get(kCompression));
  if (levels.empty() || levels.size() > kLevelsMax) {
    return out_of_bounds(kCompression.key, fmt::format("a list of 1 to {} levels", kLevelsMax),
                         fmt::format("one of {}", levels.size()));
  }
  constexpr std::array<std::pair<std::string_view, StoreCompression>, 4> kNames = {
      {{"NO_COMPRESSION", StoreCompression::kNone},
       {"SNAPPY_COMPRESSION", StoreCompression::kSnappy},
       {"LZ4_COMPRESSION", StoreCompression::kLz4},
       {"ZSTD_COMPRESSION", StoreCompression::kZstd}}};
  options.compression.clear();
  for (const std::string& level : levels) {
    const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                     [&](const auto& known) { return known.first == level; });
    if (found == kNames.end()) {
      return out_of_bounds(kCompression.key,
                           "a list of NO_COMPRESSION, SNAPPY_COMPRESSION, LZ4_COMPRESSION and "
                           "ZSTD_COMPRESSION",
                           level);
    }
    options.compression.push_back(found->second);
  }
  return Status::ok();
}

Status refuse_unknown(const Configuration& configuration) {
  for (const std::string_view key :
       {"state.backend.rocksdb.options-factory", "state.backend.rocksdb.memory.fixed-per-tm"}) {
    if (!configuration.contains(key)) continue;
    return Status::unimplemented(fmt::format("'{}' cannot be set yet", key));
  }
  const std::string* profile = configuration.find("state.backend.rocksdb.predefined-options");
  if (profile == nullptr || *profile == "DEFAULT") return Status::ok();
  return Status::unimplemented(fmt::format(
      "'state.backend.rocksdb.predefined-options' can only be DEFAULT yet, but is {}", *profile));
}

}  // namespace

Result<LocalStateOptions> read_local_state_options(const Configuration& configuration) {
  CLP_RETURN_IF_ERROR(refuse_unknown(configuration));
  LocalStateOptions options;
  CLP_ASSIGN_OR_RETURN(const bool is_managed, configuration.get(kIsManaged));
  CLP_ASSIGN_OR_RETURN(const double write_buffer_ratio, configuration.get(kWriteBufferRatio));
  if (!(write_buffer_ratio > 0 && write_buffer_ratio < 1)) {
    return out_of_bounds(kWriteBufferRatio.key, "above 0 and below 1",
                         fmt::format("{}", write_buffer_ratio));
  }
  CLP_ASSIGN_OR_RETURN(const std::int64_t block_bytes,
                       bytes_between(configuration, kBlockBytes, 512, 64 << 20));
  options.store.block_bytes = block_bytes;
  std::int64_t slot_bytes = kSlotBytes;
  if (configuration.contains(kFixedPerSlot.key)) {
    const auto size = bytes_between(configuration, kFixedPerSlot, kSlotBytesMin, kSlotBytesMax);
    if (!size.is_ok()) return size.status().with_context("memory of the state backend 'rocksdb'");
    slot_bytes = *size;
  }
  // Rows in memory save more than blocks do.
  options.cached_bytes = slot_bytes / 2;
  if (is_managed || configuration.contains(kFixedPerSlot.key)) {
    const std::int64_t store_bytes = slot_bytes - options.cached_bytes;
    options.store.memory.write_buffer_bytes =
        static_cast<std::int64_t>(static_cast<double>(store_bytes) * write_buffer_ratio);
    options.store.memory.block_cache_bytes = store_bytes - options.store.memory.write_buffer_bytes;
  } else {
    CLP_ASSIGN_OR_RETURN(options.store.memory.block_cache_bytes,
                         bytes_between(configuration, kBlockCacheBytes, 0, kSlotBytesMax));
    CLP_ASSIGN_OR_RETURN(const std::int64_t buffer_bytes,
                         bytes_between(configuration, kWriteBufferBytes, 64 << 10, 4LL << 30));
    CLP_ASSIGN_OR_RETURN(const std::int32_t buffers, configuration.get(kWriteBuffers));
    if (buffers < 1 || buffers > 64) {
      return out_of_bounds(kWriteBuffers.key, "between 1 and 64", fmt::format("{}", buffers));
    }
    options.store.memory.write_buffer_bytes = buffer_bytes * buffers;
  }
  CLP_ASSIGN_OR_RETURN(const bool has_filter, configuration.get(kHasFilter));
  CLP_ASSIGN_OR_RETURN(const double filter_bits, configuration.get(kFilterBits));
  if (!(filter_bits >= 0 && filter_bits <= 100)) {
    return out_of_bounds(kFilterBits.key, "between 0 and 100", fmt::format("{}", filter_bits));
  }
  options.store.filter_bits_per_key = has_filter ? filter_bits : 0;
  CLP_RETURN_IF_ERROR(read_compaction(configuration, options.store));
  return options;
}

Result<std::shared_ptr<LocalStores>> LocalStatePlaces::open(const Configuration& configuration) {
  const MutexLock lock(mutex_);
  CLP_ASSIGN_OR_RETURN(const std::optional<std::string> directory,
                       configuration.get_optional(kDirectory));
  if (directory) {
    const Result<std::string> path = local_path(*directory);
    if (!path.is_ok())
      return path.status().with_context(fmt::format("option '{}'", kDirectory.key));
    return open_at(join_path(*path, kFolder));
  }
  CLP_ASSIGN_OR_RETURN(const std::optional<StringList> folders,
                       configuration.get_optional(kTemporaryFolders));
  return open_below(folders && !folders->empty() ? folders->front() : system_folder_);
}

Result<std::shared_ptr<LocalStores>> LocalStatePlaces::open_at(const std::string& directory) {
  std::weak_ptr<LocalStores>& place = open_[directory];
  if (std::shared_ptr<LocalStores> stores = place.lock()) return stores;
  CLP_ASSIGN_OR_RETURN(std::shared_ptr<LocalStores> stores, make_rocksdb_stores(directory, files_));
  place = stores;
  return stores;
}

// The first directory that no other process has; so what killed processes have left is used again.
Result<std::shared_ptr<LocalStores>> LocalStatePlaces::open_below(const std::string& folder) {
  if (const auto own = own_.find(folder); own != own_.end()) return open_at(own->second);
  Status last;
  for (int i = 0; i < kProcessesMax; ++i) {
    const std::string directory = join_path(folder, fmt::format("{}-{}", kFolder, i));
    Result<std::shared_ptr<LocalStores>> stores = open_at(directory);
    if (stores.is_ok()) {
      own_.emplace(folder, directory);
      return stores;
    }
    last = stores.status();
    const bool is_taken = last.code() == StatusCode::kFailedPrecondition ||
                          last.code() == StatusCode::kPermissionDenied;
    if (!is_taken) break;
  }
  return last;
}

}  // namespace clepsydra
