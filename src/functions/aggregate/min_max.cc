#include <cmath>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/aggregate/state_text.h"
#include "functions/decimal.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// A total order in which NaN is the greatest value, so that results do not depend on the order of
// rows.
template <bool kIsMax, typename Value>
bool is_better(const Value& candidate, const Value& current) {
  if constexpr (std::is_floating_point_v<Value>) {
    if (std::isnan(current)) return !kIsMax && !std::isnan(candidate);
    if (std::isnan(candidate)) return kIsMax;
  }
  return kIsMax ? candidate > current : candidate < current;
}

// The part that both kinds share: a state that can take a candidate, and write its value.
template <typename Policy>
class BestAggregate final : public AggregateFunction {
  using State = typename Policy::State;

 public:
  explicit BestAggregate(DataType result)
      : result_(std::move(result)), state_types_{result_.with_nullable(true)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool has_out_of_line() const override { return Policy::kOutOfLine; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator& allocator) override {
    const Column& values = input.arguments[0];
    const typename Policy::Reader reader(values);
    Status status;
    for_each_counted<State>(input, &values, [&](State& state, std::int64_t row) {
      Policy::offer(state, reader[row], allocator, status);
    });
    return status;
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator& allocator) override {
    Status status;
    for_each_pair<State>(into, from, offset, [&](State& a, const State& b) {
      if (b.has_value) Policy::offer(a, Policy::value_of(b), allocator, status);
    });
    return status;
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator& allocator) override {
    return update(partials, allocator);
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    CLP_ASSIGN_OR_RETURN(Column values, values_of(states, offset, state_types_[0], pool));
    out.push_back(std::move(values));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    return values_of(states, offset, result_, pool);
  }

  void destroy(std::span<std::byte* const> states, std::int64_t offset,
               StateAllocator& allocator) override {
    for (std::byte* base : states) Policy::destroy(*state_at<State>(base, offset), allocator);
  }

 private:
  static Result<Column> values_of(std::span<std::byte* const> states, std::int64_t offset,
                                  const DataType& type, MemoryPool& pool) {
    ColumnBuilder builder(type, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      if (state.has_value) {
        Policy::append(state, builder);
      } else {
        builder.append_null();
      }
    }
    return builder.finish();
  }

  const DataType result_;
  const std::vector<DataType> state_types_;
};

template <bool kIsMax, typename Value>
struct FixedPolicy {
  static constexpr bool kOutOfLine = false;
  struct State {
    std::int64_t has_value;
    // As bytes: an accumulator starts at an 8-byte boundary, which is not enough for Int128.
    alignas(8) std::byte bytes[sizeof(Value) <= 8 ? 8 : 16];
  };
  struct Reader {
    explicit Reader(const Column& column) : values(column.values<Value>()) {}
    Value operator[](std::int64_t row) const { return values[row]; }
    const Value* values;
  };

  static Value value_of(const State& state) {
    Value value{};
    std::memcpy(&value, state.bytes, sizeof(Value));
    return value;
  }
  static void offer(State& state, Value value, StateAllocator&, Status&) {
    if (state.has_value != 0 && !is_better<kIsMax>(value, value_of(state))) return;
    state.has_value = 1;
    std::memcpy(state.bytes, &value, sizeof(Value));
  }
  static void append(const State& state, ColumnBuilder& builder) {
    builder.append(value_of(state));
  }
  static void destroy(State& state, StateAllocator&) { state = {}; }
};

// Texts compare by their bytes.
template <bool kIsMax>
struct TextPolicy {
  static constexpr bool kOutOfLine = true;
  struct State {
    StateText text;
    std::int64_t has_value;
  };
  struct Reader {
    explicit Reader(const Column& values) : column(values) {}
    std::string_view operator[](std::int64_t row) const { return column.string_at(row); }
    const Column& column;
  };

  static std::string_view value_of(const State& state) { return state.text.view(); }
  static void offer(State& state, std::string_view value, StateAllocator& allocator,
                    Status& status) {
    if (state.has_value != 0 && !is_better<kIsMax>(value, state.text.view())) return;
    Status assigned = state.text.assign(value, allocator);
    if (assigned.is_ok()) {
      state.has_value = 1;
    } else {
      status = std::move(assigned);
    }
  }
  static void append(const State& state, ColumnBuilder& builder) {
    builder.append_string(state.text.view());
  }
  static void destroy(State& state, StateAllocator& allocator) {
    state.text.destroy(allocator);
    state.has_value = 0;
  }
};

template <bool kIsMax>
AggregateFunctionPtr make_best(const DataType& argument, const DataType& result) {
  switch (argument.physical()) {
    case PhysicalType::kBool8:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, std::uint8_t>>>(result);
    case PhysicalType::kInt8:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, std::int8_t>>>(result);
    case PhysicalType::kInt16:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, std::int16_t>>>(result);
    case PhysicalType::kInt32:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, std::int32_t>>>(result);
    case PhysicalType::kInt64:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, std::int64_t>>>(result);
    case PhysicalType::kFloat:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, float>>>(result);
    case PhysicalType::kDouble:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, double>>>(result);
    case PhysicalType::kInt128:
      return std::make_unique<BestAggregate<FixedPolicy<kIsMax, Int128>>>(result);
    case PhysicalType::kView:
      return std::make_unique<BestAggregate<TextPolicy<kIsMax>>>(result);
    default:
      return nullptr;
  }
}

}  // namespace

AggregateFunctionPtr make_min_max(bool is_max, const DataType& argument, const DataType& result) {
  if (!argument.same_values(result)) return nullptr;
  return is_max ? make_best<true>(argument, result) : make_best<false>(argument, result);
}

}  // namespace clepsydra
