// Which columns of a plan are the bounds of a window.
#pragma once

#include <optional>
#include <vector>

#include "sql/logical/plan.h"

namespace clepsydra::sql {

struct WindowColumns {
  WindowSpec window;
  std::vector<int> starts;
  std::vector<int> ends;
  std::vector<int> times;

  [[nodiscard]] const std::vector<int>& of(WindowBound bound) const {
    return bound == WindowBound::kStart ? starts : bound == WindowBound::kEnd ? ends : times;
  }
  // Which bound a column is, if any.
  [[nodiscard]] std::optional<WindowBound> bound_of(int column) const;
};

// Follows window_start, window_end and window_time of the nearest window table function through
// filters, projections and aggregations by window. Nothing when there is no window or a bound got
// lost.
std::optional<WindowColumns> window_columns(const PlanNode& plan);

}  // namespace clepsydra::sql
