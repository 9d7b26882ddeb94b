// Functions of libraries in SQL: the statements about them, and their use.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "functions/user/user_library.h"
#include "sql/session_fixture.h"
#include "tests/harness/source_path.h"

namespace clepsydra::sql::testing {
namespace {

using ::clepsydra::testing::build_path;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FunctionStatementsTest : public SessionTest {
 public:
  ~FunctionStatementsTest() override { set_user_library_directory(""); }

 protected:
  FunctionStatementsTest() { set_user_library_directory(build_path("functions")); }
  FunctionStatementsTest(const FunctionStatementsTest&) = delete;
  FunctionStatementsTest& operator=(const FunctionStatementsTest&) = delete;

  void create(const std::string& name, const std::string& words = "") {
    run("CREATE " + words + "FUNCTION " + name + " AS '" + name +
        "' LANGUAGE CPP USING ARTIFACT 'libtext_functions.so'");
  }
};

TEST_F(FunctionStatementsTest, function_is_called_in_any_case_and_with_its_full_name) {
  create("shout");
  run("CREATE TABLE t (a STRING, n INT NOT NULL) WITH ('connector' = 'datagen')");
  EXPECT_EQ(types_of("SELECT SHOUT(a) AS x, shout('b', 3) AS y, "
                     "default_catalog.default_database.Shout(a, n) AS z FROM t"),
            "x STRING, y STRING NOT NULL, z STRING");
  run("CREATE DATABASE d");
  run("USE d");
  EXPECT_THAT(error("SELECT shout('a')"), HasSubstr("line 1, column 8: unknown function 'shout'"));
  EXPECT_EQ(types_of("SELECT default_database.shout('a') AS x"), "x STRING NOT NULL");
  EXPECT_THAT(error("SELECT default_database.shout(1, 2, 3)"),
              HasSubstr("line 1, column 8: 'shout' does not take (INT, INT, INT); it takes "
                        "(STRING), (STRING, INT)"));
}

TEST_F(FunctionStatementsTest, aggregate_of_a_library_groups_rows) {
  create("geometric_mean");
  run("CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) "
      "WITH ('connector' = 'datagen')");
  EXPECT_EQ(types_of("SELECT k, window_start, geometric_mean(v) AS m, "
                     "GEOMETRIC_MEAN(v) FILTER (WHERE v > 3) AS f "
                     "FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
                     "GROUP BY k, window_start, window_end"),
            "k STRING, window_start TIMESTAMP(3) NOT NULL, m DOUBLE, f DOUBLE");
  EXPECT_THAT(error("SELECT k FROM t WHERE geometric_mean(v) > 1"),
              HasSubstr("the aggregate geometric_mean is not allowed in WHERE"));
  EXPECT_THAT(error("SELECT geometric_mean(v) OVER (ORDER BY ts) FROM t"),
              HasSubstr("OVER with 'geometric_mean', a function of a library"));
}

TEST_F(FunctionStatementsTest, names_are_looked_up_in_the_order_of_the_reference) {
  // Built-in before the catalog's, a temporary system function before both.
  run("CREATE FUNCTION `upper` AS 'shout' LANGUAGE CPP USING ARTIFACT 'libtext_functions.so'");
  EXPECT_EQ(types_of("SELECT UPPER('a') AS x"), "x CHAR(1) NOT NULL");
  run("CREATE TEMPORARY SYSTEM FUNCTION `upper` AS 'first_word' LANGUAGE CPP "
      "USING ARTIFACT 'libtext_functions.so'");
  EXPECT_EQ(types_of("SELECT UPPER('a') AS x"), "x STRING");
  run("DROP TEMPORARY SYSTEM FUNCTION `upper`");
  EXPECT_EQ(types_of("SELECT UPPER('a') AS x"), "x CHAR(1) NOT NULL");
  // Temporary before permanent.
  create("shout");
  run("CREATE TEMPORARY FUNCTION shout AS 'first_word' LANGUAGE CPP "
      "USING ARTIFACT 'libtext_functions.so'");
  EXPECT_EQ(types_of("SELECT shout('a') AS x"), "x STRING");
  EXPECT_THAT(error("DROP FUNCTION shout"), HasSubstr("a temporary function hides 'shout'"));
  run("DROP TEMPORARY FUNCTION shout");
  EXPECT_EQ(types_of("SELECT shout('a') AS x"), "x STRING NOT NULL");
}

TEST_F(FunctionStatementsTest, functions_are_listed_described_altered_and_dropped) {
  create("shout");
  create("slow_length", "TEMPORARY ");
  create("first_word", "TEMPORARY SYSTEM ");
  EXPECT_THAT(rows("SHOW USER FUNCTIONS"),
              ElementsAre("function name", "first_word", "shout", "slow_length"));
  EXPECT_THAT(rows("SHOW USER FUNCTIONS LIKE 's%'"),
              ElementsAre("function name", "shout", "slow_length"));
  EXPECT_THAT(rows("SHOW FUNCTIONS"), Contains("shout"));
  EXPECT_THAT(rows("SHOW FUNCTIONS"), Contains("UPPER"));
  EXPECT_THAT(rows("DESCRIBE FUNCTION shout"),
              ElementsAre("info name | info value", "is system function | false",
                          "is temporary | false", "class name | shout", "function language | CPP",
                          "resource uris | libtext_functions.so"));
  EXPECT_THAT(rows("DESCRIBE FUNCTION EXTENDED Shout"),
              Contains("signature | shout(STRING, INT) => STRING NOT NULL"));
  EXPECT_THAT(rows("DESCRIBE FUNCTION EXTENDED slow_length"), Contains("kind | ASYNC_SCALAR"));
  run("ALTER FUNCTION shout AS 'first_word' LANGUAGE CPP");
  EXPECT_EQ(types_of("SELECT shout('a') AS x"), "x STRING");
  EXPECT_THAT(error("ALTER FUNCTION shout AS 'nothing'"),
              HasSubstr("NotFound: line 1, column 25: library 'libtext_functions.so' has no "
                        "function 'nothing'; it has"));
  EXPECT_THAT(error("ALTER TEMPORARY FUNCTION slow_length AS 'shout'"),
              HasSubstr("a temporary function is not altered"));
  run("ALTER FUNCTION IF EXISTS nobody AS 'shout'");
  EXPECT_THAT(error("ALTER FUNCTION shot AS 'shout'"), HasSubstr("did you mean 'shout'?"));
  run("DROP FUNCTION shout");
  run("DROP FUNCTION IF EXISTS shout");
  EXPECT_THAT(error("DROP FUNCTION shout"), HasSubstr("NotFound: line 1, column 15"));
  EXPECT_THAT(error("DROP FUNCTION `upper`"), HasSubstr("a built-in function is not dropped"));
  EXPECT_THAT(error("SELECT shout('a')"), HasSubstr("unknown function 'shout'"));
  EXPECT_THAT(error("SELECT slow_lenth('a')"), HasSubstr("did you mean 'slow_length'?"));
}

TEST_F(FunctionStatementsTest, what_cannot_be_created_is_refused_at_its_place) {
  create("shout");
  EXPECT_THAT(error("CREATE FUNCTION Shout AS 'shout' LANGUAGE CPP USING ARTIFACT "
                    "'libtext_functions.so'"),
              HasSubstr("AlreadyExists: line 1, column 17: function 'shout' already exists"));
  run("CREATE FUNCTION IF NOT EXISTS shout AS 'x' LANGUAGE CPP");
  EXPECT_THAT(error("CREATE FUNCTION f AS 'a.B' LANGUAGE JAVA"),
              HasSubstr("line 1, column 37: a function in JAVA"));
  EXPECT_THAT(error("CREATE FUNCTION f AS 'f' LANGUAGE CPP"),
              HasSubstr("line 1, column 22: a function in C++ comes from one library"));
  EXPECT_THAT(error("CREATE FUNCTION f AS 'f' USING JAR 'f.jar'"), HasSubstr("column 32"));
  EXPECT_THAT(error("CREATE FUNCTION f AS 'f' LANGUAGE CPP USING ARTIFACT '../f.so'"),
              HasSubstr("line 1, column 45: library '../f.so' must be a path below"));
  EXPECT_THAT(error("CREATE FUNCTION f AS 'f' LANGUAGE CPP USING ARTIFACT 'libtext_functions.so'"),
              HasSubstr("line 1, column 22: library 'libtext_functions.so' has no function 'f'"));
  EXPECT_THAT(error("CREATE TEMPORARY SYSTEM FUNCTION d.f AS 'f' LANGUAGE CPP USING ARTIFACT "
                    "'libtext_functions.so'"),
              HasSubstr("a system function belongs to no catalog"));
  EXPECT_THAT(error("CREATE FUNCTION f AS 'shout' LANGUAGE CPP USING ARTIFACT "
                    "'libtext_functions.so' WITH ('a' = 'b')"),
              HasSubstr("options of a function"));
  EXPECT_THAT(rows("SHOW USER FUNCTIONS"), ElementsAre("function name", "shout"));
  EXPECT_THAT(error("SET 'clepsydra.udf.directory' = '/'"),
              HasSubstr("is set when the process starts"));
  set_user_library_directory("");
  EXPECT_THAT(error("SELECT shout('a')"),
              HasSubstr("line 1, column 8: libraries of functions are loaded only from below "
                        "'clepsydra.udf.directory', which is not set"));
}

TEST_F(FunctionStatementsTest, what_a_function_says_while_planning_is_kept_for_the_rows) {
  create("shout");
  run("CREATE TABLE t (a STRING) WITH ('connector' = 'datagen')");
  EXPECT_THAT(text("EXPLAIN SELECT a FROM t WHERE a = shout('b')"), HasSubstr("b!"));
  // A constant that cannot be computed stays a call, which fails where it is needed.
  EXPECT_THAT(text("EXPLAIN SELECT a FROM t WHERE a = shout('b', -1)"),
              HasSubstr("libtext_functions.so#shout"));
}

TEST_F(FunctionStatementsTest, functions_of_a_file_catalog_survive) {
  MemoryFileSystem files(clock_);
  configuration_.set("clepsydra.catalog.directory", "/catalogs");
  const auto must = [](SqlSession& session, std::string_view sql) {
    const auto result = session.execute(sql);
    ASSERT_TRUE(result.is_ok()) << result.status().to_string();
  };
  {
    SqlSession session(connectors_, clock_, configuration_, &files);
    must(session, "CREATE CATALOG c WITH ('type' = 'file')");
    must(session,
         "CREATE FUNCTION c.`default`.shout AS 'shout' LANGUAGE CPP USING ARTIFACT "
         "'libtext_functions.so'");
  }
  EXPECT_EQ(read_file(files, "/catalogs/c/default/shout.function.sql", 1000).value(),
            "-- Clepsydra catalog file, version 1\n"
            "CREATE FUNCTION `c`.`default`.`shout` AS 'shout' LANGUAGE CPP\n"
            "USING ARTIFACT 'libtext_functions.so'\n");
  SqlSession session(connectors_, clock_, configuration_, &files);
  must(session, "CREATE CATALOG c WITH ('type' = 'file')");
  must(session, "SELECT c.`default`.shout('a')");
  must(session, "USE CATALOG c");
  must(session, "SELECT shout('a')");
  ASSERT_TRUE(
      write_file_atomically(files, "/catalogs/c/default/shout.function.sql", "nothing").is_ok());
  EXPECT_THAT(session.execute("SELECT shout('a')").status().to_string(),
              HasSubstr("reading function 'c.default.shout' from its catalog file"));
  must(session, "DROP FUNCTION shout");
  EXPECT_FALSE(files.exists("/catalogs/c/default/shout.function.sql").value());
}

}  // namespace
}  // namespace clepsydra::sql::testing
