#include "sql/grammar/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clepsydra {
namespace {

std::string shown(std::string_view sql, std::string_view marked) {
  const std::size_t begin = sql.find(marked);
  return render({{begin, begin + marked.size()}, "wrong", ""}, sql);
}

TEST(DiagnosticTest, line_and_column_count_characters) {
  const std::string_view sql = "a\nbé€😀 c\n";
  EXPECT_EQ(line_column(sql, 0).line, 1U);
  EXPECT_EQ(line_column(sql, sql.find('c')).line, 2U);
  EXPECT_EQ(line_column(sql, sql.find('c')).column, 6U);
  EXPECT_EQ(line_column(sql, sql.size()).line, 3U);
  EXPECT_EQ(line_column(sql, sql.size() + 10).column, 1U);
}

TEST(DiagnosticTest, shows_the_line_of_the_place) {
  EXPECT_EQ(shown("SELECT a\n  FROM t x y\nWHERE b", "x y"),
            "line 2, column 10: wrong\n"
            "    FROM t x y\n"
            "           ^^^");
}

TEST(DiagnosticTest, carets_stand_under_wide_and_combining_characters) {
  EXPECT_EQ(shown("SELECT '漢字' BAD", "BAD"),
            "line 1, column 13: wrong\n"
            "  SELECT '漢字' BAD\n"
            "                ^^^");
  EXPECT_EQ(shown("SELECT '漢字' x", "漢字"),
            "line 1, column 9: wrong\n"
            "  SELECT '漢字' x\n"
            "          ^^^^");
  EXPECT_EQ(shown("'e\u0301' BAD", "BAD"),
            "line 1, column 6: wrong\n"
            "  'e\u0301' BAD\n"
            "      ^^^");
}

TEST(DiagnosticTest, tabs_and_control_characters_take_one_column) {
  EXPECT_EQ(shown("\tSELECT\x01 BAD\r\n", "BAD"),
            "line 1, column 10: wrong\n"
            "   SELECT? BAD\n"
            "           ^^^");
}

TEST(DiagnosticTest, the_end_of_the_text_has_a_caret) {
  EXPECT_EQ(render({{8, 8}, "wrong", "do it right"}, "SELECT 1"),
            "line 1, column 9: wrong\n"
            "  SELECT 1\n"
            "          ^\n"
            "  hint: do it right");
  EXPECT_EQ(render({{0, 0}, "wrong", ""}, ""), "line 1, column 1: wrong\n  \n  ^");
}

TEST(DiagnosticTest, a_place_of_several_lines_is_marked_to_the_end_of_its_first) {
  EXPECT_EQ(render({{2, 9}, "wrong", ""}, "a bcd\nefg h"),
            "line 1, column 3: wrong\n"
            "  a bcd\n"
            "    ^^^");
}

TEST(DiagnosticTest, long_lines_are_cut_around_the_place) {
  std::string sql(1000, 'a');
  sql.append(" BAD ").append(1000, 'b');
  std::string expected = "line 1, column 1002: wrong\n  ...";
  expected.append(39, 'a').append(" BAD ").append(56, 'b').append("...\n  ");
  expected.append(43, ' ').append("^^^");
  EXPECT_EQ(shown(sql, "BAD"), expected);
}

TEST(DiagnosticTest, becomes_a_status_with_its_code) {
  const Diagnostic missing{{7, 8}, "unknown column 'a'", "", StatusCode::kNotFound};
  const Status status = to_status(missing, "SELECT a");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "line 1, column 8: unknown column 'a'\n  SELECT a\n         ^");
}

TEST(DiagnosticTest, closest_name) {
  const std::vector<std::string_view> names = {"order_id", "user_id", "product", "amount", "ts"};
  EXPECT_EQ(closest_name("ammount", names), "amount");
  EXPECT_EQ(closest_name("AMOUNT", names), "amount");
  EXPECT_EQ(closest_name("prodcut", names), "product");
  EXPECT_EQ(closest_name("order", names), "");
  EXPECT_EQ(closest_name("x", names), "");
  EXPECT_EQ(closest_name("", names), "");
  EXPECT_EQ(closest_name("amount", {}), "");
}

}  // namespace
}  // namespace clepsydra
