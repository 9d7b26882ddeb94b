// What a terminal shows while jobs run: the progress line, and under it the newest rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "api/job_client.h"
#include "gateway/console/live_rows.h"
#include "gateway/console/progress.h"
#include "gateway/console/screen.h"

namespace clepsydra {
class Clock;
class Process;
}  // namespace clepsydra

namespace clepsydra::console {

// Does nothing when neither standard output nor standard error is a terminal.
//
// Threads: one at a time.
class LiveDisplay {
 public:
  static constexpr std::int64_t kRepaintNs = 100'000'000;

  LiveDisplay(Process& process, const Clock& clock);

  // Whether tick() would paint: what it is given costs something to find out.
  [[nodiscard]] bool is_due() const;
  // Paints if it is due. `table` may be null.
  void tick(std::span<const JobStatus> jobs, const LiveTable* table);
  // The last state of a live table or printed rows stays on the screen; a progress line alone goes.
  void finish(std::span<const JobStatus> jobs, const LiveTable* table);
  // Before other text is written to either stream.
  void make_way();

  // Where `print` writes; null when it has to be standard output itself.
  [[nodiscard]] TextOutput* print_output() { return shows_rows_ ? &printed_ : nullptr; }
  [[nodiscard]] bool shows_rows() const { return shows_rows_; }

 private:
  void paint(std::span<const JobStatus> jobs, const LiveTable* table, bool with_progress);

  Process& process_;
  const Clock& clock_;
  const bool shows_progress_;  // Standard error is a terminal.
  const bool shows_rows_;      // Standard output is a terminal.
  Screen screen_;
  ProgressLine progress_;
  LivePrint printed_;
  std::optional<std::int64_t> painted_ns_;
};

}  // namespace clepsydra::console
