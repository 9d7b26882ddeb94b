#include "taskmanager/source_driver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "clepsydra/connector_runtime.h"
#include "functions/expression.h"
#include "network/mark_merging.h"
#include "stream/data_type.h"

namespace clepsydra {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
// A reader that has nothing and does not say when to ask again is asked after this long.
constexpr std::int64_t kPollAgainNs = 10 * kNsPerMs;

Result<std::vector<ExpressionPtr>> read_expressions(const ValueTree::List& trees) {
  std::vector<ExpressionPtr> expressions;
  for (const ValueTree& tree : trees) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr expression, expression_from_tree(tree));
    expressions.push_back(std::move(expression));
  }
  return expressions;
}

}  // namespace

SourceDriver::SourceDriver(SourceDriverOptions options) : options_(std::move(options)) {
  options_.context.skipped_rows = &skipped_rows_;
}

Result<std::unique_ptr<SourceDriver>> SourceDriver::make(SourceDriverOptions options) {
  std::unique_ptr<SourceDriver> driver(new SourceDriver(std::move(options)));
  CLP_RETURN_IF_ERROR(driver->compile());
  return driver;
}

Status SourceDriver::compile() {
  const ValueTree& spec = options_.spec;
  CLP_ASSIGN_OR_RETURN(const ValueTree scan_spec, spec.get("source"));
  CLP_ASSIGN_OR_RETURN(source_, options_.connectors->make_source(scan_spec));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List projection, spec.get_list("projection"));
  if (!projection.empty()) {
    CLP_ASSIGN_OR_RETURN(std::vector<ExpressionPtr> expressions, read_expressions(projection));
    if (static_cast<int>(expressions.size()) != options_.output->size()) {
      return Status::invalid_argument(fmt::format("{} projected columns for the output {}",
                                                  expressions.size(),
                                                  options_.output->to_string()));
    }
    CLP_ASSIGN_OR_RETURN(projection_, ExpressionProgram::make(expressions, options_.evaluation));
  }
  rowtime_ = static_cast<int>(spec.get_int_or("rowtime", -1));
  if (rowtime_ >= options_.output->size()) {
    return Status::invalid_argument(
        fmt::format("rowtime column {} of {}", rowtime_, options_.output->to_string()));
  }
  if (const ValueTree* tree = spec.find("watermark"); tree != nullptr && !tree->is_null()) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr expression, expression_from_tree(*tree));
    if (!expression->type().is_timestamp()) {
      return Status::invalid_argument(
          fmt::format("the watermark {} is of type {}, expected TIMESTAMP or TIMESTAMP_LTZ",
                      expression->to_string(), expression->type().to_string()));
    }
    CLP_ASSIGN_OR_RETURN(watermark_,
                         ExpressionProgram::make({std::move(expression)}, options_.evaluation));
  }
  const bool on_event = spec.get_string_or("watermark_emit", "on-periodic") == "on-event";
  interval_ms_ = on_event ? 0 : options_.watermark_interval_ms;
  idle_timeout_ns_ = spec.get_int_or("idle_timeout_ms", 0) * kNsPerMs;
  is_aligned_ = !spec.get_string_or("alignment_group", "").empty();
  alignment_max_drift_ms_ = spec.get_int_or("alignment_max_drift_ms", 0);
  return Status::ok();
}

Status SourceDriver::add_splits(const std::vector<SourceSplit>& splits, bool no_more_splits) {
  if (splits_.size() + splits.size() > kSplitsMax) {
    return Status::resource_exhausted(
        fmt::format("a subtask reads at most {} splits at once", kSplitsMax));
  }
  std::optional<std::int64_t> delivered;
  for (const SourceSplit& split : splits) {
    Result<std::unique_ptr<SplitReader>> reader = source_->open_split(split, options_.context);
    if (!reader.is_ok()) return reader.status();
    splits_.push_back(std::make_unique<Split>(split.id, *std::move(reader), interval_ms_));
    CLP_RETURN_IF_ERROR(restore_progress(split, *splits_.back(), delivered));
  }
  if (delivered) reached_watermark_ = std::max(reached_watermark_, *delivered);
  if (!splits.empty()) rebuild_merger();
  has_started_ = true;
  no_more_splits_ = no_more_splits_ || no_more_splits;
  // With the news that nothing will come as well: a subtask that never gets a split says so with
  // its first word, before its end can arrive, so that no row of another one is judged by a time
  // that it holds back.
  idle_without_split_ = splits_.empty();
  // An answer without anything: the enumerator remembers the request and comes back to it.
  has_asked_ = idle_without_split_;
  return Status::ok();
}

Status SourceDriver::restore_progress(const SourceSplit& split, Split& opened,
                                      std::optional<std::int64_t>& delivered) const {
  if (split.progress.empty()) {
    // Nobody has read of it: what others had said does not speak for it.
    delivered = kMinWatermark;
    return Status::ok();
  }
  const Result<ValueTree> progress = ValueTree::decode(split.progress);
  if (!progress.is_ok()) {
    return progress.status().with_context(fmt::format("the progress of split '{}'", split.id));
  }
  CLP_ASSIGN_OR_RETURN(const std::int64_t current, progress->get_int("current"));
  CLP_ASSIGN_OR_RETURN(const std::int64_t emitted, progress->get_int("emitted"));
  CLP_ASSIGN_OR_RETURN(const std::int64_t of_driver, progress->get_int("delivered"));
  opened.watermark.restore(current, emitted);
  // Splits of different subtasks: none may be ahead of what its own had said.
  delivered = std::min(delivered.value_or(kMaxWatermark), of_driver);
  return Status::ok();
}

std::vector<SourceSplit> SourceDriver::snapshot_splits() const {
  std::vector<SourceSplit> splits;
  for (const auto& split : splits_) {
    SourceSplit& out = splits.emplace_back();
    out.id = split->id;
    out.payload = split->reader->position();
    if (!watermark_) continue;
    out.progress = ValueTree::map()
                       .set("current", split->watermark.current())
                       .set("emitted", split->watermark.emitted())
                       .set("delivered", delivered_watermark_)
                       .encode();
  }
  return splits;
}

void SourceDriver::end_at_once() {
  has_started_ = true;
  no_more_splits_ = true;
  idle_without_split_ = true;
}

std::optional<Batch> SourceDriver::drain() {
  is_drained_ = true;
  has_started_ = true;
  reached_watermark_ = kMaxWatermark;
  if (delivered_watermark_ == kMaxWatermark) return std::nullopt;
  delivered_watermark_ = kMaxWatermark;
  return Batch::of_watermark(options_.output, kMaxWatermark);
}

void SourceDriver::ask_for_splits() {
  if (has_asked_ || no_more_splits_ || !splits_.empty()) return;
  has_asked_ = true;
  options_.request_splits();
}

bool SourceDriver::idle() const {
  return splits_.empty() ? idle_without_split_ : merger_.idle();
}

Result<TaskInput::Next> SourceDriver::poll() {
  if (is_drained_) return Next{.state = State::kNothing};
  ask_for_splits();
  const bool was_idle = idle();
  if (std::optional<Batch> mark = take_mark())
    return Next{.state = State::kBatch, .batch = *std::move(mark)};
  const std::int64_t now_ns = options_.context.clock->monotonic_ns();
  for (std::size_t polled = splits_.size(); polled > 0 && !splits_.empty(); --polled) {
    if (next_ >= splits_.size()) next_ = 0;
    const std::size_t index = next_++;
    if (splits_[index]->wake_at_ns > now_ns || is_held_back(*splits_[index])) continue;
    CLP_ASSIGN_OR_RETURN(std::optional<Batch> batch, poll_split(index, now_ns));
    if (batch) {
      report_alignment(false);
      return Next{.state = State::kBatch, .batch = *std::move(batch)};
    }
  }
  let_time_pass(now_ns);
  report_alignment(true);
  if (std::optional<Batch> mark = take_mark())
    return Next{.state = State::kBatch, .batch = *std::move(mark)};
  if (splits_.empty() && no_more_splits_) return Next{.state = State::kEnd};
  ask_for_splits();
  return Next{.state = idle() != was_idle ? State::kAgain : State::kNothing};
}

// A watermark that advanced without rows.
std::optional<Batch> SourceDriver::take_mark() {
  reached_watermark_ = std::max(reached_watermark_, merger_.watermark());
  if (splits_.empty() && no_more_splits_) reached_watermark_ = kMaxWatermark;
  if (reached_watermark_ <= delivered_watermark_) return std::nullopt;
  delivered_watermark_ = reached_watermark_;
  return Batch::of_watermark(options_.output, delivered_watermark_);
}

Result<std::optional<Batch>> SourceDriver::poll_split(std::size_t index, std::int64_t now_ns) {
  Split& split = *splits_[index];
  Batch batch;
  Result<SplitReader::Poll> poll = split.reader->poll(options_.context.batch_rows_max, batch);
  if (!poll.is_ok()) return poll.status();
  std::optional<Batch> result;
  if (batch.rows() > 0) {
    split.empty_since_ns = -1;
    split.idle = false;
    CLP_ASSIGN_OR_RETURN(result, finish_batch(batch, index, now_ns));
  }
  switch (poll->state) {
    case PollState::kRows:
      break;
    case PollState::kNothingYet:
      if (split.empty_since_ns < 0) split.empty_since_ns = now_ns;
      split.wake_at_ns = poll->wake_at_ns > now_ns ? poll->wake_at_ns : now_ns + kPollAgainNs;
      break;
    case PollState::kEndOfSplit:
      remove_split(index);
      break;
  }
  return result;
}

Result<Batch> SourceDriver::finish_batch(const Batch& batch, std::size_t index,
                                         std::int64_t now_ns) {
  Split& split = *splits_[index];
  merger_.set_idle(static_cast<int>(index), false);
  CLP_ASSIGN_OR_RETURN(Batch rows, project(batch));
  if (!watermark_) return rows;
  CLP_ASSIGN_OR_RETURN(const std::vector<Column> watermarks, watermark_->evaluate(rows));
  const bool had_pending = split.watermark.has_pending();
  std::vector<Mark> marks =
      split.watermark.advance(watermarks[0], rowtime_ < 0 ? nullptr : &rows.column(rowtime_));
  if (!had_pending || !marks.empty()) split.pending_since_ns = now_ns;
  if (!marks.empty()) rows = rows.with_marks(std::move(marks));
  return without_stale_marks(merge_marks(std::move(rows), static_cast<int>(index), merger_));
}

// After splits came or went the merged watermark is found anew and may be behind what went out.
Batch SourceDriver::without_stale_marks(Batch batch) {
  const std::vector<Mark>& marks = batch.marks();
  if (marks.empty()) return batch;
  const auto fresh = std::find_if(marks.begin(), marks.end(), [&](const Mark& mark) {
    return mark.watermark > delivered_watermark_;
  });
  if (fresh != marks.begin()) batch = batch.with_marks(std::vector<Mark>(fresh, marks.end()));
  if (!batch.marks().empty()) delivered_watermark_ = batch.marks().back().watermark;
  return batch;
}

Result<Batch> SourceDriver::project(const Batch& batch) {
  if (projection_) {
    CLP_ASSIGN_OR_RETURN(std::vector<Column> columns, projection_->evaluate(batch));
    return batch.with_columns(options_.output, std::move(columns));
  }
  if (batch.schema() == options_.output) return batch;
  if (batch.column_count() != options_.output->size()) {
    return Status::internal(fmt::format("the connector produced {} columns, the plan expects {}",
                                        batch.column_count(), options_.output->to_string()));
  }
  return batch.with_columns(options_.output, batch.columns());
}

void SourceDriver::remove_split(std::size_t index) {
  Split& split = *splits_[index];
  bytes_of_ended_splits_ += split.reader->bytes_read();
  // What its last rows said holds when no other split has a say.
  if (splits_.size() == 1 && split.watermark.has_pending()) {
    merger_.advance(static_cast<int>(index), split.watermark.take_pending());
  }
  reached_watermark_ = std::max(reached_watermark_, merger_.watermark());
  splits_.erase(splits_.begin() + static_cast<std::ptrdiff_t>(index));
  if (index < next_) --next_;
  rebuild_merger();
}

void SourceDriver::rebuild_merger() {
  merger_ = WatermarkMerger(std::max(1, static_cast<int>(splits_.size())));
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    const auto input = static_cast<int>(i);
    if (splits_[i]->watermark.emitted() > kMinWatermark) {
      merger_.advance(input, splits_[i]->watermark.emitted());
    }
    if (splits_[i]->idle) merger_.set_idle(input, true);
  }
}

void SourceDriver::let_time_pass(std::int64_t now_ns) {
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    Split& split = *splits_[i];
    if (split.empty_since_ns < 0 || is_held_back(split)) continue;
    const bool becomes_idle =
        !split.idle && idle_timeout_ns_ > 0 && now_ns >= split.empty_since_ns + idle_timeout_ns_;
    if (split.watermark.has_pending() &&
        (becomes_idle || now_ns >= split.pending_since_ns + interval_ms_ * kNsPerMs)) {
      merger_.advance(static_cast<int>(i), split.watermark.take_pending());
    }
    if (becomes_idle) {
      split.idle = true;
      merger_.set_idle(static_cast<int>(i), true);
    }
  }
}

bool SourceDriver::is_held_back(const Split& split) const {
  return is_aligned_ && split.watermark.current() > alignment_limit_;
}

std::int64_t SourceDriver::alignment_watermark() const {
  if (splits_.empty()) {
    return no_more_splits_ || idle_without_split_ ? kMaxWatermark : alignment_reported_;
  }
  std::int64_t slowest = kMaxWatermark;
  for (const auto& split : splits_) {
    if (!split->idle) slowest = std::min(slowest, split->watermark.current());
  }
  return slowest;
}

void SourceDriver::report_alignment(bool is_resting) {
  if (!is_aligned_) return;
  const std::int64_t watermark = alignment_watermark();
  if (watermark == alignment_reported_) return;
  // While rows come, small steps need no message each.
  const bool is_large = watermark == kMaxWatermark || alignment_reported_ == kMaxWatermark ||
                        alignment_reported_ == kMinWatermark ||
                        watermark - alignment_reported_ >= alignment_max_drift_ms_ / 8;
  if (!is_resting && !is_large) return;
  alignment_reported_ = watermark;
  options_.report_alignment(watermark);
}

std::int64_t SourceDriver::wake_deadline_ns() const {
  std::int64_t deadline = Steppable::kNever;
  if (is_drained_) return deadline;
  for (const auto& split : splits_) {
    if (is_held_back(*split)) continue;
    deadline = std::min(deadline, split->wake_at_ns);
    if (split->empty_since_ns < 0) continue;
    if (split->watermark.has_pending()) {
      deadline = std::min(deadline, split->pending_since_ns + interval_ms_ * kNsPerMs);
    }
    if (!split->idle && idle_timeout_ns_ > 0) {
      deadline = std::min(deadline, split->empty_since_ns + idle_timeout_ns_);
    }
  }
  return deadline;
}

std::int64_t SourceDriver::bytes_read() const {
  std::int64_t bytes = bytes_of_ended_splits_;
  for (const auto& split : splits_) bytes += split->reader->bytes_read();
  return bytes;
}

}  // namespace clepsydra
