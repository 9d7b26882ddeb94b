// Operator graphs: kinds, options, edges, parallelism and stable ids.
#include "sql/lower/lowering.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"
#include "stream/type_codec.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;

class LoweringTest : public SessionTest {
 protected:
  LoweringTest() { create_orders(); }
};

constexpr const char* kCount =
    "SELECT product, window_end, COUNT(*) AS c, SUM(amount) AS s FROM TABLE(TUMBLE(TABLE orders, "
    "DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '15' SECOND)) "
    "GROUP BY window_start, window_end, product";

std::vector<std::string> kinds_of(const StreamGraph& graph) {
  std::vector<std::string> kinds;
  for (const StreamNode& node : graph.nodes) kinds.push_back(node.spec.kind);
  return kinds;
}

const ValueTree& options(const StreamGraph& graph, std::size_t node) {
  return graph.nodes[node].spec.options;
}

TEST_F(LoweringTest, source_asks_for_the_columns_that_are_read) {
  const StreamGraph graph = query("SELECT price FROM orders WHERE amount > 1").graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "calc", "collect_sink"));
  const ValueTree& source = options(graph, 0);
  const ValueTree scan = source.get("source").value();
  EXPECT_EQ(scan.get("columns").value().to_string(), R"(["amount", "price", "ts"])");
  EXPECT_TRUE(scan.get_bool("has_watermark").value());
  EXPECT_EQ(source.get_int("rowtime").value(), 2);
  EXPECT_NE(source.find("watermark"), nullptr);
  EXPECT_EQ(source.find("projection"), nullptr);
  EXPECT_TRUE(source.get_bool("bounded").value());
  EXPECT_EQ(graph.nodes[0].spec.output->to_string(),
            "(amount INT, price DOUBLE, ts TIMESTAMP(3) *ROWTIME*)");
  EXPECT_EQ(graph.nodes[1].spec.output->to_string(), "(price DOUBLE)");
}

TEST_F(LoweringTest, computed_columns_and_watermark_are_part_of_the_source) {
  run("CREATE TABLE t (day_text STRING, id INT, at_time AS CAST(day_text AS TIMESTAMP(3)), "
      "p STRING NOT NULL METADATA FROM 'file.path' VIRTUAL, "
      "WATERMARK FOR at_time AS at_time) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' "
      "= "
      "'csv', 'scan.watermark.emit.strategy' = 'on-event', 'scan.watermark.idle-timeout' = '3 s')");
  const StreamGraph graph = query("SELECT p, at_time FROM t").graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "calc", "collect_sink"));
  const ValueTree& source = options(graph, 0);
  const ValueTree scan = source.get("source").value();
  EXPECT_EQ(scan.get("columns").value().to_string(), R"(["day_text"])");
  EXPECT_EQ(scan.get("metadata").value().to_string(), R"(["file.path"])");
  EXPECT_EQ(source.get_list("projection").value().size(), 2U);
  EXPECT_EQ(source.get_int("rowtime").value(), 0);
  EXPECT_EQ(source.get_string("watermark_emit").value(), "on-event");
  EXPECT_EQ(source.get_int("idle_timeout_ms").value(), 3000);
}

TEST_F(LoweringTest, window_aggregate_in_one_task_with_one_subtask) {
  const StreamGraph graph = query(kCount).graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "window_aggregate", "calc", "collect_sink"));
  const ValueTree& aggregate = options(graph, 1);
  EXPECT_EQ(aggregate.get_string("phase").value(), "single");
  EXPECT_EQ(aggregate.get("window").value().to_string(),
            R"({kind: "tumble", size_ms: 60000, offset_ms: 15000, zone: ""})");
  EXPECT_EQ(aggregate.get("keys").value().to_string(), "[0]");
  EXPECT_EQ(aggregate.get("outputs").value().to_string(), R"(["window_end"])");
  EXPECT_EQ(aggregate.get_int("time_column").value(), 2);
  EXPECT_EQ(graph.nodes[1].spec.output->to_string(),
            "(product STRING, s INT, c BIGINT NOT NULL, window_end TIMESTAMP(3) NOT NULL)");
  for (const StreamEdge& edge : graph.edges) EXPECT_EQ(edge.partitioning, Partitioning::kForward);
}

TEST_F(LoweringTest, window_aggregate_in_two_phases) {
  run("SET 'parallelism.default' = '3'");
  const StreamGraph graph = query(kCount).graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "window_aggregate", "window_aggregate", "calc",
                                           "collect_sink"));
  EXPECT_EQ(options(graph, 1).get_string("phase").value(), "local");
  EXPECT_EQ(options(graph, 2).get_string("phase").value(), "global");
  EXPECT_EQ(options(graph, 2).get("keys").value().to_string(), "[0]");
  const Schema& partial = *graph.nodes[1].spec.output;
  EXPECT_EQ(partial.field(0).name, "product");
  EXPECT_EQ(partial.field(1).name, "slice_end");
  EXPECT_EQ(partial.field(2).name, "rows");
  // Edges: source -> local stays in the task, local -> global by key, calc -> collect to one
  // subtask.
  ASSERT_EQ(graph.edges.size(), 4U);
  EXPECT_EQ(graph.edges[0].partitioning, Partitioning::kForward);
  EXPECT_EQ(graph.edges[1].partitioning, Partitioning::kHash);
  EXPECT_THAT(graph.edges[1].keys, ElementsAre(0));
  EXPECT_EQ(graph.edges[2].partitioning, Partitioning::kForward);
  EXPECT_EQ(graph.edges[3].partitioning, Partitioning::kGlobal);
  EXPECT_EQ(graph.nodes[0].parallelism, 3);
  EXPECT_EQ(graph.nodes[2].parallelism, 3);
  EXPECT_EQ(graph.nodes[4].parallelism, 1);
}

TEST_F(LoweringTest, aggregation_without_keys_runs_in_one_subtask) {
  run("SET 'table.exec.resource.default-parallelism' = '2'");
  const StreamGraph graph = query(
                                "SELECT COUNT(*) AS c FROM TABLE(TUMBLE(TABLE orders, "
                                "DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
                                "GROUP BY window_start, window_end")
                                .graph;
  ASSERT_THAT(kinds_of(graph),
              ElementsAre("source", "window_aggregate", "window_aggregate", "collect_sink"));
  EXPECT_EQ(graph.nodes[0].parallelism, 2);
  EXPECT_EQ(graph.nodes[2].parallelism, 1);
  EXPECT_EQ(graph.edges[1].partitioning, Partitioning::kGlobal);
}

TEST_F(LoweringTest, select_without_from_is_one_task) {
  const StreamGraph graph = query("SELECT 1").graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "calc", "collect_sink"));
  const ValueTree source = options(graph, 0).get("source").value();
  EXPECT_EQ(source.get_string("connector").value(), "values");
  EXPECT_EQ(source.get_int("rows").value(), 1);
  for (const StreamEdge& edge : graph.edges) EXPECT_EQ(edge.partitioning, Partitioning::kForward);
}

TEST_F(LoweringTest, union_all_feeds_one_operator_from_several) {
  run("CREATE TABLE out_table (k INT) WITH ('connector' = 'blackhole')");
  const StreamGraph graph =
      insert("INSERT INTO out_table SELECT amount FROM orders UNION ALL SELECT 5").graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "calc", "source", "calc", "sink_writer"));
  ASSERT_EQ(graph.edges.size(), 4U);
  EXPECT_EQ(graph.edges[2].to, 4);
  EXPECT_EQ(graph.edges[3].to, 4);
  EXPECT_EQ(graph.edges[2].to_input, graph.edges[3].to_input);
}

TEST_F(LoweringTest, sink_knows_which_columns_must_not_be_null) {
  run("CREATE TABLE strict (a INT NOT NULL, b STRING NOT NULL, c INT) WITH ('connector' = "
      "'print')");
  const StreamGraph graph =
      insert("INSERT INTO strict SELECT amount, 'x', amount FROM orders").graph;
  const ValueTree& sink = graph.nodes.back().spec.options;
  EXPECT_EQ(sink.get("not_null").value().to_string(), "[0, 1]");
  run("SET 'table.exec.sink.not-null-enforcer' = 'DROP'");
  const StreamGraph dropping =
      insert("INSERT INTO strict SELECT amount, 'x', amount FROM orders").graph;
  EXPECT_EQ(dropping.nodes.back().spec.options.get("not_null").value().to_string(), "[]");
  ASSERT_EQ(dropping.nodes[1].spec.kind, "calc");
  EXPECT_NE(options(dropping, 1).find("filter"), nullptr);
}

TEST_F(LoweringTest, rows_of_one_primary_key_go_to_one_writer) {
  run("CREATE TABLE numbers (a INT, k INT) WITH ('connector' = 'datagen', 'number-of-rows' = '5')");
  const auto edge = [&](std::string_view hint) {
    run("DROP TABLE IF EXISTS keyed");
    run("CREATE TABLE keyed (a INT, k INT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = "
        "'print')");
    const StreamGraph graph =
        insert("INSERT INTO keyed " + std::string(hint) + " SELECT * FROM numbers").graph;
    return graph.edges.back();
  };
  constexpr std::string_view kThree = "/*+ OPTIONS('sink.parallelism' = '3') */";
  run("SET 'parallelism.default' = '2'");
  EXPECT_EQ(edge("").partitioning, Partitioning::kForward);
  EXPECT_EQ(edge(kThree).partitioning, Partitioning::kHash);
  EXPECT_THAT(edge(kThree).keys, ElementsAre(1));
  EXPECT_EQ(edge("/*+ OPTIONS('sink.parallelism' = '1') */").partitioning, Partitioning::kGlobal);
  run("SET 'table.exec.sink.keyed-shuffle' = 'NONE'");
  EXPECT_EQ(edge(kThree).partitioning, Partitioning::kRebalance);
  run("SET 'table.exec.sink.keyed-shuffle' = 'FORCE'");
  EXPECT_EQ(edge("").partitioning, Partitioning::kHash);
  run("SET 'parallelism.default' = '1'");
  EXPECT_EQ(edge("").partitioning, Partitioning::kForward);
}

TEST_F(LoweringTest, uids_follow_from_what_is_computed) {
  const StreamGraph first = query(kCount).graph;
  run("CREATE TABLE other (a INT) WITH ('connector' = 'datagen')");
  const StreamGraph second = query(kCount).graph;
  ASSERT_EQ(first.nodes.size(), second.nodes.size());
  for (std::size_t i = 0; i + 1 < first.nodes.size(); ++i) {
    EXPECT_EQ(first.nodes[i].spec.uid, second.nodes[i].spec.uid);
  }
  // Another size, another aggregation; the source stays what it was.
  std::string other(kCount);
  other.replace(other.find("'1' MINUTE"), 10, "'2' MINUTE");
  const StreamGraph third = query(other).graph;
  EXPECT_EQ(first.nodes[0].spec.uid, third.nodes[0].spec.uid);
  EXPECT_NE(first.nodes[1].spec.uid, third.nodes[1].spec.uid);
}

TEST_F(LoweringTest, equal_operators_of_a_job_have_different_uids) {
  run("CREATE TABLE out_table (k INT) WITH ('connector' = 'blackhole')");
  const StreamGraph graph =
      insert(
          "EXECUTE STATEMENT SET BEGIN INSERT INTO out_table SELECT amount FROM orders; "
          "INSERT INTO out_table SELECT amount FROM orders; END")
          .graph;
  // One source and one projection, two sinks of it.
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "calc", "sink_writer", "sink_writer"));
  EXPECT_NE(graph.nodes[2].spec.uid, graph.nodes[3].spec.uid);
  EXPECT_TRUE(graph.validate().is_ok());
}

TEST_F(LoweringTest, zone_of_the_session_aligns_windows_of_instants) {
  run("SET 'table.local-time-zone' = 'Asia/Shanghai'");
  run("CREATE TABLE t (id INT, l TIMESTAMP_LTZ(3), WATERMARK FOR l AS l) "
      "WITH ('connector' = 'datagen')");
  const StreamGraph graph =
      query("SELECT window_start FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(l), INTERVAL '1' DAY))")
          .graph;
  ASSERT_EQ(graph.nodes[1].spec.kind, "window_table_function");
  EXPECT_EQ(options(graph, 1).get("window").value().get_string("zone").value(), "Asia/Shanghai");
}

TEST_F(LoweringTest, processing_time_windows_have_no_time_column) {
  run("CREATE TABLE t (id INT, pt AS PROCTIME()) WITH ('connector' = 'datagen')");
  const StreamGraph graph = query(
                                "SELECT id, COUNT(*) AS c FROM TABLE(TUMBLE(TABLE t, "
                                "DESCRIPTOR(pt), INTERVAL '1' SECOND)) "
                                "GROUP BY window_start, window_end, id")
                                .graph;
  ASSERT_THAT(kinds_of(graph), ElementsAre("source", "window_aggregate", "collect_sink"));
  EXPECT_EQ(options(graph, 1).get_int("time_column").value(), -1);
  EXPECT_EQ(options(graph, 1).get_string("phase").value(), "single");
}

TEST_F(LoweringTest, configuration_travels_with_the_job) {
  run("SET 'pipeline.name' = 'mine'");
  const StreamGraph graph = query("SELECT 1").graph;
  EXPECT_EQ(graph.name, "mine");
  EXPECT_THAT(graph.configuration, ElementsAre(::testing::Pair("pipeline.name", "mine")));
}

}  // namespace
}  // namespace clepsydra::sql::testing
