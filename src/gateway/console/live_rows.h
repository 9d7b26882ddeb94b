// The newest printed rows, kept for a terminal to show.
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
  // The same; what was printed so far will not come again.
  std::vector<std::string> take_lines(std::size_t lines_max, int columns);

 private:
  [[nodiscard]] std::vector<std::string> newest_lines(std::size_t lines_max, int columns) const
      CLP_REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::deque<std::string> newest_ CLP_GUARDED_BY(mutex_);
  std::int64_t count_ CLP_GUARDED_BY(mutex_) = 0;
};

}  // namespace clepsydra::console
