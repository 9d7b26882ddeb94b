// CREATE and DROP of tables and views, USE.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/query_binder.h"
#include "sql/bind/table_binder.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr std::size_t kObjectsMax = 100000;

StatementResult done(std::string message) {
  return Done{std::move(message)};
}

}  // namespace

Result<ObjectPath> StatementRunner::resolve(const ast::ObjectName& name) const {
  std::vector<std::string> parts;
  for (const ast::Identifier& part : name.parts) parts.push_back(part.name);
  Result<ObjectPath> path = state_.catalog.resolve(parts);
  if (!path.is_ok()) return text_.at_place(name.range(), path.status());
  return path;
}

Result<StatementResult> StatementRunner::run_create_table(const ast::CreateTable& statement) {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, resolve(statement.name));
  const bool exists = state_.catalog.find(path, statement.temporary).found();
  if (exists && statement.if_not_exists)
    return done(fmt::format("Table '{}' exists already.", path.object));
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  CLP_ASSIGN_OR_RETURN(const std::shared_ptr<CatalogTable> table,
                       bind_create_table(statement, planning.environment(state_), text_));
  if (state_.catalog.table_names().size() >= kObjectsMax) {
    return text_.error(statement.name.range(),
                       fmt::format("a session may have at most {} tables", kObjectsMax), "",
                       StatusCode::kResourceExhausted);
  }
  table->path = path;
  table->version = state_.catalog.next_version();
  if (const Status added = state_.catalog.add({.table = table, .view = nullptr}); !added.is_ok()) {
    return text_.at_place(statement.name.range(), added);
  }
  return done(fmt::format("Table '{}' created.", path.object));
}

Result<StatementResult> StatementRunner::run_create_view(const ast::CreateView& statement) {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, resolve(statement.name));
  const bool exists = state_.catalog.find(path, statement.temporary).found();
  if (exists && statement.if_not_exists)
    return done(fmt::format("View '{}' exists already.", path.object));
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  BindState bind_state;
  QueryBinder binder(environment, text_, bind_state);
  CLP_ASSIGN_OR_RETURN(const PlanPtr plan, binder.bind(*statement.query));
  if (!statement.columns.empty() &&
      static_cast<int>(statement.columns.size()) != plan->schema->size()) {
    return text_.invalid(
        ast::cover(statement.columns.front().range, statement.columns.back().range),
        fmt::format("the view names {} columns, but its query has {}", statement.columns.size(),
                    plan->schema->size()));
  }
  auto view = std::make_shared<CatalogView>();
  view->path = path;
  view->temporary = statement.temporary;
  view->comment = statement.comment;
  view->query = ast::to_sql(*statement.query);
  std::vector<Field> fields = plan->schema->fields();
  std::set<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!statement.columns.empty()) fields[i].name = statement.columns[i].name;
    if (!names.insert(fields[i].name).second) {
      return text_.invalid(statement.query->range,
                           fmt::format("column '{}' occurs twice in the view", fields[i].name),
                           "give it another name with AS");
    }
    view->column_names.push_back(fields[i].name);
  }
  view->schema = make_schema(std::move(fields));
  if (const Status added = state_.catalog.add({.table = nullptr, .view = std::move(view)});
      !added.is_ok()) {
    return text_.at_place(statement.name.range(), added);
  }
  return done(fmt::format("View '{}' created.", path.object));
}

Result<StatementResult> StatementRunner::run_drop(const ast::Drop& statement) {
  if (statement.object != ast::ObjectKind::kTable && statement.object != ast::ObjectKind::kView) {
    return refuse(statement, fmt::format("DROP {}", ast::object_kind_name(statement.object)));
  }
  const bool is_view = statement.object == ast::ObjectKind::kView;
  const char* what = is_view ? "view" : "table";
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, resolve(statement.name));
  const CatalogObject object = state_.catalog.find(path, statement.temporary);
  const bool found = is_view ? object.view != nullptr : object.table != nullptr;
  if (found) {
    if (!statement.temporary && state_.catalog.find(path, true).found()) {
      return text_.invalid(statement.name.range(),
                           fmt::format("a temporary object hides '{}'", path.object),
                           fmt::format("drop it first: DROP TEMPORARY {}",
                                       state_.catalog.find(path, true).view ? "VIEW" : "TABLE"));
    }
    state_.catalog.remove(path, statement.temporary);
    return done(fmt::format("{} '{}' dropped.", is_view ? "View" : "Table", path.object));
  }
  if (statement.if_exists) return done(fmt::format("There is no {} '{}'.", what, path.object));
  std::string suggestion;
  if (object.found()) {
    suggestion = fmt::format("it is a {}: write DROP {}", is_view ? "table" : "view",
                             is_view ? "TABLE" : "VIEW");
  } else if (state_.catalog.find(path, !statement.temporary).found()) {
    suggestion = statement.temporary ? "there is a permanent one: leave out TEMPORARY"
                                     : "there is a temporary one: write TEMPORARY";
  } else {
    suggestion = did_you_mean_name(
        path.object, is_view ? state_.catalog.view_names() : state_.catalog.table_names());
  }
  return text_.not_found(
      statement.name.range(),
      fmt::format("{}{} '{}' does not exist", statement.temporary ? "temporary " : "", what,
                  path.to_string()),
      std::move(suggestion));
}

Result<StatementResult> StatementRunner::run_use(const ast::Use& statement) {
  if (statement.use == ast::UseKind::kModules) return refuse(statement, "USE MODULES");
  std::vector<std::string> parts;
  for (const ast::Identifier& part : statement.name.parts) parts.push_back(part.name);
  if (statement.use == ast::UseKind::kCatalog) parts.emplace_back(kDefaultDatabase);
  parts.emplace_back("t");  // resolve() takes the name of a table.
  if (parts.size() > 3) return text_.invalid(statement.name.range(), "too many parts in this name");
  const Result<ObjectPath> path = state_.catalog.resolve(parts);
  if (!path.is_ok()) return text_.at_place(statement.name.range(), path.status());
  return done("There is one catalog and one database, and they are in use.");
}

}  // namespace clepsydra::sql
