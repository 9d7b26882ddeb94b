#include "stream/key_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "tests/harness/batch_text.h"
#include "tests/harness/random_batch.h"

namespace clepsydra {
namespace {

using testing::all_types;
using testing::cell_of;
using testing::column_of;
using testing::random_column;
using testing::test_pool;

std::vector<std::uint64_t> hashes_of(const std::vector<Column>& keys) {
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(keys[0].length()));
  hash_rows(keys, keys[0].length(), hashes.data());
  return hashes;
}

TEST(HashRowsTest, equal_keys_hash_equally_wherever_they_lie) {
  Random random(1);
  for (const DataType& type : all_types()) {
    SCOPED_TRACE(type.to_string());
    const Column column = random_column(type, 200, random);
    const std::vector<std::uint64_t> hashes = hashes_of({column});
    // Another order, other blobs, another batch size, a slice.
    std::vector<std::int32_t> rows;
    for (std::int32_t row = 199; row >= 0; row -= 3) rows.push_back(row);
    const Column gathered = compact(gather(column, rows, test_pool()).value(), test_pool()).value();
    const std::vector<std::uint64_t> other = hashes_of({gathered});
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(other[i], hashes[static_cast<std::size_t>(rows[i])]);
    }
    const std::vector<std::uint64_t> sliced = hashes_of({column.slice(77, 50, test_pool())});
    EXPECT_TRUE(std::equal(sliced.begin(), sliced.end(), hashes.begin() + 77));
  }
}

TEST(HashRowsTest, keys_that_print_differently_hash_differently_and_are_not_equal) {
  Random random(2);
  for (const DataType& type : all_types()) {
    SCOPED_TRACE(type.to_string());
    const Column column = random_column(type, 60, random);
    const std::vector<std::uint64_t> hashes = hashes_of({column});
    for (std::int64_t a = 0; a < 60; ++a) {
      for (std::int64_t b = 0; b < 60; ++b) {
        std::string a_text = cell_of(column, a);
        std::string b_text = cell_of(column, b);
        if (a_text == "-0.0") a_text = "0.0";
        if (b_text == "-0.0") b_text = "0.0";
        // Maps may differ in the order of entries alone; these are looked at below.
        const bool maps =
            type.to_string().find("MAP") != std::string::npos || type.kind() == TypeKind::kMultiset;
        const bool equal = keys_equal({&column, 1}, a, {&column, 1}, b);
        if (!maps && type.to_string().find("DOUBLE") == std::string::npos) {
          EXPECT_EQ(equal, a_text == b_text) << a_text << " and " << b_text;
        } else if (a_text == b_text) {
          EXPECT_TRUE(equal);
        }
        EXPECT_EQ(hashes[static_cast<std::size_t>(a)] == hashes[static_cast<std::size_t>(b)], equal)
            << a_text << " and " << b_text;
      }
    }
  }
}

TEST(HashRowsTest, zeros_and_nans_count_as_one_value_each) {
  for (const DataType& type : {DataType::double_(), DataType::float_()}) {
    ColumnBuilder builder(type, test_pool());
    const auto append = [&](double value) {
      if (type.kind() == TypeKind::kDouble) return builder.append(value);
      builder.append(static_cast<float>(value));
    };
    append(0.0);
    append(-0.0);
    append(std::nan("1"));
    append(-std::nan("2"));
    const Column column = builder.finish().value();
    const std::vector<std::uint64_t> hashes = hashes_of({column});
    EXPECT_EQ(hashes[0], hashes[1]);
    EXPECT_EQ(hashes[2], hashes[3]);
    EXPECT_NE(hashes[0], hashes[2]);
    EXPECT_TRUE(keys_equal({&column, 1}, 0, {&column, 1}, 1));
    EXPECT_TRUE(keys_equal({&column, 1}, 2, {&column, 1}, 3));
    EXPECT_FALSE(keys_equal({&column, 1}, 0, {&column, 1}, 2));
  }
}

TEST(HashRowsTest, null_is_a_value) {
  const Column column = column_of("INT", {"NULL", "0", "NULL"});
  const std::vector<std::uint64_t> hashes = hashes_of({column});
  EXPECT_EQ(hashes[0], hashes[2]);
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_TRUE(keys_equal({&column, 1}, 0, {&column, 1}, 2));
  EXPECT_FALSE(keys_equal({&column, 1}, 0, {&column, 1}, 1));
}

TEST(HashRowsTest, columns_and_their_order_matter) {
  const Column a = column_of("INT", {"1", "2", "1"});
  const Column b = column_of("INT", {"2", "1", "2"});
  const std::vector<std::uint64_t> hashes = hashes_of({a, b});
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[0], hashes[2]);
  const Column keys[] = {a, b};
  EXPECT_FALSE(keys_equal(keys, 0, keys, 1));
  EXPECT_TRUE(keys_equal(keys, 0, keys, 2));
}

TEST(HashRowsTest, entries_of_maps_and_multisets_have_no_order) {
  for (const char* type : {"MAP<STRING, INT>", "MULTISET<STRING>"}) {
    const Column column = column_of(type, {"{a=1, b=2}", "{b=2, a=1}", "{a=2, b=1}", "{a=1}"});
    const std::vector<std::uint64_t> hashes = hashes_of({column});
    EXPECT_EQ(hashes[0], hashes[1]);
    EXPECT_NE(hashes[0], hashes[2]);
    EXPECT_NE(hashes[0], hashes[3]);
    EXPECT_TRUE(keys_equal({&column, 1}, 0, {&column, 1}, 1));
    EXPECT_FALSE(keys_equal({&column, 1}, 0, {&column, 1}, 2));
    EXPECT_FALSE(keys_equal({&column, 1}, 0, {&column, 1}, 3));
  }
}

// XXH3's mixer of a 64-bit word and its constants, written down again from its definition
// (xxhash.h): state is found by these hashes, so they must not change with a compiler, a batch or a
// release.
std::uint64_t mixed(std::uint64_t x) {
  constexpr std::uint64_t kPrime = 0x9FB21C651E98DF25ULL;
  x ^= ((x << 49) | (x >> 15)) ^ ((x << 24) | (x >> 40));
  x *= kPrime;
  x ^= (x >> 35) + 8;
  x *= kPrime;
  return x ^ (x >> 28);
}

TEST(HashRowsTest, integers_hash_as_documented) {
  const std::uint64_t start = 0x9FB21C651E98DF25ULL * 0xC2B2AE3D27D4EB4FULL;
  const Column column = column_of("BIGINT", {"0", "1", "-1", "9223372036854775807"});
  const std::vector<std::uint64_t> hashes = hashes_of({column});
  EXPECT_EQ(hashes[0], mixed(start));
  EXPECT_EQ(hashes[1], mixed(start + 1));
  EXPECT_EQ(hashes[2], mixed(start - 1));
  EXPECT_EQ(hashes[3], mixed(start + 9223372036854775807ULL));
  // The width does not matter.
  EXPECT_EQ(hashes_of({column_of("TINYINT", {"-1"})})[0], hashes[2]);
  const std::vector<std::uint64_t> pair =
      hashes_of({column_of("INT", {"1"}), column_of("SMALLINT", {"7"})});
  EXPECT_EQ(pair[0], mixed(mixed(start + 1) * 0xC2B2AE3D27D4EB4FULL + 7));
}

// Sequential keys, multiples and small strings are what keys look like: all groups must fill
// evenly.
TEST(HashRowsTest, telling_keys_spread_evenly_over_key_groups) {
  constexpr std::int64_t kRows = 128'000;
  for (const int shape : {0, 1, 2, 3}) {
    ColumnBuilder builder(shape == 3 ? DataType::string() : DataType::big_int(), test_pool());
    for (std::int64_t i = 0; i < kRows; ++i) {
      if (shape == 0) builder.append(i);
      if (shape == 1) builder.append(i * 1'000'000);
      if (shape == 2) builder.append(i << 40);
      if (shape == 3) builder.append_string("key-" + std::to_string(i));
    }
    std::vector<int> counts(128);
    for (const std::uint64_t hash : hashes_of({builder.finish().value()})) {
      ++counts[static_cast<std::size_t>(key_group_of(hash, 128))];
    }
    // 1000 expected with a deviation of 32: six deviations.
    for (const int count : counts) EXPECT_NEAR(count, 1000, 190) << "shape " << shape;
  }
}

TEST(HashRowsTest, flipping_one_bit_of_a_key_flips_half_of_the_hash) {
  Random random(6);
  double flips = 0;
  int pairs = 0;
  for (int round = 0; round < 200; ++round) {
    const auto key = static_cast<std::int64_t>(random.next_u64());
    for (int bit = 0; bit < 64; ++bit) {
      ColumnBuilder builder(DataType::big_int(), test_pool());
      builder.append(key);
      builder.append(key ^ static_cast<std::int64_t>(std::uint64_t{1} << bit));
      const std::vector<std::uint64_t> hashes = hashes_of({builder.finish().value()});
      const int flipped = std::popcount(hashes[0] ^ hashes[1]);
      EXPECT_GT(flipped, 8);
      flips += flipped;
      ++pairs;
    }
  }
  EXPECT_NEAR(flips / pairs, 32.0, 0.5);
}

TEST(KeyGroupTest, groups_of_all_subtasks_cover_everything_once) {
  for (const int max_parallelism : {1, 7, 128, 32768}) {
    for (const int parallelism : {1, 2, 3, 5, 7, 100, 128}) {
      if (parallelism > max_parallelism) continue;
      int next = 0;
      for (int subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = key_group_range(subtask, max_parallelism, parallelism);
        EXPECT_EQ(range.begin, next);
        EXPECT_LT(range.begin, range.end);
        for (int group = range.begin; group < range.end; ++group) {
          EXPECT_EQ(subtask_of_key_group(group, max_parallelism, parallelism), subtask);
        }
        next = range.end;
      }
      EXPECT_EQ(next, max_parallelism);
    }
  }
}

TEST(KeyGroupTest, every_hash_has_a_group) {
  for (const int max_parallelism : {1, 128, 32768}) {
    EXPECT_EQ(key_group_of(0, max_parallelism), 0);
    EXPECT_EQ(key_group_of(std::numeric_limits<std::uint64_t>::max(), max_parallelism),
              max_parallelism - 1);
  }
}

}  // namespace
}  // namespace clepsydra
