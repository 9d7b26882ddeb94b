// How windows come out of slices.
#pragma once

#include <cstdint>
#include <memory>

#include "clepsydra/status.h"
#include "operators/window/slice_store.h"

namespace clepsydra {

// Owns what slices are merged into; the slices are the store's. Every way gives the same windows.
// State is frozen between firing windows, and may be restored with another number of subtasks: what
// is not stored follows from slices and timers.
//
// Times are on the scale on which windows lie. `fired_until`: windows that end at or before it have
// fired; it never goes back. The caller takes every timer of the store in order and calls
// begin_fire() and end_fire() for it; in between it reads the rows that begin_fire() named, and
// adds nothing. Threads: the task's.
class WindowFolding {
 public:
  virtual ~WindowFolding() = default;

  // Adds rows to a slice of which some window has not fired yet.
  virtual Status add(std::int64_t slice_end, std::int64_t fired_until, const SliceInput& input) = 0;

  struct Rows {
    KeyedRows* state;
    StateNamespace ns;
  };
  // The rows of the window that ends then, one per key; there may be none.
  virtual Result<Rows> begin_fire(std::int64_t window_end) = 0;
  // They were read: drops what no later window needs, and sets the timer of the next.
  virtual Status end_fire(std::int64_t window_end) = 0;
};
using WindowFoldingPtr = std::unique_ptr<WindowFolding>;

// A slice is a window.
Result<WindowFoldingPtr> make_single_slice_folding(SliceStore& store);
// CUMULATE: one aggregate per key that grows from the start of the longest window.
Result<WindowFoldingPtr> make_cumulative_folding(SliceStore& store);
// HOP: merges all slices of a window each time.
Result<WindowFoldingPtr> make_merged_folding(SliceStore& store);
// HOP: one running aggregate per key, to which slices are added as they enter the window and from
// which they are subtracted as they leave. For aggregates that can be subtracted exactly.
Result<WindowFoldingPtr> make_running_folding(SliceStore& store);
// HOP: two stacks. The older slices hold aggregates of all from them to the newest of the older;
// what came since is one aggregate per key.
Result<WindowFoldingPtr> make_two_stack_folding(SliceStore& store);

// The cheapest of them that is right for kind of window and aggregates.
Result<WindowFoldingPtr> make_folding(SliceStore& store);
// Up to so many slices a HOP merges all of them each time.
inline constexpr std::int64_t kMergedSlicesMax = 3;

}  // namespace clepsydra
