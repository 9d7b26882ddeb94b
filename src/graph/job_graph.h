// The job as tasks: operators fused into chains, ready to be split into subtasks and deployed.
// Travels and is stored as proto/job_graph.proto (see job_graph_codec.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "graph/operator_spec.h"
#include "graph/stream_graph.h"

namespace clepsydra {

// One operator of a chain. Chains are trees: an operator may feed several others of its task.
struct ChainedOperator {
  OperatorSpec spec;
  int producer =
      -1;  // Index in the vertex's operators; -1: fed by the vertex's input gates (or a source).
};

struct JobVertex {
  std::string id;    // 32 hex digits, derived from the uids of its operators.
  std::string name;  // "Source: orders -> Calc -> Sink: out"; branches: "a -> (b, c -> d)".
  std::vector<ChainedOperator> operators;  // Producers before consumers; [0] is the head.
  int parallelism = 1;
  int max_parallelism = 128;
};

struct JobEdge {
  int from_vertex = -1;
  int from_operator = -1;  // Whose output is sent.
  int to_vertex = -1;
  int to_input = 0;  // Input of the head operator of the target.
  Partitioning partitioning = Partitioning::kForward;
  std::vector<int> keys;
};

struct JobGraph {
  std::string name;
  std::vector<JobVertex> vertices;  // Producers before consumers.
  std::vector<JobEdge> edges;
  std::vector<std::pair<std::string, std::string>> configuration;

  // The same rules as StreamGraph::validate(), for graphs that come from elsewhere.
  [[nodiscard]] Status validate() const;

  static constexpr int kOperatorsPerVertexMax = 1000;
};

// Chains every forward edge whose target has this one input edge and may_chain.
Result<JobGraph> build_job_graph(const StreamGraph& graph);

// The same job with a task of its own, behind a forward edge, for each of these operators (vertex,
// operator) that is chained to another one.
Result<JobGraph> unchain(const JobGraph& graph, const std::vector<std::pair<int, int>>& operators);

}  // namespace clepsydra
