// Walks over plans that are graphs: every shared node is visited once.
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "clepsydra/status.h"
#include "sql/logical/plan.h"

namespace clepsydra::sql {

using PlanRoots = std::vector<PlanPtr>;

// Every node of the roots, inputs before their consumers.
std::vector<const PlanNode*> topological_order(const PlanRoots& roots);
// How many consumers each node has (a root counts none).
std::unordered_map<const PlanNode*, int> count_consumers(const PlanRoots& roots);

// Rebuilds the plans from the leaves up: `rule` gets each node over its already rewritten inputs,
// and the node as it was, and answers with the node or what takes its place. Shared nodes stay
// shared.
using PlanRule = std::function<Result<PlanPtr>(const PlanPtr& node, const PlanNode& original)>;
Result<PlanRoots> rewrite_bottom_up(const PlanRoots& roots, const PlanRule& rule);

}  // namespace clepsydra::sql
