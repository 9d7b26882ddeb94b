#include "graph/stream_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "stream/key_group.h"

namespace clepsydra {
namespace {

Status validate_node(const StreamNode& node, std::set<std::string>& uids) {
  const OperatorSpec& spec = node.spec;
  if (spec.kind.empty()) return Status::invalid_argument("has no kind");
  if (spec.uid.empty()) return Status::invalid_argument("has no uid");
  if (!uids.insert(spec.uid).second) {
    return Status::invalid_argument(fmt::format("uid '{}' is used twice", spec.uid));
  }
  if (node.max_parallelism < 1 || node.max_parallelism > kMaxMaxParallelism) {
    return Status::invalid_argument(fmt::format("max_parallelism is {}, expected 1 to {}",
                                                node.max_parallelism, kMaxMaxParallelism));
  }
  if (node.parallelism < 1 || node.parallelism > node.max_parallelism) {
    return Status::invalid_argument(
        fmt::format("parallelism is {}, expected 1 to max_parallelism = {}", node.parallelism,
                    node.max_parallelism));
  }
  for (const SchemaPtr& input : spec.inputs) {
    if (input == nullptr) return Status::invalid_argument("an input has no schema");
  }
  return Status::ok();
}

Status same_columns(const Schema& from, const Schema& to) {
  bool same = from.size() == to.size();
  for (int i = 0; same && i < from.size(); ++i) {
    same = from.field(i).type.same_values(to.field(i).type);
  }
  if (same) return Status::ok();
  return Status::invalid_argument(
      fmt::format("sends {}, the target takes {}", from.to_string(), to.to_string()));
}

Status validate_edge(const StreamGraph& graph, const StreamEdge& edge) {
  const int nodes = static_cast<int>(graph.nodes.size());
  if (edge.from < 0 || edge.to >= nodes || edge.from >= edge.to) {
    return Status::invalid_argument(
        fmt::format("producers stand before consumers among the {} nodes", nodes));
  }
  const StreamNode& from = graph.nodes[static_cast<std::size_t>(edge.from)];
  const StreamNode& to = graph.nodes[static_cast<std::size_t>(edge.to)];
  if (from.spec.output == nullptr) {
    return Status::invalid_argument(fmt::format("'{}' has no output", from.spec.name));
  }
  const int inputs = static_cast<int>(to.spec.inputs.size());
  if (edge.to_input < 0 || edge.to_input >= inputs) {
    return Status::invalid_argument(
        fmt::format("input {} of '{}', which has {}", edge.to_input, to.spec.name, inputs));
  }
  CLP_RETURN_IF_ERROR(
      same_columns(*from.spec.output, *to.spec.inputs[static_cast<std::size_t>(edge.to_input)]));
  if (edge.partitioning > Partitioning::kGlobal) {
    return Status::invalid_argument(
        fmt::format("unknown partitioning {}", static_cast<int>(edge.partitioning)));
  }
  if (edge.partitioning == Partitioning::kForward && from.parallelism != to.parallelism) {
    return Status::invalid_argument(
        fmt::format("a forward edge joins parallelism {} and {}, they must be equal",
                    from.parallelism, to.parallelism));
  }
  if ((edge.partitioning == Partitioning::kHash) == edge.keys.empty()) {
    return Status::invalid_argument("hash edges have keys, other edges have none");
  }
  for (const int key : edge.keys) {
    if (key < 0 || key >= from.spec.output->size()) {
      return Status::invalid_argument(
          fmt::format("key column {} of {}", key, from.spec.output->to_string()));
    }
  }
  return Status::ok();
}

}  // namespace

std::string_view partitioning_name(Partitioning partitioning) {
  switch (partitioning) {
    case Partitioning::kForward:
      return "FORWARD";
    case Partitioning::kRebalance:
      return "REBALANCE";
    case Partitioning::kHash:
      return "HASH";
    case Partitioning::kBroadcast:
      return "BROADCAST";
    case Partitioning::kGlobal:
      return "GLOBAL";
  }
  return "UNKNOWN";
}

int StreamGraph::add(StreamNode node) {
  nodes.push_back(std::move(node));
  return static_cast<int>(nodes.size()) - 1;
}

void StreamGraph::connect(StreamEdge edge) {
  edges.push_back(std::move(edge));
}

Status StreamGraph::validate() const {
  if (nodes.empty()) return Status::invalid_argument("the job has no operators");
  if (nodes.size() > static_cast<std::size_t>(kNodesMax)) {
    return Status::resource_exhausted(
        fmt::format("the job has {} operators, at most {} are supported", nodes.size(), kNodesMax));
  }
  std::set<std::string> uids;
  for (const StreamNode& node : nodes) {
    CLP_RETURN_IF_ERROR(
        validate_node(node, uids)
            .with_context(fmt::format("operator '{}' ({})", node.spec.name, node.spec.kind)));
  }
  std::set<std::pair<int, int>> fed;
  for (const StreamEdge& edge : edges) {
    CLP_RETURN_IF_ERROR(
        validate_edge(*this, edge).with_context(fmt::format("edge {} -> {}", edge.from, edge.to)));
    fed.emplace(edge.to, edge.to_input);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t input = 0; input < nodes[i].spec.inputs.size(); ++input) {
      if (!fed.contains({static_cast<int>(i), static_cast<int>(input)})) {
        return Status::invalid_argument(
            fmt::format("input {} of operator '{}' is fed by no edge", input, nodes[i].spec.name));
      }
    }
  }
  return Status::ok();
}

}  // namespace clepsydra
