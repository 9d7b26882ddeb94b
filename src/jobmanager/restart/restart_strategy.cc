#include "jobmanager/restart/restart_strategy.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

enum class Kind : std::uint8_t { kNone, kFixedDelay, kFailureRate, kExponentialDelay };

constexpr std::int64_t kDurationMsMax = 365LL * 24 * 3600 * 1000;
constexpr std::int64_t kCountMax = 2'147'483'647;

constexpr ConfigOption<Duration> kFixedDelayDelay{"restart-strategy.fixed-delay.delay", "PT1S",
                                                  "wait before restart"};
constexpr ConfigOption<std::int64_t> kFixedDelayAttempts{"restart-strategy.fixed-delay.attempts",
                                                         "1", "restart limit"};
constexpr ConfigOption<std::int64_t> kRateFailures{
    "restart-strategy.failure-rate.max-failures-per-interval", "1", "failures allowed per window"};
constexpr ConfigOption<Duration> kRateInterval{
    "restart-strategy.failure-rate.failure-rate-interval", "PT1M", "window length"};
constexpr ConfigOption<Duration> kRateDelay{"restart-strategy.failure-rate.delay", "PT1S",
                                            "wait before restart"};
constexpr ConfigOption<Duration> kExponentialInitial{
    "restart-strategy.exponential-delay.initial-backoff", "PT1S", "first wait"};
constexpr ConfigOption<Duration> kExponentialMax{"restart-strategy.exponential-delay.max-backoff",
                                                 "PT1M", "largest wait"};
constexpr ConfigOption<double> kExponentialMultiplier{
    "restart-strategy.exponential-delay.backoff-multiplier", "1.5", "growth factor"};
constexpr ConfigOption<double> kExponentialJitter{
    "restart-strategy.exponential-delay.jitter-factor", "0.1", "random spread"};
constexpr ConfigOption<Duration> kExponentialReset{
    "restart-strategy.exponential-delay.reset-backoff-threshold", "PT1H",
    "healthy time resetting backoff"};
constexpr ConfigOption<std::int64_t> kExponentialAttempts{
    "restart-strategy.exponential-delay.attempts-before-reset-backoff", "2147483647",
    "attempt limit"};

template <typename T>
Status out_of_range(const ConfigOption<T>& option, const Configuration& configuration,
                    std::string_view expected) {
  const std::string* text = configuration.find(option.key);
  return Status::invalid_argument(
      fmt::format("option '{}' is '{}'; expected {}", option.key,
                  text == nullptr ? option.default_text.value_or("") : *text, expected));
}

Result<std::int64_t> read_ms(const Configuration& configuration,
                             const ConfigOption<Duration>& option, std::int64_t min_ms) {
  CLP_ASSIGN_OR_RETURN(const Duration duration, configuration.get(option));
  const std::int64_t ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  if (ms < min_ms || ms > kDurationMsMax) {
    return out_of_range(option, configuration,
                        fmt::format("a duration from {} ms to 365 days", min_ms));
  }
  return ms;
}

Result<std::int64_t> read_count(const Configuration& configuration,
                                const ConfigOption<std::int64_t>& option, std::int64_t min) {
  CLP_ASSIGN_OR_RETURN(const std::int64_t count, configuration.get(option));
  if (count < min || count > kCountMax) {
    return out_of_range(option, configuration,
                        fmt::format("a whole number from {} to {}", min, kCountMax));
  }
  return count;
}

Result<double> read_number(const Configuration& configuration, const ConfigOption<double>& option,
                           double min, double max) {
  CLP_ASSIGN_OR_RETURN(const double number, configuration.get(option));
  // So that NaN is refused too.
  if (!(number >= min && number <= max)) {
    return out_of_range(option, configuration, fmt::format("a number from {} to {}", min, max));
  }
  return number;
}

Result<Kind> read_kind(const Configuration& configuration, bool makes_checkpoints) {
  const std::string* text = configuration.find("restart-strategy.type");
  if (text == nullptr) return makes_checkpoints ? Kind::kExponentialDelay : Kind::kNone;
  static constexpr std::pair<std::string_view, Kind> kNames[] = {
      {"none", Kind::kNone},
      {"off", Kind::kNone},
      {"disable", Kind::kNone},
      {"fixed-delay", Kind::kFixedDelay},
      {"fixeddelay", Kind::kFixedDelay},
      {"failure-rate", Kind::kFailureRate},
      {"failurerate", Kind::kFailureRate},
      {"exponential-delay", Kind::kExponentialDelay},
      {"exponentialdelay", Kind::kExponentialDelay},
  };
  for (const auto& [name, kind] : kNames) {
    if (internal::same_enum_name(*text, name)) return kind;
  }
  return Status::invalid_argument(
      fmt::format("option 'restart-strategy.type' is '{}'; expected none, fixed-delay, "
                  "failure-rate or exponential-delay",
                  *text));
}

Result<std::unique_ptr<RestartStrategy>> make_exponential(const Configuration& configuration,
                                                          Random random) {
  ExponentialDelayOptions options;
  CLP_ASSIGN_OR_RETURN(options.initial_ms, read_ms(configuration, kExponentialInitial, 1));
  CLP_ASSIGN_OR_RETURN(options.max_ms, read_ms(configuration, kExponentialMax, 1));
  if (options.initial_ms > options.max_ms) {
    return out_of_range(kExponentialInitial, configuration,
                        fmt::format("at most '{}'", kExponentialMax.key));
  }
  CLP_ASSIGN_OR_RETURN(options.multiplier,
                       read_number(configuration, kExponentialMultiplier, 1, 1e6));
  CLP_ASSIGN_OR_RETURN(options.jitter, read_number(configuration, kExponentialJitter, 0, 1));
  CLP_ASSIGN_OR_RETURN(options.reset_ms, read_ms(configuration, kExponentialReset, 1));
  CLP_ASSIGN_OR_RETURN(options.restarts_max, read_count(configuration, kExponentialAttempts, 1));
  return make_exponential_delay_restart(options, random);
}

}  // namespace

Result<std::unique_ptr<RestartStrategy>> make_restart_strategy(const Configuration& configuration,
                                                               bool makes_checkpoints,
                                                               Random random) {
  CLP_ASSIGN_OR_RETURN(const Kind kind, read_kind(configuration, makes_checkpoints));
  switch (kind) {
    case Kind::kNone:
      return make_no_restart();
    case Kind::kFixedDelay: {
      FixedDelayOptions options;
      CLP_ASSIGN_OR_RETURN(options.restarts_max, read_count(configuration, kFixedDelayAttempts, 0));
      CLP_ASSIGN_OR_RETURN(options.delay_ms, read_ms(configuration, kFixedDelayDelay, 0));
      return make_fixed_delay_restart(options);
    }
    case Kind::kFailureRate: {
      FailureRateOptions options;
      CLP_ASSIGN_OR_RETURN(options.failures_max, read_count(configuration, kRateFailures, 1));
      CLP_ASSIGN_OR_RETURN(options.interval_ms, read_ms(configuration, kRateInterval, 1));
      CLP_ASSIGN_OR_RETURN(options.delay_ms, read_ms(configuration, kRateDelay, 0));
      return make_failure_rate_restart(options);
    }
    case Kind::kExponentialDelay:
      return make_exponential(configuration, random);
  }
  return Status::internal("an unknown kind of restart strategy");
}

}  // namespace clepsydra
