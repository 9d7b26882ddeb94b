// CREATE and DROP of tables and views.
#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/insert_binder.h"
#include "sql/bind/query_binder.h"
#include "sql/bind/table_binder.h"
#include "sql/statement_runner.h"
#include "sql/table_edit.h"

namespace clepsydra::sql {
namespace {

constexpr std::size_t kObjectsMax = 100000;

StatementResult done(std::string message) {
  return Done{std::move(message)};
}

std::vector<std::string> parts_of(const ast::ObjectName& name) {
  std::vector<std::string> parts;
  for (const ast::Identifier& part : name.parts) parts.push_back(part.name);
  return parts;
}

ast::ObjectName object_name(const ObjectPath& path) {
  ast::ObjectName name;
  for (const std::string& part : {path.catalog, path.database, path.object}) {
    name.parts.push_back({.name = part, .quoted = true, .range = {}});
  }
  return name;
}

}  // namespace

Result<ObjectPath> StatementRunner::resolve(const ast::ObjectName& name) const {
  Result<ObjectPath> path = state_.catalog.resolve(parts_of(name));
  if (!path.is_ok()) return text_.at_place(name.range(), path.status());
  return path;
}

Result<ObjectPath> StatementRunner::locate(const ast::ObjectName& name) const {
  Result<ObjectPath> path = state_.catalog.locate(parts_of(name));
  if (!path.is_ok()) return text_.at_place(name.range(), path.status());
  return path;
}

Status StatementRunner::add_table(const std::shared_ptr<CatalogTable>& table,
                                  const ast::CreateTable& statement) {
  if (state_.catalog.object_count() >= kObjectsMax) {
    return text_.error(statement.name.range(),
                       fmt::format("a session may have at most {} tables", kObjectsMax), "",
                       StatusCode::kResourceExhausted);
  }
  table->version = state_.catalog.next_version();
  const bool replaces =
      statement.replace && state_.catalog.find(table->path, table->temporary).table != nullptr;
  const CatalogObject object{.table = table, .view = nullptr};
  const Status added =
      replaces ? state_.catalog.replace(table->path, object) : state_.catalog.add(object);
  return added.is_ok() ? added : text_.at_place(statement.name.range(), added);
}

Result<std::shared_ptr<CatalogTable>> StatementRunner::bind_table(
    const ast::CreateTable& statement, const BindEnvironment& environment) {
  if (!statement.like) return bind_create_table(statement, environment, text_);
  const ast::ObjectName& name = statement.like->source;
  CLP_ASSIGN_OR_RETURN(const CatalogObject source, find_object(name));
  if (source.view) {
    return text_.invalid(name.range(), fmt::format("'{}' is a view; LIKE takes the definition of "
                                                   "a table",
                                                   source.path().object));
  }
  TableEdit edit(text_.sql(), statement, source.table.get(), name.range());
  CLP_RETURN_IF_ERROR(edit.status());
  auto& create = edit.statement().as<ast::CreateTable>();
  CLP_RETURN_IF_ERROR(merge_like(edit.definition(), create, edit.text()));
  return bind_create_table(create, environment, edit.text());
}

Result<StatementResult> StatementRunner::run_create_table(const ast::CreateTable& statement) {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, locate(statement.name));
  const bool exists = state_.catalog.find(path, statement.temporary).found() ||
                      (!statement.temporary && state_.catalog.has_permanent(path));
  if (exists && statement.if_not_exists) {
    return done(fmt::format("Table '{}' exists already.", path.object));
  }
  if (statement.query) return create_table_as(statement, path);
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  CLP_ASSIGN_OR_RETURN(const std::shared_ptr<CatalogTable> table,
                       bind_table(statement, planning.environment(state_)));
  table->path = path;
  CLP_RETURN_IF_ERROR(add_table(table, statement));
  return done(fmt::format("Table '{}' created.", path.object));
}

// The table is in the catalog when this returns: INSERT finds it there.
Result<PlanPtr> StatementRunner::bind_table_as(const ast::CreateTable& statement,
                                               const BindEnvironment& environment) {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, locate(statement.name));
  BindState query_state;
  QueryBinder binder(environment, text_, query_state);
  CLP_ASSIGN_OR_RETURN(const PlanPtr plan, binder.bind(*statement.query));
  if (query_state.refusal) return *query_state.refusal;
  TableEdit edit(text_.sql(), statement, nullptr, statement.name.range());
  auto& create = edit.statement().as<ast::CreateTable>();
  ast::Insert insert;
  insert.range = create.range;
  insert.table = create.name;
  for (const Field& field : plan->schema->fields()) {
    insert.columns.push_back({.name = field.name, .quoted = true, .range = create.query->range});
  }
  CLP_RETURN_IF_ERROR(merge_query_columns(*plan->schema, create, edit.text()));
  insert.query = std::move(create.query);
  create.replace = false;
  CLP_ASSIGN_OR_RETURN(const std::shared_ptr<CatalogTable> table,
                       bind_create_table(create, environment, edit.text()));
  table->path = path;
  CLP_RETURN_IF_ERROR(add_table(table, statement));
  BindState insert_state;
  return bind_insert(insert, environment, edit.text(), insert_state);
}

Status StatementRunner::undo_create(const ObjectPath& path, bool temporary,
                                    const CatalogObject& old) {
  if (state_.catalog.find(path, temporary).table == old.table) return Status::ok();
  return old.table ? state_.catalog.replace(path, old) : state_.catalog.remove(path, temporary);
}

Result<StatementResult> StatementRunner::create_table_as(const ast::CreateTable& statement,
                                                         const ObjectPath& path) {
  const CatalogObject old = state_.catalog.find(path, statement.temporary);
  if (statement.replace && !statement.create && !old.table) {
    return text_.not_found(statement.name.range(),
                           fmt::format("table '{}' does not exist", ast::to_sql(statement.name)),
                           "write CREATE OR REPLACE TABLE to make it where there is none");
  }
  if (old.view || (old.table && !statement.replace)) {
    return text_.error(
        statement.name.range(),
        fmt::format("{} '{}' already exists", old.view ? "view" : "table", path.to_string()), {},
        StatusCode::kAlreadyExists);
  }
  Result<StatementResult> planned = plan_inserts(statement);
  if (planned.is_ok()) return planned;
  const Status undone = undo_create(path, statement.temporary, old);
  if (!undone.is_ok()) return planned.status().with_context(undone.message());
  return planned;
}

Result<std::shared_ptr<CatalogView>> StatementRunner::bind_view(
    const ast::Query& query, const std::vector<ast::Identifier>& columns) {
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  BindState bind_state;
  QueryBinder binder(environment, text_, bind_state);
  CLP_ASSIGN_OR_RETURN(const PlanPtr plan, binder.bind(query));
  if (!columns.empty() && static_cast<int>(columns.size()) != plan->schema->size()) {
    return text_.invalid(ast::cover(columns.front().range, columns.back().range),
                         fmt::format("the view names {} columns, but its query has {}",
                                     columns.size(), plan->schema->size()));
  }
  auto view = std::make_shared<CatalogView>();
  // With full names, so that it means the same when another database is in use.
  view->query = ast::to_sql(query, [this](const ast::ObjectName& name) {
    const Result<ObjectPath> path = state_.catalog.locate(parts_of(name));
    return path.is_ok() ? object_name(*path) : name;
  });
  std::vector<Field> fields = plan->schema->fields();
  std::set<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (!columns.empty()) fields[i].name = columns[i].name;
    if (!names.insert(fields[i].name).second) {
      return text_.invalid(query.range,
                           fmt::format("column '{}' occurs twice in the view", fields[i].name),
                           "give it another name with AS");
    }
    view->column_names.push_back(fields[i].name);
  }
  view->schema = make_schema(std::move(fields));
  return view;
}

Result<StatementResult> StatementRunner::run_create_view(const ast::CreateView& statement) {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, locate(statement.name));
  const bool exists = state_.catalog.find(path, statement.temporary).found() ||
                      (!statement.temporary && state_.catalog.has_permanent(path));
  if (exists && statement.if_not_exists) {
    return done(fmt::format("View '{}' exists already.", path.object));
  }
  CLP_ASSIGN_OR_RETURN(const std::shared_ptr<CatalogView> view,
                       bind_view(*statement.query, statement.columns));
  view->path = path;
  view->temporary = statement.temporary;
  view->comment = statement.comment;
  if (const Status added = state_.catalog.add({.table = nullptr, .view = view}); !added.is_ok()) {
    return text_.at_place(statement.name.range(), added);
  }
  return done(fmt::format("View '{}' created.", path.object));
}

Result<StatementResult> StatementRunner::run_drop(const ast::Drop& statement) {
  if (statement.object == ast::ObjectKind::kCatalog) return run_drop_catalog(statement);
  if (statement.object == ast::ObjectKind::kDatabase) return run_drop_database(statement);
  if (statement.object == ast::ObjectKind::kFunction) return run_drop_function(statement);
  if (statement.object != ast::ObjectKind::kTable && statement.object != ast::ObjectKind::kView) {
    return refuse(statement, fmt::format("DROP {}", ast::object_kind_name(statement.object)));
  }
  const bool is_view = statement.object == ast::ObjectKind::kView;
  const char* what = is_view ? "view" : "table";
  // As in the reference, IF EXISTS is about the database as well.
  Result<ObjectPath> located = locate(statement.name);
  if (!located.is_ok() && statement.if_exists && located.status().code() == StatusCode::kNotFound) {
    return done(fmt::format("There is no {} '{}'.", what, ast::to_sql(statement.name)));
  }
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, std::move(located));
  const CatalogObject object = state_.catalog.find(path, statement.temporary);
  // A definition that cannot be read is removed as either.
  const bool unreadable =
      !object.found() && !statement.temporary && state_.catalog.has_permanent(path);
  const bool found = unreadable || (is_view ? object.view != nullptr : object.table != nullptr);
  if (found) {
    if (!statement.temporary && state_.catalog.find(path, true).found()) {
      return text_.invalid(statement.name.range(),
                           fmt::format("a temporary object hides '{}'", path.object),
                           fmt::format("drop it first: DROP TEMPORARY {}",
                                       state_.catalog.find(path, true).view ? "VIEW" : "TABLE"));
    }
    const Status removed = state_.catalog.remove(path, statement.temporary);
    if (!removed.is_ok()) return text_.at_place(statement.name.range(), removed);
    return done(fmt::format("{} '{}' dropped.", is_view ? "View" : "Table", path.object));
  }
  if (statement.if_exists) return done(fmt::format("There is no {} '{}'.", what, path.object));
  std::string suggestion;
  const DatabasePath where{path.catalog, path.database};
  if (object.found()) {
    suggestion = fmt::format("it is a {}: write DROP {}", is_view ? "table" : "view",
                             is_view ? "TABLE" : "VIEW");
  } else if (state_.catalog.find(path, !statement.temporary).found()) {
    suggestion = statement.temporary ? "there is a permanent one: leave out TEMPORARY"
                                     : "there is a temporary one: write TEMPORARY";
  } else {
    suggestion = did_you_mean_name(path.object, is_view ? state_.catalog.view_names(where)
                                                        : state_.catalog.table_names(where));
  }
  return text_.not_found(
      statement.name.range(),
      fmt::format("{}{} '{}' does not exist", statement.temporary ? "temporary " : "", what,
                  path.to_string()),
      std::move(suggestion));
}

}  // namespace clepsydra::sql
