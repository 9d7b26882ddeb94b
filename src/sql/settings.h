// What the planner reads of the session's configuration, typed and checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {
class Configuration;
}  // namespace clepsydra

namespace clepsydra::sql {

enum class AggregatePhaseStrategy : std::uint8_t { kAuto, kOnePhase, kTwoPhase };
enum class NotNullEnforcer : std::uint8_t { kError, kDrop };

struct PlannerSettings {
  int parallelism = 1;
  int max_parallelism = 128;
  std::string zone = "UTC";  // table.local-time-zone, an IANA name or offset.
  AggregatePhaseStrategy aggregate_phase = AggregatePhaseStrategy::kAuto;
  NotNullEnforcer not_null_enforcer = NotNullEnforcer::kError;
  std::int64_t source_idle_timeout_ms = 0;  // 0: a source without rows holds watermarks back.
  bool reuse_sub_plans = true;
  bool reuse_sources = true;
  bool dynamic_table_options = true;  // OPTIONS hints are allowed.
  std::string pipeline_name;          // Empty: the planner makes one.
};

// Errors name key, value and expected form; batch mode is refused here.
Result<PlannerSettings> read_planner_settings(const Configuration& configuration);

// Checks a setting when it is made: its form, and the range of what the planner reads.
Status check_setting(std::string_view key, std::string_view value);

}  // namespace clepsydra::sql
