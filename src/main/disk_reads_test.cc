// Tasks whose state is on a disk that takes its time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory_pool.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "main/local_cluster.h"
#include "main/test_cluster.h"
#include "operators/operator_registry.h"
#include "state/local_stores.h"
#include "state/row_states.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using testing::Collected;
using testing::JobBuilder;
using testing::lines_of_rows;
using testing::read_all;
using testing::RowsSource;
using testing::sorted;
using testing::TestConnectors;

constexpr std::int64_t kKeys = 40'000;

// Gives each row with the number of its key's rows so far in the place of `v`.
class CountRows final : public Operator {
 public:
  CountRows(std::unique_ptr<RowInHand> row, RowValue<std::int64_t> count, OperatorContext& context)
      : row_(std::move(row)), count_(std::move(count)), context_(&context) {}

  Status process(int /*input*/, Batch batch, Output& output) override {
    const Column& keys = batch.column(0);
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(batch.rows()));
    hash_rows({&keys, 1}, batch.rows(), hashes.data());
    const KeyBatch all{.columns = {&keys, 1}, .hashes = hashes.data(), .count = batch.rows()};
    ColumnBuilder counts(DataType::big_int(), *context_->pool);
    for (std::int64_t i = 0; i < batch.rows(); ++i) {
      row_->set(all, i);
      CLP_ASSIGN_OR_RETURN(const std::optional<std::int64_t> before, count_.get());
      const std::int64_t count = before.value_or(0) + 1;
      CLP_RETURN_IF_ERROR(count_.set(count));
      counts.append(count);
    }
    std::vector<Column> columns = batch.columns();
    CLP_ASSIGN_OR_RETURN(columns[1], counts.finish());
    return output.emit(batch.with_columns(batch.schema(), std::move(columns)));
  }

 private:
  std::unique_ptr<RowInHand> row_;
  RowValue<std::int64_t> count_;
  OperatorContext* context_;
};

Result<OperatorPtr> make_count_rows(const OperatorSpec& /*spec*/, OperatorContext& context) {
  auto row = std::make_unique<RowInHand>(
      *context.state, std::vector{DataType::big_int().with_nullable(false)}, *context.pool);
  CLP_ASSIGN_OR_RETURN(RowValue<std::int64_t> count, RowValue<std::int64_t>::open(*row, "counts"));
  return std::make_unique<CountRows>(std::move(row), std::move(count), context);
}

// Whoever reads waits as long as `is_held`. Threads: any.
struct Gate {
  Mutex mutex;
  CondVar changed;
  bool is_held CLP_GUARDED_BY(mutex) = true;
  int waiting CLP_GUARDED_BY(mutex) = 0;

  void pass() {
    const MutexLock lock(mutex);
    ++waiting;
    changed.notify_all();
    while (is_held) changed.wait(mutex);
  }
  void open() {
    const MutexLock lock(mutex);
    is_held = false;
    changed.notify_all();
  }
  // False: nobody has come within a minute.
  bool await_somebody() {
    const MutexLock lock(mutex);
    const SystemClock clock;
    const std::int64_t until_ns = clock.monotonic_ns() + 60'000'000'000;
    while (waiting == 0 && clock.monotonic_ns() < until_ns) {
      changed.wait_for(mutex, until_ns - clock.monotonic_ns());
    }
    return waiting > 0;
  }
};

class HeldStore final : public LocalStore {
 public:
  HeldStore(std::unique_ptr<LocalStore> inner, Gate& gate)
      : inner_(std::move(inner)), gate_(&gate) {}
  Status multi_get(std::span<const std::string_view> keys, StoreValues& values) override {
    gate_->pass();
    return inner_->multi_get(keys, values);
  }
  Status write(const StoreWrites& writes) override { return inner_->write(writes); }
  Status scan(std::string_view begin, std::string_view end, const ScanLimits& limits,
              std::vector<StoreEntry>& entries) override {
    return inner_->scan(begin, end, limits, entries);
  }
  Status checkpoint(std::string_view directory) override { return inner_->checkpoint(directory); }
  Status close() override { return inner_->close(); }

 private:
  std::unique_ptr<LocalStore> inner_;
  Gate* gate_;
};

class HeldStores final : public LocalStores {
 public:
  explicit HeldStores(Gate& gate) : gate_(&gate) {}
  Result<std::unique_ptr<LocalStore>> open(std::string_view name,
                                           const LocalStoreOptions& options) override {
    CLP_ASSIGN_OR_RETURN(std::unique_ptr<LocalStore> store, inner_->open(name, options));
    return std::make_unique<HeldStore>(std::move(store), *gate_);
  }
  Result<std::unique_ptr<LocalStore>> open_copy(std::string_view directory,
                                                const LocalStoreOptions& options) override {
    return inner_->open_copy(directory, options);
  }
  Status remove(std::string_view name) override { return inner_->remove(name); }

 private:
  const std::unique_ptr<LocalStores> inner_ = make_memory_stores();
  Gate* gate_;
};

// Each key comes several times, so that it has left memory before it is counted again.
RowsSource many_keys() {
  return {.rows = 3 * kKeys, .keys = kKeys};
}

void add_counting_job(JobBuilder& job) {
  const int source = job.source(many_keys());
  OperatorSpec spec;
  spec.kind = "count_rows";
  spec.name = "count";
  spec.inputs = {job.output_of(source)};
  spec.output = job.output_of(source);
  job.collect(job.then(source, std::move(spec), Partitioning::kHash), "result");
  job.set("state.backend.type", "rocksdb");
  job.set("state.backend.rocksdb.memory.fixed-per-slot", "4 mb");
}

// Of each key, 1, 2 and 3, in this order.
void expect_counted(const Collected& result) {
  ASSERT_EQ(result.lines.size(), 3 * kKeys);
  std::map<std::string, int> counts;
  for (const std::string& line : result.lines) {
    const std::size_t bar = line.find(" | ");
    const std::string key = line.substr(0, bar);
    ASSERT_EQ(line.substr(bar + 3, line.find(" | ", bar + 3) - bar - 3),
              std::to_string(++counts[key]));
  }
  EXPECT_EQ(counts.size(), kKeys);
}

TEST(DiskReadsTest, a_task_that_waits_for_its_disk_leaves_the_thread_to_others) {
  Gate gate;
  HeldStores stores(gate);
  OperatorRegistry operators = OperatorRegistry::built_in();
  operators.add({.kind = "count_rows", .make = make_count_rows});
  const TestConnectors connectors;
  LocalClusterOptions options;
  options.connectors = &connectors;
  options.worker_threads = 1;
  options.local_stores = &stores;
  options.operators = &operators;
  const auto cluster = LocalCluster::make(std::move(options)).value();

  JobBuilder counting;
  add_counting_job(counting);
  const JobId slow = cluster->submit(counting.build()).value();
  const auto slow_reader = cluster->fetch_results(slow, "result").value();
  Result<Collected> counted = Collected();
  // Its results are taken, so that nothing but the disk holds it up.
  std::thread reading([&] { counted = read_all(*slow_reader); });
  EXPECT_TRUE(gate.await_somebody());

  JobBuilder other;
  const RowsSource rows{.rows = 5000};
  other.collect(other.source(rows), "result", Partitioning::kForward);
  const JobId quick = cluster->submit(other.build()).value();
  const Result<Collected> collected = read_all(*cluster->fetch_results(quick, "result").value());
  const JobPhase slow_phase = cluster->status(slow)->phase;
  gate.open();
  reading.join();

  ASSERT_TRUE(collected.is_ok()) << collected.status().to_string();
  EXPECT_EQ(sorted(collected->lines), lines_of_rows(rows));
  EXPECT_EQ(slow_phase, JobPhase::kRunning);
  ASSERT_TRUE(counted.is_ok()) << counted.status().to_string();
  expect_counted(*counted);
}

}  // namespace
}  // namespace clepsydra
