// Which windows had been given out for some keys and not for others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "state/state_backend.h"
#include "stream/column.h"
#include "stream/key_group.h"

namespace clepsydra {

// After a restore with another parallelism a subtask has keys of former subtasks that may have been
// further in event time than others, when barriers had overtaken rows. It goes on from where the
// slowest was, so windows that the others had given out are due again; their keys are left out.
//
// State:   the list "fired_ahead", as long as there is something in it.
// Threads: task thread only.
class FiredAhead {
 public:
  // `number`: says until where windows have fired; to be opened after this, for the smallest.
  // DataLoss for a list that is none.
  static Result<FiredAhead> open(KeyedStateBackend& state, std::string_view number,
                                 int max_parallelism);

  [[nodiscard]] bool is_empty() const { return ranges_.empty(); }
  // Some keys have had the window.
  [[nodiscard]] bool has_any(std::int64_t window_end) const { return window_end <= furthest_; }
  // The rows, by their keys, that have not.
  [[nodiscard]] std::vector<std::size_t> find_due(const std::vector<Column>& keys, std::size_t rows,
                                                  std::int64_t window_end) const;
  // All windows up to here have fired for all keys.
  void pass(std::int64_t fired_until);

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

  struct Range {
    KeyGroupRange key_groups{0, 0};
    std::int64_t fired_until = 0;
  };

  FiredAhead() = default;
  void store();

  int max_parallelism_ = 0;
  std::vector<Range> ranges_;
  std::int64_t furthest_ = kNone;
  std::vector<std::string>* stored_ = nullptr;  // Of state; null: never needed.
};

}  // namespace clepsydra
