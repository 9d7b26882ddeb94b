// What every local store must do: the one over RocksDB, and its model.
#include "state/local_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/local_file_system.h"
#include "base/random.h"
#include "state/local_stores.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class LocalStoreTest : public ::testing::TestWithParam<std::string> {
 public:
  ~LocalStoreTest() override {
    stores_.reset();
    EXPECT_TRUE(files_->remove_all(directory_).is_ok());
  }

 protected:
  LocalStoreTest() : directory_(::testing::TempDir() + "local_stores_" + name_of_test()) {
    EXPECT_TRUE(files_->remove_all(directory_).is_ok());
    stores_ = make_stores();
  }

  static std::string name_of_test() {
    std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    for (char& c : name) c = c == '/' ? '_' : c;
    return name + "_" + std::to_string(Random::from_entropy().next_u64());
  }
  std::unique_ptr<LocalStores> make_stores() {
    if (GetParam() == "memory") return make_memory_stores();
    auto stores = make_rocksdb_stores(directory_, *files_);
    EXPECT_TRUE(stores.is_ok()) << stores.status().to_string();
    return *std::move(stores);
  }
  std::unique_ptr<LocalStore> open(const std::string& name = "a/b",
                                   const LocalStoreOptions& options = {}) {
    auto store = stores_->open(name, options);
    EXPECT_TRUE(store.is_ok()) << store.status().to_string();
    return *std::move(store);
  }

  static void put(LocalStore& store,
                  const std::vector<std::pair<std::string, std::string>>& entries) {
    StoreWrites writes;
    for (const auto& [key, value] : entries) writes.put(key, value);
    const Status status = store.write(writes);
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  static std::vector<std::pair<std::string, std::string>> scan(LocalStore& store,
                                                               std::string begin = "",
                                                               const std::string& end = "\xff") {
    std::vector<std::pair<std::string, std::string>> all;
    std::vector<StoreEntry> entries;
    do {
      const Status status = store.scan(begin, end, {.entries_max = 7, .bytes_max = 100}, entries);
      EXPECT_TRUE(status.is_ok()) << status.to_string();
      for (const StoreEntry& entry : entries) all.emplace_back(entry.key, entry.value);
      if (!all.empty()) begin = all.back().first + '\0';
    } while (!entries.empty());
    return all;
  }

  std::unique_ptr<FileSystem> files_ = std::make_unique<LocalFileSystem>();
  std::string directory_;
  std::unique_ptr<LocalStores> stores_;
};

TEST_P(LocalStoreTest, many_keys_are_read_at_once) {
  const auto store = open();
  put(*store, {{"a", "1"}, {"b", ""}, {std::string("\0\xff", 2), "binary"}});
  const std::vector<std::string_view> keys = {"b", "none", std::string_view("\0\xff", 2), "a", "a"};
  StoreValues values;

  ASSERT_TRUE(store->multi_get(keys, values).is_ok());

  EXPECT_EQ(values[0], "");
  EXPECT_EQ(values[1], std::nullopt);
  EXPECT_EQ(values[2], "binary");
  EXPECT_EQ(values[3], "1");
  EXPECT_EQ(values[4], "1");
  ASSERT_TRUE(store->multi_get({}, values).is_ok());
}

TEST_P(LocalStoreTest, changes_are_made_in_their_order) {
  const auto store = open();
  put(*store, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  StoreWrites writes;
  writes.erase_range("a", "d");
  writes.put("b", "again");
  writes.put("x", "gone");
  writes.erase("x");
  writes.erase("was never there");
  writes.erase_range("z", "a");  // Nothing lies there.
  ASSERT_TRUE(store->write(writes).is_ok());

  EXPECT_THAT(scan(*store), ElementsAre(Pair("b", "again"), Pair("d", "4")));
  ASSERT_TRUE(store->write({}).is_ok());
}

// Through buffers so small that files are written and merged all the time.
TEST_P(LocalStoreTest, rows_are_what_was_written_last_however_files_are_merged) {
  for (const StoreCompaction compaction :
       {StoreCompaction::kUniversal, StoreCompaction::kLeveled}) {
    for (const StoreCompression compression : {StoreCompression::kNone, StoreCompression::kSnappy,
                                               StoreCompression::kLz4, StoreCompression::kZstd}) {
      const auto store =
          open("merged", {.memory = {.block_cache_bytes = 64 << 10, .write_buffer_bytes = 64 << 10},
                          .compaction = compaction,
                          .compression = {StoreCompression::kNone, compression}});
      Random random(7);
      std::map<std::string, std::string> expected;
      const auto any_key = [&] { return "key" + std::to_string(random.uniform(5000)); };
      for (int round = 0; round < 60; ++round) {
        StoreWrites writes;
        const std::string begin = any_key();
        const std::string end = begin + "5";
        writes.erase_range(begin, end);
        expected.erase(expected.lower_bound(begin), expected.lower_bound(end));
        for (int i = 0; i < 200; ++i) {
          const std::string key = any_key();
          if (random.uniform(4) == 0) {
            writes.erase(key);
            expected.erase(key);
            continue;
          }
          expected[key] = std::string(1 + random.uniform(100), static_cast<char>('a' + round % 26));
          writes.put(key, expected[key]);
        }
        ASSERT_TRUE(store->write(writes).is_ok());
        std::vector<std::string> keys(64);
        for (std::string& key : keys) key = any_key();
        StoreValues values;
        ASSERT_TRUE(
            store->multi_get(std::vector<std::string_view>(keys.begin(), keys.end()), values)
                .is_ok());
        for (std::size_t i = 0; i < keys.size(); ++i) {
          const auto found = expected.find(keys[i]);
          ASSERT_EQ(values[i].value_or("none"), found != expected.end() ? found->second : "none")
              << keys[i];
        }
      }
      EXPECT_EQ(scan(*store), (std::vector<std::pair<std::string, std::string>>(expected.begin(),
                                                                                expected.end())));
    }
  }
}

TEST_P(LocalStoreTest, scans_go_over_bytes_in_order_and_keep_their_limits) {
  const auto store = open();
  put(*store, {{"b", "2"}, {"a", "1"}, {"\x80", "high"}, {"ab", std::string(200, 'x')}});

  EXPECT_THAT(scan(*store, "a", "b"), ElementsAre(Pair("a", "1"), Pair("ab", ::testing::_)));
  EXPECT_EQ(scan(*store).back().first, "\x80");
  EXPECT_THAT(scan(*store, "c", "d"), IsEmpty());
  std::vector<StoreEntry> entries;
  ASSERT_TRUE(store->scan("ab", "z", {.entries_max = 10, .bytes_max = 100}, entries).is_ok());
  EXPECT_EQ(entries.size(), 1U);  // Larger than the limit, alone.
  ASSERT_TRUE(store->scan("a", "b", {.backwards = true}, entries).is_ok());
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].key, "ab");
  EXPECT_EQ(entries[1].key, "a");
  ASSERT_TRUE(store->scan("aa", "b", {.backwards = true}, entries).is_ok());
  EXPECT_EQ(entries.size(), 1U);
  ASSERT_TRUE(store->scan("a", "ab", {.entries_max = 1, .backwards = true}, entries).is_ok());
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].key, "a");
  ASSERT_TRUE(store->scan("a", "z", {.entries_max = 2, .bytes_max = 1000}, entries).is_ok());
  EXPECT_EQ(entries.size(), 2U);
}

TEST_P(LocalStoreTest, a_copy_has_what_was_there_and_goes_its_own_way) {
  auto store = open();
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 1000; i < 3000; ++i) many.emplace_back(std::to_string(i), std::string(50, 'v'));
  put(*store, many);
  const std::string copied = directory_ + "/copies/1";
  ASSERT_TRUE(files_->create_directories(directory_ + "/copies").is_ok());
  Status status = store->checkpoint(copied);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  put(*store, {{"1000", "later"}});
  EXPECT_EQ(store->checkpoint(copied).code(), StatusCode::kAlreadyExists);
  store.reset();

  auto copy = stores_->open_copy(copied, {});
  ASSERT_TRUE(copy.is_ok()) << copy.status().to_string();

  EXPECT_EQ(scan(**copy), many);
  put(**copy, {{"1000", "in the copy"}});
  EXPECT_EQ(scan(**copy)[0].second, "in the copy");
  EXPECT_EQ(stores_->open_copy(directory_ + "/copies/none", {}).status().code(),
            StatusCode::kNotFound);
}

TEST_P(LocalStoreTest, a_store_opened_again_is_empty_and_open_only_once) {
  auto store = open("x");
  put(*store, {{"a", "1"}});
  EXPECT_EQ(stores_->open("x", {}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(stores_->remove("x").code(), StatusCode::kFailedPrecondition);
  const auto other = open("y");
  EXPECT_THAT(scan(*other), IsEmpty());
  store.reset();

  EXPECT_THAT(scan(*open("x")), IsEmpty());
  EXPECT_TRUE(stores_->remove("x").is_ok());
  EXPECT_TRUE(stores_->remove("was never there").is_ok());
}

TEST_P(LocalStoreTest, a_closed_store_refuses_everything) {
  const auto store = open();
  put(*store, {{"a", "1"}});
  ASSERT_TRUE(store->close().is_ok());
  ASSERT_TRUE(store->close().is_ok());

  StoreValues values;
  std::vector<StoreEntry> entries;
  const std::vector<std::string_view> keys = {"a"};
  for (const Status& status :
       {store->multi_get(keys, values), store->write({}), store->scan("a", "b", {}, entries),
        store->checkpoint(directory_ + "/copy")}) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(status.to_string(), HasSubstr("is closed"));
  }
}

TEST_P(LocalStoreTest, a_full_disk_is_an_error_that_says_so) {
  const auto store =
      open("full", {.memory = {.write_buffer_bytes = 128 << 10}, .disk_bytes_max = 1 << 20});
  Random random(1);
  Status status;
  // Writing behind takes its time; 64 MiB are enough for it to notice.
  for (int i = 0; i < 1024 && status.is_ok(); ++i) {
    std::string noise(64 << 10, ' ');
    for (char& c : noise) c = static_cast<char>(random.next_u64());
    StoreWrites writes;
    writes.put(std::to_string(i), noise);
    status = store->write(writes);
  }
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << status.to_string();
}

TEST_P(LocalStoreTest, agrees_with_a_map) {
  const auto store = open("walk", {.memory = {.write_buffer_bytes = 64 << 10}});
  std::map<std::string, std::string> expected;
  Random random(17);
  const auto some_key = [&] { return "k" + std::to_string(random.uniform(500)); };
  for (int round = 0; round < 600; ++round) {
    StoreWrites writes;
    for (std::uint64_t i = random.uniform(40); i > 0; --i) {
      const std::string key = some_key();
      if (random.uniform(4) == 0) {
        writes.erase(key);
        expected.erase(key);
      } else if (random.uniform(60) == 0) {
        const std::string end = some_key();
        writes.erase_range(key, end);
        if (key < end) expected.erase(expected.lower_bound(key), expected.lower_bound(end));
      } else {
        const std::string value(random.uniform(200), static_cast<char>('a' + round % 26));
        writes.put(key, value);
        expected[key] = value;
      }
    }
    ASSERT_TRUE(store->write(writes).is_ok());
    std::vector<std::string> keys;
    for (int i = 0; i < 20; ++i) keys.push_back(some_key());
    const std::vector<std::string_view> views(keys.begin(), keys.end());
    StoreValues values;
    ASSERT_TRUE(store->multi_get(views, values).is_ok());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = expected.find(keys[i]);
      ASSERT_EQ(values[i].has_value(), found != expected.end()) << keys[i];
      if (values[i]) {
        ASSERT_EQ(*values[i], found->second);
      }
    }
    if (round % 50 == 0) {
      ASSERT_EQ(scan(*store), (std::vector<std::pair<std::string, std::string>>(expected.begin(),
                                                                                expected.end())));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, LocalStoreTest, ::testing::Values("memory", "rocksdb"),
                         [](const auto& param) { return param.param; });

TEST(MemoryStoresTest, answers_with_the_fault_it_is_told) {
  std::string failing;
  const auto stores = make_memory_stores({.fault = [&](std::string_view operation) {
    return operation == failing ? Status::unavailable("injected") : Status::ok();
  }});
  const auto store = *stores->open("a", {});
  StoreWrites writes;
  writes.put("k", "v");
  failing = "write";
  EXPECT_EQ(store->write(writes).code(), StatusCode::kUnavailable);
  failing = "get";
  const std::vector<std::string_view> keys = {"k"};
  StoreValues values;
  EXPECT_EQ(store->multi_get(keys, values).code(), StatusCode::kUnavailable);
  failing = "";
  ASSERT_TRUE(store->multi_get(keys, values).is_ok());
  EXPECT_EQ(values[0], std::nullopt);
}

TEST(RocksdbStoresTest, a_directory_has_one_owner) {
  const auto files = std::make_unique<LocalFileSystem>();
  const std::string directory =
      ::testing::TempDir() + "one_owner_" + std::to_string(Random::from_entropy().next_u64());
  auto first = make_rocksdb_stores(directory, *files);
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  auto store = *(*first)->open("left", {});

  const Status status = make_rocksdb_stores(directory, *files).status();

  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("state.backend.rocksdb.localdir"));
  EXPECT_TRUE(*files->exists(directory + "/left"));
  store.reset();
  first->reset();
  // The next owner finds it empty.
  EXPECT_TRUE(make_rocksdb_stores(directory, *files).is_ok());
  EXPECT_FALSE(*files->exists(directory + "/left"));
  EXPECT_TRUE(files->remove_all(directory).is_ok());
}

TEST(RocksdbStoresTest, a_place_that_cannot_be_a_directory_is_an_error) {
  const auto files = std::make_unique<LocalFileSystem>();
  const Status status = make_rocksdb_stores("/proc/no_state_here", *files).status();
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(status.to_string(), HasSubstr("/proc/no_state_here"));
}

}  // namespace
}  // namespace clepsydra
