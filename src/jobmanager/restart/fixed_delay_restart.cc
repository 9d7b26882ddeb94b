#include <fmt/format.h>

#include "jobmanager/restart/restart_strategy.h"

namespace clepsydra {
namespace {

class FixedDelayRestart final : public RestartStrategy {
 public:
  explicit FixedDelayRestart(const FixedDelayOptions& options) : options_(options) {}

  std::optional<std::int64_t> on_failure(std::int64_t /*now_ms*/) override {
    if (restarts_ >= options_.restarts_max) return std::nullopt;
    ++restarts_;
    return options_.delay_ms;
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("at most {} restarts, each after {} ms", options_.restarts_max,
                       options_.delay_ms);
  }

 private:
  const FixedDelayOptions options_;
  std::int64_t restarts_ = 0;
};

}  // namespace

std::unique_ptr<RestartStrategy> make_fixed_delay_restart(const FixedDelayOptions& options) {
  return std::make_unique<FixedDelayRestart>(options);
}

}  // namespace clepsydra
