// Catalogs, databases, modules; catalogs of files.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "base/memory_file_system.h"
#include "sql/session_fixture.h"

namespace clepsydra::sql::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using CatalogStatementsTest = SessionTest;

TEST_F(CatalogStatementsTest, databases_hold_their_own_tables) {
  run("CREATE DATABASE db COMMENT 'c' WITH ('k' = 'v', 'password' = 'hush')");
  run("CREATE DATABASE IF NOT EXISTS db");
  EXPECT_THAT(error("CREATE DATABASE db"),
              HasSubstr("AlreadyExists: line 1, column 17: database 'default_catalog.db' exists"));
  EXPECT_THAT(rows("SHOW DATABASES"), ElementsAre("database name", "db", "default_database"));
  EXPECT_THAT(rows("SHOW DATABASES FROM default_catalog LIKE 'd_'"),
              ElementsAre("database name", "db"));
  run("CREATE TABLE db.t (a INT) WITH ('connector' = 'datagen')");
  run("CREATE TABLE t (b STRING) WITH ('connector' = 'datagen')");
  EXPECT_EQ(types_of("SELECT * FROM db.t"), "a INT");
  run("USE db");
  EXPECT_THAT(rows("SHOW CURRENT DATABASE"), ElementsAre("current database name", "db"));
  EXPECT_EQ(types_of("SELECT * FROM t"), "a INT");
  EXPECT_EQ(types_of("SELECT * FROM default_database.t"), "b STRING");
  EXPECT_THAT(rows("SHOW TABLES"), ElementsAre("table name", "t"));
  EXPECT_THAT(rows("SHOW TABLES FROM default_catalog.default_database"),
              ElementsAre("table name", "t"));
  EXPECT_THAT(rows("DESCRIBE DATABASE db"),
              ElementsAre("info name | info value", "catalog | default_catalog", "name | db",
                          "comment | c"));
  EXPECT_THAT(rows("DESC DATABASE EXTENDED db"),
              ElementsAre("info name | info value", "catalog | default_catalog", "name | db",
                          "comment | c", "option:k | v", "option:password | ******"));
  run("ALTER DATABASE db SET ('k' = 'w')");
  EXPECT_THAT(rows("DESC DATABASE EXTENDED db"), ::testing::Contains("option:k | w"));
}

TEST_F(CatalogStatementsTest, databases_are_dropped_when_empty_or_with_everything) {
  run("CREATE DATABASE db");
  run("CREATE TABLE db.t (a INT) WITH ('connector' = 'datagen')");
  EXPECT_THAT(error("DROP DATABASE db"),
              HasSubstr("FailedPrecondition: line 1, column 15: database 'default_catalog.db' is "
                        "not empty"));
  EXPECT_THAT(error("DROP DATABASE db RESTRICT"), HasSubstr("is not empty"));
  run("DROP DATABASE db CASCADE");
  EXPECT_THAT(error("SELECT * FROM db.t"),
              HasSubstr("line 1, column 15: database 'db' does not exist in catalog"));
  run("DROP DATABASE IF EXISTS db");
  run("CREATE DATABASE db");
  run("USE db");
  run("DROP DATABASE db");
  EXPECT_THAT(rows("SHOW CURRENT DATABASE"), ElementsAre("current database name", ""));
  EXPECT_THAT(error("SELECT * FROM t"), HasSubstr("no database is in use"));
  EXPECT_THAT(error("DROP DATABASE default_database CASCADE"), HasSubstr("default database"));
  EXPECT_THAT(error("USE defalt_database"), HasSubstr("did you mean 'default_database'?"));
}

TEST_F(CatalogStatementsTest, catalogs_are_made_used_and_dropped) {
  run("CREATE CATALOG c COMMENT 'x' WITH ('type' = 'generic_in_memory', 'default-database' = 'd')");
  EXPECT_THAT(rows("SHOW CATALOGS"), ElementsAre("catalog name", "c", "default_catalog"));
  EXPECT_THAT(error("CREATE CATALOG c WITH ('type' = 'generic_in_memory')"),
              HasSubstr("AlreadyExists: line 1, column 16"));
  run("CREATE CATALOG IF NOT EXISTS c WITH ('type' = 'generic_in_memory')");
  run("USE CATALOG c");
  EXPECT_THAT(rows("SHOW CURRENT CATALOG"), ElementsAre("current catalog name", "c"));
  EXPECT_THAT(rows("SHOW CURRENT DATABASE"), ElementsAre("current database name", "d"));
  EXPECT_THAT(rows("DESCRIBE CATALOG EXTENDED c"),
              ElementsAre("info name | info value", "name | c", "type | generic_in_memory",
                          "comment | x", "option:default-database | d"));
  EXPECT_EQ(text("SHOW CREATE CATALOG c"),
            "CREATE CATALOG `c` COMMENT 'x'\nWITH (\n  'default-database' = 'd',\n"
            "  'type' = 'generic_in_memory'\n)\n");
  run("ALTER CATALOG c COMMENT 'y'");
  EXPECT_THAT(rows("DESCRIBE CATALOG c"), ::testing::Contains("comment | y"));
  EXPECT_THAT(error("ALTER CATALOG c SET ('type' = 'file')"), HasSubstr("cannot be changed"));
  EXPECT_THAT(error("DROP CATALOG c"), HasSubstr("is in use"));
  run("USE CATALOG default_catalog");
  run("DROP CATALOG c");
  run("DROP CATALOG IF EXISTS c");
  EXPECT_THAT(error("USE CATALOG c"),
              HasSubstr("NotFound: line 1, column 13: catalog 'c' does not exist"));
  EXPECT_THAT(error("DESCRIBE CATALOG c"), HasSubstr("NotFound: line 1, column 18"));
  EXPECT_THAT(error("CREATE CATALOG c WITH ('type' = 'nosuch')"),
              HasSubstr("NotFound: line 1, column 33: there is no catalog type 'nosuch'"));
  EXPECT_THAT(error("CREATE CATALOG c WITH ('type' = 'generic_in_memory', 'x' = 'y')"),
              HasSubstr("line 1, column 54: a catalog of type 'generic_in_memory' has no option"));
}

TEST_F(CatalogStatementsTest, there_is_one_module) {
  EXPECT_THAT(rows("SHOW MODULES"), ElementsAre("module name", "core"));
  EXPECT_THAT(rows("SHOW FULL MODULES"), ElementsAre("module name | used", "core | TRUE"));
  run("USE MODULES core");
  EXPECT_THAT(error("USE MODULES nosuch"),
              HasSubstr("NotFound: line 1, column 13: module 'nosuch'"));
  EXPECT_THAT(error("LOAD MODULE nosuch"), HasSubstr("NotFound: line 1, column 13"));
  EXPECT_THAT(error("LOAD MODULE core"), HasSubstr("AlreadyExists"));
  EXPECT_THAT(error("UNLOAD MODULE core"), HasSubstr("Unimplemented: line 1, column 1"));
}

TEST_F(CatalogStatementsTest, functions_are_described) {
  EXPECT_THAT(rows("DESCRIBE FUNCTION EXTENDED `UPPER`"),
              ElementsAre("info name | info value", "is system function | true",
                          "is temporary | false", "kind | SCALAR"));
  EXPECT_THAT(error("DESCRIBE FUNCTION nosuch"), HasSubstr("NotFound: line 1, column 19"));
}

TEST_F(CatalogStatementsTest, partitions_of_a_table_without_any) {
  create_orders();
  EXPECT_THAT(error("SHOW PARTITIONS orders"),
              HasSubstr("line 1, column 17: table 'orders' is not partitioned"));
}

// --- Catalogs of files

class FileCatalogTest : public ::testing::Test {
 protected:
  struct Session : SessionTest {
    void TestBody() override {}
  };

  FileCatalogTest() : files_(clock_) {
    clock_.advance_ms(1'000'000);
    configuration_.set("clepsydra.catalog.directory", "/catalogs");
    restart();
  }

  void restart() {
    session_ = std::make_unique<SqlSession>(connectors_, clock_, configuration_, &files_);
    EXPECT_EQ(error("CREATE CATALOG f WITH ('type' = 'file')"), "");
    EXPECT_EQ(error("USE CATALOG f"), "");
  }
  std::string error(std::string_view sql) { return error(*session_, sql); }
  static std::string error(SqlSession& session, std::string_view sql) {
    const Result<StatementResult> result = session.execute(sql);
    return result.is_ok() ? std::string() : result.status().to_string();
  }
  std::vector<std::string> column(std::string_view sql) {
    const Result<StatementResult> result = session_->execute(sql);
    EXPECT_TRUE(result.is_ok()) << result.status().to_string();
    std::vector<std::string> out;
    if (!result.is_ok()) return out;
    const Batch& batch = std::get<TableResult>(*result).rows;
    for (std::int64_t i = 0; i < batch.rows(); ++i) {
      out.emplace_back(batch.column(0).string_at(i));
    }
    return out;
  }
  void write(std::string_view path, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(files_, path, text).is_ok());
  }
  std::string file(std::string_view path) {
    const Result<std::string> text = read_file(files_, path);
    return text.is_ok() ? *text : text.status().to_string();
  }

  FakeConnectors connectors_;
  SimulatedClock clock_;
  Configuration configuration_;
  MemoryFileSystem files_;
  std::unique_ptr<SqlSession> session_;
};

TEST_F(FileCatalogTest, catalog_store_keeps_what_catalogs_there_are) {
  configuration_.set("table.catalog-store.kind", "file");
  configuration_.set("table.catalog-store.file.path", "/store");
  const auto begin = [&] {
    session_ = std::make_unique<SqlSession>(connectors_, clock_, configuration_, &files_);
  };
  begin();
  EXPECT_EQ(error("CREATE CATALOG `a/b` WITH ('type' = 'file', 'path' = 'ab')"), "");
  EXPECT_EQ(error("CREATE CATALOG m COMMENT 'c' WITH ('type' = 'generic_in_memory')"), "");
  EXPECT_EQ(error("CREATE TABLE `a/b`.`default`.t (a INT) WITH ('connector' = 'datagen')"), "");
  EXPECT_EQ(file("/store/m.catalog.sql"),
            "-- Clepsydra catalog file, version 1\n"
            "CREATE CATALOG `m` COMMENT 'c'\nWITH (\n  'type' = 'generic_in_memory'\n)\n");
  EXPECT_EQ(error("ALTER CATALOG m COMMENT 'd'"), "");
  EXPECT_THAT(file("/store/m.catalog.sql"), HasSubstr("COMMENT 'd'"));
  begin();
  EXPECT_THAT(column("SHOW CATALOGS"), ElementsAre("a/b", "default_catalog", "m"));
  EXPECT_EQ(error("SELECT * FROM `a/b`.`default`.t"), "");
  EXPECT_THAT(error("CREATE CATALOG m WITH ('type' = 'file')"), HasSubstr("AlreadyExists"));
  EXPECT_EQ(error("DROP CATALOG m"), "");
  EXPECT_EQ(error("USE CATALOG `a/b`"), "");
  EXPECT_THAT(error("DROP CATALOG `a/b`"), HasSubstr("is in use"));
  EXPECT_THAT(file("/store/a%2Fb.catalog.sql"), HasSubstr("CREATE CATALOG"));
  // What cannot be read has a name, and may be dropped.
  write("/store/bad.catalog.sql", "-- Clepsydra catalog file, version 1\nDROP CATALOG m");
  write("/store/worse.catalog.sql", "nothing");
  begin();
  EXPECT_THAT(column("SHOW CATALOGS"), ElementsAre("a/b", "bad", "default_catalog", "worse"));
  EXPECT_THAT(error("USE CATALOG bad"),
              HasSubstr("reading catalog 'bad' from the catalog store: line 1, column 1: this is "
                        "not the definition of a catalog"));
  for (const std::string_view sql :
       {"DESCRIBE CATALOG worse", "SHOW CREATE CATALOG worse", "ALTER CATALOG worse COMMENT 'x'",
        "CREATE DATABASE worse.d", "SELECT * FROM worse.d.t"}) {
    EXPECT_THAT(error(sql), HasSubstr("'/store/worse.catalog.sql' does not begin with")) << sql;
  }
  EXPECT_EQ(error("DROP CATALOG worse"), "");
  EXPECT_EQ(error("DROP CATALOG IF EXISTS bad"), "");
  begin();
  EXPECT_THAT(column("SHOW CATALOGS"), ElementsAre("a/b", "default_catalog"));
  EXPECT_THAT(error("SET 'table.catalog-store.kind' = 'generic_in_memory'"),
              HasSubstr("is set when the process starts"));
}

TEST_F(FileCatalogTest, catalog_store_that_is_not_there_is_an_error) {
  const auto first_error = [&] {
    session_ = std::make_unique<SqlSession>(connectors_, clock_, configuration_, &files_);
    return error("SHOW CATALOGS");
  };
  configuration_.set("table.catalog-store.kind", "file");
  EXPECT_THAT(first_error(), HasSubstr("needs a folder in 'table.catalog-store.file.path'"));
  configuration_.set("table.catalog-store.kind", "hive");
  EXPECT_THAT(first_error(), HasSubstr("known kinds: 'file', 'generic_in_memory'"));
}

constexpr std::string_view kTable =
    "-- Clepsydra catalog file, version 1\n"
    "CREATE TABLE `f`.`default`.`t` (\n"
    "  `a` INT\n"
    ")\n"
    "WITH (\n"
    "  'connector' = 'datagen'\n"
    ")\n";

TEST_F(FileCatalogTest, objects_survive_a_restart) {
  EXPECT_EQ(error("CREATE TABLE t (a INT) WITH ('connector' = 'datagen')"), "");
  EXPECT_EQ(error("CREATE DATABASE `a/../b` COMMENT 'odd' WITH ('k' = 'v')"), "");
  EXPECT_EQ(error("CREATE VIEW `a/../b`.`..` AS SELECT a FROM t"), "");
  EXPECT_EQ(file("/catalogs/f/default/t.table.sql"), kTable);
  EXPECT_EQ(file("/catalogs/f/a%2F%2E%2E%2Fb/%2E%2E.view.sql"),
            "-- Clepsydra catalog file, version 1\n"
            "CREATE VIEW `f`.`a/../b`.`..` (`a`)\nAS SELECT a FROM f.`default`.t\n");
  EXPECT_EQ(file("/catalogs/f/a%2F%2E%2E%2Fb/database.sql"),
            "-- Clepsydra catalog file, version 1\n"
            "CREATE DATABASE `a/../b` COMMENT 'odd'\nWITH (\n  'k' = 'v'\n)\n");
  restart();
  EXPECT_THAT(column("SHOW DATABASES"), ElementsAre("a/../b", "default"));
  EXPECT_THAT(column("SHOW TABLES FROM `a/../b`"), ElementsAre(".."));
  EXPECT_THAT(column("DESCRIBE `a/../b`.`..`"), ElementsAre("a"));
  EXPECT_EQ(error("SELECT * FROM `a/../b`.`..`"), "");
  EXPECT_EQ(error("DROP VIEW `a/../b`.`..`"), "");
  EXPECT_EQ(error("DROP DATABASE `a/../b`"), "");
  EXPECT_EQ(error("ALTER TABLE t RENAME TO u"), "");
  restart();
  EXPECT_THAT(column("SHOW DATABASES"), ElementsAre("default"));
  EXPECT_THAT(column("SHOW TABLES"), ElementsAre("u"));
}

TEST_F(FileCatalogTest, sessions_see_what_others_do) {
  SqlSession other(connectors_, clock_, configuration_, &files_);
  EXPECT_EQ(error(other, "CREATE CATALOG f WITH ('type' = 'file')"), "");
  EXPECT_EQ(error("CREATE TABLE t (a INT) WITH ('connector' = 'datagen')"), "");
  EXPECT_EQ(error(other, "SELECT a FROM f.`default`.t"), "");
  EXPECT_EQ(error(other, "ALTER TABLE f.`default`.t RENAME a TO b"), "");
  EXPECT_THAT(column("SHOW COLUMNS FROM t"), ElementsAre("b"));
  clock_.advance_ms(10'000);
  EXPECT_THAT(column("SHOW COLUMNS FROM t"), ElementsAre("b"));
  EXPECT_EQ(error(other, "DROP TABLE f.`default`.t"), "");
  EXPECT_THAT(column("SHOW TABLES"), IsEmpty());
}

TEST_F(FileCatalogTest, an_unreadable_file_is_named_where_it_is_used) {
  write("/catalogs/f/default/t.table.sql", "CREATE TABLE t (a INT)");
  write(
      "/catalogs/f/default/u.table.sql",
      "-- Clepsydra catalog file, version 1\nCREATE TABLE u (a FOO) WITH ('connector' = 'print')");
  write("/catalogs/f/default/README", "not looked at");
  EXPECT_THAT(column("SHOW TABLES"), ElementsAre("t", "u"));
  EXPECT_THAT(error("SELECT * FROM t"), HasSubstr("DataLoss: line 1, column 15"));
  EXPECT_THAT(error("SELECT * FROM t"), HasSubstr("does not begin with"));
  EXPECT_THAT(error("SELECT * FROM u"), HasSubstr("FOO"));
  EXPECT_THAT(error("CREATE TABLE t (a INT) WITH ('connector' = 'print')"),
              HasSubstr("AlreadyExists"));
  EXPECT_EQ(error("DROP TABLE t"), "");
  EXPECT_THAT(column("SHOW TABLES"), ElementsAre("u"));
}

TEST_F(FileCatalogTest, a_file_that_is_cut_anywhere_is_read_or_refused) {
  for (std::size_t bytes = 0; bytes < kTable.size() - 3; ++bytes) {
    write("/catalogs/f/default/t.table.sql", kTable.substr(0, bytes));
    EXPECT_THAT(error("DESCRIBE t"), Not(IsEmpty())) << bytes;
    EXPECT_THAT(column("SHOW TABLES"), ElementsAre("t"));
  }
  write("/catalogs/f/default/t.table.sql", kTable);
  EXPECT_THAT(column("DESCRIBE t"), ElementsAre("a"));
}

TEST_F(FileCatalogTest, a_write_that_fails_changes_nothing) {
  EXPECT_EQ(error("CREATE TABLE t (a INT) WITH ('connector' = 'datagen')"), "");
  files_.fail_operation(1, Status::resource_exhausted("disk full"), FileOperation::kRename);
  EXPECT_THAT(error("ALTER TABLE t ADD b INT"), HasSubstr("disk full"));
  EXPECT_EQ(file("/catalogs/f/default/t.table.sql"), kTable);
  EXPECT_THAT(column("SHOW COLUMNS FROM t"), ElementsAre("a"));
}

TEST_F(FileCatalogTest, no_path_leads_out_of_the_folder) {
  for (const std::string_view path : {"../x", "/etc", "a/../../b", "a//b", "", ".", "file:x"}) {
    EXPECT_THAT(error(fmt::format("CREATE CATALOG g WITH ('type' = 'file', 'path' = '{}')", path)),
                HasSubstr("line 1, column 50: the path of a file catalog is relative"))
        << path;
  }
  EXPECT_EQ(error("CREATE CATALOG g WITH ('type' = 'file', 'path' = 'some/place')"), "");
  EXPECT_THAT(file("/catalogs/some/place/default/database.sql"), HasSubstr("CREATE DATABASE"));
}

TEST_F(FileCatalogTest, the_folder_is_given_at_the_start) {
  Configuration none;
  SqlSession session(connectors_, clock_, none, &files_);
  EXPECT_THAT(error(session, "CREATE CATALOG f WITH ('type' = 'file')"),
              HasSubstr("FailedPrecondition: line 1, column 33: a file catalog needs a folder"));
  EXPECT_THAT(error(session, "SET 'clepsydra.catalog.directory' = '/'"),
              HasSubstr("line 1, column 5"));
  EXPECT_THAT(error(session, "CREATE CATALOG f WITH ('type' = 'file')"), Not(IsEmpty()));
}

}  // namespace
}  // namespace clepsydra::sql::testing
