// How text being typed looks: prompts, colours, lines that wrap, choices below.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "gateway/console/line_editor.h"
#include "gateway/console/screen.h"
#include "gateway/console/syntax_colors.h"

namespace clepsydra::console {

struct EditorStyle {
  std::string_view prompt;  // Of the first line; those below are indented as much.
  ColorSchema colors = ColorSchema::none();
  bool line_numbers = false;
};

struct EditorPicture {
  std::vector<std::string> lines;
  ScreenCursor cursor;
};

// What fits into the terminal: of a long text the lines around the cursor.
EditorPicture picture_of(const LineEditor& editor, const EditorStyle& style, TerminalSize size);

// "    -> " or "   12> ": as wide as `prompt`.
std::string continuation_prompt(std::string_view prompt, std::size_t line, bool with_number);

}  // namespace clepsydra::console
