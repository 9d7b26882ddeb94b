#include "stream/value_order.h"

#include <cmath>
#include <type_traits>

#include "base/check.h"

namespace clepsydra {
namespace {

template <typename T>
int compare_numbers(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
    }
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

template <typename T>
int compare_as(const Column& a, std::int64_t i, const Column& b, std::int64_t j) {
  return compare_numbers(a.values<T>()[i], b.values<T>()[j]);
}

}  // namespace

bool has_value_order(const DataType& type) {
  return !type.is_nested() && type.physical() != PhysicalType::kNone;
}

int compare_values(const Column& a, std::int64_t i, const Column& b, std::int64_t j) {
  switch (a.type().physical()) {
    case PhysicalType::kBool8:
      return compare_as<std::uint8_t>(a, i, b, j);
    case PhysicalType::kInt8:
      return compare_as<std::int8_t>(a, i, b, j);
    case PhysicalType::kInt16:
      return compare_as<std::int16_t>(a, i, b, j);
    case PhysicalType::kInt32:
      return compare_as<std::int32_t>(a, i, b, j);
    case PhysicalType::kInt64:
      return compare_as<std::int64_t>(a, i, b, j);
    case PhysicalType::kFloat:
      return compare_as<float>(a, i, b, j);
    case PhysicalType::kDouble:
      return compare_as<double>(a, i, b, j);
    case PhysicalType::kInt128:
      return compare_as<Int128>(a, i, b, j);
    case PhysicalType::kView:
      return a.string_at(i).compare(b.string_at(j));
    default:
      CLP_CHECK(false);  // has_value_order() says no.
  }
}

}  // namespace clepsydra
