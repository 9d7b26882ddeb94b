// Every form of statement that the grammar knows, one line each: what is written, and its canonical
// text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/print.h"
#include "sql/grammar/parser.h"

namespace clepsydra {
namespace {

struct Form {
  std::string_view sql;
  std::string_view canonical = {};  // Empty: as written.
};

std::string printed(std::string_view sql) {
  const Result<ast::StatementPtr> statement = grammar::parse_statement(sql);
  if (!statement.is_ok()) return statement.status().to_string();
  return ast::to_sql(*statement.value());
}

// The canonical text is as expected, and parsing it changes nothing more.
void expect_forms(const std::vector<Form>& forms) {
  for (const Form& form : forms) {
    const std::string expected(form.canonical.empty() ? form.sql : form.canonical);
    EXPECT_EQ(printed(form.sql), expected) << "of " << form.sql;
    EXPECT_EQ(printed(expected), expected) << "again, of " << form.sql;
  }
}

TEST(StatementFormsTest, create_table_columns) {
  expect_forms({
      {"CREATE TABLE t (a INT)"},
      {"create table T (A int not null, `b` string null)",
       "CREATE TABLE T (A INT NOT NULL, b STRING)"},
      {"CREATE TABLE c.d.t (a INT COMMENT 'it''s') WITH ('connector' = 'print')"},
      {"CREATE TEMPORARY TABLE IF NOT EXISTS t (a INT)"},
      {"CREATE TABLE t (a INT, b AS a + 1, p AS PROCTIME() COMMENT 'now')"},
      {"CREATE TABLE t (a INT METADATA, b STRING METADATA FROM 'k' VIRTUAL, c INT METADATA "
       "VIRTUAL)"},
      {"CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)"},
      {"CREATE TABLE t (r ROW<ts TIMESTAMP(3)>, WATERMARK FOR r.ts AS r.ts)"},
      {"CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b) NOT ENFORCED)"},
      {"CREATE TABLE t (a INT, CONSTRAINT pk PRIMARY KEY (a) NOT ENFORCED, UNIQUE (a) NOT "
       "ENFORCED)"},
      {"CREATE TABLE t (a INT PRIMARY KEY NOT ENFORCED, b INT UNIQUE)"},
      {"CREATE TABLE t (a INT, PRIMARY KEY (a) ENFORCED)"},
      {"CREATE TABLE t (`user` STRING, `value` INT)"},
      {"CREATE TABLE t WITH ('connector' = 'datagen')"},
      {"CREATE TABLE t (a INT) WITH ()", "CREATE TABLE t (a INT)"},
  });
}

TEST(StatementFormsTest, create_table_clauses) {
  expect_forms({
      {"CREATE TABLE t (a INT) COMMENT 'x' PARTITIONED BY (a) WITH ('k' = 'v', 'l' = 'w')"},
      {"CREATE TABLE t (a INT) DISTRIBUTED BY HASH (a) INTO 4 BUCKETS"},
      {"CREATE TABLE t (a INT) DISTRIBUTED BY RANGE (a)"},
      {"CREATE TABLE t (a INT) DISTRIBUTED BY (a) INTO 2 BUCKETS PARTITIONED BY (a)"},
      {"CREATE TABLE t (a INT) DISTRIBUTED INTO 3 BUCKETS"},
      {"CREATE TABLE t LIKE s"},
      {"CREATE TABLE t (a INT) WITH ('k' = 'v') LIKE s (INCLUDING ALL EXCLUDING OPTIONS "
       "OVERWRITING "
       "WATERMARKS INCLUDING CONSTRAINTS EXCLUDING DISTRIBUTION INCLUDING GENERATED INCLUDING "
       "METADATA "
       "EXCLUDING PARTITIONS)"},
      {"CREATE TABLE t AS SELECT 1 AS a"},
      {"CREATE TABLE t (a, b) WITH ('k' = 'v') AS SELECT * FROM s"},
      {"CREATE TABLE t (b INT, WATERMARK FOR b AS b) AS SELECT * FROM s"},
      {"CREATE OR REPLACE TABLE t WITH ('k' = 'v') AS SELECT * FROM s"},
      {"REPLACE TABLE t AS SELECT * FROM s"},
  });
}

TEST(StatementFormsTest, create_other_objects) {
  expect_forms({
      {"CREATE VIEW v AS SELECT 1"},
      {"CREATE TEMPORARY VIEW IF NOT EXISTS v (a, b) COMMENT 'c' AS SELECT 1, 2"},
      {"CREATE CATALOG c WITH ('type' = 'generic_in_memory')"},
      {"CREATE CATALOG IF NOT EXISTS c COMMENT 'x' WITH ('type' = 'file')"},
      {"CREATE DATABASE d"},
      {"CREATE DATABASE IF NOT EXISTS c.d COMMENT 'x' WITH ('k' = 'v')"},
      {"CREATE FUNCTION f AS 'lib'"},
      {"CREATE TEMPORARY FUNCTION IF NOT EXISTS c.d.f AS 'lib' LANGUAGE PYTHON"},
      {"CREATE FUNCTION f AS 'f' LANGUAGE CPP USING ARTIFACT 'libf.so'"},
      {"CREATE TEMPORARY SYSTEM FUNCTION f AS 'lib' LANGUAGE JAVA USING JAR 'a.jar', ARTIFACT "
       "'b.so' "
       "WITH ('k' = 'v')"},
      {"CREATE MODEL m INPUT (a INT) OUTPUT (b STRING COMMENT 'x') COMMENT 'c' WITH ('provider' = "
       "'p')"},
      {"CREATE TEMPORARY MODEL IF NOT EXISTS m WITH ('provider' = 'p')"},
      {"CREATE MODEL m WITH ('provider' = 'p') AS SELECT * FROM t"},
      {"CREATE MATERIALIZED TABLE mt AS SELECT 1"},
      {"CREATE OR ALTER MATERIALIZED TABLE IF NOT EXISTS mt (PRIMARY KEY (a) NOT ENFORCED) COMMENT "
       "'c' "
       "DISTRIBUTED INTO 2 BUCKETS PARTITIONED BY (a) WITH ('k' = 'v') FRESHNESS = INTERVAL '3' "
       "MINUTE "
       "REFRESH_MODE = FULL START_MODE = FROM_NOW(INTERVAL '1' DAY) AS SELECT a FROM t"},
      {"CREATE MATERIALIZED TABLE mt REFRESH_MODE = CONTINUOUS START_MODE = "
       "RESUME_OR_FROM_BEGINNING AS "
       "SELECT 1"},
      {"CREATE MATERIALIZED TABLE mt START_MODE = FROM_TIMESTAMP(TIMESTAMP '2024-01-01 00:00:00') "
       "AS "
       "SELECT 1"},
      {"CREATE MATERIALIZED TABLE mt (a INT, b AS a + 1, WATERMARK FOR ts AS ts, PRIMARY KEY (a) "
       "NOT "
       "ENFORCED) AS SELECT a, ts FROM t"},
      {"CREATE MATERIALIZED TABLE mt (a, b) AS SELECT a, b FROM t"},
      {"CREATE MATERIALIZED TABLE mt FRESHNESS = INTERVAL '5' SECOND START_MODE = FROM_BEGINNING "
       "AS "
       "SELECT 1"},
      {"CREATE MATERIALIZED TABLE mt FRESHNESS = INTERVAL '1' DAY START_MODE = FROM_NOW AS SELECT "
       "1"},
      {"CREATE MATERIALIZED TABLE mt FRESHNESS = INTERVAL '1' HOUR START_MODE = "
       "RESUME_OR_FROM_NOW(INTERVAL '1' HOUR) AS SELECT 1"},
      {"CREATE MATERIALIZED TABLE mt START_MODE = RESUME_OR_FROM_TIMESTAMP(TIMESTAMP '2024-01-01 "
       "00:00:00') AS SELECT 1"},
      {"CREATE FUNCTION f AS 'lib' LANGUAGE SCALA USING ARTIFACT 'a.so', JAR 'b.jar'"},
      {"CREATE CONNECTION c WITH ('type' = 'jdbc')"},
      {"CREATE TEMPORARY SYSTEM CONNECTION IF NOT EXISTS c COMMENT 'x' WITH ('type' = 'jdbc')"},
  });
}

TEST(StatementFormsTest, alter_table) {
  expect_forms({
      {"ALTER TABLE t RENAME TO c.d.u"},
      {"ALTER TABLE IF EXISTS t RENAME a TO b"},
      {"ALTER TABLE t RENAME r.a TO b"},
      {"ALTER TABLE t ADD a INT FIRST", "ALTER TABLE t ADD (a INT FIRST)"},
      {"ALTER TABLE t ADD COLUMN a INT NOT NULL AFTER b",
       "ALTER TABLE t ADD (a INT NOT NULL AFTER b)"},
      {"ALTER TABLE t ADD (a INT METADATA FROM 'k' VIRTUAL AFTER b, c AS a + 1 FIRST, PRIMARY KEY "
       "(a) NOT "
       "ENFORCED, WATERMARK FOR ts AS ts)"},
      {"ALTER TABLE t ADD WATERMARK FOR ts AS ts", "ALTER TABLE t ADD (WATERMARK FOR ts AS ts)"},
      {"ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a) NOT ENFORCED",
       "ALTER TABLE t ADD (CONSTRAINT k PRIMARY KEY (a) NOT ENFORCED)"},
      {"ALTER TABLE t ADD DISTRIBUTION BY HASH (a) INTO 4 BUCKETS"},
      {"ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = 1, b = 'x') WITH ('k' = 'v') PARTITION (a = "
       "2)"},
      {"ALTER TABLE t MODIFY a BIGINT AFTER b", "ALTER TABLE t MODIFY (a BIGINT AFTER b)"},
      {"ALTER TABLE t MODIFY (a BIGINT COMMENT 'x', WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)"},
      {"ALTER TABLE t MODIFY DISTRIBUTION INTO 7 BUCKETS"},
      {"ALTER TABLE t DROP a", "ALTER TABLE t DROP (a)"},
      {"ALTER TABLE t DROP (a, r.b)"},
      {"ALTER TABLE t DROP PRIMARY KEY"},
      {"ALTER TABLE t DROP CONSTRAINT k"},
      {"ALTER TABLE t DROP WATERMARK"},
      {"ALTER TABLE t DROP DISTRIBUTION"},
      {"ALTER TABLE t DROP IF EXISTS PARTITION (a = 1), PARTITION (a = 2)"},
      {"ALTER TABLE t PARTITION (a = 1) RENAME TO PARTITION (a = 2)"},
      {"ALTER TABLE t SET ('k' = 'v', 'l' = 'w')"},
      {"ALTER TABLE t RESET ('k', 'l')"},
  });
}

TEST(StatementFormsTest, alter_other_objects) {
  expect_forms({
      {"ALTER CATALOG c SET ('k' = 'v')"},
      {"ALTER CATALOG c RESET ('k')"},
      {"ALTER CATALOG c COMMENT 'x'"},
      {"ALTER DATABASE c.d SET ('k' = 'v')"},
      {"ALTER VIEW v RENAME TO w"},
      {"ALTER VIEW v SET ('k' = 'v')"},
      {"ALTER VIEW v RESET ('k')"},
      {"ALTER VIEW v AS SELECT 1"},
      {"ALTER FUNCTION f AS 'lib'"},
      {"ALTER TEMPORARY SYSTEM FUNCTION IF EXISTS f AS 'lib' LANGUAGE SCALA"},
      {"ALTER MODEL IF EXISTS m SET ('k' = 'v')"},
      {"ALTER MODEL m RESET ('k')"},
      {"ALTER MODEL m RENAME TO n"},
      {"ALTER CONNECTION c SET ('k' = 'v')"},
      {"ALTER TEMPORARY CONNECTION c RESET ('k')"},
      {"ALTER CONNECTION c RENAME TO d"},
      {"ALTER MATERIALIZED TABLE mt SUSPEND"},
      {"ALTER MATERIALIZED TABLE mt RESUME"},
      {"ALTER MATERIALIZED TABLE mt RESUME WITH ('k' = 'v')"},
      {"ALTER MATERIALIZED TABLE mt REFRESH"},
      {"ALTER MATERIALIZED TABLE mt REFRESH PARTITION (a = 1)"},
      {"ALTER MATERIALIZED TABLE mt AS SELECT 1"},
      {"ALTER MATERIALIZED TABLE mt SET FRESHNESS = INTERVAL '1' HOUR"},
      {"ALTER MATERIALIZED TABLE mt SET REFRESH_MODE = FULL"},
      {"ALTER MATERIALIZED TABLE mt SET ('k' = 'v')"},
      {"ALTER MATERIALIZED TABLE mt RESET ('k')"},
      {"ALTER MATERIALIZED TABLE mt ADD (a INT)"},
      {"ALTER MATERIALIZED TABLE mt MODIFY (a BIGINT)"},
      {"ALTER MATERIALIZED TABLE mt DROP (a)"},
      {"ALTER MATERIALIZED TABLE mt ADD DISTRIBUTION BY (a)"},
      {"ALTER MATERIALIZED TABLE mt DROP DISTRIBUTION"},
      {"ALTER MATERIALIZED TABLE mt MODIFY DISTRIBUTION BY RANGE (a) INTO 2 BUCKETS"},
      {"ALTER MATERIALIZED TABLE mt ADD (PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR ts AS ts)"},
      {"ALTER MATERIALIZED TABLE mt DROP PRIMARY KEY"},
      {"ALTER MATERIALIZED TABLE mt DROP WATERMARK"},
      {"ALTER MATERIALIZED TABLE mt SET REFRESH_MODE = CONTINUOUS"},
      {"ALTER DATABASE d RESET ('k')"},
      {"ALTER TEMPORARY FUNCTION f AS 'lib' LANGUAGE JAVA"},
      {"ALTER FUNCTION f AS 'g' LANGUAGE CPP"},
      {"ALTER VIEW IF EXISTS v RENAME TO w"},
  });
}

TEST(StatementFormsTest, drop) {
  expect_forms({
      {"DROP TABLE t"},
      {"DROP TEMPORARY TABLE IF EXISTS c.d.t"},
      {"DROP VIEW v"},
      {"DROP TEMPORARY VIEW IF EXISTS v"},
      {"DROP CATALOG IF EXISTS c"},
      {"DROP DATABASE d"},
      {"DROP DATABASE IF EXISTS c.d RESTRICT"},
      {"DROP DATABASE d CASCADE"},
      {"DROP FUNCTION f"},
      {"DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f"},
      {"DROP TEMPORARY MODEL IF EXISTS m"},
      {"DROP MATERIALIZED TABLE IF EXISTS mt"},
      {"DROP TEMPORARY SYSTEM CONNECTION c"},
      {"DROP CATALOG c"},
      {"DROP MODEL m"},
      {"DROP TEMPORARY FUNCTION c.d.f"},
      {"DROP MATERIALIZED TABLE mt"},
      {"DROP CONNECTION IF EXISTS c"},
  });
}

TEST(StatementFormsTest, show) {
  expect_forms({
      {"SHOW TABLES"},
      {"SHOW TABLES FROM c.d NOT LIKE 'a%'"},
      {"SHOW TABLES IN d LIKE 'x'", "SHOW TABLES FROM d LIKE 'x'"},
      {"SHOW VIEWS"},
      {"SHOW MATERIALIZED TABLES FROM d LIKE 'a%'"},
      {"SHOW CATALOGS LIKE 'a%'"},
      {"SHOW CURRENT CATALOG"},
      {"SHOW CURRENT DATABASE"},
      {"SHOW DATABASES FROM c NOT ILIKE 'a%'"},
      {"SHOW FUNCTIONS"},
      {"SHOW USER FUNCTIONS FROM d ILIKE 'a%'"},
      {"SHOW PROCEDURES FROM d NOT LIKE 'a%'"},
      {"SHOW MODELS LIKE 'a%'"},
      {"SHOW CONNECTIONS"},
      {"SHOW MODULES"},
      {"SHOW FULL MODULES"},
      {"SHOW COLUMNS FROM c.d.t LIKE 'a%'"},
      {"SHOW COLUMNS IN t", "SHOW COLUMNS FROM t"},
      {"SHOW PARTITIONS t"},
      {"SHOW PARTITIONS t PARTITION (a = 1, b)"},
      {"SHOW JARS"},
      {"SHOW JOBS"},
      {"SHOW CREATE TABLE t"},
      {"SHOW CREATE VIEW v"},
      {"SHOW CREATE CATALOG c"},
      {"SHOW CREATE MODEL m"},
      {"SHOW CREATE MATERIALIZED TABLE mt"},
      {"SHOW CREATE CONNECTION c"},
      {"SHOW VIEWS FROM c.d NOT LIKE 'a%'"},
      {"SHOW CATALOGS ILIKE 'a%'"},
      {"SHOW DATABASES IN c", "SHOW DATABASES FROM c"},
      {"SHOW FUNCTIONS IN c.d NOT ILIKE 'a%'", "SHOW FUNCTIONS FROM c.d NOT ILIKE 'a%'"},
      {"SHOW MODELS FROM c.d"},
      {"SHOW PROCEDURES IN c.d ILIKE 'a%'", "SHOW PROCEDURES FROM c.d ILIKE 'a%'"},
      {"SHOW COLUMNS FROM t NOT LIKE 'a%'"},
      {"SHOW USER FUNCTIONS"},
  });
}

TEST(StatementFormsTest, describe) {
  expect_forms({
      {"DESCRIBE t"},
      {"DESC EXTENDED c.d.t", "DESCRIBE EXTENDED c.d.t"},
      {"DESCRIBE CATALOG EXTENDED c"},
      {"DESCRIBE DATABASE d"},
      {"DESC DATABASE EXTENDED c.d", "DESCRIBE DATABASE EXTENDED c.d"},
      {"DESCRIBE FUNCTION EXTENDED f"},
      {"DESCRIBE MODEL m"},
      {"DESCRIBE CONNECTION c"},
      {"DESCRIBE JOB 'abc'"},
      {"DESC c.d.t", "DESCRIBE c.d.t"},
      {"DESC CATALOG c", "DESCRIBE CATALOG c"},
      {"DESC FUNCTION c.d.f", "DESCRIBE FUNCTION c.d.f"},
      {"DESC MODEL m", "DESCRIBE MODEL m"},
      {"DESCRIBE model", "DESCRIBE `model`"},
  });
}

TEST(StatementFormsTest, session) {
  expect_forms({
      {"SET"},
      {"SET 'a.b' = 'it''s'"},
      {"RESET"},
      {"RESET 'a.b'"},
      {"USE CATALOG c"},
      {"USE c.d"},
      {"USE MODULES core, hive"},
      {"LOAD MODULE m WITH ('k' = 'v')"},
      {"UNLOAD MODULE m"},
      {"ADD JAR '/a.jar'"},
      {"REMOVE JAR '/a.jar'"},
      {"STOP JOB 'x'"},
      {"STOP JOB 'x' WITH SAVEPOINT"},
      {"USE MODULES core"},
      {"LOAD MODULE m"},
      {"USE d"},
      {"STOP JOB 'x' WITH SAVEPOINT WITH DRAIN"},
      {"CALL c.d.p(1, name => 'x')"},
      {"CALL p()"},
      {"QUIT"},
      {"EXIT;", "QUIT"},
      {"CLEAR"},
      {"HELP"},
  });
}

TEST(StatementFormsTest, insert_update_delete) {
  expect_forms({
      {"INSERT INTO t SELECT * FROM s"},
      {"INSERT INTO c.d.t (a, b) VALUES (1, 'x'), (2, 'y')"},
      {"INSERT INTO t VALUES 1, 2", "INSERT INTO t VALUES (1), (2)"},
      {"INSERT INTO t (SELECT 1)", "INSERT INTO t SELECT 1"},
      {"INSERT OVERWRITE t PARTITION (a = 1, b) (c) SELECT c FROM s"},
      {"INSERT INTO t /*+ OPTIONS('k' = 'v') */ SELECT 1"},
      {"INSERT INTO t WITH a AS (SELECT 1) SELECT * FROM a"},
      {"INSERT INTO t SELECT 1 ON CONFLICT DO ERROR"},
      {"INSERT INTO t SELECT 1 ON CONFLICT DO NOTHING"},
      {"INSERT INTO t VALUES (1) ON CONFLICT DO DEDUPLICATE"},
      {"EXECUTE INSERT INTO t SELECT 1"},
      {"UPDATE t SET a = a + 1, b = DEFAULT WHERE a > 1"},
      {"UPDATE t AS x SET a = 1"},
      {"DELETE FROM t WHERE a = 1"},
      {"DELETE FROM t"},
      {"TRUNCATE TABLE t"},
      {"ANALYZE TABLE t COMPUTE STATISTICS"},
      {"ANALYZE TABLE t PARTITION (a = 1) COMPUTE STATISTICS FOR COLUMNS a, b"},
      {"ANALYZE TABLE t COMPUTE STATISTICS FOR ALL COLUMNS"},
  });
}

TEST(StatementFormsTest, statement_sets_and_plans) {
  expect_forms({
      {"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END"},
      {"BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END;",
       "STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXPLAIN SELECT 1"},
      {"EXPLAIN PLAN FOR SELECT 1", "EXPLAIN SELECT 1"},
      {"EXPLAIN AST SELECT 1", "EXPLAIN SELECT 1"},
      {"EXPLAIN ESTIMATED_COST, CHANGELOG_MODE, PLAN_ADVICE, JSON_EXECUTION_PLAN INSERT INTO t "
       "SELECT 1"},
      {"EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXPLAIN CREATE TABLE t AS SELECT 1"},
      {"COMPILE PLAN 'p.json' FOR INSERT INTO t SELECT 1"},
      {"COMPILE PLAN 'p.json' IF NOT EXISTS FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXECUTE PLAN 'p.json'"},
      {"COMPILE AND EXECUTE PLAN 'p.json' FOR INSERT INTO t SELECT 1"},
      {"EXECUTE SELECT 1"},
      {"COMPILE AND EXECUTE PLAN 'p.json' FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXPLAIN PLAN FOR INSERT INTO t SELECT 1", "EXPLAIN INSERT INTO t SELECT 1"},
      {"EXPLAIN CHANGELOG_MODE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
      {"EXPLAIN ESTIMATED_COST (SELECT 1)", "EXPLAIN ESTIMATED_COST SELECT 1"},
  });
}

TEST(StatementFormsTest, select_clauses) {
  expect_forms({
      {"SELECT 1"},
      {"SELECT ALL a, b AS x, t.*, c.d.t.* FROM t", "SELECT a, b AS x, t.*, c.d.t.* FROM t"},
      {"SELECT DISTINCT a x FROM t y", "SELECT DISTINCT a AS x FROM t AS y"},
      {"SELECT * FROM t WHERE a > 1 GROUP BY a, b HAVING COUNT(*) > 1 ORDER BY a ASC, b DESC NULLS "
       "LAST"},
      {"SELECT a FROM t GROUP BY ()"},
      {"SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (a), ()), ROLLUP (a, (b, c)), CUBE (a, b)",
       "SELECT a FROM t GROUP BY GROUPING SETS ((a, b), a, ()), ROLLUP (a, (b, c)), CUBE (a, b)"},
      {"SELECT a FROM t GROUP BY DISTINCT a"},
      {"SELECT SUM(a) OVER w FROM t WINDOW w AS (PARTITION BY b ORDER BY c), v AS (w)"},
      {"SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1"},
      {"SELECT a FROM t LIMIT 3 OFFSET 2"},
      {"SELECT a FROM t OFFSET 2 ROWS FETCH FIRST 3 ROWS ONLY", "SELECT a FROM t LIMIT 3 OFFSET 2"},
      {"SELECT a FROM t FETCH NEXT 1 ROW ONLY", "SELECT a FROM t LIMIT 1"},
      {"SELECT a FROM t LIMIT ALL", "SELECT a FROM t"},
      {"SELECT /*+ BROADCAST(a), LOOKUP('table' = 'b', 'async' = 'true') */ a FROM b",
       "SELECT /*+ BROADCAST('a'), LOOKUP('table' = 'b', 'async' = 'true') */ a FROM b"},
      {"SELECT /*+ STATE_TTL('a' = '1d', 'b' = '2h') */ a FROM b"},
      {"SELECT /*+ MULTI_JOIN(a, b, c) */ a FROM b",
       "SELECT /*+ MULTI_JOIN('a', 'b', 'c') */ a FROM b"},
      {"SELECT /*+ SHUFFLE_HASH(a), SHUFFLE_MERGE(b), NEST_LOOP(c) */ a FROM b",
       "SELECT /*+ SHUFFLE_HASH('a'), SHUFFLE_MERGE('b'), NEST_LOOP('c') */ a FROM b"},
      {"SELECT a FROM t WHERE a IN (SELECT b FROM s) AND EXISTS (SELECT 1 FROM s WHERE s.b = t.a)"},
      {"WITH a AS (SELECT 1), b (x) AS (SELECT 2) SELECT * FROM a, b"},
      {"VALUES (1, 2), (3, 4)"},
      {"VALUES ROW(ROW(1, 2)), ROW((3, 4))", "VALUES ROW(ROW(1, 2)), ROW((3, 4))"},
      {"TABLE t"},
  });
}

TEST(StatementFormsTest, set_operations) {
  expect_forms({
      {"SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"},
      {"SELECT 1 UNION DISTINCT SELECT 2", "SELECT 1 UNION SELECT 2"},
      {"SELECT 1 EXCEPT ALL SELECT 2"},
      // INTERSECT binds tighter; otherwise from left to right.
      {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3",
       "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"},
      {"SELECT 1 UNION SELECT 2 UNION ALL SELECT 3",
       "(SELECT 1 UNION SELECT 2) UNION ALL SELECT 3"},
      {"SELECT 1 UNION (SELECT 2 EXCEPT SELECT 3)"},
      {"((SELECT 1) UNION (SELECT 2)) ORDER BY 1 LIMIT 1",
       "SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1"},
      {"(SELECT 1 LIMIT 1) UNION ALL SELECT 2"},
      {"(SELECT a FROM t ORDER BY a LIMIT 5) ORDER BY b"},
      {"SELECT ((SELECT 1) UNION (SELECT 2))", "SELECT (SELECT 1 UNION SELECT 2)"},
      {"SELECT * FROM ((SELECT 1) UNION (SELECT 2)) AS u",
       "SELECT * FROM (SELECT 1 UNION SELECT 2) AS u"},
  });
}

TEST(StatementFormsTest, from_items) {
  expect_forms({
      {"SELECT * FROM c.d.t AS x (a, b)"},
      {"SELECT * FROM (SELECT 1) AS x (a)"},
      {"SELECT * FROM (VALUES (1)) AS x (a), t"},
      {"SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x) CROSS JOIN d"},
      {"SELECT * FROM a INNER JOIN b ON TRUE RIGHT OUTER JOIN c ON TRUE FULL OUTER JOIN d ON TRUE",
       "SELECT * FROM a JOIN b ON TRUE RIGHT JOIN c ON TRUE FULL JOIN d ON TRUE"},
      {"SELECT * FROM a NATURAL JOIN b NATURAL LEFT JOIN c"},
      {"SELECT * FROM a JOIN (b JOIN c ON TRUE) ON TRUE"},
      {"SELECT * FROM ((a JOIN b ON TRUE))", "SELECT * FROM a JOIN b ON TRUE"},
      {"SELECT * FROM a, b JOIN c ON TRUE"},
      {"SELECT * FROM t /*+ OPTIONS('k' = 'v') */ AS x"},
      {"SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r ON o.k = r.k"},
      {"SELECT * FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01 00:00:00'"},
      {"SELECT * FROM t TABLESAMPLE BERNOULLI(10)"},
      {"SELECT * FROM t AS x TABLESAMPLE SYSTEM(5) REPEATABLE(3)"},
      {"SELECT * FROM a CROSS JOIN UNNEST(a.xs) WITH ORDINALITY AS u (x, i)"},
      {"SELECT * FROM a, LATERAL TABLE(f(a.x)) AS u (x)"},
      {"SELECT * FROM a LEFT JOIN LATERAL TABLE(f(a.x)) ON TRUE"},
      {"SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x) AS l"},
      {"SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE))"},
      {"SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' "
       "MINUTES, "
       "SIZE => INTERVAL '10' MINUTES))",
       "SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '5' "
       "MINUTE, "
       "SIZE => INTERVAL '10' MINUTE))"},
      {"SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE))",
       "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY (k), DESCRIPTOR(ts), INTERVAL '5' "
       "MINUTE))"},
      {"SELECT * FROM f(input => TABLE t PARTITION BY (a, b) ORDER BY c DESC, uid => 'x')",
       "SELECT * FROM f(input => TABLE t PARTITION BY (a, b) ORDER BY (c DESC), uid => 'x')"},
      {"SELECT * FROM f((SELECT 1) PARTITION BY a)",
       "SELECT * FROM f(TABLE (SELECT 1) PARTITION BY (a))"},
      {"SELECT * FROM a, LATERAL TABLE(VECTOR_SEARCH(TABLE v, DESCRIPTOR(e), a.q, 10, MAP['k', "
       "'v']))"},
      {"SELECT * FROM TO_CHANGELOG(input => TABLE t)"},
      {"SELECT * FROM FROM_CHANGELOG(input => TABLE t PARTITION BY (k), op => DESCRIPTOR(o))"},
      {"SELECT * FROM f(a => TABLE t PARTITION BY (x), b => TABLE s PARTITION BY (y), on_time => "
       "DESCRIPTOR(ts))"},
      {"SELECT * FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' "
       "HOUR, "
       "INTERVAL '5' SECOND))"},
      {"SELECT * FROM ML_PREDICT(TABLE t, MODEL c.m, DESCRIPTOR(a, b), MAP['k', 'v'])"},
  });
}

TEST(StatementFormsTest, match_recognize) {
  expect_forms({
      {"SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts MEASURES A.ts AS a, LAST(B.p) "
       "AS b "
       "ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C*? D{2,3} E?) WITHIN "
       "INTERVAL '1' "
       "HOUR DEFINE A AS A.p > 1, B AS B.p > PREV(B.p)) AS m",
       "SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY s ORDER BY ts MEASURES A.ts AS a, "
       "LAST(B.p) AS b "
       "ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW PATTERN (A B+ C*? D{2,3} E?) WITHIN "
       "INTERVAL "
       "'1' HOUR DEFINE A AS A.p > 1, B AS B.p > PREV(B.p)) AS m"},
      {"SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN "
       "(B{2} | "
       "C{2,} | D{,4}) DEFINE B AS TRUE)",
       "SELECT * FROM t MATCH_RECOGNIZE (ALL ROWS PER MATCH AFTER MATCH SKIP TO NEXT ROW PATTERN "
       "(B{2} | "
       "C{2,} | D{0,4}) DEFINE B AS TRUE)"},
      {"SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO FIRST B PATTERN (^ (B C)+ $) DEFINE B "
       "AS TRUE)"},
      {"SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO LAST B PATTERN ({- B -} C) DEFINE B "
       "AS TRUE)"},
      {"SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO B PATTERN (PERMUTE(B, C) ()) SUBSET S "
       "= (B, C) "
       "DEFINE B AS FINAL LAST(B.p) > RUNNING FIRST(B.p))",
       "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO B PATTERN (PERMUTE(B, C) ()) SUBSET S "
       "= (B, C) "
       "DEFINE B AS FINAL LAST(B.p) > RUNNING FIRST(B.p))"},
  });
}

}  // namespace
}  // namespace clepsydra
