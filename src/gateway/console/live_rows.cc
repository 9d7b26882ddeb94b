#include "gateway/console/live_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "gateway/console/result_printer.h"

namespace clepsydra::console {
namespace {

constexpr std::size_t kTableFrameLines = 4;  // Three borders and the header.

std::vector<std::string> lines_of_text(std::string_view text, int columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(cut_to_width(text.substr(0, end), columns));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<int> live_widths(const Schema& schema, int max_column_width) {
  std::vector<int> widths = column_widths_by_type(schema, max_column_width);
  widths.insert(widths.begin(), 2);
  return widths;
}

}  // namespace

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

void LivePrint::clear() {
  const MutexLock lock(mutex_);
  newest_.clear();
  count_ = 0;
}

LiveTable::LiveTable(SchemaPtr schema, TimeZonePtr zone, int max_column_width)
    : schema_(std::move(schema)),
      zone_(std::move(zone)),
      table_(live_widths(*schema_, max_column_width)) {}

void LiveTable::add(Batch batch) {
  if (batch.rows() == 0) return;
  count_ += batch.rows();
  kept_rows_ += batch.rows();
  newest_.push_back(std::move(batch));
  while (kept_rows_ - newest_.front().rows() >= static_cast<std::int64_t>(kLiveRowsMax)) {
    kept_rows_ -= newest_.front().rows();
    newest_.pop_front();
  }
}

std::vector<std::string> LiveTable::lines(std::size_t lines_max, int columns) const {
  std::string text;
  std::vector<std::string> cells = header_cells(*schema_);
  cells.emplace(cells.begin(), "op");
  table_.append_border(text);
  table_.append_row(cells, text);
  table_.append_border(text);
  const std::size_t room = lines_max > kTableFrameLines ? lines_max - kTableFrameLines : 0;
  std::int64_t skipped = kept_rows_ - std::min(kept_rows_, static_cast<std::int64_t>(room));
  for (const Batch& batch : newest_) {
    for (std::int64_t row = std::min(skipped, batch.rows()); row < batch.rows(); ++row) {
      cells = row_cells(batch, row, zone_.get());
      cells.emplace(cells.begin(), row_kind_text(batch.row_kind(row)));
      table_.append_row(cells, text);
    }
    skipped -= std::min(skipped, batch.rows());
  }
  table_.append_border(text);
  std::vector<std::string> lines = lines_of_text(text, columns);
  if (lines.size() > lines_max) lines.resize(lines_max);
  return lines;
}

}  // namespace clepsydra::console
