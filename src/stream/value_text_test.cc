#include "stream/value_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "stream/time_zone.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::column_of;
using ::testing::HasSubstr;
using testing::random_column;
using testing::test_pool;
using testing::type_of;

std::string text_of(const Column& column, std::int64_t row, const TextStyle& style = {}) {
  std::string text;
  append_value_text(column, row, style, text);
  return text;
}

// The text that reading `text` as `type` and printing it again gives; nothing when it cannot be
// read.
std::optional<std::string> cast(std::string_view type, std::string_view text,
                                const TimeZone* zone = nullptr) {
  ColumnBuilder builder(type_of(type), test_pool());
  const Status status = append_parsed_value(text, builder, zone);
  EXPECT_EQ(builder.length(), status.is_ok() ? 1 : 0);
  if (!status.is_ok()) return std::nullopt;
  return text_of(builder.finish().value(), 0, {.zone = zone});
}

struct CastCase {
  const char* type;
  const char* text;
  std::optional<std::string> expected;
};

// The cases CAST('text' AS type) and TRY_CAST of the reference's answers (golden, cast_string and
// cast).
const CastCase kReferenceCasts[] = {
    {"BOOLEAN", "yes", "TRUE"},
    {"BOOLEAN", "1", "TRUE"},
    {"BOOLEAN", "0", "FALSE"},
    {"BOOLEAN", "false", "FALSE"},
    {"BOOLEAN", " true ", {}},
    {"BOOLEAN", "maybe", {}},
    {"BOOLEAN", "", {}},
    {"BOOLEAN", "42", {}},
    {"TINYINT", "128", {}},
    {"TINYINT", "  5 ", "5"},
    {"TINYINT", "abc", {}},
    {"TINYINT", "+5", "5"},
    {"TINYINT", "1e1", {}},
    {"TINYINT", "42", "42"},
    {"SMALLINT", "abc", {}},
    {"INT", "2147483648", {}},
    {"INT", "-1.9", "-1"},
    {"INT", " 7", "7"},
    {"INT", "7 ", "7"},
    {"INT", "1e2", {}},
    {"INT", "0x10", {}},
    {"INT", "", {}},
    {"INT", "1_000", {}},
    {"INT", "٣", {}},
    {"BIGINT", "9223372036854775807", "9223372036854775807"},
    {"BIGINT", "1.5", "1"},
    {"FLOAT", "abc", {}},
    {"FLOAT", " 1", "1.0"},
    {"FLOAT", "1f", "1.0"},
    {"FLOAT", "42", "42.0"},
    {"DOUBLE", "1e400", "Infinity"},
    {"DOUBLE", "1d", "1.0"},
    {"DOUBLE", "5.", "5.0"},
    {"DOUBLE", "abc", {}},
    {"DOUBLE", "", {}},
    {"DECIMAL(5, 2)", "1.005", "1.01"},
    {"DECIMAL(5, 2)", "999.995", {}},
    {"DECIMAL(5, 2)", "1234", {}},
    {"DECIMAL(5, 2)", " 1.5 ", "1.50"},
    {"DECIMAL(5, 2)", "1e2", "100.00"},
    {"DECIMAL(4, 1)", "12   ", "12.0"},
    {"DECIMAL(4, 1)", "abc", {}},
    {"DECIMAL(38, 0)", "", {}},
    {"DATE", "2020-02-29", "2020-02-29"},
    {"DATE", "2020-2-9", "2020-02-09"},
    {"DATE", "2021-02-29", {}},
    {"DATE", "2020-02", "2020-02-01"},
    {"DATE", "2020", "2020-01-01"},
    {"DATE", "42", "0042-01-01"},
    {"DATE", " 42 ", "0042-01-01"},
    {"DATE", "2020-02-29 10:00:00", "2020-02-29"},
    {"DATE", " 2020-01-01 ", "2020-01-01"},
    {"DATE", "x", {}},
    {"DATE", "20200101", {}},
    {"DATE", "12020-01-01", {}},
    {"DATE", "", {}},
    {"TIME(0)", "12:34:56", "12:34:56"},
    {"TIME(0)", "12:34", "12:34:00"},
    {"TIME(0)", "12", "12:00:00"},
    {"TIME(0)", "12   ", "12:00:00"},
    {"TIME(0)", "25:00:00", {}},
    {"TIME(0)", "12:34:56.789", "12:34:56"},
    {"TIME(0)", "1:2:3", "01:02:03"},
    {"TIME(0)", "42", {}},
    {"TIME(0)", "abc", {}},
    {"TIMESTAMP(3)", "2020-02-29 12:34:56", "2020-02-29 12:34:56.000"},
    {"TIMESTAMP(3)", "2020-02-29 12:34:56.789123", "2020-02-29 12:34:56.789"},
    {"TIMESTAMP(3)", "2020-02-29", "2020-02-29 00:00:00.000"},
    {"TIMESTAMP(3)", "2020-02-29 12:34", {}},
    {"TIMESTAMP(3)", "2021-02-29 00:00:00", "2021-02-28 00:00:00.000"},
    {"TIMESTAMP(3)", "", {}},
    {"TIMESTAMP(3)", "42", {}},
    {"TIMESTAMP(3)", "2020-02-29 12:34:56.", "2020-02-29 12:34:56.000"},
    {"TIMESTAMP(9)", "2020-02-29 12:34:56.123456789", "2020-02-29 12:34:56.123456789"},
    {"TIMESTAMP_LTZ(3)", "2020-02-29 12:34:56.789", "2020-02-29 12:34:56.789"},
    {"TIMESTAMP_LTZ(3)", "2020-02-29T12:34:56Z", {}},
    {"TIMESTAMP_LTZ(3)", "2020-02-29 12:34:56+08:00", {}},
    {"TIMESTAMP_LTZ(3)", "x", {}},
    {"TIMESTAMP_LTZ(0)", "2020-02-29 00:00:00", "2020-02-29 00:00:00"},
};

TEST(ValueTextTest, casts_of_text_agree_with_the_reference) {
  for (const CastCase& c : kReferenceCasts) {
    EXPECT_EQ(cast(c.type, c.text), c.expected) << c.type << " of '" << c.text << "'";
  }
}

TEST(ValueTextTest, limits_of_integers) {
  EXPECT_EQ(cast("TINYINT", "-128"), "-128");
  EXPECT_EQ(cast("TINYINT", "-129"), std::nullopt);
  EXPECT_EQ(cast("SMALLINT", "32767.99"), "32767");
  EXPECT_EQ(cast("SMALLINT", "32768"), std::nullopt);
  EXPECT_EQ(cast("INT", "-2147483648"), "-2147483648");
  EXPECT_EQ(cast("BIGINT", "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(cast("BIGINT", "9223372036854775808"), std::nullopt);
  EXPECT_EQ(cast("BIGINT", "-9223372036854775809"), std::nullopt);
  EXPECT_EQ(cast("BIGINT", "99999999999999999999999999"), std::nullopt);
  EXPECT_EQ(cast("BIGINT", "000000000000000000000000012"), "12");
  for (const char* text : {"+", "-", ".", "-.", "1.x", "1.5.", "1 2", "--1", "+-1"}) {
    EXPECT_EQ(cast("INT", text), std::nullopt) << text;
  }
}

TEST(ValueTextTest, doubles_read_as_java_reads_them) {
  EXPECT_EQ(cast("DOUBLE", "NaN"), "NaN");
  EXPECT_EQ(cast("DOUBLE", "-Infinity"), "-Infinity");
  EXPECT_EQ(cast("DOUBLE", "-0.0"), "-0.0");
  EXPECT_EQ(cast("DOUBLE", ".5e-1D"), "0.05");
  EXPECT_EQ(cast("DOUBLE", "-1e400"), "-Infinity");
  EXPECT_EQ(cast("DOUBLE", "1e-400"), "0.0");
  EXPECT_EQ(cast("DOUBLE", "0.00001e400"), "Infinity");
  EXPECT_EQ(cast("FLOAT", "1e50"), "Infinity");
  for (const char* text : {"1e", "e1", "--1", "+-1", ".", "1dd", "nan", "inf", "d", "1,5", "1 1"}) {
    EXPECT_EQ(cast("DOUBLE", text), std::nullopt) << text;
  }
}

// Java's Double.toString: golden/expressions.tsv, category cast_num, and its documentation.
TEST(ValueTextTest, doubles_print_as_java_prints_them) {
  const std::pair<double, const char*> kCases[] = {
      {1000.0, "1000.0"},
      {0.001, "0.001"},
      {1.5e10, "1.5E10"},
      {-125.0, "-125.0"},
      {5.0e9, "5.0E9"},
      {2147483647.0, "2.147483647E9"},
      {0.10000000149011612, "0.10000000149011612"},
      {1.0e19, "1.0E19"},
      {2.75, "2.75"},
      {9999999.0, "9999999.0"},
      {9999999.999, "9999999.999"},
      {1.0e7, "1.0E7"},
      {12345678.9, "1.23456789E7"},
      {0.00099, "9.9E-4"},
      {123456.5, "123456.5"},
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {std::numeric_limits<double>::max(), "1.7976931348623157E308"},
      {std::numeric_limits<double>::min(), "2.2250738585072014E-308"},
      {std::numeric_limits<double>::denorm_min(), "4.9E-324"},
      {1.0e-322, "9.9E-323"},
      {2.0e23, "2.0E23"},
      {1.0e-5, "1.0E-5"},
      {1.0 / 3, "0.3333333333333333"},
      {100.0, "100.0"},
      {-std::numeric_limits<double>::infinity(), "-Infinity"},
      {std::nan(""), "NaN"},
      {-std::nan(""), "NaN"},
  };
  for (const auto& [value, expected] : kCases) {
    std::string text;
    append_double_text(value, text);
    EXPECT_EQ(text, expected);
  }
}

TEST(ValueTextTest, floats_print_as_java_prints_them) {
  const std::pair<float, const char*> kCases[] = {
      {0.1F, "0.1"},
      {42.0F, "42.0"},
      {1.0e19F, "1.0E19"},
      {16777216.0F, "1.6777216E7"},
      {3.4028235e38F, "3.4028235E38"},
      {std::numeric_limits<float>::denorm_min(), "1.4E-45"},
      {0.001F, "0.001"},
      {123.456F, "123.456"},
  };
  for (const auto& [value, expected] : kCases) {
    std::string text;
    append_float_text(value, text);
    EXPECT_EQ(text, expected);
  }
}

TEST(ValueTextTest, printed_doubles_read_back) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::bit_cast<double>(random.next_u64());
    if (std::isnan(value)) continue;
    std::string text;
    append_double_text(value, text);
    double read = 0;
    ASSERT_TRUE(parse_double(text, read)) << text;
    EXPECT_EQ(read, value) << text;
  }
}

TEST(ValueTextTest, decimals_round_half_up_and_keep_their_digits) {
  EXPECT_EQ(cast("DECIMAL(10, 2)", "-0.005"), "-0.01");
  EXPECT_EQ(cast("DECIMAL(10, 2)", "0.0049999"), "0.00");
  EXPECT_EQ(cast("DECIMAL(10, 2)", "-0.001"), "0.00");
  EXPECT_EQ(cast("DECIMAL(10, 2)", "12345678.9"), "12345678.90");
  EXPECT_EQ(cast("DECIMAL(10, 2)", "99999999.994"), "99999999.99");
  EXPECT_EQ(cast("DECIMAL(10, 2)", "99999999.995"), std::nullopt);
  EXPECT_EQ(cast("DECIMAL(38, 0)", "99999999999999999999999999999999999999"),
            "99999999999999999999999999999999999999");
  EXPECT_EQ(cast("DECIMAL(38, 0)", "99999999999999999999999999999999999999.5"), std::nullopt);
  EXPECT_EQ(cast("DECIMAL(38, 38)", "0.00000000000000000000000000000000000001"),
            "0.00000000000000000000000000000000000001");
  EXPECT_EQ(cast("DECIMAL(38, 38)", "4.9e-39"), "0.00000000000000000000000000000000000000");
  EXPECT_EQ(cast("DECIMAL(38, 38)", "5e-39"), "0.00000000000000000000000000000000000001");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "0.000123e6"), "123.00");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "12300e-2"), "123.00");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "0e2000000000"), "0.00");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "1e2000000000"), std::nullopt);
  EXPECT_EQ(cast("DECIMAL(5, 2)", "1e-2000000000"), "0.00");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "00000000000000000000000000000000000000000000000001.5"), "1.50");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "-.5"), "-0.50");
  EXPECT_EQ(cast("DECIMAL(5, 2)", "5."), "5.00");
  for (const char* text : {".", "-", "1e", "1e+-1", "1.2.3", "0x1", "NaN", "1e99999999999"}) {
    EXPECT_EQ(cast("DECIMAL(5, 2)", text), std::nullopt) << text;
  }
}

TEST(ValueTextTest, dates_and_times_out_of_range_are_refused) {
  for (const char* text : {"2020-00-01", "2020-13-01", "2020-01-00", "2020-04-31", "1900-02-29",
                           "10000-01-01", "2020-01-01T10:00:00", "2020-", "-2020-01-01",
                           "2020-1-1-1", "2020/01/01", "99999999999999999999-01-01"}) {
    EXPECT_EQ(cast("DATE", text), std::nullopt) << text;
  }
  EXPECT_EQ(cast("DATE", "2000-02-29"), "2000-02-29");
  EXPECT_EQ(cast("DATE", "9999-12-31"), "9999-12-31");
  for (const char* text :
       {"24:00:00", "12:60:00", "12:00:60", "12:00:00.x", "12:", "1:2:3:4", "-1"}) {
    EXPECT_EQ(cast("TIME(3)", text), std::nullopt) << text;
  }
  EXPECT_EQ(cast("TIME(3)", "12:34:56.7895"), "12:34:56.790");
  EXPECT_EQ(cast("TIME(3)", "23:59:59.9999"), "23:59:59.999");
  for (const char* text : {"0000-01-01", "2020-13-01", "2020-01-32", "2020-01-01 24:00:00",
                           "2020-01-01 23:59:60", "20-01-01", "2020-01-01 1:2:3.1234567890",
                           " 2020-01-01", "2020-01-01 ", "10000-01-01 00:00:00"}) {
    EXPECT_EQ(cast("TIMESTAMP(3)", text), std::nullopt) << text;
  }
  EXPECT_EQ(cast("TIMESTAMP(3)", "2020-1-2 3:4:5"), "2020-01-02 03:04:05.000");
  EXPECT_EQ(cast("TIMESTAMP(9)", "2262-04-11 23:47:16.854775807"), "2262-04-11 23:47:16.854775807");
  EXPECT_EQ(cast("TIMESTAMP(9)", "2262-04-11 23:47:16.854775808"), std::nullopt);
}

TEST(ValueTextTest, timestamps_print_exactly_their_precision) {
  const char* kText = "1969-12-31 23:59:59.987654321";
  const char* kExpected[] = {"1969-12-31 23:59:59",          "1969-12-31 23:59:59.9",
                             "1969-12-31 23:59:59.98",       "1969-12-31 23:59:59.987",
                             "1969-12-31 23:59:59.9876",     "1969-12-31 23:59:59.98765",
                             "1969-12-31 23:59:59.987654",   "1969-12-31 23:59:59.9876543",
                             "1969-12-31 23:59:59.98765432", "1969-12-31 23:59:59.987654321"};
  for (int precision = 0; precision <= 9; ++precision) {
    EXPECT_EQ(cast("TIMESTAMP(" + std::to_string(precision) + ")", kText), kExpected[precision]);
  }
  std::string text;
  append_timestamp_text(-1, 3, text);
  EXPECT_EQ(text, "1969-12-31 23:59:59.999");
}

TEST(ValueTextTest, years_outside_of_four_digits_print_in_full) {
  std::string text;
  append_timestamp_text(253'402'300'800, 0, text);
  EXPECT_EQ(text, "10000-01-01 00:00:00");
  text.clear();
  append_timestamp_text(std::numeric_limits<std::int64_t>::max(), 3, text);
  EXPECT_EQ(text, "292278994-08-17 07:12:55.807");
}

TEST(ValueTextTest, intervals) {
  const std::pair<std::int64_t, const char*> kMillis[] = {
      {86'400'000, "+1 00:00:00.000"},
      {-43'200'000, "-0 12:00:00.000"},
      {12, "+0 00:00:00.012"},
      {907'933'456, "+10 12:12:13.456"},
      {-86'400'000, "-1 00:00:00.000"},
      {std::numeric_limits<std::int64_t>::min(), "-106751991167 07:12:55.808"}};
  for (const auto& [millis, expected] : kMillis) {
    std::string text;
    append_interval_day_time_text(millis, text);
    EXPECT_EQ(text, expected);
  }
  const std::pair<std::int32_t, const char*> kMonths[] = {
      {24, "+2-00"},         {-27, "-2-03"},
      {3, "+0-03"},          {-1, "-0-01"},
      {100'000, "+8333-04"}, {std::numeric_limits<std::int32_t>::min(), "-178956970-08"}};
  for (const auto& [months, expected] : kMonths) {
    std::string text;
    append_interval_year_month_text(months, text);
    EXPECT_EQ(text, expected);
  }
}

TEST(ValueTextTest, nested_values) {
  EXPECT_EQ(text_of(column_of("ARRAY<INT>", {"[1, NULL, 2]"}), 0), "[1, NULL, 2]");
  EXPECT_EQ(text_of(column_of("ARRAY<INT>", {"[1, NULL]"}), 0, {.null_text = "\\N"}), "[1, \\N]");
  EXPECT_EQ(text_of(column_of("MAP<STRING, INT>", {"{a=1, b=NULL}"}), 0), "{a=1, b=NULL}");
  EXPECT_EQ(text_of(column_of("MULTISET<STRING>", {"{a=2, b=1}"}), 0), "{a=2, b=1}");
  EXPECT_EQ(text_of(column_of("ROW<a INT, b ROW<c BOOLEAN, d STRING>>", {"(1, (true, x y))"}), 0),
            "(1, (TRUE, x y))");
  EXPECT_EQ(text_of(column_of("ARRAY<ARRAY<INT>>", {"[[], [1]]"}), 0), "[[], [1]]");
}

TEST(ValueTextTest, binary_as_hex_or_as_utf8) {
  const Column column = column_of("BYTES", {"x'0aff'", "x'61c3a9'"});
  EXPECT_EQ(text_of(column, 0, {.binary_as_hex = true}), "x'0aff'");
  EXPECT_EQ(text_of(column, 1), "aé");
  EXPECT_EQ(text_of(column, 0), "\n\xEF\xBF\xBD");  // Not UTF-8: U+FFFD.
}

TEST(ValueTextTest, instants_are_shown_and_read_in_the_zone) {
  const TimeZonePtr berlin = find_time_zone("Europe/Berlin").value();
  const Column column = column_of("TIMESTAMP_LTZ(3)", {"2024-07-01 10:00:00.5"});  // Read as UTC.
  EXPECT_EQ(text_of(column, 0, {.zone = berlin.get()}), "2024-07-01 12:00:00.500");
  ColumnBuilder builder(type_of("TIMESTAMP_LTZ(9)"), test_pool());
  ASSERT_TRUE(append_parsed_value("2024-01-01 10:00:00", builder, berlin.get()).is_ok());
  EXPECT_EQ(text_of(builder.finish().value(), 0), "2024-01-01 09:00:00.000000000");
}

TEST(ValueTextTest, errors_name_the_type_and_a_clipped_text) {
  ColumnBuilder builder(type_of("DECIMAL(5, 2) NOT NULL"), test_pool());
  const Status status = append_parsed_value(std::string(200, 'x'), builder, nullptr);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.to_string(), HasSubstr("as DECIMAL(5, 2)"));
  EXPECT_LT(status.message().size(), 120U);
  ColumnBuilder nested(type_of("ARRAY<INT>"), test_pool());
  EXPECT_EQ(append_parsed_value("[1]", nested, nullptr).code(), StatusCode::kUnimplemented);
}

TEST(ValueTextTest, printed_values_read_back) {
  Random random(5);
  for (const char* type :
       {"BOOLEAN NOT NULL", "TINYINT NOT NULL", "INT NOT NULL", "BIGINT NOT NULL", "FLOAT NOT NULL",
        "DECIMAL(38, 10) NOT NULL", "DECIMAL(5, 0) NOT NULL", "DATE NOT NULL", "TIME(3) NOT NULL",
        "TIMESTAMP(0) NOT NULL", "TIMESTAMP(6) NOT NULL", "TIMESTAMP_LTZ(9) NOT NULL"}) {
    const Column column = random_column(type_of(type), 500, random);
    for (std::int64_t row = 0; row < column.length(); ++row) {
      EXPECT_EQ(cast(type, text_of(column, row)), text_of(column, row)) << type;
    }
  }
}

TEST(ValueTextTest, tab_separated_fields_are_escaped) {
  std::string text;
  append_tsv_escaped(std::string_view("a\\b\tc\nd\re\0f é", 14), text);
  EXPECT_EQ(text, "a\\\\b\\tc\\nd\\re\\0f é");
}

}  // namespace
}  // namespace clepsydra
