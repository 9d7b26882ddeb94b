#include "state/local_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

Configuration configuration_of(const std::vector<std::pair<std::string, std::string>>& settings) {
  Configuration configuration;
  for (const auto& [key, value] : settings) configuration.set(key, value);
  return configuration;
}

TEST(LocalStateOptionsTest, memory_of_a_slot_is_shared_between_rows_buffers_and_blocks) {
  const auto options = read_local_state_options(
      configuration_of({{"state.backend.rocksdb.memory.fixed-per-slot", "64 mb"},
                        {"state.backend.rocksdb.memory.write-buffer-ratio", "0.25"}}));
  ASSERT_TRUE(options.is_ok()) << options.status().to_string();
  EXPECT_EQ(options->cached_bytes, 32 << 20);
  EXPECT_EQ(options->store.memory.write_buffer_bytes, 8 << 20);
  EXPECT_EQ(options->store.memory.block_cache_bytes, 24 << 20);
  EXPECT_TRUE(read_local_state_options({}).is_ok());
}

TEST(LocalStateOptionsTest, files_are_merged_and_compressed_as_said) {
  const auto options = read_local_state_options(configuration_of(
      {{"state.backend.rocksdb.compaction.style", "LEVEL"},
       {"state.backend.rocksdb.compression.per.level", "NO_COMPRESSION;LZ4_COMPRESSION"}}));
  ASSERT_TRUE(options.is_ok()) << options.status().to_string();
  EXPECT_EQ(options->store.compaction, StoreCompaction::kLeveled);
  EXPECT_EQ(options->store.compression,
            (std::vector{StoreCompression::kNone, StoreCompression::kLz4}));
  EXPECT_EQ(read_local_state_options({})->store.compaction, StoreCompaction::kUniversal);
}

TEST(LocalStateOptionsTest, what_cannot_work_is_refused_by_its_key) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"state.backend.rocksdb.memory.fixed-per-slot", "1 mb"},
      {"state.backend.rocksdb.memory.fixed-per-slot", "0"},
      {"state.backend.rocksdb.memory.fixed-per-slot", "9000 tb"},
      {"state.backend.rocksdb.memory.fixed-per-slot", "-1 mb"},
      {"state.backend.rocksdb.memory.fixed-per-slot", "much"},
      {"state.backend.rocksdb.memory.write-buffer-ratio", "0"},
      {"state.backend.rocksdb.memory.write-buffer-ratio", "1.5"},
      {"state.backend.rocksdb.memory.write-buffer-ratio", "-0.5"},
      {"state.backend.rocksdb.memory.write-buffer-ratio", "nan"},
      {"state.backend.rocksdb.block.blocksize", "1"},
      {"state.backend.rocksdb.bloom-filter.bits-per-key", "-1"},
      {"state.backend.rocksdb.bloom-filter.bits-per-key", "1e9"},
      {"state.backend.rocksdb.memory.managed", "perhaps"},
      {"state.backend.rocksdb.compaction.style", "FIFO"},
      {"state.backend.rocksdb.compression.per.level", "NO_COMPRESSION;LESS_COMPRESSION"},
      {"state.backend.rocksdb.options-factory", "a.b.C"},
      {"state.backend.rocksdb.predefined-options", "FLASH_SSD_OPTIMIZED"},
  };
  for (const auto& setting : wrong) {
    const auto options = read_local_state_options(configuration_of({setting}));
    EXPECT_FALSE(options.is_ok()) << setting.first << " = " << setting.second;
    EXPECT_THAT(options.status().to_string(), HasSubstr(setting.first));
  }
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"state.backend.rocksdb.writebuffer.count", "0"},
           {"state.backend.rocksdb.writebuffer.count", "1000"},
           {"state.backend.rocksdb.writebuffer.size", "1 kb"}}) {
    const auto options = read_local_state_options(
        configuration_of({{"state.backend.rocksdb.memory.managed", "false"}, {key, value}}));
    EXPECT_FALSE(options.is_ok()) << key << " = " << value;
    EXPECT_THAT(options.status().to_string(), HasSubstr(key));
  }
}

class LocalStatePlacesTest : public ::testing::Test {
 public:
  ~LocalStatePlacesTest() override { EXPECT_TRUE(files_.remove_all(folder_).is_ok()); }

 protected:
  LocalStatePlacesTest()
      : folder_(::testing::TempDir() + "places_" +
                std::to_string(Random::from_entropy().next_u64())) {}

  LocalFileSystem files_;
  const std::string folder_;
};

TEST_F(LocalStatePlacesTest, processes_that_were_not_told_where_find_places_of_their_own) {
  LocalStatePlaces one(folder_);
  LocalStatePlaces other(folder_);
  const auto first = one.open({});
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  const auto second = other.open({});
  ASSERT_TRUE(second.is_ok()) << second.status().to_string();
  EXPECT_EQ(*one.open({}), *first);
  EXPECT_TRUE(*files_.exists(folder_ + "/clepsydra-state-0"));
  EXPECT_TRUE(*files_.exists(folder_ + "/clepsydra-state-1"));
}

TEST_F(LocalStatePlacesTest, a_place_that_was_set_is_for_one_process) {
  const Configuration configuration =
      configuration_of({{"state.backend.rocksdb.localdir", folder_}});
  LocalStatePlaces one("/nowhere");
  LocalStatePlaces other("/nowhere");
  const auto first = one.open(configuration);
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();

  const Status status = other.open(configuration).status();

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("in use by another process"));
  EXPECT_THAT(status.to_string(), HasSubstr(folder_));
}

TEST_F(LocalStatePlacesTest, a_place_that_cannot_be_written_to_is_named) {
  LocalStatePlaces places("/nowhere");
  const Status status =
      places.open(configuration_of({{"state.backend.rocksdb.localdir", "/proc/state"}})).status();
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(status.to_string(), HasSubstr("/proc/state"));
  EXPECT_THAT(status.to_string(), HasSubstr("state.backend.rocksdb.localdir"));
}

}  // namespace
}  // namespace clepsydra
