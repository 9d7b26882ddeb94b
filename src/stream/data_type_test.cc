#include "stream/data_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::all_types;
using testing::schema_of;
using testing::type_of;

// As the reference prints types: the columns `type` and `# types:` of its answers.
TEST(DataTypeTest, types_print_as_the_reference_prints_them) {
  EXPECT_EQ(DataType::integer().with_nullable(false).to_string(), "INT NOT NULL");
  EXPECT_EQ(DataType::decimal(10, 2).to_string(), "DECIMAL(10, 2)");
  EXPECT_EQ(DataType::string().to_string(), "STRING");
  EXPECT_EQ(DataType::varchar(3).to_string(), "VARCHAR(3)");
  EXPECT_EQ(DataType::bytes().to_string(), "BYTES");
  EXPECT_EQ(DataType::varbinary(2).to_string(), "VARBINARY(2)");
  EXPECT_EQ(DataType::time(0).to_string(), "TIME(0)");
  EXPECT_EQ(DataType::interval_year_month("MONTH").with_nullable(false).to_string(),
            "INTERVAL MONTH NOT NULL");
  EXPECT_EQ(DataType::interval_day_time("SECOND(3)").to_string(), "INTERVAL SECOND(3)");
  EXPECT_EQ(DataType::timestamp(3)
                .with_time_attribute(TimeAttribute::kRowtime)
                .with_nullable(false)
                .to_string(),
            "TIMESTAMP(3) NOT NULL *ROWTIME*");
  EXPECT_EQ(DataType::timestamp_ltz(3).with_time_attribute(TimeAttribute::kProctime).to_string(),
            "TIMESTAMP_LTZ(3) *PROCTIME*");
  EXPECT_EQ(DataType::map(DataType::char_(1).with_nullable(false), DataType::integer()).to_string(),
            "MAP<CHAR(1) NOT NULL, INT>");
  EXPECT_EQ(DataType::multiset(DataType::integer().with_nullable(false)).to_string(),
            "MULTISET<INT NOT NULL>");
  EXPECT_EQ(DataType::row({{"a", DataType::integer(), ""}, {"b`c", DataType::string(), ""}})
                .with_nullable(false)
                .to_string(),
            "ROW<`a` INT, `b``c` STRING> NOT NULL");
}

TEST(DataTypeTest, name_leaves_out_what_is_not_part_of_the_values) {
  const DataType type = type_of("TIMESTAMP(3) NOT NULL *ROWTIME*");
  EXPECT_EQ(type.name(), "TIMESTAMP(3)");
  EXPECT_EQ(DataType::array(type).name(), "ARRAY<TIMESTAMP(3) NOT NULL *ROWTIME*>");
}

TEST(DataTypeTest, printed_types_read_back) {
  for (const DataType& type : all_types()) EXPECT_EQ(type_of(type.to_string()), type);
}

TEST(DataTypeTest, equality_is_by_value) {
  const std::vector<DataType> types = all_types();
  for (std::size_t i = 0; i < types.size(); ++i) {
    for (std::size_t j = 0; j < types.size(); ++j) {
      EXPECT_EQ(types[i] == types[j], i == j) << types[i].to_string() << types[j].to_string();
    }
  }
  EXPECT_NE(type_of("ROW<a INT>"), type_of("ROW<b INT>"));
  EXPECT_NE(type_of("ARRAY<INT>"), type_of("ARRAY<INT NOT NULL>"));
}

TEST(DataTypeTest, same_values_ignores_nullability_and_time_attributes_at_every_level) {
  EXPECT_TRUE(type_of("INT NOT NULL").same_values(type_of("INT")));
  EXPECT_TRUE(type_of("TIMESTAMP(3) *ROWTIME*").same_values(type_of("TIMESTAMP(3)")));
  EXPECT_TRUE(type_of("ARRAY<ROW<a INT NOT NULL>>").same_values(type_of("ARRAY<ROW<a INT>>")));
  EXPECT_TRUE(type_of("INTERVAL SECOND(3)").same_values(type_of("INTERVAL DAY TO SECOND(3)")));
  EXPECT_FALSE(type_of("TIMESTAMP(3)").same_values(type_of("TIMESTAMP(6)")));
  EXPECT_FALSE(type_of("DECIMAL(10, 2)").same_values(type_of("DECIMAL(10, 3)")));
  EXPECT_FALSE(type_of("ROW<a INT>").same_values(type_of("ROW<b INT>")));
  EXPECT_FALSE(type_of("ARRAY<INT>").same_values(type_of("MULTISET<INT>")));
}

TEST(DataTypeTest, fixed_width_follows_the_layout) {
  EXPECT_EQ(DataType::boolean().fixed_width(), 1);
  EXPECT_EQ(DataType::date().fixed_width(), 4);
  EXPECT_EQ(DataType::timestamp(9).fixed_width(), 8);
  EXPECT_EQ(DataType::decimal(1, 0).fixed_width(), 16);
  EXPECT_EQ(DataType::string().fixed_width(), 16);
  EXPECT_EQ(type_of("ARRAY<INT>").fixed_width(), 0);
  EXPECT_EQ(type_of("MULTISET<STRING>").child_count(), 2);
  EXPECT_EQ(type_of("MULTISET<STRING>").child_type(1).to_string(), "INT NOT NULL");
}

TEST(DataTypeTest, timestamps_of_each_precision_to_milliseconds_and_back) {
  EXPECT_EQ(timestamp_to_millis(2, 0), 2'000);
  EXPECT_EQ(timestamp_to_millis(1'234, 3), 1'234);
  EXPECT_EQ(timestamp_to_millis(1'999'999, 6), 1'999);
  EXPECT_EQ(timestamp_to_millis(-1, 6), -1);  // Before 1970 too, towards the past.
  EXPECT_EQ(timestamp_to_millis(-1'000, 6), -1);
  EXPECT_EQ(timestamp_to_millis(-1'001, 6), -2);
  EXPECT_EQ(timestamp_to_millis(-1'000'001, 9), -2);
  EXPECT_EQ(timestamp_from_millis(1'999, 0), 1);
  EXPECT_EQ(timestamp_from_millis(-1, 0), -1);
  EXPECT_EQ(timestamp_from_millis(-5, 9), -5'000'000);
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(timestamp_from_millis(kMax, 9), kMax);
  EXPECT_EQ(timestamp_from_millis(kMin, 6), kMin);
  EXPECT_EQ(timestamp_to_millis(kMax, 0), kMax);
  EXPECT_EQ(timestamp_to_millis(kMin, 3), kMin);
}

TEST(SchemaTest, columns_are_found_by_exact_name_and_printed) {
  const SchemaPtr schema = schema_of("a INT NOT NULL, b STRING, b BIGINT");
  EXPECT_EQ(schema->find("b"), 1);
  EXPECT_EQ(schema->find("B"), -1);
  EXPECT_EQ(schema->to_string(), "(a INT NOT NULL, b STRING, b BIGINT)");
}

}  // namespace
}  // namespace clepsydra
