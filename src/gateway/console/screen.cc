#include "gateway/console/screen.h"

#include <fmt/format.h>

#include "base/process.h"

namespace clepsydra::console {
namespace {

constexpr std::string_view kEraseToEndOfLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";
constexpr std::string_view kEraseAll = "\x1b[H\x1b[2J";

std::string cursor_up(std::size_t lines) {
  return lines == 0 ? "\r" : fmt::format("\r\x1b[{}A", lines);
}

}  // namespace

void Screen::paint(const std::vector<std::string>& lines, std::optional<ScreenCursor> cursor) {
  if (lines == lines_ && cursor == cursor_) return;
  std::string text = cursor_up(lines_above());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += lines[i];
    text += kEraseToEndOfLine;
    // With the cursor inside, the area may reach the last line of the terminal.
    if (!cursor || i + 1 < lines.size()) text += '\n';
  }
  text += kEraseBelow;
  if (cursor) {
    text += cursor_up(lines.size() - 1 - cursor->line);
    if (cursor->column > 0) text += fmt::format("\x1b[{}C", cursor->column);
  }
  write(text);
  lines_ = lines;
  cursor_ = cursor;
}

void Screen::erase() {
  if (lines_.empty()) return;
  std::string text = cursor_up(lines_above());
  text += kEraseBelow;
  write(text);
  lines_.clear();
  cursor_.reset();
}

void Screen::leave() {
  if (cursor_) write(std::string(lines_.size() - cursor_->line, '\n'));
  lines_.clear();
  cursor_.reset();
}

void Screen::clear() {
  write(std::string(kEraseAll));
  lines_.clear();
  cursor_.reset();
}

void Screen::write(const std::string& text) {
  if (output_.write(text).is_ok()) (void)output_.flush();
}

}  // namespace clepsydra::console
