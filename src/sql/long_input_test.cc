// What no one writes by hand: names, literals and statements as long as a client may send them, and
// nesting. Handled, or refused by a message of ordinary length.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <string>
#include <string_view>
#include <tuple>

#include "sql/session_fixture.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kMessageBytesMax = 1000;

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

class LongInputTest : public sql::testing::SessionTest {
 protected:
  LongInputTest() {
    run("CREATE TABLE t (a BIGINT, b TINYINT, s STRING, d DECIMAL(10, 2)) "
        "WITH ('connector' = 'nested')");
  }
  // Items with numbers in front, from 0 on: "1, 2, 3".
  static std::string list(int count, std::string_view before, std::string_view after,
                          std::string_view between) {
    std::string result;
    for (int i = 0; i < count; ++i) {
      if (i > 0) result += between;
      result += fmt::format("{}{}{}", before, i, after);
    }
    return result;
  }
  std::string short_error(std::string_view sql) {
    std::string message = error(sql);
    EXPECT_LT(message.size(), kMessageBytesMax);
    return message;
  }
};

TEST_F(LongInputTest, names_of_64_kb) {
  const std::string name(64 << 10, 'n');
  run("CREATE TABLE " + name + " (" + name + " INT, r ROW<" + name + " STRING>) " +
      "WITH ('connector' = 'nested')");
  EXPECT_EQ(types_of("SELECT " + name + ", r." + name + " AS f FROM " + name + " AS " + name + "x"),
            name + " INT, f STRING");
  run("CREATE VIEW v" + name + " AS SELECT " + name + " FROM " + name);
  run("DROP VIEW v" + name);
  run("CREATE DATABASE " + name);
  run("SET '" + name + "' = 'x'");
  const std::string other(64 << 10, 'm');
  EXPECT_THAT(short_error("SELECT " + other + " FROM t"), HasSubstr("mmm"));
  EXPECT_THAT(short_error("SELECT * FROM " + other), HasSubstr("mmm"));
  EXPECT_THAT(short_error("SELECT " + other + "(a) FROM t"), HasSubstr("mmm"));
  EXPECT_THAT(short_error("SELECT CAST(a AS " + other + ") FROM t"), HasSubstr("mmm"));
  EXPECT_THAT(short_error("CREATE TABLE u (a INT) WITH ('connector' = '" + other + "')"),
              HasSubstr("mmm"));
  EXPECT_THAT(
      short_error("CREATE TABLE u (a INT) WITH ('connector' = 'nested', '" + other + "' = '1')"),
      HasSubstr("mmm"));
}

TEST_F(LongInputTest, literals_of_10_mb) {
  const std::string text(10 << 20, 'x');
  query("SELECT '" + text + "' AS s FROM t");
  query("SELECT a FROM t WHERE s = '" + text + "'");
  query("SELECT a FROM t WHERE s LIKE '%" + text + "%'");
  EXPECT_EQ(types_of("SELECT CHAR_LENGTH('" + text + "') AS n"), "n INT NOT NULL");
  query("SELECT a FROM t /* " + text + " */");
  EXPECT_THAT(short_error("SELECT DATE '" + text + "'"), HasSubstr("xxx"));
  EXPECT_THAT(short_error("SELECT TIMESTAMP '" + text + "'"), HasSubstr("xxx"));
  EXPECT_THAT(short_error("SELECT INTERVAL '" + text + "' DAY"), HasSubstr("xxx"));
  EXPECT_THAT(short_error("SELECT " + std::string(10 << 20, '9')), HasSubstr("999"));
  EXPECT_THAT(short_error("SELECT x'" + text + "'"), HasSubstr("xxx"));
  EXPECT_THAT(short_error("SELECT a FROM t WHERE s LIKE 'a' ESCAPE '" + text + "'"),
              HasSubstr("xxx"));
}

TEST_F(LongInputTest, lists_of_many_thousands) {
  constexpr int kCount = 50'000;
  query("SELECT s FROM t WHERE a IN (" + list(kCount, "", "", ", ") + ")");
  query("SELECT s FROM t WHERE a NOT IN (" + list(kCount, "", "", ", ") + ")");
  query("SELECT a FROM t WHERE s IN (" + list(kCount, "'", "'", ", ") + ")");
  query("SELECT s FROM t WHERE a = 1 AND (" + list(20'000, "a <> ", "", " AND ") + ")");
  query("SELECT s FROM t WHERE " + list(20'000, "a = ", " + b", " OR "));
  query("SELECT * FROM (VALUES " + list(20'000, "(", ", 'x')", ", ") + ") AS v (a, b)");
  query("SELECT " + list(5'000, "a + ", "", ", ") + " FROM t");
}

TEST_F(LongInputTest, lists_of_what_is_compared_one_by_one) {
  // A DECIMAL column and numbers outside of a TINYINT are no look-up.
  query("SELECT s FROM t WHERE d IN (" + list(3'000, "", ".5", ", ") + ")");
  query("SELECT s FROM t WHERE b IN (" + list(3'000, "", "", ", ") + ")");
}

TEST_F(LongInputTest, calls_have_a_limit_and_say_it) {
  EXPECT_THAT(
      short_error("SELECT CASE " + list(2'000, "WHEN a = ", " THEN 1", " ") + " END FROM t"),
      HasSubstr("CASE does not take"));
  EXPECT_THAT(short_error("SELECT CONCAT(" + list(2'000, "'", "'", ", ") + ") FROM t"),
              HasSubstr("CONCAT does not take"));
}

TEST_F(LongInputTest, nesting_of_a_thousand_levels_is_refused) {
  constexpr int kLevels = 1'000;
  for (const auto& [open, inner, close] :
       {std::tuple{"(", "a", ")"}, std::tuple{"ABS(", "a", ")"}, std::tuple{"- ", "a", ""},
        std::tuple{"CASE WHEN TRUE THEN ", "a", " END"}, std::tuple{"", "a", " + 1"},
        std::tuple{"CAST(", "a", " AS INT)"}, std::tuple{"ARRAY[", "a", "]"},
        std::tuple{"NOT ", "a = 1", ""}}) {
    const std::string sql =
        "SELECT " + repeat(open, kLevels) + inner + repeat(close, kLevels) + " AS x FROM t";
    EXPECT_THAT(short_error(sql), HasSubstr("nested more than")) << open;
    // A few levels are for everybody.
    query("SELECT " + repeat(open, 20) + inner + repeat(close, 20) + " AS x FROM t");
  }
  std::string queries = "SELECT a FROM t";
  std::string few = queries;
  for (int i = 0; i < kLevels; ++i) queries = "SELECT a FROM (" + queries + ")";
  for (int i = 0; i < 20; ++i) few = "SELECT a FROM (" + few + ")";
  EXPECT_THAT(short_error(queries), HasSubstr("nested more than"));
  query(few);
  // Views in views: as deep as they can be made, and no deeper.
  run("CREATE VIEW v0 AS SELECT a FROM t");
  int depth = 0;
  std::string refusal;
  while (refusal.empty() && depth < kLevels) {
    const std::string sql =
        fmt::format("CREATE VIEW v{} AS SELECT a + 1 AS a FROM v{}", depth + 1, depth);
    const Result<StatementResult> made = session_.execute(sql);
    if (made.is_ok()) {
      ++depth;
    } else {
      refusal = made.status().message();
    }
  }
  EXPECT_THAT(refusal, HasSubstr("nested"));
  EXPECT_GT(depth, 20);
}

}  // namespace
}  // namespace clepsydra
