// SELECT: items, WHERE, GROUP BY, HAVING.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/query_binder.h"
#include "sql/logical/window_columns.h"

namespace clepsydra::sql {
namespace {

// The name of a SELECT item without an alias: that of the column or field, else EXPR$position.
std::string item_name(const ast::Expression& expression, std::size_t position) {
  if (const auto* column = expression.as_if<ast::ColumnReference>())
    return column->parts.back().name;
  return fmt::format("EXPR${}", position);
}

// The name of a column that * stands for.
std::string expanded_name(const Expression& column) {
  if (column.kind() == Expression::Kind::kColumn) return column.name();
  const std::optional<std::int64_t> field = integer_value(*column.argument(1));
  CLP_CHECK(field.has_value());
  return column.argument(0)->type().fields()[static_cast<std::size_t>(*field)].name;
}

bool is_same_window(const ast::Expression& grouped, std::string_view window,
                    const ast::FunctionCall& call) {
  const auto* group = grouped.as_if<ast::FunctionCall>();
  if (group == nullptr || group->upper_name() != window ||
      group->arguments.size() != call.arguments.size()) {
    return false;
  }
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (ast::to_sql(*group->arguments[i].value) != ast::to_sql(*call.arguments[i].value)) {
      return false;
    }
  }
  return true;
}

// The index of an equal expression, which is added when there is none.
int index_of(std::vector<ExpressionPtr>& expressions, const ExpressionPtr& expression) {
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    if (expressions[i] == expression || *expressions[i] == *expression) return static_cast<int>(i);
  }
  expressions.push_back(expression);
  return static_cast<int>(expressions.size() - 1);
}

bool is_grouping(const Expression& expression) {
  return expression.kind() == Expression::Kind::kCall &&
         expression.name() == ExpressionBinder::kGrouping;
}

// The first GROUPING call in it, or null.
const Expression* find_grouping(const Expression& expression) {
  if (is_grouping(expression)) return &expression;
  for (const ExpressionPtr& argument : expression.arguments()) {
    if (const Expression* found = find_grouping(*argument); found != nullptr) return found;
  }
  return nullptr;
}

// Rewrites expressions over the input of an aggregation to expressions over its output.
class GroupRewriter {
 public:
  GroupRewriter(const std::vector<ExpressionPtr>& keys, const Schema& output,
                const ExpressionBinder& binder, const StatementText& text)
      : keys_(keys), output_(output), binder_(binder), text_(text) {}

  Result<ExpressionPtr> rewrite(const ExpressionPtr& expression) {
    if (is_grouping(*expression)) return grouping(*expression);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      if (*keys_[i] == *expression) return output_column(static_cast<int>(i));
    }
    switch (expression->kind()) {
      case Expression::Kind::kLiteral:
        return expression;
      case Expression::Kind::kColumn: {
        const int index = expression->column_index();
        if (index >= AggregateCollector::kPlaceholderBase) {
          return output_column(static_cast<int>(keys_.size()) + index -
                               AggregateCollector::kPlaceholderBase);
        }
        return text_.invalid(
            binder_.place_of(*expression),
            fmt::format("'{}' is neither grouped nor inside an aggregate", expression->name()),
            fmt::format("add '{}' to GROUP BY", expression->name()));
      }
      case Expression::Kind::kCall:
        break;
    }
    std::vector<ExpressionPtr> arguments;
    for (const ExpressionPtr& argument : expression->arguments()) {
      CLP_ASSIGN_OR_RETURN(ExpressionPtr rewritten, rewrite(argument));
      arguments.push_back(std::move(rewritten));
    }
    return Expression::call(expression->name(), std::move(arguments), expression->type());
  }

 private:
  // A bit for each key, 1 where it is grouped away: there is one set of keys, with all of them.
  [[nodiscard]] Result<ExpressionPtr> grouping(const Expression& call) const {
    for (const ExpressionPtr& argument : call.arguments()) {
      const bool is_key = std::any_of(keys_.begin(), keys_.end(),
                                      [&](const ExpressionPtr& key) { return *key == *argument; });
      if (!is_key) {
        return text_.invalid(binder_.place_of(call),
                             "the arguments of GROUPING must be expressions of GROUP BY");
      }
    }
    return big_int_literal(0);
  }

  [[nodiscard]] ExpressionPtr output_column(int index) const {
    const Field& field = output_.field(index);
    return Expression::column(index, field.type, field.name);
  }

  const std::vector<ExpressionPtr>& keys_;
  const Schema& output_;
  const ExpressionBinder& binder_;
  const StatementText& text_;
};

// Keys and aggregates as a schema. Only window_time stays a time attribute.
SchemaPtr aggregate_schema(const std::vector<ExpressionPtr>& keys,
                           const AggregateCollector& aggregates,
                           const std::vector<std::string>& call_names,
                           const std::optional<WindowColumns>& windows) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool plain = keys[i]->kind() == Expression::Kind::kColumn;
    const bool is_time =
        plain && windows && windows->bound_of(keys[i]->column_index()) == WindowBound::kTime;
    DataType type = keys[i]->type();
    if (!is_time) type = type.with_time_attribute(TimeAttribute::kNone);
    fields.push_back({plain ? keys[i]->name() : fmt::format("$f{}", i), std::move(type), {}});
  }
  for (std::size_t i = 0; i < aggregates.calls().size(); ++i) {
    fields.push_back({call_names[i], aggregates.calls()[i].type, {}});
  }
  return make_schema(std::move(fields));
}

// The keys of GROUP BY, or `otherwise` without any.
ast::SourceRange group_range(const ast::Select& select, ast::SourceRange otherwise) {
  if (!select.has_group_by || select.group_by.empty()) return otherwise;
  return ast::cover(select.group_by.front().range, select.group_by.back().range);
}

Status collect_keys(const ast::GroupingElement& element, const StatementText& text,
                    ExpressionBinder& binder, std::vector<ExpressionPtr>& keys) {
  ErrorList errors;
  switch (element.kind) {
    case ast::GroupingKind::kExpression:
    case ast::GroupingKind::kTuple:
      for (const ast::ExpressionPtr& expression : element.expressions) {
        const Result<ExpressionPtr> key = binder.bind(*expression);
        errors.add(expression->range, key.status());
        if (errors.is_full()) break;
        // A constant groups nothing. A number is no position of the SELECT list, as in the
        // reference.
        if (key.is_ok() && (*key)->kind() != Expression::Kind::kLiteral) index_of(keys, *key);
      }
      return errors.status();
    case ast::GroupingKind::kEmpty:
      return Status::ok();
    case ast::GroupingKind::kRollup:
      return text.not_built(element.range, "ROLLUP");
    case ast::GroupingKind::kCube:
      return text.not_built(element.range, "CUBE");
    case ast::GroupingKind::kSets:
      return text.not_built(element.range, "GROUPING SETS");
  }
  return Status::ok();
}

}  // namespace

Status QueryBinder::refuse_select_clauses(const ast::Select& select) const {
  if (select.stream) return text_.not_built(select.range, "SELECT STREAM");
  if (select.qualify) return text_.not_built(select.qualify->range, "QUALIFY");
  return Status::ok();
}

std::vector<QueryBinder::Output> QueryBinder::bind_items(const ast::Select& select,
                                                         const Scope& scope,
                                                         ExpressionBinder& binder,
                                                         ErrorList& errors) {
  std::vector<Output> outputs;
  for (const ast::SelectItem& item : select.items) {
    if (errors.is_full()) break;
    if (const auto* star = item.value->as_if<ast::Star>()) {
      const Result<std::vector<ExpressionPtr>> columns =
          scope.expand(*star, text_, environment_.functions);
      errors.add(star->range, columns.status());
      if (!columns.is_ok()) {
        outputs.push_back({nullptr, {}, star->range});
        continue;
      }
      for (const ExpressionPtr& column : *columns) {
        binder.set_place(column, star->range);
        outputs.push_back({column, expanded_name(*column), star->range});
      }
      continue;
    }
    Result<ExpressionPtr> value = binder.bind(*item.value);
    errors.add(item.value->range, value.status());
    std::string name = item.alias ? item.alias->name : item_name(*item.value, outputs.size());
    outputs.push_back(
        {value.is_ok() ? *std::move(value) : nullptr, std::move(name), item.value->range});
  }
  return outputs;
}

// TUMBLE_START(ts, size) goes with GROUP BY TUMBLE(ts, size).
Status QueryBinder::check_group_windows(const ast::Select& select) const {
  for (const ast::SelectItem& item : select.items) {
    const auto* call = item.value->as_if<ast::FunctionCall>();
    if (call == nullptr) continue;
    const std::string name = call->upper_name();
    const std::string window = name.substr(0, std::min(name.find('_'), name.size()));
    const std::string_view bound = std::string_view(name).substr(window.size());
    if (window != "TUMBLE" && window != "HOP" && window != "SESSION") continue;
    if (bound != "_START" && bound != "_END" && bound != "_ROWTIME" && bound != "_PROCTIME") {
      continue;
    }
    const bool found = std::any_of(select.group_by.begin(), select.group_by.end(),
                                   [&](const ast::GroupingElement& element) {
                                     return element.kind == ast::GroupingKind::kExpression &&
                                            is_same_window(*element.expressions[0], window, *call);
                                   });
    if (!found) {
      return text_.invalid(call->range, fmt::format("{} needs GROUP BY {}(...) with the same "
                                                    "arguments",
                                                    name, window));
    }
  }
  return Status::ok();
}

std::vector<QueryBinder::Output> QueryBinder::bind_order(std::span<const ast::OrderItem> order,
                                                         const std::vector<Output>& outputs,
                                                         ExpressionBinder& binder,
                                                         ErrorList& errors) {
  std::vector<Output> values;
  for (const ast::OrderItem& item : order) {
    if (errors.is_full()) break;
    Result<ExpressionPtr> value = bind_order_item(item, outputs, binder);
    errors.add(item.value->range, value.status());
    if (value.is_ok()) values.push_back({*std::move(value), {}, item.value->range});
  }
  return values;
}

Result<ExpressionPtr> QueryBinder::bind_order_item(const ast::OrderItem& item,
                                                   const std::vector<Output>& outputs,
                                                   ExpressionBinder& binder) {
  const auto value_of = [](const Output& output) -> Result<ExpressionPtr> {
    if (output.value == nullptr) return ErrorList::told_elsewhere();
    return output.value;
  };
  const auto* column = item.value->as_if<ast::ColumnReference>();
  const auto named = [&](const Output& output) {
    return column != nullptr && column->parts.size() == 1 && output.name == column->parts[0].name;
  };
  const auto output = std::find_if(outputs.begin(), outputs.end(), named);
  if (output != outputs.end()) return value_of(*output);
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, binder.bind(*item.value));
  // ORDER BY 2 is the second column of the result.
  const std::optional<std::int64_t> position = integer_value(*value);
  if (!position) return value;
  if (*position < 1 || *position > static_cast<std::int64_t>(outputs.size())) {
    return text_.invalid(item.value->range, fmt::format("ORDER BY {}: the result has {} columns",
                                                        *position, outputs.size()));
  }
  return value_of(outputs[static_cast<std::size_t>(*position - 1)]);
}

void QueryBinder::refuse_order(const std::vector<Output>& order) {
  if (order.empty()) return;
  const bool by_time = order[0].value->type().time_attribute() != TimeAttribute::kNone;
  state_.refuse(text_.not_built(
      order[0].range,
      by_time ? "ORDER BY" : "ORDER BY what is no time attribute in streaming mode"));
}

Result<PlanPtr> QueryBinder::bind_select(const ast::Select& select,
                                         std::span<const ast::OrderItem> order) {
  CLP_RETURN_IF_ERROR(refuse_select_clauses(select));
  CLP_RETURN_IF_ERROR(check_group_windows(select));
  Source source;
  if (select.from) {
    CLP_ASSIGN_OR_RETURN(source, bind_from(*select.from));
  } else {
    source.plan = std::make_shared<ValuesNode>(make_schema({}), std::vector<Column>{}, 1);
  }
  ErrorList errors;
  if (select.where) {
    ExpressionBinder binder(environment_, text_, source.scope, nullptr, "WHERE");
    Result<ExpressionPtr> condition = binder.bind_condition(*select.where);
    errors.add(select.where->range, condition.status());
    if (condition.is_ok()) {
      source.plan = std::make_shared<FilterNode>(std::move(source.plan), *std::move(condition));
    }
  }
  AggregateCollector aggregates;
  ExpressionBinder binder(environment_, text_, source.scope, &aggregates, "SELECT");
  OverClauses over{.windows = select.windows, .window = {}, .refusal = {}};
  binder.set_over(&over);
  std::vector<Output> outputs = bind_items(select, source.scope, binder, errors);
  ExpressionPtr having;
  if (select.having) {
    binder.set_clause("HAVING");
    Result<ExpressionPtr> condition = binder.bind_condition(*select.having);
    errors.add(select.having->range, condition.status());
    if (condition.is_ok()) having = *std::move(condition);
  }
  binder.set_clause("ORDER BY");
  const std::vector<Output> order_values = bind_order(order, outputs, binder, errors);
  if (over.refusal) state_.refuse(*std::move(over.refusal));
  const bool is_grouped = select.has_group_by || select.having || !aggregates.calls().empty();
  CLP_ASSIGN_OR_RETURN(
      PlanPtr plan, is_grouped
                        ? bind_aggregation(select, source, std::move(outputs), std::move(having),
                                           order_values, binder, aggregates, errors)
                        : bind_projection(std::move(source), std::move(outputs), binder, errors));
  if (select.distinct) state_.refuse(text_.not_built(select.range, "SELECT DISTINCT"));
  refuse_order(order_values);
  return plan;
}

Result<PlanPtr> QueryBinder::bind_projection(Source source, std::vector<Output> outputs,
                                             const ExpressionBinder& binder, ErrorList& errors) {
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  for (Output& output : outputs) {
    if (output.value == nullptr) continue;
    if (const Expression* grouping = find_grouping(*output.value); grouping != nullptr) {
      errors.add(output.range,
                 text_.invalid(binder.place_of(*grouping),
                               "GROUPING stands only in a query with GROUP BY or aggregates"));
    }
    expressions.push_back(std::move(output.value));
    names.push_back(std::move(output.name));
  }
  CLP_RETURN_IF_ERROR(errors.status());
  return make_project(std::move(source.plan), std::move(expressions), names);
}

Result<std::vector<ExpressionPtr>> QueryBinder::bind_group_keys(const ast::Select& select,
                                                                const Scope& scope) {
  ExpressionBinder binder(environment_, text_, scope, nullptr, "GROUP BY");
  std::vector<ExpressionPtr> keys;
  ErrorList errors;
  for (const ast::GroupingElement& element : select.group_by) {
    if (errors.is_full()) break;
    errors.add(element.range, collect_keys(element, text_, binder, keys));
  }
  CLP_RETURN_IF_ERROR(errors.status());
  return keys;
}

Status QueryBinder::check_window_keys(const ast::Select& select, const PlanNode& input,
                                      const std::vector<ExpressionPtr>& keys,
                                      const AggregateCollector& aggregates) const {
  const ast::SourceRange place =
      group_range(select, aggregates.calls().empty() ? select.range : aggregates.calls()[0].range);
  const std::optional<WindowColumns> windows = window_columns(input);
  bool start = false;
  bool end = false;
  for (const ExpressionPtr& key : keys) {
    if (!windows || key->kind() != Expression::Kind::kColumn) continue;
    start |= windows->bound_of(key->column_index()) == WindowBound::kStart;
    end |= windows->bound_of(key->column_index()) == WindowBound::kEnd;
  }
  if (start && end) {
    if (windows->window.size_ms % windows->window.step_ms == 0) return Status::ok();
    return text_.invalid(
        place,
        fmt::format("grouping by the windows of HOP needs a SIZE that is a multiple of SLIDE: "
                    "{} ms is not a multiple of {} ms",
                    windows->window.size_ms, windows->window.step_ms));
  }
  const std::string_view hint =
      "group by window_start and window_end of TABLE(TUMBLE(...)), HOP or CUMULATE";
  if (start || end) {
    return text_.not_built(
        place,
        fmt::format("GROUP BY {} without {}", start ? "window_start" : "window_end",
                    start ? "window_end" : "window_start"),
        fmt::format("add {}", start ? "window_end" : "window_start"));
  }
  return text_.not_built(place,
                         select.has_group_by
                             ? std::string("GROUP BY without a window")
                             : fmt::format("{} without a window", aggregates.calls()[0].function),
                         std::string(hint));
}

Result<PlanPtr> QueryBinder::bind_aggregation(const ast::Select& select, const Source& source,
                                              std::vector<Output> outputs, ExpressionPtr having,
                                              const std::vector<Output>& order,
                                              const ExpressionBinder& binder,
                                              const AggregateCollector& aggregates,
                                              ErrorList& errors) {
  if (select.group_distinct) return text_.not_built(select.range, "GROUP BY DISTINCT");
  const Result<std::vector<ExpressionPtr>> bound_keys = bind_group_keys(select, source.scope);
  if (!bound_keys.is_ok()) {
    errors.add(group_range(select, select.range), bound_keys.status());
    return errors.status();
  }
  const std::vector<ExpressionPtr>& keys = *bound_keys;

  // Aggregates are named after the items that are nothing else.
  std::vector<std::string> call_names;
  for (std::size_t i = 0; i < aggregates.calls().size(); ++i) {
    const int placeholder = AggregateCollector::kPlaceholderBase + static_cast<int>(i);
    std::string name = fmt::format("$f{}", keys.size() + i);
    for (const Output& output : outputs) {
      if (output.value != nullptr && output.value->kind() == Expression::Kind::kColumn &&
          output.value->column_index() == placeholder) {
        name = output.name;
      }
    }
    call_names.push_back(std::move(name));
  }
  const SchemaPtr schema =
      aggregate_schema(keys, aggregates, call_names, window_columns(*source.plan));
  GroupRewriter rewriter(keys, *schema, binder, text_);
  // Null after an error.
  const auto rewritten = [&](const ExpressionPtr& value, ast::SourceRange range) -> ExpressionPtr {
    Result<ExpressionPtr> over_groups = rewriter.rewrite(value);
    errors.add(range, over_groups.status());
    return over_groups.is_ok() ? *std::move(over_groups) : nullptr;
  };
  if (having) having = rewritten(having, select.having->range);
  std::vector<ExpressionPtr> expressions;
  std::vector<std::string> names;
  const Output* wrong = nullptr;
  for (Output& output : outputs) {
    // Of the columns of a * one is told.
    const bool is_told = wrong != nullptr && wrong->range.begin == output.range.begin;
    if (output.value == nullptr || is_told || errors.is_full()) continue;
    expressions.push_back(rewritten(output.value, output.range));
    names.push_back(std::move(output.name));
    if (expressions.back() == nullptr) wrong = &output;
  }
  for (const Output& item : order) rewritten(item.value, item.range);
  CLP_RETURN_IF_ERROR(errors.status());
  const Status windows = check_window_keys(select, *source.plan, keys, aggregates);
  if (windows.code() == StatusCode::kUnimplemented) {
    state_.refuse(windows);
  } else {
    CLP_RETURN_IF_ERROR(windows);
  }

  // What the aggregation reads: keys first, then arguments and filters, each once.
  std::vector<ExpressionPtr> inputs = keys;
  std::vector<AggregateCall> calls;
  for (std::size_t i = 0; i < aggregates.calls().size(); ++i) {
    const BoundAggregate& bound = aggregates.calls()[i];
    AggregateCall call;
    call.function = bound.function;
    for (const ExpressionPtr& argument : bound.arguments) {
      call.arguments.push_back(index_of(inputs, argument));
    }
    if (bound.filter) call.filter = index_of(inputs, bound.filter);
    call.distinct = bound.distinct;
    call.type = bound.type;
    call.name = call_names[i];
    calls.push_back(std::move(call));
  }
  std::vector<std::string> input_names;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    input_names.push_back(inputs[i]->kind() == Expression::Kind::kColumn ? inputs[i]->name()
                                                                         : fmt::format("$f{}", i));
  }
  std::vector<int> key_columns;
  for (std::size_t i = 0; i < keys.size(); ++i) key_columns.push_back(static_cast<int>(i));
  PlanPtr plan = make_project(source.plan, std::move(inputs), input_names);
  plan = std::make_shared<AggregateNode>(std::move(plan), schema, std::move(key_columns),
                                         std::move(calls));
  if (having) plan = std::make_shared<FilterNode>(std::move(plan), std::move(having));
  return make_project(std::move(plan), std::move(expressions), names);
}

}  // namespace clepsydra::sql
