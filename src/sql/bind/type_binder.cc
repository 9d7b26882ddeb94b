#include "sql/bind/type_binder.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/ast/print.h"

namespace clepsydra::sql {
namespace {

constexpr int kDecimalDefaultPrecision = 10;
constexpr int kTimestampDefaultPrecision = 6;

// The parameter, checked against a range.
Result<int> parameter(const ast::TypeName& type, const StatementText& text,
                      const std::optional<std::int32_t>& value, int fallback, int min, int max,
                      const char* what) {
  const int n = value.value_or(fallback);
  if (n < min || n > max) {
    return text.invalid(type.range, fmt::format("{} of {} must be between {} and {}, but is {}",
                                                what, ast::to_sql(type), min, max, n));
  }
  return n;
}

Result<DataType> bind_decimal(const ast::TypeName& type, const StatementText& text) {
  CLP_ASSIGN_OR_RETURN(const int precision,
                       parameter(type, text, type.precision, kDecimalDefaultPrecision, 1,
                                 kMaxDecimalPrecision, "precision"));
  CLP_ASSIGN_OR_RETURN(const int scale,
                       parameter(type, text, type.scale, 0, 0, precision, "scale"));
  return DataType::decimal(precision, scale);
}

Result<DataType> bind_sized(const ast::TypeName& type, const StatementText& text) {
  CLP_ASSIGN_OR_RETURN(const int length,
                       parameter(type, text, type.precision, 1, 1, kMaxLength, "length"));
  switch (type.kind) {
    case ast::TypeNameKind::kChar:
      return DataType::char_(length);
    case ast::TypeNameKind::kVarchar:
      return DataType::varchar(length);
    case ast::TypeNameKind::kBinary:
      return DataType::binary(length);
    default:
      return DataType::varbinary(length);
  }
}

Result<DataType> bind_temporal(const ast::TypeName& type, const StatementText& text) {
  const int fallback = type.kind == ast::TypeNameKind::kTime ? 0 : kTimestampDefaultPrecision;
  CLP_ASSIGN_OR_RETURN(const int precision, parameter(type, text, type.precision, fallback, 0,
                                                      kMaxTimestampPrecision, "precision"));
  switch (type.kind) {
    case ast::TypeNameKind::kTime:
      return DataType::time(precision);
    case ast::TypeNameKind::kTimestamp:
      return DataType::timestamp(precision);
    default:
      return DataType::timestamp_ltz(precision);
  }
}

Result<DataType> bind_row(const ast::TypeName& type, const StatementText& text) {
  std::vector<Field> fields;
  for (const ast::TypeField& field : type.fields) {
    for (const Field& earlier : fields) {
      if (earlier.name == field.name.name) {
        return text.invalid(field.name.range,
                            fmt::format("field '{}' occurs twice in ROW", field.name.name));
      }
    }
    CLP_ASSIGN_OR_RETURN(DataType field_type, bind_type(field.type, text));
    fields.push_back({field.name.name, std::move(field_type), field.comment.value_or("")});
  }
  return DataType::row(std::move(fields));
}

Result<DataType> bind_nested(const ast::TypeName& type, const StatementText& text) {
  if (type.kind == ast::TypeNameKind::kRow) return bind_row(type, text);
  std::vector<DataType> children;
  for (const ast::TypeName& child : type.children) {
    CLP_ASSIGN_OR_RETURN(DataType bound, bind_type(child, text));
    children.push_back(std::move(bound));
  }
  switch (type.kind) {
    case ast::TypeNameKind::kArray:
      return DataType::array(std::move(children[0]));
    case ast::TypeNameKind::kMultiset:
      return DataType::multiset(std::move(children[0]));
    default:
      return DataType::map(std::move(children[0]), std::move(children[1]));
  }
}

Result<DataType> bind_kind(const ast::TypeName& type, const StatementText& text) {
  switch (type.kind) {
    case ast::TypeNameKind::kBoolean:
      return DataType::boolean();
    case ast::TypeNameKind::kTinyInt:
      return DataType::tiny_int();
    case ast::TypeNameKind::kSmallInt:
      return DataType::small_int();
    case ast::TypeNameKind::kInteger:
      return DataType::integer();
    case ast::TypeNameKind::kBigInt:
      return DataType::big_int();
    case ast::TypeNameKind::kFloat:
      return DataType::float_();
    case ast::TypeNameKind::kDouble:
      return DataType::double_();
    case ast::TypeNameKind::kDecimal:
      return bind_decimal(type, text);
    case ast::TypeNameKind::kChar:
    case ast::TypeNameKind::kVarchar:
    case ast::TypeNameKind::kBinary:
    case ast::TypeNameKind::kVarbinary:
      return bind_sized(type, text);
    case ast::TypeNameKind::kString:
      return DataType::string();
    case ast::TypeNameKind::kBytes:
      return DataType::bytes();
    case ast::TypeNameKind::kDate:
      return DataType::date();
    case ast::TypeNameKind::kTime:
    case ast::TypeNameKind::kTimestamp:
    case ast::TypeNameKind::kTimestampLtz:
      return bind_temporal(type, text);
    case ast::TypeNameKind::kInterval:
      return type.interval.is_year_month() ? DataType::interval_year_month("MONTH")
                                           : DataType::interval_day_time("SECOND(3)");
    case ast::TypeNameKind::kArray:
    case ast::TypeNameKind::kMultiset:
    case ast::TypeNameKind::kMap:
    case ast::TypeNameKind::kRow:
      return bind_nested(type, text);
    case ast::TypeNameKind::kNamed:
      return text.not_found(type.range, fmt::format("unknown type '{}'", ast::to_sql(type.name)));
    case ast::TypeNameKind::kNull:
      return text.invalid(type.range, "NULL cannot be the type of a column or of a CAST");
    case ast::TypeNameKind::kDescriptor:
      return text.invalid(type.range, "DESCRIPTOR cannot be the type of a column or of a CAST");
    case ast::TypeNameKind::kVariant:
      return DataType::variant();
    case ast::TypeNameKind::kTimestampTz:
    case ast::TypeNameKind::kBitmap:
    case ast::TypeNameKind::kRaw:
    case ast::TypeNameKind::kStructured:
      break;
  }
  return text.not_built(type.range, fmt::format("the type {}", ast::to_sql(type)));
}

}  // namespace

Result<DataType> bind_type(const ast::TypeName& type, const StatementText& text) {
  CLP_ASSIGN_OR_RETURN(DataType bound, bind_kind(type, text));
  return bound.with_nullable(!type.not_null);
}

}  // namespace clepsydra::sql
