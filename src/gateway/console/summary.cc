#include "gateway/console/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "gateway/console/progress.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra::console {
namespace {

constexpr int kNameColumnsMax = 60;
constexpr std::size_t kSamplesMax = 3;
// A rate of fewer rows says nothing.
constexpr std::int64_t kRatedRowsMin = 1000;
constexpr std::array<std::string_view, 5> kHeader = {"operator", "rows in", "rows out",
                                                     "blocked by backpressure", "peak memory"};

std::string_view outcome_text(JobPhase phase) {
  switch (phase) {
    case JobPhase::kFinished:
      return "finished in";
    case JobPhase::kFailed:
      return "failed after";
    case JobPhase::kCanceled:
      return "was cancelled after";
    default:
      return "has been running for";
  }
}

std::string headline(const JobStatus& job, const JobResources& resources) {
  const JobTotals totals = totals_of(job);
  const std::int64_t duration_ms = std::max<std::int64_t>(0, job.ended_ms - job.started_ms);
  std::string text =
      fmt::format("Job '{}' {} {}: {} in", visible_text(job.name), outcome_text(job.phase),
                  seconds_text(duration_ms * 1'000'000), rows_text(totals.rows_in));
  if (duration_ms > 0 && totals.rows_in >= kRatedRowsMin) {
    text += fmt::format(" ({} rows/s)", count_text(totals.rows_in * 1000 / duration_ms));
  }
  text += fmt::format(", {} out, {} of CPU time, peak memory {}\n", rows_text(totals.rows_out),
                      seconds_text(resources.cpu_ns), bytes_text(resources.peak_resident_bytes));
  return text;
}

std::string operator_name(const OperatorMetrics& metrics) {
  return cut_to_width(visible_text(metrics.name), kNameColumnsMax);
}

// Blocked time belongs to a task: shown at the first operator that is chained into it.
std::vector<std::vector<std::string>> operator_rows(const JobStatus& job) {
  std::vector<std::vector<std::string>> rows;
  std::vector<int> vertices;
  for (const OperatorMetrics& metrics : job.operators) {
    const bool is_first =
        std::find(vertices.begin(), vertices.end(), metrics.vertex) == vertices.end();
    if (is_first) vertices.push_back(metrics.vertex);
    rows.push_back({operator_name(metrics),
                    metrics.is_source ? std::string() : count_text(metrics.rows_in),
                    metrics.is_sink ? std::string() : count_text(metrics.rows_out),
                    is_first ? seconds_text(metrics.backpressured_ns) : std::string(),
                    bytes_text(metrics.peak_memory_bytes)});
  }
  return rows;
}

void append_operators(const JobStatus& job, std::string& out) {
  const std::vector<std::vector<std::string>> rows = operator_rows(job);
  std::array<int, kHeader.size()> widths{};
  for (std::size_t i = 0; i < kHeader.size(); ++i) {
    widths[i] = display_width(kHeader[i]);
    for (const auto& row : rows) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  const auto append_line = [&](const auto& cells) {
    out += "  ";
    append_left_aligned(cells[0], widths[0], out);
    for (std::size_t i = 1; i < kHeader.size(); ++i) {
      out += "  ";
      append_right_aligned(cells[i], widths[i], out);
    }
    out += '\n';
  };
  append_line(kHeader);
  for (const auto& row : rows) append_line(row);
}

void append_lost_rows(const OperatorMetrics& metrics, std::string& out) {
  if (metrics.late_rows > 0) {
    out += fmt::format("  {} late at {}: all their windows had closed\n",
                       count_text(metrics.late_rows), operator_name(metrics));
    const std::size_t samples = std::min(kSamplesMax, metrics.late_sample.size());
    for (std::size_t i = 0; i < samples; ++i) {
      out += fmt::format("    for example: {}\n", visible_text(metrics.late_sample[i]));
    }
  }
  if (metrics.dropped_rows > 0) {
    out += fmt::format("  {} dropped at {}: they could not be read or used\n",
                       count_text(metrics.dropped_rows), operator_name(metrics));
  }
}

void append_checkpoints(const JobStatus& job, std::string& out) {
  const CheckpointProgress& checkpoints = job.checkpoints;
  if (!job.restored_path.empty()) {
    out += fmt::format("  went on from {}\n", visible_text(job.restored_path));
  }
  if (job.restarts > 0) {
    out += fmt::format("  restarted {} times, the last time because of: {}\n",
                       count_text(job.restarts), visible_text(job.last_failure.message()));
  }
  if (checkpoints.completed > 0) {
    out += fmt::format("  {} checkpoints, the last of {} in {}", count_text(checkpoints.completed),
                       bytes_text(checkpoints.last_state_bytes),
                       seconds_text(checkpoints.last_duration_ms * 1'000'000));
    // After a good end it has gone.
    if (!checkpoints.last_path.empty() && job.phase != JobPhase::kFinished) {
      out += fmt::format(": {}", visible_text(checkpoints.last_path));
    }
    out += '\n';
  }
  if (checkpoints.failed > 0) {
    out += fmt::format("  {} checkpoints failed, the last because of: {}\n",
                       count_text(checkpoints.failed),
                       visible_text(checkpoints.last_failure.message()));
  }
}

}  // namespace

std::string summary_text(const JobStatus& job, const JobResources& resources) {
  std::string out = headline(job, resources);
  if (!job.operators.empty()) append_operators(job, out);
  for (const OperatorMetrics& metrics : job.operators) append_lost_rows(metrics, out);
  append_checkpoints(job, out);
  return out;
}

}  // namespace clepsydra::console
