#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "sql/logical/expression_rewrite.h"
#include "sql/optimize/rules.h"

namespace clepsydra::sql {
namespace {

// Where the fields of a pruned ROW went.
struct FieldMap {
  struct Target {
    int index = -1;
    std::unique_ptr<FieldMap> fields;  // Null: the field is whole.
  };
  std::map<int, Target> targets;
};
using FieldMapPtr =
    std::shared_ptr<const FieldMap>;  // Shared by every node the column passes through.

// Where the columns of a node went.
struct ColumnMap {
  std::vector<int> index;           // -1: gone.
  std::vector<FieldMapPtr> fields;  // Null: the column is whole.
};

using Needs = std::vector<FieldNeed>;  // Per column. Neither whole nor with fields: not needed.

bool is_needed(const FieldNeed& need) {
  return need.whole || !need.fields.empty();
}

void add_need(FieldNeed& into, const FieldNeed& need) {
  into.whole |= need.whole;
  for (const auto& [field, inner] : need.fields) add_need(into.fields[field], inner);
}

FieldNeed whole_need() {
  FieldNeed need;
  need.whole = true;
  return need;
}

// row.a.b as the column and the path {a, b}; nothing for other expressions.
struct Path {
  const Expression* column;
  std::vector<int> fields;
};

std::optional<Path> path_of(const Expression& expression) {
  if (expression.kind() == Expression::Kind::kColumn) return Path{&expression, {}};
  if (expression.kind() != Expression::Kind::kCall || expression.name() != "FIELD")
    return std::nullopt;
  std::optional<Path> path = path_of(*expression.argument(0));
  const std::optional<std::int64_t> field = integer_value(*expression.argument(1));
  if (!path || !field) return std::nullopt;
  path->fields.push_back(static_cast<int>(*field));
  return path;
}

// Adds what `expression` reads; its own value is needed as `need` says.
void add_expression(const Expression& expression, const FieldNeed& need, Needs& needs) {
  if (const std::optional<Path> path = path_of(expression)) {
    FieldNeed* target = &needs[static_cast<std::size_t>(path->column->column_index())];
    for (const int field : path->fields) target = &target->fields[field];
    add_need(*target, need);
    return;
  }
  for (const ExpressionPtr& argument : expression.arguments()) {
    add_expression(*argument, whole_need(), needs);
  }
}

DataType pruned_type(const DataType& type, const FieldNeed& need, FieldMap& map) {
  std::vector<Field> fields;
  for (const auto& [index, inner] : need.fields) {
    if (!is_needed(inner)) continue;
    Field field = type.fields()[static_cast<std::size_t>(index)];
    FieldMap::Target target;
    target.index = static_cast<int>(fields.size());
    if (!inner.whole && field.type.kind() == TypeKind::kRow) {
      target.fields = std::make_unique<FieldMap>();
      field.type = pruned_type(field.type, inner, *target.fields);
    }
    fields.push_back(std::move(field));
    map.targets.emplace(index, std::move(target));
  }
  return DataType::row(std::move(fields)).with_nullable(type.nullable());
}

// row.a.b over the pruned column.
ExpressionPtr rebuild_path(const Expression& expression, const Schema& input, const ColumnMap& map,
                           const FieldMap*& fields) {
  if (expression.kind() == Expression::Kind::kColumn) {
    const auto old = static_cast<std::size_t>(expression.column_index());
    fields = map.fields[old].get();
    CLP_CHECK(map.index[old] >= 0);
    const Field& column = input.field(map.index[old]);
    DataType type = fields != nullptr ? column.type : expression.type();
    return Expression::column(map.index[old], std::move(type), expression.name());
  }
  ExpressionPtr row = rebuild_path(*expression.argument(0), input, map, fields);
  if (fields == nullptr) {
    return Expression::call("FIELD", {std::move(row), expression.argument(1)}, expression.type());
  }
  const auto target =
      fields->targets.find(static_cast<int>(*integer_value(*expression.argument(1))));
  CLP_CHECK(target != fields->targets.end());
  fields = target->second.fields.get();
  const int index = target->second.index;
  DataType type = expression.type();
  if (fields != nullptr) {
    type =
        row->type().fields()[static_cast<std::size_t>(index)].type.with_nullable(type.nullable());
  }
  return Expression::call("FIELD", {std::move(row), integer_literal(index)}, std::move(type));
}

ExpressionPtr remap(const ExpressionPtr& expression, const Schema& input, const ColumnMap& map) {
  if (path_of(*expression)) {
    const FieldMap* fields = nullptr;
    return rebuild_path(*expression, input, map, fields);
  }
  if (expression->kind() != Expression::Kind::kCall) return expression;
  std::vector<ExpressionPtr> arguments;
  for (const ExpressionPtr& argument : expression->arguments()) {
    arguments.push_back(remap(argument, input, map));
  }
  return Expression::call(expression->name(), std::move(arguments), expression->type());
}

class ColumnPruner {
 public:
  explicit ColumnPruner(const BindEnvironment& environment) : environment_(environment) {}

  Result<PlanRoots> run(const PlanRoots& roots) {
    const std::vector<const PlanNode*> order = topological_order(roots);
    for (const PlanNode* node : order) {
      needs_[node].resize(static_cast<std::size_t>(node->schema->size()));
    }
    for (auto node = order.rbegin(); node != order.rend(); ++node) add_needs_of(**node);
    return rewrite_bottom_up(roots, [&](const PlanPtr& node, const PlanNode& original) {
      return Result<PlanPtr>(prune(node, original));
    });
  }

 private:
  Needs& needs_of(const PlanNode& node) { return needs_.at(&node); }

  void add_whole(const PlanNode& node, int column) {
    needs_of(node)[static_cast<std::size_t>(column)].whole = true;
  }

  // What `node` reads of its inputs, given what is read of it.
  void add_needs_of(const PlanNode& node) {
    const Needs& own = needs_of(node);
    switch (node.kind) {
      case PlanKind::kScan:
      case PlanKind::kValues:
        return;
      case PlanKind::kSink:
      case PlanKind::kCollect:
        for (int i = 0; i < node.schema->size(); ++i) add_whole(*node.input(), i);
        return;
      case PlanKind::kFilter:
        pass_needs(own, *node.input());
        add_expression(*node.as<FilterNode>().condition, whole_need(), needs_of(*node.input()));
        return;
      case PlanKind::kWatermark: {
        const auto& watermark = node.as<WatermarkNode>();
        pass_needs(own, *node.input());
        add_whole(*node.input(), watermark.rowtime);
        add_expression(*watermark.expression, whole_need(), needs_of(*node.input()));
        return;
      }
      case PlanKind::kProject:
        for (std::size_t i = 0; i < own.size(); ++i) {
          if (!is_needed(own[i])) continue;
          add_expression(*node.as<ProjectNode>().expressions[i], own[i], needs_of(*node.input()));
        }
        return;
      case PlanKind::kWindowTableFunction: {
        pass_needs(own, *node.input());
        const int time = node.as<WindowTableFunctionNode>().time_column;
        if (time >= 0) add_whole(*node.input(), time);
        return;
      }
      case PlanKind::kWindowAggregate:
        add_aggregate_needs(node.as<WindowAggregateNode>());
        return;
      case PlanKind::kUnionAll:
        for (const PlanPtr& input : node.inputs) {
          for (std::size_t i = 0; i < own.size(); ++i) {
            if (is_needed(own[i])) add_whole(*input, static_cast<int>(i));
          }
        }
        return;
      case PlanKind::kAggregate:
        CLP_CHECK(false);
    }
  }

  // Columns that a node hands on as they are: the first of its own.
  void pass_needs(const Needs& own, const PlanNode& input) {
    Needs& needs = needs_of(input);
    for (std::size_t i = 0; i < needs.size() && i < own.size(); ++i) add_need(needs[i], own[i]);
  }

  void add_aggregate_needs(const WindowAggregateNode& node) {
    const PlanNode& input = *node.input();
    if (node.time_column >= 0) add_whole(input, node.time_column);
    for (const int key : node.keys) add_whole(input, key);
    for (std::size_t i = 0; i < node.calls.size(); ++i) {
      if (!is_needed(needs_of(node)[node.keys.size() + i])) continue;
      for (const int argument : node.calls[i].arguments) add_whole(input, argument);
      if (node.calls[i].filter >= 0) add_whole(input, node.calls[i].filter);
    }
  }

  // `node`: over pruned inputs, but its own parameters still speak of the unpruned ones.
  PlanPtr prune(const PlanPtr& node, const PlanNode& original) {
    PlanPtr result;
    ColumnMap map;
    switch (node->kind) {
      case PlanKind::kScan:
        result = prune_scan(node, original, map);
        break;
      case PlanKind::kValues:
        result = prune_values(*node, original, map);
        break;
      case PlanKind::kFilter:
        result = prune_filter(*node, original, map);
        break;
      case PlanKind::kWatermark:
        result = prune_watermark(*node, map);
        break;
      case PlanKind::kProject:
        result = prune_project(*node, original, map);
        break;
      case PlanKind::kWindowTableFunction:
        result = prune_window_function(*node, original, map);
        break;
      case PlanKind::kWindowAggregate:
        result = prune_aggregate(*node, original, map);
        break;
      case PlanKind::kUnionAll:
        result = prune_union(*node, original, map);
        break;
      case PlanKind::kSink:
      case PlanKind::kCollect: {
        std::vector<int> all;
        for (int i = 0; i < original.schema->size(); ++i) all.push_back(i);
        return with_inputs(node,
                           {exactly(node->input(), all, original.inputs[0]->schema->fields())});
      }
      case PlanKind::kAggregate:
        CLP_CHECK(false);
    }
    maps_[result.get()] = std::move(map);
    alive_.push_back(result);
    return result;
  }

  const ColumnMap& map_of(const PlanNode& pruned) const { return maps_.at(&pruned); }

  static ColumnMap empty_map(int columns) {
    const auto count = static_cast<std::size_t>(columns);
    return {std::vector<int>(count, -1), std::vector<FieldMapPtr>(count)};
  }

  // A projection to the columns that were `columns`, unless the input is that already.
  PlanPtr exactly(const PlanPtr& input, const std::vector<int>& columns,
                  const std::vector<Field>& fields) {
    const ColumnMap& map = map_of(*input);
    bool same = input->schema->size() == static_cast<int>(columns.size());
    std::vector<int> positions;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const int position = map.index[static_cast<std::size_t>(columns[i])];
      CLP_CHECK(position >= 0 && map.fields[static_cast<std::size_t>(columns[i])] == nullptr);
      same = same && position == static_cast<int>(i);
      positions.push_back(position);
    }
    if (same) return input;
    std::vector<ExpressionPtr> expressions;
    std::vector<Field> kept;
    for (std::size_t i = 0; i < positions.size(); ++i) {
      expressions.push_back(column_of(*input, positions[i]));
      kept.push_back(fields[static_cast<std::size_t>(columns[i])]);
    }
    return std::make_shared<ProjectNode>(input, make_schema(std::move(kept)),
                                         std::move(expressions));
  }

  // Rows without columns would be hard on connectors: one cheap column is read.
  static void need_something(const Schema& schema, Needs& needs) {
    if (needs.empty()) return;
    std::size_t cheapest = 0;
    for (std::size_t i = 0; i < needs.size(); ++i) {
      if (is_needed(needs[i])) return;
      const DataType& best = schema.fields()[cheapest].type;
      const DataType& type = schema.fields()[i].type;
      const auto cost = [](const DataType& t) {
        const int width = t.fixed_width();
        return width == 0 ? 1000 : t.physical() == PhysicalType::kView ? 100 : width;
      };
      if (cost(type) < cost(best)) cheapest = i;
    }
    needs[cheapest].whole = true;
  }

  PlanPtr prune_scan(const PlanPtr& node, const PlanNode& original, ColumnMap& map) {
    const auto& scan = node->as<ScanNode>();
    Needs needs = needs_of(original);
    need_something(*scan.schema, needs);
    const TableConnector* connector =
        environment_.connectors.find_connector(scan.options.at("connector"));
    const bool prune_fields = connector != nullptr && connector->can_prune_fields(scan.options);
    map = empty_map(scan.schema->size());
    std::vector<int> columns;
    std::vector<Field> fields;
    for (std::size_t i = 0; i < needs.size(); ++i) {
      if (!is_needed(needs[i])) continue;
      map.index[i] = static_cast<int>(columns.size());
      columns.push_back(scan.columns[i]);
      Field field = scan.schema->fields()[i];
      const TableColumn& column = scan.table->columns[static_cast<std::size_t>(scan.columns[i])];
      if (prune_fields && !needs[i].whole && column.role == ColumnRole::kPhysical &&
          field.type.kind() == TypeKind::kRow) {
        auto field_map = std::make_shared<FieldMap>();
        field.type = pruned_type(field.type, needs[i], *field_map);
        map.fields[i] = std::move(field_map);
      }
      fields.push_back(std::move(field));
    }
    return std::make_shared<ScanNode>(scan.table, scan.options, std::move(columns),
                                      make_schema(std::move(fields)));
  }

  PlanPtr prune_values(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    const auto& values = node.as<ValuesNode>();
    map = empty_map(values.schema->size());
    std::vector<Column> columns;
    std::vector<Field> fields;
    for (std::size_t i = 0; i < values.columns.size(); ++i) {
      if (!is_needed(needs_of(original)[i])) continue;
      map.index[i] = static_cast<int>(columns.size());
      columns.push_back(values.columns[i]);
      fields.push_back(values.schema->fields()[i]);
    }
    return std::make_shared<ValuesNode>(make_schema(std::move(fields)), std::move(columns),
                                        values.rows);
  }

  // Columns that the condition alone reads end here.
  PlanPtr prune_filter(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    const ColumnMap& input_map = map_of(*node.input());
    const PlanPtr filter = std::make_shared<FilterNode>(
        node.input(), remap(node.as<FilterNode>().condition, *node.input()->schema, input_map));
    const Needs& needs = needs_of(original);
    std::vector<int> kept;
    map = empty_map(static_cast<int>(needs.size()));
    for (std::size_t i = 0; i < needs.size(); ++i) {
      if (!is_needed(needs[i])) continue;
      map.index[i] = static_cast<int>(kept.size());
      map.fields[i] = input_map.fields[i];
      kept.push_back(input_map.index[i]);
    }
    if (static_cast<int>(kept.size()) == filter->schema->size()) {
      map = input_map;
      return filter;
    }
    return make_projection(filter, kept);
  }

  PlanPtr prune_watermark(const PlanNode& node, ColumnMap& map) {
    const auto& watermark = node.as<WatermarkNode>();
    map = map_of(*node.input());
    const int rowtime = map.index[static_cast<std::size_t>(watermark.rowtime)];
    CLP_CHECK(rowtime >= 0);
    std::vector<Field> fields = node.input()->schema->fields();
    fields[static_cast<std::size_t>(rowtime)] = watermark.schema->field(watermark.rowtime);
    return std::make_shared<WatermarkNode>(node.input(), make_schema(std::move(fields)), rowtime,
                                           remap(watermark.expression, *node.input()->schema, map));
  }

  PlanPtr prune_project(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    const auto& project = node.as<ProjectNode>();
    const Schema& input = *node.input()->schema;
    const ColumnMap& input_map = map_of(*node.input());
    map = empty_map(project.schema->size());
    std::vector<ExpressionPtr> expressions;
    std::vector<Field> fields;
    for (std::size_t i = 0; i < project.expressions.size(); ++i) {
      if (!is_needed(needs_of(original)[i])) continue;
      map.index[i] = static_cast<int>(expressions.size());
      Field field = project.schema->fields()[i];
      const ExpressionPtr& expression = project.expressions[i];
      if (const std::optional<Path> path = path_of(*expression)) {
        const FieldMap* inner = nullptr;
        expressions.push_back(rebuild_path(*expression, input, input_map, inner));
        if (inner != nullptr) {
          field.type = expressions.back()->type();
          // The map inside is owned by the one of the whole column.
          const auto column = static_cast<std::size_t>(path->column->column_index());
          map.fields[i] = FieldMapPtr(input_map.fields[column], inner);
        }
      } else {
        expressions.push_back(remap(expression, input, input_map));
      }
      fields.push_back(std::move(field));
    }
    return std::make_shared<ProjectNode>(node.input(), make_schema(std::move(fields)),
                                         std::move(expressions));
  }

  PlanPtr prune_window_function(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    const auto& window = node.as<WindowTableFunctionNode>();
    map = map_of(*node.input());
    const int inner = original.inputs[0]->schema->size();
    const int kept = node.input()->schema->size();
    std::vector<Field> fields = node.input()->schema->fields();
    for (int bound = 0; bound < 3; ++bound) {
      fields.push_back(window.schema->field(inner + bound));
      map.index.push_back(kept + bound);
      map.fields.emplace_back();
    }
    const int time =
        window.time_column < 0 ? -1 : map.index[static_cast<std::size_t>(window.time_column)];
    return std::make_shared<WindowTableFunctionNode>(node.input(), make_schema(std::move(fields)),
                                                     window.window, time);
  }

  PlanPtr prune_aggregate(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    const auto& aggregate = node.as<WindowAggregateNode>();
    const Needs& needs = needs_of(original);
    const ColumnMap& input = map_of(*node.input());
    const auto position = [&](int column) {
      return column < 0 ? -1 : input.index[static_cast<std::size_t>(column)];
    };
    map = empty_map(aggregate.schema->size());
    std::vector<Field> fields;
    const auto keep = [&](std::size_t column) {
      map.index[column] = static_cast<int>(fields.size());
      fields.push_back(aggregate.schema->fields()[column]);
    };
    std::size_t column = 0;
    std::vector<int> keys;
    for (const int key : aggregate.keys) {
      keys.push_back(position(key));
      keep(column++);
    }
    std::vector<AggregateCall> calls;
    for (AggregateCall call : aggregate.calls) {
      if (is_needed(needs[column])) {
        for (int& argument : call.arguments) argument = position(argument);
        call.filter = position(call.filter);
        calls.push_back(std::move(call));
        keep(column);
      }
      ++column;
    }
    std::vector<WindowBound> bounds;
    for (const WindowBound bound : aggregate.bounds) {
      if (is_needed(needs[column])) {
        bounds.push_back(bound);
        keep(column);
      }
      ++column;
    }
    auto pruned = std::make_shared<WindowAggregateNode>(
        node.input(), make_schema(std::move(fields)), aggregate.window,
        position(aggregate.time_column), std::move(keys), std::move(calls), std::move(bounds),
        aggregate.phase);
    pruned->identity = aggregate.identity;
    return pruned;
  }

  PlanPtr prune_union(const PlanNode& node, const PlanNode& original, ColumnMap& map) {
    map = empty_map(node.schema->size());
    std::vector<int> columns;
    std::vector<Field> fields;
    for (std::size_t i = 0; i < map.index.size(); ++i) {
      if (!is_needed(needs_of(original)[i])) continue;
      map.index[i] = static_cast<int>(columns.size());
      columns.push_back(static_cast<int>(i));
      fields.push_back(node.schema->fields()[i]);
    }
    std::vector<PlanPtr> inputs;
    for (const PlanPtr& input : node.inputs) {
      inputs.push_back(exactly(input, columns, node.schema->fields()));
    }
    return std::make_shared<UnionAllNode>(std::move(inputs), make_schema(std::move(fields)));
  }

  const BindEnvironment& environment_;
  std::unordered_map<const PlanNode*, Needs> needs_;     // By node before pruning.
  std::unordered_map<const PlanNode*, ColumnMap> maps_;  // By node after pruning.
  std::vector<PlanPtr> alive_;  // Keeps the keys of maps_ from being used again.
};

}  // namespace

Result<PlanRoots> prune_columns(const PlanRoots& roots, const BindEnvironment& environment) {
  return ColumnPruner(environment).run(roots);
}

}  // namespace clepsydra::sql
