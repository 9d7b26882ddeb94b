// What wrong queries are told, to the letter.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string_view>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::HasSubstr;

class BindErrorsTest : public SessionTest {
 protected:
  BindErrorsTest() { create_orders(); }
};

TEST_F(BindErrorsTest, unknown_column_shows_the_place_and_a_close_name) {
  EXPECT_EQ(error("SELECT order_id,\n       amuont\nFROM orders"),
            "NotFound: line 2, column 8: column 'amuont' not found in any table\n"
            "         amuont\n"
            "         ^^^^^^\n"
            "  hint: did you mean 'amount'?");
}

TEST_F(BindErrorsTest, unknown_table_shows_a_close_name) {
  EXPECT_EQ(error("SELECT * FROM ordres"),
            "NotFound: line 1, column 15: table 'ordres' does not exist\n"
            "  SELECT * FROM ordres\n"
            "                ^^^^^^\n"
            "  hint: did you mean 'orders'?");
}

TEST_F(BindErrorsTest, ungrouped_column_is_shown_where_it_stands) {
  EXPECT_EQ(
      error("SELECT product FROM orders GROUP BY product HAVING amount > 5"),
      "InvalidArgument: line 1, column 52: 'amount' is neither grouped nor inside an aggregate\n"
      "  SELECT product FROM orders GROUP BY product HAVING amount > 5\n"
      "                                                     ^^^^^^\n"
      "  hint: add 'amount' to GROUP BY");
}

TEST_F(BindErrorsTest, star_is_shown_when_it_holds_an_ungrouped_column) {
  EXPECT_EQ(
      error("SELECT product, orders.* FROM orders GROUP BY product"),
      "InvalidArgument: line 1, column 17: 'order_id' is neither grouped nor inside an aggregate\n"
      "  SELECT product, orders.* FROM orders GROUP BY product\n"
      "                  ^^^^^^^^\n"
      "  hint: add 'order_id' to GROUP BY");
}

TEST_F(BindErrorsTest, grouping_needs_keys_and_a_group) {
  constexpr std::string_view kGrouped =
      " FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' HOUR)) "
      "GROUP BY window_start, window_end, product";
  EXPECT_THAT(error(fmt::format("SELECT GROUPING(amount){}", kGrouped)),
              HasSubstr("line 1, column 8: the arguments of GROUPING must be expressions of "
                        "GROUP BY"));
  EXPECT_THAT(error("SELECT 1 + GROUPING(amount) FROM orders"),
              HasSubstr("line 1, column 12: GROUPING stands only in a query with GROUP BY"));
  EXPECT_THAT(error("SELECT amount FROM orders WHERE GROUP_ID() = 0"),
              HasSubstr("line 1, column 33: GROUP_ID is not allowed in WHERE"));
  EXPECT_THAT(error(fmt::format("SELECT GROUPING(){}", kGrouped)),
              HasSubstr("expected GROUPING(key, ...)"));
}

TEST_F(BindErrorsTest, source_watermark_is_for_tables_whose_connector_has_watermarks) {
  EXPECT_THAT(error("SELECT SOURCE_WATERMARK()"),
              HasSubstr("line 1, column 8: SOURCE_WATERMARK() stands only in a table's WATERMARK"));
  EXPECT_THAT(error("CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS SOURCE_WATERMARK() - "
                    "INTERVAL '1' SECOND) WITH ('connector' = 'datagen')"),
              HasSubstr("hint: WATERMARK FOR ts AS SOURCE_WATERMARK()"));
  run("CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS SOURCE_WATERMARK()) "
      "WITH ('connector' = 'datagen')");
  EXPECT_THAT(error("SELECT ts FROM t"),
              HasSubstr("table 't' cannot be read: it declares SOURCE_WATERMARK(), but the "
                        "connector 'datagen' gives no watermarks of its own"));
}

TEST_F(BindErrorsTest, group_by_without_a_window_is_refused_by_name) {
  EXPECT_EQ(error("SELECT product, COUNT(*) FROM orders GROUP BY product"),
            "Unimplemented: line 1, column 47: GROUP BY without a window is not built yet\n"
            "  SELECT product, COUNT(*) FROM orders GROUP BY product\n"
            "                                                ^^^^^^^\n"
            "  hint: group by window_start and window_end of TABLE(TUMBLE(...)), HOP or CUMULATE");
  EXPECT_EQ(error("SELECT window_start\n"
                  "FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' HOUR))\n"
                  "GROUP BY window_start"),
            "Unimplemented: line 3, column 10: GROUP BY window_start without window_end is not "
            "built yet\n"
            "  GROUP BY window_start\n"
            "           ^^^^^^^^^^^^\n"
            "  hint: add window_end");
}

TEST_F(BindErrorsTest, insert_names_both_sides) {
  run("CREATE TABLE sink (a INT, b STRING) WITH ('connector' = 'blackhole')");
  EXPECT_EQ(
      error("INSERT INTO sink SELECT product, order_id FROM orders"),
      "InvalidArgument: line 1, column 18: column 1 of the query, 'product' STRING, does not fit "
      "column 'a' INT of table 'sink'\n"
      "  INSERT INTO sink SELECT product, order_id FROM orders\n"
      "                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
      "  hint: CAST it if that is meant\n"
      "also line 1, column 18: column 2 of the query, 'order_id' INT, does not fit column 'b' "
      "STRING "
      "of table 'sink'\n"
      "  INSERT INTO sink SELECT product, order_id FROM orders\n"
      "                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
      "  hint: CAST it if that is meant");
  EXPECT_THAT(
      error("INSERT INTO sink SELECT 1, 'a', 2"),
      ::testing::HasSubstr("the query has 3 columns, but 2 are needed for table 'sink': query "
                           "(EXPR$0 INT NOT NULL, EXPR$1 CHAR(1) NOT NULL, EXPR$2 INT NOT NULL), "
                           "table (a INT, b STRING)"));
}

TEST_F(BindErrorsTest, only_a_char_becomes_a_char_when_it_is_inserted) {
  run("CREATE TABLE sink (a CHAR(4), b VARCHAR(3)) WITH ('connector' = 'blackhole')");
  EXPECT_THAT(
      error("INSERT INTO sink SELECT product, product FROM orders"),
      HasSubstr("column 1 of the query, 'product' STRING, does not fit column 'a' CHAR(4)"));
  run("INSERT INTO sink SELECT 'x', product FROM orders");
  run("INSERT INTO sink SELECT NULL, NULL");
}

TEST_F(BindErrorsTest, settings_that_are_not_built_are_refused_by_name) {
  for (const char* setting :
       {"'table.sql-dialect' = 'hive'", "'table.exec.legacy-cast-behaviour' = 'ENABLED'",
        "'table.exec.sink.nested-constraint-enforcer' = 'ROWS'",
        "'table.column-expansion-strategy' = 'EXCLUDE_DEFAULT_VIRTUAL_METADATA_COLUMNS'",
        "'table.exec.sink.type-length-enforcer' = 'ERROR'"}) {
    EXPECT_THAT(error(std::string("SET ") + setting),
                HasSubstr(std::string(setting) + " is not built yet"));
  }
  EXPECT_THAT(error("SET 'table.exec.sink.keyed-shuffle' = 'SOMETIMES'"),
              HasSubstr("expected one of NONE AUTO FORCE"));
}

TEST_F(BindErrorsTest, window_function_wants_a_time_attribute) {
  EXPECT_EQ(
      error("SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(amount), INTERVAL '1' MINUTE))"),
      "InvalidArgument: line 1, column 53: TUMBLE needs a time attribute, but 'amount' is INT\n"
      "  SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(amount), INTERVAL '1' MINUTE))\n"
      "                                                      ^^^^^^\n"
      "  hint: declare WATERMARK FOR it in CREATE TABLE, or use a PROCTIME() column");
}

TEST_F(BindErrorsTest, window_arguments_are_named_when_missing_or_wrong) {
  EXPECT_THAT(error("SELECT * FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"),
              ::testing::HasSubstr("HOP needs the argument SIZE"));
  EXPECT_THAT(error("SELECT * FROM TABLE(TUMBLE(DATA => TABLE orders, TIMECOL => DESCRIPTOR(ts), "
                    "LENGTH => INTERVAL '1' MINUTE))"),
              ::testing::HasSubstr("TUMBLE has no argument 'LENGTH'"));
  EXPECT_THAT(
      error("SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MONTH))"),
      ::testing::HasSubstr("SIZE must be an interval of days to seconds, but is INTERVAL MONTH"));
  EXPECT_THAT(
      error("SELECT * FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '0' SECOND))"),
      ::testing::HasSubstr("SIZE must be between 1 ms and 3650 days, but is 0 ms"));
  EXPECT_THAT(error("SELECT COUNT(*) FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '7' "
                    "SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end"),
              ::testing::HasSubstr("10000 ms is not a multiple of 7000 ms"));
}

TEST_F(BindErrorsTest, what_is_not_built_is_refused_by_name) {
  const auto refused = [&](std::string_view sql) {
    const std::string message = error(sql);
    const std::size_t start = message.find(": ", message.find("column")) + 2;
    return message.starts_with("Unimplemented: line ")
               ? message.substr(start, message.find('\n') - start)
               : message;
  };
  EXPECT_EQ(refused("SELECT * FROM orders ORDER BY amount"),
            "ORDER BY what is no time attribute in streaming mode is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders LIMIT 3"), "LIMIT is not built yet");
  EXPECT_EQ(refused("SELECT DISTINCT product FROM orders"), "SELECT DISTINCT is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders a LEFT JOIN orders b ON a.user_id = b.user_id"),
            "LEFT JOIN is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders a, orders b"),
            "a FROM clause with several tables is not built yet");
  EXPECT_EQ(refused("SELECT SUM(amount) OVER (ORDER BY ts) FROM orders"), "OVER is not built yet");
  EXPECT_EQ(refused("SELECT 1 UNION SELECT 2"), "UNION is not built yet");
  EXPECT_EQ(refused("SELECT 1 EXCEPT ALL SELECT 2"), "EXCEPT ALL is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders WHERE amount IN (SELECT 1)"),
            "IN (SELECT ...) is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders WHERE EXISTS (SELECT 1)"),
            "EXISTS (SELECT ...) is not built yet");
  EXPECT_EQ(refused("SELECT COUNT(*) FROM orders GROUP BY ROLLUP (product)"),
            "ROLLUP is not built yet");
  EXPECT_EQ(refused("SELECT COUNT(*) FROM orders"), "COUNT without a window is not built yet");
  EXPECT_EQ(refused("SELECT COUNT(*) FROM orders GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE)"),
            "the group window function TUMBLE is not built yet");
  EXPECT_EQ(
      refused("SELECT * FROM TABLE(SESSION(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"),
      "the window table function SESSION is not built yet");
  EXPECT_EQ(
      refused("SELECT * FROM orders MATCH_RECOGNIZE (ORDER BY ts MEASURES A.ts AS x PATTERN (A B) "
              "DEFINE A AS A.amount > 1)"),
      "MATCH_RECOGNIZE is not built yet");
  EXPECT_EQ(refused("SELECT * FROM orders FOR SYSTEM_TIME AS OF TIMESTAMP '2020-01-01 00:00:00'"),
            "FOR SYSTEM_TIME AS OF is not built yet");
}

TEST_F(BindErrorsTest, what_is_wrong_is_said_before_what_is_not_built) {
  EXPECT_THAT(error("SELECT o.nosuch FROM orders o JOIN orders p ON o.user_id = p.user_id"),
              HasSubstr("column 'nosuch' not found in table 'o'"));
  EXPECT_THAT(error("SELECT ts FROM orders o JOIN orders p ON TRUE"),
              HasSubstr("line 1, column 8: column 'ts' is ambiguous"));
  EXPECT_THAT(error("SELECT 1 FROM orders o LEFT JOIN orders p ON p.amount"),
              HasSubstr("ON must be a condition, but is INT"));
  EXPECT_THAT(error("SELECT 1 FROM orders JOIN orders ON TRUE"), HasSubstr("stands twice in FROM"));
  EXPECT_THAT(error("SELECT SUM(amount) FROM orders ORDER BY user_id"),
              HasSubstr("column 41: 'user_id' is neither grouped"));
  EXPECT_THAT(error("SELECT amount FROM orders ORDER BY 2"),
              HasSubstr("ORDER BY 2: the result has 1 columns"));
  EXPECT_THAT(error("SELECT product FROM orders LIMIT 1 UNION"), HasSubstr("expected"));
  EXPECT_THAT(error("SELECT nosuch FROM (SELECT DISTINCT amount FROM orders LIMIT 5) AS t"),
              HasSubstr("column 'nosuch' not found"));
  EXPECT_THAT(error("SELECT SUM(amount) OVER w FROM orders WINDOW v AS (ORDER BY ts)"),
              HasSubstr("column 25: window 'w' not found"));
  EXPECT_THAT(error("SELECT amount FROM orders WHERE SUM(amount) OVER (ORDER BY ts) > 1"),
              HasSubstr("OVER is not allowed in WHERE"));
  EXPECT_THAT(error("SELECT UPPER(product) OVER (ORDER BY ts) FROM orders"),
              HasSubstr("OVER belongs to aggregates; UPPER is not one"));
  EXPECT_THAT(error("SELECT TUMBLE_END(ts, INTERVAL '1' HOUR) FROM orders "
                    "GROUP BY TUMBLE(ts, INTERVAL '2' HOUR)"),
              HasSubstr("TUMBLE_END needs GROUP BY TUMBLE(...) with the same arguments"));
  EXPECT_THAT(error("SELECT * FROM orders, UNNEST(orders.amount) AS t(x)"),
              HasSubstr("UNNEST does not take INT"));
}

TEST_F(BindErrorsTest, a_view_of_what_is_not_built_has_columns_and_cannot_be_read) {
  run("CREATE VIEW v AS SELECT product, SUM(amount) AS s FROM orders GROUP BY product");
  EXPECT_THAT(text("SHOW CREATE VIEW v"), ::testing::HasSubstr("(`product`, `s`)"));
  EXPECT_THAT(error("SELECT nosuch FROM v"), ::testing::HasSubstr("column 'nosuch' not found"));
  EXPECT_THAT(error("SELECT s FROM v"),
              ::testing::HasSubstr("in view 'v': line 1, column 88: GROUP BY without a window is "
                                   "not built yet"));
  EXPECT_THAT(error("DROP TABLE v"), ::testing::HasSubstr("it is a view: write DROP VIEW"));
}

TEST_F(BindErrorsTest, aggregates_stand_only_where_groups_are) {
  EXPECT_THAT(error("SELECT amount FROM orders WHERE SUM(amount) > 1"),
              ::testing::HasSubstr("the aggregate SUM is not allowed in WHERE"));
  EXPECT_THAT(error("SELECT SUM(COUNT(*)) FROM orders"),
              ::testing::HasSubstr("COUNT stands inside another aggregate"));
  EXPECT_THAT(error("SELECT product FROM orders GROUP BY SUM(amount)"),
              ::testing::HasSubstr("the aggregate SUM is not allowed in GROUP BY"));
}

TEST_F(BindErrorsTest, deep_nesting_is_refused_not_crashed_on) {
  std::string sql = "SELECT ";
  for (int i = 0; i < 150; ++i) sql += "-(";
  sql += "order_id";
  for (int i = 0; i < 150; ++i) sql += ")";
  EXPECT_THAT(error(sql + " FROM orders"), ::testing::HasSubstr("nested at most 90 deep"));
  // Many conditions side by side are not deep.
  std::string wide = "SELECT order_id FROM orders WHERE order_id = 0";
  for (int i = 1; i < 2000; ++i) wide += " OR order_id + user_id = " + std::to_string(i);
  EXPECT_EQ(types_of(wide), "order_id INT");
}

TEST_F(BindErrorsTest, errors_leave_the_session_as_it_was) {
  EXPECT_THAT(
      error("CREATE TABLE broken (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'print')"),
      ::testing::HasSubstr("a watermark column must be TIMESTAMP(p)"));
  EXPECT_THAT(rows("SHOW TABLES"), ::testing::ElementsAre("table name", "orders"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
