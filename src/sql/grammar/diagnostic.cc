#include "sql/grammar/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/edit_distance.h"
#include "base/utf8.h"
#include "sql/grammar/characters.h"

namespace clepsydra {
namespace {

// Columns of the shown part of a line, and of what is kept before the place when a line is cut.
constexpr int kShownColumns = 100;
constexpr int kColumnsBefore = 40;

// One character of the shown line.
struct Cell {
  std::string text;
  int width = 1;
  std::size_t begin = 0;  // Offset in the statement.
};

// The characters of the line [begin, end); tabs, control characters and bad bytes take one column,
// so that the caret stands where it should in any terminal.
std::vector<Cell> read_line(std::string_view sql, std::size_t begin, std::size_t end) {
  const std::string_view text = sql.substr(0, end);
  std::vector<Cell> cells;
  for (std::size_t i = begin; i < end;) {
    const std::size_t valid_end = i + first_invalid_utf8(text.substr(i));
    if (valid_end == i) {
      cells.push_back({"\xEF\xBF\xBD", 1, i});
      ++i;
    }
    while (i < valid_end) {
      const std::size_t at = i;
      const char32_t point = utf8_next(text, i);
      const bool blank = point == '\t' || point == '\r';
      if (blank || point < 0x20 || point == 0x7F) {
        cells.push_back({blank ? " " : "?", 1, at});
      } else {
        cells.push_back({std::string(text.substr(at, i - at)), grammar::display_width(point), at});
      }
    }
  }
  return cells;
}

// The line of the place, cut around it if it is long, and the carets below.
std::string show_place(ast::SourceRange range, std::string_view sql) {
  const std::size_t begin = std::min(range.begin, sql.size());
  const std::size_t previous = begin == 0 ? std::string_view::npos : sql.rfind('\n', begin - 1);
  const std::size_t line_begin = previous == std::string_view::npos ? 0 : previous + 1;
  const std::size_t line_end = std::min(sql.find('\n', begin), sql.size());
  const std::size_t marked_end = std::clamp(range.end, begin, line_end);

  // A line of megabytes is not read as a whole: only what can be shown around the place.
  const std::size_t reach = 4 * static_cast<std::size_t>(kShownColumns);
  std::size_t from = begin - line_begin > reach ? begin - reach : line_begin;
  while (from < begin && (static_cast<unsigned char>(sql[from]) & 0xC0U) == 0x80U) ++from;
  const std::size_t to = std::min(line_end, begin + reach);
  const std::vector<Cell> cells = read_line(sql, from, to);

  std::size_t place = 0;
  while (place < cells.size() && cells[place].begin < begin) ++place;
  std::size_t first = place;
  for (int kept = 0; first > 0; --first) {
    kept += cells[first - 1].width;
    if (kept > kColumnsBefore) break;
  }
  int total = 0;
  for (const Cell& cell : cells) total += cell.width;
  if (from == line_begin && to == line_end && total <= kShownColumns) first = 0;

  std::string line = first > 0 || from > line_begin ? "..." : "";
  std::string carets(line.size(), ' ');
  int shown = 0;
  std::size_t i = first;
  for (; i < cells.size() && shown < kShownColumns; ++i) {
    line += cells[i].text;
    shown += cells[i].width;
    const bool before = cells[i].begin < begin;
    if (before || cells[i].begin < marked_end) {
      carets.append(static_cast<std::size_t>(cells[i].width), before ? ' ' : '^');
    }
  }
  if (i < cells.size() || to < line_end) line += "...";
  if (carets.empty() || carets.back() != '^') carets += '^';
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return fmt::format("  {}\n  {}", line, carets);
}

// A byte of a character that is not its first.
bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

// The text with very long words cut: names and literals of a statement, which may have megabytes.
std::string with_short_words(std::string_view text) {
  constexpr std::size_t kWordBytesMax = 256;
  constexpr std::size_t kKeptBytes = 64;
  constexpr std::size_t kTextBytesMax = 8192;  // Literals may have blanks.
  std::string result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", begin), text.size() - 1) + 1;
    const std::string_view word = text.substr(begin, end - begin);
    if (word.size() <= kWordBytesMax) {
      result += word;
    } else {
      std::size_t kept = kKeptBytes;
      while (kept > 0 && is_continuation(word[kept])) --kept;
      result += word.substr(0, kept);
      result += "...";
      // The quote that it began with, and what stands behind it.
      const std::size_t quote = word.find_last_of("'\"");
      result +=
          word.substr(quote != std::string_view::npos && quote + 8 > word.size()
                          ? quote
                          : word.size() - (word.back() == ' ' || word.back() == '\n' ? 1 : 0));
    }
    begin = end;
  }
  if (result.size() > kTextBytesMax) {
    std::size_t end = kTextBytesMax;
    while (end > 0 && is_continuation(result[end])) --end;
    result.resize(end);
    result += "...";
  }
  return result;
}

}  // namespace

LineColumn line_column(std::string_view sql, std::size_t offset) {
  LineColumn place;
  const std::size_t end = std::min(offset, sql.size());
  for (std::size_t i = 0; i < end; ++i) {
    if (sql[i] == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(sql[i]) & 0xC0U) != 0x80U) {
      ++place.column;
    }
  }
  return place;
}

std::string render(const Diagnostic& diagnostic, std::string_view sql) {
  const LineColumn place = line_column(sql, diagnostic.range.begin);
  std::string text =
      fmt::format("line {}, column {}: {}\n{}", place.line, place.column,
                  with_short_words(diagnostic.message), show_place(diagnostic.range, sql));
  if (!diagnostic.suggestion.empty()) {
    text += fmt::format("\n  hint: {}", with_short_words(diagnostic.suggestion));
  }
  return text;
}

Status to_status(const Diagnostic& diagnostic, std::string_view sql) {
  return {diagnostic.code, render(diagnostic, sql)};
}

std::string_view closest_name(std::string_view name,
                              const std::vector<std::string_view>& candidates) {
  // Long texts are no slips of the finger, and comparing them costs time.
  constexpr std::size_t kLongestName = 128;
  if (name.empty() || name.size() > kLongestName) return {};
  std::size_t best_distance = std::max<std::size_t>(name.size() / 3, name.size() > 1 ? 1 : 0) + 1;
  std::string_view best;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const std::size_t distance = edit_distance(name, candidate, best_distance);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace clepsydra
