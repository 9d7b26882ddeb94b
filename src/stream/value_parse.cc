// Text as values, by the rules of the reference's CAST.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>

#include "base/utf8.h"
#include "stream/calendar.h"
#include "stream/time_zone.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// Takes a sign off the front; true for a minus.
bool take_sign(std::string_view& text) {
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return false;
  const bool negative = text.front() == '-';
  text.remove_prefix(1);
  return negative;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Takes `min` to `max` (at most 9) digits off the front.
bool take_digits(std::string_view& text, std::size_t min, std::size_t max, int& value) {
  std::size_t count = 0;
  value = 0;
  while (count < max && count < text.size() && is_digit(text[count])) {
    value = value * 10 + (text[count] - '0');
    ++count;
  }
  text.remove_prefix(count);
  return count >= min;
}

// Digits alone, with blanks around; what does not fit is too large for every use.
bool parse_digits(std::string_view text, int& value) {
  text = trimmed(text);
  if (text.empty() || text.size() > 18) return false;
  std::int64_t sum = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    sum = sum * 10 + (c - '0');
  }
  value = static_cast<int>(std::min<std::int64_t>(sum, std::numeric_limits<int>::max()));
  return true;
}

// "a", "a<mark>b" or "a<mark>b<mark>c": the parts there are, left alone those that are not.
bool parse_parts(std::string_view text, char mark, int& first, int& second, int& third) {
  const std::size_t one = text.find(mark);
  if (one == std::string_view::npos) return parse_digits(text, first);
  const std::size_t two = text.find(mark, one + 1);
  if (!parse_digits(text.substr(0, one), first)) return false;
  if (two == std::string_view::npos) return parse_digits(text.substr(one + 1), second);
  return parse_digits(text.substr(one + 1, two - one - 1), second) &&
         parse_digits(text.substr(two + 1), third);
}

bool equals_any_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
         });
}

float to_floating(const char* text, float /*kind*/) {
  return std::strtof(text, nullptr);
}
double to_floating(const char* text, double /*kind*/) {
  return std::strtod(text, nullptr);
}

// Java's parseDouble: blanks around, a sign, NaN, Infinity, a type letter behind. No hexadecimal
// form.
template <typename T>
bool parse_java_floating(std::string_view text, T& value) {
  text = trimmed(text);
  const bool negative = take_sign(text);
  if (text == "NaN") {
    value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (text == "Infinity") {
    value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
    return true;
  }
  if (text.empty() || (text.front() != '.' && !is_digit(text.front()))) return false;
  const char last = text.back();
  if (last == 'd' || last == 'D' || last == 'f' || last == 'F') text.remove_suffix(1);
  const char* end = text.data() + text.size();
  T parsed = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, parsed);
  if (stop != end) return false;
  if (error == std::errc::result_out_of_range) {
    // Too large or too small, which from_chars() does not say; strtod() answers infinity or zero.
    parsed = to_floating(std::string(text).c_str(), T{});
  } else if (error != std::errc()) {
    return false;
  }
  value = negative ? -parsed : parsed;
  return true;
}

// A decimal number's digits in its text, from the first that is not zero on.
struct DecimalText {
  std::string_view whole;  // Digits before the point.
  std::string_view
      fraction;            // Digits behind it; leading zeros are left out when `whole` is empty ...
  std::int64_t point = 0;  // ... and counted here. Together: 0.whole fraction * 10^point.

  [[nodiscard]] std::size_t size() const { return whole.size() + fraction.size(); }
  [[nodiscard]] int digit(std::size_t i) const {
    if (i < whole.size()) return whole[i] - '0';
    return i < size() ? fraction[i - whole.size()] - '0' : 0;
  }
};

std::string_view take_digit_run(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view run = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(run.size());
  return run;
}

void strip_zeros(std::string_view& digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
}

bool scan_decimal(std::string_view text, DecimalText& number) {
  number.whole = take_digit_run(text);
  if (take(text, '.')) number.fraction = take_digit_run(text);
  if (number.size() == 0) return false;
  int exponent = 0;
  if (!text.empty()) {
    if (text.front() != 'e' && text.front() != 'E') return false;
    text.remove_prefix(1);
    const bool negative = take_sign(text);
    if (text.empty() || !is_digit(text.front())) return false;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, exponent);
    if (error != std::errc() || stop != end) return false;
    if (negative) exponent = -exponent;
  }
  strip_zeros(number.whole);
  number.point = exponent;
  if (number.whole.empty()) {
    const std::size_t digits = number.fraction.size();
    strip_zeros(number.fraction);
    number.point -= static_cast<std::int64_t>(digits - number.fraction.size());
  }
  number.point += static_cast<std::int64_t>(number.whole.size());
  return true;
}

Int128 power_of_ten(int exponent) {
  static const auto kPowers = [] {
    std::array<Int128, kMaxDecimalPrecision + 1> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
  }();
  return kPowers[static_cast<std::size_t>(exponent)];
}

// The first `count` (at most 38) digits as an integer.
Int128 leading_digits(const DecimalText& number, std::int64_t count) {
  // Eighteen digits fit into 64 bits, where multiplying is much cheaper.
  std::int64_t low = 0;
  std::int64_t i = 0;
  for (; i < std::min<std::int64_t>(count, 18); ++i) {
    low = low * 10 + number.digit(static_cast<std::size_t>(i));
  }
  Int128 result = low;
  for (; i < count; ++i) result = result * 10 + number.digit(static_cast<std::size_t>(i));
  return result;
}

// Up to nine digits behind a point as nanoseconds; more are not accepted.
bool take_nanos(std::string_view& text, std::int64_t& nanos) {
  std::int64_t unit = 100'000'000;
  while (!text.empty() && is_digit(text.front())) {
    if (unit == 0) return false;
    nanos += unit * (text.front() - '0');
    unit /= 10;
    text.remove_prefix(1);
  }
  return true;
}

// The digits behind the point of a time of day as milliseconds, the fourth one rounded.
bool parse_millis(std::string_view text, int& millis) {
  text = trimmed(text);
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  int unit = 100;
  for (std::size_t i = 0; i < text.size() && unit > 0; ++i, unit /= 10) {
    millis += unit * (text[i] - '0');
  }
  if (text.size() > 3 && text[3] >= '5') ++millis;
  return true;
}

struct TimestampParts {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t nanos = 0;
};

// yyyy-[M]M-[d]d[ [H]H:[m]m:[s]s[.fraction]]
bool scan_timestamp(std::string_view text, TimestampParts& at) {
  if (!take_digits(text, 4, 4, at.year) || !take(text, '-') || !take_digits(text, 1, 2, at.month) ||
      !take(text, '-') || !take_digits(text, 1, 2, at.day)) {
    return false;
  }
  if (take(text, ' ')) {
    if (!take_digits(text, 1, 2, at.hour) || !take(text, ':') ||
        !take_digits(text, 1, 2, at.minute) || !take(text, ':') ||
        !take_digits(text, 1, 2, at.second)) {
      return false;
    }
    if (take(text, '.') && !take_nanos(text, at.nanos)) return false;
  }
  return text.empty() && at.year >= 1 && at.month >= 1 && at.month <= 12 && at.day >= 1 &&
         at.day <= 31 && at.hour <= 23 && at.minute <= 59 && at.second <= 59;
}

template <typename T>
bool append_parsed_integer(std::string_view text, ColumnBuilder& builder) {
  std::int64_t value = 0;
  if (!parse_int(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), value)) {
    return false;
  }
  builder.append(static_cast<T>(value));
  return true;
}

// parse(text, value) into a value of type T.
template <typename T, typename Parse>
bool append_parsed(ColumnBuilder& builder, Parse parse) {
  T value{};
  if (!parse(value)) return false;
  builder.append(value);
  return true;
}

bool parse_instant(std::string_view text, int precision, const TimeZone* zone,
                   std::int64_t& ticks) {
  std::int64_t local = 0;
  if (!parse_timestamp(text, precision, local)) return false;
  std::int64_t offset = 0;
  if (zone != nullptr) {
    offset = zone->offset_of_local(timestamp_to_millis(local, precision)) *
             timestamp_ticks_per_second(precision);
  }
  return !__builtin_sub_overflow(local, offset, &ticks);
}

// False when the text is not a value of the builder's type; nothing is appended then.
bool try_append(std::string_view text, ColumnBuilder& builder, const TimeZone* zone) {
  const DataType& type = builder.type();
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return append_parsed<std::uint8_t>(builder, [&](std::uint8_t& value) {
        bool truth = false;
        const bool good = parse_boolean(text, truth);
        value = static_cast<std::uint8_t>(truth);
        return good;
      });
    case TypeKind::kTinyInt:
      return append_parsed_integer<std::int8_t>(text, builder);
    case TypeKind::kSmallInt:
      return append_parsed_integer<std::int16_t>(text, builder);
    case TypeKind::kInteger:
      return append_parsed_integer<std::int32_t>(text, builder);
    case TypeKind::kBigInt:
      return append_parsed_integer<std::int64_t>(text, builder);
    case TypeKind::kFloat:
      return append_parsed<float>(builder, [&](float& value) { return parse_float(text, value); });
    case TypeKind::kDouble:
      return append_parsed<double>(builder,
                                   [&](double& value) { return parse_double(text, value); });
    case TypeKind::kDecimal:
      return append_parsed<Int128>(builder, [&](Int128& value) {
        return parse_decimal(text, type.precision(), type.scale(), value);
      });
    case TypeKind::kDate:
      return append_parsed<std::int32_t>(
          builder, [&](std::int32_t& value) { return parse_date(text, value); });
    case TypeKind::kTime:
      return append_parsed<std::int32_t>(
          builder, [&](std::int32_t& value) { return parse_time(text, value); });
    case TypeKind::kTimestamp:
      return append_parsed<std::int64_t>(builder, [&](std::int64_t& value) {
        return parse_timestamp(text, type.precision(), value);
      });
    case TypeKind::kTimestampLtz:
      return append_parsed<std::int64_t>(builder, [&](std::int64_t& value) {
        return parse_instant(text, type.precision(), zone, value);
      });
    default:
      return false;
  }
}

bool can_be_parsed(const DataType& type) {
  return type.kind() >= TypeKind::kBoolean && type.kind() <= TypeKind::kTimestampLtz;
}

}  // namespace

bool parse_boolean(std::string_view text, bool& value) {
  for (const std::string_view word : {"true", "t", "yes", "y", "1"}) {
    if (!equals_any_case(text, word)) continue;
    value = true;
    return true;
  }
  for (const std::string_view word : {"false", "f", "no", "n", "0"}) {
    if (!equals_any_case(text, word)) continue;
    value = false;
    return true;
  }
  return false;
}

bool parse_int(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& value) {
  text = trimmed(text);
  const bool negative = take_sign(text);
  std::uint64_t magnitude = 0;
  std::size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (__builtin_mul_overflow(magnitude, 10U, &magnitude) ||
        __builtin_add_overflow(magnitude, static_cast<unsigned>(text[i] - '0'), &magnitude)) {
      return false;
    }
  }
  if (i < text.size()) {
    // A fraction is cut off; it must be one all the same.
    if (text.size() == 1 || text[i] != '.') return false;
    if (!std::all_of(text.begin() + static_cast<std::ptrdiff_t>(i) + 1, text.end(), is_digit)) {
      return false;
    }
  } else if (i == 0) {
    return false;
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
  const bool negative = take_sign(text);
  DecimalText number;
  if (!scan_decimal(text, number)) return false;
  if (number.size() == 0) {
    value = 0;
    return true;
  }
  // So many digits of the number are digits of the unscaled value; the next one rounds it.
  const std::int64_t kept = number.point + scale;
  if (kept > precision) return false;
  Int128 result = leading_digits(number, kept);
  if (kept >= 0 && number.digit(static_cast<std::size_t>(kept)) >= 5) ++result;
  if (result >= power_of_ten(precision)) return false;
  value = negative ? -result : result;
  return true;
}

bool parse_date(std::string_view text, std::int32_t& days) {
  // A time of day behind the date is not looked at.
  const std::size_t blank = text.find(' ');
  if (blank != std::string_view::npos && blank > 0) text = text.substr(0, blank);
  int year = 0;
  int month = 1;
  int day = 1;
  if (!parse_parts(text, '-', year, month, day)) return false;
  if (year > 9999 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) {
    return false;
  }
  days = static_cast<std::int32_t>(days_from_civil({year, month, day}));
  return true;
}

bool parse_time(std::string_view text, std::int32_t& millis_of_day) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millis = 0;
  // A point counts behind the second colon alone.
  const std::size_t colon = text.find(':', std::min(text.size(), text.find(':') + 1));
  if (colon != std::string_view::npos) {
    const std::size_t point = text.find('.', colon);
    if (point != std::string_view::npos) {
      if (!parse_millis(text.substr(point + 1), millis)) return false;
      text = text.substr(0, point);
    }
  }
  if (!parse_parts(text, ':', hour, minute, second)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  // The last half millisecond of a day is still of that day.
  constexpr std::int32_t kLast = 86'399'999;
  millis_of_day = std::min((hour * 3600 + minute * 60 + second) * 1000 + millis, kLast);
  return true;
}

bool parse_timestamp(std::string_view text, int precision, std::int64_t& ticks) {
  TimestampParts at;
  if (!scan_timestamp(text, at)) return false;
  // The 30th of February is its last day, as in the reference.
  const int day = std::min(at.day, days_of_month(at.year, at.month));
  const std::int64_t seconds = days_from_civil({at.year, at.month, day}) * 86'400 +
                               at.hour * 3600L + at.minute * 60L + at.second;
  // Digits beyond the precision are cut off, also within the unit of storage.
  std::int64_t unit = 1;
  for (int i = precision; i < 9; ++i) unit *= 10;
  const std::int64_t nanos = at.nanos - at.nanos % unit;
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  std::int64_t value = 0;
  if (__builtin_mul_overflow(seconds, per_second, &value) ||
      __builtin_add_overflow(value, nanos / (1'000'000'000 / per_second), &value)) {
    return false;
  }
  ticks = value;
  return true;
}

Status append_parsed_value(std::string_view text, ColumnBuilder& builder, const TimeZone* zone) {
  const DataType& type = builder.type();
  if (type.is_character() || type.is_binary()) {
    builder.append_string(text);
    return Status::ok();
  }
  if (try_append(text, builder, zone)) return Status::ok();
  if (can_be_parsed(type)) {
    return Status::invalid_argument(
        fmt::format("cannot read \"{}\" as {}", clip(text, 64), type.name()));
  }
  return Status::unimplemented(
      fmt::format("values of type {} cannot be read from text", type.name()));
}

}  // namespace clepsydra
