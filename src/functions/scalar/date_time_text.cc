// Dates and times to text and back by patterns; epoch seconds.
#include <fmt/format.h>

#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "functions/date_pattern.h"
#include "functions/kernels.h"
#include "functions/scalar/families.h"
#include "functions/scalar/pattern_site.h"
#include "functions/session_zone.h"
#include "functions/time_units.h"
#include "stream/time_zone.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

constexpr std::string_view kDefaultPattern = "yyyy-MM-dd HH:mm:ss";
// 0001-01-01 and 10000-01-01.
constexpr std::int64_t kMillisMin = -62'135'596'800'000;
constexpr std::int64_t kMillisEnd = 253'402'300'800'000;

Result<DatePattern> compile_pattern(std::string_view pattern, std::string_view) {
  return DatePattern::compile(pattern);
}
using DateSite = PatternSite<DatePattern>;

// The pattern of a row: argument `i`, or the default when there is none. Null after a failure.
const DatePattern* pattern_of(KernelCall& call, std::size_t i, std::int32_t row) {
  const auto& site = call.site_as<DateSite>();
  const std::string_view text =
      i < call.arguments.size() ? call.arguments[i]->string_at(row) : kDefaultPattern;
  const DatePattern* pattern = site.get(text, {});
  if (pattern == nullptr) call.fail(row, std::string(site.problem().message()));
  return pattern;
}

bool write_formatted(KernelCall& call, TextWriter& writer, const DatePattern& pattern,
                     std::int64_t millis, int nanos, std::int32_t row, std::string& scratch) {
  if (const int bytes = pattern.fixed_bytes(); bytes > 0) {
    char* to = writer.reserve(bytes);
    if (to == nullptr) return false;
    if (pattern.format_fixed(millis, nanos, to)) {
      writer.commit(row, bytes);
      return true;
    }
  }
  scratch.clear();
  if (!pattern.format(millis, nanos, scratch)) {
    return call.fail(row, "the pattern asks for a time zone, which the value does not have");
  }
  return writer.write(row, scratch);
}

// Nanoseconds below the millisecond.
int nanos_of(std::int64_t ticks, int precision) {
  const std::int64_t per_second = timestamp_ticks_per_second(precision);
  if (per_second <= 1000) return 0;
  return static_cast<int>(floor_mod(ticks, per_second / 1000) * (1'000'000'000 / per_second));
}

// ---- DATE_FORMAT, FROM_UNIXTIME ----

bool format_timestamp_kernel(KernelCall& call) {
  const DataType& type = call.argument(0).type;
  const bool is_local = type.kind() == TypeKind::kTimestampLtz;
  const int precision = type.precision();
  const Reader<std::int64_t> values(call.argument(0));
  PatternReader<DatePattern> patterns(call.site_as<DateSite>(), call.argument(1), nullptr);
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    const DatePattern* pattern = patterns[row];
    if (pattern == nullptr) {
      return call.fail(row, std::string(call.site_as<DateSite>().problem().message()));
    }
    std::int64_t ticks = values[row];
    if (is_local) ticks = ticks_to_local(call.context.session_zone, ticks, precision);
    return write_formatted(call, writer, *pattern, timestamp_to_millis(ticks, precision),
                           nanos_of(ticks, precision), row, text);
  });
}

// Of a text: it must have a date and a time, or the result is NULL.
bool format_text_kernel(KernelCall& call) {
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    const DatePattern* pattern = pattern_of(call, 1, row);
    if (pattern == nullptr) return false;
    const std::string_view source = call.argument(0).string_at(row);
    std::int64_t ticks = 0;
    if (source.find(':') == std::string_view::npos || !parse_timestamp(source, 9, ticks)) {
      call.set_null(row);
      return call.status().is_ok();
    }
    return write_formatted(call, writer, *pattern, timestamp_to_millis(ticks, 9),
                           nanos_of(ticks, 9), row, text);
  });
}

bool from_unixtime_kernel(KernelCall& call) {
  const Reader<std::int64_t> seconds(call.argument(0));
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    const DatePattern* pattern = pattern_of(call, 1, row);
    if (pattern == nullptr) return false;
    constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 4000;
    if (seconds[row] > kLimit || seconds[row] < -kLimit) {
      return call.fail(row, fmt::format("{} seconds are out of range", seconds[row]));
    }
    const std::int64_t millis =
        ticks_to_local(call.context.session_zone, seconds[row], 0) * kMillisPerSecond;
    return write_formatted(call, writer, *pattern, millis, 0, row, text);
  });
}

Result<DataType> derive_date_format(CallTyping& call) {
  const bool fits = call.type(0).is_timestamp() || call.type(0).is_character();
  if (!fits || !call.type(1).is_character()) return wrong_types(call);
  return DataType::string().with_nullable(true);
}

BoundKernel dated(Kernel kernel) {
  return {.kernel = kernel,
          .site = std::make_unique<DateSite>(compile_pattern),
          .can_fail = true,
          .is_costly = true};
}

Result<BoundKernel> bind_date_format(const CallBinding& call) {
  return dated(call.type(0).is_character() ? format_text_kernel : format_timestamp_kernel);
}

template <Kernel kKernel>
Result<BoundKernel> bind_dated(const CallBinding&) {
  return dated(kKernel);
}

// ---- TO_DATE, TO_TIMESTAMP, TO_TIMESTAMP_LTZ, UNIX_TIMESTAMP ----

// The local time of `text`: by the pattern in argument 1, or as CAST reads it. False when it is
// none.
bool parse_time_text(KernelCall& call, std::int32_t row, std::int64_t& millis, bool& failed) {
  const std::string_view text = call.argument(0).string_at(row);
  if (call.arguments.size() == 1) {
    std::int64_t ticks = 0;
    const bool good = parse_timestamp(text, 3, ticks);
    millis = ticks;
    return good;
  }
  const DatePattern* pattern = pattern_of(call, 1, row);
  failed = pattern == nullptr;
  int nanos = 0;
  return !failed && pattern->parse(text, millis, nanos);
}

bool to_date_kernel(KernelCall& call) {
  auto* out = call.results<std::int32_t>();
  return for_each_result(call, [&](std::int32_t row) {
    out[row] = 0;
    bool good = false;
    bool failed = false;
    if (call.arguments.size() == 1) {
      good = parse_date(call.argument(0).string_at(row), out[row]);
    } else {
      std::int64_t millis = 0;
      good = parse_time_text(call, row, millis, failed);
      if (good) out[row] = static_cast<std::int32_t>(floor_div(millis, kMillisPerDay));
    }
    if (!good) call.set_null(row);
    return !failed && call.status().is_ok();
  });
}

bool to_timestamp_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  return for_each_result(call, [&](std::int32_t row) {
    bool failed = false;
    std::int64_t millis = 0;
    if (!parse_time_text(call, row, millis, failed)) call.set_null(row);
    out[row] = millis;
    return !failed && call.status().is_ok();
  });
}

// TO_TIMESTAMP_LTZ(text [, pattern [, zone]]): UTC when no zone is given.
bool text_to_instant_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  TimeZonePtr zone;
  return for_each_result(call, [&](std::int32_t row) {
    bool failed = false;
    std::int64_t millis = 0;
    const bool good = parse_time_text(call, row, millis, failed);
    if (failed) return false;
    if (!good && call.arguments.size() == 1) {
      return call.fail(row, fmt::format("\"{}\" is no TIMESTAMP_LTZ(3)",
                                        clip(call.argument(0).string_at(row), 64)));
    }
    if (call.arguments.size() == 3) {
      const std::string_view name = call.argument(2).string_at(row);
      if (zone == nullptr || zone->name() != name) {
        Result<TimeZonePtr> found = find_time_zone(name);
        if (!found.is_ok()) return call.fail(row, std::string(found.status().message()));
        zone = *std::move(found);
      }
      millis = zone->to_instant(millis);
    }
    if (!good) call.set_null(row);
    out[row] = millis;
    return call.status().is_ok();
  });
}

// TO_TIMESTAMP_LTZ(number [, digits]): epoch units of 10^-digits seconds; NULL beyond the year
// 9999.
bool number_to_instant_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  const Reader<std::int64_t> values(call.argument(0));
  const Reader<std::int32_t> digits(call.argument(1));
  const std::int64_t per_second = timestamp_ticks_per_second(call.out.type.precision());
  return for_each_result(call, [&](std::int32_t row) {
    const std::int32_t count = digits[row];
    if (count < 0 || count > kMaxTimestampPrecision) {
      return call.fail(row,
                       fmt::format("the precision of TO_TIMESTAMP_LTZ is 0 to 9, found {}", count));
    }
    std::int64_t unit = 1;
    for (std::int32_t i = 0; i < count; ++i) unit *= 10;
    const std::int64_t seconds = floor_div(values[row], unit);
    const std::int64_t fraction = values[row] - seconds * unit;
    if (seconds < kMillisMin / 1000 || seconds >= kMillisEnd / 1000) {
      call.set_null(row);
      out[row] = 0;
      return call.status().is_ok();
    }
    const std::int64_t ticks =
        unit <= per_second ? fraction * (per_second / unit) : fraction / (unit / per_second);
    out[row] = static_cast<std::int64_t>(static_cast<std::uint64_t>(seconds) *
                                         static_cast<std::uint64_t>(per_second)) +
               ticks;
    return true;
  });
}

Result<DataType> derive_to_instant(CallTyping& call) {
  if (call.type(0).is_character()) {
    for (int i = 1; i < call.count(); ++i) {
      if (!call.type(i).is_character()) return wrong_types(call);
    }
    return DataType::timestamp_ltz(3).with_nullable(true);
  }
  if (!call.type(0).is_numeric() || call.count() == 3) return wrong_types(call);
  if (call.count() == 1) call.arguments.push_back(integer_literal(3));
  if (!call.type(1).is_integer()) return wrong_types(call);
  const std::int64_t digits = integer_value(*call.argument(1)).value_or(3);
  CLP_RETURN_IF_ERROR(call.coerce(0, DataType::big_int()));
  CLP_RETURN_IF_ERROR(call.coerce(1, DataType::integer()));
  const int precision = digits <= 3 ? 3 : digits <= 6 ? 6 : kMaxTimestampPrecision;
  return DataType::timestamp_ltz(precision).with_nullable(true);
}

Result<BoundKernel> bind_to_instant(const CallBinding& call) {
  if (call.type(0).is_character()) return dated(text_to_instant_kernel);
  if (call.count() != 2 || call.type(0).kind() != TypeKind::kBigInt) return no_kernel(call);
  return BoundKernel{.kernel = number_to_instant_kernel, .can_fail = true, .is_costly = true};
}

bool unix_timestamp_kernel(KernelCall& call) {
  auto* out = call.results<std::int64_t>();
  return for_each_result(call, [&](std::int32_t row) {
    const DatePattern* pattern = pattern_of(call, 1, row);
    if (pattern == nullptr) return false;
    std::int64_t millis = 0;
    int nanos = 0;
    // What cannot be read is the smallest BIGINT in the reference.
    out[row] = std::numeric_limits<std::int64_t>::min();
    if (pattern->parse(call.argument(0).string_at(row), millis, nanos)) {
      out[row] =
          floor_div(ticks_from_local(call.context.session_zone, millis, 3), kMillisPerSecond);
    }
    return true;
  });
}

// ---- CONVERT_TZ ----

bool convert_tz_kernel(KernelCall& call) {
  TimeZonePtr zones[2];
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    const DatePattern* pattern = pattern_of(call, call.arguments.size(), row);
    if (pattern == nullptr) return false;
    for (int i = 0; i < 2; ++i) {
      const std::string_view name = call.argument(i + 1).string_at(row);
      if (zones[i] != nullptr && zones[i]->name() == name) continue;
      Result<TimeZonePtr> found = find_time_zone(name);
      if (!found.is_ok()) return call.fail(row, std::string(found.status().message()));
      zones[i] = *std::move(found);
    }
    std::int64_t millis = 0;
    int nanos = 0;
    if (!pattern->parse(call.argument(0).string_at(row), millis, nanos)) {
      call.set_null(row);
      return call.status().is_ok();
    }
    return write_formatted(call, writer, *pattern, zones[1]->to_local(zones[0]->to_instant(millis)),
                           0, row, text);
  });
}

constexpr ScalarFunction time_text_entry(std::string_view name, int count_min, int count_max,
                                         std::string_view parameters, std::string_view result,
                                         Result<BoundKernel> (*bind)(const CallBinding&),
                                         std::string_view signature, std::string_view description,
                                         std::string_view example,
                                         std::string_view example_result) {
  return {.name = name,
          .arguments_min = count_min,
          .arguments_max = count_max,
          .parameters = parameters,
          .result = result,
          .bind = bind,
          .signature = signature,
          .description = description,
          .example = example,
          .example_result = example_result};
}

constexpr ScalarFunction with_types(ScalarFunction entry, Result<DataType> (*derive)(CallTyping&)) {
  entry.derive = derive;
  return entry;
}

constexpr ScalarFunction kFunctions[] = {
    with_types(time_text_entry("DATE_FORMAT", 2, 2, "", "", bind_date_format,
                               "DATE_FORMAT(timestamp, pattern)",
                               "The time as text, by a pattern of letters as in Java.",
                               "DATE_FORMAT(TIMESTAMP '2020-02-09 17:04:05', 'dd/MM/yyyy hh:mm a')",
                               "09/02/2020 05:04 PM"),
               derive_date_format),
    time_text_entry("FROM_UNIXTIME", 1, 2, "BIGINT [STRING]", "STRING?",
                    bind_dated<from_unixtime_kernel>, "FROM_UNIXTIME(seconds [, pattern])",
                    "Epoch seconds as text in the session's time zone.", "FROM_UNIXTIME(44)",
                    "1970-01-01 00:00:44"),
    time_text_entry("TO_DATE", 1, 2, "STRING [STRING]", "DATE?", bind_dated<to_date_kernel>,
                    "TO_DATE(text [, pattern])", "The date of a text; NULL when it has none.",
                    "TO_DATE('29/02/2020', 'dd/MM/yyyy')", "2020-02-29"),
    time_text_entry(
        "TO_TIMESTAMP", 1, 2, "STRING [STRING]", "TIMESTAMP(3)?", bind_dated<to_timestamp_kernel>,
        "TO_TIMESTAMP(text [, pattern])", "The timestamp of a text; NULL when it has none.",
        "TO_TIMESTAMP('2020-02-29 01:02', 'yyyy-MM-dd HH:mm')", "2020-02-29 01:02:00.000"),
    with_types(time_text_entry(
                   "TO_TIMESTAMP_LTZ", 1, 3, "", "", bind_to_instant,
                   "TO_TIMESTAMP_LTZ(number [, precision]), "
                   "TO_TIMESTAMP_LTZ(text [, pattern [, zone]])",
                   "The instant of epoch seconds (precision 0), milliseconds (3), or of a text.",
                   "TO_TIMESTAMP_LTZ(100, 3)", "1970-01-01 00:00:00.100"),
               derive_to_instant),
    time_text_entry("UNIX_TIMESTAMP", 1, 2, "STRING [STRING]", "BIGINT",
                    bind_dated<unix_timestamp_kernel>, "UNIX_TIMESTAMP([text [, pattern]])",
                    "Epoch seconds of a text in the session's time zone, or now.",
                    "UNIX_TIMESTAMP('1970-01-01 00:00:44')", "44"),
    time_text_entry("CONVERT_TZ", 3, 3, "STRING STRING STRING", "STRING?",
                    bind_dated<convert_tz_kernel>, "CONVERT_TZ(text, from_zone, to_zone)",
                    "A time 'yyyy-MM-dd HH:mm:ss' moved from one time zone to another.",
                    "CONVERT_TZ('1970-01-01 00:00:00', 'UTC', 'America/Los_Angeles')",
                    "1969-12-31 16:00:00"),
};

}  // namespace

std::span<const ScalarFunction> date_time_text_functions() {
  return kFunctions;
}

}  // namespace clepsydra
