// Optimized plans as EXPLAIN shows them. Expectations were written by hand from the rules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

class PlanTest : public SessionTest {
 protected:
  PlanTest() { create_orders(); }

  // One section of EXPLAIN.
  std::string section(const std::string& title, std::string_view sql) {
    const std::string all = text("EXPLAIN " + std::string(sql));
    const std::string head = "== " + title + " ==\n";
    const std::size_t begin = all.find(head);
    if (begin == std::string::npos) return all;
    const std::size_t start = begin + head.size();
    return all.substr(start, all.find("\n\n", start) + 1 - start);
  }
  std::string physical(std::string_view sql) { return section("Optimized Physical Plan", sql); }
};

constexpr const char* kOrdersWatermark =
    "WatermarkAssigner(rowtime=[ts], watermark=[(ts - +0 00:00:05.000)])\n";
std::string orders_scan(const std::string& indent, const std::string& fields) {
  return indent + "+- " + kOrdersWatermark + indent +
         "   +- TableSourceScan(table=[[default_catalog, default_database, orders]], fields=[" +
         fields + "])\n";
}

TEST_F(PlanTest, explain_has_three_sections) {
  EXPECT_EQ(text("EXPLAIN SELECT order_id FROM orders WHERE amount > 3"),
            "== Abstract Syntax Tree ==\n"
            "LogicalProject(order_id)\n"
            "+- LogicalFilter(condition=[(amount > 3)])\n"
            "   +- LogicalWatermarkAssigner(rowtime=[ts], watermark=[(ts - +0 00:00:05.000)])\n"
            "      +- LogicalTableScan(table=[[default_catalog, default_database, orders]])\n"
            "\n"
            "== Optimized Physical Plan ==\n"
            "Calc(select=[order_id], where=[(amount > 3)])\n" +
                orders_scan("", "order_id, amount, ts") +
                "\n"
                "== Optimized Execution Plan ==\n"
                "Source: orders[1] (parallelism 1)\n"
                "Calc[2] (parallelism 1) <- Source: orders[1] forward\n"
                "Collect[3] (parallelism 1) <- Calc[2] forward\n");
}

TEST_F(PlanTest, changelog_mode_and_guarantee_are_shown) {
  run("CREATE TABLE p (a INT) WITH ('connector' = 'print')");
  const std::string all = text("EXPLAIN CHANGELOG_MODE INSERT INTO p SELECT amount FROM orders");
  EXPECT_THAT(all, ::testing::HasSubstr("Calc(select=[amount AS a], changelogMode=[I])\n"));
  EXPECT_THAT(all, ::testing::HasSubstr(
                       "Delivery guarantee: at-least-once (sink 'p': the connector 'print' gives "
                       "at-least-once)\n"));
}

TEST_F(PlanTest, filters_of_views_and_queries_are_merged_below_projections) {
  run("CREATE VIEW v AS SELECT order_id AS id, amount * 2 AS twice, price FROM orders WHERE amount "
      "> 1");
  EXPECT_EQ(physical("SELECT id FROM (SELECT id, twice FROM v WHERE twice < 10) AS s WHERE id = 7"),
            "Calc(select=[order_id AS id], where=[((amount > 1) AND (((amount * 2) < 10) AND "
            "(order_id = 7)))])\n" +
                orders_scan("", "order_id, amount, ts"));
}

TEST_F(PlanTest, constants_are_folded_and_empty_inputs_recognised) {
  EXPECT_EQ(physical("SELECT order_id, 1 + 2 AS three FROM orders WHERE 1 < 2 AND amount > 2 * 3"),
            "Calc(select=[order_id, 3 AS three], where=[(amount > 6)])\n" +
                orders_scan("", "order_id, amount, ts"));
  EXPECT_EQ(physical("SELECT order_id FROM orders WHERE 1 > 2"),
            "Values(fields=[order_id], rows=[0])\n");
  // What fails is left for rows to reach.
  EXPECT_THAT(physical("SELECT order_id FROM orders WHERE amount > 1 / 0"),
              ::testing::HasSubstr("where=[(amount > (1 / 0))]"));
}

TEST_F(PlanTest, what_reads_no_rows_is_no_rows) {
  EXPECT_EQ(physical("SELECT COUNT(*) AS c FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), "
                     "INTERVAL '1' MINUTE)) WHERE 1 > 2 GROUP BY window_start, window_end"),
            "Values(fields=[c], rows=[0])\n");
  EXPECT_EQ(physical("SELECT amount FROM orders WHERE FALSE UNION ALL SELECT amount FROM orders"),
            "Union(all=[true], fields=[amount])\n"
            "+- Calc(select=[amount])\n" +
                orders_scan("   ", "amount, ts"));
}

TEST_F(PlanTest, filters_go_below_window_functions_but_not_below_watermarks) {
  EXPECT_EQ(
      physical("SELECT product, window_start FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), "
               "INTERVAL '1' MINUTE)) WHERE amount > 3 AND window_start > TIMESTAMP '2024-01-01 "
               "00:00:00'"),
      "Calc(select=[product, window_start], where=[(window_start > 2024-01-01 00:00:00.000)])\n"
      "+- WindowTableFunction(window=[TUMBLE(time_col=[ts], size=[1 min])])\n"
      "   +- Calc(select=[product, ts], where=[(amount > 3)])\n" +
          orders_scan("      ", "product, amount, ts"));
}

TEST_F(PlanTest, window_function_and_group_by_become_one_aggregation) {
  EXPECT_EQ(
      physical(
          "SELECT product, window_end, SUM(price * amount) AS revenue, COUNT(*) AS c "
          "FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '30' SECOND, INTERVAL '1' "
          "MINUTE)) GROUP BY window_start, window_end, product HAVING COUNT(*) > 1 AND product "
          "<> 'x'"),
      "Calc(select=[product, window_end, revenue, c], where=[(c > 1)])\n"
      "+- WindowAggregate(groupBy=[product], window=[HOP(time_col=[ts], size=[1 min], slide=[30 "
      "s])],"
      " select=[SUM($w3) AS revenue, COUNT(*) AS c], bounds=[window_end])\n"
      "   +- Calc(select=[product, ts, (price * CAST(amount AS DOUBLE)) AS $w3], where=[(product "
      "<> "
      "'x')])\n" +
          orders_scan("      ", "product, amount, price, ts"));
}

TEST_F(PlanTest, aggregation_in_two_phases_with_more_subtasks) {
  run("SET 'parallelism.default' = '2'");
  const std::string sql =
      "SELECT product, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' "
      "MINUTE)) GROUP BY window_start, window_end, product";
  const std::string window = "window=[TUMBLE(time_col=[ts], size=[1 min])], select=[COUNT(*) AS c]";
  EXPECT_EQ(physical(sql), "GlobalWindowAggregate(groupBy=[product], " + window +
                               ", bounds=[])\n"
                               "+- Exchange(distribution=[hash[product]])\n"
                               "   +- LocalWindowAggregate(groupBy=[product], " +
                               window + ")\n" + orders_scan("      ", "product, ts"));
  run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
  EXPECT_EQ(physical(sql), "WindowAggregate(groupBy=[product], " + window +
                               ", bounds=[])\n"
                               "+- Exchange(distribution=[hash[product]])\n" +
                               orders_scan("   ", "product, ts"));
  run("RESET 'table.optimizer.agg-phase-strategy'");
  EXPECT_THAT(
      physical("SELECT LISTAGG(product) AS l FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), "
               "INTERVAL '1' MINUTE)) GROUP BY window_start, window_end"),
      ::testing::HasSubstr("WindowAggregate(groupBy=[], "))
      << "the order of rows matters";
}

TEST_F(PlanTest, windows_that_rows_already_carry_are_grouped_by) {
  // One window_end per step of the HOP; window_start is an ordinary key.
  EXPECT_EQ(
      physical(
          "SELECT window_start, window_end, MAX(num) AS top FROM (SELECT product, window_start, "
          "window_end, COUNT(*) AS num FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' "
          "SECOND, INTERVAL '10' SECOND)) GROUP BY product, window_start, window_end) AS s GROUP "
          "BY "
          "window_start, window_end"),
      "Calc(select=[window_start, window_end, top])\n"
      "+- WindowAggregate(groupBy=[window_start], window=[TUMBLE(time_col=[window_time], size=[2 "
      "s])], "
      "select=[MAX(num) AS top], bounds=[window_end])\n"
      "   +- Calc(select=[window_start, num, (window_end - +0 00:00:00.001) AS window_time])\n"
      "      +- WindowAggregate(groupBy=[product], window=[HOP(time_col=[ts], size=[10 s], "
      "slide=[2 s])], "
      "select=[COUNT(*) AS num], bounds=[window_start, window_end])\n" +
          orders_scan("         ", "product, ts"));
}

TEST_F(PlanTest, cascaded_windows_use_window_time) {
  run("CREATE VIEW w1 AS SELECT window_time AS rowtime, product, COUNT(*) AS c FROM "
      "TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '30' SECOND)) GROUP BY window_start, "
      "window_end, window_time, product");
  EXPECT_EQ(
      physical(
          "SELECT SUM(c) AS total FROM TABLE(TUMBLE(TABLE w1, DESCRIPTOR(rowtime), INTERVAL '2' "
          "MINUTE)) GROUP BY window_start, window_end"),
      "WindowAggregate(groupBy=[], window=[TUMBLE(time_col=[rowtime], size=[2 min])], "
      "select=[SUM(c) AS total], bounds=[])\n"
      "+- Calc(select=[window_time AS rowtime, c])\n"
      "   +- WindowAggregate(groupBy=[product], window=[TUMBLE(time_col=[ts], size=[30 s])], "
      "select=[COUNT(*) AS c], bounds=[window_time])\n" +
          orders_scan("      ", "product, ts"));
}

TEST_F(PlanTest, statement_set_reads_a_table_once) {
  run("CREATE TABLE a (x INT) WITH ('connector' = 'blackhole')");
  run("CREATE TABLE b (x STRING) WITH ('connector' = 'blackhole')");
  const std::string all = text(
      "EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT amount FROM orders WHERE amount > 1; "
      "INSERT INTO b SELECT product FROM orders; END");
  EXPECT_THAT(all,
              ::testing::HasSubstr(
                  "== Optimized Physical Plan ==\n"
                  "Sink(table=[default_catalog.default_database.a], fields=[x])\n"
                  "+- Calc(select=[amount AS x], where=[(amount > 1)])\n"
                  "   +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - +0 00:00:05.000)])"
                  "(reuse_id=[1])\n"
                  "      +- TableSourceScan(table=[[default_catalog, default_database, orders]], "
                  "fields=[product, amount, ts])\n"
                  "Sink(table=[default_catalog.default_database.b], fields=[x])\n"
                  "+- Calc(select=[product AS x])\n"
                  "   +- Reused(reference_id=[1])\n"));
  EXPECT_THAT(all, ::testing::HasSubstr("== Optimized Execution Plan ==\n"
                                        "Source: orders[1] (parallelism 1)\n"
                                        "Calc[2] (parallelism 1) <- Source: orders[1] forward\n"
                                        "Sink: a[3] (parallelism 1) <- Calc[2] forward\n"
                                        "Calc[4] (parallelism 1) <- Source: orders[1] forward\n"
                                        "Sink: b[5] (parallelism 1) <- Calc[4] forward\n"));
}

TEST_F(PlanTest, reuse_can_be_switched_off) {
  run("SET 'table.optimizer.reuse-sub-plan-enabled' = 'false'");
  const std::string plan =
      physical("SELECT amount FROM orders UNION ALL SELECT user_id FROM orders");
  EXPECT_EQ(plan,
            "Union(all=[true], fields=[amount])\n"
            ":- Calc(select=[amount])\n"
            ":  +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - +0 00:00:05.000)])\n"
            ":     +- TableSourceScan(table=[[default_catalog, default_database, orders]], "
            "fields=[amount, ts])\n"
            "+- Calc(select=[user_id AS amount])\n" +
                orders_scan("   ", "user_id, ts"));
}

TEST_F(PlanTest, filters_go_into_every_input_of_union_all) {
  EXPECT_EQ(
      physical(
          "SELECT k FROM (SELECT amount AS k FROM orders UNION ALL SELECT 5) AS u WHERE k > 4"),
      "Union(all=[true], fields=[k])\n"
      ":- Calc(select=[amount AS k], where=[(amount > 4)])\n"
      ":  +- WatermarkAssigner(rowtime=[ts], watermark=[(ts - +0 00:00:05.000)])\n"
      ":     +- TableSourceScan(table=[[default_catalog, default_database, orders]], "
      "fields=[amount, ts])\n"
      "+- Calc(select=[5 AS k])\n"
      "   +- Values(fields=[], rows=[1])\n");
}

TEST_F(PlanTest, fields_that_nobody_reads_are_not_produced) {
  run("CREATE TABLE events (kind INT, bid ROW<auction BIGINT, price BIGINT, url STRING, t "
      "TIMESTAMP(3)>, person ROW<id BIGINT, name STRING, t TIMESTAMP(3)>, extra STRING, "
      "at_time AS CASE WHEN kind = 0 THEN person.t ELSE bid.t END, "
      "WATERMARK FOR at_time AS at_time - INTERVAL '4' SECOND) WITH ('connector' = 'nested')");
  run("CREATE VIEW bids AS SELECT bid.auction, bid.price, bid.url, at_time FROM events WHERE kind "
      "= 2");
  const std::string plan = physical("SELECT price FROM bids WHERE auction = 1");
  EXPECT_THAT(plan,
              ::testing::StartsWith("Calc(select=[bid.price AS price], where=[((kind = 2) AND "
                                    "(bid.auction = 1))])\n"))
      << plan;
  EXPECT_THAT(plan, ::testing::HasSubstr("fields=[kind, bid(auction, price, t), person(t)]"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
