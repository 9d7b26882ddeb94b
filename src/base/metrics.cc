#include "base/metrics.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"

namespace clepsydra {

double Meter::rate(std::int64_t monotonic_ns) {
  const std::int64_t count = counter_.value();
  const auto slot = [](int i) { return static_cast<std::size_t>(i); };
  const int newest = (next_sample_ + kSamples - 1) % kSamples;
  if (sample_count_ == 0 || monotonic_ns - samples_[slot(newest)].at_ns >= kSampleEveryNs) {
    samples_[slot(next_sample_)] = {monotonic_ns, count};
    next_sample_ = (next_sample_ + 1) % kSamples;
    sample_count_ = std::min(sample_count_ + 1, kSamples);
  }
  const int oldest = (next_sample_ + kSamples - sample_count_) % kSamples;
  const Sample& from = samples_[slot(oldest)];
  const std::int64_t elapsed_ns = monotonic_ns - from.at_ns;
  if (elapsed_ns <= 0) return 0;
  return static_cast<double>(count - from.count) * 1e9 / static_cast<double>(elapsed_ns);
}

Histogram::Histogram() : buckets_(std::make_unique<std::atomic<std::int64_t>[]>(kBuckets)) {}

// Values below 2^kSubBits have a bucket each; above, each power of two has 2^kSubBits of them.
int Histogram::bucket_of(std::int64_t value) {
  const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
  if (v < (1U << kSubBits)) return static_cast<int>(v);
  const int log2 = 63 - std::countl_zero(v);
  const auto sub = static_cast<int>((v >> (log2 - kSubBits)) & ((1U << kSubBits) - 1));
  return ((log2 - kSubBits + 1) << kSubBits) + sub;
}

std::int64_t Histogram::bucket_max(int bucket) {
  if (bucket < (1 << kSubBits)) return bucket;
  const int shift = (bucket >> kSubBits) - 1;
  const std::uint64_t sub = static_cast<std::uint64_t>(bucket & ((1 << kSubBits) - 1));
  const std::uint64_t next = ((1ULL << kSubBits) + sub + 1) << shift;
  return static_cast<std::int64_t>(next - 1);
}

namespace {

// One writer: no read-modify-write needed. Stays at the largest value rather than wrapping.
void add_relaxed(std::atomic<std::int64_t>& target, std::int64_t n) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(target.load(std::memory_order_relaxed), n, &sum)) {
    sum = std::numeric_limits<std::int64_t>::max();
  }
  target.store(sum, std::memory_order_relaxed);
}

}  // namespace

void Histogram::record(std::int64_t value) {
  value = std::max<std::int64_t>(value, 0);
  add_relaxed(buckets_[static_cast<std::size_t>(bucket_of(value))], 1);
  add_relaxed(count_, 1);
  add_relaxed(sum_, value);
  if (value < min_.load(std::memory_order_relaxed)) min_.store(value, std::memory_order_relaxed);
  if (value > max_.load(std::memory_order_relaxed)) max_.store(value, std::memory_order_relaxed);
}

std::int64_t Histogram::min() const {
  const std::int64_t min = min_.load(std::memory_order_relaxed);
  return min == std::numeric_limits<std::int64_t>::max() && count() == 0 ? 0 : min;
}

double Histogram::mean() const {
  const std::int64_t n = count();
  if (n == 0) return 0;
  return static_cast<double>(sum_.load(std::memory_order_relaxed)) / static_cast<double>(n);
}

std::int64_t Histogram::quantile(double q) const {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) total += buckets_[i].load(std::memory_order_relaxed);
  if (total == 0) return 0;
  const auto rank = static_cast<std::int64_t>(std::clamp(q, 0.0, 1.0) * static_cast<double>(total));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i].load(std::memory_order_relaxed);
    if (seen > 0 && seen >= rank) return std::min(bucket_max(static_cast<int>(i)), max());
  }
  return max();
}

void Histogram::merge(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) {
    add_relaxed(buckets_[i], other.buckets_[i].load(std::memory_order_relaxed));
  }
  add_relaxed(count_, other.count());
  add_relaxed(sum_, other.sum_.load(std::memory_order_relaxed));
  const std::int64_t other_min = other.min_.load(std::memory_order_relaxed);
  min_.store(std::min(min_.load(std::memory_order_relaxed), other_min), std::memory_order_relaxed);
  max_.store(std::max(max(), other.max()), std::memory_order_relaxed);
}

namespace {

template <typename T, typename... Arguments>
T& find_or_make(std::map<std::string, std::unique_ptr<T>, std::less<>>& all, std::string_view name,
                Arguments&&... arguments) {
  const auto found = all.find(name);
  if (found != all.end()) return *found->second;
  auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
  return *all.emplace(std::string(name), std::move(made)).first->second;
}

}  // namespace

Counter& MetricGroup::counter(std::string_view name) {
  const MutexLock lock(mutex_);
  CLP_CHECK(!gauges_.contains(name) && !meters_.contains(name) && !histograms_.contains(name));
  return find_or_make(counters_, name);
}

Gauge& MetricGroup::gauge(std::string_view name) {
  const MutexLock lock(mutex_);
  CLP_CHECK(!counters_.contains(name) && !meters_.contains(name) && !histograms_.contains(name));
  return find_or_make(gauges_, name);
}

Meter& MetricGroup::meter(std::string_view name) {
  const MutexLock lock(mutex_);
  CLP_CHECK(!counters_.contains(name) && !gauges_.contains(name) && !histograms_.contains(name));
  return find_or_make(meters_, name);
}

Histogram& MetricGroup::histogram(std::string_view name) {
  const MutexLock lock(mutex_);
  CLP_CHECK(!counters_.contains(name) && !gauges_.contains(name) && !meters_.contains(name));
  return find_or_make(histograms_, name);
}

MetricGroup& MetricGroup::group(std::string_view name) {
  const MutexLock lock(mutex_);
  return find_or_make(groups_, name, std::string(name));
}

std::vector<MetricSample> MetricGroup::snapshot(std::int64_t monotonic_ns) const {
  std::vector<MetricSample> samples;
  collect(name_, monotonic_ns, samples);
  return samples;
}

void MetricGroup::collect(const std::string& scope, std::int64_t monotonic_ns,
                          std::vector<MetricSample>& out) const {
  const MutexLock lock(mutex_);
  const std::size_t first = out.size();
  const auto put = [&](std::string name, double value) {
    out.push_back({scope, std::move(name), value});
  };
  for (const auto& [name, counter] : counters_) put(name, static_cast<double>(counter->value()));
  for (const auto& [name, gauge] : gauges_) put(name, static_cast<double>(gauge->value()));
  for (const auto& [name, meter] : meters_) put(name, meter->rate(monotonic_ns));
  for (const auto& [name, histogram] : histograms_) {
    put(name + "_count", static_cast<double>(histogram->count()));
    put(name + "_max", static_cast<double>(histogram->max()));
    put(name + "_mean", histogram->mean());
    put(name + "_min", static_cast<double>(histogram->min()));
    put(name + "_p50", static_cast<double>(histogram->quantile(0.5)));
    put(name + "_p95", static_cast<double>(histogram->quantile(0.95)));
    put(name + "_p99", static_cast<double>(histogram->quantile(0.99)));
  }
  std::sort(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(),
            [](const MetricSample& a, const MetricSample& b) { return a.name < b.name; });
  for (const auto& [name, group] : groups_) group->collect(scope + "." + name, monotonic_ns, out);
}

}  // namespace clepsydra
