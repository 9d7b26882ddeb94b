#include "oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;

struct Totals {
  std::int64_t count = 0;
  std::int64_t sum = 0;
  std::int64_t max = 0;
};

}  // namespace

std::string Branch::describe() const {
  std::string text = source < 0 ? "" : fmt::format("source {} alone: ", source);
  if (filters) text += "filtered ";
  if (!has_windows) return text + (is_partitioned ? "rows by folder" : "rows");
  constexpr const char* kKinds[] = {"TUMBLE", "HOP", "CUMULATE"};
  return text + fmt::format("{} {}{}{}{}", kKinds[static_cast<int>(window.kind)],
                            two_phase ? "local and global" : "global", window.has_max ? " MAX" : "",
                            window.has_distinct ? " DISTINCT" : "",
                            is_partitioned ? " by folder" : "");
}

std::vector<int> regions_of(const std::vector<Branch>& branches, std::size_t sources) {
  std::vector<int> regions(sources);
  std::iota(regions.begin(), regions.end(), 0);
  if (std::any_of(branches.begin(), branches.end(),
                  [](const Branch& branch) { return branch.source < 0; })) {
    std::fill(regions.begin(), regions.end(), 0);
  }
  return regions;
}

std::string event_time_text(std::int64_t ms) {
  // The rows of a simulation span less than a month around its base.
  std::int64_t day = (ms - kWorkloadBaseMs) / kDayMs;
  std::int64_t left = (ms - kWorkloadBaseMs) % kDayMs;
  if (left < 0) {
    --day;
    left += kDayMs;
  }
  CLP_CHECK(day >= -1 && day < 31);
  const std::string date = day < 0 ? "2023-12-31" : fmt::format("2024-01-{:02}", day + 1);
  return fmt::format("{} {:02}:{:02}:{:02}.{:03}", date, left / 3'600'000, left / 60'000 % 60,
                     left / 1000 % 60, left % 1000);
}

CutWatermark cut_watermark(const Workload& workload, const Branch& branch,
                           const Positions& positions) {
  CutWatermark cut{.surely = kMaxWatermark, .at_most = kMaxWatermark};
  bool any_finished = false;
  for (std::size_t source = 0; source < positions.sources.size(); ++source) {
    if (!branch.reads(source)) continue;
    for (std::size_t i = 0; i < positions.sources[source].size(); ++i) {
      const Positions::Split& split = positions.sources[source][i];
      const WorkloadSplit& rows = workload.sources[source].splits[i];
      if (split.has_finished) {
        // Its last word was heard with its last rows; that it has ended may not have been.
        any_finished = true;
        cut.surely = std::min(cut.surely, rows.watermarks.back());
        continue;
      }
      cut.surely = std::min(cut.surely, split.delivered);
      // While it waits it may be idle, which holds nobody back.
      if (rows.waits_at >= 0 && split.next == rows.waits_at) continue;
      cut.at_most = std::min(cut.at_most, rows.watermarks[static_cast<std::size_t>(split.next)]);
    }
  }
  // Otherwise all that has been said was heard.
  if (!any_finished && workload.idle_timeout_ms == 0) cut.surely = cut.at_most;
  return cut;
}

Oracle::Oracle(const Workload& workload, const Branch& branch) : branch_(branch) {
  if (branch.has_windows) {
    add_windows(workload);
  } else {
    add_rows(workload);
  }
  numbers_.reserve(lines_.size());
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const bool is_new = numbers_.emplace(lines_[i].text, static_cast<int>(i)).second;
    CLP_CHECK_MSG(is_new, lines_[i].text);
  }
  std::sort(window_ends_.begin(), window_ends_.end());
  window_ends_.erase(std::unique(window_ends_.begin(), window_ends_.end()), window_ends_.end());
}

int Oracle::find(const std::string& text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? -1 : found->second;
}

bool Oracle::is_due(int number, const Positions& positions, std::int64_t watermark) const {
  const Line& line = lines_[static_cast<std::size_t>(number)];
  if (branch_.has_windows) return watermark >= line.due_at;
  const Positions::Split& split =
      positions
          .sources[static_cast<std::size_t>(line.source)][static_cast<std::size_t>(line.split)];
  return split.has_finished || line.row < split.next;
}

void Oracle::add_rows(const Workload& workload) {
  for (std::size_t source = 0; source < workload.sources.size(); ++source) {
    if (!branch_.reads(source)) continue;
    for (std::size_t i = 0; i < workload.sources[source].splits.size(); ++i) {
      const std::vector<WorkloadRow>& rows = workload.sources[source].splits[i].rows;
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const WorkloadRow& values = rows[row];
        if (branch_.filters && values.k == 0) continue;
        lines_.push_back(
            {.text = fmt::format("{},{},{}", values.k, values.v, event_time_text(values.at_ms)),
             .source = static_cast<int>(source),
             .split = static_cast<int>(i),
             .row = static_cast<std::int64_t>(row)});
      }
    }
  }
}

// A window's line is the same at every cut that has it: with several splits no row is late, so all
// its rows are before the cut; with one split it follows from the order of its rows which are.
void Oracle::add_windows(const Workload& workload) {
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, Totals> totals;
  for (std::size_t source = 0; source < workload.sources.size(); ++source) {
    if (!branch_.reads(source)) continue;
    for (const WorkloadSplit& split : workload.sources[source].splits) {
      for (std::size_t i = 0; i < split.rows.size(); ++i) {
        const WorkloadRow& row = split.rows[i];
        if (branch_.filters && row.k == 0) continue;
        for (const auto& [start, end] : windows_of(branch_.window, row.at_ms)) {
          if (workload.has_late_rows && split.watermarks[i] >= end - 1) continue;
          Totals& of_window = totals[{row.k, start, end}];
          ++of_window.count;
          of_window.sum += row.v;
          of_window.max = std::max(of_window.max, row.v);
        }
      }
    }
  }
  for (const auto& [of, values] : totals) {
    const auto& [key, start, end] = of;
    std::string text = fmt::format("{},{},{}", key, values.count, values.sum);
    if (branch_.window.has_max) text += fmt::format(",{}", values.max);
    // No two rows have the same v.
    if (branch_.window.has_distinct) text += fmt::format(",{}", values.count);
    text += "," + event_time_text(start) + "," + event_time_text(end);
    lines_.push_back({.text = std::move(text), .due_at = end - 1});
    window_ends_.push_back(end - 1);
  }
}

}  // namespace clepsydra::testing
