// The job as operators and edges, before chaining: the product of sql/lower and of the typed API.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "graph/operator_spec.h"

namespace clepsydra {

enum class Partitioning : std::uint8_t {
  kForward =
      0,  // Subtask i to subtask i; both sides have one parallelism. The only kind that chains.
  kRebalance = 1,  // Batches round robin.
  kHash = 2,       // Rows by the key group of `keys`.
  kBroadcast = 3,  // Every row to every subtask.
  kGlobal = 4,     // Every row to subtask 0.
};
// "FORWARD", "REBALANCE", "HASH", "BROADCAST", "GLOBAL".
std::string_view partitioning_name(Partitioning partitioning);

struct StreamEdge {
  int from = -1;  // Node indices.
  int to = -1;
  int to_input = 0;  // Which of the target's inputs. Several edges may feed one input (UNION ALL).
  Partitioning partitioning = Partitioning::kForward;
  std::vector<int> keys;  // kHash: columns of the source's output schema.
};

struct StreamNode {
  OperatorSpec spec;
  int parallelism = 1;
  // Upper bound on parallelism, number of key groups.
  int max_parallelism = 128;
  bool may_chain = true;  // May be put into its producer's task.
};

struct StreamGraph {
  std::string name;
  std::vector<StreamNode> nodes;  // Producers before consumers.
  std::vector<StreamEdge> edges;
  // Plan-time configuration that the runtime needs ("pipeline.auto-watermark-interval", ...).
  std::vector<std::pair<std::string, std::string>> configuration;

  int add(StreamNode node);
  void connect(StreamEdge edge);
  // Indices in range, acyclic, every input of every node fed, schemas of every edge equal (but for
  // names, nullability and time attributes), forward edges with equal parallelism, keys in range.
  [[nodiscard]] Status validate() const;

  static constexpr int kNodesMax = 10'000;
};

}  // namespace clepsydra
