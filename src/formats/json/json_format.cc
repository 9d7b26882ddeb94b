// The json format: options, factory and record scanner. Decoder and encoder have files of their
// own.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "formats/format_registry.h"
#include "formats/json/json_decoder.h"
#include "formats/json/json_encoder.h"
#include "formats/json/json_options.h"
#include "formats/option_values.h"

namespace clepsydra {

Result<JsonOptions> JsonOptions::parse(const TableOptions& options) {
  JsonOptions json;
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "json.fail-on-missing-field", json.fail_on_missing_field));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "json.ignore-parse-errors", json.ignore_parse_errors));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "json.encode.decimal-as-plain-number", json.plain_decimals));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "json.encode.ignore-null-fields", json.ignore_null_fields));
  if (json.fail_on_missing_field && json.ignore_parse_errors) {
    return Status::invalid_argument(
        "options 'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true");
  }
  if (const std::string* text = find_option(options, "json.timestamp-format.standard")) {
    if (*text != "SQL" && *text != "ISO-8601") {
      return Status::invalid_argument(
          fmt::format("option 'json.timestamp-format.standard' is '{}'; expected SQL or ISO-8601",
                      clip(*text, 64)));
    }
    json.iso_timestamps = *text == "ISO-8601";
  }
  if (const std::string* text = find_option(options, "json.map-null-key.mode")) {
    if (*text == "FAIL") {
      json.null_key = JsonNullKey::kFail;
    } else if (*text == "DROP") {
      json.null_key = JsonNullKey::kDrop;
    } else if (*text == "LITERAL") {
      json.null_key = JsonNullKey::kLiteral;
    } else {
      return Status::invalid_argument(
          fmt::format("option 'json.map-null-key.mode' is '{}'; expected FAIL, DROP or LITERAL",
                      clip(*text, 64)));
    }
  }
  if (const std::string* text = find_option(options, "json.map-null-key.literal")) {
    json.null_key_literal = *text;
  }
  return json;
}

std::vector<OptionDescription> JsonOptions::descriptions() {
  using enum OptionKind;
  return {
      {.key = "json.fail-on-missing-field",
       .kind = kBoolean,
       .default_value = "false",
       .description =
           "A record without one of the columns fails the job; otherwise the column is NULL."},
      {.key = "json.ignore-parse-errors",
       .kind = kBoolean,
       .default_value = "false",
       .description =
           "Values that do not fit are NULL; lines that are not JSON are skipped and counted."},
      {.key = "json.map-null-key.mode",
       .kind = kEnum,
       .default_value = "FAIL",
       .description = "What to do with a NULL key of a MAP when writing.",
       .choices = {"FAIL", "DROP", "LITERAL"}},
      {.key = "json.map-null-key.literal",
       .kind = kString,
       .default_value = "null",
       .description = "The key to write for NULL with mode LITERAL."},
      {.key = "json.timestamp-format.standard",
       .kind = kEnum,
       .default_value = "SQL",
       .description = "SQL: 2024-01-31 10:00:00.5; ISO-8601: 2024-01-31T10:00:00.5.",
       .choices = {"SQL", "ISO-8601"}},
      {.key = "json.encode.decimal-as-plain-number",
       .kind = kBoolean,
       .default_value = "false",
       .description = "DECIMAL values are written without an exponent."},
      {.key = "json.encode.ignore-null-fields",
       .kind = kBoolean,
       .default_value = "false",
       .description = "NULL columns are left out when writing."},
  };
}

namespace {

// JSON text escapes line feeds inside strings, so every line feed ends a record.
class LineScanner final : public RecordScanner {
 public:
  void skip(std::string_view bytes) override {
    for (const char c : bytes) lines_ += static_cast<std::int64_t>(c == '\n');
  }
  std::size_t find_start(std::string_view bytes) override {
    const std::size_t found = bytes.find('\n');
    if (found == std::string_view::npos) return found;
    ++lines_;
    return found + 1;
  }
  [[nodiscard]] std::int64_t lines() const override { return lines_; }

 private:
  std::int64_t lines_ = 0;
};

class JsonFormat final : public Format {
 public:
  JsonFormat(JsonOptions options, FormatRequest request)
      : options_(std::move(options)), request_(std::move(request)) {}

  Result<std::unique_ptr<RowDecoder>> make_decoder(const DecoderStart& start,
                                                   MemoryPool& /*pool*/) const override {
    return make_json_decoder(options_, request_, start.line);
  }
  Result<std::unique_ptr<RowEncoder>> make_encoder() const override {
    return make_json_encoder(options_, request_.record);
  }
  [[nodiscard]] std::unique_ptr<RecordScanner> make_scanner() const override {
    return std::make_unique<LineScanner>();
  }
  [[nodiscard]] bool needs_first_record() const override { return false; }

 private:
  const JsonOptions options_;
  const FormatRequest request_;
};

Status check_type(const std::string& column, const DataType& type) {
  const TypeKind kind = type.kind();
  const bool bad_key = (kind == TypeKind::kMap || kind == TypeKind::kMultiset) &&
                       !type.fields().front().type.is_character();
  if (bad_key || kind == TypeKind::kIntervalDayTime || kind == TypeKind::kIntervalYearMonth ||
      kind == TypeKind::kVariant || kind == TypeKind::kStructured) {
    return Status::invalid_argument(
        fmt::format("format 'json' cannot hold column '{}' of type {}{}", column, type.to_string(),
                    bad_key ? ": expected keys of type CHAR, VARCHAR or STRING" : ""));
  }
  if (!type.is_nested()) return Status::ok();
  for (const Field& field : type.fields()) CLP_RETURN_IF_ERROR(check_type(column, field.type));
  return Status::ok();
}

class JsonTableFormat final : public TableFormat {
 public:
  [[nodiscard]] std::string_view name() const override { return "json"; }
  [[nodiscard]] std::string_view description() const override {
    return "JSON objects, one per line.";
  }
  [[nodiscard]] std::vector<OptionDescription> options() const override {
    return JsonOptions::descriptions();
  }
  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override {
    const Result<JsonOptions> parsed = JsonOptions::parse(options);
    if (!parsed.is_ok()) return parsed.status();
    for (const Field& field : schema.fields()) {
      CLP_RETURN_IF_ERROR(check_type(field.name, field.type));
    }
    return Status::ok();
  }
};

Result<std::unique_ptr<Format>> make_json(const FormatRequest& request) {
  CLP_ASSIGN_OR_RETURN(JsonOptions options, JsonOptions::parse(request.options));
  return std::make_unique<JsonFormat>(std::move(options), request);
}

}  // namespace

void register_json_format(FormatRegistry& registry) {
  registry.add({std::make_shared<JsonTableFormat>(), make_json});
}

}  // namespace clepsydra
