#include "operators/window/slice_rows.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace clepsydra {

void SliceRows::assign_times(const WindowSpec& spec, std::vector<std::int64_t>& times) {
  const std::int64_t slice = spec.slice();
  // Most rows fall into the slice of the row before: a comparison instead of a division.
  std::int64_t end = 0;
  std::int64_t start = 1;
  for (std::int64_t& time : times) {
    if (time < start || time >= end) {
      if (time == WindowTime::kNone) continue;
      end = spec.slice_end(time);
      start = end - slice;
    }
    time = end;
  }
  std::swap(slice_ends_, times);
}

void SliceRows::assign_all(std::int64_t slice_end, std::int64_t rows) {
  slice_ends_.assign(static_cast<std::size_t>(rows), slice_end);
}

void SliceRows::assign_ends(const std::int64_t* slice_ends, std::int64_t rows) {
  slice_ends_.assign(slice_ends, slice_ends + rows);
}

const std::int32_t* SliceRows::ascending(std::int64_t rows) {
  if (ascending_.size() < static_cast<std::size_t>(rows)) {
    ascending_.resize(static_cast<std::size_t>(rows));
    std::iota(ascending_.begin(), ascending_.end(), 0);
  }
  return ascending_.data();
}

std::span<const SliceRows::Group> SliceRows::group(std::int64_t begin, std::int64_t end,
                                                   std::int64_t closed_until) {
  groups_.clear();
  if (begin >= end) return groups_;
  const std::int64_t* ends = slice_ends_.data();
  const std::int64_t first = ends[begin];
  const bool is_one =
      std::all_of(ends + begin, ends + end, [first](std::int64_t other) { return other == first; });
  const auto rows = static_cast<std::int64_t>(slice_ends_.size());
  if (is_one) {
    const bool is_all = begin == 0 && end == rows;
    groups_.push_back({.slice_end = first,
                       .rows = is_all ? nullptr : ascending(rows) + begin,
                       .count = end - begin});
    return groups_;
  }
  std::size_t last = 0;
  for (std::int64_t row = begin; row < end; ++row) {
    if (groups_.empty() || groups_[last].slice_end != ends[row]) {
      last = ends[row] <= closed_until ? groups_.size() : 0;
      while (last < groups_.size() && groups_[last].slice_end != ends[row]) ++last;
      if (last == groups_.size()) {
        groups_.push_back({.slice_end = ends[row], .rows = nullptr, .count = 0});
        if (lists_.size() < groups_.size()) lists_.emplace_back();
        lists_[last].clear();
      }
    }
    lists_[last].push_back(static_cast<std::int32_t>(row));
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    groups_[i].rows = lists_[i].data();
    groups_[i].count = static_cast<std::int64_t>(lists_[i].size());
  }
  return groups_;
}

}  // namespace clepsydra
