#include "network/partitioner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;

Batch keyed_rows(int count) {
  std::vector<std::string> lines;
  for (int i = 0; i < count; ++i) {
    lines.push_back("key" + std::to_string(i % 50) + " | " + std::to_string(i));
  }
  return batch_of("k STRING, v BIGINT", {lines.begin(), lines.end()});
}

TEST(PartitionerTest, whole_batches_go_round_robin_from_the_first_channel) {
  Partitioner partitioner({.kind = RoutingKind::kRoundRobin, .first_channel = 4}, 3);
  EXPECT_FALSE(partitioner.splits_rows());
  std::vector<int> channels;
  for (int i = 0; i < 5; ++i) channels.push_back(partitioner.next_channel());
  EXPECT_THAT(channels, ElementsAre(1, 2, 0, 1, 2));
}

TEST(PartitionerTest, one_and_all) {
  EXPECT_EQ(Partitioner({.kind = RoutingKind::kOne}, 1).next_channel(), 0);
  EXPECT_EQ(Partitioner({.kind = RoutingKind::kAll}, 3).next_channel(), Partitioner::kEveryChannel);
}

TEST(PartitionerTest, hash_with_one_channel_keeps_batches_whole) {
  Partitioner partitioner({.kind = RoutingKind::kHash, .keys = {0}}, 1);
  EXPECT_FALSE(partitioner.splits_rows());
  EXPECT_EQ(partitioner.next_channel(), 0);
}

TEST(PartitionerTest, a_row_goes_to_the_subtask_that_owns_the_key_group_of_its_key) {
  constexpr int kChannels = 3;
  constexpr int kMaxParallelism = 16;
  Partitioner partitioner(
      {.kind = RoutingKind::kHash, .keys = {0}, .max_parallelism = kMaxParallelism}, kChannels);
  ASSERT_TRUE(partitioner.splits_rows());
  const Batch batch = keyed_rows(1000);
  const auto rows = partitioner.split(batch);
  ASSERT_EQ(rows.size(), kChannels);

  std::size_t total = 0;
  for (int channel = 0; channel < kChannels; ++channel) {
    const std::vector<std::int32_t>& of_channel = rows[static_cast<std::size_t>(channel)];
    EXPECT_FALSE(of_channel.empty());
    EXPECT_TRUE(std::is_sorted(of_channel.begin(), of_channel.end()));
    total += of_channel.size();
    const KeyGroupRange range = key_group_range(channel, kMaxParallelism, kChannels);
    for (const std::int32_t row : of_channel) {
      const Column key = gather(batch.column(0), std::vector{row}, testing::test_pool()).value();
      std::uint64_t hash = 0;
      hash_rows(std::vector{key}, 1, &hash);
      const int group = key_group_of(hash, kMaxParallelism);
      EXPECT_GE(group, range.begin);
      EXPECT_LT(group, range.end);
    }
  }
  EXPECT_EQ(total, 1000);
}

TEST(PartitionerTest, an_empty_batch_splits_into_nothing) {
  Partitioner partitioner({.kind = RoutingKind::kHash, .keys = {0}}, 2);
  for (const auto& rows : partitioner.split(keyed_rows(0))) EXPECT_TRUE(rows.empty());
}

}  // namespace
}  // namespace clepsydra
