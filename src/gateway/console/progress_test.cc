#include "gateway/console/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "gateway/console/console_fakes.h"
#include "gateway/console/live_display.h"
#include "gateway/console/summary.h"

namespace clepsydra::console {
namespace {

using testing::FakeProcess;
using ::testing::HasSubstr;

// 2013-01-05 10:00:00 UTC.
constexpr std::int64_t kMorningMs = 1'357'380'000'000;

JobStatus flights(std::int64_t rows) {
  JobStatus job;
  job.name = "flights";
  job.phase = JobPhase::kFinished;
  job.started_ms = 1'000;
  job.ended_ms = 9'420;
  OperatorMetrics source;
  source.name = "Source: flights";
  source.is_source = true;
  source.rows_out = rows;
  source.backpressured_ns = 1'200'000'000;
  source.peak_memory_bytes = 2048;
  source.watermark = kMorningMs;
  OperatorMetrics window;
  window.name = "WindowAggregate";
  window.vertex = 1;
  window.rows_in = rows;
  window.rows_out = 116'496;
  window.late_rows = 2'070;
  window.late_sample = {"row (1)", "row (2)", "row (3)", "row (4)"};
  window.watermark = kMorningMs - 1;
  OperatorMetrics sink;
  sink.name = "Sink: late_flights";
  sink.vertex = 1;
  sink.is_sink = true;
  sink.rows_in = 116'496;
  sink.dropped_rows = 3;
  job.operators = {source, window, sink};
  return job;
}

TEST(ProgressLineTest, shows_rows_rate_watermark_and_late_rows) {
  SimulatedClock clock;
  ProgressLine line(clock);
  EXPECT_EQ(line.text(std::vector<JobStatus>{flights(0)}),
            "0 rows in | 116,496 rows out | 0 rows/s | watermark 2013-01-05 09:59:59.999 | "
            "2,070 late | 3 dropped");
  clock.advance_ms(500);
  EXPECT_THAT(line.text(std::vector<JobStatus>{flights(20'000)}), HasSubstr("| 40,000 rows/s |"));
}

TEST(ProgressLineTest, the_rate_is_that_of_the_last_seconds) {
  SimulatedClock clock;
  ProgressLine line(clock);
  std::string text;
  for (int tick = 0; tick <= 100; ++tick) {
    // A thousand rows a tick for five seconds, then none.
    text = line.text(std::vector<JobStatus>{flights(std::min(tick, 50) * 1'000LL)});
    clock.advance_ms(100);
  }
  EXPECT_THAT(text, HasSubstr("| 0 rows/s |"));
}

TEST(SummaryTest, tells_totals_operators_late_and_dropped_rows) {
  EXPECT_EQ(
      summary_text(flights(336'776), {.cpu_ns = 3'120'000'000, .peak_resident_bytes = 88'185'241}),
      "Job 'flights' finished in 8.42 s: 336,776 rows in (39,997 rows/s), 116,496 rows out, "
      "3.12 s of CPU time, peak memory 84.1 MB\n"
      "  operator            rows in  rows out  blocked by backpressure  peak memory\n"
      "  Source: flights               336,776                   1.20 s       2.0 kB\n"
      "  WindowAggregate     336,776   116,496                  0.000 s          0 B\n"
      "  Sink: late_flights  116,496                                             0 B\n"
      "  2,070 late at WindowAggregate: all their windows had closed\n"
      "    for example: row (1)\n"
      "    for example: row (2)\n"
      "    for example: row (3)\n"
      "  3 dropped at Sink: late_flights: they could not be read or used\n");
}

TEST(SummaryTest, tells_how_a_job_ended) {
  JobStatus job = flights(1);
  job.phase = JobPhase::kFailed;
  EXPECT_THAT(summary_text(job, {}), HasSubstr("Job 'flights' failed after 8.42 s: "));
  job.phase = JobPhase::kCanceled;
  EXPECT_THAT(summary_text(job, {}), HasSubstr("Job 'flights' was cancelled after 8.42 s: "));
}

TEST(ProgressLineTest, checkpoints_and_restarts_are_shown) {
  SimulatedClock clock;
  ProgressLine line(clock);
  JobStatus job = flights(1000);
  job.checkpoints.completed = 7;
  job.checkpoints.last_id = 8;
  job.checkpoints.last_completed_ms = clock.now_ms() - 2500;
  EXPECT_THAT(line.text(std::vector<JobStatus>{job}), HasSubstr(" | checkpoint 8, 2 s ago"));
  job.restarts = 3;
  EXPECT_THAT(line.text(std::vector<JobStatus>{job}), HasSubstr(" | 3 restarts"));
}

TEST(SummaryTest, what_a_job_can_go_on_from_is_named) {
  JobStatus job = flights(1000);
  job.phase = JobPhase::kFailed;
  job.restored_path = "/c/chk-1";
  job.restarts = 2;
  job.last_failure = Status::unavailable("no server");
  job.checkpoints.completed = 7;
  job.checkpoints.last_state_bytes = 2'000'000;
  job.checkpoints.last_duration_ms = 30;
  job.checkpoints.last_path = "/c/chk-8";
  job.checkpoints.failed = 1;
  job.checkpoints.last_failure = Status::resource_exhausted("no space");
  const std::string text = summary_text(job, {});
  EXPECT_THAT(text, HasSubstr("  went on from /c/chk-1\n"));
  EXPECT_THAT(text, HasSubstr("  restarted 2 times, the last time because of: no server\n"));
  EXPECT_THAT(text, HasSubstr("  7 checkpoints, the last of 1.9 MB in 0.030 s: /c/chk-8\n"));
  EXPECT_THAT(text, HasSubstr("  1 checkpoints failed, the last because of: no space\n"));
  job.phase = JobPhase::kFinished;
  EXPECT_THAT(summary_text(job, {}), HasSubstr("in 0.030 s\n"));
}

TEST(LiveDisplayTest, repaints_at_most_ten_times_a_second) {
  SimulatedClock clock;
  FakeProcess process(true);
  LiveDisplay display(process, clock);
  int paints = 0;
  std::size_t written = 0;
  for (int ms = 0; ms < 1'000; ++ms) {
    display.tick(std::vector<JobStatus>{flights(ms * 10LL)}, nullptr);
    const std::size_t size = process.standard_error().text().size();
    if (size != written) ++paints;
    written = size;
    clock.advance_ms(1);
  }
  EXPECT_EQ(paints, 10);
}

TEST(LiveDisplayTest, nothing_is_painted_without_a_terminal) {
  SimulatedClock clock;
  FakeProcess process(false);
  LiveDisplay display(process, clock);
  EXPECT_FALSE(display.is_due());
  display.tick(std::vector<JobStatus>{flights(1)}, nullptr);
  display.finish({}, nullptr);
  EXPECT_EQ(process.standard_error().text(), "");
  EXPECT_EQ(process.standard_output().text(), "");
  EXPECT_EQ(display.print_output(), nullptr);
}

TEST(LiveDisplayTest, the_newest_printed_rows_stand_under_the_progress_line) {
  SimulatedClock clock;
  FakeProcess process(true);
  process.size = {.columns = 40, .rows = 5};
  LiveDisplay display(process, clock);
  for (int i = 1; i <= 10; ++i) {
    ASSERT_TRUE(display.print_output()->write("+I[" + std::to_string(i) + "]\n").is_ok());
  }
  display.tick(std::vector<JobStatus>{flights(1)}, nullptr);
  EXPECT_EQ(process.standard_error().text(),
            "\r1 row in | 116,496 rows out | 0 rows...\x1b[K\n"
            "... 8 rows before\x1b[K\n"
            "+I[9]\x1b[K\n"
            "+I[10]\x1b[K\n"
            "\x1b[J");
  display.make_way();
  EXPECT_THAT(process.standard_error().text(), ::testing::EndsWith("\x1b[J\r\x1b[4A\x1b[J"));
}

}  // namespace
}  // namespace clepsydra::console
