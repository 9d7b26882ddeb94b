#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jobmanager/restart/restart_strategy.h"

namespace clepsydra {
namespace {

class ExponentialDelayRestart final : public RestartStrategy {
 public:
  ExponentialDelayRestart(const ExponentialDelayOptions& options, Random random)
      : options_(options), random_(random) {}

  std::optional<std::int64_t> on_failure(std::int64_t now_ms) override {
    const bool is_reset = !next_start_ms_ || now_ms - *next_start_ms_ >= options_.reset_ms;
    if (is_reset) {
      restarts_ = 0;
      delay_ms_ = static_cast<double>(options_.initial_ms);
    } else {
      delay_ms_ = std::min(delay_ms_ * options_.multiplier, static_cast<double>(options_.max_ms));
    }
    if (restarts_ >= options_.restarts_max) return std::nullopt;
    ++restarts_;
    const double spread = (random_.uniform_double() * 2 - 1) * options_.jitter;
    const std::int64_t delay_ms = std::clamp(static_cast<std::int64_t>(delay_ms_ * (1 + spread)),
                                             std::int64_t{0}, options_.max_ms);
    next_start_ms_ = now_ms + delay_ms;
    return delay_ms;
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("restarts after {} ms, growing by {} up to {} ms", options_.initial_ms,
                       options_.multiplier, options_.max_ms);
  }

 private:
  const ExponentialDelayOptions options_;
  Random random_;
  double delay_ms_ = 0;
  std::int64_t restarts_ = 0;
  std::optional<std::int64_t> next_start_ms_;
};

}  // namespace

std::unique_ptr<RestartStrategy> make_exponential_delay_restart(
    const ExponentialDelayOptions& options, Random random) {
  return std::make_unique<ExponentialDelayRestart>(options, random);
}

}  // namespace clepsydra
