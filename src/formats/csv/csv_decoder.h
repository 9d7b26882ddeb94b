// Decodes CSV records into the columns that a query reads, a column of many rows at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "clepsydra/format.h"
#include "clepsydra/status.h"
#include "formats/csv/csv_index.h"
#include "formats/csv/csv_options.h"
#include "formats/format_registry.h"
#include "stream/batch.h"

namespace clepsydra {

class CsvDecoder final : public RowDecoder {
 public:
  static Result<std::unique_ptr<RowDecoder>> make(const CsvOptions& options,
                                                  const FormatRequest& request,
                                                  const DecoderStart& start);

  Result<DecodeProgress> decode(std::string_view chunk, bool at_end, std::int64_t rows_max,
                                BatchBuilder& rows) override;
  [[nodiscard]] std::int64_t line() const override { return line_; }
  [[nodiscard]] std::string first_record() const override { return header_; }

 private:
  // One record found in the chunk. Its field f ends at separator first + f.
  struct Record {
    std::uint32_t begin;
    std::uint32_t end;    // Of the last field, without the line end.
    std::uint32_t first;  // Index of its first separator.
  };
  struct BadField {
    std::uint32_t record = 0;
    int field = -1;  // In the record; -1: the record as a whole.
    std::string reason;
  };

  CsvDecoder(const CsvOptions& options, const FormatRequest& request, const DecoderStart& start);
  Status match_header(std::string_view header);
  Status find_records(std::string_view chunk, bool at_end, std::int64_t rows_max,
                      std::size_t& consumed, std::int64_t& skipped);
  Status take_record(std::string_view chunk, std::uint32_t begin, std::uint32_t end,
                     std::uint32_t first, std::uint32_t fields, std::int64_t& skipped);
  void drop_invalid_utf8(std::string_view chunk, std::size_t consumed);
  void append_columns(std::string_view chunk, BatchBuilder& rows);
  void append_column(std::string_view chunk, int field, ColumnBuilder& builder);
  bool append_field(std::string_view text, ColumnBuilder& builder, std::string& reason);
  bool append_nested(std::string_view text, ColumnBuilder& builder, std::string& reason);
  std::string_view field_text(std::string_view chunk, const Record& record, int field,
                              bool& quoted);
  std::string_view unquote(std::string_view text);
  Status error_at(std::string_view chunk, const BadField& bad) const;
  [[nodiscard]] std::int64_t line_of(std::string_view chunk, std::uint32_t begin) const;

  const CsvOptions options_;
  const SchemaPtr record_;
  const std::vector<int> columns_;  // Of record_, to decode.
  std::vector<int> field_of_;       // Per entry of columns_: its field in the file.
  int fields_expected_;
  bool header_pending_;
  std::string header_;  // Once it was matched.
  bool bom_pending_;
  std::int64_t line_;
  CsvIndex index_;
  std::vector<Record> records_;
  std::vector<BadField> bad_;
  std::string scratch_;  // An unquoted field.
  std::string element_;  // Of a nested field.
  std::size_t bytes_hint_ = 64UL << 10;
};

}  // namespace clepsydra
