#include "jobmanager/alignment_groups.h"

#include <algorithm>

namespace clepsydra {

void AlignmentGroups::add_source(int vertex, int parallelism, const std::string& group,
                                 std::int64_t max_drift_ms) {
  Group& members = groups_[group];
  group_of_vertex_[vertex] = &members;
  for (int subtask = 0; subtask < parallelism; ++subtask) {
    members[{vertex, subtask}].max_drift_ms = max_drift_ms;
  }
}

std::vector<AlignmentGroups::Limit> AlignmentGroups::report(int vertex, int subtask,
                                                            std::int64_t watermark) {
  std::vector<Limit> changed;
  const auto group = group_of_vertex_.find(vertex);
  if (group == group_of_vertex_.end()) return changed;
  Group& members = *group->second;
  const auto reporter = members.find({vertex, subtask});
  if (reporter == members.end()) return changed;
  reporter->second.watermark = watermark;

  std::int64_t slowest = kMaxWatermark;
  for (const auto& [id, member] : members) slowest = std::min(slowest, member.watermark);
  for (auto& [id, member] : members) {
    const bool is_far = slowest > kMaxWatermark - member.max_drift_ms;
    const std::int64_t limit = slowest == kMinWatermark ? kMinWatermark
                               : is_far                 ? kMaxWatermark
                                                        : slowest + member.max_drift_ms;
    if (limit == member.limit) continue;
    member.limit = limit;
    changed.push_back({id.first, id.second, limit});
  }
  return changed;
}

}  // namespace clepsydra
