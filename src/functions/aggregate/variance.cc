// VAR_POP, VAR_SAMP, STDDEV_POP and STDDEV_SAMP. The result has the argument's type, as in the
// reference: whole numbers have a whole number, without the fraction.
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/aggregate/aggregate_families.h"
#include "functions/aggregate/aggregate_rows.h"
#include "functions/decimal.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

std::int64_t divisor_of(std::int64_t count, SpreadKind kind) {
  return kind.is_sample ? count - 1 : count;
}

// FLOAT, DOUBLE and DECIMAL, as DOUBLE: mean and sum of squared differences from it (Chan, Golub,
// LeVeque, 1979), which lose no digits to cancellation.
template <typename Value>
struct RealSpread {
  using Element = Value;
  struct State {
    std::int64_t count;
    double mean;
    double squares;
  };

  static std::vector<DataType> state_types() {
    return {DataType::big_int().with_nullable(false), DataType::double_().with_nullable(false),
            DataType::double_().with_nullable(false)};
  }
  RealSpread(const DataType& argument, const DataType& result)
      : argument_scale(argument.scale()), precision(result.precision()), scale(result.scale()) {}

  void add(State& state, Value element) const {
    double value = 0;
    if constexpr (std::is_same_v<Value, Int128>) {
      value = decimal_to_double(element, argument_scale);
    } else {
      value = static_cast<double>(element);
    }
    ++state.count;
    const double from_old = value - state.mean;
    state.mean += from_old / static_cast<double>(state.count);
    state.squares += from_old * (value - state.mean);
  }
  void merge(State& a, const State& b) const {
    if (b.count == 0) return;
    if (a.count == 0) {
      a = b;
      return;
    }
    const auto n = static_cast<double>(a.count);
    const auto m = static_cast<double>(b.count);
    const double apart = b.mean - a.mean;
    a.mean += apart * (m / (n + m));
    a.squares += b.squares + apart * apart * (n * m / (n + m));
    a.count += b.count;
  }
  static void write(const State& state, std::vector<ColumnBuilder>& builders) {
    builders[0].append(state.count);
    builders[1].append(state.mean);
    builders[2].append(state.squares);
  }
  static State read(std::span<const Column> columns, std::int64_t row) {
    return {columns[0].values<std::int64_t>()[row], columns[1].values<double>()[row],
            columns[2].values<double>()[row]};
  }
  bool emit(const State& state, SpreadKind kind, ColumnBuilder& builder) const {
    const double variance = state.squares / static_cast<double>(divisor_of(state.count, kind));
    const double result = kind.is_deviation ? std::sqrt(variance) : variance;
    if constexpr (std::is_same_v<Value, Int128>) {
      Int128 digits = 0;
      if (!decimal_from_double(result, precision, scale, digits)) return false;
      builder.append<Int128>(digits);
    } else {
      builder.append(static_cast<Value>(result));
    }
    return true;
  }

  // Of a DECIMAL.
  int argument_scale;
  int precision;
  int scale;
};

// Int128 in an accumulator, which is only 8-byte aligned.
struct StoredInt128 {
  std::uint64_t words[2];

  [[nodiscard]] Int128 get() const {
    Int128 value = 0;
    std::memcpy(&value, words, sizeof(value));
    return value;
  }
  void set(Int128 value) { std::memcpy(words, &value, sizeof(value)); }
  // False when the sum does not fit.
  bool add(Int128 value) {
    Int128 total = 0;
    if (__builtin_add_overflow(get(), value, &total)) return false;
    set(total);
    return true;
  }
};

// Whole numbers: sums of their differences from the first one and of the squares of these, both
// exact, so that the result does not depend on the order of rows.
template <typename Value>
struct IntegerSpread {
  using Element = Value;
  struct State {
    std::int64_t count;
    std::int64_t overflow;  // Not 0: they did not fit, the spread is larger than any result.
    std::int64_t base;
    StoredInt128 sum;
    StoredInt128 squares;

    void add(Int128 difference, Int128 square) {
      if (!sum.add(difference) || !squares.add(square)) overflow = 1;
    }
  };

  static std::vector<DataType> state_types() {
    return std::vector<DataType>(7, DataType::big_int().with_nullable(false));
  }
  explicit IntegerSpread(const DataType&, const DataType&) {}

  void add(State& state, Value value) const {
    if (state.count == 0) state.base = value;  // NOLINT(bugprone-signed-char-misuse): numbers.
    ++state.count;
    const Int128 difference = Int128{value} - state.base;
    Int128 square = 0;
    if (__builtin_mul_overflow(difference, difference, &square)) state.overflow = 1;
    state.add(difference, square);
  }
  // With d the difference of the bases, sum (x + d) and sum (x + d)^2 of the other's x.
  void merge(State& a, const State& b) const {
    if (b.count == 0) return;
    if (a.count == 0) {
      a = b;
      return;
    }
    const Int128 d = Int128{b.base} - a.base;
    const Int128 sum = b.sum.get();
    Int128 moved = 0;
    Int128 mixed = 0;
    Int128 square = 0;
    a.overflow |= b.overflow;
    if (__builtin_mul_overflow(d, Int128{b.count}, &moved) ||
        __builtin_mul_overflow(d, 2 * sum, &mixed) || __builtin_mul_overflow(d, moved, &square) ||
        __builtin_add_overflow(square, mixed, &square) ||
        __builtin_add_overflow(square, b.squares.get(), &square)) {
      a.overflow = 1;
    }
    a.count += b.count;
    a.add(sum + moved, square);
  }
  static void write(const State& state, std::vector<ColumnBuilder>& builders) {
    builders[0].append(state.count);
    builders[1].append(state.overflow);
    builders[2].append(state.base);
    for (std::size_t i = 0; i < 2; ++i) {
      builders[3 + i].append(static_cast<std::int64_t>(state.sum.words[i]));
      builders[5 + i].append(static_cast<std::int64_t>(state.squares.words[i]));
    }
  }
  static State read(std::span<const Column> columns, std::int64_t row) {
    const auto at = [&](std::size_t i) { return columns[i].values<std::int64_t>()[row]; };
    State state{at(0), at(1), at(2), {}, {}};
    for (std::size_t i = 0; i < 2; ++i) {
      state.sum.words[i] = static_cast<std::uint64_t>(at(3 + i));
      state.squares.words[i] = static_cast<std::uint64_t>(at(5 + i));
    }
    return state;
  }
  bool emit(const State& state, SpreadKind kind, ColumnBuilder& builder) const {
    builder.append(narrowed(result_of(state, kind)));
    return true;
  }

 private:
  // Below 2^53 the whole part is exact, above it is the nearest DOUBLE.
  static double result_of(const State& state, SpreadKind kind) {
    if (state.overflow != 0) return std::numeric_limits<double>::infinity();
    const auto count = static_cast<double>(state.count);
    const std::int64_t divisor = divisor_of(state.count, kind);
    const Int128 sum = state.sum.get();
    const Int128 squares = state.squares.get();
    Int128 squared_sum = 0;
    Int128 scaled = 0;
    Int128 differences = 0;
    double variance = 0;
    if (__builtin_mul_overflow(sum, sum, &squared_sum) ||
        __builtin_mul_overflow(squares, Int128{state.count}, &scaled) ||
        __builtin_sub_overflow(scaled, squared_sum, &differences)) {
      const auto mean = static_cast<double>(sum) / count;
      variance = (static_cast<double>(squares) - mean * static_cast<double>(sum)) /
                 static_cast<double>(divisor);
    } else {
      constexpr Int128 kExactMax = Int128{1} << 53;
      const Int128 whole = differences / state.count / divisor;
      variance = whole < kExactMax
                     ? static_cast<double>(whole)
                     : static_cast<double>(differences) / (count * static_cast<double>(divisor));
    }
    return kind.is_deviation ? std::sqrt(variance) : variance;
  }
  // As CAST does: TINYINT and SMALLINT are what is left of an INT, others end at their limits.
  static Value narrowed(double value) {
    using Wide = std::conditional_t<(sizeof(Value) < 4), std::int32_t, Value>;
    constexpr auto kLimit = std::numeric_limits<Wide>::max();
    if (value >= static_cast<double>(kLimit)) return static_cast<Value>(kLimit);
    return static_cast<Value>(static_cast<Wide>(value));
  }
};

template <typename Spread>
class SpreadAggregate final : public AggregateFunction {
  using State = typename Spread::State;

 public:
  SpreadAggregate(SpreadKind kind, const DataType& argument, DataType result)
      : kind_(kind),
        spread_(argument, result),
        result_(std::move(result)),
        state_types_(Spread::state_types()) {}

  [[nodiscard]] std::int64_t state_bytes() const override { return sizeof(State); }
  [[nodiscard]] const DataType& result_type() const override { return result_; }
  [[nodiscard]] const std::vector<DataType>& state_types() const override { return state_types_; }

  Status update(const AggregateInput& input, StateAllocator&) override {
    const auto* values = input.arguments[0].template values<typename Spread::Element>();
    for_each_counted<State>(input, &input.arguments[0], [&](State& state, std::int64_t row) {
      spread_.add(state, values[row]);
    });
    return Status::ok();
  }

  Status merge(std::span<std::byte* const> into, std::span<std::byte* const> from,
               std::int64_t offset, StateAllocator&) override {
    for_each_pair<State>(into, from, offset,
                         [&](State& a, const State& b) { spread_.merge(a, b); });
    return Status::ok();
  }

  Status merge_columns(const AggregateInput& partials, StateAllocator&) override {
    for_each_counted<State>(partials, nullptr, [&](State& state, std::int64_t row) {
      spread_.merge(state, Spread::read(partials.arguments, row));
    });
    return Status::ok();
  }

  Status write_state(std::span<std::byte* const> states, std::int64_t offset, MemoryPool& pool,
                     std::vector<Column>& out) const override {
    std::vector<ColumnBuilder> builders;
    for (const DataType& type : state_types_) builders.emplace_back(type, pool);
    for (std::byte* base : states) Spread::write(*state_at<State>(base, offset), builders);
    for (ColumnBuilder& builder : builders) {
      CLP_ASSIGN_OR_RETURN(Column column, builder.finish());
      out.push_back(std::move(column));
    }
    return Status::ok();
  }

  // NULL without enough values, and of what is too large.
  Result<Column> emit(std::span<std::byte* const> states, std::int64_t offset,
                      MemoryPool& pool) override {
    ColumnBuilder builder(result_.with_nullable(true), pool);
    for (std::byte* base : states) {
      const State& state = *state_at<State>(base, offset);
      const bool is_known =
          divisor_of(state.count, kind_) > 0 && spread_.emit(state, kind_, builder);
      if (!is_known) builder.append_null();
    }
    CLP_ASSIGN_OR_RETURN(const Column column, builder.finish());
    return column.with_type(result_);
  }

 private:
  const SpreadKind kind_;
  const Spread spread_;
  const DataType result_;
  const std::vector<DataType> state_types_;
};

template <typename Spread>
AggregateFunctionPtr make_for(SpreadKind kind, const DataType& argument, const DataType& result) {
  return std::make_unique<SpreadAggregate<Spread>>(kind, argument, result);
}

}  // namespace

AggregateFunctionPtr make_spread(SpreadKind kind, const DataType& argument,
                                 const DataType& result) {
  if (argument.kind() != result.kind()) return nullptr;
  switch (argument.kind()) {
    case TypeKind::kTinyInt:
      return make_for<IntegerSpread<std::int8_t>>(kind, argument, result);
    case TypeKind::kSmallInt:
      return make_for<IntegerSpread<std::int16_t>>(kind, argument, result);
    case TypeKind::kInteger:
      return make_for<IntegerSpread<std::int32_t>>(kind, argument, result);
    case TypeKind::kBigInt:
      return make_for<IntegerSpread<std::int64_t>>(kind, argument, result);
    case TypeKind::kFloat:
      return make_for<RealSpread<float>>(kind, argument, result);
    case TypeKind::kDouble:
      return make_for<RealSpread<double>>(kind, argument, result);
    case TypeKind::kDecimal:
      return make_for<RealSpread<Int128>>(kind, argument, result);
    default:
      return nullptr;
  }
}

}  // namespace clepsydra
