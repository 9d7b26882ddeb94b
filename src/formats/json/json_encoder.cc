#include "formats/json/json_encoder.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/check.h"
#include "base/json_string.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// The fraction without trailing zeros, as the reference writes it: 10:00:00.250 -> 10:00:00.25.
void shorten_fraction(std::string& text) {
  const std::size_t point = text.rfind('.');
  if (point == std::string::npos) return;
  const std::size_t last = text.find_last_not_of('0');
  text.resize(last == point ? point : last + 1);
}

class JsonEncoder final : public RowEncoder {
 public:
  JsonEncoder(const JsonOptions& options, SchemaPtr record)
      : options_(options), record_(std::move(record)) {}

  void append_header(std::string& /*out*/) override {}

  Status append(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      out.push_back('{');
      bool first = true;
      for (int i = 0; i < batch.column_count(); ++i) {
        CLP_RETURN_IF_ERROR(
            append_member(record_->field(i).name, batch.column(i), row, first, out));
      }
      out += "}\n";
    }
    return Status::ok();
  }

 private:
  Status append_member(std::string_view name, const Column& column, std::int64_t row, bool& first,
                       std::string& out) {
    if (options_.ignore_null_fields && column.is_null(row)) return Status::ok();
    if (!first) out.push_back(',');
    first = false;
    append_json_string(name, out);
    out.push_back(':');
    return append_value(column, row, out);
  }

  Status append_value(const Column& column, std::int64_t row, std::string& out) {
    if (column.is_null(row)) {
      out += "null";
      return Status::ok();
    }
    switch (column.type().kind()) {
      case TypeKind::kBoolean:
        out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
        return Status::ok();
      case TypeKind::kTinyInt:
      case TypeKind::kSmallInt:
      case TypeKind::kInteger:
      case TypeKind::kBigInt:
        append_value_text(column, row, {}, out);
        return Status::ok();
      case TypeKind::kDecimal:
        append_decimal(column, row, out);
        return Status::ok();
      case TypeKind::kFloat:
        append_number(column, row, std::isfinite(column.values<float>()[row]), out);
        return Status::ok();
      case TypeKind::kDouble:
        append_number(column, row, std::isfinite(column.values<double>()[row]), out);
        return Status::ok();
      case TypeKind::kBinary:
      case TypeKind::kVarbinary:
        out.push_back('"');
        append_base64(column.string_at(row), out);
        out.push_back('"');
        return Status::ok();
      case TypeKind::kTimestamp:
      case TypeKind::kTimestampLtz:
        append_timestamp(column, row, out);
        return Status::ok();
      case TypeKind::kArray:
        return append_array(column, row, out);
      case TypeKind::kMap:
      case TypeKind::kMultiset:
        return append_map(column, row, out);
      case TypeKind::kRow:
        return append_row(column, row, out);
      default: {
        text_.clear();
        append_value_text(column, row, {}, text_);
        if (column.type().kind() == TypeKind::kTime) shorten_fraction(text_);
        append_json_string(text_, out);
        return Status::ok();
      }
    }
  }

  static void append_number(const Column& column, std::int64_t row, bool finite, std::string& out) {
    if (!finite) out.push_back('"');  // JSON has no NaN.
    append_value_text(column, row, {}, out);
    if (!finite) out.push_back('"');
  }

  void append_decimal(const Column& column, std::int64_t row, std::string& out) const {
    std::string text;
    append_value_text(column, row, {}, text);
    // Java's BigDecimal: scientific when the number is smaller than 0.000001.
    const Int128 value = column.values<Int128>()[row];
    const int scale = column.type().scale();
    std::string digits;
    append_decimal_text(value < 0 ? -value : value, 0, digits);
    const int exponent = static_cast<int>(digits.size()) - 1 - scale;
    if (options_.plain_decimals || exponent >= -6) {
      out += text;
      return;
    }
    if (value < 0) out.push_back('-');
    out.push_back(digits[0]);
    if (digits.size() > 1) out += "." + digits.substr(1);
    out += fmt::format("E{}", exponent);
  }

  void append_timestamp(const Column& column, std::int64_t row, std::string& out) {
    text_.clear();
    append_value_text(column, row, {}, text_);
    shorten_fraction(text_);
    if (options_.iso_timestamps && text_.size() > 10) text_[10] = 'T';
    if (column.type().kind() == TypeKind::kTimestampLtz) text_.push_back('Z');
    append_json_string(text_, out);
  }

  Status append_array(const Column& column, std::int64_t row, std::string& out) {
    const auto* offsets = column.values<std::int32_t>();
    out.push_back('[');
    for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      if (i > offsets[row]) out.push_back(',');
      CLP_RETURN_IF_ERROR(append_value(column.child(0), i, out));
    }
    out.push_back(']');
    return Status::ok();
  }

  Status append_map(const Column& column, std::int64_t row, std::string& out) {
    const auto* offsets = column.values<std::int32_t>();
    out.push_back('{');
    bool first = true;
    for (std::int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      std::string key;
      if (column.child(0).is_null(i)) {
        if (options_.null_key == JsonNullKey::kDrop) continue;
        if (options_.null_key == JsonNullKey::kFail) {
          return Status::invalid_argument(
              "a MAP has a NULL key, which JSON cannot hold; set 'json.map-null-key.mode' to DROP "
              "or LITERAL");
        }
        key = options_.null_key_literal;
      } else {
        append_value_text(column.child(0), i, {}, key);
      }
      CLP_RETURN_IF_ERROR(append_member(key, column.child(1), i, first, out));
    }
    out.push_back('}');
    return Status::ok();
  }

  Status append_row(const Column& column, std::int64_t row, std::string& out) {
    out.push_back('{');
    bool first = true;
    const auto& fields = column.type().fields();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      CLP_RETURN_IF_ERROR(
          append_member(fields[i].name, column.child(static_cast<int>(i)), row, first, out));
    }
    out.push_back('}');
    return Status::ok();
  }

  const JsonOptions options_;
  const SchemaPtr record_;
  std::string text_;
};

}  // namespace

std::unique_ptr<RowEncoder> make_json_encoder(const JsonOptions& options, SchemaPtr record) {
  return std::make_unique<JsonEncoder>(options, std::move(record));
}

}  // namespace clepsydra
