#include "gateway/console/row_text.h"

namespace clepsydra::console {

void append_csv_field(std::string_view text, std::string& out) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_row(const Batch& batch, std::int64_t row, const TextStyle& style,
                    std::string& out) {
  std::string text;
  for (int i = 0; i < batch.column_count(); ++i) {
    if (i > 0) out += ',';
    if (batch.column(i).is_null(row)) continue;
    text.clear();
    append_value_text(batch.column(i), row, style, text);
    append_csv_field(text, out);
  }
}

void append_tsv_row(const Batch& batch, std::int64_t row, const TextStyle& style,
                    std::string& out) {
  std::string text;
  for (int i = 0; i < batch.column_count(); ++i) {
    if (i > 0) out += '\t';
    if (batch.column(i).is_null(row)) {
      out += "\\N";
      continue;
    }
    text.clear();
    append_value_text(batch.column(i), row, style, text);
    append_tsv_escaped(text, out);
  }
}

}  // namespace clepsydra::console
