#include "jobmanager/restart/restart_strategy.h"

namespace clepsydra {
namespace {

class NoRestart final : public RestartStrategy {
 public:
  std::optional<std::int64_t> on_failure(std::int64_t /*now_ms*/) override { return std::nullopt; }
  [[nodiscard]] std::string describe() const override { return "no restarts"; }
};

}  // namespace

std::unique_ptr<RestartStrategy> make_no_restart() {
  return std::make_unique<NoRestart>();
}

}  // namespace clepsydra
