#include "formats/csv/csv_options.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/duration.h"
#include "formats/option_values.h"

namespace clepsydra {
namespace {

// "\t", "\\", "\u0001" as users of the reference write them.
bool unescape(std::string_view text, char& value) {
  if (text.size() == 1) {
    value = text[0];
    return static_cast<unsigned char>(text[0]) < 0x80;
  }
  if (text.size() == 2 && text[0] == '\\') {
    switch (text[1]) {
      case 't':
        value = '\t';
        return true;
      case 'n':
        value = '\n';
        return true;
      case 'r':
        value = '\r';
        return true;
      case '\\':
        value = '\\';
        return true;
      case 'b':
        value = '\b';
        return true;
      case 'f':
        value = '\f';
        return true;
      default:
        return false;
    }
  }
  if (text.size() == 6 && text[0] == '\\' && text[1] == 'u') {
    unsigned code = 0;
    for (const char c : text.substr(2)) {
      const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                    : 16;
      if (digit > 15) return false;
      code = code * 16 + digit;
    }
    value = static_cast<char>(code);
    return code < 0x80;
  }
  return false;
}

Status read_char(const TableOptions& options, const char* key, std::optional<char>& value) {
  const std::string* text = find_option(options, key);
  if (text == nullptr) return Status::ok();
  char parsed = 0;
  if (!unescape(*text, parsed)) {
    return Status::invalid_argument(
        fmt::format("option '{}' is '{}'; expected one ASCII character, such as ';' or '\\t'", key,
                    text->substr(0, 64)));
  }
  value = parsed;
  return Status::ok();
}

}  // namespace

Result<CsvOptions> CsvOptions::parse(const TableOptions& options) {
  CsvOptions csv;
  std::optional<char> delimiter;
  CLP_RETURN_IF_ERROR(read_char(options, "csv.field-delimiter", delimiter));
  csv.delimiter = delimiter.value_or(',');
  bool disable_quote = false;
  CLP_RETURN_IF_ERROR(read_boolean_option(options, "csv.disable-quote-character", disable_quote));
  if (disable_quote && find_option(options, "csv.quote-character") != nullptr) {
    return Status::invalid_argument(
        "option 'csv.quote-character' cannot be set while 'csv.disable-quote-character' = 'true'");
  }
  CLP_RETURN_IF_ERROR(read_char(options, "csv.quote-character", csv.quote));
  if (disable_quote) csv.quote.reset();
  CLP_RETURN_IF_ERROR(read_char(options, "csv.escape-character", csv.escape));
  if (const std::string* text = find_option(options, "csv.null-literal")) csv.null_literal = *text;
  if (const std::string* text = find_option(options, "csv.array-element-delimiter")) {
    if (text->empty()) {
      return Status::invalid_argument(
          "option 'csv.array-element-delimiter' is empty; expected at least one character");
    }
    csv.array_delimiter = *text;
  }
  CLP_RETURN_IF_ERROR(read_boolean_option(options, "csv.allow-comments", csv.allow_comments));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "csv.ignore-parse-errors", csv.ignore_parse_errors));
  CLP_RETURN_IF_ERROR(read_boolean_option(options, "csv.trim-spaces", csv.trim_spaces));
  CLP_RETURN_IF_ERROR(read_boolean_option(options, "csv.ignore-trailing-unmappable",
                                          csv.ignore_trailing_unmappable));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "csv.allow-trailing-comma", csv.allow_trailing_comma));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "csv.fail-on-missing-columns", csv.fail_on_missing_columns));
  CLP_RETURN_IF_ERROR(
      read_boolean_option(options, "csv.empty-string-as-null", csv.empty_string_as_null));
  CLP_RETURN_IF_ERROR(read_boolean_option(options, "csv.write-bigdecimal-in-scientific-notation",
                                          csv.scientific_decimals));
  if (const std::string* text = find_option(options, "csv.header")) {
    if (*text == "none") {
      csv.header = CsvHeader::kNone;
    } else if (*text == "skip") {
      csv.header = CsvHeader::kSkip;
    } else if (*text == "match") {
      csv.header = CsvHeader::kMatch;
    } else {
      return Status::invalid_argument(fmt::format(
          "option 'csv.header' is '{}'; expected none, skip or match", text->substr(0, 64)));
    }
  }
  if (const std::string* text = find_option(options, "csv.line-bytes-max")) {
    CLP_ASSIGN_OR_RETURN(const MemorySize size, parse_memory_size(*text));
    const std::int64_t bytes = size.bytes;
    if (bytes < 1 || bytes > (std::int64_t{1} << 30)) {
      return Status::invalid_argument(
          fmt::format("option 'csv.line-bytes-max' is '{}'; expected between 1 byte and 1 gb",
                      text->substr(0, 64)));
    }
    csv.line_bytes_max = static_cast<std::size_t>(bytes);
  }
  const std::pair<const char*, std::optional<char>> characters[] = {
      {"csv.quote-character", csv.quote}, {"csv.escape-character", csv.escape}};
  for (const auto& [key, character] : characters) {
    if (character == csv.delimiter) {
      return Status::invalid_argument(
          fmt::format("option '{}' is '{}', which is also 'csv.field-delimiter'", key, *character));
    }
  }
  if (csv.delimiter == '\n' || csv.delimiter == '\r') {
    return Status::invalid_argument("option 'csv.field-delimiter' cannot be a line end");
  }
  return csv;
}

std::vector<OptionDescription> CsvOptions::descriptions() {
  using enum OptionKind;
  return {
      {.key = "csv.field-delimiter",
       .kind = kString,
       .default_value = ",",
       .description = "Character between fields; '\\t' for a tab."},
      {.key = "csv.disable-quote-character",
       .kind = kBoolean,
       .default_value = "false",
       .description = "Fields are not quoted; a quote is an ordinary character."},
      {.key = "csv.quote-character",
       .kind = kString,
       .default_value = "\"",
       .description = "Encloses fields that hold delimiters, quotes (doubled) or line ends."},
      {.key = "csv.allow-comments",
       .kind = kBoolean,
       .default_value = "false",
       .description = "Lines that start with '#' are passed over."},
      {.key = "csv.ignore-parse-errors",
       .kind = kBoolean,
       .default_value = "false",
       .description =
           "Rows that cannot be read are skipped and counted instead of failing the job."},
      {.key = "csv.array-element-delimiter",
       .kind = kString,
       .default_value = ";",
       .description = "Between the elements of ARRAY and ROW fields."},
      {.key = "csv.escape-character",
       .kind = kString,
       .description = "Makes the next character an ordinary one."},
      {.key = "csv.null-literal", .kind = kString, .description = "Text that stands for NULL."},
      {.key = "csv.write-bigdecimal-in-scientific-notation",
       .kind = kBoolean,
       .default_value = "true",
       .description = "DECIMAL values are written as Java's BigDecimal.toString does."},
      {.key = "csv.trim-spaces",
       .kind = kBoolean,
       .default_value = "false",
       .description = "Blanks around unquoted fields are removed."},
      {.key = "csv.ignore-trailing-unmappable",
       .kind = kBoolean,
       .default_value = "false",
       .description = "Fields behind the last column are ignored."},
      {.key = "csv.allow-trailing-comma",
       .kind = kBoolean,
       .default_value = "true",
       .description = "One empty field behind the last column is ignored."},
      {.key = "csv.fail-on-missing-columns",
       .kind = kBoolean,
       .default_value = "false",
       .description = "Rows with too few fields fail the job even with csv.ignore-parse-errors."},
      {.key = "csv.empty-string-as-null",
       .kind = kBoolean,
       .default_value = "false",
       .description = "An empty field is NULL."},
      {.key = "csv.header",
       .kind = kEnum,
       .default_value = "none",
       .description =
           "First line of each file: none = data; skip = passed over; match = column names.",
       .choices = {"none", "skip", "match"}},
      {.key = "csv.line-bytes-max",
       .kind = kMemorySize,
       .default_value = "16 mb",
       .description = "A longer line fails the job (or is skipped with csv.ignore-parse-errors)."},
  };
}

}  // namespace clepsydra
