#include "graph/job_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/ids.h"

namespace clepsydra {
namespace {

Status validate_chain(const JobVertex& vertex) {
  CLP_RETURN_IF_ERROR(OperatorId::parse(vertex.id).status());
  if (vertex.operators.empty() ||
      vertex.operators.size() > static_cast<std::size_t>(JobGraph::kOperatorsPerVertexMax)) {
    return Status::invalid_argument(fmt::format("has {} operators, expected 1 to {}",
                                                vertex.operators.size(),
                                                JobGraph::kOperatorsPerVertexMax));
  }
  for (std::size_t i = 0; i < vertex.operators.size(); ++i) {
    const int producer = vertex.operators[i].producer;
    const bool is_known = i == 0 ? producer == -1 : producer >= 0 && producer < static_cast<int>(i);
    if (!is_known) {
      return Status::invalid_argument(
          fmt::format("operator {} has producer {}, expected an earlier operator", i, producer));
    }
  }
  return Status::ok();
}

// Into the operators and edges that it was built from.
Result<StreamGraph> take_apart(const JobGraph& job) {
  StreamGraph graph;
  graph.name = job.name;
  graph.configuration = job.configuration;
  std::vector<int> first_node;
  for (const JobVertex& vertex : job.vertices) {
    CLP_RETURN_IF_ERROR(validate_chain(vertex).with_context(fmt::format("task '{}'", vertex.name)));
    first_node.push_back(static_cast<int>(graph.nodes.size()));
    for (const ChainedOperator& chained : vertex.operators) {
      const bool is_chained = chained.producer >= 0;
      const int node =
          graph.add({chained.spec, vertex.parallelism, vertex.max_parallelism, is_chained});
      if (!is_chained) continue;
      if (chained.spec.inputs.size() != 1) {
        return Status::invalid_argument(
            fmt::format("operator '{}' of task '{}' is chained but has {} inputs",
                        chained.spec.name, vertex.name, chained.spec.inputs.size()));
      }
      graph.connect({first_node.back() + chained.producer, node, 0, Partitioning::kForward, {}});
    }
  }
  for (const JobEdge& edge : job.edges) {
    const int count = static_cast<int>(job.vertices.size());
    if (edge.from_vertex < 0 || edge.to_vertex >= count || edge.from_vertex >= edge.to_vertex) {
      return Status::invalid_argument(
          fmt::format("edge from task {} to task {}: producers stand before consumers among the "
                      "{} tasks",
                      edge.from_vertex, edge.to_vertex, count));
    }
    const auto from = static_cast<std::size_t>(edge.from_vertex);
    const auto to = static_cast<std::size_t>(edge.to_vertex);
    if (edge.from_operator < 0 ||
        edge.from_operator >= static_cast<int>(job.vertices[from].operators.size())) {
      return Status::invalid_argument(fmt::format("edge from operator {} of task '{}'",
                                                  edge.from_operator, job.vertices[from].name));
    }
    graph.connect({first_node[from] + edge.from_operator, first_node[to], edge.to_input,
                   edge.partitioning, edge.keys});
  }
  return graph;
}

}  // namespace

// Taken apart again into operators and edges, a job graph obeys the rules of a stream graph.
Status JobGraph::validate() const {
  CLP_ASSIGN_OR_RETURN(const StreamGraph graph, take_apart(*this));
  return graph.validate();
}

Result<JobGraph> unchain(const JobGraph& graph, const std::vector<std::pair<int, int>>& operators) {
  CLP_ASSIGN_OR_RETURN(StreamGraph apart, take_apart(graph));
  std::size_t node = 0;
  for (std::size_t v = 0; v < graph.vertices.size(); ++v) {
    for (std::size_t op = 0; op < graph.vertices[v].operators.size(); ++op, ++node) {
      const std::pair<int, int> place(static_cast<int>(v), static_cast<int>(op));
      if (std::find(operators.begin(), operators.end(), place) != operators.end()) {
        apart.nodes[node].may_chain = false;
      }
    }
  }
  return build_job_graph(apart);
}

}  // namespace clepsydra
