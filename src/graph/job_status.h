// What is known about a job that was started: shared by those who run it and those who ask.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "clepsydra/status.h"
#include "stream/batch.h"

namespace clepsydra {

// The reference's names are in job_phase_name(). Allowed moves: jobmanager/job_phase.h.
enum class JobPhase : std::uint8_t {
  kCreated = 0,    // Accepted, no task runs yet.
  kRunning = 1,    // Tasks were deployed.
  kFinishing = 2,  // All tasks have finished; what the sinks prepared is being made visible.
  kFailing = 3,    // A task has failed, the others are being cancelled.
  kCanceling = 4,  // Somebody cancelled the job.
  // An attempt has failed: its tasks are being cancelled, or the next attempt is being prepared.
  kRestarting = 5,
  kFinished = 6,
  kFailed = 7,
  kCanceled = 8,
};
// "CREATED", "RUNNING", ...
std::string_view job_phase_name(JobPhase phase);
// Nothing will change any more.
constexpr bool has_ended(JobPhase phase) {
  return phase >= JobPhase::kFinished;
}

// One operator, all its subtasks together, as of the last report.
struct OperatorMetrics {
  std::string uid;
  std::string name;
  int vertex = 0;  // The task that it is chained into.
  int parallelism = 1;
  bool is_source = false;
  bool is_sink = false;
  std::int64_t rows_in = 0;
  std::int64_t rows_out = 0;
  std::int64_t bytes_in = 0;      // Sources: read from outside.
  std::int64_t late_rows = 0;     // Came after all their windows had closed.
  std::int64_t dropped_rows = 0;  // Dropped for other named reasons (could not be decoded, ...).
  std::vector<std::string> late_sample;  // A few texts.
  // Smallest over the subtasks; kMinWatermark while unknown, kMaxWatermark at the end.
  std::int64_t watermark = kMinWatermark;
  std::int64_t peak_memory_bytes = 0;  // Largest of a subtask, summed.
  // Of the task it is chained into, summed over its subtasks.
  std::int64_t backpressured_ns = 0;  // Waited for room in its outputs.
  std::int64_t busy_ns = 0;
  std::int64_t idle_ns = 0;  // Waited for input.
};

// What became of the checkpoints of a job.
struct CheckpointProgress {
  std::int64_t completed = 0;  // Savepoints are not among them.
  std::int64_t failed = 0;
  int pending = 0;
  // Of the last one that completed; 0: there is none.
  std::int64_t last_id = 0;
  std::int64_t last_completed_ms = 0;  // Wall time of its end.
  std::int64_t last_duration_ms = 0;
  std::int64_t last_state_bytes = 0;    // All it consists of.
  std::int64_t last_written_bytes = 0;  // New for it.
  std::string last_path;                // Empty: it is kept in memory.
  Status last_failure;                  // Why the last one that failed did.
};

struct JobStatus {
  JobId id;
  std::string name;
  JobPhase phase = JobPhase::kCreated;
  Status error;  // The root cause, when failed or failing (of a restarting job: of its attempt).
  std::int64_t started_ms = 0;  // Wall time.
  std::int64_t ended_ms = 0;    // 0 while it has not ended.
  int subtasks = 0;
  int finished_subtasks = 0;  // Of this attempt.
  int attempt = 0;            // From 0.
  int restarts = 0;
  Status last_failure;        // Why the last attempt that was followed by another one failed.
  std::string restored_path;  // What the job started from; empty: from the beginning.
  CheckpointProgress checkpoints;
  std::vector<OperatorMetrics> operators;  // In the order of the graph.
};

// What became of a request for a savepoint.
struct SavepointStatus {
  bool has_ended = false;
  Status status;         // Why there is none.
  std::string location;  // Its folder, when it ended well.
};

}  // namespace clepsydra
