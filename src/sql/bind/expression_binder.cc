#include "sql/bind/expression_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "sql/bind/error_list.h"
#include "sql/bind/interval_literal.h"
#include "sql/bind/literal_binder.h"
#include "sql/bind/type_binder.h"
#include "stream/value_text.h"

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

// CAST(3 AS INTERVAL HOUR) counts hours when the number is written out; any other number counts
// milliseconds, or months, whatever the unit: as the reference.
Result<ExpressionPtr> in_units(const ast::Expression& written, ExpressionPtr value,
                               const ast::IntervalQualifier& qualifier) {
  const auto* operation = written.as_if<ast::Operation>();
  const bool is_literal = written.kind == ast::ExpressionKind::kLiteral ||
                          (operation != nullptr && operation->operands.size() == 1 &&
                           operation->operands[0]->kind == ast::ExpressionKind::kLiteral);
  if (!is_literal || qualifier.end) return value;
  const std::optional<std::int64_t> count = integer_value(*value);
  std::int64_t total = 0;
  if (!count || __builtin_mul_overflow(*count, unit_length(qualifier.start), &total)) return value;
  return big_int_literal(total);
}

// A constant FLOAT as DOUBLE is the shortest decimal that names it, 0.1 and not
// 0.10000000149011612: the reference folds constants as decimals.
Result<ExpressionPtr> through_text(ExpressionPtr value, const BindEnvironment& environment) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr folded, fold(value, environment));
  if (folded->kind() != Expression::Kind::kLiteral) return value;
  const DataType text = DataType::string().with_nullable(value->type().nullable());
  return environment.functions.cast(std::move(folded), text, false);
}

bool is_pi(const ast::Identifier& name) {
  return !name.quoted && (name.name == "PI" || name.name == "pi" || name.name == "Pi");
}

bool is_zero(const Expression& value) {
  if (value.kind() != Expression::Kind::kLiteral) return false;
  std::string text;
  append_value_text(value.literal_value(), 0, {}, text);
  return !value.literal_value().is_null(0) && value.type().is_numeric() && !text.empty() &&
         text.find_first_of("123456789NI") == std::string::npos;
}

struct Period {
  ExpressionPtr start;
  ExpressionPtr end;
};

// MAP['a', NULL]: when all values are NULL, they are of the type of the first key, as in the
// reference.
void type_null_values(std::vector<ExpressionPtr>& elements) {
  for (std::size_t i = 1; i < elements.size(); i += 2) {
    if (elements[i]->type().kind() != TypeKind::kNull) return;
  }
  if (elements.empty() || elements[0]->type().kind() == TypeKind::kNull) return;
  for (std::size_t i = 1; i < elements.size(); i += 2) {
    elements[i] = null_literal(elements[0]->type().with_nullable(true));
  }
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
      CLP_ASSIGN_OR_RETURN(Arguments operands, bind_each({access.value.get(), access.index.get()}));
      return call("ITEM", std::move(operands), access.range);
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
  Result<ExpressionPtr> resolved = scope_.resolve(reference, text_, environment_.functions);
  // PI is a function without parentheses, but no reserved word.
  if (!resolved.is_ok() && reference.parts.size() == 1 && is_pi(reference.parts[0])) {
    return call("PI", {}, reference.range);
  }
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, std::move(resolved));
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
  std::vector<const ast::Expression*> written;
  written.reserve(expressions.size());
  for (const ast::ExpressionPtr& expression : expressions) written.push_back(expression.get());
  return bind_each(written);
}

Result<ExpressionBinder::Arguments> ExpressionBinder::bind_each(
    std::span<const ast::Expression* const> expressions) {
  Arguments bound;
  bound.reserve(expressions.size());
  ErrorList errors;
  for (const ast::Expression* expression : expressions) {
    Result<ExpressionPtr> argument = bind(*expression);
    errors.add(expression->range, argument.status());
    if (errors.is_full()) break;
    if (argument.is_ok()) bound.push_back(*std::move(argument));
  }
  CLP_RETURN_IF_ERROR(errors.status());
  return bound;
}

Result<ExpressionBinder::Arguments> ExpressionBinder::bind_each(
    std::initializer_list<const ast::Expression*> expressions) {
  return bind_each(std::span(expressions.begin(), expressions.size()));
}

Result<ExpressionPtr> ExpressionBinder::combine(std::string_view function,
                                                std::span<const ExpressionPtr> operands,
                                                ast::SourceRange range) {
  CLP_CHECK(!operands.empty());
  if (operands.size() == 1) return operands[0];
  // Very long lists in calls of many: a tree of pairs would be most of the statement.
  constexpr std::size_t kFlatMin = 64;
  if (operands.size() > kFlatMin && (function == "AND" || function == "OR")) {
    Arguments groups;
    while (!operands.empty()) {
      const auto group = operands.first(std::min(kFlatMin, operands.size()));
      operands = operands.subspan(group.size());
      if (group.size() == 1) {
        groups.push_back(group[0]);
        continue;
      }
      CLP_ASSIGN_OR_RETURN(ExpressionPtr all, call(function, {group.begin(), group.end()}, range));
      groups.push_back(std::move(all));
    }
    return combine(function, groups, range);
  }
  const std::size_t half = operands.size() / 2;
  CLP_ASSIGN_OR_RETURN(ExpressionPtr left, combine(function, operands.first(half), range));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr right, combine(function, operands.subspan(half), range));
  return call(function, {std::move(left), std::move(right)}, range);
}

Result<ExpressionPtr> ExpressionBinder::bind_operation(const ast::Operation& operation) {
  if (is_smallest_big_int(operation)) {
    return big_int_literal(std::numeric_limits<std::int64_t>::min());
  }
  if (operation.op == ast::Operator::kOverlaps) return bind_overlaps(operation);
  CLP_ASSIGN_OR_RETURN(Arguments operands, bind_all(operation.operands));
  if (operation.op == ast::Operator::kDivide && is_zero(*operands[1])) {
    // A written zero divides nothing, not even a DOUBLE, for which x / 0 is infinite otherwise.
    CLP_ASSIGN_OR_RETURN(const ExpressionPtr quotient,
                         call("/", {operands[0], operands[1]}, operation.range));
    if (quotient->type().kind() != TypeKind::kDouble &&
        quotient->type().kind() != TypeKind::kFloat) {
      return quotient;
    }
    CLP_ASSIGN_OR_RETURN(ExpressionPtr failing,
                         call("/", {integer_literal(1), integer_literal(0)}, operation.range));
    return environment_.functions.cast(std::move(failing), quotient->type(), false);
  }
  if (operation.op == ast::Operator::kAnd || operation.op == ast::Operator::kOr) {
    return combine(ast::operator_name(operation.op), operands, operation.range);
  }
  const std::string_view name = ast::operator_name(operation.op);
  if (!environment_.functions.is_scalar(name)) return text_.not_built(operation.op_range, name);
  return call(name, std::move(operands), operation.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_overlaps(const ast::Operation& operation) {
  std::array<const ast::Constructor*, 2> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const ast::Expression& operand = *operation.operands[i];
    const auto* pair = operand.as_if<ast::Constructor>();
    if (pair == nullptr || pair->elements.size() != 2 ||
        (pair->constructor != ast::ConstructorKind::kImplicitRow &&
         pair->constructor != ast::ConstructorKind::kRow)) {
      return text_.invalid(operand.range, "OVERLAPS compares two periods",
                           "write (start, end) or (start, length)");
    }
    pairs[i] = pair;
  }
  CLP_ASSIGN_OR_RETURN(const Arguments ends,
                       bind_each({pairs[0]->elements[0].get(), pairs[0]->elements[1].get(),
                                  pairs[1]->elements[0].get(), pairs[1]->elements[1].get()}));
  std::array<Period, 2> periods;
  for (std::size_t i = 0; i < periods.size(); ++i) {
    const ast::Constructor* pair = pairs[i];
    const ExpressionPtr& start = ends[2 * i];
    ExpressionPtr end = ends[2 * i + 1];
    if (end->type().kind() == TypeKind::kIntervalDayTime ||
        end->type().kind() == TypeKind::kIntervalYearMonth) {
      CLP_ASSIGN_OR_RETURN(end, call("+", {start, std::move(end)}, pair->range));
    }
    // The ends may come in either order.
    CLP_ASSIGN_OR_RETURN(ExpressionPtr ordered, call("<=", {start, end}, pair->range));
    CLP_ASSIGN_OR_RETURN(periods[i].start, call("CASE", {ordered, start, end}, pair->range));
    CLP_ASSIGN_OR_RETURN(periods[i].end, call("CASE", {ordered, end, start}, pair->range));
  }
  CLP_ASSIGN_OR_RETURN(ExpressionPtr first,
                       call(">=", {periods[0].end, periods[1].start}, operation.range));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr second,
                       call(">=", {periods[1].end, periods[0].start}, operation.range));
  return call("AND", {std::move(first), std::move(second)}, operation.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_between(const ast::Between& between) {
  CLP_ASSIGN_OR_RETURN(const Arguments operands,
                       bind_each({between.value.get(), between.low.get(), between.high.get()}));
  const ExpressionPtr& value = operands[0];
  const ExpressionPtr& low = operands[1];
  const ExpressionPtr& high = operands[2];
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
  std::vector<const ast::Expression*> written = {like.value.get(), like.pattern.get()};
  if (like.escape) written.push_back(like.escape.get());
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(written));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr bound, call(like.similar ? "SIMILAR TO" : "LIKE",
                                                 std::move(arguments), like.range));
  if (!like.negated) return bound;
  return call("NOT", {std::move(bound)}, like.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_in_list(const ast::InList& in) {
  std::vector<const ast::Expression*> written = {in.value.get()};
  for (const ast::ExpressionPtr& item : in.list) written.push_back(item.get());
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(written));
  CLP_ASSIGN_OR_RETURN(ExpressionPtr any, call("IN", std::move(arguments), in.range));
  if (!in.negated) return any;
  return call("NOT", {std::move(any)}, in.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_case(const ast::Case& node) {
  ErrorList errors;
  // Null after an error.
  const auto bound_part = [&](const ast::Expression& written) -> ExpressionPtr {
    Result<ExpressionPtr> bound = bind(written);
    errors.add(written.range, bound.status());
    return bound.is_ok() ? *std::move(bound) : nullptr;
  };
  ExpressionPtr operand;
  if (node.operand) operand = bound_part(*node.operand);
  Arguments arguments;
  for (const ast::Case::When& when : node.whens) {
    if (errors.is_full()) break;
    Arguments conditions;
    for (const ast::ExpressionPtr& written : when.conditions) {
      ExpressionPtr value = bound_part(*written);
      if (value == nullptr || (node.operand && operand == nullptr)) continue;
      Result<ExpressionPtr> condition = when_condition(operand, std::move(value), *written);
      errors.add(written->range, condition.status());
      if (condition.is_ok()) conditions.push_back(*std::move(condition));
    }
    ExpressionPtr result = bound_part(*when.result);
    if (errors.failed()) continue;
    CLP_ASSIGN_OR_RETURN(ExpressionPtr any, combine("OR", conditions, node.range));
    arguments.push_back(std::move(any));
    arguments.push_back(std::move(result));
  }
  arguments.push_back(node.otherwise ? bound_part(*node.otherwise)
                                     : null_literal(DataType::null()));
  CLP_RETURN_IF_ERROR(errors.status());
  return call("CASE", std::move(arguments), node.range);
}

// What a WHEN asks: `operand` = `value`, or `value` itself without an operand.
Result<ExpressionPtr> ExpressionBinder::when_condition(const ExpressionPtr& operand,
                                                       ExpressionPtr value,
                                                       const ast::Expression& written) {
  if (operand != nullptr) return call("=", {operand, std::move(value)}, written.range);
  const TypeKind kind = value->type().kind();
  if (kind == TypeKind::kBoolean || kind == TypeKind::kNull) return value;
  return text_.invalid(
      written.range, fmt::format("WHEN must be a condition, but is {}", value->type().to_string()));
}

Result<ExpressionPtr> ExpressionBinder::bind_cast(const ast::Cast& cast) {
  CLP_ASSIGN_OR_RETURN(ExpressionPtr value, bind(*cast.value));
  const bool is_null = value->type().kind() == TypeKind::kNull;
  if (cast.type.kind == ast::TypeNameKind::kVariant && !is_null) {
    return text_.invalid(cast.range,
                         fmt::format("{} cannot be cast to VARIANT", value->type().to_string()),
                         "PARSE_JSON makes a VARIANT of a JSON text");
  }
  CLP_ASSIGN_OR_RETURN(const DataType target, bind_type(cast.type, text_));
  if (cast.type.kind == ast::TypeNameKind::kInterval) {
    CLP_ASSIGN_OR_RETURN(value, in_units(*cast.value, std::move(value), cast.type.interval));
  }
  if (target.kind() == TypeKind::kDouble && value->type().kind() == TypeKind::kFloat) {
    CLP_ASSIGN_OR_RETURN(value, through_text(std::move(value), environment_));
  }
  Result<ExpressionPtr> bound = environment_.functions.cast(value, target, cast.try_cast);
  if (!bound.is_ok()) return text_.at_place(cast.range, bound.status());
  if ((*bound)->type().time_attribute() == TimeAttribute::kNone) return bound;
  // CAST(ts AS TIMESTAMP(3)) is how a query turns a time attribute into an ordinary timestamp.
  return Expression::call("CAST", {*bound},
                          (*bound)->type().with_time_attribute(TimeAttribute::kNone));
}

Result<ExpressionPtr> ExpressionBinder::bind_interval_difference(
    const ast::IntervalDifference& difference) {
  CLP_ASSIGN_OR_RETURN(Arguments operands,
                       bind_each({difference.left.get(), difference.right.get()}));
  const char* name = difference.interval.is_year_month() ? "MINUS_YEAR_MONTH" : "MINUS_DAY_TIME";
  if (!environment_.functions.is_scalar(name)) {
    return text_.not_built(difference.range, "the difference of two times as an interval",
                           "TIMESTAMPDIFF(SECOND, a, b)");
  }
  return call(name, std::move(operands), difference.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_trim(const ast::Trim& trim) {
  std::vector<const ast::Expression*> written = {trim.value.get()};
  if (trim.characters) written.push_back(trim.characters.get());
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(written));
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
  if (constructor.constructor == ast::ConstructorKind::kMultiset) {
    // The reference reads it too, and has no plan for it.
    return text_.invalid(constructor.range, "MULTISET[...] cannot be computed",
                         "COLLECT(value) makes a MULTISET of the values of rows");
  }
  CLP_ASSIGN_OR_RETURN(Arguments elements, bind_all(constructor.elements));
  if (constructor.constructor == ast::ConstructorKind::kMap && elements.size() % 2 == 0) {
    type_null_values(elements);
  }
  return call(name, std::move(elements), constructor.range);
}

}  // namespace clepsydra::sql
