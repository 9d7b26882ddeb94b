#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::ElementsAre;

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(MeterTest, rate_is_of_the_last_minute) {
  Meter meter;
  std::int64_t now_ns = 7 * kSecond;
  EXPECT_EQ(meter.rate(now_ns), 0);
  for (int i = 0; i < 24; ++i) {  // Two minutes at 100/s.
    meter.mark(500);
    now_ns += 5 * kSecond;
    EXPECT_NEAR(meter.rate(now_ns), 100, 1e-6);
  }
  EXPECT_EQ(meter.count(), 12'000);
  for (int i = 0; i < 12; ++i) meter.rate(now_ns += 5 * kSecond);  // A minute of silence.
  EXPECT_EQ(meter.rate(now_ns), 0);
}

TEST(HistogramTest, quantiles_are_within_a_sixteenth) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.5), 0);
  EXPECT_EQ(histogram.min(), 0);
  for (std::int64_t i = 1; i <= 100'000; ++i) histogram.record(i);
  EXPECT_EQ(histogram.count(), 100'000);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 100'000);
  EXPECT_DOUBLE_EQ(histogram.mean(), 50'000.5);
  for (const double q : {0.01, 0.5, 0.95, 0.99, 1.0}) {
    const double exact = q * 100'000;
    EXPECT_NEAR(static_cast<double>(histogram.quantile(q)), exact, exact / 16) << q;
  }
}

TEST(HistogramTest, extremes_have_buckets) {
  Histogram histogram;
  histogram.record(0);
  histogram.record(-5);  // Clocks that go back count as nothing.
  histogram.record(INT64_MAX);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), INT64_MAX);
  EXPECT_EQ(histogram.quantile(1.0), INT64_MAX);
  Histogram other;
  other.record(15);
  other.merge(histogram);
  EXPECT_EQ(other.count(), 4);
  EXPECT_EQ(other.max(), INT64_MAX);
}

TEST(MetricGroupTest, snapshot_names_scope_and_metric_in_order) {
  MetricGroup root("job");
  root.group("task").counter("numRecordsIn").add(3);
  root.group("task").gauge("currentInputWatermark").set(-1);
  root.counter("numRestarts");
  EXPECT_EQ(&root.group("task").counter("numRecordsIn"),
            &root.group("task").counter("numRecordsIn"));
  std::vector<std::string> lines;
  for (const MetricSample& sample : root.snapshot(0)) {
    lines.push_back(sample.scope + " " + sample.name + " " +
                    std::to_string(std::lround(sample.value)));
  }
  EXPECT_THAT(lines, ElementsAre("job numRestarts 0", "job.task currentInputWatermark -1",
                                 "job.task numRecordsIn 3"));
}

TEST(MetricGroupTest, other_threads_may_look_while_a_task_counts) {
  MetricGroup root("job");
  Counter& counter = root.counter("numRecordsIn");
  Histogram& histogram = root.histogram("latency");
  std::thread task([&] {
    for (int i = 0; i < 100'000; ++i) {
      counter.increment();
      histogram.record(i);
    }
  });
  double last = 0;
  for (int i = 0; i < 100; ++i) {
    const double now = root.snapshot(0).back().value;
    EXPECT_GE(now, last);
    last = now;
  }
  task.join();
  EXPECT_EQ(counter.value(), 100'000);
  EXPECT_EQ(histogram.count(), 100'000);
}

TEST(MetricGroupDeathTest, one_name_is_one_kind_of_metric) {
  MetricGroup root("job");
  root.counter("x");
  EXPECT_DEATH(root.gauge("x"), "check failed");
}

}  // namespace
}  // namespace clepsydra
