// Function calls: scalar functions with their special forms, and aggregates.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "functions/user/user_library.h"
#include "sql/bind/error_list.h"
#include "sql/bind/expression_binder.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

constexpr std::array<std::string_view, 3> kGroupWindows = {"TUMBLE", "HOP", "SESSION"};

// TUMBLE(ts, ...) and TUMBLE_START(ts, ...) of the reference's older window aggregation.
bool is_group_window(std::string_view name) {
  return std::any_of(kGroupWindows.begin(), kGroupWindows.end(), [&](std::string_view window) {
    return name.starts_with(window) &&
           (name.size() == window.size() || name.ends_with("_START") || name.ends_with("_END") ||
            name.ends_with("_ROWTIME") || name.ends_with("_PROCTIME"));
  });
}

// What functions of the reference that are left out belong to; empty for others.
std::string_view family_not_built(std::string_view name) {
  if (name.starts_with("BITMAP_")) return "the family of BITMAP functions";
  if (name == "ML_PREDICT" || name == "ML_EVALUATE") return "inference with models";
  if (name == "VECTOR_SEARCH") return "search in vectors";
  return {};
}

// What is left of a CASE when its conditions are constants: its type is that of the branch.
ExpressionPtr chosen_branch(const ExpressionPtr& value, const BindEnvironment& environment) {
  if (value->kind() != Expression::Kind::kCall || value->name() != "CASE") return value;
  const std::vector<ExpressionPtr>& arguments = value->arguments();
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const Result<ExpressionPtr> condition = fold(arguments[i], environment);
    if (!condition.is_ok() || (*condition)->kind() != Expression::Kind::kLiteral) return value;
    const Column& known = (*condition)->literal_value();
    if (!known.is_null(0) && *known.values<std::uint8_t>() != 0) return arguments[i + 1];
  }
  return arguments.back();
}

bool is_sum_or_zero(std::string_view name) {
  return name == "SUM0" || name == "$SUM0";
}

bool is_json_aggregate(std::string_view name) {
  return name == "JSON_OBJECTAGG" || name == "JSON_ARRAYAGG";
}

// Aggregates that have a value for no rows.
bool is_never_null_aggregate(std::string_view function) {
  return function == "COUNT" || function == "APPROX_COUNT_DISTINCT" || function == "COLLECT" ||
         is_json_aggregate(function.substr(0, 14)) || is_json_aggregate(function.substr(0, 13));
}

// The clauses of some aggregates choose between functions.
std::string aggregate_name(const ast::FunctionCall& node) {
  std::string name = node.upper_name();
  if (is_sum_or_zero(name)) return "SUM";
  if (name == "ARRAY_AGG" && node.null_treatment == ast::NullTreatment::kIgnore) {
    name += "_IGNORE_NULLS";
  }
  if (is_json_aggregate(name)) {
    // As for JSON_OBJECT and JSON_ARRAY.
    const ast::JsonBehavior standard =
        name == "JSON_OBJECTAGG" ? ast::JsonBehavior::kNull : ast::JsonBehavior::kAbsent;
    const bool keeps = node.json->on_null.value_or(standard) == ast::JsonBehavior::kNull;
    name += keeps ? "_NULL_ON_NULL" : "_ABSENT_ON_NULL";
    // What JSON_OBJECT and JSON_ARRAY make is JSON already.
    const auto* value = node.arguments.back().value->as_if<ast::FunctionCall>();
    const std::string maker = value != nullptr ? value->upper_name() : std::string();
    if (maker == "JSON_OBJECT" || maker == "JSON_ARRAY") name += "_OF_JSON";
  }
  return name;
}

// EXTRACT(DAY FROM t) is EXTRACT_DAY(t); FLOOR(t TO HOUR) is FLOOR_HOUR(t).
std::string with_unit(const std::string& name, ast::TimeUnit unit) {
  return fmt::format("{}_{}", name, ast::time_unit_name(unit));
}

}  // namespace

Status ExpressionBinder::unknown_function(const ast::FunctionCall& call,
                                          const std::string& name) const {
  if (is_over_function(name)) {
    return text_.invalid(call.range, fmt::format("{} needs an OVER clause", name));
  }
  if (is_group_window(name)) {
    if (clause_ != "GROUP BY" && name.find('_') == std::string::npos) {
      return text_.invalid(call.range, fmt::format("{}(...) stands only in GROUP BY", name));
    }
    return text_.not_built(call.range, fmt::format("the group window function {}", name),
                           "write FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) "
                           "GROUP BY window_start, window_end");
  }
  if (const std::string_view family = family_not_built(name); !family.empty()) {
    return text_.not_built(call.name.range(), fmt::format("{}: {}", name, family));
  }
  std::string written;
  for (const ast::Identifier& part : call.name.parts) {
    written += (written.empty() ? "" : ".") + part.name;
  }
  const Catalog& catalog = environment_.catalog;
  std::vector<std::string> known = environment_.functions.names();
  for (const std::vector<std::string>& names :
       {catalog.system_function_names(),
        catalog.function_names({catalog.current_catalog(), catalog.current_database()})}) {
    known.insert(known.end(), names.begin(), names.end());
  }
  return text_.not_found(call.name.range(), fmt::format("unknown function '{}'", written),
                         did_you_mean_name(written, known));
}

Status ExpressionBinder::refuse_call_extras(const ast::FunctionCall& call) const {
  if (!call.within_group.empty()) return text_.not_built(call.range, "WITHIN GROUP");
  if (call.null_treatment != ast::NullTreatment::kNone && call.upper_name() != "ARRAY_AGG") {
    return text_.not_built(call.range, "IGNORE NULLS and RESPECT NULLS");
  }
  if (call.json && !is_json_call(call.upper_name()) && !is_json_aggregate(call.upper_name())) {
    return text_.not_built(call.range, call.upper_name());
  }
  for (const ast::Argument& argument : call.arguments) {
    if (argument.name) {
      return text_.not_built(argument.name->range, "named arguments of this function");
    }
  }
  return Status::ok();
}

Result<ExpressionPtr> ExpressionBinder::bind_call(const ast::FunctionCall& call) {
  const std::string name = call.upper_name();
  CLP_ASSIGN_OR_RETURN(const UserFunctionGroup* user, find_user_call(call));
  if (user != nullptr) return bind_user_call(call, *user);
  if (call.over && !name.empty()) return bind_over(call);
  if (is_grouping_function(name)) return bind_grouping(call);
  if (is_sum_or_zero(name)) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr sum, bind_aggregate_call(call));
    const ExpressionPtr zero = integer_literal(0);
    CLP_ASSIGN_OR_RETURN(ExpressionPtr typed, environment_.functions.cast(
                                                  zero, sum->type().with_nullable(false), false));
    return this->call("COALESCE", {std::move(sum), std::move(typed)}, call.range);
  }
  if (!name.empty() && environment_.functions.is_aggregate(name)) return bind_aggregate_call(call);
  CLP_RETURN_IF_ERROR(refuse_call_extras(call));
  if (name.empty()) return unknown_function(call, name);
  if (call.json) return bind_json_call(call);
  if (name == "SOURCE_WATERMARK") {
    return text_.invalid(call.range,
                         "SOURCE_WATERMARK() stands only in a table's WATERMARK, and alone",
                         "WATERMARK FOR ts AS SOURCE_WATERMARK()");
  }
  if (name == "JSON") {
    return text_.invalid(call.range,
                         "JSON(...) stands only in JSON_ARRAY or as a value of JSON_OBJECT",
                         "JSON_OBJECT('a' VALUE JSON('{\"b\": 1}'))");
  }
  return bind_scalar_call(call);
}

// The arguments of a scalar function; a time unit among them becomes part of its name.
Result<ExpressionBinder::Arguments> ExpressionBinder::bind_arguments(const ast::FunctionCall& node,
                                                                     std::string& name) {
  std::vector<const ast::Expression*> written;
  for (const ast::Argument& argument : node.arguments) {
    if (const auto* unit = argument.value->as_if<ast::TimeUnitArgument>()) {
      name = with_unit(name, unit->unit);
      continue;
    }
    if (argument.value->kind == ast::ExpressionKind::kStar) {
      return text_.invalid(argument.value->range, fmt::format("{}(*) has no meaning", name));
    }
    written.push_back(argument.value.get());
  }
  return bind_each(written);
}

Result<ExpressionPtr> ExpressionBinder::bind_scalar_call(const ast::FunctionCall& node) {
  std::string name = node.upper_name();
  if ((name == "TIMESTAMPADD" || name == "TIMESTAMPDIFF") && !node.arguments.empty() &&
      node.arguments[0].value->kind != ast::ExpressionKind::kTimeUnit) {
    const ast::SourceRange place = node.arguments[0].value->range;
    return text_.invalid(place, fmt::format("'{}' is no time unit", text_.at(place)),
                         fmt::format("{}(DAY, ...)", name));
  }
  // Without a table the type of an aggregate is asked for, not its value.
  AggregateCollector unused;
  AggregateCollector* const outer = aggregates_;
  of_no_rows_ = name == "TYPEOF" && scope_.schema()->size() == 0;
  if (of_no_rows_) aggregates_ = &unused;
  Result<Arguments> bound = bind_arguments(node, name);
  aggregates_ = outer;
  of_no_rows_ = false;
  if (!bound.is_ok()) {
    ErrorList errors;
    if (name != "TYPEOF" && name != "CURRENT_DATABASE" && !environment_.functions.is_scalar(name)) {
      errors.add(node.name.range(), unknown_function(node, name));
    }
    errors.add(node.range, bound.status());
    return errors.status();
  }
  Arguments arguments = *std::move(bound);
  if (name == "TYPEOF" && (arguments.size() == 1 || arguments.size() == 2)) {
    return bind_type_of(arguments[0]);
  }
  if (name == "CURRENT_DATABASE" && arguments.empty()) {
    return Expression::literal(text_literal(environment_.catalog.current_database())
                                   ->literal_value()
                                   .with_type(DataType::string().with_nullable(false)));
  }
  if (!environment_.functions.is_scalar(name)) return unknown_function(node, name);
  if (node.quantifier != ast::CallQuantifier::kNone) {
    return text_.invalid(node.range,
                         fmt::format("DISTINCT and ALL belong to aggregates; {} is not one", name));
  }
  if (node.filter) {
    return text_.invalid(node.range,
                         fmt::format("FILTER belongs to aggregates; {} is not one", name));
  }
  return call(name, std::move(arguments), node.range);
}

bool ExpressionBinder::is_grouping_function(std::string_view name) {
  return name == "GROUPING" || name == "GROUPING_ID" || name == "GROUP_ID";
}

// The call stays until the keys of the aggregation are known.
Result<ExpressionPtr> ExpressionBinder::bind_grouping(const ast::FunctionCall& node) {
  const std::string name = node.upper_name();
  CLP_RETURN_IF_ERROR(refuse_call_extras(node));
  if (aggregates_ == nullptr || inside_aggregate_) {
    return text_.invalid(
        node.range,
        fmt::format("{} is not allowed {}", name,
                    inside_aggregate_ ? "inside an aggregate" : fmt::format("in {}", clause_)));
  }
  if (node.arguments.empty() != (name == "GROUP_ID")) {
    return text_.invalid(node.range, name == "GROUP_ID"
                                         ? "expected GROUP_ID()"
                                         : fmt::format("expected {}(key, ...)", name));
  }
  std::string unused;
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_arguments(node, unused));
  ExpressionPtr grouping = Expression::call(std::string(kGrouping), std::move(arguments),
                                            DataType::big_int().with_nullable(false));
  places_.emplace(grouping.get(), node.range);
  alive_.push_back(grouping);
  return grouping;
}

// The type of a value as text is known here, and nowhere later.
Result<ExpressionPtr> ExpressionBinder::bind_type_of(const ExpressionPtr& value) {
  const ExpressionPtr chosen = chosen_branch(value, environment_);
  const Result<ExpressionPtr> folded = fold(chosen, environment_);
  const DataType& type = folded.is_ok() ? (*folded)->type() : chosen->type();
  ColumnBuilder builder(DataType::string(), literal_pool());
  builder.append_string(type.to_string());
  CLP_ASSIGN_OR_RETURN(Column text, builder.finish());
  return Expression::literal(std::move(text));
}

Result<ExpressionPtr> ExpressionBinder::bind_aggregate_call(const ast::FunctionCall& node,
                                                            const UserFunctionGroup* user) {
  const std::string name = user != nullptr ? user->name : node.upper_name();
  CLP_RETURN_IF_ERROR(refuse_call_extras(node));
  if (inside_aggregate_) {
    return text_.invalid(node.range, fmt::format("{} stands inside another aggregate", name));
  }
  if (aggregates_ == nullptr) {
    return text_.invalid(node.range,
                         fmt::format("the aggregate {} is not allowed in {}", name, clause_));
  }
  inside_aggregate_ = true;
  BoundAggregate aggregate;
  aggregate.range = node.range;
  aggregate.distinct = node.quantifier == ast::CallQuantifier::kDistinct;
  std::vector<const ast::Expression*> written;
  for (const ast::Argument& argument : node.arguments) {
    if (argument.value->kind == ast::ExpressionKind::kStar && name == "COUNT" && user == nullptr) {
      continue;
    }
    written.push_back(argument.value.get());
  }
  if (node.filter) written.push_back(node.filter.get());
  Result<Arguments> bound = bind_each(written);
  inside_aggregate_ = false;
  CLP_ASSIGN_OR_RETURN(Arguments arguments, std::move(bound));
  if (node.filter) {
    aggregate.filter = std::move(arguments.back());
    arguments.pop_back();
  }
  if (aggregate.filter && aggregate.filter->type().kind() != TypeKind::kBoolean) {
    return text_.invalid(node.filter->range, fmt::format("FILTER must be a condition, but is {}",
                                                         aggregate.filter->type().to_string()));
  }
  Result<FunctionRegistry::ResolvedAggregate> resolved =
      user != nullptr ? resolve_user_aggregate(*user, std::move(arguments), aggregate.distinct)
                      : environment_.functions.resolve_aggregate(
                            aggregate_name(node), std::move(arguments), aggregate.distinct);
  if (!resolved.is_ok()) return text_.at_place(node.range, resolved.status());
  aggregate.function = std::move(resolved->function);
  aggregate.arguments = std::move(resolved->arguments);
  aggregate.type = resolved->type.with_time_attribute(TimeAttribute::kNone);
  // A filter may leave nothing of a group.
  if ((aggregate.filter || of_no_rows_) && !is_never_null_aggregate(aggregate.function)) {
    aggregate.type = aggregate.type.with_nullable(true);
  }
  return aggregates_->add(std::move(aggregate));
}

}  // namespace clepsydra::sql
