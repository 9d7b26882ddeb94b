// TUMBLE, HOP and CUMULATE as table functions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/error_list.h"
#include "sql/bind/query_binder.h"

namespace clepsydra::sql {
namespace {

struct Form {
  std::string_view function;
  WindowKind kind;
  // Names of the arguments in their order; the last one may be left out.
  std::array<std::string_view, 5> parameters;
  std::size_t count;
  std::string_view usage;
};

constexpr std::array<Form, 3> kForms = {{
    {"TUMBLE",
     WindowKind::kTumble,
     {"DATA", "TIMECOL", "SIZE", "OFFSET", ""},
     4,
     "TUMBLE(TABLE t, DESCRIPTOR(time), size [, offset])"},
    {"HOP",
     WindowKind::kHop,
     {"DATA", "TIMECOL", "SLIDE", "SIZE", "OFFSET"},
     5,
     "HOP(TABLE t, DESCRIPTOR(time), slide, size [, offset])"},
    {"CUMULATE",
     WindowKind::kCumulate,
     {"DATA", "TIMECOL", "STEP", "SIZE", "OFFSET"},
     5,
     "CUMULATE(TABLE t, DESCRIPTOR(time), step, size [, offset])"},
}};

const Form* find_form(std::string_view name) {
  for (const Form& form : kForms) {
    if (form.function == name) return &form;
  }
  return nullptr;
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// The arguments in the order of the form's parameters; null where left out.
using OrderedArguments = std::array<const ast::Expression*, 5>;

Result<OrderedArguments> order_arguments(const ast::FunctionCall& call, const Form& form,
                                         const StatementText& text) {
  OrderedArguments ordered{};
  const auto parameters_end = form.parameters.begin() + static_cast<std::ptrdiff_t>(form.count);
  const bool named = !call.arguments.empty() && call.arguments[0].name.has_value();
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const ast::Argument& argument = call.arguments[i];
    if (argument.name.has_value() != named) {
      return text.invalid(argument.value->range, "either all arguments have names or none");
    }
    std::size_t position = i;
    if (named) {
      const auto* found =
          std::find(form.parameters.begin(), parameters_end, upper(argument.name->name));
      position = static_cast<std::size_t>(found - form.parameters.begin());
    }
    if (position >= form.count) {
      return text.invalid(
          named ? argument.name->range : argument.value->range,
          named ? fmt::format("{} has no argument '{}'", form.function, argument.name->name)
                : fmt::format("too many arguments for {}", form.function),
          std::string(form.usage));
    }
    if (ordered[position] != nullptr) {
      return text.invalid(argument.value->range,
                          fmt::format("the argument {} is given twice", form.parameters[position]));
    }
    ordered[position] = argument.value.get();
  }
  for (std::size_t i = 0; i + 1 < form.count; ++i) {
    if (ordered[i] == nullptr) {
      return text.invalid(
          call.range, fmt::format("{} needs the argument {}", form.function, form.parameters[i]),
          std::string(form.usage));
    }
  }
  return ordered;
}

// A constant day-time interval in milliseconds.
Result<std::int64_t> interval_argument(const ast::Expression& argument, std::string_view name,
                                       const BindEnvironment& environment,
                                       const StatementText& text) {
  const Scope scope;
  ExpressionBinder binder(environment, text, scope, nullptr, "a window function");
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, binder.bind(argument));
  if (value->type().kind() != TypeKind::kIntervalDayTime) {
    return text.invalid(argument.range,
                        fmt::format("{} must be an interval of days to seconds, but is {}", name,
                                    value->type().to_string()),
                        "write INTERVAL '10' SECOND");
  }
  Result<ExpressionPtr> folded = fold(value, environment);
  if (!folded.is_ok()) return text.at_place(argument.range, folded.status());
  if ((*folded)->kind() != Expression::Kind::kLiteral || (*folded)->literal_value().is_null(0)) {
    return text.invalid(argument.range, fmt::format("{} must be a constant interval", name));
  }
  return (*folded)->literal_value().values<std::int64_t>()[0];
}

Status check_positive(std::int64_t value, const ast::Expression& argument, std::string_view name,
                      const StatementText& text) {
  constexpr std::int64_t kLongestMs = 3650LL * 24 * 3600 * 1000;  // Ten years.
  if (value > 0 && value <= kLongestMs) return Status::ok();
  return text.invalid(
      argument.range,
      fmt::format("{} must be between 1 ms and 3650 days, but is {} ms", name, value));
}

// Size, slide or step, offset: checked against each other.
Result<WindowSpec> bind_window(const Form& form, const OrderedArguments& arguments,
                               const BindEnvironment& environment, const StatementText& text) {
  WindowSpec window;
  window.kind = form.kind;
  const std::size_t size = form.count - 2;
  const std::string_view step_name = form.parameters[2];
  std::int64_t offset = 0;
  ErrorList errors;
  const auto read = [&](std::size_t index, bool is_length, std::int64_t& length) {
    const ast::Expression& argument = *arguments[index];
    const Result<std::int64_t> value =
        interval_argument(argument, form.parameters[index], environment, text);
    errors.add(argument.range, value.status());
    if (!value.is_ok()) return;
    length = *value;
    if (is_length) {
      errors.add(argument.range, check_positive(length, argument, form.parameters[index], text));
    }
  };
  read(size, true, window.size_ms);
  if (form.kind != WindowKind::kTumble) read(2, true, window.step_ms);
  if (arguments[form.count - 1] != nullptr) read(form.count - 1, false, offset);
  CLP_RETURN_IF_ERROR(errors.status());
  if (form.kind == WindowKind::kTumble) window.step_ms = window.size_ms;
  // Windows of a HOP need not be whole slides as long as nobody groups by them.
  if (form.kind == WindowKind::kCumulate && window.size_ms % window.step_ms != 0) {
    return text.invalid(
        arguments[2]->range,
        fmt::format("{} needs a SIZE that is a multiple of {}: {} ms is not a multiple of "
                    "{} ms",
                    form.function, step_name, window.size_ms, window.step_ms));
  }
  const std::int64_t period = form.kind == WindowKind::kCumulate ? window.size_ms : window.step_ms;
  offset %= period;
  window.offset_ms = offset < 0 ? offset + period : offset;
  return window;
}

// The column that DESCRIPTOR names, which must be a time attribute.
Result<int> find_time_column(const ast::Expression& argument, const Schema& input,
                             std::string_view function, const StatementText& text) {
  const auto* descriptor = argument.as_if<ast::Descriptor>();
  if (descriptor == nullptr || descriptor->columns.size() != 1) {
    return text.invalid(argument.range, "the time column must be given as DESCRIPTOR(column)");
  }
  const ast::Identifier& column = descriptor->columns[0];
  const int index = input.find(column.name);
  if (index < 0) {
    std::vector<std::string> names;
    for (const Field& field : input.fields()) names.push_back(field.name);
    return text.not_found(
        column.range,
        fmt::format("column '{}' not found in the input of {}", column.name, function),
        did_you_mean_name(column.name, names));
  }
  const DataType& type = input.field(index).type;
  if (!type.is_timestamp() || type.time_attribute() == TimeAttribute::kNone) {
    return text.invalid(column.range,
                        fmt::format("{} needs a time attribute, but '{}' is {}", function,
                                    column.name, type.to_string()),
                        "declare WATERMARK FOR it in CREATE TABLE, or use a PROCTIME() column");
  }
  return index;
}

}  // namespace

// TABLE t or (SELECT ...) as the argument of a window function.
Result<PlanPtr> QueryBinder::bind_table_argument(const ast::Expression& argument,
                                                 std::string_view function) {
  const auto* table = argument.as_if<ast::TableArgument>();
  const auto* subquery = argument.as_if<ast::ScalarQuery>();
  if (table == nullptr && subquery == nullptr) {
    return text_.invalid(argument.range, "the first argument must be a table",
                         "write TABLE t or (SELECT ...)");
  }
  if (table != nullptr && (!table->partition_by.empty() || !table->order_by.empty())) {
    return text_.invalid(table->range,
                         fmt::format("{} takes no PARTITION BY or ORDER BY", function));
  }
  const ast::Query* query = subquery != nullptr ? subquery->query.get() : table->query.get();
  if (query != nullptr) return bind(*query);
  CLP_ASSIGN_OR_RETURN(Source named, bind_named(table->table, {}));
  return std::move(named.plan);
}

Result<QueryBinder::Source> QueryBinder::bind_table_function(const ast::TableFunction& function) {
  const auto& call = function.call->as<ast::FunctionCall>();
  const std::string name = call.upper_name();
  const Form* form = find_form(name);
  if (form == nullptr) {
    if (name == "SESSION") return text_.not_built(call.range, "the window table function SESSION");
    return text_.not_found(call.name.range(),
                           fmt::format("unknown table function '{}'", ast::to_sql(call.name)),
                           "known table functions: TUMBLE, HOP, CUMULATE");
  }
  if (function.lateral) return text_.not_built(function.range, "LATERAL");
  CLP_ASSIGN_OR_RETURN(const OrderedArguments arguments, order_arguments(call, *form, text_));
  Result<PlanPtr> bound_input = bind_table_argument(*arguments[0], name);
  Result<WindowSpec> bound_window = bind_window(*form, arguments, environment_, text_);
  ErrorList errors;
  errors.add(arguments[0]->range, bound_input.status());
  errors.add(arguments[2]->range, bound_window.status());
  int time_column = -1;
  if (bound_input.is_ok()) {
    const Result<int> found = find_time_column(*arguments[1], *(*bound_input)->schema, name, text_);
    errors.add(arguments[1]->range, found.status());
    if (found.is_ok()) time_column = *found;
  }
  CLP_RETURN_IF_ERROR(errors.status());
  PlanPtr input = *std::move(bound_input);
  WindowSpec window = *std::move(bound_window);
  const DataType& time_type = input->schema->field(time_column).type;
  window.processing_time = time_type.time_attribute() == TimeAttribute::kProctime;
  if (time_type.kind() == TypeKind::kTimestampLtz) window.zone = environment_.settings.zone;

  std::vector<Field> fields = input->schema->fields();
  const DataType bound = DataType::timestamp(3).with_nullable(false);
  fields.push_back({"window_start", bound, {}});
  fields.push_back({"window_end", bound, {}});
  const DataType time = (time_type.kind() == TypeKind::kTimestampLtz ? DataType::timestamp_ltz(3)
                                                                     : DataType::timestamp(3))
                            .with_nullable(false)
                            .with_time_attribute(time_type.time_attribute());
  fields.push_back({"window_time", time, {}});
  const int index = window.processing_time ? -1 : time_column;
  PlanPtr plan = std::make_shared<WindowTableFunctionNode>(
      std::move(input), make_schema(std::move(fields)), std::move(window), index);
  Scope scope(plan->schema, {Relation{{}, 0, plan->schema->size()}});
  return Source{std::move(plan), std::move(scope)};
}

}  // namespace clepsydra::sql
