#include "gateway/console/screen.h"

#include <fmt/format.h>

#include "base/process.h"

namespace clepsydra::console {
namespace {

constexpr std::string_view kEraseToEndOfLine = "\x1b[K";
constexpr std::string_view kEraseBelow = "\x1b[J";

std::string cursor_up(std::size_t lines) {
  return lines == 0 ? "\r" : fmt::format("\r\x1b[{}A", lines);
}

}  // namespace

void Screen::paint(const std::vector<std::string>& lines) {
  if (lines == lines_) return;
  std::string text = cursor_up(lines_.size());
  for (const std::string& line : lines) {
    text += line;
    text += kEraseToEndOfLine;
    text += '\n';
  }
  text += kEraseBelow;
  write(text);
  lines_ = lines;
}

void Screen::erase() {
  if (lines_.empty()) return;
  std::string text = cursor_up(lines_.size());
  text += kEraseBelow;
  write(text);
  lines_.clear();
}

void Screen::write(const std::string& text) {
  if (output_.write(text).is_ok()) (void)output_.flush();
}

}  // namespace clepsydra::console
