// What a backend is to restore, taken apart by name; the same for all backends.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/keyed_state.h"
#include "state/schema_evolution.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "state/timer_service.h"
#include "stream/key_group.h"

namespace clepsydra {

class MemoryPool;

// Keeps what it was given until all in it is claimed, by asking for it by name. Rows that are in
// files are read block by block, when they are asked for.
// Threads: one at a time.
class RestoredParts {
 public:
  RestoredParts() = default;
  // DataLoss for broken blocks and for chains that do not begin with a base; FailedPrecondition for
  // another maximum parallelism.
  static Result<RestoredParts> read(RestoredState state, KeyGroupRange key_groups,
                                    int max_parallelism);

  // The rows of a state into `rows`, which is empty. FailedPrecondition when it was stored with
  // types that cannot become those of `spec` (state/schema_evolution.h).
  Status restore_rows(const KeyedRowsSpec& spec, KeyedRows& rows, MemoryPool& pool);
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name, NumberMerge merge);
  // Claims nothing.
  [[nodiscard]] std::vector<KeyedStateBackend::RestoredNumber> numbers(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view name, ListMode mode);
  [[nodiscard]] std::vector<std::string> timer_names() const;
  Status restore_timers(std::string_view name, TimerService& timers) const;
  void claim_timers(std::string_view name);

  // Names that are there and were not claimed, sorted.
  [[nodiscard]] std::vector<std::string> unclaimed() const;
  // What was not as it is now, in states whose rows were restored: a line each.
  [[nodiscard]] const std::vector<std::string>& changes() const { return changes_; }

 private:
  struct Part {
    std::vector<StoredSnapshot> snapshots;
    [[nodiscard]] const StoredSnapshot& last() const { return snapshots.back(); }
  };

  void free_if_claimed();
  Result<SchemaEvolution> plan(const StoredRows& stored, const KeyedRowsSpec& spec,
                               MemoryPool& pool);
  Status restore_part(const Part& part, const KeyedRowsSpec& spec, KeyedRows& rows,
                      MemoryPool& pool);
  [[nodiscard]] bool is_ours(int key_group) const {
    return key_group >= key_groups_.begin && key_group < key_groups_.end;
  }

  KeyGroupRange key_groups_{0, 0};
  int max_parallelism_ = 0;
  std::vector<Part> parts_;
  std::vector<FieldRename> renames_;
  std::vector<std::string> changes_;
  std::set<std::string, std::less<>> claimed_rows_;
  std::set<std::string, std::less<>> claimed_numbers_;
  std::set<std::string, std::less<>> claimed_lists_;
  std::set<std::string, std::less<>> claimed_timers_;
};

}  // namespace clepsydra
