#include <fmt/format.h>

#include <algorithm>
#include <string_view>

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

const char* ship_strategy(Partitioning partitioning) {
  switch (partitioning) {
    case Partitioning::kForward:
      return "FORWARD";
    case Partitioning::kRebalance:
      return "REBALANCE";
    case Partitioning::kBroadcast:
      return "BROADCAST";
    case Partitioning::kGlobal:
      return "GLOBAL";
    case Partitioning::kHash:
      break;
  }
  return "HASH";
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace

std::string graph_json(const StreamGraph& graph) {
  std::string out = "{\n  \"nodes\" : [ ";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const StreamNode& node = graph.nodes[i];
    std::string predecessors;
    for (const StreamEdge& edge : graph.edges) {
      if (edge.to != static_cast<int>(i)) continue;
      predecessors += fmt::format(
          "{}{{\n      \"id\" : {},\n      \"ship_strategy\" : \"{}\",\n      \"side\" : \"{}\"\n"
          "    }}",
          predecessors.empty() ? "" : ", ", edge.from + 1, ship_strategy(edge.partitioning),
          edge.to_input == 0 ? "first" : "second");
    }
    const bool feeds =
        std::any_of(graph.edges.begin(), graph.edges.end(),
                    [&](const StreamEdge& e) { return e.from == static_cast<int>(i); });
    const char* pact = predecessors.empty() ? "Data Source" : feeds ? "Operator" : "Data Sink";
    out += fmt::format(
        "{}{{\n    \"id\" : {},\n    \"type\" : {},\n    \"pact\" : \"{}\",\n    \"contents\" : "
        "{},\n"
        "    \"parallelism\" : {}",
        i == 0 ? "" : ", ", i + 1, json_text(node.spec.name), pact, json_text(node.spec.name),
        node.parallelism);
    if (!predecessors.empty()) {
      out += fmt::format(",\n    \"predecessors\" : [ {} ]", predecessors);
    }
    out += "\n  }";
  }
  return out + " ]\n}\n";
}

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
