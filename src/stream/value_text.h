// The one parser and the one printer of every SQL type as text. CAST, the text formats and the
// result printer all use it. Texts follow the reference (Java's double notation, timestamps, nested
// values).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clepsydra/status.h"
#include "stream/column.h"
#include "stream/column_builder.h"
#include "stream/data_type.h"

namespace clepsydra {

// A fixed offset or named zone that instants (TIMESTAMP_LTZ) are shown in. Defined in time_zone.h.
class TimeZone;

// Where printers differ. CAST(x AS STRING): kSql. Inside JSON and CSV: see formats.
struct TextStyle {
  const TimeZone* zone = nullptr;  // Null: UTC. For TIMESTAMP_LTZ.
  bool binary_as_hex = false;      // x'0aff' (result printer) instead of the bytes as UTF-8 (CAST).
  std::string_view null_text = "NULL";  // Of a NULL inside a collection or row.
};

// Appends the text of row `row` of `column`, which is not NULL at the top.
void append_value_text(const Column& column, std::int64_t row, const TextStyle& style,
                       std::string& out);

// The pieces, for kernels. Each appends.
void append_int_text(std::int64_t value, std::string& out);
void append_float_text(float value, std::string& out);    // Java's Float.toString
void append_double_text(double value, std::string& out);  // Java's Double.toString
void append_decimal_text(Int128 unscaled, int scale, std::string& out);
void append_date_text(std::int32_t days, std::string& out);  // 2024-01-31
void append_time_text(std::int32_t millis_of_day, int precision, std::string& out);
void append_timestamp_text(std::int64_t ticks, int precision,
                           std::string& out);                                 // exactly p digits
void append_interval_year_month_text(std::int32_t months, std::string& out);  // +2-03
void append_interval_day_time_text(std::int64_t millis, std::string& out);    // +1 00:00:00.000

// Text as a field of a tab-separated line: \ \t \n \r and NUL as \\ \t \n \r \0. (A NULL is \N
// there.)
void append_tsv_escaped(std::string_view text, std::string& out);

// What CAST(text AS type) accepts: blanks around are trimmed; `false` when the text is not such a
// value or out of range. Nothing is rounded silently except where the reference does (DECIMAL: half
// up).
bool parse_boolean(std::string_view text, bool& value);
bool parse_int(std::string_view text, std::int64_t min, std::int64_t max, std::int64_t& value);
bool parse_float(std::string_view text, float& value);
bool parse_double(std::string_view text, double& value);
bool parse_decimal(std::string_view text, int precision, int scale, Int128& value);
bool parse_date(std::string_view text, std::int32_t& days);
bool parse_time(std::string_view text, std::int32_t& millis_of_day);
bool parse_timestamp(std::string_view text, int precision, std::int64_t& ticks);

// Parses `text` as a value of the builder's type (not nested) and appends it; nothing is appended
// on an error, which says type and clipped text. The caller adds the place.
Status append_parsed_value(std::string_view text, ColumnBuilder& builder, const TimeZone* zone);

}  // namespace clepsydra
