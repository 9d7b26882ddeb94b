// What keeps an operator's keyed state, and how one is chosen by name.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/local_store.h"
#include "state/schema_evolution.h"
#include "state/snapshot_bytes.h"
#include "state/timer_service.h"
#include "stream/key_group.h"

namespace clepsydra {

class Clock;
class MemoryPool;

// For backends that keep state on local disk.
struct LocalStateOptions {
  LocalStores* stores = nullptr;  // Null: there is no local disk. Outlives the backend.
  std::string name = {};          // Of the backend's store, nobody else's.
  LocalStoreOptions store = {};
  // Rows that are kept in memory, of all backends of a slot together.
  std::int64_t cached_bytes = 64 << 20;
  // Counts the backends of the slot; shared by them. Null: it is alone.
  std::shared_ptr<std::atomic<int>> sharers = nullptr;
};

// What a backend is told: whose state it keeps.
struct StateBackendOptions {
  MemoryPool* pool = nullptr;                           // The operator's. Outlives the backend.
  KeyGroupRange key_groups{0, kDefaultMaxParallelism};  // Of this subtask.
  int max_parallelism = kDefaultMaxParallelism;
  LocalStateOptions local = {};
  // Outlives the backend. Null: there can be no state with a time to live.
  const Clock* clock = nullptr;
  // Backends whose snapshots of changes may have other rows too give one so many rows, if there
  // are: then the state needs few of them.
  std::int64_t snapshot_rows_min = 1024;
};

// What becomes of a number when there are more or fewer subtasks than when it was stored.
enum class NumberMerge : std::uint8_t { kMin, kMax, kSum };
// What becomes of a list: its items are dealt out; every subtask gets all of them; every subtask
// had the same, and gets it once.
enum class ListMode : std::uint8_t { kSplit, kUnion, kBroadcast };

// A snapshot that is being written. Destroying it before its end abandons it; the next one then has
// what this one would have had. It must go before the backend. Threads: the task's.
class StateSnapshot {
 public:
  virtual ~StateSnapshot() = default;
  // Encodes about `rows_max` more rows and appends whole blocks (state_blocks.h) to `out`; none
  // when no state was ever opened. True: that was all. After an error it is lost.
  virtual Result<bool> write_some(std::int64_t rows_max, std::string& out) = 0;
  // It needs no snapshot before it.
  [[nodiscard]] virtual bool is_base() const = 0;
  // How many of the oldest ones that it builds on nobody needs any more once it is confirmed; of a
  // base, which needs none, this says nothing.
  [[nodiscard]] virtual std::size_t outdated() const { return 0; }
};

// What an operator subtask restores: the snapshots of all former subtasks that have something for
// it. Rows of other key groups are left out while reading.
struct RestoredState {
  struct Part {
    // A base and its deltas, or deltas whose slices are one, oldest first: each the blocks of one
    // snapshot.
    std::vector<SnapshotBytes> snapshots;
  };
  // By former subtask, ascending: its own alone where parallelism has not changed, else all. A
  // snapshot knows the key groups it was made for, and rows, items and sums go where these are now.
  std::vector<Part> parts;
  std::vector<FieldRename> renames = {};
};

// The state of one operator subtask. Handles live as long as the backend. Threads: the task's.
class KeyedStateBackend {
 public:
  virtual ~KeyedStateBackend() = default;

  // Before anything is opened: what each open_...() will find until the first freeze(). DataLoss
  // for broken blocks, FailedPrecondition for another maximum parallelism; types of a state that
  // those of today cannot be read from are refused when it is opened (state/schema_evolution.h).
  virtual Status restore(RestoredState state) = 0;
  // Names of states that were restored and not opened since: nobody knows them any more.
  [[nodiscard]] virtual std::vector<std::string> unclaimed() const = 0;
  // How states that were restored and opened since differ from what was stored, a line each.
  [[nodiscard]] virtual std::vector<std::string> restored_changes() const { return {}; }

  // Closes the epoch: the snapshot has everything that was written until now, or, unless `as_base`
  // asks for all of it, what changed since the last snapshot that was confirmed. Constant time but
  // for numbers, lists and timers, which are encoded at once. FailedPrecondition while another
  // snapshot lives.
  virtual Result<std::unique_ptr<StateSnapshot>> freeze(bool as_base) = 0;
  // The last snapshot written to its end is part of a completed checkpoint (or, with false, never
  // will be). Deltas build on the last one that was confirmed, so the next one has all changes
  // since then, also those of snapshots of which nobody has told yet.
  virtual void confirm(bool completed) = 0;

  // A number that is stored; `initial` unless restored. The pointer is good as long as the backend;
  // write through it at any time.
  virtual Result<std::int64_t*> open_number(std::string_view name, std::int64_t initial,
                                            NumberMerge merge) = 0;
  // What each former subtask had stored, before the number is opened: one of them when parallelism
  // has not changed.
  struct RestoredNumber {
    KeyGroupRange key_groups{0, 0};  // Of the former subtask.
    std::int64_t value = 0;
  };
  [[nodiscard]] virtual std::vector<RestoredNumber> restored_numbers(
      std::string_view /*name*/) const {
    return {};
  }
  // As open_number(), for a short list of byte strings.
  virtual Result<std::vector<std::string>*> open_list(std::string_view name, ListMode mode) = 0;

  // Opens a named state; FailedPrecondition when the name was opened with another spec,
  // InvalidArgument for a spec out of its bounds, Unimplemented for key types that have no place in
  // a key.
  virtual Result<KeyedRows*> open_rows(KeyedRowsSpec spec) = 0;
  // A named set of timers; the same for the same name.
  virtual TimerService& open_timers(std::string_view name) = 0;

  // Calls of states and snapshots may wait for a disk now: they are made on a thread that may.
  [[nodiscard]] virtual bool may_block() const { return false; }
  // A step that names more keys takes more memory than it should.
  [[nodiscard]] virtual std::int64_t step_rows_max() const {
    return std::numeric_limits<std::int64_t>::max();
  }
  // KeyedRows::release_rows() of all states. Called between the steps of a task.
  virtual Status release_rows() { return Status::ok(); }
};

class StateBackendRegistry {
 public:
  struct Entry {
    std::string name;  // As in `state.backend.type`: "hashmap".
    Result<std::unique_ptr<KeyedStateBackend>> (*make)(const StateBackendOptions& options);
    bool uses_local_disk = false;  // Needs LocalStateOptions.
  };
  void add(Entry entry);
  // NotFound lists the known names.
  Result<std::unique_ptr<KeyedStateBackend>> make(std::string_view name,
                                                  const StateBackendOptions& options) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // False for a name that is not known.
  [[nodiscard]] bool uses_local_disk(std::string_view name) const;
  // All backends of this room.
  static const StateBackendRegistry& built_in();

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// Defined by the build from the room's REGISTER list.
void register_all_state(StateBackendRegistry& registry);

}  // namespace clepsydra
