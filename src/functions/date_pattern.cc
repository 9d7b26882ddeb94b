#include "functions/date_pattern.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>

#include "base/check.h"
#include "functions/time_units.h"
#include "stream/calendar.h"

namespace clepsydra {
namespace {

constexpr std::string_view kLetters = "GuyYDMLQqwWdEecaAhHkKmsSnNVzOXxZ";
constexpr std::string_view kZoneLetters = "VzOXxZ";
constexpr std::string_view kDateLetters = "yuMd";
constexpr int kCountMax = 19;
// Of a text that is written in place; a longer literal belongs to no usual pattern.
constexpr std::size_t kFixedBytesMax = 256;

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                   "Friday", "Saturday", "Sunday"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// civil_from_days() for the years 1 to 9999, in fewer steps.
// Source: C. Neri, L. Schneider, "Euclidean affine functions and their application to calendar
// algorithms", Software: Practice and Experience 53(4), 2023.
struct ShortDate {
  std::uint32_t year;
  std::uint32_t month;
  std::uint32_t day;
};
ShortDate short_date_of(std::int64_t days) {
  const auto quarter_days = static_cast<std::uint32_t>(days + 719'468) * 4 + 3;
  const std::uint32_t century = quarter_days / 146'097;
  const std::uint32_t of_century = quarter_days % 146'097 / 4 * 4 + 3;
  const std::uint64_t product = std::uint64_t{2'939'745} * of_century;
  const auto year_of_century = static_cast<std::uint32_t>(product >> 32);
  const std::uint32_t day_of_year = static_cast<std::uint32_t>(product) / 2'939'745 / 4;
  const std::uint32_t month_and_day = 2'141 * day_of_year + 197'913;
  const std::uint32_t month = month_and_day >> 16;
  const bool is_next_year = day_of_year >= 306;  // Years start in March here.
  return {.year = 100 * century + year_of_century + (is_next_year ? 1U : 0U),
          .month = is_next_year ? month - 12 : month,
          .day = (month_and_day & 0xFFFF) / 2'141 + 1};
}
constexpr std::int64_t kShortDaysMin = days_from_civil({1, 1, 1});
constexpr std::int64_t kShortDaysEnd = days_from_civil({10'000, 1, 1});

// `value` is below 100.
void write_two_digits(std::uint32_t value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

void append_number(std::int64_t value, int width, std::string& out) {
  std::array<char, 24> digits{};
  std::size_t at = digits.size();
  auto rest = static_cast<std::uint64_t>(value < 0 ? -value : value);
  do {
    digits[--at] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest != 0);
  while (digits.size() - at < static_cast<std::size_t>(width)) digits[--at] = '0';
  if (value < 0) out += '-';
  out.append(digits.data() + at, digits.size() - at);
}

// A name in full (4 letters), short (up to 3) or by its first letter (5).
std::string_view name_form(std::string_view name, int count) {
  return count == 4 ? name : name.substr(0, count == 5 ? 1 : 3);
}

// Sunday is 1.
int sunday_based_day(std::int64_t days) {
  return iso_day_of_week(days) % 7 + 1;
}

// The week-based year of Locale.US: weeks start on Sunday, the first has 1 January.
std::int64_t week_year(std::int64_t days) {
  return civil_from_days(days + (7 - sunday_based_day(days))).year;  // Of the week's Saturday.
}
int week_of_year(std::int64_t days) {
  const std::int64_t new_year = days_from_civil({week_year(days), 1, 1});
  const std::int64_t first_sunday = new_year - (sunday_based_day(new_year) - 1);
  return static_cast<int>((days - first_sunday) / 7) + 1;
}
int week_of_month(std::int64_t days) {
  const CivilDate date = civil_from_days(days);
  const int first = sunday_based_day(days - (date.day - 1));
  return (date.day + first - 2) / 7 + 1;
}

std::int64_t value_of(char letter, std::int64_t millis) {
  const std::int64_t days = floor_div(millis, kMillisPerDay);
  const std::int64_t of_day = millis - days * kMillisPerDay;
  const std::int64_t hour = of_day / kMillisPerHour;
  switch (letter) {
    case 'u':
      return civil_from_days(days).year;
    case 'y': {
      const std::int64_t year = civil_from_days(days).year;
      return year > 0 ? year : 1 - year;  // Of the era.
    }
    case 'Y':
      return week_year(days);
    case 'M':
    case 'L':
      return civil_from_days(days).month;
    case 'Q':
    case 'q':
      return (civil_from_days(days).month - 1) / 3 + 1;
    case 'w':
      return week_of_year(days);
    case 'W':
      return week_of_month(days);
    case 'd':
      return civil_from_days(days).day;
    case 'D':
      return day_of_year(days);
    case 'E':
    case 'e':
    case 'c':
      return sunday_based_day(days);
    case 'H':
      return hour;
    case 'k':
      return hour == 0 ? 24 : hour;
    case 'h':
      return hour % 12 == 0 ? 12 : hour % 12;
    case 'K':
      return hour % 12;
    case 'm':
      return of_day / kMillisPerMinute % 60;
    case 's':
      return of_day / kMillisPerSecond % 60;
    default:
      return of_day;  // A
  }
}

}  // namespace

Result<DatePattern> DatePattern::compile(std::string_view pattern) {
  DatePattern compiled;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) compiled.tokens_.push_back({.literal = std::move(literal)});
    literal.clear();
  };
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (is_letter(c)) {
      std::size_t end = at;
      while (end < pattern.size() && pattern[end] == c) ++end;
      const auto count = static_cast<int>(end - at);
      if (kLetters.find(c) == std::string_view::npos || count > kCountMax) {
        return Status::invalid_argument(fmt::format(
            "the pattern of a date has {} times the letter '{}', which means nothing", count, c));
      }
      end_literal();
      compiled.tokens_.push_back({.letter = c, .count = count, .literal = {}});
      at = end;
    } else if (c == '\'') {
      ++at;
      if (at < pattern.size() && pattern[at] == '\'') {
        literal += '\'';
        ++at;
        continue;
      }
      for (;; ++at) {
        if (at >= pattern.size()) {
          return Status::invalid_argument("the pattern of a date lacks a closing quote");
        }
        if (pattern[at] != '\'') {
          literal += pattern[at];
        } else if (at + 1 < pattern.size() && pattern[at + 1] == '\'') {
          literal += pattern[at++];
        } else {
          break;
        }
      }
      ++at;
    } else if (c == '[' || c == ']' || c == '{' || c == '}' || c == '#') {
      return Status::invalid_argument(
          fmt::format("the pattern of a date has '{}', which is not supported", c));
    } else {
      literal += c;
      ++at;
    }
  }
  end_literal();
  compiled.make_fixed();
  return compiled;
}

void DatePattern::make_fixed() {
  for (const Token& token : tokens_) {
    const std::string_view letters = token.count == 4 ? "yu" : token.count == 2 ? "MdHms" : "";
    const bool is_fixed = token.letter == 0 ||
                          letters.find(token.letter) != std::string_view::npos ||
                          (token.letter == 'S' && token.count <= 9);
    if (!is_fixed || fixed_text_.size() > kFixedBytesMax) {
      fixed_text_.clear();
      return;
    }
    if (token.letter == 0) {
      fixed_text_ += token.literal;
      continue;
    }
    fixed_numbers_.push_back(
        {.letter = token.letter, .count = token.count, .place = fixed_text_.size()});
    fixed_text_.append(static_cast<std::size_t>(token.count), '0');
    fixed_has_date_ = fixed_has_date_ || kDateLetters.find(token.letter) != std::string_view::npos;
  }
}

bool DatePattern::format_fixed(std::int64_t millis, int nanos, char* out) const {
  const std::int64_t days = floor_div(millis, kMillisPerDay);
  const auto of_day = static_cast<std::uint32_t>(millis - days * kMillisPerDay);
  ShortDate date = {1970, 1, 1};
  if (fixed_has_date_) {
    if (days < kShortDaysMin || days >= kShortDaysEnd) return false;
    date = short_date_of(days);
  }
  std::memcpy(out, fixed_text_.data(), fixed_text_.size());
  const std::uint32_t second_of_day = of_day / 1000;
  for (const FixedNumber& number : fixed_numbers_) {
    char* to = out + number.place;
    switch (number.letter) {
      case 'y':
      case 'u':
        write_two_digits(date.year / 100, to);
        write_two_digits(date.year % 100, to + 2);
        break;
      case 'M':
        write_two_digits(date.month, to);
        break;
      case 'd':
        write_two_digits(date.day, to);
        break;
      case 'H':
        write_two_digits(second_of_day / 3600, to);
        break;
      case 'm':
        write_two_digits(second_of_day / 60 % 60, to);
        break;
      case 's':
        write_two_digits(second_of_day % 60, to);
        break;
      default: {  // S
        std::uint32_t rest = of_day % 1000 * 1'000'000 + static_cast<std::uint32_t>(nanos);
        for (int digit = 9; digit > number.count; --digit) rest /= 10;
        for (int digit = number.count; digit > 0; rest /= 10) {
          to[--digit] = static_cast<char>('0' + rest % 10);
        }
      }
    }
  }
  return true;
}

bool DatePattern::format(std::int64_t millis, int nanos, std::string& out) const {
  for (const Token& token : tokens_) {
    if (!format_token(token, millis, nanos, out)) return false;
  }
  return true;
}

bool DatePattern::format_token(const Token& token, std::int64_t millis, int nanos,
                               std::string& out) const {
  const std::int64_t of_second = floor_mod(millis, kMillisPerSecond) * 1'000'000 + nanos;
  switch (token.letter) {
    case 0:
      out += token.literal;
      return true;
    case 'G':
      out += value_of('u', millis) > 0 ? "AD" : "BC";
      return true;
    case 'a':
      out += value_of('H', millis) < 12 ? "AM" : "PM";
      return true;
    case 'S': {
      append_number(of_second, 9, out);
      out.resize(out.size() - 9 + static_cast<std::size_t>(token.count), '0');
      return true;
    }
    case 'n':
      append_number(of_second, token.count, out);
      return true;
    case 'N':
      append_number(value_of('A', millis) * 1'000'000 + nanos, token.count, out);
      return true;
    case 'M':
    case 'L':
      if (token.count >= 3) {
        out += name_form(kMonths[static_cast<std::size_t>(value_of('M', millis) - 1)], token.count);
        return true;
      }
      break;
    case 'E':
    case 'e':
    case 'c':
      if (token.letter == 'E' || token.count >= 3) {
        const int day = iso_day_of_week(floor_div(millis, kMillisPerDay));
        out += name_form(kDays[static_cast<std::size_t>(day - 1)], token.count);
        return true;
      }
      break;
    case 'Q':
    case 'q':
      if (token.count >= 3) {
        const std::int64_t quarter = value_of('Q', millis);
        constexpr std::array<std::string_view, 4> kFull = {"1st quarter", "2nd quarter",
                                                           "3rd quarter", "4th quarter"};
        if (token.count == 4)
          out += kFull[static_cast<std::size_t>(quarter - 1)];
        else
          out += fmt::format("{}{}", token.count == 3 ? "Q" : "", quarter);
        return true;
      }
      break;
    case 'u':
    case 'y':
    case 'Y':
      if (token.count == 2) {
        append_number(floor_mod(value_of(token.letter, millis), 100), 2, out);
        return true;
      }
      break;
    default:
      if (kZoneLetters.find(token.letter) != std::string_view::npos) return false;
  }
  append_number(value_of(token.letter, millis), token.count, out);
  return true;
}

// ---- Parsing ----

struct DatePattern::Fields {
  std::optional<std::int64_t> year;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::optional<std::int64_t> day_of_year;
  std::optional<std::int64_t> hour;
  std::optional<std::int64_t> half_day_hour;  // 0 to 11
  std::int64_t half_day = 0;                  // 1: PM
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t nanos = 0;  // Of the second.
};

bool DatePattern::is_number(const Token& token) {
  switch (token.letter) {
    case 'M':
    case 'L':
      return token.count <= 2;
    case 'u':
    case 'y':
    case 'd':
    case 'D':
    case 'H':
    case 'k':
    case 'h':
    case 'K':
    case 'm':
    case 's':
    case 'S':
    case 'n':
      return true;
    default:
      return false;
  }
}

bool DatePattern::is_fixed_width(const Token& token) {
  if (token.letter == 'S') return true;
  if (token.letter == 'u' || token.letter == 'y') return token.count == 2;
  return token.count >= 2;
}

// Digits that the numbers right behind token `i` need: "yyyyMMdd" leaves the last four to MM and
// dd.
int DatePattern::digits_reserved_after(std::size_t i) const {
  int reserved = 0;
  for (std::size_t next = i + 1;
       next < tokens_.size() && is_number(tokens_[next]) && is_fixed_width(tokens_[next]); ++next) {
    reserved += tokens_[next].count;
  }
  return reserved;
}

bool DatePattern::parse_token(std::size_t i, std::string_view& text, Fields& fields) const {
  const Token& token = tokens_[i];
  if (token.letter == 0) {
    if (!text.starts_with(token.literal)) return false;
    text.remove_prefix(token.literal.size());
    return true;
  }
  if (token.letter == 'a') {
    if (!text.starts_with("AM") && !text.starts_with("PM")) return false;
    fields.half_day = text[0] == 'P' ? 1 : 0;
    text.remove_prefix(2);
    return true;
  }
  if ((token.letter == 'M' || token.letter == 'L') && token.count >= 3) {
    for (std::size_t month = 0; month < kMonths.size(); ++month) {
      const std::string_view name = name_form(kMonths[month], token.count);
      if (!text.starts_with(name)) continue;
      fields.month = static_cast<std::int64_t>(month) + 1;
      text.remove_prefix(name.size());
      return true;
    }
    return false;
  }
  if (token.letter == 'E') {
    for (const std::string_view day : kDays) {
      if (!text.starts_with(name_form(day, token.count))) continue;
      text.remove_prefix(name_form(day, token.count).size());
      return true;
    }
    return false;
  }
  if (!is_number(token)) return false;
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  std::size_t width = static_cast<std::size_t>(token.count);
  if (!is_fixed_width(token)) {
    const auto reserved = static_cast<std::size_t>(digits_reserved_after(i));
    if (digits < width + reserved) return false;
    // A year of four letters next to other numbers has exactly four digits.
    width = reserved > 0 && token.count > 1 ? width : digits - reserved;
  }
  if (width > digits || width > 18 || width == 0) return false;
  std::int64_t value = 0;
  for (const char c : text.substr(0, width)) value = value * 10 + (c - '0');
  text.remove_prefix(width);
  switch (token.letter) {
    case 'u':
    case 'y':
      fields.year = token.count == 2 ? 2000 + value : value;
      return true;
    case 'M':
    case 'L':
      fields.month = value;
      return true;
    case 'd':
      fields.day = value;
      return true;
    case 'D':
      fields.day_of_year = value;
      return true;
    case 'H':
      fields.hour = value;
      return value < 24;
    case 'k':
      fields.hour = value % 24;
      return value >= 1 && value <= 24;
    case 'h':
      fields.half_day_hour = value % 12;
      return value >= 1 && value <= 12;
    case 'K':
      fields.half_day_hour = value;
      return value < 12;
    case 'm':
      fields.minute = value;
      return value < 60;
    case 's':
      fields.second = value;
      return value < 60;
    case 'S':
      for (std::size_t digit = width; digit < 9; ++digit) value *= 10;
      for (std::size_t digit = width; digit > 9; --digit) value /= 10;
      fields.nanos = value;
      return true;
    default:
      fields.nanos = value;
      return value < 1'000'000'000;
  }
}

bool DatePattern::parse(std::string_view text, std::int64_t& millis, int& nanos) const {
  Fields fields;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!parse_token(i, text, fields)) return false;
  }
  const std::int64_t year = fields.year.value_or(1970);
  if (!text.empty() || year < 0 || year > 999'999) return false;
  std::int64_t days = 0;
  if (fields.day_of_year) {
    if (*fields.day_of_year < 1 || *fields.day_of_year > (is_leap_year(year) ? 366 : 365))
      return false;
    days = days_from_civil({year, 1, 1}) + *fields.day_of_year - 1;
  } else {
    if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31) return false;
    const auto month = static_cast<int>(fields.month);
    const int last = days_of_month(year, month);
    days = days_from_civil({year, month, fields.day < last ? static_cast<int>(fields.day) : last});
  }
  const std::int64_t hour =
      fields.hour.value_or(fields.half_day_hour ? *fields.half_day_hour + 12 * fields.half_day : 0);
  millis = days * kMillisPerDay + hour * kMillisPerHour + fields.minute * kMillisPerMinute +
           fields.second * kMillisPerSecond + fields.nanos / 1'000'000;
  nanos = static_cast<int>(fields.nanos % 1'000'000);
  return true;
}

}  // namespace clepsydra
