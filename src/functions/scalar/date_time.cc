// EXTRACT, FLOOR and CEIL to a unit, TIMESTAMPDIFF. Each exists once per unit: EXTRACT(YEAR FROM t)
// is EXTRACT_YEAR(t). TIMESTAMPADD becomes + in the registry.
#include <fmt/format.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/session_zone.h"
#include "functions/time_units.h"
#include "stream/calendar.h"

namespace clepsydra {
namespace {

// The unit at the end of "EXTRACT_YEAR".
TimeUnit unit_of(std::string_view name) {
  const std::optional<TimeUnit> unit = parse_time_unit(name.substr(name.rfind('_') + 1));
  CLP_CHECK_MSG(unit.has_value(), name);
  return *unit;
}

bool is_date_unit(TimeUnit unit) {
  return unit <= TimeUnit::kDayOfYear;
}

// ---- EXTRACT ----

std::int64_t date_part(std::int64_t days, TimeUnit unit) {
  const CivilDate date = civil_from_days(days);
  switch (unit) {
    case TimeUnit::kMillennium:
      return floor_div(date.year + 999, 1000);
    case TimeUnit::kCentury:
      return floor_div(date.year + 99, 100);
    case TimeUnit::kDecade:
      return floor_div(date.year, 10);
    case TimeUnit::kYear:
      return date.year;
    case TimeUnit::kIsoYear:
      return iso_week(days).year;
    case TimeUnit::kQuarter:
      return (date.month - 1) / 3 + 1;
    case TimeUnit::kMonth:
      return date.month;
    case TimeUnit::kWeek:
      return iso_week(days).week;
    case TimeUnit::kDay:
      return date.day;
    case TimeUnit::kDayOfWeek:
      return iso_day_of_week(days) % 7 + 1;  // 1 is Sunday.
    case TimeUnit::kIsoDayOfWeek:
      return iso_day_of_week(days);
    default:
      return day_of_year(days);
  }
}

// Of milliseconds since the epoch or of the day. Before 1970 the parts are negative, as in the
// reference.
std::int64_t time_part(std::int64_t millis, TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kHour:
      return millis % kMillisPerDay / kMillisPerHour;
    case TimeUnit::kMinute:
      return millis % kMillisPerHour / kMillisPerMinute;
    case TimeUnit::kSecond:
      return millis % kMillisPerMinute / kMillisPerSecond;
    case TimeUnit::kMillisecond:
      return millis % kMillisPerSecond;
    default:
      return millis / kMillisPerSecond;  // EPOCH
  }
}

// Below a millisecond: of the ticks themselves.
std::int64_t fraction_part(std::int64_t ticks, int precision, TimeUnit unit) {
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  const std::int64_t wanted = unit == TimeUnit::kMicrosecond ? 1'000'000 : 1'000'000'000;
  const std::int64_t of_second = ticks % per_second;
  return wanted >= per_second ? of_second * (wanted / per_second)
                              : of_second / (per_second / wanted);
}

struct ExtractShape {
  TimeUnit unit;
  int precision = 0;
};

template <typename From, typename F>
bool extract_rows(KernelCall& call, F&& f) {
  auto* out = call.results<std::int64_t>();
  const Reader<From> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) { out[row] = f(std::int64_t{values[row]}); });
  return true;
}

bool extract_date_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<ExtractShape>(call).unit;
  if (is_date_unit(unit)) {
    return extract_rows<std::int32_t>(call,
                                      [unit](std::int64_t days) { return date_part(days, unit); });
  }
  if (unit == TimeUnit::kEpoch) {
    return extract_rows<std::int32_t>(call, [](std::int64_t days) { return days * 86400; });
  }
  // The reference takes the days for milliseconds here.
  return extract_rows<std::int32_t>(call,
                                    [unit](std::int64_t days) { return time_part(days, unit); });
}

bool extract_time_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<ExtractShape>(call).unit;
  return extract_rows<std::int32_t>(
      call, [unit](std::int64_t millis) { return time_part(millis, unit); });
}

template <bool kIsLocal>
bool extract_timestamp_kernel(KernelCall& call) {
  const ExtractShape shape = site_data<ExtractShape>(call);
  const TimeZone* zone = call.context.session_zone;
  const TimeUnit unit = shape.unit;
  return extract_rows<std::int64_t>(call, [&](std::int64_t ticks) {
    // The epoch is an instant's own.
    if (kIsLocal && unit != TimeUnit::kEpoch) ticks = ticks_to_local(zone, ticks, shape.precision);
    if (unit == TimeUnit::kMicrosecond || unit == TimeUnit::kNanosecond) {
      return fraction_part(ticks, shape.precision, unit);
    }
    const std::int64_t millis = timestamp_to_millis(ticks, shape.precision);
    // Toward zero: before 1970 the reference answers for the next day.
    return is_date_unit(unit) ? date_part(millis / kMillisPerDay, unit) : time_part(millis, unit);
  });
}

bool extract_months_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<ExtractShape>(call).unit;
  return extract_rows<std::int32_t>(call, [unit](std::int64_t months) {
    switch (unit) {
      case TimeUnit::kMillennium:
        return months / 12000;
      case TimeUnit::kCentury:
        return months / 1200;
      case TimeUnit::kDecade:
        return months / 120;
      case TimeUnit::kYear:
        return months / 12;
      case TimeUnit::kQuarter:
        return months % 12 / 3 + 1;
      default:
        return months % 12;
    }
  });
}

bool extract_millis_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<ExtractShape>(call).unit;
  return extract_rows<std::int64_t>(call, [unit](std::int64_t millis) {
    return unit == TimeUnit::kDay ? millis / kMillisPerDay : time_part(millis, unit);
  });
}

Result<DataType> derive_extract(CallTyping& call) {
  const TimeUnit unit = unit_of(call.name);
  const DataType& type = call.type(0);
  const bool fraction = unit == TimeUnit::kMicrosecond || unit == TimeUnit::kNanosecond;
  bool fits = false;
  switch (type.kind()) {
    case TypeKind::kDate:
      fits = !fraction;
      break;
    case TypeKind::kTime:
      fits = !fraction && !is_date_unit(unit);
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      fits = true;
      break;
    case TypeKind::kIntervalYearMonth:
      fits = unit <= TimeUnit::kMonth && unit != TimeUnit::kIsoYear;
      break;
    case TypeKind::kIntervalDayTime:
      fits = unit == TimeUnit::kDay || unit == TimeUnit::kEpoch ||
             (unit >= TimeUnit::kHour && unit <= TimeUnit::kMillisecond);
      break;
    default:
      break;
  }
  if (!fits) {
    return Status::invalid_argument(fmt::format("{} has no {}", type.name(), time_unit_name(unit)));
  }
  return call.strict(DataType::big_int());
}

Result<BoundKernel> bind_extract(const CallBinding& call) {
  const DataType& type = call.type(0);
  const ExtractShape shape{.unit = unit_of(call.call.name()),
                           .precision = type.is_timestamp() ? type.precision() : 0};
  BoundKernel bound{.kernel = nullptr, .site = make_site(shape), .is_costly = true};
  switch (type.kind()) {
    case TypeKind::kDate:
      bound.kernel = extract_date_kernel;
      break;
    case TypeKind::kTime:
      bound.kernel = extract_time_kernel;
      break;
    case TypeKind::kTimestamp:
      bound.kernel = extract_timestamp_kernel<false>;
      break;
    case TypeKind::kTimestampLtz:
      bound.kernel = extract_timestamp_kernel<true>;
      break;
    case TypeKind::kIntervalYearMonth:
      bound.kernel = extract_months_kernel;
      break;
    case TypeKind::kIntervalDayTime:
      bound.kernel = extract_millis_kernel;
      break;
    default:
      return no_kernel(call);
  }
  return bound;
}

// ---- FLOOR and CEIL to a unit ----

struct RoundShape {
  TimeUnit unit;
  int precision = 0;
  bool is_local = false;
};

// Local milliseconds since the epoch.
template <bool kUp>
std::int64_t round_millis(std::int64_t millis, TimeUnit unit) {
  if (unit < TimeUnit::kDay) {
    // Only the day counts: CEIL of the first day of a month is that day, whatever the time. Toward
    // zero, so that before 1970 it is the next day, as in the reference.
    const std::int64_t days = millis / kMillisPerDay;
    return (kUp ? ceil_days(days, unit) : floor_days(days, unit)) * kMillisPerDay;
  }
  const std::int64_t length = unit_millis(unit);
  const std::int64_t floor = floor_div(millis, length) * length;
  return kUp && floor != millis ? floor + length : floor;
}

template <bool kUp>
bool round_timestamp_kernel(KernelCall& call) {
  const RoundShape shape = site_data<RoundShape>(call);
  const TimeZone* zone = call.context.session_zone;
  auto* out = call.results<std::int64_t>();
  const Reader<std::int64_t> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    std::int64_t ticks = values[row];
    if (shape.is_local) ticks = ticks_to_local(zone, ticks, shape.precision);
    std::int64_t millis = timestamp_to_millis(ticks, shape.precision);
    // What lies below a millisecond counts for CEIL.
    if (kUp && timestamp_from_millis(millis, shape.precision) != ticks) ++millis;
    ticks = timestamp_from_millis(round_millis<kUp>(millis, shape.unit), shape.precision);
    out[row] = shape.is_local ? ticks_from_local(zone, ticks, shape.precision) : ticks;
  });
  return true;
}

// DATE; and, for units of days, TIME, whose milliseconds the reference takes for days.
template <bool kUp>
bool round_days_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<RoundShape>(call).unit;
  auto* out = call.results<std::int32_t>();
  const Reader<std::int32_t> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = static_cast<std::int32_t>(kUp ? ceil_days(values[row], unit)
                                             : floor_days(values[row], unit));
  });
  return true;
}

template <bool kUp>
bool round_time_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<RoundShape>(call).unit;
  auto* out = call.results<std::int32_t>();
  const Reader<std::int32_t> values(call.argument(0));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = static_cast<std::int32_t>(round_millis<kUp>(values[row], unit));
  });
  return true;
}

bool is_round_unit(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kIsoYear:
    case TimeUnit::kDayOfWeek:
    case TimeUnit::kIsoDayOfWeek:
    case TimeUnit::kDayOfYear:
    case TimeUnit::kMicrosecond:
    case TimeUnit::kNanosecond:
    case TimeUnit::kEpoch:
      return false;
    default:
      return true;
  }
}

Result<DataType> derive_round(CallTyping& call) {
  const DataType& type = call.type(0);
  if (type.kind() != TypeKind::kDate && type.kind() != TypeKind::kTime && !type.is_timestamp()) {
    return wrong_types(call);
  }
  return call.strict(type.with_time_attribute(TimeAttribute::kNone));
}

template <bool kUp>
Result<BoundKernel> bind_round(const CallBinding& call) {
  const DataType& type = call.type(0);
  const TimeUnit unit = unit_of(call.call.name());
  BoundKernel bound{
      .kernel = nullptr,
      .site = make_site(RoundShape{.unit = unit,
                                   .precision = type.is_timestamp() ? type.precision() : 0,
                                   .is_local = type.kind() == TypeKind::kTimestampLtz}),
      .is_costly = true};
  if (type.is_timestamp()) {
    bound.kernel = round_timestamp_kernel<kUp>;
  } else if (type.kind() == TypeKind::kDate ||
             (type.kind() == TypeKind::kTime && unit <= TimeUnit::kDay)) {
    bound.kernel = round_days_kernel<kUp>;
  } else if (type.kind() == TypeKind::kTime) {
    bound.kernel = round_time_kernel<kUp>;
  } else {
    return no_kernel(call);
  }
  return bound;
}

// ---- TIMESTAMPDIFF ----

bool is_difference_unit(TimeUnit unit) {
  return unit_millis(unit) > 0 || unit == TimeUnit::kYear || unit == TimeUnit::kQuarter ||
         unit == TimeUnit::kMonth;
}

// Both arguments as TIMESTAMP(3) or both as TIMESTAMP_LTZ(3).
Result<DataType> derive_difference(CallTyping& call) {
  bool is_local = false;
  for (int i = 0; i < 2; ++i) {
    if (call.type(i).kind() != TypeKind::kDate && !call.type(i).is_timestamp())
      return wrong_types(call);
    is_local = is_local || call.type(i).kind() == TypeKind::kTimestampLtz;
  }
  const DataType common = is_local ? DataType::timestamp_ltz(3) : DataType::timestamp(3);
  CLP_RETURN_IF_ERROR(call.coerce(0, common));
  CLP_RETURN_IF_ERROR(call.coerce(1, common));
  return call.strict(DataType::integer());
}

bool are_millis(const CallBinding& call) {
  return call.type(0).is_timestamp() && call.type(0).precision() == 3 &&
         call.type(1).is_timestamp() && call.type(1).precision() == 3;
}

bool difference_kernel(KernelCall& call) {
  const TimeUnit unit = site_data<TimeUnit>(call);
  auto* out = call.results<std::int32_t>();
  const Reader<std::int64_t> from(call.argument(0));
  const Reader<std::int64_t> to(call.argument(1));
  const std::int64_t length = unit_millis(unit);
  const std::int64_t months = unit == TimeUnit::kYear ? 12 : unit == TimeUnit::kQuarter ? 3 : 1;
  return for_each_result(call, [&](std::int32_t row) {
    const std::int64_t difference =
        length > 0 ? (to[row] - from[row]) / length : months_between(from[row], to[row]) / months;
    out[row] = static_cast<std::int32_t>(difference);
    return true;
  });
}

Result<BoundKernel> bind_difference(const CallBinding& call) {
  if (!are_millis(call)) return no_kernel(call);
  return BoundKernel{
      .kernel = difference_kernel, .site = make_site(unit_of(call.call.name())), .is_costly = true};
}

// ---- (a - b) DAY TO SECOND, (a - b) YEAR TO MONTH ----

Result<DataType> derive_minus_day_time(CallTyping& call) {
  CLP_RETURN_IF_ERROR(derive_difference(call).status());
  return call.strict(DataType::interval_day_time("SECOND(3)"));
}

Result<DataType> derive_minus_year_month(CallTyping& call) {
  CLP_RETURN_IF_ERROR(derive_difference(call).status());
  return call.strict(DataType::interval_year_month("MONTH"));
}

bool minus_day_time_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  const Reader<std::int64_t> a(call.argument(0));
  const Reader<std::int64_t> b(call.argument(1));
  for_each_row(call.rows, [&](std::int32_t row) {
    out[row] = static_cast<std::int64_t>(static_cast<std::uint64_t>(a[row]) -
                                         static_cast<std::uint64_t>(b[row]));
  });
  return true;
}

bool minus_year_month_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  const Reader<std::int64_t> a(call.argument(0));
  const Reader<std::int64_t> b(call.argument(1));
  return for_each_result(call, [&](std::int32_t row) {
    out[row] = static_cast<std::int32_t>(months_between(b[row], a[row]));
    return true;
  });
}

template <Kernel kKernel>
Result<BoundKernel> bind_minus(const CallBinding& call) {
  if (!are_millis(call)) return no_kernel(call);
  return costly_kernel(kKernel);
}

// ---- The table ----

// "EXTRACT_YEAR" and its short form "YEAR".
std::string_view short_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kYear:
      return "YEAR";
    case TimeUnit::kQuarter:
      return "QUARTER";
    case TimeUnit::kMonth:
      return "MONTH";
    case TimeUnit::kWeek:
      return "WEEK";
    case TimeUnit::kDayOfYear:
      return "DAYOFYEAR";
    case TimeUnit::kDay:
      return "DAYOFMONTH";
    case TimeUnit::kDayOfWeek:
      return "DAYOFWEEK";
    case TimeUnit::kHour:
      return "HOUR";
    case TimeUnit::kMinute:
      return "MINUTE";
    case TimeUnit::kSecond:
      return "SECOND";
    default:
      return {};
  }
}

class UnitTable {
 public:
  UnitTable() {
    for (int i = 0; i < kTimeUnitCount; ++i) {
      const auto unit = static_cast<TimeUnit>(i);
      add_extract(unit);
      if (is_round_unit(unit)) add_round(unit);
      if (is_difference_unit(unit)) add_difference(unit);
    }
    add_minus("MINUS_DAY_TIME", "(time - time) DAY TO SECOND", derive_minus_day_time,
              bind_minus<minus_day_time_kernel>);
    add_minus("MINUS_YEAR_MONTH", "(time - time) YEAR TO MONTH", derive_minus_year_month,
              bind_minus<minus_year_month_kernel>);
  }
  [[nodiscard]] std::span<const ScalarFunction> functions() const { return functions_; }

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  ScalarFunction entry(std::string_view prefix, TimeUnit unit, int count) {
    return {.name = keep(fmt::format("{}_{}", prefix, time_unit_name(unit))),
            .arguments_min = count,
            .arguments_max = count,
            .is_unit_form = true};
  }

  void add_extract(TimeUnit unit) {
    ScalarFunction function = entry("EXTRACT", unit, 1);
    function.derive = derive_extract;
    function.bind = bind_extract;
    function.signature = keep(fmt::format("EXTRACT({} FROM time)", time_unit_name(unit)));
    function.description = "A part of a date, time, timestamp or interval, as a number.";
    function.aliases = short_name(unit);
    functions_.push_back(function);
  }

  void add_round(TimeUnit unit) {
    for (const bool up : {false, true}) {
      ScalarFunction function = entry(up ? "CEIL" : "FLOOR", unit, 1);
      function.derive = derive_round;
      function.bind = up ? bind_round<true> : bind_round<false>;
      function.signature =
          keep(fmt::format("{}(time TO {})", up ? "CEIL" : "FLOOR", time_unit_name(unit)));
      function.description =
          up ? "The time rounded up to a whole unit." : "The time rounded down to a whole unit.";
      if (up) function.aliases = keep(fmt::format("CEILING_{}", time_unit_name(unit)));
      functions_.push_back(function);
    }
  }

  void add_difference(TimeUnit unit) {
    ScalarFunction function = entry("TIMESTAMPDIFF", unit, 2);
    function.derive = derive_difference;
    function.bind = bind_difference;
    function.signature = keep(fmt::format("TIMESTAMPDIFF({}, from, to)", time_unit_name(unit)));
    function.description = "The number of whole units from one time to another.";
    functions_.push_back(function);
  }

  void add_minus(std::string_view name, std::string_view signature,
                 Result<DataType> (*derive)(CallTyping&),
                 Result<BoundKernel> (*bind)(const CallBinding&)) {
    functions_.push_back({.name = name,
                          .arguments_min = 2,
                          .arguments_max = 2,
                          .derive = derive,
                          .bind = bind,
                          .is_unit_form = true,
                          .signature = signature,
                          .description = "The interval between two times."});
  }

  std::deque<std::string> texts_;
  std::vector<ScalarFunction> functions_;
};

}  // namespace

std::span<const ScalarFunction> date_time_functions() {
  static const UnitTable kTable;
  return kTable.functions();
}

}  // namespace clepsydra
