// What only state on local disk has to do: keep to its memory, say what went wrong with the disk,
// go on with another backend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "state/local_stores.h"
#include "state/state_backend.h"
#include "state/state_test_backends.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kBatchRows = 1000;

class DiskStateTest : public ::testing::Test {
 protected:
  std::unique_ptr<KeyedStateBackend> make_backend(std::int64_t cached_bytes,
                                                  const std::string& kind = "rocksdb") {
    StateBackendOptions options{.pool = pool_.get()};
    options.local.stores = stores_.get();
    options.local.name = "state " + std::to_string(++backends_);
    options.local.cached_bytes = cached_bytes;
    auto made = StateBackendRegistry::built_in().make(kind, options);
    EXPECT_TRUE(made.is_ok()) << made.status().to_string();
    return *std::move(made);
  }
  static KeyedRows& open(KeyedStateBackend& backend) {
    auto rows = backend.open_rows(
        {.name = "rows", .key_types = {DataType::string()}, .codec = testing::make_words_codec(8)});
    EXPECT_TRUE(rows.is_ok()) << rows.status().to_string();
    return **rows;
  }

  // Adds `number` to the rows of the keys [first, first + kBatchRows).
  Status add(KeyedRows& rows, std::int64_t first, std::int64_t number) {
    ColumnBuilder builder(DataType::string(), *keys_pool_);
    for (std::int64_t i = first; i < first + kBatchRows; ++i) {
      builder.append_string("a key that is too long to be inline " + std::to_string(i));
    }
    const std::vector<Column> keys = {*builder.finish()};
    std::vector<std::uint64_t> hashes(kBatchRows);
    hash_rows(keys, kBatchRows, hashes.data());
    std::vector<std::byte*> values(kBatchRows);
    Status status = rows.find_or_insert(
        0, {.columns = keys, .hashes = hashes.data(), .count = kBatchRows}, values);
    if (!status.is_ok()) return status;
    for (std::byte* value : values) *reinterpret_cast<std::int64_t*>(value) += number;
    return rows.release_rows();
  }
  // Rows and the sum of their numbers.
  static std::pair<std::int64_t, std::int64_t> total(KeyedRows& rows) {
    std::pair<std::int64_t, std::int64_t> all;
    std::vector<std::byte*> values(kBatchRows);
    KeyedRows::Cursor cursor;
    while (const std::int64_t count = rows.scan(0, cursor, values)) {
      all.first += count;
      for (std::int64_t i = 0; i < count; ++i) {
        all.second += *reinterpret_cast<std::int64_t*>(values[static_cast<std::size_t>(i)]);
      }
      EXPECT_TRUE(rows.release_rows().is_ok());
    }
    return all;
  }
  static Result<std::string> snapshot_of(KeyedStateBackend& backend, bool as_base = false) {
    auto snapshot = backend.freeze(as_base);
    if (!snapshot.is_ok()) return snapshot.status();
    std::string bytes;
    while (true) {
      Result<bool> is_done = (*snapshot)->write_some(500, bytes);
      if (!is_done.is_ok()) return is_done.status();
      if (*is_done) break;
    }
    snapshot->reset();
    backend.confirm(true);
    return bytes;
  }

  std::shared_ptr<MemoryPool> keys_pool_ = MemoryPool::make_root("keys");
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
  std::string failing_;
  std::unique_ptr<LocalStores> stores_ = make_memory_stores({.fault = [this](std::string_view op) {
    return op == failing_ ? Status::unavailable("the disk is gone") : Status::ok();
  }});
  int backends_ = 0;
};

TEST_F(DiskStateTest, rows_and_snapshots_keep_to_their_memory) {
  const auto backend = make_backend(1 << 20);
  KeyedRows& rows = open(*backend);
  // About 10 MB of rows; the rows of a batch come on top of the limit.
  for (const std::int64_t number : {1, 10}) {
    for (std::int64_t first = 0; first < 100'000; first += kBatchRows) {
      ASSERT_TRUE(add(rows, first, number).is_ok());
    }
  }
  EXPECT_LT(pool_->peak_bytes(), 2 << 20);

  const Result<std::string> base = snapshot_of(*backend);
  ASSERT_TRUE(base.is_ok());
  EXPECT_GT(base->size(), 5U << 20);
  EXPECT_EQ(total(rows), std::pair(std::int64_t{100'000}, std::int64_t{1'100'000}));
  EXPECT_LT(pool_->peak_bytes(), 3 << 20);

  // A delta after changes that have left memory.
  for (std::int64_t first = 0; first < 30'000; first += kBatchRows) {
    ASSERT_TRUE(add(rows, first, 100).is_ok());
  }
  const Result<std::string> delta = snapshot_of(*backend);
  ASSERT_TRUE(delta.is_ok());
  EXPECT_LT(delta->size(), base->size() / 2);

  const auto copy = make_backend(1 << 20);
  RestoredState state;
  state.parts.push_back({.snapshots = {*base, *delta}});
  ASSERT_TRUE(copy->restore(std::move(state)).is_ok());
  EXPECT_EQ(total(open(*copy)), std::pair(std::int64_t{100'000}, std::int64_t{4'100'000}));
}

TEST_F(DiskStateTest, a_pool_that_is_full_makes_rows_go_and_fails_nobody) {
  pool_ = MemoryPool::make_root("tight", 2 << 20);
  const auto backend = make_backend(1 << 30);
  KeyedRows& rows = open(*backend);
  for (const std::int64_t number : {1, 10}) {
    for (std::int64_t first = 0; first < 50'000; first += kBatchRows) {
      const Status status = add(rows, first, number);
      ASSERT_TRUE(status.is_ok()) << status.to_string();
    }
  }
  EXPECT_EQ(total(rows), std::pair(std::int64_t{50'000}, std::int64_t{550'000}));
}

TEST_F(DiskStateTest, a_job_goes_on_with_another_backend) {
  std::string stored;
  std::int64_t expected = 0;
  for (const std::string kind : {"hashmap", "rocksdb", "hashmap", "rocksdb", "rocksdb"}) {
    const auto backend = make_backend(100 << 10, kind);
    if (!stored.empty()) {
      RestoredState state;
      state.parts.push_back({.snapshots = {stored}});
      ASSERT_TRUE(backend->restore(std::move(state)).is_ok());
    }
    KeyedRows& rows = open(*backend);
    for (std::int64_t first = 0; first < 5000; first += kBatchRows) {
      ASSERT_TRUE(add(rows, first, 1).is_ok());
    }
    expected += 5000;
    EXPECT_EQ(total(rows), std::pair(std::int64_t{5000}, expected));
    stored = *snapshot_of(*backend, true);
  }
}

TEST_F(DiskStateTest, what_goes_wrong_on_the_disk_is_said) {
  for (const std::string operation : {"write", "get", "scan"}) {
    failing_.clear();
    const auto backend = make_backend(0);
    KeyedRows& rows = open(*backend);
    ASSERT_TRUE(add(rows, 0, 1).is_ok());
    ASSERT_TRUE(snapshot_of(*backend).is_ok());

    failing_ = operation;
    Status status;
    if (operation == "scan") {
      std::vector<std::byte*> values(1);
      KeyedRows::Cursor cursor;
      EXPECT_EQ(rows.scan(0, cursor, values), 0);
      status = rows.release_rows();
      EXPECT_THAT(snapshot_of(*backend, true).status().to_string(), HasSubstr("the disk is gone"));
    } else {
      status = add(rows, operation == "write" ? 5000 : 0, 1);
    }
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << operation;
    EXPECT_THAT(status.to_string(), HasSubstr("the disk is gone"));
    // What was lost stays lost: the job goes on from its last checkpoint.
    if (operation != "get") {
      failing_.clear();
      EXPECT_FALSE(rows.release_rows().is_ok());
    }
  }
  failing_ = "open";
  const auto backend = make_backend(0);
  EXPECT_THAT(backend
                  ->open_rows({.name = "rows",
                               .key_types = {DataType::string()},
                               .codec = testing::make_words_codec(8)})
                  .status()
                  .to_string(),
              HasSubstr("the disk is gone"));
}

TEST_F(DiskStateTest, without_a_place_it_is_refused) {
  auto backend =
      std::move(StateBackendRegistry::built_in().make("rocksdb", {.pool = pool_.get()})).value();
  const Status status = backend
                            ->open_rows({.name = "rows",
                                         .key_types = {DataType::string()},
                                         .codec = testing::make_words_codec(8)})
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.to_string(), HasSubstr("no local directory"));
}

}  // namespace
}  // namespace clepsydra
