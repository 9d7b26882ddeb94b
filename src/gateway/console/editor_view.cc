#include "gateway/console/editor_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra::console {
namespace {

constexpr std::size_t kChoiceLinesMax = 8;
constexpr int kGapColumns = 2;

// Puts characters into lines of a terminal.
class Wrapping {
 public:
  Wrapping(int columns, std::vector<std::string>& lines) : columns_(columns), lines_(lines) {}

  void begin_line(std::string_view prompt) {
    lines_.emplace_back(prompt);
    used_ = display_width(prompt);
  }
  void put(std::string_view character, std::string_view color) {
    const int width = display_width(character);
    if (used_ + width > columns_) {
      end_color();
      lines_.emplace_back();
      used_ = 0;
    }
    if (color != color_) {
      end_color();
      lines_.back() += color;
      color_ = color;
    }
    lines_.back() += character;
    used_ += width;
  }
  void end_color() {
    if (!color_.empty()) lines_.back() += kColorsEnd;
    color_ = {};
  }
  // Where the next character comes.
  [[nodiscard]] ScreenCursor cursor() const { return {lines_.size() - 1, used_}; }

 private:
  const int columns_;
  std::vector<std::string>& lines_;
  int used_ = 0;
  std::string_view color_;
};

// The colour of each byte, asked for in ascending order.
class ColorReader {
 public:
  ColorReader(std::string_view text, const ColorSchema& colors) : colors_(colors) {
    if (colors.has_colors()) spans_ = syntax_spans(text);
  }
  std::string_view at(std::size_t offset) {
    while (next_ < spans_.size() && spans_[next_].end <= offset) ++next_;
    const bool inside = next_ < spans_.size() && spans_[next_].begin <= offset;
    return inside ? colors_.begin(spans_[next_].part) : std::string_view();
  }

 private:
  const ColorSchema& colors_;
  std::vector<SyntaxSpan> spans_;
  std::size_t next_ = 0;
};

// One character as it is shown: a tab takes one column, so that the cursor stands where it should.
std::string shown_character(std::string_view character) {
  return character == "\t" ? " " : visible_text(character);
}

// In columns, as `ls` does it.
std::vector<std::string> choice_lines(const std::vector<std::string>& choices, int columns) {
  std::vector<std::string> lines;
  if (choices.empty()) return lines;
  int width = 0;
  for (const std::string& choice : choices) width = std::max(width, display_width(choice));
  width = std::min(width, columns);
  const auto per_line =
      static_cast<std::size_t>(std::max(1, (columns + kGapColumns) / (width + kGapColumns)));
  for (std::size_t i = 0; i < choices.size(); i += per_line) {
    if (lines.size() == kChoiceLinesMax) {
      lines.back() = cut_to_width(
          fmt::format("... and {} more", count_text(static_cast<std::int64_t>(
                                             choices.size() - (kChoiceLinesMax - 1) * per_line))),
          columns);
      break;
    }
    std::string line;
    for (std::size_t j = i; j < std::min(i + per_line, choices.size()); ++j) {
      append_left_aligned(visible_text(choices[j]), width, line);
      line.append(static_cast<std::size_t>(kGapColumns), ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

// Keeps at most `lines_max`, with the cursor's among them.
void cut_to_height(std::size_t lines_max, EditorPicture& picture) {
  if (picture.lines.size() <= lines_max) return;
  const std::size_t last = picture.lines.size() - lines_max;
  const std::size_t first =
      std::min(last, picture.cursor.line - std::min(picture.cursor.line, lines_max / 2));
  picture.lines.erase(picture.lines.begin(),
                      picture.lines.begin() + static_cast<std::ptrdiff_t>(first));
  picture.lines.resize(lines_max);
  picture.cursor.line -= first;
}

}  // namespace

std::string continuation_prompt(std::string_view prompt, std::size_t line, bool with_number) {
  const auto width = static_cast<std::size_t>(display_width(prompt));
  const std::string mark = with_number ? fmt::format("{}> ", line) : std::string("-> ");
  return std::string(width - std::min(width, mark.size()), ' ') + mark;
}

EditorPicture picture_of(const LineEditor& editor, const EditorStyle& style, TerminalSize size) {
  // The last column stays free, so that no terminal wraps by itself.
  const int columns = std::max(2, size.columns - 1);
  const std::size_t rows = static_cast<std::size_t>(std::max(2, size.rows)) - 1;
  EditorPicture picture;
  Wrapping wrapping(columns, picture.lines);
  const std::string prompt = editor.search()
                                 ? fmt::format("(search '{}') ", visible_text(*editor.search()))
                                 : std::string(style.prompt);
  wrapping.begin_line(cut_to_width(prompt, columns));

  const std::string& text = editor.text();
  ColorReader colors(text, style.colors);
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    if (at == editor.cursor()) picture.cursor = wrapping.cursor();
    if (text[at] == '\n') {
      wrapping.end_color();
      wrapping.begin_line(
          cut_to_width(continuation_prompt(style.prompt, ++line, style.line_numbers), columns));
      ++at;
      continue;
    }
    const std::size_t begin = at;
    (void)utf8_next(text, at);
    wrapping.put(shown_character(std::string_view(text).substr(begin, at - begin)),
                 colors.at(begin));
  }
  wrapping.end_color();
  if (editor.cursor() == text.size()) picture.cursor = wrapping.cursor();

  const std::vector<std::string> choices = choice_lines(editor.choices(), columns);
  cut_to_height(rows - std::min(rows - 1, choices.size()), picture);
  picture.lines.insert(picture.lines.end(), choices.begin(), choices.end());
  if (picture.lines.size() > rows) picture.lines.resize(rows);
  return picture;
}

}  // namespace clepsydra::console
