#include "stream/data_type.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

// `a` INT, with backquotes inside the name doubled.
void append_quoted_name(std::string_view name, std::string& out) {
  out += '`';
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  out += '`';
}

std::string row_text(std::string text, const std::vector<Field>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += ", ";
    append_quoted_name(fields[i].name, text);
    text += ' ';
    text += fields[i].type.to_string();
  }
  return text + '>';
}

bool same_fields(const std::vector<Field>& a, const std::vector<Field>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || !a[i].type.same_values(b[i].type)) return false;
  }
  return true;
}

// Ticks of 1/from s as ticks of 1/to s: towards the past where digits are lost, saturating where
// the result does not fit. Both are powers of ten.
std::int64_t rescale(std::int64_t ticks, std::int64_t from, std::int64_t to) {
  if (from >= to) {
    const std::int64_t divisor = from / to;
    return ticks / divisor - (ticks % divisor < 0 ? 1 : 0);
  }
  std::int64_t result = 0;
  if (!__builtin_mul_overflow(ticks, to / from, &result)) return result;
  return ticks < 0 ? std::numeric_limits<std::int64_t>::min()
                   : std::numeric_limits<std::int64_t>::max();
}

const std::vector<Field>& no_fields() {
  static const std::vector<Field> kNoFields;
  return kNoFields;
}

}  // namespace

DataType DataType::decimal(int precision, int scale) {
  CLP_CHECK(precision >= 1 && precision <= kMaxDecimalPrecision && scale >= 0 &&
            scale <= precision);
  DataType type(TypeKind::kDecimal);
  type.precision_ = precision;
  type.scale_ = static_cast<std::int8_t>(scale);
  return type;
}

DataType DataType::char_(std::int32_t length) {
  DataType type(TypeKind::kChar);
  type.precision_ = length;
  return type;
}

DataType DataType::varchar(std::int32_t length) {
  DataType type(TypeKind::kVarchar);
  type.precision_ = length;
  return type;
}

DataType DataType::binary(std::int32_t length) {
  DataType type(TypeKind::kBinary);
  type.precision_ = length;
  return type;
}

DataType DataType::varbinary(std::int32_t length) {
  DataType type(TypeKind::kVarbinary);
  type.precision_ = length;
  return type;
}

DataType DataType::time(int precision) {
  CLP_CHECK(precision >= 0 && precision <= kMaxTimestampPrecision);
  DataType type(TypeKind::kTime);
  type.precision_ = precision;
  return type;
}

DataType DataType::timestamp(int precision) {
  CLP_CHECK(precision >= 0 && precision <= kMaxTimestampPrecision);
  DataType type(TypeKind::kTimestamp);
  type.precision_ = precision;
  return type;
}

DataType DataType::timestamp_ltz(int precision) {
  CLP_CHECK(precision >= 0 && precision <= kMaxTimestampPrecision);
  DataType type(TypeKind::kTimestampLtz);
  type.precision_ = precision;
  return type;
}

DataType DataType::interval_year_month(std::string qualifier) {
  DataType type(TypeKind::kIntervalYearMonth);
  type.qualifier_ = std::make_shared<const std::string>(std::move(qualifier));
  return type;
}

DataType DataType::interval_day_time(std::string qualifier) {
  DataType type(TypeKind::kIntervalDayTime);
  type.qualifier_ = std::make_shared<const std::string>(std::move(qualifier));
  return type;
}

DataType DataType::array(DataType element) {
  DataType type(TypeKind::kArray);
  std::vector<Field> fields;
  fields.push_back({"element", std::move(element), {}});
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

DataType DataType::map(DataType key, DataType value) {
  DataType type(TypeKind::kMap);
  std::vector<Field> fields;
  fields.push_back({"key", std::move(key), {}});
  fields.push_back({"value", std::move(value), {}});
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

DataType DataType::multiset(DataType element) {
  DataType type(TypeKind::kMultiset);
  std::vector<Field> fields;
  fields.push_back({"element", std::move(element), {}});
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

DataType DataType::row(std::vector<Field> fields) {
  DataType type(TypeKind::kRow);
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

DataType DataType::structured(std::string class_name, std::vector<Field> fields) {
  DataType type(TypeKind::kStructured);
  type.qualifier_ = std::make_shared<const std::string>(std::move(class_name));
  type.fields_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

PhysicalType DataType::physical() const {
  switch (kind_) {
    case TypeKind::kNull:
    case TypeKind::kDescriptor:
      return PhysicalType::kNone;
    case TypeKind::kBoolean:
      return PhysicalType::kBool8;
    case TypeKind::kTinyInt:
      return PhysicalType::kInt8;
    case TypeKind::kSmallInt:
      return PhysicalType::kInt16;
    case TypeKind::kInteger:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kIntervalYearMonth:
      return PhysicalType::kInt32;
    case TypeKind::kBigInt:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
    case TypeKind::kIntervalDayTime:
      return PhysicalType::kInt64;
    case TypeKind::kFloat:
      return PhysicalType::kFloat;
    case TypeKind::kDouble:
      return PhysicalType::kDouble;
    case TypeKind::kDecimal:
      return PhysicalType::kInt128;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
    case TypeKind::kVariant:
      return PhysicalType::kView;
    case TypeKind::kArray:
      return PhysicalType::kList;
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return PhysicalType::kMap;
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return PhysicalType::kStruct;
  }
  return PhysicalType::kNone;
}

int DataType::fixed_width() const {
  switch (physical()) {
    case PhysicalType::kBool8:
    case PhysicalType::kInt8:
      return 1;
    case PhysicalType::kInt16:
      return 2;
    case PhysicalType::kInt32:
    case PhysicalType::kFloat:
      return 4;
    case PhysicalType::kInt64:
    case PhysicalType::kDouble:
      return 8;
    case PhysicalType::kInt128:
    case PhysicalType::kView:
      return 16;
    case PhysicalType::kNone:
    case PhysicalType::kList:
    case PhysicalType::kMap:
    case PhysicalType::kStruct:
      return 0;
  }
  return 0;
}

const std::vector<Field>& DataType::fields() const {
  return fields_ ? *fields_ : no_fields();
}

const DataType& DataType::element() const {
  CLP_CHECK(kind_ == TypeKind::kArray || kind_ == TypeKind::kMultiset);
  return (*fields_)[0].type;
}

const DataType& DataType::key() const {
  CLP_CHECK(kind_ == TypeKind::kMap);
  return (*fields_)[0].type;
}

const DataType& DataType::value() const {
  CLP_CHECK(kind_ == TypeKind::kMap);
  return (*fields_)[1].type;
}

std::string_view DataType::interval_qualifier() const {
  return qualifier_ ? std::string_view(*qualifier_) : std::string_view();
}

std::string_view DataType::class_name() const {
  CLP_CHECK(kind_ == TypeKind::kStructured);
  return *qualifier_;
}

int DataType::child_count() const {
  // The counts of a MULTISET are stored, but are not part of its type.
  return kind_ == TypeKind::kMultiset ? 2 : static_cast<int>(fields().size());
}

DataType DataType::child_type(int i) const {
  if (kind_ == TypeKind::kMultiset && i == 1) return integer().with_nullable(false);
  return fields()[static_cast<std::size_t>(i)].type;
}

DataType DataType::with_nullable(bool nullable) const {
  DataType type = *this;
  type.nullable_ = nullable;
  return type;
}

DataType DataType::with_time_attribute(TimeAttribute attribute) const {
  DataType type = *this;
  type.time_attribute_ = attribute;
  return type;
}

std::string DataType::name() const {
  switch (kind_) {
    case TypeKind::kNull:
      return "NULL";
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kTinyInt:
      return "TINYINT";
    case TypeKind::kSmallInt:
      return "SMALLINT";
    case TypeKind::kInteger:
      return "INT";
    case TypeKind::kBigInt:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return fmt::format("DECIMAL({}, {})", precision_, scale_);
    case TypeKind::kChar:
      return fmt::format("CHAR({})", precision_);
    case TypeKind::kVarchar:
      return precision_ == kMaxLength ? "STRING" : fmt::format("VARCHAR({})", precision_);
    case TypeKind::kBinary:
      return fmt::format("BINARY({})", precision_);
    case TypeKind::kVarbinary:
      return precision_ == kMaxLength ? "BYTES" : fmt::format("VARBINARY({})", precision_);
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return fmt::format("TIME({})", precision_);
    case TypeKind::kTimestamp:
      return fmt::format("TIMESTAMP({})", precision_);
    case TypeKind::kTimestampLtz:
      return fmt::format("TIMESTAMP_LTZ({})", precision_);
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      return fmt::format("INTERVAL {}", interval_qualifier());
    case TypeKind::kArray:
      return fmt::format("ARRAY<{}>", element().to_string());
    case TypeKind::kMap:
      return fmt::format("MAP<{}, {}>", key().to_string(), value().to_string());
    case TypeKind::kMultiset:
      return fmt::format("MULTISET<{}>", element().to_string());
    case TypeKind::kRow:
      return row_text("ROW<", fields());
    case TypeKind::kStructured:
      return row_text(fmt::format("STRUCTURED<'{}', ", class_name()), fields());
    case TypeKind::kDescriptor:
      return "DESCRIPTOR";
    case TypeKind::kVariant:
      return "VARIANT";
  }
  return "NULL";
}

std::string DataType::to_string() const {
  std::string text = name();
  if (!nullable_) text += " NOT NULL";
  if (time_attribute_ == TimeAttribute::kRowtime) text += " *ROWTIME*";
  if (time_attribute_ == TimeAttribute::kProctime) text += " *PROCTIME*";
  return text;
}

bool operator==(const DataType& a, const DataType& b) {
  return a.kind_ == b.kind_ && a.nullable_ == b.nullable_ &&
         a.time_attribute_ == b.time_attribute_ && a.scale_ == b.scale_ &&
         a.precision_ == b.precision_ && a.interval_qualifier() == b.interval_qualifier() &&
         (a.fields_ == b.fields_ || a.fields() == b.fields());
}

bool DataType::same_values(const DataType& other) const {
  return kind_ == other.kind_ && scale_ == other.scale_ && precision_ == other.precision_ &&
         (kind_ != TypeKind::kStructured || class_name() == other.class_name()) &&
         (fields_ == other.fields_ || same_fields(fields(), other.fields()));
}

std::int64_t timestamp_ticks_per_second(int precision) {
  if (precision <= 0) return 1;
  if (precision <= 3) return 1'000;
  if (precision <= 6) return 1'000'000;
  return 1'000'000'000;
}

std::int64_t timestamp_to_millis(std::int64_t ticks, int precision) {
  return rescale(ticks, timestamp_ticks_per_second(precision), 1'000);
}

std::int64_t timestamp_from_millis(std::int64_t millis, int precision) {
  return rescale(millis, 1'000, timestamp_ticks_per_second(precision));
}

int Schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string Schema::to_string() const {
  std::string text = "(";
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (i > 0) text += ", ";
    text += fields_[i].name;
    text += ' ';
    text += fields_[i].type.to_string();
  }
  return text + ')';
}

}  // namespace clepsydra
