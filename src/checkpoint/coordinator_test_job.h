// The job and the words with which the tests of the coordinator speak.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "checkpoint/checkpoint_coordinator.h"
#include "graph/failover_regions.h"
#include "graph/job_graph.h"

namespace clepsydra::testing {

// Task 0: a source, 2 subtasks. Task 1: a sink behind a hash exchange, 2 subtasks. Task 2: a second
// sink behind a forward edge of the source.
inline JobGraph graph() {
  JobGraph g;
  g.name = "job";
  const auto vertex = [](const std::string& name, const std::string& kind) {
    JobVertex v;
    v.name = name;
    v.parallelism = 2;
    v.operators.resize(1);
    v.operators[0].spec.kind = kind;
    v.operators[0].spec.uid = "uid " + name;
    v.operators[0].spec.name = name;
    return v;
  };
  g.vertices = {vertex("source", "source"), vertex("sink", "sink_writer"),
                vertex("log", "sink_writer")};
  g.edges = {{0, 0, 1, 0, Partitioning::kHash, {0}}, {0, 0, 2, 0, Partitioning::kForward, {}}};
  return g;
}

// Beside it a source and a sink that are not connected with the others.
inline JobGraph graph_of_two_regions() {
  JobGraph g = graph();
  g.vertices.push_back(g.vertices[0]);
  g.vertices.push_back(g.vertices[1]);
  g.edges.push_back({3, 0, 4, 0, Partitioning::kForward, {}});
  return g;
}

inline CheckpointTopology topology(const JobGraph& job) {
  return {job, failover_regions(job)};
}

inline constexpr SubtaskIndex kSource0{0, 0};
inline constexpr SubtaskIndex kSource1{0, 1};
inline constexpr SubtaskIndex kSink0{1, 0};
inline constexpr SubtaskIndex kSink1{1, 1};
inline constexpr SubtaskIndex kLog0{2, 0};
inline constexpr SubtaskIndex kLog1{2, 1};
inline const std::vector<SubtaskIndex> kAll = {kSource0, kSource1, kSink0, kSink1, kLog0, kLog1};
inline const std::vector<SubtaskIndex> kSecondRegion = {{3, 0}, {3, 1}, {4, 0}, {4, 1}};

inline std::vector<OperatorSnapshot> prepared(std::vector<std::string> committables) {
  std::vector<OperatorSnapshot> operators(1);
  operators[0].committables = std::move(committables);
  return operators;
}

template <typename Action>
std::vector<Action> all_of(const CheckpointActions& actions) {
  std::vector<Action> found;
  for (const CheckpointAction& action : actions) {
    if (const auto* a = std::get_if<Action>(&action)) found.push_back(*a);
  }
  return found;
}

}  // namespace clepsydra::testing
