#include <fmt/format.h>

#include <unordered_map>
#include <vector>

#include "base/check.h"
#include "base/duration.h"
#include "sql/changelog/changelog_mode.h"
#include "sql/explain/explain.h"
#include "sql/explain/row_estimate.h"

namespace clepsydra::sql {
namespace {

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

std::string field_list(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  return join(names);
}

std::string column_list(const Schema& schema, const std::vector<int>& columns) {
  std::vector<std::string> names;
  for (const int column : columns) names.push_back(schema.field(column).name);
  return join(names);
}

std::string projection_list(const ProjectNode& project) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < project.expressions.size(); ++i) {
    std::string item = project.expressions[i]->to_string();
    const std::string& name = project.schema->fields()[i].name;
    items.push_back(item == name ? std::move(item) : fmt::format("{} AS {}", item, name));
  }
  return join(items);
}

std::string table_path(const CatalogTable& table) {
  return fmt::format("{}, {}, {}", table.path.catalog, table.path.database, table.path.object);
}

std::string length_text(std::int64_t millis) {
  return format_duration(std::chrono::milliseconds(millis));
}

std::string window_text(const WindowSpec& window, int time_column, const Schema& input) {
  std::string out = fmt::format("{}(", window_kind_name(window.kind));
  out += time_column < 0 ? "processing time"
                         : fmt::format("time_col=[{}]", input.field(time_column).name);
  if (window.kind == WindowKind::kTumble) {
    out += fmt::format(", size=[{}]", length_text(window.size_ms));
  } else if (window.kind == WindowKind::kHop) {
    out += fmt::format(", size=[{}], slide=[{}]", length_text(window.size_ms),
                       length_text(window.step_ms));
  } else {
    out += fmt::format(", max_size=[{}], step=[{}]", length_text(window.size_ms),
                       length_text(window.step_ms));
  }
  if (window.offset_ms != 0) out += fmt::format(", offset=[{}]", length_text(window.offset_ms));
  if (!window.zone.empty()) out += fmt::format(", zone=[{}]", window.zone);
  return out + ")";
}

std::string call_list(const std::vector<AggregateCall>& calls, const Schema& input) {
  std::vector<std::string> items;
  for (const AggregateCall& call : calls) {
    std::string arguments = call.arguments.empty() ? "*" : column_list(input, call.arguments);
    std::string item =
        fmt::format("{}({}{})", call.function, call.distinct ? "DISTINCT " : "", arguments);
    if (call.filter >= 0) item += fmt::format(" FILTER {}", input.field(call.filter).name);
    items.push_back(fmt::format("{} AS {}", item, call.name));
  }
  return join(items);
}

std::string bound_list(const std::vector<WindowBound>& bounds) {
  std::vector<std::string> names;
  for (const WindowBound bound : bounds) names.emplace_back(window_bound_name(bound));
  return join(names);
}

std::string condition_text(const PartitionCondition& condition) {
  using enum PartitionCondition::Kind;
  std::string values;
  for (const std::string& value : condition.values) {
    values += fmt::format("{}'{}'", values.empty() ? "" : ", ", value);
  }
  const auto with = [&](std::string_view sign) {
    return fmt::format("{} {} {}", condition.column, sign, values);
  };
  switch (condition.kind) {
    case kOneOf:
      return condition.values.size() == 1 ? with("=")
                                          : fmt::format("{} IN ({})", condition.column, values);
    case kNotEqual:
      return with("<>");
    case kLess:
      return with("<");
    case kLessOrEqual:
      return with("<=");
    case kGreater:
      return with(">");
    case kGreaterOrEqual:
      return with(">=");
    case kIsNull:
      return condition.column + " IS NULL";
    case kIsNotNull:
      return condition.column + " IS NOT NULL";
  }
  return {};
}

// ", partitions=[day = '2024-01-31']": those that are read.
std::string partition_text(const ScanNode& scan) {
  if (scan.partition_conditions.empty()) return {};
  std::string text;
  for (const PartitionCondition& condition : scan.partition_conditions) {
    text += (text.empty() ? "" : ", ") + condition_text(condition);
  }
  return fmt::format(", partitions=[{}]", text);
}

// Prints one forest.
class PlanPrinter {
 public:
  PlanPrinter(const PlanRoots& roots, const PlanTextOptions& options)
      : options_(options), consumers_(count_consumers(roots)) {}

  void print_root(const PlanPtr& root) {
    // The client's own end is no part of what was asked.
    const PlanPtr& shown = root->kind == PlanKind::kCollect ? root->input() : root;
    print(*shown, "", "");
  }
  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  [[nodiscard]] bool is_physical() const { return options_.style == PlanStyle::kPhysical; }

  [[nodiscard]] bool is_shared(const PlanNode& node) const {
    const auto it = consumers_.find(&node);
    return it != consumers_.end() && it->second > 1;
  }

  void line(const std::string& prefix, const std::string& text, const PlanNode& node) {
    out_ += prefix + text;
    if (options_.changelog_mode) {
      out_.pop_back();  // The closing parenthesis.
      const std::string mode = sql::changelog_mode(node).to_string();
      out_ += fmt::format("{}changelogMode=[{}])", text.ends_with("()") ? "" : ", ",
                          mode.substr(1, mode.size() - 2));
    }
    if (options_.estimate_with != nullptr) {
      const RowEstimate estimate = estimate_rows(node, *options_.estimate_with);
      out_ += fmt::format(": rowcount = {:.0f}, cumulative cost = {{{:.0f} rows}}", estimate.rows,
                          estimate.cumulative);
    }
    out_ += "\n";
  }

  // `prefix` stands before the node's own line, `indent` before the lines below it.
  void print(const PlanNode& node, const std::string& prefix, const std::string& indent) {
    if (is_physical() && is_shared(node)) {
      const auto [it, first] = ids_.emplace(&node, static_cast<int>(ids_.size()) + 1);
      if (!first) {
        out_ += fmt::format("{}Reused(reference_id=[{}])\n", prefix, it->second);
        return;
      }
    }
    std::string text = is_physical() ? physical(node) : logical(node);
    if (is_physical() && is_shared(node)) text += fmt::format("(reuse_id=[{}])", ids_.at(&node));
    const PlanNode* shown = &node;
    if (is_physical() && node.kind == PlanKind::kProject &&
        node.input()->kind == PlanKind::kFilter && !is_shared(*node.input())) {
      shown = node.input().get();
    }
    line(prefix, text, node);
    if (is_physical() && node.kind == PlanKind::kWindowAggregate) {
      print_exchange(node.as<WindowAggregateNode>(), indent);
      return;
    }
    print_inputs(*shown, indent);
  }

  void print_inputs(const PlanNode& node, const std::string& indent) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const bool last = i + 1 == node.inputs.size();
      print(*node.inputs[i], indent + (last ? "+- " : ":- "), indent + (last ? "   " : ":  "));
    }
  }

  void print_exchange(const WindowAggregateNode& node, const std::string& indent) {
    const Schema& input = *node.input()->schema;
    const std::string keys = column_list(input, node.keys);
    std::string below = indent;
    if (options_.parallelism > 1) {
      line(below + "+- ",
           fmt::format("Exchange(distribution=[{}])",
                       node.keys.empty() ? std::string("single") : fmt::format("hash[{}]", keys)),
           *node.input());
      below += "   ";
    }
    if (node.phase == AggregatePhase::kTwoPhase) {
      line(below + "+- ",
           fmt::format("LocalWindowAggregate(groupBy=[{}], window=[{}], select=[{}])", keys,
                       window_text(node.window, node.time_column, input),
                       call_list(node.calls, input)),
           *node.input());
      below += "   ";
    }
    print(*node.input(), below + "+- ", below + "   ");
  }

  [[nodiscard]] std::string logical(const PlanNode& node) const {
    switch (node.kind) {
      case PlanKind::kScan:
        return fmt::format("LogicalTableScan(table=[[{}]])",
                           table_path(*node.as<ScanNode>().table));
      case PlanKind::kWatermark: {
        const auto& watermark = node.as<WatermarkNode>();
        return fmt::format("LogicalWatermarkAssigner(rowtime=[{}], watermark=[{}])",
                           node.schema->field(watermark.rowtime).name,
                           watermark.expression->to_string());
      }
      case PlanKind::kValues:
        return fmt::format("LogicalValues(rows=[{}])", node.as<ValuesNode>().rows);
      case PlanKind::kFilter:
        return fmt::format("LogicalFilter(condition=[{}])",
                           node.as<FilterNode>().condition->to_string());
      case PlanKind::kProject:
        return fmt::format("LogicalProject({})", projection_list(node.as<ProjectNode>()));
      case PlanKind::kWindowTableFunction: {
        const auto& window = node.as<WindowTableFunctionNode>();
        return fmt::format("LogicalTableFunctionScan(invocation=[{}])",
                           window_text(window.window, window.time_column, *node.input()->schema));
      }
      case PlanKind::kAggregate: {
        const auto& aggregate = node.as<AggregateNode>();
        return fmt::format("LogicalAggregate(group=[{}], calls=[{}])",
                           column_list(*node.input()->schema, aggregate.keys),
                           call_list(aggregate.calls, *node.input()->schema));
      }
      case PlanKind::kUnionAll:
        return "LogicalUnion(all=[true])";
      case PlanKind::kSink:
        return sink("LogicalSink", node.as<SinkNode>());
      case PlanKind::kWindowAggregate:
      case PlanKind::kCollect:
        break;
    }
    return physical(node);
  }

  static std::string sink(const char* name, const SinkNode& node) {
    return fmt::format("{}(table=[{}.{}.{}], fields=[{}])", name, node.table->path.catalog,
                       node.table->path.database, node.table->path.object,
                       field_list(*node.schema));
  }

  [[nodiscard]] std::string physical(const PlanNode& node) const {
    switch (node.kind) {
      case PlanKind::kScan: {
        const auto& scan = node.as<ScanNode>();
        return fmt::format("TableSourceScan(table=[[{}{}]], fields=[{}])", table_path(*scan.table),
                           partition_text(scan), scan_fields(scan));
      }
      case PlanKind::kWatermark: {
        const auto& watermark = node.as<WatermarkNode>();
        return fmt::format("WatermarkAssigner(rowtime=[{}], watermark=[{}])",
                           node.schema->field(watermark.rowtime).name,
                           watermark.expression->to_string());
      }
      case PlanKind::kValues:
        return fmt::format("Values(fields=[{}], rows=[{}])", field_list(*node.schema),
                           node.as<ValuesNode>().rows);
      case PlanKind::kFilter:
        return fmt::format("Calc(where=[{}])", node.as<FilterNode>().condition->to_string());
      case PlanKind::kProject: {
        const auto& project = node.as<ProjectNode>();
        const auto* filter = project.input()->as_if<FilterNode>();
        std::string where;
        if (filter != nullptr && !is_shared(*filter)) {
          where = fmt::format(", where=[{}]", filter->condition->to_string());
        }
        return fmt::format("Calc(select=[{}]{})", projection_list(project), where);
      }
      case PlanKind::kWindowTableFunction: {
        const auto& window = node.as<WindowTableFunctionNode>();
        return fmt::format("WindowTableFunction(window=[{}])",
                           window_text(window.window, window.time_column, *node.input()->schema));
      }
      case PlanKind::kWindowAggregate: {
        const auto& aggregate = node.as<WindowAggregateNode>();
        const Schema& input = *node.input()->schema;
        return fmt::format("{}(groupBy=[{}], window=[{}], select=[{}], bounds=[{}])",
                           aggregate.phase == AggregatePhase::kTwoPhase ? "GlobalWindowAggregate"
                                                                        : "WindowAggregate",
                           column_list(input, aggregate.keys),
                           window_text(aggregate.window, aggregate.time_column, input),
                           call_list(aggregate.calls, input), bound_list(aggregate.bounds));
      }
      case PlanKind::kUnionAll:
        return fmt::format("Union(all=[true], fields=[{}])", field_list(*node.schema));
      case PlanKind::kSink:
        return sink("Sink", node.as<SinkNode>());
      case PlanKind::kAggregate:
      case PlanKind::kCollect:
        break;
    }
    return fmt::format("Collect(fields=[{}])", field_list(*node.schema));
  }

  // Columns that are read; of a ROW column that is read in part, the fields too.
  static std::string scan_fields(const ScanNode& scan) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < scan.columns.size(); ++i) {
      const Field& field = scan.schema->fields()[i];
      const DataType& declared =
          scan.table->columns[static_cast<std::size_t>(scan.columns[i])].type;
      names.push_back(
          field.type.kind() == TypeKind::kRow && !field.type.same_values(declared)
              ? fmt::format("{}({})", field.name, field_list(Schema(field.type.fields())))
              : field.name);
    }
    return join(names);
  }

  const PlanTextOptions options_;
  const std::unordered_map<const PlanNode*, int> consumers_;
  std::unordered_map<const PlanNode*, int> ids_;
  std::string out_;
};

}  // namespace

std::string plan_text(const PlanRoots& roots, const PlanTextOptions& options) {
  PlanPrinter printer(roots, options);
  for (const PlanPtr& root : roots) printer.print_root(root);
  return std::move(printer).text();
}

}  // namespace clepsydra::sql
