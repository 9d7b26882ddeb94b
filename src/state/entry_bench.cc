// States of entries by batch: what an operation costs, by number of outer keys.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/local_file_system.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "state/entry_states.h"
#include "state/local_stores.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kBatchRows = 1024;
constexpr std::int64_t kEntriesPerKey = 16;

// Batches of random outer keys and of random numbers, that are hashed when they are used.
class EntryBench {
 public:
  // With a second argument: on local disk, with so many MB of rows in memory.
  explicit EntryBench(benchmark::State& bench, std::int64_t numbers = kEntriesPerKey)
      : bench_(&bench) {
    constexpr int kBatches = 512;
    constexpr std::int64_t kMegabyte = 1 << 20;
    StateBackendOptions options{.pool = pool_.get()};
    if (bench.range(1) > 0) {
      stores_ = make_rocksdb_stores(
                    "/tmp/entry_bench_" + std::to_string(Random::from_entropy().next_u64()), files_)
                    .value();
      options.local = {
          .stores = stores_.get(), .name = "bench", .cached_bytes = bench.range(1) * kMegabyte};
    }
    backend_ = StateBackendRegistry::built_in()
                   .make(stores_ != nullptr ? "rocksdb" : "hashmap", options)
                   .value();
    for (int b = 0; b < kBatches; ++b) {
      keys_.push_back(random_column(bench.range(0)));
      numbers_.push_back(random_column(numbers));
    }
  }
  KeyedStateBackend& backend() { return *backend_; }
  MemoryPool& pool() { return *pool_; }
  EntryStateSpec spec() {
    return {.name = "state",
            .key_types = {DataType::big_int()},
            .entry_types = {DataType::big_int().with_nullable(false)}};
  }
  static std::vector<Field> value() {
    return {{"value", DataType::big_int().with_nullable(false), {}}};
  }

  KeyBatch next() {
    const std::size_t batch = next_++ % keys_.size();
    number_ = numbers_[batch];
    hash_rows({&keys_[batch], 1}, kBatchRows, hashes_.data());
    return {.columns = {&keys_[batch], 1}, .hashes = hashes_.data(), .count = kBatchRows};
  }
  [[nodiscard]] std::size_t batches() const { return keys_.size(); }
  // Beside the last keys.
  [[nodiscard]] const Column& number() const { return number_; }

  void release() { check(backend_->release_rows()); }
  void check(const Status& status) {
    if (!status.is_ok()) bench_->SkipWithError(status.to_string().c_str());
  }
  void report() const {
    const std::int64_t rows = bench_->iterations() * kBatchRows;
    bench_->SetItemsProcessed(rows);
    bench_->counters["ns_per_row"] =
        benchmark::Counter(static_cast<double>(rows) * 1e-9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  }
  void report_memory(const MapState& map) {
    const auto rows = static_cast<double>(const_cast<MapState&>(map).rows().row_count(0));
    bench_->counters["bytes_per_entry"] = static_cast<double>(pool_->used_bytes() - others_) / rows;
  }
  // What is used now is not state.
  void start_memory() { others_ = pool_->used_bytes(); }

 private:
  Column random_column(std::int64_t bound) {
    ColumnBuilder builder(DataType::big_int().with_nullable(false), *columns_pool_);
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      builder.append(static_cast<std::int64_t>(random_.uniform(static_cast<std::uint64_t>(bound))));
    }
    return builder.finish().value();
  }

  benchmark::State* bench_;
  std::shared_ptr<MemoryPool> columns_pool_ = MemoryPool::make_root("columns");
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("bench");
  LocalFileSystem files_;
  std::unique_ptr<LocalStores> stores_;
  std::unique_ptr<KeyedStateBackend> backend_;
  Random random_{1};
  std::vector<Column> keys_;
  std::vector<Column> numbers_;
  Column number_;
  std::vector<std::uint64_t> hashes_ = std::vector<std::uint64_t>(kBatchRows);
  std::size_t next_ = 0;
  std::int64_t others_ = 0;
};

void BM_map_put(benchmark::State& bench) {
  EntryBench all(bench);
  EntryStateSpec spec = all.spec();
  spec.values = EntryBench::value();
  MapState map = MapState::open(all.backend(), std::move(spec), all.pool()).value();
  const auto put = [&] {
    const KeyBatch keys = all.next();
    all.check(map.put(0, keys, {&all.number(), 1}, {&all.number(), 1}));
    all.release();
  };
  for (std::size_t i = 0; i < all.batches(); ++i) put();
  for (auto _ : bench) put();
  all.report();
  all.report_memory(map);
}
BENCHMARK(BM_map_put)
    ->Args({1'000, 0})
    ->Args({100'000, 0})
    ->Args({100'000, 256})
    ->Args({100'000, 16});

void BM_map_get(benchmark::State& bench) {
  EntryBench all(bench);
  EntryStateSpec spec = all.spec();
  spec.values = EntryBench::value();
  MapState map = MapState::open(all.backend(), std::move(spec), all.pool()).value();
  for (std::size_t i = 0; i < all.batches(); ++i) {
    const KeyBatch keys = all.next();
    all.check(map.put(0, keys, {&all.number(), 1}, {&all.number(), 1}));
  }
  std::vector<const std::byte*> found;
  for (auto _ : bench) {
    const KeyBatch keys = all.next();
    std::vector<Column> values;
    all.check(map.get(0, keys, {&all.number(), 1}, values, found));
  }
  all.report();
}
BENCHMARK(BM_map_get)->Args({1'000, 0})->Args({100'000, 0});

// COUNT(DISTINCT ...) with changes: an element comes or goes.
void BM_multiset_add(benchmark::State& bench) {
  EntryBench all(bench);
  MultisetState set = MultisetState::open(all.backend(), all.spec(), all.pool()).value();
  std::vector<std::int64_t> deltas(kBatchRows);
  std::vector<std::int64_t> counts(kBatchRows);
  std::uint64_t rounds = 0;
  const auto add = [&] {
    // What came in one round of batches goes in the next one.
    const bool comes = rounds++ / all.batches() % 2 == 0;
    deltas.assign(deltas.size(), comes ? 1 : -1);
    const KeyBatch keys = all.next();
    all.check(set.add(0, keys, {&all.number(), 1}, deltas, counts));
  };
  for (auto _ : bench) add();
  all.report();
}
BENCHMARK(BM_multiset_add)->Args({1'000, 0})->Args({100'000, 0});

// Top-10: insert, look at the first 11, let the last one go.
void BM_top_10(benchmark::State& bench) {
  EntryBench all(bench, std::int64_t{1} << 62);
  EntryStateSpec spec = all.spec();
  spec.values = EntryBench::value();
  MapState map = MapState::open(all.backend(), std::move(spec), all.pool()).value();
  FoundEntries found;
  std::vector<std::byte*> last;
  const auto round = [&] {
    const KeyBatch keys = all.next();
    all.check(map.put(0, keys, {&all.number(), 1}, {&all.number(), 1}));
    all.check(map.rows().find_entries(0, {.keys = keys, .limit = 11}, found));
    last.clear();
    std::size_t begin = 0;
    for (const std::size_t end : found.ends) {
      if (end - begin > 10) last.push_back(found.values[end - 1]);
      begin = end;
    }
    std::sort(last.begin(), last.end());
    last.erase(std::unique(last.begin(), last.end()), last.end());
    all.check(map.erase_rows(0, last));
    all.release();
  };
  for (std::size_t i = 0; i < all.batches(); ++i) round();
  for (auto _ : bench) round();
  all.report();
}
BENCHMARK(BM_top_10)->Args({1'000, 0})->Args({20'000, 0})->Args({20'000, 256})->Args({20'000, 8});

// Interval join: each row is kept by its time and id and meets those of the last times; what is
// older goes.
void BM_interval(benchmark::State& bench) {
  EntryBench all(bench);
  EntryStateSpec spec = all.spec();
  spec.entry_types.push_back(AppendLog::id_type());
  spec.values = EntryBench::value();
  MapState map = MapState::open(all.backend(), std::move(spec), all.pool()).value();
  FoundEntries found;
  std::int64_t time = 0;
  std::int64_t joined = 0;
  std::int64_t sum = 0;
  const std::int64_t kept = std::max<std::int64_t>(1, bench.range(0) * 16 / kBatchRows);
  const auto column = [&](auto&& value_of) {
    ColumnBuilder builder(AppendLog::id_type(), all.pool());
    for (std::int64_t i = 0; i < kBatchRows; ++i) builder.append(value_of(i));
    return builder.finish().value();
  };
  const auto round = [&] {
    ++time;
    const KeyBatch keys = all.next();
    const Column entries[] = {column([&](std::int64_t) { return time; }),
                              column([&](std::int64_t i) { return time * kBatchRows + i; })};
    const Column from = column([&](std::int64_t) { return time - kept; });
    all.check(map.put(0, keys, entries, {&all.number(), 1}));
    all.check(map.rows().find_entries(0, {.keys = keys, .from = {{&from, 1}}}, found));
    joined += static_cast<std::int64_t>(found.values.size());
    for (std::byte* value : found.values) sum += map.values().number(value, 0);
    all.check(map.erase_range(0, {.keys = keys, .to = {{&from, 1}, false}}).status());
    all.release();
  };
  for (std::int64_t i = 0; i < 2 * kept; ++i) round();
  joined = 0;
  for (auto _ : bench) round();
  all.report();
  benchmark::DoNotOptimize(sum);
  bench.counters["joined_per_row"] =
      static_cast<double>(joined) / static_cast<double>(bench.iterations() * kBatchRows);
}
BENCHMARK(BM_interval)
    ->Args({1'000, 0})
    ->Args({100'000, 0})
    ->Args({100'000, 256})
    ->Args({20'000, 8});

// One key with so many entries: inserted in no order, and read by ranges of 16.
void BM_one_key_range(benchmark::State& bench) {
  EntryBench all(bench, std::int64_t{1} << 62);
  EntryStateSpec spec = all.spec();
  spec.key_types = {};
  spec.values = EntryBench::value();
  MapState map = MapState::open(all.backend(), std::move(spec), all.pool()).value();
  std::uint64_t hash = 0;
  hash_rows({}, 1, &hash);
  const std::vector<std::uint64_t> hashes(kBatchRows, hash);
  const auto keys = [&] {
    all.next();
    return KeyBatch{.columns = {}, .hashes = hashes.data(), .count = kBatchRows};
  };
  for (std::size_t i = 0; i < all.batches(); ++i) {
    const KeyBatch batch = keys();
    all.check(map.put(0, batch, {&all.number(), 1}, {&all.number(), 1}));
  }
  FoundEntries found;
  for (auto _ : bench) {
    const KeyBatch batch = keys();
    all.check(map.rows().find_entries(0, {.keys = batch, .from = {{&all.number(), 1}}, .limit = 16},
                                      found));
    std::int64_t sum = 0;
    for (std::byte* value : found.values) sum += map.values().number(value, 0);
    benchmark::DoNotOptimize(sum);
  }
  all.report();
}
BENCHMARK(BM_one_key_range)->Args({1, 0});

}  // namespace
}  // namespace clepsydra
