#include "sql/bind/insert_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/error_list.h"
#include "sql/bind/partition_binder.h"
#include "sql/bind/type_enforcer.h"

namespace clepsydra::sql {
namespace {

Status refuse_clauses(const ast::Insert& insert, const StatementText& text) {
  if (insert.on_conflict != ast::ConflictAction::kNone) {
    return text.not_built(insert.range, "ON CONFLICT");
  }
  return Status::ok();
}

Result<CatalogTablePtr> find_target(const ast::Insert& insert, const BindEnvironment& environment,
                                    const StatementText& text) {
  std::vector<std::string> parts;
  for (const ast::Identifier& part : insert.table.parts) parts.push_back(part.name);
  const Result<ObjectPath> path = environment.catalog.resolve(parts);
  if (!path.is_ok()) return text.at_place(insert.table.range(), path.status());
  const CatalogObject object = environment.catalog.find(*path);
  if (object.view) {
    return text.invalid(
        insert.table.range(),
        fmt::format("'{}' is a view; rows can be inserted into tables only", path->object));
  }
  if (!object.table) {
    return text.not_found(insert.table.range(),
                          fmt::format("table '{}' does not exist", ast::to_sql(insert.table)),
                          did_you_mean_name(path->object, environment.catalog.table_names()));
  }
  const TableConnector* connector =
      environment.connectors.find_connector(object.table->options.at("connector"));
  if (connector == nullptr || !connector->can_write()) {
    return text.invalid(
        insert.table.range(),
        fmt::format("table '{}' cannot be written: the connector '{}' is for reading only",
                    path->object, object.table->options.at("connector")));
  }
  return object.table;
}

// The persisted columns of the table, in its order.
std::vector<int> persisted_columns(const CatalogTable& table) {
  std::vector<int> columns;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].is_persisted()) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

Status check_target(const ast::Identifier& name, int index, const CatalogTable& table,
                    const PartitionValues& statics, const StatementText& text) {
  if (index < 0) {
    std::vector<std::string> names;
    for (const int column : persisted_columns(table)) {
      names.push_back(table.schema->field(column).name);
    }
    return text.not_found(
        name.range,
        fmt::format("column '{}' not found in table '{}'", name.name, table.path.object),
        did_you_mean_name(name.name, names));
  }
  if (!table.columns[static_cast<std::size_t>(index)].is_persisted()) {
    return text.invalid(name.range,
                        fmt::format("column '{}' of table '{}' is computed or virtual and "
                                    "cannot be written",
                                    name.name, table.path.object));
  }
  if (statics.contains(index)) {
    return text.invalid(name.range,
                        fmt::format("column '{}' has its value from PARTITION", name.name));
  }
  return Status::ok();
}

// Which columns of the table the columns of the query go to.
Result<std::vector<int>> target_columns(const ast::Insert& insert, const CatalogTable& table,
                                        const PartitionValues& statics, const StatementText& text) {
  std::vector<int> persisted = persisted_columns(table);
  if (insert.columns.empty()) {
    std::erase_if(persisted, [&](int column) { return statics.contains(column); });
    return persisted;
  }
  std::vector<int> targets;
  ErrorList errors;
  for (const ast::Identifier& name : insert.columns) {
    if (errors.is_full()) break;
    const int index = table.schema->find(name.name);
    errors.add(name.range, check_target(name, index, table, statics, text));
    if (std::find(targets.begin(), targets.end(), index) != targets.end()) {
      errors.add(name.range,
                 text.invalid(name.range, fmt::format("column '{}' is given twice", name.name)));
    }
    if (index >= 0) targets.push_back(index);
  }
  CLP_RETURN_IF_ERROR(errors.status());
  return targets;
}

std::string describe(const CatalogTable& table, const std::vector<int>& columns) {
  std::vector<Field> fields;
  for (const int column : columns) fields.push_back(table.schema->field(column));
  return Schema(std::move(fields)).to_string();
}

// What an INSERT names beside its query.
struct Target {
  CatalogTablePtr table;
  PartitionValues statics;
  std::vector<int> columns;  // Where the columns of the query go.
  TableOptions options;      // Those of hints too.
  std::optional<ReplacedRows> replaced = std::nullopt;
};

Result<ReplacedRows> replaced_rows(const ast::Insert& insert, const CatalogTable& table,
                                   const BindEnvironment& environment, const StatementText& text) {
  using Texts = std::map<std::string, std::string>;
  CLP_ASSIGN_OR_RETURN(const Texts given,
                       bind_partition_texts(insert.partition, table, environment, text));
  ReplacedRows replaced;
  const std::vector<std::string> keys = partition_key_names(table);
  if (keys.empty() || given.size() < keys.size()) return replaced;
  for (const std::string& key : keys) replaced.partition.emplace_back(key, given.at(key));
  return replaced;
}

Result<Target> bind_target(const ast::Insert& insert, const BindEnvironment& environment,
                           const StatementText& text) {
  Target target;
  CLP_ASSIGN_OR_RETURN(target.table, find_target(insert, environment, text));
  const CatalogTable& table = *target.table;
  const std::string& connector = table.options.at("connector");
  if (insert.overwrite) {
    if (!environment.connectors.find_connector(connector)->can_overwrite()) {
      return text.invalid(insert.table.range(),
                          fmt::format("INSERT OVERWRITE is not possible: what the connector '{}' "
                                      "has written for table '{}' cannot be replaced",
                                      connector, table.path.object));
    }
    if (!environment.settings.is_batch) {
      return text.invalid(insert.table.range(), "INSERT OVERWRITE is for batch mode only",
                          "SET 'execution.runtime-mode' = 'batch'");
    }
    CLP_ASSIGN_OR_RETURN(target.replaced, replaced_rows(insert, table, environment, text));
  }
  if (!table.distribution.empty()) {
    return text.not_built(insert.table.range(),
                          fmt::format("writing to a table that is DISTRIBUTED into buckets, by the "
                                      "connector '{}'",
                                      connector));
  }
  CLP_ASSIGN_OR_RETURN(target.statics, bind_partition(insert.partition, table, environment, text));
  CLP_ASSIGN_OR_RETURN(target.columns, target_columns(insert, table, target.statics, text));
  CLP_ASSIGN_OR_RETURN(target.options, options_with_hints(table, insert.hints, environment, text));
  return target;
}

// The value for a column of the table, of its type.
Result<ExpressionPtr> column_value(const PlanPtr& plan, int column, const ast::Insert& insert,
                                   const Target& target, const BindEnvironment& environment,
                                   const StatementText& text) {
  const CatalogTable& table = *target.table;
  const Field& field = table.schema->field(column);
  if (const auto found = target.statics.find(column); found != target.statics.end()) {
    return found->second;
  }
  const auto written = std::find(target.columns.begin(), target.columns.end(), column);
  if (written != target.columns.end()) {
    const auto index = static_cast<std::size_t>(written - target.columns.begin());
    const ExpressionPtr value = column_of(*plan, static_cast<int>(index));
    // As in the reference, where only a CHAR becomes a CHAR by itself.
    const TypeKind kind = value->type().kind();
    const bool is_allowed =
        field.type.kind() != TypeKind::kChar || kind == TypeKind::kChar || kind == TypeKind::kNull;
    Result<ExpressionPtr> coerced = environment.functions.coerce(value, field.type);
    if (coerced.is_ok() && is_allowed) return coerced;
    return text.invalid(
        insert.query->range,
        fmt::format("column {} of the query, '{}' {}, does not fit column '{}' {} of table '{}'",
                    index + 1, plan->schema->field(static_cast<int>(index)).name,
                    value->type().to_string(), field.name, field.type.to_string(),
                    table.path.object),
        "CAST it if that is meant");
  }
  if (!field.type.nullable()) {
    return text.invalid(insert.table.range(),
                        fmt::format("column '{}' of table '{}' is {} and must be given", field.name,
                                    table.path.object, field.type.to_string()));
  }
  return null_literal(field.type.with_time_attribute(TimeAttribute::kNone));
}

// The query's result as rows of the table.
Result<PlanPtr> fit_query(PlanPtr plan, const ast::Insert& insert, const Target& target,
                          const BindEnvironment& environment, const StatementText& text) {
  const CatalogTable& table = *target.table;
  if (plan->schema->size() != static_cast<int>(target.columns.size())) {
    return text.invalid(
        insert.query->range,
        fmt::format("the query has {} columns, but {} are needed for table '{}': query {}, "
                    "table {}",
                    plan->schema->size(), target.columns.size(), table.path.object,
                    plan->schema->to_string(), describe(table, target.columns)));
  }
  std::vector<ExpressionPtr> expressions;
  std::vector<Field> fields;
  ErrorList errors;
  for (const int column : persisted_columns(table)) {
    if (errors.is_full()) break;
    Result<ExpressionPtr> value = column_value(plan, column, insert, target, environment, text);
    errors.add(insert.query->range, value.status());
    if (!value.is_ok()) continue;
    fields.push_back({table.schema->field(column).name, (*value)->type(), {}});
    expressions.push_back(*std::move(value));
  }
  CLP_RETURN_IF_ERROR(errors.status());
  return std::make_shared<ProjectNode>(std::move(plan), make_schema(std::move(fields)),
                                       std::move(expressions));
}

}  // namespace

Result<PlanPtr> bind_insert(const ast::Insert& insert, const BindEnvironment& environment,
                            const StatementText& text, BindState& state) {
  CLP_RETURN_IF_ERROR(refuse_clauses(insert, text));
  // The query is looked at whatever is wrong with the table.
  Result<Target> bound = bind_target(insert, environment, text);
  QueryBinder binder(environment, text, state);
  Result<PlanPtr> query = binder.bind(*insert.query);
  ErrorList errors;
  errors.add(insert.table.range(), bound.status());
  errors.add(insert.query->range, query.status());
  CLP_RETURN_IF_ERROR(errors.status());
  const Target& target = *bound;
  CLP_ASSIGN_OR_RETURN(PlanPtr plan,
                       fit_query(*std::move(query), insert, target, environment, text));
  std::vector<DataType> types;
  for (const int column : persisted_columns(*target.table)) {
    types.push_back(target.table->schema->field(column).type);
  }
  CLP_ASSIGN_OR_RETURN(plan, enforce_types(std::move(plan), types, environment));
  return std::make_shared<SinkNode>(std::move(plan), target.table, target.options, target.replaced);
}

}  // namespace clepsydra::sql
