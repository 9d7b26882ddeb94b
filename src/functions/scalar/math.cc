// Mathematical functions. Those of real numbers take any number as DOUBLE.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

// ---- DOUBLE to DOUBLE ----

double java_log2(double x) {
  return std::log(x) / std::log(2.0);
}
double cotangent(double x) {
  return 1.0 / std::tan(x);
}
double degrees(double x) {
  return x * (180.0 / std::numbers::pi);
}
double radians(double x) {
  return x / 180.0 * std::numbers::pi;
}

template <double (*kFunction)(double)>
struct RealFunction {
  static double apply(double x) { return kFunction(x); }
};

template <double (*kFunction)(double)>
Result<BoundKernel> bind_real(const CallBinding&) {
  return BoundKernel{.kernel = unary_kernel<RealFunction<kFunction>, double, double>,
                     .is_costly = true};
}

struct Power {
  static double apply(double a, double b) { return std::pow(a, b); }
};
struct ArcTangent2 {
  static double apply(double a, double b) { return std::atan2(a, b); }
};
struct LogarithmOfBase {
  static double apply(double base, double x) { return std::log(x) / std::log(base); }
};

Result<BoundKernel> bind_power(const CallBinding&) {
  return costly_kernel(binary_kernel<Power, double, double>);
}
Result<BoundKernel> bind_atan2(const CallBinding&) {
  return costly_kernel(binary_kernel<ArcTangent2, double, double>);
}
Result<BoundKernel> bind_log(const CallBinding& call) {
  if (call.count() == 1) return bind_real<std::log>(call);
  return costly_kernel(binary_kernel<LogarithmOfBase, double, double>);
}

// ---- ABS, SIGN, FLOOR, CEIL ----

template <typename T>
struct Absolute {
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>) {
      return std::fabs(a);
    } else {
      // The smallest number stays what it is, as in Java.
      const auto bits = static_cast<std::uint64_t>(std::int64_t{a});
      return static_cast<T>(a < 0 ? 0 - bits : bits);
    }
  }
};
struct AbsoluteDecimal {
  static Int128 apply(Int128 a) { return a < 0 ? -a : a; }
};

template <typename T>
struct Sign {
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a)) return a;
    }
    return static_cast<T>(a > 0 ? 1 : a < 0 ? -1 : 0);
  }
};

template <typename T>
struct Floor {
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return std::floor(a);
    else
      return a;
  }
};
template <typename T>
struct Ceil {
  static T apply(T a) {
    if constexpr (std::is_floating_point_v<T>)
      return std::ceil(a);
    else
      return a;
  }
};

template <template <typename> typename Op>
Kernel same_type_kernel(const DataType& type) {
  return for_number_type(type, []<typename T>() -> Kernel { return unary_kernel<Op<T>, T, T>; });
}

bool sign_decimal_kernel(KernelCall& call) {
  // 1 at the argument's scale.
  const Int128 one = decimal_power_of_ten(call.out.type.scale());
  auto* out = call.results<Int128>();
  const Reader<Int128> values(call.argument(0));
  return for_each_result(call, [&](std::int32_t row) {
    const Int128 sign = values[row] > 0 ? one : values[row] < 0 ? -one : 0;
    out[row] = sign;
    if (!decimal_fits(sign, call.out.type.precision())) call.set_null(row);
    return call.status().is_ok();
  });
}

template <Int128 (*kRound)(Int128, int)>
bool whole_decimal_kernel(KernelCall& call) {
  const int scale = site_data<int>(call);
  auto* out = call.results<Int128>();
  const Reader<Int128> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = kRound(values[row], scale); });
  return true;
}

Result<BoundKernel> bind_abs(const CallBinding& call) {
  if (call.type(0).kind() == TypeKind::kDecimal) {
    return plain_kernel(unary_kernel<AbsoluteDecimal, Int128, Int128>);
  }
  return plain_kernel(same_type_kernel<Absolute>(call.type(0)));
}

Result<BoundKernel> bind_sign(const CallBinding& call) {
  if (call.type(0).kind() == TypeKind::kDecimal) return plain_kernel(sign_decimal_kernel);
  return plain_kernel(same_type_kernel<Sign>(call.type(0)));
}

template <template <typename> typename Op, Int128 (*kRound)(Int128, int)>
Result<BoundKernel> bind_whole(const CallBinding& call) {
  if (call.type(0).kind() == TypeKind::kDecimal) {
    return BoundKernel{.kernel = whole_decimal_kernel<kRound>,
                       .site = make_site(call.type(0).scale()),
                       .is_costly = true};
  }
  return plain_kernel(same_type_kernel<Op>(call.type(0)));
}

Result<DataType> derive_same(CallTyping& call) {
  if (!call.type(0).is_numeric()) return wrong_types(call);
  return call.type(0);
}

Result<DataType> derive_whole(CallTyping& call) {
  const DataType& type = call.type(0);
  if (!type.is_numeric()) return wrong_types(call);
  if (type.kind() != TypeKind::kDecimal) return type;
  return call.strict(DataType::decimal(type.precision(), 0));
}

// ---- ROUND, TRUNCATE ----

// Arguments: number, digits after the point (may be negative).
Result<DataType> derive_round(CallTyping& call) {
  if (!call.type(0).is_numeric()) return wrong_types(call);
  if (call.count() == 1) call.arguments.push_back(integer_literal(0));
  if (!call.type(1).is_integer()) return wrong_types(call);
  const DataType type = call.type(0);
  const std::optional<std::int64_t> digits = integer_value(*call.argument(1));
  CLP_RETURN_IF_ERROR(call.coerce(1, DataType::integer()));
  if (type.kind() != TypeKind::kDecimal || !digits || *digits >= type.scale())
    return call.strict(type);
  // One digit more for what is carried over.
  const int whole = type.precision() - type.scale() + 1;
  const int scale = *digits < 0 ? 0 : static_cast<int>(*digits);
  return call.strict(DataType::decimal(std::min(kMaxDecimalPrecision, whole + scale), scale));
}

struct RoundShape {
  int from_scale;
  int precision;
  int scale;
};

// `value` with the digits beyond `digits` after the point (of `from_scale`) made zero, at scale
// `digits`, or 0 when that is negative.
bool round_decimal(Int128 value, const RoundShape& shape, std::int64_t digits, bool truncate,
                   Int128& out) {
  if (digits >= shape.from_scale) {
    return decimal_rescale(value, shape.from_scale, shape.precision, shape.scale, out);
  }
  const std::int64_t cut = shape.from_scale - digits;
  if (cut > kMaxDecimalPrecision) {
    out = 0;
    return true;
  }
  const Int128 unit = decimal_power_of_ten(static_cast<int>(cut));
  Int128 whole = value / unit;
  const Int128 rest = value - whole * unit;
  if (!truncate && (rest < 0 ? -rest : rest) >= unit - (rest < 0 ? -rest : rest)) {
    whole += value < 0 ? -1 : 1;
  }
  // `whole` counts units of 10^-digits.
  if (digits >= 0) {
    return decimal_rescale(whole, static_cast<int>(digits), shape.precision, shape.scale, out);
  }
  if (-digits > kMaxDecimalPrecision) {
    out = 0;
    return true;
  }
  const Int128 power = decimal_power_of_ten(static_cast<int>(-digits));
  Int128 product = 0;
  return !__builtin_mul_overflow(whole, power, &product) &&
         decimal_rescale(product, 0, shape.precision, shape.scale, out);
}

template <bool kTruncate>
bool round_decimal_kernel(KernelCall& call) {
  const auto shape = site_data<RoundShape>(call);
  auto* out = call.results<Int128>();
  const Reader<Int128> values(call.argument(0));
  const Reader<std::int32_t> digits(call.argument(1));
  return for_each_result(call, [&](std::int32_t row) {
    if (!round_decimal(values[row], shape, digits[row], kTruncate, out[row])) {
      out[row] = 0;
      call.set_null(row);
    }
    return call.status().is_ok();
  });
}

// Whole numbers change only for negative digits; the result wraps.
template <typename T, bool kTruncate>
bool round_whole_kernel(KernelCall& call) {
  T* out = call.results<T>();
  const Reader<T> values(call.argument(0));
  const Reader<std::int32_t> digits(call.argument(1));
  const RoundShape shape{.from_scale = 0, .precision = kMaxDecimalPrecision, .scale = 0};
  return for_each_result(call, [&](std::int32_t row) {
    Int128 rounded = 0;
    round_decimal(values[row], shape, digits[row], kTruncate, rounded);
    out[row] = static_cast<T>(rounded);
    return true;
  });
}

// By way of the shortest decimal text, so that 2.675 rounds to 2.68 as people expect.
double round_double(double value, std::int64_t digits, bool truncate) {
  constexpr int kScale = 17;
  Int128 decimal = 0;
  if (digits > kScale || std::fabs(value) >= 1e18 ||
      !decimal_from_double(value, kMaxDecimalPrecision, kScale, decimal)) {
    return value;
  }
  const RoundShape shape{.from_scale = kScale, .precision = kMaxDecimalPrecision, .scale = kScale};
  Int128 rounded = 0;
  if (!round_decimal(decimal, shape, digits, truncate, rounded)) return value;
  return decimal_to_double(rounded, kScale);
}

template <typename T, bool kTruncate>
bool round_floating_kernel(KernelCall& call) {
  T* out = call.results<T>();
  const Reader<T> values(call.argument(0));
  const Reader<std::int32_t> digits(call.argument(1));
  return for_each_result(call, [&](std::int32_t row) {
    out[row] = static_cast<T>(round_double(values[row], digits[row], kTruncate));
    return true;
  });
}

template <bool kTruncate>
Result<BoundKernel> bind_round(const CallBinding& call) {
  const DataType& type = call.type(0);
  if (type.kind() == TypeKind::kDecimal) {
    const DataType& result = call.call.type();
    return BoundKernel{
        .kernel = round_decimal_kernel<kTruncate>,
        .site = make_site(RoundShape{
            .from_scale = type.scale(), .precision = result.precision(), .scale = result.scale()}),
        .is_costly = true};
  }
  return costly_kernel(for_number_type(type, []<typename T>() -> Kernel {
    if constexpr (std::is_floating_point_v<T>)
      return round_floating_kernel<T, kTruncate>;
    else
      return round_whole_kernel<T, kTruncate>;
  }));
}

// ---- RAND ----

// java.util.Random: RAND(seed) gives the reference's numbers.
class JavaRandom {
 public:
  explicit JavaRandom(std::int64_t seed)
      : state_((static_cast<std::uint64_t>(seed) ^ kMultiplier) & kMask) {}

  double next_double() {
    const std::uint64_t high = next(26);
    return static_cast<double>((high << 27) + next(27)) * 0x1.0p-53;
  }
  // Uniform in [0, bound); 0 for a bound that is not positive.
  std::int32_t next_below(std::int32_t bound) {
    if (bound <= 0) return 0;
    const auto limit = static_cast<std::uint64_t>(bound);
    if ((limit & (limit - 1)) == 0) return static_cast<std::int32_t>((limit * next(31)) >> 31);
    for (;;) {
      const std::uint64_t bits = next(31);
      const std::uint64_t value = bits % limit;
      if (bits - value + (limit - 1) < (1ULL << 31)) return static_cast<std::int32_t>(value);
    }
  }

 private:
  static constexpr std::uint64_t kMultiplier = 0x5DEECE66DULL;
  static constexpr std::uint64_t kMask = (1ULL << 48) - 1;
  std::uint64_t next(int bits) {
    state_ = (state_ * kMultiplier + 0xBULL) & kMask;
    return state_ >> (48 - bits);
  }
  std::uint64_t state_;
};

// One sequence per place in a program.
struct RandomSite final : CallSite {
  explicit RandomSite(std::int64_t seed) : random(seed) {}
  mutable JavaRandom random;  // Programs are run by one thread at a time.
};

bool random_kernel(KernelCall& call) {
  const auto& site = call.site_as<RandomSite>();
  auto* out = call.results<double>();
  if (call.arguments.empty() || call.argument(0).is_constant) {
    for_each_row(call.rows, [&](std::int32_t row) { out[row] = site.random.next_double(); });
    return true;
  }
  const Reader<std::int32_t> seeds(call.argument(0));
  for_each_row(call.rows,
               [&](std::int32_t row) { out[row] = JavaRandom(seeds[row]).next_double(); });
  return true;
}

// RAND_INTEGER(bound) and RAND_INTEGER(seed, bound).
bool random_integer_kernel(KernelCall& call) {
  const auto& site = call.site_as<RandomSite>();
  auto* out = call.results<std::int32_t>();
  const bool has_seed = call.arguments.size() == 2;
  const Reader<std::int32_t> bounds(call.argument(has_seed ? 1 : 0));
  if (!has_seed || call.argument(0).is_constant) {
    for_each_row(call.rows,
                 [&](std::int32_t row) { out[row] = site.random.next_below(bounds[row]); });
    return true;
  }
  const Reader<std::int32_t> seeds(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = JavaRandom(seeds[row]).next_below(bounds[row]);
  });
  return true;
}

template <Kernel kKernel, int kCountWithSeed>
Result<BoundKernel> bind_random(const CallBinding& call) {
  std::int64_t seed = static_cast<std::int64_t>(call.context.random_seed);
  if (call.count() == kCountWithSeed) seed = integer_value(*call.call.argument(0)).value_or(0);
  return BoundKernel{
      .kernel = kKernel, .site = std::make_unique<RandomSite>(seed), .is_costly = true};
}

template <int kNumber>
bool number_kernel(KernelCall& call) {
  *call.results<double>() = kNumber == 0 ? std::numbers::pi : std::numbers::e;
  return true;
}
template <int kNumber>
Result<BoundKernel> bind_constant(const CallBinding&) {
  return plain_kernel(number_kernel<kNumber>);
}

constexpr ScalarFunction real_entry(std::string_view name,
                                    Result<BoundKernel> (*bind)(const CallBinding&),
                                    std::string_view description, std::string_view example,
                                    std::string_view example_result, int count = 1) {
  return {.name = name,
          .arguments_min = count == 12 ? 1 : count,
          .arguments_max = count == 12 ? 2 : count,
          .parameters = "DOUBLE DOUBLE",
          .result = "DOUBLE",
          .bind = bind,
          .signature = description.substr(0, description.find(':')),
          .description = description.substr(description.find(':') + 2),
          .example = example,
          .example_result = example_result};
}
constexpr int kOneOrTwo = 12;

constexpr ScalarFunction number_entry(std::string_view name,
                                      Result<DataType> (*derive)(CallTyping&),
                                      Result<BoundKernel> (*bind)(const CallBinding&),
                                      std::string_view signature, std::string_view description,
                                      std::string_view example, std::string_view example_result,
                                      int count_max = 1, std::string_view aliases = {}) {
  return {.name = name,
          .arguments_min = 1,
          .arguments_max = count_max,
          .derive = derive,
          .bind = bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result,
          .aliases = aliases};
}

constexpr ScalarFunction kFunctions[] = {
    number_entry("ABS", derive_same, bind_abs, "ABS(number)", "The number without its sign.",
                 "ABS(-5)", "5"),
    number_entry("SIGN", derive_same, bind_sign, "SIGN(number)",
                 "-1, 0 or 1, of the number's type.", "SIGN(-2.5e0)", "-1.0"),
    number_entry("FLOOR", derive_whole, bind_whole<Floor, decimal_floor>, "FLOOR(number)",
                 "The greatest whole number that is not greater.", "FLOOR(-1.1)", "-2"),
    number_entry("CEIL", derive_whole, bind_whole<Ceil, decimal_ceil>, "CEIL(number)",
                 "The least whole number that is not less.", "CEIL(1.5e0)", "2.0", 1, "CEILING"),
    number_entry("ROUND", derive_round, bind_round<false>, "ROUND(number [, digits])",
                 "Rounded half up to a number of digits after the point; before it when negative.",
                 "ROUND(12355, -1)", "12360", 2),
    number_entry("TRUNCATE", derive_round, bind_round<true>, "TRUNCATE(number [, digits])",
                 "Cut to a number of digits after the point; before it when negative.",
                 "TRUNCATE(1234, -2)", "1200", 2),
    real_entry("SQRT", bind_real<std::sqrt>,
               "SQRT(number): The square root; NaN of a negative number.", "SQRT(2.25)", "1.5"),
    real_entry("EXP", bind_real<std::exp>, "EXP(number): e to the power.", "EXP(0)", "1.0"),
    real_entry("LN", bind_real<std::log>, "LN(number): The natural logarithm.", "LN(1)", "0.0"),
    real_entry("LOG10", bind_real<std::log10>, "LOG10(number): The logarithm to base 10.",
               "LOG10(100)", "2.0"),
    real_entry("LOG2", bind_real<java_log2>, "LOG2(number): The logarithm to base 2.", "LOG2(0)",
               "-Infinity"),
    real_entry("LOG", bind_log,
               "LOG([base,] number): The logarithm to a base, else the natural one.", "LOG(2, 8)",
               "3.0", kOneOrTwo),
    real_entry("POWER", bind_power, "POWER(number, exponent): The number to the power.",
               "POWER(2, 10)", "1024.0", 2),
    real_entry("SIN", bind_real<std::sin>, "SIN(radians): The sine.", "SIN(0)", "0.0"),
    real_entry("COS", bind_real<std::cos>, "COS(radians): The cosine.", "COS(0)", "1.0"),
    real_entry("TAN", bind_real<std::tan>, "TAN(radians): The tangent.", "TAN(0)", "0.0"),
    real_entry("COT", bind_real<cotangent>, "COT(radians): The cotangent.", "COT(0)", "Infinity"),
    real_entry("ASIN", bind_real<std::asin>, "ASIN(number): The arc sine.", "ASIN(0)", "0.0"),
    real_entry("ACOS", bind_real<std::acos>, "ACOS(number): The arc cosine.", "ACOS(1)", "0.0"),
    real_entry("ATAN", bind_real<std::atan>, "ATAN(number): The arc tangent.", "ATAN(0)", "0.0"),
    real_entry("ATAN2", bind_atan2, "ATAN2(y, x): The angle of the point (x, y).", "ATAN2(0, 1)",
               "0.0", 2),
    real_entry("SINH", bind_real<std::sinh>, "SINH(number): The hyperbolic sine.", "SINH(0)",
               "0.0"),
    real_entry("COSH", bind_real<std::cosh>, "COSH(number): The hyperbolic cosine.", "COSH(0)",
               "1.0"),
    real_entry("TANH", bind_real<std::tanh>, "TANH(number): The hyperbolic tangent.", "TANH(0)",
               "0.0"),
    real_entry("DEGREES", bind_real<degrees>, "DEGREES(radians): Radians as degrees.", "DEGREES(0)",
               "0.0"),
    real_entry("RADIANS", bind_real<radians>, "RADIANS(degrees): Degrees as radians.", "RADIANS(0)",
               "0.0"),
    real_entry("PI", bind_constant<0>, "PI(): The number pi.", "PI()", "3.141592653589793", 0),
    real_entry("E", bind_constant<1>, "E(): Euler's number.", "E()", "2.718281828459045", 0),
    {.name = "RAND",
     .arguments_min = 0,
     .arguments_max = 1,
     .parameters = "[INT]",
     .result = "DOUBLE",
     .bind = bind_random<random_kernel, 1>,
     .volatility = Volatility::kPerRow,
     .signature = "RAND([seed])",
     .description =
         "A random number in [0, 1), another one for every row; the same sequence for a seed.",
     .example = "RAND(42)",
     .example_result = "0.7275636800328681"},
    {.name = "RAND_INTEGER",
     .arguments_min = 1,
     .arguments_max = 2,
     .parameters = "INT [INT]",
     .result = "INT",
     .bind = bind_random<random_integer_kernel, 2>,
     .volatility = Volatility::kPerRow,
     .signature = "RAND_INTEGER([seed,] bound)",
     .description = "A random whole number in [0, bound), another one for every row.",
     .example = "RAND_INTEGER(1, 10)",
     .example_result = "5"},
};

}  // namespace

std::span<const ScalarFunction> math_functions() {
  return kFunctions;
}

}  // namespace clepsydra
