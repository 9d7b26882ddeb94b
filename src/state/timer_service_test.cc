#include "state/timer_service.h"

#include <gtest/gtest.h>

#include "base/memory_pool.h"

namespace clepsydra {
namespace {

TEST(TimerServiceTest, due_timers_come_in_the_order_of_time_then_namespace) {
  const auto pool = MemoryPool::make_root("test");
  TimerService timers(*pool);
  for (const Timer timer : {Timer{20, 1}, Timer{10, 2}, Timer{10, 1}, Timer{30, 0}}) {
    ASSERT_TRUE(timers.set(timer).is_ok());
  }

  EXPECT_EQ(timers.next_ms(), 10);
  EXPECT_EQ(timers.advance(9), std::nullopt);
  EXPECT_EQ(timers.advance(20), (Timer{10, 1}));
  EXPECT_EQ(timers.advance(20), (Timer{10, 2}));
  // Set while others fire.
  ASSERT_TRUE(timers.set({15, 7}).is_ok());
  EXPECT_EQ(timers.advance(20), (Timer{15, 7}));
  EXPECT_EQ(timers.advance(20), (Timer{20, 1}));
  EXPECT_EQ(timers.advance(20), std::nullopt);
  EXPECT_EQ(timers.next_ms(), 30);
}

TEST(TimerServiceTest, a_timer_is_set_once_and_can_be_removed) {
  const auto pool = MemoryPool::make_root("test");
  TimerService timers(*pool);
  ASSERT_TRUE(timers.set({10, 1}).is_ok());
  ASSERT_TRUE(timers.set({10, 1}).is_ok());

  EXPECT_EQ(timers.size(), 1);
  EXPECT_TRUE(timers.remove({10, 1}));
  EXPECT_FALSE(timers.remove({10, 1}));
  EXPECT_EQ(timers.next_ms(), kMaxWatermark);
}

TEST(TimerServiceTest, timers_are_charged_to_the_pool) {
  const auto root = MemoryPool::make_root("test");
  const auto pool = root->make_child("timers", 100'000);
  {
    TimerService timers(*pool);
    std::int64_t set = 0;
    while (timers.set({set, 0}).is_ok()) ++set;
    EXPECT_GT(set, 1000);
    EXPECT_LE(pool->used_bytes(), 100'000);
    // One that is there needs no room.
    EXPECT_TRUE(timers.set({0, 0}).is_ok());
    while (timers.advance(set)) {
    }
    EXPECT_LT(pool->used_bytes(), 10'000);
  }
  EXPECT_EQ(pool->used_bytes(), 0);
}

}  // namespace
}  // namespace clepsydra
