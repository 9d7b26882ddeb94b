#include "tests/golden/subquery_case.h"

#include <fmt/format.h>

#include <cstddef>
#include <vector>

namespace clepsydra::golden {
namespace {

constexpr std::size_t kRowsMax = 8;  // Of the table of numbers.

// The parts between commas that stand in no brackets and no quotes.
std::vector<std::string_view> split_list(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'') quoted = !quoted;
    if (quoted) continue;
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == ',' && depth == 0) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::string_view without_brackets(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text.starts_with('(') && text.ends_with(')') ? text.substr(1, text.size() - 2) : text;
}

// The value of a column in each row, by the row's number.
std::string chosen_value(const std::vector<std::vector<std::string_view>>& rows,
                         std::size_t column) {
  if (rows.size() == 1) return std::string(rows[0][column]);
  std::string text = "CASE i";
  for (std::size_t row = 0; row + 1 < rows.size(); ++row) {
    text += fmt::format(" WHEN {} THEN {}", row + 1, rows[row][column]);
  }
  return fmt::format("{} ELSE {} END", text, rows.back()[column]);
}

}  // namespace

std::string aggregate_rows_script() {
  return fmt::format(
      "CREATE TABLE numbers (i INT, moment AS TIMESTAMP '2020-01-01 00:00:00.000',"
      " WATERMARK FOR moment AS moment) WITH ('connector' = 'datagen', 'fields.i.kind' = "
      "'sequence',"
      " 'fields.i.start' = '1', 'fields.i.end' = '{}')",
      kRowsMax);
}

std::optional<SubqueryCase> query_of_subquery(std::string_view expression, bool has_aggregates) {
  if (!expression.starts_with("(SELECT ") || !expression.ends_with(')')) return std::nullopt;
  const std::string_view query = without_brackets(expression);
  if (query.starts_with("SELECT * ") || query.starts_with("SELECT t.* ")) return std::nullopt;
  if (!has_aggregates) return SubqueryCase{.setup = {}, .query = std::string(query)};

  constexpr std::string_view kFrom = " FROM (VALUES ";
  constexpr std::string_view kAlias = ") AS t(";
  const std::size_t from = query.find(kFrom);
  const std::size_t alias = query.rfind(kAlias);
  // Behind the names nothing may follow: a WHERE leaves no row, and so no window.
  if (from == std::string_view::npos || alias == std::string_view::npos || !query.ends_with(')')) {
    return std::nullopt;
  }
  const std::string_view values = query.substr(from + kFrom.size(), alias - from - kFrom.size());
  std::string_view names = query.substr(alias + kAlias.size());
  names.remove_suffix(1);
  const std::vector<std::string_view> columns = split_list(names);
  std::vector<std::vector<std::string_view>> rows;
  for (const std::string_view row : split_list(values)) {
    rows.push_back(split_list(without_brackets(row)));
    if (rows.back().size() != columns.size()) return std::nullopt;
  }
  if (rows.size() > kRowsMax) return std::nullopt;

  SubqueryCase made;
  made.setup = "DROP TEMPORARY VIEW IF EXISTS t; CREATE TEMPORARY VIEW t AS SELECT ";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    made.setup += fmt::format("{} AS {}, ", chosen_value(rows, i), columns[i]);
  }
  made.setup += fmt::format("moment FROM numbers WHERE i <= {}", rows.size());
  made.query = fmt::format(
      "{} FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(moment), INTERVAL '1' DAY))"
      " GROUP BY window_start, window_end",
      query.substr(0, from));
  return made;
}

}  // namespace clepsydra::golden
