#include "gateway/console/live_display.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra::console {
namespace {

// Results that are printed keep some of the screen free for what was there before.
constexpr std::size_t kPrintedLinesMax = 20;

TextOutput& painted_output(Process& process) {
  return process.standard_error().is_terminal() ? process.standard_error()
                                                : process.standard_output();
}

}  // namespace

LiveDisplay::LiveDisplay(Process& process, const Clock& clock)
    : process_(process),
      clock_(clock),
      is_dumb_(process.environment("TERM") == "dumb"),
      shows_progress_(!is_dumb_ && process.standard_error().is_terminal()),
      shows_rows_(!is_dumb_ && process.standard_output().is_terminal()),
      screen_(painted_output(process)),
      progress_(clock) {}

bool LiveDisplay::is_due() const {
  if (!shows_progress_ && !shows_rows_) return false;
  return !painted_ns_ || clock_.monotonic_ns() - *painted_ns_ >= kRepaintNs;
}

void LiveDisplay::tick(std::span<const JobStatus> jobs, ResultTable* table) {
  if (is_due()) paint(jobs, table, false);
}

void LiveDisplay::repaint(std::span<const JobStatus> jobs, ResultTable* table) {
  if (can_paint()) paint(jobs, table, false);
}

void LiveDisplay::finish(std::span<const JobStatus> jobs, ResultTable* table) {
  if (!shows_rows_) {
    make_way();
    return;
  }
  if (table != nullptr) table->hide_keys();
  paint(jobs, table, true);
  screen_.leave();
}

void LiveDisplay::make_way() {
  screen_.erase();
}

void LiveDisplay::mark_pastes(bool is_marked) {
  if (can_paint()) screen_.send(is_marked ? "\x1b[?2004h" : "\x1b[?2004l");
}

void LiveDisplay::paint_typing(const std::vector<std::string>& lines, ScreenCursor cursor) {
  screen_.paint(lines, cursor);
}

void LiveDisplay::leave_typing() {
  screen_.leave();
}

void LiveDisplay::show_printed() {
  if (!shows_rows_) return;
  const std::vector<std::string> printed =
      printed_.take_lines(kPrintedLinesMax, size().columns - 1);
  if (printed.empty()) return;
  screen_.erase();
  screen_.paint(printed);
  screen_.leave();
}

void LiveDisplay::clear_screen() {
  if (can_paint()) screen_.clear();
}

TerminalSize LiveDisplay::size() const {
  return process_.terminal_size();
}

void LiveDisplay::paint(std::span<const JobStatus> jobs, ResultTable* table, bool is_last) {
  painted_ns_ = clock_.monotonic_ns();
  const TerminalSize size = process_.terminal_size();
  // The last column stays free, so that no terminal wraps; the last line is the cursor's.
  const int columns = std::max(1, size.columns - 1);
  std::size_t room = static_cast<std::size_t>(std::max(2, size.rows)) - 1;
  std::vector<std::string> lines;
  if (shows_progress_ && !is_last && !jobs.empty()) {
    lines.push_back(cut_to_width(progress_.text(jobs), columns));
  }
  room -= lines.size();
  if (shows_rows_) {
    const std::size_t printed_max = std::min(room, kPrintedLinesMax);
    const std::vector<std::string> printed =
        is_last ? printed_.take_lines(printed_max, columns) : printed_.lines(printed_max, columns);
    lines.insert(lines.end(), printed.begin(), printed.end());
    room -= printed.size();
    if (table != nullptr) {
      const std::vector<std::string> rows = table->lines(room, columns);
      lines.insert(lines.end(), rows.begin(), rows.end());
    }
  }
  screen_.paint(lines);
}

}  // namespace clepsydra::console
