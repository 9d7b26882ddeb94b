#include "formats/json/json_decoder.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "base/utf8.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

namespace ondemand = simdjson::ondemand;

// Why a value could not be read; the place is added outside.
struct Failure {
  std::string path;
  std::string text;
  std::string expected;
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() <= ' ' && text.front() >= 0) text.remove_prefix(1);
  while (!text.empty() && text.back() <= ' ' && text.back() >= 0) text.remove_suffix(1);
  return text;
}

class JsonDecoder final : public RowDecoder {
 public:
  JsonDecoder(const JsonOptions& options, const FormatRequest& request, std::int64_t first_line)
      : options_(options), line_(first_line) {
    for (const int column : request.columns) fields_.push_back(request.record->field(column));
  }

  [[nodiscard]] std::int64_t line() const override { return line_; }

  Result<DecodeProgress> decode(std::string_view chunk, bool at_end, std::int64_t rows_max,
                                BatchBuilder& rows) override {
    DecodeProgress progress;
    for (std::int64_t count = 0; count < rows_max && progress.consumed < chunk.size();) {
      const std::string_view rest = chunk.substr(progress.consumed);
      const std::size_t found = rest.find('\n');
      if (found == std::string_view::npos && !at_end) {
        if (rest.size() > options_.line_bytes_max) return too_long(rest.size());
        break;
      }
      const std::string_view line = trimmed(rest.substr(0, found));
      if (line.size() > options_.line_bytes_max) return too_long(line.size());
      if (!line.empty()) {
        CLP_ASSIGN_OR_RETURN(const bool appended, decode_line(line, rows));
        count += appended ? 1 : 0;
        progress.skipped_rows += appended ? 0 : 1;
      }
      progress.consumed += found == std::string_view::npos ? rest.size() : found + 1;
      ++line_;
    }
    return progress;
  }

 private:
  Status too_long(std::size_t bytes) const {
    return Status::invalid_argument(fmt::format(
        "line {}: the record has {} bytes, more than the limit of {} bytes; expected one JSON "
        "object per line",
        line_, bytes, options_.line_bytes_max));
  }

  // False when the line was skipped.
  Result<bool> decode_line(std::string_view line, BatchBuilder& rows) {
    failure_ = {};
    // simdjson reads past the end by a fixed number of bytes.
    if (buffer_.size() < line.size() + simdjson::SIMDJSON_PADDING) {
      buffer_.resize(line.size() * 2 + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(buffer_.data(), line.data(), line.size());
    std::memset(buffer_.data() + line.size(), 0, simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::object object;
    const simdjson::padded_string_view padded(buffer_.data(), line.size(), buffer_.size());
    simdjson::error_code error = parser_.iterate(padded).get(document);
    if (error == simdjson::SUCCESS) error = document.get_object().get(object);
    bool good = error == simdjson::SUCCESS;
    if (good) {
      good = read_fields(object, fields_, -1, [&](std::size_t i) -> ColumnBuilder& {
        return rows.column(static_cast<int>(i));
      });
    }
    const char* rest = nullptr;
    if (good && document.current_location().get(rest) == simdjson::SUCCESS) {
      error = simdjson::TRAILING_CONTENT;
      good = false;
    }
    if (good) {
      rows.commit_row();
      return true;
    }
    rows.discard_row();
    if (options_.ignore_parse_errors) return false;
    if (!failure_.expected.empty()) {
      return Status::invalid_argument(
          fmt::format("line {}, field '{}': cannot read {} as {}; set 'json.ignore-parse-errors' = "
                      "'true' to read such "
                      "fields as NULL",
                      line_, failure_.path, clip(failure_.text, 64), failure_.expected));
    }
    if (error == simdjson::SUCCESS) error = error_;
    return Status::invalid_argument(
        fmt::format("line {}: not a JSON object ({}): {}; set 'json.ignore-parse-errors' = 'true' "
                    "to skip such lines",
                    line_, simdjson::error_message(error), clip(replace_invalid_utf8(line), 64)));
  }

  // Reads an object into one builder per field, each one value longer afterwards.
  template <typename BuilderOf>
  bool read_fields(ondemand::object& object, const std::vector<Field>& fields, int depth,
                   const BuilderOf& builder_of) {
    if (depth >= kMaxDepth) return fail("ROW nested at most 64 deep", "{...}");
    std::vector<bool>& seen = seen_at(depth + 1, fields.size());
    std::size_t guess = 0;
    for (auto entry : object) {
      ondemand::field field;
      std::string_view key;
      if ((error_ = std::move(entry).get(field)) != simdjson::SUCCESS) return false;
      if ((error_ = field.unescaped_key().get(key)) != simdjson::SUCCESS) return false;
      std::size_t index = guess;
      if (index >= fields.size() || fields[index].name != key) {
        for (index = 0; index < fields.size() && fields[index].name != key; ++index) {
        }
      }
      if (index == fields.size()) continue;
      guess = index + 1;
      ColumnBuilder& builder = builder_of(index);
      // The last of several fields of one name counts.
      if (seen[index]) builder.truncate(builder.length() - 1);
      seen[index] = true;
      if (!read_or_null(field.value(), fields[index], builder, depth)) return false;
    }
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (seen[i]) continue;
      if (options_.fail_on_missing_field) {
        failure_ = {fields[i].name, "a record without it", "a field that must be there"};
        return false;
      }
      builder_of(i).append_null();
    }
    return true;
  }

  // A value that does not fit its type is NULL with json.ignore-parse-errors, as in the reference.
  bool read_or_null(ondemand::value value, const Field& field, ColumnBuilder& builder, int depth) {
    const std::int64_t before = builder.length();
    if (read_value(value, builder, depth + 1)) return true;
    if (failure_.expected.empty()) return false;  // The text itself is not JSON.
    if (options_.ignore_parse_errors) {
      builder.truncate(before);
      builder.append_null();
      failure_ = {};
      return true;
    }
    failure_.path = failure_.path.empty() ? field.name : field.name + "." + failure_.path;
    return false;
  }

  bool fail(std::string expected, std::string_view found) {
    failure_ = {"", std::string(trimmed(found)), std::move(expected)};
    return false;
  }

  bool read_value(ondemand::value value, ColumnBuilder& builder, int depth) {
    if (depth >= kMaxDepth) return fail("a value nested at most 64 deep", "it");
    ondemand::json_type kind{};
    if ((error_ = value.type().get(kind)) != simdjson::SUCCESS) return false;
    if (kind == ondemand::json_type::null) {
      builder.append_null();
      return true;
    }
    const DataType& type = builder.type();
    switch (type.kind()) {
      case TypeKind::kRow:
        return read_row(value, kind, builder, depth);
      case TypeKind::kArray:
        return read_array(value, kind, builder, depth);
      case TypeKind::kMap:
      case TypeKind::kMultiset:
        return read_map(value, kind, builder, depth);
      default:
        return read_scalar(value, kind, builder);
    }
  }

  bool read_row(ondemand::value value, ondemand::json_type kind, ColumnBuilder& builder,
                int depth) {
    if (kind != ondemand::json_type::object) return fail(builder.type().name(), raw(value));
    ondemand::object object;
    if ((error_ = value.get_object().get(object)) != simdjson::SUCCESS) return false;
    const bool good = read_fields(
        object, builder.type().fields(), depth,
        [&](std::size_t i) -> ColumnBuilder& { return builder.child(static_cast<int>(i)); });
    if (!good) {
      for (std::size_t i = 0; i < builder.type().fields().size(); ++i) {
        builder.child(static_cast<int>(i)).truncate(builder.length());
      }
      return false;
    }
    builder.close_struct();
    return true;
  }

  bool read_array(ondemand::value value, ondemand::json_type kind, ColumnBuilder& builder,
                  int depth) {
    if (kind != ondemand::json_type::array) return fail(builder.type().name(), raw(value));
    ondemand::array array;
    if ((error_ = value.get_array().get(array)) != simdjson::SUCCESS) return false;
    bool good = true;
    for (simdjson::simdjson_result<ondemand::value> entry : array) {
      ondemand::value element;
      if ((error_ = entry.get(element)) != simdjson::SUCCESS) good = false;
      good = good && read_value(element, builder.child(0), depth + 1);
      if (!good) break;
    }
    return close_list(good, builder);
  }

  bool read_map(ondemand::value value, ondemand::json_type kind, ColumnBuilder& builder,
                int depth) {
    if (kind != ondemand::json_type::object) return fail(builder.type().name(), raw(value));
    ondemand::object object;
    if ((error_ = value.get_object().get(object)) != simdjson::SUCCESS) return false;
    bool good = true;
    for (auto entry : object) {
      ondemand::field field;
      std::string_view key;
      if ((error_ = std::move(entry).get(field)) != simdjson::SUCCESS) good = false;
      if (good && (error_ = field.unescaped_key().get(key)) != simdjson::SUCCESS) good = false;
      const std::int64_t keys = builder.child(0).length();
      good = good && append_text(key, builder.child(0));
      if (good && !read_value(field.value(), builder.child(1), depth + 1)) {
        builder.child(0).truncate(keys);
        good = false;
      }
      if (!good) break;
    }
    return close_list(good, builder);
  }

  // Elements of a value that failed are taken in and cut off with it.
  bool close_list(bool good, ColumnBuilder& builder) {
    builder.close_list();
    if (!good) builder.truncate(builder.length() - 1);
    return good;
  }

  bool read_scalar(ondemand::value value, ondemand::json_type kind, ColumnBuilder& builder) {
    const DataType& type = builder.type();
    if (kind == ondemand::json_type::string) {
      std::string_view text;
      if ((error_ = value.get_string().get(text)) != simdjson::SUCCESS) return false;
      return append_text(text, builder);
    }
    if (kind == ondemand::json_type::number && type.is_integer()) {
      std::int64_t number = 0;
      if (value.get_int64().get(number) == simdjson::SUCCESS && append_int(number, builder))
        return true;
      return fail(type.name(), raw(value));
    }
    if (kind == ondemand::json_type::number && type.kind() == TypeKind::kDouble) {
      double number = 0;
      if (value.get_double().get(number) != simdjson::SUCCESS) return fail(type.name(), raw(value));
      builder.append<double>(number);
      return true;
    }
    // Numbers, booleans, and whole arrays and objects of a STRING column: their text in the
    // document.
    const std::string_view text = raw(value);
    if (error_ != simdjson::SUCCESS) return false;
    const bool container =
        kind == ondemand::json_type::object || kind == ondemand::json_type::array;
    if (container && !type.is_character()) return fail(type.name(), text);
    return append_text(trimmed(text), builder);
  }

  std::string_view raw(ondemand::value value) {
    ondemand::json_type kind{};
    std::string_view text;
    if ((error_ = value.type().get(kind)) != simdjson::SUCCESS) return "";
    if (kind == ondemand::json_type::object) {
      ondemand::object object;
      if ((error_ = value.get_object().get(object)) != simdjson::SUCCESS) return "";
      if ((error_ = object.raw_json().get(text)) != simdjson::SUCCESS) return "";
      return text;
    }
    if (kind == ondemand::json_type::array) {
      ondemand::array array;
      if ((error_ = value.get_array().get(array)) != simdjson::SUCCESS) return "";
      if ((error_ = array.raw_json().get(text)) != simdjson::SUCCESS) return "";
      return text;
    }
    return value.raw_json_token();
  }

  static bool append_int(std::int64_t number, ColumnBuilder& builder) {
    switch (builder.type().kind()) {
      case TypeKind::kTinyInt:
        return append_narrow<std::int8_t>(number, builder);
      case TypeKind::kSmallInt:
        return append_narrow<std::int16_t>(number, builder);
      case TypeKind::kInteger:
        return append_narrow<std::int32_t>(number, builder);
      default:
        return append_narrow<std::int64_t>(number, builder);
    }
  }

  template <typename T>
  static bool append_narrow(std::int64_t number, ColumnBuilder& builder) {
    if (number < std::numeric_limits<T>::min() || number > std::numeric_limits<T>::max())
      return false;
    builder.append<T>(static_cast<T>(number));
    return true;
  }

  bool append_text(std::string_view text, ColumnBuilder& builder) {
    const DataType& type = builder.type();
    if (type.is_character()) {
      builder.append_string(text);
      return true;
    }
    if (type.is_binary()) {
      std::string bytes;
      if (!decode_base64(text, bytes)) return fail(type.name() + " in base64", text);
      builder.append_string(bytes);
      return true;
    }
    std::string changed;
    if (type.is_timestamp()) {
      // The standard that was chosen, strictly: a date of the other one is likelier a mistake.
      changed = text;
      const char separator = options_.iso_timestamps ? 'T' : ' ';
      if (changed.size() > 10 && changed[10] == separator) {
        changed[10] = ' ';
      } else {
        return fail(fmt::format("{} ({} format)", type.name(),
                                options_.iso_timestamps ? "ISO-8601" : "SQL"),
                    text);
      }
      if (type.kind() == TypeKind::kTimestampLtz) {
        if (!changed.ends_with('Z')) return fail(type.name() + " ending in Z", text);
        changed.pop_back();
      }
      text = changed;
    }
    const std::int64_t before = builder.length();
    if (append_parsed_value(trimmed(text), builder, nullptr).is_ok()) return true;
    builder.truncate(before);
    return fail(type.name(), text);
  }

  // One per level of nesting, kept to avoid an allocation per record. A deque would keep references
  // too, but levels are few and fixed.
  std::vector<bool>& seen_at(int depth, std::size_t fields) {
    std::vector<bool>& seen = seen_[static_cast<std::size_t>(depth)];
    seen.assign(fields, false);
    return seen;
  }

  static constexpr int kMaxDepth = 64;

  const JsonOptions options_;
  std::vector<Field> fields_;
  std::int64_t line_;
  ondemand::parser parser_;
  std::string buffer_;
  std::vector<bool> seen_[kMaxDepth + 2];
  Failure failure_;
  simdjson::error_code error_ = simdjson::SUCCESS;
};

}  // namespace

std::unique_ptr<RowDecoder> make_json_decoder(const JsonOptions& options,
                                              const FormatRequest& request,
                                              std::int64_t first_line) {
  return std::make_unique<JsonDecoder>(options, request, first_line);
}

}  // namespace clepsydra
