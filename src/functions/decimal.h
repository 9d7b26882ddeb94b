// DECIMAL arithmetic on unscaled 128-bit values, rounding half up (away from zero) as the reference
// does.
#pragma once

#include <cstdint>

#include "stream/column.h"

namespace clepsydra {

__extension__ using UInt128 = unsigned __int128;

// 10^exponent, 0 <= exponent <= 38.
Int128 decimal_power_of_ten(int exponent);
// |value| < 10^precision.
bool decimal_fits(Int128 value, int precision);

// Each gives `out` at `scale`; false when the result needs more than `precision` digits.
bool decimal_rescale(Int128 value, int from_scale, int precision, int scale, Int128& out);
bool decimal_add(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                 Int128& out);
bool decimal_multiply(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                      Int128& out);
// Requires b != 0.
bool decimal_divide(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                    Int128& out);
// The sign of `a`, as Java's remainder. Requires b != 0.
bool decimal_remainder(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                       Int128& out);
// -1, 0, 1.
int decimal_compare(Int128 a, int a_scale, Int128 b, int b_scale);

// To a whole number: toward minus infinity, plus infinity, zero. Result at scale 0.
Int128 decimal_floor(Int128 value, int scale);
Int128 decimal_ceil(Int128 value, int scale);
Int128 decimal_truncate(Int128 value, int scale);
double decimal_to_double(Int128 value, int scale);
// By way of the shortest decimal text of `value`, as Java's Double.toString; false for NaN and
// infinities too.
bool decimal_from_double(double value, int precision, int scale, Int128& out);

}  // namespace clepsydra
