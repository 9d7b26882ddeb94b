// What keeps an operator's keyed state, and how one is chosen by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/timer_service.h"
#include "stream/key_group.h"

namespace clepsydra {

class MemoryPool;

// What a backend is told: whose state it keeps.
struct StateBackendOptions {
  MemoryPool* pool = nullptr;                           // The operator's. Outlives the backend.
  KeyGroupRange key_groups{0, kDefaultMaxParallelism};  // Of this subtask.
  int max_parallelism = kDefaultMaxParallelism;
};

// The state of one operator subtask. Handles live as long as the backend. Threads: the task's.
class KeyedStateBackend {
 public:
  virtual ~KeyedStateBackend() = default;

  // Opens a named state; FailedPrecondition when the name was opened with another spec,
  // InvalidArgument for a spec out of its bounds, Unimplemented for key types that have no place in
  // a key.
  virtual Result<KeyedRows*> open_rows(KeyedRowsSpec spec) = 0;
  // A named set of timers; the same for the same name.
  virtual TimerService& open_timers(std::string_view name) = 0;
};

class StateBackendRegistry {
 public:
  struct Entry {
    std::string name;  // As in `state.backend.type`: "hashmap".
    Result<std::unique_ptr<KeyedStateBackend>> (*make)(const StateBackendOptions& options);
  };
  void add(Entry entry);
  // NotFound lists the known names.
  Result<std::unique_ptr<KeyedStateBackend>> make(std::string_view name,
                                                  const StateBackendOptions& options) const;
  [[nodiscard]] std::vector<std::string> names() const;
  // All backends of this room.
  static const StateBackendRegistry& built_in();

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// Defined by the build from the room's REGISTER list.
void register_all_state(StateBackendRegistry& registry);

}  // namespace clepsydra
