// Chains of snapshots that stay short without a base: what "hashmap" does beside
// state_snapshot_test.cc.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "state/state_backend.h"
#include "state/state_blocks.h"
#include "state/state_test_backends.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

constexpr int kMaxParallelism = 128;
constexpr StateNamespace kNamespace = 7;

// Numbers by BIGINT key, their snapshots, and what there should be.
class Counters {
 public:
  // `snapshot_rows_min`: as in StateBackendOptions.
  explicit Counters(std::int64_t snapshot_rows_min = 0)
      : pool_(MemoryPool::make_root("test")), snapshot_rows_min_(snapshot_rows_min) {
    backend_ = make();
  }

  void write(const std::vector<std::int64_t>& keys, std::int64_t value) {
    std::vector<std::byte*> values(keys.size());
    const std::vector<Column> columns = {column_of(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, columns[0].length(), hashes.data());
    const KeyBatch batch{.columns = columns, .hashes = hashes.data(), .count = columns[0].length()};
    ASSERT_TRUE(open(*backend_).find_or_insert(kNamespace, batch, values).is_ok());
    for (std::byte* place : values) *reinterpret_cast<std::int64_t*>(place) = value;
    for (const std::int64_t key : keys) model_[key] = value;
  }

  void erase(const std::vector<std::int64_t>& keys) {
    std::vector<std::byte*> values(keys.size());
    const std::vector<Column> columns = {column_of(keys)};
    std::vector<std::uint64_t> hashes(keys.size());
    hash_rows(columns, columns[0].length(), hashes.data());
    const KeyBatch batch{.columns = columns, .hashes = hashes.data(), .count = columns[0].length()};
    ASSERT_TRUE(open(*backend_).find(kNamespace, batch, values).is_ok());
    std::erase(values, nullptr);
    open(*backend_).erase(kNamespace, values);
    for (const std::int64_t key : keys) model_.erase(key);
  }

  // A confirmed snapshot; how many rows are in it.
  std::int64_t take(bool as_base = false) {
    const std::unique_ptr<StateSnapshot> snapshot = *backend_->freeze(as_base);
    EXPECT_EQ(snapshot->is_base(), as_base || chain_.empty());
    const std::size_t outdated = snapshot->is_base() ? chain_.size() : snapshot->outdated();
    std::string bytes;
    while (!*snapshot->write_some(512, bytes)) {
    }
    backend_->confirm(true);
    chain_.erase(chain_.begin(), chain_.begin() + static_cast<std::ptrdiff_t>(outdated));
    chain_.push_back(std::move(bytes));
    std::int64_t rows = 0;
    const StoredSnapshot stored = *read_state_blocks(chain_.back());
    for (const StoredRows& state : stored.states) {
      for (const StoredBatch& batch : state.rows) {
        for (const NamespaceRun& run : batch.runs) rows += run.rows;
      }
    }
    return rows;
  }

  [[nodiscard]] std::map<std::int64_t, std::int64_t> restored() {
    const auto copy = make();
    RestoredState state;
    state.parts.push_back({.snapshots = SnapshotBytes::all_of(chain_)});
    const Status status = copy->restore(std::move(state));
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    std::map<std::int64_t, std::int64_t> found;
    std::vector<std::byte*> values(1000);
    KeyedRows::Cursor cursor;
    KeyedRows& rows = open(*copy);
    while (const auto count = static_cast<std::size_t>(rows.scan(kNamespace, cursor, values))) {
      std::vector<Column> keys;
      const auto part = std::span<std::byte* const>(values).first(count);
      EXPECT_TRUE(rows.read_keys(part, *pool_, keys).is_ok());
      for (std::size_t i = 0; i < count; ++i) {
        found[keys[0].values<std::int64_t>()[i]] = *reinterpret_cast<std::int64_t*>(values[i]);
      }
    }
    return found;
  }

  [[nodiscard]] std::size_t chain_length() const { return chain_.size(); }
  [[nodiscard]] const std::map<std::int64_t, std::int64_t>& model() const { return model_; }

 private:
  std::unique_ptr<KeyedStateBackend> make() {
    return StateBackendRegistry::built_in()
        .make("hashmap", {.pool = pool_.get(),
                          .key_groups = {0, kMaxParallelism},
                          .max_parallelism = kMaxParallelism,
                          .snapshot_rows_min = snapshot_rows_min_})
        .value();
  }
  KeyedRows& open(KeyedStateBackend& backend) {
    return **backend.open_rows({.name = "counters",
                                .key_types = {DataType::big_int()},
                                .value_bytes = 8,
                                .codec = testing::make_words_codec(8)});
  }
  Column column_of(const std::vector<std::int64_t>& keys) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (const std::int64_t key : keys) builder.append(key);
    return *builder.finish();
  }

  const std::shared_ptr<MemoryPool> pool_;
  const std::int64_t snapshot_rows_min_;
  std::unique_ptr<KeyedStateBackend> backend_;
  std::vector<std::string> chain_;
  std::map<std::int64_t, std::int64_t> model_;
};

std::vector<std::int64_t> some_keys(Random& random, std::int64_t count, std::int64_t below) {
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; i < count; ++i) keys.push_back(random.uniform_between(0, below - 1));
  return keys;
}

std::vector<std::int64_t> keys_from_to(std::int64_t begin, std::int64_t end) {
  std::vector<std::int64_t> keys;
  for (std::int64_t key = begin; key < end; ++key) keys.push_back(key);
  return keys;
}

TEST(BaseSlicesTest, a_chain_stays_short_and_no_snapshot_has_much_more_than_changed) {
  constexpr std::int64_t kKeys = 20'000;
  Random random(1);
  Counters counters;
  counters.write(keys_from_to(0, kKeys), 1);
  EXPECT_EQ(counters.take(), kKeys);
  std::size_t longest = 0;
  for (int i = 0; i < 200; ++i) {
    counters.write(some_keys(random, kKeys / 20, kKeys), i);
    const std::int64_t rows = counters.take();
    EXPECT_LE(rows, kKeys / 20 * 4 / 3);
    longest = std::max(longest, counters.chain_length());
    if (i % 20 == 0) {
      EXPECT_EQ(counters.restored(), counters.model()) << i;
    }
  }
  // A lap takes three times the rows over the changes of a snapshot: 60 of them.
  EXPECT_GE(longest, 55U);
  EXPECT_LE(longest, 70U);
  EXPECT_EQ(counters.restored(), counters.model());
}

TEST(BaseSlicesTest, of_few_changes_too) {
  constexpr std::int64_t kKeys = 10'000;
  Counters counters;
  counters.write(keys_from_to(0, kKeys), 1);
  counters.take();
  for (int i = 0; i < 500; ++i) {
    counters.write({i}, i);
    EXPECT_LE(counters.take(), kKeys / 64 + 2);
    EXPECT_LE(counters.chain_length(), 100U);
  }
  EXPECT_EQ(counters.restored(), counters.model());
}

TEST(BaseSlicesTest, of_small_states_two_are_enough) {
  constexpr std::int64_t kKeys = 1000;
  Counters counters(1024);
  counters.write(keys_from_to(0, kKeys), 1);
  counters.take();
  for (int i = 0; i < 50; ++i) {
    counters.write({i}, i);
    counters.erase({i + 100});
    EXPECT_LE(counters.take(), 1024);
    EXPECT_EQ(counters.chain_length(), 2U);
  }
  EXPECT_EQ(counters.restored(), counters.model());
}

TEST(BaseSlicesTest, rows_that_have_moved_are_not_forgotten) {
  constexpr std::int64_t kKeys = 6000;
  Random random(2);
  Counters counters;
  counters.write(keys_from_to(0, kKeys), 1);
  counters.take();
  for (int round = 0; round < 12; ++round) {
    // Somewhere in a lap most rows go, so that those behind move to where the walk has been.
    for (int i = 0; i < 5 + round; ++i) {
      counters.write(some_keys(random, 300, kKeys), i);
      counters.take();
    }
    const std::int64_t kept = random.uniform_between(0, kKeys - 500);
    counters.erase(keys_from_to(0, kept));
    counters.erase(keys_from_to(kept + 500, kKeys));
    counters.take();
    EXPECT_EQ(counters.restored(), counters.model()) << round;
    for (int i = 0; i < 30; ++i) {
      counters.write(some_keys(random, 30, kKeys), i);
      counters.take();
      ASSERT_EQ(counters.restored(), counters.model()) << round << ", " << i;
    }
    counters.write(keys_from_to(0, kKeys), round);
  }
}

TEST(BaseSlicesTest, an_empty_state_keeps_no_long_chain) {
  Counters counters;
  counters.write(keys_from_to(0, 100), 1);
  counters.take();
  counters.erase(keys_from_to(0, 100));
  for (int i = 0; i < 100; ++i) counters.take();
  EXPECT_LE(counters.chain_length(), 40U);
  EXPECT_TRUE(counters.restored().empty());
}

}  // namespace
}  // namespace clepsydra
