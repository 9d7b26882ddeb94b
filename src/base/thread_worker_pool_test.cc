#include "base/thread_worker_pool.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/thread.h"
#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

// A lost wake shows as this bound being reached; nothing here waits that long otherwise.
constexpr std::chrono::seconds kLong{120};

class Signal {
 public:
  void set() { semaphore_.release(); }
  [[nodiscard]] bool wait() { return semaphore_.try_acquire_for(kLong); }

 private:
  std::counting_semaphore<1'000'000> semaphore_{0};
};

class FunctionSteppable final : public Steppable {
 public:
  explicit FunctionSteppable(std::function<StepResult()> step) : step_(std::move(step)) {}
  StepResult step() override { return step_(); }
  [[nodiscard]] std::int64_t wake_deadline_ns() const override { return deadline_ns; }
  std::int64_t deadline_ns = kNever;

 private:
  std::function<StepResult()> step_;
};

class ThreadWorkerPoolTest : public ::testing::Test {
 protected:
  SystemClock clock_;
};

TEST_F(ThreadWorkerPoolTest, steps_until_done_and_calls_on_done_once) {
  ThreadWorkerPool pool(clock_, {.threads = 2});
  int steps = 0;
  std::atomic<int> dones{0};
  Signal done;
  FunctionSteppable steppable(
      [&] { return ++steps < 1000 ? StepResult::kProgress : StepResult::kDone; });
  const Waker waker = pool.add(&steppable, {.on_done =
                                                [&] {
                                                  dones.fetch_add(1);
                                                  done.set();
                                                },
                                            .affinity = -1,
                                            .name = {}});
  ASSERT_TRUE(done.wait());
  waker.wake();  // Nothing comes of it.
  pool.shutdown();
  EXPECT_EQ(steps, 1000);
  EXPECT_EQ(dones.load(), 1);
  EXPECT_EQ(pool.live_steppables(), 0);
}

TEST_F(ThreadWorkerPoolTest, a_blocked_steppable_is_not_polled) {
  ThreadWorkerPool pool(clock_, {.threads = 1});
  std::atomic<int> blocked_steps{0};
  Signal first_step;
  Signal neighbour_done;
  FunctionSteppable blocked([&] {
    if (blocked_steps.fetch_add(1) == 0) first_step.set();
    return StepResult::kBlocked;
  });
  const Waker waker = pool.add(&blocked);
  ASSERT_TRUE(first_step.wait());
  // The only worker is busy with a neighbour for many rounds.
  int rounds = 0;
  FunctionSteppable neighbour([&] {
    if (++rounds < 10'000) return StepResult::kProgress;
    neighbour_done.set();
    return StepResult::kDone;
  });
  pool.add(&neighbour);
  ASSERT_TRUE(neighbour_done.wait());
  EXPECT_EQ(blocked_steps.load(), 1);
  pool.shutdown();
}

TEST_F(ThreadWorkerPoolTest, steppables_of_a_worker_take_turns) {
  ThreadWorkerPool pool(clock_, {.threads = 1});
  // Both are added before either runs: the worker is held in the first step until then.
  Signal added;
  Signal done;
  std::vector<int> order;
  const auto take_turns = [&](int id) {
    return [&order, &done, id, left = 3]() mutable {
      order.push_back(id);
      if (--left > 0) return StepResult::kProgress;
      done.set();
      return StepResult::kDone;
    };
  };
  FunctionSteppable gate([&] {
    EXPECT_TRUE(added.wait());
    return StepResult::kDone;
  });
  FunctionSteppable a(take_turns(1));
  FunctionSteppable b(take_turns(2));
  pool.add(&gate);
  pool.add(&a);
  pool.add(&b);
  added.set();
  ASSERT_TRUE(done.wait());
  ASSERT_TRUE(done.wait());
  pool.shutdown();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 1, 2, 1, 2}));
}

// Each producer publishes a number, wakes, and waits until the consumer has acknowledged it. The
// consumer acknowledges and blocks, so the next wake arrives just while its step is returning
// kBlocked: losing one leaves both waiting.
void run_wake_race(const Clock& clock, ThreadWorkerPool::Options options, int numbers,
                   int producers) {
  struct Line {
    std::atomic<int> published{0};
    std::atomic<int> acknowledged{0};
  };
  ThreadWorkerPool pool(clock, std::move(options));
  std::vector<Line> lines(static_cast<std::size_t>(producers));
  std::atomic<int> inside{0};
  FunctionSteppable consumer([&] {
    EXPECT_EQ(inside.fetch_add(1), 0) << "two threads in one steppable";
    for (Line& line : lines) {
      line.acknowledged.store(line.published.load(std::memory_order_relaxed));
    }
    inside.fetch_sub(1);
    return StepResult::kBlocked;
  });
  const Waker waker = pool.add(&consumer);
  std::atomic<int> lost{0};
  std::vector<std::thread> threads;
  for (Line& line : lines) {
    threads.emplace_back([&line, &lost, numbers, waker] {
      const auto end = std::chrono::steady_clock::now() + kLong;
      for (int i = 1; i <= numbers; ++i) {
        line.published.store(i, std::memory_order_relaxed);
        waker.wake();
        for (int spins = 1; line.acknowledged.load() != i; ++spins) {
          if (spins % 1024 != 0) continue;
          std::this_thread::yield();
          if (std::chrono::steady_clock::now() < end) continue;
          lost.fetch_add(1);
          return;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(lost.load(), 0) << "wakes were lost";
  pool.shutdown();
}

TEST_F(ThreadWorkerPoolTest, no_wake_is_lost_while_spinning) {
  run_wake_race(clock_, {.threads = 2, .spin_ns_max = 20'000}, 50'000, 1);
}

TEST_F(ThreadWorkerPoolTest, no_wake_is_lost_while_sleeping_at_once) {
  run_wake_race(clock_, {.threads = 1, .spin_ns_max = 0}, 50'000, 1);
}

TEST_F(ThreadWorkerPoolTest, no_wake_is_lost_among_many_wakers) {
  run_wake_race(clock_, {.threads = 2, .spin_ns_max = 0}, 10'000, 4);
}

// Two steppables on two workers hand a token back and forth: each hand-over finds the other one
// blocked, spinning or asleep.
void play_ping_pong(const Clock& clock, std::int64_t spin_ns_max, int rounds) {
  ThreadWorkerPool pool(clock, {.threads = 2, .spin_ns_max = spin_ns_max});
  std::atomic<int> token{0};
  Waker wakers[2];
  Signal done;
  std::atomic<bool> started{false};
  const auto player = [&](int me) {
    return [&, me] {
      if (!started.load(std::memory_order_acquire)) return StepResult::kBlocked;
      const int now = token.load(std::memory_order_relaxed);
      if (now >= rounds) {
        done.set();
        wakers[1 - me].wake();
        return StepResult::kDone;
      }
      if (now % 2 != me) return StepResult::kBlocked;
      token.store(now + 1, std::memory_order_relaxed);
      wakers[1 - me].wake();
      return StepResult::kBlocked;
    };
  };
  FunctionSteppable ping(player(0));
  FunctionSteppable pong(player(1));
  wakers[0] = pool.add(&ping, {.on_done = {}, .affinity = 0, .name = {}});
  wakers[1] = pool.add(&pong, {.on_done = {}, .affinity = 1, .name = {}});
  started.store(true, std::memory_order_release);
  wakers[0].wake();
  wakers[1].wake();
  EXPECT_TRUE(done.wait());
  EXPECT_TRUE(done.wait());
  pool.shutdown();
  EXPECT_EQ(token.load(), rounds);
}

TEST_F(ThreadWorkerPoolTest, ping_pong_between_spinning_workers) {
  play_ping_pong(clock_, 20'000, 20'000);
}

TEST_F(ThreadWorkerPoolTest, ping_pong_between_sleeping_workers) {
  play_ping_pong(clock_, 0, 5'000);
}

TEST_F(ThreadWorkerPoolTest, a_deadline_wakes_without_a_waker) {
  ThreadWorkerPool pool(clock_, {.threads = 1});
  Signal done;
  std::int64_t stepped_ns = 0;
  const std::int64_t deadline_ns = clock_.monotonic_ns() + 3'000'000;
  int steps = 0;
  FunctionSteppable steppable([&] {
    if (++steps == 1) return StepResult::kBlocked;
    stepped_ns = clock_.monotonic_ns();
    done.set();
    return StepResult::kDone;
  });
  steppable.deadline_ns = deadline_ns;
  pool.add(&steppable);
  ASSERT_TRUE(done.wait());
  pool.shutdown();
  EXPECT_GE(stepped_ns, deadline_ns);
  EXPECT_EQ(steps, 2);
}

TEST_F(ThreadWorkerPoolTest, timers_fire_in_order_and_never_early) {
  ThreadWorkerPool pool(clock_, {.threads = 1});
  const std::int64_t now_ns = clock_.monotonic_ns();
  std::vector<int> order;  // The timer thread alone writes.
  std::atomic<bool> early{false};
  Signal done;
  const auto at = [&](int id, std::int64_t when_ns) {
    return pool.schedule_at(when_ns, [&, id, when_ns] {
      if (clock_.monotonic_ns() < when_ns) early.store(true);
      order.push_back(id);
      if (id == 3) done.set();
    });
  };
  at(3, now_ns + 9'000'000);
  at(2, now_ns + 6'000'000);
  const TimerId cancelled = at(7, now_ns + 7'000'000);
  at(1, now_ns + 3'000'000);
  EXPECT_TRUE(pool.cancel_timer(cancelled));
  EXPECT_FALSE(pool.cancel_timer(cancelled));
  ASSERT_TRUE(done.wait());
  pool.shutdown();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_FALSE(early.load());
}

TEST_F(ThreadWorkerPoolTest, shutdown_drops_what_is_not_done) {
  auto owned = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = owned;
  Waker waker;
  std::atomic<bool> finished{false};
  FunctionSteppable endless([] { return StepResult::kProgress; });
  FunctionSteppable blocked([] { return StepResult::kBlocked; });
  {
    ThreadWorkerPool pool(clock_, {.threads = 2});
    pool.add(&endless,
             {.on_done = [owned, &finished] { finished.store(true); }, .affinity = -1, .name = {}});
    waker = pool.add(&blocked);
    owned.reset();
    pool.schedule_at(clock_.monotonic_ns() + 3'600'000'000'000, [] { FAIL(); });
  }
  EXPECT_FALSE(finished.load());
  EXPECT_TRUE(watch.expired());  // What on_done captured is gone too.
  waker.wake();                  // Late wakes are harmless.
}

TEST_F(ThreadWorkerPoolTest, steppables_may_add_steppables_and_destroy_themselves) {
  ThreadWorkerPool pool(clock_, {.threads = 2});
  Signal done;
  constexpr int kGenerations = 2000;
  std::function<void(int)> spawn = [&](int generation) {
    auto* steppable = new FunctionSteppable([&spawn, &done, generation] {
      if (generation + 1 < kGenerations) {
        spawn(generation + 1);
      } else {
        done.set();
      }
      return StepResult::kDone;
    });
    pool.add(steppable, {.on_done = [steppable] { delete steppable; }, .affinity = -1, .name = {}});
  };
  spawn(0);
  ASSERT_TRUE(done.wait());
  // The last one's on_done may still run; shutdown would drop it.
  while (pool.live_steppables() > 0) std::this_thread::yield();
  pool.shutdown();
}

TEST(ThreadBlockingPoolTest, runs_all_that_was_accepted_even_at_shutdown) {
  std::atomic<int> ran{0};
  {
    ThreadBlockingPool pool({.threads_max = 3});
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pool.submit([&] { ran.fetch_add(1); }).is_ok());
  }
  EXPECT_EQ(ran.load(), 1000);
}

TEST(ThreadBlockingPoolTest, a_full_queue_and_a_closed_pool_refuse) {
  ThreadBlockingPool pool({.threads_max = 1, .queue_max = 2});
  Signal started;
  Signal release;
  ASSERT_TRUE(pool.submit([&] {
                    started.set();
                    EXPECT_TRUE(release.wait());
                  })
                  .is_ok());
  ASSERT_TRUE(started.wait());
  EXPECT_TRUE(pool.submit([] {}).is_ok());
  EXPECT_TRUE(pool.submit([] {}).is_ok());
  EXPECT_EQ(pool.submit([] {}).code(), StatusCode::kResourceExhausted);
  release.set();
  pool.shutdown();
  EXPECT_EQ(pool.submit([] {}).code(), StatusCode::kCancelled);
}

TEST(ThreadBlockingPoolTest, threads_work_side_by_side) {
  ThreadBlockingPool pool({.threads_max = 2});
  Signal a;
  Signal b;
  Signal done;
  // Each waits for the other: one thread alone would never finish.
  ASSERT_TRUE(pool.submit([&] {
                    a.set();
                    EXPECT_TRUE(b.wait());
                    done.set();
                  })
                  .is_ok());
  ASSERT_TRUE(pool.submit([&] {
                    b.set();
                    EXPECT_TRUE(a.wait());
                    done.set();
                  })
                  .is_ok());
  EXPECT_TRUE(done.wait());
  EXPECT_TRUE(done.wait());
}

TEST(ThreadTest, a_wish_for_short_waits_leaves_policy_and_niceness) {
  std::thread([] {
    ASSERT_EQ(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 1), 0);
    const int policy = sched_getscheduler(0);
    const int niceness = getpriority(PRIO_PROCESS, 0);
    const bool is_ordinary = policy == SCHED_OTHER || policy == SCHED_BATCH;
    EXPECT_EQ(internal::prefer_short_waits(), is_ordinary);
    EXPECT_EQ(sched_getscheduler(0), policy);
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), niceness);
  }).join();
}

}  // namespace
}  // namespace clepsydra
