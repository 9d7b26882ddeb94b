// Loops for kernels: one function object per row, written once for every way arguments can come.
#pragma once

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "functions/scalar_function.h"
#include "functions/vector.h"

namespace clepsydra {

// Op: static Out apply(A). Never fails; computes rows under a NULL as well.
template <typename Op, typename Out, typename A>
bool unary_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  // A constant argument makes the call constant: one row, at index 0.
  const A* a = call.argument(0).data<A>();
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = Op::apply(a[row]); });
  return true;
}

// Op: static Out apply(A, B). Never fails.
template <typename Op, typename Out, typename A, typename B = A>
bool binary_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  const Vector& left = call.argument(0);
  const Vector& right = call.argument(1);
  const A* a = left.data<A>();
  const B* b = right.data<B>();
  if (left.is_constant && !call.out.is_constant) {
    const A constant = a[0];
    for_each_row(call.rows, [&](std::int32_t row) { out[row] = Op::apply(constant, b[row]); });
  } else if (right.is_constant && !call.out.is_constant) {
    const B constant = b[0];
    for_each_row(call.rows, [&](std::int32_t row) { out[row] = Op::apply(a[row], constant); });
  } else {
    for_each_row(call.rows, [&](std::int32_t row) { out[row] = Op::apply(a[row], b[row]); });
  }
  return true;
}

// Op: static const char* apply(A, Out&): null, or what went wrong. Sees only rows that are not
// NULL.
template <typename Op, typename Out, typename A>
bool checked_unary_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  const Reader<A> a(call.argument(0));
  return for_each_valid_row(call.rows, call.out.validity, [&](std::int32_t row) {
    const char* problem = Op::apply(a[row], out[row]);
    return problem == nullptr || call.fail(row, problem);
  });
}

// Op: static const char* apply(A, B, Out&).
template <typename Op, typename Out, typename A, typename B = A>
bool checked_binary_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  const Reader<A> a(call.argument(0));
  const Reader<B> b(call.argument(1));
  return for_each_valid_row(call.rows, call.out.validity, [&](std::int32_t row) {
    const char* problem = Op::apply(a[row], b[row], out[row]);
    return problem == nullptr || call.fail(row, problem);
  });
}

// Op: static Out apply(std::string_view).
template <typename Op, typename Out>
bool text_to_value_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  const Vector& a = call.argument(0);
  return for_each_valid_row(call.rows, call.out.validity, [&](std::int32_t row) {
    out[row] = Op::apply(a.string_at(row));
    return true;
  });
}

// Op: static Out apply(std::string_view, std::string_view).
template <typename Op, typename Out>
bool two_texts_to_value_kernel(KernelCall& call) {
  Out* out = call.results<Out>();
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  return for_each_valid_row(call.rows, call.out.validity, [&](std::int32_t row) {
    out[row] = Op::apply(a.string_at(row), b.string_at(row));
    return true;
  });
}

// f(row) for every row whose result is not NULL so far; answers false to stop after a failure.
template <typename F>
bool for_each_result(KernelCall& call, F&& f) {
  return for_each_valid_row(call.rows, call.out.validity, f);
}

// A kernel that only needs a function pointer.
inline Result<BoundKernel> plain_kernel(Kernel kernel) {
  return BoundKernel{.kernel = kernel};
}
inline Result<BoundKernel> costly_kernel(Kernel kernel) {
  return BoundKernel{.kernel = kernel, .is_costly = true};
}
inline Result<BoundKernel> failing_kernel(Kernel kernel) {
  return BoundKernel{.kernel = kernel, .can_fail = true};
}

// Calls f.template operator()<T>() with the C++ type of a number's layout (not DECIMAL); a null
// kernel for others.
template <typename F>
Kernel for_number_type(const DataType& type, F&& f) {
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return f.template operator()<std::int8_t>();
    case TypeKind::kSmallInt:
      return f.template operator()<std::int16_t>();
    case TypeKind::kInteger:
      return f.template operator()<std::int32_t>();
    case TypeKind::kBigInt:
      return f.template operator()<std::int64_t>();
    case TypeKind::kFloat:
      return f.template operator()<float>();
    case TypeKind::kDouble:
      return f.template operator()<double>();
    default:
      return nullptr;
  }
}

// For every layout of fixed width but views.
template <typename F>
Kernel for_fixed_type(const DataType& type, F&& f) {
  switch (type.physical()) {
    case PhysicalType::kBool8:
      return f.template operator()<std::uint8_t>();
    case PhysicalType::kInt8:
      return f.template operator()<std::int8_t>();
    case PhysicalType::kInt16:
      return f.template operator()<std::int16_t>();
    case PhysicalType::kInt32:
      return f.template operator()<std::int32_t>();
    case PhysicalType::kInt64:
      return f.template operator()<std::int64_t>();
    case PhysicalType::kFloat:
      return f.template operator()<float>();
    case PhysicalType::kDouble:
      return f.template operator()<double>();
    case PhysicalType::kInt128:
      return f.template operator()<Int128>();
    default:
      return nullptr;
  }
}

// The site of a kernel with plain data.
template <typename T>
struct DataSite final : CallSite {
  explicit DataSite(T value) : data(std::move(value)) {}
  T data;
};
template <typename T>
std::unique_ptr<CallSite> make_site(T value) {
  return std::make_unique<DataSite<T>>(std::move(value));
}
template <typename T>
const T& site_data(const KernelCall& call) {
  return call.site_as<DataSite<T>>().data;
}

Status wrong_types(const CallTyping& call);
// The answer of bind() to types that derive() does not let through: a plan from elsewhere.
Status no_kernel(const CallBinding& call);

}  // namespace clepsydra
