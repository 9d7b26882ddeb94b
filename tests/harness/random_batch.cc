#include "tests/harness/random_batch.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column_builder.h"

namespace clepsydra::testing {
namespace {

constexpr std::int64_t kSecondsMin = -62'135'596'800;  // 0001-01-01 00:00:00
constexpr std::int64_t kSecondsMax = 253'402'300'799;  // 9999-12-31 23:59:59

std::string random_text(Random& random, std::int32_t bytes_max) {
  // Also characters of two, three and four bytes.
  static const std::vector<std::string> kLetters = {"a", "b",  "c", "0",  " ", "|",
                                                    "'", "\n", "é", "水", "🕰"};
  const auto size = random.uniform(3) == 0 ? random.uniform(13)
                                           : random.uniform(static_cast<std::uint64_t>(bytes_max));
  std::string text;
  while (text.size() < size) {
    const std::string& letter = kLetters[random.uniform(kLetters.size())];
    if (text.size() + letter.size() > size) break;
    text += letter;
  }
  return text;
}

template <typename T>
T random_integer(Random& random) {
  switch (random.uniform(8)) {
    case 0:
      return std::numeric_limits<T>::min();
    case 1:
      return std::numeric_limits<T>::max();
    case 2:
      return static_cast<T>(random.next_u64());
    default:
      return static_cast<T>(random.uniform_between(-100, 100));
  }
}

template <typename T>
T random_floating(Random& random) {
  using Limits = std::numeric_limits<T>;
  static constexpr T kTelling[] = {T{0},
                                   -T{0},
                                   Limits::infinity(),
                                   Limits::max(),
                                   Limits::min(),
                                   -Limits::infinity(),
                                   Limits::lowest(),
                                   Limits::denorm_min()};
  if (random.uniform(6) == 0) return kTelling[random.uniform(std::size(kTelling))];
  return static_cast<T>((random.uniform_double() - 0.5) * 1e4);
}

Int128 random_decimal(Random& random, int precision) {
  Int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  if (random.uniform(8) == 0) return limit - 1;
  const auto bits = (static_cast<UInt128>(random.next_u64()) << 64) | random.next_u64();
  const auto value = static_cast<Int128>(bits % static_cast<UInt128>(limit));
  return random.uniform(2) == 0 ? value : -value;
}

std::int64_t random_timestamp(Random& random, int precision) {
  const std::int64_t ticks = timestamp_ticks_per_second(precision);
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / ticks - 1;
  const std::int64_t seconds =
      random.uniform_between(std::max(kSecondsMin, -most), std::min(kSecondsMax, most));
  std::int64_t unit = 1;  // What the last digit of the precision counts, in ticks.
  for (int i = precision; i % 3 != 0; ++i) unit *= 10;
  const auto fraction =
      static_cast<std::int64_t>(random.uniform(static_cast<std::uint64_t>(ticks)));
  return seconds * ticks + fraction / unit * unit;
}

void append_random(ColumnBuilder& builder, Random& random, const RandomShape& shape);

void append_nested(ColumnBuilder& builder, Random& random, const RandomShape& shape) {
  const int children = builder.type().child_count();
  if (builder.type().physical() == PhysicalType::kStruct) {
    for (int c = 0; c < children; ++c) append_random(builder.child(c), random, shape);
    return builder.close_struct();
  }
  const auto size = random.uniform(static_cast<std::uint64_t>(shape.list_max) + 1);
  for (std::uint64_t i = 0; i < size; ++i) {
    for (int c = 0; c < children; ++c) append_random(builder.child(c), random, shape);
  }
  builder.close_list();
}

void append_random(ColumnBuilder& builder, Random& random, const RandomShape& shape) {
  const DataType& type = builder.type();
  if (type.nullable() && random.uniform_double() < shape.null_share) return builder.append_null();
  switch (type.kind()) {
    case TypeKind::kNull:
    case TypeKind::kDescriptor:
      return builder.append_null();
    case TypeKind::kBoolean:
      return builder.append<std::uint8_t>(static_cast<std::uint8_t>(random.uniform(2)));
    case TypeKind::kTinyInt:
      return builder.append(random_integer<std::int8_t>(random));
    case TypeKind::kSmallInt:
      return builder.append(random_integer<std::int16_t>(random));
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return builder.append(random_integer<std::int32_t>(random));
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return builder.append(random_integer<std::int64_t>(random));
    case TypeKind::kFloat:
      return builder.append(random_floating<float>(random));
    case TypeKind::kDouble:
      return builder.append(random_floating<double>(random));
    case TypeKind::kDecimal:
      return builder.append(random_decimal(random, type.precision()));
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return builder.append_string(random_text(random, std::min(shape.string_max, type.length())));
    case TypeKind::kVariant:
      return builder.append_string(std::to_string(random_integer<std::int32_t>(random)));
    case TypeKind::kBinary:
    case TypeKind::kVarbinary: {
      std::string bytes(random.uniform(30), '\0');
      for (char& byte : bytes) byte = static_cast<char>(random.uniform(256));
      return builder.append_string(bytes);
    }
    case TypeKind::kDate:
      return builder.append(static_cast<std::int32_t>(
          random.uniform_between(kSecondsMin / 86'400, kSecondsMax / 86'400)));
    case TypeKind::kTime:
      return builder.append(static_cast<std::int32_t>(random.uniform(86'400'000)));
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return builder.append(random_timestamp(random, type.precision()));
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return append_nested(builder, random, shape);
  }
}

}  // namespace

Column random_column(const DataType& type, std::int64_t rows, Random& random,
                     const RandomShape& shape, MemoryPool& pool) {
  if (shape.distinct_max > 0 && rows > 0) {
    RandomShape unlimited = shape;
    unlimited.distinct_max = 0;
    const Column values = random_column(type, shape.distinct_max, random, unlimited, pool);
    std::vector<std::int32_t> drawn(static_cast<std::size_t>(rows));
    for (std::int32_t& row : drawn) {
      row = static_cast<std::int32_t>(random.uniform(static_cast<std::uint64_t>(values.length())));
    }
    return gather(values, drawn, pool).value();
  }
  ColumnBuilder builder(type, pool);
  for (std::int64_t i = 0; i < rows; ++i) append_random(builder, random, shape);
  return builder.finish().value();
}

Batch random_batch(const SchemaPtr& schema, std::int64_t rows, Random& random,
                   const RandomShape& shape, MemoryPool& pool) {
  std::vector<Column> columns;
  for (const Field& field : schema->fields()) {
    columns.push_back(random_column(field.type, rows, random, shape, pool));
  }
  std::vector<Mark> marks;
  std::int64_t watermark = random.uniform_between(-1'000, 1'000);
  for (std::int64_t row = 0; row <= rows; ++row) {
    if (random.uniform(5) != 0) continue;
    marks.push_back({static_cast<std::int32_t>(row), watermark});
    watermark += random.uniform_between(1, 100);
  }
  Batch batch = Batch(schema, rows, std::move(columns)).with_marks(std::move(marks));
  if (random.uniform(2) == 0) return batch;
  std::vector<std::uint8_t> kinds(static_cast<std::size_t>(rows));
  for (std::uint8_t& kind : kinds) kind = static_cast<std::uint8_t>(random.uniform(4));
  return batch.with_row_kinds(copy_to_buffer(pool, kinds).value());
}

std::vector<DataType> all_types() {
  std::vector<DataType> types;
  for (const char* text : {"NULL",
                           "BOOLEAN",
                           "TINYINT",
                           "SMALLINT",
                           "INT",
                           "INT NOT NULL",
                           "BIGINT",
                           "FLOAT",
                           "DOUBLE",
                           "DECIMAL(10, 2)",
                           "DECIMAL(38, 18)",
                           "CHAR(3)",
                           "VARCHAR(20)",
                           "STRING",
                           "STRING NOT NULL",
                           "BINARY(2)",
                           "BYTES",
                           "DATE",
                           "TIME(0)",
                           "TIMESTAMP(0)",
                           "TIMESTAMP(3)",
                           "TIMESTAMP(6)",
                           "TIMESTAMP(9)",
                           "TIMESTAMP_LTZ(3)",
                           "INTERVAL YEAR TO MONTH",
                           "INTERVAL DAY TO SECOND(3)",
                           "ARRAY<INT>",
                           "ARRAY<STRING>",
                           "ARRAY<ARRAY<BIGINT NOT NULL>>",
                           "MAP<STRING, INT>",
                           "MAP<INT NOT NULL, ROW<a STRING, b ARRAY<DOUBLE>>>",
                           "MULTISET<STRING>",
                           "VARIANT",
                           "ARRAY<VARIANT>",
                           "STRUCTURED<'com.acme.Point', x INT, y STRING NOT NULL>",
                           "ROW<a INT, b STRING>",
                           "ROW<a ROW<b BOOLEAN, c STRING> NOT NULL, d MAP<INT, INT>>",
                           "ARRAY<ROW<a STRING>> NOT NULL"}) {
    types.push_back(type_of(text));
  }
  return types;
}

}  // namespace clepsydra::testing
