#include "graph/failover_regions.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "graph/job_graph.h"

namespace clepsydra {
namespace {

// Sets of vertices; each is named by its first one.
class VertexSets {
 public:
  explicit VertexSets(std::size_t vertices) : parent_(vertices) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }
  int find(int vertex) {
    int& parent = parent_[static_cast<std::size_t>(vertex)];
    while (parent != parent_[static_cast<std::size_t>(parent)]) {
      parent = parent_[static_cast<std::size_t>(parent)];
    }
    return parent;
  }
  void join(int a, int b) {
    const int first = std::min(find(a), find(b));
    parent_[static_cast<std::size_t>(find(a))] = first;
    parent_[static_cast<std::size_t>(find(b))] = first;
  }

 private:
  std::vector<int> parent_;  // Never above the vertex itself.
};

}  // namespace

std::vector<std::vector<int>> failover_regions(const JobGraph& graph) {
  VertexSets sets(graph.vertices.size());
  for (const JobEdge& edge : graph.edges) sets.join(edge.from_vertex, edge.to_vertex);
  std::map<std::string, int> aligned;  // A vertex of each group.
  std::map<int, std::vector<int>> by_first;
  const int vertices = static_cast<int>(graph.vertices.size());
  for (int v = 0; v < vertices; ++v) {
    const OperatorSpec& head = graph.vertices[static_cast<std::size_t>(v)].operators[0].spec;
    const std::string group = head.options.get_string_or("alignment_group", "");
    if (!group.empty()) sets.join(v, aligned.try_emplace(group, v).first->second);
  }
  for (int v = 0; v < vertices; ++v) by_first[sets.find(v)].push_back(v);
  std::vector<std::vector<int>> regions;
  for (auto& [first, members] : by_first) regions.push_back(std::move(members));
  return regions;
}

}  // namespace clepsydra
