// ALTER TABLE and ALTER VIEW.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/table_binder.h"
#include "sql/statement_runner.h"
#include "sql/table_edit.h"

namespace clepsydra::sql {
namespace {

StatementResult done(std::string message) {
  return Done{std::move(message)};
}

// What has no runtime; empty for changes that are made here.
std::string_view unbuilt_change(ast::AlterTableAction action) {
  switch (action) {
    case ast::AlterTableAction::kDropDistribution:
      return "DISTRIBUTION";
    case ast::AlterTableAction::kAddPartitions:
    case ast::AlterTableAction::kDropPartitions:
    case ast::AlterTableAction::kRenamePartition:
      return "PARTITION";
    default:
      return {};
  }
}

}  // namespace

Result<StatementResult> StatementRunner::rename_object(const CatalogObject& object,
                                                       const ast::ObjectName& name) {
  const ObjectPath& old = object.path();
  ObjectPath path = old;
  if (name.parts.size() == 1) {
    // Beside the old one, whatever database is in use.
    path.object = name.parts[0].name;
  } else {
    CLP_ASSIGN_OR_RETURN(path, locate(name));
  }
  if (path.catalog != old.catalog || path.database != old.database) {
    return text_.invalid(name.range(), "a table or view cannot move to another database",
                         fmt::format("it is in '{}.{}'", old.catalog, old.database));
  }
  if (path == old) return done(fmt::format("'{}' has this name already.", path.object));
  if (state_.catalog.find(path).found() || state_.catalog.has_permanent(path)) {
    return text_.error(name.range(), fmt::format("'{}' already exists", path.to_string()), {},
                       StatusCode::kAlreadyExists);
  }
  CatalogObject renamed;
  if (object.table) {
    auto table = std::make_shared<CatalogTable>(*object.table);
    table->path = path;
    table->version = state_.catalog.next_version();
    renamed.table = std::move(table);
  } else {
    auto view = std::make_shared<CatalogView>(*object.view);
    view->path = path;
    renamed.view = std::move(view);
  }
  if (const Status status = state_.catalog.replace(old, std::move(renamed)); !status.is_ok()) {
    return text_.at_place(name.range(), status);
  }
  return done(fmt::format("'{}' is '{}' now.", old.object, path.object));
}

Result<StatementResult> StatementRunner::run_alter_table(const ast::AlterTable& statement) {
  const ast::SourceRange place = statement.name.range();
  Result<CatalogObject> found = find_object(statement.name);
  if (!found.is_ok() && statement.if_exists && found.status().code() == StatusCode::kNotFound) {
    return done(fmt::format("There is no table '{}'.", ast::to_sql(statement.name)));
  }
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, std::move(found));
  if (object.view) {
    return text_.invalid(place, fmt::format("'{}' is a view", object.path().object),
                         "write ALTER VIEW");
  }
  if (object.temporary()) {
    return text_.invalid(
        place,
        fmt::format("'{}' is a temporary table, which cannot be altered", object.path().object),
        "drop it and create it again");
  }
  if (const std::string_view unbuilt = unbuilt_change(statement.change.action); !unbuilt.empty()) {
    return refuse(statement, fmt::format("ALTER TABLE with {}", unbuilt));
  }
  if (statement.change.action == ast::AlterTableAction::kRenameTable) {
    return rename_object(object, statement.change.new_name);
  }
  TableEdit edit(text_.sql(), statement, object.table.get(), place);
  CLP_RETURN_IF_ERROR(edit.status());
  CLP_RETURN_IF_ERROR(apply_change(edit.statement().as<ast::AlterTable>().change, *object.table,
                                   edit.definition(), edit.text()));
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  CLP_ASSIGN_OR_RETURN(
      const std::shared_ptr<CatalogTable> table,
      bind_create_table(edit.definition(), planning.environment(state_), edit.text()));
  table->path = object.path();
  table->version = state_.catalog.next_version();
  const Status replaced = state_.catalog.replace(object.path(), {.table = table, .view = nullptr});
  if (!replaced.is_ok()) return text_.at_place(place, replaced);
  return done(fmt::format("Table '{}' altered.", object.path().object));
}

Result<StatementResult> StatementRunner::run_alter_view(const ast::AlterView& statement) {
  const ast::SourceRange place = statement.name.range();
  Result<CatalogObject> found = find_object(statement.name);
  if (!found.is_ok() && statement.if_exists && found.status().code() == StatusCode::kNotFound) {
    return done(fmt::format("There is no view '{}'.", ast::to_sql(statement.name)));
  }
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, std::move(found));
  if (object.table) {
    return text_.invalid(place, fmt::format("'{}' is a table", object.path().object),
                         "write ALTER TABLE");
  }
  if (object.temporary()) {
    return text_.invalid(
        place,
        fmt::format("'{}' is a temporary view, which cannot be altered", object.path().object),
        "drop it and create it again");
  }
  if (!statement.new_name.parts.empty()) return rename_object(object, statement.new_name);
  if (!statement.query) return refuse(statement, "ALTER VIEW with options");
  CLP_ASSIGN_OR_RETURN(const std::shared_ptr<CatalogView> view, bind_view(*statement.query, {}));
  view->path = object.path();
  view->comment = object.view->comment;
  // A view that reads itself has no rows to begin with.
  const CatalogObject old = object;
  const Status replaced = state_.catalog.replace(old.path(), {.table = nullptr, .view = view});
  if (!replaced.is_ok()) return text_.at_place(place, replaced);
  if (const Result<SchemaPtr> schema = bind_view_schema(*view, place); !schema.is_ok()) {
    CLP_RETURN_IF_ERROR(state_.catalog.replace(old.path(), old));
    return schema.status();
  }
  return done(fmt::format("View '{}' altered.", object.path().object));
}

}  // namespace clepsydra::sql
