// From a physical type to its C++ type.
#pragma once

#include <cstdint>

#include "base/check.h"
#include "stream/column.h"
#include "stream/data_type.h"

namespace clepsydra {

// Calls f(T{}) with the C++ type of a one-word physical type.
template <typename F>
auto with_word_type(PhysicalType physical, F&& f) {
  switch (physical) {
    case PhysicalType::kBool8:
      return f(std::uint8_t{});
    case PhysicalType::kInt8:
      return f(std::int8_t{});
    case PhysicalType::kInt16:
      return f(std::int16_t{});
    case PhysicalType::kInt32:
      return f(std::int32_t{});
    case PhysicalType::kInt64:
      return f(std::int64_t{});
    case PhysicalType::kFloat:
      return f(float{});
    case PhysicalType::kDouble:
      return f(double{});
    default:
      CLP_CHECK(false);
  }
}

// The same for every physical type of fixed width.
template <typename F>
auto with_fixed_type(PhysicalType physical, F&& f) {
  return physical == PhysicalType::kInt128 ? f(Int128{}) : with_word_type(physical, f);
}

}  // namespace clepsydra
