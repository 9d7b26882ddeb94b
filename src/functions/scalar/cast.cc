// CAST and TRY_CAST. Whole numbers wrap when narrowed; DOUBLE goes to TINYINT and SMALLINT by way
// of INT as in Java; a DECIMAL that does not fit is NULL; only texts can fail.
#include "functions/scalar/cast.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "functions/decimal.h"
#include "functions/kernels.h"
#include "functions/scalar/cast_text.h"
#include "functions/scalar/families.h"
#include "functions/session_zone.h"
#include "functions/time_units.h"
#include "functions/type_rules.h"

namespace clepsydra {
namespace {

// Java's conversion of a floating number: NaN is 0, what is out of range the nearest end.
template <typename Whole, typename Float>
Whole saturate(Float value) {
  if (std::isnan(value)) return 0;
  constexpr Float kLimit = static_cast<Float>(std::numeric_limits<Whole>::max());
  if (value >= kLimit) return std::numeric_limits<Whole>::max();
  if (value <= -kLimit) return std::numeric_limits<Whole>::min();
  return static_cast<Whole>(value);
}

template <typename From, typename To>
struct Convert {
  static To apply(From value) {
    if constexpr (std::is_floating_point_v<From> && !std::is_floating_point_v<To>) {
      if constexpr (sizeof(To) == 8)
        return saturate<std::int64_t>(value);
      else
        return static_cast<To>(saturate<std::int32_t>(value));
    } else {
      return static_cast<To>(value);
    }
  }
};

template <typename From>
struct ToBoolean {
  static std::uint8_t apply(From value) { return value != From{0} ? 1 : 0; }
};

template <typename To>
Kernel number_to(const DataType& from) {
  if (from.kind() == TypeKind::kBoolean)
    return unary_kernel<Convert<std::uint8_t, To>, To, std::uint8_t>;
  return for_number_type(
      from, []<typename From>() -> Kernel { return unary_kernel<Convert<From, To>, To, From>; });
}

Kernel number_to_number(const DataType& from, const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kTinyInt:
      return number_to<std::int8_t>(from);
    case TypeKind::kSmallInt:
      return number_to<std::int16_t>(from);
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return number_to<std::int32_t>(from);
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return number_to<std::int64_t>(from);
    case TypeKind::kFloat:
      return number_to<float>(from);
    case TypeKind::kDouble:
      return number_to<double>(from);
    case TypeKind::kBoolean:
      return for_number_type(from, []<typename From>() -> Kernel {
        return unary_kernel<ToBoolean<From>, std::uint8_t, From>;
      });
    default:
      return nullptr;
  }
}

// ---- DECIMAL ----

struct DecimalShape {
  int from_scale;
  int precision;
  int scale;
};

// Stores a result that may not fit: NULL then.
bool store_decimal(KernelCall& call, std::int32_t row, bool fits, Int128 value) {
  call.results<Int128>()[row] = fits ? value : 0;
  if (!fits) call.set_null(row);
  return call.status().is_ok();
}

template <typename From>
bool number_to_decimal(KernelCall& call) {
  const DecimalShape shape = site_data<DecimalShape>(call);
  const Reader<From> values(call.argument(0));
  return for_each_result(call, [&](std::int32_t row) {
    Int128 value = 0;
    bool fits = false;
    if constexpr (std::is_floating_point_v<From>) {
      if (!std::isfinite(values[row])) {
        return call.fail(
            row, fmt::format("{} is no DECIMAL", std::isnan(values[row]) ? "NaN" : "Infinity"));
      }
      fits = decimal_from_double(static_cast<double>(values[row]), shape.precision, shape.scale,
                                 value);
    } else {
      fits = decimal_rescale(values[row], shape.from_scale, shape.precision, shape.scale, value);
    }
    return store_decimal(call, row, fits, value);
  });
}

template <typename To>
bool decimal_to_number(KernelCall& call) {
  const int scale = site_data<DecimalShape>(call).from_scale;
  To* out = call.results<To>();
  const Reader<Int128> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    if constexpr (std::is_floating_point_v<To>) {
      out[row] = static_cast<To>(decimal_to_double(values[row], scale));
    } else {
      out[row] = static_cast<To>(decimal_truncate(values[row], scale));
    }
  });
  return true;
}

Kernel from_decimal(const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kTinyInt:
      return decimal_to_number<std::int8_t>;
    case TypeKind::kSmallInt:
      return decimal_to_number<std::int16_t>;
    case TypeKind::kInteger:
    case TypeKind::kIntervalYearMonth:
      return decimal_to_number<std::int32_t>;
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return decimal_to_number<std::int64_t>;
    case TypeKind::kFloat:
      return decimal_to_number<float>;
    case TypeKind::kDouble:
      return decimal_to_number<double>;
    case TypeKind::kBoolean:
      return unary_kernel<ToBoolean<Int128>, std::uint8_t, Int128>;
    case TypeKind::kDecimal:
      return number_to_decimal<Int128>;
    default:
      return nullptr;
  }
}

BoundKernel bind_decimal_cast(const DataType& from, const DataType& to) {
  const DecimalShape shape{.from_scale = from.kind() == TypeKind::kDecimal ? from.scale() : 0,
                           .precision = to.kind() == TypeKind::kDecimal ? to.precision() : 0,
                           .scale = to.kind() == TypeKind::kDecimal ? to.scale() : 0};
  BoundKernel bound{.kernel = nullptr, .site = make_site(shape), .is_costly = true};
  if (from.kind() == TypeKind::kDecimal) {
    bound.kernel = from_decimal(to);
  } else if (from.kind() == TypeKind::kBoolean) {
    bound.kernel = number_to_decimal<std::uint8_t>;
  } else {
    bound.kernel =
        for_number_type(from, []<typename From>() -> Kernel { return number_to_decimal<From>; });
    bound.can_fail = from.kind() == TypeKind::kFloat || from.kind() == TypeKind::kDouble;
  }
  return bound;
}

// ---- Dates and times ----

struct TimeShape {
  int from_precision;
  int to_precision;
  bool from_local;  // TIMESTAMP_LTZ
  bool to_local;
};

// Calls out[row] = f(value) for each row.
template <typename From, typename To, typename F>
bool convert_rows(KernelCall& call, F&& f) {
  To* out = call.results<To>();
  const Reader<From> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = static_cast<To>(f(values[row])); });
  return true;
}

bool timestamp_to_timestamp(KernelCall& call) {
  const TimeShape shape = site_data<TimeShape>(call);
  const TimeZone* zone = call.context.session_zone;
  return convert_rows<std::int64_t, std::int64_t>(call, [&](std::int64_t ticks) {
    if (shape.from_local && !shape.to_local)
      ticks = ticks_to_local(zone, ticks, shape.from_precision);
    if (!shape.from_local && shape.to_local)
      ticks = ticks_from_local(zone, ticks, shape.from_precision);
    return rescale_ticks(ticks, shape.from_precision, shape.to_precision);
  });
}

// Local milliseconds since the epoch of a timestamp.
std::int64_t local_millis(const KernelCall& call, const TimeShape& shape, std::int64_t ticks) {
  if (shape.from_local)
    ticks = ticks_to_local(call.context.session_zone, ticks, shape.from_precision);
  return timestamp_to_millis(ticks, shape.from_precision);
}

bool timestamp_to_date(KernelCall& call) {
  const TimeShape shape = site_data<TimeShape>(call);
  // Toward zero, not down: before 1970 the reference answers the next day.
  return convert_rows<std::int64_t, std::int32_t>(
      call, [&](std::int64_t ticks) { return local_millis(call, shape, ticks) / kMillisPerDay; });
}

std::int32_t cut_time(std::int64_t millis_of_day, int precision) {
  std::int64_t unit = 1;
  for (int digits = precision; digits < 3; ++digits) unit *= 10;
  return static_cast<std::int32_t>(millis_of_day / unit * unit);
}

bool timestamp_to_time(KernelCall& call) {
  const TimeShape shape = site_data<TimeShape>(call);
  return convert_rows<std::int64_t, std::int32_t>(call, [&](std::int64_t ticks) {
    return cut_time(floor_mod(local_millis(call, shape, ticks), kMillisPerDay), shape.to_precision);
  });
}

bool millis_to_timestamp(KernelCall& call, std::int64_t unit_millis_of_value) {
  const TimeShape shape = site_data<TimeShape>(call);
  return convert_rows<std::int32_t, std::int64_t>(call, [&](std::int32_t value) {
    const std::int64_t ticks =
        timestamp_from_millis(std::int64_t{value} * unit_millis_of_value, shape.to_precision);
    return shape.to_local ? ticks_from_local(call.context.session_zone, ticks, shape.to_precision)
                          : ticks;
  });
}
bool date_to_timestamp(KernelCall& call) {
  return millis_to_timestamp(call, kMillisPerDay);
}
bool time_to_timestamp(KernelCall& call) {
  return millis_to_timestamp(call, 1);
}

bool time_to_time(KernelCall& call) {
  const TimeShape shape = site_data<TimeShape>(call);
  return convert_rows<std::int32_t, std::int32_t>(
      call, [&](std::int32_t millis) { return cut_time(millis, shape.to_precision); });
}

BoundKernel bind_time_cast(const DataType& from, const DataType& to) {
  const TimeShape shape{.from_precision = from.kind() == TypeKind::kDate ? 0 : from.precision(),
                        .to_precision = to.kind() == TypeKind::kDate ? 0 : to.precision(),
                        .from_local = from.kind() == TypeKind::kTimestampLtz,
                        .to_local = to.kind() == TypeKind::kTimestampLtz};
  BoundKernel bound{.kernel = nullptr, .site = make_site(shape)};
  if (from.is_timestamp()) {
    if (to.is_timestamp()) bound.kernel = timestamp_to_timestamp;
    if (to.kind() == TypeKind::kDate) bound.kernel = timestamp_to_date;
    if (to.kind() == TypeKind::kTime) bound.kernel = timestamp_to_time;
  } else if (from.kind() == TypeKind::kDate && to.is_timestamp()) {
    bound.kernel = date_to_timestamp;
  } else if (from.kind() == TypeKind::kTime) {
    if (to.is_timestamp()) bound.kernel = time_to_timestamp;
    if (to.kind() == TypeKind::kTime) bound.kernel = time_to_time;
  }
  return bound;
}

// ---- Nested types: each child is cast as a column of its own ----

struct NestedSite final : CallSite {
  std::vector<BoundKernel> children;  // A null kernel: the child stays as it is.
  std::vector<DataType> types;
};

Result<Column> cast_child(const KernelCall& parent, const Column& child, const BoundKernel& kernel,
                          const DataType& type, KernelCall& failing) {
  if (kernel.kernel == nullptr || child.length() == 0) {
    if (kernel.kernel == nullptr) return child.with_type(type);
    return make_null_column(type, 0, *parent.context.pool);
  }
  Vector from;
  from.type = child.type();
  from.set_column(child, false);
  Vector to;
  to.type = type;
  const Vector* arguments[] = {&from};
  ResultBuffers buffers;
  const auto rows = static_cast<std::int32_t>(child.length());
  KernelCall call(Rows{.count = rows, .length = rows}, arguments, to, kernel.site.get(),
                  parent.context, buffers);
  if (!call.combine_validity() || (type.fixed_width() > 0 && !call.allocate_results()) ||
      !kernel.kernel(call)) {
    failing.fail(0, std::string(call.status().message()));
    return call.status();
  }
  if (to.column.has_value()) return to.column.with_type(type);
  ColumnData data{.type = type,
                  .length = rows,
                  .validity = nullptr,
                  .values = to.values_owner,
                  .blobs = to.blobs,
                  .children = {}};
  if (to.validity != nullptr) {
    data.null_count = rows - count_set_bits(to.validity, 0, rows);
    if (data.null_count > 0) data.validity = to.validity_owner;
  }
  if (data.null_count > 0 && type.physical() == PhysicalType::kView) {
    auto* views = reinterpret_cast<StringView16*>(buffers.values->mutable_data());
    for (std::int32_t row = 0; row < rows; ++row) {
      if (!get_bit(to.validity, row)) views[row] = StringView16();
    }
  }
  return Column(std::move(data));
}

bool nested_kernel(KernelCall& call) {
  const auto& site = call.site_as<NestedSite>();
  const Column& source = call.argument(0).column;
  ColumnData data = source.data();
  data.type = call.out.type;
  for (std::size_t i = 0; i < site.children.size(); ++i) {
    Result<Column> child =
        cast_child(call, data.children[i], site.children[i], site.types[i], call);
    if (!child.is_ok()) return call.fail(child.status());
    data.children[i] = *std::move(child);
  }
  return call.set_result(Column(std::move(data)));
}

Result<BoundKernel> bind_nested_cast(const DataType& from, const DataType& to, bool try_cast) {
  auto site = std::make_unique<NestedSite>();
  bool can_fail = false;
  for (std::size_t i = 0; i < from.fields().size(); ++i) {
    const DataType& source = from.fields()[i].type;
    const DataType& target = to.fields()[i].type;
    BoundKernel child;
    if (!source.same_values(target)) {
      CLP_ASSIGN_OR_RETURN(child, bind_cast(source, target, try_cast));
    }
    can_fail = can_fail || child.can_fail;
    site->children.push_back(std::move(child));
    site->types.push_back(target);
  }
  return BoundKernel{
      .kernel = nested_kernel, .site = std::move(site), .can_fail = can_fail, .is_costly = true};
}

bool identity_kernel(KernelCall& call) {
  return call.share_argument(0);
}

bool null_kernel(KernelCall& call) {
  return call.set_result(make_null_column(call.out.type, call.rows.length, *call.context.pool));
}

bool is_time(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

Result<DataType> derive_cast(CallTyping& call) {
  // The target is not an argument: FunctionRegistry::cast() makes these calls.
  return Status::invalid_argument(fmt::format("{} needs a target type", call.name));
}

template <bool kTry>
Result<BoundKernel> bind_cast_call(const CallBinding& call) {
  return bind_cast(call.type(0), call.call.type(), kTry);
}

constexpr ScalarFunction kFunctions[] = {
    {.name = "CAST",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_cast,
     .bind = bind_cast_call<false>,
     .takes_bare_null = true,
     .signature = "CAST(value AS type)",
     .description = "The value as another type; fails for a text that is no such value.",
     .example = "CAST('42' AS INT)",
     .example_result = "42"},
    {.name = "TRY_CAST",
     .arguments_min = 1,
     .arguments_max = 1,
     .derive = derive_cast,
     .bind = bind_cast_call<true>,
     .takes_bare_null = true,
     .signature = "TRY_CAST(value AS type)",
     .description = "As CAST, but NULL where that fails.",
     .example = "TRY_CAST('abc' AS INT)",
     .example_result = "\\N"},
};

}  // namespace

Result<BoundKernel> bind_cast(const DataType& from, const DataType& to, bool try_cast) {
  if (!can_cast(from, to)) {
    return Status::invalid_argument(fmt::format("{} cannot be cast to {}", from.name(), to.name()));
  }
  if (from.kind() == TypeKind::kNull) return plain_kernel(null_kernel);
  if (from.same_values(to) ||
      (from.kind() == to.kind() && from.physical() != PhysicalType::kView &&
       from.name() != to.name() && from.kind() >= TypeKind::kIntervalYearMonth &&
       from.kind() <= TypeKind::kIntervalDayTime)) {
    return plain_kernel(identity_kernel);
  }
  BoundKernel bound;
  if (from.physical() == PhysicalType::kView && to.physical() == PhysicalType::kView) {
    bound = bind_cast_view(from, to);
  } else if (to.is_character()) {
    bound = bind_cast_to_text(from, to);
  } else if (from.is_character()) {
    bound = bind_cast_from_text(to, try_cast);
  } else if (from.is_nested()) {
    return bind_nested_cast(from, to, try_cast);
  } else if (from.kind() == TypeKind::kDecimal || to.kind() == TypeKind::kDecimal) {
    bound = bind_decimal_cast(from, to);
  } else if (is_time(from)) {
    bound = bind_time_cast(from, to);
  } else {
    bound.kernel = number_to_number(from, to);
  }
  if (bound.kernel == nullptr) {
    return Status::invalid_argument(fmt::format("{} cannot be cast to {}", from.name(), to.name()));
  }
  return bound;
}

std::span<const ScalarFunction> cast_functions() {
  return kFunctions;
}

}  // namespace clepsydra
