#include "state/rocksdb/row_use.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace clepsydra {
namespace {

constexpr std::int64_t kRoom = 1 << 20;
// Half-lives are four turnovers.
constexpr std::int64_t kHalfLifeBytes = 4 * kRoom;
constexpr std::int32_t kHalfLife = 4 * RowUse::kTurnover;

TEST(RowUseTest, twice_is_worth_as_much_as_once_a_half_life_later) {
  RowUse use;
  const std::uint32_t once = use.now();
  const std::uint32_t twice = use.used_again(once);
  const std::uint32_t four_times = use.used_again(use.used_again(twice));
  EXPECT_EQ(use.from_now(once), 0);
  EXPECT_EQ(use.from_now(twice), kHalfLife);
  EXPECT_NEAR(use.from_now(four_times), 2 * kHalfLife, kHalfLife / 16.0);

  use.pass(kHalfLifeBytes, kRoom);

  EXPECT_EQ(use.from_now(once), -kHalfLife);
  EXPECT_EQ(use.from_now(twice), 0);
  // One and a half: what was, and one more now.
  EXPECT_NEAR(use.from_now(use.used_again(once)), kHalfLife * 0.585, kHalfLife / 16.0);
}

TEST(RowUseTest, what_was_used_long_ago_counts_for_nothing) {
  RowUse use;
  const std::uint32_t old = use.used_again(use.now());
  for (int i = 0; i < 1000; ++i) use.pass(kHalfLifeBytes / 10, kRoom);
  EXPECT_LT(use.from_now(old), -50 * kHalfLife);
  EXPECT_EQ(use.used_again(old), use.now());
}

TEST(RowUseTest, worths_go_round) {
  RowUse use;
  while (use.now() < (1U << 24) - RowUse::kTurnover) use.pass(kRoom, kRoom);
  const std::uint32_t before = use.used_again(use.now());
  EXPECT_EQ(use.from_now(before), kHalfLife);
  for (int i = 0; i < 10; ++i) use.pass(kRoom, kRoom);
  EXPECT_LT(use.now(), 10'000U);
  EXPECT_EQ(use.from_now(before), kHalfLife - 10 * RowUse::kTurnover);
}

TEST(RowUseTest, bytes_add_up_to_ticks) {
  RowUse use;
  for (int i = 0; i < 1000; ++i) use.pass(kRoom / 1000 + 1, kRoom);
  EXPECT_NEAR(use.from_now(0), -RowUse::kTurnover, 1);
}

TEST(RowUseTest, neighbouring_steps_have_marks_of_their_own) {
  RowUse use;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t before = use.mark();
    EXPECT_NE(before, 0U);
    EXPECT_LE(before, RowUse::kMarkMask);
    use.end_step();
    EXPECT_NE(use.mark(), before);
  }
}

}  // namespace
}  // namespace clepsydra
