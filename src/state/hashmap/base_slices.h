// Which rows that have not changed go into a snapshot of changes, so that older ones can go.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "state/hashmap/hashmap_rows.h"
#include "state/keyed_state.h"

namespace clepsydra {

// Where a walk stands that goes over all rows of a backend, again and again: states by name, their
// namespaces, their pages. Where rows of a table have moved since, its places mean nothing.
struct SlicePlace {
  std::int64_t lap = 0;
  std::string state = {};
  StateNamespace ns = std::numeric_limits<StateNamespace>::min();
  KeyedRows::Cursor at = {};
  std::int64_t moves = 0;  // Of the table.
};

// Every snapshot of changes has a slice of all the other rows, beginning where the one before it in
// its chain ended. When the slices after a snapshot have come round, every row has been written
// since: by a slice, or, where it changed while the slice was written, by the next snapshot of
// changes. So a snapshot is outdated when the slices between it and the last one have.
//
// Like what SnapshotEpochs counts, a chain goes on only when its last snapshot is confirmed.
// Threads: the owner of the state.
class BaseSlices {
 public:
  using Rows = std::map<std::string, std::unique_ptr<HashmapRows>, std::less<>>;

  // `rows_min`: as in StateBackendOptions.
  explicit BaseSlices(std::int64_t rows_min) : rows_min_(rows_min) {}

  // A snapshot with everything begins a chain.
  void begin_base();
  // A snapshot of changes. How many of the oldest ones that it builds on are outdated with it.
  std::size_t begin_changes(const Rows& rows);
  // How many snapshots before it make the state with it.
  [[nodiscard]] std::uint32_t needed() const {
    return static_cast<std::uint32_t>(writing_.begins.size()) - 1;
  }
  // Where its slice goes on.
  [[nodiscard]] SlicePlace& place() { return writing_.next; }
  // It was written to its end.
  void end();
  // The last one that was written is confirmed, or given up.
  void confirm(bool completed);

  // How many rows to look at, when so many of all have changed. So snapshots of changes write a
  // third more than changes, and a chain has about four times its state; of a long one, whose
  // changes are few, more, so that it becomes no longer.
  [[nodiscard]] std::int64_t rows_of_slice(std::int64_t changed, std::int64_t all) const;

 private:
  static constexpr std::int64_t kChangesPerRow = 3;
  static constexpr std::size_t kLongChain = 32;
  static constexpr std::int64_t kSlicesOfLongChain = 64;

  struct Chain {
    std::deque<SlicePlace> begins;  // Per snapshot: where its slice began.
    SlicePlace next;
  };

  const std::int64_t rows_min_;
  Chain confirmed_;
  Chain writing_;
  std::optional<Chain> written_;
};

}  // namespace clepsydra
