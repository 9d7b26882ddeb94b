// VAR_POP, VAR_SAMP, STDDEV_POP and STDDEV_SAMP. The result has the argument's type, as in the
// reference, which divides whole numbers as such.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
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

// FLOAT and DOUBLE: mean and sum of squared differences from it (Chan, Golub, LeVeque, 1979), which
// lose no digits to cancellation.
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
  explicit RealSpread(const DataType&, const DataType&) {}

  void add(State& state, Value value) const {
    ++state.count;
    const double from_old = static_cast<double>(value) - state.mean;
    state.mean += from_old / static_cast<double>(state.count);
    state.squares += from_old * (static_cast<double>(value) - state.mean);
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
    builder.append(static_cast<Value>(kind.is_deviation ? std::sqrt(variance) : variance));
    return true;
  }
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
};

// Sums of the values and of their squares; both exact, or `overflow`.
struct ExactState {
  std::int64_t count;
  std::int64_t overflow;
  StoredInt128 sum;
  StoredInt128 squares;

  void add(Int128 value, Int128 square) {
    Int128 total = 0;
    if (__builtin_add_overflow(sum.get(), value, &total)) overflow = 1;
    sum.set(total);
    if (__builtin_add_overflow(squares.get(), square, &total)) overflow = 1;
    squares.set(total);
  }
};

struct ExactParts {
  using State = ExactState;

  static std::vector<DataType> state_types() {
    const DataType number = DataType::big_int().with_nullable(false);
    return {number, number, number, number, number, number};
  }
  void merge(State& a, const State& b) const {
    a.count += b.count;
    a.overflow |= b.overflow;
    a.add(b.sum.get(), b.squares.get());
  }
  static void write(const State& state, std::vector<ColumnBuilder>& builders) {
    builders[0].append(state.count);
    builders[1].append(state.overflow);
    for (std::size_t i = 0; i < 2; ++i) {
      builders[2 + i].append(static_cast<std::int64_t>(state.sum.words[i]));
      builders[4 + i].append(static_cast<std::int64_t>(state.squares.words[i]));
    }
  }
  static State read(std::span<const Column> columns, std::int64_t row) {
    const auto at = [&](std::size_t i) { return columns[i].values<std::int64_t>()[row]; };
    State state{at(0), at(1), {}, {}};
    for (std::size_t i = 0; i < 2; ++i) {
      state.sum.words[i] = static_cast<std::uint64_t>(at(2 + i));
      state.squares.words[i] = static_cast<std::uint64_t>(at(4 + i));
    }
    return state;
  }
};

template <typename Value>
struct IntegerSpread : ExactParts {
  using Element = Value;
  explicit IntegerSpread(const DataType&, const DataType&) {}

  void add(State& state, Value value) const {
    ++state.count;
    state.add(value, Int128{value} * value);
  }
  // The sum of squared differences from the mean and its quotient, each without its fraction.
  bool emit(const State& state, SpreadKind kind, ColumnBuilder& builder) const {
    Int128 squared_sum = 0;
    Int128 scaled_squares = 0;
    if (state.overflow != 0 ||
        __builtin_mul_overflow(state.sum.get(), state.sum.get(), &squared_sum) ||
        __builtin_mul_overflow(state.squares.get(), Int128{state.count}, &scaled_squares)) {
      return false;
    }
    const Int128 differences = (scaled_squares - squared_sum) / state.count;
    const Int128 variance = differences / divisor_of(state.count, kind);
    // A result that does not fit wraps, as that of SUM does.
    const Int128 result = kind.is_deviation
                              ? static_cast<Int128>(std::sqrt(static_cast<double>(variance)))
                              : variance;
    builder.append(static_cast<Value>(result));
    return true;
  }
};

struct DecimalSpread : ExactParts {
  using Element = Int128;

  // Squares keep as many digits after the point as leave room for large sums before it.
  DecimalSpread(const DataType& argument, const DataType& result)
      : scale_(argument.scale()), result_(result) {
    constexpr int kRoomForSums = 4;
    const int whole = 2 * (argument.precision() - argument.scale());
    square_scale_ = std::clamp(kMaxDecimalPrecision - whole - kRoomForSums, 6,
                               std::max(6, 2 * argument.scale()));
  }

  void add(State& state, Int128 value) const {
    ++state.count;
    Int128 square = 0;
    if (!decimal_multiply(value, scale_, value, scale_, kMaxDecimalPrecision, square_scale_,
                          square)) {
      state.overflow = 1;
    }
    state.add(value, square);
  }
  bool emit(const State& state, SpreadKind kind, ColumnBuilder& builder) const {
    constexpr int kDigits = kMaxDecimalPrecision;
    const Int128 sum = state.sum.get();
    const std::int64_t divisor = divisor_of(state.count, kind);
    Int128 value = 0;
    const bool fits =
        state.overflow == 0 && decimal_fits(sum, kDigits) &&
        decimal_multiply(sum, scale_, sum, scale_, kDigits, square_scale_, value) &&
        decimal_divide(value, square_scale_, state.count, 0, kDigits, square_scale_, value) &&
        decimal_add(state.squares.get(), square_scale_, -value, square_scale_, kDigits,
                    square_scale_, value);
    if (!fits) return false;
    const int precision = result_.precision();
    const int scale = result_.scale();
    Int128 result = 0;
    if (kind.is_deviation) {
      const double variance =
          decimal_to_double(value, square_scale_) / static_cast<double>(divisor);
      if (!decimal_from_double(std::sqrt(variance), precision, scale, result)) return false;
    } else if (!decimal_divide(value, square_scale_, divisor, 0, precision, scale, result)) {
      return false;
    }
    builder.append<Int128>(result);
    return true;
  }

 private:
  int scale_;
  int square_scale_ = 6;
  DataType result_;
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
      return make_for<DecimalSpread>(kind, argument, result);
    default:
      return nullptr;
  }
}

}  // namespace clepsydra
