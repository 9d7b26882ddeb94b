// Numbers about what runs: written by their task without locks, read by
// anybody. Names are the reference's ("numRecordsIn", "numLateRecordsDropped",
// ...).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace clepsydra {

// Threads (all metrics): one writer, any readers.
class Counter {
 public:
  void add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void increment() { add(1); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// The latest value of something.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Events and their rate over the last minute.
class Meter {
 public:
  // Threads: the writer.
  void mark(std::int64_t n) { counter_.add(n); }
  [[nodiscard]] std::int64_t count() const { return counter_.value(); }
  // Events per second between the oldest sample of the last minute and now.
  // Threads: one reader calls it, at least every 5 s for a smooth rate.
  double rate(std::int64_t monotonic_ns);

 private:
  static constexpr int kSamples = 12;
  static constexpr std::int64_t kSampleEveryNs = 5'000'000'000;
  struct Sample {
    std::int64_t at_ns;
    std::int64_t count;
  };
  Counter counter_;
  std::array<Sample, kSamples> samples_{};
  int sample_count_ = 0;
  int next_sample_ = 0;
};

// A distribution of values >= 0 in buckets of at most 1/16 relative width
// (about 6 %), constant memory.
class Histogram {
 public:
  Histogram();
  void record(std::int64_t value);
  [[nodiscard]] std::int64_t count() const { return count_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t min() const;  // 0 when empty.
  [[nodiscard]] std::int64_t max() const { return max_.load(std::memory_order_relaxed); }
  [[nodiscard]] double mean() const;
  // A value that about `q` of all recorded ones do not exceed; 0 <= q <= 1.
  [[nodiscard]] std::int64_t quantile(double q) const;
  // Values recorded in `other` too: for a summary over subtasks. Threads:
  // nobody records into this one.
  void merge(const Histogram& other);

 private:
  static constexpr int kSubBits = 4;
  static constexpr int kBuckets = (64 - kSubBits) << kSubBits;
  static int bucket_of(std::int64_t value);
  static std::int64_t bucket_max(int bucket);

  std::atomic<std::int64_t> count_{0};
  std::atomic<std::int64_t> sum_{0};
  std::atomic<std::int64_t> min_{std::numeric_limits<std::int64_t>::max()};
  std::atomic<std::int64_t> max_{0};
  std::unique_ptr<std::atomic<std::int64_t>[]> buckets_;
};

// One number of a snapshot.
struct MetricSample {
  std::string scope;  // The groups from the root, joined by dots: "job.task.0".
  std::string name;   // Histograms give name_count, name_min, name_max,
                      // name_mean, name_p50, name_p95, name_p99.
  double value = 0;
};

// A named set of metrics and subgroups. The references it hands out live as
// long as the group.
//
// Threads: all methods, any thread.
class MetricGroup {
 public:
  explicit MetricGroup(std::string name) : name_(std::move(name)) {}

  // The metric of that name, made at the first call. One name is one kind of
  // metric: asking for another kind is a bug.
  Counter& counter(std::string_view name);
  Gauge& gauge(std::string_view name);
  Meter& meter(std::string_view name);
  Histogram& histogram(std::string_view name);
  // The subgroup of that name, made at the first call; owned by its parent.
  MetricGroup& group(std::string_view name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // All numbers of this group and below, in the order of names. `monotonic_ns`
  // is for the meters' rates.
  [[nodiscard]] std::vector<MetricSample> snapshot(std::int64_t monotonic_ns) const;

 private:
  struct Entry;
  void collect(const std::string& scope, std::int64_t monotonic_ns,
               std::vector<MetricSample>& out) const;

  const std::string name_;
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<Counter>, std::less<>> counters_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Gauge>, std::less<>> gauges_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Meter>, std::less<>> meters_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<Histogram>, std::less<>> histograms_ CLP_GUARDED_BY(mutex_);
  std::map<std::string, std::unique_ptr<MetricGroup>, std::less<>> groups_ CLP_GUARDED_BY(mutex_);
};

}  // namespace clepsydra
