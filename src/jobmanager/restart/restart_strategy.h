// Whether and when a job whose attempt has failed is started again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/configuration.h"
#include "base/random.h"
#include "clepsydra/status.h"

namespace clepsydra {

// Pure: asks no clock. Threads: one call at a time.
class RestartStrategy {
 public:
  virtual ~RestartStrategy() = default;
  // An attempt has failed at `now_ms`, which never goes back: how long to wait before the next one.
  // None: the job has failed.
  virtual std::optional<std::int64_t> on_failure(std::int64_t now_ms) = 0;
  // For messages: "fixed delay of 1 s, at most 3 restarts".
  [[nodiscard]] virtual std::string describe() const = 0;
};

// Keys: restart-strategy.*. Without restart-strategy.type: exponential-delay when the job makes
// checkpoints, else none, as in the reference. Errors name the key, the value and what is expected.
Result<std::unique_ptr<RestartStrategy>> make_restart_strategy(const Configuration& configuration,
                                                               bool makes_checkpoints,
                                                               Random random);

// Never again.
std::unique_ptr<RestartStrategy> make_no_restart();

struct FixedDelayOptions {
  std::int64_t restarts_max = 1;
  std::int64_t delay_ms = 1000;
};
std::unique_ptr<RestartStrategy> make_fixed_delay_restart(const FixedDelayOptions& options);

// The failure that is number `failures_max` within the interval ends the job, as in the reference.
struct FailureRateOptions {
  std::int64_t failures_max = 1;
  std::int64_t interval_ms = 60'000;
  std::int64_t delay_ms = 1000;
};
std::unique_ptr<RestartStrategy> make_failure_rate_restart(const FailureRateOptions& options);

// Waits longer after every failure, until the job has run for `reset_ms` without one.
struct ExponentialDelayOptions {
  std::int64_t initial_ms = 1000;
  std::int64_t max_ms = 60'000;
  double multiplier = 1.5;
  double jitter = 0.1;  // The wait differs by up to this part of it, both ways.
  std::int64_t reset_ms = 3'600'000;
  std::int64_t restarts_max = 2'147'483'647;  // Until it is reset.
};
std::unique_ptr<RestartStrategy> make_exponential_delay_restart(
    const ExponentialDelayOptions& options, Random random);

}  // namespace clepsydra
