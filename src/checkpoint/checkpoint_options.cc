#include "checkpoint/checkpoint_options.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/duration.h"
#include "base/file_system.h"
#include "base/utf8.h"

namespace clepsydra {

template <>
struct EnumNames<CheckpointingMode> {
  static constexpr std::array<std::pair<std::string_view, CheckpointingMode>, 2> kNames = {
      {{"EXACTLY_ONCE", CheckpointingMode::kExactlyOnce},
       {"AT_LEAST_ONCE", CheckpointingMode::kAtLeastOnce}}};
};

template <>
struct EnumNames<CheckpointRetention> {
  static constexpr std::array<std::pair<std::string_view, CheckpointRetention>, 3> kNames = {
      {{"NO_EXTERNALIZED_CHECKPOINTS", CheckpointRetention::kNone},
       {"DELETE_ON_CANCELLATION", CheckpointRetention::kDeleteOnCancel},
       {"RETAIN_ON_CANCELLATION", CheckpointRetention::kRetainOnCancel}}};
};

template <>
struct EnumNames<RecoveryClaimMode> {
  static constexpr std::array<std::pair<std::string_view, RecoveryClaimMode>, 2> kNames = {
      {{"NO_CLAIM", RecoveryClaimMode::kNoClaim}, {"CLAIM", RecoveryClaimMode::kClaim}}};
};

namespace {

enum class StorageKind : std::uint8_t { kJobManager, kFileSystem };

}  // namespace

template <>
struct EnumNames<StorageKind> {
  static constexpr std::array<std::pair<std::string_view, StorageKind>, 2> kNames = {
      {{"jobmanager", StorageKind::kJobManager}, {"filesystem", StorageKind::kFileSystem}}};
};

namespace {

// Defaults and names as in the reference (base/reference_options.inc).
constexpr ConfigOption<Duration> kInterval{"execution.checkpointing.interval", std::nullopt,
                                           "how often a checkpoint begins"};
constexpr ConfigOption<Duration> kTimeout{"execution.checkpointing.timeout", "PT10M",
                                          "a checkpoint that takes longer is aborted"};
constexpr ConfigOption<Duration> kMinPause{
    "execution.checkpointing.min-pause", "PT0S",
    "time from the end of a checkpoint to the start of the next"};
constexpr ConfigOption<std::int32_t> kMaxConcurrent{
    "execution.checkpointing.max-concurrent-checkpoints", "1", "checkpoints under way at a time"};
constexpr ConfigOption<std::int32_t> kTolerableFailures{
    "execution.checkpointing.tolerable-failed-checkpoints", "0",
    "checkpoints in a row that may fail"};
constexpr ConfigOption<CheckpointingMode> kMode{"execution.checkpointing.mode", "EXACTLY_ONCE",
                                                "EXACTLY_ONCE or AT_LEAST_ONCE"};
constexpr ConfigOption<CheckpointRetention> kRetention{
    "execution.checkpointing.externalized-checkpoint-retention", "NO_EXTERNALIZED_CHECKPOINTS",
    "what becomes of the checkpoints of a job that was cancelled or has failed"};
constexpr ConfigOption<std::int32_t> kNumRetained{"execution.checkpointing.num-retained", "1",
                                                  "completed checkpoints that are kept"};
// Unlike the reference, where it is off: here a delta costs nothing that a base does not
// (docs/architecture/0005-durable-state.md).
constexpr ConfigOption<bool> kIncremental{"execution.checkpointing.incremental", "true",
                                          "write what has changed only"};
constexpr ConfigOption<bool> kAfterTasksFinish{
    "execution.checkpointing.checkpoints-after-tasks-finish", "true",
    "go on with checkpoints when some tasks have finished"};
constexpr ConfigOption<MemorySize> kInlineThreshold{
    "execution.checkpointing.data-inline-threshold", "20 kb",
    "snapshots up to this size are kept in the metadata"};
constexpr ConfigOption<std::string> kDir{"execution.checkpointing.dir", std::nullopt,
                                         "folder of the checkpoints"};
constexpr ConfigOption<std::string> kSavepointDir{"execution.checkpointing.savepoint-dir",
                                                  std::nullopt, "default folder of savepoints"};
constexpr ConfigOption<StorageKind> kStorage{"execution.checkpointing.storage", std::nullopt,
                                             "jobmanager or filesystem"};
constexpr ConfigOption<bool> kUnaligned{"execution.checkpointing.unaligned.enabled", "false",
                                        "barriers overtake rows"};
constexpr ConfigOption<Duration> kAlignedTimeout{
    "execution.checkpointing.aligned-checkpoint-timeout", "PT0S",
    "after so long the barriers of an unaligned checkpoint overtake"};
constexpr ConfigOption<bool> kLocalBackup{"execution.checkpointing.local-backup.enabled", "false",
                                          "keep a copy of the state beside each task"};
constexpr ConfigOption<std::string> kLocalBackupDirs{"execution.checkpointing.local-backup.dirs",
                                                     std::nullopt, "folder of those copies"};
// Unlike the reference, where it is off unless it is set: who keeps copies wants them read.
constexpr ConfigOption<bool> kFromLocal{"execution.state-recovery.from-local", std::nullopt,
                                        "restore from those copies"};
constexpr ConfigOption<std::string> kRecoveryPath{"execution.state-recovery.path", std::nullopt,
                                                  "checkpoint or savepoint to start from"};
constexpr ConfigOption<RecoveryClaimMode> kClaimMode{"execution.state-recovery.claim-mode",
                                                     "NO_CLAIM", "CLAIM or NO_CLAIM"};
constexpr ConfigOption<bool> kIgnoreUnclaimed{"execution.state-recovery.ignore-unclaimed-state",
                                              "false", "drop state of operators that are gone"};

// What the reference can do and this does not, unless it is set to what happens anyway. What it
// only tunes there is not among them.
struct Unbuilt {
  std::string_view key;
  std::string_view without;  // The value that asks for nothing; empty: none does.
  std::string_view what;
};
constexpr std::array<Unbuilt, 10> kUnbuilt = {{
    {"execution.checkpointing.create-subdir", "true", "a job's checkpoints without its own folder"},
    {"execution.checkpointing.during-recovery.enabled", "false",
     "checkpoints while a job recovers"},
    {"execution.checkpointing.file-merging.enabled", "false", "several states in one file"},
    {"execution.checkpointing.interval-during-backlog", "", "another interval for a backlog"},
    {"execution.checkpointing.snapshot-compression", "false", "compressed state"},
    {"execution.state-recovery.approximate-local-recovery", "false", "recovery that loses rows"},
    {"execution.state-recovery.without-channel-state.checkpoint-id", "-1",
     "leaving out what was in flight"},
    {"state.changelog.enabled", "false", "a log of changes beside the checkpoints"},
    {"state.latency-track.keyed-state-enabled", "false", "metrics of state's latency"},
    {"state.size-track.keyed-state-enabled", "false", "metrics of state's size"},
}};

Status refuse_unbuilt(const Configuration& configuration) {
  for (const Unbuilt& unbuilt : kUnbuilt) {
    const std::string* value = configuration.find(unbuilt.key);
    if (value == nullptr || internal::same_enum_name(*value, unbuilt.without)) continue;
    return Status::unimplemented(fmt::format("option '{}' is '{}': {} is not built yet; remove it",
                                             unbuilt.key, clip(*value, 64), unbuilt.what));
  }
  return Status::ok();
}

Status out_of_bounds(std::string_view key, std::string_view found, std::string_view low,
                     std::string_view high) {
  return Status::invalid_argument(
      fmt::format("option '{}' is {}, expected from {} to {}", key, found, low, high));
}

Result<std::int64_t> read_ms(const Configuration& configuration,
                             const ConfigOption<Duration>& option, std::int64_t low_ms) {
  CLP_ASSIGN_OR_RETURN(const Duration value, configuration.get(option));
  using std::chrono::milliseconds;
  constexpr milliseconds kMax(CheckpointOptions::kDurationMsMax);
  if (value < milliseconds(low_ms) || value > kMax) {
    return out_of_bounds(option.key, format_duration(value), format_duration(milliseconds(low_ms)),
                         format_duration(kMax));
  }
  return std::chrono::duration_cast<milliseconds>(value).count();
}

Result<int> read_int(const Configuration& configuration, const ConfigOption<std::int32_t>& option,
                     int low, int high) {
  CLP_ASSIGN_OR_RETURN(const std::int32_t value, configuration.get(option));
  if (value < low || value > high) {
    return out_of_bounds(option.key, fmt::to_string(value), fmt::to_string(low),
                         fmt::to_string(high));
  }
  return value;
}

// A folder or file: empty text is a mistake, not the absence of one.
Result<std::string> read_path(const Configuration& configuration,
                              const ConfigOption<std::string>& option) {
  CLP_ASSIGN_OR_RETURN(const std::optional<std::string> text, configuration.get_optional(option));
  if (!text) return std::string();
  Result<std::string> path = canonical_path(*text);
  if (!path.is_ok()) return path.status().with_context(fmt::format("option '{}'", option.key));
  return path;
}

Status read_times(const Configuration& configuration, CheckpointOptions& options) {
  if (configuration.contains(kInterval.key)) {
    CLP_ASSIGN_OR_RETURN(options.interval_ms,
                         read_ms(configuration, kInterval, CheckpointOptions::kIntervalMsMin));
  }
  CLP_ASSIGN_OR_RETURN(options.timeout_ms,
                       read_ms(configuration, kTimeout, CheckpointOptions::kIntervalMsMin));
  CLP_ASSIGN_OR_RETURN(options.min_pause_ms, read_ms(configuration, kMinPause, 0));
  return Status::ok();
}

Status read_numbers(const Configuration& configuration, CheckpointOptions& options) {
  CLP_ASSIGN_OR_RETURN(options.max_concurrent, read_int(configuration, kMaxConcurrent, 1,
                                                        CheckpointOptions::kConcurrentMax));
  CLP_ASSIGN_OR_RETURN(
      options.tolerable_failures,
      read_int(configuration, kTolerableFailures, 0, std::numeric_limits<std::int32_t>::max()));
  CLP_ASSIGN_OR_RETURN(options.num_retained,
                       read_int(configuration, kNumRetained, 1, CheckpointOptions::kRetainedMax));
  CLP_ASSIGN_OR_RETURN(const MemorySize threshold, configuration.get(kInlineThreshold));
  if (threshold.bytes < 0 || threshold.bytes > CheckpointOptions::kInlineBytesMax) {
    return out_of_bounds(kInlineThreshold.key, format_memory_size(threshold), "0 bytes",
                         format_memory_size({CheckpointOptions::kInlineBytesMax}));
  }
  options.inline_bytes_max = threshold.bytes;
  return Status::ok();
}

// `storage` says what `dir` says already; where they disagree somebody would lose his checkpoints.
Status read_folders(const Configuration& configuration, CheckpointOptions& options) {
  CLP_ASSIGN_OR_RETURN(options.dir, read_path(configuration, kDir));
  CLP_ASSIGN_OR_RETURN(options.savepoint_dir, read_path(configuration, kSavepointDir));
  CLP_ASSIGN_OR_RETURN(const std::optional<StorageKind> storage,
                       configuration.get_optional(kStorage));
  if (storage == StorageKind::kFileSystem && options.dir.empty()) {
    return Status::invalid_argument(fmt::format(
        "option '{}' is filesystem, but there is no folder; set '{}'", kStorage.key, kDir.key));
  }
  if (storage == StorageKind::kJobManager && !options.dir.empty()) {
    return Status::invalid_argument(
        fmt::format("option '{}' is jobmanager, which keeps checkpoints in memory, but '{}' is "
                    "'{}'; remove one of them",
                    kStorage.key, kDir.key, clip(options.dir, 64)));
  }
  return Status::ok();
}

// As in the reference, what does not go together gives way with a warning.
Status read_unaligned(const Configuration& configuration, CheckpointOptions& options) {
  CLP_ASSIGN_OR_RETURN(options.is_unaligned, configuration.get(kUnaligned));
  CLP_ASSIGN_OR_RETURN(options.aligned_timeout_ms, read_ms(configuration, kAlignedTimeout, 0));
  if (!options.is_unaligned) return Status::ok();
  if (options.mode != CheckpointingMode::kExactlyOnce) {
    options.is_unaligned = false;
    options.overruled.push_back(
        fmt::format("'{}' is not followed: at least once no barrier waits, so none has to overtake",
                    kUnaligned.key));
  } else if (options.max_concurrent > 1) {
    options.overruled.push_back(
        fmt::format("'{}' is 1, not {}: an unaligned checkpoint is alone under way",
                    kMaxConcurrent.key, options.max_concurrent));
    options.max_concurrent = 1;
  }
  return Status::ok();
}

Status read_local_copies(const Configuration& configuration, CheckpointOptions& options) {
  CLP_ASSIGN_OR_RETURN(options.has_local_copies, configuration.get(kLocalBackup));
  CLP_ASSIGN_OR_RETURN(const std::optional<bool> from_local,
                       configuration.get_optional(kFromLocal));
  options.reads_local_copies = from_local.value_or(options.has_local_copies);
  CLP_ASSIGN_OR_RETURN(options.local_copies_dir, read_path(configuration, kLocalBackupDirs));
  if (options.local_copies_dir.find_first_of(",;") != std::string::npos) {
    return Status::unimplemented(
        fmt::format("option '{}' is '{}': more than one folder is not built yet; name one",
                    kLocalBackupDirs.key, clip(options.local_copies_dir, 64)));
  }
  if (!scheme_of(options.local_copies_dir).empty()) {
    return Status::invalid_argument(
        fmt::format("option '{}' is '{}', expected a folder of this machine", kLocalBackupDirs.key,
                    clip(options.local_copies_dir, 64)));
  }
  return Status::ok();
}

}  // namespace

Result<CheckpointOptions> read_checkpoint_options(const Configuration& configuration) {
  CLP_RETURN_IF_ERROR(refuse_unbuilt(configuration));
  CheckpointOptions options;
  CLP_RETURN_IF_ERROR(read_times(configuration, options));
  CLP_RETURN_IF_ERROR(read_numbers(configuration, options));
  CLP_RETURN_IF_ERROR(read_folders(configuration, options));
  CLP_ASSIGN_OR_RETURN(options.mode, configuration.get(kMode));
  CLP_ASSIGN_OR_RETURN(options.retention, configuration.get(kRetention));
  CLP_ASSIGN_OR_RETURN(options.is_incremental, configuration.get(kIncremental));
  CLP_ASSIGN_OR_RETURN(options.after_tasks_finish, configuration.get(kAfterTasksFinish));
  CLP_RETURN_IF_ERROR(read_unaligned(configuration, options));
  CLP_RETURN_IF_ERROR(read_local_copies(configuration, options));
  return options;
}

Result<RecoveryOptions> read_recovery_options(const Configuration& configuration) {
  RecoveryOptions options;
  CLP_ASSIGN_OR_RETURN(options.path, read_path(configuration, kRecoveryPath));
  CLP_ASSIGN_OR_RETURN(options.claim_mode, configuration.get(kClaimMode));
  CLP_ASSIGN_OR_RETURN(options.ignore_unclaimed_state, configuration.get(kIgnoreUnclaimed));
  return options;
}

}  // namespace clepsydra
