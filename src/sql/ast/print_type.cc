#include <array>
#include <string>

#include "sql/ast/print.h"
#include "sql/ast/printer_internal.h"

namespace clepsydra::ast {

const char* time_unit_name(TimeUnit unit) {
  constexpr std::array<const char*, 19> kNames = {
      "MILLENNIUM", "CENTURY",     "DECADE",      "YEAR",       "ISOYEAR", "QUARTER", "MONTH",
      "WEEK",       "DAY",         "DOW",         "ISODOW",     "DOY",     "HOUR",    "MINUTE",
      "SECOND",     "MILLISECOND", "MICROSECOND", "NANOSECOND", "EPOCH"};
  return kNames[static_cast<std::size_t>(unit)];
}

void Printer::interval(const IntervalQualifier& q) {
  const auto number = [this](std::int32_t value) { put(std::to_string(value)); };
  put(time_unit_name(q.start));
  const bool single = !q.end && q.fraction.has_value();
  if (q.precision || single) {
    put("(");
    number(q.precision.value_or(0));
    if (single) {
      put(", ");
      number(*q.fraction);
    }
    put(")");
  }
  if (!q.end) return;
  put(" TO ");
  put(time_unit_name(*q.end));
  if (!q.fraction) return;
  put("(");
  number(*q.fraction);
  put(")");
}

void Printer::type_parameters(const TypeName& t) {
  if (!t.precision) return;
  put("(");
  put(std::to_string(*t.precision));
  if (t.scale) {
    put(", ");
    put(std::to_string(*t.scale));
  }
  put(")");
}

void Printer::type_fields(const std::vector<TypeField>& fields) {
  list(fields, [this](const TypeField& field) {
    name(field.name);
    put(" ");
    type(field.type);
    if (field.comment) {
      put(" ");
      string(*field.comment);
    }
  });
}

void Printer::type(const TypeName& t) {
  constexpr std::array<const char*, 32> kNames = {
      "BOOLEAN", "TINYINT",   "SMALLINT",   "INT",           "BIGINT",
      "FLOAT",   "DOUBLE",    "DECIMAL",    "CHAR",          "VARCHAR",
      "STRING",  "BINARY",    "VARBINARY",  "BYTES",         "DATE",
      "TIME",    "TIMESTAMP", "TIMESTAMP",  "TIMESTAMP_LTZ", "INTERVAL",
      "ARRAY",   "MULTISET",  "MAP",        "ROW",           "NULL",
      "VARIANT", "BITMAP",    "DESCRIPTOR", "RAW",           "STRUCTURED",
      "",        ""};
  put(kNames[static_cast<std::size_t>(t.kind)]);
  type_parameters(t);
  switch (t.kind) {
    case TypeNameKind::kTimestampTz:
      put(" WITH TIME ZONE");
      break;
    case TypeNameKind::kInterval:
      put(" ");
      interval(t.interval);
      break;
    case TypeNameKind::kArray:
    case TypeNameKind::kMultiset:
    case TypeNameKind::kMap:
      put("<");
      list(t.children, [this](const TypeName& child) { type(child); });
      put(">");
      break;
    case TypeNameKind::kRow:
      put("<");
      type_fields(t.fields);
      put(">");
      break;
    case TypeNameKind::kRaw:
      put("(");
      string(t.class_name);
      put(", ");
      string(t.snapshot);
      put(")");
      break;
    case TypeNameKind::kStructured:
      put("<");
      string(t.class_name);
      if (!t.fields.empty()) put(", ");
      type_fields(t.fields);
      put(">");
      break;
    case TypeNameKind::kNamed:
      object_name(t.name);
      break;
    default:
      break;
  }
  if (t.not_null) put(" NOT NULL");
}

std::string to_sql(const TypeName& type) {
  Printer printer;
  printer.type(type);
  return printer.take();
}

std::string to_sql(const IntervalQualifier& qualifier) {
  Printer printer;
  printer.interval(qualifier);
  return printer.take();
}

}  // namespace clepsydra::ast
