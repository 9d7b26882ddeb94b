// Jobs that count rows per key and window, and what they must give, computed by going through the
// rows one by one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "main/test_cluster.h"

namespace clepsydra::testing {

enum class WindowKind : std::uint8_t { kTumble, kHop, kCumulate };

// COUNT(*), SUM(v), MAX(v) or nothing, COUNT(DISTINCT v) or nothing, per k and window.
struct WindowJob {
  WindowKind kind = WindowKind::kTumble;
  std::int64_t size_ms = 10'000;
  std::int64_t step_ms = 10'000;  // Of HOP and CUMULATE.
  bool has_max = false;           // Cannot be subtracted: a HOP keeps other state for it.
  bool has_distinct = false;      // Keeps sets of values beside the rows.
};

// (start, end) of all windows that a time is in.
std::vector<std::pair<std::int64_t, std::int64_t>> windows_of(const WindowJob& window,
                                                              std::int64_t time_ms);

// One of each way in which windows are kept.
std::vector<WindowJob> all_window_jobs();

// Adds the aggregation behind node `from`, in one operator or in a local and a global one: the
// local one takes its rows by `exchange`.
int add_window_job(JobBuilder& job, int from, const WindowJob& window, bool two_phase,
                   int parallelism, int parallelism_before = 1,
                   Partitioning exchange = Partitioning::kForward);

struct ExpectedWindows {
  std::vector<std::string> lines;  // "k | count | sum ... | start | end", sorted.
  std::int64_t late_rows = 0;
};
// For a source with one split. A row is late when all its windows have closed by the last mark, and
// a mark follows every row that advances the watermark by more than 200 ms.
ExpectedWindows expected_windows(const RowsSource& source, const WindowJob& window);

}  // namespace clepsydra::testing
