#include "sql/bind/expression_binder.h"

#include <fmt/format.h>

#include <cstdint>
#include <limits>
#include <utility>

#include "base/check.h"
#include "sql/bind/literal_binder.h"
#include "sql/bind/type_binder.h"

namespace clepsydra::sql {
namespace {

// Plans nest expressions at most about 100 deep; lowering checks what the coercions added.
constexpr int kDepthMax = 90;

// -9223372036854775808: without its sign the number does not fit.
bool is_smallest_big_int(const ast::Operation& operation) {
  if (operation.op != ast::Operator::kMinus || operation.operands.size() != 1) return false;
  const auto* literal = operation.operands[0]->as_if<ast::Literal>();
  return literal != nullptr && literal->literal_kind == ast::LiteralKind::kExact &&
         literal->text == "9223372036854775808";
}

std::string_view constructor_name(ast::ConstructorKind kind) {
  switch (kind) {
    case ast::ConstructorKind::kRow:
    case ast::ConstructorKind::kImplicitRow:
      return "ROW";
    case ast::ConstructorKind::kArray:
      return "ARRAY";
    case ast::ConstructorKind::kMap:
      return "MAP";
    case ast::ConstructorKind::kMultiset:
      return "MULTISET";
  }
  return "ROW";
}

// A value computed from a time attribute is an ordinary timestamp.
ExpressionPtr without_time_attribute(ExpressionPtr expression) {
  if (expression->kind() != Expression::Kind::kCall || expression->name() == "PROCTIME" ||
      expression->name() == "FIELD" ||
      expression->type().time_attribute() == TimeAttribute::kNone) {
    return expression;
  }
  return Expression::call(expression->name(), expression->arguments(),
                          expression->type().with_time_attribute(TimeAttribute::kNone));
}

}  // namespace

Result<ExpressionPtr> fold(const ExpressionPtr& expression, const BindEnvironment& environment) {
  return fold_constants(expression, environment.evaluation);
}

Result<ExpressionPtr> ExpressionBinder::bind(const ast::Expression& expression) {
  if (depth_ >= kDepthMax) {
    return text_.invalid(expression.range,
                         fmt::format("expressions may be nested at most {} deep", kDepthMax));
  }
  ++depth_;
  Result<ExpressionPtr> bound = bind_node(expression);
  --depth_;
  return bound;
}

Result<ExpressionPtr> ExpressionBinder::bind_condition(const ast::Expression& expression) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, bind(expression));
  if (bound->type().kind() == TypeKind::kNull) return null_literal(DataType::boolean());
  if (bound->type().kind() != TypeKind::kBoolean) {
    return text_.invalid(expression.range, fmt::format("{} must be a condition, but is {}", clause_,
                                                       bound->type().to_string()));
  }
  return bound;
}

ast::SourceRange ExpressionBinder::place_of(const Expression& column) const {
  const auto it = places_.find(&column);
  return it == places_.end() ? ast::SourceRange{} : it->second;
}

void ExpressionBinder::set_place(const ExpressionPtr& column, ast::SourceRange range) {
  // The column below field accesses is what "not grouped" will speak of.
  const Expression* leaf = column.get();
  while (leaf->kind() == Expression::Kind::kCall && !leaf->arguments().empty()) {
    leaf = leaf->argument(0).get();
  }
  places_.emplace(leaf, range);
  alive_.push_back(column);
}

Result<ExpressionPtr> ExpressionBinder::bind_node(const ast::Expression& expression) {
  switch (expression.kind) {
    case ast::ExpressionKind::kLiteral:
      return bind_literal(expression.as<ast::Literal>(), text_);
    case ast::ExpressionKind::kColumnReference:
      return bind_column(expression.as<ast::ColumnReference>());
    case ast::ExpressionKind::kOperation:
      return bind_operation(expression.as<ast::Operation>());
    case ast::ExpressionKind::kBetween:
      return bind_between(expression.as<ast::Between>());
    case ast::ExpressionKind::kLike:
      return bind_like(expression.as<ast::Like>());
    case ast::ExpressionKind::kInList:
      return bind_in_list(expression.as<ast::InList>());
    case ast::ExpressionKind::kCase:
      return bind_case(expression.as<ast::Case>());
    case ast::ExpressionKind::kCast:
      return bind_cast(expression.as<ast::Cast>());
    case ast::ExpressionKind::kFunctionCall:
      return bind_call(expression.as<ast::FunctionCall>());
    case ast::ExpressionKind::kTrim:
      return bind_trim(expression.as<ast::Trim>());
    case ast::ExpressionKind::kConstructor:
      return bind_constructor(expression.as<ast::Constructor>());
    case ast::ExpressionKind::kElementAccess: {
      const auto& access = expression.as<ast::ElementAccess>();
      CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*access.value));
      CLP_ASSIGN_OR_RETURN(ExpressionPtr index, bind(*access.index));
      return call("ITEM", {std::move(value), std::move(index)}, access.range);
    }
    case ast::ExpressionKind::kFieldAccess: {
      const auto& access = expression.as<ast::FieldAccess>();
      CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*access.value));
      return bind_field(std::move(value), access.field, text_, environment_.functions);
    }
    case ast::ExpressionKind::kIntervalDifference:
      return bind_interval_difference(expression.as<ast::IntervalDifference>());
    case ast::ExpressionKind::kStar:
      return text_.invalid(expression.range, "* is not a value");
    case ast::ExpressionKind::kDefault:
      return text_.invalid(expression.range, "DEFAULT is not a value here");
    case ast::ExpressionKind::kTimeUnit:
      return text_.invalid(expression.range, "a time unit is not a value");
    case ast::ExpressionKind::kInQuery:
      return text_.not_built(expression.range, "IN (SELECT ...)");
    case ast::ExpressionKind::kExists:
      return text_.not_built(expression.range, "EXISTS (SELECT ...)");
    case ast::ExpressionKind::kQuantified:
      return text_.not_built(expression.range, "ALL, ANY and SOME");
    case ast::ExpressionKind::kScalarQuery:
      return text_.not_built(expression.range, "a subquery as a value");
    case ast::ExpressionKind::kConstructorQuery:
      return text_.not_built(expression.range, "ARRAY, MAP or MULTISET of a subquery");
    case ast::ExpressionKind::kTableArgument:
    case ast::ExpressionKind::kModelArgument:
    case ast::ExpressionKind::kDescriptor:
      break;
  }
  return text_.invalid(expression.range,
                       "TABLE, MODEL and DESCRIPTOR are arguments of table functions only");
}

Result<ExpressionPtr> ExpressionBinder::bind_column(const ast::ColumnReference& reference) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound,
                       scope_.resolve(reference, text_, environment_.functions));
  set_place(bound, reference.range);
  return bound;
}

Result<ExpressionPtr> ExpressionBinder::call(std::string_view function, Arguments arguments,
                                             ast::SourceRange range) {
  Result<ExpressionPtr> bound = environment_.functions.resolve(function, std::move(arguments));
  if (!bound.is_ok()) return text_.at_place(range, bound.status());
  return without_time_attribute(*std::move(bound));
}

Result<ExpressionBinder::Arguments> ExpressionBinder::bind_all(
    std::span<const ast::ExpressionPtr> expressions) {
  Arguments bound;
  bound.reserve(expressions.size());
  for (const ast::ExpressionPtr& expression : expressions) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr argument, bind(*expression));
    bound.push_back(std::move(argument));
  }
  return bound;
}

Result<ExpressionPtr> ExpressionBinder::combine(std::string_view function,
                                                std::span<const ExpressionPtr> operands,
                                                ast::SourceRange range) {
  CLP_CHECK(!operands.empty());
  if (operands.size() == 1) return operands[0];
  const std::size_t half = operands.size() / 2;
  CLP_ASSIGN_OR_RETURN(ExpressionPtr left, combine(function, operands.first(half), range));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr right, combine(function, operands.subspan(half), range));
  return call(function, {std::move(left), std::move(right)}, range);
}

Result<ExpressionPtr> ExpressionBinder::bind_operation(const ast::Operation& operation) {
  if (is_smallest_big_int(operation)) {
    return big_int_literal(std::numeric_limits<std::int64_t>::min());
  }
  CLP_ASSIGN_OR_RETURN(Arguments operands, bind_all(operation.operands));
  if (operation.op == ast::Operator::kAnd || operation.op == ast::Operator::kOr) {
    return combine(ast::operator_name(operation.op), operands, operation.range);
  }
  const std::string_view name = ast::operator_name(operation.op);
  if (!environment_.functions.is_scalar(name)) return text_.not_built(operation.op_range, name);
  return call(name, std::move(operands), operation.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_between(const ast::Between& between) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*between.value));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr low, bind(*between.low));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr high, bind(*between.high));
  const auto within = [&](const ExpressionPtr& from,
                          const ExpressionPtr& to) -> Result<ExpressionPtr> {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr above, call(">=", {value, from}, between.range));
    CLP_ASSIGN_OR_RETURN(ExpressionPtr below, call("<=", {value, to}, between.range));
    return call("AND", {std::move(above), std::move(below)}, between.range);
  };
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, within(low, high));
  if (between.symmetric) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr swapped, within(high, low));
    CLP_ASSIGN_OR_RETURN(bound, call("OR", {std::move(bound), std::move(swapped)}, between.range));
  }
  if (!between.negated) return bound;
  return call("NOT", {std::move(bound)}, between.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_like(const ast::Like& like) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*like.value));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr pattern, bind(*like.pattern));
  Arguments arguments = {std::move(value), std::move(pattern)};
  if (like.escape) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr escape, bind(*like.escape));
    arguments.push_back(std::move(escape));
  }
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, call(like.similar ? "SIMILAR TO" : "LIKE",
                                                 std::move(arguments), like.range));
  if (!like.negated) return bound;
  return call("NOT", {std::move(bound)}, like.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_in_list(const ast::InList& in) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*in.value));
  Arguments arguments = {std::move(value)};
  for (const ast::ExpressionPtr& item : in.list) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, bind(*item));
    arguments.push_back(std::move(bound));
  }
  CLP_ASSIGN_OR_RETURN(ExpressionPtr any, call("IN", std::move(arguments), in.range));
  if (!in.negated) return any;
  return call("NOT", {std::move(any)}, in.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_case(const ast::Case& node) {
  ExpressionPtr operand;
  if (node.operand) {
    CLP_ASSIGN_OR_RETURN(operand, bind(*node.operand));
  }
  Arguments arguments;
  for (const ast::Case::When& when : node.whens) {
    Arguments conditions;
    for (const ast::ExpressionPtr& condition : when.conditions) {
      CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, bind(*condition));
      if (operand) {
        CLP_ASSIGN_OR_RETURN(bound, call("=", {operand, std::move(bound)}, condition->range));
      } else if (bound->type().kind() != TypeKind::kBoolean &&
                 bound->type().kind() != TypeKind::kNull) {
        return text_.invalid(condition->range, fmt::format("WHEN must be a condition, but is {}",
                                                           bound->type().to_string()));
      }
      conditions.push_back(std::move(bound));
    }
    CLP_ASSIGN_OR_RETURN(ExpressionPtr any, combine("OR", conditions, node.range));
    CLP_ASSIGN_OR_RETURN(ExpressionPtr result, bind(*when.result));
    arguments.push_back(std::move(any));
    arguments.push_back(std::move(result));
  }
  ExpressionPtr otherwise = null_literal(DataType::null());
  if (node.otherwise) {
    CLP_ASSIGN_OR_RETURN(otherwise, bind(*node.otherwise));
  }
  arguments.push_back(std::move(otherwise));
  return call("CASE", std::move(arguments), node.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_cast(const ast::Cast& cast) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*cast.value));
  CLP_ASSIGN_OR_RETURN(const DataType target, bind_type(cast.type, text_));
  Result<ExpressionPtr> bound = environment_.functions.cast(value, target, cast.try_cast);
  if (!bound.is_ok()) return text_.at_place(cast.range, bound.status());
  if ((*bound)->type().time_attribute() == TimeAttribute::kNone) return bound;
  // CAST(ts AS TIMESTAMP(3)) is how a query turns a time attribute into an ordinary timestamp.
  return Expression::call("CAST", {*bound},
                          (*bound)->type().with_time_attribute(TimeAttribute::kNone));
}

Result<ExpressionPtr> ExpressionBinder::bind_interval_difference(
    const ast::IntervalDifference& difference) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr left, bind(*difference.left));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr right, bind(*difference.right));
  const char* name = difference.interval.is_year_month() ? "MINUS_YEAR_MONTH" : "MINUS_DAY_TIME";
  if (!environment_.functions.is_scalar(name)) {
    return text_.not_built(difference.range, "the difference of two times as an interval",
                           "TIMESTAMPDIFF(SECOND, a, b)");
  }
  return call(name, {std::move(left), std::move(right)}, difference.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_trim(const ast::Trim& trim) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*trim.value));
  Arguments arguments = {std::move(value)};
  if (trim.characters) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr characters, bind(*trim.characters));
    arguments.push_back(std::move(characters));
  }
  switch (trim.side) {
    case ast::TrimSide::kLeading:
      return call("LTRIM", std::move(arguments), trim.range);
    case ast::TrimSide::kTrailing:
      return call("RTRIM", std::move(arguments), trim.range);
    case ast::TrimSide::kBoth:
      break;
  }
  return call("TRIM", std::move(arguments), trim.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_constructor(const ast::Constructor& constructor) {
  const std::string_view name = constructor_name(constructor.constructor);
  if (!environment_.functions.is_scalar(name)) return text_.not_built(constructor.range, name);
  CLP_ASSIGN_OR_RETURN(Arguments elements, bind_all(constructor.elements));
  return call(name, std::move(elements), constructor.range);
}

}  // namespace clepsydra::sql
