// The JSON of EXPLAIN JSON_EXECUTION_PLAN, read back by another parser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

TEST_F(SessionTest, json_execution_plan_names_operators_and_what_feeds_them) {
  run("CREATE TABLE `a\"b\\` (x INT) WITH ('connector' = 'datagen')");
  run("CREATE TABLE t (x INT) WITH ('connector' = 'print')");
  const std::string plan = text("EXPLAIN JSON_EXECUTION_PLAN INSERT INTO t SELECT x FROM `a\"b\\`");
  const std::size_t begin = plan.find("== Physical Execution Plan ==\n");
  ASSERT_NE(begin, std::string::npos);
  const std::size_t open = plan.find('{', begin);
  const std::size_t close = plan.rfind('}');
  const nlohmann::json nodes =
      nlohmann::json::parse(plan.substr(open, close + 1 - open), nullptr, false)["nodes"];
  ASSERT_GE(nodes.size(), 2U);
  EXPECT_EQ(nodes[0]["pact"], "Data Source");
  EXPECT_THAT(nodes[0]["type"].get<std::string>(), ::testing::HasSubstr("a\"b\\"));
  EXPECT_FALSE(nodes[0].contains("predecessors"));
  const nlohmann::json& sink = nodes[nodes.size() - 1];
  EXPECT_EQ(sink["pact"], "Data Sink");
  EXPECT_EQ(sink["predecessors"][0]["id"], nodes.size() - 1);
  EXPECT_EQ(sink["predecessors"][0]["ship_strategy"], "FORWARD");
}

using ::testing::HasSubstr;
using ::testing::Not;

class ExplainDetailsTest : public SessionTest {};

// By hand: 1,000 rows, half of them pass the range, 15 % of those the equation; three windows each.
TEST_F(ExplainDetailsTest, estimated_cost_follows_the_rows) {
  run("CREATE TABLE t (k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'datagen', 'number-of-rows' = '1000')");
  const std::string plan = text(
      "EXPLAIN ESTIMATED_COST SELECT k, window_start, COUNT(*) FROM TABLE(HOP(TABLE t, "
      "DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '3' MINUTE)) WHERE k > 1 "
      "GROUP BY k, window_start, window_end");
  EXPECT_THAT(plan, HasSubstr(": rowcount = 1000, cumulative cost = {1000 rows}\n"));
  EXPECT_THAT(plan, HasSubstr(": rowcount = 500, "));
  run("CREATE TABLE u (k INT) WITH ('connector' = 'datagen')");
  EXPECT_THAT(text("EXPLAIN ESTIMATED_COST SELECT k FROM u WHERE k = 1"),
              HasSubstr(": rowcount = 15000000, "));
  EXPECT_THAT(text("EXPLAIN ESTIMATED_COST VALUES (1), (2), (3)"), HasSubstr("rowcount = 3, "));
  EXPECT_THAT(text("EXPLAIN SELECT k FROM u"), Not(HasSubstr("rowcount")));
}

TEST_F(ExplainDetailsTest, advice_is_given_where_there_is_some) {
  run("CREATE TABLE t (k INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'datagen', 'number-of-rows' = '1000')");
  const std::string query =
      "EXPLAIN PLAN_ADVICE SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), "
      "INTERVAL '1' MINUTE)) GROUP BY k, window_start, window_end";
  run("SET 'parallelism.default' = '2'");
  EXPECT_THAT(text(query), HasSubstr("== Optimized Physical Plan With Advice ==\n"));
  EXPECT_THAT(text(query), HasSubstr("\nNo available advice...\n"));
  run("SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE'");
  EXPECT_THAT(text(query), HasSubstr("\nadvice[1]: [ADVICE] 1 aggregation is in one phase"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
