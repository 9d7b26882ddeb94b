// The smallest and largest values of every kind through the functions that may trip over them. What
// is expected is Java's arithmetic, worked out by hand, and the proleptic Gregorian calendar.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "functions/expression_program.h"
#include "functions/function_registry.h"
#include "stream/calendar.h"
#include "stream/column_builder.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;  // Texts that could be something else are in quotes.
using testing::test_pool;

using Lines = std::vector<std::string>;

ExpressionPtr column(const Batch& batch, int i) {
  const Field& field = batch.schema()->field(i);
  return Expression::column(i, field.type, field.name);
}

Lines evaluate(const ExpressionPtr& expression, const Batch& batch) {
  Result<ExpressionProgram> program = ExpressionProgram::make(
      std::vector<ExpressionPtr>{expression}, EvaluationContext{.pool = &test_pool()});
  if (!program.is_ok()) return {program.status().to_string()};
  const Result<std::vector<Column>> columns = program->evaluate(batch);
  if (!columns.is_ok()) return {columns.status().to_string()};
  EXPECT_TRUE(validate((*columns)[0], true).is_ok());
  return lines_of((*columns)[0]);
}

// The call over the columns of a batch, with literals behind them.
Lines call(std::string_view name, const Batch& batch, std::vector<ExpressionPtr> more = {}) {
  std::vector<ExpressionPtr> arguments;
  for (int i = 0; i < batch.column_count(); ++i) arguments.push_back(column(batch, i));
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Result<ExpressionPtr> resolved =
      FunctionRegistry::built_in().resolve(name, std::move(arguments));
  if (!resolved.is_ok()) return {resolved.status().to_string()};
  return evaluate(*resolved, batch);
}

Lines cast(const Batch& batch, const DataType& type, bool is_try = false) {
  const Result<ExpressionPtr> made =
      FunctionRegistry::built_in().cast(column(batch, 0), type, is_try);
  if (!made.is_ok()) return {made.status().to_string()};
  return evaluate(*made, batch);
}

TEST(EdgeValuesTest, whole_numbers_wrap) {
  const Batch big = batch_of("a BIGINT", {"-9223372036854775808", "9223372036854775807"});
  EXPECT_THAT(call("-", big), ElementsAre("-9223372036854775808", "-9223372036854775807"));
  EXPECT_THAT(call("-", big, {big_int_literal(1)}),
              ElementsAre("9223372036854775807", "9223372036854775806"));
  EXPECT_THAT(call("+", big, {big_int_literal(1)}),
              ElementsAre("-9223372036854775807", "-9223372036854775808"));
  EXPECT_THAT(call("*", big, {big_int_literal(-1)}),
              ElementsAre("-9223372036854775808", "-9223372036854775807"));
  EXPECT_THAT(call("/", big, {big_int_literal(-1)}),
              ElementsAre("-9223372036854775808", "-9223372036854775807"));
  EXPECT_THAT(call("%", big, {big_int_literal(-1)}), ElementsAre("0", "0"));
  EXPECT_THAT(call("ABS", big), ElementsAre("-9223372036854775808", "9223372036854775807"));
  EXPECT_THAT(call("/", big, {big_int_literal(0)}), ElementsAre(HasSubstr("division by zero")));
  const Batch small = batch_of("a INT", {"-2147483648", "2147483647"});
  EXPECT_THAT(call("-", small), ElementsAre("-2147483648", "-2147483647"));
  EXPECT_THAT(call("*", small, {integer_literal(2)}), ElementsAre("0", "-2"));
  EXPECT_THAT(call("/", small, {integer_literal(-1)}), ElementsAre("-2147483648", "-2147483647"));
}

// By a constant: another way than by a column. Expected: C++.
TEST(EdgeValuesTest, division_by_constants_is_exact) {
  std::vector<std::int64_t> numbers = {0,
                                       1,
                                       2,
                                       3,
                                       9,
                                       10,
                                       11,
                                       std::numeric_limits<std::int64_t>::max(),
                                       std::numeric_limits<std::int64_t>::min()};
  for (int bit = 2; bit < 63; ++bit) {
    const auto power = static_cast<std::int64_t>(std::uint64_t{1} << bit);
    numbers.insert(numbers.end(), {power - 1, power, power + 1});
  }
  std::uint64_t random = 1;
  for (int i = 0; i < 300; ++i) {
    random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
    numbers.push_back(static_cast<std::int64_t>(random >> (i % 50)));
  }
  const std::size_t positive = numbers.size();
  for (std::size_t i = 0; i < positive; ++i) {
    numbers.push_back(static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(numbers[i])));
  }
  ColumnBuilder builder(DataType::big_int(), test_pool());
  for (const std::int64_t number : numbers) builder.append<std::int64_t>(number);
  std::vector<Column> columns = {builder.finish().value()};
  const Batch batch(make_schema({{"a", DataType::big_int(), ""}}),
                    static_cast<std::int64_t>(numbers.size()), std::move(columns));
  for (const std::int64_t divisor : numbers) {
    if (divisor == 0 || divisor == -1) continue;
    for (const bool is_remainder : {false, true}) {
      const Result<ExpressionPtr> expression = FunctionRegistry::built_in().resolve(
          is_remainder ? "%" : "/", {column(batch, 0), big_int_literal(divisor)});
      Result<ExpressionProgram> program = ExpressionProgram::make(
          std::vector<ExpressionPtr>{*expression}, EvaluationContext{.pool = &test_pool()});
      const Column result = program->evaluate(batch).value()[0];
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::int64_t wanted = is_remainder ? numbers[i] % divisor : numbers[i] / divisor;
        ASSERT_EQ(result.values<std::int64_t>()[i], wanted) << numbers[i] << " by " << divisor;
      }
    }
  }
  // The remainder has the type of the divisor.
  EXPECT_THAT(call("%", batch_of("a BIGINT", {"9223372036854775807", "-9223372036854775808", "-5"}),
                   {integer_literal(-2'147'483'647)}),
              ElementsAre("1", "-2", "-5"));
}

TEST(EdgeValuesTest, casts_of_whole_numbers_keep_the_low_bits) {
  const Batch big =
      batch_of("a BIGINT", {"-9223372036854775808", "9223372036854775807", "4294967296", "200"});
  EXPECT_THAT(cast(big, DataType::integer()), ElementsAre("0", "-1", "0", "200"));
  EXPECT_THAT(cast(big, DataType::tiny_int()), ElementsAre("0", "-1", "0", "-56"));
  EXPECT_THAT(cast(big, DataType::string()),
              ElementsAre("'-9223372036854775808'", "9223372036854775807", "4294967296", "200"));
  EXPECT_THAT(cast(big, DataType::decimal(19, 0)),
              ElementsAre("-9223372036854775808", "9223372036854775807", "4294967296", "200"));
  // One digit too few.
  EXPECT_THAT(cast(big, DataType::decimal(18, 0), true),
              ElementsAre("NULL", "NULL", "4294967296", "200"));
}

TEST(EdgeValuesTest, floating_numbers_beyond_whole_ones_stop_at_the_ends) {
  const Batch batch = batch_of("x DOUBLE", {"1E300", "-1E300", "Infinity", "-Infinity", "NaN",
                                            "9.223372036854776E18", "-0.9"});
  EXPECT_THAT(cast(batch, DataType::big_int()),
              ElementsAre("9223372036854775807", "-9223372036854775808", "9223372036854775807",
                          "-9223372036854775808", "0", "9223372036854775807", "0"));
  EXPECT_THAT(cast(batch, DataType::integer()),
              ElementsAre("2147483647", "-2147483648", "2147483647", "-2147483648", "0",
                          "2147483647", "0"));
  EXPECT_THAT(
      cast(batch, DataType::float_()),
      ElementsAre("Infinity", "-Infinity", "Infinity", "-Infinity", "NaN", "9.223372E18", "-0.9"));
}

TEST(EdgeValuesTest, decimals_of_38_digits) {
  const std::string nines(38, '9');
  const Batch batch = batch_of("d DECIMAL(38, 0)", {nines, "-" + nines, "0"});
  const Result<ExpressionPtr> one =
      FunctionRegistry::built_in().cast(integer_literal(1), DataType::decimal(38, 0), false);
  ASSERT_TRUE(one.is_ok());
  EXPECT_THAT(call("+", batch, {*one}), ElementsAre("NULL", "-" + nines.substr(1) + "8", "1"));
  EXPECT_THAT(call("*", batch, {column(batch, 0)}), ElementsAre("NULL", "NULL", "0"));
  EXPECT_THAT(call("-", batch), ElementsAre("-" + nines, nines, "0"));
  EXPECT_THAT(cast(batch, DataType::big_int(), true).size(), 3);
  EXPECT_THAT(cast(batch, DataType::string()), ElementsAre(nines, "'-" + nines + "'", "0"));
  EXPECT_THAT(cast(batch, DataType::double_()), ElementsAre("1.0E38", "-1.0E38", "0.0"));
}

// Timestamps by their parts: the harness reads years of four digits alone.
Batch moments(const std::vector<CivilDate>& dates) {
  ColumnBuilder builder(DataType::timestamp(3), test_pool());
  for (const CivilDate& date : dates) {
    builder.append<std::int64_t>(days_from_civil(date) * 86'400'000);
  }
  std::vector<Column> columns = {builder.finish().value()};
  return Batch(make_schema({{"t", DataType::timestamp(3), ""}}),
               static_cast<std::int64_t>(dates.size()), std::move(columns));
}

TEST(EdgeValuesTest, years_0_and_10000) {
  const Batch batch =
      moments({{-1, 12, 31}, {0, 1, 1}, {0, 2, 29}, {9999, 12, 31}, {10'000, 2, 29}});
  EXPECT_THAT(call("EXTRACT_YEAR", batch), ElementsAre("-1", "0", "0", "9999", "10000"));
  EXPECT_THAT(call("EXTRACT_MONTH", batch), ElementsAre("12", "1", "2", "12", "2"));
  EXPECT_THAT(call("EXTRACT_DAY", batch), ElementsAre("31", "1", "29", "31", "29"));
  // Python's date of the same weekdays 2000 and 400 years later: the calendar repeats.
  EXPECT_THAT(call("EXTRACT_DOY", batch), ElementsAre("365", "1", "60", "365", "60"));
  const Result<ExpressionPtr> next_day = FunctionRegistry::built_in().resolve(
      "TIMESTAMPADD_DAY", {integer_literal(1), column(batch, 0)});
  ASSERT_TRUE(next_day.is_ok()) << next_day.status().to_string();
  const Result<ExpressionPtr> year =
      FunctionRegistry::built_in().resolve("EXTRACT_YEAR", {*next_day});
  EXPECT_THAT(evaluate(*year, batch), ElementsAre("0", "0", "0", "10000", "10000"));
  EXPECT_EQ(call("DATE_FORMAT", batch, {text_literal("MM-dd")}),
            (Lines{"12-31", "01-01", "02-29", "12-31", "02-29"}));
  EXPECT_EQ(call("DATE_FORMAT", batch, {text_literal("uuuu-MM-dd")})[3], "9999-12-31");
  for (const char* unit : {"FLOOR_YEAR", "CEIL_YEAR", "FLOOR_MONTH", "CEIL_MONTH", "FLOOR_DAY"}) {
    EXPECT_EQ(call(unit, batch).size(), 5U) << unit;
  }
}

TEST(EdgeValuesTest, texts_of_dates_outside_of_four_digits) {
  const Batch batch = batch_of("s STRING", {"0000-01-01", "0001-01-01", "9999-12-31"});
  EXPECT_THAT(cast(batch, DataType::date(), true)[1], "0001-01-01");
  EXPECT_THAT(cast(batch, DataType::date(), true)[2], "9999-12-31");
  const Batch wrong = batch_of(
      "s STRING", {"10000-01-01", "-0001-01-01", "99999999999-01-01", "2024-13-01", "2024-02-32"});
  for (const DataType& type : {DataType::date(), DataType::timestamp(3), DataType::timestamp(9)}) {
    EXPECT_THAT(cast(wrong, type, true), Each("NULL"));
    EXPECT_THAT(cast(wrong, type), ElementsAre(HasSubstr("10000-01-01")));
  }
  EXPECT_THAT(call("TO_TIMESTAMP", wrong), Each("NULL"));
  EXPECT_THAT(call("TO_DATE", wrong), Each("NULL"));
}

TEST(EdgeValuesTest, intervals_and_units_that_leave_the_range_of_time) {
  const Batch big = batch_of("n BIGINT", {"9223372036854775807", "-9223372036854775808"});
  EXPECT_THAT(call("TO_TIMESTAMP_LTZ", big, {integer_literal(0)}), ElementsAre("NULL", "NULL"));
  EXPECT_THAT(call("TO_TIMESTAMP_LTZ", big, {integer_literal(3)}), ElementsAre("NULL", "NULL"));
  EXPECT_THAT(call("FROM_UNIXTIME", big), ElementsAre(HasSubstr("out of range")));
}

TEST(EdgeValuesTest, places_in_texts_beyond_their_ends) {
  const Batch batch =
      batch_of("s STRING, n INT", {"abc | 2147483647", "abc | -2147483648", "abc | 0"});
  EXPECT_THAT(call("SUBSTRING", batch)[0], "''");
  EXPECT_THAT(call("LEFT", batch), ElementsAre("abc", "''", "''"));
  EXPECT_THAT(call("RIGHT", batch), ElementsAre("abc", "''", "''"));
  EXPECT_EQ(call("SPLIT_INDEX", batch_of("s STRING, d STRING, n INT",
                                         {"a-b | - | 2147483647", "a-b | - | -2147483648"})),
            (Lines{"NULL", "NULL"}));
}

}  // namespace
}  // namespace clepsydra
