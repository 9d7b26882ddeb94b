// The options of the json format, parsed and checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"

namespace clepsydra {

enum class JsonNullKey : std::uint8_t { kFail, kDrop, kLiteral };

struct JsonOptions {
  bool fail_on_missing_field = false;
  bool ignore_parse_errors = false;
  bool iso_timestamps = false;  // 2024-01-31T10:00:00 instead of 2024-01-31 10:00:00.
  bool plain_decimals = false;
  bool ignore_null_fields = false;
  JsonNullKey null_key = JsonNullKey::kFail;
  std::string null_key_literal = "null";
  std::size_t line_bytes_max = std::size_t{16} << 20;

  static Result<JsonOptions> parse(const TableOptions& options);
  static std::vector<OptionDescription> descriptions();
};

}  // namespace clepsydra
