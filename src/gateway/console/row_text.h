// Rows as lines of csv, tsv and json. Values are in the text form of the reference's result tables
// (stream/value_text.h); json uses its own numbers, booleans, arrays and objects.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stream/batch.h"
#include "stream/data_type.h"
#include "stream/value_text.h"

namespace clepsydra::console {

// Field by field, separated by comma or tab; without the line's end.
void append_csv_row(const Batch& batch, std::int64_t row, const TextStyle& style, std::string& out);
void append_tsv_row(const Batch& batch, std::int64_t row, const TextStyle& style, std::string& out);

// In quotes when it holds a comma, quote or line break, or is empty (an empty field without quotes
// is NULL).
void append_csv_field(std::string_view text, std::string& out);

// "key":value pairs in the order of the columns.
class JsonRowWriter {
 public:
  explicit JsonRowWriter(const Schema& schema);
  // NaN and infinite numbers, binary values, dates, times and intervals are strings in the text
  // form; the keys of MAP and MULTISET are, too.
  void append_row(const Batch& batch, std::int64_t row, const TextStyle& style,
                  std::string& out) const;

 private:
  std::vector<std::string> keys_;  // Quoted and escaped, with the colon.
};

// With the quotes. Broken UTF-8 becomes U+FFFD: json is always UTF-8.
void append_json_string(std::string_view text, std::string& out);

}  // namespace clepsydra::console
