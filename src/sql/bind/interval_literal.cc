#include "sql/bind/interval_literal.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "sql/ast/print.h"

namespace clepsydra::sql {
namespace {

constexpr int kDefaultLeadingDigits = 2;
constexpr int kLeadingDigitsMax = 10;

// The units from start to end, largest first.
std::vector<ast::TimeUnit> units_of(const ast::IntervalQualifier& qualifier) {
  if (!qualifier.end) return {qualifier.start};
  if (qualifier.is_year_month()) return {ast::TimeUnit::kYear, ast::TimeUnit::kMonth};
  constexpr std::array kDayTime = {ast::TimeUnit::kDay, ast::TimeUnit::kHour,
                                   ast::TimeUnit::kMinute, ast::TimeUnit::kSecond};
  std::vector<ast::TimeUnit> units;
  for (const ast::TimeUnit unit : kDayTime) {
    if (unit >= qualifier.start && unit <= *qualifier.end) units.push_back(unit);
  }
  return units;
}

// What follows a unit in the text before the next one starts.
char separator_after(ast::TimeUnit unit) {
  if (unit == ast::TimeUnit::kYear) return '-';
  return unit == ast::TimeUnit::kDay ? ' ' : ':';
}

class IntervalReader {
 public:
  IntervalReader(const ast::Literal& literal, const StatementText& text)
      : literal_(literal), text_(text), rest_(literal.text) {}

  Result<std::int64_t> read() {
    bool negative = literal_.negative;
    trim();
    if (!rest_.empty() && (rest_[0] == '-' || rest_[0] == '+')) {
      if (rest_[0] == '-') negative = !negative;
      rest_.remove_prefix(1);
    }
    const std::vector<ast::TimeUnit> units = units_of(literal_.interval);
    std::int64_t total = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (i > 0) {
        const char separator = separator_after(units[i - 1]);
        if (rest_.empty() || rest_[0] != separator) return bad_text();
        rest_.remove_prefix(1);
      }
      CLP_ASSIGN_OR_RETURN(const std::int64_t value, read_field(units[i], i == 0));
      if (__builtin_add_overflow(total, value, &total)) return bad_text();
    }
    if (!rest_.empty()) return bad_text();
    return negative ? -total : total;
  }

 private:
  void trim() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.back() == ' ') rest_.remove_suffix(1);
  }

  Status bad_text() const {
    return text_.invalid(literal_.range, fmt::format("'{}' is not an interval of {}", literal_.text,
                                                     ast::to_sql(literal_.interval)));
  }

  Result<std::int64_t> read_field(ast::TimeUnit unit, bool leading) {
    std::size_t digits = 0;
    std::int64_t value = 0;
    while (digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9') {
      if (digits >= 18) return bad_text();
      value = value * 10 + (rest_[digits++] - '0');
    }
    if (digits == 0) return bad_text();
    rest_.remove_prefix(digits);
    CLP_RETURN_IF_ERROR(check_range(unit, leading, value));
    std::int64_t total = 0;
    if (__builtin_mul_overflow(value, unit_length(unit), &total)) return bad_text();
    if (unit == ast::TimeUnit::kSecond) {
      CLP_ASSIGN_OR_RETURN(const std::int64_t millis, read_fraction());
      total += millis;
    }
    return total;
  }

  Status check_range(ast::TimeUnit unit, bool leading, std::int64_t value) const {
    if (leading) {
      const int digits_max = literal_.interval.precision.value_or(kDefaultLeadingDigits);
      std::int64_t limit = 1;
      for (int i = 0; i < digits_max; ++i) limit *= 10;
      if (value < limit) return Status::ok();
      return text_.invalid(
          literal_.range,
          fmt::format("{} does not fit {}, which has {} digits", value,
                      ast::to_sql(literal_.interval), digits_max),
          fmt::format("write {}({})", ast::time_unit_name(unit), fmt::format("{}", value).size()));
    }
    const std::int64_t limit = unit == ast::TimeUnit::kMonth  ? 12
                               : unit == ast::TimeUnit::kHour ? 24
                                                              : 60;
    return value < limit ? Status::ok() : bad_text();
  }

  // ".5" is 500 ms; digits after the third are below a millisecond and dropped.
  Result<std::int64_t> read_fraction() {
    if (rest_.empty() || rest_[0] != '.') return std::int64_t{0};
    rest_.remove_prefix(1);
    std::int64_t millis = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
      if (digits < 3) millis = millis * 10 + (rest_[digits] - '0');
    }
    if (digits == 0 || digits > 9) return bad_text();
    for (std::size_t i = digits; i < 3; ++i) millis *= 10;
    rest_.remove_prefix(digits);
    return millis;
  }

  const ast::Literal& literal_;
  const StatementText& text_;
  std::string_view rest_;
};

}  // namespace

std::int64_t unit_length(ast::TimeUnit unit) {
  switch (unit) {
    case ast::TimeUnit::kYear:
      return 12;
    case ast::TimeUnit::kQuarter:
      return 3;
    case ast::TimeUnit::kMonth:
      return 1;
    case ast::TimeUnit::kWeek:
      return 7LL * 24 * 3600 * 1000;
    case ast::TimeUnit::kDay:
      return 24LL * 3600 * 1000;
    case ast::TimeUnit::kHour:
      return 3600LL * 1000;
    case ast::TimeUnit::kMinute:
      return 60LL * 1000;
    default:
      return 1000;
  }
}

Result<std::int64_t> parse_interval(const ast::Literal& literal, const StatementText& text) {
  const int precision = literal.interval.precision.value_or(kDefaultLeadingDigits);
  if (precision < 1 || precision > kLeadingDigitsMax) {
    return text.invalid(
        literal.interval.range,
        fmt::format("the precision of an interval must be between 1 and {}, but is {}",
                    kLeadingDigitsMax, precision));
  }
  return IntervalReader(literal, text).read();
}

}  // namespace clepsydra::sql
