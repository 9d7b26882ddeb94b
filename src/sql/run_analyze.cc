// ANALYZE TABLE: a query over all rows, whose one row becomes the table's statistics.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/bind/partition_binder.h"
#include "sql/bind/table_plan.h"
#include "sql/grammar/parser.h"
#include "sql/statement_runner.h"
#include "stream/batch.h"

namespace clepsydra::sql {
namespace {

using ast::quote_identifier;

// Rows are counted in one window, which is open until the table has ended: a temporary table like
// the analyzed one whose event time stands still.
constexpr std::string_view kCopy = "$analyzed";
constexpr std::string_view kTime = "$time";

std::string full_name(const ObjectPath& path, std::string_view object) {
  return fmt::format("{}.{}.{}", quote_identifier(path.catalog), quote_identifier(path.database),
                     quote_identifier(object));
}

bool is_countable(const DataType& type) {
  return !type.is_nested() && type.kind() != TypeKind::kVariant;
}

std::string text_literal(std::string_view text) {
  std::string literal = "'";
  for (const char c : text) literal += c == '\'' ? std::string("''") : std::string(1, c);
  return literal + "'";
}

std::string count_query(const CatalogTable& table, const std::vector<int>& columns,
                        const std::map<std::string, std::string>& partition) {
  std::string select = "SELECT COUNT(*)";
  for (const int index : columns) {
    const TableColumn& column = table.columns[static_cast<std::size_t>(index)];
    const std::string name = quote_identifier(column.name);
    select += fmt::format(", COUNT({})", name);
    if (is_countable(column.type)) select += fmt::format(", APPROX_COUNT_DISTINCT({})", name);
  }
  select += fmt::format(" FROM TABLE(TUMBLE(TABLE {}, DESCRIPTOR({}), INTERVAL '1' DAY))",
                        full_name(table.path, kCopy), quote_identifier(kTime));
  const char* before = " WHERE";
  for (const auto& [key, value] : partition) {
    select += fmt::format("{} CAST({} AS STRING) = {}", std::exchange(before, " AND"),
                          quote_identifier(key), text_literal(value));
  }
  return select + " GROUP BY window_start, window_end";
}

}  // namespace

Result<std::vector<int>> StatementRunner::analyzed_columns(const ast::AnalyzeTable& statement,
                                                           const CatalogTable& table) const {
  std::vector<int> columns;
  const auto is_stored = [&](std::size_t i) {
    return table.columns[i].role == ColumnRole::kPhysical;
  };
  for (std::size_t i = 0; i < table.columns.size() && statement.all_columns; ++i) {
    if (is_stored(i)) columns.push_back(static_cast<int>(i));
  }
  for (const ast::Identifier& name : statement.columns) {
    const int index = table.schema->find(name.name);
    if (index < 0) {
      return text_.invalid(name.range, fmt::format("column '{}' is not a column of table '{}'",
                                                   name.name, table.path.object));
    }
    if (!is_stored(static_cast<std::size_t>(index))) {
      return text_.invalid(name.range,
                           fmt::format("column '{}' is computed or metadata: there are statistics "
                                       "of physical columns only",
                                       name.name));
    }
    columns.push_back(index);
  }
  return columns;
}

Result<QueryJob> StatementRunner::plan_count(const CatalogTable& table, const std::string& query) {
  const auto run_text = [this](const std::string& sql) -> Result<StatementResult> {
    CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
    return StatementRunner(state_, sql).run(*statement);
  };
  const std::string copy = full_name(table.path, kCopy);
  const std::string time = ast::quote_identifier(kTime);
  CLP_RETURN_IF_ERROR(
      run_text(fmt::format("CREATE TEMPORARY TABLE {} ({} AS CAST(TIMESTAMP '1970-01-01 00:00:00' "
                           "AS TIMESTAMP(3)), WATERMARK FOR {} AS {}) LIKE {} (EXCLUDING "
                           "WATERMARKS)",
                           copy, time, time, time, full_name(table.path, table.path.object)))
          .status());
  Result<StatementResult> planned = run_text(query);
  CLP_RETURN_IF_ERROR(run_text("DROP TEMPORARY TABLE " + copy).status());
  if (!planned.is_ok()) return planned.status();
  return std::get<QueryJob>(*std::move(planned));
}

Result<StatementResult> StatementRunner::run_analyze(const ast::AnalyzeTable& statement) {
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  if (!environment.settings.is_batch) {
    return text_.invalid(statement.table.range(), "ANALYZE TABLE is for batch mode only",
                         "SET 'execution.runtime-mode' = 'batch'");
  }
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(statement.table));
  if (object.view != nullptr) {
    return text_.invalid(
        statement.table.range(),
        fmt::format("'{}' is a view: there are statistics of tables only", object.path().object));
  }
  const CatalogTablePtr& table = object.table;
  if (!table->partition_keys.empty() && statement.partition.empty()) {
    return text_.invalid(
        statement.table.range(),
        fmt::format("table '{}' is partitioned: name the partitions, PARTITION ({}) for all",
                    table->path.object, fmt::join(partition_key_names(*table), ", ")));
  }
  using Texts = std::map<std::string, std::string>;
  CLP_ASSIGN_OR_RETURN(const Texts partition,
                       bind_partition_texts(statement.partition, *table, environment, text_));
  CLP_ASSIGN_OR_RETURN(const std::vector<int> columns, analyzed_columns(statement, *table));
  if (const Status readable = make_table_plan(table, table->options, environment).status();
      !readable.is_ok()) {
    return text_.invalid(statement.table.range(), std::string(readable.message()));
  }
  AnalyzeJob job;
  Result<QueryJob> query = plan_count(*table, count_query(*table, columns, partition));
  if (!query.is_ok()) {
    return text_.invalid(
        statement.table.range(),
        fmt::format("cannot analyze '{}': {}", table->path.object, query.status().message()));
  }
  job.query = *std::move(query);
  // Those of some partitions say nothing of the table.
  const bool is_whole = partition.empty();
  job.finish = [state = &state_, table, columns, is_whole](const Batch* row) -> Done {
    TableStatistics statistics;
    int next = 0;
    const auto take = [&] {
      return row == nullptr ? 0 : row->column(next++).values<std::int64_t>()[0];
    };
    statistics.rows = take();
    for (const int index : columns) {
      const TableColumn& column = table->columns[static_cast<std::size_t>(index)];
      ColumnStatistics& of = statistics.columns[column.name];
      of.nulls = statistics.rows - take();
      of.distinct = is_countable(column.type) ? take() : 0;
    }
    const std::int64_t rows = statistics.rows;
    if (is_whole) state->statistics.put(table, std::move(statistics));
    return Done{
        fmt::format("Table '{}' has {} row{}.", table->path.object, rows, rows == 1 ? "" : "s")};
  };
  return StatementResult(std::move(job));
}

}  // namespace clepsydra::sql
