#include "jobmanager/restart/restart_strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

Configuration with(const std::vector<std::pair<std::string, std::string>>& values) {
  Configuration configuration;
  for (const auto& [key, value] : values) configuration.set(key, value);
  return configuration;
}

std::unique_ptr<RestartStrategy> make(
    const std::vector<std::pair<std::string, std::string>>& values,
    bool makes_checkpoints = false) {
  auto made = make_restart_strategy(with(values), makes_checkpoints, Random(1));
  EXPECT_TRUE(made.is_ok()) << made.status().to_string();
  return made.is_ok() ? *std::move(made) : make_no_restart();
}

TEST(RestartStrategyTest, a_job_without_checkpoints_is_not_restarted_unless_asked) {
  EXPECT_EQ(make({})->on_failure(0), std::nullopt);
  EXPECT_NE(make({}, true)->on_failure(0), std::nullopt);
  for (const char* none : {"none", "off", "disable", "NONE"}) {
    EXPECT_EQ(make({{"restart-strategy.type", none}}, true)->on_failure(0), std::nullopt) << none;
  }
}

TEST(RestartStrategyTest, fixed_delay_restarts_so_many_times) {
  EXPECT_THAT(make({{"restart-strategy.type", "fixed-delay"}})->on_failure(5), Optional(1000));
  const auto strategy = make({{"restart-strategy.type", "fixed-delay"},
                              {"restart-strategy.fixed-delay.attempts", "2"},
                              {"restart-strategy.fixed-delay.delay", "20 ms"}});
  EXPECT_THAT(strategy->on_failure(0), Optional(20));
  EXPECT_THAT(strategy->on_failure(1'000'000'000), Optional(20));
  EXPECT_EQ(strategy->on_failure(2'000'000'000), std::nullopt);
}

TEST(RestartStrategyTest, failure_rate_counts_failures_within_the_interval) {
  // The default allows none, as in the reference: the first failure is the first of one.
  EXPECT_EQ(make({{"restart-strategy.type", "failure-rate"}})->on_failure(0), std::nullopt);
  const auto strategy = make({{"restart-strategy.type", "failure-rate"},
                              {"restart-strategy.failure-rate.max-failures-per-interval", "3"},
                              {"restart-strategy.failure-rate.failure-rate-interval", "10 s"},
                              {"restart-strategy.failure-rate.delay", "0 s"}});
  EXPECT_THAT(strategy->on_failure(0), Optional(0));
  EXPECT_THAT(strategy->on_failure(5'000), Optional(0));
  EXPECT_THAT(strategy->on_failure(10'001), Optional(0));  // The first is out of the interval.
  EXPECT_THAT(strategy->on_failure(15'001), Optional(0));
  EXPECT_EQ(strategy->on_failure(20'001), std::nullopt);
}

TEST(RestartStrategyTest, exponential_delay_waits_longer_until_the_job_has_run_long_enough) {
  const auto strategy =
      make({{"restart-strategy.exponential-delay.jitter-factor", "0"},
            {"restart-strategy.exponential-delay.initial-backoff", "100 ms"},
            {"restart-strategy.exponential-delay.max-backoff", "500 ms"},
            {"restart-strategy.exponential-delay.backoff-multiplier", "2"},
            {"restart-strategy.exponential-delay.reset-backoff-threshold", "10 s"}},
           true);
  EXPECT_THAT(strategy->on_failure(0), Optional(100));
  EXPECT_THAT(strategy->on_failure(200), Optional(200));
  EXPECT_THAT(strategy->on_failure(500), Optional(400));
  EXPECT_THAT(strategy->on_failure(1'000), Optional(500));
  EXPECT_THAT(strategy->on_failure(11'499), Optional(500));  // 9,999 ms after its start.
  EXPECT_THAT(strategy->on_failure(21'999), Optional(100));
}

TEST(RestartStrategyTest, exponential_delay_can_be_bounded_and_the_count_is_reset) {
  const auto strategy =
      make({{"restart-strategy.exponential-delay.jitter-factor", "0"},
            {"restart-strategy.exponential-delay.attempts-before-reset-backoff", "2"}},
           true);
  EXPECT_THAT(strategy->on_failure(0), Optional(1000));
  EXPECT_THAT(strategy->on_failure(2'000), Optional(1500));
  EXPECT_THAT(strategy->on_failure(3'600'000 + 3'500), Optional(1000));  // An hour's health.
  EXPECT_THAT(strategy->on_failure(3'600'000 + 5'500), Optional(1500));
  EXPECT_EQ(strategy->on_failure(3'600'000 + 9'500), std::nullopt);
}

TEST(RestartStrategyTest, the_jitter_stays_within_its_part_and_below_the_maximum) {
  ExponentialDelayOptions options;
  options.initial_ms = 1000;
  options.max_ms = 2000;
  options.multiplier = 1;
  options.jitter = 0.25;
  const auto strategy = make_exponential_delay_restart(options, Random(3));
  std::int64_t least = 1000;
  std::int64_t most = 1000;
  for (int i = 0; i < 1000; ++i) {
    const auto delay = strategy->on_failure(i);
    ASSERT_TRUE(delay.has_value());
    least = std::min(least, *delay);
    most = std::max(most, *delay);
  }
  EXPECT_GE(least, 750);
  EXPECT_LE(most, 1250);
  EXPECT_LT(least, 800);
  EXPECT_GT(most, 1200);
}

TEST(RestartStrategyTest, wrong_options_are_errors_that_name_them) {
  const auto error = [](const std::vector<std::pair<std::string, std::string>>& values) {
    const auto made = make_restart_strategy(with(values), true, Random(1));
    return made.is_ok() ? std::string() : std::string(made.status().message());
  };
  EXPECT_THAT(error({{"restart-strategy.type", "sometimes"}}),
              HasSubstr("'restart-strategy.type' is 'sometimes'; expected none, fixed-delay"));
  EXPECT_THAT(error({{"restart-strategy.type", "fixed-delay"},
                     {"restart-strategy.fixed-delay.attempts", "-1"}}),
              HasSubstr("attempts' is '-1'; expected a whole number from 0"));
  EXPECT_THAT(error({{"restart-strategy.type", "fixed-delay"},
                     {"restart-strategy.fixed-delay.delay", "soon"}}),
              HasSubstr("'soon'"));
  EXPECT_THAT(error({{"restart-strategy.type", "failure-rate"},
                     {"restart-strategy.failure-rate.max-failures-per-interval", "0"}}),
              HasSubstr("expected a whole number from 1"));
  EXPECT_THAT(error({{"restart-strategy.exponential-delay.backoff-multiplier", "nan"}}),
              HasSubstr("backoff-multiplier"));
  EXPECT_THAT(error({{"restart-strategy.exponential-delay.jitter-factor", "1.5"}}),
              HasSubstr("expected a number from 0 to 1"));
  EXPECT_THAT(error({{"restart-strategy.exponential-delay.initial-backoff", "2 min"}}),
              HasSubstr("expected at most 'restart-strategy.exponential-delay.max-backoff'"));
  EXPECT_THAT(error({{"restart-strategy.exponential-delay.max-backoff", "10 ms"}}),
              HasSubstr("initial-backoff' is 'PT1S'"));
  EXPECT_THAT(error({{"restart-strategy.exponential-delay.max-backoff", "4000 d"}}),
              HasSubstr("365 days"));
}

}  // namespace
}  // namespace clepsydra
