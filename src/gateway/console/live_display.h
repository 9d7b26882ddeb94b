// What a terminal shows below what was written for good: while jobs run the progress line, and
// under it the newest rows; between statements what is being typed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/job_client.h"
#include "base/process.h"
#include "gateway/console/live_rows.h"
#include "gateway/console/progress.h"
#include "gateway/console/result_table.h"
#include "gateway/console/screen.h"

namespace clepsydra {
class Clock;
}  // namespace clepsydra

namespace clepsydra::console {

// Does nothing when neither standard output nor standard error is a terminal, or when the terminal
// is a dumb one (TERM=dumb): nothing can be painted over there.
//
// Threads: one at a time.
class LiveDisplay {
 public:
  static constexpr std::int64_t kRepaintNs = 100'000'000;

  LiveDisplay(Process& process, const Clock& clock);

  // Whether tick() would paint: what it is given costs something to find out.
  [[nodiscard]] bool is_due() const;
  // Paints if it is due. `table` may be null.
  void tick(std::span<const JobStatus> jobs, ResultTable* table);
  // Paints now: somebody has pressed a key.
  void repaint(std::span<const JobStatus> jobs, ResultTable* table);
  // The last state of a result or of printed rows stays on the screen; a progress line alone goes.
  void finish(std::span<const JobStatus> jobs, ResultTable* table);
  // Before other text is written to either stream.
  void make_way();

  // Whether the terminal marks what is pasted into it.
  void mark_pastes(bool is_marked);
  // What is being typed, with the cursor in it.
  void paint_typing(const std::vector<std::string>& lines, ScreenCursor cursor);
  // It stays as it is; what follows begins below.
  void leave_typing();
  // Rows printed since the last time stay in sight for good.
  void show_printed();
  void clear_screen();

  // Where `print` writes; null when it has to be standard output itself.
  [[nodiscard]] TextOutput* print_output() { return shows_rows_ ? &printed_ : nullptr; }
  [[nodiscard]] bool shows_rows() const { return shows_rows_; }
  [[nodiscard]] bool can_paint() const { return shows_progress_ || shows_rows_; }
  [[nodiscard]] TerminalSize size() const;

 private:
  void paint(std::span<const JobStatus> jobs, ResultTable* table, bool is_last);

  Process& process_;
  const Clock& clock_;
  const bool is_dumb_;
  const bool shows_progress_;  // Standard error is a terminal.
  const bool shows_rows_;      // Standard output is a terminal.
  Screen screen_;
  ProgressLine progress_;
  LivePrint printed_;
  std::optional<std::int64_t> painted_ns_;
};

}  // namespace clepsydra::console
