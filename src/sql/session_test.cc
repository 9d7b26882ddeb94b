// DDL, SET, SHOW and DESCRIBE of a session.
#include "sql/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(SessionTest, tables_and_views_are_listed_by_name) {
  create_orders();
  run("CREATE TEMPORARY VIEW v AS SELECT order_id FROM orders");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "orders", "v"));
  EXPECT_THAT(rows("SHOW TABLES LIKE 'o%s'"), ElementsAre("table name", "orders"));
  EXPECT_THAT(rows("SHOW TABLES NOT LIKE '_'"), ElementsAre("table name", "orders"));
  EXPECT_THAT(rows("SHOW VIEWS"), ElementsAre("view name", "v"));
  EXPECT_THAT(rows("SHOW CURRENT DATABASE"),
              ElementsAre("current database name", "default_database"));
  EXPECT_THAT(error("SHOW TABLES FROM nosuch"),
              HasSubstr("line 1, column 18: database 'nosuch' does not exist"));
}

TEST_F(SessionTest, describe_shows_keys_extras_and_watermark) {
  run("CREATE TABLE t (id INT COMMENT 'the key', name STRING NOT NULL, more AS id + 1, "
      "p STRING NOT NULL METADATA FROM 'file.path' VIRTUAL, ts TIMESTAMP(3), "
      "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) "
      "WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv')");
  EXPECT_THAT(
      rows("DESCRIBE t"),
      ElementsAre("name | type | null | key | extras | watermark | comment",
                  "id | INT | FALSE | PRI(id) |  |  | the key", "name | STRING | FALSE |  |  |  | ",
                  // The key is NOT NULL, and so is what is computed from it.
                  "more | INT | FALSE |  | AS id + 1 |  | ",
                  "p | STRING | FALSE |  | METADATA FROM 'file.path' VIRTUAL |  | ",
                  "ts | TIMESTAMP(3) *ROWTIME* | TRUE |  |  | ts - INTERVAL '5' SECOND | "));
  EXPECT_THAT(rows("SHOW COLUMNS FROM t LIKE 'n%'"),
              ElementsAre("name | type | null | key | extras | watermark",
                          "name | STRING | FALSE |  |  | "));
}

TEST_F(SessionTest, show_create_table_can_be_run_again) {
  run("CREATE TABLE t (id INT, `a b` AS id + 1 COMMENT 'it''s', ts TIMESTAMP(3), "
      "WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'c' "
      "WITH ('connector' = 'datagen', 'rows-per-second' = '7')");
  const std::string created = text("SHOW CREATE TABLE t");
  EXPECT_EQ(created,
            "CREATE TABLE `default_catalog`.`default_database`.`t` (\n"
            "  `id` INT NOT NULL,\n"
            "  `a b` AS id + 1 COMMENT 'it''s',\n"
            "  `ts` TIMESTAMP(3),\n"
            "  WATERMARK FOR `ts` AS ts,\n"
            "  CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED\n"
            ") COMMENT 'c'\n"
            "WITH (\n"
            "  'connector' = 'datagen',\n"
            "  'rows-per-second' = '7'\n"
            ")\n");
  run("DROP TABLE t");
  run(created);
  EXPECT_EQ(text("SHOW CREATE TABLE t"), created);
}

TEST_F(SessionTest, drop_and_if_exists) {
  create_orders();
  EXPECT_THAT(error("CREATE TABLE orders (a INT) WITH ('connector' = 'print')"),
              HasSubstr("AlreadyExists: line 1, column 14: table "
                        "'default_catalog.default_database.orders' already exists"));
  run("CREATE TABLE IF NOT EXISTS orders (a INT) WITH ('connector' = 'print')");
  EXPECT_THAT(error("DROP VIEW orders"), HasSubstr("hint: it is a table: write DROP TABLE"));
  EXPECT_THAT(error("DROP TEMPORARY TABLE orders"),
              HasSubstr("hint: there is a permanent one: leave out TEMPORARY"));
  run("DROP TABLE orders");
  run("DROP TABLE IF EXISTS orders");
  EXPECT_THAT(error("DROP TABLE orders"), HasSubstr("NotFound: line 1, column 12"));
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name"));
}

TEST_F(SessionTest, temporary_tables_hide_permanent_ones) {
  run("CREATE TABLE t (a INT) WITH ('connector' = 'datagen')");
  run("CREATE TEMPORARY TABLE t (b STRING) WITH ('connector' = 'datagen')");
  EXPECT_EQ(types_of("SELECT * FROM t"), "b STRING");
  EXPECT_THAT(error("DROP TABLE t"), HasSubstr("a temporary object hides 't'"));
  run("DROP TEMPORARY TABLE t");
  EXPECT_EQ(types_of("SELECT * FROM t"), "a INT");
}

TEST_F(SessionTest, settings_are_checked_kept_and_reset) {
  run("SET 'parallelism.default' = '3'");
  run("SET 'my.own' = 'x'");
  run("SET 'my.secret-key' = 'hush'");
  EXPECT_THAT(rows("SET"), ElementsAre("key | value", "my.own | x", "my.secret-key | ******",
                                       "parallelism.default | 3"));
  EXPECT_THAT(error("SET 's3.secret-key' = 'hush'"),
              HasSubstr("'s3.secret-key' is set when the process starts"));
  EXPECT_THAT(error("SET 'parallelism.default' = 'many'"),
              HasSubstr("InvalidArgument: line 1, column 29"));
  EXPECT_THAT(error("SET 'parallelism.default' = '0'"), HasSubstr("must be between 1 and 4096"));
  EXPECT_THAT(error("SET 'execution.runtime-mode' = 'bunch'"), HasSubstr("line 1, column 32"));
  EXPECT_THAT(error("SET 'table.local-time-zone' = 'Mars/Olympus'"), HasSubstr("Mars/Olympus"));
  run("RESET 'my.own'");
  EXPECT_EQ(configuration_.find("my.own"), nullptr);
  run("RESET");
  EXPECT_THAT(rows("SET"), ElementsAre("key | value"));
}

TEST(SessionSettingsTest, reset_goes_back_to_what_the_session_started_with) {
  FakeConnectors connectors;
  const SimulatedClock clock;
  Configuration configuration;
  configuration.set("parallelism.default", "2");
  SqlSession session(connectors, clock, configuration);
  ASSERT_TRUE(session.execute("SET 'parallelism.default' = '3'").is_ok());
  EXPECT_EQ(*configuration.find("parallelism.default"), "3");
  ASSERT_TRUE(session.execute("RESET 'parallelism.default'").is_ok());
  EXPECT_EQ(*configuration.find("parallelism.default"), "2");
}

TEST_F(SessionTest, wrong_options_are_shown_in_the_with_clause) {
  EXPECT_EQ(
      error("CREATE TABLE t (a INT)\nWITH ('connector' = 'filesytem')"),
      "NotFound: line 2, column 21: unknown connector 'filesytem'\n"
      "  WITH ('connector' = 'filesytem')\n"
      "                      ^^^^^^^^^^^\n"
      "  hint: did you mean 'filesystem'? known connectors: 'filesystem', 'datagen', 'print', "
      "'blackhole', 'nested', 'vault'");
  EXPECT_EQ(error("CREATE TABLE t (a INT)\nWITH ('Connector' = 'print')"),
            "InvalidArgument: line 2, column 7: the WITH clause has no option 'connector'\n"
            "  WITH ('Connector' = 'print')\n"
            "        ^^^^^^^^^^^\n"
            "  hint: option names are case sensitive: write 'connector'");
  const std::string file =
      "CREATE TABLE t (a INT)\nWITH ('connector' = 'filesystem', 'path' = '/x', ";
  EXPECT_THAT(error(file + "'format' = 'avro')"), HasSubstr("unknown format 'avro'"));
  EXPECT_THAT(error(file + "'format' = 'csv', 'csv.null-litera' = 'x')"),
              HasSubstr("hint: did you mean 'csv.null-literal'?"));
  EXPECT_THAT(error(file + "'format' = 'csv', 'csv.ignore-parse-errors' = 'maybe')"),
              HasSubstr("line 2, column 96: "));
  EXPECT_THAT(error(file + "'format' = 'json', 'json.timestamp-format.standard' = 'XYZ')"),
              HasSubstr("is 'XYZ', expected one of 'SQL', 'ISO-8601'"));
  EXPECT_THAT(error("CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'csv')"),
              HasSubstr("connector 'filesystem' needs the option 'path'"));
  // One key part is free.
  run("CREATE TABLE g (a INT) WITH ('connector' = 'datagen', 'fields.a.kind' = 'random')");
  EXPECT_THAT(error("CREATE TABLE h (a INT) WITH ('connector' = 'datagen', 'fields.a.kind' = "
                    "'sequence')"),
              HasSubstr("'fields.a.kind' = 'sequence' needs 'fields.a.end'"));
}

TEST_F(SessionTest, wrong_tables_are_refused_where_the_mistake_stands) {
  const auto table = [](const std::string& columns) {
    return "CREATE TABLE t (" + columns + ") WITH ('connector' = 'print')";
  };
  EXPECT_THAT(error(table("a INT, a STRING")),
              HasSubstr("column 24: column 'a' is declared twice"));
  EXPECT_THAT(error(table("a INT, PRIMARY KEY (b) NOT ENFORCED")),
              HasSubstr("column 37: primary key column 'b' is not a column of the table"));
  EXPECT_THAT(error(table("a INT, PRIMARY KEY (a)")), HasSubstr("NOT ENFORCED"));
  EXPECT_THAT(error(table("a INT, WATERMARK FOR b AS b")),
              HasSubstr("watermark column 'b' is not a column of the table"));
  EXPECT_THAT(error(table("a TIMESTAMP(6), WATERMARK FOR a AS a")),
              HasSubstr("with p from 0 to 3, but 'a' is TIMESTAMP(6)"));
  EXPECT_THAT(error(table("a TIMESTAMP(3), WATERMARK FOR a AS 5")),
              HasSubstr("but this is INT NOT NULL"));
  EXPECT_THAT(error(table("a INT, b AS c + 1")), HasSubstr("column 'c' not found"));
  EXPECT_THAT(error(table("a DECIMAL(39, 0)")),
              HasSubstr("precision of DECIMAL(39, 0) must be between 1 and 38, but is 39"));
  EXPECT_THAT(error(table("a INT, p STRING METADATA FROM 'x'")),
              HasSubstr("connector 'print' has no metadata 'x'"));
  EXPECT_THAT(error("CREATE VIEW v AS SELECT 1 AS a, 2 AS a"),
              HasSubstr("column 'a' occurs twice"));
}

TEST_F(SessionTest, tables_are_read_and_written_by_what_can) {
  run("CREATE TABLE p (a INT) WITH ('connector' = 'print')");
  run("CREATE TABLE g (a INT) WITH ('connector' = 'datagen')");
  EXPECT_THAT(
      error("SELECT * FROM p"),
      HasSubstr("column 15: table 'p' cannot be read: the connector 'print' is for writing only"));
  EXPECT_THAT(
      error("INSERT INTO g SELECT 1"),
      HasSubstr("table 'g' cannot be written: the connector 'datagen' is for reading only"));
  EXPECT_THAT(error("INSERT OVERWRITE p SELECT 1"),
              HasSubstr("what the connector 'print' has written for table 'p' cannot be replaced"));
  run("CREATE TABLE f (a INT) WITH ('connector' = 'filesystem', 'path' = '/f', 'format' = 'csv')");
  EXPECT_THAT(error("INSERT OVERWRITE f SELECT 1"),
              HasSubstr("column 18: INSERT OVERWRITE is for batch mode only"));
  EXPECT_FALSE(query("SELECT * FROM g").is_bounded);
  EXPECT_TRUE(query("SELECT * FROM g /*+ OPTIONS('number-of-rows' = '5') */").is_bounded);
  EXPECT_THAT(error("SELECT * FROM g /*+ OPTIONS('foo' = '5') */"),
              HasSubstr("unknown option 'foo'"));
}

TEST_F(SessionTest, batch_mode_reads_what_has_an_end_and_replaces) {
  run("SET 'execution.runtime-mode' = 'batch'");
  run("SET 'execution.checkpointing.interval' = '1 s'");
  run("CREATE TABLE g (a INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'datagen')");
  run("CREATE TABLE f (a INT, d STRING, e STRING) PARTITIONED BY (d, e) "
      "WITH ('connector' = 'filesystem', 'path' = '/f', 'format' = 'csv')");
  EXPECT_THAT(error("SELECT a FROM g"),
              HasSubstr("column 15: table 'g' cannot be read in batch mode"));
  const InsertJob job = insert(
      "INSERT OVERWRITE f PARTITION (e = 'x', d = 'y') "
      "SELECT a FROM g /*+ OPTIONS('number-of-rows' = '5') */");
  EXPECT_TRUE(job.is_bounded);
  for (const auto& [key, value] : job.graph.configuration) {
    EXPECT_NE(key, "execution.checkpointing.interval");
  }
  const OperatorSpec& source = job.graph.nodes.front().spec;
  EXPECT_EQ(source.kind, "source");
  EXPECT_EQ(source.options.find("watermark"), nullptr);
  const OperatorSpec& sink = job.graph.nodes.back().spec;
  ASSERT_EQ(sink.kind, "sink_writer");
  const ValueTree* replaced = sink.options.find("sink")->find("replaced");
  ASSERT_NE(replaced, nullptr);
  EXPECT_EQ(replaced->to_string(), R"({d: "y", e: "x"})");
}

// How many rows EXPLAIN thinks that the first operator of the physical plan gives.
std::string estimated(const std::string& plan) {
  const std::string key = "rowcount = ";
  const std::size_t at = plan.find(key) + key.size();
  return plan.substr(at, plan.find(',', at) - at);
}

TEST_F(SessionTest, analyzed_tables_are_estimated_by_what_was_counted) {
  run("CREATE TABLE f (a INT, b STRING, c ARRAY<INT>, d AS a + 1, ts TIMESTAMP(3), "
      "WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'filesystem', 'path' = '/f', 'format' = 'csv')");
  EXPECT_THAT(error("ANALYZE TABLE f COMPUTE STATISTICS"), HasSubstr("for batch mode only"));
  run("SET 'execution.runtime-mode' = 'batch'");
  const std::string equal = "EXPLAIN ESTIMATED_COST SELECT a FROM f WHERE b = 'x'";
  const std::string not_null = "EXPLAIN ESTIMATED_COST SELECT a FROM f WHERE b IS NOT NULL";
  EXPECT_EQ(estimated(text(equal)), "15000000");
  StatementResult result = run("ANALYZE TABLE f COMPUTE STATISTICS FOR COLUMNS b, c");
  const auto& job = std::get<AnalyzeJob>(result);
  // Rows, those where b is not NULL, values of b, rows where c is not NULL.
  ASSERT_EQ(job.query.schema->size(), 4);
  const Batch row = clepsydra::testing::batch_of(
      clepsydra::testing::schema_of("n BIGINT, b BIGINT, values_of_b BIGINT, c BIGINT"),
      {"1000 | 600 | 20 | 1000"});
  EXPECT_EQ(job.finish(&row).message, "Table 'f' has 1000 rows.");
  EXPECT_EQ(estimated(text("EXPLAIN ESTIMATED_COST SELECT a FROM f")), "1000");
  EXPECT_EQ(estimated(text(equal)), "50");
  EXPECT_EQ(estimated(text(not_null)), "600");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "f"));
  run("ALTER TABLE f ADD e INT");
  EXPECT_EQ(estimated(text(equal)), "15000000");
}

TEST_F(SessionTest, what_cannot_be_analyzed_is_refused_at_its_place) {
  run("SET 'execution.runtime-mode' = 'batch'");
  run("CREATE TABLE f (a INT, d AS a + 1, p STRING) PARTITIONED BY (p) "
      "WITH ('connector' = 'filesystem', 'path' = '/f', 'format' = 'csv')");
  run("CREATE TABLE g (a INT) WITH ('connector' = 'datagen')");
  run("CREATE VIEW v AS SELECT 1 AS a");
  EXPECT_THAT(error("ANALYZE TABLE f COMPUTE STATISTICS"),
              HasSubstr("column 15: table 'f' is partitioned: name the partitions"));
  EXPECT_THAT(error("ANALYZE TABLE f PARTITION (p) COMPUTE STATISTICS FOR COLUMNS a, z"),
              HasSubstr("column 65: column 'z' is not a column of table 'f'"));
  EXPECT_THAT(error("ANALYZE TABLE f PARTITION (p) COMPUTE STATISTICS FOR COLUMNS d"),
              HasSubstr("column 'd' is computed or metadata"));
  EXPECT_THAT(error("ANALYZE TABLE g COMPUTE STATISTICS"),
              HasSubstr("column 15: table 'g' cannot be read in batch mode"));
  EXPECT_THAT(error("ANALYZE TABLE v COMPUTE STATISTICS"), HasSubstr("'v' is a view"));
  EXPECT_THAT(error("ANALYZE TABLE nope COMPUTE STATISTICS"), HasSubstr("column 15"));
}

TEST_F(SessionTest, insert_job_names_targets_and_guarantee) {
  create_orders();
  run("CREATE TABLE p (a INT) WITH ('connector' = 'print')");
  run("CREATE TABLE b (a INT, c STRING) WITH ('connector' = 'blackhole')");
  const InsertJob one = insert("INSERT INTO b (c) SELECT product FROM orders");
  EXPECT_EQ(one.guarantee, "exactly-once");
  EXPECT_EQ(one.graph.name, "insert-into_default_catalog.default_database.b");
  EXPECT_TRUE(one.is_bounded);
  const InsertJob two = insert(
      "EXECUTE STATEMENT SET BEGIN INSERT INTO p SELECT amount FROM orders; "
      "INSERT INTO b SELECT amount, product FROM orders; END");
  EXPECT_THAT(two.targets, ElementsAre("default_catalog.default_database.p",
                                       "default_catalog.default_database.b"));
  EXPECT_EQ(two.guarantee, "at-least-once (sink 'p': the connector 'print' gives at-least-once)");
}

}  // namespace
}  // namespace clepsydra::sql::testing
