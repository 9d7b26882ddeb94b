// window_table_function: each row once per window that it falls into.
//
// Options
//   window       as of window_aggregate
//   time_column  of the input; -1: processing time
//
// Output: the input's columns, then window_start, window_end, window_time. A row's windows come by
// their end. No row is late here: whether a window has closed is asked by those who keep something
// per window. Rows without a time are dropped and counted.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "operators/operator_registry.h"
#include "operators/window/window_columns.h"
#include "operators/window/window_spec.h"
#include "operators/window/window_time.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// Threads: task thread only.
// State:   none.
// Input:   any changelog; a row's kind goes with it.
class WindowTableFunction final : public Operator {
 public:
  WindowTableFunction(const OperatorSpec& spec, OperatorContext& context, WindowSpec window,
                      WindowTime time, int time_column)
      : context_(&context),
        output_schema_(spec.output),
        window_(std::move(window)),
        time_(std::move(time)),
        time_column_(time_column),
        rows_max_(std::max<std::int64_t>(1, context.batch_rows_max)) {}

  Status process(int /*input*/, Batch batch, Output& output) override {
    if (batch.rows() == 0) return pass_on_marks(batch, output);
    input_ = std::move(batch);
    row_ = 0;
    next_mark_ = 0;
    times_.resize(static_cast<std::size_t>(input_.rows()));
    if (time_column_ < 0) {
      std::fill(times_.begin(), times_.end(), time_.of_instant(context_->clock->now_ms()));
    } else {
      time_.convert(input_.column(time_column_), times_.data());
    }
    start_row();
    has_input_ = true;
    return resume(output);
  }

  [[nodiscard]] bool has_pending() const override { return has_input_; }

  Status resume(Output& output) override {
    for (int batches = 0; has_input_ && batches < kBatchesPerStep; ++batches) {
      CLP_RETURN_IF_ERROR(emit_block(output));
    }
    return Status::ok();
  }

 private:
  static constexpr int kBatchesPerStep = 4;

  Status pass_on_marks(const Batch& batch, Output& output) {
    if (batch.marks().empty()) return Status::ok();
    return output.emit(Batch::of_watermark(output_schema_, batch.marks().back().watermark));
  }

  // Sets the windows of row row_: those ending at next_end_ ... last_end_.
  void start_row() {
    if (row_ >= input_.rows()) return;
    const std::int64_t time = times_[static_cast<std::size_t>(row_)];
    if (time == WindowTime::kNone) {
      ++context_->counters->dropped_rows;
      next_end_ = 1;
      last_end_ = 0;
      return;
    }
    const std::int64_t slice_end = window_.slice_end(time);
    next_end_ = window_.first_window_end(slice_end);
    last_end_ = window_.last_window_end(slice_end);
  }

  Status emit_block(Output& output) {
    rows_.clear();
    ends_.clear();
    std::vector<Mark> marks;
    while (row_ < input_.rows() && static_cast<std::int64_t>(rows_.size()) < rows_max_) {
      // Marks before this row come before the first of its windows.
      take_marks(marks);
      while (next_end_ <= last_end_ && static_cast<std::int64_t>(rows_.size()) < rows_max_) {
        rows_.push_back(static_cast<std::int32_t>(row_));
        ends_.push_back(next_end_);
        next_end_ += window_.step();
      }
      if (next_end_ > last_end_) {
        ++row_;
        start_row();
      }
    }
    if (row_ == input_.rows()) take_marks(marks);
    CLP_ASSIGN_OR_RETURN(Batch expanded, expand());
    if (row_ == input_.rows()) {
      has_input_ = false;
      input_ = Batch();
    }
    expanded = expanded.with_marks(std::move(marks));
    return expanded.empty() ? Status::ok() : output.emit(std::move(expanded));
  }

  void take_marks(std::vector<Mark>& marks) {
    while (next_mark_ < input_.marks().size() && input_.marks()[next_mark_].row <= row_) {
      marks.push_back({.row = static_cast<std::int32_t>(rows_.size()),
                       .watermark = input_.marks()[next_mark_++].watermark});
    }
  }

  Result<Batch> expand() {
    CLP_ASSIGN_OR_RETURN(Batch repeated, input_.gather(rows_, *context_->pool));
    std::vector<Column> columns = repeated.columns();
    constexpr WindowProperty kProperties[] = {WindowProperty::kStart, WindowProperty::kEnd,
                                              WindowProperty::kTime};
    for (const WindowProperty property : kProperties) {
      const DataType& type = output_schema_->field(static_cast<int>(columns.size())).type;
      ColumnBuilder builder(type, *context_->pool);
      builder.reserve(static_cast<std::int64_t>(ends_.size()));
      std::int64_t last_end = WindowTime::kNone;
      std::int64_t value = 0;
      for (const std::int64_t end : ends_) {
        if (end != last_end) {
          value = window_property_value(property, window_.window_start(end), end, type, time_);
          last_end = end;
        }
        builder.append(value);
      }
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      columns.push_back(std::move(column));
    }
    Batch expanded(output_schema_, repeated.rows(), std::move(columns));
    return repeated.row_kinds() != nullptr ? expanded.with_row_kinds(repeated.row_kind_buffer())
                                           : expanded;
  }

  OperatorContext* context_;
  SchemaPtr output_schema_;
  const WindowSpec window_;
  const WindowTime time_;
  const int time_column_;
  const std::int64_t rows_max_;

  // The batch being worked on: row_ has windows ending at next_end_ ... last_end_ left.
  bool has_input_ = false;
  Batch input_;
  std::int64_t row_ = 0;
  std::int64_t next_end_ = 0;
  std::int64_t last_end_ = -1;
  std::size_t next_mark_ = 0;
  // Scratch.
  std::vector<std::int64_t> times_;
  std::vector<std::int32_t> rows_;
  std::vector<std::int64_t> ends_;
};

Result<OperatorPtr> make_window_table_function(const OperatorSpec& spec, OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(const ValueTree tree, spec.options.get("window"));
  CLP_ASSIGN_OR_RETURN(WindowSpec window, WindowSpec::from_tree(tree));
  CLP_ASSIGN_OR_RETURN(WindowTime time, WindowTime::make(window.zone()));
  CLP_ASSIGN_OR_RETURN(const std::int64_t time_column, spec.options.get_int("time_column"));
  const Schema& input = *spec.inputs[0];
  if (time_column < -1 || time_column >= input.size() ||
      (time_column >= 0 && !input.field(static_cast<int>(time_column)).type.is_timestamp())) {
    return Status::invalid_argument(
        fmt::format("column {} is not a time of the input {}", time_column, input.to_string()));
  }
  const int columns = input.size() + 3;
  bool fits = spec.output->size() == columns;
  for (int i = input.size(); fits && i < columns; ++i) {
    fits = spec.output->field(i).type.is_timestamp();
  }
  if (!fits) {
    return Status::invalid_argument(fmt::format(
        "its output is the input and three timestamps, found {}", spec.output->to_string()));
  }
  return std::make_unique<WindowTableFunction>(spec, context, std::move(window), std::move(time),
                                               static_cast<int>(time_column));
}

}  // namespace

void register_window_table_function(OperatorRegistry& registry) {
  registry.add({.kind = "window_table_function", .inputs = 1, .make = make_window_table_function});
}

}  // namespace clepsydra
