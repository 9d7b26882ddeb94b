// What every state backend must do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/memory_pool.h"
#include "base/random.h"
#include "state/state_backend.h"
#include "state/state_test_backends.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StateConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<KeyedStateBackend> make_backend(KeyGroupRange groups = {0, 128},
                                                  int max_parallelism = 128) {
    return testing::make_test_backend(
        GetParam(),
        {.pool = pool_.get(), .key_groups = groups, .max_parallelism = max_parallelism});
  }

  KeyedRows& open(KeyedStateBackend& backend, std::vector<DataType> key_types,
                  std::int64_t value_bytes = 8) {
    auto rows = backend.open_rows({.name = "rows",
                                   .key_types = std::move(key_types),
                                   .value_bytes = value_bytes,
                                   .codec = testing::make_words_codec(value_bytes)});
    EXPECT_TRUE(rows.is_ok()) << rows.status().to_string();
    return **rows;
  }

  Column big_ints(const std::vector<std::int64_t>& values) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (const std::int64_t value : values) builder.append(value);
    return *builder.finish();
  }

  Column texts(const std::vector<std::string>& values) {
    ColumnBuilder builder(DataType::string(), *pool_);
    for (const std::string& value : values) {
      if (value == "NULL") {
        builder.append_null();
      } else {
        builder.append_string(value);
      }
    }
    return *builder.finish();
  }

  // The rows of all keys, found or made.
  std::vector<std::byte*> rows_of(KeyedRows& state, StateNamespace ns,
                                  const std::vector<Column>& keys, bool insert = true,
                                  std::int64_t rows = -1) {
    if (rows < 0) rows = keys[0].length();
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(rows));
    hash_rows(keys, rows, hashes.data());
    std::vector<std::byte*> values(hashes.size());
    const KeyBatch batch{.columns = keys, .hashes = hashes.data(), .count = rows};
    const Status status =
        insert ? state.find_or_insert(ns, batch, values) : state.find(ns, batch, values);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return values;
  }

  static std::int64_t& number(std::byte* value) { return *reinterpret_cast<std::int64_t*>(value); }

  std::vector<std::byte*> scan_all(KeyedRows& state, StateNamespace ns) {
    std::vector<std::byte*> all;
    std::vector<std::byte*> block(3);
    KeyedRows::Cursor cursor;
    while (const std::int64_t count = state.scan(ns, cursor, block)) {
      all.insert(all.end(), block.begin(), block.begin() + count);
    }
    return all;
  }

  // Keys and numbers of all rows of a state with one BIGINT key, in the order of scan().
  std::vector<std::pair<std::int64_t, std::int64_t>> contents(KeyedRows& state, StateNamespace ns) {
    const std::vector<std::byte*> values = scan_all(state, ns);
    std::vector<Column> keys;
    EXPECT_TRUE(state.read_keys(values, *pool_, keys).is_ok());
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      pairs.emplace_back(keys[0].values<std::int64_t>()[i], number(values[i]));
    }
    return pairs;
  }

  static std::string key_at(const Column& column, std::size_t row) {
    const auto place = static_cast<std::int64_t>(row);
    return column.is_null(place) ? "NULL" : std::string(column.string_at(place));
  }

  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

TEST_P(StateConformanceTest, equal_keys_of_a_batch_share_a_row_that_starts_as_zero) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()}, 24);

  const auto values = rows_of(state, 1, {big_ints({7, 8, 7, -1})});

  EXPECT_EQ(values[0], values[2]);
  EXPECT_NE(values[0], values[1]);
  for (std::byte* value : values) {
    EXPECT_EQ(std::count(value, value + 24, std::byte{0}), 24);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(value) % 8, 0U);
  }
  EXPECT_EQ(state.row_count(1), 3);
}

TEST_P(StateConformanceTest, rows_keep_what_was_written_and_come_in_the_order_of_insertion) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});

  for (std::byte* value : rows_of(state, 1, {big_ints({30, 10, 20, 10})})) ++number(value);
  for (std::byte* value : rows_of(state, 1, {big_ints({5, 10})})) ++number(value);

  EXPECT_THAT(contents(state, 1),
              ElementsAre(std::pair(30, 1), std::pair(10, 3), std::pair(20, 1), std::pair(5, 1)));
}

TEST_P(StateConformanceTest, find_answers_null_for_keys_and_namespaces_that_are_not_there) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  const auto inserted = rows_of(state, 1, {big_ints({7})});

  EXPECT_THAT(rows_of(state, 1, {big_ints({8, 7})}, false), ElementsAre(nullptr, inserted[0]));
  EXPECT_THAT(rows_of(state, 2, {big_ints({7})}, false), ElementsAre(nullptr));
  EXPECT_FALSE(state.contains(2));
}

TEST_P(StateConformanceTest, selected_rows_of_a_batch_are_looked_up) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  const std::vector<Column> keys = {big_ints({1, 2, 3, 4})};
  std::uint64_t hashes[4];
  hash_rows(keys, 4, hashes);
  const std::int32_t rows[] = {3, 1};
  std::vector<std::byte*> values(2);

  ASSERT_TRUE(
      state.find_or_insert(0, {.columns = keys, .hashes = hashes, .rows = rows, .count = 2}, values)
          .is_ok());

  EXPECT_THAT(contents(state, 0), ElementsAre(std::pair(4, 0), std::pair(2, 0)));
}

TEST_P(StateConformanceTest, texts_of_any_length_and_null_are_keys) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::string(), DataType::big_int()});
  const std::string long_text(100'000, 'x');
  const std::vector<std::string> keys = {"",
                                         "a",
                                         "NULL",
                                         "twelve bytes",
                                         "thirteen byte",
                                         "thirteen bytf",
                                         long_text,
                                         long_text + "y",
                                         "thirteen byte"};
  const auto ones = std::vector<std::int64_t>(keys.size(), 1);
  {
    const auto values = rows_of(state, 0, {texts(keys), big_ints(ones)});
    EXPECT_EQ(values[4], values[8]);
    EXPECT_NE(values[4], values[5]);
    EXPECT_EQ(state.row_count(0), 8);
  }

  // The columns are gone: state has bytes of its own.
  std::vector<Column> read;
  ASSERT_TRUE(state.read_keys(scan_all(state, 0), *pool_, read).is_ok());

  ASSERT_EQ(read[0].length(), 8);
  for (std::int64_t i = 0; i < 8; ++i) {
    if (i == 2) {
      EXPECT_TRUE(read[0].is_null(i));
    } else {
      EXPECT_EQ(read[0].string_at(i), keys[static_cast<std::size_t>(i)]);
    }
    EXPECT_EQ(read[1].values<std::int64_t>()[i], 1);
  }
}

TEST_P(StateConformanceTest, null_is_a_key_that_differs_from_zero) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  ColumnBuilder builder(DataType::big_int(), *pool_);
  builder.append(std::int64_t{0});
  builder.append_null();
  builder.append_null();
  const auto values = rows_of(state, 0, {*builder.finish()});

  EXPECT_NE(values[0], values[1]);
  EXPECT_EQ(values[1], values[2]);
  std::vector<Column> read;
  ASSERT_TRUE(state.read_keys(scan_all(state, 0), *pool_, read).is_ok());
  EXPECT_FALSE(read[0].is_null(0));
  EXPECT_TRUE(read[0].is_null(1));
}

TEST_P(StateConformanceTest, zeros_are_one_key_and_nans_are_one_key) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::double_()});
  ColumnBuilder builder(DataType::double_(), *pool_);
  for (const double value : {0.0, -0.0, std::nan("1"), -std::nan("2"), 1.5}) builder.append(value);

  const auto values = rows_of(state, 0, {*builder.finish()});

  EXPECT_EQ(values[0], values[1]);
  EXPECT_EQ(values[2], values[3]);
  EXPECT_EQ(state.row_count(0), 3);
}

TEST_P(StateConformanceTest, every_flat_type_is_read_back_as_it_was_written) {
  const auto backend = make_backend();
  const std::vector<DataType> types = {
      DataType::boolean(),       DataType::tiny_int(),     DataType::small_int(),
      DataType::integer(),       DataType::big_int(),      DataType::float_(),
      DataType::double_(),       DataType::decimal(38, 2), DataType::string(),
      DataType::date(),          DataType::time(3),        DataType::timestamp(9),
      DataType::timestamp_ltz(3)};
  KeyedRows& state = open(*backend, types);
  std::vector<Column> keys;
  for (const DataType& type : types) {
    ColumnBuilder builder(type, *pool_);
    switch (type.physical()) {
      case PhysicalType::kBool8:
        builder.append(std::uint8_t{1});
        break;
      case PhysicalType::kInt8:
        builder.append(std::int8_t{-5});
        break;
      case PhysicalType::kInt16:
        builder.append(std::int16_t{-300});
        break;
      case PhysicalType::kInt32:
        builder.append(std::int32_t{-70000});
        break;
      case PhysicalType::kInt64:
        builder.append(std::int64_t{-5'000'000'000});
        break;
      case PhysicalType::kFloat:
        builder.append(-1.25F);
        break;
      case PhysicalType::kDouble:
        builder.append(1e300);
        break;
      case PhysicalType::kInt128:
        builder.append(static_cast<Int128>(-1) << 100);
        break;
      default:
        builder.append_string("text");
    }
    keys.push_back(*builder.finish());
  }
  const auto values = rows_of(state, 0, keys);

  std::vector<Column> read;
  ASSERT_TRUE(state.read_keys(values, *pool_, read).is_ok());

  ASSERT_EQ(read.size(), types.size());
  for (std::size_t i = 0; i < types.size(); ++i) EXPECT_EQ(read[i].type(), types[i]);
  EXPECT_TRUE(keys_equal(keys, 0, read, 0));
  EXPECT_EQ(rows_of(state, 0, read), values);
}

TEST_P(StateConformanceTest, many_key_columns_each_may_be_null) {
  const auto backend = make_backend();
  constexpr int kColumns = 100;
  KeyedRows& state = open(*backend, std::vector<DataType>(kColumns, DataType::integer()));
  // Row i has NULL in column i alone; row kColumns nowhere.
  std::vector<Column> keys;
  for (int c = 0; c < kColumns; ++c) {
    ColumnBuilder builder(DataType::integer(), *pool_);
    for (int row = 0; row <= kColumns; ++row) {
      if (row == c) {
        builder.append_null();
      } else {
        builder.append(std::int32_t{0});
      }
    }
    keys.push_back(*builder.finish());
  }

  const auto values = rows_of(state, 0, keys);

  EXPECT_EQ(state.row_count(0), kColumns + 1);
  std::vector<Column> read;
  ASSERT_TRUE(state.read_keys(values, *pool_, read).is_ok());
  for (int c = 0; c < kColumns; ++c) {
    EXPECT_EQ(read[static_cast<std::size_t>(c)].null_count(), 1);
    EXPECT_TRUE(read[static_cast<std::size_t>(c)].is_null(c));
  }
}

TEST_P(StateConformanceTest, no_key_columns_mean_one_row) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {});

  const auto values = rows_of(state, 5, {}, true, 3);

  EXPECT_EQ(values[0], values[2]);
  EXPECT_EQ(state.row_count(5), 1);
  std::vector<Column> read;
  ASSERT_TRUE(state.read_keys(scan_all(state, 5), *pool_, read).is_ok());
  EXPECT_TRUE(read.empty());
}

TEST_P(StateConformanceTest, namespaces_are_apart_and_dropped_whole) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  const std::int64_t before = pool_->used_bytes();
  number(rows_of(state, 20, {big_ints({1})})[0]) = 5;
  {
    std::vector<std::int64_t> many(100'000);
    for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i);
    rows_of(state, 10, {big_ints(many)});
  }
  std::byte* block = nullptr;
  ASSERT_TRUE((*state.memory(10))->allocate(1 << 20, block).is_ok());
  EXPECT_THAT(state.namespaces(), ElementsAre(10, 20));
  EXPECT_GT(pool_->used_bytes(), before + (1 << 20) + 100'000L * 16);

  state.drop(10);

  EXPECT_EQ(number(rows_of(state, 20, {big_ints({1})})[0]), 5);
  state.drop(20);
  EXPECT_EQ(pool_->used_bytes(), before);
  EXPECT_TRUE(state.namespaces().empty());
  EXPECT_EQ(number(rows_of(state, 20, {big_ints({1})})[0]), 0);
}

TEST_P(StateConformanceTest, rows_of_one_namespace_find_those_of_another) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::string()});
  const std::string long_text(50, 'k');
  const auto first = rows_of(state, 1, {texts({"a", long_text, "NULL"})});
  const auto existing = rows_of(state, 2, {texts({long_text})});
  std::vector<std::byte*> same(3);

  ASSERT_TRUE(state.find_or_insert_same(2, first, same).is_ok());
  state.drop(1);

  EXPECT_EQ(same[1], existing[0]);
  EXPECT_EQ(rows_of(state, 2, {texts({"a", long_text, "NULL"})}, false), same);
  EXPECT_EQ(state.row_count(2), 3);
}

TEST_P(StateConformanceTest, erased_rows_are_gone_and_the_others_keep_their_order) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  constexpr std::int64_t kRows = 10'000;
  std::vector<std::int64_t> keys(kRows);
  for (std::int64_t i = 0; i < kRows; ++i) keys[static_cast<std::size_t>(i)] = i * 3;
  std::vector<std::byte*> values = rows_of(state, 0, {big_ints(keys)});
  for (std::int64_t i = 0; i < kRows; ++i) number(values[static_cast<std::size_t>(i)]) = i;
  // All but each tenth.
  std::vector<std::byte*> erased;
  for (std::int64_t i = 0; i < kRows; ++i) {
    if (i % 10 != 0) erased.push_back(values[static_cast<std::size_t>(i)]);
  }

  state.erase(0, erased);

  EXPECT_EQ(state.row_count(0), kRows / 10);
  const auto left = contents(state, 0);
  ASSERT_EQ(left.size(), kRows / 10);
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_EQ(left[i],
              std::pair(static_cast<std::int64_t>(i) * 30, static_cast<std::int64_t>(i) * 10));
  }
  EXPECT_THAT(rows_of(state, 0, {big_ints({3, 6})}, false), ElementsAre(nullptr, nullptr));
  EXPECT_EQ(number(rows_of(state, 0, {big_ints({30})}, false)[0]), 10);
  // An erased key starts anew, at the end.
  EXPECT_EQ(number(rows_of(state, 0, {big_ints({3})})[0]), 0);
  EXPECT_EQ(contents(state, 0).back(), std::pair(std::int64_t{3}, std::int64_t{0}));
}

TEST_P(StateConformanceTest, agrees_with_a_map_under_random_inserts_and_erasures) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::string()});
  std::map<std::string, std::int64_t> expected;
  Random random(42);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> keys;
    for (int i = 0; i < 100; ++i) {
      const std::int64_t id = static_cast<std::int64_t>(random.next_u64() % 2000);
      keys.push_back((id % 2 == 0 ? "k" : "a key too long to be inline ") + std::to_string(id));
    }
    const auto values = rows_of(state, 0, {texts(keys)});
    for (std::size_t i = 0; i < keys.size(); ++i) {
      ++number(values[i]);
      ++expected[keys[i]];
    }
    if (round % 3 == 2) {
      // Erases about half of what is there.
      std::vector<std::byte*> erased;
      for (auto it = expected.begin(); it != expected.end();) {
        if (random.next_u64() % 2 == 0) {
          erased.push_back(rows_of(state, 0, {texts({it->first})}, false)[0]);
          it = expected.erase(it);
        } else {
          ++it;
        }
      }
      state.erase(0, erased);
    }
    ASSERT_EQ(state.row_count(0), static_cast<std::int64_t>(expected.size()));
  }
  for (const auto& [key, count] : expected) {
    const auto found = rows_of(state, 0, {texts({key})}, false);
    ASSERT_NE(found[0], nullptr) << key;
    EXPECT_EQ(number(found[0]), count) << key;
  }
}

TEST_P(StateConformanceTest, rows_that_were_released_come_back) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::string()}, 16);
  std::map<std::pair<StateNamespace, std::string>, std::int64_t> expected;
  Random random(5);
  for (int round = 0; round < 400; ++round) {
    const StateNamespace ns = random.uniform_between(-3, 3);
    std::vector<std::string> keys;
    for (int i = 0; i < 50; ++i) {
      const std::uint64_t id = random.uniform(300);
      keys.push_back(id == 0 ? "NULL"
                             : (id % 2 == 0 ? "k" : "a key too long to be inline ") +
                                   std::to_string(id));
    }
    const std::uint64_t choice = random.uniform(10);
    if (choice < 6) {
      const auto values = rows_of(state, ns, {texts(keys)});
      for (std::size_t i = 0; i < keys.size(); ++i) {
        ASSERT_EQ(number(values[i]), (expected[{ns, keys[i]}]));
        expected[{ns, keys[i]}] = ++number(values[i]);
      }
    } else if (choice == 6) {
      std::vector<std::byte*> there = rows_of(state, ns, {texts(keys)}, false);
      std::set<std::byte*> erased;
      for (std::size_t i = 0; i < keys.size(); ++i) {
        ASSERT_EQ(there[i] != nullptr, (expected.contains({ns, keys[i]}))) << keys[i];
        if (there[i] != nullptr) erased.insert(there[i]);
      }
      for (const std::string& key : keys) expected.erase({ns, key});
      there.assign(erased.begin(), erased.end());
      state.erase(ns, there);
    } else if (choice == 7) {
      // Those of another namespace.
      const std::vector<std::byte*> from = scan_all(state, ns);
      std::vector<std::byte*> same(from.size());
      std::vector<Column> from_keys;
      ASSERT_TRUE(state.read_keys(from, *pool_, from_keys).is_ok());
      ASSERT_TRUE(state.find_or_insert_same(ns + 1, from, same).is_ok());
      for (std::size_t i = 0; i < same.size(); ++i) {
        const std::string key = key_at(from_keys[0], i);
        ASSERT_EQ(number(same[i]), (expected[{ns + 1, key}]));
        expected[{ns + 1, key}] = ++number(same[i]);
      }
    } else if (choice == 8 && random.uniform(3) == 0) {
      state.drop(ns);
      std::erase_if(expected, [&](const auto& entry) { return entry.first.first == ns; });
    }
    ASSERT_TRUE(backend->release_rows().is_ok());
    if (round % 20 != 19) continue;
    std::map<std::pair<StateNamespace, std::string>, std::int64_t> found;
    std::int64_t rows = 0;
    for (const StateNamespace scanned : state.namespaces()) {
      rows += state.row_count(scanned);
      KeyedRows::Cursor cursor;
      std::vector<std::byte*> values(7);
      while (const auto count = static_cast<std::size_t>(state.scan(scanned, cursor, values))) {
        std::vector<Column> scanned_keys;
        ASSERT_TRUE(state.read_keys(std::span(values).first(count), *pool_, scanned_keys).is_ok());
        for (std::size_t i = 0; i < count; ++i) {
          const std::string key = key_at(scanned_keys[0], i);
          ASSERT_TRUE(found.emplace(std::pair(scanned, key), number(values[i])).second);
        }
        ASSERT_TRUE(state.release_rows().is_ok());
      }
    }
    ASSERT_EQ(found, expected);
    ASSERT_EQ(rows, static_cast<std::int64_t>(expected.size()));
  }
}

TEST_P(StateConformanceTest, all_key_groups_of_a_subtask_have_their_place) {
  // More key groups than index tables, and a range that does not start at 0.
  const KeyGroupRange groups = key_group_range(1, 32768, 2);
  const auto backend = make_backend(groups, 32768);
  KeyedRows& state = open(*backend, {DataType::big_int()});
  std::vector<std::int64_t> keys;
  for (std::int64_t i = 0; keys.size() < 50'000; ++i) {
    const std::vector<Column> key = {big_ints({i})};
    std::uint64_t hash = 0;
    hash_rows(key, 1, &hash);
    const int group = key_group_of(hash, 32768);
    if (group >= groups.begin && group < groups.end) keys.push_back(i);
  }

  const auto values = rows_of(state, 0, {big_ints(keys)});

  EXPECT_EQ(state.row_count(0), 50'000);
  EXPECT_EQ(rows_of(state, 0, {big_ints(keys)}, false), values);
}

TEST_P(StateConformanceTest, memory_gives_aligned_blocks_that_do_not_overlap) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});
  StateMemory& memory = **state.memory(0);
  Random random(7);
  struct Block {
    std::byte* at;
    std::int64_t bytes;
    std::byte fill;
  };
  std::vector<Block> blocks;
  for (int i = 0; i < 3000; ++i) {
    if (!blocks.empty() && random.next_u64() % 3 == 0) {
      const std::size_t victim = random.next_u64() % blocks.size();
      memory.free(blocks[victim].at, blocks[victim].bytes);
      blocks[victim] = blocks.back();
      blocks.pop_back();
    }
    const std::int64_t bytes =
        1 + static_cast<std::int64_t>(random.next_u64() % (1U << (random.next_u64() % 16)));
    Block block{.at = nullptr, .bytes = bytes, .fill = static_cast<std::byte>(i)};
    ASSERT_TRUE(memory.allocate(bytes, block.at).is_ok());
    ASSERT_EQ(reinterpret_cast<std::uintptr_t>(block.at) % 16, 0U);
    std::memset(block.at, static_cast<int>(block.fill), static_cast<std::size_t>(bytes));
    blocks.push_back(block);
  }
  for (const Block& block : blocks) {
    EXPECT_EQ(std::count(block.at, block.at + block.bytes, block.fill), block.bytes);
  }
}

TEST_P(StateConformanceTest, a_full_pool_is_an_error_that_names_it) {
  const auto small = pool_->make_child("Window(origin)", 1 << 20);
  const auto backend = testing::make_test_backend(GetParam(), {.pool = small.get()});
  KeyedRows& state = open(*backend, {DataType::big_int()});
  std::vector<std::int64_t> many(200'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<std::int64_t>(i);
  const std::vector<Column> keys = {big_ints(many)};
  std::vector<std::uint64_t> hashes(many.size());
  hash_rows(keys, 200'000, hashes.data());
  std::vector<std::byte*> values(many.size());

  const Status status =
      state.find_or_insert(0, {.columns = keys, .hashes = hashes.data(), .count = 200'000}, values);

  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(status.to_string(), HasSubstr("Window(origin)"));
  EXPECT_LE(small->peak_bytes(), 1 << 20);
}

TEST_P(StateConformanceTest, a_state_is_opened_once_per_name) {
  const auto backend = make_backend();
  KeyedRows& state = open(*backend, {DataType::big_int()});

  EXPECT_EQ(&open(*backend, {DataType::big_int()}), &state);
  const auto other = backend->open_rows({.name = "rows", .key_types = {DataType::string()}});
  EXPECT_EQ(other.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(&backend->open_timers("a"), &backend->open_timers("a"));
  EXPECT_NE(&backend->open_timers("a"), &backend->open_timers("b"));
}

TEST_P(StateConformanceTest, specs_out_of_bounds_are_refused) {
  const auto backend = make_backend();
  const auto open_status = [&](std::vector<DataType> key_types, std::int64_t value_bytes) {
    return backend
        ->open_rows({.name = "bad", .key_types = std::move(key_types), .value_bytes = value_bytes})
        .status();
  };
  EXPECT_EQ(open_status({}, 12).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(open_status({}, -8).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(open_status(std::vector<DataType>(2000, DataType::integer()), 8).code(),
            StatusCode::kInvalidArgument);
  const Status nested = open_status({DataType::array(DataType::integer())}, 8);
  EXPECT_EQ(nested.code(), StatusCode::kUnimplemented);
  EXPECT_THAT(nested.to_string(), HasSubstr("ARRAY<INT>"));
}

INSTANTIATE_TEST_SUITE_P(All, StateConformanceTest,
                         ::testing::ValuesIn(testing::state_backend_kinds()),
                         [](const auto& param) { return param.param; });

TEST(StateBackendRegistryTest, an_unknown_backend_lists_the_known_ones) {
  const auto made = StateBackendRegistry::built_in().make("rock", {});
  EXPECT_EQ(made.status().code(), StatusCode::kNotFound);
  EXPECT_THAT(made.status().to_string(), HasSubstr("hashmap"));
}

}  // namespace
}  // namespace clepsydra
