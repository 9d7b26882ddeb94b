#include "base/transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/simulated_worker_pool.h"
#include "base/thread_worker_pool.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;

constexpr std::chrono::seconds kLong{120};

TEST(InProcessTransportTest, delivers_in_order_from_many_threads) {
  constexpr int kSenders = 4;
  constexpr int kMessages = 5'000;
  SystemClock clock;
  ThreadWorkerPool pool(clock, {.threads = 2});
  InProcessTransport transport(pool);
  std::vector<int> next(kSenders, 0);
  int received = 0;
  std::atomic<int> inside{0};
  std::binary_semaphore done{0};
  ASSERT_TRUE(transport
                  .listen("jobmanager",
                          [&](const Message& message) {
                            EXPECT_EQ(inside.fetch_add(1), 0);
                            const auto sender = static_cast<std::size_t>(std::stoi(message.from));
                            EXPECT_EQ(message.bytes, std::to_string(next[sender]++));
                            inside.fetch_sub(1);
                            if (++received == kSenders * kMessages) done.release();
                          })
                  .is_ok());
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&transport, s] {
      for (int i = 0; i < kMessages; ++i) {
        ASSERT_TRUE(transport.send(std::to_string(s), "jobmanager", std::to_string(i)).is_ok());
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  EXPECT_TRUE(done.try_acquire_for(kLong));
}

TEST(InProcessTransportTest, nothing_is_handled_after_close_returns) {
  SystemClock clock;
  ThreadWorkerPool pool(clock, {.threads = 2});
  InProcessTransport transport(pool);
  for (int round = 0; round < 200; ++round) {
    std::atomic<bool> closed{false};
    std::atomic<bool> late{false};
    ASSERT_TRUE(transport
                    .listen("t",
                            [&](const Message&) {
                              if (closed.load()) late.store(true);
                            })
                    .is_ok());
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(transport.send("a", "t", "x").is_ok());
    transport.close("t");
    closed.store(true);
    EXPECT_FALSE(late.load());
    EXPECT_EQ(transport.send("a", "t", "x").code(), StatusCode::kUnavailable);
  }
}

class SimulatedTransportTest : public ::testing::Test {
 protected:
  void listen(Transport& transport, const std::string& endpoint) {
    ASSERT_TRUE(transport
                    .listen(endpoint,
                            [this, endpoint](const Message& message) {
                              received_.push_back(message.from + ">" + endpoint + ":" +
                                                  message.bytes);
                            })
                    .is_ok());
  }

  SimulatedClock clock_;
  SimulatedWorkerPool pool_{clock_, {.seed = 1}};
  std::vector<std::string> received_;
};

TEST_F(SimulatedTransportTest, in_process_limits_and_names) {
  InProcessTransport transport(
      pool_, {.queue_messages_max = 3, .queue_bytes_max = 10, .messages_per_step = 2});
  listen(transport, "b");
  EXPECT_EQ(transport.listen("b", [](const Message&) {}).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(transport.send("a", "nobody", "x").code(), StatusCode::kUnavailable);
  EXPECT_TRUE(transport.send("a", "b", "12345").is_ok());
  EXPECT_EQ(transport.send("a", "b", "123456").code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(transport.send("a", "b", "6").is_ok());
  EXPECT_TRUE(transport.send("a", "b", "7").is_ok());
  EXPECT_EQ(transport.send("a", "b", "8").code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(transport.send("a", "b", std::string(Transport::kMessageBytesMax + 1, 'x')).code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(received_.empty());  // send() itself calls nobody.
  pool_.run_until_idle();
  EXPECT_THAT(received_, ElementsAre("a>b:12345", "a>b:6", "a>b:7"));
  EXPECT_TRUE(transport.send("a", "b", "again").is_ok());
}

TEST_F(SimulatedTransportTest, a_handler_may_answer_close_itself_and_listen_again) {
  InProcessTransport transport(pool_);
  listen(transport, "client");
  ASSERT_TRUE(transport
                  .listen("server",
                          [&](const Message& message) {
                            EXPECT_TRUE(transport.send("server", message.from, "pong").is_ok());
                            transport.close("server");
                            listen(transport, "server");
                          })
                  .is_ok());
  EXPECT_TRUE(transport.send("client", "server", "ping").is_ok());
  EXPECT_TRUE(transport.send("client", "server", "lost").is_ok());
  pool_.run_until_idle();
  EXPECT_THAT(received_, ElementsAre("server>client:pong"));
}

TEST_F(SimulatedTransportTest, order_holds_per_pair_and_differs_between_pairs) {
  std::set<std::vector<std::string>> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    received_.clear();
    SimulatedTransport transport(pool_, {.seed = seed, .delay_ns_max = 100'000, .limits = {}});
    listen(transport, "c");
    for (const char* text : {"1", "2", "3"}) {
      EXPECT_TRUE(transport.send("a", "c", text).is_ok());
      EXPECT_TRUE(transport.send("b", "c", text).is_ok());
    }
    pool_.run_until_idle();
    std::string from_a;
    for (const std::string& message : received_) {
      if (message.front() == 'a') from_a += message.back();
    }
    EXPECT_EQ(from_a, "123");
    EXPECT_EQ(received_.size(), 6U);
    orders.insert(received_);
  }
  EXPECT_GT(orders.size(), 5U);
}

TEST_F(SimulatedTransportTest, a_cut_link_refuses_and_loses_what_is_on_its_way) {
  SimulatedTransport transport(pool_, {.seed = 1, .delay_ns_max = 100'000, .limits = {}});
  listen(transport, "b");
  EXPECT_TRUE(transport.send("a", "b", "lost").is_ok());
  EXPECT_TRUE(transport.send("c", "b", "other link").is_ok());
  transport.cut("b", "a");
  EXPECT_EQ(transport.send("a", "b", "refused").code(), StatusCode::kUnavailable);
  transport.mend("a", "b");
  EXPECT_TRUE(transport.send("a", "b", "arrives").is_ok());
  pool_.run_until_idle();
  EXPECT_THAT(received_, ::testing::UnorderedElementsAre("c>b:other link", "a>b:arrives"));
}

TEST_F(SimulatedTransportTest, messages_on_their_way_count_as_queued) {
  SimulatedTransport transport(
      pool_, {.seed = 1,
              .delay_ns_max = 100'000,
              .limits = {.queue_messages_max = 2, .queue_bytes_max = 100, .messages_per_step = 1}});
  listen(transport, "b");
  EXPECT_TRUE(transport.send("a", "b", "1").is_ok());
  EXPECT_TRUE(transport.send("a", "b", "2").is_ok());
  EXPECT_EQ(transport.send("a", "b", "3").code(), StatusCode::kResourceExhausted);
  pool_.run_until_idle();
  EXPECT_TRUE(transport.send("a", "b", "3").is_ok());
}

TEST_F(SimulatedTransportTest, destroying_it_with_messages_on_their_way_is_safe) {
  {
    SimulatedTransport transport(pool_, {.seed = 1, .delay_ns_max = 100'000, .limits = {}});
    listen(transport, "b");
    EXPECT_TRUE(transport.send("a", "b", "lost").is_ok());
  }
  pool_.run_until_idle();
  EXPECT_TRUE(received_.empty());
  EXPECT_TRUE(pool_.live_steppables().empty());
}

}  // namespace
}  // namespace clepsydra
