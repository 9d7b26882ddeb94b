#include "taskmanager/result_exchange.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/simulated_worker_pool.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;

class CountingTask final : public Steppable {
 public:
  StepResult step() override {
    ++steps;
    return StepResult::kBlocked;
  }
  int steps = 0;
};

class ResultExchangeTest : public ::testing::Test {
 protected:
  // A batch that counts as 1000 bytes at least.
  Batch batch(const std::string& text) { return batch_of("s STRING", {text + filler_}); }

  int changes_ = 0;
  const std::string filler_ = std::string(1000, '.');
  std::shared_ptr<ResultChannel> channel_ =
      std::make_shared<ResultChannel>(3000, [this] { ++changes_; });
};

TEST_F(ResultExchangeTest, batches_arrive_in_order_and_the_end_after_all_senders) {
  const auto a = channel_->open_sender(2);
  const auto b = channel_->open_sender(2);
  Batch taken;
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kNothingYet);
  ASSERT_TRUE(a->send(batch("1")).is_ok());
  ASSERT_TRUE(b->send(batch("2")).is_ok());
  ASSERT_TRUE(a->finish().is_ok());
  ASSERT_TRUE(a->finish().is_ok());  // Once is enough.
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kBatch);
  EXPECT_EQ(taken.column(0).string_at(0)[0], '1');
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kBatch);
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kNothingYet);
  ASSERT_TRUE(b->finish().is_ok());
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kEnd);
  EXPECT_EQ(changes_, 4);
}

TEST_F(ResultExchangeTest, a_full_channel_lets_its_sender_wait_until_half_was_read) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {});
  CountingTask task;
  const auto sender = channel_->open_sender(1);
  sender->set_waker(pool.add(&task));
  pool.run_until_idle();
  const int before = task.steps;

  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(sender->has_room());
    ASSERT_TRUE(sender->send(batch("x")).is_ok());
  }
  EXPECT_FALSE(sender->has_room());
  EXPECT_FALSE(sender->has_room());
  Batch taken;
  channel_->take(taken);
  pool.run_until_idle();
  EXPECT_EQ(task.steps, before);
  channel_->take(taken);
  pool.run_until_idle();
  EXPECT_EQ(task.steps, before + 1);
  EXPECT_TRUE(sender->has_room());
}

TEST_F(ResultExchangeTest, senders_of_a_closed_channel_are_told) {
  const auto sender = channel_->open_sender(1);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(sender->send(batch("x")).is_ok());
  EXPECT_FALSE(sender->has_room());
  channel_->close();
  EXPECT_TRUE(sender->has_room());  // To hear of it with the next batch.
  EXPECT_EQ(sender->send(batch("x")).code(), StatusCode::kCancelled);
}

TEST_F(ResultExchangeTest, all_senders_of_a_new_attempt_have_to_finish_again) {
  auto a = channel_->open_sender(2, 0);
  auto b = channel_->open_sender(2, 0);
  ASSERT_TRUE(a->finish().is_ok());
  b.reset();
  a = channel_->open_sender(2, 1);
  b = channel_->open_sender(2, 1);
  Batch taken;
  ASSERT_TRUE(a->finish().is_ok());
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kNothingYet);
  ASSERT_TRUE(b->finish().is_ok());
  EXPECT_EQ(channel_->take(taken), ResultChannel::State::kEnd);
}

TEST_F(ResultExchangeTest, a_sender_that_is_gone_is_not_woken_in_place_of_the_next) {
  SimulatedClock clock;
  SimulatedWorkerPool pool(clock, {});
  CountingTask first;
  CountingTask second;
  // Both at the same address.
  const auto place = std::make_unique<std::optional<ResultChannel::Sender>>();
  std::optional<ResultChannel::Sender>& sender = *place;
  sender.emplace(channel_);
  sender->set_waker(pool.add(&first));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(sender->send(batch("x")).is_ok());
  EXPECT_FALSE(sender->has_room());
  sender.reset();
  sender.emplace(channel_);
  sender->set_waker(pool.add(&second));
  EXPECT_FALSE(sender->has_room());
  pool.run_until_idle();
  const int before = second.steps;
  Batch taken;
  channel_->take(taken);
  channel_->take(taken);
  pool.run_until_idle();
  EXPECT_EQ(second.steps, before + 1);
}

TEST_F(ResultExchangeTest, both_sides_find_the_same_channel_until_the_job_is_released) {
  ResultExchange exchange([] {});
  const JobId job(JobId::Bytes{1});
  const auto channel = exchange.channel(job, "result");
  EXPECT_EQ(exchange.channel(job, "result"), channel);
  EXPECT_NE(exchange.channel(job, "other"), channel);
  exchange.release(job);
  EXPECT_NE(exchange.channel(job, "result"), channel);
}

}  // namespace
}  // namespace clepsydra
