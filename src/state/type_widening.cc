#include "state/type_widening.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/utf8.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// The digits of its largest value.
int integer_digits(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return 3;
    case TypeKind::kSmallInt:
      return 5;
    case TypeKind::kInteger:
      return 10;
    default:
      return 19;
  }
}

bool can_widen_integer(const DataType& from, const DataType& to) {
  if (to.is_integer()) return from.kind() <= to.kind();
  switch (to.kind()) {
    case TypeKind::kFloat:
      return from.kind() <= TypeKind::kSmallInt;
    case TypeKind::kDouble:
      return from.kind() <= TypeKind::kInteger;
    case TypeKind::kDecimal:
      return to.precision() - to.scale() >= integer_digits(from.kind());
    default:
      return false;
  }
}

bool can_widen_fields(const DataType& from, const DataType& to) {
  if (from.fields().size() != to.fields().size()) return false;
  if (from.kind() == TypeKind::kStructured && from.class_name() != to.class_name()) return false;
  const bool is_named = from.kind() == TypeKind::kRow || from.kind() == TypeKind::kStructured;
  for (std::size_t i = 0; i < from.fields().size(); ++i) {
    const Field& a = from.fields()[i];
    const Field& b = to.fields()[i];
    if ((is_named && a.name != b.name) || !can_widen(a.type, b.type)) return false;
  }
  return true;
}

// Each row through `convert`, which answers false for a value that has no place.
template <typename From, typename To, typename Convert>
Result<Column> convert_values(const Column& column, const DataType& to, MemoryPool& pool,
                              Convert&& convert) {
  ColumnBuilder builder(to, pool);
  builder.reserve(column.length());
  const auto* values = column.values<From>();
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    To value{};
    if (!convert(values[row], value)) {
      return Status::out_of_range(fmt::format("a value of type {} is too far away for {}",
                                              column.type().name(), to.name()));
    }
    builder.append<To>(value);
  }
  return builder.finish();
}

template <typename From, typename To>
Result<Column> cast_values(const Column& column, const DataType& to, MemoryPool& pool) {
  return convert_values<From, To>(column, to, pool, [](From from, To& value) {
    value = static_cast<To>(from);  // NOLINT(bugprone-signed-char-misuse): a number, TINYINT.
    return true;
  });
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

template <typename From>
Result<Column> widen_integer(const Column& column, const DataType& to, MemoryPool& pool) {
  switch (to.physical()) {
    case PhysicalType::kInt16:
      return cast_values<From, std::int16_t>(column, to, pool);
    case PhysicalType::kInt32:
      return cast_values<From, std::int32_t>(column, to, pool);
    case PhysicalType::kInt64:
      return cast_values<From, std::int64_t>(column, to, pool);
    case PhysicalType::kFloat:
      return cast_values<From, float>(column, to, pool);
    case PhysicalType::kDouble:
      return cast_values<From, double>(column, to, pool);
    default:
      return convert_values<From, Int128>(
          column, to, pool, [factor = power_of_ten(to.scale())](From from, Int128& value) {
            value = static_cast<Int128>(from) * factor;
            return true;
          });
  }
}

// CHAR is as long as its type says, in characters.
Result<Column> pad(const Column& column, const DataType& to, MemoryPool& pool) {
  ColumnBuilder builder(to, pool);
  builder.reserve(column.length());
  std::string padded;
  for (std::int64_t row = 0; row < column.length(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    padded = column.string_at(row);
    const std::int64_t missing = to.length() - utf8_length(padded);
    if (missing > 0) padded.append(static_cast<std::size_t>(missing), ' ');
    builder.append_string(padded);
  }
  return builder.finish();
}

Result<Column> widen_children(const Column& column, const DataType& to, MemoryPool& pool) {
  ColumnData data = column.data();
  data.type = to;
  for (int i = 0; i < to.child_count(); ++i) {
    Column& child = data.children[static_cast<std::size_t>(i)];
    CLP_ASSIGN_OR_RETURN(child, widen(child, to.child_type(i), pool));
  }
  return Column(std::move(data));
}

}  // namespace

bool can_widen(const DataType& from, const DataType& to) {
  if (from.same_values(to)) return true;
  if (from.is_integer()) return can_widen_integer(from, to);
  const TypeKind kind = to.kind();
  switch (from.kind()) {
    case TypeKind::kFloat:
      return kind == TypeKind::kDouble;
    case TypeKind::kDecimal:
      return kind == TypeKind::kDecimal && from.scale() <= to.scale() &&
             from.precision() - from.scale() <= to.precision() - to.scale();
    case TypeKind::kChar:
      return to.is_character() && from.length() <= to.length();
    case TypeKind::kVarchar:
    case TypeKind::kVarbinary:
      return kind == from.kind() && from.length() <= to.length();
    case TypeKind::kBinary:
      return kind == TypeKind::kVarbinary && from.length() <= to.length();
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return kind == from.kind() && from.precision() <= to.precision();
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return kind == from.kind() && can_widen_fields(from, to);
    default:
      return false;
  }
}

bool can_widen_key(const DataType& from, const DataType& to) {
  if (!can_widen(from, to) || from.is_nested()) return false;
  if (from.same_values(to) || (from.is_integer() && to.is_integer())) return true;
  switch (from.kind()) {
    case TypeKind::kFloat:
      return true;  // Hashed as a DOUBLE.
    case TypeKind::kDecimal:
      return from.scale() == to.scale();
    case TypeKind::kChar:
      return to.kind() == TypeKind::kVarchar;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return timestamp_ticks_per_second(from.precision()) ==
             timestamp_ticks_per_second(to.precision());
    default:
      return from.physical() == to.physical();
  }
}

Result<Column> widen(const Column& column, const DataType& to, MemoryPool& pool) {
  const DataType& from = column.type();
  CLP_CHECK(can_widen(from, to));
  if (from.same_values(to)) return column.with_type(to);
  if (from.is_nested()) return widen_children(column, to, pool);
  switch (from.kind()) {
    case TypeKind::kTinyInt:
      return widen_integer<std::int8_t>(column, to, pool);
    case TypeKind::kSmallInt:
      return widen_integer<std::int16_t>(column, to, pool);
    case TypeKind::kInteger:
      return widen_integer<std::int32_t>(column, to, pool);
    case TypeKind::kBigInt:
      return widen_integer<std::int64_t>(column, to, pool);
    case TypeKind::kFloat:
      return cast_values<float, double>(column, to, pool);
    case TypeKind::kDecimal: {
      if (from.scale() == to.scale()) break;
      const Int128 factor = power_of_ten(to.scale() - from.scale());
      return convert_values<Int128, Int128>(column, to, pool, [factor](Int128 value, Int128& wide) {
        wide = value * factor;
        return true;
      });
    }
    case TypeKind::kChar:
      if (to.kind() != TypeKind::kChar) break;
      return pad(column, to, pool);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      const std::int64_t factor =
          timestamp_ticks_per_second(to.precision()) / timestamp_ticks_per_second(from.precision());
      if (factor == 1) break;
      return convert_values<std::int64_t, std::int64_t>(
          column, to, pool, [factor](std::int64_t ticks, std::int64_t& fine) {
            return !__builtin_mul_overflow(ticks, factor, &fine);
          });
    }
    default:
      break;
  }
  return column.with_type(to);
}

}  // namespace clepsydra
