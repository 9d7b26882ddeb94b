// FIRST_VALUE, LAST_VALUE and SINGLE_VALUE: one of the values, of any type.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/aggregate/state_value.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// NULL is no value for FIRST_VALUE and LAST_VALUE; SINGLE_VALUE counts it.
class ChosenValueAggregate final : public AggregateFunction {
  struct State {
    StateText value;
    std::int64_t count;  // Of values offered; 1 stands for more where only one is kept.
  };

 public:
  ChosenValueAggregate(Choice choice, DataType result)
      : choice_(choice),
        result_(std::move(result)),
        state_types_{result_.with_nullable(true), DataType::big_int().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    const Column* skipped = choice_ == Choice::kSingle ? nullptr : &values;
    Status status;
    for_each_counted<State>(input, skipped, [&](State& state, std::int64_t row) {
      if (!status.is_ok() || (choice_ == Choice::kFirst && state.count > 0)) return;
      scratch_.clear();
      append_state_value(values, row, scratch_);
      status = take(state, scratch_, 1, allocator);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (status.is_ok()) status = take(a, b.value.view(), b.count, allocator);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& values = partials.arguments[0];
    const auto* counts = partials.arguments[1].values<std::int64_t>();
    Status status;
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      if (!status.is_ok()) return;
      scratch_.clear();
      append_state_value(values, row, scratch_);
      status = take(state, scratch_, counts[row], allocator);
    });
    return status;
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    CLP_ASSIGN_OR_RETURN(Column values, values_of(states, offset, state_types_[0], pool));
    ColumnBuilder counts(state_types_[1], pool);
    for (std::byte* base : states) counts.append(state_at<State>(base, offset)->count);
    CLP_ASSIGN_OR_RETURN(Column count_column, counts.finish());
    out.push_back(std::move(values));
    out.push_back(std::move(count_column));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return values_of(states, offset, result_, pool);
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) {
      State& state = *state_at<State>(base, offset);
      state.value.destroy(allocator);
      state.count = 0;
    }
  }

 private:
  Status take(State& state, std::string_view value, std::int64_t count,
              StateAllocator& allocator) const {
    if (count == 0 || (choice_ == Choice::kFirst && state.count > 0)) return Status::ok();
    if (choice_ == Choice::kSingle && state.count + count > 1) {
      return Status::invalid_argument("SINGLE_VALUE: there is more than one row");
    }
    state.count = 1;
    return state.value.assign(value, allocator);
  }

  static Result<Column> values_of(std::span<std::byte* const> states, std::int64_t offset,
                                  const DataType& type, MemoryPool& pool) {
    ColumnBuilder builder(type, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      std::string_view bytes = state.value.view();
      if (state.count == 0) {
        builder.append_null();
      } else {
        read_state_value(bytes, builder);
      }
    }
    return builder.finish();
  }

  const Choice choice_;
  const DataType result_;
  const std::vector<DataType> state_types_;
  std::string scratch_;
};

}  // namespace

AggregateFunctionPtr make_chosen_value(Choice choice, const DataType& argument,
                                       const DataType& result) {
  if (!argument.same_values(result)) return nullptr;
  return std::make_unique<ChosenValueAggregate>(choice, result);
}

}  // namespace clepsydra
