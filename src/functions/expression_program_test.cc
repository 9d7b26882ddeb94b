#include "functions/expression_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_pool.h"
#include "functions/function_registry.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::test_pool;

const FunctionRegistry& registry() {
  return FunctionRegistry::built_in();
}

ExpressionPtr call(std::string_view name, std::vector<ExpressionPtr> arguments) {
  Result<ExpressionPtr> resolved = registry().resolve(name, std::move(arguments));
  EXPECT_TRUE(resolved.is_ok()) << resolved.status().to_string();
  return resolved.value();
}

ExpressionPtr column(const Batch& batch, int i) {
  const Field& field = batch.schema()->field(i);
  return Expression::column(i, field.type, field.name);
}

ExpressionProgram program(const std::vector<ExpressionPtr>& expressions) {
  Result<ExpressionProgram> made = ExpressionProgram::make(expressions, {.pool = &test_pool()});
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return std::move(made).value();
}

std::vector<std::string> evaluate(const ExpressionPtr& expression, const Batch& batch) {
  ExpressionProgram made = program({expression});
  const Result<std::vector<Column>> columns = made.evaluate(batch);
  if (!columns.is_ok()) return {columns.status().to_string()};
  EXPECT_TRUE(validate((*columns)[0], true).is_ok());
  return lines_of((*columns)[0]);
}

std::vector<std::int32_t> select(const ExpressionPtr& expression, const Batch& batch) {
  ExpressionProgram made = program({expression});
  const RowIndices rows = made.select(batch).value();
  return {rows.begin(), rows.end()};
}

Batch numbers() {
  return batch_of("a INT, b INT", {"6 | 2", "7 | 0", "NULL | 3", "8 | NULL", "9 | 3"});
}

TEST(ExpressionProgramTest, a_failure_names_the_expression_and_the_row) {
  const Batch batch = numbers();
  const std::vector<std::string> lines =
      evaluate(call("/", {column(batch, 0), column(batch, 1)}), batch);
  EXPECT_THAT(lines,
              ElementsAre("InvalidArgument: division by zero in (a / b), where a = 7, b = 0"));
}

TEST(ExpressionProgramTest, and_computes_its_right_side_only_where_it_matters) {
  const Batch batch = numbers();
  const ExpressionPtr guard = call("<>", {column(batch, 1), integer_literal(0)});
  const ExpressionPtr quotient = call("/", {column(batch, 0), column(batch, 1)});
  const ExpressionPtr test = call(">", {quotient, integer_literal(2)});
  EXPECT_THAT(select(call("AND", {guard, test}), batch), ElementsAre(0, 4));
  EXPECT_THAT(evaluate(call("AND", {guard, test}), batch),
              ElementsAre("TRUE", "FALSE", "NULL", "NULL", "TRUE"));
  // Or: the other way round.
  const ExpressionPtr is_zero = call("=", {column(batch, 1), integer_literal(0)});
  EXPECT_THAT(evaluate(call("OR", {is_zero, test}), batch),
              ElementsAre("TRUE", "TRUE", "NULL", "NULL", "TRUE"));
}

TEST(ExpressionProgramTest, case_computes_branches_only_for_their_rows) {
  const Batch batch = numbers();
  const ExpressionPtr quotient = call("/", {column(batch, 0), column(batch, 1)});
  const ExpressionPtr expression = call(
      "CASE", {call("=", {column(batch, 1), integer_literal(0)}), integer_literal(-1), quotient});
  EXPECT_THAT(evaluate(expression, batch), ElementsAre("3", "-1", "NULL", "NULL", "3"));
}

TEST(ExpressionProgramTest, a_failing_constant_in_a_branch_that_nobody_takes_does_no_harm) {
  const Batch batch = numbers();
  const ExpressionPtr bad = call("/", {integer_literal(1), integer_literal(0)});
  const ExpressionPtr never = call("=", {column(batch, 1), integer_literal(99)});
  EXPECT_THAT(evaluate(call("CASE", {never, bad, column(batch, 1)}), batch),
              ElementsAre("2", "0", "3", "NULL", "3"));
  EXPECT_THAT(evaluate(bad, batch), ElementsAre(HasSubstr("division by zero in (1 / 0)")));
}

TEST(ExpressionProgramTest, coalesce_stops_at_the_first_value) {
  const Batch batch = numbers();
  const ExpressionPtr bad = call("/", {column(batch, 0), integer_literal(0)});
  EXPECT_THAT(evaluate(call("COALESCE", {column(batch, 0), column(batch, 1), bad}), batch),
              ElementsAre("6", "7", "3", "8", "9"));
}

// No branch has code that may fail or is costly: all are there for every row.
TEST(ExpressionProgramTest, case_picks_among_values_of_every_layout) {
  const Batch batch = batch_of(
      "k INT, o BOOLEAN, b BIGINT, d DECIMAL(30, 2), i SMALLINT, f BOOLEAN, s STRING, t STRING",
      {"1 | TRUE | 10 | 1.25 | 11 | TRUE | a first text that is long | one",
       "2 | FALSE | NULL | NULL | 12 | NULL | short | another text that is long",
       "3 | NULL | 30 | -3.50 | NULL | FALSE | NULL | three",
       "4 | TRUE | 40 | 4.00 | 14 | TRUE | a fourth text that is long | four",
       "NULL | TRUE | 50 | 5.00 | 15 | FALSE | fifth | NULL",
       "6 | FALSE | 60 | 6.00 | 16 | TRUE | sixth | a sixth one that is long",
       "7 | NULL | 70 | 7.00 | 17 | TRUE | seventh | seven",
       "8 | TRUE | 80 | NULL | 18 | FALSE | eighth | eight",
       "9 | FALSE | 90 | 9.00 | 19 | FALSE | a ninth text that is long | nine",
       "10 | TRUE | 100 | 10.00 | 20 | NULL | tenth | a tenth one that is long"});
  const ExpressionPtr k = column(batch, 0);
  const ExpressionPtr small = call("<", {k, integer_literal(4)});
  const ExpressionPtr odd = column(batch, 1);  // TRUE, FALSE, NULL as it comes.
  const auto pick = [&](ExpressionPtr first, ExpressionPtr second, ExpressionPtr otherwise) {
    return evaluate(
        call("CASE", {small, std::move(first), odd, std::move(second), std::move(otherwise)}),
        batch);
  };
  EXPECT_THAT(pick(column(batch, 2), big_int_literal(-1), null_literal(DataType::big_int())),
              ElementsAre("10", "NULL", "30", "-1", "-1", "NULL", "NULL", "-1", "NULL", "-1"));
  EXPECT_THAT(pick(big_int_literal(0), null_literal(DataType::big_int()), column(batch, 2)),
              ElementsAre("0", "0", "0", "NULL", "NULL", "60", "70", "NULL", "90", "NULL"));
  EXPECT_THAT(pick(column(batch, 3), column(batch, 3), column(batch, 3)),
              ElementsAre("1.25", "NULL", "-3.50", "4.00", "5.00", "6.00", "7.00", "NULL", "9.00",
                          "10.00"));
  EXPECT_THAT(pick(column(batch, 4), column(batch, 4), column(batch, 4)),
              ElementsAre("11", "12", "NULL", "14", "15", "16", "17", "18", "19", "20"));
  EXPECT_THAT(pick(column(batch, 5), boolean_literal(true), column(batch, 5)),
              ElementsAre("TRUE", "NULL", "FALSE", "TRUE", "TRUE", "TRUE", "TRUE", "TRUE", "FALSE",
                          "TRUE"));
  EXPECT_THAT(
      pick(column(batch, 6), column(batch, 7), text_literal("none of both in many letters")),
      ElementsAre("a first text that is long", "short", "NULL", "four", "NULL",
                  "none of both in many letters", "none of both in many letters", "eight",
                  "none of both in many letters", "a tenth one that is long"));
}

TEST(ExpressionProgramTest, case_within_a_branch_sees_only_its_rows) {
  const Batch batch = numbers();
  const ExpressionPtr a = column(batch, 0);
  const ExpressionPtr b = column(batch, 1);
  const ExpressionPtr inner = call("CASE", {call("<", {a, integer_literal(9)}), a, b});
  const ExpressionPtr quotient = call("/", {integer_literal(24), inner});
  EXPECT_THAT(
      evaluate(call("CASE", {call("<>", {b, integer_literal(0)}), quotient, integer_literal(-1)}),
               batch),
      ElementsAre("4", "-1", "8", "-1", "8"));
}

TEST(ExpressionProgramTest, in_looks_up_whole_numbers_of_any_type) {
  const Batch batch = batch_of(
      "t TINYINT, b BIGINT", {"1 | 1", "44 | 300", "127 | 2147483648", "NULL | NULL", "-128 | -1"});
  const ExpressionPtr b = column(batch, 1);
  const ExpressionPtr in =
      call("IN", {b, integer_literal(300), big_int_literal(2'147'483'648), integer_literal(-1)});
  EXPECT_EQ(in->name(), "IN");
  EXPECT_THAT(evaluate(in, batch), ElementsAre("FALSE", "TRUE", "TRUE", "NULL", "TRUE"));
  // 300 is 44 in the low bits of a TINYINT, and must not be found there.
  EXPECT_THAT(evaluate(call("IN", {column(batch, 0), integer_literal(300), integer_literal(-128),
                                   integer_literal(1)}),
                       batch),
              ElementsAre("TRUE", "FALSE", "FALSE", "NULL", "TRUE"));
  EXPECT_THAT(
      evaluate(call("NOT IN", {b, integer_literal(300), null_literal(DataType::big_int())}), batch),
      ElementsAre("NULL", "FALSE", "NULL", "NULL", "NULL"));
}

TEST(ExpressionProgramTest, in_compares_thousands_one_by_one_where_it_must) {
  const Batch batch = batch_of("x DOUBLE", {"1499.0", "1499.5", "0.0"});
  std::vector<ExpressionPtr> arguments = {column(batch, 0)};
  for (int i = 1; i < 1500; ++i) arguments.push_back(integer_literal(i));
  EXPECT_THAT(evaluate(call("IN", arguments), batch), ElementsAre("TRUE", "FALSE", "FALSE"));
}

// Expected: Python.
TEST(ExpressionProgramTest, products_and_sums_of_decimals_hold_their_longest_values) {
  const Batch batch = batch_of(
      "p DECIMAL(18, 4), q DECIMAL(18, 9)",
      {"99999999999999.9999 | 999999999.999999999", "-99999999999999.9999 | 999999999.999999999",
       "-99999999999999.9999 | -999999999.999999999", "0.0001 | -0.000000001",
       "NULL | 1.000000000"});
  const ExpressionPtr p = column(batch, 0);
  const ExpressionPtr q = column(batch, 1);
  EXPECT_THAT(
      evaluate(call("*", {p, q}), batch),
      ElementsAre("99999999999999999800000.0000000000001", "-99999999999999999800000.0000000000001",
                  "99999999999999999800000.0000000000001", "-0.0000000000001", "NULL"));
  EXPECT_THAT(evaluate(call("+", {p, p}), batch),
              ElementsAre("199999999999999.9998", "-199999999999999.9998", "-199999999999999.9998",
                          "0.0002", "NULL"));
  EXPECT_THAT(
      evaluate(call("-", {q, q}), batch),
      ElementsAre("0.000000000", "0.000000000", "0.000000000", "0.000000000", "0.000000000"));
  EXPECT_THAT(evaluate(call("+", {p, q}), batch),
              ElementsAre("100000999999999.999899999", "-99998999999999.999900001",
                          "-100000999999999.999899999", "0.000099999", "NULL"));
}

TEST(ExpressionProgramTest, branches_of_texts_keep_their_bytes) {
  const Batch batch = batch_of("k INT, s STRING", {"1 | the first text that is long", "2 | second",
                                                   "3 | NULL", "4 | the fourth one is long"});
  const ExpressionPtr s = column(batch, 1);
  const ExpressionPtr expression =
      call("CASE", {call("=", {column(batch, 0), integer_literal(1)}), call("UPPER", {s}),
                    call("=", {column(batch, 0), integer_literal(4)}),
                    call("||", {s, text_literal(" indeed")}),
                    text_literal("something else that is long too")});
  EXPECT_THAT(evaluate(expression, batch),
              ElementsAre("THE FIRST TEXT THAT IS LONG", "something else that is long too",
                          "something else that is long too", "the fourth one is long indeed"));
}

TEST(ExpressionProgramTest, branches_of_arrays_and_rows_are_put_together) {
  const Batch batch = batch_of("k INT, xs ARRAY<INT>", {"1 | [1, 2]", "2 | [3]", "3 | NULL"});
  const ExpressionPtr k = column(batch, 0);
  const ExpressionPtr expression =
      call("CASE", {call("=", {k, integer_literal(2)}), call("ARRAY", {k, integer_literal(9)}),
                    column(batch, 1)});
  EXPECT_THAT(evaluate(expression, batch), ElementsAre("[1, 2]", "[2, 9]", "NULL"));
}

TEST(ExpressionProgramTest, select_takes_rows_that_are_true) {
  const Batch batch = batch_of("b BOOLEAN", {"TRUE", "FALSE", "NULL", "TRUE"});
  EXPECT_THAT(select(column(batch, 0), batch), ElementsAre(0, 3));
  EXPECT_THAT(select(boolean_literal(true), batch), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(select(null_literal(DataType::boolean()), batch), ElementsAre());
}

TEST(ExpressionProgramTest, an_input_column_is_passed_on_without_a_copy) {
  const Batch batch = numbers();
  ExpressionProgram made = program({column(batch, 1), column(batch, 0)});
  const std::vector<Column> columns = made.evaluate(batch).value();
  EXPECT_EQ(columns[0].data().values.get(), batch.column(1).data().values.get());
  EXPECT_EQ(columns[1].data().values.get(), batch.column(0).data().values.get());
}

TEST(ExpressionProgramTest, results_outlive_the_next_batches) {
  const Batch first = batch_of("a INT, s STRING", {"1 | the text of the first batch", "2 | b"});
  const Batch second =
      batch_of("a INT, s STRING", {"10 | another text of the second batch", "NULL | NULL"});
  ExpressionProgram made =
      program({call("+", {column(first, 0), integer_literal(1)}), call("UPPER", {column(first, 1)}),
               call("IS NULL", {call("UPPER", {column(first, 1)})})});
  const std::vector<Column> one = made.evaluate(first).value();
  const std::vector<Column> two = made.evaluate(second).value();
  const std::vector<Column> three = made.evaluate(second).value();
  EXPECT_THAT(lines_of(one[0]), ElementsAre("2", "3"));
  EXPECT_THAT(lines_of(one[1]), ElementsAre("THE TEXT OF THE FIRST BATCH", "B"));
  EXPECT_THAT(lines_of(one[2]), ElementsAre("FALSE", "FALSE"));
  EXPECT_THAT(lines_of(two[1]), ElementsAre("ANOTHER TEXT OF THE SECOND BATCH", "NULL"));
  EXPECT_THAT(lines_of(three[0]), ElementsAre("11", "NULL"));
}

TEST(ExpressionProgramTest, a_batch_without_rows_gives_empty_columns) {
  const Batch batch = batch_of("a INT, b INT", {});
  EXPECT_THAT(evaluate(call("/", {column(batch, 0), integer_literal(0)}), batch), ElementsAre());
}

TEST(ExpressionProgramTest, a_plan_that_does_not_fit_the_batch_is_an_error) {
  const Batch batch = numbers();
  ExpressionProgram missing = program({Expression::column(7, DataType::integer(), "x")});
  EXPECT_THAT(missing.evaluate(batch).status().to_string(), HasSubstr("column 7 of a batch of 2"));
  ExpressionProgram other = program({Expression::column(0, DataType::string(), "x")});
  EXPECT_THAT(other.evaluate(batch).status().to_string(), HasSubstr("as STRING, but it is INT"));
}

TEST(ExpressionProgramTest, calls_that_no_planner_makes_are_refused) {
  const auto refused = [](ExpressionPtr expression) {
    return ExpressionProgram::make(std::vector<ExpressionPtr>{std::move(expression)},
                                   {.pool = &test_pool()})
        .status()
        .to_string();
  };
  const ExpressionPtr a = Expression::column(0, DataType::integer(), "a");
  const ExpressionPtr s = Expression::column(1, DataType::string(), "s");
  EXPECT_THAT(refused(Expression::call("NO_SUCH", {a}, DataType::integer())), HasSubstr("NO_SUCH"));
  EXPECT_THAT(refused(Expression::call("+", {a, s}, DataType::integer())),
              HasSubstr("+ does not take (INT, STRING)"));
  EXPECT_THAT(refused(Expression::call("CASE", {a, s}, DataType::integer())),
              HasSubstr("the condition of a CASE must be BOOLEAN"));
  EXPECT_THAT(refused(Expression::call("SQRT", {a}, DataType::double_())),
              HasSubstr("arguments of types that SQRT does not take"));
  EXPECT_THAT(refused(Expression::call("+", {a, a}, DataType::tiny_int())),
              HasSubstr("of type TINYINT"));
  EXPECT_THAT(refused(Expression::call("UPPER", {}, DataType::string())), HasSubstr("0 arguments"));
  EXPECT_THAT(refused(Expression::call("CAST", {s}, DataType::array(DataType::integer()))),
              HasSubstr("STRING cannot be cast to ARRAY"));
}

TEST(ExpressionProgramTest, memory_comes_from_the_pool_and_its_limit_holds) {
  const std::shared_ptr<MemoryPool> pool = MemoryPool::make_root("small", 100'000);
  std::vector<std::string> lines(1000, "1 | some text that is longer than a view");
  const Batch batch =
      batch_of("a INT, s STRING", std::vector<std::string_view>(lines.begin(), lines.end()));
  ExpressionProgram cheap =
      ExpressionProgram::make(
          std::vector<ExpressionPtr>{call("+", {column(batch, 0), integer_literal(1)})},
          {.pool = pool.get()})
          .value();
  EXPECT_TRUE(cheap.evaluate(batch).is_ok());
  EXPECT_GT(pool->peak_bytes(), 4000);
  ExpressionProgram greedy =
      ExpressionProgram::make(
          std::vector<ExpressionPtr>{call("REPEAT", {column(batch, 1), integer_literal(100)})},
          {.pool = pool.get()})
          .value();
  EXPECT_EQ(greedy.evaluate(batch).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(cheap.evaluate(batch).is_ok()) << "what failed gave its memory back";
}

TEST(ExpressionProgramTest, the_clock_is_read_once_per_batch) {
  const Batch batch = numbers();
  SimulatedClock clock(1'600'000'000'000);
  ExpressionProgram made =
      ExpressionProgram::make(
          std::vector<ExpressionPtr>{call("CURRENT_TIMESTAMP", {}), call("CURRENT_DATE", {})},
          {.pool = &test_pool(), .clock = &clock})
          .value();
  EXPECT_THAT(lines_of(made.evaluate(batch).value()[0])[4], "2020-09-13 12:26:40.000");
  clock.advance_ms(86'400'000);
  EXPECT_THAT(lines_of(made.evaluate(batch).value()[1])[0], "2020-09-14");
}

TEST(ExpressionProgramTest, random_numbers_differ_by_row_and_repeat_by_seed) {
  const Batch batch = numbers();
  const ExpressionPtr random = call("RAND", {integer_literal(42)});
  EXPECT_FALSE(registry().is_deterministic(*call("+", {random, random})));
  const std::vector<std::string> lines = evaluate(random, batch);
  EXPECT_EQ(lines[0], "0.7275636800328681");  // java.util.Random(42)
  EXPECT_NE(lines[1], lines[0]);
  EXPECT_EQ(evaluate(random, batch), lines);
}

TEST(FoldConstantsTest, folds_what_is_pure_and_leaves_the_rest) {
  const EvaluationContext context{.pool = &test_pool()};
  const auto folded = [&](const ExpressionPtr& expression) {
    return fold_constants(expression, context).value()->to_string();
  };
  const ExpressionPtr a = Expression::column(0, DataType::integer(), "a");
  EXPECT_EQ(folded(call("+", {integer_literal(1), integer_literal(2)})), "3");
  EXPECT_EQ(folded(call("+", {a, call("*", {integer_literal(3), integer_literal(4)})})),
            "(a + 12)");
  EXPECT_EQ(folded(call("/", {integer_literal(1), integer_literal(0)})), "(1 / 0)");
  EXPECT_EQ(folded(call("CURRENT_DATE", {})), "CURRENT_DATE()");
  EXPECT_EQ(folded(call("RAND", {integer_literal(1)})), "RAND(1)");
  EXPECT_EQ(folded(call("CASE", {boolean_literal(true), text_literal("a"), text_literal("b")})),
            "'a'");
}

// The same rows one by one, in batches of 7, and all at once.
TEST(ExpressionProgramTest, results_do_not_depend_on_the_size_of_batches) {
  std::vector<std::string> lines;
  for (int i = 0; i < 100; ++i) {
    lines.push_back(i % 9 == 0
                        ? "NULL | x"
                        : std::to_string(i % 13) + " | text number " + std::to_string(i * 7919));
  }
  const Batch batch =
      batch_of("a INT, s STRING", std::vector<std::string_view>(lines.begin(), lines.end()));
  const ExpressionPtr a = column(batch, 0);
  const ExpressionPtr s = column(batch, 1);
  const std::vector<ExpressionPtr> expressions = {
      call("CASE",
           {call("<", {a, integer_literal(4)}), call("UPPER", {s}),
            call("LIKE", {s, text_literal("%1%")}), call("SUBSTRING", {s, integer_literal(6)}),
            call("||", {s, text_literal("!")})}),
      call("AND", {call(">", {a, integer_literal(0)}),
                   call("=", {call("%", {integer_literal(12), a}), integer_literal(0)})}),
      call("COALESCE", {a, integer_literal(-1)})};
  ExpressionProgram made = program(expressions);
  const std::vector<Column> whole = made.evaluate(batch).value();
  for (const std::int64_t size : {1, 7}) {
    for (std::int64_t begin = 0; begin < batch.rows(); begin += size) {
      const std::int64_t count = std::min(size, batch.rows() - begin);
      const Batch part = batch.slice(begin, count, test_pool()).value();
      const std::vector<Column> columns = made.evaluate(part).value();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        EXPECT_EQ(lines_of(columns[i]), lines_of(whole[i].slice(begin, count, test_pool())));
      }
    }
  }
}

}  // namespace
}  // namespace clepsydra
