#include "sql/changelog/delivery_guarantee.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"

namespace clepsydra::sql {
namespace {

std::string_view guarantee_name(DeliveryGuarantee guarantee) {
  switch (guarantee) {
    case DeliveryGuarantee::kNone:
      return "none";
    case DeliveryGuarantee::kAtLeastOnce:
      return "at-least-once";
    case DeliveryGuarantee::kIdempotent:
      return "exactly-once by idempotent writes";
    case DeliveryGuarantee::kExactlyOnce:
      return "exactly-once";
  }
  return "none";
}

}  // namespace

Result<std::string> describe_guarantee(const PlanRoots& roots, const BindEnvironment& environment) {
  DeliveryGuarantee weakest = DeliveryGuarantee::kExactlyOnce;
  std::set<std::string> reasons;
  for (const PlanNode* node : topological_order(roots)) {
    if (const auto* scan = node->as_if<ScanNode>()) {
      const TableConnector* connector =
          environment.connectors.find_connector(scan->options.at("connector"));
      CLP_CHECK(connector != nullptr);
      if (connector->can_replay()) continue;
      weakest = std::min(weakest, DeliveryGuarantee::kNone);
      reasons.insert(fmt::format("source '{}': the connector '{}' cannot replay",
                                 scan->table->path.object, connector->name()));
    } else if (const auto* sink = node->as_if<SinkNode>()) {
      const TableConnector* connector =
          environment.connectors.find_connector(sink->options.at("connector"));
      CLP_CHECK(connector != nullptr);
      const DeliveryGuarantee guarantee = connector->sink_guarantee(sink->options);
      if (guarantee == DeliveryGuarantee::kExactlyOnce) continue;
      weakest = std::min(weakest, guarantee);
      reasons.insert(fmt::format("sink '{}': the connector '{}' gives {}", sink->table->path.object,
                                 connector->name(), guarantee_name(guarantee)));
    }
  }
  std::string text(guarantee_name(weakest));
  if (reasons.empty()) return text;
  std::string list;
  for (const std::string& reason : reasons) list += (list.empty() ? "" : "; ") + reason;
  return fmt::format("{} ({})", text, list);
}

}  // namespace clepsydra::sql
