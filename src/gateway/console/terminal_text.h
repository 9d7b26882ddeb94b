// Text as a terminal shows it: columns instead of bytes, nothing that could steer the terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace clepsydra::console {

// Columns that `text` (UTF-8) takes: 0 for combining marks, 2 for wide characters.
int display_width(std::string_view text);

// Control characters as \n, \t, \x1b and broken bytes as U+FFFD, so that data cannot move the
// cursor or break a line.
std::string visible_text(std::string_view text);

// The longest beginning of `text` of at most `columns` columns; "..." at its end when cut.
std::string cut_to_width(std::string_view text, int columns);

// In exactly `columns` columns: cut, or filled with spaces in front or behind.
void append_right_aligned(std::string_view text, int columns, std::string& out);
void append_left_aligned(std::string_view text, int columns, std::string& out);

// A table in the reference's style, every cell right-aligned:
//   +----+------+
//   | op | name |
//   +----+------+
//   | +I |  Ann |
class TextTable {
 public:
  // One width per column, in terminal columns, without the blanks beside the cells.
  explicit TextTable(std::vector<int> widths) : widths_(std::move(widths)) {}
  // Lines with their newlines. `cells`: one per column, visible_text() each.
  void append_border(std::string& out) const;
  void append_row(const std::vector<std::string>& cells, std::string& out) const;
  [[nodiscard]] std::size_t columns() const { return widths_.size(); }

 private:
  std::vector<int> widths_;
};

// Numbers for people.
std::string count_text(std::int64_t count);          // "2,070"
std::string rows_text(std::int64_t rows);            // "1 row", "2,070 rows"
std::string seconds_text(std::int64_t nanoseconds);  // "0.012 s", "8.42 s", "75.3 s"
std::string bytes_text(std::int64_t bytes);          // "512 B", "84.1 MB" (powers of 1024)

}  // namespace clepsydra::console
