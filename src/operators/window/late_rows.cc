#include "operators/window/late_rows.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

constexpr std::size_t kRowTextMax = 400;

std::string row_text(const Batch& batch, std::int64_t row, const TimeZone* zone) {
  std::string text;
  const TextStyle style{.zone = zone};
  for (int i = 0; i < batch.column_count() && text.size() < kRowTextMax; ++i) {
    if (i > 0) text += ", ";
    if (batch.column(i).is_null(row)) {
      text += style.null_text;
    } else {
      append_value_text(batch.column(i), row, style, text);
    }
  }
  if (text.size() > kRowTextMax) {
    // Not in the middle of a character.
    std::size_t end = kRowTextMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    text += "...";
  }
  return text;
}

std::string time_text(std::int64_t time_ms) {
  std::string text;
  append_timestamp_text(time_ms, 3, text);
  return text;
}

}  // namespace

void count_late_rows(OperatorCounters& counters, std::int64_t rows, std::int64_t window_start,
                     const Batch& batch, std::int64_t row, std::int64_t closed_until,
                     const TimeZone* zone) {
  counters.late_rows += rows;
  if (counters.late_sample.size() >= static_cast<std::size_t>(OperatorCounters::kLateSampleMax)) {
    return;
  }
  counters.late_sample.push_back(fmt::format("window_start {}, row ({}), watermark {}",
                                             time_text(window_start), row_text(batch, row, zone),
                                             time_text(closed_until - 1)));
}

Status check_inserts_only(const Batch& batch) {
  const std::uint8_t* kinds = batch.row_kinds();
  for (std::int64_t i = 0; kinds != nullptr && i < batch.rows(); ++i) {
    if (kinds[i] != static_cast<std::uint8_t>(RowKind::kInsert)) {
      return Status::unimplemented(fmt::format(
          "aggregation over windows of an updating input is not built yet: found a row of kind {}",
          row_kind_text(batch.row_kind(i))));
    }
  }
  return Status::ok();
}

}  // namespace clepsydra
