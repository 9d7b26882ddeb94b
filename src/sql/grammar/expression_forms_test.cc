// Every form of expression, one line each, and how operators bind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/print.h"
#include "sql/grammar/parser.h"

namespace clepsydra {
namespace {

std::string printed(std::string_view sql) {
  const Result<ast::ExpressionPtr> expression = grammar::parse_expression(sql);
  if (!expression.is_ok()) return expression.status().to_string();
  return ast::to_sql(*expression.value());
}

struct Form {
  std::string_view sql;
  std::string_view canonical = {};  // Empty: as written.
};

void expect_forms(const std::vector<Form>& forms) {
  for (const Form& form : forms) {
    const std::string expected(form.canonical.empty() ? form.sql : form.canonical);
    EXPECT_EQ(printed(form.sql), expected) << "of " << form.sql;
    EXPECT_EQ(printed(expected), expected) << "again, of " << form.sql;
  }
}

// The tree with all its parentheses, independent of the printer: (+ 1 (* 2 3)).
std::string tree(const ast::Expression& e) {
  if (const auto* operation = e.as_if<ast::Operation>()) {
    std::string text = std::string("(") + ast::operator_name(operation->op);
    for (const auto& operand : operation->operands) text += " " + tree(*operand);
    return text + ")";
  }
  if (const auto* between = e.as_if<ast::Between>()) {
    return std::string(between->negated ? "(NOT BETWEEN " : "(BETWEEN ") + tree(*between->value) +
           " " + tree(*between->low) + " " + tree(*between->high) + ")";
  }
  if (const auto* like = e.as_if<ast::Like>()) {
    return "(LIKE " + tree(*like->value) + " " + tree(*like->pattern) + ")";
  }
  if (const auto* in = e.as_if<ast::InList>()) {
    std::string text = "(IN " + tree(*in->value);
    for (const auto& item : in->list) text += " " + tree(*item);
    return text + ")";
  }
  if (const auto* access = e.as_if<ast::ElementAccess>()) {
    return "([] " + tree(*access->value) + " " + tree(*access->index) + ")";
  }
  return ast::to_sql(e);
}

std::string tree_of(std::string_view sql) {
  const Result<ast::ExpressionPtr> expression = grammar::parse_expression(sql);
  return expression.is_ok() ? tree(*expression.value()) : expression.status().to_string();
}

TEST(ExpressionFormsTest, operators_bind_as_in_the_reference) {
  EXPECT_EQ(tree_of("1 + 2 * 3 - 4"), "(- (+ 1 (* 2 3)) 4)");
  EXPECT_EQ(tree_of("a - b - c"), "(- (- a b) c)");
  EXPECT_EQ(tree_of("a + b || c"), "(+ a (|| b c))");
  EXPECT_EQ(tree_of("a || b % c"), "(% (|| a b) c)");
  EXPECT_EQ(tree_of("-a * -b"), "(* (- a) (- b))");
  EXPECT_EQ(tree_of("- a[1]"), "(- ([] a 1))");
  EXPECT_EQ(tree_of("a OR b AND NOT c = d"), "(OR a (AND b (NOT (= c d))))");
  EXPECT_EQ(tree_of("a AND b AND c OR d"), "(OR (AND a b c) d)");
  EXPECT_EQ(tree_of("(a AND b) AND c"), "(AND (AND a b) c)");
  EXPECT_EQ(tree_of("NOT a IS NULL"), "(NOT (IS NULL a))");
  EXPECT_EQ(tree_of("a = b IS TRUE"), "(IS TRUE (= a b))");
  EXPECT_EQ(tree_of("a = b BETWEEN c AND d AND e"), "(AND (= a (BETWEEN b c d)) e)");
  EXPECT_EQ(tree_of("a NOT BETWEEN b + 1 AND c OR d"), "(OR (NOT BETWEEN a (+ b 1) c) d)");
  EXPECT_EQ(tree_of("a < b + 1 = c"), "(= (< a (+ b 1)) c)");
  EXPECT_EQ(tree_of("a + 1 IN (b, c + 1) = d"), "(= (IN (+ a 1) b (+ c 1)) d)");
  EXPECT_EQ(tree_of("a LIKE b || c AND d"), "(AND (LIKE a (|| b c)) d)");
  EXPECT_EQ(tree_of("a IS DISTINCT FROM b + c AND d"), "(AND (IS DISTINCT FROM a (+ b c)) d)");
  EXPECT_EQ(tree_of("a IS NULL IS NOT TRUE"), "(IS NOT TRUE (IS NULL a))");
}

TEST(ExpressionFormsTest, the_printer_puts_the_parentheses_that_are_needed) {
  expect_forms({
      {"(a + b) * c"},
      {"a - (b - c)"},
      {"((a)) + (b * c)", "a + b * c"},
      {"NOT (a AND b)"},
      {"(NOT a) = b"},
      {"(a = b) IS NULL", "a = b IS NULL"},
      {"a = (b IS NULL)"},
      {"- (- a)", "-(-a)"},
      {"- -1", "-(-1)"},
      {"(a OR b) AND c"},
      {"(a BETWEEN b AND c) BETWEEN d AND e", "a BETWEEN b AND c BETWEEN d AND e"},
      {"(a).b"},
      {"(a, b).c"},
  });
}

TEST(ExpressionFormsTest, literals) {
  expect_forms({
      {"NULL"},
      {"true", "TRUE"},
      {"UNKNOWN"},
      {"12"},
      {"1.50"},
      {".5"},
      {"1."},
      {"1e0"},
      {"1.5E-3"},
      {"'it''s'"},
      {"'a\nb'"},
      {"'a'\n'b'", "'ab'"},
      {"'é€😀'"},
      {"U&'\\00e9\\+01F600\\\\'", "'é😀\\'"},
      {"U&'!00e9' UESCAPE '!'", "'é'"},
      {"_UTF8'x'", "'x'"},
      {"N'x'", "'x'"},
      {"x'0aFF'", "X'0AFF'"},
      {"X''"},
      {"{d '2020-01-01'}", "DATE '2020-01-01'"},
      {"{ ts '2020-01-01 00:00:00' }", "TIMESTAMP '2020-01-01 00:00:00'"},
      {"{T '12:34:56'}", "TIME '12:34:56'"},
      {"DATE '2020-01-01'"},
      {"TIME '12:34:56'"},
      {"TIMESTAMP '2020-01-01 00:00:00'"},
      {"INTERVAL '1' DAY"},
      {"INTERVAL -'1-2' YEAR TO MONTH"},
      {"INTERVAL '1 02:03:04.567' DAY(3) TO SECOND(3)"},
      {"INTERVAL '1' SECOND(2, 3)"},
      {"INTERVAL '1' MONTHS", "INTERVAL '1' MONTH"},
      {"INTERVAL '1' QUARTER"},
      {"INTERVAL '1' WEEK"},
      {"interval '5:6' hour to minute", "INTERVAL '5:6' HOUR TO MINUTE"},
  });
}

TEST(ExpressionFormsTest, names) {
  expect_forms({
      {"a"},
      {"Abc_1$"},
      {"`a b`"},
      {"`a``b`"},
      {"t.a.`b c`"},
      {"größe", "`größe`"},
      {"`year`"},
      {"data", "data"},
      {"EXPR$0"},
  });
}

TEST(ExpressionFormsTest, predicates) {
  expect_forms({
      {"a IS NULL"},
      {"a IS NOT NULL"},
      {"a IS TRUE"},
      {"a IS NOT FALSE"},
      {"a IS UNKNOWN"},
      {"a IS NOT DISTINCT FROM b"},
      {"a IS JSON", "a IS JSON VALUE"},
      {"a IS NOT JSON OBJECT"},
      {"a IS JSON ARRAY"},
      {"a IS JSON SCALAR"},
      {"a IS NOT A SET"},
      {"a IS EMPTY"},
      {"a <> b"},
      {"a BETWEEN SYMMETRIC b AND c"},
      {"a BETWEEN ASYMMETRIC b AND c", "a BETWEEN b AND c"},
      {"a NOT IN (1, 2)"},
      {"a IN (SELECT 1)"},
      {"a IN ((SELECT 1))", "a IN (SELECT 1)"},
      {"(a, b) IN ((1, 2), (3, 4))"},
      {"a NOT LIKE 'x!%' ESCAPE '!'"},
      {"a SIMILAR TO 'x'"},
      {"a NOT SIMILAR TO 'x' ESCAPE '!'"},
      {"EXISTS (SELECT 1)"},
      {"NOT EXISTS (SELECT 1)"},
      {"a = ANY (SELECT 1)"},
      {"a > SOME (1, 2)", "a > ANY (1, 2)"},
      {"a <= ALL (SELECT 1)"},
      {"(a, b) OVERLAPS (c, d)"},
      {"a MEMBER OF b"},
      {"a NOT SUBMULTISET OF b"},
      {"a MULTISET UNION ALL b"},
      {"a IMMEDIATELY PRECEDES b"},
  });
}

TEST(ExpressionFormsTest, values_of_many_parts) {
  expect_forms({
      {"CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END"},
      {"CASE a WHEN 1, 2 THEN 'x' END"},
      {"CAST(a AS DECIMAL(10, 2))"},
      {"TRY_CAST(a AS ROW<x INT NOT NULL, y ARRAY<MAP<STRING, INT>>>)"},
      {"ROW(1, 'x')"},
      {"(1, 'x')"},
      {"ARRAY[1, 2]"},
      {"ARRAY[]"},
      {"MAP['a', 1, 'b', 2]"},
      {"MULTISET['a', 'a']"},
      {"ARRAY(SELECT a FROM t)"},
      {"a.b[1].c['k']", "a.b[1].c['k']"},
      {"f(a).b[2]"},
      {"(SELECT 1)"},
      {"(a - b) DAY TO SECOND"},
      {"(a - b) MONTH"},
  });
}

TEST(ExpressionFormsTest, calls) {
  expect_forms({
      {"f()"},
      {"{fn UPPER(a)}", "UPPER(a)"},
      {"c.d.f(1)"},
      {"COUNT(*)"},
      {"count(distinct a, b)", "count(DISTINCT a, b)"},
      {"SUM(ALL a)"},
      {"SUM(a) FILTER (WHERE b > 1)"},
      {"LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC)"},
      {"LISTAGG(a ORDER BY b)", "LISTAGG(a) WITHIN GROUP (ORDER BY b)"},
      {"ARRAY_AGG(a IGNORE NULLS)", "ARRAY_AGG(a) IGNORE NULLS"},
      {"FIRST_VALUE(a) RESPECT NULLS OVER (ORDER BY b)"},
      {"ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY c DESC NULLS FIRST)"},
      {"SUM(a) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"},
      {"SUM(a) OVER (ORDER BY t ROWS 2 PRECEDING)",
       "SUM(a) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"},
      {"SUM(a) OVER (ORDER BY t RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND UNBOUNDED "
       "FOLLOWING)"},
      {"SUM(a) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING)"},
      {"SUM(a) OVER w"},
      {"f(x => 1, y => DEFAULT)"},
      {"CURRENT_DATE"},
      {"current_timestamp", "current_timestamp"},
      {"LOCALTIME"},
      {"EXTRACT(DAY FROM a)"},
      {"extract(dow from a)", "extract(DOW FROM a)"},
      {"FLOOR(a TO HOUR)"},
      {"CEIL(a TO MONTH)"},
      {"FLOOR(a)"},
      {"TIMESTAMPADD(DAY, 1, a)"},
      {"TIMESTAMPDIFF(SQL_TSI_MONTH, a, b)", "TIMESTAMPDIFF(MONTH, a, b)"},
      {"SUBSTRING(a FROM 2 FOR 3)", "SUBSTRING(a, 2, 3)"},
      {"SUBSTRING(a FROM 2)", "SUBSTRING(a, 2)"},
      {"POSITION('a' IN b)", "POSITION('a', b)"},
      {"POSITION('a' IN b FROM 2)", "POSITION('a', b, 2)"},
      {"OVERLAY(a PLACING b FROM 1 FOR 2)", "OVERLAY(a, b, 1, 2)"},
      {"TRIM(a)"},
      {"TRIM('x' FROM a)", "TRIM(BOTH 'x' FROM a)"},
      {"TRIM(LEADING FROM a)"},
      {"TRIM(TRAILING 'x' FROM a)"},
      {"IF(a, 1, 2)", "IF(a, 1, 2)"},
      {"LEFT(a, 1) || RIGHT(a, 1)"},
      {"YEAR(a)"},
      {"TRANSLATE(a, 'x', 'y')"},
  });
}

TEST(ExpressionFormsTest, json_calls) {
  expect_forms({
      {"JSON_EXISTS(a, '$.b')"},
      {"JSON_EXISTS(a, '$.b' TRUE ON ERROR)"},
      {"JSON_VALUE(a, '$.b' RETURNING INT DEFAULT 1 ON EMPTY NULL ON ERROR)"},
      {"JSON_VALUE(a, '$.b' ERROR ON EMPTY)"},
      {"JSON_QUERY(a, '$' WITH CONDITIONAL WRAPPER EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR)",
       "JSON_QUERY(a, '$' WITH CONDITIONAL ARRAY WRAPPER EMPTY ARRAY ON EMPTY EMPTY OBJECT ON "
       "ERROR)"},
      {"JSON_QUERY(a, '$' WITH WRAPPER)", "JSON_QUERY(a, '$' WITH UNCONDITIONAL ARRAY WRAPPER)"},
      {"JSON_QUERY(a, '$' RETURNING ARRAY<STRING> WITHOUT ARRAY WRAPPER)"},
      {"JSON_OBJECT()"},
      {"JSON_OBJECT('a' VALUE 1, KEY 'b' VALUE 2 ABSENT ON NULL)",
       "JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE 2 ABSENT ON NULL)"},
      {"JSON_OBJECT('a' : 1)", "JSON_OBJECT(KEY 'a' VALUE 1)"},
      {"JSON_ARRAY()"},
      {"JSON_ARRAY(1, 'x' NULL ON NULL)"},
      {"JSON_ARRAY(ABSENT ON NULL)"},
      {"JSON_OBJECTAGG(KEY k VALUE v NULL ON NULL)"},
      {"JSON_ARRAYAGG(a ABSENT ON NULL) FILTER (WHERE b)"},
  });
}

TEST(ExpressionFormsTest, types) {
  const std::vector<Form> types = {
      {"BOOLEAN"},
      {"TINYINT"},
      {"SMALLINT"},
      {"INTEGER", "INT"},
      {"BIGINT NOT NULL"},
      {"FLOAT"},
      {"DOUBLE PRECISION", "DOUBLE"},
      {"DECIMAL"},
      {"DEC(10)", "DECIMAL(10)"},
      {"NUMERIC(10, 2)", "DECIMAL(10, 2)"},
      {"CHAR(3)"},
      {"CHARACTER VARYING(3)", "VARCHAR(3)"},
      {"VARCHAR"},
      {"STRING"},
      {"BINARY(2)"},
      {"BINARY VARYING(2)", "VARBINARY(2)"},
      {"BYTES"},
      {"DATE"},
      {"TIME(3)"},
      {"TIME WITHOUT TIME ZONE", "TIME"},
      {"TIMESTAMP(3) WITHOUT TIME ZONE", "TIMESTAMP(3)"},
      {"TIMESTAMP(3) WITH LOCAL TIME ZONE", "TIMESTAMP_LTZ(3)"},
      {"TIMESTAMP(3) WITH TIME ZONE"},
      {"TIMESTAMP_LTZ(6)"},
      {"INTERVAL YEAR(2) TO MONTH"},
      {"INTERVAL DAY TO SECOND(3)"},
      {"ARRAY<ARRAY<INT NOT NULL>>"},
      {"INT ARRAY NOT NULL", "ARRAY<INT> NOT NULL"},
      {"INT MULTISET ARRAY", "ARRAY<MULTISET<INT>>"},
      {"MULTISET<STRING>"},
      {"MAP<STRING, ROW<a INT>>"},
      {"ROW<a INT 'c', b STRING NOT NULL>"},
      {"ROW(a INT COMMENT 'c')", "ROW<a INT 'c'>"},
      {"ROW<>"},
      {"VARIANT"},
      {"BITMAP"},
      {"NULL"},
      {"RAW('a.B', 'abc=')"},
      {"STRUCTURED<'a.B', x INT, y STRING>"},
      {"c.d.my_type"},
  };
  for (const Form& form : types) {
    const Result<ast::TypeName> type = grammar::parse_type(form.sql);
    ASSERT_TRUE(type.is_ok()) << type.status().to_string();
    EXPECT_EQ(ast::to_sql(type.value()), form.canonical.empty() ? form.sql : form.canonical);
  }
}

TEST(ExpressionFormsTest, ranges_cover_what_was_written) {
  const std::string_view sql = "a + COALESCE( b , 'x' ) * c.d";
  const Result<ast::ExpressionPtr> parsed = grammar::parse_expression(sql);
  ASSERT_TRUE(parsed.is_ok());
  const auto text = [&](ast::SourceRange r) { return sql.substr(r.begin, r.end - r.begin); };
  const auto& sum = parsed.value()->as<ast::Operation>();
  EXPECT_EQ(text(sum.range), sql);
  EXPECT_EQ(text(sum.op_range), "+");
  const auto& product = sum.operands[1]->as<ast::Operation>();
  EXPECT_EQ(text(product.range), "COALESCE( b , 'x' ) * c.d");
  const auto& call = product.operands[0]->as<ast::FunctionCall>();
  EXPECT_EQ(text(call.range), "COALESCE( b , 'x' )");
  EXPECT_EQ(text(call.arguments[1].value->range), "'x'");
  EXPECT_EQ(text(product.operands[1]->as<ast::ColumnReference>().parts[1].range), "d");
}

TEST(ExpressionFormsTest, comments_and_blanks_are_nothing) {
  EXPECT_EQ(printed("a -- one\n + /* two\n three */ b // four"), "a + b");
  EXPECT_EQ(printed("\tA\r\n\f+\nB"), "A + B");
}

}  // namespace
}  // namespace clepsydra
