// fn(...) OVER (...): checked as the reference checks it in streaming mode. No operator runs it.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "sql/bind/error_list.h"
#include "sql/bind/expression_binder.h"

namespace clepsydra::sql {
namespace {

// What the functions that exist only with OVER give.
enum class OverResult : std::uint8_t { kBigInt, kDouble, kArgument };

struct OverFunction {
  std::string_view name;
  OverResult result;
  bool is_rank = false;      // Numbers rows by their order: Top-N.
  bool in_streaming = true;  // The reference runs it on a stream.
};

constexpr std::array<OverFunction, 9> kOverFunctions = {{
    {.name = "ROW_NUMBER", .result = OverResult::kBigInt, .is_rank = true},
    {.name = "RANK", .result = OverResult::kBigInt, .is_rank = true},
    {.name = "DENSE_RANK", .result = OverResult::kBigInt, .is_rank = true},
    {.name = "NTILE", .result = OverResult::kBigInt, .in_streaming = false},
    {.name = "PERCENT_RANK", .result = OverResult::kDouble, .in_streaming = false},
    {.name = "CUME_DIST", .result = OverResult::kDouble, .in_streaming = false},
    {.name = "LAG", .result = OverResult::kArgument},
    {.name = "LEAD", .result = OverResult::kArgument, .in_streaming = false},
    {.name = "NTH_VALUE", .result = OverResult::kArgument},
}};

const OverFunction* find_over_function(std::string_view name) {
  const auto* found = std::find_if(kOverFunctions.begin(), kOverFunctions.end(),
                                   [&](const OverFunction& f) { return f.name == name; });
  return found == kOverFunctions.end() ? nullptr : found;
}

bool is_after(const ast::FrameBound& bound) {
  return bound.kind == ast::FrameBoundKind::kFollowing ||
         bound.kind == ast::FrameBoundKind::kUnboundedFollowing;
}

}  // namespace

bool ExpressionBinder::is_over_function(std::string_view name) {
  return find_over_function(name) != nullptr;
}

Result<const ast::WindowSpecification*> ExpressionBinder::window_of(
    const ast::WindowSpecification& over) const {
  if (!over.base) return &over;
  for (const ast::NamedWindow& window : over_->windows) {
    if (window.name.name == over.base->name) return &window.window;
  }
  std::vector<std::string> names;
  for (const ast::NamedWindow& window : over_->windows) names.push_back(window.name.name);
  return text_.not_found(over.base->range, fmt::format("window '{}' not found", over.base->name),
                         did_you_mean_name(over.base->name, names));
}

Result<DataType> ExpressionBinder::over_type(const ast::FunctionCall& node) {
  const std::string name = node.upper_name();
  std::vector<const ast::Expression*> written;
  for (const ast::Argument& argument : node.arguments) {
    if (argument.value->kind == ast::ExpressionKind::kStar && name == "COUNT") continue;
    written.push_back(argument.value.get());
  }
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(written));
  const OverFunction* function = find_over_function(name);
  if (function == nullptr) {
    Result<FunctionRegistry::ResolvedAggregate> resolved =
        environment_.functions.resolve_aggregate(name, std::move(arguments), false);
    if (!resolved.is_ok()) return text_.at_place(node.range, resolved.status());
    return resolved->type.with_time_attribute(TimeAttribute::kNone);
  }
  switch (function->result) {
    case OverResult::kBigInt:
      return DataType::big_int().with_nullable(false);
    case OverResult::kDouble:
      return DataType::double_().with_nullable(false);
    case OverResult::kArgument:
      break;
  }
  if (arguments.empty()) return text_.invalid(node.range, fmt::format("{} needs a value", name));
  return arguments[0]->type().with_nullable(true).with_time_attribute(TimeAttribute::kNone);
}

Result<ExpressionPtr> ExpressionBinder::bind_over(const ast::FunctionCall& node) {
  const std::string name = node.upper_name();
  const OverFunction* function = find_over_function(name);
  if (over_ == nullptr) {
    return text_.invalid(node.range, fmt::format("OVER is not allowed in {}", clause_));
  }
  if (function == nullptr && !environment_.functions.is_aggregate(name)) {
    return environment_.functions.is_scalar(name)
               ? text_.invalid(node.range,
                               fmt::format("OVER belongs to aggregates; {} is not one", name))
               : unknown_function(node, name);
  }
  CLP_ASSIGN_OR_RETURN(const ast::WindowSpecification* window, window_of(*node.over));
  Result<DataType> bound_type = over_type(node);
  std::vector<const ast::Expression*> order_by;
  for (const ast::OrderItem& item : window->order_by) order_by.push_back(item.value.get());
  Result<Arguments> bound_order = bind_each(order_by);
  ErrorList errors;
  errors.add(node.range, bound_type.status());
  errors.add(window->range, bind_all(window->partition_by).status());
  errors.add(window->range, bound_order.status());
  CLP_RETURN_IF_ERROR(errors.status());
  const DataType type = *std::move(bound_type);
  const Arguments order = *std::move(bound_order);
  if (function != nullptr && !function->in_streaming) {
    return text_.invalid(node.range, fmt::format("{} is not supported in streaming mode: it needs "
                                                 "rows that are still to come",
                                                 name));
  }
  if (window->frame && (is_after(window->frame->start) || is_after(window->frame->end))) {
    return text_.invalid(window->frame->range,
                         "a frame with FOLLOWING is not supported in streaming mode: it needs rows "
                         "that are still to come");
  }
  if (order.empty() && function != nullptr && function->is_rank) {
    return text_.invalid(node.range, fmt::format("{} needs an ORDER BY in its OVER clause", name));
  }
  if (function != nullptr && function->is_rank &&
      order[0]->type().time_attribute() == TimeAttribute::kNone) {
    over_->refuse(text_.not_built(
        node.range, fmt::format("{} OVER (ORDER BY what is no time attribute) of a stream", name),
        "what it is for in a stream is Top-N, SELECT ... WHERE row_number <= N, which comes "
        "later"));
    return null_literal(type);
  }
  if (order.size() != 1) {
    return text_.invalid(
        order.empty() ? node.range : window->order_by[1].range,
        fmt::format("{} OVER needs ORDER BY one column in streaming mode, such as a time attribute",
                    name));
  }
  const std::string written = std::string(text_.at(window->range));
  if (function == nullptr || !function->is_rank) {
    if (over_->window.empty()) over_->window = written;
    if (over_->window != written) {
      return text_.invalid(node.over->range.empty() ? node.range : node.over->range,
                           "all aggregates with OVER of a SELECT must have the same window in "
                           "streaming mode");
    }
  }
  over_->refuse(text_.not_built(node.range, "OVER"));
  return null_literal(type);
}

}  // namespace clepsydra::sql
