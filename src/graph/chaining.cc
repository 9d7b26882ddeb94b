// From operators to tasks: which operators share a task, and what the tasks are called.
#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"
#include "graph/job_graph.h"

namespace clepsydra {
namespace {

// Where a node went.
struct Place {
  int vertex = -1;
  int index = -1;  // In the vertex's operators.
};

// The edge that chains each node to its producer; null for heads.
std::vector<const StreamEdge*> find_chaining_edges(const StreamGraph& graph) {
  std::vector<int> input_edges(graph.nodes.size(), 0);
  std::vector<const StreamEdge*> chaining(graph.nodes.size(), nullptr);
  for (const StreamEdge& edge : graph.edges) {
    const auto to = static_cast<std::size_t>(edge.to);
    ++input_edges[to];
    chaining[to] = &edge;
  }
  for (std::size_t node = 0; node < graph.nodes.size(); ++node) {
    if (input_edges[node] != 1 || !graph.nodes[node].may_chain ||
        graph.nodes[node].spec.inputs.size() != 1 ||
        chaining[node]->partitioning != Partitioning::kForward ||
        graph.nodes[static_cast<std::size_t>(chaining[node]->from)].max_parallelism !=
            graph.nodes[node].max_parallelism) {
      chaining[node] = nullptr;
    }
  }
  return chaining;
}

// "a -> (b, c -> d)" for the tree below operator `index`.
std::string chain_name(const JobVertex& vertex,
                       const std::vector<std::vector<std::size_t>>& consumers, std::size_t index) {
  std::string name = vertex.operators[index].spec.name;
  // A long unbranched chain is a loop here, so that only branches nest.
  while (consumers[index].size() == 1) {
    index = consumers[index].front();
    name += " -> " + vertex.operators[index].spec.name;
  }
  if (consumers[index].empty()) return name;
  name += " -> (";
  for (std::size_t i = 0; i < consumers[index].size(); ++i) {
    if (i > 0) name += ", ";
    name += chain_name(vertex, consumers, consumers[index][i]);
  }
  return name + ")";
}

bool is_full(const JobVertex& vertex) {
  return vertex.operators.size() >= static_cast<std::size_t>(JobGraph::kOperatorsPerVertexMax);
}

void name_vertex(JobVertex& vertex) {
  std::vector<std::vector<std::size_t>> consumers(vertex.operators.size());
  Hasher64 low;
  Hasher64 high;
  high.update("vertex");
  for (std::size_t i = 0; i < vertex.operators.size(); ++i) {
    const ChainedOperator& chained = vertex.operators[i];
    if (chained.producer >= 0) consumers[static_cast<std::size_t>(chained.producer)].push_back(i);
    // The terminating zero keeps ("ab", "c") apart from ("a", "bc").
    const std::string_view uid(chained.spec.uid.c_str(), chained.spec.uid.size() + 1);
    low.update(uid);
    high.update(uid);
  }
  vertex.name = chain_name(vertex, consumers, 0);
  vertex.id = fmt::format("{:016x}{:016x}", low.digest(), high.digest());
}

// Opens a vertex for a node that heads a task.
int add_vertex(JobGraph& job, const StreamNode& head) {
  JobVertex& vertex = job.vertices.emplace_back();
  vertex.parallelism = head.parallelism;
  vertex.max_parallelism = head.max_parallelism;
  return static_cast<int>(job.vertices.size()) - 1;
}

}  // namespace

Result<JobGraph> build_job_graph(const StreamGraph& graph) {
  CLP_RETURN_IF_ERROR(graph.validate());
  JobGraph job;
  job.name = graph.name;
  job.configuration = graph.configuration;

  const std::vector<const StreamEdge*> chaining = find_chaining_edges(graph);
  std::vector<Place> places(graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Place producer;
    if (chaining[i] != nullptr) producer = places[static_cast<std::size_t>(chaining[i]->from)];
    if (producer.vertex < 0 || is_full(job.vertices[static_cast<std::size_t>(producer.vertex)])) {
      producer = {add_vertex(job, graph.nodes[i]), -1};
    }
    JobVertex& vertex = job.vertices[static_cast<std::size_t>(producer.vertex)];
    places[i] = {producer.vertex, static_cast<int>(vertex.operators.size())};
    vertex.operators.push_back({graph.nodes[i].spec, producer.index});
  }
  for (JobVertex& vertex : job.vertices) name_vertex(vertex);

  for (const StreamEdge& edge : graph.edges) {
    const Place from = places[static_cast<std::size_t>(edge.from)];
    const Place to = places[static_cast<std::size_t>(edge.to)];
    if (to.index > 0) continue;  // Chained.
    job.edges.push_back(
        {from.vertex, from.index, to.vertex, edge.to_input, edge.partitioning, edge.keys});
  }
  return job;
}

}  // namespace clepsydra
