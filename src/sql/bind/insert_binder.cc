#include "sql/bind/insert_binder.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/partition_binder.h"
#include "sql/logical/expression_rewrite.h"

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

// Which columns of the table the columns of the query go to.
Result<std::vector<int>> target_columns(const ast::Insert& insert, const CatalogTable& table,
                                        const PartitionValues& statics, const StatementText& text) {
  std::vector<int> persisted = persisted_columns(table);
  if (insert.columns.empty()) {
    std::erase_if(persisted, [&](int column) { return statics.contains(column); });
    return persisted;
  }
  std::vector<int> targets;
  for (const ast::Identifier& name : insert.columns) {
    const int index = table.schema->find(name.name);
    if (index < 0) {
      std::vector<std::string> names;
      for (const int column : persisted) names.push_back(table.schema->field(column).name);
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
    for (const int earlier : targets) {
      if (earlier == index) {
        return text.invalid(name.range, fmt::format("column '{}' is given twice", name.name));
      }
    }
    targets.push_back(index);
  }
  return targets;
}

std::string describe(const CatalogTable& table, const std::vector<int>& columns) {
  std::vector<Field> fields;
  for (const int column : columns) fields.push_back(table.schema->field(column));
  return Schema(std::move(fields)).to_string();
}

// Only the rows without NULL in the columns that the table declares NOT NULL; these columns are NOT
// NULL in the result.
Result<PlanPtr> drop_forbidden_nulls(PlanPtr plan, const CatalogTable& table,
                                     const BindEnvironment& environment) {
  const std::vector<int> persisted = persisted_columns(table);
  std::vector<ExpressionPtr> conditions;
  std::vector<Field> fields = plan->schema->fields();
  for (std::size_t i = 0; i < persisted.size(); ++i) {
    if (table.schema->field(persisted[i]).type.nullable() || !fields[i].type.nullable()) continue;
    CLP_ASSIGN_OR_RETURN(
        ExpressionPtr condition,
        environment.functions.resolve("IS NOT NULL", {column_of(*plan, static_cast<int>(i))}));
    conditions.push_back(std::move(condition));
    fields[i].type = fields[i].type.with_nullable(false);
  }
  if (conditions.empty()) return plan;
  plan = std::make_shared<FilterNode>(std::move(plan), make_conjunction(conditions));
  std::vector<ExpressionPtr> columns;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    columns.push_back(Expression::column(static_cast<int>(i), fields[i].type, fields[i].name));
  }
  return std::make_shared<ProjectNode>(std::move(plan), make_schema(std::move(fields)),
                                       std::move(columns));
}

}  // namespace

Result<PlanPtr> bind_insert(const ast::Insert& insert, const BindEnvironment& environment,
                            const StatementText& text, BindState& state) {
  CLP_RETURN_IF_ERROR(refuse_clauses(insert, text));
  CLP_ASSIGN_OR_RETURN(const CatalogTablePtr table, find_target(insert, environment, text));
  if (insert.overwrite) {
    const std::string& connector = table->options.at("connector");
    if (!environment.connectors.find_connector(connector)->can_overwrite()) {
      return text.invalid(insert.table.range(),
                          fmt::format("INSERT OVERWRITE is not possible: what the connector '{}' "
                                      "has written for table '{}' cannot be replaced",
                                      connector, table->path.object));
    }
    // As in the reference; and there is no other mode here.
    return text.not_built(insert.table.range(), "INSERT OVERWRITE in streaming mode");
  }
  if (!table->distribution.empty()) {
    return text.not_built(insert.table.range(),
                          fmt::format("writing to a table that is DISTRIBUTED into buckets, by the "
                                      "connector '{}'",
                                      table->options.at("connector")));
  }
  CLP_ASSIGN_OR_RETURN(const PartitionValues statics,
                       bind_partition(insert.partition, *table, environment, text));
  CLP_ASSIGN_OR_RETURN(const std::vector<int> targets,
                       target_columns(insert, *table, statics, text));
  CLP_ASSIGN_OR_RETURN(const TableOptions options,
                       options_with_hints(*table, insert.hints, environment, text));
  QueryBinder binder(environment, text, state);
  CLP_ASSIGN_OR_RETURN(PlanPtr plan, binder.bind(*insert.query));
  if (plan->schema->size() != static_cast<int>(targets.size())) {
    return text.invalid(
        insert.query->range,
        fmt::format("the query has {} columns, but {} are needed for table '{}': query {}, "
                    "table {}",
                    plan->schema->size(), targets.size(), table->path.object,
                    plan->schema->to_string(), describe(*table, targets)));
  }
  std::vector<ExpressionPtr> expressions;
  std::vector<Field> fields;
  for (const int column : persisted_columns(*table)) {
    const Field& target = table->schema->field(column);
    ExpressionPtr value;
    if (const auto found = statics.find(column); found != statics.end()) value = found->second;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i] != column) continue;
      value = column_of(*plan, static_cast<int>(i));
      Result<ExpressionPtr> coerced = environment.functions.coerce(value, target.type);
      if (!coerced.is_ok()) {
        return text.invalid(
            insert.query->range,
            fmt::format("column {} of the query, '{}' {}, does not fit column '{}' {} of "
                        "table '{}'",
                        i + 1, plan->schema->field(static_cast<int>(i)).name,
                        value->type().to_string(), target.name, target.type.to_string(),
                        table->path.object),
            "CAST it if that is meant");
      }
      value = *std::move(coerced);
    }
    if (!value) {
      if (!target.type.nullable()) {
        return text.invalid(insert.table.range(),
                            fmt::format("column '{}' of table '{}' is {} and must be given",
                                        target.name, table->path.object, target.type.to_string()));
      }
      value = null_literal(target.type.with_time_attribute(TimeAttribute::kNone));
    }
    fields.push_back({target.name, value->type(), {}});
    expressions.push_back(std::move(value));
  }
  plan = std::make_shared<ProjectNode>(std::move(plan), make_schema(std::move(fields)),
                                       std::move(expressions));
  if (environment.settings.not_null_enforcer == NotNullEnforcer::kDrop) {
    CLP_ASSIGN_OR_RETURN(plan, drop_forbidden_nulls(std::move(plan), *table, environment));
  }
  return std::make_shared<SinkNode>(std::move(plan), table, options);
}

}  // namespace clepsydra::sql
