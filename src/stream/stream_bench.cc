// Costs of the data plane, one thread. Batches have three BIGINT and two STRING columns (8 to 24
// bytes, half of them inline); the time per item is the time per input row.
#include <benchmark/benchmark.h>

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/random.h"
#include "stream/batch.h"
#include "stream/batch_codec.h"
#include "stream/key_group.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kRows = 4096;

MemoryPool& pool() {
  static auto* const kPool = new std::shared_ptr<MemoryPool>(MemoryPool::make_root("bench"));
  return **kPool;
}

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = make_schema({{"a", DataType::big_int(), ""},
                                                {"b", DataType::big_int(), ""},
                                                {"c", DataType::big_int(), ""},
                                                {"d", DataType::string(), ""},
                                                {"e", DataType::string(), ""}});
  return kSchema;
}

Batch make_batch(std::uint64_t seed = 1) {
  Random random(seed);
  BatchBuilder builder(schema(), pool());
  for (std::int64_t row = 0; row < kRows; ++row) {
    for (int c = 0; c < 3; ++c) builder.column(c).append(random.uniform_between(0, 1'000'000));
    for (int c = 3; c < 5; ++c) {
      builder.column(c).append_string(std::string(8 + random.uniform(17), 'x'));
    }
    builder.commit_row();
  }
  return builder.finish().value();
}

void set_rows(benchmark::State& state, std::int64_t rows_each) {
  state.SetItemsProcessed(state.iterations() * rows_each);
  state.counters["ns_per_row"] =
      benchmark::Counter(static_cast<double>(state.iterations() * rows_each) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Filter (a < bound) and gather.
void select_rows(benchmark::State& state) {
  const Batch batch = make_batch();
  const std::int64_t bound = 10'000 * state.range(0);
  std::vector<std::int32_t> rows(static_cast<std::size_t>(kRows));
  for (auto _ : state) {
    const auto* values = batch.column(0).values<std::int64_t>();
    std::size_t kept = 0;
    for (std::int32_t row = 0; row < kRows; ++row) {
      rows[kept] = row;
      kept += values[row] < bound ? 1 : 0;
    }
    benchmark::DoNotOptimize(batch.select({rows.data(), kept}, pool()));
  }
  set_rows(state, kRows);
}
BENCHMARK(select_rows)->ArgName("percent")->Arg(10)->Arg(50)->Arg(90);

// Hashes the key, sorts the rows by channel, appends to one open batch per channel.
void partition(benchmark::State& state) {
  const Batch batch = make_batch();
  const auto channels = static_cast<std::size_t>(state.range(0));
  std::vector<BatchBuilder> open;
  for (std::size_t c = 0; c < channels; ++c) open.emplace_back(schema(), pool());
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(kRows));
  std::vector<std::vector<std::int32_t>> rows(channels);
  for (auto& list : rows) list.resize(static_cast<std::size_t>(kRows));
  for (auto _ : state) {
    hash_rows({&batch.column(0), 1}, kRows, hashes.data());
    std::vector<std::size_t> counts(channels);
    for (std::int32_t row = 0; row < kRows; ++row) {
      const int group = key_group_of(hashes[static_cast<std::size_t>(row)], kDefaultMaxParallelism);
      const auto channel = static_cast<std::size_t>(
          subtask_of_key_group(group, kDefaultMaxParallelism, static_cast<int>(channels)));
      rows[channel][counts[channel]++] = row;
    }
    for (std::size_t c = 0; c < channels; ++c) {
      open[c].append_rows(batch, RowIndices(rows[c].data(), counts[c]));
      if (open[c].rows() < kRows) continue;
      benchmark::DoNotOptimize(open[c].finish());
    }
  }
  set_rows(state, kRows);
}
BENCHMARK(partition)->ArgName("channels")->Arg(1)->Arg(2)->Arg(8);

void append_all_rows(benchmark::State& state) {
  const Batch batch = make_batch();
  BatchBuilder builder(schema(), pool());
  std::vector<std::int32_t> rows(static_cast<std::size_t>(kRows));
  std::iota(rows.begin(), rows.end(), 0);
  for (auto _ : state) {
    builder.append_rows(batch, rows);
    benchmark::DoNotOptimize(builder.finish());
  }
  set_rows(state, kRows);
}
BENCHMARK(append_all_rows);

void hash_keys(benchmark::State& state) {
  const Batch batch = make_batch();
  const auto column = static_cast<std::size_t>(state.range(0));
  const auto count = static_cast<std::size_t>(state.range(1));
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(kRows));
  for (auto _ : state) {
    hash_rows({batch.columns().data() + column, count}, kRows, hashes.data());
    benchmark::DoNotOptimize(hashes.data());
    benchmark::ClobberMemory();
  }
  set_rows(state, kRows);
}
BENCHMARK(hash_keys)->ArgNames({"column", "count"})->Args({0, 1})->Args({0, 2})->Args({3, 1});

void concatenate_batches(benchmark::State& state) {
  std::vector<Batch> parts;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    parts.push_back(make_batch(static_cast<std::uint64_t>(i)));
  }
  for (auto _ : state) benchmark::DoNotOptimize(concatenate(parts, pool()));
  set_rows(state, kRows * state.range(0));
}
BENCHMARK(concatenate_batches)->ArgName("batches")->Arg(4);

void compact_batch(benchmark::State& state) {
  const Batch batch = make_batch();
  for (auto _ : state) {
    for (const Column& column : batch.columns()) {
      benchmark::DoNotOptimize(compact(column, pool()));
    }
  }
  set_rows(state, kRows);
}
BENCHMARK(compact_batch);

void account(benchmark::State& state) {
  const Batch batch = make_batch();
  for (auto _ : state) {
    benchmark::DoNotOptimize(batch.own_bytes());
    benchmark::DoNotOptimize(batch.pinned_bytes());
  }
  set_rows(state, kRows);
}
BENCHMARK(account);

void encode_frame(benchmark::State& state) {
  const Batch batch = make_batch();
  const BatchCodec codec(schema());
  for (auto _ : state) benchmark::DoNotOptimize(codec.encode(batch, pool()));
  set_rows(state, kRows);
}
BENCHMARK(encode_frame);

void decode_frame(benchmark::State& state) {
  const BatchCodec codec(schema());
  const BufferPtr frame = codec.encode(make_batch(), pool()).value();
  for (auto _ : state) benchmark::DoNotOptimize(codec.decode(frame, state.range(0) != 0, pool()));
  set_rows(state, kRows);
}
BENCHMARK(decode_frame)->ArgName("utf8")->Arg(0)->Arg(1);

// ---------------------------------------------------------------------------------------------
// Text: per value

template <typename Append>
void print_values(benchmark::State& state, Append append) {
  Random random(1);
  std::vector<std::int64_t> values(1000);
  for (std::int64_t& value : values) value = random.uniform_between(0, 2'000'000'000'000);
  std::string text;
  for (auto _ : state) {
    text.clear();
    for (const std::int64_t value : values) append(value, text);
    benchmark::DoNotOptimize(text.data());
  }
  set_rows(state, 1000);
}

void print_bigint(benchmark::State& state) {
  print_values(state, [](std::int64_t value, std::string& out) { append_int_text(value, out); });
}
BENCHMARK(print_bigint);

void cast_bigint_to_string(benchmark::State& state) {
  const Batch batch = make_batch();
  const auto* values = batch.column(0).values<std::int64_t>();
  ColumnBuilder builder(DataType::string(), pool());
  std::string text;
  for (auto _ : state) {
    for (std::int64_t row = 0; row < kRows; ++row) {
      text.clear();
      append_int_text(values[row], text);
      builder.append_string(text);
    }
    benchmark::DoNotOptimize(builder.finish());
  }
  set_rows(state, kRows);
}
BENCHMARK(cast_bigint_to_string);

void print_double(benchmark::State& state) {
  print_values(state, [](std::int64_t value, std::string& out) {
    append_double_text(static_cast<double>(value) / 1000, out);
  });
}
BENCHMARK(print_double);

void print_decimal(benchmark::State& state) {
  print_values(state,
               [](std::int64_t value, std::string& out) { append_decimal_text(value, 2, out); });
}
BENCHMARK(print_decimal);

void print_timestamp(benchmark::State& state) {
  print_values(state,
               [](std::int64_t value, std::string& out) { append_timestamp_text(value, 3, out); });
}
BENCHMARK(print_timestamp);

template <typename Append, typename Parse>
void parse_values(benchmark::State& state, Append append, Parse parse) {
  Random random(1);
  std::vector<std::string> texts(1000);
  for (std::string& text : texts) append(random.uniform_between(0, 2'000'000'000'000), text);
  for (auto _ : state) {
    for (const std::string& text : texts) CLP_CHECK(parse(text));
  }
  set_rows(state, 1000);
}

void parse_bigint(benchmark::State& state) {
  parse_values(
      state, [](std::int64_t value, std::string& out) { append_int_text(value, out); },
      [](const std::string& text) {
        std::int64_t value = 0;
        const bool good = parse_int(text, INT64_MIN, INT64_MAX, value);
        benchmark::DoNotOptimize(value);
        return good;
      });
}
BENCHMARK(parse_bigint);

void parse_doubles(benchmark::State& state) {
  parse_values(
      state,
      [](std::int64_t value, std::string& out) {
        append_double_text(static_cast<double>(value) / 1000, out);
      },
      [](const std::string& text) {
        double value = 0;
        const bool good = parse_double(text, value);
        benchmark::DoNotOptimize(value);
        return good;
      });
}
BENCHMARK(parse_doubles);

void parse_decimals(benchmark::State& state) {
  parse_values(
      state, [](std::int64_t value, std::string& out) { append_decimal_text(value, 2, out); },
      [](const std::string& text) {
        Int128 value = 0;
        const bool good = parse_decimal(text, 20, 2, value);
        benchmark::DoNotOptimize(value);
        return good;
      });
}
BENCHMARK(parse_decimals);

void parse_timestamps(benchmark::State& state) {
  parse_values(
      state, [](std::int64_t value, std::string& out) { append_timestamp_text(value, 3, out); },
      [](const std::string& text) {
        std::int64_t value = 0;
        const bool good = parse_timestamp(text, 3, value);
        benchmark::DoNotOptimize(value);
        return good;
      });
}
BENCHMARK(parse_timestamps);

}  // namespace
}  // namespace clepsydra
