// What wrong statements are told, word by word: these texts are what users see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/grammar/parser.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view sql) {
  const Result<ast::StatementPtr> statement = grammar::parse_statement(sql);
  return statement.is_ok() ? "no error" : std::string(statement.status().message());
}

TEST(ParseErrorsTest, missing_expression) {
  EXPECT_EQ(error_of("SELECT a, FROM t"),
            "line 1, column 11: expected an expression, found 'FROM'\n"
            "  SELECT a, FROM t\n"
            "            ^^^^");
}

TEST(ParseErrorsTest, misspelt_words) {
  EXPECT_EQ(error_of("SELCT a FROM t"),
            "line 1, column 1: expected a statement, found 'SELCT'\n"
            "  SELCT a FROM t\n"
            "  ^^^^^\n"
            "  hint: did you mean SELECT?");
  EXPECT_EQ(error_of("SELECT * FORM t"),
            "line 1, column 10: expected the end of the statement, found 'FORM'\n"
            "  SELECT * FORM t\n"
            "           ^^^^\n"
            "  hint: did you mean FROM?");
  EXPECT_EQ(error_of("SELECT a\nFORM t"),
            "line 2, column 6: expected the end of the statement, found 't'\n"
            "  FORM t\n"
            "       ^\n"
            "  hint: 'FORM' before it was read as an alias: did you mean FROM?");
  EXPECT_EQ(error_of("SELECT a FROM t WEHRE a = 1"),
            "line 1, column 23: expected the end of the statement, found 'a'\n"
            "  SELECT a FROM t WEHRE a = 1\n"
            "                        ^\n"
            "  hint: 'WEHRE' before it was read as an alias: did you mean WHERE?");
}

TEST(ParseErrorsTest, missing_comma) {
  EXPECT_EQ(error_of("SELECT a b c FROM t"),
            "line 1, column 12: expected the end of the statement, found 'c'\n"
            "  SELECT a b c FROM t\n"
            "             ^\n"
            "  hint: 'b' before it was read as an alias: is a ',' missing?");
}

TEST(ParseErrorsTest, open_quotes) {
  EXPECT_EQ(error_of("SELECT 'abc FROM t"),
            "line 1, column 8: the string that opens here is not closed\n"
            "  SELECT 'abc FROM t\n"
            "         ^^^^^^^^^^^\n"
            "  hint: add the closing quote; a quote inside a string is doubled");
  EXPECT_EQ(error_of("SELECT `abc FROM t\nWHERE `b` = 1"),
            "line 1, column 8: the name that opens here with a backtick is not closed on its line\n"
            "  SELECT `abc FROM t\n"
            "         ^^^^^^^^^^^\n"
            "  hint: add the closing backtick; a backtick inside a name is doubled");
  EXPECT_EQ(error_of("SELECT 1 /* why"),
            "line 1, column 10: the comment that opens here is not closed\n"
            "  SELECT 1 /* why\n"
            "           ^^\n"
            "  hint: add */ at its end");
}

TEST(ParseErrorsTest, parentheses) {
  EXPECT_EQ(error_of("SELECT COUNT(a FROM t"),
            "line 1, column 16: expected ')' to close the '(' at line 1, column 13, found 'FROM'\n"
            "  SELECT COUNT(a FROM t\n"
            "                 ^^^^");
  EXPECT_EQ(error_of("SELECT a) FROM t"),
            "line 1, column 9: expected the end of the statement, found ')'\n"
            "  SELECT a) FROM t\n"
            "          ^\n"
            "  hint: there is no '(' that this ')' would close");
}

TEST(ParseErrorsTest, reserved_words) {
  EXPECT_EQ(error_of("SELECT amount AS one FROM orders"),
            "line 1, column 18: expected a name for the column, found 'one'\n"
            "  SELECT amount AS one FROM orders\n"
            "                   ^^^\n"
            "  hint: ONE is a reserved word: write it in backticks to use it as a name, `one`");
  EXPECT_EQ(error_of("SELECT value FROM orders"),
            "line 1, column 8: expected an expression or a name, found 'value'\n"
            "  SELECT value FROM orders\n"
            "         ^^^^^\n"
            "  hint: VALUE is a reserved word: write it in backticks to use it as a name, `value`");
  for (const char* word : {"one", "no", "prev", "matches", "ln", "dec"}) {
    EXPECT_THAT(error_of(std::string("SELECT 1 AS ") + word), HasSubstr("reserved word")) << word;
  }
}

TEST(ParseErrorsTest, operators_of_other_systems) {
  EXPECT_EQ(error_of("SELECT a FROM t WHERE a != 1"),
            "line 1, column 25: expected the end of the statement, found '!='\n"
            "  SELECT a FROM t WHERE a != 1\n"
            "                          ^^\n"
            "  hint: write <> instead of !=");
  EXPECT_THAT(error_of("SELECT a == 1 FROM t"), HasSubstr("hint: write = instead of =="));
  EXPECT_THAT(error_of("SELECT a::INT FROM t"), HasSubstr("hint: write CAST(value AS type)"));
  EXPECT_THAT(error_of("SELECT a FROM t WHERE a = ?"), HasSubstr("parameters cannot be bound"));
  EXPECT_THAT(error_of("SELECT a FROM t WHERE a && b"), HasSubstr("hint: write AND"));
  EXPECT_THAT(error_of("SELECT \"a\" FROM t"), HasSubstr("names in backticks"));
  EXPECT_THAT(error_of("SELECT INTERVAL 5 DAY"), HasSubstr("hint: write INTERVAL '5'"));
  EXPECT_THAT(error_of("SET a = b"), HasSubstr("hint: write SET 'key' = 'value'"));
}

TEST(ParseErrorsTest, clauses_out_of_order) {
  EXPECT_EQ(
      error_of("SELECT 1 WHERE TRUE"),
      "line 1, column 10: expected the end of the statement, found 'WHERE'\n"
      "  SELECT 1 WHERE TRUE\n"
      "           ^^^^^\n"
      "  hint: the clauses of a query stand in the order SELECT, FROM, WHERE, GROUP BY, HAVING, "
      "WINDOW, ORDER BY, LIMIT; without FROM there are only the last two");
}

TEST(ParseErrorsTest, statements_of_other_systems_are_refused_by_name) {
  const Result<ast::StatementPtr> grant = grammar::parse_statement("GRANT SELECT ON t TO x");
  EXPECT_EQ(grant.status().code(), StatusCode::kUnimplemented);
  EXPECT_EQ(grant.status().message(),
            "line 1, column 1: GRANT is not supported\n"
            "  GRANT SELECT ON t TO x\n"
            "  ^^^^^");
}

// Statements that the reference's parser refuses, too (golden/errors.tsv), and the word that tells
// why.
TEST(ParseErrorsTest, refused_as_by_the_reference) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "expected a statement, found the end of the text"},
      {"SELECT", "column 7: expected an expression, found the end of the text"},
      {"SELECT FROM orders", "column 8"},
      {"SELECT (1", "to close the '(' at line 1, column 8"},
      {"SELECT * FROM orders WHERE", "column 27: expected an expression"},
      {"SELECT * FROM orders GROUP product", "expected BY, found 'product'"},
      {"SELECT * FROM orders ORDER amount", "expected BY, found 'amount'"},
      {"SELECT 1 +", "expected an expression"},
      {"SELECT CASE WHEN 1 THEN", "expected an expression"},
      {"SELECT CAST(1 INT)", "expected AS, found 'INT'"},
      {"SELECT CAST(1 AS )", "expected a data type, found ')'"},
      {"SELECT ,1", "expected an expression, found ','"},
      {"SELECT 1,", "expected an expression"},
      {"INSERT sink VALUES (1,'a')", "expected INTO or OVERWRITE, found 'sink'"},
      {"INSERT INTO sink", "expected a query"},
      {"CREATE TABLE", "expected a table name"},
      {"CREATE TABLE t ()", "expected a column name, found ')'"},
      {"CREATE TABLE t (a)", "expected a data type for each column"},
      {"UPDATE orders", "expected SET"},
      {"DELETE orders", "expected FROM, found 'orders'"},
      {"SELECT * FROM orders WHERE amount => 5", "write >= to compare"},
      {"SELECT a.* FROM (SELECT 1", "to close the '(' at line 1, column 17"},
      {"SELECT INTERVAL '1' FOO", "expected a time unit such as DAY or SECOND, found 'FOO'"},
      {"SELECT INTERVAL '1' MONTH TO DAY", "these two units do not make an interval"},
      {"SELECT x IN FROM orders", "expected '(' with a list or query after IN"},
      {"SELECT x IN () FROM orders", "expected an expression, found ')'"},
      {"SELECT * FROM TABLE(TUMBLE(TABLE orders DESCRIPTOR(ts), INTERVAL '1' MINUTE))",
       "column 41"},
      {"SELECT ROW_NUMBER() OVER FROM orders", "expected '(' or a window name after OVER"},
      {"SELECT 0x1F G", "'0x1F' is not a number"},
      {"SELECT * FROM orders TABLESAMPLE", "expected BERNOULLI"},
      {"SELECT 1 AS 'x'", "names are written in backticks"},
      {"SELECT ROW()", "expected an expression, found ')'"},
      {"SELECT TRUE XOR FALSE", "found 'FALSE'"},
      {"SELECT EXISTS (SELECT 1 WHERE FALSE)", "found 'WHERE'"},
      {"CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS a, WATERMARK FOR a AS a)",
       "a table can have one WATERMARK only"},
      {"CREATE TEMPORARY SYSTEM FUNCTION UPPER AS 'x'", "UPPER is a reserved word"},
      {"SELECT * FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE ) AS m", "expected a pattern variable"},
      {"EXPLAIN CHANGELOG_MODEX SELECT 1", "did you mean CHANGELOG_MODE?"},
      {"COMPILE PLAN '/x' FOR SELECT 1", "expected INSERT or STATEMENT SET, found 'SELECT'"},
      {"SHOW FUNCTIONS LIKE", "expected a pattern in single quotes"},
      {"SELECT product FROM orders FOR UPDATE", "expected SYSTEM_TIME, found 'UPDATE'"},
      {"SELECT a.amount FROM orders a LATERAL VIEW explode(x) t", "found 'LATERAL'"},
      {"SELECT TOP 5 * FROM orders", "found '5'"},
      {"SELECT x'4g'", "column 11: a binary string holds hexadecimal digits only"},
      {"SELECT U&'\\d800'", "invalid Unicode escape"},
      {"SELECT ``", "a name cannot be empty"},
      {"SELECT MAP['a']", "MAP needs a value for every key"},
      {"SELECT 1; SELECT 2", "expected the end of the text, found 'SELECT'"},
      {"DROP TEMPORARY DATABASE d", "this object cannot be temporary"},
      {"CREATE OR REPLACE VIEW v AS SELECT 1", "expected TABLE after REPLACE, found 'VIEW'"},
      {"EXECUTE STATEMENT SET BEGIN END", "expected INSERT, found 'END'"},
      {"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 END", "expected ';', found 'END'"},
      {"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; SELECT 1; END", "INSERT or END"},
      {"SELECT * FROM SELECT 1", "expected '(' before a query in FROM"},
  };
  for (const auto& [sql, message] : cases) {
    EXPECT_THAT(error_of(sql), HasSubstr(message)) << sql;
    EXPECT_EQ(grammar::parse_statement(sql).status().code(), StatusCode::kInvalidArgument) << sql;
  }
}

}  // namespace
}  // namespace clepsydra
