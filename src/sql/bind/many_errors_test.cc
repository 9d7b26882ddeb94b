// Several errors of one statement: which are told together, and which are not told because they
// only follow from another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class ManyErrorsTest : public SessionTest {
 protected:
  ManyErrorsTest() { create_orders(); }

  // "line:column message" of every error that the statement is told.
  std::vector<std::string> errors(std::string_view sql) {
    const std::string told = error(sql);
    std::vector<std::string> found;
    std::size_t begin = told.find("line ");
    while (begin < told.size()) {
      const std::size_t end = std::min(told.find("\nalso line ", begin), told.size());
      std::string first_line = told.substr(begin, told.find('\n', begin) - begin);
      first_line.erase(0, std::string_view("line ").size());
      const std::size_t column = first_line.find(", column ");
      first_line.replace(column, std::string_view(", column ").size(), ":");
      first_line.erase(first_line.find(": ", column), 1);
      found.push_back(std::move(first_line));
      begin = end == told.size() ? end : end + std::string_view("\nalso ").size();
    }
    return found;
  }
};

TEST_F(ManyErrorsTest, each_has_its_line_and_caret_in_the_order_of_the_text) {
  EXPECT_EQ(error("SELECT order_id,\n"
                  "       amuont\n"
                  "FROM orders\n"
                  "WHERE prodct = 'pen'"),
            "NotFound: line 2, column 8: column 'amuont' not found in any table\n"
            "         amuont\n"
            "         ^^^^^^\n"
            "  hint: did you mean 'amount'?\n"
            "also line 4, column 7: column 'prodct' not found in any table\n"
            "  WHERE prodct = 'pen'\n"
            "        ^^^^^^\n"
            "  hint: did you mean 'product'?");
}

TEST_F(ManyErrorsTest, every_clause_of_a_select_is_looked_at) {
  EXPECT_THAT(errors("SELECT product, bad1, SUM(bad2)\n"
                     "FROM orders\n"
                     "WHERE bad3 > 1\n"
                     "GROUP BY product, bad4\n"
                     "HAVING COUNT(bad5) > 1\n"
                     "ORDER BY bad6"),
              ElementsAre("1:17 column 'bad1' not found in any table",
                          "1:27 column 'bad2' not found in any table",
                          "3:7 column 'bad3' not found in any table",
                          "4:19 column 'bad4' not found in any table",
                          "5:14 column 'bad5' not found in any table",
                          "6:10 column 'bad6' not found in any table"));
}

TEST_F(ManyErrorsTest, nothing_is_said_of_what_is_made_of_something_wrong) {
  EXPECT_THAT(errors("SELECT UPPER(bad1 + 1) || 2, product FROM orders WHERE product"),
              ElementsAre("1:14 column 'bad1' not found in any table",
                          "1:56 WHERE must be a condition, but is STRING"));
  // The name stands for the wrong item, and is not missing.
  EXPECT_THAT(errors("SELECT bad AS x, amount FROM orders ORDER BY x, 1"),
              ElementsAre("1:8 column 'bad' not found in any table"));
  // A column of a table that is not there.
  EXPECT_THAT(errors("SELECT a, b FROM nosuch WHERE c"),
              ElementsAre("1:18 table 'nosuch' does not exist"));
  EXPECT_THAT(errors("WITH c AS (SELECT bad FROM orders) SELECT bad FROM c"),
              ElementsAre("1:19 column 'bad' not found in any table"));
}

TEST_F(ManyErrorsTest, arguments_operands_and_branches_stand_side_by_side) {
  EXPECT_THAT(
      errors("SELECT CONCAT(bad1, 'a', bad2), bad3 BETWEEN bad4 AND 5, "
             "CASE WHEN bad5 THEN 1 WHEN amount THEN bad6 END FROM orders"),
      ElementsAre(
          "1:15 column 'bad1' not found in any table", "1:26 column 'bad2' not found in any table",
          "1:33 column 'bad3' not found in any table", "1:46 column 'bad4' not found in any table",
          "1:68 column 'bad5' not found in any table", "1:85 WHEN must be a condition, but is INT",
          "1:97 column 'bad6' not found in any table"));
  EXPECT_THAT(
      errors("SELECT nosuch(bad) FROM orders"),
      ElementsAre("1:8 unknown function 'nosuch'", "1:15 column 'bad' not found in any table"));
  EXPECT_THAT(
      errors("SELECT * FROM TABLE(HOP(TABLE orders, DESCRIPTOR(bad), INTERVAL '1' MONTH, "
             "INTERVAL '0' SECOND))"),
      ElementsAre(
          "1:50 column 'bad' not found in the input of HOP",
          "1:56 SLIDE must be an interval of days to seconds, but is INTERVAL MONTH NOT NULL",
          "1:76 SIZE must be between 1 ms and 3650 days, but is 0 ms"));
}

TEST_F(ManyErrorsTest, columns_that_are_not_grouped_are_told_with_the_others) {
  EXPECT_THAT(errors("SELECT amount, bad, product, price FROM orders GROUP BY product"),
              ElementsAre("1:8 'amount' is neither grouped nor inside an aggregate",
                          "1:16 column 'bad' not found in any table",
                          "1:30 'price' is neither grouped nor inside an aggregate"));
  // Whether it is one of the keys is known only when these are.
  EXPECT_THAT(errors("SELECT amount FROM orders GROUP BY bad"),
              ElementsAre("1:36 column 'bad' not found in any table"));
}

TEST_F(ManyErrorsTest, queries_beside_each_other) {
  EXPECT_THAT(
      errors("SELECT bad1 FROM orders UNION ALL SELECT bad2 FROM nosuch "
             "UNION ALL SELECT bad3 FROM orders"),
      ElementsAre("1:8 column 'bad1' not found in any table", "1:52 table 'nosuch' does not exist",
                  "1:76 column 'bad3' not found in any table"));
  EXPECT_THAT(errors("INSERT INTO nosuch SELECT bad FROM orders"),
              ElementsAre("1:13 table 'nosuch' does not exist",
                          "1:27 column 'bad' not found in any table"));
  EXPECT_THAT(
      errors("SELECT 1 FROM nosuch1 a JOIN nosuch2 b ON a.x = b.x"),
      ElementsAre("1:15 table 'nosuch1' does not exist", "1:30 table 'nosuch2' does not exist"));
  run("CREATE TABLE sink (a INT, b STRING) WITH ('connector' = 'blackhole')");
  EXPECT_THAT(
      errors("EXECUTE STATEMENT SET BEGIN INSERT INTO sink SELECT bad, 'x' FROM orders; "
             "INSERT INTO sink (a, c, a) SELECT 1, 2, 3; END"),
      ElementsAre("1:53 column 'bad' not found in any table",
                  "1:96 column 'c' not found in table 'sink'", "1:99 column 'a' is given twice"));
  EXPECT_THAT(errors("SELECT * FROM (VALUES (1, bad), (2), (3, nosuch(1))) AS t(a, b)"),
              ElementsAre("1:27 column 'bad' not found: there is no table to take it from",
                          "1:34 row 2 of VALUES has 1 columns, the first row has 2",
                          "1:42 unknown function 'nosuch'"));
}

TEST_F(ManyErrorsTest, columns_keys_watermark_and_options_of_a_table) {
  EXPECT_THAT(
      errors("CREATE TABLE t (\n"
             "  a DECIMAL(50, 2),\n"
             "  b AS UPPER(nosuch),\n"
             "  ts INT,\n"
             "  PRIMARY KEY (x) NOT ENFORCED,\n"
             "  WATERMARK FOR ts AS nosuch\n"
             ") WITH (\n"
             "  'connector' = 'datagen',\n"
             "  'rows-per-secnd' = '1',\n"
             "  'number-of-rows' = 'many')"),
      ElementsAre(::testing::StartsWith("2:5 "), "3:14 column 'nosuch' not found in any table",
                  "5:16 primary key column 'x' is not a column of the table",
                  ::testing::StartsWith("6:17 a watermark column must be TIMESTAMP(p)"),
                  "6:23 column 'nosuch' not found in any table",
                  ::testing::StartsWith("9:3 unknown option 'rows-per-secnd'"),
                  ::testing::StartsWith("10:22 could not parse value 'many'")));
}

TEST_F(ManyErrorsTest, nothing_is_said_of_what_uses_a_wrong_column) {
  EXPECT_THAT(errors("CREATE TABLE t (a DECIMAL(50, 2), b AS a + 1, "
                     "ts TIMESTAMP(50), PRIMARY KEY (a) NOT ENFORCED, "
                     "WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) "
                     "WITH ('connector' = 'datagen')"),
              ElementsAre(::testing::StartsWith("1:19 "), ::testing::StartsWith("1:50 ")));
}

TEST_F(ManyErrorsTest, at_most_ten_are_told) {
  std::string items = "bad0";
  for (int i = 1; i < 5000; ++i) items += ", f(bad" + std::to_string(i) + ")";
  const std::vector<std::string> told = errors("SELECT " + items + " FROM orders");
  EXPECT_THAT(told, SizeIs(10));
  EXPECT_EQ(told[0], "1:8 column 'bad0' not found in any table");
}

TEST_F(ManyErrorsTest, an_error_that_two_places_refer_to_is_told_once) {
  EXPECT_THAT(errors("SELECT SUM(amount) OVER w, COUNT(*) OVER w FROM orders "
                     "WINDOW w AS (PARTITION BY bad ORDER BY ts)"),
              ElementsAre("1:82 column 'bad' not found in any table"));
}

TEST_F(ManyErrorsTest, what_is_wrong_gives_the_code_before_what_is_not_built) {
  EXPECT_EQ(error("SELECT amount IN (SELECT 1), bad FROM orders"),
            "NotFound: line 1, column 8: IN (SELECT ...) is not built yet\n"
            "  SELECT amount IN (SELECT 1), bad FROM orders\n"
            "         ^^^^^^^^^^^^^^^^^^^^\n"
            "also line 1, column 30: column 'bad' not found in any table\n"
            "  SELECT amount IN (SELECT 1), bad FROM orders\n"
            "                               ^^^");
}

}  // namespace
}  // namespace clepsydra::sql::testing
