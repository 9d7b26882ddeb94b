#include "operators/window/window_test_plans.h"

#include <utility>

#include "functions/aggregate_function.h"
#include "stream/type_codec.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::testing {
namespace {

ValueTree window_tree(std::string_view kind, std::int64_t size_ms, std::int64_t offset_ms) {
  ValueTree tree;
  tree.set("kind", kind);
  tree.set("size_ms", size_ms);
  tree.set("offset_ms", offset_ms);
  return tree;
}

std::vector<DataType> argument_types(const AggregatePlan& plan, const Schema& input) {
  std::vector<DataType> types;
  for (const int argument : plan.arguments) types.push_back(input.field(argument).type);
  return types;
}

ValueTree aggregates_tree(const WindowPlan& plan, const Schema& input) {
  ValueTree list = ValueTree::list();
  for (const AggregatePlan& aggregate : plan.aggregates) {
    ValueTree types = ValueTree::list();
    for (const DataType& type : argument_types(aggregate, input)) types.add(type_to_tree(type));
    ValueTree tree;
    tree.set("function", aggregate.function);
    tree.set("arguments", int_list(aggregate.arguments));
    tree.set("argument_types", std::move(types));
    tree.set("filter", aggregate.filter);
    tree.set("distinct", aggregate.distinct);
    tree.set("type", type_to_tree(aggregate.type));
    tree.set("name", aggregate.function);
    list.add(std::move(tree));
  }
  return list;
}

ValueTree options_tree(const WindowPlan& plan, const Schema& input, const char* phase,
                       const std::vector<int>& keys) {
  ValueTree outputs = ValueTree::list();
  for (const std::string& name : plan.outputs) outputs.add(name);
  ValueTree options;
  options.set("phase", phase);
  options.set("window", plan.window);
  options.set("time_column", plan.time_column);
  options.set("keys", int_list(keys));
  options.set("aggregates", aggregates_tree(plan, input));
  options.set("outputs", std::move(outputs));
  return options;
}

SchemaPtr partials_schema(const WindowPlan& plan, const Schema& input) {
  std::vector<Field> fields;
  for (const int key : plan.keys) fields.push_back(input.field(key));
  const DataType count = DataType::big_int().with_nullable(false);
  fields.push_back({"slice_end", count, {}});
  fields.push_back({"rows", count, {}});
  for (const AggregatePlan& aggregate : plan.aggregates) {
    const AggregateFunctionPtr function =
        make_aggregate(aggregate.function, argument_types(aggregate, input), aggregate.type,
                       aggregate.distinct)
            .value();
    for (const DataType& type : function->state_types()) fields.push_back({"state", type, {}});
  }
  return make_schema(std::move(fields));
}

SchemaPtr results_schema(const WindowPlan& plan, const Schema& input) {
  std::vector<Field> fields;
  for (const int key : plan.keys) fields.push_back(input.field(key));
  for (const AggregatePlan& aggregate : plan.aggregates) {
    fields.push_back({aggregate.function, aggregate.type, {}});
  }
  for (const std::string& name : plan.outputs) fields.push_back({name, plan.output_type, {}});
  return make_schema(std::move(fields));
}

}  // namespace

ValueTree int_list(const std::vector<int>& values) {
  ValueTree list = ValueTree::list();
  for (const int value : values) list.add(value);
  return list;
}

ValueTree tumble_window(std::int64_t size_ms, std::int64_t offset_ms, std::string_view zone) {
  ValueTree tree = window_tree("tumble", size_ms, offset_ms);
  tree.set("zone", zone);
  return tree;
}

ValueTree hop_window(std::int64_t size_ms, std::int64_t slide_ms, std::int64_t offset_ms) {
  ValueTree tree = window_tree("hop", size_ms, offset_ms);
  tree.set("slide_ms", slide_ms);
  return tree;
}

ValueTree cumulate_window(std::int64_t size_ms, std::int64_t step_ms, std::int64_t offset_ms) {
  ValueTree tree = window_tree("cumulate", size_ms, offset_ms);
  tree.set("step_ms", step_ms);
  return tree;
}

AggregatePlan count_star() {
  return {.function = "COUNT", .arguments = {}, .type = DataType::big_int().with_nullable(false)};
}

AggregatePlan aggregate_int(std::string_view function, int column) {
  return {.function = std::string(function), .arguments = {column}, .type = DataType::integer()};
}

std::vector<OperatorSpec> window_aggregate_specs(const WindowPlan& plan, bool two_phase) {
  const SchemaPtr input = schema_of(plan.input);
  OperatorSpec last;
  last.kind = "window_aggregate";
  last.output = results_schema(plan, *input);
  if (!two_phase) {
    last.name = "WindowAggregate";
    last.inputs = {input};
    last.options = options_tree(plan, *input, "single", plan.keys);
    return {last};
  }
  OperatorSpec local;
  local.kind = "window_aggregate";
  local.name = "LocalWindowAggregate";
  local.inputs = {input};
  local.output = partials_schema(plan, *input);
  local.options = options_tree(plan, *input, "local", plan.keys);
  std::vector<int> keys;
  for (std::size_t i = 0; i < plan.keys.size(); ++i) keys.push_back(static_cast<int>(i));
  last.name = "GlobalWindowAggregate";
  last.inputs = {local.output};
  last.options = options_tree(plan, *input, "global", keys);
  return {local, last};
}

}  // namespace clepsydra::testing
