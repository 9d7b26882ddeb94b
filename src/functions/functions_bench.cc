// Nanoseconds per row of typical expressions and aggregates, over batches of 4096 rows.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "functions/aggregate_function.h"
#include "functions/expression_program.h"
#include "functions/function_registry.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kRows = 4096;

MemoryPool& pool() {
  static const std::shared_ptr<MemoryPool> kPool = MemoryPool::make_root("bench");
  return *kPool;
}

// Columns: 0 a BIGINT, 1 b BIGINT, 2 x DOUBLE, 3 y DOUBLE, 4 n BIGINT with NULLs, 5 s STRING of 5
// to 30 bytes, 6 t TIMESTAMP(3).
Batch make_batch() {
  Random random(1);
  std::vector<Field> fields = {{"a", DataType::big_int().with_nullable(false), ""},
                               {"b", DataType::big_int().with_nullable(false), ""},
                               {"x", DataType::double_(), ""},
                               {"y", DataType::double_(), ""},
                               {"n", DataType::big_int(), ""},
                               {"s", DataType::string(), ""},
                               {"t", DataType::timestamp(3), ""}};
  std::vector<ColumnBuilder> builders;
  for (const Field& field : fields) builders.emplace_back(field.type, pool());
  for (std::int64_t row = 0; row < kRows; ++row) {
    builders[0].append<std::int64_t>(random.uniform_between(-1000, 1000));
    builders[1].append<std::int64_t>(random.uniform_between(1, 1000));
    builders[2].append<double>(random.uniform_double());
    builders[3].append<double>(random.uniform_double());
    if (row % 10 == 0) {
      builders[4].append_null();
    } else {
      builders[4].append<std::int64_t>(random.uniform_between(0, 100));
    }
    std::string text = "item-";
    for (std::int64_t i = random.uniform_between(0, 25); i > 0; --i) {
      text += static_cast<char>('a' + random.uniform(26));
    }
    builders[5].append_string(text);
    builders[6].append<std::int64_t>(1'600'000'000'000 + random.uniform_between(0, 1'000'000'000));
  }
  std::vector<Column> columns;
  for (ColumnBuilder& builder : builders) columns.push_back(builder.finish().value());
  return Batch(make_schema(std::move(fields)), kRows, std::move(columns));
}

const Batch& input() {
  static const Batch kBatch = make_batch();
  return kBatch;
}

ExpressionPtr column(int i) {
  const Field& field = input().schema()->field(i);
  return Expression::column(i, field.type, field.name);
}

ExpressionPtr call(std::string_view name, std::vector<ExpressionPtr> arguments) {
  return FunctionRegistry::built_in().resolve(name, std::move(arguments)).value();
}

ExpressionPtr cast(ExpressionPtr value, const DataType& type) {
  return FunctionRegistry::built_in().cast(std::move(value), type, false).value();
}

void run(benchmark::State& state, const ExpressionPtr& expression) {
  ExpressionProgram program =
      ExpressionProgram::make(std::vector<ExpressionPtr>{expression}, {.pool = &pool()}).value();
  const bool is_filter = state.range(0) != 0;
  for (auto _ : state) {
    if (is_filter) {
      benchmark::DoNotOptimize(program.select(input()).value().size());
    } else {
      benchmark::DoNotOptimize(program.evaluate(input()).value().size());
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kRows);
}

void add(const char* name, const ExpressionPtr& expression, bool is_filter = false) {
  benchmark::RegisterBenchmark(name, [expression](benchmark::State& state) {
    run(state, expression);
  })->Arg(is_filter ? 1 : 0);
}

void run_aggregate(benchmark::State& state, const char* function, int argument, bool distinct) {
  const std::vector<DataType> types = {input().column(argument).type()};
  const auto resolved = FunctionRegistry::built_in()
                            .resolve_aggregate(function, {column(argument)}, distinct)
                            .value();
  AggregateFunctionPtr aggregate = make_aggregate(function, types, resolved.type, distinct).value();
  constexpr std::size_t kGroups = 100;
  const auto bytes = static_cast<std::size_t>(aggregate->state_bytes());
  std::vector<std::byte> memory(kGroups * bytes + 8);
  std::vector<std::byte*> states;
  Random random(2);
  for (std::int64_t row = 0; row < kRows; ++row)
    states.push_back(memory.data() + random.uniform(kGroups) * bytes);
  PoolStateAllocator allocator(pool());
  const Column& values = input().column(argument);
  for (auto _ : state) {
    const Status status =
        aggregate->update({.states = states, .arguments = {&values, 1}}, allocator);
    benchmark::DoNotOptimize(status.is_ok());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kRows);
}

void add_aggregate(const char* name, const char* function, int argument, bool distinct = false) {
  benchmark::RegisterBenchmark(
      name, [=](benchmark::State& state) { run_aggregate(state, function, argument, distinct); });
}

void register_all() {
  const ExpressionPtr a = column(0);
  const ExpressionPtr b = column(1);
  const ExpressionPtr s = column(5);
  add("add_bigint", call("+", {a, b}));
  add("add_bigint_constant", call("+", {a, big_int_literal(5)}));
  add("multiply_double", call("*", {column(2), column(3)}));
  add("add_bigint_nullable", call("+", {a, column(4)}));
  add("divide_bigint", call("/", {a, b}));
  add("remainder_bigint_constant", call("%", {a, big_int_literal(123)}));
  add("less_bigint", call("<", {a, b}));
  add("filter_bigint", call(">", {a, big_int_literal(0)}), true);
  add("filter_and",
      call("AND", {call(">", {a, big_int_literal(0)}), call("<", {b, big_int_literal(500)})}),
      true);
  add("filter_and_lazy",
      call("AND", {call(">", {a, big_int_literal(0)}),
                   call(">", {call("/", {big_int_literal(1000), b}), big_int_literal(5)})}),
      true);
  add("filter_text_equal", call("=", {s, text_literal("item-abc")}), true);
  add("filter_like", call("LIKE", {s, text_literal("item-%a%")}), true);
  add("case_three_ways", call("CASE", {call("<", {a, big_int_literal(-300)}), text_literal("low"),
                                       call("<", {a, big_int_literal(300)}), text_literal("middle"),
                                       text_literal("high")}));
  add("coalesce", call("COALESCE", {column(4), big_int_literal(0)}));
  add("upper", call("UPPER", {s}));
  add("substring", call("SUBSTRING", {s, integer_literal(3), integer_literal(20)}));
  add("concat", call("||", {s, text_literal(" for sale")}));
  add("char_length", call("CHAR_LENGTH", {s}));
  add("split_index", call("SPLIT_INDEX", {s, text_literal("-"), integer_literal(1)}));
  add("regexp_extract",
      call("REGEXP_EXTRACT", {s, text_literal("([a-z]+)-(.*)"), integer_literal(2)}));
  add("cast_bigint_to_text", cast(a, DataType::string()));
  add("cast_timestamp_to_text", cast(column(6), DataType::string()));
  add("cast_bigint_to_decimal", cast(a, DataType::decimal(10, 2)));
  add("decimal_product",
      call("*", {cast(a, DataType::decimal(10, 2)), cast(b, DataType::decimal(10, 2))}));
  add("extract_hour", call("EXTRACT_HOUR", {column(6)}));
  add("date_format", call("DATE_FORMAT", {column(6), text_literal("yyyy-MM-dd")}));
  add_aggregate("count", "COUNT", 0);
  add_aggregate("sum_bigint", "SUM", 0);
  add_aggregate("sum_bigint_nullable", "SUM", 4);
  add_aggregate("avg_double", "AVG", 2);
  add_aggregate("max_text", "MAX", 5);
  add_aggregate("count_distinct_bigint", "COUNT", 0, true);
  add_aggregate("count_distinct_text", "COUNT", 5, true);
}

const bool kRegistered = [] {
  register_all();
  return true;
}();

}  // namespace
}  // namespace clepsydra
