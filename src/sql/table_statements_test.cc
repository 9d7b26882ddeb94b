// CREATE TABLE LIKE and AS, ALTER TABLE, ALTER VIEW.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class TableStatementsTest : public SessionTest {
 protected:
  // id INT (key), name STRING, twice AS, ts with watermark.
  void create_base() {
    run("CREATE TABLE base (id INT, name STRING COMMENT 'n', twice AS id * 2, ts TIMESTAMP(3), "
        "WATERMARK FOR ts AS ts - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'b' "
        "WITH ('connector' = 'datagen', 'rows-per-second' = '7')");
  }
  std::vector<std::string> columns(const std::string& table) {
    std::vector<std::string> lines = rows("SHOW COLUMNS FROM " + table);
    for (std::string& line : lines) {
      const std::size_t end = line.find(" | ", line.find(" | ") + 3);
      line.resize(end);
    }
    lines.erase(lines.begin());
    return lines;
  }
};

// --- LIKE

TEST_F(TableStatementsTest, like_takes_everything_but_the_comment) {
  create_base();
  run("CREATE TABLE t LIKE base");
  EXPECT_EQ(text("SHOW CREATE TABLE t"),
            "CREATE TABLE `default_catalog`.`default_database`.`t` (\n"
            "  `id` INT NOT NULL,\n"
            "  `name` STRING COMMENT 'n',\n"
            "  `twice` AS id * 2,\n"
            "  `ts` TIMESTAMP(3),\n"
            "  WATERMARK FOR `ts` AS ts - INTERVAL '5' SECOND,\n"
            "  CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED\n"
            ")\n"
            "WITH (\n"
            "  'connector' = 'datagen',\n"
            "  'rows-per-second' = '7'\n"
            ")\n");
}

TEST_F(TableStatementsTest, like_adds_columns_and_overwrites_options) {
  create_base();
  run("CREATE TABLE t (more AS id + twice_the_time, twice_the_time INT) "
      "WITH ('rows-per-second' = '9') LIKE base (EXCLUDING GENERATED)");
  EXPECT_THAT(columns("t"), ElementsAre("id | INT", "name | STRING", "ts | TIMESTAMP(3) *ROWTIME*",
                                        "more | INT", "twice_the_time | INT"));
  EXPECT_THAT(text("SHOW CREATE TABLE t"), HasSubstr("'rows-per-second' = '9'"));
}

TEST_F(TableStatementsTest, like_excludes_and_overwrites_what_it_is_told) {
  create_base();
  run("CREATE TABLE a WITH ('connector' = 'print') LIKE base (EXCLUDING ALL)");
  EXPECT_EQ(text("SHOW CREATE TABLE a"),
            "CREATE TABLE `default_catalog`.`default_database`.`a` (\n"
            "  `id` INT NOT NULL,\n"
            "  `name` STRING COMMENT 'n',\n"
            "  `ts` TIMESTAMP(3)\n"
            ")\n"
            "WITH (\n"
            "  'connector' = 'print'\n"
            ")\n");
  run("CREATE TABLE b (twice AS id * 3, WATERMARK FOR ts AS ts) WITH ('rows-per-second' = '1') "
      "LIKE base (OVERWRITING GENERATED OVERWRITING WATERMARKS EXCLUDING CONSTRAINTS)");
  EXPECT_THAT(text("SHOW CREATE TABLE b"), HasSubstr("`twice` AS id * 3"));
  EXPECT_THAT(text("SHOW CREATE TABLE b"), HasSubstr("WATERMARK FOR `ts` AS ts\n"));
  EXPECT_THAT(text("SHOW CREATE TABLE b"), Not(HasSubstr("PRIMARY KEY")));
}

TEST_F(TableStatementsTest, like_names_what_collides) {
  create_base();
  EXPECT_THAT(error("CREATE TABLE t LIKE nosuch"),
              HasSubstr("NotFound: line 1, column 21: table 'nosuch' does not exist"));
  EXPECT_THAT(error("CREATE TABLE t (id INT) LIKE base"),
              HasSubstr("line 1, column 17: the source table has a column 'id' already"));
  EXPECT_THAT(error("CREATE TABLE t (twice AS id) LIKE base"),
              HasSubstr("hint: write EXCLUDING GENERATED or OVERWRITING GENERATED"));
  EXPECT_THAT(error("CREATE TABLE t (WATERMARK FOR ts AS ts) LIKE base"),
              HasSubstr("the source table has a watermark already"));
  EXPECT_THAT(error("CREATE TABLE t (PRIMARY KEY (name) NOT ENFORCED) LIKE base"),
              HasSubstr("hint: write EXCLUDING CONSTRAINTS"));
  EXPECT_THAT(
      error("CREATE TABLE t WITH ('rows-per-second' = '1') LIKE base (INCLUDING OPTIONS)"),
      HasSubstr("line 1, column 22: the source table has option 'rows-per-second' already"));
  EXPECT_THAT(error("CREATE TABLE t LIKE base (OVERWRITING CONSTRAINTS)"),
              HasSubstr("line 1, column 27: only GENERATED, METADATA, OPTIONS and WATERMARKS"));
  EXPECT_THAT(error("CREATE TABLE t LIKE base (INCLUDING ALL EXCLUDING ALL)"),
              HasSubstr("each part can be given once only"));
  run("CREATE VIEW v AS SELECT 1 AS a");
  EXPECT_THAT(error("CREATE TABLE t LIKE v"), HasSubstr("'v' is a view"));
  // The generated column needs what was left out... nothing: what is wrong lies in the source.
  EXPECT_THAT(error("CREATE TABLE t (a INT) WITH ('nosuch' = 'x') LIKE base"),
              HasSubstr("line 1, column 30"));
}

// --- AS SELECT

TEST_F(TableStatementsTest, table_as_select_is_created_and_filled) {
  create_base();
  const InsertJob job =
      insert("CREATE TABLE t WITH ('connector' = 'blackhole') AS SELECT id, name AS who FROM base");
  EXPECT_THAT(job.targets, ElementsAre("default_catalog.default_database.t"));
  EXPECT_THAT(columns("t"), ElementsAre("id | INT", "who | STRING"));
}

TEST_F(TableStatementsTest, declared_columns_come_first_and_types_are_the_declared_ones) {
  create_base();
  insert(
      "CREATE TABLE t (note STRING, id BIGINT, thrice AS id * 3, "
      "WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'blackhole') "
      "AS SELECT id, name, ts FROM base");
  EXPECT_THAT(columns("t"), ElementsAre("note | STRING", "thrice | BIGINT", "id | BIGINT",
                                        "name | STRING", "ts | TIMESTAMP(3) *ROWTIME*"));
}

TEST_F(TableStatementsTest, names_alone_order_the_columns_of_the_query) {
  create_base();
  insert("CREATE TABLE t (name, id) WITH ('connector' = 'blackhole') AS SELECT id, name FROM base");
  EXPECT_THAT(columns("t"), ElementsAre("name | STRING", "id | INT"));
  EXPECT_THAT(error("CREATE TABLE u (name, x) WITH ('connector' = 'blackhole') AS SELECT id, name "
                    "FROM base"),
              HasSubstr("line 1, column 23: the query has no column 'x'"));
  EXPECT_THAT(error("CREATE TABLE u (name) WITH ('connector' = 'blackhole') AS SELECT id, name "
                    "FROM base"),
              HasSubstr("1 columns are named, but the query has 2"));
}

TEST_F(TableStatementsTest, no_table_is_left_when_table_as_select_fails) {
  create_base();
  EXPECT_THAT(error("CREATE TABLE t WITH ('connector' = 'nosuch') AS SELECT id FROM base"),
              HasSubstr("nosuch"));
  EXPECT_THAT(error("CREATE TABLE t AS SELECT 1 AS a"), HasSubstr("connector"));
  EXPECT_THAT(error("CREATE TABLE t WITH ('connector' = 'datagen') AS SELECT id FROM base"),
              HasSubstr("cannot be written"));
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "base"));
  EXPECT_THAT(error("CREATE TABLE base WITH ('connector' = 'print') AS SELECT 1 AS a"),
              HasSubstr("AlreadyExists: line 1, column 14"));
  text("EXPLAIN CREATE TABLE t WITH ('connector' = 'print') AS SELECT id FROM base");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "base"));
}

TEST_F(TableStatementsTest, replace_table_as_select) {
  create_base();
  EXPECT_THAT(error("REPLACE TABLE t WITH ('connector' = 'print') AS SELECT 1 AS a"),
              HasSubstr("NotFound: line 1, column 15: table 't' does not exist"));
  insert("CREATE OR REPLACE TABLE t WITH ('connector' = 'print') AS SELECT 1 AS a");
  insert("REPLACE TABLE t WITH ('connector' = 'print') AS SELECT 'x' AS b");
  EXPECT_THAT(columns("t"), ElementsAre("b | CHAR(1)"));
  // What cannot replace leaves the old one.
  error("REPLACE TABLE t WITH ('connector' = 'datagen') AS SELECT 2 AS c");
  EXPECT_THAT(columns("t"), ElementsAre("b | CHAR(1)"));
}

// --- ALTER TABLE

TEST_F(TableStatementsTest, columns_are_added_in_their_places) {
  create_base();
  run("ALTER TABLE base ADD (a INT FIRST, b STRING AFTER id, c AS a + id)");
  EXPECT_THAT(columns("base"),
              ElementsAre("a | INT", "id | INT", "b | STRING", "name | STRING", "twice | INT",
                          "ts | TIMESTAMP(3) *ROWTIME*", "c | INT"));
  EXPECT_THAT(text("SHOW CREATE TABLE base"), HasSubstr(") COMMENT 'b'"));
  EXPECT_THAT(error("ALTER TABLE base ADD (x FOO)"), HasSubstr("line 1, column 25"));
  EXPECT_THAT(error("ALTER TABLE base ADD name INT"),
              HasSubstr("line 1, column 22: the table has a column 'name' already"));
  EXPECT_THAT(error("ALTER TABLE base ADD x INT AFTER nme"),
              HasSubstr("hint: did you mean 'name'?"));
  EXPECT_THAT(error("ALTER TABLE base ADD x AS nosuch + 1"), HasSubstr("line 1, column 27"));
  EXPECT_THAT(error("ALTER TABLE base ADD PRIMARY KEY (name) NOT ENFORCED"),
              HasSubstr("the table has the primary key 'PK_id' already"));
  EXPECT_THAT(error("ALTER TABLE base ADD WATERMARK FOR ts AS ts"),
              HasSubstr("the table has a watermark already"));
}

TEST_F(TableStatementsTest, columns_are_modified_where_they_stand) {
  create_base();
  run("ALTER TABLE base MODIFY name BIGINT");
  run("ALTER TABLE base MODIFY (id BIGINT COMMENT 'key' AFTER name, "
      "WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)");
  EXPECT_THAT(columns("base"), ElementsAre("name | BIGINT", "id | BIGINT", "twice | BIGINT",
                                           "ts | TIMESTAMP(3) *ROWTIME*"));
  const std::string created = text("SHOW CREATE TABLE base");
  EXPECT_THAT(created, HasSubstr("`name` BIGINT COMMENT 'n'"));
  EXPECT_THAT(created, HasSubstr("`id` BIGINT NOT NULL COMMENT 'key'"));
  EXPECT_THAT(created, HasSubstr("WATERMARK FOR `ts` AS ts - INTERVAL '1' SECOND"));
  run("ALTER TABLE base MODIFY CONSTRAINT k PRIMARY KEY (name) NOT ENFORCED");
  EXPECT_THAT(text("SHOW CREATE TABLE base"),
              HasSubstr("CONSTRAINT `k` PRIMARY KEY (`name`) NOT ENFORCED"));
  EXPECT_THAT(error("ALTER TABLE base MODIFY nosuch INT"),
              HasSubstr("NotFound: line 1, column 25: the table has no column 'nosuch'"));
  // What reads the column no longer fits: shown at the table, with the text that fails.
  EXPECT_THAT(error("ALTER TABLE base MODIFY ts STRING"), HasSubstr("line 1, column 13"));
}

TEST_F(TableStatementsTest, columns_are_dropped_unless_something_reads_them) {
  create_base();
  run("ALTER TABLE base DROP name");
  EXPECT_THAT(columns("base"),
              ElementsAre("id | INT", "twice | INT", "ts | TIMESTAMP(3) *ROWTIME*"));
  EXPECT_THAT(error("ALTER TABLE base DROP nosuch"),
              HasSubstr("NotFound: line 1, column 23: the table has no column 'nosuch'"));
  EXPECT_THAT(error("ALTER TABLE base DROP id"),
              HasSubstr("column 'id' is used by computed column 'twice'"));
  EXPECT_THAT(error("ALTER TABLE base DROP (id, twice)"), HasSubstr("used by the primary key"));
  EXPECT_THAT(error("ALTER TABLE base DROP ts"), HasSubstr("used by the watermark"));
  EXPECT_THAT(error("ALTER TABLE base DROP (twice, twice)"), HasSubstr("dropped twice"));
  run("ALTER TABLE base DROP WATERMARK");
  run("ALTER TABLE base DROP CONSTRAINT PK_id");
  run("ALTER TABLE base DROP (id, twice)");
  EXPECT_THAT(columns("base"), ElementsAre("ts | TIMESTAMP(3)"));
  EXPECT_THAT(error("ALTER TABLE base DROP WATERMARK"), HasSubstr("the table has no watermark"));
  EXPECT_THAT(error("ALTER TABLE base DROP PRIMARY KEY"),
              HasSubstr("the table has no primary key"));
}

TEST_F(TableStatementsTest, columns_and_tables_are_renamed) {
  create_base();
  run("ALTER TABLE base RENAME name TO label");
  EXPECT_THAT(error("ALTER TABLE base RENAME label TO id"),
              HasSubstr("line 1, column 34: the table has a column 'id' already"));
  EXPECT_THAT(error("ALTER TABLE base RENAME id TO i"), HasSubstr("computed column 'twice'"));
  run("ALTER TABLE base DROP twice");
  run("ALTER TABLE base RENAME id TO i");
  EXPECT_THAT(text("SHOW CREATE TABLE base"), HasSubstr("PRIMARY KEY (`i`) NOT ENFORCED"));
  run("ALTER TABLE base RENAME TO other");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "other"));
  run("CREATE TABLE third LIKE other");
  EXPECT_THAT(error("ALTER TABLE other RENAME TO third"),
              HasSubstr("AlreadyExists: line 1, column 29"));
  EXPECT_THAT(error("ALTER TABLE nosuch RENAME TO x"),
              HasSubstr("NotFound: line 1, column 13: table 'nosuch' does not exist"));
  run("ALTER TABLE IF EXISTS nosuch RENAME TO x");
}

TEST_F(TableStatementsTest, options_are_set_and_reset) {
  create_base();
  run("ALTER TABLE base SET ('rows-per-second' = '3', 'number-of-rows' = '5')");
  EXPECT_THAT(text("SHOW CREATE TABLE base"), HasSubstr("'number-of-rows' = '5'"));
  run("ALTER TABLE base RESET ('rows-per-second')");
  EXPECT_THAT(text("SHOW CREATE TABLE base"), Not(HasSubstr("rows-per-second")));
  EXPECT_THAT(error("ALTER TABLE base SET ('rows-per-secnd' = '3')"),
              HasSubstr("line 1, column 23"));
  EXPECT_THAT(error("ALTER TABLE base RESET ('connector')"), HasSubstr("connector"));
  EXPECT_THAT(text("SHOW CREATE TABLE base"), HasSubstr("'connector' = 'datagen'"));
}

TEST_F(TableStatementsTest, temporary_tables_and_views_are_not_altered_as_tables) {
  run("CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'print')");
  EXPECT_THAT(error("ALTER TABLE t ADD b INT"), HasSubstr("'t' is a temporary table"));
  run("CREATE VIEW v AS SELECT 1 AS a");
  EXPECT_THAT(error("ALTER TABLE v ADD b INT"), HasSubstr("hint: write ALTER VIEW"));
}

// --- Views

TEST_F(TableStatementsTest, views_are_altered) {
  create_base();
  run("CREATE VIEW v COMMENT 'c' AS SELECT id FROM base");
  run("ALTER VIEW v AS SELECT name, id FROM base");
  EXPECT_EQ(text("SHOW CREATE VIEW v"),
            "CREATE VIEW `default_catalog`.`default_database`.`v` (`name`, `id`) COMMENT 'c'\n"
            "AS SELECT name, id FROM default_catalog.default_database.base\n");
  run("ALTER VIEW v RENAME TO w");
  EXPECT_THAT(rows("SHOW VIEWS"), ElementsAre("view name", "w"));
  EXPECT_THAT(error("ALTER VIEW w AS SELECT * FROM w"), HasSubstr("line 1, column 12"));
  EXPECT_EQ(types_of("SELECT * FROM w"), "name STRING, id INT NOT NULL");
  EXPECT_THAT(error("ALTER VIEW base RENAME TO x"), HasSubstr("hint: write ALTER TABLE"));
}

TEST_F(TableStatementsTest, views_name_their_tables_in_full) {
  create_base();
  run("CREATE VIEW v AS WITH base2 AS (SELECT id FROM base) SELECT b.id FROM base2 AS b WHERE b.id "
      "> 1");
  EXPECT_THAT(text("SHOW CREATE VIEW v"),
              HasSubstr("WITH base2 AS (SELECT id FROM default_catalog.default_database.base) "
                        "SELECT b.id FROM base2 AS b"));
  run("CREATE DATABASE other");
  run("USE other");
  EXPECT_EQ(types_of("SELECT * FROM default_database.v"), "id INT NOT NULL");
}

TEST_F(TableStatementsTest, distribution_is_part_of_the_definition) {
  run("CREATE TABLE t (a INT, b STRING, c AS a + 1) DISTRIBUTED BY HASH (a) INTO 4 BUCKETS "
      "WITH ('connector' = 'datagen')");
  EXPECT_THAT(text("SHOW CREATE TABLE t"),
              HasSubstr(")\nDISTRIBUTED BY HASH (a) INTO 4 BUCKETS\nWITH ("));
  EXPECT_THAT(error("ALTER TABLE t ADD DISTRIBUTION BY (b)"),
              HasSubstr("line 1, column 32: the table is distributed already"));
  EXPECT_THAT(error("ALTER TABLE t DROP a"), HasSubstr("column 'a' is used by"));
  run("ALTER TABLE t MODIFY DISTRIBUTION BY RANGE (b)");
  EXPECT_THAT(text("SHOW CREATE TABLE t"), HasSubstr("DISTRIBUTED BY RANGE (b)\n"));
  EXPECT_THAT(error("ALTER TABLE t RENAME b TO d"), HasSubstr("is used by DISTRIBUTED BY"));
  run("CREATE TABLE u LIKE t");
  EXPECT_THAT(text("SHOW CREATE TABLE u"), HasSubstr("DISTRIBUTED BY RANGE (b)\n"));
  run("CREATE TABLE v LIKE t (EXCLUDING DISTRIBUTION)");
  EXPECT_THAT(text("SHOW CREATE TABLE v"), Not(HasSubstr("DISTRIBUTED")));
  run("ALTER TABLE t DROP DISTRIBUTION");
  EXPECT_THAT(text("SHOW CREATE TABLE t"), Not(HasSubstr("DISTRIBUTED")));
  EXPECT_THAT(error("ALTER TABLE t DROP DISTRIBUTION"),
              HasSubstr("line 1, column 13: the table is not distributed"));
  EXPECT_THAT(error("CREATE TABLE w (a INT, c AS a + 1) DISTRIBUTED BY (x) WITH ('connector' = "
                    "'print')"),
              HasSubstr("NotFound: line 1, column 52: bucket column 'x'"));
  EXPECT_THAT(error("CREATE TABLE w (a INT, c AS a + 1) DISTRIBUTED BY (c) WITH ('connector' = "
                    "'print')"),
              HasSubstr("line 1, column 52: bucket column 'c' is computed"));
  run("CREATE TABLE w (a INT) DISTRIBUTED INTO 3 BUCKETS WITH ('connector' = 'print')");
  EXPECT_THAT(error("INSERT INTO w SELECT 1"),
              HasSubstr("line 1, column 13: writing to a table that is DISTRIBUTED into buckets"));
}

TEST_F(TableStatementsTest, change_of_what_is_not_there_is_shown_in_the_statement) {
  run("CREATE TABLE t (a INT) WITH ('connector' = 'datagen')");
  for (const std::string_view sql :
       {"ALTER TABLE t DROP PRIMARY KEY", "ALTER TABLE t DROP WATERMARK",
        "ALTER TABLE t DROP CONSTRAINT k"}) {
    EXPECT_THAT(error(sql), HasSubstr("line 1, column 13: the table has no ")) << sql;
    EXPECT_THAT(error(sql), Not(HasSubstr("(in '"))) << sql;
  }
}

}  // namespace
}  // namespace clepsydra::sql::testing
