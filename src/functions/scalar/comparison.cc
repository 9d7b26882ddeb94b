// = <> < <= > >= and IS [NOT] DISTINCT FROM, IN over literals.
#include "functions/scalar/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/type_rules.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual
};

constexpr bool is_equality(Comparison comparison) {
  return comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
}

template <Comparison kComparison, typename T>
struct Compare {
  static std::uint8_t apply(const T& a, const T& b) {
    bool result = false;
    if constexpr (kComparison == Comparison::kEqual)
      result = a == b;
    else if constexpr (kComparison == Comparison::kNotEqual)
      result = a != b;
    else if constexpr (kComparison == Comparison::kLess)
      result = a < b;
    else if constexpr (kComparison == Comparison::kLessEqual)
      result = a <= b;
    else if constexpr (kComparison == Comparison::kGreater)
      result = a > b;
    else
      result = a >= b;
    return result ? 1 : 0;
  }
};

bool texts_equal(const Vector& a, const StringView16& x, const Vector& b, const StringView16& y) {
  // Length and first four bytes at once; most texts differ there.
  std::uint64_t heads[2];
  std::memcpy(&heads[0], &x, sizeof(std::uint64_t));
  std::memcpy(&heads[1], &y, sizeof(std::uint64_t));
  if (heads[0] != heads[1]) return false;
  if (x.is_inline()) {
    std::memcpy(&heads[0], reinterpret_cast<const char*>(&x) + 8, sizeof(std::uint64_t));
    std::memcpy(&heads[1], reinterpret_cast<const char*>(&y) + 8, sizeof(std::uint64_t));
    return heads[0] == heads[1];
  }
  return std::memcmp(a.blob_bases[static_cast<std::size_t>(x.ref.blob)] + x.ref.offset,
                     b.blob_bases[static_cast<std::size_t>(y.ref.blob)] + y.ref.offset,
                     static_cast<std::size_t>(x.length)) == 0;
}

template <Comparison kComparison>
bool text_kernel(KernelCall& call) {
  auto* out = call.results<std::uint8_t>();
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  return for_each_result(call, [&](std::int32_t row) {
    if constexpr (is_equality(kComparison)) {
      const bool equal = texts_equal(a, a.data<StringView16>()[a.index_of(row)], b,
                                     b.data<StringView16>()[b.index_of(row)]);
      out[row] = equal == (kComparison == Comparison::kEqual) ? 1 : 0;
    } else {
      out[row] = Compare<kComparison, int>::apply(a.string_at(row).compare(b.string_at(row)), 0);
    }
    return true;
  });
}

template <Comparison kComparison>
bool decimal_kernel(KernelCall& call) {
  const auto scales = site_data<std::pair<int, int>>(call);
  auto* out = call.results<std::uint8_t>();
  const Reader<Int128> a(call.argument(0));
  const Reader<Int128> b(call.argument(1));
  for_each_row(call.rows, [&](std::int32_t row) {
    const int order = decimal_compare(a[row], scales.first, b[row], scales.second);
    out[row] = Compare<kComparison, int>::apply(order, 0);
  });
  return true;
}

// Arrays, maps and rows: equal or not.
template <Comparison kComparison>
bool nested_kernel(KernelCall& call) {
  auto* out = call.results<std::uint8_t>();
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  return for_each_result(call, [&](std::int32_t row) {
    const bool equal = keys_equal({&a.column, 1}, a.index_of(row), {&b.column, 1}, b.index_of(row));
    out[row] = equal == (kComparison == Comparison::kEqual) ? 1 : 0;
    return true;
  });
}

// x = x over FLOAT and DOUBLE: the reference takes it as TRUE for NaN too.
template <Comparison kComparison>
bool same_kernel(KernelCall& call) {
  constexpr bool kResult = kComparison == Comparison::kEqual ||
                           kComparison == Comparison::kLessEqual ||
                           kComparison == Comparison::kGreaterEqual;
  auto* out = call.results<std::uint8_t>();
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = kResult ? 1 : 0; });
  return true;
}

template <Comparison kComparison>
Result<BoundKernel> bind_comparison(const CallBinding& call) {
  if (call.count() != 2 || call.type(0).physical() != call.type(1).physical())
    return no_kernel(call);
  const DataType& type = call.type(0);
  const bool is_floating = type.kind() == TypeKind::kFloat || type.kind() == TypeKind::kDouble;
  if (is_floating && call.same_arguments) return plain_kernel(same_kernel<kComparison>);
  if (type.physical() == PhysicalType::kView) return costly_kernel(text_kernel<kComparison>);
  if (type.kind() == TypeKind::kDecimal && type.scale() != call.type(1).scale()) {
    return BoundKernel{.kernel = decimal_kernel<kComparison>,
                       .site = make_site(std::pair<int, int>(type.scale(), call.type(1).scale())),
                       .is_costly = true};
  }
  if (type.is_nested()) {
    if (!is_equality(kComparison)) return no_kernel(call);
    return costly_kernel(nested_kernel<kComparison>);
  }
  const Kernel kernel = for_fixed_type(type, []<typename T>() -> Kernel {
    return binary_kernel<Compare<kComparison, T>, std::uint8_t, T>;
  });
  if (kernel == nullptr) return no_kernel(call);
  return plain_kernel(kernel);
}

// ---- IS [NOT] DISTINCT FROM ----

// Calls result(row, distinct) for each row; equal(row) is asked where both have values.
template <typename Equal>
bool distinct_rows(KernelCall& call, Equal&& equal) {
  const bool negated = site_data<bool>(call);
  auto* out = call.results<std::uint8_t>();
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  for_each_row(call.rows, [&](std::int32_t row) {
    const bool a_null = a.is_null(row);
    const bool b_null = b.is_null(row);
    const bool distinct = a_null || b_null ? a_null != b_null : !equal(row);
    out[row] = distinct != negated ? 1 : 0;
  });
  return true;
}

template <typename T>
bool distinct_kernel(KernelCall& call) {
  const Reader<T> a(call.argument(0));
  const Reader<T> b(call.argument(1));
  return distinct_rows(call, [&](std::int32_t row) { return a[row] == b[row]; });
}

bool distinct_text_kernel(KernelCall& call) {
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  return distinct_rows(call,
                       [&](std::int32_t row) { return a.string_at(row) == b.string_at(row); });
}

bool distinct_nested_kernel(KernelCall& call) {
  const Vector& a = call.argument(0);
  const Vector& b = call.argument(1);
  return distinct_rows(call, [&](std::int32_t row) {
    return keys_equal({&a.column, 1}, a.index_of(row), {&b.column, 1}, b.index_of(row));
  });
}

bool never_distinct_kernel(KernelCall& call) {
  const std::uint8_t result = site_data<bool>(call) ? 1 : 0;
  auto* out = call.results<std::uint8_t>();
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = result; });
  return true;
}

template <bool kNegated>
Result<BoundKernel> bind_distinct(const CallBinding& call) {
  if (call.count() != 2 || !call.type(0).same_values(call.type(1))) return no_kernel(call);
  const DataType& type = call.type(0);
  BoundKernel bound{
      .kernel = for_fixed_type(type, []<typename T>() -> Kernel { return distinct_kernel<T>; }),
      .site = make_site(kNegated),
      .is_costly = true};
  if (call.same_arguments) {
    bound.kernel = never_distinct_kernel;
  } else if (type.physical() == PhysicalType::kView) {
    bound.kernel = distinct_text_kernel;
  } else if (type.is_nested() || type.kind() == TypeKind::kNull) {
    bound.kernel = type.is_nested() ? distinct_nested_kernel : never_distinct_kernel;
  }
  return bound;
}

// ---- Types ----

bool is_temporal(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

bool is_null_literal(const Expression& expression) {
  return expression.kind() == Expression::Kind::kLiteral && expression.literal_value().is_null(0);
}

// `text` compared with something that is no text.
Status coerce_text(CallTyping& call, int text, int other, bool equality) {
  const DataType target = call.type(other);
  if (target.is_nested() || target.is_binary()) return wrong_types(call);
  if (!equality) return call.coerce(text, target);
  if (is_null_literal(*call.argument(text)) || is_null_literal(*call.argument(other))) {
    call.set_argument(text, null_literal(target));
    return Status::ok();
  }
  if (target.is_numeric()) {
    return Status::invalid_argument(
        fmt::format("{} and {} cannot be compared by {}: cast one of them", call.type(0).name(),
                    call.type(1).name(), call.name));
  }
  if (!is_temporal(target)) return call.coerce(other, DataType::string());
  // A constant must be such a value; of others, what is none equals none.
  if (text_value(*call.argument(text)).has_value()) return call.coerce(text, target);
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value,
                       cast_to(call.argument(text), target.with_nullable(true), true));
  call.set_argument(text, std::move(value));
  return Status::ok();
}

Status coerce_both(CallTyping& call, const DataType& target) {
  CLP_RETURN_IF_ERROR(call.coerce(0, target));
  return call.coerce(1, target);
}

Status coerce_comparands(CallTyping& call, bool equality, bool same_scale) {
  const DataType a = call.type(0);
  const DataType b = call.type(1);
  if (a.kind() == TypeKind::kNull || b.kind() == TypeKind::kNull) {
    if (a.kind() != b.kind())
      return call.coerce(a.kind() == TypeKind::kNull ? 0 : 1, a.kind() == TypeKind::kNull ? b : a);
    return coerce_both(call, DataType::boolean());
  }
  if (a.is_numeric() && b.is_numeric()) {
    const DataType common = comparison_type(a, b);
    if (common.kind() == TypeKind::kDecimal && !same_scale) {
      CLP_RETURN_IF_ERROR(call.coerce(0, as_decimal(a)));
      return call.coerce(1, as_decimal(b));
    }
    return coerce_both(call, common);
  }
  if (a.is_character() != b.is_character()) {
    return a.is_character() ? coerce_text(call, 0, 1, equality) : coerce_text(call, 1, 0, equality);
  }
  const bool comparable = a.kind() == b.kind() || (a.is_character() && b.is_character()) ||
                          (a.is_binary() && b.is_binary()) ||
                          (a.is_timestamp() && b.is_timestamp());
  const bool has_order = !a.is_nested() && a.kind() != TypeKind::kVariant;
  if (!comparable || (!has_order && !equality)) return wrong_types(call);
  const DataType types[] = {a, b};
  CLP_ASSIGN_OR_RETURN(const DataType common, least_common_type(types));
  // Texts compare whatever their declared lengths.
  if (a.physical() == PhysicalType::kView) return Status::ok();
  return coerce_both(call, common);
}

template <bool kEquality>
Result<DataType> derive_comparison(CallTyping& call) {
  CLP_RETURN_IF_ERROR(coerce_comparands(call, kEquality, false));
  return call.strict(DataType::boolean());
}

Result<DataType> derive_distinct(CallTyping& call) {
  CLP_RETURN_IF_ERROR(coerce_comparands(call, true, true));
  if (!call.type(0).same_values(call.type(1))) {
    CLP_RETURN_IF_ERROR(coerce_both(call, DataType::string()));
  }
  return DataType::boolean().with_nullable(false);
}

// ---- IN over literals ----

// Sorted values: of whole numbers and times themselves, of others their bytes.
struct LiteralSet {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> texts;
};

template <typename T>
bool in_numbers_kernel(KernelCall& call) {
  const std::vector<std::int64_t>& numbers = site_data<LiteralSet>(call).numbers;
  auto* out = call.results<std::uint8_t>();
  const Reader<T> a(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = std::binary_search(numbers.begin(), numbers.end(), std::int64_t{a[row]}) ? 1 : 0;
  });
  return true;
}

bool in_texts_kernel(KernelCall& call) {
  const std::vector<std::string>& texts = site_data<LiteralSet>(call).texts;
  auto* out = call.results<std::uint8_t>();
  const Vector& a = call.argument(0);
  return for_each_result(call, [&](std::int32_t row) {
    out[row] =
        std::binary_search(texts.begin(), texts.end(), a.string_at(row), std::less<>()) ? 1 : 0;
    return true;
  });
}

std::int64_t number_of(const Column& value) {
  switch (value.type().physical()) {
    case PhysicalType::kInt8:
      return *value.values<std::int8_t>();
    case PhysicalType::kInt16:
      return *value.values<std::int16_t>();
    case PhysicalType::kInt32:
      return *value.values<std::int32_t>();
    default:
      return *value.values<std::int64_t>();
  }
}

// The list is part of the call; only the value is computed per row.
Result<BoundKernel> bind_in(const CallBinding& call) {
  LiteralSet set;
  const PhysicalType physical = call.type(0).physical();
  for (int i = 1; i < call.count(); ++i) {
    const Expression& item = *call.call.argument(i);
    if (item.kind() != Expression::Kind::kLiteral || item.type().physical() != physical ||
        item.literal_value().is_null(0)) {
      return no_kernel(call);
    }
    if (physical == PhysicalType::kView) {
      set.texts.emplace_back(item.literal_value().string_at(0));
    } else {
      set.numbers.push_back(number_of(item.literal_value()));
    }
  }
  std::sort(set.numbers.begin(), set.numbers.end());
  std::sort(set.texts.begin(), set.texts.end());
  Kernel kernel = nullptr;
  switch (physical) {
    case PhysicalType::kInt8:
      kernel = in_numbers_kernel<std::int8_t>;
      break;
    case PhysicalType::kInt16:
      kernel = in_numbers_kernel<std::int16_t>;
      break;
    case PhysicalType::kInt32:
      kernel = in_numbers_kernel<std::int32_t>;
      break;
    case PhysicalType::kInt64:
      kernel = in_numbers_kernel<std::int64_t>;
      break;
    case PhysicalType::kView:
      kernel = in_texts_kernel;
      break;
    default:
      return no_kernel(call);
  }
  return BoundKernel{.kernel = kernel, .site = make_site(std::move(set)), .is_costly = true};
}

// FunctionRegistry makes these calls: the value first, then literals of its type, none of them
// NULL.
Result<DataType> derive_in(CallTyping& call) {
  return call.strict(DataType::boolean());
}

constexpr ScalarFunction comparison_entry(std::string_view name,
                                          Result<DataType> (*derive)(CallTyping&),
                                          Result<BoundKernel> (*bind)(const CallBinding&),
                                          std::string_view signature, std::string_view description,
                                          std::string_view example,
                                          std::string_view example_result) {
  return {.name = name,
          .arguments_min = 2,
          .arguments_max = 2,
          .derive = derive,
          .bind = bind,
          .takes_bare_null = true,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction distinct_entry(ScalarFunction entry) {
  entry.is_strict = false;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    comparison_entry("=", derive_comparison<true>, bind_comparison<Comparison::kEqual>,
                     "value = value", "TRUE when both are equal.", "1 = 1.0", "TRUE"),
    comparison_entry("<>", derive_comparison<true>, bind_comparison<Comparison::kNotEqual>,
                     "value <> value", "TRUE when they differ.", "'a' <> 'A'", "TRUE"),
    comparison_entry("<", derive_comparison<false>, bind_comparison<Comparison::kLess>,
                     "value < value", "TRUE when the first is less. Texts compare by their bytes.",
                     "'Z' < 'a'", "TRUE"),
    comparison_entry("<=", derive_comparison<false>, bind_comparison<Comparison::kLessEqual>,
                     "value <= value", "TRUE when the first is not greater.", "2 <= 1.5", "FALSE"),
    comparison_entry(">", derive_comparison<false>, bind_comparison<Comparison::kGreater>,
                     "value > value", "TRUE when the first is greater.", "TRUE > FALSE", "TRUE"),
    comparison_entry(">=", derive_comparison<false>, bind_comparison<Comparison::kGreaterEqual>,
                     "value >= value", "TRUE when the first is not less.", "'b' >= 'a'", "TRUE"),
    distinct_entry(comparison_entry(
        "IS DISTINCT FROM", derive_distinct, bind_distinct<false>, "value IS DISTINCT FROM value",
        "As <>, but NULL is a value that equals NULL.", "1 IS DISTINCT FROM NULL", "TRUE")),
    distinct_entry(comparison_entry(
        "IS NOT DISTINCT FROM", derive_distinct, bind_distinct<true>,
        "value IS NOT DISTINCT FROM value", "As =, but NULL is a value that equals NULL.",
        "CAST(NULL AS INT) IS NOT DISTINCT FROM CAST(NULL AS INT)", "TRUE")),
    {.name = "IN",
     .arguments_min = 2,
     .arguments_max = ScalarFunction::kAnyCount,
     .derive = derive_in,
     .bind = bind_in,
     .takes_bare_null = true,
     .signature = "value IN (value, ...)",
     .description =
         "TRUE when the value equals one of the list; NULL when it does not and one is NULL.",
     .example = "4 IN (1, 2, 3)",
     .example_result = "FALSE"},
};

}  // namespace

std::span<const ScalarFunction> comparison_functions() {
  return kFunctions;
}

}  // namespace clepsydra
