// State on local disk beside RocksDB used directly: one get and one put per row.
#include <benchmark/benchmark.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/local_file_system.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "state/local_stores.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kBatchRows = 4096;
constexpr std::int64_t kBatches = 256;
// Of the rows of the benchmarks with little memory.
constexpr std::int64_t kRowBytes = 16;
constexpr std::int64_t kMuch = 1 << 30;

// Ranks from 0 with a probability that falls with the power 0.99 (J. Gray et al., "Quickly
// Generating Billion-Record Synthetic Databases", 1994), scattered over all keys.
class ZipfKeys {
 public:
  explicit ZipfKeys(std::int64_t keys) : keys_(static_cast<double>(keys)) {
    for (std::int64_t i = 1; i <= keys; ++i) zeta_ += std::pow(static_cast<double>(i), -kTheta);
    eta_ = (1 - std::pow(2 / keys_, 1 - kTheta)) / (1 - (1 + std::pow(0.5, kTheta)) / zeta_);
  }
  std::int64_t next(Random& random) const {
    const double u = random.uniform_double();
    std::uint64_t rank = 0;
    if (u * zeta_ >= 1 + std::pow(0.5, kTheta)) {
      rank = static_cast<std::uint64_t>(keys_ * std::pow(eta_ * u - eta_ + 1, 1 / (1 - kTheta)));
    } else if (u * zeta_ >= 1) {
      rank = 1;
    }
    return static_cast<std::int64_t>(mix64(rank) % static_cast<std::uint64_t>(keys_));
  }

 private:
  static constexpr double kTheta = 0.99;
  double keys_;
  double zeta_ = 0;
  double eta_ = 0;
};

// The counter of a key, in place.
class CounterCodec final : public RowValueCodec {
 public:
  [[nodiscard]] const std::vector<Field>& fields() const override { return fields_; }
  [[nodiscard]] bool is_flat() const override { return true; }
  Status write(std::span<std::byte* const> values, MemoryPool& pool,
               std::vector<Column>& out) override {
    ColumnBuilder builder(fields_[0].type, pool);
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
      std::memcpy(values[i], columns[0].values<std::int64_t>() + i, 8);
    }
    return Status::ok();
  }
  void clear(std::span<std::byte* const> values, StateMemory& /*memory*/) override {
    for (std::byte* value : values) std::memset(value, 0, 8);
  }

 private:
  const std::vector<Field> fields_ = {{"count", DataType::big_int().with_nullable(false), {}}};
};

std::vector<Column> make_batches(std::int64_t keys, bool is_zipf, MemoryPool& pool) {
  Random random(1);
  const ZipfKeys zipf(is_zipf ? keys : 2);
  std::vector<Column> batches;
  for (std::int64_t b = 0; b < kBatches; ++b) {
    ColumnBuilder builder(DataType::big_int(), pool);
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      builder.append(
          is_zipf ? zipf.next(random)
                  : static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(keys))));
    }
    batches.push_back(builder.finish().value());
  }
  return batches;
}

// Every key once.
std::vector<Column> make_all_keys(std::int64_t keys, MemoryPool& pool) {
  std::vector<Column> batches;
  for (std::int64_t begin = 0; begin < keys; begin += kBatchRows) {
    ColumnBuilder builder(DataType::big_int(), pool);
    for (std::int64_t i = begin; i < std::min(keys, begin + kBatchRows); ++i) builder.append(i);
    batches.push_back(builder.finish().value());
  }
  return batches;
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(make_temporary_directory("rocksdb_bench_").value()) {}
  ~TemporaryDirectory() { static_cast<void>(files_.remove_all(path_)); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  LocalFileSystem& files() { return files_; }

 private:
  LocalFileSystem files_;
  const std::string path_;
};

void count(KeyedRows& rows, const Column& column, std::vector<std::uint64_t>& hashes,
           std::vector<std::byte*>& values) {
  hash_rows({&column, 1}, column.length(), hashes.data());
  const Status status = rows.find_or_insert(
      0, {.columns = {&column, 1}, .hashes = hashes.data(), .count = column.length()}, values);
  CLP_CHECK_MSG(status.is_ok(), status.to_string());
  for (std::int64_t i = 0; i < column.length(); ++i) {
    ++*reinterpret_cast<std::int64_t*>(values[static_cast<std::size_t>(i)]);
  }
  CLP_CHECK(rows.release_rows().is_ok());
}

// Memory as the settings divide it: half for rows, a quarter each for blocks and write buffers.
void BM_backend(benchmark::State& bench, bool is_zipf, std::int64_t memory_bytes) {
  TemporaryDirectory directory;
  const auto stores = make_rocksdb_stores(directory.path() + "/stores", directory.files()).value();
  const auto pool = MemoryPool::make_root("bench");
  StateBackendOptions options{.pool = pool.get()};
  options.local.stores = stores.get();
  options.local.name = "bench";
  options.local.cached_bytes = memory_bytes / 2;
  options.local.store.memory = {.block_cache_bytes = memory_bytes / 4,
                                .write_buffer_bytes = memory_bytes / 4};
  auto backend = StateBackendRegistry::built_in().make("rocksdb", options).value();
  KeyedRows& rows = *backend
                         ->open_rows({.name = "count",
                                      .key_types = {DataType::big_int()},
                                      .codec = std::make_shared<CounterCodec>()})
                         .value();
  std::vector<std::uint64_t> hashes(kBatchRows);
  std::vector<std::byte*> values(kBatchRows);
  for (const Column& column : make_all_keys(bench.range(0), *pool)) {
    count(rows, column, hashes, values);
  }
  const std::vector<Column> batches = make_batches(bench.range(0), is_zipf, *pool);
  std::size_t next = 0;
  for (auto _ : bench) count(rows, batches[next++ % batches.size()], hashes, values);
  bench.SetItemsProcessed(bench.iterations() * kBatchRows);
}

void BM_direct(benchmark::State& bench, bool is_zipf, std::int64_t memory_bytes) {
  TemporaryDirectory directory;
  const auto pool = MemoryPool::make_root("bench");
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = static_cast<std::size_t>(memory_bytes / 4);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(static_cast<std::size_t>(memory_bytes / 2));
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::DB* opened = nullptr;
  CLP_CHECK(rocksdb::DB::Open(options, directory.path() + "/direct", &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  rocksdb::WriteOptions without_log;
  without_log.disableWAL = true;
  std::string value;
  const auto count_directly = [&](const Column& column) {
    const auto* keys = column.values<std::int64_t>();
    for (std::int64_t i = 0; i < column.length(); ++i) {
      const rocksdb::Slice key(reinterpret_cast<const char*>(keys + i), 8);
      std::int64_t number = 0;
      if (db->Get({}, key, &value).ok()) std::memcpy(&number, value.data(), 8);
      ++number;
      CLP_CHECK(
          db->Put(without_log, key, {reinterpret_cast<const char*>(&number), sizeof(number)}).ok());
    }
  };
  for (const Column& column : make_all_keys(bench.range(0), *pool)) count_directly(column);
  const std::vector<Column> batches = make_batches(bench.range(0), is_zipf, *pool);
  std::size_t next = 0;
  for (auto _ : bench) count_directly(batches[next++ % batches.size()]);
  bench.SetItemsProcessed(bench.iterations() * kBatchRows);
}

void BM_backend_all_in_memory(benchmark::State& bench) {
  BM_backend(bench, false, kMuch);
}
BENCHMARK(BM_backend_all_in_memory)->Arg(1'000'000)->MeasureProcessCPUTime();

void BM_direct_all_in_memory(benchmark::State& bench) {
  BM_direct(bench, false, kMuch);
}
BENCHMARK(BM_direct_all_in_memory)->Arg(1'000'000)->MeasureProcessCPUTime();

// State of four times its memory.
void BM_backend_zipf(benchmark::State& bench) {
  BM_backend(bench, true, bench.range(0) * kRowBytes / 4);
}
BENCHMARK(BM_backend_zipf)->Arg(500'000)->Arg(2'000'000)->MeasureProcessCPUTime();

void BM_direct_zipf(benchmark::State& bench) {
  BM_direct(bench, true, bench.range(0) * kRowBytes / 4);
}
BENCHMARK(BM_direct_zipf)->Arg(500'000)->Arg(2'000'000)->MeasureProcessCPUTime();

}  // namespace
}  // namespace clepsydra
