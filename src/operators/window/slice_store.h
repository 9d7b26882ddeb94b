// Aggregates of slices by key, and what windows are made of them with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "clepsydra/status.h"
#include "operators/window/aggregate_row.h"
#include "operators/window/window_spec.h"
#include "state/state_backend.h"
#include "stream/batch.h"

namespace clepsydra {

// Rows for one slice: row keys.rows[i] of the batch, for 0 <= i < keys.count. `partials_column` is
// where partial results begin (with their row counts); -1: the rows are not aggregated yet.
struct SliceInput {
  const Batch* batch = nullptr;
  KeyBatch keys;
  int partials_column = -1;
};

// The state "slices" has one namespace per slice, by its end; other states may hold aggregates of
// the same keys. The timers "windows" are the ends of windows that are due. Threads: the task's.
class SliceStore {
 public:
  static Result<SliceStore> make(const WindowSpec& spec, AggregateRow aggregates,
                                 std::vector<DataType> key_types, KeyedStateBackend& backend);

  [[nodiscard]] const WindowSpec& spec() const { return spec_; }
  [[nodiscard]] AggregateRow& aggregates() { return *aggregates_; }
  [[nodiscard]] KeyedRows& slices() { return *slices_; }
  [[nodiscard]] TimerService& timers() { return *timers_; }
  // Another state with the keys and values of slices. One that is not stored is empty after a
  // restore.
  Result<KeyedRows*> open_state(std::string_view name, bool is_stored);

  Status set_timer(std::int64_t window_end) {
    return timers_->set({.time_ms = window_end, .ns = window_end});
  }
  // Adds input to the rows of its keys.
  Status add(KeyedRows& state, StateNamespace ns, const SliceInput& input);
  // Slices that end by then.
  void drop_slices_until(std::int64_t end);
  // Merges every row of `from` into the row of the same key of another namespace. It and subtract()
  // release the rows of all states.
  Status merge(KeyedRows& from, StateNamespace from_ns, KeyedRows& into, StateNamespace into_ns);
  // Takes every row of `from` out of the row of the same key, and that away when nothing is left in
  // it.
  Status subtract(KeyedRows& from, StateNamespace from_ns, KeyedRows& into, StateNamespace into_ns);

 private:
  SliceStore(WindowSpec spec, AggregateRow aggregates)
      : spec_(std::move(spec)),
        aggregates_(std::make_shared<AggregateRow>(std::move(aggregates))),
        codec_(std::make_shared<AggregateRowCodec>(aggregates_)) {}

  // Rows are merged in blocks of this size.
  static constexpr std::size_t kBlockRows = 1024;

  WindowSpec spec_;
  std::shared_ptr<AggregateRow> aggregates_;  // Shared with its codec, ...
  std::shared_ptr<RowValueCodec> codec_;      // ... and that with the states that are stored.
  std::vector<DataType> key_types_;
  KeyedStateBackend* backend_ = nullptr;
  KeyedRows* slices_ = nullptr;
  TimerService* timers_ = nullptr;
  std::vector<std::byte*> from_;  // Scratch.
  std::vector<std::byte*> into_;
};

}  // namespace clepsydra
