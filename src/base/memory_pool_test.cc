#include "base/memory_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace clepsydra {
namespace {

TEST(MemoryPoolTest, takes_up_to_the_limit_exactly) {
  const auto pool = MemoryPool::make_root("process", 100);
  EXPECT_TRUE(pool->try_reserve(60).is_ok());
  EXPECT_TRUE(pool->try_reserve(40).is_ok());
  EXPECT_FALSE(pool->try_reserve(1).is_ok());
  pool->release(1);
  EXPECT_TRUE(pool->try_reserve(1).is_ok());
  EXPECT_EQ(pool->peak_bytes(), 100);
  pool->release(100);
  EXPECT_EQ(pool->used_bytes(), 0);
}

TEST(MemoryPoolTest, every_limit_on_the_way_up_holds) {
  const auto process = MemoryPool::make_root("process", 100);
  const auto job = process->make_child("job-1", 80);
  const auto task_a = job->make_child("task-a");
  const auto task_b = process->make_child("task-b");
  ASSERT_TRUE(task_a->try_reserve(70).is_ok());
  ASSERT_TRUE(task_b->try_reserve(25).is_ok());
  EXPECT_EQ(process->used_bytes(), 95);

  const Status at_job = task_a->try_reserve(11);
  EXPECT_EQ(at_job.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(at_job.message(),
            "cannot take 11 bytes for 'process/job-1/task-a': memory pool 'process/job-1' uses 70 "
            "of its limit of 80 bytes");
  const Status at_process = task_a->try_reserve(6);
  EXPECT_NE(at_process.message().find("'process' uses 95 of its limit of 100"), std::string::npos);

  // What failed has changed nothing.
  EXPECT_EQ(task_a->used_bytes(), 70);
  EXPECT_EQ(job->used_bytes(), 70);
  EXPECT_EQ(process->used_bytes(), 95);
  task_a->release(70);
  task_b->release(25);
  EXPECT_EQ(process->used_bytes(), 0);
  EXPECT_EQ(process->peak_bytes(), 95);
}

TEST(MemoryPoolTest, huge_requests_do_not_overflow) {
  const auto pool = MemoryPool::make_root("process", 100);
  ASSERT_TRUE(pool->try_reserve(50).is_ok());
  EXPECT_FALSE(pool->try_reserve(MemoryPool::kUnlimited).is_ok());
  pool->release(50);
}

TEST(ReservationTest, gives_back_at_the_end_and_on_resize) {
  const auto pool = MemoryPool::make_root("process", 100);
  {
    Reservation reservation = *pool->reserve(30);
    EXPECT_TRUE(reservation.resize(90).is_ok());
    EXPECT_EQ(pool->used_bytes(), 90);
    EXPECT_FALSE(reservation.resize(101).is_ok());
    EXPECT_EQ(reservation.bytes(), 90);
    EXPECT_TRUE(reservation.resize(10).is_ok());
    Reservation moved = std::move(reservation);
    EXPECT_EQ(moved.bytes(), 10);
    moved = *pool->reserve(5);
    EXPECT_EQ(pool->used_bytes(), 5);
  }
  EXPECT_EQ(pool->used_bytes(), 0);
}

TEST(MemoryPoolTest, counts_stay_exact_under_contention) {
  const auto root = MemoryPool::make_root("process", 1000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([child = root->make_child("task-" + std::to_string(t)), t] {
      for (int i = 0; i < 20'000; ++i) {
        const std::int64_t bytes = (i * 37 + t) % 400;
        if (child->try_reserve(bytes).is_ok()) child->release(bytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(root->used_bytes(), 0);
  EXPECT_LE(root->peak_bytes(), 1000);
}

TEST(MemoryPoolDeathTest, a_pool_destroyed_with_bytes_taken_is_a_bug) {
  EXPECT_DEATH(
      {
        const auto pool = MemoryPool::make_root("leaky");
        (void)pool->try_reserve(1);
      },
      "leaky");
}

}  // namespace
}  // namespace clepsydra
