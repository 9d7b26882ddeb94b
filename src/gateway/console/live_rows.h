// The newest rows of something that never ends, kept for a terminal to show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/process.h"
#include "base/thread_annotations.h"
#include "clepsydra/status.h"
#include "gateway/console/terminal_text.h"
#include "stream/batch.h"
#include "stream/time_zone.h"

namespace clepsydra::console {

// More rows than any terminal shows.
inline constexpr std::size_t kLiveRowsMax = 500;

// Where the `print` connector writes in a terminal.
//
// Threads: all methods, any thread.
class LivePrint final : public TextOutput {
 public:
  Status write(std::string_view text) override;
  Status flush() override { return Status::ok(); }
  [[nodiscard]] bool is_terminal() const override { return true; }
  [[nodiscard]] bool is_closed() const override { return false; }

  // The newest lines, at most `lines_max` of at most `columns` columns; says how many older ones
  // there were.
  [[nodiscard]] std::vector<std::string> lines(std::size_t lines_max, int columns) const;
  // What was printed so far has been shown for good.
  void clear();

 private:
  mutable Mutex mutex_;
  std::deque<std::string> newest_ CLP_GUARDED_BY(mutex_);
  std::int64_t count_ CLP_GUARDED_BY(mutex_) = 0;
};

// The newest rows of an unbounded SELECT. Rows become text only when they are shown.
//
// Threads: one at a time.
class LiveTable {
 public:
  LiveTable(SchemaPtr schema, TimeZonePtr zone, int max_column_width);
  void add(Batch batch);
  // A table of at most `lines_max` lines and `columns` columns.
  [[nodiscard]] std::vector<std::string> lines(std::size_t lines_max, int columns) const;
  [[nodiscard]] std::int64_t row_count() const { return count_; }

 private:
  const SchemaPtr schema_;
  const TimeZonePtr zone_;
  const TextTable table_;
  std::deque<Batch> newest_;  // Together kLiveRowsMax rows and less than one batch more.
  std::int64_t kept_rows_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace clepsydra::console
