// Keyed rows by batch: what an upsert costs, by number of keys.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kBatchRows = 4096;

// Batches of random keys below `keys`.
std::vector<Column> random_batches(std::int64_t keys, std::int64_t batches, MemoryPool& pool) {
  Random random(1);
  std::vector<Column> columns;
  for (std::int64_t b = 0; b < batches; ++b) {
    ColumnBuilder builder(DataType::big_int(), pool);
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      builder.append(
          static_cast<std::int64_t>(random.next_u64() % static_cast<std::uint64_t>(keys)));
    }
    columns.push_back(builder.finish().value());
  }
  return columns;
}

// The number of a row is its value.
class NumberCodec final : public RowValueCodec {
 public:
  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override {
    ColumnBuilder builder(fields_[0].type, pool);
    builder.reserve(static_cast<std::int64_t>(values.size()));
    for (const std::byte* value : values) {
      builder.append(*reinterpret_cast<const std::int64_t*>(value));
    }
    CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
    out.push_back(std::move(column));
    return Status::ok();
  }
  Status read(std::span<const Column> columns, std::span<std::byte* const> values,
              StateMemory& /*memory*/) override {
    for (std::size_t i = 0; i < values.size(); ++i) {
      *reinterpret_cast<std::int64_t*>(values[i]) = columns[0].values<std::int64_t>()[i];
    }
    return Status::ok();
  }
  void clear(std::span<std::byte* const> values, StateMemory& /*memory*/) override {
    for (std::byte* value : values) *reinterpret_cast<std::int64_t*>(value) = 0;
  }

 private:
  const std::vector<Field> fields_ = {{"count", DataType::big_int().with_nullable(false), {}}};
};

KeyedRowsSpec count_spec() {
  return {.name = "count",
          .key_types = {DataType::big_int()},
          .codec = std::make_shared<NumberCodec>()};
}

std::int64_t thread_cpu_ns() {
  timespec time{};
  CLP_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// Hash, find or insert, add one: a COUNT(*) by BIGINT key.
class Upserts {
 public:
  Upserts(benchmark::State& bench, KeyedRows& rows, MemoryPool& pool, std::int64_t batches = 256)
      : bench_(&bench), rows_(&rows), batches_(random_batches(bench.range(0), batches, pool)) {}

  void all() {
    for (std::size_t i = 0; i < batches_.size(); ++i) next();
  }
  void next() {
    const Column& column = batches_[next_++ % batches_.size()];
    hash_rows({&column, 1}, kBatchRows, hashes_.data());
    const Status status = rows_->find_or_insert(
        0, {.columns = {&column, 1}, .hashes = hashes_.data(), .count = kBatchRows}, values_);
    if (!status.is_ok()) bench_->SkipWithError("state");
    for (std::byte* value : values_) ++*reinterpret_cast<std::int64_t*>(value);
  }
  void report() const {
    const std::int64_t rows = bench_->iterations() * kBatchRows;
    bench_->SetItemsProcessed(rows);
    bench_->counters["ns_per_row"] =
        benchmark::Counter(static_cast<double>(rows) * 1e-9,
                           benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  }

 private:
  benchmark::State* bench_;
  KeyedRows* rows_;
  std::vector<Column> batches_;
  std::size_t next_ = 0;
  std::vector<std::uint64_t> hashes_ = std::vector<std::uint64_t>(kBatchRows);
  std::vector<std::byte*> values_ = std::vector<std::byte*>(kBatchRows);
};

void BM_upsert_big_int(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  Upserts upserts(bench, *backend->open_rows(count_spec()).value(), *pool);
  upserts.all();
  for (auto _ : bench) upserts.next();
  upserts.report();
}
BENCHMARK(BM_upsert_big_int)->Arg(1'000)->Arg(20'000)->Arg(200'000)->Arg(1'000'000);

// The same of a state whose rows expire, with a clean-up after each batch.
void BM_upsert_big_int_with_ttl(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  const SystemClock clock;
  auto backend = StateBackendRegistry::built_in()
                     .make("hashmap", {.pool = pool.get(), .clock = &clock})
                     .value();
  KeyedRowsSpec spec = count_spec();
  spec.ttl.ttl_ms = 3'600'000;
  Upserts upserts(bench, *backend->open_rows(std::move(spec)).value(), *pool);
  upserts.all();
  for (auto _ : bench) {
    upserts.next();
    if (!backend->release_rows().is_ok()) bench.SkipWithError("clean-up");
  }
  upserts.report();
}
BENCHMARK(BM_upsert_big_int_with_ttl)->Arg(1'000)->Arg(20'000)->Arg(200'000)->Arg(1'000'000);

// Every key is there, in no order; then updates. Counts what a row takes, and, while they come, the
// longest calls that insert 64 rows, in CPU time.
void BM_upsert_of_all_keys(benchmark::State& bench) {
  constexpr std::int64_t kRows = 64;
  const std::int64_t keys = bench.range(0);
  const auto pool = MemoryPool::make_root("bench");
  const auto state_pool = pool->make_child("state");
  auto backend =
      StateBackendRegistry::built_in().make("hashmap", {.pool = state_pool.get()}).value();
  KeyedRows& rows = *backend->open_rows(count_spec()).value();
  std::vector<std::int64_t> calls_ns;
  calls_ns.reserve(static_cast<std::size_t>(keys / kRows));
  std::vector<std::uint64_t> hashes(kRows);
  std::vector<std::byte*> values(kRows);
  for (std::int64_t begin = 0; begin + kRows <= keys; begin += kRows) {
    ColumnBuilder builder(DataType::big_int(), *pool);
    // An odd factor: each key once.
    for (std::int64_t i = begin; i < begin + kRows; ++i) builder.append(i * 0x9E3779B1 % keys);
    const Column column = builder.finish().value();
    hash_rows({&column, 1}, kRows, hashes.data());
    const std::int64_t begin_ns = thread_cpu_ns();
    CLP_CHECK(rows.find_or_insert(
                      0, {.columns = {&column, 1}, .hashes = hashes.data(), .count = kRows}, values)
                  .is_ok());
    calls_ns.push_back(thread_cpu_ns() - begin_ns);
  }
  bench.counters["bytes_per_row"] =
      static_cast<double>(state_pool->used_bytes()) / static_cast<double>(rows.row_count(0));
  std::sort(calls_ns.begin(), calls_ns.end());
  bench.counters["longest_us"] = static_cast<double>(calls_ns.back()) / 1e3;
  bench.counters["p99.99_us"] =
      static_cast<double>(calls_ns[calls_ns.size() - 1 - calls_ns.size() / 10'000]) / 1e3;
  Upserts upserts(bench, rows, *pool, 2048);
  for (auto _ : bench) upserts.next();
  upserts.report();
}
BENCHMARK(BM_upsert_of_all_keys)->Arg(1'000'000)->Arg(20'000'000);

// A checkpoint begins after every 500 batches and is written along, 1000 rows per batch.
void BM_upsert_big_int_beside_checkpoints(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  Upserts upserts(bench, *backend->open_rows(count_spec()).value(), *pool);
  upserts.all();
  std::unique_ptr<StateSnapshot> snapshot;
  std::string bytes;
  std::int64_t batches = 0;
  std::int64_t written = 0;
  for (auto _ : bench) {
    if (batches++ % 500 == 0 && snapshot == nullptr) snapshot = backend->freeze(false).value();
    if (snapshot != nullptr && snapshot->write_some(1000, bytes).value()) {
      snapshot.reset();
      backend->confirm(true);
    }
    written += static_cast<std::int64_t>(bytes.size());
    bytes.clear();
    upserts.next();
  }
  upserts.report();
  bench.counters["bytes_per_row"] =
      static_cast<double>(written) / static_cast<double>(bench.iterations() * kBatchRows);
}
BENCHMARK(BM_upsert_big_int_beside_checkpoints)->Arg(20'000)->Arg(1'000'000);

// A base of all rows, and restoring it.
void BM_write_base(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  KeyedRows& rows = *backend->open_rows(count_spec()).value();
  Upserts(bench, rows, *pool).all();
  std::int64_t written = 0;
  for (auto _ : bench) {
    auto snapshot = backend->freeze(true).value();
    std::string bytes;
    while (!snapshot->write_some(1000, bytes).value()) {
      written += static_cast<std::int64_t>(bytes.size());
      bytes.clear();
    }
    written += static_cast<std::int64_t>(bytes.size());
  }
  bench.SetItemsProcessed(bench.iterations() * rows.row_count(0));
  bench.SetBytesProcessed(written);
}
BENCHMARK(BM_write_base)->Arg(20'000)->Arg(1'000'000);

void BM_restore_base(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  KeyedRows& rows = *backend->open_rows(count_spec()).value();
  Upserts(bench, rows, *pool).all();
  std::string bytes;
  auto snapshot = backend->freeze(true).value();
  while (!snapshot->write_some(1000, bytes).value()) {
  }
  for (auto _ : bench) {
    auto copy = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
    RestoredState state;
    state.parts.push_back({.snapshots = {SnapshotBytes(bytes)}});
    if (!copy->restore(std::move(state)).is_ok() || !copy->open_rows(count_spec()).is_ok()) {
      bench.SkipWithError("restore");
    }
  }
  bench.SetItemsProcessed(bench.iterations() * rows.row_count(0));
}
BENCHMARK(BM_restore_base)->Arg(20'000)->Arg(1'000'000);

// A slice of 20,000 keys comes and goes.
void BM_fill_and_drop_namespace(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  const auto batches = random_batches(20'000, 16, *pool);
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  KeyedRows* rows =
      backend->open_rows({.name = "count", .key_types = {DataType::big_int()}}).value();
  std::vector<std::uint64_t> hashes(kBatchRows);
  std::vector<std::byte*> values(kBatchRows);
  StateNamespace ns = 0;
  for (auto _ : bench) {
    for (const Column& column : batches) {
      hash_rows({&column, 1}, kBatchRows, hashes.data());
      const Status status = rows->find_or_insert(
          ns, {.columns = {&column, 1}, .hashes = hashes.data(), .count = kBatchRows}, values);
      if (!status.is_ok()) bench.SkipWithError("state");
    }
    rows->drop(ns++);
  }
  bench.SetItemsProcessed(bench.iterations() * kBatchRows * 16);
}
BENCHMARK(BM_fill_and_drop_namespace);

}  // namespace
}  // namespace clepsydra
