#include "bench/functions/bench_rows.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/memory_pool.h"
#include "base/random.h"
#include "stream/column_builder.h"
#include "stream/value_text.h"

namespace clepsydra::bench {
namespace {

MemoryPool& pool() {
  static const std::shared_ptr<MemoryPool> kPool = MemoryPool::make_root("bench");
  return *kPool;
}

std::string random_text(Random& random, std::size_t bytes, std::string_view letters) {
  std::string text(bytes, ' ');
  for (char& c : text) c = letters[random.uniform(letters.size())];
  return text;
}

constexpr std::string_view kLowerCase = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBothCases = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// Every eighth begins with x and ends with y, as the pattern of LIKE asks.
std::string make_text(Random& random) {
  std::string text = random_text(random, 20, kBothCases);
  if (random.uniform(4) == 0) text.front() = 'x';
  if (text.front() == 'x' && random.uniform(2) == 0) text.back() = 'y';
  return text;
}

std::string make_url(Random& random) {
  std::string url = fmt::format("{}://www.{}.com/", random.uniform(2) == 0 ? "http" : "https",
                                random_text(random, 8 + random.uniform(8), kLowerCase));
  url += random_text(random, 60 - url.size(), "abcdefghijklmnopqrstuvwxyz0123456789/-");
  return url;
}

std::string make_json(Random& random) {
  std::string json = fmt::format(
      R"({{"id":{},"bidder":{{"name":"{}","city":"{}","tags":["{}","{}"]}},"price":{}.{:02},"url":"{}","extra":")",
      random.uniform(1'000'000), random_text(random, 12, kLowerCase),
      random_text(random, 9, kLowerCase), random_text(random, 5, kLowerCase),
      random_text(random, 5, kLowerCase), random.uniform(10'000), random.uniform(100),
      make_url(random));
  json += random_text(random, 298 - json.size(), kBothCases);
  return json + "\"}";
}

void append_row(Random& random, std::vector<ColumnBuilder>& builders) {
  const std::int64_t a = random.uniform_between(-1000, 1000);
  builders[0].append<std::int64_t>(a == 0 ? 1 : a);
  builders[1].append<std::int64_t>(random.uniform_between(1, 1'000'000'000));
  builders[2].append<double>(random.uniform_double() * 1000);
  builders[3].append<double>(random.uniform_double() * 1000);
  builders[4].append<Int128>(Int128(random.uniform_between(-100'000'000, 100'000'000)));
  builders[5].append<Int128>(Int128(random.uniform_between(-100'000'000, 100'000'000)));
  builders[6].append_string(make_text(random));
  builders[7].append_string(make_url(random));
  builders[8].append_string(make_json(random));
  builders[9].append<std::int64_t>(random.uniform_between(0, 2'000'000'000'000));
}

}  // namespace

SchemaPtr bench_schema() {
  static const SchemaPtr kSchema = make_schema({{"a", DataType::big_int(), ""},
                                                {"b", DataType::big_int(), ""},
                                                {"x", DataType::double_(), ""},
                                                {"y", DataType::double_(), ""},
                                                {"p", DataType::decimal(18, 4), ""},
                                                {"q", DataType::decimal(18, 4), ""},
                                                {"s", DataType::string(), ""},
                                                {"url", DataType::string(), ""},
                                                {"j", DataType::string(), ""},
                                                {"t", DataType::timestamp(3), ""}});
  return kSchema;
}

std::vector<Batch> make_bench_rows(std::int64_t batches) {
  Random random(1);
  std::vector<Batch> result;
  for (std::int64_t i = 0; i < batches; ++i) {
    std::vector<ColumnBuilder> builders;
    for (const Field& field : bench_schema()->fields()) builders.emplace_back(field.type, pool());
    const bool is_last = i + 1 == batches;
    for (std::int64_t row = 0; row < kBatchRows - (is_last ? 1 : 0); ++row) {
      append_row(random, builders);
    }
    std::vector<Column> columns;
    for (ColumnBuilder& builder : builders) {
      if (is_last) builder.append_null();
      columns.push_back(builder.finish().value());
    }
    result.emplace_back(bench_schema(), kBatchRows, std::move(columns));
  }
  return result;
}

Status write_bench_rows(const std::vector<Batch>& batches, std::FILE* file) {
  std::string line;
  for (const Batch& batch : batches) {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      line.clear();
      for (int i = 0; i < batch.column_count(); ++i) {
        if (i > 0) line += '\t';
        if (batch.column(i).is_null(row)) {
          line += "\\N";
        } else {
          append_value_text(batch.column(i), row, {}, line);
        }
      }
      line += '\n';
      if (std::fwrite(line.data(), 1, line.size(), file) != line.size()) {
        return Status::unavailable("cannot write the rows");
      }
    }
  }
  return Status::ok();
}

}  // namespace clepsydra::bench
