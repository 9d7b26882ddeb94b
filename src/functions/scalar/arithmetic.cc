// + - * / % and the sign of a number. Integers wrap, division of whole numbers and decimals by zero
// fails, FLOAT and DOUBLE follow IEEE.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/scalar/interval_arithmetic.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

constexpr const char* kDivisionByZero = "division by zero";

template <typename T>
using Wrapping = std::conditional_t<std::is_floating_point_v<T>, T, std::uint64_t>;

// Through std::uint64_t, so that overflow wraps instead of being undefined.
template <typename T>
struct Add {
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};
template <typename T>
struct Subtract {
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Wrapping<T>>(a) - static_cast<Wrapping<T>>(b));
  }
};
template <typename T>
struct Multiply {
  static T apply(T a, T b) {
    return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};
template <typename T>
struct Divide {
  static T apply(T a, T b) { return a / b; }  // Of floating numbers.
  static const char* apply(T a, T b, T& out) {
    if (b == 0) return kDivisionByZero;
    // The smallest number divided by -1 wraps to itself.
    out = b == T(-1) ? Subtract<T>::apply(0, a) : static_cast<T>(a / b);
    return nullptr;
  }
};
template <typename T, typename Out>
struct Remainder {
  static const char* apply(T a, T b, Out& out) {
    if (b == 0) return kDivisionByZero;
    out = b == T(-1) ? Out{0} : static_cast<Out>(a % b);
    return nullptr;
  }
};
// Divides by one number again and again.
// Source: D. Lemire, O. Kaser, N. Kurz, "Faster remainder by direct computation", Software:
// Practice and Experience 49(6), 2019: exact for numbers of 32 bits.
class ConstantDivisor {
 public:
  static constexpr bool takes(std::uint64_t magnitude) {
    return magnitude >= 2 && magnitude <= std::numeric_limits<std::uint32_t>::max();
  }
  explicit ConstantDivisor(std::uint64_t magnitude)
      : magnitude_(magnitude),
        reciprocal_(std::numeric_limits<std::uint64_t>::max() / magnitude + 1) {}
  [[nodiscard]] std::uint64_t quotient(std::uint64_t number) const {
    if (number > std::numeric_limits<std::uint32_t>::max()) return number / magnitude_;
    return static_cast<std::uint64_t>((UInt128{reciprocal_} * number) >> 64);
  }
  [[nodiscard]] std::uint64_t remainder(std::uint64_t number) const {
    return number - quotient(number) * magnitude_;
  }

 private:
  std::uint64_t magnitude_;
  std::uint64_t reciprocal_;
};

template <typename T>
std::uint64_t magnitude_of(T value) {
  const auto bits = static_cast<std::uint64_t>(std::int64_t{value});
  return value < 0 ? 0 - bits : bits;
}
template <typename T>
T with_sign(std::uint64_t magnitude, bool is_negative) {
  return static_cast<T>(is_negative ? 0 - magnitude : magnitude);
}

// Op is Divide or Remainder, of whole numbers.
template <typename Op, typename T, typename Out, bool kIsRemainder>
bool whole_division_kernel(KernelCall& call) {
  const Vector& right = call.argument(1);
  const T divisor = right.is_constant ? right.data<T>()[0] : T{0};
  if (!ConstantDivisor::takes(magnitude_of(divisor))) {
    return checked_binary_kernel<Op, Out, T>(call);
  }
  const ConstantDivisor constant(magnitude_of(divisor));
  Out* out = call.results<Out>();
  const Reader<T> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    const T value = values[row];
    if constexpr (kIsRemainder) {
      out[row] = with_sign<Out>(constant.remainder(magnitude_of(value)), value < 0);
    } else {
      out[row] =
          with_sign<Out>(constant.quotient(magnitude_of(value)), (value < 0) != (divisor < 0));
    }
  });
  return true;
}

template <typename T>
struct Negate {
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return -a;
    else
      return Subtract<T>::apply(0, a);
  }
};

enum class DecimalOp : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide, kRemainder };
struct DecimalShape {
  int a_scale;
  int b_scale;
  int precision;
  int scale;
};

template <DecimalOp kOp>
bool decimal_kernel(KernelCall& call) {
  const DecimalShape shape = site_data<DecimalShape>(call);
  auto* out = call.results<Int128>();
  const Reader<Int128> a(call.argument(0));
  const Reader<Int128> b(call.argument(1));
  return for_each_result(call, [&](std::int32_t row) {
    const Int128 x = a[row];
    const Int128 y = b[row];
    bool fits = false;
    if constexpr (kOp == DecimalOp::kAdd || kOp == DecimalOp::kSubtract) {
      fits = decimal_add(x, shape.a_scale, kOp == DecimalOp::kAdd ? y : -y, shape.b_scale,
                         shape.precision, shape.scale, out[row]);
    } else if constexpr (kOp == DecimalOp::kMultiply) {
      fits = decimal_multiply(x, shape.a_scale, y, shape.b_scale, shape.precision, shape.scale,
                              out[row]);
    } else {
      if (y == 0) return call.fail(row, kDivisionByZero);
      constexpr auto kCompute = kOp == DecimalOp::kDivide ? decimal_divide : decimal_remainder;
      fits = kCompute(x, shape.a_scale, y, shape.b_scale, shape.precision, shape.scale, out[row]);
    }
    if (!fits) {
      out[row] = 0;
      call.set_null(row);
    }
    return call.status().is_ok();
  });
}

// Decimals of at most 18 digits, whose product of 36 always fits: one multiplication.
struct ShortProduct {
  static Int128 apply(Int128 a, Int128 b) {
    return Int128{static_cast<std::int64_t>(a)} * static_cast<std::int64_t>(b);
  }
};

// The unscaled sum or difference; what lies under a NULL may wrap.
template <DecimalOp kOp>
struct SameScale {
  static Int128 apply(Int128 a, Int128 b) {
    const auto x = static_cast<UInt128>(a);
    const auto y = static_cast<UInt128>(b);
    return static_cast<Int128>(kOp == DecimalOp::kAdd ? x + y : x - y);
  }
};

// The kernel for types whose every result fits and has the scale that comes of itself, or null.
template <DecimalOp kOp>
Kernel exact_decimal_kernel(const DataType& a, const DataType& b, const DataType& result) {
  if constexpr (kOp == DecimalOp::kMultiply) {
    constexpr int kShortMax = 18;
    const bool fits = a.precision() <= kShortMax && b.precision() <= kShortMax &&
                      result.scale() == a.scale() + b.scale() &&
                      result.precision() >= a.precision() + b.precision();
    return fits ? binary_kernel<ShortProduct, Int128, Int128> : nullptr;
  } else if constexpr (kOp == DecimalOp::kAdd || kOp == DecimalOp::kSubtract) {
    const bool fits = a.scale() == b.scale() && result.scale() == a.scale() &&
                      result.precision() > std::max(a.precision(), b.precision());
    return fits ? binary_kernel<SameScale<kOp>, Int128, Int128> : nullptr;
  } else {
    return nullptr;
  }
}

template <DecimalOp kOp>
BoundKernel bind_decimal(const CallBinding& call) {
  const DataType& result = call.call.type();
  const Kernel exact = exact_decimal_kernel<kOp>(call.type(0), call.type(1), result);
  if (exact != nullptr) return {.kernel = exact};
  return {.kernel = decimal_kernel<kOp>,
          .site = make_site(DecimalShape{.a_scale = call.type(0).scale(),
                                         .b_scale = call.type(1).scale(),
                                         .precision = result.precision(),
                                         .scale = result.scale()}),
          .can_fail = kOp == DecimalOp::kDivide || kOp == DecimalOp::kRemainder,
          .is_costly = true};
}

bool is_decimal_pair(const CallBinding& call) {
  return call.count() == 2 && call.type(0).kind() == TypeKind::kDecimal &&
         call.type(1).kind() == TypeKind::kDecimal && call.call.type().kind() == TypeKind::kDecimal;
}

bool is_number_pair(const CallBinding& call) {
  return call.count() == 2 && call.type(0).is_numeric() &&
         call.type(0).kind() == call.type(1).kind();
}

bool is_exact(const DataType& type) {
  return type.is_integer() || type.kind() == TypeKind::kDecimal;
}

// Casts both arguments to the type they are computed in; answers the result type.
Result<DataType> derive_number(CallTyping& call,
                               DataType (*decimal_type)(const DataType&, const DataType&)) {
  const DataType a = call.type(0);
  const DataType b = call.type(1);
  if (!a.is_numeric() || !b.is_numeric()) return wrong_types(call);
  const bool decimals = is_exact(a) && is_exact(b) &&
                        (a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal);
  if (decimals) {
    CLP_RETURN_IF_ERROR(call.coerce(0, as_decimal(a)));
    CLP_RETURN_IF_ERROR(call.coerce(1, as_decimal(b)));
    return call.strict(decimal_type(as_decimal(a), as_decimal(b)));
  }
  const DataType types[] = {a, b};
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  CLP_RETURN_IF_ERROR(call.coerce(0, common));
  CLP_RETURN_IF_ERROR(call.coerce(1, common));
  return call.strict(common);
}

bool is_interval_call(const CallTyping& call) {
  return is_interval_arithmetic(call.type(0)) || is_interval_arithmetic(call.type(1));
}

Result<DataType> derive_plus(CallTyping& call) {
  if (is_interval_call(call)) return derive_interval_plus(call);
  return derive_number(call, decimal_sum_type);
}

Result<DataType> derive_times(CallTyping& call) {
  if (is_interval_call(call)) return derive_interval_times(call);
  return derive_number(call, decimal_product_type);
}

Result<DataType> derive_divide(CallTyping& call) {
  return derive_number(call, decimal_quotient_type);
}

Result<DataType> derive_remainder(CallTyping& call) {
  const DataType a = call.type(0);
  const DataType b = call.type(1);
  if (!is_exact(a) || !is_exact(b)) return wrong_types(call);
  const bool both_whole = as_decimal(a).scale() == 0 && as_decimal(b).scale() == 0;
  if (a.kind() == TypeKind::kDecimal || b.kind() == TypeKind::kDecimal) {
    CLP_RETURN_IF_ERROR(call.coerce(0, as_decimal(a)));
    CLP_RETURN_IF_ERROR(call.coerce(1, as_decimal(b)));
    if (!both_whole) return call.strict(decimal_remainder_type(as_decimal(a), as_decimal(b)));
    if (b.kind() == TypeKind::kDecimal) return call.strict(b);
    return call.strict(as_decimal(b));
  }
  // The result has the divisor's type; the arguments are computed in the wider one.
  const DataType wide = a.kind() > b.kind() ? DataType::big_int() : b;
  CLP_RETURN_IF_ERROR(call.coerce(0, wide));
  CLP_RETURN_IF_ERROR(call.coerce(1, wide));
  return call.strict(b);
}

Result<DataType> derive_negation(CallTyping& call) {
  const DataType& type = call.type(0);
  const bool is_interval =
      type.kind() == TypeKind::kIntervalDayTime || type.kind() == TypeKind::kIntervalYearMonth;
  if (!type.is_numeric() && !is_interval) return wrong_types(call);
  return type;
}

Result<DataType> derive_minus(CallTyping& call) {
  if (call.count() == 1) return derive_negation(call);
  if (is_interval_call(call)) return derive_interval_minus(call);
  return derive_number(call, decimal_sum_type);
}

template <template <typename> typename Op, DecimalOp kDecimalOp>
Result<BoundKernel> bind_number(const CallBinding& call) {
  if (is_decimal_pair(call)) return bind_decimal<kDecimalOp>(call);
  if (!is_number_pair(call)) return no_kernel(call);
  return plain_kernel(for_number_type(
      call.type(0), []<typename T>() -> Kernel { return binary_kernel<Op<T>, T, T>; }));
}

template <template <typename> typename Op, DecimalOp kDecimalOp>
Result<BoundKernel> bind_number_or_interval(const CallBinding& call) {
  if (is_interval_arithmetic(call.type(0)) || is_interval_arithmetic(call.type(1))) {
    return bind_interval_arithmetic(call);
  }
  return bind_number<Op, kDecimalOp>(call);
}

Result<BoundKernel> bind_divide(const CallBinding& call) {
  if (is_decimal_pair(call)) return bind_decimal<DecimalOp::kDivide>(call);
  if (!is_number_pair(call)) return no_kernel(call);
  const bool whole = call.type(0).is_integer();
  const Kernel kernel = for_number_type(call.type(0), []<typename T>() -> Kernel {
    if constexpr (std::is_floating_point_v<T>)
      return binary_kernel<Divide<T>, T, T>;
    else
      return whole_division_kernel<Divide<T>, T, T, false>;
  });
  return BoundKernel{.kernel = kernel, .can_fail = whole};
}

Result<BoundKernel> bind_remainder(const CallBinding& call) {
  if (is_decimal_pair(call)) return bind_decimal<DecimalOp::kRemainder>(call);
  if (!is_number_pair(call) || !call.type(0).is_integer()) return no_kernel(call);
  const DataType& result = call.call.type();
  if (result.kind() == call.type(0).kind()) {
    return failing_kernel(for_number_type(result, []<typename T>() -> Kernel {
      if constexpr (std::is_floating_point_v<T>)
        return nullptr;
      else
        return whole_division_kernel<Remainder<T, T>, T, T, true>;
    }));
  }
  if (call.type(0).kind() != TypeKind::kBigInt || !result.is_integer()) return no_kernel(call);
  return failing_kernel(for_number_type(result, []<typename T>() -> Kernel {
    if constexpr (std::is_floating_point_v<T>)
      return nullptr;
    else
      return whole_division_kernel<Remainder<std::int64_t, T>, std::int64_t, T, true>;
  }));
}

struct NegateDecimal {
  static Int128 apply(Int128 a) { return -a; }
};

Result<BoundKernel> bind_negate(const CallBinding& call) {
  const DataType& type = call.type(0);
  if (type.kind() == TypeKind::kDecimal)
    return plain_kernel(unary_kernel<NegateDecimal, Int128, Int128>);
  if (type.kind() == TypeKind::kIntervalDayTime) {
    return plain_kernel(unary_kernel<Negate<std::int64_t>, std::int64_t, std::int64_t>);
  }
  if (type.kind() == TypeKind::kIntervalYearMonth) {
    return plain_kernel(unary_kernel<Negate<std::int32_t>, std::int32_t, std::int32_t>);
  }
  const Kernel kernel =
      for_number_type(type, []<typename T>() -> Kernel { return unary_kernel<Negate<T>, T, T>; });
  if (kernel == nullptr) return no_kernel(call);
  return plain_kernel(kernel);
}

Result<BoundKernel> bind_minus(const CallBinding& call) {
  if (call.count() == 1) return bind_negate(call);
  return bind_number_or_interval<Subtract, DecimalOp::kSubtract>(call);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "+",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_plus,
     .bind = bind_number_or_interval<Add, DecimalOp::kAdd>,
     .signature = "numeric + numeric, date or time + interval",
     .description = "The sum. Integers wrap; a DECIMAL that does not fit is NULL.",
     .example = "1 + 2",
     .example_result = "3"},
    {.name = "-",
     .arguments_min = 1,
     .arguments_max = 2,
     .derive = derive_minus,
     .bind = bind_minus,
     .signature = "numeric - numeric, date or time - interval, - numeric, - interval",
     .description = "The difference, or the value with its sign changed.",
     .example = "1.50 - 2",
     .example_result = "-0.50"},
    {.name = "*",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_times,
     .bind = bind_number_or_interval<Multiply, DecimalOp::kMultiply>,
     .signature = "numeric * numeric, interval * numeric",
     .description = "The product.",
     .example = "CAST(127 AS TINYINT) * CAST(2 AS TINYINT)",
     .example_result = "-2"},
    {.name = "/",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_divide,
     .bind = bind_divide,
     .signature = "numeric / numeric",
     .description = "The quotient; of integers, without its fraction.",
     .example = "7 / 2",
     .example_result = "3"},
    {.name = "%",
     .arguments_min = 2,
     .arguments_max = 2,
     .derive = derive_remainder,
     .bind = bind_remainder,
     .signature = "MOD(numeric, numeric), numeric % numeric",
     .description = "The remainder, with the sign of the dividend. Not for FLOAT and DOUBLE.",
     .example = "MOD(-7, 3)",
     .example_result = "-1",
     .aliases = "MOD"},
};

}  // namespace

std::span<const ScalarFunction> arithmetic_functions() {
  return kFunctions;
}

}  // namespace clepsydra
