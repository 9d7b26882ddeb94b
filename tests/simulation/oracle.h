// What a simulated job must have made visible when its sources are at given positions: computed by
// going through the rows one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "window_jobs.h"
#include "workload.h"

namespace clepsydra::testing {

// One way from the sources to a table of files.
struct Branch {
  int source = -1;       // The only one it reads; -1: all together.
  bool filters = false;  // k <> 0.
  bool has_windows = false;
  WindowJob window = {};
  bool two_phase = false;
  bool is_partitioned = false;  // Files of rows lie in folders "k=<k>".
  [[nodiscard]] bool reads(std::size_t number) const {
    return source < 0 || static_cast<std::size_t>(source) == number;
  }
  [[nodiscard]] std::string describe() const;
};

// By source: the first of those that the branches connect with it. What is not connected fails and
// starts anew on its own.
std::vector<int> regions_of(const std::vector<Branch>& branches, std::size_t sources);

// The bounds of what is visible at a cut: windows that end by `surely` have been given, those after
// `at_most` have not.
struct CutWatermark {
  std::int64_t surely = kMinWatermark;
  std::int64_t at_most = kMinWatermark;
};
CutWatermark cut_watermark(const Workload& workload, const Branch& branch,
                           const Positions& positions);

class Oracle {
 public:
  Oracle(const Workload& workload, const Branch& branch);

  // Every line that may ever be visible, numbered from 0.
  [[nodiscard]] int lines() const { return static_cast<int>(lines_.size()); }
  [[nodiscard]] const std::string& line(int number) const {
    return lines_[static_cast<std::size_t>(number)].text;
  }
  // -1: no such line.
  [[nodiscard]] int find(const std::string& text) const;
  // Whether a line comes from the rows before the positions. `watermark`: how far the windows were.
  [[nodiscard]] bool is_due(int number, const Positions& positions, std::int64_t watermark) const;
  // Ends of windows minus 1 ms in ascending order: the watermarks at which something happens.
  [[nodiscard]] const std::vector<std::int64_t>& window_ends() const { return window_ends_; }

 private:
  struct Line {
    std::string text;
    // Of a row.
    int source = 0;
    int split = 0;
    std::int64_t row = 0;
    // Of a window: given once the watermark is here.
    std::int64_t due_at = kMinWatermark;
  };
  void add_rows(const Workload& workload);
  void add_windows(const Workload& workload);

  const Branch branch_;
  std::vector<Line> lines_;
  std::unordered_map<std::string, int> numbers_;
  std::vector<std::int64_t> window_ends_;
};

// "2024-01-01 00:00:00.000"
std::string event_time_text(std::int64_t ms);

}  // namespace clepsydra::testing
