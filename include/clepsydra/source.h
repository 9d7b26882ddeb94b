// Sources: an enumerator finds splits, readers read them. The engine owns the loop, the watermarks,
// the offsets and the checkpoints; a connector answers open, poll and position.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clepsydra/status.h"

namespace clepsydra {

class Batch;
class Clock;
class Configuration;
class FileSystem;
class MemoryPool;
class Random;
class Schema;
class ValueTree;

/// A part of the input that one reader reads in order: a file, a range of a file, a partition.
struct SourceSplit {
  std::string id;             ///< Unique within the source: "orders.csv@0+1048576".
  std::string payload;        ///< What the connector needs to open it; also its start position.
  std::string progress = {};  ///< The engine's own: how far event time is. Empty for a new split.
  friend bool operator==(const SourceSplit&, const SourceSplit&) = default;
};

/// What an enumerator may do. Threads: the coordinator's.
class SplitEnumeratorContext {
 public:
  virtual ~SplitEnumeratorContext() = default;
  [[nodiscard]] virtual int parallelism() const = 0;
  virtual void assign_split(int subtask, SourceSplit split) = 0;
  /// The subtask gets no further split: it ends when what it has is read.
  virtual void signal_no_more_splits(int subtask) = 0;
  /// Calls SplitEnumerator::on_timer() after `delay_ms`.
  virtual void schedule(std::int64_t delay_ms) = 0;
  virtual FileSystem& file_system() = 0;
  virtual const Clock& clock() = 0;
};

/// Lives on the JobManager, one per source.
class SplitEnumerator {
 public:
  virtual ~SplitEnumerator() = default;
  virtual Status start(SplitEnumeratorContext& context) = 0;
  /// A subtask has nothing (more) to read. Answered now or later by assign_split or no_more_splits.
  virtual Status handle_split_request(int subtask, SplitEnumeratorContext& context) = 0;
  virtual Status on_timer(SplitEnumeratorContext& context) = 0;
  /// Splits of a failed subtask that come back, at the position of the restored checkpoint.
  virtual void add_splits_back(std::vector<SourceSplit> splits) = 0;
  /// What it has not assigned, and all that it must remember to find each split once. Read by
  /// restore(), also of a later version.
  [[nodiscard]] virtual std::string snapshot() const = 0;
  /// In place of start(), with what snapshot() gave; splits that were assigned then follow by
  /// add_splits_back(). The number of subtasks may have changed.
  virtual Status restore(const std::string& snapshot, SplitEnumeratorContext& context) = 0;
};

/// What poll() found.
enum class PollState : std::uint8_t {
  kRows,        ///< `batch` has rows.
  kNothingYet,  ///< No rows now; ask again at `wake_at_ns` (Clock::monotonic_ns) or when new ones
                ///< come.
  kEndOfSplit,  ///< The split is finished; `batch` may still have rows.
};

struct SourceContext {
  MemoryPool* pool = nullptr;
  FileSystem* file_system = nullptr;
  const Clock* clock = nullptr;
  const Configuration* configuration = nullptr;
  int subtask = 0;
  int parallelism = 1;
  std::int64_t batch_rows_max = 4096;
  std::int64_t batch_bytes_max = 16 << 20;
  /// Rows that were skipped because they could not be decoded (format option); the engine publishes
  /// it.
  std::int64_t* skipped_rows = nullptr;
};

/// Reads one split. Threads: one at a time.
class SplitReader {
 public:
  virtual ~SplitReader() = default;
  struct Poll {
    PollState state = PollState::kNothingYet;
    std::int64_t wake_at_ns = 0;
  };
  /// Fills `batch` with up to `rows_max` next rows, columns as Source::produced_schema(). Does not
  /// wait.
  virtual Result<Poll> poll(std::int64_t rows_max, Batch& batch) = 0;
  /// A payload that continues after the last row returned.
  [[nodiscard]] virtual std::string position() const = 0;
  /// Bytes of outside data read so far (numBytesIn), for metrics.
  [[nodiscard]] virtual std::int64_t bytes_read() const { return 0; }
};

/// A source as built from its spec. Const and shared by the enumerator and all readers.
class Source {
 public:
  virtual ~Source() = default;
  [[nodiscard]] virtual bool is_bounded() const = 0;
  virtual Result<std::unique_ptr<SplitEnumerator>> make_enumerator() const = 0;
  virtual Result<std::unique_ptr<SplitReader>> open_split(const SourceSplit& split,
                                                          const SourceContext& context) const = 0;
};

}  // namespace clepsydra
