// A window aggregation: one operator, or a local one before the exchange and a global one behind
// it.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "functions/aggregate_function.h"
#include "sql/logical/plan_identity.h"
#include "sql/lower/lowering.h"
#include "stream/type_codec.h"

namespace clepsydra::sql {
namespace {

std::vector<DataType> argument_types(const AggregateCall& call, const Schema& input) {
  std::vector<DataType> types;
  for (const int argument : call.arguments) types.push_back(input.field(argument).type);
  return types;
}

// `input`: of the rows that the aggregation began with, also for the global phase.
ValueTree lower_calls(const std::vector<AggregateCall>& calls, const Schema& input) {
  ValueTree list = ValueTree::list();
  for (const AggregateCall& call : calls) {
    ValueTree types = ValueTree::list();
    for (const DataType& type : argument_types(call, input)) types.add(type_to_tree(type));
    ValueTree tree = ValueTree::map();
    tree.set("function", call.function);
    tree.set("arguments", lower_integers(call.arguments));
    tree.set("argument_types", std::move(types));
    tree.set("filter", call.filter);
    tree.set("distinct", call.distinct);
    tree.set("type", type_to_tree(call.type));
    tree.set("name", call.name);
    list.add(std::move(tree));
  }
  return list;
}

ValueTree lower_bounds(const std::vector<WindowBound>& bounds) {
  ValueTree list = ValueTree::list();
  for (const WindowBound bound : bounds) list.add(window_bound_name(bound));
  return list;
}

ValueTree lower_options(const WindowAggregateNode& node, const char* phase,
                        const std::vector<int>& keys) {
  ValueTree options = ValueTree::map();
  options.set("phase", phase);
  options.set("window", lower_window(node.window));
  options.set("time_column", node.time_column);
  options.set("keys", lower_integers(keys));
  options.set("aggregates", lower_calls(node.calls, *node.input()->schema));
  options.set("outputs", lower_bounds(node.bounds));
  return options;
}

// Keys, slice_end, rows, then the columns of every accumulator.
Result<SchemaPtr> local_schema(const WindowAggregateNode& node) {
  const Schema& input = *node.input()->schema;
  std::vector<Field> fields;
  for (const int key : node.keys) fields.push_back(input.field(key));
  const DataType count = DataType::big_int().with_nullable(false);
  fields.push_back({"slice_end", count, {}});
  fields.push_back({"rows", count, {}});
  for (const AggregateCall& call : node.calls) {
    CLP_ASSIGN_OR_RETURN(
        const AggregateFunctionPtr function,
        make_aggregate(call.function, argument_types(call, input), call.type, call.distinct));
    int part = 0;
    for (const DataType& type : function->state_types()) {
      fields.push_back({fmt::format("{}${}", call.name, part++), type, {}});
    }
  }
  return make_schema(std::move(fields));
}

}  // namespace

Result<Lowering::Lowered> lower_window_aggregate(const PlanPtr& plan, Lowering& lowering) {
  const auto& node = plan->as<WindowAggregateNode>();
  CLP_ASSIGN_OR_RETURN(Lowering::Lowered input, lowering.lower(node.input()));
  const bool two_phase = node.phase == AggregatePhase::kTwoPhase;
  const int parallelism = node.keys.empty() ? 1 : lowering.environment().settings.parallelism;
  std::vector<int> keys = node.keys;
  SchemaPtr input_schema = node.input()->schema;
  if (two_phase) {
    OperatorSpec local;
    local.kind = "window_aggregate";
    local.uid = make_uid("local_window_aggregate", window_aggregate_identity(node));
    local.name = "LocalWindowAggregate";
    local.inputs = {input_schema};
    CLP_ASSIGN_OR_RETURN(local.output, local_schema(node));
    local.options = lower_options(node, "local", node.keys);
    input_schema = local.output;
    const int local_parallelism = lowering.parallelism_of(input);
    input = {{lowering.add_operator(std::move(local), local_parallelism, input, {})}};
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int>(i);
  }
  OperatorSpec spec;
  spec.kind = "window_aggregate";
  spec.uid = make_uid(spec.kind, window_aggregate_identity(node));
  spec.name = two_phase ? "GlobalWindowAggregate" : "WindowAggregate";
  spec.inputs = {input_schema};
  spec.output = plan->schema;
  spec.options = lower_options(node, two_phase ? "global" : "single", keys);
  Lowering::Exchange exchange;
  if (parallelism == 1) {
    // One subtask sees all rows: no exchange when the rows come from one subtask too.
    exchange.partitioning =
        lowering.parallelism_of(input) == 1 ? Partitioning::kForward : Partitioning::kGlobal;
  } else {
    exchange = {Partitioning::kHash, keys};
  }
  return Lowering::Lowered{{lowering.add_operator(std::move(spec), parallelism, input, exchange)}};
}

}  // namespace clepsydra::sql
