// Functions of libraries: CREATE, ALTER, DROP and DESCRIBE FUNCTION.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "functions/type_rules.h"
#include "functions/user/user_library.h"
#include "sql/ast/print.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr std::size_t kFunctionsMax = 100000;

StatementResult done(std::string message) {
  return Done{std::move(message)};
}

std::string_view kind_word(bool system, bool temporary) {
  if (system) return "temporary system function";
  return temporary ? "temporary function" : "function";
}

}  // namespace

Result<ObjectPath> StatementRunner::function_path(const ast::ObjectName& name) const {
  CLP_ASSIGN_OR_RETURN(ObjectPath path, locate(name));
  path.object = small_letters(path.object);
  return path;
}

Status StatementRunner::check_language(ast::FunctionLanguage language,
                                       ast::SourceRange range) const {
  if (language == ast::FunctionLanguage::kCpp || language == ast::FunctionLanguage::kDefault) {
    return Status::ok();
  }
  return text_.not_built(range, fmt::format("a function in {}", text_.at(range)),
                         "functions are C++ libraries: LANGUAGE CPP USING ARTIFACT 'library.so'");
}

Status StatementRunner::check_function(const CatalogFunction& function, ast::SourceRange identifier,
                                       ast::SourceRange library) const {
  const auto group = find_user_functions(user_function_name(function.library, function.identifier));
  if (group.is_ok()) return Status::ok();
  const bool is_name = group.status().message().find("has no function") != std::string_view::npos;
  return text_.at_place(is_name ? identifier : library, group.status());
}

Result<StatementResult> StatementRunner::run_create_function(const ast::CreateFunction& statement) {
  CatalogFunction function{.path = {},
                           .temporary = statement.temporary,
                           .system = statement.system,
                           .identifier = statement.identifier,
                           .library = {}};
  if (statement.system) {
    if (statement.name.parts.size() > 1) {
      return text_.invalid(statement.name.range(),
                           "a system function belongs to no catalog or database");
    }
    function.path.object = small_letters(statement.name.parts[0].name);
  } else {
    CLP_ASSIGN_OR_RETURN(function.path, function_path(statement.name));
  }
  const bool exists = statement.system
                          ? state_.catalog.find_system_function(function.path.object) != nullptr
                          : state_.catalog.has_function(function.path, statement.temporary);
  const std::string_view what = kind_word(statement.system, statement.temporary);
  if (exists && statement.if_not_exists) {
    return done(fmt::format("There is a {} '{}' already.", what, function.path.object));
  }
  if (exists) {
    return text_.error(statement.name.range(),
                       fmt::format("{} '{}' already exists", what, function.path.object), {},
                       StatusCode::kAlreadyExists);
  }
  CLP_RETURN_IF_ERROR(check_language(statement.language, statement.language_range));
  if (statement.resources.size() != 1 || !statement.resources[0].artifact) {
    return text_.invalid(
        statement.resources.empty() ? statement.identifier_range : statement.resources[0].range,
        "a function in C++ comes from one library",
        fmt::format("AS {} LANGUAGE CPP USING ARTIFACT 'library.so'",
                    ast::quote_string(statement.identifier)));
  }
  if (!statement.options.empty()) {
    return text_.not_built(statement.options[0].key_range, "options of a function");
  }
  if (state_.catalog.object_count() >= kFunctionsMax) {
    return text_.error(statement.name.range(),
                       fmt::format("a session may have at most {} functions", kFunctionsMax), "",
                       StatusCode::kResourceExhausted);
  }
  function.library = statement.resources[0].uri;
  CLP_RETURN_IF_ERROR(
      check_function(function, statement.identifier_range, statement.resources[0].range));
  const std::string name = function.path.object;
  if (const Status put = state_.catalog.put_function(std::move(function)); !put.is_ok()) {
    return text_.at_place(statement.name.range(), put);
  }
  return done(fmt::format("Function '{}' created.", name));
}

Result<StatementResult> StatementRunner::run_alter_function(const ast::AlterFunction& statement) {
  if (statement.temporary) {
    return text_.invalid(statement.name.range(), "a temporary function is not altered",
                         "drop it and create it again, as in the reference");
  }
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, function_path(statement.name));
  if (!state_.catalog.has_function(path, false)) {
    if (statement.if_exists) return done(fmt::format("There is no function '{}'.", path.object));
    return text_.not_found(
        statement.name.range(), fmt::format("function '{}' does not exist", path.to_string()),
        did_you_mean_name(path.object,
                          state_.catalog.function_names({path.catalog, path.database})));
  }
  CLP_RETURN_IF_ERROR(check_language(statement.language, statement.language_range));
  const Result<const CatalogFunction*> old = state_.catalog.find_function(path);
  if (!old.is_ok()) return text_.at_place(statement.name.range(), old.status());
  if ((*old)->temporary) {
    return text_.invalid(statement.name.range(),
                         fmt::format("a temporary function hides '{}'", path.object),
                         "drop it first: DROP TEMPORARY FUNCTION");
  }
  CatalogFunction function = **old;
  function.identifier = statement.identifier;
  CLP_RETURN_IF_ERROR(
      check_function(function, statement.identifier_range, statement.identifier_range));
  if (const Status put = state_.catalog.put_function(std::move(function)); !put.is_ok()) {
    return text_.at_place(statement.name.range(), put);
  }
  return done(fmt::format("Function '{}' altered.", path.object));
}

Result<StatementResult> StatementRunner::run_drop_function(const ast::Drop& statement) {
  const std::string_view what = kind_word(statement.system, statement.temporary);
  std::vector<std::string> known;
  std::string name = small_letters(statement.name.parts.back().name);
  if (statement.system) {
    if (statement.name.parts.size() == 1 && state_.catalog.find_system_function(name) != nullptr) {
      state_.catalog.remove_system_function(name);
      return done(fmt::format("Function '{}' dropped.", name));
    }
    known = state_.catalog.system_function_names();
  } else {
    Result<ObjectPath> path = function_path(statement.name);
    if (path.is_ok() && state_.catalog.has_function(*path, statement.temporary)) {
      // As for tables: what is hidden is not dropped by mistake.
      if (!statement.temporary && state_.catalog.has_function(*path, true)) {
        return text_.invalid(statement.name.range(),
                             fmt::format("a temporary function hides '{}'", path->object),
                             "drop it first: DROP TEMPORARY FUNCTION");
      }
      const Status removed = state_.catalog.remove_function(*path, statement.temporary);
      if (!removed.is_ok()) return text_.at_place(statement.name.range(), removed);
      return done(fmt::format("Function '{}' dropped.", path->object));
    }
    if (!path.is_ok() && path.status().code() != StatusCode::kNotFound) return path.status();
    if (!path.is_ok() && !statement.if_exists) return path.status();
    if (path.is_ok()) known = state_.catalog.function_names({path->catalog, path->database});
  }
  if (statement.if_exists) {
    return done(fmt::format("There is no {} '{}'.", what, ast::to_sql(statement.name)));
  }
  const bool is_built_in =
      statement.name.parts.size() == 1 && (FunctionRegistry::built_in().is_scalar(name) ||
                                           FunctionRegistry::built_in().is_aggregate(name));
  return text_.not_found(
      statement.name.range(),
      fmt::format("{} '{}' does not exist", what, ast::to_sql(statement.name)),
      is_built_in ? "a built-in function is not dropped" : did_you_mean_name(name, known));
}

Result<const CatalogFunction*> StatementRunner::find_function(const ast::ObjectName& name) const {
  const FunctionRegistry& functions = FunctionRegistry::built_in();
  const std::string& last = name.parts.back().name;
  if (name.parts.size() == 1) {
    const CatalogFunction* found = state_.catalog.find_system_function(small_letters(last));
    if (found != nullptr) return found;
    if (functions.is_scalar(last) || functions.is_aggregate(last)) return nullptr;
  }
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, function_path(name));
  const Result<const CatalogFunction*> found = state_.catalog.find_function(path);
  if (!found.is_ok()) return text_.at_place(name.range(), found.status());
  if (*found != nullptr) return found;
  std::vector<std::string> known = functions.names();
  for (std::string& user : state_.catalog.function_names({path.catalog, path.database})) {
    known.push_back(std::move(user));
  }
  return text_.not_found(name.range(), fmt::format("function '{}' does not exist", last),
                         did_you_mean_name(last, known));
}

Result<StatementResult> StatementRunner::describe_function(const ast::Describe& statement) {
  CLP_ASSIGN_OR_RETURN(const CatalogFunction* function, find_function(statement.name));
  if (function == nullptr) {
    std::vector<std::vector<std::string>> rows = {{"is system function", "true"},
                                                  {"is temporary", "false"}};
    const bool is_aggregate =
        FunctionRegistry::built_in().is_aggregate(statement.name.parts.back().name);
    if (statement.extended) rows.push_back({"kind", is_aggregate ? "AGGREGATE" : "SCALAR"});
    return text_table({"info name", "info value"}, rows);
  }
  std::vector<std::vector<std::string>> rows = {
      {"is system function", function->system ? "true" : "false"},
      {"is temporary", function->temporary ? "true" : "false"},
      {"class name", function->identifier},
      {"function language", "CPP"},
      {"resource uris", function->library}};
  if (statement.extended) {
    const Result<const UserFunctionGroup*> group =
        find_user_functions(user_function_name(function->library, function->identifier));
    if (!group.is_ok()) return text_.at_place(statement.name.range(), group.status());
    const UserFunctionGroup& found = **group;
    const bool is_async =
        !found.is_aggregate && found.overloads[0].declaration.kind == CLP_ASYNC_SCALAR;
    rows.push_back({"kind", found.is_aggregate ? "AGGREGATE"
                            : is_async         ? "ASYNC_SCALAR"
                                               : "SCALAR"});
    const bool is_pure = found.is_aggregate || found.scalar.volatility == Volatility::kPure;
    rows.push_back({"is deterministic", is_pure ? "true" : "false"});
    rows.push_back(
        {"supports constant folding", is_pure && !found.is_aggregate ? "true" : "false"});
    for (const UserFunction& overload : found.overloads) {
      rows.push_back(
          {"signature", fmt::format("{}({}) => {}", function->path.object,
                                    type_list(overload.arguments), overload.result.to_string())});
    }
  }
  return text_table({"info name", "info value"}, rows);
}

}  // namespace clepsydra::sql
