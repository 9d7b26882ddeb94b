#include "functions/type_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

constexpr int kDivisionScaleMin = 6;

// Precision beyond 38 digits is taken from the fraction, which keeps up to six digits.
DataType adjusted_decimal(int precision, int scale) {
  if (precision <= kMaxDecimalPrecision) return DataType::decimal(precision, scale);
  const int whole = precision - scale;
  const int scale_min = std::min(scale, kDivisionScaleMin);
  return DataType::decimal(kMaxDecimalPrecision, std::max(kMaxDecimalPrecision - whole, scale_min));
}

bool is_approximate(const DataType& type) {
  return type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble;
}

DataType common_numeric(const DataType& a, const DataType& b) {
  // The first approximate type wins: FLOAT + DOUBLE is FLOAT in the reference.
  if (is_approximate(a) || is_approximate(b)) {
    if (a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal)
      return DataType::double_();
    return is_approximate(a) ? a : b;
  }
  if (a.kind() != TypeKind::kDecimal && b.kind() != TypeKind::kDecimal) {
    return a.kind() >= b.kind() ? a : b;
  }
  const DataType x = as_decimal(a);
  const DataType y = as_decimal(b);
  const int whole = std::max(x.precision() - x.scale(), y.precision() - y.scale());
  const int scale = std::min(std::max(x.scale(), y.scale()), kMaxDecimalPrecision - whole);
  return DataType::decimal(whole + scale, scale);
}

DataType common_text(const DataType& a, const DataType& b) {
  const std::int32_t length = std::max(a.length(), b.length());
  const bool fixed = a.length() == b.length() && a.kind() == b.kind();
  if (a.is_character()) {
    return fixed && a.kind() == TypeKind::kChar ? DataType::char_(length)
                                                : DataType::varchar(length);
  }
  return fixed && a.kind() == TypeKind::kBinary ? DataType::binary(length)
                                                : DataType::varbinary(length);
}

Result<DataType> common_pair(const DataType& a, const DataType& b);

Status no_common_type(const DataType& a, const DataType& b) {
  return Status::invalid_argument(fmt::format("{} and {} have no common type", a.name(), b.name()));
}

Result<DataType> common_nested(const DataType& a, const DataType& b) {
  if (a.kind() != b.kind() || a.fields().size() != b.fields().size()) return no_common_type(a, b);
  if (a.kind() == TypeKind::kStructured && a.class_name() != b.class_name()) {
    return no_common_type(a, b);
  }
  std::vector<Field> fields;
  for (std::size_t i = 0; i < a.fields().size(); ++i) {
    CLP_ASSIGN_OR_RETURN(DataType type, common_pair(a.fields()[i].type, b.fields()[i].type));
    fields.push_back({a.fields()[i].name, std::move(type), a.fields()[i].comment});
  }
  switch (a.kind()) {
    case TypeKind::kArray:
      return DataType::array(fields[0].type);
    case TypeKind::kMultiset:
      return DataType::multiset(fields[0].type);
    case TypeKind::kMap:
      return DataType::map(fields[0].type, fields[1].type);
    case TypeKind::kStructured:
      return DataType::structured(std::string(a.class_name()), std::move(fields));
    default:
      return DataType::row(std::move(fields));
  }
}

bool is_date_or_timestamp(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.is_timestamp();
}

Result<DataType> common_values(const DataType& a, const DataType& b) {
  if (a.kind() == TypeKind::kNull) return b;
  if (b.kind() == TypeKind::kNull) return a;
  // Elements and fields may be NULL where either side's may.
  if (a.is_nested() && b.is_nested()) return common_nested(a, b);
  if (a.same_values(b)) return a;
  if (a.is_numeric() && b.is_numeric()) return common_numeric(a, b);
  if (a.is_character() && b.is_character()) return common_text(a, b);
  if (a.is_binary() && b.is_binary()) return common_text(a, b);
  if (is_date_or_timestamp(a) && is_date_or_timestamp(b)) {
    const int precision =
        std::max(a.is_timestamp() ? a.precision() : 0, b.is_timestamp() ? b.precision() : 0);
    const bool local = a.kind() == TypeKind::kTimestampLtz || b.kind() == TypeKind::kTimestampLtz;
    return local ? DataType::timestamp_ltz(precision) : DataType::timestamp(precision);
  }
  if (a.kind() == b.kind() && a.kind() == TypeKind::kTime) {
    return DataType::time(std::max(a.precision(), b.precision()));
  }
  if (a.kind() == b.kind()) return a;  // Intervals: the value does not depend on the qualifier.
  return no_common_type(a, b);
}

Result<DataType> common_pair(const DataType& a, const DataType& b) {
  CLP_ASSIGN_OR_RETURN(const DataType common, common_values(a, b));
  // A time attribute survives only when both have it.
  const TimeAttribute attribute =
      a.time_attribute() == b.time_attribute() ? a.time_attribute() : TimeAttribute::kNone;
  DataType result = common.with_nullable(a.nullable() || b.nullable());
  if (result.time_attribute() != attribute) result = result.with_time_attribute(attribute);
  return result;
}

bool nested_pairs(const DataType& from, const DataType& to,
                  bool (*fits)(const DataType&, const DataType&)) {
  // A ROW becomes a STRUCTURED value and the other way round, field by field.
  const bool both_rows =
      from.physical() == PhysicalType::kStruct && from.physical() == to.physical();
  if ((from.kind() != to.kind() && !both_rows) || from.fields().size() != to.fields().size()) {
    return false;
  }
  for (std::size_t i = 0; i < from.fields().size(); ++i) {
    if (!fits(from.fields()[i].type, to.fields()[i].type)) return false;
  }
  return true;
}

bool is_interval(const DataType& type) {
  return type.kind() == TypeKind::kIntervalDayTime || type.kind() == TypeKind::kIntervalYearMonth;
}

}  // namespace

Result<DataType> least_common_type(std::span<const DataType> types) {
  if (types.empty()) return Status::invalid_argument("no values to find a common type of");
  DataType common = types[0];
  for (std::size_t i = 1; i < types.size(); ++i) {
    CLP_ASSIGN_OR_RETURN(common, common_pair(common, types[i]));
  }
  return common;
}

bool can_cast(const DataType& from, const DataType& to) {
  if (from.kind() == TypeKind::kNull) return to.kind() != TypeKind::kDescriptor;
  if (from.is_nested()) {
    return to.is_character() || (to.is_nested() && nested_pairs(from, to, can_cast));
  }
  switch (from.kind()) {
    case TypeKind::kBoolean:
      return to.kind() == TypeKind::kBoolean || to.is_numeric() || to.is_character();
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
    case TypeKind::kDecimal:
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return to.kind() == TypeKind::kBoolean || to.is_numeric() || to.is_character() ||
             (is_interval(to) && !is_approximate(from));
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return !to.is_nested() && !is_interval(to) && to.kind() != TypeKind::kVariant;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return to.is_character() || to.is_binary();
    case TypeKind::kDate:
      return to.is_character() || is_date_or_timestamp(to);
    case TypeKind::kTime:
      return to.is_character() || to.kind() == TypeKind::kTime || to.is_timestamp();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return to.is_character() || is_date_or_timestamp(to) || to.kind() == TypeKind::kTime;
    case TypeKind::kIntervalDayTime:
    case TypeKind::kIntervalYearMonth:
      return to.is_character() || to.kind() == from.kind();
    default:
      return false;
  }
}

bool can_cast_implicitly(const DataType& from, const DataType& to) {
  if (from.kind() == TypeKind::kNull || from.same_values(to)) return true;
  if (from.is_nested()) {
    return to.kind() == from.kind() && nested_pairs(from, to, can_cast_implicitly);
  }
  switch (to.kind()) {
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInteger:
    case TypeKind::kBigInt:
      return from.is_integer() && from.kind() <= to.kind();
    case TypeKind::kFloat:
      return from.is_numeric() && from.kind() != TypeKind::kDouble;
    case TypeKind::kDecimal:
    case TypeKind::kDouble:
      return from.is_numeric();
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return from.is_character();
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return from.is_binary();
    case TypeKind::kDate:
      return from.kind() == TypeKind::kTimestamp;
    case TypeKind::kTime:
      return from.kind() == TypeKind::kTime || from.kind() == TypeKind::kTimestamp;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return from.is_timestamp();
    default:
      return from.kind() == to.kind();
  }
}

Result<ExpressionPtr> cast_to(ExpressionPtr value, const DataType& target, bool try_cast) {
  const DataType& from = value->type();
  if (from.kind() == TypeKind::kNull) return null_literal(target);
  if (from.same_values(target)) return value;
  if (!can_cast(from, target)) {
    return Status::invalid_argument(
        fmt::format("{} cannot be cast to {}", from.name(), target.name()));
  }
  return Expression::call(try_cast ? "TRY_CAST" : "CAST", {std::move(value)}, target);
}

DataType as_decimal(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return DataType::decimal(3, 0);
    case TypeKind::kSmallInt:
      return DataType::decimal(5, 0);
    case TypeKind::kInteger:
      return DataType::decimal(10, 0);
    case TypeKind::kBigInt:
      return DataType::decimal(19, 0);
    default:
      return type;
  }
}

DataType decimal_sum_type(const DataType& a, const DataType& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return adjusted_decimal(whole + scale + 1, scale);
}

DataType decimal_product_type(const DataType& a, const DataType& b) {
  return adjusted_decimal(a.precision() + b.precision() + 1, a.scale() + b.scale());
}

DataType decimal_quotient_type(const DataType& a, const DataType& b) {
  const int scale = std::max(kDivisionScaleMin, a.scale() + b.precision() + 1);
  return adjusted_decimal(a.precision() - a.scale() + b.scale() + scale, scale);
}

DataType decimal_remainder_type(const DataType& a, const DataType& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::min(a.precision() - a.scale(), b.precision() - b.scale());
  return DataType::decimal(std::max(1, whole + scale), scale);
}

DataType comparison_type(const DataType& a, const DataType& b) {
  if (!is_approximate(a) && !is_approximate(b)) return common_numeric(a, b);
  const bool both_fit_float = a.kind() != TypeKind::kDouble && b.kind() != TypeKind::kDouble &&
                              a.kind() != TypeKind::kDecimal && b.kind() != TypeKind::kDecimal;
  return both_fit_float ? DataType::float_() : DataType::double_();
}

std::string type_list(std::span<const DataType> types) {
  std::string out;
  for (const DataType& type : types) {
    if (!out.empty()) out += ", ";
    out += type.name();
  }
  return out;
}

}  // namespace clepsydra
