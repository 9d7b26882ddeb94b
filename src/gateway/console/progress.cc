#include "gateway/console/progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "gateway/console/terminal_text.h"
#include "stream/value_text.h"

namespace clepsydra::console {
namespace {

constexpr std::int64_t kRateSpanNs = 2'000'000'000;
constexpr std::size_t kSamplesMax = 64;

std::string restarts_text(std::span<const JobStatus> jobs) {
  std::int64_t restarts = 0;
  for (const JobStatus& job : jobs) restarts += job.restarts;
  return restarts == 0 ? "" : fmt::format(" | {} restarts", count_text(restarts));
}

}  // namespace

JobTotals totals_of(const JobStatus& job) {
  JobTotals totals;
  std::int64_t smallest = kMaxWatermark;
  bool known = false;
  for (const OperatorMetrics& metrics : job.operators) {
    if (metrics.is_source) totals.rows_in += metrics.rows_out;
    if (metrics.is_sink) totals.rows_out += metrics.rows_in;
    totals.late_rows += metrics.late_rows;
    totals.dropped_rows += metrics.dropped_rows;
    if (metrics.watermark == kMinWatermark) continue;
    known = true;
    smallest = std::min(smallest, metrics.watermark);
  }
  if (known) totals.watermark = smallest;
  return totals;
}

std::string watermark_text(std::int64_t watermark) {
  if (watermark == kMinWatermark) return "none yet";
  if (watermark == kMaxWatermark) return "the end";
  std::string text;
  append_timestamp_text(watermark, 3, text);
  return text;
}

// Of the job whose last checkpoint is the oldest: so much would be read again.
std::string ProgressLine::checkpoint_text(std::span<const JobStatus> jobs) const {
  const CheckpointProgress* oldest = nullptr;
  for (const JobStatus& job : jobs) {
    const CheckpointProgress& checkpoints = job.checkpoints;
    if (checkpoints.last_id == 0) continue;
    if (oldest == nullptr || checkpoints.last_completed_ms < oldest->last_completed_ms) {
      oldest = &checkpoints;
    }
  }
  if (oldest == nullptr) return "";
  const std::int64_t age_ms =
      std::max<std::int64_t>(0, clock_.now_ms() - oldest->last_completed_ms);
  return fmt::format(" | checkpoint {}, {} s ago", oldest->last_id, age_ms / 1000);
}

std::string ProgressLine::text(std::span<const JobStatus> jobs) {
  JobTotals sum;
  std::int64_t smallest = kMaxWatermark;
  for (const JobStatus& job : jobs) {
    const JobTotals totals = totals_of(job);
    sum.rows_in += totals.rows_in;
    sum.rows_out += totals.rows_out;
    sum.late_rows += totals.late_rows;
    sum.dropped_rows += totals.dropped_rows;
    smallest = std::min(smallest, totals.watermark);
  }
  std::string line = fmt::format(
      "{} in | {} out | {} rows/s | watermark {}", rows_text(sum.rows_in), rows_text(sum.rows_out),
      count_text(rows_per_second(sum.rows_in)), watermark_text(smallest));
  if (sum.late_rows > 0) line += fmt::format(" | {} late", count_text(sum.late_rows));
  if (sum.dropped_rows > 0) line += fmt::format(" | {} dropped", count_text(sum.dropped_rows));
  return line + checkpoint_text(jobs) + restarts_text(jobs);
}

std::int64_t ProgressLine::rows_per_second(std::int64_t rows) {
  const std::int64_t now_ns = clock_.monotonic_ns();
  // Fewer rows than before: one of several jobs has ended and is not counted any more.
  if (!samples_.empty() && rows < samples_.back().rows) samples_.clear();
  samples_.push_back({now_ns, rows});
  while (samples_.size() > 2 &&
         (samples_.size() > kSamplesMax || now_ns - samples_[1].at_ns >= kRateSpanNs)) {
    samples_.pop_front();
  }
  const std::int64_t span_ns = now_ns - samples_.front().at_ns;
  if (span_ns <= 0) return 0;
  return static_cast<std::int64_t>(static_cast<double>(rows - samples_.front().rows) * 1e9 /
                                   static_cast<double>(span_ns));
}

}  // namespace clepsydra::console
