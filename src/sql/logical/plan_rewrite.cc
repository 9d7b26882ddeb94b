#include "sql/logical/plan_rewrite.h"

#include <utility>

#include "base/check.h"

namespace clepsydra::sql {
namespace {

void visit(const PlanNode* node, std::unordered_map<const PlanNode*, bool>& seen,
           std::vector<const PlanNode*>& order) {
  if (!seen.emplace(node, true).second) return;
  for (const PlanPtr& input : node->inputs) visit(input.get(), seen, order);
  order.push_back(node);
}

class Rewriter {
 public:
  explicit Rewriter(const PlanRule& rule) : rule_(rule) {}

  Result<PlanPtr> rewrite(const PlanPtr& node) {
    if (const auto it = done_.find(node.get()); it != done_.end()) return it->second;
    std::vector<PlanPtr> inputs;
    inputs.reserve(node->inputs.size());
    for (const PlanPtr& input : node->inputs) {
      CLP_ASSIGN_OR_RETURN(PlanPtr rewritten, rewrite(input));
      inputs.push_back(std::move(rewritten));
    }
    CLP_ASSIGN_OR_RETURN(PlanPtr result, rule_(with_inputs(node, std::move(inputs)), *node));
    done_.emplace(node.get(), result);
    return result;
  }

 private:
  const PlanRule& rule_;
  std::unordered_map<const PlanNode*, PlanPtr> done_;
};

}  // namespace

std::vector<const PlanNode*> topological_order(const PlanRoots& roots) {
  std::unordered_map<const PlanNode*, bool> seen;
  std::vector<const PlanNode*> order;
  for (const PlanPtr& root : roots) visit(root.get(), seen, order);
  return order;
}

std::unordered_map<const PlanNode*, int> count_consumers(const PlanRoots& roots) {
  std::unordered_map<const PlanNode*, int> consumers;
  for (const PlanNode* node : topological_order(roots)) {
    for (const PlanPtr& input : node->inputs) ++consumers[input.get()];
  }
  return consumers;
}

Result<PlanRoots> rewrite_bottom_up(const PlanRoots& roots, const PlanRule& rule) {
  Rewriter rewriter(rule);
  PlanRoots out;
  for (const PlanPtr& root : roots) {
    CLP_ASSIGN_OR_RETURN(PlanPtr rewritten, rewriter.rewrite(root));
    out.push_back(std::move(rewritten));
  }
  return out;
}

}  // namespace clepsydra::sql
