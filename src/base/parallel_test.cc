#include "base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <latch>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

// Keeps what it is given until it is told to run it.
class LatePool final : public BlockingPool {
 public:
  Status submit(std::function<void()> work) override {
    if (is_full) return Status::resource_exhausted("full");
    queue.push_back(std::move(work));
    return Status::ok();
  }
  bool is_full = false;
  std::deque<std::function<void()>> queue;
};

TEST(ParallelTest, nothing_to_do_is_done_at_once) {
  LatePool pool;
  EXPECT_TRUE(for_each_in_parallel(pool, 0, 4, [](std::size_t) -> Status {
                return Status::internal("called");
              }).is_ok());
  EXPECT_TRUE(pool.queue.empty());
}

TEST(ParallelTest, the_caller_does_all_when_nobody_helps) {
  LatePool pool;
  for (const bool is_full : {false, true}) {
    pool.is_full = is_full;
    std::vector<std::size_t> done;
    const Status status = for_each_in_parallel(pool, 5, 2, [&](std::size_t index) {
      done.push_back(index);
      return Status::ok();
    });
    EXPECT_TRUE(status.is_ok());
    EXPECT_EQ(done, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  }
  // Helpers that come late find nothing, though the work is gone.
  ASSERT_EQ(pool.queue.size(), 2U);
  for (const auto& helper : pool.queue) helper();
}

TEST(ParallelTest, each_piece_is_done_once_by_several_threads) {
  ThreadBlockingPool pool({.threads_max = 3, .queue_max = 16, .thread_name = "test"});
  constexpr std::size_t kPieces = 1000;
  std::vector<std::atomic<int>> times(kPieces);
  // The first pieces only end when four threads are at it.
  std::latch together(4);
  const Status status = for_each_in_parallel(pool, kPieces, 3, [&](std::size_t index) {
    if (index < 4) together.arrive_and_wait();
    times[index].fetch_add(1);
    return Status::ok();
  });
  EXPECT_TRUE(status.is_ok());
  for (const auto& count : times) EXPECT_EQ(count.load(), 1);
}

TEST(ParallelTest, the_error_of_the_least_number_counts_and_nothing_is_begun_after_it) {
  ThreadBlockingPool pool({.threads_max = 1, .queue_max = 16, .thread_name = "test"});
  std::atomic<int> begun{0};
  std::latch both(2);
  const Status status = for_each_in_parallel(pool, 100, 1, [&](std::size_t index) -> Status {
    begun.fetch_add(1);
    both.arrive_and_wait();
    return Status::data_loss("piece " + std::to_string(index));
  });
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "piece 0");
  EXPECT_EQ(begun.load(), 2);
}

}  // namespace
}  // namespace clepsydra
