// ALTER TABLE and ALTER VIEW.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/partition_binder.h"
#include "sql/bind/table_binder.h"
#include "sql/statement_runner.h"
#include "sql/table_edit.h"

namespace clepsydra::sql {
namespace {

StatementResult done(std::string message) {
  return Done{std::move(message)};
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
  switch (statement.change.action) {
    case ast::AlterTableAction::kAddPartitions:
    case ast::AlterTableAction::kDropPartitions:
      return alter_partitions(statement, *object.table);
    case ast::AlterTableAction::kRenamePartition:
      return refuse(statement, "renaming a partition");
    default:
      break;
  }
  if (statement.change.action == ast::AlterTableAction::kRenameTable) {
    return rename_object(object, statement.change.new_name);
  }
  TableEdit edit(text_.sql(), statement, object.table.get(), place);
  CLP_RETURN_IF_ERROR(edit.status());
  CLP_RETURN_IF_ERROR(apply_change(edit.statement().as<ast::AlterTable>(), *object.table,
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

Result<StatementResult> StatementRunner::alter_partitions(const ast::AlterTable& statement,
                                                          const CatalogTable& table) {
  const bool adds = statement.change.action == ast::AlterTableAction::kAddPartitions;
  const std::vector<std::string> keys = partition_key_names(table);
  if (state_.files == nullptr) return refuse(statement, "ALTER TABLE with PARTITION here");
  const TableConnector* connector = state_.connectors.find_connector(table.options.at("connector"));
  const PartitionedSinkConnector* partitions = connector->partitioned_sink();
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  std::vector<std::vector<std::string>> changed;
  for (const ast::PartitionSpec& spec : statement.change.partitions) {
    const ast::SourceRange place =
        ast::cover(spec.values.front().column.range, spec.values.back().column.range);
    if (!spec.options.empty()) {
      return text_.not_built(spec.options[0].key_range, "options of a partition");
    }
    CLP_ASSIGN_OR_RETURN(
        const auto given,
        bind_partition_texts(spec.values, table, planning.environment(state_), text_));
    std::vector<std::string> values;
    for (const std::string& key : keys) {
      const auto value = given.find(key);
      if (value == given.end()) {
        return text_.invalid(place, fmt::format("a partition of '{}' needs a value for '{}'",
                                                table.path.object, key));
      }
      values.push_back(value->second);
    }
    const auto known = partitions->list_partitions(table.options, keys, *state_.files);
    if (!known.is_ok()) return text_.at_place(place, known.status());
    const bool exists =
        std::find(known->begin(), known->end(), values) != known->end() ||
        (adds && std::find(changed.begin(), changed.end(), values) != changed.end());
    if (exists == adds) {
      if (statement.change.if_exists) continue;
      return text_.error(place,
                         adds ? "this partition exists already" : "there is no such partition",
                         adds ? "write IF NOT EXISTS" : "write IF EXISTS",
                         adds ? StatusCode::kAlreadyExists : StatusCode::kNotFound);
    }
    changed.push_back(std::move(values));
  }
  for (const std::vector<std::string>& values : changed) {
    const Status status =
        adds ? partitions->create_partition(table.options, keys, values, *state_.files)
             : partitions->drop_partition(table.options, keys, values, *state_.files);
    if (!status.is_ok()) return text_.at_place(statement.name.range(), status);
  }
  return done(fmt::format("{} partition{} {}.", changed.size(), changed.size() == 1 ? "" : "s",
                          adds ? "added" : "dropped"));
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
