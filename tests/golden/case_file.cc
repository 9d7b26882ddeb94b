#include "tests/golden/case_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "stream/value_text.h"

namespace clepsydra::golden {
namespace {

constexpr std::int64_t kFileBytesMax = 16 << 20;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string without_escapes(std::string_view field) {
  std::string out;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      out += field[i];
      continue;
    }
    switch (field[++i]) {
      case 't':
        out += '\t';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case '0':
        out += '\0';
        break;
      case '\\':
        out += '\\';
        break;
      default:
        out += '\\';
        out += field[i];
    }
  }
  return out;
}

// The lines of a file of fields separated by tabs; `header` is the first line that it must have.
Result<std::vector<std::vector<std::string_view>>> split_lines(std::string_view text,
                                                               std::string_view path,
                                                               std::string_view header) {
  std::vector<std::string_view> lines = split(text, '\n');
  if (lines[0] != header) {
    return Status::invalid_argument(fmt::format("'{}' does not begin with '{}'", path, header));
  }
  const std::size_t width = split(header, '\t').size();
  std::vector<std::vector<std::string_view>> rows;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    rows.push_back(split(lines[i], '\t'));
    if (rows.back().size() != width) {
      return Status::invalid_argument(fmt::format("line {} of '{}' has {} fields, expected {}",
                                                  i + 1, path, rows.back().size(), width));
    }
  }
  return rows;
}

bool close_numbers(const std::string& got, const std::string& expected, double tolerance) {
  double a = 0;
  double b = 0;
  if (!parse_double(got, a) || !parse_double(expected, b)) return false;
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (std::isinf(a) || std::isinf(b)) return a == b;
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

// "{a=1, b=2}" with its entries in order.
std::string ordered_entries(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> entries;
  int depth = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (depth == 0 && text.substr(i, 2) == ", ")) {
      entries.emplace_back(text.substr(begin, i - begin));
      begin = i + 2;
    } else if (text[i] == '{' || text[i] == '[' || text[i] == '(') {
      ++depth;
    } else if (text[i] == '}' || text[i] == ']' || text[i] == ')') {
      --depth;
    }
  }
  std::sort(entries.begin(), entries.end());
  return fmt::format("{}", fmt::join(entries, ", "));
}

}  // namespace

Result<std::vector<Case>> read_expressions(FileSystem& files, std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kFileBytesMax));
  CLP_ASSIGN_OR_RETURN(
      const auto rows,
      split_lines(text, path, "name\tcategory\texpression\ttype\tresult\tmessage"));
  std::vector<Case> cases;
  for (const auto& row : rows) {
    // The result stays as the file has it: \N is the NULL.
    cases.push_back({.name = std::string(row[0]),
                     .category = std::string(row[1]),
                     .statement = without_escapes(row[2]),
                     .type = without_escapes(row[3]),
                     .result = std::string(row[4]),
                     .message = without_escapes(row[5])});
  }
  return cases;
}

Result<std::vector<Case>> read_errors(FileSystem& files, std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kFileBytesMax));
  CLP_ASSIGN_OR_RETURN(const auto rows,
                       split_lines(text, path,
                                   "name\tcategory\tstatement\tclass\texception\troot_exception\t"
                                   "message\troot_message"));
  std::vector<Case> cases;
  for (const auto& row : rows) {
    cases.push_back({.name = std::string(row[0]),
                     .category = std::string(row[1]),
                     .statement = without_escapes(row[2]),
                     .type = {},
                     .result = fmt::format("ERROR:{}", row[3]),
                     .message = without_escapes(row[7])});
  }
  return cases;
}

Result<std::map<std::string, std::string>> read_differences(FileSystem& files,
                                                            std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kFileBytesMax));
  std::map<std::string, std::string> differences;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("| `")) continue;
    const std::vector<std::string_view> cells = split(line, '|');
    if (cells.size() < 4 || trim(cells[2]).empty()) {
      return Status::invalid_argument(fmt::format("no reason in '{}' of '{}'", line, path));
    }
    for (std::string_view name : split(trim(cells[1]), ' ')) {
      if (name.size() < 2 || name.front() != '`' || name.back() != '`') continue;
      differences.emplace(name.substr(1, name.size() - 2), trim(cells[2]));
    }
  }
  return differences;
}

Result<std::set<std::string>> read_names(FileSystem& files, std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kFileBytesMax));
  std::set<std::string> names;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty()) names.emplace(line);
  }
  return names;
}

Result<std::map<std::string, std::vector<std::string>>> read_causes(FileSystem& files,
                                                                    std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const std::string text, read_file(files, path, kFileBytesMax));
  std::map<std::string, std::vector<std::string>> causes;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::vector<std::string_view> fields = split(line, '\t');
    causes.emplace(fields[0], std::vector<std::string>(fields.begin() + 1, fields.end()));
  }
  return causes;
}

bool same_value(std::string_view type, const std::string& got, const std::string& expected) {
  if (got == expected) return true;
  if (got == "\\N" || expected == "\\N") return false;
  if (type.starts_with("DOUBLE")) return close_numbers(got, expected, 1e-9);
  if (type.starts_with("FLOAT")) return close_numbers(got, expected, 1e-6);
  if (type.starts_with("MAP") || type.starts_with("MULTISET")) {
    return ordered_entries(got) == ordered_entries(expected);
  }
  return false;
}

}  // namespace clepsydra::golden
