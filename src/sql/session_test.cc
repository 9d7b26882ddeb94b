#include "sql/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

TEST_F(SessionTest, select_becomes_a_graph) {
  create_orders();
  const QueryJob job = query("SELECT order_id, amount + 1 AS more FROM orders WHERE amount = 10");
  EXPECT_EQ(job.schema->to_string(), "");
  EXPECT_THAT(node_names(job.graph), ::testing::ElementsAre());
  ADD_FAILURE() << text(
      "EXPLAIN SELECT order_id, amount + 1 AS more FROM orders WHERE amount = 10");
  ADD_FAILURE() << text(
      "EXPLAIN SELECT window_start, product, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE orders, "
      "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) WHERE amount > 3 GROUP BY window_start, window_end, "
      "product");
}

}  // namespace
}  // namespace clepsydra::sql::testing
