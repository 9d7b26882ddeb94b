#include "gateway/console/live_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/console/terminal_text.h"

namespace clepsydra::console {

Status LivePrint::write(std::string_view text) {
  // Only what may be shown is copied; the rest is counted.
  std::vector<std::string_view> lines;
  const auto count = std::count(text.begin(), text.end(), '\n');
  while (!text.empty() && lines.size() < kLiveRowsMax) {
    if (text.back() == '\n') text.remove_suffix(1);
    const std::size_t begin = text.rfind('\n') + 1;  // 0 when there is none.
    lines.push_back(text.substr(begin));
    text = text.substr(0, begin);
  }
  const MutexLock lock(mutex_);
  count_ += count;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    newest_.push_back(visible_text(*line));
    if (newest_.size() > kLiveRowsMax) newest_.pop_front();
  }
  return Status::ok();
}

std::vector<std::string> LivePrint::lines(std::size_t lines_max, int columns) const {
  const MutexLock lock(mutex_);
  return newest_lines(lines_max, columns);
}

std::vector<std::string> LivePrint::newest_lines(std::size_t lines_max, int columns) const {
  std::vector<std::string> out;
  if (lines_max == 0 || newest_.empty()) return out;
  std::size_t shown = std::min(lines_max, newest_.size());
  if (static_cast<std::int64_t>(shown) < count_) {
    shown = std::min(lines_max - 1, newest_.size());
    out.push_back(cut_to_width(
        fmt::format("... {} before", rows_text(count_ - static_cast<std::int64_t>(shown))),
        columns));
  }
  for (std::size_t i = newest_.size() - shown; i < newest_.size(); ++i) {
    out.push_back(cut_to_width(newest_[i], columns));
  }
  return out;
}

std::vector<std::string> LivePrint::take_lines(std::size_t lines_max, int columns) {
  const MutexLock lock(mutex_);
  std::vector<std::string> out = newest_lines(lines_max, columns);
  newest_.clear();
  count_ = 0;
  return out;
}

}  // namespace clepsydra::console
