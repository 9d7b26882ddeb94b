#include <utility>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/value_set.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// FUNCTION(DISTINCT x): the set of values seen, and in front of the inner accumulator that saw each
// once. It travels as the set alone.
class DistinctAggregate final : public AggregateFunction {
 public:
  DistinctAggregate(AggregateFunctionPtr inner, const DataType& argument)
      : inner_(std::move(inner)),
        value_type_(argument.with_nullable(false)),
        is_text_(argument.physical() == PhysicalType::kView),
        state_types_{DataType::array(value_type_).with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override {
    return static_cast<std::int64_t>(sizeof(ValueSet)) + inner_->state_bytes();
  }
  [[nodiscard]] bool has_out_of_line() const override { return true; }
  [[nodiscard]] bool is_order_sensitive() const override { return inner_->is_order_sensitive(); }
  [[nodiscard]] const DataType& result_type() const override { return inner_->result_type(); }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    fresh_states_.clear();
    fresh_rows_.clear();
    Status status;
    for_each_counted<ValueSet>(input, &values, [&](ValueSet& set, std::int64_t row) {
      bool added = false;
      Status inserted = set.insert(values, row, allocator, added);
      if (!inserted.is_ok()) {
        status = std::move(inserted);
      } else if (added) {
        note_fresh(set, input.offset, row);
      }
    });
    CLP_RETURN_IF_ERROR(std::move(status));
    return update_inner(values, input.offset, allocator);
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    fresh_states_.clear();
    fresh_rows_.clear();
    ColumnBuilder fresh(value_type_, allocator.pool());
    Status status;
    for_each_pair<ValueSet>(into, from, offset, [&](ValueSet& a, const ValueSet& b) {
      const std::uint32_t before = a.size();
      Status united = a.unite(b, is_text_, allocator);
      if (!united.is_ok()) status = std::move(united);
      for (std::uint32_t i = before; i < a.size(); ++i) {
        note_fresh(a, offset, fresh.length() + (i - before));
      }
      a.append_to(fresh, before);
    });
    CLP_RETURN_IF_ERROR(std::move(status));
    CLP_ASSIGN_OR_RETURN(const Column values, fresh.finish());
    return update_inner(values, offset, allocator);
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    const Column& lists = partials.arguments[0];
    const auto* offsets = lists.values<std::int32_t>();
    const Column& values = lists.child(0);
    fresh_states_.clear();
    fresh_rows_.clear();
    Status status;
    for_each_counted<ValueSet>(partials, nullptr, [&](ValueSet& set, std::int64_t row) {
      for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        bool added = false;
        Status inserted = set.insert(values, i, allocator, added);
        if (!inserted.is_ok()) status = std::move(inserted);
        if (added) note_fresh(set, partials.offset, i);
      }
    });
    CLP_RETURN_IF_ERROR(std::move(status));
    return update_inner(values, partials.offset, allocator);
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder builder(state_types_[0], pool);
    for (std::byte* base : states) {
      state_at<ValueSet>(base, offset)->append_to(builder.child(0), 0);
      builder.close_list();
    }
    CLP_ASSIGN_OR_RETURN(Column lists, builder.finish());
    out.push_back(std::move(lists));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return inner_->emit(states, inner_offset(offset), pool);
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) state_at<ValueSet>(base, offset)->destroy(is_text_, allocator);
    inner_->destroy(states, inner_offset(offset), allocator);
  }

 private:
  static std::int64_t inner_offset(std::int64_t offset) {
    return offset + static_cast<std::int64_t>(sizeof(ValueSet));
  }

  void note_fresh(ValueSet& set, std::int64_t offset, std::int64_t row) {
    fresh_states_.push_back(reinterpret_cast<std::byte*>(&set) - offset);
    fresh_rows_.push_back(static_cast<std::int32_t>(row));
  }

  Status update_inner(const Column& values, std::int64_t offset, StateAllocator& allocator) {
    if (fresh_states_.empty()) return Status::ok();
    return inner_->update({.states = fresh_states_,
                           .offset = inner_offset(offset),
                           .rows = fresh_rows_.data(),
                           .arguments = {&values, 1}},
                          allocator);
  }

  const AggregateFunctionPtr inner_;
  const DataType value_type_;
  const bool is_text_;
  const std::vector<DataType> state_types_;
  // Of the call that is running: what is new, and to which accumulator.
  std::vector<std::byte*> fresh_states_;
  std::vector<std::int32_t> fresh_rows_;
};

}  // namespace

AggregateFunctionPtr make_distinct(AggregateFunctionPtr inner, const DataType& argument) {
  return std::make_unique<DistinctAggregate>(std::move(inner), argument);
}

}  // namespace clepsydra
