#include "tests/harness/batch_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "stream/column_builder.h"
#include "stream/value_text.h"

namespace clepsydra::testing {
namespace {

constexpr TextStyle kStyle{.binary_as_hex = true};

void skip_blanks(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

std::string_view trimmed(std::string_view text) {
  skip_blanks(text);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string unhex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    CLP_CHECK_MSG(error == std::errc() && end == digits.data() + i + 2, digits);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

// Reads values of one line or cell.
class ValueReader {
 public:
  explicit ValueReader(std::string_view text) : text_(text), rest_(text) {}

  void read_row(BatchBuilder& builder) {
    for (int c = 0; c < builder.column_count(); ++c) {
      if (c > 0) require(take("|"), "' | ' and another value");
      read_value(builder.column(c), "|");
    }
    require_end();
  }
  void require_end() {
    skip_blanks(rest_);
    require(rest_.empty(), "the end");
  }

  // `ends`: the characters that end a value without quotes.
  void read_value(ColumnBuilder& builder, std::string_view ends) {
    skip_blanks(rest_);
    switch (builder.type().kind()) {
      case TypeKind::kArray:
      case TypeKind::kMap:
      case TypeKind::kMultiset:
      case TypeKind::kRow:
      case TypeKind::kStructured:
        if (plain(ends) != "NULL") return read_nested(builder);
        break;
      default:
        break;
    }
    const std::optional<std::string> quoted = read_quoted();
    const std::string_view text = quoted ? std::string_view(*quoted) : take_plain(ends);
    if (!quoted && text == "NULL") return builder.append_null();
    if (builder.type().is_binary() && !quoted) {
      require(text == "x" && rest_.starts_with('\''), "x'...'");
      return builder.append_string(unhex(*read_quoted()));
    }
    const Status status = append_parsed_value(text, builder, nullptr);
    require(status.is_ok(), status.to_string());
  }

 private:
  void require(bool condition, std::string_view expected) const {
    CLP_CHECK_MSG(condition,
                  fmt::format("in \"{}\" at \"{}\": expected {}", text_, rest_, expected));
  }
  bool take(std::string_view symbol) {
    skip_blanks(rest_);
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }
  [[nodiscard]] std::string_view plain(std::string_view ends) const {
    return trimmed(rest_.substr(0, rest_.find_first_of(ends)));
  }
  std::string_view take_plain(std::string_view ends) {
    // x'0aff' ends where its quote begins.
    const bool hex = rest_.starts_with("x'");
    const std::string_view text = hex ? rest_.substr(0, 1) : plain(ends);
    rest_.remove_prefix(hex ? 1 : std::min(rest_.size(), rest_.find_first_of(ends)));
    return text;
  }
  std::optional<std::string> read_quoted() {
    if (!rest_.starts_with('\'')) return std::nullopt;
    std::string text;
    do {
      rest_.remove_prefix(1);
      const std::size_t end = rest_.find('\'');
      require(end != std::string_view::npos, "a closing quote");
      text += rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      if (rest_.starts_with('\'')) text += '\'';
    } while (rest_.starts_with('\''));
    return text;
  }

  void read_nested(ColumnBuilder& builder) {
    const TypeKind kind = builder.type().kind();
    const bool is_row = builder.type().physical() == PhysicalType::kStruct;
    const std::string_view brackets = is_row ? "()" : kind == TypeKind::kArray ? "[]" : "{}";
    require(take(brackets.substr(0, 1)), brackets);
    for (int i = 0; !take(brackets.substr(1)); ++i) {
      if (i > 0) require(take(","), "',' or the closing bracket");
      if (kind == TypeKind::kArray) {
        read_value(builder.child(0), ",]");
      } else if (is_row) {
        require(i < builder.type().child_count(), "as many values as the ROW has fields");
        read_value(builder.child(i), ",)");
      } else {
        read_value(builder.child(0), "=");
        require(take("="), "'='");
        read_value(builder.child(1), ",}");
      }
    }
    if (is_row) return builder.close_struct();
    builder.close_list();
  }

  std::string_view text_;
  std::string_view rest_;
};

RowKind take_row_kind(std::string_view& line) {
  for (const RowKind kind :
       {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kUpdateAfter, RowKind::kDelete}) {
    if (!line.starts_with(row_kind_text(kind)) || (line.size() > 2 && line[2] != ' ')) continue;
    line.remove_prefix(2);
    return kind;
  }
  return RowKind::kInsert;
}

// Whether the text of a string could be read as something else inside `ends`.
bool needs_quotes(std::string_view text) {
  return text.empty() || text == "NULL" || text.front() == ' ' || text.back() == ' ' ||
         text.find_first_of("+-@") == 0 ||
         text.find_first_of("|'[]{}(),=\n") != std::string_view::npos;
}

void append_cell(const Column& column, std::int64_t row, std::string& out);

void append_cells(const Column& column, std::int64_t begin, std::int64_t end, std::string& out) {
  for (std::int64_t i = begin; i < end; ++i) {
    if (i > begin) out += ", ";
    append_cell(column, i, out);
  }
}

void append_nested(const Column& column, std::int64_t row, std::string& out) {
  if (column.type().physical() == PhysicalType::kStruct) {
    out += '(';
    for (std::size_t c = 0; c < column.data().children.size(); ++c) {
      if (c > 0) out += ", ";
      append_cell(column.data().children[c], row, out);
    }
    out += ')';
    return;
  }
  const auto* offsets = column.values<std::int32_t>();
  const bool map = column.type().kind() != TypeKind::kArray;
  out += map ? '{' : '[';
  if (map) {
    for (std::int32_t e = offsets[row]; e < offsets[row + 1]; ++e) {
      if (e > offsets[row]) out += ", ";
      append_cell(column.child(0), e, out);
      out += '=';
      append_cell(column.child(1), e, out);
    }
  } else {
    append_cells(column.child(0), offsets[row], offsets[row + 1], out);
  }
  out += map ? '}' : ']';
}

void append_cell(const Column& column, std::int64_t row, std::string& out) {
  if (column.is_null(row)) {
    out += "NULL";
  } else if (column.type().is_nested()) {
    append_nested(column, row, out);
  } else if (column.type().is_character() && needs_quotes(column.string_at(row))) {
    out += '\'';
    for (const char c : column.string_at(row)) {
      if (c == '\'') out += '\'';
      out += c;
    }
    out += '\'';
  } else {
    append_value_text(column, row, kStyle, out);
  }
}

}  // namespace

MemoryPool& test_pool() {
  static auto* const kPool = new std::shared_ptr<MemoryPool>(MemoryPool::make_root("test"));
  return **kPool;
}

Batch batch_of(SchemaPtr schema, const std::vector<std::string_view>& lines, MemoryPool& pool) {
  BatchBuilder builder(std::move(schema), pool);
  for (std::string_view line : lines) {
    skip_blanks(line);
    if (line.starts_with('@')) {
      std::int64_t watermark = 0;
      const auto [end, error] =
          std::from_chars(line.data() + 1, line.data() + line.size(), watermark);
      CLP_CHECK_MSG(error == std::errc() && end == line.data() + line.size(), line);
      builder.add_mark(watermark);
      continue;
    }
    const RowKind kind = take_row_kind(line);
    ValueReader(line).read_row(builder);
    builder.commit_row(kind);
  }
  Result<Batch> batch = builder.finish();
  CLP_CHECK_MSG(batch.is_ok(), batch.status().to_string());
  return *std::move(batch);
}

Batch batch_of(std::string_view schema, const std::vector<std::string_view>& lines,
               MemoryPool& pool) {
  return batch_of(schema_of(schema), lines, pool);
}

Column column_of(const DataType& type, const std::vector<std::string_view>& values,
                 MemoryPool& pool) {
  ColumnBuilder builder(type, pool);
  for (const std::string_view value : values) {
    ValueReader reader(value);
    reader.read_value(builder, "\n");
    reader.require_end();
  }
  Result<Column> column = builder.finish();
  CLP_CHECK_MSG(column.is_ok(), column.status().to_string());
  return *std::move(column);
}

Column column_of(std::string_view type, const std::vector<std::string_view>& values,
                 MemoryPool& pool) {
  return column_of(type_of(type), values, pool);
}

std::vector<std::string> lines_of(const Batch& batch) {
  std::vector<std::string> lines;
  auto mark = batch.marks().begin();
  for (std::int64_t row = 0; row <= batch.rows(); ++row) {
    for (; mark != batch.marks().end() && mark->row <= row; ++mark) {
      lines.push_back(fmt::format("@{}", mark->watermark));
    }
    if (row == batch.rows()) break;
    std::string line;
    if (batch.row_kind(row) != RowKind::kInsert) {
      line = fmt::format("{} ", row_kind_text(batch.row_kind(row)));
    }
    for (int c = 0; c < batch.column_count(); ++c) {
      if (c > 0) line += " | ";
      append_cell(batch.column(c), row, line);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<std::string> lines_of(const Column& column) {
  std::vector<std::string> lines;
  for (std::int64_t row = 0; row < column.length(); ++row) lines.push_back(cell_of(column, row));
  return lines;
}

std::string cell_of(const Column& column, std::int64_t row) {
  std::string text;
  append_cell(column, row, text);
  return text;
}

}  // namespace clepsydra::testing
