// JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT and JSON_ARRAY: their clauses become a literal
// argument, a letter per clause; functions/scalar/json_query.cc and json_build.cc say which.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "sql/bind/expression_binder.h"
#include "sql/bind/type_binder.h"

namespace clepsydra::sql {
namespace {

using ast::JsonBehavior;

// '\0' for what no letter stands for.
char letter_of(JsonBehavior behavior) {
  switch (behavior) {
    case JsonBehavior::kNull:
      return 'N';
    case JsonBehavior::kError:
      return 'E';
    case JsonBehavior::kTrue:
      return 'T';
    case JsonBehavior::kFalse:
      return 'F';
    case JsonBehavior::kUnknown:
      return 'U';
    case JsonBehavior::kEmpty:
    case JsonBehavior::kEmptyArray:
      return 'A';
    case JsonBehavior::kEmptyObject:
      return 'O';
    case JsonBehavior::kDefault:
      return 'D';
    case JsonBehavior::kAbsent:
      break;
  }
  return '\0';
}

bool is_call_of(const ast::Expression& expression, std::string_view name) {
  const auto* call = expression.as_if<ast::FunctionCall>();
  return call != nullptr && call->upper_name() == name;
}

}  // namespace

bool ExpressionBinder::is_json_call(std::string_view name) {
  return name == "JSON_VALUE" || name == "JSON_QUERY" || name == "JSON_EXISTS" ||
         name == "JSON_OBJECT" || name == "JSON_ARRAY";
}

Result<ExpressionPtr> ExpressionBinder::bind_json_call(const ast::FunctionCall& node) {
  const std::string name = node.upper_name();
  if (name == "JSON_OBJECT" || name == "JSON_ARRAY") {
    return bind_json_constructor(node, name == "JSON_OBJECT");
  }
  const ast::JsonClauses& clauses = *node.json;
  if (node.arguments.size() != 2) {
    return text_.invalid(
        node.range,
        fmt::format("{} takes a JSON text and a path, found {} {}", name, node.arguments.size(),
                    node.arguments.size() == 1 ? "argument" : "arguments"));
  }
  CLP_ASSIGN_OR_RETURN(Arguments arguments,
                       bind_each({node.arguments[0].value.get(), node.arguments[1].value.get()}));
  const bool is_value = name == "JSON_VALUE";
  const bool is_query = name == "JSON_QUERY";
  if (clauses.wrapper && !is_query) return clause_misplaced(node, "a WRAPPER clause", "JSON_QUERY");
  if (clauses.returning && !is_value && !is_query) {
    return clause_misplaced(node, "RETURNING", "JSON_VALUE and JSON_QUERY");
  }
  if (clauses.on_empty && !is_value && !is_query) {
    return clause_misplaced(node, "ON EMPTY", "JSON_VALUE and JSON_QUERY");
  }
  // What each function takes in its ON EMPTY and ON ERROR.
  const std::string_view allowed = is_value ? "NED" : is_query ? "NEAO" : "TFUE";
  const auto clause = [&](const std::optional<ast::JsonHandler>& handler, char otherwise) {
    return handler ? letter_of(handler->behavior) : otherwise;
  };
  const char on_empty = clause(clauses.on_empty, 'N');
  const char on_error = clause(clauses.on_error, is_value || is_query ? 'N' : 'F');
  for (const char letter : {on_empty, on_error}) {
    if (letter == 'N' && !is_value && !is_query) continue;  // JSON_EXISTS has no ON EMPTY.
    if (letter == '\0' || allowed.find(letter) == std::string_view::npos) {
      return text_.invalid(node.range,
                           fmt::format("{} does not take this in ON EMPTY or ON ERROR", name),
                           is_value   ? "write NULL, ERROR or DEFAULT value"
                           : is_query ? "write NULL, ERROR, EMPTY ARRAY or EMPTY OBJECT"
                                      : "write TRUE, FALSE, UNKNOWN or ERROR");
    }
  }
  if (is_query) return bind_json_query(node, std::move(arguments), on_empty, on_error);
  if (!is_value) {
    arguments.push_back(text_literal(std::string(1, on_error)));
    return call(name, std::move(arguments), node.range);
  }
  // Asked here, as long as the message shows what was written and no clause.
  for (const ExpressionPtr& argument : arguments) {
    const TypeKind kind = argument->type().kind();
    if (kind == TypeKind::kChar || kind == TypeKind::kVarchar || kind == TypeKind::kNull) continue;
    return text_.invalid(
        node.range,
        fmt::format("JSON_VALUE does not take ({}, {}); expected JSON_VALUE(text, path)",
                    arguments[0]->type().with_nullable(true).to_string(),
                    arguments[1]->type().with_nullable(true).to_string()));
  }
  DataType type = DataType::string();
  if (clauses.returning) {
    CLP_ASSIGN_OR_RETURN(type, bind_type(*clauses.returning, text_));
  }
  arguments.push_back(text_literal(std::string{on_empty, on_error}));
  for (const std::optional<ast::JsonHandler>* handler : {&clauses.on_empty, &clauses.on_error}) {
    if (!*handler || (*handler)->behavior != JsonBehavior::kDefault) {
      arguments.push_back(null_literal(type));
      continue;
    }
    const ast::Expression& written = *(*handler)->default_value;
    CLP_ASSIGN_OR_RETURN(const ExpressionPtr value, bind(written));
    Result<ExpressionPtr> cast =
        environment_.functions.cast(value, type.with_nullable(true), false);
    if (!cast.is_ok()) return text_.at_place(written.range, cast.status());
    arguments.push_back(*std::move(cast));
  }
  return call(name, std::move(arguments), node.range);
}

Status ExpressionBinder::clause_misplaced(const ast::FunctionCall& node, std::string_view clause,
                                          std::string_view owner) const {
  return text_.invalid(
      node.range, fmt::format("{} belongs to {}, not to {}", clause, owner, node.upper_name()));
}

Result<ExpressionPtr> ExpressionBinder::bind_json_query(const ast::FunctionCall& node,
                                                        Arguments arguments, char on_empty,
                                                        char on_error) {
  const ast::JsonClauses& clauses = *node.json;
  char result = 'S';
  if (clauses.returning) {
    CLP_ASSIGN_OR_RETURN(const DataType type, bind_type(*clauses.returning, text_));
    const bool is_list =
        type.kind() == TypeKind::kArray && type.element().kind() == TypeKind::kVarchar;
    if (!is_list && type.kind() != TypeKind::kVarchar) {
      return text_.invalid(clauses.returning->range,
                           fmt::format("JSON_QUERY does not return {}: only STRING and "
                                       "ARRAY<STRING>",
                                       type.to_string()));
    }
    if (is_list) result = 'L';
  }
  if (result == 'L' && (on_empty == 'O' || on_error == 'O')) {
    return text_.invalid(node.range, "an EMPTY OBJECT is no ARRAY<STRING>",
                         "write NULL or EMPTY ARRAY");
  }
  char wrapper = 'W';
  if (clauses.wrapper == ast::JsonWrapper::kConditional) wrapper = 'C';
  if (clauses.wrapper == ast::JsonWrapper::kUnconditional) wrapper = 'U';
  arguments.push_back(text_literal(std::string{wrapper, on_empty, on_error, result}));
  return call("JSON_QUERY", std::move(arguments), node.range);
}

Result<ExpressionPtr> ExpressionBinder::bind_json_constructor(const ast::FunctionCall& node,
                                                              bool is_object) {
  // The reference's defaults: NULL ON NULL of objects, ABSENT ON NULL of arrays.
  const JsonBehavior on_null =
      node.json->on_null.value_or(is_object ? JsonBehavior::kNull : JsonBehavior::kAbsent);
  std::string plan(1, on_null == JsonBehavior::kNull ? 'N' : 'A');
  std::vector<const ast::Expression*> values;
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const ast::Expression& written = *node.arguments[i].value;
    const bool is_key = is_object && i % 2 == 0;
    const bool is_json = !is_key && is_call_of(written, "JSON");
    const ast::Expression* value = &written;
    if (is_json) {
      const auto& wrapped = written.as<ast::FunctionCall>();
      if (wrapped.arguments.size() != 1) {
        return text_.invalid(written.range, "JSON takes one text");
      }
      value = wrapped.arguments[0].value.get();
    }
    values.push_back(value);
    if (is_key) continue;
    const bool is_nested = is_call_of(written, "JSON_OBJECT") || is_call_of(written, "JSON_ARRAY");
    plan += is_json ? 'j' : is_nested ? 'o' : 'v';
  }
  CLP_ASSIGN_OR_RETURN(Arguments arguments, bind_each(values));
  arguments.insert(arguments.begin(), text_literal(plan));
  return call(is_object ? "JSON_OBJECT" : "JSON_ARRAY", std::move(arguments), node.range);
}

}  // namespace clepsydra::sql
