#include "functions/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "functions/function_registry.h"
#include "stream/type_codec.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::column_of;
using ::testing::HasSubstr;
using testing::type_of;

ExpressionPtr call(std::string_view name, std::vector<ExpressionPtr> arguments) {
  return FunctionRegistry::built_in().resolve(name, std::move(arguments)).value();
}

ExpressionPtr column(int index, std::string_view type, std::string name) {
  return Expression::column(index, type_of(type), std::move(name));
}

TEST(ExpressionTest, prints_as_explain_shows_it) {
  const ExpressionPtr price = column(0, "INT", "price");
  EXPECT_EQ(call(">", {price, integer_literal(10)})->to_string(), "(price > 10)");
  EXPECT_EQ(call("UPPER", {column(1, "STRING", "name")})->to_string(), "UPPER(name)");
  EXPECT_EQ(call("IS NULL", {price})->to_string(), "(price IS NULL)");
  EXPECT_EQ(call("NOT", {call("=", {price, integer_literal(1)})})->to_string(),
            "(NOT (price = 1))");
  EXPECT_EQ(call("=", {column(1, "STRING", "name"), text_literal("it's")})->to_string(),
            "(name = 'it''s')");
  EXPECT_EQ(
      FunctionRegistry::built_in().cast(price, DataType::string(), false).value()->to_string(),
      "CAST(price AS STRING)");
  EXPECT_EQ(
      call("FIELD", {column(2, "ROW<a INT, b STRING>", "r"), integer_literal(1)})->to_string(),
      "r.b");
}

TEST(ExpressionTest, comes_back_from_its_tree) {
  const std::vector<ExpressionPtr> expressions = {
      column(3, "TIMESTAMP(3) *ROWTIME*", "ts"),
      Expression::literal(column_of("ARRAY<ROW<a INT, b STRING>>", {"[(1, x), NULL, (2, NULL)]"})),
      Expression::literal(column_of("MAP<STRING, DECIMAL(38, 3)>", {"{a=-1.500, b=NULL}"})),
      Expression::literal(column_of("DOUBLE", {"NaN"})),
      null_literal(type_of("BIGINT")),
      null_literal(DataType::null()),
      day_time_literal(-1),
      call("CASE", {call("<", {column(0, "INT", "a"), integer_literal(3)}), text_literal("a"),
                    text_literal("long text that does not fit into a view")}),
  };
  for (const ExpressionPtr& expression : expressions) {
    const std::string bytes = expression_to_tree(*expression).encode();
    const Result<ExpressionPtr> back = expression_from_tree(ValueTree::decode(bytes).value());
    ASSERT_TRUE(back.is_ok()) << back.status().to_string();
    EXPECT_TRUE(**back == *expression) << expression->to_string();
  }
}

TEST(ExpressionTest, equality_is_by_bits_and_types) {
  const auto literal = [](std::string_view type, std::string_view cell) {
    return Expression::literal(column_of(type, {cell}));
  };
  EXPECT_TRUE(*literal("DOUBLE", "NaN") == *literal("DOUBLE", "NaN"));
  EXPECT_FALSE(*literal("DOUBLE", "0.0") == *literal("DOUBLE", "-0.0"));
  EXPECT_FALSE(*literal("INT", "1") == *literal("BIGINT", "1"));
  EXPECT_FALSE(*column(0, "INT", "a") == *column(1, "INT", "a"));
  EXPECT_TRUE(*column(0, "INT", "a") == *column(0, "INT", "b")) << "a name is for people";
}

Status read(const ValueTree& tree) {
  return expression_from_tree(tree).status();
}

TEST(ExpressionTest, wrong_trees_are_errors) {
  EXPECT_FALSE(read(ValueTree()).is_ok());
  EXPECT_FALSE(read(ValueTree(std::int64_t{3})).is_ok());
  ValueTree tree = expression_to_tree(*column(0, "INT", "a"));
  tree.set("column", -1);
  EXPECT_THAT(read(tree).to_string(), HasSubstr("column -1"));
  ValueTree literal = ValueTree::map();
  literal.set("literal", column_to_tree(column_of("INT", {"1", "2"})));
  EXPECT_THAT(read(literal).to_string(), HasSubstr("exactly one value"));
  literal.set("literal", ValueTree::map());
  EXPECT_FALSE(read(literal).is_ok());
  tree = expression_to_tree(*call("UPPER", {column(0, "STRING", "s")}));
  tree.set("type", ValueTree::map().set("kind", 99));
  EXPECT_THAT(read(tree).to_string(), HasSubstr("unknown kind 99"));
}

TEST(ExpressionTest, deep_trees_are_refused) {
  ExpressionPtr expression = column(0, "BOOLEAN", "b");
  for (int i = 0; i < 150; ++i)
    expression = Expression::call("NOT", {expression}, DataType::boolean());
  EXPECT_THAT(read(expression_to_tree(*expression)).to_string(), HasSubstr("nested more than"));
}

TEST(ExpressionTest, literals_give_their_values) {
  EXPECT_EQ(integer_value(*big_int_literal(std::numeric_limits<std::int64_t>::min())),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer_value(*null_literal(DataType::integer())), std::nullopt);
  EXPECT_EQ(integer_value(*text_literal("1")), std::nullopt);
  EXPECT_EQ(text_value(*text_literal("abc")), "abc");
  EXPECT_EQ(text_literal("日本")->type().to_string(), "CHAR(2) NOT NULL");
}

}  // namespace
}  // namespace clepsydra
