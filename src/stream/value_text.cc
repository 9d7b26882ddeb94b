// Values as text. Reading text as values: value_parse.cc.
#include "stream/value_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/utf8.h"
#include "stream/calendar.h"
#include "stream/time_zone.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kMillisOfDay = 86'400'000;
constexpr std::int64_t kSecondsOfDay = 86'400;

std::int64_t floor_divide(std::int64_t value, std::int64_t divisor) {
  return value / divisor - static_cast<std::int64_t>(value % divisor < 0);
}

// Writes the last `digits` digits of a value that is not negative, and returns where they end.
char* put_digits(std::int64_t value, int digits, char* out) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

// The same for 0 to 99.
char* put_two(unsigned value, char* out) {
  out[0] = static_cast<char>('0' + value / 10 % 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

// Room for a date of any year and a time of day with nine digits behind the point.
using MomentText = std::array<char, 48>;

char* put_date(const CivilDate& date, char* out) {
  if (date.year >= 0 && date.year <= 9999) {
    out = put_two(static_cast<unsigned>(date.year) / 100, out);
    out = put_two(static_cast<unsigned>(date.year) % 100, out);
  } else {
    const fmt::format_int year(date.year);
    std::memcpy(out, year.data(), year.size());
    out += year.size();
  }
  *out++ = '-';
  out = put_two(static_cast<unsigned>(date.month), out);
  *out++ = '-';
  return put_two(static_cast<unsigned>(date.day), out);
}

char* put_clock(std::int64_t second_of_day, std::int64_t nanos, int precision, char* out) {
  const auto second = static_cast<unsigned>(second_of_day);
  out = put_two(second / 3600, out);
  *out++ = ':';
  out = put_two(second / 60 % 60, out);
  *out++ = ':';
  out = put_two(second % 60, out);
  if (precision <= 0) return out;
  *out++ = '.';
  for (int i = precision; i < 9; ++i) nanos /= 10;
  return put_digits(nanos, precision, out);
}

void append_until(const MomentText& text, const char* end, std::string& out) {
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

// Digits of a positive number, without a point, and the power of ten of the first one.
struct Digits {
  char text[24];
  std::size_t count = 0;
  int exponent = 0;
};

template <typename T>
Digits digits_of(const char* begin, const char* end) {
  Digits digits;
  for (; begin < end && *begin != 'e'; ++begin) {
    if (*begin != '.') digits.text[digits.count++] = *begin;
  }
  ++begin;
  if (*begin == '+') ++begin;
  std::from_chars(begin, end, digits.exponent);
  while (digits.count > 1 && digits.text[digits.count - 1] == '0') --digits.count;
  return digits;
}

// The shortest digits that read back as the same value. Java prints at least two: where one digit
// would do, the two that come closest (4.9E-324, not 5E-324), which differ for the tiniest values
// alone.
template <typename T>
Digits shortest_digits(T magnitude) {
  char text[32];
  auto result = std::to_chars(text, text + sizeof(text), magnitude, std::chars_format::scientific);
  const bool tiniest = magnitude < std::numeric_limits<T>::denorm_min() * 1000;
  if (tiniest && text[1] == 'e') {
    result = std::to_chars(text, text + sizeof(text), magnitude, std::chars_format::scientific, 1);
  }
  return digits_of<T>(text, result.ptr);
}

// Java's notation: plain from 0.001 up to 10,000,000, else with an exponent; always a digit behind
// the point.
void append_java_digits(const Digits& digits, std::string& out) {
  const char* text = digits.text;
  if (digits.exponent < -3 || digits.exponent >= 7) {
    out += text[0];
    out += '.';
    if (digits.count > 1) {
      out.append(text + 1, digits.count - 1);
    } else {
      out += '0';
    }
    out += 'E';
    append_int_text(digits.exponent, out);
    return;
  }
  if (digits.exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-digits.exponent - 1), '0');
    out.append(text, digits.count);
    return;
  }
  const std::size_t whole = static_cast<std::size_t>(digits.exponent) + 1;
  out.append(text, std::min(whole, digits.count));
  if (digits.count <= whole) {
    out.append(whole - digits.count, '0');
    out += ".0";
  } else {
    out += '.';
    out.append(text + whole, digits.count - whole);
  }
}

template <typename T>
void append_java_floating(T value, std::string& out) {
  const T magnitude = std::abs(value);
  if (magnitude < T{1e7} && magnitude == std::floor(magnitude)) {
    // Small whole numbers are frequent and need no search for digits.
    if (std::signbit(value)) out += '-';
    append_int_text(static_cast<std::int64_t>(magnitude), out);
    out += ".0";
    return;
  }
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  if (std::isinf(magnitude)) {
    out += "Infinity";
  } else {
    append_java_digits(shortest_digits(magnitude), out);
  }
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

// Types nest at most as deep as plans allow (type_codec.cc), so this recursion ends.
void append_nested_text(const Column& column, std::int64_t row, const TextStyle& style,
                        std::string& out) {
  if (column.type().physical() == PhysicalType::kStruct) {
    const bool named = column.type().kind() == TypeKind::kStructured;
    out += '(';
    for (std::size_t i = 0; i < column.data().children.size(); ++i) {
      if (i > 0) out += ", ";
      if (named) {
        out += column.type().fields()[i].name;
        out += '=';
      }
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
    // Text is always UTF-8: what is not becomes U+FFFD, as in the reference.
    out += is_valid_utf8(bytes) ? bytes : std::string_view(replace_invalid_utf8(bytes));
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

void append_instant_text(std::int64_t ticks, int precision, const TimeZone* zone,
                         std::string& out) {
  if (zone != nullptr) {
    const std::int64_t offset = zone->offset_at_instant(timestamp_to_millis(ticks, precision));
    std::int64_t local = 0;
    // At the very ends of time the offset would not fit and is left out.
    if (!__builtin_add_overflow(ticks, offset * timestamp_ticks_per_second(precision), &local)) {
      ticks = local;
    }
  }
  append_timestamp_text(ticks, precision, out);
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
  const auto push = [&](unsigned digit) {
    if (digits == scale && scale > 0) *--at = '.';
    *--at = static_cast<char>('0' + digit);
    ++digits;
  };
  // Dividing 128 bits is slow: only while there are so many.
  while (rest > std::numeric_limits<std::uint64_t>::max()) {
    push(static_cast<unsigned>(rest % 10));
    rest /= 10;
  }
  auto low = static_cast<std::uint64_t>(rest);
  while (low != 0 || digits <= scale) {
    push(static_cast<unsigned>(low % 10));
    low /= 10;
  }
  if (unscaled < 0) *--at = '-';
  out.append(at, static_cast<std::size_t>(text + sizeof(text) - at));
}

void append_date_text(std::int32_t days, std::string& out) {
  MomentText text;
  append_until(text, put_date(civil_from_days(days), text.data()), out);
}

void append_time_text(std::int32_t millis_of_day, int precision, std::string& out) {
  MomentText text;
  const std::int64_t nanos = std::int64_t{millis_of_day % 1000} * 1'000'000;
  append_until(text, put_clock(millis_of_day / 1000, nanos, precision, text.data()), out);
}

void append_timestamp_text(std::int64_t ticks, int precision, std::string& out) {
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  const std::int64_t second = floor_divide(ticks, per_second);
  const std::int64_t nanos = (ticks - second * per_second) * (1'000'000'000 / per_second);
  const std::int64_t day = floor_divide(second, kSecondsOfDay);
  MomentText text;
  char* end = put_date(civil_from_days(day), text.data());
  *end++ = ' ';
  append_until(text, put_clock(second - day * kSecondsOfDay, nanos, precision, end), out);
}

void append_interval_year_month_text(std::int32_t months, std::string& out) {
  out += months < 0 ? '-' : '+';
  const std::int64_t all = std::abs(std::int64_t{months});
  append_int_text(all / 12, out);
  MomentText text{'-'};
  append_until(text, put_two(static_cast<unsigned>(all % 12), text.data() + 1), out);
}

void append_interval_day_time_text(std::int64_t millis, std::string& out) {
  out += millis < 0 ? '-' : '+';
  const std::uint64_t all =
      millis < 0 ? 0 - static_cast<std::uint64_t>(millis) : static_cast<std::uint64_t>(millis);
  append_int_text(static_cast<std::int64_t>(all / kMillisOfDay), out);
  const auto rest = static_cast<std::int64_t>(all % kMillisOfDay);
  MomentText text{' '};
  append_until(text, put_clock(rest / 1000, rest % 1000 * 1'000'000, 3, text.data() + 1), out);
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
    case TypeKind::kVariant:
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
    case TypeKind::kTimestampLtz:
      append_instant_text(column.values<std::int64_t>()[row], type.precision(), style.zone, out);
      break;
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
    case TypeKind::kStructured:
      append_nested_text(column, row, style, out);
      break;
  }
}

void append_tsv_escaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\0':
        out += "\\0";
        break;
      default:
        out += c;
    }
  }
}

}  // namespace clepsydra
