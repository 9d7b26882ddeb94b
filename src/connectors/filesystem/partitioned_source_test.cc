// Reading tables whose files lie in folders named by the columns that they are partitioned by.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "connectors/connector_registry.h"
#include "connectors/filesystem/partition_path.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/source_reading.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::read_table;
using testing::ReadOptions;
using testing::ReadTable;
using testing::schema_of;
using Kind = PartitionCondition::Kind;

class PartitionedSourceTest : public ::testing::Test {
 protected:
  void put(std::string_view path, std::string_view bytes) {
    ASSERT_TRUE(files_.create_directories(directory_name(path)).is_ok());
    ASSERT_TRUE(write_file_atomically(files_, path, bytes).is_ok());
  }

  ReadTable read(const std::vector<std::string>& keys,
                 std::vector<PartitionCondition> conditions = {}, TableOptions options = {}) {
    options.try_emplace("path", "/t");
    options.try_emplace("format", "csv");
    ReadOptions how;
    how.partition_keys = keys;
    how.partition_conditions = std::move(conditions);
    return read_table("filesystem", options, schema_, {}, files_, clock_, how);
  }

  void put_days() {
    put("/t/day=2024-01-31/hour=7/a.csv", "a,1\n");
    put("/t/day=2024-01-31/hour=10/a.csv", "b,2\nc,3\n");
    put("/t/day=2024-02-01/hour=__DEFAULT_PARTITION__/a.csv", "d,4\n");
    put("/t/day=2024-02-01/_SUCCESS", "");
  }

  SimulatedClock clock_{1'700'000'000'000};
  MemoryFileSystem files_{clock_};
  SchemaPtr schema_ = schema_of("hour INT, name STRING, day DATE, amount INT");
};

TEST_F(PartitionedSourceTest, columns_come_from_the_names_of_folders) {
  put_days();
  EXPECT_THAT(read({"day", "hour"}).all(),
              ElementsAre("10 | b | 2024-01-31 | 2", "10 | c | 2024-01-31 | 3",
                          "7 | a | 2024-01-31 | 1", "NULL | d | 2024-02-01 | 4"));
}

TEST_F(PartitionedSourceTest, the_name_for_null_is_an_option) {
  put("/t/day=2024-01-31/hour=none/a.csv", "a,1\n");
  EXPECT_THAT(read({"day", "hour"}, {}, {{"partition.default-name", "none"}}).all(),
              ElementsAre("NULL | a | 2024-01-31 | 1"));
}

TEST_F(PartitionedSourceTest, names_are_escaped) {
  schema_ = schema_of("name STRING, place STRING");
  put("/t/place=a%2Fb%3D%25%3A ü/x.csv", "a\n");
  put("/t/place=%2E%2E/x.csv", "b\n");
  EXPECT_THAT(read({"place"}).all(), ElementsAre("b | ..", "a | 'a/b=%: ü'"));
}

TEST_F(PartitionedSourceTest, conditions_pick_folders_by_the_type_of_the_column) {
  put_days();
  const auto rows = [&](PartitionCondition condition) {
    return read({"day", "hour"}, {std::move(condition)}).all();
  };
  EXPECT_THAT(rows({"hour", Kind::kOneOf, {"7", "8"}}), ElementsAre("7 | a | 2024-01-31 | 1"));
  EXPECT_THAT(rows({"hour", Kind::kNotEqual, {"10"}}), ElementsAre("7 | a | 2024-01-31 | 1"));
  // As numbers, not as texts: 10 is above 7.
  EXPECT_THAT(rows({"hour", Kind::kGreater, {"7"}}),
              ElementsAre("10 | b | 2024-01-31 | 2", "10 | c | 2024-01-31 | 3"));
  EXPECT_THAT(rows({"hour", Kind::kLessOrEqual, {"7"}}), ElementsAre("7 | a | 2024-01-31 | 1"));
  EXPECT_THAT(rows({"hour", Kind::kIsNull}), ElementsAre("NULL | d | 2024-02-01 | 4"));
  EXPECT_THAT(rows({"day", Kind::kGreaterOrEqual, {"2024-02-01"}}),
              ElementsAre("NULL | d | 2024-02-01 | 4"));
  EXPECT_THAT(rows({"day", Kind::kLess, {"2024-01-31"}}), ElementsAre());
  EXPECT_THAT(rows({"day", Kind::kIsNotNull}).size(), 4U);
}

TEST_F(PartitionedSourceTest, folders_that_are_left_out_are_not_opened) {
  put_days();
  put("/t/day=soon/hour=1/a.csv", "x,1\n");
  EXPECT_THAT(read({"day", "hour"}, {{"hour", Kind::kOneOf, {"7"}}}).all(),
              ElementsAre("7 | a | 2024-01-31 | 1"));
}

TEST_F(PartitionedSourceTest, a_name_that_is_no_value_is_an_error) {
  put("/t/day=soon/hour=1/a.csv", "x,1\n");
  EXPECT_THAT(read({"day", "hour"}).status.message(),
              HasSubstr("partition 'day=soon' has no value of type DATE"));
  schema_ = schema_of("name STRING, hour INT NOT NULL");
  put("/u/hour=__DEFAULT_PARTITION__/a.csv", "x\n");
  EXPECT_THAT(read({"hour"}, {}, {{"path", "/u"}}).status.message(),
              HasSubstr("stands for NULL, and column 'hour' is INT NOT NULL"));
}

TEST_F(PartitionedSourceTest, what_is_in_no_partition_is_passed_over) {
  put_days();
  put("/t/stray.csv", "x,1\n");
  put("/t/day=2024-01-31/stray.csv", "x,1\n");
  put("/t/month=3/hour=1/a.csv", "x,1\n");
  EXPECT_EQ(read({"day", "hour"}).all().size(), 4U);
}

TEST_F(PartitionedSourceTest, a_file_is_no_partitioned_table) {
  put("/t", "x,1\n");
  EXPECT_THAT(read({"day", "hour"}).status.message(), HasSubstr("must be a folder"));
}

TEST_F(PartitionedSourceTest, files_are_read_below_a_partition_too) {
  put("/t/day=2024-01-31/hour=7/more/hour=8/a.csv", "a,1\n");
  EXPECT_THAT(read({"day", "hour"}).all(), ElementsAre("7 | a | 2024-01-31 | 1"));
}

TEST_F(PartitionedSourceTest, only_keys_are_asked_for) {
  put_days();
  schema_ = schema_of("day DATE, hour INT, name STRING");
  const ConnectorRegistry& registry = ConnectorRegistry::built_in();
  ScanRequest request;
  request.columns = {"hour"};
  request.partition_keys = {"day", "hour"};
  const auto spec = registry.find_connector("filesystem")
                        ->scan_spec({{"path", "/t"}, {"format", "csv"}}, *schema_, request);
  ASSERT_TRUE(spec.is_ok()) << spec.status().to_string();
  EXPECT_TRUE(registry.make_source(*spec).is_ok());
}

TEST_F(PartitionedSourceTest, partitions_are_listed) {
  put_days();
  put("/t/day=2024-02-02/file.csv", "");
  const PartitionedSinkConnector* connector =
      ConnectorRegistry::built_in().find_connector("filesystem")->partitioned_sink();
  const auto list = [&](const std::string& path) {
    return connector->list_partitions({{"path", path}, {"format", "csv"}}, {"day", "hour"}, files_);
  };
  const auto found = list("/t");
  ASSERT_TRUE(found.is_ok()) << found.status().to_string();
  EXPECT_THAT(*found, ElementsAre(ElementsAre("2024-01-31", "10"), ElementsAre("2024-01-31", "7"),
                                  ElementsAre("2024-02-01", "__DEFAULT_PARTITION__")));
  EXPECT_THAT(list("/nowhere").value(), ElementsAre());
}

TEST_F(PartitionedSourceTest, no_value_leaves_the_folder_of_the_table) {
  for (const char* value : {"..", ".", "../x", "/etc", "a/../../b", "", "%2E%2E"}) {
    const std::string path = partition_path({{"k", value}});
    EXPECT_EQ(path.find('/'), std::string::npos) << value;
    EXPECT_EQ(path.substr(0, 2), "k=");
    EXPECT_EQ(partition_value(path, "k"), value);
  }
}

}  // namespace
}  // namespace clepsydra
