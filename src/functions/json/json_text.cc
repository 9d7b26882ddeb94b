#include "functions/json/json_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "base/json_string.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// Digits and the power of ten that they are multiplied with.
struct Digits {
  std::string digits;
  std::int64_t exponent = 0;
  bool negative = false;
};

Digits digits_of(std::string_view number) {
  Digits parts;
  parts.negative = number.starts_with('-');
  if (parts.negative) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = number.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    // Beyond this range no number is told from the largest and smallest ones.
    constexpr std::int64_t kExponentMax = 999'999'999;
    const auto [rest, error] =
        std::from_chars(exponent.data(), exponent.data() + exponent.size(), parts.exponent);
    if (error != std::errc())
      parts.exponent = exponent.starts_with('-') ? -kExponentMax : kExponentMax;
    number = number.substr(0, e);
  }
  for (const char c : number) {
    if (c != '.') parts.digits += c;
  }
  const std::size_t point = number.find('.');
  if (point != std::string_view::npos) {
    parts.exponent -= static_cast<std::int64_t>(number.size() - point - 1);
  }
  const std::size_t first = parts.digits.find_first_not_of('0');
  parts.digits.erase(0, first == std::string::npos ? parts.digits.size() - 1 : first);
  return parts;
}

// Members of an object in the order in which they are written, each key once.
std::vector<std::int32_t> ordered_members(const JsonDocument& document, std::int32_t object,
                                          JsonOrder order) {
  std::vector<std::int32_t> members;
  const std::int32_t end = document.node(object).next;
  for (std::int32_t i = object + 1; i < end; i = document.node(i).next) members.push_back(i);
  const auto by_key = [&](std::int32_t a, std::int32_t b) {
    return document.node(a).key < document.node(b).key;
  };
  std::vector<std::int32_t> sorted = members;
  std::stable_sort(sorted.begin(), sorted.end(), by_key);
  std::vector<std::int32_t> unique;
  // Where a key stands first, its last value is written.
  std::vector<std::pair<std::int32_t, std::int32_t>> places;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool repeats = i > 0 && document.node(sorted[i]).key == document.node(sorted[i - 1]).key;
    if (repeats) {
      places.back().second = sorted[i];
    } else {
      places.emplace_back(sorted[i], sorted[i]);
    }
  }
  if (order == JsonOrder::kAsWritten) std::sort(places.begin(), places.end());
  for (const auto& [place, value] : places) unique.push_back(value);
  return unique;
}

bool append_float(double value, std::string& out) {
  if (!std::isfinite(value)) return false;
  std::string text;
  append_double_text(value, text);
  append_json_number(text, out);
  return true;
}

// 2020-02-29T12:34:56.789: without seconds when they are 0, fractions in groups of three digits.
void append_moment(std::int64_t ticks, const DataType& type, std::string& out) {
  std::string text;
  append_timestamp_text(ticks, type.precision(), text);
  const std::size_t blank = text.find(' ');
  text[blank] = 'T';
  const std::size_t point = text.find('.', blank);
  std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
  if (point != std::string::npos) text.resize(point);
  const std::size_t last = fraction.find_last_not_of('0');
  fraction.resize(last == std::string::npos ? 0 : (last / 3 + 1) * 3, '0');
  if (fraction.empty() && text.ends_with(":00")) text.resize(text.size() - 3);
  if (!fraction.empty()) text += '.' + fraction;
  out += '"';
  out += text;
  if (type.kind() == TypeKind::kTimestampLtz) out += 'Z';
  out += '"';
}

bool append_list(const Column& column, std::int64_t row, std::string& out) {
  const auto* offsets = column.values<std::int32_t>();
  out += '[';
  for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    if (i > offsets[row]) out += ',';
    if (!append_json_value(column.child(0), i, out)) return false;
  }
  out += ']';
  return true;
}

// One member per (key, child, row), by key; of equal keys the last.
struct Member {
  std::string_view key;
  const Column* values;
  std::int64_t row;
};

bool append_members(std::vector<Member>& members, std::string& out) {
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.key < b.key; });
  out += '{';
  bool is_first = true;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].key == members[i + 1].key) continue;
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(members[i].key, out);
    out += ':';
    if (!append_json_value(*members[i].values, members[i].row, out)) return false;
  }
  out += '}';
  return true;
}

bool append_map(const Column& column, std::int64_t row, std::string& out) {
  const auto* offsets = column.values<std::int32_t>();
  std::vector<Member> members;
  for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    const Column& keys = column.child(0);
    members.push_back({keys.is_null(i) ? "null" : keys.string_at(i), &column.child(1), i});
  }
  return append_members(members, out);
}

bool append_row(const Column& column, std::int64_t row, std::string& out) {
  std::vector<Member> members;
  const std::vector<Field>& fields = column.type().fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    members.push_back({fields[i].name, &column.child(static_cast<int>(i)), row});
  }
  return append_members(members, out);
}

}  // namespace

void append_json_number(std::string_view number, std::string& out) {
  const bool has_exponent =
      std::any_of(number.begin(), number.end(), [](char c) { return c == 'e' || c == 'E'; });
  const char first = number[number.front() == '-' ? 1 : 0];
  if (!has_exponent && first != '0') {  // Plain, with or without a point.
    out += number;
    return;
  }
  if (number == "0" || number == "-0") {
    out += '0';
    return;
  }
  const Digits parts = digits_of(number);
  const auto count = static_cast<std::int64_t>(parts.digits.size());
  if (parts.negative && parts.digits != "0") out += '-';
  // BigDecimal.toString(): plain up to six zeros behind the point.
  const std::int64_t adjusted = parts.exponent + count - 1;
  if (parts.exponent <= 0 && adjusted >= -6) {
    const std::int64_t whole = count + parts.exponent;
    if (whole > 0) {
      out += parts.digits.substr(0, static_cast<std::size_t>(whole));
    } else {
      out += '0';
    }
    if (parts.exponent == 0) return;
    out += '.';
    if (whole < 0) out.append(static_cast<std::size_t>(-whole), '0');
    out += parts.digits.substr(static_cast<std::size_t>(std::max<std::int64_t>(0, whole)));
    return;
  }
  out += parts.digits[0];
  if (count > 1) {
    out += '.';
    out += parts.digits.substr(1);
  }
  if (adjusted == 0) return;
  out += 'E';
  if (adjusted > 0) out += '+';
  append_int_text(adjusted, out);
}

void append_json(const JsonDocument& document, std::int32_t i, JsonOrder order, std::string& out) {
  const JsonNode& value = document.node(i);
  switch (value.kind) {
    case JsonKind::kNull:
      out += "null";
      break;
    case JsonKind::kFalse:
      out += "false";
      break;
    case JsonKind::kTrue:
      out += "true";
      break;
    case JsonKind::kNumber:
      append_json_number(value.text, out);
      break;
    case JsonKind::kString:
      append_json_string(value.text, out);
      break;
    case JsonKind::kArray:
      out += '[';
      for (std::int32_t element = i + 1; element < value.next;
           element = document.node(element).next) {
        if (element > i + 1) out += ',';
        append_json(document, element, order, out);
      }
      out += ']';
      break;
    case JsonKind::kObject: {
      out += '{';
      bool is_first = true;
      for (const std::int32_t member : ordered_members(document, i, order)) {
        if (!is_first) out += ',';
        is_first = false;
        append_json_string(document.node(member).key, out);
        out += ':';
        append_json(document, member, order, out);
      }
      out += '}';
      break;
    }
  }
}

bool can_write_json(const DataType& type) {
  switch (type.kind()) {
    case TypeKind::kArray:
      return can_write_json(type.element());
    case TypeKind::kMap:
      return type.key().is_character() && can_write_json(type.value());
    case TypeKind::kMultiset:
      return type.element().is_character();
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const Field& field) { return can_write_json(field.type); });
    default:
      return type.is_character() || type.is_binary() || type.is_numeric() || type.is_timestamp() ||
             type.kind() == TypeKind::kBoolean || type.kind() == TypeKind::kVariant;
  }
}

bool append_json_value(const Column& column, std::int64_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return true;
  }
  const DataType& type = column.type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
      return true;
    case TypeKind::kFloat:
      return append_float(static_cast<double>(column.values<float>()[row]), out);
    case TypeKind::kDouble:
      return append_float(column.values<double>()[row], out);
    case TypeKind::kDecimal: {
      std::string text;
      append_decimal_text(column.values<Int128>()[row], type.scale(), text);
      append_json_number(text, out);
      return true;
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      append_json_string(column.string_at(row), out);
      return true;
    case TypeKind::kVariant:
      out += column.string_at(row);
      return true;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      out += '"';
      append_base64(column.string_at(row), out);
      out += '"';
      return true;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      append_moment(column.values<std::int64_t>()[row], type, out);
      return true;
    case TypeKind::kArray:
      return append_list(column, row, out);
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_map(column, row, out);
    case TypeKind::kRow:
    case TypeKind::kStructured:
      return append_row(column, row, out);
    default:
      append_value_text(column, row, {}, out);
      return true;
  }
}

}  // namespace clepsydra
