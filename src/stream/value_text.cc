#include "stream/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "stream/calendar.h"
#include "stream/time_zone.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kMillisOfDay = 86'400'000;

void append_digits(std::int64_t value, int digits, std::string& out) {
  char text[20];
  for (int i = digits - 1; i >= 0; --i) {
    text[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(text, static_cast<std::size_t>(digits));
}

// Java's notation: plain from 0.001 up to 10,000,000, else with an exponent; always a digit behind
// the point.
template <typename T>
void append_java_floating(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  const T magnitude = std::abs(value);
  if (std::isinf(magnitude)) {
    out += "Infinity";
    return;
  }
  if (magnitude == 0) {
    out += "0.0";
    return;
  }
  char text[32];
  const auto [end, error] =
      std::to_chars(text, text + sizeof(text), magnitude, std::chars_format::scientific);
  CLP_CHECK(error == std::errc());
  // d.ddde+xx
  const std::string_view written(text, static_cast<std::size_t>(end - text));
  const std::size_t mark = written.find('e');
  std::string digits(written.substr(0, 1));
  if (mark > 2) digits += written.substr(2, mark - 2);
  int exponent = 0;
  const std::string_view power = written.substr(mark + (written[mark + 1] == '+' ? 2 : 1));
  std::from_chars(power.data(), power.data() + power.size(), exponent);
  if (exponent < -3 || exponent >= 7) {
    out += digits[0];
    out += '.';
    out += digits.size() > 1 ? std::string_view(digits).substr(1) : std::string_view("0");
    out += 'E';
    append_int_text(exponent, out);
    return;
  }
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
    return;
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  out += std::string_view(digits).substr(0, whole);
  out += '.';
  out += digits.size() > whole ? std::string_view(digits).substr(whole) : std::string_view("0");
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes `min` to `max` digits off the front.
bool take_digits(std::string_view& text, std::size_t min, std::size_t max, int& value) {
  std::size_t count = 0;
  value = 0;
  while (count < max && count < text.size() && text[count] >= '0' && text[count] <= '9') {
    value = value * 10 + (text[count] - '0');
    ++count;
  }
  text.remove_prefix(count);
  return count >= min;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Up to nine digits behind a point as nanoseconds.
bool take_fraction(std::string_view& text, std::int64_t& nanos) {
  nanos = 0;
  std::int64_t unit = 100'000'000;
  std::size_t count = 0;
  for (; count < text.size() && text[count] >= '0' && text[count] <= '9'; ++count) {
    if (count >= 9) return false;
    nanos += unit * (text[count] - '0');
    unit /= 10;
  }
  text.remove_prefix(count);
  return true;
}

bool equals_any_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

// Java's parseDouble: blanks around, a sign, NaN, Infinity, a type letter behind.
template <typename T>
bool parse_java_floating(std::string_view text, T& value) {
  text = trimmed(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.front() == '+' || text.front() == '-') return false;
  if (text == "NaN") {
    value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (text == "Infinity") {
    value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
  }
  if (!(text.front() == '.' || (text.front() >= '0' && text.front() <= '9'))) return false;
  const char last = text.back();
  if (text.size() > 1 && (last == 'd' || last == 'D' || last == 'f' || last == 'F'))
    text.remove_suffix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (stop != end) return false;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small: what the exponent's sign says.
    const std::size_t mark = text.find_first_of("eE");
    const bool tiny =
        (mark != std::string_view::npos && mark + 1 < text.size() && text[mark + 1] == '-') ||
        text.starts_with("0.") || text.front() == '.';
    value = tiny ? T{0} : std::numeric_limits<T>::infinity();
  } else if (error != std::errc()) {
    return false;
  }
  if (negative) value = -value;
  return true;
}

void append_elements(const Column& column, std::int64_t begin, std::int64_t end,
                     const TextStyle& style, std::string& out) {
  for (std::int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ", ";
    if (column.is_null(i)) {
      out += style.null_text;
    } else {
      append_value_text(column, i, style, out);
    }
  }
}

void append_nested_text(const Column& column, std::int64_t row, const TextStyle& style,
                        std::string& out) {
  if (column.type().kind() == TypeKind::kRow) {
    out += '(';
    for (std::size_t i = 0; i < column.data().children.size(); ++i) {
      if (i > 0) out += ", ";
      append_elements(column.data().children[i], row, row + 1, style, out);
    }
    out += ')';
    return;
  }
  const auto* offsets = column.values<std::int32_t>();
  if (column.type().kind() == TypeKind::kArray) {
    out += '[';
    append_elements(column.child(0), offsets[row], offsets[row + 1], style, out);
    out += ']';
    return;
  }
  out += '{';
  for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
    if (i > offsets[row]) out += ", ";
    append_elements(column.child(0), i, i + 1, style, out);
    out += '=';
    append_elements(column.child(1), i, i + 1, style, out);
  }
  out += '}';
}

void append_binary_text(std::string_view bytes, const TextStyle& style, std::string& out) {
  if (!style.binary_as_hex) {
    out += bytes;
    return;
  }
  static constexpr char kHex[] = "0123456789abcdef";
  out += "x'";
  for (const char c : bytes) {
    out += kHex[static_cast<std::uint8_t>(c) >> 4];
    out += kHex[static_cast<std::uint8_t>(c) & 15];
  }
  out += '\'';
}

}  // namespace

void append_int_text(std::int64_t value, std::string& out) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

void append_float_text(float value, std::string& out) {
  append_java_floating(value, out);
}
void append_double_text(double value, std::string& out) {
  append_java_floating(value, out);
}

void append_decimal_text(Int128 unscaled, int scale, std::string& out) {
  UInt128 rest =
      unscaled < 0 ? UInt128{0} - static_cast<UInt128>(unscaled) : static_cast<UInt128>(unscaled);
  char text[48];
  char* at = text + sizeof(text);
  int digits = 0;
  while (rest != 0 || digits <= scale) {
    if (digits == scale && scale > 0) *--at = '.';
    *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    ++digits;
  }
  if (unscaled < 0) *--at = '-';
  out.append(at, static_cast<std::size_t>(text + sizeof(text) - at));
}

void append_date_text(std::int32_t days, std::string& out) {
  const CivilDate date = civil_from_days(days);
  if (date.year < 0) out += '-';
  const std::int64_t year = std::abs(date.year);
  append_digits(year, year > 9999 ? 6 : 4, out);
  out += '-';
  append_digits(date.month, 2, out);
  out += '-';
  append_digits(date.day, 2, out);
}

namespace {

void append_clock(std::int64_t second_of_day, std::int64_t nanos, int precision, std::string& out) {
  append_digits(second_of_day / 3600, 2, out);
  out += ':';
  append_digits(second_of_day / 60 % 60, 2, out);
  out += ':';
  append_digits(second_of_day % 60, 2, out);
  if (precision <= 0) return;
  out += '.';
  for (int i = precision; i < 9; ++i) nanos /= 10;
  append_digits(nanos, precision, out);
}

}  // namespace

void append_time_text(std::int32_t millis_of_day, int precision, std::string& out) {
  append_clock(millis_of_day / 1000, std::int64_t{millis_of_day % 1000} * 1'000'000, precision,
               out);
}

void append_timestamp_text(std::int64_t ticks, int precision, std::string& out) {
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  const std::int64_t second =
      ticks / per_second - static_cast<std::int64_t>(ticks % per_second < 0);
  const std::int64_t nanos = (ticks - second * per_second) * (1'000'000'000 / per_second);
  const std::int64_t day = second / 86'400 - static_cast<std::int64_t>(second % 86'400 < 0);
  const CivilDate date = civil_from_days(day);
  if (date.year < 0) out += '-';
  const std::int64_t year = std::abs(date.year);
  append_digits(year, year > 999'999 ? 9 : year > 9999 ? 6 : 4, out);
  out += '-';
  append_digits(date.month, 2, out);
  out += '-';
  append_digits(date.day, 2, out);
  out += ' ';
  append_clock(second - day * 86'400, nanos, precision, out);
}

void append_interval_year_month_text(std::int32_t months, std::string& out) {
  out += months < 0 ? '-' : '+';
  const std::int64_t all = std::abs(std::int64_t{months});
  append_int_text(all / 12, out);
  out += '-';
  append_digits(all % 12, 2, out);
}

void append_interval_day_time_text(std::int64_t millis, std::string& out) {
  out += millis < 0 ? '-' : '+';
  const std::uint64_t all =
      millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
  const auto days = static_cast<std::int64_t>(all / kMillisOfDay);
  const auto rest = static_cast<std::int64_t>(all % kMillisOfDay);
  append_int_text(days, out);
  out += ' ';
  append_clock(rest / 1000, rest % 1000 * 1'000'000, 3, out);
}

void append_value_text(const Column& column, std::int64_t row, const TextStyle& style,
                       std::string& out) {
  const DataType& type = column.type();
  switch (type.kind()) {
    case TypeKind::kNull:
    case TypeKind::kDescriptor:
      out += style.null_text;
      break;
    case TypeKind::kBoolean:
      out += column.values<std::uint8_t>()[row] != 0 ? "TRUE" : "FALSE";
      break;
    case TypeKind::kTinyInt:
      append_int_text(column.values<std::int8_t>()[row], out);
      break;
    case TypeKind::kSmallInt:
      append_int_text(column.values<std::int16_t>()[row], out);
      break;
    case TypeKind::kInteger:
      append_int_text(column.values<std::int32_t>()[row], out);
      break;
    case TypeKind::kBigInt:
      append_int_text(column.values<std::int64_t>()[row], out);
      break;
    case TypeKind::kFloat:
      append_float_text(column.values<float>()[row], out);
      break;
    case TypeKind::kDouble:
      append_double_text(column.values<double>()[row], out);
      break;
    case TypeKind::kDecimal:
      append_decimal_text(column.values<Int128>()[row], type.scale(), out);
      break;
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      out += column.string_at(row);
      break;
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      append_binary_text(column.string_at(row), style, out);
      break;
    case TypeKind::kDate:
      append_date_text(column.values<std::int32_t>()[row], out);
      break;
    case TypeKind::kTime:
      append_time_text(column.values<std::int32_t>()[row], type.precision(), out);
      break;
    case TypeKind::kTimestamp:
      append_timestamp_text(column.values<std::int64_t>()[row], type.precision(), out);
      break;
    case TypeKind::kTimestampLtz: {
      std::int64_t ticks = column.values<std::int64_t>()[row];
      if (style.zone != nullptr) {
        ticks += style.zone->offset_at_instant(timestamp_to_millis(ticks, type.precision())) *
                 timestamp_ticks_per_second(type.precision());
      }
      append_timestamp_text(ticks, type.precision(), out);
      break;
    }
    case TypeKind::kIntervalYearMonth:
      append_interval_year_month_text(column.values<std::int32_t>()[row], out);
      break;
    case TypeKind::kIntervalDayTime:
      append_interval_day_time_text(column.values<std::int64_t>()[row], out);
      break;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
    case TypeKind::kRow:
      append_nested_text(column, row, style, out);
      break;
  }
}

bool parse_boolean(std::string_view text, bool& value) {
  for (const std::string_view word : {"t", "true", "y", "yes", "1"}) {
    if (equals_any_case(text, word)) {
      value = true;
      return true;
    }
  }
  for (const std::string_view word : {"f", "false", "n", "no", "0"}) {
    if (equals_any_case(text, word)) {
      value = false;
      return true;
    }
  }
  return false;
}

bool parse_int(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& value) {
  text = trimmed(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  std::uint64_t magnitude = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) {
    if (__builtin_mul_overflow(magnitude, 10U, &magnitude) ||
        __builtin_add_overflow(magnitude, static_cast<unsigned>(text[i] - '0'), &magnitude)) {
      return false;
    }
  }
  if (i == 0 && (text.empty() || text[0] != '.')) return false;
  if (i < text.size()) {
    // A fraction is cut off.
    if (text[i] != '.') return false;
    for (std::size_t k = i + 1; k < text.size(); ++k) {
      if (text[k] < '0' || text[k] > '9') return false;
    }
    if (text.size() == 1) return false;
  }
  const std::uint64_t limit = negative ? std::uint64_t{1} << 63 : (std::uint64_t{1} << 63) - 1;
  if (magnitude > limit) return false;
  const auto parsed = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
  if (parsed < min || parsed > max) return false;
  value = parsed;
  return true;
}

bool parse_float(std::string_view text, float& value) {
  return parse_java_floating(text, value);
}
bool parse_double(std::string_view text, double& value) {
  return parse_java_floating(text, value);
}

bool parse_decimal(std::string_view text, int precision, int scale, Int128& value) {
  text = trimmed(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  // Digits without leading zeros, and where the point stands behind them.
  std::string digits;
  std::int64_t point = 0;
  bool any = false;
  bool seen_point = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !seen_point) {
      seen_point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (!digits.empty() || c != '0') {
        // What lies far behind every scale only matters as "not zero"; nothing rounds to even here.
        if (digits.size() < 120) {
          digits.push_back(c);
        } else if (!seen_point) {
          ++point;
        }
        if (seen_point && digits.size() < 120) --point;
      } else if (seen_point) {
        --point;
      }
    } else {
      break;
    }
  }
  if (!any) return false;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return false;
    std::string_view power = text.substr(i + 1);
    if (!power.empty() && power.front() == '+') power.remove_prefix(1);
    int exponent = 0;
    const char* end = power.data() + power.size();
    const auto [stop, error] = std::from_chars(power.data(), end, exponent);
    if (error != std::errc() || stop != end) return false;
    point += exponent;
  }
  // unscaled = digits * 10^(point + scale), rounded half up.
  const std::int64_t shift = point + scale;
  if (digits.empty()) {
    value = 0;
    return true;
  }
  const std::int64_t kept = static_cast<std::int64_t>(digits.size()) + shift;
  if (kept > precision) return false;
  Int128 result = 0;
  for (std::int64_t k = 0; k < kept; ++k) {
    const char digit =
        k < static_cast<std::int64_t>(digits.size()) ? digits[static_cast<std::size_t>(k)] : '0';
    result = result * 10 + (digit - '0');
  }
  if (kept >= 0 && kept < static_cast<std::int64_t>(digits.size()) &&
      digits[static_cast<std::size_t>(kept)] >= '5') {
    ++result;
  }
  Int128 limit = 1;
  for (int k = 0; k < precision; ++k) limit *= 10;
  if (result >= limit) return false;
  value = negative ? -result : result;
  return true;
}

bool parse_date(std::string_view text, std::int32_t& days) {
  text = trimmed(text);
  int year = 0;
  int month = 1;
  int day = 1;
  if (!take_digits(text, 1, 4, year)) return false;
  if (take(text, '-')) {
    if (!take_digits(text, 1, 2, month)) return false;
    if (take(text, '-') && !take_digits(text, 1, 2, day)) return false;
  }
  // A time of day behind it is not looked at.
  if (!text.empty() && text.front() != ' ' && text.front() != 'T') return false;
  if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) return false;
  days = static_cast<std::int32_t>(days_from_civil({year, month, day}));
  return true;
}

bool parse_time(std::string_view text, std::int32_t& millis_of_day) {
  text = trimmed(text);
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanos = 0;
  if (!take_digits(text, 1, 2, hour)) return false;
  if (take(text, ':')) {
    if (!take_digits(text, 1, 2, minute)) return false;
    if (take(text, ':')) {
      if (!take_digits(text, 1, 2, second)) return false;
      if (take(text, '.') && !take_fraction(text, nanos)) return false;
    }
  }
  if (!text.empty() || hour > 23 || minute > 59 || second > 59) return false;
  millis_of_day =
      static_cast<std::int32_t>((hour * 3600 + minute * 60 + second) * 1000 + nanos / 1'000'000);
  return true;
}

bool parse_timestamp(std::string_view text, int precision, std::int64_t& ticks) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanos = 0;
  if (!take_digits(text, 4, 4, year) || !take(text, '-') || !take_digits(text, 1, 2, month) ||
      !take(text, '-') || !take_digits(text, 1, 2, day)) {
    return false;
  }
  if (take(text, ' ')) {
    if (!take_digits(text, 1, 2, hour) || !take(text, ':') || !take_digits(text, 1, 2, minute) ||
        !take(text, ':') || !take_digits(text, 1, 2, second)) {
      return false;
    }
    if (take(text, '.') && !take_fraction(text, nanos)) return false;
  }
  if (!text.empty() || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second > 59) {
    return false;
  }
  // The 30th of February is its last day, as in the reference.
  day = std::min(day, days_of_month(year, month));
  const std::int64_t seconds =
      days_from_civil({year, month, day}) * 86'400 + hour * 3600 + minute * 60 + second;
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  std::int64_t value = 0;
  if (__builtin_mul_overflow(seconds, per_second, &value)) return false;
  // Digits beyond the precision are cut off, also within the unit of storage.
  std::int64_t unit = 1;
  for (int i = precision; i < 9; ++i) unit *= 10;
  nanos -= nanos % unit;
  if (__builtin_add_overflow(value, nanos / (1'000'000'000 / per_second), &value)) return false;
  ticks = value;
  return true;
}

Status append_parsed_value(std::string_view text, ColumnBuilder& builder, const TimeZone* zone) {
  const DataType& type = builder.type();
  const auto wrong = [&] {
    return Status::invalid_argument(
        fmt::format("cannot read \"{}\" as {}", clip(text, 64), type.name()));
  };
  std::int64_t integer = 0;
  std::int32_t small = 0;
  switch (type.kind()) {
    case TypeKind::kBoolean: {
      bool value = false;
      if (!parse_boolean(text, value)) return wrong();
      builder.append<std::uint8_t>(static_cast<std::uint8_t>(value));
      return Status::ok();
    }
    case TypeKind::kTinyInt:
      if (!parse_int(text, -128, 127, integer)) return wrong();
      builder.append<std::int8_t>(static_cast<std::int8_t>(integer));
      return Status::ok();
    case TypeKind::kSmallInt:
      if (!parse_int(text, -32768, 32767, integer)) return wrong();
      builder.append<std::int16_t>(static_cast<std::int16_t>(integer));
      return Status::ok();
    case TypeKind::kInteger:
      if (!parse_int(text, std::numeric_limits<std::int32_t>::min(),
                     std::numeric_limits<std::int32_t>::max(), integer)) {
        return wrong();
      }
      builder.append<std::int32_t>(static_cast<std::int32_t>(integer));
      return Status::ok();
    case TypeKind::kBigInt:
      if (!parse_int(text, std::numeric_limits<std::int64_t>::min(),
                     std::numeric_limits<std::int64_t>::max(), integer)) {
        return wrong();
      }
      builder.append<std::int64_t>(integer);
      return Status::ok();
    case TypeKind::kFloat: {
      float value = 0;
      if (!parse_float(text, value)) return wrong();
      builder.append<float>(value);
      return Status::ok();
    }
    case TypeKind::kDouble: {
      double value = 0;
      if (!parse_double(text, value)) return wrong();
      builder.append<double>(value);
      return Status::ok();
    }
    case TypeKind::kDecimal: {
      Int128 value = 0;
      if (!parse_decimal(text, type.precision(), type.scale(), value)) return wrong();
      builder.append<Int128>(value);
      return Status::ok();
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      builder.append_string(text);
      return Status::ok();
    case TypeKind::kDate:
      if (!parse_date(text, small)) return wrong();
      builder.append<std::int32_t>(small);
      return Status::ok();
    case TypeKind::kTime:
      if (!parse_time(text, small)) return wrong();
      builder.append<std::int32_t>(small);
      return Status::ok();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      if (!parse_timestamp(text, type.precision(), integer)) return wrong();
      if (type.kind() == TypeKind::kTimestampLtz && zone != nullptr) {
        integer -= zone->offset_of_local(timestamp_to_millis(integer, type.precision())) *
                   timestamp_ticks_per_second(type.precision());
      }
      builder.append<std::int64_t>(integer);
      return Status::ok();
    default:
      return Status::invalid_argument(
          fmt::format("values of {} cannot be read from text", type.name()));
  }
}

}  // namespace clepsydra
