// The options of the csv format, parsed and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra {

enum class CsvHeader : std::uint8_t { kNone, kSkip, kMatch };

struct CsvOptions {
  char delimiter = ',';
  std::optional<char> quote = '"';
  std::optional<char> escape;
  std::optional<std::string> null_literal;
  std::string array_delimiter = ";";
  CsvHeader header = CsvHeader::kNone;
  bool allow_comments = false;
  bool ignore_parse_errors = false;
  bool trim_spaces = false;
  bool ignore_trailing_unmappable = false;
  bool allow_trailing_comma = true;
  bool fail_on_missing_columns = false;
  bool empty_string_as_null = false;
  bool scientific_decimals = true;
  std::size_t line_bytes_max = std::size_t{16} << 20;

  static Result<CsvOptions> parse(const TableOptions& options);
  static std::vector<OptionDescription> descriptions();
};

}  // namespace clepsydra
