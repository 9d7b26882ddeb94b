#include "sql/bind/table_plan.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace clepsydra::sql {
namespace {

// Physical columns, then metadata columns, each in the table's order: CatalogTable::produced.
std::vector<int> produced_columns(const CatalogTable& table) {
  std::vector<int> columns;
  for (const ColumnRole role : {ColumnRole::kPhysical, ColumnRole::kMetadata}) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].role == role) columns.push_back(static_cast<int>(i));
    }
  }
  return columns;
}

// Position of each table column in `produced`, -1 for computed ones.
std::vector<int> positions(const std::vector<int>& produced, std::size_t columns) {
  std::vector<int> position(columns, -1);
  for (std::size_t i = 0; i < produced.size(); ++i) {
    position[static_cast<std::size_t>(produced[i])] = static_cast<int>(i);
  }
  return position;
}

Result<PlanPtr> add_computed_columns(PlanPtr scan, const CatalogTable& table,
                                     const std::vector<int>& produced,
                                     const BindEnvironment& environment) {
  const std::vector<int> position = positions(produced, table.columns.size());
  std::vector<ExpressionPtr> expressions;
  std::vector<Field> fields;
  bool changes = false;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const TableColumn& column = table.columns[i];
    ExpressionPtr expression = column.computed;
    if (column.role != ColumnRole::kComputed) {
      expression = column_of(*scan, position[i]);
      changes |= position[i] != static_cast<int>(i);
    }
    if (column.role == ColumnRole::kMetadata && !expression->type().same_values(column.type)) {
      CLP_ASSIGN_OR_RETURN(expression, environment.functions.cast(expression, column.type, false));
      changes = true;
    }
    changes |= column.role == ColumnRole::kComputed;
    fields.push_back({column.name, expression->type(), column.comment.value_or("")});
    expressions.push_back(std::move(expression));
  }
  if (!changes) return scan;
  return std::make_shared<ProjectNode>(std::move(scan), make_schema(std::move(fields)),
                                       std::move(expressions));
}

}  // namespace

Result<PlanPtr> make_table_plan(const CatalogTablePtr& table, const TableOptions& options,
                                const BindEnvironment& environment) {
  const auto name = options.find("connector");
  const TableConnector* connector =
      name == options.end() ? nullptr : environment.connectors.find_connector(name->second);
  if (connector == nullptr || !connector->can_read()) {
    return Status::invalid_argument(
        fmt::format("table '{}' cannot be read: the connector '{}' is for writing only",
                    table->path.object, name == options.end() ? "" : name->second));
  }
  if (table->watermark && table->watermark->is_from_source) {
    return Status::invalid_argument(
        fmt::format("table '{}' cannot be read: it declares SOURCE_WATERMARK(), but the connector "
                    "'{}' gives no watermarks of its own",
                    table->path.object, name->second));
  }
  if (environment.settings.is_batch) {
    CLP_ASSIGN_OR_RETURN(const bool is_bounded, connector->is_bounded(options));
    if (!is_bounded) {
      return Status::invalid_argument(
          fmt::format("table '{}' cannot be read in batch mode: what the connector '{}' reads with "
                      "these options has no end; SET 'execution.runtime-mode' = 'streaming'",
                      table->path.object, name->second));
    }
  }
  const std::vector<int> produced = produced_columns(*table);
  PlanPtr plan = std::make_shared<ScanNode>(table, options, produced, table->produced);
  CLP_ASSIGN_OR_RETURN(plan, add_computed_columns(std::move(plan), *table, produced, environment));
  if (!table->watermark) return plan;
  std::vector<Field> fields = plan->schema->fields();
  Field& rowtime = fields[static_cast<std::size_t>(table->watermark->column)];
  rowtime.type = rowtime.type.with_time_attribute(TimeAttribute::kRowtime);
  return std::make_shared<WatermarkNode>(std::move(plan), make_schema(std::move(fields)),
                                         table->watermark->column, table->watermark->expression);
}

}  // namespace clepsydra::sql
