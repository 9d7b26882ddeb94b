// Keyed rows by batch: what an upsert costs, by number of keys.
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

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

// Hash, find or insert, add one: a COUNT(*) by BIGINT key.
void BM_upsert_big_int(benchmark::State& bench) {
  const auto pool = MemoryPool::make_root("bench");
  const auto batches = random_batches(bench.range(0), 256, *pool);
  auto backend = StateBackendRegistry::built_in().make("hashmap", {.pool = pool.get()}).value();
  KeyedRows* rows =
      backend->open_rows({.name = "count", .key_types = {DataType::big_int()}}).value();
  std::vector<std::uint64_t> hashes(kBatchRows);
  std::vector<std::byte*> values(kBatchRows);
  const auto run = [&](const Column& column) {
    hash_rows({&column, 1}, kBatchRows, hashes.data());
    const Status status = rows->find_or_insert(
        0, {.columns = {&column, 1}, .hashes = hashes.data(), .count = kBatchRows}, values);
    if (!status.is_ok()) bench.SkipWithError("state");
    for (std::byte* value : values) ++*reinterpret_cast<std::int64_t*>(value);
  };
  for (const Column& column : batches) run(column);
  std::size_t next = 0;
  for (auto _ : bench) run(batches[next++ % batches.size()]);
  bench.SetItemsProcessed(bench.iterations() * kBatchRows);
  bench.counters["ns_per_row"] =
      benchmark::Counter(static_cast<double>(bench.iterations() * kBatchRows) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_upsert_big_int)->Arg(1'000)->Arg(20'000)->Arg(200'000)->Arg(1'000'000);

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
