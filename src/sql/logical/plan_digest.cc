#include "sql/logical/plan_digest.h"

#include <fmt/format.h>

#include "base/value_tree.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {
namespace {

ValueTree integers(const std::vector<int>& values) {
  ValueTree list = ValueTree::list();
  for (const int value : values) list.add(value);
  return list;
}

ValueTree options_tree(const TableOptions& options) {
  ValueTree tree = ValueTree::map();
  for (const auto& [key, value] : options) tree.set(key, value);
  return tree;
}

ValueTree window_tree(const WindowSpec& window) {
  ValueTree tree = ValueTree::map();
  tree.set("kind", static_cast<int>(window.kind));
  tree.set("size", window.size_ms);
  tree.set("step", window.step_ms);
  tree.set("offset", window.offset_ms);
  tree.set("zone", window.zone);
  tree.set("processing_time", window.processing_time);
  return tree;
}

ValueTree calls_tree(const std::vector<AggregateCall>& calls) {
  ValueTree list = ValueTree::list();
  for (const AggregateCall& call : calls) {
    ValueTree tree = ValueTree::map();
    tree.set("function", call.function);
    tree.set("arguments", integers(call.arguments));
    tree.set("filter", call.filter);
    tree.set("distinct", call.distinct);
    tree.set("type", type_to_tree(call.type));
    list.add(std::move(tree));
  }
  return list;
}

void add_parameters(const PlanNode& node, ValueTree& tree) {
  switch (node.kind) {
    case PlanKind::kScan: {
      const auto& scan = node.as<ScanNode>();
      tree.set("table", scan.table->path.to_string());
      tree.set("version", static_cast<std::int64_t>(scan.table->version));
      tree.set("options", options_tree(scan.options));
      tree.set("columns", integers(scan.columns));
      break;
    }
    case PlanKind::kWatermark: {
      const auto& watermark = node.as<WatermarkNode>();
      tree.set("rowtime", watermark.rowtime);
      tree.set("expression", expression_to_tree(*watermark.expression));
      break;
    }
    case PlanKind::kValues: {
      const auto& values = node.as<ValuesNode>();
      tree.set("rows", values.rows);
      ValueTree columns = ValueTree::list();
      for (const Column& column : values.columns) columns.add(column_to_tree(column));
      tree.set("columns", std::move(columns));
      break;
    }
    case PlanKind::kFilter:
      tree.set("condition", expression_to_tree(*node.as<FilterNode>().condition));
      break;
    case PlanKind::kProject: {
      ValueTree expressions = ValueTree::list();
      for (const ExpressionPtr& expression : node.as<ProjectNode>().expressions) {
        expressions.add(expression_to_tree(*expression));
      }
      tree.set("expressions", std::move(expressions));
      break;
    }
    case PlanKind::kWindowTableFunction: {
      const auto& window = node.as<WindowTableFunctionNode>();
      tree.set("window", window_tree(window.window));
      tree.set("time", window.time_column);
      break;
    }
    case PlanKind::kAggregate: {
      const auto& aggregate = node.as<AggregateNode>();
      tree.set("keys", integers(aggregate.keys));
      tree.set("calls", calls_tree(aggregate.calls));
      break;
    }
    case PlanKind::kWindowAggregate: {
      const auto& aggregate = node.as<WindowAggregateNode>();
      tree.set("window", window_tree(aggregate.window));
      tree.set("time", aggregate.time_column);
      tree.set("keys", integers(aggregate.keys));
      tree.set("calls", calls_tree(aggregate.calls));
      ValueTree bounds = ValueTree::list();
      for (const WindowBound bound : aggregate.bounds) bounds.add(static_cast<int>(bound));
      tree.set("bounds", std::move(bounds));
      tree.set("phase", static_cast<int>(aggregate.phase));
      break;
    }
    case PlanKind::kUnionAll:
      break;
    case PlanKind::kSink:
      tree.set("table", node.as<SinkNode>().table->path.to_string());
      tree.set("options", options_tree(node.as<SinkNode>().options));
      tree.set("overwrite", node.as<SinkNode>().replaced.has_value());
      break;
    case PlanKind::kCollect:
      tree.set("result", node.as<CollectNode>().result_name);
      break;
  }
}

}  // namespace

std::string node_digest(const PlanNode& node) {
  ValueTree tree = ValueTree::map();
  tree.set("kind", static_cast<int>(node.kind));
  tree.set("schema", schema_to_tree(*node.schema));
  add_parameters(node, tree);
  return tree.encode();
}

}  // namespace clepsydra::sql
