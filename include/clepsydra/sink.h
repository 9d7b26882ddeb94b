// Sinks: writers on tasks, one committer on the JobManager. What a writer prepared becomes visible
// only when the committer is told that everything up to a point is complete.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

class Batch;
class Clock;
class Configuration;
class FileSystem;
class MemoryPool;
class TextOutput;

struct SinkContext {
  MemoryPool* pool = nullptr;
  FileSystem* file_system = nullptr;
  const Clock* clock = nullptr;
  const Configuration* configuration = nullptr;
  TextOutput* standard_output = nullptr;  ///< Where `print` writes; shared by all, thread-safe.
  std::string job_id;
  std::string operator_uid;  ///< Several sinks of a job may write to one table.
  int attempt = 0;  ///< Of the job: names of what an earlier one left must not be used again.
  int subtask = 0;
  int parallelism = 1;
};

/// Threads: the task's.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;
  virtual Status write(const Batch& batch) = 0;
  /// Called when nothing more is waiting: what is buffered should reach the outside soon.
  virtual Status flush() = 0;
  /// Event time of what was written so far; kMaxWatermark at the end of the input.
  virtual void advance_watermark(std::int64_t watermark) { (void)watermark; }
  /// Everything written so far is durable but invisible; each answer is a committable. At a barrier
  /// and at the end of input.
  virtual Result<std::vector<std::string>> prepare_commit() = 0;
  /// The job failed or was cancelled: undo what was not handed to prepare_commit(). Never fails
  /// loudly.
  virtual void abort() = 0;
};

/// Lives on the JobManager. Every call may be repeated and must then do nothing.
class SinkCommitter {
 public:
  virtual ~SinkCommitter() = default;
  /// Makes the committables visible.
  virtual Status commit(std::span<const std::string> committables) = 0;
  /// The same for what a checkpoint holds that a job starts from. They may have been committed
  /// before, and somebody may have taken the results away since.
  virtual Status commit_restored(std::span<const std::string> committables) {
    return commit(committables);
  }
  /// A savepoint is about to have them, and somebody may start a job from it at any time: whatever
  /// job runs until then, remove_leftovers() has to leave them. Those of one without a committer's
  /// doing (a transaction that an outside system keeps) need nothing.
  virtual Status hold(std::span<const std::string> committables) {
    (void)committables;
    return Status::ok();
  }
  /// They will never be committed: remove them.
  virtual void abort(std::span<const std::string> committables) = 0;
  /// The job `job_id` runs no more and everything of it that is to be committed was: removes what
  /// else its writers have left behind, as a killed process does, and no savepoint holds. Never
  /// fails loudly.
  virtual void remove_leftovers(const std::string& job_id) { (void)job_id; }
};

/// A sink as built from its spec.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<std::unique_ptr<SinkWriter>> open_writer(const SinkContext& context) const = 0;
  /// Null when there is nothing to commit (print, blackhole).
  virtual Result<std::unique_ptr<SinkCommitter>> make_committer(
      const SinkContext& context) const = 0;
};

}  // namespace clepsydra
