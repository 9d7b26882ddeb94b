// Input that no user writes by hand: depth, size, bytes that are no text, several statements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/print.h"
#include "sql/grammar/parser.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string repeat(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

struct Nest {
  std::string_view open;
  std::string_view middle;
  std::string_view close;
};

const std::vector<Nest>& nests() {
  static const std::vector<Nest> all = {
      {"(", "1", ")"},
      {"f(", "1", ")"},
      {"NOT ", "a", ""},
      {"- ", "1", ""},
      {"", "1", " + 1"},
      {"", "a", "[1]"},
      {"ARRAY[", "1", "]"},
      {"CAST(", "1", " AS INT)"},
      {"(SELECT ", "1", ")"},
      {"", "a", " IS NULL"},
      {"a = (", "1", ")"},
      {"1 + (1 + ", "1", ")"},
      {"CASE WHEN ", "1", " THEN 1 END"},
      {"EXISTS (SELECT * FROM t WHERE ", "a", ")"},
      {"TRIM(", "a", ")"},
      {"(a, ", "b", ")"},
      {"a IN (SELECT ", "1", ")"},
      {"JSON_OBJECT('a' VALUE ", "1", ")"},
      {"", "a", " BETWEEN 1 AND 2"},
      {"a + CASE a WHEN ", "1", " THEN 1 END"},
  };
  return all;
}

TEST(ParserLimitsTest, nesting_is_bounded) {
  for (const Nest& nest : nests()) {
    const auto parse = [&nest](int depth) {
      const std::string sql =
          repeat(nest.open, depth) + std::string(nest.middle) + repeat(nest.close, depth);
      Result<ast::ExpressionPtr> result = grammar::parse_expression(sql);
      // What is accepted can be walked.
      if (result.is_ok()) {
        EXPECT_FALSE(ast::to_sql(*result.value()).empty());
      }
      return result.status();
    };
    EXPECT_TRUE(parse(60).is_ok()) << nest.open << nest.close << parse(60).to_string();
    for (const int depth : {1000, 100'000}) {
      EXPECT_EQ(parse(depth).code(), StatusCode::kResourceExhausted) << nest.open << nest.close;
    }
    EXPECT_THAT(parse(1000).message(), HasSubstr("is nested more than 500 levels deep"));
  }
}

TEST(ParserLimitsTest, nesting_of_queries_types_and_patterns_is_bounded) {
  const std::vector<Nest> statements = {
      {"(", "SELECT 1", ")"},
      {"SELECT * FROM (", "SELECT 1", ")"},
      {"WITH a AS (", "SELECT 1", ") SELECT 1"},
  };
  for (const Nest& nest : statements) {
    for (const int depth : {1000, 100'000}) {
      const std::string sql =
          repeat(nest.open, depth) + std::string(nest.middle) + repeat(nest.close, depth);
      EXPECT_EQ(grammar::parse_statement(sql).status().code(), StatusCode::kResourceExhausted);
    }
  }
  for (const char* head : {"SELECT CAST(a AS ", "SELECT * FROM t GROUP BY ",
                           "SELECT * FROM t MATCH_RECOGNIZE (PATTERN (", "SELECT * FROM "}) {
    for (const char* open : {"ARRAY<", "ROW<a ", "ROLLUP (", "(", "{- ", "PERMUTE("}) {
      const Result<ast::StatementPtr> result =
          grammar::parse_statement(std::string(head) + repeat(open, 100'000));
      EXPECT_FALSE(result.is_ok());
    }
  }
  // Joins and mixed set operations grow to the left.
  EXPECT_FALSE(grammar::parse_statement("SELECT * FROM t" + repeat(" CROSS JOIN t", 1000)).is_ok());
  EXPECT_FALSE(
      grammar::parse_statement("SELECT 1" + repeat(" UNION SELECT 2 EXCEPT SELECT 3", 1000))
          .is_ok());
}

TEST(ParserLimitsTest, depth_adds_up_over_chains_and_parentheses) {
  // Each level is a chain of 100 additions whose first operand is the next level.
  std::string sql = "1";
  for (int level = 0; level < 20; ++level) sql = "(" + sql + ")" + repeat(" + 1", 100);
  EXPECT_EQ(grammar::parse_expression(sql).status().code(), StatusCode::kResourceExhausted);
}

TEST(ParserLimitsTest, long_lists_are_not_deep) {
  EXPECT_TRUE(grammar::parse_expression("a" + repeat(" AND a", 10'000)).is_ok());
  EXPECT_TRUE(grammar::parse_expression("a" + repeat(" OR a AND b", 10'000)).is_ok());
  EXPECT_TRUE(grammar::parse_expression("a IN (1" + repeat(", 1", 10'000) + ")").is_ok());
  EXPECT_TRUE(grammar::parse_statement("VALUES (1)" + repeat(", (1)", 10'000)).is_ok());
  EXPECT_TRUE(grammar::parse_statement("SELECT 1" + repeat(" UNION ALL SELECT 1", 10'000)).is_ok());
  EXPECT_TRUE(
      grammar::parse_expression("CASE" + repeat(" WHEN a THEN 1", 10'000) + " END").is_ok());
}

TEST(ParserLimitsTest, names_and_literals_may_be_long) {
  const std::string name(64 << 10, 'x');
  EXPECT_TRUE(grammar::parse_statement("SELECT " + name + " FROM t").is_ok());
  const std::string text(10 << 20, 'y');
  EXPECT_TRUE(grammar::parse_statement("SELECT '" + text + "'").is_ok());
  // A long line is clipped around the place.
  const Result<ast::StatementPtr> wrong =
      grammar::parse_statement("SELECT '" + text + "' FROM FROM t");
  EXPECT_LT(wrong.status().message().size(), 600U);
  EXPECT_THAT(wrong.status().message(), HasSubstr("column 10485776: expected a table name"));
}

TEST(ParserLimitsTest, bytes_that_are_no_text) {
  using namespace std::string_literals;
  EXPECT_THAT(grammar::parse_statement("SELECT '\xff'").status().message(),
              HasSubstr("line 1, column 9: byte 0xFF is not valid UTF-8"));
  EXPECT_THAT(grammar::parse_statement("SELECT 1 -- \xc0\x80").status().message(),
              HasSubstr("line 1, column 13: byte 0xC0 is not valid UTF-8"));
  EXPECT_THAT(grammar::parse_statement("SELECT \0 1"s).status().message(),
              HasSubstr("line 1, column 8: the statement contains a NUL byte"));
  EXPECT_THAT(grammar::parse_statement("SELECT 1\u00a0AS a").status().message(),
              HasSubstr("the character U+00A0 has no meaning here"));
  EXPECT_THAT(grammar::parse_statement("SELECT \u2018a\u2019").status().message(),
              HasSubstr("a typographic quote"));
  // A byte order mark is allowed where files have it.
  EXPECT_TRUE(grammar::parse_statement("\xEF\xBB\xBFSELECT 1").is_ok());
}

// The texts of the statements; an error's first line in their place.
std::vector<std::string> read_all(std::string_view script) {
  std::vector<std::string> result;
  grammar::ScriptReader reader(script);
  while (result.size() < 100) {
    const Result<std::optional<grammar::ScriptStatement>> next = reader.next();
    if (!next.is_ok()) {
      const std::string_view message = next.status().message();
      result.emplace_back(message.substr(0, message.find('\n')));
    } else if (next.value()) {
      result.emplace_back((*next)->text);
    } else {
      break;
    }
  }
  return result;
}

TEST(ScriptReaderTest, gives_statements_with_their_text) {
  EXPECT_THAT(read_all(""), ElementsAre());
  EXPECT_THAT(read_all(" ;; -- nothing\n;"), ElementsAre());
  EXPECT_THAT(read_all("SELECT 1"), ElementsAre("SELECT 1"));
  EXPECT_THAT(read_all(" SELECT 1 ;\n\n-- two\nSELECT ';' ;;SELECT 3 -- three\n"),
              ElementsAre("SELECT 1", "SELECT ';'", "SELECT 3"));
}

TEST(ScriptReaderTest, a_statement_set_is_one_statement) {
  EXPECT_THAT(
      read_all(
          "SET 'a' = 'b'; BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;"
          "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN TRUE THEN 1 END; END; SELECT "
          "1"),
      ElementsAre("SET 'a' = 'b'",
                  "BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END",
                  "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN TRUE THEN 1 END; END",
                  "SELECT 1"));
}

TEST(ScriptReaderTest, an_error_is_met_when_it_is_reached) {
  EXPECT_THAT(
      read_all("SELECT 1;\nSELECT ';' FROM; SELECT 3;\nSELECT 'open; SELECT 4"),
      ElementsAre("SELECT 1",
                  "line 2, column 16: expected a table name or '(', found the end of the statement",
                  "SELECT 3", "line 3, column 8: the string that opens here is not closed"));
  EXPECT_THAT(read_all("SELECT 1; SELECT '\xff'; SELECT 2"),
              ElementsAre("SELECT 1", "line 1, column 19: byte 0xFF is not valid UTF-8"));
}

TEST(ScriptReaderTest, ranges_count_from_the_start_of_the_script) {
  const std::string_view script = "SELECT 1;\n SELECT abc FROM t";
  grammar::ScriptReader reader(script);
  ASSERT_TRUE(reader.next().is_ok());
  const Result<std::optional<grammar::ScriptStatement>> second = reader.next();
  ASSERT_TRUE(second.is_ok());
  const auto& query = *(*second)->statement->as<ast::QueryStatement>().query;
  const ast::SourceRange range = query.body->as<ast::Select>().items.front().value->range;
  EXPECT_EQ(script.substr(range.begin, range.end - range.begin), "abc");
}

TEST(NeedsMoreInputTest, until_the_semicolon) {
  EXPECT_FALSE(grammar::needs_more_input(""));
  EXPECT_FALSE(grammar::needs_more_input("  -- nothing yet\n"));
  EXPECT_TRUE(grammar::needs_more_input("SELECT 1"));
  EXPECT_FALSE(grammar::needs_more_input("SELECT 1;"));
  EXPECT_FALSE(grammar::needs_more_input("SELECT 1; -- done\n"));
  EXPECT_TRUE(grammar::needs_more_input("SELECT 1; SELECT"));
  EXPECT_TRUE(grammar::needs_more_input("SELECT 'a;"));
  EXPECT_TRUE(grammar::needs_more_input("SELECT 1; /* ;"));
  EXPECT_TRUE(grammar::needs_more_input("BEGIN STATEMENT SET; INSERT INTO a SELECT 1;"));
  EXPECT_TRUE(grammar::needs_more_input(
      "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT CASE WHEN b THEN 1 END;"));
  EXPECT_FALSE(
      grammar::needs_more_input("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;"));
}

}  // namespace
}  // namespace clepsydra
