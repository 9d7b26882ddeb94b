// SUM and AVG. Integers wrap as in the reference; decimals are summed exactly in 192 bits and are
// NULL when the result does not fit, whatever the order of the rows.
#include <cstdint>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/decimal.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

// Integers are summed as std::uint64_t (wrapping), FLOAT in SUM as float, all else as double.
template <typename Sum>
struct SumState {
  std::int64_t count;
  Sum sum;
  // float leaves four bytes of padding; sizeof stays a multiple of 8 through count's alignment.
};

// `Value`: the column's element. `Sum`: what it is added up as. `Out`: the result's element.
template <typename Value, typename Sum, typename Out, bool kIsAvg>
class SumAggregate final : public AggregateFunction {
  using State = SumState<Sum>;
  static constexpr bool kIsInteger = std::is_same_v<Sum, std::uint64_t>;
  using StoredSum = std::conditional_t<kIsInteger, std::int64_t, Sum>;

 public:
  explicit SumAggregate(DataType result)
      : result_(std::move(result)),
        state_types_{DataType::big_int().with_nullable(false), sum_type().with_nullable(false)} {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool is_invertible() const override { return kIsInteger; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator&) override {
    const auto* values = input.arguments[0].template values<Value>();
    for_each_counted<State>(input, &input.arguments[0], [values](State& state, std::int64_t row) {
      ++state.count;
      state.sum += static_cast<Sum>(values[row]);
    });
    return Status::ok();
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator&) override {
    for_each_pair<State>(into, from, offset, [](State& a, const State& b) {
      a.count += b.count;
      a.sum += b.sum;
    });
    return Status::ok();
  }

  Status subtract(std::span<std::byte* const> into, std::span<std::byte* const> from,
                  std::int64_t offset) override {
    if (!kIsInteger) return AggregateFunction::subtract(into, from, offset);
    for_each_pair<State>(into, from, offset, [](State& a, const State& b) {
      a.count -= b.count;
      a.sum -= b.sum;
    });
    return Status::ok();
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator&) override {
    const auto* counts = partials.arguments[0].template values<std::int64_t>();
    const auto* sums = partials.arguments[1].template values<StoredSum>();
    for_each_counted<State>(partials, nullptr, [counts, sums](State& state, std::int64_t row) {
      state.count += counts[row];
      state.sum += static_cast<Sum>(sums[row]);
    });
    return Status::ok();
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    ColumnBuilder counts(state_types_[0], pool);
    ColumnBuilder sums(state_types_[1], pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      counts.append<std::int64_t>(state.count);
      sums.append<StoredSum>(static_cast<StoredSum>(state.sum));
    }
    CLP_ASSIGN_OR_RETURN(Column count_column, counts.finish());
    CLP_ASSIGN_OR_RETURN(Column sum_column, sums.finish());
    out.push_back(std::move(count_column));
    out.push_back(std::move(sum_column));
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    builder.reserve(static_cast<std::int64_t>(states.size()));
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      if (state.count == 0) {
        builder.append_null();
        continue;
      }
      if constexpr (!kIsAvg) {
        builder.append<Out>(static_cast<Out>(state.sum));
      } else if constexpr (kIsInteger) {
        builder.append<Out>(static_cast<Out>(static_cast<std::int64_t>(state.sum) / state.count));
      } else {
        builder.append<Out>(static_cast<Out>(state.sum / static_cast<double>(state.count)));
      }
    }
    return builder.finish();
  }

 private:
  static DataType sum_type() {
    if constexpr (kIsInteger)
      return DataType::big_int();
    else if constexpr (std::is_same_v<Sum, float>)
      return DataType::float_();
    else
      return DataType::double_();
  }

  const DataType result_;
  const std::vector<DataType> state_types_;
};

// sum = high * 2^128 + low, two's complement over 192 bits: 2^64 values of 38 digits cannot
// overflow it.
struct DecimalSumState {
  std::int64_t count;
  std::uint64_t low[2];
  std::int64_t high;

  [[nodiscard]] UInt128 low128() const { return static_cast<UInt128>(low[1]) << 64 | low[0]; }
  void set_low128(UInt128 value) {
    low[0] = static_cast<std::uint64_t>(value);
    low[1] = static_cast<std::uint64_t>(value >> 64);
  }
  void add(UInt128 other_low, std::int64_t other_high) {
    const UInt128 sum = low128() + other_low;
    const auto carry = static_cast<std::uint64_t>(sum < other_low ? 1 : 0);
    set_low128(sum);
    high = static_cast<std::int64_t>(static_cast<std::uint64_t>(high) +
                                     static_cast<std::uint64_t>(other_high) + carry);
  }
  void subtract(UInt128 other_low, std::int64_t other_high) {
    const UInt128 before = low128();
    const auto borrow = static_cast<std::uint64_t>(before < other_low ? 1 : 0);
    set_low128(before - other_low);
    high = static_cast<std::int64_t>(static_cast<std::uint64_t>(high) -
                                     static_cast<std::uint64_t>(other_high) - borrow);
  }
  // False when the sum is no value of 38 digits.
  [[nodiscard]] bool fits(Int128& value) const {
    value = static_cast<Int128>(low128());
    return high == (value < 0 ? -1 : 0) && decimal_fits(value, kMaxDecimalPrecision);
  }
};

template <bool kIsAvg>
class DecimalSumAggregate final : public AggregateFunction {
  using State = DecimalSumState;

 public:
  DecimalSumAggregate(int scale, DataType result)
      : scale_(scale),
        result_(std::move(result)),
        state_types_(4, DataType::big_int().with_nullable(false)) {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] bool is_invertible() const override { return true; }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator&) override {
    const auto* values = input.arguments[0].values<Int128>();
    for_each_counted<State>(input, &input.arguments[0], [values](State& state, std::int64_t row) {
      ++state.count;
      const Int128 value = values[row];
      state.add(static_cast<UInt128>(value), value < 0 ? -1 : 0);
    });
    return Status::ok();
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator&) override {
    for_each_pair<State>(into, from, offset, [](State& a, const State& b) {
      a.count += b.count;
      a.add(b.low128(), b.high);
    });
    return Status::ok();
  }

  Status subtract(std::span<std::byte* const> into, std::span<std::byte* const> from,
                  std::int64_t offset) override {
    for_each_pair<State>(into, from, offset, [](State& a, const State& b) {
      a.count -= b.count;
      a.subtract(b.low128(), b.high);
    });
    return Status::ok();
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator&) override {
    const std::span<const Column> columns = partials.arguments;
    const auto* counts = columns[0].values<std::int64_t>();
    const auto* low0 = columns[1].values<std::int64_t>();
    const auto* low1 = columns[2].values<std::int64_t>();
    const auto* highs = columns[3].values<std::int64_t>();
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      state.count += counts[row];
      state.add(static_cast<UInt128>(static_cast<std::uint64_t>(low1[row])) << 64 |
                    static_cast<std::uint64_t>(low0[row]),
                highs[row]);
    });
    return Status::ok();
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    std::vector<ColumnBuilder> builders;
    for (const DataType& type : state_types_) builders.emplace_back(type, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      builders[0].append<std::int64_t>(state.count);
      builders[1].append<std::int64_t>(static_cast<std::int64_t>(state.low[0]));
      builders[2].append<std::int64_t>(static_cast<std::int64_t>(state.low[1]));
      builders[3].append<std::int64_t>(state.high);
    }
    for (ColumnBuilder& builder : builders) {
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      out.push_back(std::move(column));
    }
    return Status::ok();
  }

  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_, pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      Int128 value = 0;
      bool has_value = state.count > 0 && state.fits(value);
      if (kIsAvg && has_value) {
        has_value = decimal_divide(value, scale_, Int128{state.count}, 0, result_.precision(),
                                   result_.scale(), value);
      }
      if (has_value) {
        builder.append<Int128>(value);
      } else {
        builder.append_null();
      }
    }
    return builder.finish();
  }

 private:
  const int scale_;  // Of the argument.
  const DataType result_;
  const std::vector<DataType> state_types_;
};

template <bool kIsAvg>
AggregateFunctionPtr make_sum_or_avg(const DataType& argument, const DataType& result) {
  if (argument.kind() == TypeKind::kDecimal) {
    if (result.kind() != TypeKind::kDecimal) return nullptr;
    return std::make_unique<DecimalSumAggregate<kIsAvg>>(argument.scale(), result);
  }
  if (!argument.same_values(result)) return nullptr;
  switch (argument.kind()) {
    case TypeKind::kTinyInt:
      return std::make_unique<SumAggregate<std::int8_t, std::uint64_t, std::int8_t, kIsAvg>>(
          result);
    case TypeKind::kSmallInt:
      return std::make_unique<SumAggregate<std::int16_t, std::uint64_t, std::int16_t, kIsAvg>>(
          result);
    case TypeKind::kInteger:
      return std::make_unique<SumAggregate<std::int32_t, std::uint64_t, std::int32_t, kIsAvg>>(
          result);
    case TypeKind::kBigInt:
      return std::make_unique<SumAggregate<std::int64_t, std::uint64_t, std::int64_t, kIsAvg>>(
          result);
    case TypeKind::kFloat:
      if constexpr (kIsAvg)
        return std::make_unique<SumAggregate<float, double, float, true>>(result);
      else
        return std::make_unique<SumAggregate<float, float, float, false>>(result);
    case TypeKind::kDouble:
      return std::make_unique<SumAggregate<double, double, double, kIsAvg>>(result);
    default:
      return nullptr;
  }
}

}  // namespace

AggregateFunctionPtr make_sum(const DataType& argument, const DataType& result) {
  return make_sum_or_avg<false>(argument, result);
}

AggregateFunctionPtr make_avg(const DataType& argument, const DataType& result) {
  return make_sum_or_avg<true>(argument, result);
}

}  // namespace clepsydra
