// How far jobs are, in one line.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "api/job_client.h"

namespace clepsydra {
class Clock;
}  // namespace clepsydra

namespace clepsydra::console {

// The sums that a line and a summary start with.
struct JobTotals {
  std::int64_t rows_in = 0;   // Given out by sources.
  std::int64_t rows_out = 0;  // Taken by sinks.
  std::int64_t late_rows = 0;
  std::int64_t dropped_rows = 0;
  // The smallest of operators that know one; kMinWatermark when none does.
  std::int64_t watermark = kMinWatermark;
};
JobTotals totals_of(const JobStatus& job);

// Threads: one at a time.
class ProgressLine {
 public:
  explicit ProgressLine(const Clock& clock) : clock_(clock) {}

  // "336,776 rows in | 116,496 rows out | 40,012 rows/s | watermark 2013-01-05 10:00:00.000 |
  // 12 late | checkpoint 7, 2 s ago | 1 restarts". The rate is that of the last two seconds or so.
  std::string text(std::span<const JobStatus> jobs);

 private:
  struct Sample {
    std::int64_t at_ns;
    std::int64_t rows;
  };
  std::int64_t rows_per_second(std::int64_t rows);
  [[nodiscard]] std::string checkpoint_text(std::span<const JobStatus> jobs) const;

  const Clock& clock_;
  std::deque<Sample> samples_;  // At most kSamplesMax, the oldest about kRateSpan old.
};

// "2013-01-05 10:00:00.000", "none yet", "the end".
std::string watermark_text(std::int64_t watermark);

}  // namespace clepsydra::console
