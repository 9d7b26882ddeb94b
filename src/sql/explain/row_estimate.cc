#include "sql/explain/row_estimate.h"

#include <algorithm>
#include <optional>
#include <span>

namespace clepsydra::sql {
namespace {

// What is left after a condition, after the reference's defaults: equality 15 %, a range 50 %,
// anything else 25 %; NOT the rest.
double selectivity(const Expression& condition) {
  constexpr double kEqual = 0.15;
  constexpr double kRange = 0.5;
  constexpr double kOther = 0.25;
  if (condition.kind() != Expression::Kind::kCall) return kOther;
  const std::string& name = condition.name();
  const std::span<const ExpressionPtr> arguments = condition.arguments();
  if (name == "AND" || name == "OR") {
    double all = 1;
    for (const ExpressionPtr& argument : arguments) {
      const double part = selectivity(*argument);
      all *= name == "AND" ? part : 1 - part;
    }
    return name == "AND" ? all : 1 - all;
  }
  if (name == "NOT") return 1 - selectivity(*arguments[0]);
  if (name == "=") return kEqual;
  if (name == "<>") return 1 - kEqual;
  if (name == "<" || name == "<=" || name == ">" || name == ">=") return kRange;
  if (name == "IS NOT NULL") return 0.9;
  if (name == "IS NULL") return 0.1;
  return kOther;
}

double rows_of(const PlanNode& node, double input, const TableConnectorRegistry& connectors) {
  // Groups per row where nothing is known of the keys.
  constexpr double kGroups = 0.1;
  switch (node.kind) {
    case PlanKind::kScan: {
      const auto& scan = node.as<ScanNode>();
      const TableConnector* connector =
          connectors.find_connector(scan.table->options.at("connector"));
      const std::optional<double> known =
          connector != nullptr ? connector->estimated_rows(scan.options) : std::nullopt;
      return known.value_or(kUnknownRows);
    }
    case PlanKind::kValues:
      return static_cast<double>(node.as<ValuesNode>().rows);
    case PlanKind::kFilter:
      return input * selectivity(*node.as<FilterNode>().condition);
    case PlanKind::kWindowTableFunction: {
      // Each row is in as many windows as overlap.
      const WindowSpec& window = node.as<WindowTableFunctionNode>().window;
      if (window.kind == WindowKind::kTumble || window.step_ms <= 0) return input;
      return input * static_cast<double>(window.size_ms) / static_cast<double>(window.step_ms);
    }
    case PlanKind::kAggregate:
    case PlanKind::kWindowAggregate:
      return std::max(std::min(input, 1.0), input * kGroups);
    default:
      return input;
  }
}

}  // namespace

RowEstimate estimate_rows(const PlanNode& node, const TableConnectorRegistry& connectors) {
  RowEstimate below;
  for (const PlanPtr& input : node.inputs) {
    const RowEstimate estimate = estimate_rows(*input, connectors);
    below.rows += estimate.rows;
    below.cumulative += estimate.cumulative;
  }
  const double rows = rows_of(node, below.rows, connectors);
  return {.rows = rows, .cumulative = below.cumulative + rows};
}

}  // namespace clepsydra::sql
