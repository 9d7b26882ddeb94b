#include "sql/changelog/changelog_mode.h"

#include "base/check.h"

namespace clepsydra::sql {

std::string ChangelogMode::to_string() const {
  std::string out = "[";
  const auto add = [&](bool present, const char* name) {
    if (!present) return;
    if (out.size() > 1) out += ",";
    out += name;
  };
  add(insert, "I");
  add(update_before, "UB");
  add(update_after, "UA");
  add(remove, "D");
  return out + "]";
}

ChangelogMode changelog_mode(const PlanNode& node) {
  ChangelogMode mode;
  switch (node.kind) {
    case PlanKind::kScan:
    case PlanKind::kValues:
    case PlanKind::kWindowAggregate:  // A window is emitted once, when it has closed.
    case PlanKind::kAggregate:
      return mode;
    case PlanKind::kWatermark:
    case PlanKind::kFilter:
    case PlanKind::kProject:
    case PlanKind::kWindowTableFunction:
    case PlanKind::kUnionAll:
    case PlanKind::kSink:
    case PlanKind::kCollect:
      break;
  }
  for (const PlanPtr& input : node.inputs) {
    const ChangelogMode of_input = changelog_mode(*input);
    mode.update_before |= of_input.update_before;
    mode.update_after |= of_input.update_after;
    mode.remove |= of_input.remove;
  }
  return mode;
}

Result<bool> is_bounded(const PlanNode& node, const TableConnectorRegistry& connectors) {
  if (const auto* scan = node.as_if<ScanNode>()) {
    const TableConnector* connector = connectors.find_connector(scan->options.at("connector"));
    CLP_CHECK(connector != nullptr);
    return connector->is_bounded(scan->options);
  }
  for (const PlanPtr& input : node.inputs) {
    CLP_ASSIGN_OR_RETURN(const bool bounded, is_bounded(*input, connectors));
    if (!bounded) return false;
  }
  return true;
}

}  // namespace clepsydra::sql
