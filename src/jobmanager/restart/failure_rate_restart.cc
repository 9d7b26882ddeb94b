#include <fmt/format.h>

#include <cstddef>
#include <deque>

#include "jobmanager/restart/restart_strategy.h"

namespace clepsydra {
namespace {

class FailureRateRestart final : public RestartStrategy {
 public:
  explicit FailureRateRestart(const FailureRateOptions& options) : options_(options) {}

  std::optional<std::int64_t> on_failure(std::int64_t now_ms) override {
    failures_ms_.push_back(now_ms);
    while (now_ms - failures_ms_.front() > options_.interval_ms) failures_ms_.pop_front();
    if (failures_ms_.size() >= static_cast<std::size_t>(options_.failures_max)) return std::nullopt;
    return options_.delay_ms;
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("fewer than {} failures in {} ms, each restart after {} ms",
                       options_.failures_max, options_.interval_ms, options_.delay_ms);
  }

 private:
  const FailureRateOptions options_;
  std::deque<std::int64_t> failures_ms_;  // Within the interval: fewer than failures_max.
};

}  // namespace

std::unique_ptr<RestartStrategy> make_failure_rate_restart(const FailureRateOptions& options) {
  return std::make_unique<FailureRateRestart>(options);
}

}  // namespace clepsydra
