// The forms in which the console prints results.
#pragma once

#include <cstdint>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra::console {

enum class OutputFormat : std::uint8_t {
  kTableau,  // A table drawn with + - |, as the reference's tableau mode.
  kCsv,      // RFC 4180 with a header; NULL is an empty field without quotes.
  kTsv,      // Tabs with a header; NULL is \N.
  kJson,     // One object per line.
};

// "tableau", "csv", "tsv" or "json".
Result<OutputFormat> parse_output_format(std::string_view text);

}  // namespace clepsydra::console
