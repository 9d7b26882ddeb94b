#include "functions/function_registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "functions/scalar_function.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::type_of;

const FunctionRegistry& registry() {
  return FunctionRegistry::built_in();
}

ExpressionPtr column(std::string_view type) {
  return Expression::column(0, type_of(type), "x");
}

std::string refusal(std::string_view name, const std::vector<std::string_view>& types) {
  std::vector<ExpressionPtr> arguments;
  for (const std::string_view type : types) arguments.push_back(column(type));
  return registry().resolve(name, std::move(arguments)).status().to_string();
}

std::string resolved(std::string_view name, std::vector<ExpressionPtr> arguments) {
  const Result<ExpressionPtr> call = registry().resolve(name, std::move(arguments));
  return call.is_ok() ? (*call)->to_string() : call.status().to_string();
}

TEST(FunctionRegistryTest, every_function_is_described) {
  std::set<std::string_view> names;
  for (const ScalarFunction* function : all_scalar_functions()) {
    SCOPED_TRACE(function->name);
    EXPECT_TRUE(names.insert(function->name).second);
    EXPECT_FALSE(function->signature.empty());
    EXPECT_FALSE(function->description.empty());
    EXPECT_TRUE(function->derive != nullptr || !function->result.empty());
    EXPECT_NE(function->bind, nullptr);
    EXPECT_EQ(find_scalar_function(function->name), function);
    EXPECT_TRUE(registry().is_scalar(function->name));
  }
}

TEST(FunctionRegistryTest, a_refusal_names_types_and_signature) {
  EXPECT_THAT(refusal("UPPER", {"INT"}),
              HasSubstr("UPPER does not take (INT); expected UPPER(text)"));
  EXPECT_THAT(refusal("substring", {"STRING"}),
              HasSubstr("SUBSTRING does not take 1 argument: SUBSTRING(text FROM"));
  EXPECT_THAT(refusal("%", {"DOUBLE", "INT"}), HasSubstr("% does not take (DOUBLE, INT)"));
  EXPECT_THAT(refusal("+", {"DATE", "INT"}), HasSubstr("+ does not take (DATE, INT)"));
  EXPECT_THAT(refusal("AND", {"BOOLEAN", "STRING"}),
              HasSubstr("AND does not take (BOOLEAN, STRING)"));
  EXPECT_THAT(refusal("EXTRACT_YEAR", {"TIME(0)"}), HasSubstr("TIME(0) has no YEAR"));
  EXPECT_THAT(refusal("NO_SUCH", {}), HasSubstr("NotFound: there is no function NO_SUCH"));
  EXPECT_THAT(registry().resolve("UPPER", {null_literal(DataType::null())}).status().to_string(),
              HasSubstr("UPPER does not take a bare NULL"));
}

TEST(FunctionRegistryTest, some_names_become_other_calls) {
  const ExpressionPtr x = column("INT");
  const ExpressionPtr s = column("STRING");
  EXPECT_EQ(resolved("BETWEEN", {x, integer_literal(1), integer_literal(5)}),
            "((x >= 1) AND (x <= 5))");
  EXPECT_EQ(resolved("NOT BETWEEN", {x, integer_literal(1), integer_literal(5)}),
            "(NOT ((x >= 1) AND (x <= 5)))");
  EXPECT_EQ(resolved("NULLIF", {x, integer_literal(0)}), "CASE((x = 0), NULL, x)");
  EXPECT_EQ(resolved("IF", {column("BOOLEAN"), s, s}), "CASE(x, x, x)");
  EXPECT_EQ(resolved("!=", {x, x}), "(x <> x)");
  EXPECT_EQ(resolved("NOT LIKE", {s, text_literal("a%")}), "(NOT (x LIKE 'a%'))");
  EXPECT_EQ(resolved("-", {integer_literal(5)}), "-5");
  EXPECT_EQ(resolved("+", {x}), "x");
  EXPECT_EQ(resolved("timestampadd_day", {integer_literal(3), column("TIMESTAMP(3)")}),
            "(x + (+1 00:00:00.000 * CAST(3 AS BIGINT)))");
}

TEST(FunctionRegistryTest, in_looks_up_literals_and_compares_the_rest) {
  const ExpressionPtr x = column("INT");
  EXPECT_EQ(resolved("IN", {x, integer_literal(1)}), "(x = 1)");
  EXPECT_EQ(resolved("IN", {x, integer_literal(1), integer_literal(2)}), "IN(x, 1, 2)");
  EXPECT_EQ(resolved("IN", {x, integer_literal(1), integer_literal(2), x}),
            "(IN(x, 1, 2) OR (x = x))");
  EXPECT_EQ(resolved("IN", {x, integer_literal(1), null_literal(DataType::integer())}),
            "((x = 1) OR (x = NULL))");
  EXPECT_EQ(resolved("NOT IN", {x, integer_literal(1), integer_literal(2)}), "(NOT IN(x, 1, 2))");
}

TEST(FunctionRegistryTest, implicit_conversions_lose_nothing) {
  const auto converts = [](std::string_view from, std::string_view to) {
    return registry().coerce(column(from), type_of(to)).is_ok();
  };
  EXPECT_TRUE(converts("INT", "BIGINT"));
  EXPECT_TRUE(converts("BIGINT", "DOUBLE"));
  EXPECT_TRUE(converts("CHAR(3)", "STRING"));
  EXPECT_TRUE(converts("STRING", "VARCHAR(3)"));
  EXPECT_TRUE(converts("ROW<a INT>", "ROW<b BIGINT>"));
  EXPECT_TRUE(converts("TIMESTAMP(3)", "TIMESTAMP_LTZ(3)"));
  EXPECT_FALSE(converts("BIGINT", "INT"));
  EXPECT_FALSE(converts("DOUBLE", "FLOAT"));
  EXPECT_FALSE(converts("INT", "STRING"));
  EXPECT_FALSE(converts("STRING", "INT"));
  EXPECT_FALSE(converts("DATE", "TIMESTAMP(3)"));
  EXPECT_THAT(registry().coerce(column("STRING"), type_of("INT")).status().to_string(),
              HasSubstr("STRING is not converted to INT without a CAST"));
}

TEST(FunctionRegistryTest, common_types) {
  const auto common = [](const std::vector<std::string_view>& names) {
    std::vector<DataType> types;
    for (const std::string_view name : names) types.push_back(type_of(name));
    const Result<DataType> type = registry().common_type(types);
    return type.is_ok() ? type->to_string() : type.status().to_string();
  };
  EXPECT_EQ(common({"INT NOT NULL", "BIGINT"}), "BIGINT");
  EXPECT_EQ(common({"CHAR(3) NOT NULL", "CHAR(3) NOT NULL"}), "CHAR(3) NOT NULL");
  EXPECT_EQ(common({"CHAR(3)", "CHAR(5)"}), "VARCHAR(5)");
  EXPECT_EQ(common({"DECIMAL(10, 2)", "INT"}), "DECIMAL(12, 2)");
  EXPECT_EQ(common({"DECIMAL(38, 2)", "DECIMAL(38, 30)"}), "DECIMAL(38, 2)");
  EXPECT_EQ(common({"DECIMAL(10, 2)", "FLOAT"}), "DOUBLE");
  EXPECT_EQ(common({"FLOAT", "DOUBLE"}), "FLOAT");
  EXPECT_EQ(common({"DATE", "TIMESTAMP(3)"}), "TIMESTAMP(3)");
  EXPECT_EQ(common({"ARRAY<INT NOT NULL>", "ARRAY<BIGINT>"}), "ARRAY<BIGINT>");
  EXPECT_THAT(common({"INT", "STRING"}), HasSubstr("INT and STRING have no common type"));
}

TEST(FunctionRegistryTest, aggregates_have_the_types_of_the_reference) {
  const auto result = [](std::string_view name, std::string_view type) {
    const auto aggregate = registry().resolve_aggregate(name, {column(type)}, false);
    return aggregate.is_ok() ? aggregate->type.to_string() : aggregate.status().to_string();
  };
  EXPECT_EQ(result("sum", "INT"), "INT");
  EXPECT_EQ(result("AVG", "INT"), "INT");
  EXPECT_EQ(result("SUM", "DECIMAL(10, 2)"), "DECIMAL(38, 2)");
  EXPECT_EQ(result("AVG", "DECIMAL(10, 2)"), "DECIMAL(38, 6)");
  EXPECT_EQ(result("AVG", "DECIMAL(20, 10)"), "DECIMAL(38, 10)");
  EXPECT_EQ(result("COUNT", "STRING"), "BIGINT NOT NULL");
  EXPECT_EQ(result("MAX", "TIMESTAMP(3) *ROWTIME*"), "TIMESTAMP(3)");
  EXPECT_EQ(result("LISTAGG", "STRING"), "STRING");
  EXPECT_THAT(result("SUM", "STRING"), HasSubstr("SUM does not take (STRING)"));
  EXPECT_THAT(result("MAX", "ROW<a INT>"), HasSubstr("MAX does not take (ROW"));
  EXPECT_THAT(registry()
                  .resolve_aggregate("LISTAGG", {column("STRING"), column("STRING")}, false)
                  .status()
                  .to_string(),
              HasSubstr("'separator'"));
  EXPECT_THAT(registry().resolve_aggregate("COUNT", {}, true).status().to_string(),
              HasSubstr("needs an argument"));
}

TEST(FunctionRegistryTest, names_are_those_that_people_write) {
  const std::vector<std::string> names = registry().names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_THAT(names, Contains("SUBSTR"));
  EXPECT_THAT(names, Contains("EXTRACT"));
  EXPECT_THAT(names, Contains("DAYOFWEEK"));
  EXPECT_THAT(names, Contains("COUNT"));
  EXPECT_THAT(names, Not(Contains("EXTRACT_YEAR")));
  EXPECT_TRUE(registry().is_scalar("extract_year"));
  EXPECT_TRUE(registry().is_aggregate("listagg"));
  EXPECT_FALSE(registry().is_scalar("COUNT"));
}

}  // namespace
}  // namespace clepsydra
