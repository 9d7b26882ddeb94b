// Data types and interval qualifiers.
#include <array>
#include <utility>

#include "sql/grammar/parser_internal.h"

namespace clepsydra::grammar {
namespace {

using ast::TimeUnit;
using ast::TypeNameKind;

struct SimpleType {
  Word word;
  TypeNameKind kind;
};

// Types of one word without parameters.
constexpr std::array<SimpleType, 14> kSimpleTypes{{
    {"BOOLEAN", TypeNameKind::kBoolean},
    {"TINYINT", TypeNameKind::kTinyInt},
    {"SMALLINT", TypeNameKind::kSmallInt},
    {"INT", TypeNameKind::kInteger},
    {"INTEGER", TypeNameKind::kInteger},
    {"BIGINT", TypeNameKind::kBigInt},
    {"FLOAT", TypeNameKind::kFloat},
    {"REAL", TypeNameKind::kFloat},
    {"STRING", TypeNameKind::kString},
    {"BYTES", TypeNameKind::kBytes},
    {"DATE", TypeNameKind::kDate},
    {"NULL", TypeNameKind::kNull},
    {"VARIANT", TypeNameKind::kVariant},
    {"BITMAP", TypeNameKind::kBitmap},
}};

struct UnitWord {
  Word word;
  TimeUnit unit;
};

constexpr std::array<UnitWord, 38> kUnitWords{{
    {"YEAR", TimeUnit::kYear},
    {"YEARS", TimeUnit::kYear},
    {"QUARTER", TimeUnit::kQuarter},
    {"QUARTERS", TimeUnit::kQuarter},
    {"MONTH", TimeUnit::kMonth},
    {"MONTHS", TimeUnit::kMonth},
    {"WEEK", TimeUnit::kWeek},
    {"WEEKS", TimeUnit::kWeek},
    {"DAY", TimeUnit::kDay},
    {"DAYS", TimeUnit::kDay},
    {"HOUR", TimeUnit::kHour},
    {"HOURS", TimeUnit::kHour},
    {"MINUTE", TimeUnit::kMinute},
    {"MINUTES", TimeUnit::kMinute},
    {"SECOND", TimeUnit::kSecond},
    {"SECONDS", TimeUnit::kSecond},
    {"MILLISECOND", TimeUnit::kMillisecond},
    {"MICROSECOND", TimeUnit::kMicrosecond},
    {"NANOSECOND", TimeUnit::kNanosecond},
    {"DOW", TimeUnit::kDayOfWeek},
    {"ISODOW", TimeUnit::kIsoDayOfWeek},
    {"DOY", TimeUnit::kDayOfYear},
    {"ISOYEAR", TimeUnit::kIsoYear},
    {"EPOCH", TimeUnit::kEpoch},
    {"DECADE", TimeUnit::kDecade},
    {"CENTURY", TimeUnit::kCentury},
    {"MILLENNIUM", TimeUnit::kMillennium},
    {"FRAC_SECOND", TimeUnit::kMicrosecond},
    {"SQL_TSI_YEAR", TimeUnit::kYear},
    {"SQL_TSI_QUARTER", TimeUnit::kQuarter},
    {"SQL_TSI_MONTH", TimeUnit::kMonth},
    {"SQL_TSI_WEEK", TimeUnit::kWeek},
    {"SQL_TSI_DAY", TimeUnit::kDay},
    {"SQL_TSI_HOUR", TimeUnit::kHour},
    {"SQL_TSI_MINUTE", TimeUnit::kMinute},
    {"SQL_TSI_SECOND", TimeUnit::kSecond},
    {"SQL_TSI_MICROSECOND", TimeUnit::kMicrosecond},
    {"SQL_TSI_FRAC_SECOND", TimeUnit::kMicrosecond},
}};

bool can_start_interval(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kYear:
    case TimeUnit::kQuarter:
    case TimeUnit::kMonth:
    case TimeUnit::kWeek:
    case TimeUnit::kDay:
    case TimeUnit::kHour:
    case TimeUnit::kMinute:
    case TimeUnit::kSecond:
      return true;
    default:
      return false;
  }
}

// YEAR TO MONTH; DAY TO HOUR .. SECOND; HOUR TO MINUTE, SECOND; MINUTE TO SECOND.
bool can_span(TimeUnit start, TimeUnit end) {
  if (start == TimeUnit::kYear) return end == TimeUnit::kMonth;
  const auto rank = [](TimeUnit unit) {
    switch (unit) {
      case TimeUnit::kDay:
        return 1;
      case TimeUnit::kHour:
        return 2;
      case TimeUnit::kMinute:
        return 3;
      case TimeUnit::kSecond:
        return 4;
      default:
        return 0;
    }
  };
  return rank(start) > 0 && rank(end) > rank(start);
}

}  // namespace

ast::TypeName Parser::type() {
  const Nesting nesting(*this);
  const std::size_t begin = in_.peek().range.begin;
  ast::TypeName result = base_type();
  const auto nullability = [this](ast::TypeName& target) {
    if (in_.accept_sequence({"NOT", "NULL"})) {
      target.not_null = true;
    } else {
      in_.accept("NULL");
    }
  };
  result.range = in_.range_from(begin);
  nullability(result);
  // INT ARRAY and INT MULTISET: the standard's spelling of collections.
  while (in_.is("ARRAY") || in_.is("MULTISET")) {
    ast::TypeName collection;
    collection.kind = in_.is("ARRAY") ? TypeNameKind::kArray : TypeNameKind::kMultiset;
    in_.take();
    wrap();
    collection.children.push_back(std::move(result));
    collection.range = in_.range_from(begin);
    result = std::move(collection);
    nullability(result);
  }
  result.range = in_.range_from(begin);
  return result;
}

ast::TypeName Parser::base_type() {
  ast::TypeName type;
  if (simple_type(type)) return type;
  if (in_.accept("DOUBLE")) {
    in_.accept("PRECISION");
    type.kind = TypeNameKind::kDouble;
  } else if (in_.accept("DECIMAL") || in_.accept("DEC") || in_.accept("NUMERIC")) {
    type.kind = TypeNameKind::kDecimal;
    type_parameters(type, true);
  } else if (in_.accept("NATIONAL")) {
    if (!in_.accept("CHAR")) in_.expect("CHARACTER");
    character_type(type);
  } else if (in_.accept("CHAR") || in_.accept("CHARACTER") || in_.accept("NCHAR")) {
    character_type(type);
  } else if (in_.accept("VARCHAR")) {
    type.kind = TypeNameKind::kVarchar;
    type_parameters(type, false);
  } else if (in_.accept("BINARY")) {
    type.kind = in_.accept("VARYING") ? TypeNameKind::kVarbinary : TypeNameKind::kBinary;
    type_parameters(type, false);
  } else if (in_.accept("VARBINARY")) {
    type.kind = TypeNameKind::kVarbinary;
    type_parameters(type, false);
  } else if (in_.is_one_of({"TIME", "TIMESTAMP", "TIMESTAMP_LTZ"})) {
    timestamp_type(type);
  } else if (in_.accept("INTERVAL")) {
    type.kind = TypeNameKind::kInterval;
    type.interval = interval_qualifier();
  } else if (in_.is_one_of({"ARRAY", "MULTISET", "MAP", "ROW"})) {
    row_type(type);
  } else if (in_.is_one_of({"RAW", "STRUCTURED"})) {
    class_type(type);
  } else if (is_name()) {
    type.kind = TypeNameKind::kNamed;
    type.name = object_name("a data type");
  } else {
    in_.fail_expected("a data type");
  }
  return type;
}

bool Parser::simple_type(ast::TypeName& type) {
  for (const SimpleType& simple : kSimpleTypes) {
    // VARIANT and BITMAP are names elsewhere, and could begin one here.
    if (in_.is(simple.word) && !(in_.is_ahead(1, TokenKind::kDot) && is_name())) {
      in_.take();
      type.kind = simple.kind;
      return true;
    }
  }
  return false;
}

void Parser::type_parameters(ast::TypeName& type, bool with_scale) {
  if (!in_.is(TokenKind::kLeftParen)) return;
  const Token open = in_.take();
  type.precision = small_number();
  if (with_scale && in_.accept(TokenKind::kComma)) type.scale = small_number();
  in_.expect_close(open.range);
}

void Parser::character_type(ast::TypeName& type) {
  type.kind = in_.accept("VARYING") ? TypeNameKind::kVarchar : TypeNameKind::kChar;
  type_parameters(type, false);
}

void Parser::timestamp_type(ast::TypeName& type) {
  const bool time = in_.is("TIME");
  const bool local = in_.is("TIMESTAMP_LTZ");
  in_.take();
  type.kind = time    ? TypeNameKind::kTime
              : local ? TypeNameKind::kTimestampLtz
                      : TypeNameKind::kTimestamp;
  type_parameters(type, false);
  if (local) return;
  if (in_.accept_sequence({"WITHOUT", "TIME", "ZONE"}) || time) return;
  if (in_.accept_sequence({"WITH", "LOCAL", "TIME", "ZONE"})) {
    type.kind = TypeNameKind::kTimestampLtz;
  } else if (in_.accept_sequence({"WITH", "TIME", "ZONE"})) {
    type.kind = TypeNameKind::kTimestampTz;
  }
}

void Parser::row_type(ast::TypeName& result) {
  const bool row = in_.is("ROW");
  const bool map = in_.is("MAP");
  result.kind = row               ? TypeNameKind::kRow
                : map             ? TypeNameKind::kMap
                : in_.is("ARRAY") ? TypeNameKind::kArray
                                  : TypeNameKind::kMultiset;
  in_.take();
  if (row) {
    if (in_.accept(TokenKind::kNotEqual)) return;  // ROW<>
    if (in_.accept(TokenKind::kLess)) return type_fields(result, TokenKind::kGreater);
    in_.expect(TokenKind::kLeftParen);
    return type_fields(result, TokenKind::kRightParen);
  }
  in_.expect(TokenKind::kLess);
  result.children.push_back(type());
  if (map) {
    in_.expect(TokenKind::kComma);
    result.children.push_back(type());
  }
  in_.expect(TokenKind::kGreater);
}

void Parser::type_fields(ast::TypeName& result, TokenKind close) {
  if (in_.accept(close)) return;
  do {
    ast::TypeField field;
    field.name = name("a field name");
    field.type = type();
    // The comment may stand alone or behind COMMENT.
    if (in_.is(TokenKind::kString)) {
      field.comment = string_value();
    } else {
      field.comment = comment();
    }
    result.fields.push_back(std::move(field));
  } while (in_.accept(TokenKind::kComma));
  in_.expect(close);
}

// RAW('class', 'snapshot') and STRUCTURED<'class', name type, ...>.
void Parser::class_type(ast::TypeName& result) {
  if (in_.accept("RAW")) {
    result.kind = TypeNameKind::kRaw;
    const Token open = in_.peek();
    in_.expect(TokenKind::kLeftParen);
    result.class_name = string_text("the class name in single quotes");
    in_.expect(TokenKind::kComma);
    result.snapshot = string_text("the serializer snapshot in single quotes");
    in_.expect_close(open.range);
    return;
  }
  in_.expect("STRUCTURED");
  result.kind = TypeNameKind::kStructured;
  in_.expect(TokenKind::kLess);
  result.class_name = string_text("the class name in single quotes");
  if (in_.accept(TokenKind::kComma)) return type_fields(result, TokenKind::kGreater);
  in_.expect(TokenKind::kGreater);
}

std::optional<ast::TimeUnit> Parser::accept_time_unit() {
  for (const UnitWord& entry : kUnitWords) {
    if (in_.accept(entry.word)) return entry.unit;
  }
  return std::nullopt;
}

ast::TimeUnit Parser::time_unit() {
  if (const std::optional<TimeUnit> unit = accept_time_unit()) return *unit;
  in_.fail_expected("a time unit such as DAY or SECOND");
  return TimeUnit::kDay;
}

ast::IntervalQualifier Parser::interval_qualifier() {
  ast::IntervalQualifier qualifier;
  const Token first = in_.peek();
  const auto unit_precision = [this](std::optional<std::int32_t>& leading,
                                     std::optional<std::int32_t>* fraction) {
    if (!in_.is(TokenKind::kLeftParen)) return;
    const Token open = in_.take();
    leading = small_number();
    if (fraction != nullptr && in_.accept(TokenKind::kComma)) *fraction = small_number();
    in_.expect_close(open.range);
  };
  qualifier.start = time_unit();
  if (!can_start_interval(qualifier.start)) {
    in_.fail(
        {first.range, "an interval cannot be given in this unit",
         "the units of intervals are YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE and SECOND"});
  }
  unit_precision(qualifier.precision,
                 qualifier.start == TimeUnit::kSecond ? &qualifier.fraction : nullptr);
  if (in_.is("TO")) {
    in_.take();
    const Token end = in_.peek();
    qualifier.end = time_unit();
    if (!in_.failed() && !can_span(qualifier.start, *qualifier.end)) {
      in_.fail({{first.range.begin, end.range.end},
                "these two units do not make an interval",
                "write YEAR TO MONTH, or DAY, HOUR or MINUTE TO a smaller unit down to SECOND"});
    }
    if (qualifier.end == TimeUnit::kSecond) unit_precision(qualifier.fraction, nullptr);
  }
  qualifier.range = in_.range_from(first.range.begin);
  return qualifier;
}

}  // namespace clepsydra::grammar
