#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check.h"
#include "sql/logical/window_columns.h"
#include "sql/optimize/rules.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

constexpr std::int64_t kMillisecond = 1;

// A window aggregation in the making. `columns`: the node's input as columns of the new input.
struct Parts {
  PlanPtr input;
  WindowSpec window;
  int time_column = -1;
  std::vector<int> columns;
  // Per group key: a bound that the aggregation delivers, or nothing for a plain key.
  std::vector<std::optional<WindowBound>> key_bounds;
};

DataType bound_type(WindowBound bound, const Parts& parts, const DataType& key_type) {
  if (bound != WindowBound::kTime) return DataType::timestamp(3).with_nullable(false);
  const TimeAttribute attribute =
      parts.window.processing_time ? TimeAttribute::kProctime : TimeAttribute::kRowtime;
  return key_type.with_nullable(false).with_time_attribute(attribute);
}

// Indices 0 to size-1 ordered by what is at them.
std::vector<std::size_t> ordered_by(std::size_t size,
                                    const std::function<std::uint64_t(std::size_t)>& identity) {
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return identity(a) < identity(b); });
  return order;
}

// The WindowAggregate in the making, and where the columns of the Aggregate are in it.
struct Layout {
  std::vector<int> keys;
  std::vector<AggregateCall> calls;
  std::vector<WindowBound> bounds;
  AggregateIdentity identity;
  std::vector<Field> fields;
  std::vector<int> position;

  void add(int column, Field field) {
    position[static_cast<std::size_t>(column)] = static_cast<int>(fields.size());
    fields.push_back(std::move(field));
  }
};

void add_keys(const AggregateNode& aggregate, const Parts& parts, Layout& layout) {
  const std::vector<std::uint64_t>& identities = aggregate.identity.keys;
  layout.identity.input = aggregate.identity.input;
  for (const std::size_t i :
       ordered_by(aggregate.keys.size(), [&](std::size_t key) { return identities[key]; })) {
    if (parts.key_bounds[i]) continue;
    layout.keys.push_back(parts.columns[static_cast<std::size_t>(aggregate.keys[i])]);
    layout.identity.keys.push_back(identities[i]);
    layout.add(static_cast<int>(i), aggregate.schema->field(static_cast<int>(i)));
  }
}

void add_calls(const AggregateNode& aggregate, const Parts& parts, Layout& layout) {
  const auto input_of = [&](int column) { return parts.columns[static_cast<std::size_t>(column)]; };
  for (const std::size_t i : ordered_by(aggregate.calls.size(), [&](std::size_t call) {
         return aggregate.calls[call].identity;
       })) {
    AggregateCall call = aggregate.calls[i];
    for (int& argument : call.arguments) argument = input_of(argument);
    if (call.filter >= 0) call.filter = input_of(call.filter);
    layout.add(static_cast<int>(aggregate.keys.size() + i), {call.name, call.type, {}});
    layout.calls.push_back(std::move(call));
  }
}

void add_bounds(const AggregateNode& aggregate, const Parts& parts, Layout& layout) {
  const std::size_t first = layout.fields.size();
  for (std::size_t i = 0; i < aggregate.keys.size(); ++i) {
    if (!parts.key_bounds[i]) continue;
    const WindowBound bound = *parts.key_bounds[i];
    const auto known = std::find(layout.bounds.begin(), layout.bounds.end(), bound);
    if (known != layout.bounds.end()) {
      layout.position[i] =
          static_cast<int>(first + static_cast<std::size_t>(known - layout.bounds.begin()));
      continue;
    }
    layout.bounds.push_back(bound);
    const Field& key = aggregate.schema->field(static_cast<int>(i));
    layout.add(static_cast<int>(i),
               {std::string(window_bound_name(bound)), bound_type(bound, parts, key.type), {}});
  }
}

// The WindowAggregate and, above it, the columns in the order of the Aggregate.
PlanPtr build(const AggregateNode& aggregate, Parts parts) {
  Layout layout;
  layout.position.resize(aggregate.keys.size() + aggregate.calls.size());
  add_keys(aggregate, parts, layout);
  add_calls(aggregate, parts, layout);
  add_bounds(aggregate, parts, layout);
  const auto node = std::make_shared<WindowAggregateNode>(
      std::move(parts.input), make_schema(std::move(layout.fields)), std::move(parts.window),
      parts.time_column, std::move(layout.keys), std::move(layout.calls), std::move(layout.bounds),
      AggregatePhase::kSingle);
  node->identity = std::move(layout.identity);
  std::vector<ExpressionPtr> outputs;
  for (const int column : layout.position) outputs.push_back(column_of(*node, column));
  return std::make_shared<ProjectNode>(node, aggregate.schema, std::move(outputs));
}

// The columns of `plan` as columns of a window function below it; nothing when something else is
// between.
std::optional<std::vector<int>> columns_of_window_function(const PlanNode& plan) {
  std::vector<int> columns;
  if (plan.kind == PlanKind::kWindowTableFunction) {
    for (int i = 0; i < plan.schema->size(); ++i) columns.push_back(i);
    return columns;
  }
  if (plan.kind != PlanKind::kProject) return std::nullopt;
  const std::optional<std::vector<int>> below = columns_of_window_function(*plan.input());
  if (!below) return std::nullopt;
  for (const ExpressionPtr& expression : plan.as<ProjectNode>().expressions) {
    if (expression->kind() != Expression::Kind::kColumn) return std::nullopt;
    columns.push_back((*below)[static_cast<std::size_t>(expression->column_index())]);
  }
  return columns;
}

const WindowTableFunctionNode& window_function_below(const PlanNode& plan) {
  const PlanNode* node = &plan;
  while (node->kind != PlanKind::kWindowTableFunction) node = node->input().get();
  return node->as<WindowTableFunctionNode>();
}

// Aggregation right above the window function: it takes the function's place.
std::optional<Parts> absorb_window_function(const AggregateNode& aggregate) {
  const auto columns = columns_of_window_function(*aggregate.input());
  if (!columns) return std::nullopt;
  const WindowTableFunctionNode& window = window_function_below(*aggregate.input());
  const int inner = window.input()->schema->size();
  const auto column_of_input = [&](int column) {
    return (*columns)[static_cast<std::size_t>(column)];
  };
  for (const AggregateCall& call : aggregate.calls) {
    // MAX(window_end) needs the bound on every row.
    for (const int argument : call.arguments) {
      if (column_of_input(argument) >= inner) return std::nullopt;
    }
    if (call.filter >= 0 && column_of_input(call.filter) >= inner) return std::nullopt;
  }
  Parts parts{window.input(), window.window, window.time_column, *columns, {}};
  for (const int key : aggregate.keys) {
    const int column = column_of_input(key);
    if (column < inner) {
      parts.key_bounds.emplace_back();
    } else {
      parts.key_bounds.emplace_back(static_cast<WindowBound>(column - inner));
    }
  }
  return parts;
}

ExpressionPtr interval_literal(std::int64_t millis) {
  ColumnBuilder builder(DataType::interval_day_time("SECOND(3)").with_nullable(false),
                        literal_pool());
  builder.append<std::int64_t>(millis);
  return Expression::literal(builder.finish().value());
}

// window_end - 1 ms, on the time line of watermarks.
Result<ExpressionPtr> window_time_of(const ExpressionPtr& end, const WindowSpec& window,
                                     const FunctionRegistry& functions) {
  ExpressionPtr time = end;
  if (!window.zone.empty()) {
    CLP_ASSIGN_OR_RETURN(time, functions.cast(end, DataType::timestamp_ltz(3), false));
  }
  CLP_ASSIGN_OR_RETURN(time, functions.resolve("-", {time, interval_literal(kMillisecond)}));
  return Expression::call(time->name(), time->arguments(),
                          time->type().with_time_attribute(TimeAttribute::kRowtime));
}

// Rows that already carry their window: they are grouped by it through windows as long as one step,
// in which each holds exactly one window_end. Its window_start is an ordinary key.
Result<Parts> attach_to_window(const AggregateNode& aggregate, const BindEnvironment& environment) {
  const PlanPtr& input = aggregate.input();
  const std::optional<WindowColumns> windows = window_columns(*input);
  if (!windows || windows->ends.empty()) {
    return Status::internal("the windows of an aggregation got lost while it was planned");
  }
  if (windows->window.processing_time) {
    return Status::unimplemented(
        "an aggregation over windows of processing time that were computed before is not built "
        "yet");
  }
  Parts parts;
  parts.window.size_ms = windows->window.step_ms;
  parts.window.step_ms = windows->window.step_ms;
  parts.window.offset_ms = windows->window.offset_ms % windows->window.step_ms;
  parts.window.zone = windows->window.zone;
  std::vector<ExpressionPtr> expressions;
  std::vector<Field> fields = input->schema->fields();
  for (int i = 0; i < input->schema->size(); ++i) {
    parts.columns.push_back(i);
    expressions.push_back(column_of(*input, i));
  }
  if (!windows->times.empty()) {
    parts.input = input;
    parts.time_column = windows->times[0];
  } else {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr time,
                         window_time_of(column_of(*input, windows->ends[0]), windows->window,
                                        environment.functions));
    parts.time_column = static_cast<int>(expressions.size());
    fields.push_back({"window_time", time->type(), {}});
    expressions.push_back(std::move(time));
    parts.input = std::make_shared<ProjectNode>(input, make_schema(std::move(fields)),
                                                std::move(expressions));
  }
  for (const int key : aggregate.keys) {
    std::optional<WindowBound> bound = windows->bound_of(key);
    if (bound == WindowBound::kStart) bound.reset();
    parts.key_bounds.push_back(bound);
  }
  return parts;
}

}  // namespace

Result<PlanRoots> make_window_aggregates(const PlanRoots& roots,
                                         const BindEnvironment& environment) {
  return rewrite_bottom_up(roots, [&](const PlanPtr& node, const PlanNode&) -> Result<PlanPtr> {
    const auto* aggregate = node->as_if<AggregateNode>();
    if (aggregate == nullptr) return node;
    if (std::optional<Parts> parts = absorb_window_function(*aggregate)) {
      return build(*aggregate, *std::move(parts));
    }
    CLP_ASSIGN_OR_RETURN(Parts parts, attach_to_window(*aggregate, environment));
    return build(*aggregate, std::move(parts));
  });
}

}  // namespace clepsydra::sql
