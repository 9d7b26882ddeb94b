#include "base/simulated_worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;

class FunctionSteppable final : public Steppable {
 public:
  explicit FunctionSteppable(std::function<StepResult()> step) : step_(std::move(step)) {}
  StepResult step() override { return step_(); }
  [[nodiscard]] std::int64_t wake_deadline_ns() const override { return deadline_ns; }
  std::int64_t deadline_ns = kNever;

 private:
  std::function<StepResult()> step_;
};

// Three counters racing to 20: what a run looks like from outside.
struct Race {
  std::vector<int> order;
  std::uint64_t hash = 0;
};

Race run_race(std::uint64_t seed) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = seed});
  Race race;
  std::vector<FunctionSteppable> runners;
  runners.reserve(3);
  for (int id = 0; id < 3; ++id) {
    runners.emplace_back([&race, id, left = 20]() mutable {
      race.order.push_back(id);
      return --left > 0 ? StepResult::kProgress : StepResult::kDone;
    });
    pool.add(&runners.back());
  }
  EXPECT_EQ(pool.run_until_idle(), SimulationEnd::kStalled);
  EXPECT_TRUE(pool.live_steppables().empty());
  race.hash = pool.trace_hash();
  return race;
}

TEST(SimulatedWorkerPoolTest, equal_seeds_repeat_a_run_exactly) {
  for (const std::uint64_t seed : {1U, 2U, 99U}) {
    const Race first = run_race(seed);
    const Race second = run_race(seed);
    EXPECT_EQ(first.order, second.order);
    EXPECT_EQ(first.hash, second.hash);
  }
}

TEST(SimulatedWorkerPoolTest, who_is_to_be_slow_rests_after_each_step_and_loses_no_wake) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = 3, .step_ns_max = 10});
  pool.set_pace([](std::string_view name) { return name == "slow" ? 1000 : 0; });
  std::vector<std::int64_t> times;
  int fast_steps = 0;
  FunctionSteppable slow([&] {
    times.push_back(clock.monotonic_ns());
    return times.size() == 3 ? StepResult::kDone : StepResult::kBlocked;
  });
  const Waker waker = pool.add(&slow, {.on_done = {}, .name = "slow"});
  FunctionSteppable fast([&] {
    waker.wake();
    return ++fast_steps == 500 ? StepResult::kDone : StepResult::kProgress;
  });
  pool.add(&fast);
  pool.run_until_idle();
  ASSERT_EQ(times.size(), 3U);
  EXPECT_GE(times[1] - times[0], 1000);
  EXPECT_GE(times[2] - times[1], 1000);
  EXPECT_EQ(fast_steps, 500);
}

TEST(SimulatedWorkerPoolTest, other_seeds_give_other_orders) {
  std::set<std::vector<int>> orders;
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Race race = run_race(seed);
    EXPECT_EQ(race.order.size(), 60U);
    orders.insert(race.order);
    hashes.insert(race.hash);
  }
  EXPECT_EQ(orders.size(), 50U);
  EXPECT_EQ(hashes.size(), 50U);
}

TEST(SimulatedWorkerPoolTest, blocked_ones_wait_for_a_wake_and_a_wake_in_the_step_counts) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = 3});
  int steps = 0;
  Waker self;
  FunctionSteppable steppable([&] {
    if (++steps == 1) self.wake();  // Arrives while the step returns kBlocked.
    return StepResult::kBlocked;
  });
  self = pool.add(&steppable, {.on_done = {}, .affinity = -1, .name = "sleeper"});
  EXPECT_EQ(pool.run_until_idle(), SimulationEnd::kStalled);
  EXPECT_EQ(steps, 2);
  EXPECT_THAT(pool.live_steppables(), ElementsAre("sleeper"));
  self.wake();
  self.wake();
  EXPECT_EQ(pool.run_until_idle(), SimulationEnd::kStalled);
  EXPECT_EQ(steps, 3);
}

TEST(SimulatedWorkerPoolTest, time_jumps_to_the_next_timer_or_deadline) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = 4, .step_ns_max = 0});
  std::vector<std::pair<std::string, std::int64_t>> events;
  const auto note = [&](std::string what) {
    events.emplace_back(std::move(what), clock.monotonic_ns());
  };
  FunctionSteppable sleeper([&] {
    note("step");
    return events.size() > 3 ? StepResult::kDone : StepResult::kBlocked;
  });
  sleeper.deadline_ns = 5'000;
  pool.add(&sleeper);
  pool.schedule_at(9'000, [&] { note("late"); });
  const TimerId cancelled = pool.schedule_at(7'000, [&] { note("never"); });
  pool.schedule_at(3'000, [&] {
    note("early");
    EXPECT_TRUE(pool.cancel_timer(cancelled));
    EXPECT_FALSE(pool.cancel_timer(cancelled));
    sleeper.deadline_ns = 20'000;
  });
  EXPECT_EQ(pool.run_until([&] { return events.size() == 4; }), SimulationEnd::kSatisfied);
  EXPECT_THAT(events, ElementsAre(std::pair("step", 0), std::pair("early", 3'000),
                                  std::pair("step", 5'000), std::pair("late", 9'000)));
  EXPECT_EQ(pool.run_until_idle(), SimulationEnd::kStalled);
  EXPECT_EQ(clock.monotonic_ns(), 20'000);
  EXPECT_EQ(events.size(), 5U);
}

TEST(SimulatedWorkerPoolTest, run_for_passes_exactly_that_much_time_when_idle) {
  SimulatedClock clock(1'000);
  SimulatedWorkerPool pool(clock, {.seed = 5});
  int fired = 0;
  pool.schedule_at(2'000'000'000, [&] { ++fired; });
  EXPECT_EQ(pool.run_for_ns(1'500'000'000), SimulationEnd::kSatisfied);
  EXPECT_EQ(clock.now_ms(), 2'500);
  EXPECT_EQ(fired, 0);
  EXPECT_EQ(pool.run_for_ns(1'000'000'000), SimulationEnd::kSatisfied);
  EXPECT_EQ(fired, 1);
  EXPECT_EQ(clock.now_ms(), 3'500);
}

TEST(SimulatedWorkerPoolTest, a_runaway_ends_at_the_step_limit) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = 6, .step_ns_max = 0, .steps_max = 1'000});
  FunctionSteppable endless([] { return StepResult::kProgress; });
  pool.add(&endless);
  EXPECT_EQ(pool.run_until_idle(), SimulationEnd::kStepLimit);
  EXPECT_EQ(pool.steps(), 1'000);

  SimulatedWorkerPool timers(clock, {.seed = 6, .steps_max = 1'000});
  std::function<void()> again = [&] { timers.schedule_at(clock.monotonic_ns(), again); };
  again();
  EXPECT_EQ(timers.run_until_idle(), SimulationEnd::kStepLimit);
}

TEST(SimulatedWorkerPoolTest, on_done_may_destroy_and_wakers_may_outlive_the_pool) {
  SimulatedClock clock;
  Waker waker;
  FunctionSteppable blocked([] { return StepResult::kBlocked; });
  {
    SimulatedWorkerPool pool(clock, {.seed = 7});
    auto* steppable = new FunctionSteppable([] { return StepResult::kDone; });
    bool destroyed = false;
    pool.add(steppable, {.on_done =
                             [&destroyed, steppable] {
                               delete steppable;
                               destroyed = true;
                             },
                         .affinity = -1,
                         .name = {}});
    waker = pool.add(&blocked);
    pool.run_until_idle();
    EXPECT_TRUE(destroyed);
  }
  waker.wake();
}

TEST(SimulatedBlockingPoolTest, work_runs_later_in_an_order_of_the_seed) {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimulatedClock clock;
    SimulatedWorkerPool pool(clock, {.seed = seed});
    SimulatedBlockingPool io(pool);
    std::vector<int> order;
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(io.submit([&order, i] { order.push_back(i); }).is_ok());
    EXPECT_TRUE(order.empty());
    pool.run_until_idle();
    EXPECT_EQ(order.size(), 4U);
    orders.insert(order);
  }
  EXPECT_GT(orders.size(), 5U);
}

TEST(SimulatedBlockingPoolTest, its_queue_is_bounded_too) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {.seed = 1});
  SimulatedBlockingPool io(pool, {.delay_ns_max = 10, .queue_max = 1});
  EXPECT_TRUE(io.submit([] {}).is_ok());
  EXPECT_EQ(io.submit([] {}).code(), StatusCode::kResourceExhausted);
  pool.run_until_idle();
  EXPECT_TRUE(io.submit([] {}).is_ok());
}

}  // namespace
}  // namespace clepsydra
