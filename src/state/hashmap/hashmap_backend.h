// The in-memory backend: states, timers, numbers and lists by name.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/hashmap/base_slices.h"
#include "state/hashmap/hashmap_rows.h"
#include "state/hashmap/snapshot_epochs.h"
#include "state/hashmap/ttl_rows.h"
#include "state/restored_parts.h"
#include "state/state_backend.h"
#include "state/timer_service.h"

namespace clepsydra {

class HashmapSnapshot;

// All that backends have in common but where rows are kept: others override make_rows(). Threads:
// the task's.
class HashmapBackend : public KeyedStateBackend {
 public:
  explicit HashmapBackend(StateBackendOptions options);

  Status restore(RestoredState state) override;
  [[nodiscard]] std::vector<std::string> unclaimed() const override;
  [[nodiscard]] std::vector<std::string> restored_changes() const override;
  Result<std::unique_ptr<StateSnapshot>> freeze(bool as_base) override;
  void confirm(bool completed) override {
    epochs_.confirm(completed);
    slices_.confirm(completed);
  }
  Result<std::int64_t*> open_number(std::string_view name, std::int64_t initial,
                                    NumberMerge merge) override;
  [[nodiscard]] std::vector<RestoredNumber> restored_numbers(std::string_view name) const override {
    return restored_.numbers(name);
  }
  Result<std::vector<std::string>*> open_list(std::string_view name, ListMode mode) override;
  Result<KeyedRows*> open_rows(KeyedRowsSpec spec) override;
  TimerService& open_timers(std::string_view name) override;
  Status release_rows() override;

 protected:
  // Of a spec that was checked.
  virtual Result<std::unique_ptr<HashmapRows>> make_rows(KeyedRowsSpec spec, RowShape shape,
                                                         SnapshotEpochs& epochs);
  // All rows are in memory, so that snapshots of changes can have slices of the others.
  [[nodiscard]] virtual bool has_slices() const { return true; }
  [[nodiscard]] const StateBackendOptions& options() const { return options_; }

 private:
  struct Timers {
    std::unique_ptr<TimerService> service = nullptr;
    bool is_open = false;  // Else only restored.
  };

  Status write_prefix(HashmapSnapshot& snapshot);

  const StateBackendOptions options_;
  SnapshotEpochs epochs_;
  BaseSlices slices_;
  SnapshotEpochs never_frozen_;  // Of states without a codec.
  bool has_snapshot_ = false;
  RestoredParts restored_;
  std::map<std::string, std::unique_ptr<HashmapRows>, std::less<>> rows_;
  // Before those of rows_ that have a time to live.
  std::map<std::string, std::unique_ptr<TtlRows>, std::less<>> ttl_rows_;
  std::map<std::string, Timers, std::less<>> timers_;
  std::map<std::string, std::int64_t, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
};

}  // namespace clepsydra
