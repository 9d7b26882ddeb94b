// What the data plane pays for the basics: memory, wakes, hand-overs between workers, hashes,
// checks.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <semaphore>
#include <string>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory_pool.h"
#include "base/thread_worker_pool.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

void allocate_buffers(benchmark::State& state) {
  const auto pool = MemoryPool::make_root("process")->make_child("job")->make_child("task");
  const std::int64_t bytes = state.range(0);
  for (auto _ : state) {
    auto buffer = allocate_buffer(*pool, bytes);
    // One byte per page, as a writer would touch them.
    for (std::int64_t i = 0; i < bytes; i += 4096) (*buffer)->mutable_data()[i] = 1;
    benchmark::DoNotOptimize(buffer);
  }
}
BENCHMARK(allocate_buffers)->Arg(512)->Arg(32 << 10)->Arg(1 << 20);

class Idle final : public Steppable {
 public:
  StepResult step() override { return StepResult::kBlocked; }
};

void wake_a_steppable(benchmark::State& state) {
  SystemClock clock;
  ThreadWorkerPool pool(clock, {.threads = 1});
  Idle idle;
  const Waker waker = pool.add(&idle);
  for (auto _ : state) waker.wake();
  pool.shutdown();
}
BENCHMARK(wake_a_steppable);

class Stepper final : public Steppable {
 public:
  explicit Stepper(std::int64_t steps) : left_(steps) {}
  StepResult step() override { return --left_ > 0 ? StepResult::kProgress : StepResult::kDone; }

 private:
  std::int64_t left_;
};

void step_two_steppables_in_turn(benchmark::State& state) {
  SystemClock clock;
  constexpr std::int64_t kSteps = 100'000;
  for (auto _ : state) {
    std::counting_semaphore<2> done{0};
    Stepper a(kSteps);
    Stepper b(kSteps);
    ThreadWorkerPool pool(clock, {.threads = 1});
    pool.add(&a, {.on_done = [&] { done.release(); }, .affinity = -1, .name = {}});
    pool.add(&b, {.on_done = [&] { done.release(); }, .affinity = -1, .name = {}});
    done.acquire();
    done.acquire();
  }
  state.SetItemsProcessed(state.iterations() * 2 * kSteps);
}
BENCHMARK(step_two_steppables_in_turn)->UseRealTime();

// A token goes to and fro: every hand-over finds the other side blocked.
class Player final : public Steppable {
 public:
  Player(std::atomic<int>& token, int me, int rounds) : token_(token), me_(me), rounds_(rounds) {}
  Waker other;

  StepResult step() override {
    const int now = token_.load(std::memory_order_relaxed);
    if (now >= rounds_) {
      other.wake();
      return StepResult::kDone;
    }
    if (now % 2 == me_) {
      token_.store(now + 1, std::memory_order_relaxed);
      other.wake();
    }
    return StepResult::kBlocked;
  }

 private:
  std::atomic<int>& token_;
  const int me_;
  const int rounds_;
};

void hand_over_between_workers(benchmark::State& state) {
  SystemClock clock;
  constexpr int kRounds = 10'000;
  for (auto _ : state) {
    std::counting_semaphore<2> done{0};
    std::atomic<int> token{-1};  // Nobody's turn until both know each other.
    Player ping(token, 0, kRounds);
    Player pong(token, 1, kRounds);
    ThreadWorkerPool pool(clock, {.threads = 2, .spin_ns_max = state.range(0)});
    const Waker wake_ping =
        pool.add(&ping, {.on_done = [&] { done.release(); }, .affinity = 0, .name = {}});
    const Waker wake_pong =
        pool.add(&pong, {.on_done = [&] { done.release(); }, .affinity = 1, .name = {}});
    ping.other = wake_pong;
    pong.other = wake_ping;
    token.store(0, std::memory_order_relaxed);
    wake_ping.wake();
    wake_pong.wake();
    done.acquire();
    done.acquire();
  }
  state.SetItemsProcessed(state.iterations() * kRounds);
}
BENCHMARK(hand_over_between_workers)->Arg(0)->Arg(20'000)->UseRealTime();

void hash_bytes(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(hash64(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(hash_bytes)->Arg(8)->Arg(32)->Arg(4096);

void check_utf8(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(is_valid_utf8(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(check_utf8)->Arg(16)->Arg(4096);

}  // namespace
}  // namespace clepsydra
