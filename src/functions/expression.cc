#include "functions/expression.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/memory_pool.h"
#include "base/utf8.h"
#include "stream/column_builder.h"
#include "stream/type_codec.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// A tree from outside may be nested this deep; the parser stops earlier.
constexpr int kDepthMax = 100;

// Written between their arguments in EXPLAIN.
constexpr std::array<std::string_view, 15> kInfix = {"+",
                                                     "-",
                                                     "*",
                                                     "/",
                                                     "%",
                                                     "||",
                                                     "=",
                                                     "<>",
                                                     "<",
                                                     "<=",
                                                     ">",
                                                     ">=",
                                                     "LIKE",
                                                     "IS DISTINCT FROM",
                                                     "IS NOT DISTINCT FROM"};

bool is_infix(std::string_view name) {
  for (const std::string_view infix : kInfix) {
    if (infix == name) return true;
  }
  return name == "AND" || name == "OR" || name == "SIMILAR TO";
}

std::string literal_text(const Column& value) {
  if (value.is_null(0)) return "NULL";
  std::string text;
  append_value_text(value, 0, TextStyle{.binary_as_hex = true}, text);
  if (!value.type().is_character()) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

std::string join(const std::vector<ExpressionPtr>& expressions, std::string_view separator) {
  std::string out;
  for (const ExpressionPtr& expression : expressions) {
    if (!out.empty()) out += separator;
    out += expression->to_string();
  }
  return out;
}

std::string call_text(const Expression& call) {
  const std::string& name = call.name();
  const std::vector<ExpressionPtr>& arguments = call.arguments();
  if (is_infix(name) && arguments.size() >= 2) {
    return fmt::format("({})", join(arguments, fmt::format(" {} ", name)));
  }
  if (name == "NOT" && arguments.size() == 1)
    return fmt::format("(NOT {})", arguments[0]->to_string());
  if (name.starts_with("IS ") && arguments.size() == 1) {
    return fmt::format("({} {})", arguments[0]->to_string(), name);
  }
  if ((name == "CAST" || name == "TRY_CAST") && arguments.size() == 1) {
    return fmt::format("{}({} AS {})", name, arguments[0]->to_string(), call.type().name());
  }
  if (name == "FIELD" && arguments.size() == 2) {
    const std::optional<std::int64_t> index = integer_value(*arguments[1]);
    const std::vector<Field>& fields = arguments[0]->type().fields();
    if (index && *index >= 0 && *index < static_cast<std::int64_t>(fields.size())) {
      return fmt::format("{}.{}", arguments[0]->to_string(),
                         fields[static_cast<std::size_t>(*index)].name);
    }
  }
  if (name == "ITEM" && arguments.size() == 2) {
    return fmt::format("{}[{}]", arguments[0]->to_string(), arguments[1]->to_string());
  }
  return fmt::format("{}({})", name, join(arguments, ", "));
}

Status bad_expression(std::string_view what) {
  return Status::invalid_argument(fmt::format("cannot read an expression from a plan: {}", what));
}

Result<ExpressionPtr> from_tree(const ValueTree& tree, int depth) {
  if (depth > kDepthMax) return bad_expression(fmt::format("nested more than {} deep", kDepthMax));
  if (const ValueTree* literal = tree.find("literal"); literal != nullptr) {
    CLP_ASSIGN_OR_RETURN(Column value, column_from_tree(*literal, literal_pool()));
    if (value.length() != 1) return bad_expression("a literal needs exactly one value");
    return Expression::literal(std::move(value));
  }
  CLP_ASSIGN_OR_RETURN(const ValueTree type_tree, tree.get("type"));
  CLP_ASSIGN_OR_RETURN(DataType type, type_from_tree(type_tree));
  if (tree.find("column") != nullptr) {
    CLP_ASSIGN_OR_RETURN(const std::int64_t index, tree.get_int("column"));
    if (index < 0 || index > INT32_MAX) return bad_expression(fmt::format("column {}", index));
    return Expression::column(static_cast<int>(index), std::move(type),
                              tree.get_string_or("name", ""));
  }
  CLP_ASSIGN_OR_RETURN(std::string function, tree.get_string("call"));
  CLP_ASSIGN_OR_RETURN(const ValueTree::List list, tree.get_list("arguments"));
  std::vector<ExpressionPtr> arguments;
  arguments.reserve(list.size());
  for (const ValueTree& item : list) {
    CLP_ASSIGN_OR_RETURN(ExpressionPtr argument, from_tree(item, depth + 1));
    arguments.push_back(std::move(argument));
  }
  return Expression::call(std::move(function), std::move(arguments), std::move(type));
}

template <typename T>
ExpressionPtr fixed_literal(DataType type, T value) {
  ColumnBuilder builder(std::move(type), literal_pool());
  builder.append<T>(value);
  return Expression::literal(builder.finish().value());
}

}  // namespace

ExpressionPtr Expression::column(int index, DataType type, std::string name) {
  auto expression = std::make_shared<Expression>();
  expression->kind_ = Kind::kColumn;
  expression->column_ = index;
  expression->type_ = std::move(type);
  expression->name_ = std::move(name);
  return expression;
}

ExpressionPtr Expression::literal(Column value) {
  CLP_CHECK(value.has_value() && value.length() == 1);
  auto expression = std::make_shared<Expression>();
  expression->kind_ = Kind::kLiteral;
  expression->type_ = value.type();
  expression->literal_ = std::move(value);
  return expression;
}

ExpressionPtr Expression::call(std::string function, std::vector<ExpressionPtr> arguments,
                               DataType type) {
  auto expression = std::make_shared<Expression>();
  expression->kind_ = Kind::kCall;
  expression->type_ = std::move(type);
  expression->name_ = std::move(function);
  expression->arguments_ = std::move(arguments);
  return expression;
}

std::string Expression::to_string() const {
  switch (kind_) {
    case Kind::kColumn:
      return name_.empty() ? fmt::format("${}", column_) : name_;
    case Kind::kLiteral:
      return literal_text(literal_);
    case Kind::kCall:
      return call_text(*this);
  }
  return {};
}

bool operator==(const Expression& a, const Expression& b) {
  if (&a == &b) return true;
  if (a.kind_ != b.kind_ || a.type_ != b.type_) return false;
  switch (a.kind_) {
    case Expression::Kind::kColumn:
      return a.column_ == b.column_;
    case Expression::Kind::kLiteral:
      // By their bits: 0.0 is not -0.0 here.
      return column_to_tree(a.literal_).encode() == column_to_tree(b.literal_).encode();
    case Expression::Kind::kCall:
      break;
  }
  if (a.name_ != b.name_ || a.arguments_.size() != b.arguments_.size()) return false;
  for (std::size_t i = 0; i < a.arguments_.size(); ++i) {
    if (!(*a.arguments_[i] == *b.arguments_[i])) return false;
  }
  return true;
}

ValueTree expression_to_tree(const Expression& expression) {
  ValueTree tree = ValueTree::map();
  switch (expression.kind()) {
    case Expression::Kind::kColumn:
      tree.set("column", expression.column_index());
      tree.set("name", expression.name());
      break;
    case Expression::Kind::kLiteral:
      tree.set("literal", column_to_tree(expression.literal_value()));
      return tree;
    case Expression::Kind::kCall: {
      ValueTree arguments = ValueTree::list();
      for (const ExpressionPtr& argument : expression.arguments()) {
        arguments.add(expression_to_tree(*argument));
      }
      tree.set("call", expression.name());
      tree.set("arguments", std::move(arguments));
      break;
    }
  }
  tree.set("type", type_to_tree(expression.type()));
  return tree;
}

Result<ExpressionPtr> expression_from_tree(const ValueTree& tree) {
  return from_tree(tree, 0);
}

MemoryPool& literal_pool() {
  static const std::shared_ptr<MemoryPool> pool = MemoryPool::make_root("literals");
  return *pool;
}

ExpressionPtr null_literal(const DataType& type) {
  return Expression::literal(make_null_column(type.with_nullable(true), 1, literal_pool()).value());
}

ExpressionPtr boolean_literal(bool value) {
  return fixed_literal<std::uint8_t>(DataType::boolean().with_nullable(false), value ? 1 : 0);
}

ExpressionPtr integer_literal(std::int32_t value) {
  return fixed_literal<std::int32_t>(DataType::integer().with_nullable(false), value);
}

ExpressionPtr big_int_literal(std::int64_t value) {
  return fixed_literal<std::int64_t>(DataType::big_int().with_nullable(false), value);
}

ExpressionPtr whole_literal(const DataType& type, std::int64_t value) {
  const auto literal = [&]<typename T>(T) -> ExpressionPtr {
    return std::in_range<T>(value) ? fixed_literal<T>(type, static_cast<T>(value)) : nullptr;
  };
  switch (type.kind()) {
    case TypeKind::kTinyInt:
      return literal(std::int8_t{});
    case TypeKind::kSmallInt:
      return literal(std::int16_t{});
    case TypeKind::kInteger:
      return literal(std::int32_t{});
    case TypeKind::kBigInt:
      return literal(std::int64_t{});
    default:
      return nullptr;
  }
}

ExpressionPtr year_month_literal(std::int64_t months) {
  return fixed_literal<std::int32_t>(DataType::interval_year_month("MONTH").with_nullable(false),
                                     static_cast<std::int32_t>(months));
}

ExpressionPtr day_time_literal(std::int64_t millis) {
  return fixed_literal<std::int64_t>(DataType::interval_day_time("SECOND(3)").with_nullable(false),
                                     millis);
}

ExpressionPtr text_literal(std::string_view value) {
  const auto length = static_cast<std::int32_t>(utf8_length(value));
  ColumnBuilder builder(DataType::char_(length).with_nullable(false), literal_pool());
  builder.append_string(value);
  return Expression::literal(builder.finish().value());
}

std::optional<std::int64_t> integer_value(const Expression& expression) {
  if (expression.kind() != Expression::Kind::kLiteral) return std::nullopt;
  const Column& value = expression.literal_value();
  if (value.is_null(0)) return std::nullopt;
  switch (value.type().kind()) {
    case TypeKind::kTinyInt:
      return *value.values<std::int8_t>();
    case TypeKind::kSmallInt:
      return *value.values<std::int16_t>();
    case TypeKind::kInteger:
      return *value.values<std::int32_t>();
    case TypeKind::kBigInt:
      return *value.values<std::int64_t>();
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> text_value(const Expression& expression) {
  if (expression.kind() != Expression::Kind::kLiteral) return std::nullopt;
  const Column& value = expression.literal_value();
  if (value.type().physical() != PhysicalType::kView || value.is_null(0)) return std::nullopt;
  return value.string_at(0);
}

}  // namespace clepsydra
