// Keeps the sources of a group from running ahead of the slowest one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "stream/batch.h"

namespace clepsydra {

// Pure: reports in, limits out. A subtask that has not reported holds its group back; one that
// reports kMaxWatermark (idle or ended) does not.
//
// Threads: one call at a time.
class AlignmentGroups {
 public:
  struct Limit {
    int vertex = 0;
    int subtask = 0;
    std::int64_t watermark = kMinWatermark;
  };

  void add_source(int vertex, int parallelism, const std::string& group, std::int64_t max_drift_ms);
  // The limits that changed.
  std::vector<Limit> report(int vertex, int subtask, std::int64_t watermark);

 private:
  struct Member {
    std::int64_t watermark = kMinWatermark;
    std::int64_t max_drift_ms = 0;
    std::int64_t limit = kMinWatermark;
  };
  using Group = std::map<std::pair<int, int>, Member>;  // By vertex and subtask.

  std::map<std::string, Group> groups_;
  std::map<int, Group*> group_of_vertex_;
};

}  // namespace clepsydra
