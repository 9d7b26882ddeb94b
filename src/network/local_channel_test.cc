#include "network/local_channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/simulated_worker_pool.h"
#include "base/thread_worker_pool.h"
#include "stream/stream_element.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;

StreamElement element(std::int64_t value) {
  return batch_of("a BIGINT", {std::to_string(value)});
}
std::int64_t value_of(const StreamElement& element) {
  return as_batch(element)->column(0).values<std::int64_t>()[0];
}

bool push(LocalChannel& channel, std::int64_t value, std::int64_t bytes) {
  StreamElement pushed = element(value);
  return channel.try_push(pushed, bytes);
}
std::int64_t pop(LocalChannel& channel) {
  StreamElement popped;
  EXPECT_TRUE(channel.try_pop(popped));
  return value_of(popped);
}

// Counts how often it was woken.
class Sleeper final : public Steppable {
 public:
  StepResult step() override {
    ++steps;
    return StepResult::kBlocked;
  }
  int steps = 0;
};

class LocalChannelTest : public ::testing::Test {
 protected:
  void connect(LocalChannel& channel) {
    channel.set_wakers(pool_.add(&producer_), pool_.add(&consumer_));
    settle();
  }
  // Steps that followed from what was done since the last call.
  void settle() {
    pool_.run_until_idle();
    producer_wakes_ = producer_.steps - producer_seen_;
    consumer_wakes_ = consumer_.steps - consumer_seen_;
    producer_seen_ = producer_.steps;
    consumer_seen_ = consumer_.steps;
  }

  SimulatedClock clock_;
  SimulatedWorkerPool pool_{clock_, {}};
  Sleeper producer_;
  Sleeper consumer_;
  int producer_wakes_ = 0;
  int consumer_wakes_ = 0;

 private:
  int producer_seen_ = 0;
  int consumer_seen_ = 0;
};

TEST_F(LocalChannelTest, elements_come_out_in_order) {
  LocalChannel channel(1 << 20);
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_TRUE(push(channel, i, 100));
  for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(pop(channel), i);
  StreamElement none;
  EXPECT_FALSE(channel.try_pop(none));
}

TEST_F(LocalChannelTest, bytes_are_bounded_and_a_refused_element_is_untouched) {
  LocalChannel channel(1000);
  EXPECT_TRUE(push(channel, 1, 600));
  EXPECT_TRUE(channel.has_room());
  StreamElement second = element(2);
  EXPECT_FALSE(channel.try_push(second, 401));
  EXPECT_EQ(value_of(second), 2);
  EXPECT_TRUE(channel.try_push(second, 400));
  EXPECT_FALSE(channel.has_room());
  EXPECT_EQ(channel.queued_bytes(), 1000);
  EXPECT_EQ(pop(channel), 1);
  EXPECT_TRUE(channel.has_room());
  EXPECT_EQ(pop(channel), 2);
  EXPECT_TRUE(channel.is_empty());
}

TEST_F(LocalChannelTest, an_element_larger_than_the_ring_enters_an_empty_one_alone) {
  LocalChannel channel(1000);
  EXPECT_TRUE(push(channel, 1, 64));
  EXPECT_FALSE(push(channel, 2, 5000));
  EXPECT_EQ(pop(channel), 1);
  EXPECT_TRUE(push(channel, 2, 5000));
  EXPECT_FALSE(channel.has_room());
  EXPECT_FALSE(push(channel, 3, 1));
}

TEST_F(LocalChannelTest, elements_are_bounded_too) {
  LocalChannel channel(1 << 20);
  for (std::size_t i = 0; i < LocalChannel::kElementsMax; ++i) EXPECT_TRUE(push(channel, 1, 1));
  EXPECT_FALSE(channel.has_room());
  EXPECT_FALSE(push(channel, 1, 1));
}

TEST_F(LocalChannelTest, every_push_wakes_the_consumer) {
  LocalChannel channel(1000);
  connect(channel);
  push(channel, 1, 10);
  settle();
  EXPECT_EQ(consumer_wakes_, 1);
  EXPECT_EQ(producer_wakes_, 0);
}

TEST_F(LocalChannelTest, a_producer_that_waits_for_room_is_woken_once_at_half) {
  LocalChannel channel(1000);
  connect(channel);
  for (std::int64_t i = 0; i < 10; ++i) push(channel, i, 100);
  EXPECT_TRUE(channel.wake_when_room());
  settle();
  for (int i = 0; i < 4; ++i) pop(channel);
  settle();
  EXPECT_EQ(producer_wakes_, 0);
  pop(channel);
  settle();
  EXPECT_EQ(producer_wakes_, 1);
  pop(channel);
  settle();
  EXPECT_EQ(producer_wakes_, 0);
  EXPECT_FALSE(channel.wake_when_room());  // There is room: no wake would come.
}

TEST_F(LocalChannelTest, a_producer_that_waits_for_an_empty_ring_is_woken_by_the_last_pop) {
  LocalChannel channel(1000);
  connect(channel);
  push(channel, 1, 10);
  push(channel, 2, 10);
  EXPECT_TRUE(channel.wake_when_empty());
  settle();
  pop(channel);
  settle();
  EXPECT_EQ(producer_wakes_, 0);
  pop(channel);
  settle();
  EXPECT_EQ(producer_wakes_, 1);
  EXPECT_FALSE(channel.wake_when_empty());
}

// Two tasks on two threads, the ring small: every element arrives, in order, and no wake is lost.
class CountingProducer final : public Steppable {
 public:
  CountingProducer(LocalChannel& channel, std::int64_t count) : channel_(channel), count_(count) {}
  StepResult step() override {
    for (int i = 0; i < 16; ++i) {
      if (next_ == count_) return StepResult::kDone;
      StreamElement pushed = Signal(WatermarkSignal{next_});
      if (!channel_.try_push(pushed, 100)) {
        return channel_.wake_when_room() ? StepResult::kBlocked : StepResult::kProgress;
      }
      ++next_;
    }
    return StepResult::kProgress;
  }

 private:
  LocalChannel& channel_;
  const std::int64_t count_;
  std::int64_t next_ = 0;
};
class CountingConsumer final : public Steppable {
 public:
  CountingConsumer(LocalChannel& channel, std::int64_t count) : channel_(channel), count_(count) {}
  StepResult step() override {
    StreamElement popped;
    for (int i = 0; i < 16; ++i) {
      if (!channel_.try_pop(popped)) return StepResult::kBlocked;
      in_order = in_order && as_signal<WatermarkSignal>(popped)->watermark == next_;
      if (++next_ == count_) return StepResult::kDone;
    }
    return StepResult::kProgress;
  }
  bool in_order = true;

 private:
  LocalChannel& channel_;
  const std::int64_t count_;
  std::int64_t next_ = 0;
};

// Waits to be wired before it steps.
class WhenWired final : public Steppable {
 public:
  explicit WhenWired(Steppable& inner) : inner_(inner) {}
  StepResult step() override {
    return wired.load(std::memory_order_acquire) ? inner_.step() : StepResult::kBlocked;
  }
  std::atomic<bool> wired{false};

 private:
  Steppable& inner_;
};

TEST_F(LocalChannelTest, no_wake_is_lost_between_threads) {
  constexpr std::int64_t kCount = 200'000;
  SystemClock clock;
  LocalChannel channel(1000);
  CountingProducer producer(channel, kCount);
  CountingConsumer consumer(channel, kCount);
  WhenWired wired_producer(producer);
  WhenWired wired_consumer(consumer);
  std::atomic<int> done{0};
  {
    ThreadWorkerPool pool(clock, {.threads = 2});
    const WorkerPool::AddOptions on_done{.on_done =
                                             [&] {
                                               done.fetch_add(1);
                                               done.notify_all();
                                             },
                                         .affinity = -1,
                                         .name = ""};
    const Waker wake_producer = pool.add(&wired_producer, on_done);
    const Waker wake_consumer = pool.add(&wired_consumer, on_done);
    channel.set_wakers(wake_producer, wake_consumer);
    wired_producer.wired.store(true, std::memory_order_release);
    wired_consumer.wired.store(true, std::memory_order_release);
    wake_producer.wake();
    wake_consumer.wake();
    for (int seen = done.load(); seen < 2; seen = done.load()) done.wait(seen);
  }
  EXPECT_TRUE(consumer.in_order);
  EXPECT_TRUE(channel.is_empty());
}

}  // namespace
}  // namespace clepsydra
