#include "functions/date_pattern.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "functions/time_units.h"
#include "stream/calendar.h"

namespace clepsydra {
namespace {

// What format_fixed() writes, or "refused".
std::string fixed_text(const DatePattern& pattern, std::int64_t millis, int nanos = 0) {
  std::string text(static_cast<std::size_t>(pattern.fixed_bytes()), '?');
  return pattern.format_fixed(millis, nanos, text.data()) ? text : "refused";
}

TEST(DatePatternTest, fixed_texts_have_the_date_of_every_day_of_four_digit_years) {
  const DatePattern pattern = DatePattern::compile("yyyy-MM-dd").value();
  ASSERT_EQ(pattern.fixed_bytes(), 10);
  for (std::int64_t days = days_from_civil({1, 1, 1}); days <= days_from_civil({9999, 12, 31});
       ++days) {
    const CivilDate date = civil_from_days(days);
    std::array<char, 10> text{};
    ASSERT_TRUE(pattern.format_fixed(days * kMillisPerDay, 0, text.data()));
    const auto number = [&](std::size_t from, std::size_t count) {
      std::int64_t value = 0;
      for (const char c : std::string_view(text.data() + from, count)) value = value * 10 + c - '0';
      return value;
    };
    ASSERT_TRUE(number(0, 4) == date.year && number(5, 2) == date.month && number(8, 2) == date.day)
        << days;
  }
}

TEST(DatePatternTest, years_of_other_widths_go_the_long_way) {
  const DatePattern pattern = DatePattern::compile("yyyy-MM-dd").value();
  EXPECT_EQ(fixed_text(pattern, days_from_civil({1, 1, 1}) * kMillisPerDay), "0001-01-01");
  EXPECT_EQ(fixed_text(pattern, days_from_civil({1, 1, 1}) * kMillisPerDay - 1), "refused");
  EXPECT_EQ(fixed_text(pattern, days_from_civil({10'000, 1, 1}) * kMillisPerDay - 1), "9999-12-31");
  EXPECT_EQ(fixed_text(pattern, days_from_civil({10'000, 1, 1}) * kMillisPerDay), "refused");
  std::string text;
  // The year of the era: there is no year 0, it is 1 BC.
  EXPECT_TRUE(pattern.format(days_from_civil({0, 12, 31}) * kMillisPerDay, 0, text));
  EXPECT_EQ(text, "0001-12-31");
  // A clock without a date does not care.
  const DatePattern clock = DatePattern::compile("HH:mm:ss.SSSSSS").value();
  EXPECT_EQ(fixed_text(clock, days_from_civil({20'000, 1, 1}) * kMillisPerDay + 3'723'004, 567'890),
            "01:02:03.004567");
  EXPECT_EQ(fixed_text(clock, -1, 999'999), "23:59:59.999999");
}

TEST(DatePatternTest, fixed_texts_are_those_of_the_long_way) {
  for (const char* form : {"yyyy-MM-dd HH:mm:ss", "uuuuMMdd'T'HHmmssSSS", "S SS SSSS SSSSSSSSS",
                           "'at' dd.MM.yyyy", "ss mm HH"}) {
    const DatePattern pattern = DatePattern::compile(form).value();
    ASSERT_GT(pattern.fixed_bytes(), 0) << form;
    for (std::int64_t i = -2000; i < 2000; ++i) {
      const std::int64_t millis = i * 31'556'952'123;  // A year and a little, each.
      if (civil_from_days(floor_div(millis, kMillisPerDay)).year < 1) continue;
      const int nanos = static_cast<int>((i + 2000) * 249);
      std::string text;
      ASSERT_TRUE(pattern.format(millis, nanos, text));
      ASSERT_EQ(fixed_text(pattern, millis, nanos), text) << form;
    }
  }
}

TEST(DatePatternTest, names_and_free_widths_have_no_fixed_length) {
  for (const char* form : {"", "yyyy-M-dd", "MMM dd", "yy", "hh:mm a", "EEE", "yyyyy", "VV"}) {
    EXPECT_EQ(DatePattern::compile(form)->fixed_bytes(), 0) << form;
  }
  const std::string long_literal = "'" + std::string(70'000, 'x') + "'yyyyMM";
  EXPECT_EQ(DatePattern::compile(long_literal)->fixed_bytes(), 0);
}

}  // namespace
}  // namespace clepsydra
