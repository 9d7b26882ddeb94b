#include "functions/scalar/interval_arithmetic.h"

#include <utility>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/time_units.h"

namespace clepsydra {
namespace {

bool is_interval(const DataType& type) {
  return type.kind() == TypeKind::kIntervalDayTime || type.kind() == TypeKind::kIntervalYearMonth;
}

bool is_time(const DataType& type) {
  return type.kind() == TypeKind::kDate || type.kind() == TypeKind::kTime || type.is_timestamp();
}

std::uint64_t unsign(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// Sums wrap as all whole numbers do.
std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(unsign(a) + unsign(b));
}

struct Shape {
  int precision;      // Of the timestamp.
  std::int64_t sign;  // 1 or -1: what the interval is multiplied with.
};

// out = f(time, interval times the sign); the time is argument 0.
template <typename Time, typename Interval, typename F>
bool shift_rows(KernelCall& call, F&& f) {
  const std::int64_t sign = site_data<Shape>(call).sign;
  Time* out = call.results<Time>();
  const Reader<Time> times(call.argument(0));
  const Reader<Interval> intervals(call.argument(1));
  for_each_row(call.rows, [&](std::int32_t row) {
    const auto interval = static_cast<std::int64_t>(unsign(sign) * unsign(intervals[row]));
    out[row] = static_cast<Time>(f(std::int64_t{times[row]}, interval));
  });
  return true;
}

bool date_months(KernelCall& call) {
  return shift_rows<std::int32_t, std::int32_t>(call, add_months);
}

bool date_millis(KernelCall& call) {
  return shift_rows<std::int32_t, std::int64_t>(
      call, [](std::int64_t days, std::int64_t millis) { return days + millis / kMillisPerDay; });
}

bool time_months(KernelCall& call) {
  return shift_rows<std::int32_t, std::int32_t>(
      call, [](std::int64_t time, std::int64_t) { return time; });
}

bool time_millis(KernelCall& call) {
  return shift_rows<std::int32_t, std::int64_t>(call, [](std::int64_t time, std::int64_t millis) {
    return floor_mod(time + millis % kMillisPerDay, kMillisPerDay);
  });
}

bool timestamp_months(KernelCall& call) {
  const std::int64_t day = timestamp_ticks_per_second(site_data<Shape>(call).precision) * 86400;
  return shift_rows<std::int64_t, std::int32_t>(call, [day](std::int64_t ticks,
                                                            std::int64_t months) {
    const std::int64_t days = floor_div(ticks, day);
    const std::int64_t of_day = ticks - days * day;
    return add(static_cast<std::int64_t>(unsign(add_months(days, months)) * unsign(day)), of_day);
  });
}

bool timestamp_millis(KernelCall& call) {
  const std::int64_t second = timestamp_ticks_per_second(site_data<Shape>(call).precision);
  if (second >= 1000) {
    const std::int64_t tick = second / 1000;
    return shift_rows<std::int64_t, std::int64_t>(
        call, [tick](std::int64_t ticks, std::int64_t millis) {
          return add(ticks, static_cast<std::int64_t>(unsign(millis) * unsign(tick)));
        });
  }
  // TIMESTAMP(0) counts seconds.
  return shift_rows<std::int64_t, std::int64_t>(
      call,
      [](std::int64_t seconds, std::int64_t millis) { return seconds + floor_div(millis, 1000); });
}

template <typename T>
bool interval_sum(KernelCall& call) {
  return shift_rows<T, T>(call, add);
}

// interval * number; the interval is argument 0.
template <typename T>
bool interval_product(KernelCall& call) {
  T* out = call.results<T>();
  const Reader<T> intervals(call.argument(0));
  const Reader<std::int64_t> factors(call.argument(1));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = static_cast<T>(unsign(intervals[row]) * unsign(factors[row]));
  });
  return true;
}

DataType shifted(const CallTyping& call, const DataType& time) {
  return call.strict(time.with_time_attribute(TimeAttribute::kNone));
}

}  // namespace

bool is_interval_arithmetic(const DataType& type) {
  return is_interval(type) || is_time(type);
}

Result<DataType> derive_interval_plus(CallTyping& call) {
  if (is_interval(call.type(0)) && is_time(call.type(1))) {
    std::swap(call.arguments[0], call.arguments[1]);
  }
  if (!is_interval(call.type(1))) return wrong_types(call);
  if (is_time(call.type(0))) return shifted(call, call.type(0));
  if (call.type(0).kind() != call.type(1).kind()) return wrong_types(call);
  return call.strict(call.type(0));
}

Result<DataType> derive_interval_minus(CallTyping& call) {
  if (!is_interval(call.type(1))) return wrong_types(call);
  if (is_time(call.type(0))) return shifted(call, call.type(0));
  if (call.type(0).kind() != call.type(1).kind()) return wrong_types(call);
  return call.strict(call.type(0));
}

Result<DataType> derive_interval_times(CallTyping& call) {
  if (is_interval(call.type(1))) std::swap(call.arguments[0], call.arguments[1]);
  const bool exact = call.type(1).is_integer() || call.type(1).kind() == TypeKind::kDecimal;
  if (!is_interval(call.type(0)) || !exact) return wrong_types(call);
  CLP_RETURN_IF_ERROR(call.coerce(1, DataType::big_int()));
  return call.strict(call.type(0));
}

Result<BoundKernel> bind_interval_arithmetic(const CallBinding& call) {
  if (call.count() != 2) return no_kernel(call);
  const DataType& a = call.type(0);
  const DataType& b = call.type(1);
  const bool months = (is_interval(b) ? b : a).kind() == TypeKind::kIntervalYearMonth;
  BoundKernel bound{.kernel = nullptr,
                    .site = make_site(Shape{.precision = a.is_timestamp() ? a.precision() : 0,
                                            .sign = call.call.name() == "-" ? -1 : 1})};
  if (call.call.name() == "*") {
    if (!is_interval(a) || b.kind() != TypeKind::kBigInt) return no_kernel(call);
    bound.kernel = months ? interval_product<std::int32_t> : interval_product<std::int64_t>;
  } else if (!is_interval(b)) {
    return no_kernel(call);
  } else if (a.kind() == TypeKind::kDate) {
    bound.kernel = months ? date_months : date_millis;
  } else if (a.kind() == TypeKind::kTime) {
    bound.kernel = months ? time_months : time_millis;
  } else if (a.is_timestamp()) {
    bound.kernel = months ? timestamp_months : timestamp_millis;
  } else if (a.kind() == b.kind()) {
    bound.kernel = months ? interval_sum<std::int32_t> : interval_sum<std::int64_t>;
  }
  if (bound.kernel == nullptr) return no_kernel(call);
  return bound;
}

}  // namespace clepsydra
