#include "functions/scalar/cast_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/utf8.h"
#include "functions/kernels.h"
#include "functions/session_zone.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// What a text or byte type does to a value: cut to the length, CHAR and BINARY filled up to it.
struct Fitting {
  std::int32_t length = kMaxLength;
  bool fixed = false;
  bool is_text = true;
};

Fitting fitting_of(const DataType& type) {
  return {.length = type.length(),
          .fixed = type.kind() == TypeKind::kChar || type.kind() == TypeKind::kBinary,
          .is_text = type.is_character()};
}

std::string_view cut(std::string_view value, const Fitting& fitting) {
  const auto length = static_cast<std::size_t>(fitting.length);
  if (value.size() <= length) return value;  // A character has at least one byte.
  return value.substr(0, fitting.is_text ? utf8_offset(value, fitting.length) : length);
}

std::int64_t missing(std::string_view value, const Fitting& fitting) {
  if (!fitting.fixed) return 0;
  const std::int64_t has =
      fitting.is_text ? utf8_length(value) : static_cast<std::int64_t>(value.size());
  return std::max<std::int64_t>(0, fitting.length - has);
}

bool write_fitted(TextWriter& writer, std::int32_t row, std::string_view value,
                  const Fitting& fitting) {
  value = cut(value, fitting);
  const std::int64_t fill = missing(value, fitting);
  if (fill == 0) return writer.write(row, value);
  const auto bytes = static_cast<std::int64_t>(value.size());
  char* to = writer.reserve(bytes + fill);
  if (to == nullptr) return false;
  value.copy(to, value.size());
  std::fill_n(to + bytes, fill, fitting.is_text ? ' ' : '\0');
  writer.commit(row, bytes + fill);
  return true;
}

// ---- View to view ----

bool identity_kernel(KernelCall& call) {
  return call.share_argument(0);
}

bool cut_kernel(KernelCall& call) {
  const Fitting& fitting = site_data<Fitting>(call);
  const Vector& source = call.argument(0);
  TextSharer sharer(call, source);
  return for_each_result(call, [&](std::int32_t row) {
    sharer.share(row, cut(source.string_at(row), fitting));
    return true;
  });
}

bool fill_kernel(KernelCall& call) {
  const Fitting& fitting = site_data<Fitting>(call);
  const Vector& source = call.argument(0);
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    return write_fitted(writer, row, source.string_at(row), fitting);
  });
}

// Bytes that are no UTF-8 become U+FFFD.
bool decode_kernel(KernelCall& call) {
  const Fitting& fitting = site_data<Fitting>(call);
  const Vector& source = call.argument(0);
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view bytes = source.string_at(row);
    if (is_valid_utf8(bytes)) return write_fitted(writer, row, bytes, fitting);
    return write_fitted(writer, row, replace_invalid_utf8(bytes), fitting);
  });
}

// ---- To text ----

struct ToTextSite {
  Fitting fitting;
  DataType from;
};

// Print: void(value, out), for each row's value.
template <typename T, typename Print>
bool print_rows(KernelCall& call, Print&& print) {
  const ToTextSite& site = site_data<ToTextSite>(call);
  const Reader<T> values(call.argument(0));
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text.clear();
    print(values[row], text);
    return write_fitted(writer, row, text, site.fitting);
  });
}

template <typename T>
bool whole_kernel(KernelCall& call) {
  const Fitting& fitting = site_data<ToTextSite>(call).fitting;
  const Reader<T> values(call.argument(0));
  TextWriter writer(call);
  return for_each_result(call, [&](std::int32_t row) {
    const fmt::format_int text(std::int64_t{values[row]});
    const std::string_view digits(text.data(), text.size());
    if (fitting.length == kMaxLength) return writer.write(row, digits);
    return write_fitted(writer, row, digits, fitting);
  });
}
bool boolean_kernel(KernelCall& call) {
  return print_rows<std::uint8_t>(
      call, [](std::uint8_t value, std::string& out) { out += value != 0 ? "TRUE" : "FALSE"; });
}
bool float_kernel(KernelCall& call) {
  return print_rows<float>(call,
                           [](float value, std::string& out) { append_float_text(value, out); });
}
bool double_kernel(KernelCall& call) {
  return print_rows<double>(call,
                            [](double value, std::string& out) { append_double_text(value, out); });
}
bool decimal_kernel(KernelCall& call) {
  const int scale = site_data<ToTextSite>(call).from.scale();
  return print_rows<Int128>(
      call, [scale](Int128 value, std::string& out) { append_decimal_text(value, scale, out); });
}
bool date_kernel(KernelCall& call) {
  return print_rows<std::int32_t>(
      call, [](std::int32_t value, std::string& out) { append_date_text(value, out); });
}
bool time_kernel(KernelCall& call) {
  const int precision = site_data<ToTextSite>(call).from.precision();
  return print_rows<std::int32_t>(call, [precision](std::int32_t value, std::string& out) {
    append_time_text(value, precision, out);
  });
}
bool timestamp_kernel(KernelCall& call) {
  const int precision = site_data<ToTextSite>(call).from.precision();
  return print_rows<std::int64_t>(call, [precision](std::int64_t value, std::string& out) {
    append_timestamp_text(value, precision, out);
  });
}
bool months_kernel(KernelCall& call) {
  return print_rows<std::int32_t>(call, append_interval_year_month_text);
}
bool millis_kernel(KernelCall& call) {
  return print_rows<std::int64_t>(call, append_interval_day_time_text);
}

// Instants, arrays, maps and rows: through the one printer, a column at a time.
bool value_kernel(KernelCall& call) {
  const ToTextSite& site = site_data<ToTextSite>(call);
  const Vector& source = call.argument(0);
  Column column = source.column;
  if (!column.has_value()) {
    // Computed: put into a column for the printer; its validity does not matter, NULLs are left
    // out.
    column = Column(ColumnData{.type = site.from,
                               .length = source.is_constant ? 1 : call.rows.length,
                               .validity = nullptr,
                               .values = source.values_owner,
                               .blobs = source.blobs,
                               .children = {}});
  }
  const TextStyle style{.zone = call.context.session_zone};
  TextWriter writer(call);
  std::string text;
  return for_each_result(call, [&](std::int32_t row) {
    text.clear();
    append_value_text(column, source.index_of(row), style, text);
    return write_fitted(writer, row, text, site.fitting);
  });
}

Kernel to_text_kernel(const DataType& from) {
  switch (from.kind()) {
    case TypeKind::kBoolean:
      return boolean_kernel;
    case TypeKind::kTinyInt:
      return whole_kernel<std::int8_t>;
    case TypeKind::kSmallInt:
      return whole_kernel<std::int16_t>;
    case TypeKind::kInteger:
      return whole_kernel<std::int32_t>;
    case TypeKind::kBigInt:
      return whole_kernel<std::int64_t>;
    case TypeKind::kFloat:
      return float_kernel;
    case TypeKind::kDouble:
      return double_kernel;
    case TypeKind::kDecimal:
      return decimal_kernel;
    case TypeKind::kDate:
      return date_kernel;
    case TypeKind::kTime:
      return time_kernel;
    case TypeKind::kTimestamp:
      return timestamp_kernel;
    case TypeKind::kIntervalYearMonth:
      return months_kernel;
    case TypeKind::kIntervalDayTime:
      return millis_kernel;
    default:
      return value_kernel;
  }
}

// ---- From text ----

struct FromTextSite {
  DataType to;
  bool try_cast;
};

// Parse: bool(text, T& value).
template <typename T, typename Parse>
bool parse_rows(KernelCall& call, Parse&& parse) {
  const FromTextSite& site = site_data<FromTextSite>(call);
  T* out = call.results<T>();
  const Vector& source = call.argument(0);
  return for_each_result(call, [&](std::int32_t row) {
    const std::string_view text = source.string_at(row);
    T value{};
    if (!parse(text, value)) {
      value = T{};
      if (!site.try_cast) {
        return call.fail(row, fmt::format("\"{}\" is no {}", clip(text, 64), site.to.name()));
      }
      call.set_null(row);
    }
    out[row] = value;
    return call.status().is_ok();
  });
}

bool parse_boolean_kernel(KernelCall& call) {
  return parse_rows<std::uint8_t>(call, [](std::string_view text, std::uint8_t& value) {
    bool parsed = false;
    const bool good = parse_boolean(text, parsed);
    value = parsed ? 1 : 0;
    return good;
  });
}
template <typename T>
bool parse_whole_kernel(KernelCall& call) {
  return parse_rows<T>(call, [](std::string_view text, T& value) {
    std::int64_t parsed = 0;
    const bool good =
        parse_int(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), parsed);
    value = static_cast<T>(parsed);
    return good;
  });
}
bool parse_float_kernel(KernelCall& call) {
  return parse_rows<float>(call, parse_float);
}
bool parse_double_kernel(KernelCall& call) {
  return parse_rows<double>(call, parse_double);
}
bool parse_decimal_kernel(KernelCall& call) {
  const DataType to = site_data<FromTextSite>(call).to;
  return parse_rows<Int128>(call, [&to](std::string_view text, Int128& value) {
    return parse_decimal(text, to.precision(), to.scale(), value);
  });
}
bool parse_date_kernel(KernelCall& call) {
  return parse_rows<std::int32_t>(call, parse_date);
}
bool parse_time_kernel(KernelCall& call) {
  std::int32_t unit = 1;
  for (int digits = site_data<FromTextSite>(call).to.precision(); digits < 3; ++digits) unit *= 10;
  return parse_rows<std::int32_t>(call, [unit](std::string_view text, std::int32_t& value) {
    if (!parse_time(text, value)) return false;
    value = value / unit * unit;
    return true;
  });
}
bool parse_timestamp_kernel(KernelCall& call) {
  const DataType to = site_data<FromTextSite>(call).to;
  const TimeZone* zone = call.context.session_zone;
  return parse_rows<std::int64_t>(call, [&](std::string_view text, std::int64_t& value) {
    if (!parse_timestamp(text, to.precision(), value)) return false;
    if (to.kind() == TypeKind::kTimestampLtz) value = ticks_from_local(zone, value, to.precision());
    return true;
  });
}

Kernel from_text_kernel(const DataType& to) {
  switch (to.kind()) {
    case TypeKind::kBoolean:
      return parse_boolean_kernel;
    case TypeKind::kTinyInt:
      return parse_whole_kernel<std::int8_t>;
    case TypeKind::kSmallInt:
      return parse_whole_kernel<std::int16_t>;
    case TypeKind::kInteger:
      return parse_whole_kernel<std::int32_t>;
    case TypeKind::kBigInt:
      return parse_whole_kernel<std::int64_t>;
    case TypeKind::kFloat:
      return parse_float_kernel;
    case TypeKind::kDouble:
      return parse_double_kernel;
    case TypeKind::kDecimal:
      return parse_decimal_kernel;
    case TypeKind::kDate:
      return parse_date_kernel;
    case TypeKind::kTime:
      return parse_time_kernel;
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return parse_timestamp_kernel;
    default:
      return nullptr;
  }
}

}  // namespace

BoundKernel bind_cast_view(const DataType& from, const DataType& to) {
  BoundKernel bound{
      .kernel = identity_kernel, .site = make_site(fitting_of(to)), .is_costly = true};
  const bool keeps_units = from.is_character() == to.is_character();
  const bool fixed = to.kind() == TypeKind::kChar || to.kind() == TypeKind::kBinary;
  if (from.is_binary() && to.is_character()) {
    bound.kernel = decode_kernel;
  } else if (fixed) {
    bound.kernel = fill_kernel;
  } else if (to.length() < from.length() || !keeps_units) {
    bound.kernel = to.length() == kMaxLength ? identity_kernel : cut_kernel;
  }
  if (bound.kernel == identity_kernel) bound.is_costly = false;
  return bound;
}

BoundKernel bind_cast_to_text(const DataType& from, const DataType& to) {
  return {.kernel = to_text_kernel(from),
          .site = make_site(ToTextSite{.fitting = fitting_of(to), .from = from}),
          .is_costly = true};
}

BoundKernel bind_cast_from_text(const DataType& to, bool try_cast) {
  return {.kernel = from_text_kernel(to),
          .site = make_site(FromTextSite{.to = to, .try_cast = try_cast}),
          .can_fail = !try_cast,
          .is_costly = true};
}

}  // namespace clepsydra
