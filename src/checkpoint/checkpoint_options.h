// What a job says about its checkpoints and about what it starts from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "clepsydra/status.h"

namespace clepsydra {

enum class CheckpointingMode : std::uint8_t { kExactlyOnce, kAtLeastOnce };

// What becomes of the retained checkpoints of a job that ends without having finished. Those of a
// job that has finished are removed.
enum class CheckpointRetention : std::uint8_t {
  kNone,            // Removed.
  kDeleteOnCancel,  // Kept when it failed.
  kRetainOnCancel,  // Kept.
};

enum class RecoveryClaimMode : std::uint8_t {
  kClaim,    // What is restored from belongs to the job, which removes it when it is not needed.
  kNoClaim,  // It stays as it is, and the job needs nothing of it after its first checkpoint.
};

// Keys: execution.checkpointing.*
struct CheckpointOptions {
  std::int64_t interval_ms = 0;  // 0: only savepoints, on demand.
  std::int64_t timeout_ms = 600'000;
  std::int64_t min_pause_ms = 0;  // From the end of one to the start of the next.
  int max_concurrent = 1;
  int tolerable_failures = 0;  // In a row; one more fails the attempt.
  CheckpointingMode mode = CheckpointingMode::kExactlyOnce;
  CheckpointRetention retention = CheckpointRetention::kNone;
  int num_retained = 1;
  bool is_incremental = true;
  bool after_tasks_finish = true;
  // Barriers overtake rows, once a checkpoint has taken longer than aligned_timeout_ms. Then
  // exactly once, and one at a time.
  bool is_unaligned = false;
  std::int64_t aligned_timeout_ms = 0;
  std::int64_t inline_bytes_max = 20 << 10;  // Snapshots up to this size are kept in the metadata.
  std::string dir;            // Of the checkpoints of all jobs. Empty: they are kept in memory.
  std::string savepoint_dir;  // Default of savepoints. Empty: each names its own.
  // Tasks keep a second copy of their state files on a disk of their machine.
  bool has_local_copies = false;
  bool reads_local_copies = false;  // They are preferred when state is restored.
  std::string local_copies_dir;     // Empty: in the folder for temporary files.
  // What was set and is not followed, and why: for the log.
  std::vector<std::string> overruled;

  [[nodiscard]] bool is_enabled() const { return interval_ms > 0; }

  static constexpr std::int64_t kIntervalMsMin = 10;
  static constexpr int kConcurrentMax = 100;
  static constexpr int kRetainedMax = 10'000;
  static constexpr std::int64_t kInlineBytesMax = 1 << 20;
  static constexpr std::int64_t kDurationMsMax = 365LL * 24 * 3600 * 1000;
};

// Errors name the key, the value and what is expected.
Result<CheckpointOptions> read_checkpoint_options(const Configuration& configuration);

// Keys: execution.state-recovery.*
struct RecoveryOptions {
  std::string path;  // Of a checkpoint, a savepoint or a job's folder. Empty: from the beginning.
  RecoveryClaimMode claim_mode = RecoveryClaimMode::kNoClaim;
  bool ignore_unclaimed_state = false;  // State of operators that the job does not have is dropped.
};

Result<RecoveryOptions> read_recovery_options(const Configuration& configuration);

}  // namespace clepsydra
