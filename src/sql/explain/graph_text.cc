#include <fmt/format.h>

#include "sql/explain/explain.h"

namespace clepsydra::sql {
namespace {

std::string partitioning_text(const StreamEdge& edge, const StreamGraph& graph) {
  switch (edge.partitioning) {
    case Partitioning::kForward:
      return "forward";
    case Partitioning::kRebalance:
      return "rebalance";
    case Partitioning::kBroadcast:
      return "broadcast";
    case Partitioning::kGlobal:
      return "global";
    case Partitioning::kHash:
      break;
  }
  const Schema& schema = *graph.nodes[static_cast<std::size_t>(edge.from)].spec.output;
  std::string keys;
  for (const int key : edge.keys) keys += (keys.empty() ? "" : ", ") + schema.field(key).name;
  return fmt::format("hash[{}]", keys);
}

}  // namespace

std::string graph_text(const StreamGraph& graph) {
  std::string out;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const StreamNode& node = graph.nodes[i];
    out += fmt::format("{} (parallelism {})", node.spec.name, node.parallelism);
    const char* separator = " <- ";
    for (const StreamEdge& edge : graph.edges) {
      if (edge.to != static_cast<int>(i)) continue;
      out += fmt::format("{}{} {}", separator,
                         graph.nodes[static_cast<std::size_t>(edge.from)].spec.name,
                         partitioning_text(edge, graph));
      separator = ", ";
    }
    out += "\n";
  }
  return out;
}

}  // namespace clepsydra::sql
