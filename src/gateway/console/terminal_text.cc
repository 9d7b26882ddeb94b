#include "gateway/console/terminal_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "sql/grammar/characters.h"

namespace clepsydra::console {
namespace {

constexpr std::string_view kCutMark = "...";
constexpr int kCutMarkColumns = 3;

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

// Marks that change the direction or order in which a terminal shows what follows.
bool is_direction(char32_t point) {
  return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
         point == 0x200e || point == 0x200f || point == 0x2028 || point == 0x2029;
}

void append_visible(char32_t point, std::string& out) {
  switch (point) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      if (is_control(point)) {
        out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(point));
      } else if (is_direction(point)) {
        out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(point));
      } else {
        utf8_append(point, out);
      }
  }
}

// Bytes of the longest beginning of at most `columns` columns.
std::size_t prefix_of_width(std::string_view text, int columns) {
  std::size_t end = 0;
  int used = 0;
  for (std::size_t at = 0; at < text.size(); end = at) {
    used += grammar::display_width(utf8_next(text, at));
    if (used > columns) break;
  }
  return end;
}

}  // namespace

int display_width(std::string_view text) {
  if (is_ascii(text)) return static_cast<int>(text.size());
  int columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    columns += grammar::display_width(utf8_next(text, at));
  }
  return columns;
}

std::string visible_text(std::string_view text) {
  const auto is_plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  const std::string valid = replace_invalid_utf8(text);
  std::string out;
  out.reserve(valid.size());
  for (std::size_t at = 0; at < valid.size();) append_visible(utf8_next(valid, at), out);
  return out;
}

std::string cut_to_width(std::string_view text, int columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns <= kCutMarkColumns) {
    return std::string(text.substr(0, prefix_of_width(text, columns)));
  }
  std::string out(text.substr(0, prefix_of_width(text, columns - kCutMarkColumns)));
  out += kCutMark;
  return out;
}

void append_right_aligned(std::string_view text, int columns, std::string& out) {
  const std::string cut = cut_to_width(text, columns);
  out.append(static_cast<std::size_t>(std::max(0, columns - display_width(cut))), ' ');
  out += cut;
}

void append_left_aligned(std::string_view text, int columns, std::string& out) {
  const std::string cut = cut_to_width(text, columns);
  out += cut;
  out.append(static_cast<std::size_t>(std::max(0, columns - display_width(cut))), ' ');
}

void TextTable::append_border(std::string& out) const {
  out += '+';
  for (const int width : widths_) {
    out.append(static_cast<std::size_t>(width) + 2, '-');
    out += '+';
  }
  out += '\n';
}

void TextTable::append_row(const std::vector<std::string>& cells, std::string& out) const {
  out += '|';
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    out += ' ';
    append_right_aligned(cells[i], widths_[i], out);
    out += " |";
  }
  out += '\n';
}

std::string count_text(std::int64_t count) {
  std::string text = fmt::format("{}", count);
  const std::size_t digits_begin = count < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > digits_begin + 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string rows_text(std::int64_t rows) {
  return rows == 1 ? "1 row" : count_text(rows) + " rows";
}

std::string seconds_text(std::int64_t nanoseconds) {
  const double seconds = static_cast<double>(nanoseconds) / 1e9;
  if (seconds < 1) return fmt::format("{:.3f} s", seconds);
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  return fmt::format("{:.1f} s", seconds);
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kUnits = {"kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace clepsydra::console
