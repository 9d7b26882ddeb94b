// window_aggregate: aggregates per key and window.
//
// Options
//   phase        "single": rows in, results out. Or in two steps: "local" in front of the exchange,
//   rows in,
//                partial results out; "global" behind it, partial results in, results out.
//   window       {kind: "tumble" | "hop" | "cumulate", size_ms, slide_ms (hop), step_ms (cumulate),
//   offset_ms,
//                zone}; zone: "" or the zone on whose local time windows lie, for TIMESTAMP_LTZ and
//                processing time.
//   time_column  of the input; -1: processing time (single only). Not looked at by global.
//   keys         [column], may be empty. Of a global: its first columns.
//   aggregates   [{function, arguments: [column], argument_types: [type], filter: column | -1,
//   distinct, type,
//                name}]; argument_types are needed by global, which does not have the arguments'
//                columns.
//   outputs      ["window_start" | "window_end" | "window_time"], any, in order.
//
// Output
//   local        keys, slice_end BIGINT, rows BIGINT, then the columns of every accumulator
//                (AggregateFunction::state_types).
//   global, single   keys, results, outputs. A window is emitted when the watermark reaches its end
//   - 1 ms, or
//                processing time its end; keys in the order in which they first came; windows by
//                end. A key without rows in a window has no result.
//
// Late     A row whose windows have all closed is counted and dropped, by single and by local, each
// by its own
//          watermark; global drops partial results that are late by its own. A row that is late for
//          some of its windows counts for the others. Rows without a time are dropped and counted
//          as such.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "operators/window/window_aggregate_options.h"

namespace clepsydra {
namespace {

Result<AggregatePhase> phase_of(const ValueTree& options) {
  CLP_ASSIGN_OR_RETURN(const std::string name, options.get_string("phase"));
  if (name == "local") return AggregatePhase::kLocal;
  if (name == "global") return AggregatePhase::kGlobal;
  if (name == "single") return AggregatePhase::kSingle;
  return Status::invalid_argument(
      fmt::format("unknown phase '{}'; expected local, global or single", name));
}

Result<std::vector<int>> key_columns(const ValueTree& options, const Schema& input) {
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, options.get_list("keys"));
  std::vector<int> keys;
  for (const ValueTree& item : list) {
    const std::int64_t* key = item.as_int();
    if (key == nullptr || *key < 0 || *key >= input.size()) {
      return Status::invalid_argument(
          fmt::format("key {} is not a column of the input", item.to_string()));
    }
    keys.push_back(static_cast<int>(*key));
  }
  return keys;
}

Result<std::vector<WindowProperty>> window_properties(const ValueTree& options) {
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, options.get_list("outputs"));
  std::vector<WindowProperty> properties;
  for (const ValueTree& item : list) {
    const std::string* name = item.as_string();
    if (name != nullptr && *name == "window_start") {
      properties.push_back(WindowProperty::kStart);
    } else if (name != nullptr && *name == "window_end") {
      properties.push_back(WindowProperty::kEnd);
    } else if (name != nullptr && *name == "window_time") {
      properties.push_back(WindowProperty::kTime);
    } else {
      return Status::invalid_argument(fmt::format(
          "unknown output {}; expected window_start, window_end or window_time", item.to_string()));
    }
  }
  return properties;
}

Status check_time_column(const WindowAggregateOptions& options, const Schema& input) {
  if (options.time_column == -1) {
    if (options.phase == AggregatePhase::kSingle) return Status::ok();
    return Status::invalid_argument("windows of processing time are aggregated in one phase only");
  }
  if (options.time_column < 0 || options.time_column >= input.size() ||
      !input.field(options.time_column).type.is_timestamp()) {
    return Status::invalid_argument(fmt::format("column {} is not a time of the input {}",
                                                options.time_column, input.to_string()));
  }
  return Status::ok();
}

// Columns that the operator will produce or read by position.
Status check_columns(const WindowAggregateOptions& options, const OperatorSpec& spec) {
  const int keys = static_cast<int>(options.keys.size());
  const int partial_columns = keys + 2 + options.aggregates.state_columns();
  const Schema& input = *spec.inputs[0];
  if (options.phase == AggregatePhase::kGlobal) {
    const auto is_big_int = [&](int column) {
      return input.field(column).type.kind() == TypeKind::kBigInt;
    };
    if (input.size() != partial_columns || !is_big_int(keys) || !is_big_int(keys + 1)) {
      return Status::invalid_argument(
          fmt::format("a global window aggregate takes {} keys, slice_end BIGINT, rows BIGINT and "
                      "{} columns of "
                      "accumulators, found {}",
                      keys, options.aggregates.state_columns(), input.to_string()));
    }
    for (int i = 0; i < keys; ++i) {
      if (options.keys[static_cast<std::size_t>(i)] != i) {
        return Status::invalid_argument(
            "the keys of a global window aggregate are its first columns");
      }
    }
  }
  const int columns =
      options.phase == AggregatePhase::kLocal
          ? partial_columns
          : keys + options.aggregates.size() + static_cast<int>(options.properties.size());
  if (spec.output->size() != columns) {
    return Status::invalid_argument(
        fmt::format("its output has {} columns, but {} are declared: {}", columns,
                    spec.output->size(), spec.output->to_string()));
  }
  const int first_property = columns - static_cast<int>(options.properties.size());
  for (int i = first_property; options.phase != AggregatePhase::kLocal && i < columns; ++i) {
    if (!spec.output->field(i).type.is_timestamp()) {
      return Status::invalid_argument(fmt::format("column {} of its output is not a timestamp", i));
    }
  }
  return Status::ok();
}

Result<OperatorPtr> make_window_aggregate(const OperatorSpec& spec, OperatorContext& context) {
  CLP_ASSIGN_OR_RETURN(WindowAggregateOptions options, WindowAggregateOptions::from_spec(spec));
  return options.phase == AggregatePhase::kLocal
             ? make_local_window_aggregate(std::move(options), spec, context)
             : make_keyed_window_aggregate(std::move(options), spec, context);
}

}  // namespace

Result<WindowAggregateOptions> WindowAggregateOptions::from_spec(const OperatorSpec& spec) {
  const Schema& input = *spec.inputs[0];
  WindowAggregateOptions options;
  CLP_ASSIGN_OR_RETURN(options.phase, phase_of(spec.options));
  CLP_ASSIGN_OR_RETURN(const ValueTree window, spec.options.get("window"));
  CLP_ASSIGN_OR_RETURN(options.window, WindowSpec::from_tree(window));
  CLP_ASSIGN_OR_RETURN(options.time, WindowTime::make(options.window.zone()));
  const bool partials = options.phase == AggregatePhase::kGlobal;
  if (!partials) {
    CLP_ASSIGN_OR_RETURN(const std::int64_t time_column, spec.options.get_int("time_column"));
    options.time_column = static_cast<int>(std::clamp<std::int64_t>(time_column, -2, input.size()));
    CLP_RETURN_IF_ERROR(check_time_column(options, input));
  }
  CLP_ASSIGN_OR_RETURN(options.keys, key_columns(spec.options, input));
  for (const int key : options.keys) options.key_types.push_back(input.field(key).type);
  CLP_ASSIGN_OR_RETURN(const ValueTree::List calls, spec.options.get_list("aggregates"));
  CLP_ASSIGN_OR_RETURN(options.aggregates, AggregateRow::make(calls, input, partials));
  CLP_ASSIGN_OR_RETURN(options.properties, window_properties(spec.options));
  CLP_RETURN_IF_ERROR(check_columns(options, spec));
  return options;
}

void register_window_aggregate(OperatorRegistry& registry) {
  registry.add({.kind = "window_aggregate", .inputs = 1, .make = make_window_aggregate});
}

}  // namespace clepsydra
