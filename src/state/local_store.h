// The port to a store on local disk: ordered keys and values, larger than memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

// Changes that are made together or not at all, in their order. Value type; reusable after clear().
class StoreWrites {
 public:
  enum class Kind : std::uint8_t { kPut, kErase, kEraseRange };
  struct Change {
    Kind kind;
    std::string_view key;    // kEraseRange: the first key, ...
    std::string_view value;  // ... and the one after the last.
  };

  void put(std::string_view key, std::string_view value) { add(Kind::kPut, key, value); }
  // Of keys that may not be there.
  void erase(std::string_view key) { add(Kind::kErase, key, {}); }
  // All keys from `begin` on and before `end`; none unless begin < end.
  void erase_range(std::string_view begin, std::string_view end) {
    add(Kind::kEraseRange, begin, end);
  }

  [[nodiscard]] std::size_t size() const { return changes_.size(); }
  [[nodiscard]] bool empty() const { return changes_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  // Good until the next change.
  [[nodiscard]] Change operator[](std::size_t i) const {
    const Place& place = changes_[i];
    const std::string_view all(bytes_);
    return {.kind = place.kind,
            .key = all.substr(place.begin, place.key_bytes),
            .value = all.substr(place.begin + place.key_bytes, place.value_bytes)};
  }
  void clear() {
    bytes_.clear();
    changes_.clear();
  }

 private:
  struct Place {
    Kind kind;
    std::size_t begin;
    std::size_t key_bytes;
    std::size_t value_bytes;
  };
  void add(Kind kind, std::string_view key, std::string_view value) {
    changes_.push_back({.kind = kind,
                        .begin = bytes_.size(),
                        .key_bytes = key.size(),
                        .value_bytes = value.size()});
    bytes_.append(key).append(value);
  }

  std::string bytes_;
  std::vector<Place> changes_;
};

// The values of a multi-get, by place of their keys. Reusable.
class StoreValues {
 public:
  void reset(std::size_t keys) {
    bytes_.clear();
    places_.assign(keys, {});
  }
  void set(std::size_t key, std::string_view value) {
    places_[key] = {.begin = bytes_.size(), .bytes = value.size(), .is_there = true};
    bytes_.append(value);
  }
  // Nothing when the key is not there. Good until the next reset().
  [[nodiscard]] std::optional<std::string_view> operator[](std::size_t key) const {
    const Place& place = places_[key];
    if (!place.is_there) return std::nullopt;
    return std::string_view(bytes_).substr(place.begin, place.bytes);
  }

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t bytes = 0;
    bool is_there = false;
  };
  std::string bytes_;
  std::vector<Place> places_;
};

struct StoreEntry {
  std::string key;
  std::string value;
};

// Memory that the stores of one slot share. The store keeps to it by writing out and forgetting.
struct LocalStoreMemory {
  std::int64_t block_cache_bytes = 8 << 20;
  std::int64_t write_buffer_bytes = 16 << 20;
  friend bool operator==(const LocalStoreMemory&, const LocalStoreMemory&) = default;
};

// How files are merged: those of about one size, which writes each row fewer times; or level by
// level, which takes less room on disk.
enum class StoreCompaction : std::uint8_t { kUniversal, kLeveled };
enum class StoreCompression : std::uint8_t { kNone, kSnappy, kLz4, kZstd };

struct LocalStoreOptions {
  // Stores of one slot share its memory. The first one that is open says how much it is.
  std::string slot = {};
  LocalStoreMemory memory = {};
  // 0: as much as there is. Above, writes are ResourceExhausted.
  std::int64_t disk_bytes_max = 0;
  // Bits per key of a filter that saves reading for keys that are not there; 0: none.
  double filter_bits_per_key = 10.0;
  std::int64_t block_bytes = 4 << 10;
  StoreCompaction compaction = StoreCompaction::kUniversal;
  // By level, from the newest on; the last one counts for all below.
  std::vector<StoreCompression> compression = {StoreCompression::kNone};
};

// Keys are ordered by their bytes. A store is no place to keep things: it outlives neither its
// process nor, without checkpoint(), its closing.
//
// Errors: ResourceExhausted when the disk is full, DataLoss for broken files, Unavailable for other
// input and output errors, FailedPrecondition after close(). After an error of write() the store is
// good for nothing but close().
//
// Threads: all methods, any thread, but close(). Calls may block.
class LocalStore {
 public:
  virtual ~LocalStore() = default;  // Closes it.

  virtual Status multi_get(std::span<const std::string_view> keys, StoreValues& values) = 0;
  virtual Status write(const StoreWrites& writes) = 0;
  struct ScanLimits {
    std::size_t entries_max = 1024;
    std::size_t bytes_max = 1 << 20;  // Of keys and values; the first entry always fits.
    bool backwards = false;
    bool is_repeated = false;  // What is read here will be read again: it may take room in a cache.
  };
  // Replaces `entries` by those from `begin` on and before `end`, ascending, as many as the limits
  // allow; none when there are no more. Backwards: descending, from the last one before `end`.
  virtual Status scan(std::string_view begin, std::string_view end, const ScanLimits& limits,
                      std::vector<StoreEntry>& entries) = 0;
  // A copy of it as it is, in a directory that is not there yet, on the same disk, by hard links.
  // LocalStores::open_copy() opens it. AlreadyExists for a directory that is there.
  virtual Status checkpoint(std::string_view directory) = 0;
  // Idempotent.
  virtual Status close() = 0;
};

// Opens stores below one directory, which belongs to this process alone as long as this lives.
// Threads: all methods, any thread.
class LocalStores {
 public:
  virtual ~LocalStores() = default;  // All stores are gone.
  // An empty store; what was there under that name goes. `name` is a relative path.
  // FailedPrecondition while a store of that name is open.
  virtual Result<std::unique_ptr<LocalStore>> open(std::string_view name,
                                                   const LocalStoreOptions& options) = 0;
  // The store that checkpoint() made in `directory`, to be written on. NotFound, DataLoss.
  virtual Result<std::unique_ptr<LocalStore>> open_copy(std::string_view directory,
                                                        const LocalStoreOptions& options) = 0;
  // With all its files; NotFound is fine. FailedPrecondition while it is open.
  virtual Status remove(std::string_view name) = 0;
};

}  // namespace clepsydra
