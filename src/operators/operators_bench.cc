// What operators cost per row.
#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "functions/function_registry.h"
#include "operators/operator_chain.h"
#include "operators/window/window_test_plans.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::aggregate_int;
using testing::count_star;
using testing::hop_window;
using testing::tumble_window;
using testing::WindowPlan;

constexpr std::int64_t kBatchRows = 4096;

class NullOutput final : public Output {
 public:
  Status emit(Batch batch) override {
    rows += batch.rows();
    return Status::ok();
  }
  std::int64_t rows = 0;
};

// A chain with a pool, a clock and an output.
class Bench {
 public:
  explicit Bench(std::vector<OperatorSpec> specs) {
    std::vector<OperatorChain::Link> links;
    for (OperatorSpec& spec : specs) {
      const int producer = static_cast<int>(links.size()) - 1;
      links.push_back({.spec = std::move(spec), .producer = producer});
    }
    const int last = static_cast<int>(links.size()) - 1;
    const OperatorChain::Wiring wiring{
        .context = [this](int, const OperatorSpec&) -> Result<OperatorContext> {
          backends_.push_back(
              StateBackendRegistry::built_in().make("hashmap", {.pool = pool_.get()}).value());
          OperatorContext context;
          context.pool = pool_.get();
          context.clock = &clock_;
          context.state = backends_.back().get();
          return context;
        },
        .outputs =
            [this, last](int op) {
              return op == last ? std::vector<Output*>{&output_} : std::vector<Output*>{};
            }};
    chain_ = OperatorChain::make(std::move(links), wiring, OperatorRegistry::built_in()).value();
  }

  void process(Batch batch) {
    Status status = chain_->process(0, std::move(batch));
    while (status.is_ok() && chain_->has_pending()) status = chain_->resume();
    if (!status.is_ok()) std::abort();
  }
  [[nodiscard]] std::int64_t rows_out() const { return output_.rows; }

 private:
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("bench");
  SimulatedClock clock_;
  std::vector<std::unique_ptr<KeyedStateBackend>> backends_;
  NullOutput output_;
  std::unique_ptr<OperatorChain> chain_;
};

// Bids of Nexmark at 100,000 events per second of event time: auction, bidder, price, time. Three
// of four come from the hot bidder of the time, the others from the last thousand persons.
class Bids {
 public:
  Bids() : schema_(testing::schema_of("bidder BIGINT, price INT, ts TIMESTAMP(3)")) {
    for (std::int64_t b = 0; b < kBatches; ++b) bidders_.push_back(bidders(b));
    ColumnBuilder prices(DataType::integer(), *pool_);
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      prices.append(static_cast<std::int32_t>(random_.uniform(1'000'000)));
    }
    prices_ = prices.finish().value();
  }

  // Batch `number`, with a watermark 4 s behind every 200 ms.
  Batch batch(std::int64_t number) {
    ColumnBuilder times(DataType::timestamp(3), *pool_);
    times.reserve(kBatchRows);
    std::vector<Mark> marks;
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      const std::int64_t time = (number * kBatchRows + i) * 50 / 46 / 100;
      times.append(time);
      if (time - 4000 - watermark_ > 200) {
        watermark_ = time - 4000;
        marks.push_back({.row = static_cast<std::int32_t>(i) + 1, .watermark = watermark_});
      }
    }
    Batch batch(
        schema_, kBatchRows,
        {bidders_[static_cast<std::size_t>(number % kBatches)], prices_, times.finish().value()});
    return batch.with_marks(std::move(marks));
  }

 private:
  static constexpr std::int64_t kBatches = 512;

  Column bidders(std::int64_t batch) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (std::int64_t i = 0; i < kBatchRows; ++i) {
      const auto person = (batch * kBatchRows + i) / 46 + 1000;
      builder.append(random_.uniform(4) > 0
                         ? person / 100 * 100 + 1
                         : person - static_cast<std::int64_t>(random_.uniform(1000)));
    }
    return builder.finish().value();
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("input");
  Random random_{1};
  SchemaPtr schema_;
  std::vector<Column> bidders_;
  Column prices_;
  std::int64_t watermark_ = -10'000;
};

void run_window(benchmark::State& state, WindowPlan plan, bool two_phase) {
  plan.input = "bidder BIGINT, price INT, ts TIMESTAMP(3)";
  Bench bench(testing::window_aggregate_specs(plan, two_phase));
  Bids bids;
  std::int64_t number = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Batch batch = bids.batch(number++);
    state.ResumeTiming();
    bench.process(std::move(batch));
  }
  state.SetItemsProcessed(state.iterations() * kBatchRows);
  state.counters["out_per_1000"] =
      static_cast<double>(bench.rows_out()) * 1000 / static_cast<double>(number * kBatchRows);
}

void BM_count_per_bidder_tumble(benchmark::State& state) {
  run_window(state, {.window = tumble_window(10'000), .aggregates = {count_star()}},
             state.range(0) == 2);
}
BENCHMARK(BM_count_per_bidder_tumble)->ArgName("phases")->Arg(1)->Arg(2);

void BM_five_aggregates_tumble(benchmark::State& state) {
  run_window(state,
             {.window = tumble_window(10'000),
              .aggregates = {count_star(), aggregate_int("SUM", 1), aggregate_int("MIN", 1),
                             aggregate_int("MAX", 1), aggregate_int("AVG", 1)}},
             state.range(0) == 2);
}
BENCHMARK(BM_five_aggregates_tumble)->ArgName("phases")->Arg(1)->Arg(2);

// Ten seconds sliding by two: subtracted for COUNT, two stacks for MAX.
void BM_hop_count(benchmark::State& state) {
  run_window(state, {.window = hop_window(10'000, 2'000), .aggregates = {count_star()}}, true);
}
BENCHMARK(BM_hop_count);

void BM_hop_max(benchmark::State& state) {
  run_window(state, {.window = hop_window(10'000, 2'000), .aggregates = {aggregate_int("MAX", 1)}},
             true);
}
BENCHMARK(BM_hop_max);

// WHERE price > 500000: price, bidder and price + 1 of half of the rows.
void BM_calc(benchmark::State& state) {
  const FunctionRegistry& functions = FunctionRegistry::built_in();
  const SchemaPtr input = testing::schema_of("bidder BIGINT, price INT, ts TIMESTAMP(3)");
  const ExpressionPtr price = Expression::column(1, input->field(1).type, "price");
  const ExpressionPtr bidder = Expression::column(0, input->field(0).type, "bidder");
  const ExpressionPtr filter = functions.resolve(">", {price, integer_literal(500'000)}).value();
  const std::vector<ExpressionPtr> projection = {
      price, bidder, functions.resolve("+", {price, integer_literal(1)}).value()};
  OperatorSpec spec;
  spec.kind = "calc";
  spec.name = "Calc";
  spec.inputs = {input};
  std::vector<Field> fields;
  ValueTree list = ValueTree::list();
  for (const ExpressionPtr& expression : projection) {
    fields.push_back({"c", expression->type(), {}});
    list.add(expression_to_tree(*expression));
  }
  spec.output = make_schema(std::move(fields));
  spec.options.set("filter", expression_to_tree(*filter));
  spec.options.set("projection", std::move(list));
  Bench bench({spec});
  Bids bids;
  const Batch batch = bids.batch(0);
  for (auto _ : state) bench.process(batch);
  state.SetItemsProcessed(state.iterations() * kBatchRows);
}
BENCHMARK(BM_calc);

}  // namespace
}  // namespace clepsydra
