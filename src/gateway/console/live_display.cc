#include "gateway/console/live_display.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/process.h"

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
      shows_progress_(process.standard_error().is_terminal()),
      shows_rows_(process.standard_output().is_terminal()),
      screen_(painted_output(process)),
      progress_(clock) {}

bool LiveDisplay::is_due() const {
  if (!shows_progress_ && !shows_rows_) return false;
  return !painted_ns_ || clock_.monotonic_ns() - *painted_ns_ >= kRepaintNs;
}

void LiveDisplay::tick(std::span<const JobStatus> jobs, const LiveTable* table) {
  if (is_due()) paint(jobs, table, shows_progress_);
}

void LiveDisplay::finish(std::span<const JobStatus> jobs, const LiveTable* table) {
  if (!shows_rows_) {
    make_way();
    return;
  }
  paint(jobs, table, false);
  screen_.leave();
  printed_.clear();
}

void LiveDisplay::make_way() {
  screen_.erase();
}

void LiveDisplay::paint(std::span<const JobStatus> jobs, const LiveTable* table,
                        bool with_progress) {
  painted_ns_ = clock_.monotonic_ns();
  const TerminalSize size = process_.terminal_size();
  // The last column stays free, so that no terminal wraps; the last line is the cursor's.
  const int columns = std::max(1, size.columns - 1);
  std::size_t room = static_cast<std::size_t>(std::max(2, size.rows)) - 1;
  std::vector<std::string> lines;
  if (with_progress) lines.push_back(cut_to_width(progress_.text(jobs), columns));
  room -= lines.size();
  if (shows_rows_) {
    const std::vector<std::string> printed =
        printed_.lines(std::min(room, kPrintedLinesMax), columns);
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
