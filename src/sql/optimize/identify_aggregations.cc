#include <memory>
#include <utility>

#include "sql/logical/plan_identity.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {

Result<PlanRoots> identify_aggregations(const PlanRoots& roots,
                                        const BindEnvironment& environment) {
  const PlanIdentities identities(roots, environment.connectors);
  return rewrite_bottom_up(
      roots, [&](const PlanPtr& node, const PlanNode& original) -> Result<PlanPtr> {
        const auto* aggregate = node->as_if<AggregateNode>();
        if (aggregate == nullptr) return node;
        const auto& bound = original.as<AggregateNode>();
        std::vector<AggregateCall> calls = aggregate->calls;
        for (AggregateCall& call : calls) call.identity = identities.of(bound, call);
        auto identified = std::make_shared<AggregateNode>(aggregate->input(), aggregate->schema,
                                                          aggregate->keys, std::move(calls));
        identified->identity = identities.of(bound);
        return identified;
      });
}

}  // namespace clepsydra::sql
