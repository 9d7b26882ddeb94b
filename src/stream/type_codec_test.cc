#include "stream/type_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::all_types;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::random_column;
using testing::test_pool;
using testing::type_of;

TEST(TypeCodecTest, types_come_back_through_encoded_trees) {
  for (const DataType& type : all_types()) {
    const ValueTree tree = ValueTree::decode(type_to_tree(type).encode()).value();
    EXPECT_EQ(type_from_tree(tree).value(), type) << type.to_string();
  }
  const DataType rowtime = type_of("TIMESTAMP(3) NOT NULL *ROWTIME*");
  EXPECT_EQ(type_from_tree(type_to_tree(rowtime)).value(), rowtime);
  EXPECT_EQ(type_from_tree(type_to_tree(DataType::descriptor())).value(), DataType::descriptor());
}

TEST(TypeCodecTest, schemas_keep_names_and_comments) {
  const SchemaPtr schema = make_schema(
      {{"a", type_of("INT NOT NULL"), "the first"}, {"a", type_of("ROW<b STRING>"), ""}});
  const SchemaPtr again = schema_from_tree(schema_to_tree(*schema)).value();
  EXPECT_EQ(*again, *schema);
  EXPECT_EQ(again->field(0).comment, "the first");
}

TEST(TypeCodecTest, columns_come_back_through_encoded_trees) {
  Random random(1);
  for (const DataType& type : all_types()) {
    for (const std::int64_t rows : {0, 1, 50}) {
      const Column column = random_column(type, rows, random);
      const ValueTree tree = ValueTree::decode(column_to_tree(column).encode()).value();
      const Column again = column_from_tree(tree, test_pool()).value();
      EXPECT_EQ(again.type(), type);
      EXPECT_EQ(lines_of(again), lines_of(column)) << type.to_string();
    }
  }
}

TEST(TypeCodecTest, what_is_no_type_is_an_error) {
  ValueTree unknown = ValueTree::map();
  unknown.set("kind", 99);
  EXPECT_THAT(type_from_tree(unknown).status().to_string(), HasSubstr("unknown kind 99"));
  ValueTree decimal = type_to_tree(type_of("DECIMAL(5, 2)"));
  decimal.set("scale", 6);
  EXPECT_THAT(type_from_tree(decimal).status().to_string(), HasSubstr("'scale' is 6"));
  EXPECT_FALSE(type_from_tree(ValueTree(5)).is_ok());
  EXPECT_FALSE(schema_from_tree(ValueTree(5)).is_ok());
}

TEST(TypeCodecTest, values_of_another_type_are_an_error) {
  ValueTree tree = column_to_tree(testing::column_of("TINYINT", {"100"}));
  tree.set("type", type_to_tree(DataType::string()));
  EXPECT_THAT(column_from_tree(tree, test_pool()).status().to_string(), HasSubstr("STRING"));
  ValueTree wide = column_to_tree(testing::column_of("INT", {"1000"}));
  wide.set("type", type_to_tree(DataType::tiny_int()));
  EXPECT_THAT(column_from_tree(wide, test_pool()).status().to_string(), HasSubstr("TINYINT"));
}

}  // namespace
}  // namespace clepsydra
