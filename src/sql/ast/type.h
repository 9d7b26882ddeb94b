// Data types as written in CAST and column definitions. The binder turns them into
// stream/data_type.h and checks the parameters; the parser keeps what was written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/location.h"

namespace clepsydra::ast {

enum class TimeUnit : std::uint8_t {
  kMillennium,
  kCentury,
  kDecade,
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,     // DOW
  kIsoDayOfWeek,  // ISODOW
  kDayOfYear,     // DOY
  kHour,
  kMinute,
  kSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kEpoch,
};

// "YEAR", "DOW": as SQL spells it.
const char* time_unit_name(TimeUnit unit);

// DAY(2) TO SECOND(3). `end` is absent for a single unit. Start is one of YEAR, QUARTER, MONTH,
// WEEK, DAY, HOUR, MINUTE, SECOND; with an end, the two are in an order that the grammar allows.
struct IntervalQualifier {
  TimeUnit start = TimeUnit::kDay;
  std::optional<TimeUnit> end;
  std::optional<std::int32_t> precision;  // Of the leading unit.
  std::optional<std::int32_t> fraction;   // Of seconds.
  SourceRange range;

  // YEAR, QUARTER, MONTH: a year-month interval; the rest are day-time intervals.
  [[nodiscard]] bool is_year_month() const { return start <= TimeUnit::kMonth; }
};

enum class TypeNameKind : std::uint8_t {
  kBoolean,
  kTinyInt,
  kSmallInt,
  kInteger,
  kBigInt,
  kFloat,
  kDouble,
  kDecimal,    // precision, scale
  kChar,       // precision = length
  kVarchar,    // precision = length; STRING has kString
  kString,     // STRING
  kBinary,     // precision = length
  kVarbinary,  // precision = length
  kBytes,      // BYTES
  kDate,
  kTime,          // precision
  kTimestamp,     // precision
  kTimestampTz,   // TIMESTAMP(p) WITH TIME ZONE
  kTimestampLtz,  // precision
  kInterval,      // interval
  kArray,         // children[0]
  kMultiset,      // children[0]
  kMap,           // children[0] key, children[1] value
  kRow,           // fields
  kNull,
  kVariant,
  kBitmap,
  kDescriptor,
  kRaw,         // class_name, snapshot
  kStructured,  // class_name, fields
  kNamed,       // name: a user-defined type
};

struct TypeField;

struct TypeName {
  TypeNameKind kind = TypeNameKind::kNull;
  SourceRange range;
  bool not_null = false;  // NOT NULL was written.
  std::optional<std::int32_t> precision;
  std::optional<std::int32_t> scale;
  IntervalQualifier interval;
  std::vector<TypeName> children;
  std::vector<TypeField> fields;
  std::string class_name;
  std::string snapshot;
  ObjectName name;
};

struct TypeField {
  Identifier name;
  TypeName type;
  std::optional<std::string> comment;
};

}  // namespace clepsydra::ast
