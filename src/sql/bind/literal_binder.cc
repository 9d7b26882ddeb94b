#include "sql/bind/literal_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "sql/bind/interval_literal.h"
#include "stream/column_builder.h"
#include "stream/value_text.h"

namespace clepsydra::sql {
namespace {

template <typename T>
Result<ExpressionPtr> constant(const DataType& type, T value) {
  ColumnBuilder builder(type.with_nullable(false), literal_pool());
  builder.append<T>(value);
  CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
  return Expression::literal(std::move(column));
}

Result<ExpressionPtr> bind_exact(const ast::Literal& literal, const StatementText& text) {
  std::string_view digits = literal.text;
  const std::size_t point = digits.find('.');
  const bool has_fraction = point != std::string_view::npos && point + 1 < digits.size();
  if (!has_fraction) {
    std::int64_t value = 0;
    digits = digits.substr(0, point);
    if (!parse_int(digits, 0, std::numeric_limits<std::int64_t>::max(), value)) {
      return text.invalid(literal.range,
                          fmt::format("the number {} is larger than BIGINT", literal.text),
                          "write CAST('...' AS DECIMAL(38, 0))");
    }
    if (value <= std::numeric_limits<std::int32_t>::max()) {
      return integer_literal(static_cast<std::int32_t>(value));
    }
    return big_int_literal(value);
  }
  // As the reference: every digit counts, the leading 0 of 0.5 too.
  const auto precision = static_cast<int>(digits.size() - 1);
  const auto scale = static_cast<int>(digits.size() - point - 1);
  Int128 value = 0;
  if (precision > kMaxDecimalPrecision || !parse_decimal(digits, precision, scale, value)) {
    return text.invalid(literal.range, fmt::format("the number {} has more than {} digits",
                                                   literal.text, kMaxDecimalPrecision));
  }
  return constant<Int128>(DataType::decimal(precision, scale), value);
}

Result<ExpressionPtr> bind_approximate(const ast::Literal& literal, const StatementText& text) {
  double value = 0;
  if (!parse_double(literal.text, value)) {
    return text.invalid(literal.range,
                        fmt::format("the number {} does not fit DOUBLE", literal.text));
  }
  return constant<double>(DataType::double_(), value);
}

Result<ExpressionPtr> bind_binary(const ast::Literal& literal, const StatementText& text) {
  if (literal.odd) {
    return text.invalid(literal.range, "a binary string needs an even number of hexadecimal digits",
                        "two digits make a byte: X'0F'");
  }
  const auto length = static_cast<std::int32_t>(literal.text.size());
  ColumnBuilder builder(DataType::binary(length).with_nullable(false), literal_pool());
  builder.append_string(literal.text);
  CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
  return Expression::literal(std::move(column));
}

// Digits behind the last point, at most nine.
int fraction_digits(std::string_view text) {
  const std::size_t point = text.rfind('.');
  if (point == std::string_view::npos) return 0;
  return static_cast<int>(std::min<std::size_t>(text.size() - point - 1, kMaxTimestampPrecision));
}

Status bad_temporal(const ast::Literal& literal, const StatementText& text, std::string_view type,
                    std::string_view form) {
  return text.invalid(literal.range, fmt::format("'{}' is not a {}", literal.text, type),
                      fmt::format("write it as '{}'", form));
}

Result<ExpressionPtr> bind_temporal(const ast::Literal& literal, const StatementText& text) {
  if (literal.literal_kind == ast::LiteralKind::kDate) {
    std::int32_t days = 0;
    if (!parse_date(literal.text, days)) return bad_temporal(literal, text, "DATE", "2024-01-31");
    return constant<std::int32_t>(DataType::date(), days);
  }
  const int precision = fraction_digits(literal.text);
  if (literal.literal_kind == ast::LiteralKind::kTime) {
    std::int32_t millis = 0;
    if (!parse_time(literal.text, millis)) return bad_temporal(literal, text, "TIME", "23:59:59");
    return constant<std::int32_t>(DataType::time(precision), millis);
  }
  std::int64_t ticks = 0;
  if (!parse_timestamp(literal.text, precision, ticks)) {
    return bad_temporal(literal, text, "TIMESTAMP", "2024-01-31 23:59:59.999");
  }
  return constant<std::int64_t>(DataType::timestamp(precision), ticks);
}

Result<ExpressionPtr> bind_interval(const ast::Literal& literal, const StatementText& text) {
  CLP_ASSIGN_OR_RETURN(const std::int64_t value, parse_interval(literal, text));
  if (!literal.interval.is_year_month()) {
    return constant<std::int64_t>(DataType::interval_day_time("SECOND(3)"), value);
  }
  if (value > std::numeric_limits<std::int32_t>::max() ||
      value < std::numeric_limits<std::int32_t>::min()) {
    return text.invalid(literal.range, "the interval has more months than fit INTERVAL MONTH");
  }
  return constant<std::int32_t>(DataType::interval_year_month("MONTH"),
                                static_cast<std::int32_t>(value));
}

}  // namespace

Result<ExpressionPtr> bind_literal(const ast::Literal& literal, const StatementText& text) {
  switch (literal.literal_kind) {
    case ast::LiteralKind::kNull:
      return null_literal(DataType::null());
    case ast::LiteralKind::kUnknown:
      return null_literal(DataType::boolean());
    case ast::LiteralKind::kBoolean:
      return boolean_literal(literal.text == "TRUE");
    case ast::LiteralKind::kExact:
      return bind_exact(literal, text);
    case ast::LiteralKind::kApproximate:
      return bind_approximate(literal, text);
    case ast::LiteralKind::kString:
      return text_literal(literal.text);
    case ast::LiteralKind::kBinary:
      return bind_binary(literal, text);
    case ast::LiteralKind::kDate:
    case ast::LiteralKind::kTime:
    case ast::LiteralKind::kTimestamp:
      return bind_temporal(literal, text);
    case ast::LiteralKind::kInterval:
      return bind_interval(literal, text);
  }
  return text.invalid(literal.range, "this literal has no type");
}

}  // namespace clepsydra::sql
