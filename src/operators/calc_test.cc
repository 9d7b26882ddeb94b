#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/expression.h"
#include "functions/function_registry.h"
#include "operators/operator_harness.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::OperatorHarness;
using testing::schema_of;

constexpr char kInput[] = "a INT, b STRING, c INT";

ExpressionPtr column(int index) {
  const SchemaPtr schema = schema_of(kInput);
  return Expression::column(index, schema->field(index).type, schema->field(index).name);
}

ExpressionPtr call(const char* function, std::vector<ExpressionPtr> arguments) {
  return FunctionRegistry::built_in().resolve(function, std::move(arguments)).value();
}

OperatorSpec spec_of(const ExpressionPtr& filter, const std::vector<ExpressionPtr>& projection) {
  OperatorSpec spec;
  spec.kind = "calc";
  spec.name = "Calc";
  spec.inputs = {schema_of(kInput)};
  spec.output = spec.inputs[0];
  if (filter != nullptr) spec.options.set("filter", expression_to_tree(*filter));
  if (!projection.empty()) {
    ValueTree list = ValueTree::list();
    std::vector<Field> fields;
    for (const ExpressionPtr& expression : projection) {
      list.add(expression_to_tree(*expression));
      fields.push_back({expression->to_string(), expression->type(), {}});
    }
    spec.options.set("projection", std::move(list));
    spec.output = make_schema(std::move(fields));
  }
  return spec;
}

// The output with watermarks, the same for batches of 1, 7 and 4096 rows.
std::vector<std::string> run(const OperatorSpec& spec, const std::vector<std::string>& lines) {
  std::vector<std::string> first;
  for (const std::int64_t batch_rows : {1, 7, 4096}) {
    OperatorHarness::Options options;
    options.batch_rows = batch_rows;
    auto made = OperatorHarness::make({spec}, options);
    EXPECT_TRUE(made.is_ok()) << made.status().to_string();
    EXPECT_TRUE((*made)->push(lines).is_ok());
    EXPECT_TRUE((*made)->finish().is_ok());
    if (first.empty()) first = (*made)->output();
    EXPECT_EQ((*made)->output(), first) << "with batches of " << batch_rows;
  }
  return first;
}

TEST(CalcTest, rows_stay_where_the_condition_is_true) {
  EXPECT_THAT(run(spec_of(call(">", {column(0), column(2)}), {}),
                  {"3 | x | 1", "1 | y | 3", "NULL | z | 0", "2 | w | 1"}),
              ElementsAre("3 | x | 1", "2 | w | 1", "~end"));
}

TEST(CalcTest, columns_are_computed_reordered_repeated_and_left_out) {
  EXPECT_THAT(run(spec_of(nullptr, {column(2), call("+", {column(0), column(2)}), column(2)}),
                  {"3 | x | 1", "NULL | y | 2"}),
              ElementsAre("1 | 4 | 1", "2 | NULL | 2", "~end"));
}

TEST(CalcTest, a_filter_may_read_columns_that_the_projection_drops) {
  EXPECT_THAT(run(spec_of(call("=", {column(2), integer_literal(7)}),
                          {call("UPPER", {column(1)}), big_int_literal(9)}),
                  {"3 | x | 7", "3 | y | 1", "4 | long enough to lie in a blob | 7"}),
              ElementsAre("X | 9", "LONG ENOUGH TO LIE IN A BLOB | 9", "~end"));
}

TEST(CalcTest, watermarks_and_row_kinds_stay_among_the_rows_that_remain) {
  EXPECT_THAT(run(spec_of(call(">", {column(0), integer_literal(0)}), {column(1)}),
                  {"1 | a | 0", "~1970-01-01 00:00:01", "0 | b | 0", "-D 1 | c | 0", "0 | d | 0",
                   "~1970-01-01 00:00:02", "+U 1 | e | 0"}),
              ElementsAre("a", "~1970-01-01 00:00:01.000", "-D c", "~1970-01-01 00:00:02.000",
                          "+U e", "~end"));
}

TEST(CalcTest, watermarks_go_on_when_no_row_remains) {
  EXPECT_THAT(run(spec_of(call(">", {column(0), integer_literal(5)}), {column(1)}),
                  {"1 | a | 0", "~1970-01-01 00:00:01"}),
              ElementsAre("~1970-01-01 00:00:01.000", "~end"));
}

TEST(CalcTest, rows_see_the_watermark_that_they_come_after) {
  const DataType rowtime = DataType::timestamp(3).with_time_attribute(TimeAttribute::kRowtime);
  OperatorSpec spec =
      spec_of(call(">", {column(0), integer_literal(0)}),
              {column(0), call("CURRENT_WATERMARK", {Expression::column(1, rowtime, "ts")})});
  spec.inputs = {make_schema({{"a", DataType::integer(), {}}, {"ts", rowtime, {}}})};
  EXPECT_THAT(
      run(spec, {"1 | 2024-01-01 10:00:01", "~2024-01-01 10:00:00", "0 | 2024-01-01 10:00:02",
                 "2 | 2024-01-01 10:00:03", "3 | 2024-01-01 10:00:03", "~2024-01-01 10:00:02",
                 "0 | 2024-01-01 10:00:09", "0 | 2024-01-01 10:00:09", "4 | 2024-01-01 10:00:01"}),
      ElementsAre("1 | NULL", "~2024-01-01 10:00:00.000", "2 | 2024-01-01 10:00:00.000",
                  "3 | 2024-01-01 10:00:00.000", "~2024-01-01 10:00:02.000",
                  "4 | 2024-01-01 10:00:02.000", "~end"));
}

TEST(CalcTest, columns_that_are_passed_on_are_not_copied) {
  const auto pool = MemoryPool::make_root("test");
  const auto harness =
      OperatorHarness::make({spec_of(nullptr, {column(1), column(0)})}, {}).value();
  std::vector<std::string> lines;
  for (int i = 0; i < 4096; ++i) lines.emplace_back("1 | some text that is longer than twelve | 2");
  const std::int64_t before = harness->pool().peak_bytes();
  ASSERT_TRUE(harness->push(lines).is_ok());
  // What the input takes, and nothing on top of it but small change.
  const std::int64_t input_bytes = 4096L * (16 + 37 + 4 + 4);
  EXPECT_LT(harness->pool().peak_bytes() - before, input_bytes * 2);
}

TEST(CalcTest, a_failure_at_run_time_ends_the_job_with_the_operators_name) {
  auto harness =
      OperatorHarness::make({spec_of(nullptr, {call("/", {column(0), column(2)})})}, {}).value();
  const Status status = harness->push({"1 | a | 0"});
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(status.to_string(), HasSubstr("operator 'Calc'"));
}

TEST(CalcTest, specs_that_do_not_fit_are_refused) {
  const auto error = [](OperatorSpec spec) {
    return OperatorHarness::make({std::move(spec)}, {}).status().to_string();
  };
  EXPECT_THAT(error(spec_of(column(0), {})), HasSubstr("not BOOLEAN"));
  EXPECT_THAT(error(spec_of(nullptr, {Expression::column(9, DataType::integer(), "x")})),
              HasSubstr("column 9"));
  EXPECT_THAT(
      error(spec_of(call("IS NULL", {Expression::column(9, DataType::integer(), "x")}), {})),
      HasSubstr("column 9"));
  OperatorSpec narrow = spec_of(nullptr, {column(0)});
  narrow.output = narrow.inputs[0];
  EXPECT_THAT(error(narrow), HasSubstr("1 columns, but 3"));
}

}  // namespace
}  // namespace clepsydra
