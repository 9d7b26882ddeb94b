// Plans to a graph of operators: one file of this folder per kind of plan node.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/value_tree.h"
#include "clepsydra/status.h"
#include "graph/stream_graph.h"
#include "sql/bind/environment.h"
#include "sql/logical/plan_rewrite.h"

namespace clepsydra::sql {

// The operator graph of optimized plans. `name`: the job's, when the configuration gives none.
// `configuration`: handed on to the runtime.
Result<StreamGraph> lower_plans(const PlanRoots& roots, const BindEnvironment& environment,
                                std::string name,
                                std::vector<std::pair<std::string, std::string>> configuration);

// What the lower_* functions build upon.
class Lowering {
 public:
  Lowering(const BindEnvironment& environment, const PlanRoots& roots)
      : environment_(environment), consumers_(count_consumers(roots)) {}

  // A plan node as operators: its rows leave the operators `nodes` (several: UNION ALL).
  struct Lowered {
    std::vector<int> nodes;
  };
  Result<Lowered> lower(const PlanPtr& node);

  [[nodiscard]] const BindEnvironment& environment() const { return environment_; }
  StreamGraph& graph() { return graph_; }
  [[nodiscard]] int parallelism_of(const Lowered& input) const;
  // Whether several nodes read this one.
  [[nodiscard]] bool is_shared(const PlanNode& node) const {
    const auto it = consumers_.find(&node);
    return it != consumers_.end() && it->second > 1;
  }

  // Whether the node is one source operator: a scan with its computed columns and its watermark.
  [[nodiscard]] bool is_source(const PlanNode& node) const;

  // How rows get to a new operator.
  struct Exchange {
    Partitioning partitioning = Partitioning::kForward;
    std::vector<int> keys = {};
  };
  // Adds an operator with one input and the edges to it. Forward edges between different
  // parallelisms become rebalancing ones. An operator that keeps something comes with its uid
  // (make_uid()); others get one that follows from their inputs.
  int add_operator(OperatorSpec spec, int parallelism, const Lowered& input,
                   const Exchange& exchange);
  // Adds an operator without inputs.
  int add_source(OperatorSpec spec, int parallelism);

 private:
  // Completes uid and name of a spec.
  void identify(OperatorSpec& spec, const Lowered& input);

  const BindEnvironment& environment_;
  std::unordered_map<const PlanNode*, int> consumers_;
  StreamGraph graph_;
  std::unordered_map<const PlanNode*, Lowered> done_;
  std::map<std::string, int> uids_;
};

// The uid of an operator: what it is, and what it computes (see sql/logical/plan_identity.h).
std::string make_uid(std::string_view kind, std::uint64_t identity);

// Lowers the node and everything below it.
Result<Lowering::Lowered> lower_source(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_values(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_calc(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_window_table_function(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_window_aggregate(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_union_all(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_sink(const PlanPtr& node, Lowering& lowering);
Result<Lowering::Lowered> lower_collect(const PlanPtr& node, Lowering& lowering);

// The plan form of an expression; InvalidArgument when it is nested too deeply to travel.
Result<ValueTree> lower_expression(const Expression& expression);
Result<ValueTree> lower_expressions(const std::vector<ExpressionPtr>& expressions);
ValueTree lower_integers(const std::vector<int>& values);
// {kind, size_ms, slide_ms | step_ms, offset_ms, zone}
ValueTree lower_window(const WindowSpec& window);

}  // namespace clepsydra::sql
