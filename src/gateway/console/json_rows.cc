// Rows as json objects. Written by hand: values stream into one string, nothing is built first.
#include <cmath>
#include <utility>

#include "base/utf8.h"
#include "gateway/console/row_text.h"

namespace clepsydra::console {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

void append_value(const Column& column, std::int64_t row, const TextStyle& style, std::string& out);

void append_text_value(const Column& column, std::int64_t row, const TextStyle& style,
                       std::string& out) {
  std::string text;
  append_value_text(column, row, style, text);
  append_json_string(text, out);
}

// What a list or map column holds for `row`: children [first, last).
std::pair<std::int64_t, std::int64_t> entries(const Column& column, std::int64_t row) {
  const auto* offsets = column.values<std::int32_t>();
  return {offsets[row], offsets[row + 1]};
}

void append_array(const Column& column, std::int64_t row, const TextStyle& style,
                  std::string& out) {
  const auto [first, last] = entries(column, row);
  out += '[';
  for (std::int64_t i = first; i < last; ++i) {
    if (i > first) out += ',';
    append_value(column.child(0), i, style, out);
  }
  out += ']';
}

void append_map(const Column& column, std::int64_t row, const TextStyle& style, std::string& out) {
  const auto [first, last] = entries(column, row);
  out += '{';
  for (std::int64_t i = first; i < last; ++i) {
    if (i > first) out += ',';
    if (column.child(0).is_null(i)) {
      append_json_string(style.null_text, out);
    } else {
      append_text_value(column.child(0), i, style, out);
    }
    out += ':';
    append_value(column.child(1), i, style, out);
  }
  out += '}';
}

void append_struct(const Column& column, std::int64_t row, const TextStyle& style,
                   std::string& out) {
  const std::vector<Field>& fields = column.type().fields();
  out += '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(fields[i].name, out);
    out += ':';
    append_value(column.child(static_cast<int>(i)), row, style, out);
  }
  out += '}';
}

bool is_number(const Column& column, std::int64_t row) {
  switch (column.type().kind()) {
    case TypeKind::kFloat:
      return std::isfinite(column.values<float>()[row]);
    case TypeKind::kDouble:
      return std::isfinite(column.values<double>()[row]);
    default:
      return column.type().is_numeric();
  }
}

void append_value(const Column& column, std::int64_t row, const TextStyle& style,
                  std::string& out) {
  if (column.is_null(row)) {
    out += "null";
    return;
  }
  switch (column.type().kind()) {
    case TypeKind::kBoolean:
      out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
      return;
    case TypeKind::kVariant:
      append_value_text(column, row, style, out);
      return;
    case TypeKind::kArray:
      append_array(column, row, style, out);
      return;
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      append_map(column, row, style, out);
      return;
    case TypeKind::kRow:
    case TypeKind::kStructured:
      append_struct(column, row, style, out);
      return;
    default:
      if (is_number(column, row)) {
        append_value_text(column, row, style, out);
      } else {
        append_text_value(column, row, style, out);
      }
  }
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  const std::string valid = replace_invalid_utf8(text);
  out += '"';
  for (const char c : valid) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

JsonRowWriter::JsonRowWriter(const Schema& schema) {
  for (const Field& field : schema.fields()) {
    std::string key;
    append_json_string(field.name, key);
    key += ':';
    keys_.push_back(std::move(key));
  }
}

void JsonRowWriter::append_row(const Batch& batch, std::int64_t row, const TextStyle& style,
                               std::string& out) const {
  out += '{';
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (i > 0) out += ',';
    out += keys_[i];
    append_value(batch.column(static_cast<int>(i)), row, style, out);
  }
  out += '}';
}

}  // namespace clepsydra::console
