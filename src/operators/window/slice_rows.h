// The rows of a batch by slice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "operators/window/window_spec.h"
#include "operators/window/window_time.h"

namespace clepsydra {

// Keeps scratch memory between batches. Threads: the task's.
class SliceRows {
 public:
  // Stands for a row without a time.
  static constexpr std::int64_t kNoSlice = WindowTime::kNone;

  // Computes the slice of every row from its time (WindowTime::kNone: none).
  void assign_times(const WindowSpec& spec, std::vector<std::int64_t>& times);
  // The same slice for all rows.
  void assign_all(std::int64_t slice_end, std::int64_t rows);
  // Slices as a column gives them.
  void assign_ends(const std::int64_t* slice_ends, std::int64_t rows);

  struct Group {
    std::int64_t slice_end;
    const std::int32_t* rows;  // Null: all rows of the batch.
    std::int64_t count;
  };
  // Rows [begin, end) by slice, slices in the order of their first row. Good until the next call.
  //
  // Rows of slices that end at or before `closed_until` may meet in what holds several slices
  // already, where the order of first appearance is that of rows: of these, only rows that follow
  // each other share a group.
  std::span<const Group> group(std::int64_t begin, std::int64_t end, std::int64_t closed_until);

 private:
  const std::int32_t* ascending(std::int64_t rows);

  std::vector<std::int64_t> slice_ends_;
  std::vector<std::int32_t> ascending_;  // 0, 1, 2, ...
  std::vector<std::vector<std::int32_t>> lists_;
  std::vector<Group> groups_;
};

}  // namespace clepsydra
