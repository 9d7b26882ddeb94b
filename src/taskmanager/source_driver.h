// Feeds a task from a source: splits, readers, computed columns, watermarks, idleness, alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/source.h"
#include "clepsydra/status.h"
#include "functions/expression_program.h"
#include "stream/batch.h"
#include "stream/watermark.h"
#include "taskmanager/task_input.h"
#include "taskmanager/watermark_generator.h"

namespace clepsydra {

class Clock;
class ConnectorRuntime;

// The options of operator kind "source":
//   source                  the connector's scan spec
//   projection              expressions over the produced schema, one per output column; absent:
//   all rowtime                 the event time column of the output, or -1 watermark expression
//   over the output schema (TIMESTAMP or TIMESTAMP_LTZ), or absent watermark_emit "on-periodic"
//   (default) or "on-event": after every row that advances it idle_timeout_ms         a split
//   without rows for so long is idle; 0: never alignment_group, alignment_max_drift_ms
//                           splits more than the drift ahead of the group's slowest source pause
struct SourceDriverOptions {
  ValueTree spec;
  SchemaPtr output;
  const ConnectorRuntime* connectors = nullptr;
  SourceContext context;  // Its skipped_rows is the driver's.
  EvaluationContext evaluation;
  std::int64_t watermark_interval_ms = 200;
  // Asks the JobManager for splits; answered by add_splits().
  std::function<void()> request_splits;
  // Tells the alignment group how far this subtask is; kMaxWatermark: it holds nobody back.
  std::function<void(std::int64_t watermark)> report_alignment;
};

// Polls the readers of its splits in turn. Each split has its own watermark; what goes out is their
// minimum. A smaller advance than the interval (WatermarkGenerator) goes out when a split has had
// nothing to read since one interval of processing time, becomes idle or ends; while rows come
// without a pause, only the rows decide, so that their marks do not depend on a clock.
//
// Threads: the task's.
class SourceDriver final : public TaskInput {
 public:
  static constexpr std::size_t kSplitsMax = 65'536;

  static Result<std::unique_ptr<SourceDriver>> make(SourceDriverOptions options);

  // The answer to a request: splits, the news that there will be no more, or nothing for now. A
  // split with progress goes on where snapshot_splits() found it: what its driver had said of event
  // time is said again before any of its rows.
  Status add_splits(const std::vector<SourceSplit>& splits, bool no_more_splits);
  // The splits that are being read, at their positions, with their progress.
  [[nodiscard]] std::vector<SourceSplit> snapshot_splits() const;
  // The subtask had ended before it was restored: there is nothing to ask for.
  void end_at_once();
  // Reads nothing more, though there may be more to read: event time goes to its end. The mark that
  // says so, unless it was said before. Positions stay where they are.
  std::optional<Batch> drain();
  void set_alignment_limit(std::int64_t watermark) { alignment_limit_ = watermark; }

  Result<Next> poll() override;
  [[nodiscard]] bool has_started() const override { return has_started_; }
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] std::int64_t watermark() const override { return delivered_watermark_; }
  [[nodiscard]] std::int64_t wake_deadline_ns() const override;

  [[nodiscard]] std::int64_t skipped_rows() const { return skipped_rows_; }
  [[nodiscard]] std::int64_t bytes_read() const;

 private:
  struct Split {
    Split(std::string split_id, std::unique_ptr<SplitReader> opened, std::int64_t interval_ms)
        : id(std::move(split_id)), reader(std::move(opened)), watermark(interval_ms) {}
    std::string id;
    std::unique_ptr<SplitReader> reader;
    WatermarkGenerator watermark;
    bool idle = false;
    std::int64_t wake_at_ns = 0;        // Not polled before.
    std::int64_t empty_since_ns = -1;   // It has had nothing to read since; -1: it has rows.
    std::int64_t pending_since_ns = 0;  // While the generator has something pending.
  };

  explicit SourceDriver(SourceDriverOptions options);
  Status compile();
  void ask_for_splits();
  std::optional<Batch> take_mark();
  // Polls split `index`: a batch with rows, or nothing.
  Result<std::optional<Batch>> poll_split(std::size_t index, std::int64_t now_ns);
  // Computed columns and marks of rows just read.
  Result<Batch> finish_batch(const Batch& batch, std::size_t index, std::int64_t now_ns);
  Result<Batch> project(const Batch& batch);
  void remove_split(std::size_t index);
  // How far event time was when `split` was stored, to be merged over the splits that come with it.
  Status restore_progress(const SourceSplit& split, Split& opened,
                          std::optional<std::int64_t>& delivered) const;
  // Ticks and idle timeouts of splits that have nothing to read.
  void let_time_pass(std::int64_t now_ns);
  [[nodiscard]] bool is_held_back(const Split& split) const;
  void report_alignment(bool is_resting);
  [[nodiscard]] std::int64_t alignment_watermark() const;
  void rebuild_merger();
  Batch without_stale_marks(Batch batch);

  SourceDriverOptions options_;
  std::unique_ptr<Source> source_;
  std::optional<ExpressionProgram> projection_;
  std::optional<ExpressionProgram> watermark_;
  int rowtime_ = -1;
  std::int64_t interval_ms_ = 0;
  std::int64_t idle_timeout_ns_ = 0;
  bool is_aligned_ = false;
  std::int64_t alignment_max_drift_ms_ = 0;

  std::vector<std::unique_ptr<Split>> splits_;
  std::size_t next_ = 0;
  WatermarkMerger merger_{1};                       // Over splits_.
  std::int64_t reached_watermark_ = kMinWatermark;  // Of the merger and of splits that have ended.
  std::int64_t delivered_watermark_ = kMinWatermark;
  bool has_started_ = false;
  bool has_asked_ = false;  // A request is under way.
  bool no_more_splits_ = false;
  bool is_drained_ = false;
  bool idle_without_split_ = false;
  std::int64_t alignment_limit_ = kMinWatermark;
  std::int64_t alignment_reported_ = kMinWatermark;
  std::int64_t skipped_rows_ = 0;
  std::int64_t bytes_of_ended_splits_ = 0;
};

}  // namespace clepsydra
