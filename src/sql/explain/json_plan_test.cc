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

}  // namespace
}  // namespace clepsydra::sql::testing
