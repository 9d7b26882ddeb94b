#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "operators/window/fired_ahead.h"
#include "operators/window/late_rows.h"
#include "operators/window/slice_rows.h"
#include "operators/window/slice_store.h"
#include "operators/window/window_aggregate_options.h"
#include "operators/window/window_columns.h"
#include "operators/window/window_folding.h"
#include "operators/window/window_output.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

// Keeps the slices of its keys and gives out windows: the phases "global" and "single".
//
// Threads: task thread only.
// State:   see slice_store.h and window_folding.h; freed with the last window that needs it. The
//          number "closed_until" says which rows are late.
// Input:   insert-only.
class KeyedWindowAggregate final : public Operator {
 public:
  KeyedWindowAggregate(WindowAggregateOptions options, const OperatorSpec& spec,
                       OperatorContext& context, std::unique_ptr<SliceStore> store,
                       WindowFoldingPtr folding, FiredAhead fired_ahead, std::int64_t& closed_until)
      : options_(std::move(options)),
        context_(&context),
        store_(std::move(store)),
        folding_(std::move(folding)),
        fired_ahead_(std::move(fired_ahead)),
        output_(spec.output),
        closed_until_(closed_until) {
    // A step gives out kBatchesPerStep blocks of rows.
    const std::int64_t rows_max =
        std::min(context.batch_rows_max, context.state->step_rows_max() / kBatchesPerStep);
    values_.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, rows_max)));
    if (closed_until_ != kNothingClosed) {
      next_slice_end_ = options_.window.slice_end(closed_until_);
    }
    if (is_processing_time()) ask_for_timer(store_->timers().next_ms());
  }

  // Until the first watermark.
  static constexpr std::int64_t kNothingClosed = 2 * WindowSpec::kTimeMin;

  Status process(int /*input*/, Batch batch, Output& output) override {
    CLP_RETURN_IF_ERROR(check_inserts_only(batch));
    input_ = std::move(batch);
    row_ = 0;
    next_mark_ = 0;
    if (is_processing_time()) pass_processing_time(context_->clock->now_ms());
    if (input_.rows() > 0) {
      assign_slices();
      keys_.clear();
      for (const int key : options_.keys) keys_.push_back(input_.column(key));
      hashes_.resize(static_cast<std::size_t>(input_.rows()));
      hash_rows(keys_, input_.rows(), hashes_.data());
    }
    has_input_ = true;
    return run(output);
  }

  [[nodiscard]] bool has_pending() const override { return has_input_ || firing_; }
  Status resume(Output& output) override { return run(output); }

  // Windows of processing time that are still open at the end of the input have all their rows.
  Status finish(Output& output) override {
    if (is_processing_time()) closed_until_ = kAllClosed;
    return run(output);
  }

  Status on_processing_time(std::int64_t now_ms, Output& output) override {
    pass_processing_time(now_ms);
    return run(output);
  }
  [[nodiscard]] std::int64_t next_timer_ms() const override { return next_timer_ms_; }

 private:
  static constexpr int kBatchesPerStep = 4;
  static constexpr std::int64_t kAllClosed = 2 * WindowSpec::kTimeMax;

  [[nodiscard]] bool is_processing_time() const {
    return options_.phase == AggregatePhase::kSingle && options_.time_column < 0;
  }

  void assign_slices() {
    if (options_.phase == AggregatePhase::kGlobal) {
      slices_.assign_ends(input_.column(options_.slice_end_column()).values<std::int64_t>(),
                          input_.rows());
    } else if (is_processing_time()) {
      // Never a window that has fired, should the clock have been put back.
      const std::int64_t now =
          std::max(options_.time.of_instant(context_->clock->now_ms()), closed_until_);
      slices_.assign_all(options_.window.slice_end(now), input_.rows());
    } else {
      times_.resize(static_cast<std::size_t>(input_.rows()));
      options_.time.convert(input_.column(options_.time_column), times_.data());
      slices_.assign_times(options_.window, times_);
    }
  }

  void pass_processing_time(std::int64_t now_ms) {
    closed_until_ = std::max(closed_until_, options_.time.closed_until(now_ms - 1));
  }

  // Fires what is due, then takes rows up to the next mark that closes a window, and so on.
  Status run(Output& output) {
    while (true) {
      if (!firing_) {
        const std::optional<Timer> due = store_->timers().advance(closed_until_);
        if (!due && !fired_ahead_.is_empty()) fired_ahead_.pass(closed_until_);
        if (due) {
          CLP_ASSIGN_OR_RETURN(firing_rows_, folding_->begin_fire(due->ns));
          firing_ = due->ns;
          cursor_ = {};
        }
      }
      if (firing_) {
        if (output_.batches() >= kBatchesPerStep) return output_.close_step(output);
        CLP_RETURN_IF_ERROR(emit_block(output));
        continue;
      }
      if (passing_mark_) output_.mark(*std::exchange(passing_mark_, std::nullopt));
      if (!has_input_) break;
      CLP_RETURN_IF_ERROR(take_rows());
    }
    if (is_processing_time()) ask_for_timer(store_->timers().next_ms());
    return output_.close_step(output);
  }

  void ask_for_timer(std::int64_t window_end) {
    if (window_end == timer_window_end_) return;
    timer_window_end_ = window_end;
    next_timer_ms_ =
        window_end == kMaxWatermark ? kMaxWatermark : options_.time.passed_instant(window_end);
  }

  Status take_rows() {
    const std::vector<Mark>& marks = input_.marks();
    while (next_mark_ < marks.size()) {
      const Mark& mark = marks[next_mark_++];
      if (is_processing_time()) {
        output_.mark(mark.watermark);
        continue;
      }
      const std::int64_t closed = options_.time.closed_until(mark.watermark);
      if (closed < next_slice_end_) {
        output_.mark(mark.watermark);
        continue;
      }
      CLP_RETURN_IF_ERROR(add_rows(mark.row));
      passing_mark_ = mark.watermark;
      closed_until_ = closed;
      next_slice_end_ = options_.window.slice_end(closed);
      return Status::ok();
    }
    CLP_RETURN_IF_ERROR(add_rows(input_.rows()));
    input_ = Batch();
    keys_.clear();
    has_input_ = false;
    return Status::ok();
  }

  Status add_rows(std::int64_t end) {
    for (const SliceRows::Group& group :
         slices_.group(std::exchange(row_, end), end, closed_until_)) {
      if (group.slice_end == SliceRows::kNoSlice) {
        context_->counters->dropped_rows += group.count;
        continue;
      }
      const std::int64_t last_end = options_.window.last_window_end(group.slice_end);
      if (last_end < group.slice_end) continue;  // In a gap between windows.
      if (last_end <= closed_until_) {
        count_late(group, last_end);
        continue;
      }
      CLP_RETURN_IF_ERROR(folding_->add(group.slice_end, closed_until_,
                                        {.batch = &input_,
                                         .keys = {.columns = keys_,
                                                  .hashes = hashes_.data(),
                                                  .rows = group.rows,
                                                  .count = group.count},
                                         .partials_column = partials_column()}));
    }
    return Status::ok();
  }

  [[nodiscard]] int partials_column() const {
    return options_.phase == AggregatePhase::kGlobal ? options_.slice_end_column() + 1 : -1;
  }

  void count_late(const SliceRows::Group& group, std::int64_t window_end) {
    for (std::int64_t i = 0; i < group.count; ++i) {
      const std::int64_t row = group.rows != nullptr ? group.rows[i] : i;
      const std::int64_t rows =
          partials_column() < 0 ? 1 : input_.column(partials_column()).values<std::int64_t>()[row];
      count_late_rows(*context_->counters, rows, options_.window.window_start(window_end), input_,
                      row, closed_until_, context_->session_zone);
    }
  }

  // One batch of the window that fires, or its end.
  Status emit_block(Output& output) {
    const std::int64_t window_end = *firing_;
    const auto count =
        static_cast<std::size_t>(firing_rows_.state->scan(firing_rows_.ns, cursor_, values_));
    if (count == 0) {
      firing_.reset();
      return folding_->end_fire(window_end);
    }
    std::span<std::byte*> values(values_.data(), count);
    std::vector<Column> columns;
    CLP_RETURN_IF_ERROR(firing_rows_.state->read_keys(values, *context_->pool, columns));
    if (fired_ahead_.has_any(window_end)) {
      const std::vector<std::size_t> due = fired_ahead_.find_due(columns, count, window_end);
      if (due.empty()) return Status::ok();
      for (std::size_t i = 0; i < due.size(); ++i) values_[i] = values_[due[i]];
      values = values.first(due.size());
      columns.clear();
      CLP_RETURN_IF_ERROR(firing_rows_.state->read_keys(values, *context_->pool, columns));
    }
    CLP_RETURN_IF_ERROR(store_->aggregates().emit(values, *context_->pool, columns));
    const std::int64_t start = options_.window.window_start(window_end);
    for (const WindowProperty property : options_.properties) {
      const DataType& type = output_.schema()->field(static_cast<int>(columns.size())).type;
      CLP_ASSIGN_OR_RETURN(
          Column column,
          window_property_column(property, start, window_end, type, options_.time,
                                 static_cast<std::int64_t>(values.size()), *context_->pool));
      columns.push_back(std::move(column));
    }
    return output_.emit(
        Batch(output_.schema(), static_cast<std::int64_t>(values.size()), std::move(columns)),
        output);
  }

  WindowAggregateOptions options_;
  OperatorContext* context_;
  std::unique_ptr<SliceStore> store_;
  WindowFoldingPtr folding_;
  FiredAhead fired_ahead_;
  WindowOutput output_;

  std::int64_t& closed_until_;  // Of state: windows that end here or before fire or have fired.
  std::int64_t next_slice_end_ = kNothingClosed;  // The first end after it.
  std::optional<std::int64_t> firing_;            // The end of the window whose rows go out.
  WindowFolding::Rows firing_rows_{};
  KeyedRows::Cursor cursor_;
  std::optional<std::int64_t> passing_mark_;  // Behind the windows that it fires.
  // Processing time: the earliest window that is open, and when it closes.
  std::int64_t timer_window_end_ = kMaxWatermark;
  std::int64_t next_timer_ms_ = kMaxWatermark;

  // The batch being worked on, from row row_ and mark next_mark_.
  bool has_input_ = false;
  Batch input_;
  std::int64_t row_ = 0;
  std::size_t next_mark_ = 0;
  SliceRows slices_;
  std::vector<Column> keys_;
  // Scratch.
  std::vector<std::int64_t> times_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::byte*> values_;
};

}  // namespace

Result<OperatorPtr> make_keyed_window_aggregate(WindowAggregateOptions options,
                                                const OperatorSpec& spec,
                                                OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(SliceStore made,
                       SliceStore::make(options.window, std::move(options.aggregates),
                                        options.key_types, *context.state));
  auto store = std::make_unique<SliceStore>(std::move(made));
  CLP_ASSIGN_OR_RETURN(WindowFoldingPtr folding, make_folding(*store));
  CLP_ASSIGN_OR_RETURN(FiredAhead fired_ahead,
                       FiredAhead::open(*context.state, "closed_until", context.max_parallelism));
  CLP_ASSIGN_OR_RETURN(
      std::int64_t* const closed_until,
      context.state->open_number("closed_until", KeyedWindowAggregate::kNothingClosed,
                                 NumberMerge::kMin));
  return std::make_unique<KeyedWindowAggregate>(std::move(options), spec, context, std::move(store),
                                                std::move(folding), std::move(fired_ahead),
                                                *closed_until);
}

}  // namespace clepsydra
