#include "gateway/console/result_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/console/terminal_text.h"
#include "stream/time_zone.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::console {
namespace {

using testing::batch_of;

std::string printed(const std::vector<Batch>& batches, const ResultPrinterOptions& options) {
  const auto printer = make_stream_printer(batches.front().schema(), options);
  std::string out;
  printer->begin(out);
  for (const Batch& batch : batches) printer->rows(batch, out);
  printer->end(out);
  return out;
}

std::string printed(const Batch& batch, OutputFormat format) {
  return printed(std::vector<Batch>{batch}, {.format = format, .zone = nullptr});
}

TEST(ResultPrinterTest, tableau_has_the_kind_of_change_and_widths_by_type) {
  const Batch batch =
      batch_of("id INT, name STRING, at TIMESTAMP(3), ok BOOLEAN",
               {"1 | Ann | 2024-01-31 10:00:00.000 | TRUE", "-D 2 | NULL | NULL | NULL"});
  EXPECT_EQ(
      printed(batch, OutputFormat::kTableau),
      "+----+-------------+--------------------------------+-------------------------+--------+\n"
      "| op |          id |                           name |                      at |     ok |\n"
      "+----+-------------+--------------------------------+-------------------------+--------+\n"
      "| +I |           1 |                            Ann | 2024-01-31 10:00:00.000 |   TRUE |\n"
      "| -D |           2 |                         <NULL> |                  <NULL> | <NULL> |\n"
      "+----+-------------+--------------------------------+-------------------------+--------+\n");
}

TEST(ResultPrinterTest, tableau_cuts_long_text_by_display_width) {
  const Batch batch = batch_of("s STRING", {"abcdefghijkl", "日本語日本語"});
  EXPECT_EQ(
      printed({batch}, {.format = OutputFormat::kTableau, .zone = nullptr, .max_column_width = 10}),
      "+----+------------+\n"
      "| op |          s |\n"
      "+----+------------+\n"
      "| +I | abcdefg... |\n"
      "| +I |  日本語... |\n"
      "+----+------------+\n");
}

TEST(ResultPrinterTest, tableau_shows_control_characters_instead_of_sending_them) {
  BatchBuilder builder(testing::schema_of("s STRING"), testing::test_pool());
  builder.column(0).append_string("a\x1b[31m\nb");
  builder.commit_row();
  const Batch batch = *builder.finish();
  EXPECT_THAT(printed(batch, OutputFormat::kTableau), ::testing::HasSubstr("a\\x1b[31m\\nb |"));
}

TEST(ResultPrinterTest, csv_null_is_an_empty_field_and_empty_text_is_quoted) {
  const Batch batch = batch_of("a STRING, b INT, `c,d` STRING",
                               {"NULL | 1 | ''", "'x,y' | NULL | 'say \"hi\"'", "z | 3 | w"});
  EXPECT_EQ(printed(batch, OutputFormat::kCsv),
            "a,b,\"c,d\"\n"
            ",1,\"\"\n"
            "\"x,y\",,\"say \"\"hi\"\"\"\n"
            "z,3,w\n");
}

TEST(ResultPrinterTest, tsv_null_and_escapes_follow_the_golden_files) {
  BatchBuilder builder(testing::schema_of("s STRING, n BIGINT"), testing::test_pool());
  builder.column(0).append_string(std::string("\\ \t \n \r \0 .", 11));
  builder.column(1).append_null();
  builder.commit_row();
  EXPECT_EQ(printed(*builder.finish(), OutputFormat::kTsv), "s\tn\n\\\\ \\t \\n \\r \\0 .\t\\N\n");
}

TEST(ResultPrinterTest, values_have_the_reference_text_form) {
  const Batch batch = batch_of(
      "b BOOLEAN, d DOUBLE, c DECIMAL(10, 2), t TIMESTAMP(6), a ARRAY<INT>, m MAP<STRING, INT>, "
      "r ROW<x INT, y STRING>, v BYTES",
      {"FALSE | 1.0E10 | 3.50 | 2024-01-31 10:00:00.123456 | [1, NULL] | {a=1} | (1, a) | "
       "x'0aff'"});
  EXPECT_EQ(printed(batch, OutputFormat::kTsv),
            "b\td\tc\tt\ta\tm\tr\tv\n"
            "FALSE\t1.0E10\t3.50\t2024-01-31 10:00:00.123456\t[1, NULL]\t{a=1}\t(1, a)\tx'0aff'\n");
}

TEST(ResultPrinterTest, json_is_one_object_per_line_with_its_own_types) {
  const Batch batch = batch_of(
      "b BOOLEAN, d DOUBLE, c DECIMAL(10, 2), t TIMESTAMP(3), a ARRAY<INT>, m MAP<STRING, INT>, "
      "r ROW<x INT, y STRING>, n STRING",
      {"TRUE | NaN | 3.50 | 2024-01-31 10:00:00.123 | [1, NULL] | {a=1} | (1, q) | NULL",
       "FALSE | 0.5 | NULL | NULL | NULL | NULL | NULL | '\"'"});
  EXPECT_EQ(printed(batch, OutputFormat::kJson),
            R"({"b":true,"d":"NaN","c":3.50,"t":"2024-01-31 10:00:00.123","a":[1,null],)"
            R"("m":{"a":1},"r":{"x":1,"y":"q"},"n":null})"
            "\n"
            R"({"b":false,"d":0.5,"c":null,"t":null,"a":null,"m":null,"r":null,"n":"\""})"
            "\n");
}

TEST(ResultPrinterTest, no_rows_still_have_a_header) {
  const Batch batch = batch_of("a INT, b STRING", {});
  EXPECT_EQ(printed(batch, OutputFormat::kCsv), "a,b\n");
  EXPECT_EQ(printed(batch, OutputFormat::kTsv), "a\tb\n");
  EXPECT_EQ(printed(batch, OutputFormat::kJson), "");
}

TEST(ResultPrinterTest, instants_are_shown_in_the_session_zone) {
  const Batch batch = batch_of("t TIMESTAMP_LTZ(3)", {"2024-01-31 23:30:00.000"});
  const TimeZonePtr zone = *find_time_zone("+01:00");
  EXPECT_EQ(printed({batch}, {.format = OutputFormat::kTsv, .zone = zone}),
            "t\n2024-02-01 00:30:00.000\n");
}

TEST(ResultPrinterTest, a_small_table_has_widths_by_value) {
  const Batch table = batch_of("`table name` STRING", {"t", "flights_of_2013"});
  EXPECT_EQ(print_table(table, {.format = OutputFormat::kTableau, .zone = nullptr}),
            "+-----------------+\n"
            "|      table name |\n"
            "+-----------------+\n"
            "|               t |\n"
            "| flights_of_2013 |\n"
            "+-----------------+\n");
  EXPECT_EQ(print_table(table, {.format = OutputFormat::kTsv, .zone = nullptr}),
            "table name\nt\nflights_of_2013\n");
}

TEST(ResultPrinterTest, a_plan_is_shown_as_it_is) {
  BatchBuilder builder(testing::schema_of("result STRING"), testing::test_pool());
  builder.column(0).append_string("== Plan ==\nCalc\n");
  builder.commit_row();
  EXPECT_EQ(print_table(*builder.finish(), {.format = OutputFormat::kTableau, .zone = nullptr}),
            "== Plan ==\nCalc\n");
}

TEST(TerminalTextTest, numbers_are_grouped_and_units_chosen) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(2070), "2,070");
  EXPECT_EQ(count_text(-1234567), "-1,234,567");
  EXPECT_EQ(rows_text(1), "1 row");
  EXPECT_EQ(rows_text(2070), "2,070 rows");
  EXPECT_EQ(seconds_text(12'000'000), "0.012 s");
  EXPECT_EQ(seconds_text(8'420'000'000), "8.42 s");
  EXPECT_EQ(seconds_text(75'260'000'000), "75.3 s");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(88'185'241), "84.1 MB");
}

TEST(TerminalTextTest, wide_and_combining_characters_count_as_shown) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("e\u0301"), 1);
  EXPECT_EQ(cut_to_width("日本語", 5), "日...");
  EXPECT_EQ(cut_to_width("abc", 2), "ab");
}

}  // namespace
}  // namespace clepsydra::console
