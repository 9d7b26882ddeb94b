#include <utility>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

struct CountState {
  std::int64_t count;
};

// COUNT(*) and COUNT(x).
class CountAggregate final : public AggregateFunction {
 public:
  CountAggregate(bool has_argument, DataType result)
      : has_argument_(has_argument),
        result_(std::move(result)),
        state_types_{DataType::big_int().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(CountState); }
  [[nodiscard]] bool is_invertible() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator&) override {
    for_each_counted<CountState>(input, has_argument_ ? &input.arguments[0] : nullptr,
                                 [](CountState& state, std::int64_t) { ++state.count; });
    return Status::ok();
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator&) override {
    for_each_pair<CountState>(into, from, offset,
                              [](CountState& a, const CountState& b) { a.count += b.count; });
    return Status::ok();
  }

  Status subtract(std::span<std::byte* const> into, std::span<std::byte* const> from,
                  std::int64_t offset) override {
    for_each_pair<CountState>(into, from, offset,
                              [](CountState& a, const CountState& b) { a.count -= b.count; });
    return Status::ok();
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator&) override {
    const auto* counts = partials.arguments[0].values<std::int64_t>();
    for_each_counted<CountState>(partials, nullptr, [counts](CountState& state, std::int64_t row) {
      state.count += counts[row];
    });
    return Status::ok();
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    CLP_ASSIGN_OR_RETURN(Column counts, counts_of(states, offset, state_types_[0], pool));
    out.push_back(std::move(counts));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return counts_of(states, offset, result_, pool);
  }

 private:
  static Result<Column> counts_of(std::span<std::byte* const> states, std::int64_t offset,
                                  const DataType& type, MemoryPool& pool) {
    ColumnBuilder builder(type, pool);
    builder.reserve(static_cast<std::int64_t>(states.size()));
    for (std::byte* state : states) {
      builder.append<std::int64_t>(state_at<CountState>(state, offset)->count);
    }
    return builder.finish();
  }

  const bool has_argument_;
  const DataType result_;
  const std::vector<DataType> state_types_;
};

}  // namespace

AggregateFunctionPtr make_count(bool has_argument, const DataType& result) {
  return std::make_unique<CountAggregate>(has_argument, result);
}

}  // namespace clepsydra
