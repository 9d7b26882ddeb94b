#include "gateway/console/result_printer.h"

#include <algorithm>
#include <utility>

#include "gateway/console/row_text.h"
#include "gateway/console/terminal_text.h"
#include "stream/value_text.h"

namespace clepsydra::console {
namespace {

constexpr std::string_view kNullCell = "<NULL>";
constexpr std::string_view kKindHeader = "op";

TextStyle style_of(const TimeZone* zone) {
  return {.zone = zone, .binary_as_hex = true};
}

class CsvPrinter final : public ResultPrinter {
 public:
  CsvPrinter(SchemaPtr schema, TimeZonePtr zone)
      : schema_(std::move(schema)), zone_(std::move(zone)) {}

  void begin(std::string& out) override {
    for (int i = 0; i < schema_->size(); ++i) {
      if (i > 0) out += ',';
      append_csv_field(schema_->field(i).name, out);
    }
    out += '\n';
  }
  void rows(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      append_csv_row(batch, row, style_of(zone_.get()), out);
      out += '\n';
    }
  }
  void end(std::string& /*out*/) override {}

 private:
  const SchemaPtr schema_;
  const TimeZonePtr zone_;
};

class TsvPrinter final : public ResultPrinter {
 public:
  TsvPrinter(SchemaPtr schema, TimeZonePtr zone)
      : schema_(std::move(schema)), zone_(std::move(zone)) {}

  void begin(std::string& out) override {
    for (int i = 0; i < schema_->size(); ++i) {
      if (i > 0) out += '\t';
      append_tsv_escaped(schema_->field(i).name, out);
    }
    out += '\n';
  }
  void rows(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      append_tsv_row(batch, row, style_of(zone_.get()), out);
      out += '\n';
    }
  }
  void end(std::string& /*out*/) override {}

 private:
  const SchemaPtr schema_;
  const TimeZonePtr zone_;
};

class JsonPrinter final : public ResultPrinter {
 public:
  JsonPrinter(const Schema& schema, TimeZonePtr zone) : writer_(schema), zone_(std::move(zone)) {}

  void begin(std::string& /*out*/) override {}
  void rows(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      writer_.append_row(batch, row, style_of(zone_.get()), out);
      out += '\n';
    }
  }
  void end(std::string& /*out*/) override {}

 private:
  const JsonRowWriter writer_;
  const TimeZonePtr zone_;
};

class TableauPrinter final : public ResultPrinter {
 public:
  TableauPrinter(SchemaPtr schema, const ResultPrinterOptions& options)
      : schema_(std::move(schema)), zone_(options.zone), table_(widths(*schema_, options)) {}

  void begin(std::string& out) override {
    std::vector<std::string> cells = header_cells(*schema_);
    cells.emplace(cells.begin(), kKindHeader);
    table_.append_border(out);
    table_.append_row(cells, out);
    table_.append_border(out);
  }
  void rows(const Batch& batch, std::string& out) override {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
      std::vector<std::string> cells = row_cells(batch, row, zone_.get());
      cells.emplace(cells.begin(), row_kind_text(batch.row_kind(row)));
      table_.append_row(cells, out);
    }
  }
  void end(std::string& out) override { table_.append_border(out); }

 private:
  static std::vector<int> widths(const Schema& schema, const ResultPrinterOptions& options) {
    std::vector<int> widths = column_widths_by_type(schema, options.max_column_width);
    widths.insert(widths.begin(), static_cast<int>(kKindHeader.size()));
    return widths;
  }

  const SchemaPtr schema_;
  const TimeZonePtr zone_;
  const TextTable table_;
};

// EXPLAIN and SHOW CREATE: one value of several lines.
bool is_text_block(const Batch& table) {
  return table.rows() == 1 && table.column_count() == 1 && table.column(0).type().is_character() &&
         !table.column(0).is_null(0) &&
         table.column(0).string_at(0).find('\n') != std::string_view::npos;
}

std::string print_tableau(const Batch& table, const TimeZone* zone) {
  std::string out;
  if (is_text_block(table)) {
    out = table.column(0).string_at(0);
    if (out.back() != '\n') out += '\n';
    return out;
  }
  std::vector<std::vector<std::string>> lines = {header_cells(*table.schema())};
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    lines.push_back(row_cells(table, row, zone));
  }
  std::vector<int> widths(static_cast<std::size_t>(table.column_count()), 0);
  for (const std::vector<std::string>& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(cells[i]));
    }
  }
  const TextTable text_table(std::move(widths));
  text_table.append_border(out);
  text_table.append_row(lines[0], out);
  text_table.append_border(out);
  for (std::size_t i = 1; i < lines.size(); ++i) text_table.append_row(lines[i], out);
  if (lines.size() > 1) text_table.append_border(out);
  return out;
}

// As the reference: what the longest value of a type needs.
int width_of_type(const DataType& type, int max_column_width) {
  switch (type.kind()) {
    case TypeKind::kBoolean:
      return 5;
    case TypeKind::kTinyInt:
      return 4;
    case TypeKind::kSmallInt:
      return 6;
    case TypeKind::kInteger:
      return 11;
    case TypeKind::kBigInt:
      return 20;
    case TypeKind::kDecimal:
      return type.precision() + 2;  // Sign and point.
    case TypeKind::kDate:
      return 10;
    case TypeKind::kTime:
      return type.precision() == 0 ? 8 : 9 + type.precision();
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return type.precision() == 0 ? 19 : 20 + type.precision();
    default:
      return max_column_width;
  }
}

}  // namespace

std::vector<int> column_widths_by_type(const Schema& schema, int max_column_width) {
  std::vector<int> widths;
  for (const Field& field : schema.fields()) {
    widths.push_back(std::max({display_width(visible_text(field.name)),
                               width_of_type(field.type, max_column_width),
                               static_cast<int>(kNullCell.size())}));
  }
  return widths;
}

std::vector<std::string> header_cells(const Schema& schema) {
  std::vector<std::string> cells;
  for (const Field& field : schema.fields()) cells.push_back(visible_text(field.name));
  return cells;
}

std::string row_cell(const Batch& batch, std::int64_t row, int column, const TimeZone* zone) {
  if (batch.column(column).is_null(row)) return std::string(kNullCell);
  std::string text;
  append_value_text(batch.column(column), row, style_of(zone), text);
  return visible_text(text);
}

std::vector<std::string> row_cells(const Batch& batch, std::int64_t row, const TimeZone* zone) {
  std::vector<std::string> cells;
  for (int i = 0; i < batch.column_count(); ++i) cells.push_back(row_cell(batch, row, i, zone));
  return cells;
}

std::unique_ptr<ResultPrinter> make_stream_printer(const SchemaPtr& schema,
                                                   const ResultPrinterOptions& options) {
  switch (options.format) {
    case OutputFormat::kTableau:
      break;
    case OutputFormat::kCsv:
      return std::make_unique<CsvPrinter>(schema, options.zone);
    case OutputFormat::kTsv:
      return std::make_unique<TsvPrinter>(schema, options.zone);
    case OutputFormat::kJson:
      return std::make_unique<JsonPrinter>(*schema, options.zone);
  }
  return std::make_unique<TableauPrinter>(schema, options);
}

std::string print_table(const Batch& table, const ResultPrinterOptions& options) {
  if (options.format == OutputFormat::kTableau) return print_tableau(table, options.zone.get());
  const std::unique_ptr<ResultPrinter> printer = make_stream_printer(table.schema(), options);
  std::string out;
  printer->begin(out);
  printer->rows(table, out);
  printer->end(out);
  return out;
}

}  // namespace clepsydra::console
