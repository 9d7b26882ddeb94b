#include "gateway/console/output_format.h"

#include <fmt/format.h>

#include "base/utf8.h"

namespace clepsydra::console {

Result<OutputFormat> parse_output_format(std::string_view text) {
  if (text == "tableau") return OutputFormat::kTableau;
  if (text == "csv") return OutputFormat::kCsv;
  if (text == "tsv") return OutputFormat::kTsv;
  if (text == "json") return OutputFormat::kJson;
  return Status::invalid_argument(
      fmt::format("unknown format '{}', expected tableau, csv, tsv or json", clip(text, 64)));
}

}  // namespace clepsydra::console
