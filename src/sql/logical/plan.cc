#include "sql/logical/plan.h"

#include <utility>

namespace clepsydra::sql {

std::string_view window_bound_name(WindowBound bound) {
  switch (bound) {
    case WindowBound::kStart:
      return "window_start";
    case WindowBound::kEnd:
      return "window_end";
    case WindowBound::kTime:
      return "window_time";
  }
  return "";
}

std::string_view window_kind_name(WindowKind kind) {
  switch (kind) {
    case WindowKind::kTumble:
      return "TUMBLE";
    case WindowKind::kHop:
      return "HOP";
    case WindowKind::kCumulate:
      return "CUMULATE";
  }
  return "";
}

PlanPtr with_inputs(const PlanPtr& node, std::vector<PlanPtr> inputs) {
  if (inputs == node->inputs) return node;
  switch (node->kind) {
    case PlanKind::kScan:
    case PlanKind::kValues:
      return node;
    case PlanKind::kWatermark: {
      const auto& n = node->as<WatermarkNode>();
      return std::make_shared<WatermarkNode>(std::move(inputs[0]), n.schema, n.rowtime,
                                             n.expression);
    }
    case PlanKind::kFilter:
      return std::make_shared<FilterNode>(std::move(inputs[0]), node->as<FilterNode>().condition);
    case PlanKind::kProject: {
      const auto& n = node->as<ProjectNode>();
      return std::make_shared<ProjectNode>(std::move(inputs[0]), n.schema, n.expressions);
    }
    case PlanKind::kWindowTableFunction: {
      const auto& n = node->as<WindowTableFunctionNode>();
      return std::make_shared<WindowTableFunctionNode>(std::move(inputs[0]), n.schema, n.window,
                                                       n.time_column);
    }
    case PlanKind::kAggregate: {
      const auto& n = node->as<AggregateNode>();
      auto copy = std::make_shared<AggregateNode>(std::move(inputs[0]), n.schema, n.keys, n.calls);
      copy->identity = n.identity;
      return copy;
    }
    case PlanKind::kWindowAggregate: {
      const auto& n = node->as<WindowAggregateNode>();
      auto copy =
          std::make_shared<WindowAggregateNode>(std::move(inputs[0]), n.schema, n.window,
                                                n.time_column, n.keys, n.calls, n.bounds, n.phase);
      copy->identity = n.identity;
      return copy;
    }
    case PlanKind::kUnionAll:
      return std::make_shared<UnionAllNode>(std::move(inputs), node->schema);
    case PlanKind::kSink: {
      const auto& n = node->as<SinkNode>();
      return std::make_shared<SinkNode>(std::move(inputs[0]), n.table, n.options, n.replaced);
    }
    case PlanKind::kCollect:
      return std::make_shared<CollectNode>(std::move(inputs[0]),
                                           node->as<CollectNode>().result_name);
  }
  return node;
}

ExpressionPtr column_of(const PlanNode& input, int index) {
  const Field& field = input.schema->field(index);
  return Expression::column(index, field.type, field.name);
}

PlanPtr make_projection(const PlanPtr& input, const std::vector<int>& columns) {
  std::vector<ExpressionPtr> expressions;
  std::vector<Field> fields;
  for (const int column : columns) {
    expressions.push_back(column_of(*input, column));
    fields.push_back(input->schema->field(column));
  }
  return std::make_shared<ProjectNode>(input, make_schema(std::move(fields)),
                                       std::move(expressions));
}

PlanPtr make_project(PlanPtr input, std::vector<ExpressionPtr> expressions,
                     const std::vector<std::string>& names) {
  CLP_CHECK(expressions.size() == names.size());
  std::vector<Field> fields;
  fields.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    fields.push_back({names[i], expressions[i]->type(), {}});
  }
  return std::make_shared<ProjectNode>(std::move(input), make_schema(std::move(fields)),
                                       std::move(expressions));
}

bool is_identity(const ProjectNode& project) {
  if (static_cast<int>(project.expressions.size()) != project.input()->schema->size()) return false;
  int i = 0;
  for (const ExpressionPtr& expression : project.expressions) {
    if (expression->kind() != Expression::Kind::kColumn || expression->column_index() != i++) {
      return false;
    }
  }
  return true;
}

}  // namespace clepsydra::sql
