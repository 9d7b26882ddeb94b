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
enum class TypeLengthEnforcer : std::uint8_t { kIgnore, kTrimPad };
// Whether rows of one primary key go to one subtask of a sink.
enum class SinkKeyedShuffle : std::uint8_t {
  kNone,
  kAuto,   // When the sink has another parallelism than what comes before it.
  kForce,  // Also when it has the same.
};

struct PlannerSettings {
  // Every source ends, and nothing is told of event time before it has: no row is late, and windows
  // give their results at the end.
  bool is_batch = false;
  int parallelism = 1;
  int max_parallelism = 128;
  std::string zone = "UTC";  // table.local-time-zone, an IANA name or offset.
  AggregatePhaseStrategy aggregate_phase = AggregatePhaseStrategy::kAuto;
  NotNullEnforcer not_null_enforcer = NotNullEnforcer::kError;
  TypeLengthEnforcer type_length_enforcer = TypeLengthEnforcer::kIgnore;
  SinkKeyedShuffle sink_keyed_shuffle = SinkKeyedShuffle::kAuto;
  std::int64_t source_idle_timeout_ms = 0;  // 0: a source without rows holds watermarks back.
  bool reuse_sub_plans = true;
  bool reuse_sources = true;
  bool dynamic_table_options = true;  // OPTIONS hints are allowed.
  std::string pipeline_name;          // Empty: the planner makes one.
};

// Errors name key, value and expected form.
Result<PlannerSettings> read_planner_settings(const Configuration& configuration);

// Checks a setting when it is made: its form, and the range of what the planner reads.
Status check_setting(std::string_view key, std::string_view value);

}  // namespace clepsydra::sql
