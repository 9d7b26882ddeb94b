#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/window/late_rows.h"
#include "operators/window/slice_rows.h"
#include "operators/window/slice_store.h"
#include "operators/window/window_aggregate_options.h"
#include "operators/window/window_output.h"
#include "state/state_backend.h"
#include "stream/column_builder.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

// Aggregates rows per key and slice in front of an exchange, so that less goes through it. Gives
// out its partial results when a slice closes, when they become many, and when told to flush.
//
// Threads: task thread only.
// State:   the number "closed_until", which says which rows are late. It is flushed before every
//          barrier, so its aggregates live in a backend of their own, which is not stored.
// Input:   insert-only.
class LocalWindowAggregate final : public Operator {
 public:
  LocalWindowAggregate(WindowAggregateOptions options, const OperatorSpec& spec,
                       OperatorContext& context, std::unique_ptr<KeyedStateBackend> scratch,
                       SliceStore store, std::int64_t& closed_until)
      : options_(std::move(options)),
        context_(&context),
        scratch_(std::move(scratch)),
        store_(std::move(store)),
        output_(spec.output),
        closed_until_(closed_until) {
    values_.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, context.batch_rows_max)));
    if (closed_until_ != kNothingClosed) {
      next_slice_end_ = options_.window.slice_end(closed_until_);
    }
  }

  // Until the first watermark.
  static constexpr std::int64_t kNothingClosed = 2 * WindowSpec::kTimeMin;

  Status process(int /*input*/, Batch batch, Output& output) override {
    CLP_RETURN_IF_ERROR(check_inserts_only(batch));
    input_ = std::move(batch);
    row_ = 0;
    next_mark_ = 0;
    if (input_.rows() > 0) {
      const auto rows = static_cast<std::size_t>(input_.rows());
      times_.resize(rows);
      options_.time.convert(input_.column(options_.time_column), times_.data());
      slices_.assign_times(options_.window, times_);
      keys_.clear();
      for (const int key : options_.keys) keys_.push_back(input_.column(key));
      hashes_.resize(rows);
      hash_rows(keys_, input_.rows(), hashes_.data());
    }
    has_input_ = true;
    return run(output);
  }

  [[nodiscard]] bool has_pending() const override { return has_input_ || !leaving_.empty(); }
  Status resume(Output& output) override { return run(output); }

  Status flush(Output& output) override {
    leave(kAllSlices);
    return run(output);
  }
  Status finish(Output& output) override { return flush(output); }

 private:
  // Aggregates kept before they are given out: what stays in a second-level cache.
  static constexpr std::int64_t kGroupsMax = 1 << 16;
  static constexpr int kBatchesPerStep = 8;
  static constexpr std::int64_t kAllSlices = kMaxWatermark;

  Status run(Output& output) {
    while (true) {
      while (!leaving_.empty()) {
        if (output_.batches() >= kBatchesPerStep) return output_.close_step(output);
        CLP_RETURN_IF_ERROR(emit_block(output));
      }
      if (passing_mark_) output_.mark(*std::exchange(passing_mark_, std::nullopt));
      if (!has_input_) return output_.close_step(output);
      CLP_RETURN_IF_ERROR(take_rows());
    }
  }

  // Takes rows up to the next mark that closes a slice, or to the end of the batch.
  Status take_rows() {
    const std::vector<Mark>& marks = input_.marks();
    while (next_mark_ < marks.size()) {
      const Mark& mark = marks[next_mark_++];
      const std::int64_t closed = options_.time.closed_until(mark.watermark);
      passing_mark_ = mark.watermark;
      if (closed < next_slice_end_) {
        output_.mark(*std::exchange(passing_mark_, std::nullopt));
        continue;
      }
      CLP_RETURN_IF_ERROR(add_rows(mark.row));
      closed_until_ = closed;
      next_slice_end_ = options_.window.slice_end(closed);
      leave(closed);
      return Status::ok();
    }
    CLP_RETURN_IF_ERROR(add_rows(input_.rows()));
    input_ = Batch();
    keys_.clear();
    has_input_ = false;
    if (groups_ >= kGroupsMax) leave(kAllSlices);
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
      KeyedRows& partials = store_.slices();
      if (!partials.contains(group.slice_end)) open_slices_.push_back(group.slice_end);
      const std::int64_t before = partials.row_count(group.slice_end);
      CLP_RETURN_IF_ERROR(store_.add(partials, group.slice_end,
                                     {.batch = &input_,
                                      .keys = {.columns = keys_,
                                               .hashes = hashes_.data(),
                                               .rows = group.rows,
                                               .count = group.count}}));
      groups_ += partials.row_count(group.slice_end) - before;
    }
    return Status::ok();
  }

  void count_late(const SliceRows::Group& group, std::int64_t window_end) {
    for (std::int64_t i = 0; i < group.count; ++i) {
      count_late_rows(*context_->counters, 1, options_.window.window_start(window_end), input_,
                      group.rows != nullptr ? group.rows[i] : i, closed_until_,
                      context_->session_zone);
    }
  }

  // Partial results of slices that end at or before `end` go out, in the order in which slices
  // began.
  void leave(std::int64_t end) {
    std::vector<StateNamespace> staying;
    for (const StateNamespace slice_end : open_slices_) {
      (slice_end <= end ? leaving_ : staying).push_back(slice_end);
    }
    open_slices_ = std::move(staying);
    cursor_ = {};
  }

  // One batch of the first leaving slice.
  Status emit_block(Output& output) {
    KeyedRows& partials = store_.slices();
    const StateNamespace slice_end = leaving_.front();
    const auto count = static_cast<std::size_t>(partials.scan(slice_end, cursor_, values_));
    if (count == 0) {
      groups_ -= partials.row_count(slice_end);
      partials.drop(slice_end);
      leaving_.erase(leaving_.begin());
      cursor_ = {};
      return Status::ok();
    }
    const std::span<std::byte*> values(values_.data(), count);
    std::vector<Column> columns;
    CLP_RETURN_IF_ERROR(partials.read_keys(values, *context_->pool, columns));
    ColumnBuilder ends(DataType::big_int().with_nullable(false), *context_->pool);
    ends.reserve(static_cast<std::int64_t>(count));
    for (std::size_t i = 0; i < count; ++i) ends.append(slice_end);
    CLP_ASSIGN_OR_RETURN(Column end_column, ends.finish());
    columns.push_back(std::move(end_column));
    CLP_RETURN_IF_ERROR(store_.aggregates().write_partials(values, *context_->pool, columns));
    return output_.emit(
        Batch(output_.schema(), static_cast<std::int64_t>(count), std::move(columns)), output);
  }

  WindowAggregateOptions options_;
  OperatorContext* context_;
  std::unique_ptr<KeyedStateBackend> scratch_;
  SliceStore store_;
  WindowOutput output_;

  std::int64_t& closed_until_;  // Of state: windows that end here or before have closed.
  std::int64_t next_slice_end_ = kNothingClosed;  // The first end after it.
  std::int64_t groups_ = 0;
  std::vector<StateNamespace> open_slices_;
  // What goes out before anything else is done.
  std::vector<StateNamespace> leaving_;
  KeyedRows::Cursor cursor_;
  std::optional<std::int64_t> passing_mark_;  // Behind what leaves.

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

Result<OperatorPtr> make_local_window_aggregate(WindowAggregateOptions options,
                                                const OperatorSpec& spec,
                                                OperatorContext& context) {
  // Keys of all key groups come here, and one index is enough.
  CLP_ASSIGN_OR_RETURN(
      std::unique_ptr<KeyedStateBackend> scratch,
      StateBackendRegistry::built_in().make(
          "hashmap", {.pool = context.pool, .key_groups = {0, 1}, .max_parallelism = 1}));
  CLP_ASSIGN_OR_RETURN(
      SliceStore store,
      SliceStore::make(options.window, std::move(options.aggregates), options.key_types, *scratch));
  CLP_ASSIGN_OR_RETURN(
      std::int64_t* const closed_until,
      context.state->open_number("closed_until", LocalWindowAggregate::kNothingClosed,
                                 NumberMerge::kMin));
  return std::make_unique<LocalWindowAggregate>(
      std::move(options), spec, context, std::move(scratch), std::move(store), *closed_until);
}

}  // namespace clepsydra
