#include "sql/settings.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/configuration.h"
#include "base/option_check.h"
#include "base/utf8.h"
#include "stream/key_group.h"
#include "stream/time_zone.h"

namespace clepsydra {

template <>
struct EnumNames<sql::AggregatePhaseStrategy> {
  static constexpr std::pair<std::string_view, sql::AggregatePhaseStrategy> kNames[] = {
      {"AUTO", sql::AggregatePhaseStrategy::kAuto},
      {"ONE_PHASE", sql::AggregatePhaseStrategy::kOnePhase},
      {"TWO_PHASE", sql::AggregatePhaseStrategy::kTwoPhase}};
};
template <>
struct EnumNames<sql::NotNullEnforcer> {
  static constexpr std::pair<std::string_view, sql::NotNullEnforcer> kNames[] = {
      {"ERROR", sql::NotNullEnforcer::kError}, {"DROP", sql::NotNullEnforcer::kDrop}};
};
template <>
struct EnumNames<sql::SinkKeyedShuffle> {
  static constexpr std::pair<std::string_view, sql::SinkKeyedShuffle> kNames[] = {
      {"NONE", sql::SinkKeyedShuffle::kNone},
      {"AUTO", sql::SinkKeyedShuffle::kAuto},
      {"FORCE", sql::SinkKeyedShuffle::kForce}};
};

namespace sql {
namespace {

constexpr int kParallelismMax = 4096;

enum class RuntimeMode : std::uint8_t { kStreaming, kBatch, kAutomatic };
// Values of the reference; some are not built.
enum class WrittenLength : std::uint8_t { kIgnore, kTrimPad, kError };
enum class NestedConstraint : std::uint8_t { kIgnore, kReject };
enum class LegacyCast : std::uint8_t { kDisabled, kEnabled };
enum class Dialect : std::uint8_t { kDefault, kHive };

}  // namespace
}  // namespace sql

template <>
struct EnumNames<sql::RuntimeMode> {
  static constexpr std::pair<std::string_view, sql::RuntimeMode> kNames[] = {
      {"STREAMING", sql::RuntimeMode::kStreaming},
      {"BATCH", sql::RuntimeMode::kBatch},
      {"AUTOMATIC", sql::RuntimeMode::kAutomatic}};
};
template <>
struct EnumNames<sql::WrittenLength> {
  static constexpr std::pair<std::string_view, sql::WrittenLength> kNames[] = {
      {"IGNORE", sql::WrittenLength::kIgnore},
      {"TRIM_PAD", sql::WrittenLength::kTrimPad},
      {"ERROR", sql::WrittenLength::kError}};
};
template <>
struct EnumNames<sql::NestedConstraint> {
  static constexpr std::pair<std::string_view, sql::NestedConstraint> kNames[] = {
      {"IGNORE", sql::NestedConstraint::kIgnore},
      {"ROWS", sql::NestedConstraint::kReject},
      {"ROWS_AND_COLLECTIONS", sql::NestedConstraint::kReject}};
};
template <>
struct EnumNames<sql::LegacyCast> {
  static constexpr std::pair<std::string_view, sql::LegacyCast> kNames[] = {
      {"DISABLED", sql::LegacyCast::kDisabled}, {"ENABLED", sql::LegacyCast::kEnabled}};
};
template <>
struct EnumNames<sql::Dialect> {
  static constexpr std::pair<std::string_view, sql::Dialect> kNames[] = {
      {"DEFAULT", sql::Dialect::kDefault}, {"HIVE", sql::Dialect::kHive}};
};

namespace sql {
namespace {

constexpr ConfigOption<std::int32_t> kParallelism{"parallelism.default", "1",
                                                  "parallelism of a job"};
constexpr ConfigOption<std::int32_t> kSqlParallelism{
    "table.exec.resource.default-parallelism", "-1",
    "parallelism of SQL operators; -1: parallelism.default"};
constexpr ConfigOption<std::int32_t> kMaxParallelism{"pipeline.max-parallelism", "-1",
                                                     "number of key groups; -1: 128"};
constexpr ConfigOption<std::string> kZone{"table.local-time-zone", "default",
                                          "the session's time zone"};
constexpr ConfigOption<AggregatePhaseStrategy> kPhase{"table.optimizer.agg-phase-strategy", "AUTO",
                                                      "aggregate locally before the exchange"};
constexpr ConfigOption<NotNullEnforcer> kNotNull{"table.exec.sink.not-null-enforcer", "ERROR",
                                                 "what happens to NULL in a NOT NULL column"};
constexpr ConfigOption<WrittenLength> kLength{
    "table.exec.sink.type-length-enforcer", "IGNORE",
    "what happens to texts and bytes that do not have the length of their type"};
constexpr ConfigOption<NestedConstraint> kNested{"table.exec.sink.nested-constraint-enforcer",
                                                 "IGNORE", "constraints of fields of a ROW"};
constexpr ConfigOption<SinkKeyedShuffle> kKeyedShuffle{
    "table.exec.sink.keyed-shuffle", "AUTO", "rows of one primary key go to one subtask of a sink"};
constexpr ConfigOption<LegacyCast> kLegacyCast{"table.exec.legacy-cast-behaviour", "DISABLED",
                                               "casts as they were before"};
constexpr ConfigOption<std::string> kHiddenColumns{"table.column-expansion-strategy", "",
                                                   "columns that * leaves out"};
constexpr ConfigOption<Dialect> kDialect{"table.sql-dialect", "default", "the SQL that is read"};
constexpr ConfigOption<Duration> kIdleTimeout{"table.exec.source.idle-timeout", "0 ms",
                                              "a source without rows for this long is idle"};
constexpr ConfigOption<bool> kReusePlans{"table.optimizer.reuse-sub-plan-enabled", "true",
                                         "compute equal parts of a plan once"};
constexpr ConfigOption<bool> kReuseSources{"table.optimizer.reuse-source-enabled", "true",
                                           "read a table once"};
constexpr ConfigOption<bool> kHints{"table.dynamic-table-options.enabled", "true",
                                    "whether OPTIONS hints are allowed"};
constexpr ConfigOption<std::string> kPipelineName{"pipeline.name", "", "name of the job"};
constexpr ConfigOption<RuntimeMode> kRuntimeMode{"execution.runtime-mode", "STREAMING",
                                                 "streaming or batch"};

Status not_built(std::string_view key, std::string_view value) {
  return Status::unimplemented(fmt::format("'{}' = '{}' is not built yet", key, value));
}

// What the reference has beside what is built.
Status refuse_unbuilt(const Configuration& configuration) {
  CLP_ASSIGN_OR_RETURN(const NestedConstraint nested, configuration.get(kNested));
  if (nested != NestedConstraint::kIgnore) {
    return not_built(kNested.key, *configuration.find(kNested.key));
  }
  CLP_ASSIGN_OR_RETURN(const LegacyCast cast, configuration.get(kLegacyCast));
  if (cast != LegacyCast::kDisabled) return not_built(kLegacyCast.key, "ENABLED");
  CLP_ASSIGN_OR_RETURN(const std::string hidden, configuration.get(kHiddenColumns));
  if (!hidden.empty()) return not_built(kHiddenColumns.key, clip(hidden, 64));
  CLP_ASSIGN_OR_RETURN(const Dialect dialect, configuration.get(kDialect));
  return dialect == Dialect::kDefault ? Status::ok() : not_built(kDialect.key, "hive");
}

Status check_range(std::string_view key, int value, int min, int max) {
  if (value >= min && value <= max) return Status::ok();
  return Status::invalid_argument(
      fmt::format("'{}' must be between {} and {}, but is {}", key, min, max, value));
}

}  // namespace

Result<PlannerSettings> read_planner_settings(const Configuration& configuration) {
  PlannerSettings settings;
  CLP_ASSIGN_OR_RETURN(const RuntimeMode mode, configuration.get(kRuntimeMode));
  settings.is_batch = mode == RuntimeMode::kBatch;
  CLP_RETURN_IF_ERROR(refuse_unbuilt(configuration));
  CLP_ASSIGN_OR_RETURN(settings.parallelism, configuration.get(kSqlParallelism));
  if (settings.parallelism == -1) {
    CLP_ASSIGN_OR_RETURN(settings.parallelism, configuration.get(kParallelism));
    CLP_RETURN_IF_ERROR(check_range(kParallelism.key, settings.parallelism, 1, kParallelismMax));
  }
  CLP_RETURN_IF_ERROR(check_range(kSqlParallelism.key, settings.parallelism, 1, kParallelismMax));
  CLP_ASSIGN_OR_RETURN(settings.max_parallelism, configuration.get(kMaxParallelism));
  if (settings.max_parallelism == -1) settings.max_parallelism = kDefaultMaxParallelism;
  CLP_RETURN_IF_ERROR(
      check_range(kMaxParallelism.key, settings.max_parallelism, 1, kMaxMaxParallelism));
  if (settings.max_parallelism < settings.parallelism) {
    return Status::invalid_argument(
        fmt::format("'pipeline.max-parallelism' is {}, less than the parallelism {}",
                    settings.max_parallelism, settings.parallelism));
  }
  CLP_ASSIGN_OR_RETURN(settings.zone, configuration.get(kZone));
  if (settings.zone == "default") settings.zone = "UTC";
  CLP_ASSIGN_OR_RETURN(settings.aggregate_phase, configuration.get(kPhase));
  CLP_ASSIGN_OR_RETURN(settings.not_null_enforcer, configuration.get(kNotNull));
  CLP_ASSIGN_OR_RETURN(const WrittenLength length, configuration.get(kLength));
  if (length == WrittenLength::kError) return not_built(kLength.key, "ERROR");
  if (length == WrittenLength::kTrimPad) {
    settings.type_length_enforcer = TypeLengthEnforcer::kTrimPad;
  }
  CLP_ASSIGN_OR_RETURN(settings.sink_keyed_shuffle, configuration.get(kKeyedShuffle));
  CLP_ASSIGN_OR_RETURN(const Duration idle, configuration.get(kIdleTimeout));
  settings.source_idle_timeout_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(idle).count();
  CLP_ASSIGN_OR_RETURN(settings.reuse_sub_plans, configuration.get(kReusePlans));
  CLP_ASSIGN_OR_RETURN(settings.reuse_sources, configuration.get(kReuseSources));
  CLP_ASSIGN_OR_RETURN(settings.dynamic_table_options, configuration.get(kHints));
  CLP_ASSIGN_OR_RETURN(settings.pipeline_name, configuration.get(kPipelineName));
  return settings;
}

Status check_setting(std::string_view key, std::string_view value) {
  CLP_RETURN_IF_ERROR(check_option(key, value));
  if (key == kZone.key && value != "default") return find_time_zone(value).status();
  Configuration one;
  one.set(std::string(key), std::string(value));
  // A range that depends on two keys is checked when a job is planned.
  if (key == kSqlParallelism.key || key == kParallelism.key) {
    one.set(std::string(kMaxParallelism.key), fmt::format("{}", kMaxMaxParallelism));
  }
  return read_planner_settings(one).status();
}

}  // namespace sql
}  // namespace clepsydra
