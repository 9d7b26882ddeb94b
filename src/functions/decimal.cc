#include "functions/decimal.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace clepsydra {
namespace {

constexpr int kDigitsMax = 38;

constexpr std::array<Int128, kDigitsMax + 1> make_powers() {
  std::array<Int128, kDigitsMax + 1> powers{};
  Int128 power = 1;
  for (int i = 0; i <= kDigitsMax; ++i) {
    powers[static_cast<std::size_t>(i)] = power;
    if (i < kDigitsMax) power *= 10;
  }
  return powers;
}
constexpr std::array<Int128, kDigitsMax + 1> kPowers = make_powers();

// The powers of ten that are exact doubles.
constexpr std::array<double, 23> kDoublePowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

UInt128 magnitude(Int128 value) {
  return value < 0 ? UInt128{0} - static_cast<UInt128>(value) : static_cast<UInt128>(value);
}

// Whole numbers up to 64 bits divide several times faster.
UInt128 divide_magnitude(UInt128 a, UInt128 b, UInt128& remainder) {
  if ((a >> 64) == 0 && (b >> 64) == 0) {
    const auto x = static_cast<std::uint64_t>(a);
    const auto y = static_cast<std::uint64_t>(b);
    remainder = x % y;
    return x / y;
  }
  const UInt128 quotient = a / b;
  remainder = a - quotient * b;
  return quotient;
}

Int128 divide_half_up(Int128 a, Int128 b) {
  const UInt128 divisor = magnitude(b);
  UInt128 remainder = 0;
  UInt128 quotient = divide_magnitude(magnitude(a), divisor, remainder);
  if (remainder >= divisor - remainder) ++quotient;
  return (a < 0) != (b < 0) ? -static_cast<Int128>(quotient) : static_cast<Int128>(quotient);
}

// An unsigned 256-bit number: what products and scaled dividends need.
struct UInt256 {
  UInt128 high = 0;
  UInt128 low = 0;
};

UInt256 multiply_128(UInt128 a, UInt128 b) {
  const UInt128 mask = ~std::uint64_t{0};
  const UInt128 a0 = a & mask;
  const UInt128 a1 = a >> 64;
  const UInt128 b0 = b & mask;
  const UInt128 b1 = b >> 64;
  const UInt128 p00 = a0 * b0;
  const UInt128 p01 = a0 * b1;
  const UInt128 p10 = a1 * b0;
  const UInt128 middle = (p00 >> 64) + (p01 & mask) + (p10 & mask);
  return {a1 * b1 + (p01 >> 64) + (p10 >> 64) + (middle >> 64), (middle << 64) | (p00 & mask)};
}

// False when the product needs more than 256 bits.
bool multiply_256(UInt256& value, UInt128 factor) {
  const UInt256 upper = multiply_128(value.high, factor);
  if (upper.high != 0) return false;
  const UInt256 lower = multiply_128(value.low, factor);
  const UInt128 high = lower.high + upper.low;
  if (high < upper.low) return false;
  value = {high, lower.low};
  return true;
}

// value /= divisor; returns the remainder.
UInt128 divide_256(UInt256& value, UInt128 divisor) {
  if (value.high == 0) {
    const UInt128 remainder = value.low % divisor;
    value.low /= divisor;
    return remainder;
  }
  // Binary long division; only products of more than 38 digits come here.
  UInt256 quotient;
  UInt128 remainder = 0;
  for (int bit = 255; bit >= 0; --bit) {
    const bool carry = (remainder >> 127) != 0;
    const UInt128 word = bit >= 128 ? value.high : value.low;
    remainder = (remainder << 1) | ((word >> (bit & 127)) & 1);
    if (carry || remainder >= divisor) {
      remainder -= divisor;
      (bit >= 128 ? quotient.high : quotient.low) |= UInt128{1} << (bit & 127);
    }
  }
  value = quotient;
  return remainder;
}

// Divides rounding half up. Requires divisor <= 2^127.
void divide_rounding(UInt256& value, UInt128 divisor) {
  const UInt128 remainder = divide_256(value, divisor);
  if (remainder >= divisor - remainder) {
    ++value.low;
    if (value.low == 0) ++value.high;
  }
}

bool to_signed(const UInt256& value, bool negative, int precision, Int128& out) {
  if (value.high != 0 ||
      value.low >= static_cast<UInt128>(kPowers[static_cast<std::size_t>(precision)])) {
    return false;
  }
  out = negative ? -static_cast<Int128>(value.low) : static_cast<Int128>(value.low);
  return true;
}

// value * 10^exponent, rounding half up for negative exponents; false beyond 256 bits.
bool scale_256(UInt256& value, int exponent) {
  while (exponent > 0) {
    const int step = exponent < kDigitsMax ? exponent : kDigitsMax;
    if (!multiply_256(value, static_cast<UInt128>(decimal_power_of_ten(step)))) return false;
    exponent -= step;
  }
  if (exponent < -2 * kDigitsMax) {
    value = {};
  } else if (exponent < -kDigitsMax) {
    // Two steps would round twice: only the last may.
    divide_256(value, static_cast<UInt128>(decimal_power_of_ten(-exponent - kDigitsMax)));
    divide_rounding(value, static_cast<UInt128>(decimal_power_of_ten(kDigitsMax)));
  } else if (exponent < 0) {
    divide_rounding(value, static_cast<UInt128>(decimal_power_of_ten(-exponent)));
  }
  return true;
}

}  // namespace

Int128 decimal_power_of_ten(int exponent) {
  CLP_CHECK(exponent >= 0 && exponent <= kDigitsMax);
  return kPowers[static_cast<std::size_t>(exponent)];
}

bool decimal_fits(Int128 value, int precision) {
  const Int128 limit = kPowers[static_cast<std::size_t>(precision)];
  return value < limit && value > -limit;
}

bool decimal_rescale(Int128 value, int from_scale, int precision, int scale, Int128& out) {
  if (scale >= from_scale) {
    // Beyond 128 bits there are more than 38 digits.
    const Int128 factor = kPowers[static_cast<std::size_t>(scale - from_scale)];
    return !__builtin_mul_overflow(value, factor, &out) && decimal_fits(out, precision);
  }
  out = divide_half_up(value, kPowers[static_cast<std::size_t>(from_scale - scale)]);
  return decimal_fits(out, precision);
}

bool decimal_add(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                 Int128& out) {
  const int common = a_scale > b_scale ? a_scale : b_scale;
  Int128 x = 0;
  Int128 y = 0;
  Int128 narrow = 0;
  const bool is_narrow =
      !__builtin_mul_overflow(a, kPowers[static_cast<std::size_t>(common - a_scale)], &x) &&
      !__builtin_mul_overflow(b, kPowers[static_cast<std::size_t>(common - b_scale)], &y) &&
      !__builtin_add_overflow(x, y, &narrow);
  if (is_narrow) return decimal_rescale(narrow, common, precision, scale, out);
  UInt256 wide_a{0, magnitude(a)};
  UInt256 wide_b{0, magnitude(b)};
  // 38 digits moved by at most 38 places fit in 256 bits, and so does their sum.
  scale_256(wide_a, common - a_scale);
  scale_256(wide_b, common - b_scale);
  UInt256 sum;
  bool negative = a < 0;
  if ((a < 0) == (b < 0)) {
    sum.low = wide_a.low + wide_b.low;
    sum.high = wide_a.high + wide_b.high + (sum.low < wide_a.low ? 1 : 0);
  } else {
    if (wide_a.high < wide_b.high || (wide_a.high == wide_b.high && wide_a.low < wide_b.low)) {
      std::swap(wide_a, wide_b);
      negative = b < 0;
    }
    sum.low = wide_a.low - wide_b.low;
    sum.high = wide_a.high - wide_b.high - (wide_a.low < wide_b.low ? 1 : 0);
  }
  return scale_256(sum, scale - common) && to_signed(sum, negative, precision, out);
}

bool decimal_multiply(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                      Int128& out) {
  const int product_scale = a_scale + b_scale;
  Int128 narrow = 0;
  if (!__builtin_mul_overflow(a, b, &narrow) && product_scale - scale <= kDigitsMax) {
    return decimal_rescale(narrow, product_scale, precision, scale, out);
  }
  UInt256 product = multiply_128(magnitude(a), magnitude(b));
  return scale_256(product, scale - product_scale) &&
         to_signed(product, (a < 0) != (b < 0), precision, out);
}

bool decimal_divide(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                    Int128& out) {
  const int exponent = scale - a_scale + b_scale;
  Int128 narrow = 0;
  if (exponent >= 0 && exponent <= kDigitsMax &&
      !__builtin_mul_overflow(a, kPowers[static_cast<std::size_t>(exponent)], &narrow)) {
    out = divide_half_up(narrow, b);
    return decimal_fits(out, precision);
  }
  // A dividend that does not fit in 256 bits gives a quotient of more than 38 digits.
  UInt256 quotient{0, magnitude(a)};
  if (exponent >= 0) {
    if (!scale_256(quotient, exponent)) return false;
    divide_rounding(quotient, magnitude(b));
    return to_signed(quotient, (a < 0) != (b < 0), precision, out);
  }
  UInt256 divisor{0, magnitude(b)};
  if (!scale_256(divisor, -exponent)) return false;
  if (divisor.high != 0 || (divisor.low >> 127) != 0) {
    out = 0;  // More than twice any dividend.
    return true;
  }
  divide_rounding(quotient, divisor.low);
  return to_signed(quotient, (a < 0) != (b < 0), precision, out);
}

bool decimal_remainder(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                       Int128& out) {
  const int common = a_scale > b_scale ? a_scale : b_scale;
  UInt256 wide_a{0, magnitude(a)};
  UInt256 wide_b{0, magnitude(b)};
  scale_256(wide_a, common - a_scale);
  scale_256(wide_b, common - b_scale);
  // A divisor above 2^128 was moved by 10^k, so the dividend was not: a < 10^38 < b stays as it is.
  UInt256 remainder = wide_a;
  if (wide_b.high == 0) {
    UInt256 quotient = wide_a;
    remainder = {0, divide_256(quotient, wide_b.low)};
  }
  return scale_256(remainder, scale - common) && to_signed(remainder, a < 0, precision, out);
}

int decimal_compare(Int128 a, int a_scale, Int128 b, int b_scale) {
  if (a_scale == b_scale) return a < b ? -1 : a > b ? 1 : 0;
  if ((a < 0) != (b < 0)) return a < 0 ? -1 : 1;
  UInt256 wide_a{0, magnitude(a)};
  UInt256 wide_b{0, magnitude(b)};
  const int common = a_scale > b_scale ? a_scale : b_scale;
  scale_256(wide_a, common - a_scale);
  scale_256(wide_b, common - b_scale);
  int order = 0;
  if (wide_a.high != wide_b.high) {
    order = wide_a.high < wide_b.high ? -1 : 1;
  } else if (wide_a.low != wide_b.low) {
    order = wide_a.low < wide_b.low ? -1 : 1;
  }
  return a < 0 ? -order : order;
}

Int128 decimal_truncate(Int128 value, int scale) {
  return value / decimal_power_of_ten(scale);
}

Int128 decimal_floor(Int128 value, int scale) {
  const Int128 unit = decimal_power_of_ten(scale);
  const Int128 whole = value / unit;
  return value % unit < 0 ? whole - 1 : whole;
}

Int128 decimal_ceil(Int128 value, int scale) {
  const Int128 unit = decimal_power_of_ten(scale);
  const Int128 whole = value / unit;
  return value % unit > 0 ? whole + 1 : whole;
}

double decimal_to_double(Int128 value, int scale) {
  constexpr Int128 kExact = Int128{1} << 53;
  if (value <= kExact && value >= -kExact && scale < static_cast<int>(kDoublePowers.size())) {
    // Both are exact doubles, so the quotient is rounded once.
    return static_cast<double>(static_cast<std::int64_t>(value)) /
           kDoublePowers[static_cast<std::size_t>(scale)];
  }
  std::array<char, 64> text{};
  char* end = text.data() + text.size();
  char* cursor = end;
  // "<digits>e-<scale>", written backwards, so that from_chars rounds once.
  int exponent = scale;
  do {
    *--cursor = static_cast<char>('0' + exponent % 10);
    exponent /= 10;
  } while (exponent != 0);
  *--cursor = '-';
  *--cursor = 'e';
  UInt128 digits = magnitude(value);
  do {
    *--cursor = static_cast<char>('0' + static_cast<int>(digits % 10));
    digits /= 10;
  } while (digits != 0);
  if (value < 0) *--cursor = '-';
  double result = 0;
  std::from_chars(cursor, end, result);
  return result;
}

bool decimal_from_double(double value, int precision, int scale, Int128& out) {
  if (!std::isfinite(value)) return false;
  std::array<char, 40> text{};
  const std::to_chars_result written = std::to_chars(
      text.data(), text.data() + text.size(), std::fabs(value), std::chars_format::scientific);
  std::int64_t digits = 0;  // At most 17 of them.
  int fraction_digits = 0;
  bool in_fraction = false;
  const char* cursor = text.data();
  for (; *cursor != 'e'; ++cursor) {
    if (*cursor == '.') {
      in_fraction = true;
      continue;
    }
    digits = digits * 10 + (*cursor - '0');
    if (in_fraction) ++fraction_digits;
  }
  ++cursor;
  if (*cursor == '+') ++cursor;
  int exponent = 0;
  std::from_chars(cursor, written.ptr, exponent);
  UInt256 wide{0, static_cast<UInt128>(digits)};
  return scale_256(wide, scale - fraction_digits + exponent) &&
         to_signed(wide, value < 0, precision, out);
}

}  // namespace clepsydra
