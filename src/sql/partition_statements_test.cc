// PARTITIONED BY, INSERT INTO .. PARTITION, what scans are told of partitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PartitionStatementsTest : public SessionTest {
 protected:
  PartitionStatementsTest() {
    run("CREATE TABLE t (`day` DATE, name STRING, amount INT, region STRING, twice AS amount * 2) "
        "PARTITIONED BY (region, `day`) "
        "WITH ('connector' = 'filesystem', 'path' = '/t', 'format' = 'csv', "
        "'sink.shuffle-by-partition.enable' = 'true')");
    run("CREATE TABLE src (name STRING, amount INT, region STRING, `day` DATE) "
        "WITH ('connector' = 'datagen', 'number-of-rows' = '9')");
  }

  // What the source of a query is told.
  ValueTree scan_of(std::string_view sql) {
    return query(sql).graph.nodes[0].spec.options.get("source").value();
  }
  std::string plan_of(const std::string& sql) { return text("EXPLAIN " + sql); }
};

TEST_F(PartitionStatementsTest, keys_are_part_of_the_definition) {
  EXPECT_THAT(text("SHOW CREATE TABLE t"),
              HasSubstr(")\nPARTITIONED BY (`region`, `day`)\nWITH ("));
  run("CREATE TABLE u LIKE t");
  EXPECT_THAT(text("SHOW CREATE TABLE u"), HasSubstr("PARTITIONED BY (`region`, `day`)"));
  run("CREATE TABLE v LIKE t (EXCLUDING PARTITIONS)");
  EXPECT_THAT(text("SHOW CREATE TABLE v"), Not(HasSubstr("PARTITIONED")));
  run("ALTER TABLE t ADD (note STRING)");
  EXPECT_THAT(text("SHOW CREATE TABLE t"), HasSubstr("PARTITIONED BY (`region`, `day`)"));
  EXPECT_THAT(error("ALTER TABLE t DROP region"), HasSubstr("line 1, column 20"));
  EXPECT_THAT(error("ALTER TABLE t RENAME region TO r"), HasSubstr("PARTITIONED BY"));
}

TEST_F(PartitionStatementsTest, wrong_keys_are_refused_at_their_place) {
  const auto create = [&](const std::string& keys, const std::string& connector) {
    return error("CREATE TABLE w (a INT, b STRING, c AS a + 1) PARTITIONED BY (" + keys +
                 ") WITH ('connector' = '" + connector + "')");
  };
  const std::string files = "filesystem', 'format' = 'csv', 'path' = '/w";
  EXPECT_THAT(create("bb", files),
              HasSubstr("NotFound: line 1, column 62: partition column 'bb' is not a column"));
  EXPECT_THAT(create("a, c", files),
              HasSubstr("InvalidArgument: line 1, column 65: partition column 'c' is computed"));
  EXPECT_THAT(create("a, a", files), HasSubstr("line 1, column 65: 'a' occurs twice"));
  EXPECT_THAT(create("a, b", files), HasSubstr("line 1, column 62: a partitioned table needs a"));
  EXPECT_THAT(create("a", "print"),
              HasSubstr("Unimplemented: line 1, column 62: tables of connector 'print' cannot be"));
}

TEST_F(PartitionStatementsTest, rows_bring_their_partition) {
  const StreamGraph graph =
      insert("INSERT INTO t SELECT `day`, name, amount, region FROM src").graph;
  const ValueTree sink = graph.nodes.back().spec.options.get("sink").value();
  EXPECT_EQ(sink.get("partition_keys").value().to_string(), R"(["region", "day"])");
}

TEST_F(PartitionStatementsTest, static_values_take_the_place_of_columns) {
  const auto columns_of = [&](std::string_view sql) {
    const StreamGraph graph = insert(sql).graph;
    const ValueTree calc = graph.nodes[graph.nodes.size() - 2].spec.options;
    return calc.get("projection").value().to_string();
  };
  // All but the keys; the value is cast to the key's type.
  const std::string all = columns_of(
      "INSERT INTO t PARTITION (region = 'eu', `day` = '2024-01-31') SELECT name, amount FROM src");
  EXPECT_THAT(all, HasSubstr("19753"));  // Days since 1970.
  EXPECT_EQ(all, columns_of("INSERT INTO t PARTITION (region = 'eu', `day` = DATE '2024-01-31') "
                            "(amount, name) SELECT amount, name FROM src"));
  // A key without a value comes from the query, at its place in the table.
  EXPECT_EQ(columns_of("INSERT INTO t PARTITION (region = 'eu', `day`) "
                       "SELECT `day`, name, amount FROM src"),
            columns_of("INSERT INTO t SELECT `day`, name, amount, 'eu' FROM src"));
}

TEST_F(PartitionStatementsTest, wrong_values_are_refused_at_their_place) {
  EXPECT_THAT(error("INSERT INTO t PARTITION (name = 'x') SELECT 1"),
              HasSubstr("NotFound: line 1, column 26: table 't' is not partitioned by 'name'"));
  EXPECT_THAT(error("INSERT INTO t PARTITION (`day` = 'soon') SELECT 1"),
              HasSubstr("line 1, column 34: partition column 'day' needs a constant of type DATE"));
  EXPECT_THAT(error("INSERT INTO t PARTITION (region = 'a', region = 'b') SELECT 1"),
              HasSubstr("line 1, column 40: 'region' is given twice"));
  EXPECT_THAT(error("INSERT INTO t PARTITION (region = 'a') (region, name) SELECT 'a', 'b'"),
              HasSubstr("line 1, column 41: column 'region' has its value from PARTITION"));
  EXPECT_THAT(error("INSERT INTO t PARTITION (region = 'a') SELECT 1"),
              HasSubstr("the query has 1 columns, but 3 are needed"));
  run("CREATE TABLE plain (a INT) WITH ('connector' = 'print')");
  EXPECT_THAT(error("INSERT INTO plain PARTITION (a = 1) SELECT 1"),
              HasSubstr("line 1, column 30: table 'plain' is not partitioned"));
}

TEST_F(PartitionStatementsTest, rows_of_a_partition_go_to_one_writer_when_the_table_says_so) {
  run("SET 'parallelism.default' = '4'");
  const StreamGraph graph =
      insert("INSERT INTO t SELECT `day`, name, amount, region FROM src").graph;
  EXPECT_EQ(graph.edges.back().partitioning, Partitioning::kHash);
  EXPECT_THAT(graph.edges.back().keys, ElementsAre(3, 0));
  const StreamGraph free =
      insert(
          "INSERT INTO t /*+ OPTIONS('sink.shuffle-by-partition.enable' = 'false') */ "
          "SELECT `day`, name, amount, region FROM src")
          .graph;
  EXPECT_EQ(free.edges.back().partitioning, Partitioning::kForward);
}

TEST_F(PartitionStatementsTest, predicates_on_keys_leave_partitions_out) {
  const ValueTree scan = scan_of("SELECT name FROM t WHERE region = 'eu' AND amount > 3");
  EXPECT_EQ(scan.get("partition_keys").value().to_string(), R"(["region", "day"])");
  EXPECT_EQ(scan.get_int("conditions").value(), 1);
  EXPECT_EQ(scan_of("SELECT name FROM t").get_int("conditions").value(), 0);

  EXPECT_THAT(
      plan_of("SELECT name FROM t WHERE region IN ('a', 'b') AND `day` >= DATE '2024-02-01'"),
      HasSubstr("partitions=[region IN ('a', 'b'), day >= '2024-02-01']"));
  EXPECT_THAT(plan_of("SELECT name FROM t WHERE DATE '2024-02-01' > `day` AND region <> 'x'"),
              HasSubstr("partitions=[day < '2024-02-01', region <> 'x']"));
  EXPECT_THAT(plan_of("SELECT name FROM t WHERE region IS NULL"),
              HasSubstr("partitions=[region IS NULL]"));
  run("CREATE TABLE h (a INT, tiny TINYINT, s STRING) PARTITIONED BY (tiny, s) "
      "WITH ('connector' = 'filesystem', 'path' = '/h', 'format' = 'csv')");
  // Cast to INT to be compared.
  EXPECT_THAT(plan_of("SELECT a FROM h WHERE tiny > 3"), HasSubstr("partitions=[tiny > '3']"));
  EXPECT_THAT(plan_of("SELECT a FROM h WHERE s = 'a' OR s IN ('b', 'c') OR 'd' = s"),
              HasSubstr("partitions=[s IN ('a', 'b', 'c', 'd')]"));
  EXPECT_THAT(plan_of("SELECT a FROM h WHERE NOT (s = 'a') AND tiny BETWEEN 1 AND 2"),
              HasSubstr("partitions=[s <> 'a', tiny >= '1', tiny <= '2']"));
  // The filter stays: what a source leaves out is its own affair.
  EXPECT_THAT(plan_of("SELECT name FROM t WHERE region = 'eu'"),
              HasSubstr("where=[(region = 'eu')]"));
}

TEST_F(PartitionStatementsTest, what_is_more_than_a_comparison_leaves_nothing_out) {
  for (const char* condition : {"UPPER(region) = 'EU'", "region = 'a' OR amount = 3",
                                "region = name", "amount = 3", "region LIKE 'e%'"}) {
    EXPECT_THAT(plan_of(std::string("SELECT name FROM t WHERE ") + condition),
                Not(HasSubstr("partitions=[")))
        << condition;
  }
  run("CREATE TABLE k (a INT, tiny TINYINT, short VARCHAR(2), cents DECIMAL(9, 2), "
      "ts TIMESTAMP(3), l TIMESTAMP_LTZ(3)) PARTITIONED BY (tiny, short, cents, ts, l) "
      "WITH ('connector' = 'filesystem', 'path' = '/h', 'format' = 'csv')");
  for (const char* condition :
       {"tiny > 300", "short = 'abc'", "cents = 1.234", "l > TIMESTAMP '2024-01-01 00:00:00'",
        "ts > TIMESTAMP '2024-01-01 00:00:00.123456'", "tiny = 1 OR short = 'a'", "NOT (tiny > 1)",
        "tiny = NULL"}) {
    EXPECT_THAT(plan_of(std::string("SELECT a FROM k WHERE ") + condition),
                Not(HasSubstr("partitions=[")))
        << condition;
  }
  // Two readers of one scan.
  const std::string both = text(
      "EXPLAIN STATEMENT SET BEGIN "
      "INSERT INTO t SELECT `day`, name, amount, region FROM t WHERE region = 'a'; "
      "INSERT INTO t SELECT `day`, name, amount, region FROM t WHERE region = 'b'; END");
  EXPECT_THAT(both, Not(HasSubstr("partitions=[")));
}

TEST_F(PartitionStatementsTest, every_row_advances_a_watermark) {
  run("CREATE TABLE w (ts TIMESTAMP(3), region STRING, WATERMARK FOR ts AS ts) "
      "PARTITIONED BY (region) WITH ('connector' = 'filesystem', 'path' = '/w', 'format' = 'csv')");
  EXPECT_THAT(plan_of("SELECT ts FROM w WHERE region = 'a'"), Not(HasSubstr("partitions=[")));
}

TEST_F(PartitionStatementsTest, show_partitions_needs_files) {
  EXPECT_THAT(error("SHOW PARTITIONS t"), HasSubstr("Unimplemented"));
  EXPECT_THAT(error("SHOW PARTITIONS t PARTITION (name = 'x')"),
              HasSubstr("line 1, column 30: table 't' is not partitioned by 'name'"));
}

TEST_F(PartitionStatementsTest, partitions_are_added_and_dropped) {
  MemoryFileSystem files(clock_);
  SqlSession session(connectors_, clock_, configuration_, &files);
  const auto answer = [&](std::string_view sql) {
    const Result<StatementResult> result = session.execute(sql);
    if (!result.is_ok()) return result.status().to_string();
    if (const auto* done = std::get_if<Done>(&*result)) return done->message;
    const Batch& rows = std::get<TableResult>(*result).rows;
    std::string text;
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
      text += (i == 0 ? "" : " ") + std::string(rows.column(0).string_at(i));
    }
    return text;
  };
  answer(
      "CREATE TABLE t (`day` DATE, name STRING, region STRING) PARTITIONED BY (region, `day`) "
      "WITH ('connector' = 'filesystem', 'path' = '/t', 'format' = 'csv')");
  EXPECT_EQ(answer("ALTER TABLE t ADD PARTITION (region = 'eu', `day` = '2024-01-31') "
                   "PARTITION (`day` = DATE '2024-02-01', region = 'us')"),
            "2 partitions added.");
  EXPECT_EQ(answer("SHOW PARTITIONS t"), "region=eu/day=2024-01-31 region=us/day=2024-02-01");
  EXPECT_THAT(answer("ALTER TABLE t ADD PARTITION (region = 'eu', `day` = '2024-01-31')"),
              HasSubstr("AlreadyExists: line 1, column 30: this partition exists already"));
  EXPECT_EQ(answer("ALTER TABLE t ADD IF NOT EXISTS PARTITION (region = 'eu', `day` = "
                   "'2024-01-31') PARTITION (region = 'eu', `day` = '2024-02-01')"),
            "1 partition added.");
  EXPECT_THAT(answer("ALTER TABLE t ADD PARTITION (region = 'eu')"),
              HasSubstr("line 1, column 30: a partition of 't' needs a value for 'day'"));
  EXPECT_THAT(answer("ALTER TABLE t DROP PARTITION (region = 'x', `day` = '2024-01-31')"),
              HasSubstr("NotFound: line 1, column 31: there is no such partition"));
  // All or none.
  EXPECT_THAT(answer("ALTER TABLE t DROP PARTITION (region = 'eu', `day` = '2024-01-31'), "
                     "PARTITION (region = 'x', `day` = '2024-01-31')"),
              HasSubstr("NotFound"));
  EXPECT_EQ(answer("ALTER TABLE t DROP IF EXISTS PARTITION (region = 'eu', `day` = '2024-01-31'), "
                   "PARTITION (region = 'x', `day` = '2024-01-31')"),
            "1 partition dropped.");
  EXPECT_EQ(answer("SHOW PARTITIONS t"), "region=us/day=2024-02-01 region=eu/day=2024-02-01");
  answer("CREATE TABLE plain (a INT) WITH ('connector' = 'print')");
  EXPECT_THAT(answer("ALTER TABLE plain ADD PARTITION (a = 1)"),
              HasSubstr("table 'plain' is not partitioned"));
}

}  // namespace
}  // namespace clepsydra::sql::testing
