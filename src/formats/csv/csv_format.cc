// The csv format: options, factory, record scanner and encoder. The decoder has a file of its own.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "formats/csv/csv_decoder.h"
#include "formats/csv/csv_index.h"
#include "formats/csv/csv_options.h"
#include "formats/format_registry.h"
#include "stream/batch.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// A line feed outside quotes separates records.
class CsvScanner final : public RecordScanner {
 public:
  explicit CsvScanner(const CsvOptions& options) : state_(options) {}

  void skip(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, kPieceBytes);
      const std::size_t ordinary = state_.pass_ordinary(piece);
      lines_ +=
          std::count(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(ordinary), '\n');
      bytes.remove_prefix(ordinary);
      if (ordinary < piece.size()) {
        pass(bytes.front());
        bytes.remove_prefix(1);
      }
    }
  }

  std::size_t find_start(std::string_view bytes) override {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (pass(bytes[i])) return i + 1;
    }
    return std::string_view::npos;
  }

  [[nodiscard]] std::int64_t lines() const override { return lines_; }

 private:
  // Looked through for quotes at a time: what is full of them is still passed over quickly.
  static constexpr std::size_t kPieceBytes = 512;

  bool pass(char c) {
    lines_ += static_cast<std::int64_t>(c == '\n');
    return state_.step(c) && c == '\n';
  }

  CsvState state_;
  std::int64_t lines_ = 0;
};

class CsvEncoder final : public RowEncoder {
 public:
  CsvEncoder(CsvOptions options, SchemaPtr record)
      : options_(std::move(options)), record_(std::move(record)) {}

  void append_header(std::string& out) override {
    if (options_.header == CsvHeader::kNone) return;
    for (int i = 0; i < record_->size(); ++i) {
      if (i > 0) out.push_back(options_.delimiter);
      append_quoted(record_->field(i).name, out);
    }
    out.push_back('\n');
  }

  Status append(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      for (int i = 0; i < batch.column_count(); ++i) {
        if (i > 0) out.push_back(options_.delimiter);
        const Column& column = batch.column(i);
        if (column.is_null(row)) {
          if (options_.null_literal) out += *options_.null_literal;
        } else {
          append_field(column, row, out);
        }
      }
      out.push_back('\n');
    }
    return Status::ok();
  }

 private:
  void append_field(const Column& column, std::int64_t row, std::string& out) {
    const DataType& type = column.type();
    if (type.is_character()) {
      append_quoted(column.string_at(row), out);
    } else if (type.is_numeric()) {
      append_scalar(column, row, out);
    } else {
      text_.clear();
      append_scalar(column, row, text_);
      append_quoted(text_, out);
    }
  }

  void append_scalar(const Column& column, std::int64_t row, std::string& out) {
    const DataType& type = column.type();
    switch (type.kind()) {
      case TypeKind::kBoolean:
        out += column.values<std::uint8_t>()[row] != 0 ? "true" : "false";
        break;
      case TypeKind::kBinary:
      case TypeKind::kVarbinary:
        append_base64(column.string_at(row), out);
        break;
      case TypeKind::kTimestampLtz:
        append_value_text(column, row, {}, out);
        out.push_back('Z');
        break;
      case TypeKind::kArray: {
        const auto* offsets = column.values<std::int32_t>();
        append_elements(column.child(0), offsets[row], offsets[row + 1], out);
        break;
      }
      case TypeKind::kRow:
        for (std::size_t i = 0; i < type.fields().size(); ++i) {
          if (i > 0) out += options_.array_delimiter;
          append_elements(column.child(static_cast<int>(i)), row, row + 1, out);
        }
        break;
      default:
        append_value_text(column, row, {}, out);
        break;
    }
  }

  void append_elements(const Column& column, std::int64_t begin, std::int64_t end,
                       std::string& out) {
    for (std::int64_t i = begin; i < end; ++i) {
      if (i > begin) out += options_.array_delimiter;
      if (column.is_null(i)) {
        if (options_.null_literal) out += *options_.null_literal;
      } else {
        append_scalar(column, i, out);
      }
    }
  }

  // Quotes what would not come back as it is: separators, quotes, line ends, outer blanks, the NULL
  // text.
  void append_quoted(std::string_view text, std::string& out) {
    if (!options_.quote) {
      out += text;
      return;
    }
    const char quote = *options_.quote;
    bool needed = text.empty() || text.front() == ' ' || text.back() == ' ' ||
                  (options_.null_literal && text == *options_.null_literal) ||
                  (options_.allow_comments && text.front() == '#');
    for (const char c : text) {
      needed = needed || c == options_.delimiter || c == quote || c == '\n' || c == '\r' ||
               (options_.escape && c == *options_.escape);
    }
    if (!needed) {
      out += text;
      return;
    }
    out.push_back(quote);
    for (const char c : text) {
      if (c == quote)
        out.push_back(options_.escape.value_or(quote));
      else if (options_.escape && c == *options_.escape)
        out.push_back(c);
      out.push_back(c);
    }
    out.push_back(quote);
  }

  const CsvOptions options_;
  const SchemaPtr record_;
  std::string text_;
};

class CsvFormat final : public Format {
 public:
  CsvFormat(CsvOptions options, FormatRequest request)
      : options_(std::move(options)), request_(std::move(request)) {}

  Result<std::unique_ptr<RowDecoder>> make_decoder(const DecoderStart& start,
                                                   MemoryPool& /*pool*/) const override {
    return CsvDecoder::make(options_, request_, start);
  }
  Result<std::unique_ptr<RowEncoder>> make_encoder() const override {
    return std::make_unique<CsvEncoder>(options_, request_.record);
  }
  [[nodiscard]] std::unique_ptr<RecordScanner> make_scanner() const override {
    // With an escape the meaning of a byte depends on all before it.
    if (options_.escape) return nullptr;
    return std::make_unique<CsvScanner>(options_);
  }
  [[nodiscard]] bool needs_first_record() const override {
    return options_.header == CsvHeader::kMatch;
  }

 private:
  const CsvOptions options_;
  const FormatRequest request_;
};

Status check_type(const std::string& column, const DataType& type, bool nested) {
  const bool container = type.is_nested();
  const bool bad = type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset ||
                   type.kind() == TypeKind::kIntervalDayTime ||
                   type.kind() == TypeKind::kIntervalYearMonth ||
                   type.kind() == TypeKind::kVariant || type.kind() == TypeKind::kStructured ||
                   (container && nested);
  if (bad) {
    return Status::invalid_argument(fmt::format(
        "format 'csv' cannot hold column '{}' of type {}: expected a scalar, or an ARRAY or ROW "
        "of scalars",
        column, type.to_string()));
  }
  if (!container) return Status::ok();
  for (const Field& field : type.fields())
    CLP_RETURN_IF_ERROR(check_type(column, field.type, true));
  return Status::ok();
}

class CsvTableFormat final : public TableFormat {
 public:
  [[nodiscard]] std::string_view name() const override { return "csv"; }
  [[nodiscard]] std::string_view description() const override {
    return "Comma-separated values (RFC 4180 and its variations).";
  }
  [[nodiscard]] std::vector<OptionDescription> options() const override {
    return CsvOptions::descriptions();
  }
  [[nodiscard]] Status validate(const TableOptions& options, const Schema& schema) const override {
    const Result<CsvOptions> parsed = CsvOptions::parse(options);
    if (!parsed.is_ok()) return parsed.status();
    for (const Field& field : schema.fields()) {
      CLP_RETURN_IF_ERROR(check_type(field.name, field.type, false));
    }
    return Status::ok();
  }
};

Result<std::unique_ptr<Format>> make_csv(const FormatRequest& request) {
  CLP_ASSIGN_OR_RETURN(CsvOptions options, CsvOptions::parse(request.options));
  return std::make_unique<CsvFormat>(std::move(options), request);
}

}  // namespace

void register_csv_format(FormatRegistry& registry) {
  registry.add({std::make_shared<CsvTableFormat>(), make_csv});
}

}  // namespace clepsydra
