// What queries mean: names, types, nullability and time attributes of their columns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using BinderTest = SessionTest;

TEST_F(BinderTest, literals_have_the_types_of_the_reference) {
  EXPECT_EQ(
      types_of("SELECT 1, 2147483648, 00123, 1., .5, 1.50, 1e3"),
      "EXPR$0 INT NOT NULL, EXPR$1 BIGINT NOT NULL, EXPR$2 INT NOT NULL, EXPR$3 INT NOT NULL, "
      "EXPR$4 DECIMAL(1, 1) NOT NULL, EXPR$5 DECIMAL(3, 2) NOT NULL, EXPR$6 DOUBLE NOT NULL");
  EXPECT_EQ(types_of("SELECT 'abc', x'0aff', TRUE, UNKNOWN"),
            "EXPR$0 CHAR(3) NOT NULL, EXPR$1 BINARY(2) NOT NULL, EXPR$2 BOOLEAN NOT NULL, "
            "EXPR$3 BOOLEAN");
  EXPECT_EQ(types_of("SELECT DATE '2020-1-1', TIME '12:34:56', TIMESTAMP '2020-01-01 00:00:00.1'"),
            "EXPR$0 DATE NOT NULL, EXPR$1 TIME(0) NOT NULL, EXPR$2 TIMESTAMP(1) NOT NULL");
  EXPECT_EQ(types_of("SELECT INTERVAL '1' DAY AS d, INTERVAL '1' YEAR AS y"),
            "d INTERVAL SECOND(3) NOT NULL, y INTERVAL MONTH NOT NULL");
  // The leading 0 counts as a digit: 0.908 * BIGINT is DECIMAL(24, 3) in the reference's q1.
  EXPECT_EQ(types_of("SELECT 0.908 AS d"), "d DECIMAL(4, 3) NOT NULL");
}

TEST_F(BinderTest, a_number_written_out_counts_the_units_of_the_interval) {
  const auto plan = [this](const std::string& value) {
    return text("EXPLAIN SELECT " + value + " AS v");
  };
  using ::testing::HasSubstr;
  EXPECT_THAT(plan("CAST(2 AS INTERVAL HOUR)"), HasSubstr("+0 02:00:00.000"));
  EXPECT_THAT(plan("CAST(-3 AS INTERVAL YEAR)"), HasSubstr("-3-00"));
  EXPECT_THAT(plan("CAST(CAST(2 AS INT) AS INTERVAL HOUR)"), HasSubstr("+0 00:00:00.002"));
}

TEST_F(BinderTest, pi_needs_no_parentheses_where_no_column_has_its_name) {
  EXPECT_EQ(types_of("SELECT PI AS p, pi AS q"), "p DOUBLE NOT NULL, q DOUBLE NOT NULL");
  EXPECT_EQ(types_of("SELECT PI FROM (VALUES (1)) AS t(PI)"), "PI INT NOT NULL");
  EXPECT_THAT(error("SELECT `PI`"), ::testing::HasSubstr("column 'PI' not found"));
}

TEST_F(BinderTest, overlaps_compares_two_periods) {
  create_orders();
  EXPECT_EQ(types_of("SELECT (ts, INTERVAL '1' HOUR) OVERLAPS (TIMESTAMP '2020-01-01 00:00:00', "
                     "TIMESTAMP '2020-01-02 00:00:00') AS o FROM orders"),
            "o BOOLEAN");
  EXPECT_THAT(error("SELECT (1, 2, 3) OVERLAPS (1, 2)"),
              ::testing::HasSubstr("column 8: OVERLAPS compares two periods"));
  EXPECT_THAT(error("SELECT (1, DATE '2020-01-01') OVERLAPS (1, 2)"),
              ::testing::HasSubstr("<= does not take (INT, DATE)"));
}

TEST_F(BinderTest, columns_are_named_after_columns_and_positions) {
  create_orders();
  EXPECT_EQ(types_of("SELECT order_id, orders.amount, amount + 1, price AS p FROM orders"),
            "order_id INT, amount INT, EXPR$2 INT, p DOUBLE");
  // EXPR$n counts the columns that * stands for.
  EXPECT_EQ(types_of("SELECT t.*, a + 1 FROM (VALUES (1, 'x')) AS t(a, b)"),
            "a INT NOT NULL, b CHAR(1) NOT NULL, EXPR$2 INT NOT NULL");
  EXPECT_EQ(types_of("SELECT amount, amount, amount FROM orders"),
            "amount INT, amount0 INT, amount1 INT");
}

TEST_F(BinderTest, tables_are_named_by_any_suffix_of_their_path) {
  create_orders();
  EXPECT_EQ(types_of("SELECT default_database.orders.amount, "
                     "default_catalog.default_database.orders.amount AS b "
                     "FROM default_catalog.default_database.orders"),
            "amount INT, b INT");
  EXPECT_EQ(types_of("SELECT o.amount FROM orders AS o"), "amount INT");
  EXPECT_THAT(error("SELECT orders.amount FROM orders AS o"),
              ::testing::StartsWith("NotFound: line 1, column 8: table 'orders' not found"));
}

TEST_F(BinderTest, fields_of_rows_are_reached_by_dots) {
  run("CREATE TABLE t (id INT, who ROW<name STRING, home ROW<city STRING NOT NULL, zip INT>>) "
      "WITH ('connector' = 'nested')");
  EXPECT_EQ(types_of("SELECT who.name, t.who.home.zip, who.home FROM t"),
            "name STRING, zip INT, home ROW<`city` STRING NOT NULL, `zip` INT>");
  // A row that may be NULL makes its fields nullable.
  EXPECT_EQ(types_of("SELECT who.home.city FROM t"), "city STRING");
  EXPECT_EQ(types_of("SELECT who.* FROM t"),
            "name STRING, home ROW<`city` STRING NOT NULL, `zip` INT>");
}

TEST_F(BinderTest, time_attributes_survive_plain_columns_only) {
  create_orders();
  EXPECT_EQ(
      types_of("SELECT ts, ts + INTERVAL '1' SECOND AS later, CAST(ts AS TIMESTAMP(3)) AS plain "
               "FROM orders"),
      "ts TIMESTAMP(3) *ROWTIME*, later TIMESTAMP(3), plain TIMESTAMP(3)");
  EXPECT_EQ(types_of("SELECT r FROM (SELECT ts AS r FROM orders WHERE amount > 1) AS s"),
            "r TIMESTAMP(3) *ROWTIME*");
  EXPECT_EQ(types_of("SELECT ts FROM orders UNION ALL SELECT ts FROM orders"),
            "ts TIMESTAMP(3) *ROWTIME*");
  EXPECT_EQ(types_of("SELECT ts FROM orders UNION ALL SELECT TIMESTAMP '2020-01-01 00:00:00.000'"),
            "ts TIMESTAMP(3)");
}

TEST_F(BinderTest, window_functions_add_their_bounds) {
  create_orders();
  EXPECT_EQ(types_of("SELECT * FROM TABLE(TUMBLE((SELECT ts, amount FROM orders), DESCRIPTOR(ts), "
                     "INTERVAL '1' MINUTE))"),
            "ts TIMESTAMP(3) *ROWTIME*, amount INT, window_start TIMESTAMP(3) NOT NULL, "
            "window_end TIMESTAMP(3) NOT NULL, window_time TIMESTAMP(3) NOT NULL *ROWTIME*");
  EXPECT_EQ(
      types_of("SELECT window_time, window_end FROM TABLE(CUMULATE(DATA => TABLE orders, "
               "TIMECOL => DESCRIPTOR(ts), STEP => INTERVAL '10' SECOND, SIZE => INTERVAL '1' "
               "MINUTE))"),
      "window_time TIMESTAMP(3) NOT NULL *ROWTIME*, window_end TIMESTAMP(3) NOT NULL");
}

TEST_F(BinderTest, aggregates_follow_the_nullability_of_what_they_read) {
  create_orders();
  const std::string windows =
      " FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
      "GROUP BY window_start, window_end";
  EXPECT_EQ(
      types_of("SELECT COUNT(*) AS n, COUNT(amount) AS c, SUM(amount) AS s, AVG(amount) AS a, "
               "MAX(product) AS m" +
               windows),
      "n BIGINT NOT NULL, c BIGINT NOT NULL, s INT, a INT, m STRING");
  EXPECT_EQ(types_of("SELECT SUM0(amount) AS s, `$SUM0`(amount) FILTER (WHERE amount > 1) AS f, "
                     "GROUPING(window_start, window_end) AS g, GROUP_ID() AS i" +
                     windows),
            "s INT NOT NULL, f INT NOT NULL, g BIGINT NOT NULL, i BIGINT NOT NULL");
  EXPECT_EQ(types_of("SELECT SUM(1) AS s, SUM(1) FILTER (WHERE amount > 1) AS f" + windows),
            "s INT NOT NULL, f INT");
  EXPECT_EQ(
      types_of("SELECT COUNT(*) + SUM(amount) AS e, window_end" + windows + " HAVING COUNT(*) > 1"),
      "e BIGINT, window_end TIMESTAMP(3) NOT NULL");
}

TEST_F(BinderTest, union_and_values_take_the_least_common_type) {
  EXPECT_EQ(types_of("SELECT 1 AS a UNION ALL SELECT CAST(NULL AS BIGINT)"), "a BIGINT");
  EXPECT_EQ(types_of("SELECT * FROM (VALUES (1, 'x'), (2, CAST(NULL AS STRING))) AS t(a, b)"),
            "a INT NOT NULL, b STRING");
  EXPECT_EQ(types_of("VALUES (1, NULL), (NULL, 'ab')"), "EXPR$0 INT, EXPR$1 CHAR(2)");
}

TEST_F(BinderTest, common_table_expressions_hide_tables_and_see_earlier_ones) {
  create_orders();
  EXPECT_EQ(types_of("WITH a AS (SELECT 1 AS x), orders (y) AS (SELECT x + 1 FROM a) "
                     "SELECT * FROM orders"),
            "y INT NOT NULL");
  EXPECT_THAT(error("WITH a AS (SELECT x FROM b), b AS (SELECT 1 AS x) SELECT * FROM a"),
              ::testing::StartsWith("NotFound: line 1, column 26: table 'b' does not exist"));
}

TEST_F(BinderTest, views_keep_what_they_meant) {
  create_orders();
  run("CREATE VIEW big (id, r) AS SELECT order_id, ts FROM orders WHERE amount > 10");
  run("CREATE TEMPORARY VIEW bigger AS SELECT id FROM big WHERE id > 1");
  EXPECT_EQ(types_of("SELECT * FROM big"), "id INT, r TIMESTAMP(3) *ROWTIME*");
  EXPECT_EQ(types_of("SELECT b.id FROM bigger AS b"), "id INT");
  run("DROP TABLE orders");
  EXPECT_THAT(error("SELECT * FROM bigger"),
              ::testing::HasSubstr("in view 'bigger': in view 'big': line 1"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
