// SHOW and DESCRIBE.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "functions/function_registry.h"
#include "sql/ast/print.h"
#include "sql/bind/partition_binder.h"
#include "sql/bind/query_binder.h"
#include "sql/catalog/definition_text.h"
#include "sql/grammar/parser.h"
#include "sql/statement_runner.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// SQL LIKE: % any run, _ any one byte.
bool like(std::string_view text, std::string_view pattern, bool ignore_case) {
  std::size_t t = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (t < text.size()) {
    const bool same = p < pattern.size() && (pattern[p] == '_' || pattern[p] == text[t] ||
                                             (ignore_case && lower(pattern[p]) == lower(text[t])));
    if (p < pattern.size() && pattern[p] == '%') {
      star = p++;
      retry = t;
    } else if (same) {
      ++t;
      ++p;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

bool is_listed(const std::string& name, const std::optional<ast::ShowPattern>& pattern) {
  return !pattern || like(name, pattern->pattern, pattern->ignore_case) != pattern->negated;
}

Result<StatementResult> name_table(const std::string& column, const std::vector<std::string>& names,
                                   const std::optional<ast::ShowPattern>& pattern) {
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : names) {
    if (is_listed(name, pattern)) rows.push_back({name});
  }
  return text_table({column}, rows);
}

std::string primary_key_text(const CatalogTable& table) {
  std::string names;
  for (const int column : table.primary_key) {
    names += (names.empty() ? "" : ", ") + table.columns[static_cast<std::size_t>(column)].name;
  }
  return names;
}

// One column of an object, as DESCRIBE shows it.
struct ColumnLine {
  std::string name;
  std::string type;
  bool nullable = true;
  std::string key;
  std::string extras;
  std::string watermark;
  std::string comment;
};

std::vector<ColumnLine> column_lines(const CatalogObject& object, const Schema& schema) {
  std::vector<ColumnLine> lines;
  for (int i = 0; i < schema.size(); ++i) {
    const Field& field = schema.field(i);
    ColumnLine line;
    line.name = field.name;
    line.type = field.type.with_nullable(true).to_string();
    line.nullable = field.type.nullable();
    line.comment = field.comment;
    if (object.table) {
      const CatalogTable& table = *object.table;
      if (std::find(table.primary_key.begin(), table.primary_key.end(), i) !=
          table.primary_key.end()) {
        line.key = fmt::format("PRI({})", primary_key_text(table));
      }
      line.extras = column_extras(table.columns[static_cast<std::size_t>(i)]);
      if (table.watermark && table.watermark->column == i) line.watermark = table.watermark->text;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Result<StatementResult> column_table(const std::vector<ColumnLine>& lines) {
  const bool comments = std::any_of(lines.begin(), lines.end(),
                                    [](const ColumnLine& line) { return !line.comment.empty(); });
  const DataType text = DataType::string().with_nullable(false);
  std::vector<Field> fields = {{"name", text, {}},
                               {"type", text, {}},
                               {"null", DataType::boolean().with_nullable(false), {}},
                               {"key", text, {}},
                               {"extras", text, {}},
                               {"watermark", text, {}}};
  if (comments) fields.push_back({"comment", text, {}});
  BatchBuilder builder(make_schema(std::move(fields)), literal_pool());
  for (const ColumnLine& line : lines) {
    builder.column(0).append_string(line.name);
    builder.column(1).append_string(line.type);
    builder.column(2).append<std::uint8_t>(line.nullable ? 1 : 0);
    builder.column(3).append_string(line.key);
    builder.column(4).append_string(line.extras);
    builder.column(5).append_string(line.watermark);
    if (comments) builder.column(6).append_string(line.comment);
    builder.commit_row();
  }
  CLP_ASSIGN_OR_RETURN(Batch batch, builder.finish());
  return StatementResult(TableResult{std::move(batch)});
}

// For a name between backticks.
std::string doubled(std::string_view name) {
  std::string out;
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return out;
}

Result<StatementResult> show_modules(bool full) {
  if (!full) return text_table({"module name"}, {{"core"}});
  BatchBuilder builder(make_schema({{"module name", DataType::string().with_nullable(false), {}},
                                    {"used", DataType::boolean().with_nullable(false), {}}}),
                       literal_pool());
  builder.column(0).append_string("core");
  builder.column(1).append<std::uint8_t>(1);
  builder.commit_row();
  CLP_ASSIGN_OR_RETURN(Batch batch, builder.finish());
  return StatementResult(TableResult{std::move(batch)});
}

}  // namespace

Result<StatementResult> text_table(const std::vector<std::string>& columns,
                                   const std::vector<std::vector<std::string>>& rows) {
  std::vector<Field> fields;
  for (const std::string& column : columns) {
    fields.push_back({column, DataType::string().with_nullable(false), {}});
  }
  BatchBuilder builder(make_schema(std::move(fields)), literal_pool());
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c)
      builder.column(static_cast<int>(c)).append_string(row[c]);
    builder.commit_row();
  }
  CLP_ASSIGN_OR_RETURN(Batch batch, builder.finish());
  return StatementResult(TableResult{std::move(batch)});
}

Result<CatalogObject> StatementRunner::find_object(const ast::ObjectName& name) const {
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, resolve(name));
  CatalogObject object = state_.catalog.find(path);
  if (object.found()) return object;
  return text_.not_found(
      name.range(), fmt::format("table '{}' does not exist", ast::to_sql(name)),
      did_you_mean_name(path.object, state_.catalog.table_names({path.catalog, path.database})));
}

Result<SchemaPtr> StatementRunner::bind_view_schema(const CatalogView& view,
                                                    ast::SourceRange place) const {
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  const std::string sql = fmt::format("TABLE `{}`.`{}`.`{}`", doubled(view.path.catalog),
                                      doubled(view.path.database), doubled(view.path.object));
  CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
  const StatementText text(sql);
  BindState bind_state;
  QueryBinder binder(environment, text, bind_state);
  const Result<PlanPtr> plan = binder.bind(*statement->as<ast::QueryStatement>().query);
  if (!plan.is_ok()) {
    return text_.error(place, fmt::format("view '{}' cannot be read", view.path.object),
                       std::string(plan.status().message()), plan.status().code());
  }
  return (*plan)->schema;
}

Result<SchemaPtr> StatementRunner::schema_of(const CatalogObject& object,
                                             ast::SourceRange place) const {
  if (object.table) return object.table->schema;
  Result<SchemaPtr> schema = bind_view_schema(*object.view, place);
  // A view over what is no longer there still has the columns that it was created with.
  if (!schema.is_ok() && object.view->schema) return object.view->schema;
  return schema;
}

Result<StatementResult> StatementRunner::run_show(const ast::Show& statement) {
  switch (statement.show) {
    case ast::ShowKind::kList:
      return run_show_list(statement);
    case ast::ShowKind::kCreate:
      return run_show_create(statement);
    case ast::ShowKind::kCurrent:
      break;
  }
  if (statement.object == ast::ObjectKind::kCatalog) {
    return text_table({"current catalog name"}, {{state_.catalog.current_catalog()}});
  }
  return text_table({"current database name"}, {{state_.catalog.current_database()}});
}

// FROM database, or the current one.
Result<DatabasePath> StatementRunner::listed_database(const ast::Show& statement) const {
  if (statement.name) return resolve_database(*statement.name);
  return DatabasePath{state_.catalog.current_catalog(), state_.catalog.current_database()};
}

Result<StatementResult> StatementRunner::show_databases(const ast::Show& statement) const {
  std::string catalog = state_.catalog.current_catalog();
  if (statement.name) {
    catalog = statement.name->parts[0].name;
    if (statement.name->parts.size() > 1 || !state_.catalog.has_catalog(catalog)) {
      return text_.not_found(
          statement.name->range(),
          fmt::format("catalog '{}' does not exist", ast::to_sql(*statement.name)),
          did_you_mean_name(catalog, state_.catalog.catalog_names()));
    }
  }
  return name_table("database name", state_.catalog.database_names(catalog), statement.pattern);
}

Result<StatementResult> StatementRunner::run_show_list(const ast::Show& statement) {
  switch (statement.object) {
    case ast::ObjectKind::kTable: {
      CLP_ASSIGN_OR_RETURN(const DatabasePath path, listed_database(statement));
      return name_table("table name", state_.catalog.table_names(path), statement.pattern);
    }
    case ast::ObjectKind::kView: {
      CLP_ASSIGN_OR_RETURN(const DatabasePath path, listed_database(statement));
      return name_table("view name", state_.catalog.view_names(path), statement.pattern);
    }
    case ast::ObjectKind::kCatalog:
      return name_table("catalog name", state_.catalog.catalog_names(), statement.pattern);
    case ast::ObjectKind::kDatabase:
      return show_databases(statement);
    case ast::ObjectKind::kFunction: {
      CLP_ASSIGN_OR_RETURN(const DatabasePath path, listed_database(statement));
      std::vector<std::string> names = state_.catalog.function_names(path);
      for (std::string& name : state_.catalog.system_function_names()) {
        names.push_back(std::move(name));
      }
      if (!statement.user_only) {
        const std::vector<std::string> built_in = FunctionRegistry::built_in().names();
        names.insert(names.end(), built_in.begin(), built_in.end());
      }
      std::sort(names.begin(), names.end());
      names.erase(std::unique(names.begin(), names.end()), names.end());
      return name_table("function name", names, statement.pattern);
    }
    case ast::ObjectKind::kModule:
      return show_modules(statement.full);
    case ast::ObjectKind::kJob:
      return show_jobs(statement);
    case ast::ObjectKind::kJar:
      return text_table({"jars"}, {});
    case ast::ObjectKind::kColumn: {
      CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(*statement.name));
      CLP_ASSIGN_OR_RETURN(const SchemaPtr schema, schema_of(object, statement.name->range()));
      std::vector<ColumnLine> lines = column_lines(object, *schema);
      std::erase_if(
          lines, [&](const ColumnLine& line) { return !is_listed(line.name, statement.pattern); });
      return column_table(lines);
    }
    case ast::ObjectKind::kPartition:
      return show_partitions(statement);
    default:
      return refuse(statement, fmt::format("SHOW {}S", ast::object_kind_name(statement.object)));
  }
}

Result<StatementResult> StatementRunner::show_partitions(const ast::Show& statement) const {
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(*statement.name));
  if (!object.table || object.table->partition_keys.empty()) {
    return text_.invalid(statement.name->range(),
                         fmt::format("{} '{}' is not partitioned", object.view ? "view" : "table",
                                     object.path().object));
  }
  const CatalogTable& table = *object.table;
  const std::vector<std::string> keys = partition_key_names(table);
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  CLP_ASSIGN_OR_RETURN(
      const auto wanted,
      bind_partition_texts(statement.partition, table, planning.environment(state_), text_));
  if (state_.files == nullptr) return refuse(statement, "SHOW PARTITIONS here");
  const TableConnector* connector = state_.connectors.find_connector(table.options.at("connector"));
  const auto partitions =
      connector->partitioned_sink()->list_partitions(table.options, keys, *state_.files);
  if (!partitions.is_ok()) return text_.at_place(statement.name->range(), partitions.status());
  std::vector<std::vector<std::string>> rows;
  for (const std::vector<std::string>& values : *partitions) {
    std::string name;
    bool is_wanted = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      name += fmt::format("{}{}={}", i == 0 ? "" : "/", keys[i], values[i]);
      const auto value = wanted.find(keys[i]);
      is_wanted = is_wanted && (value == wanted.end() || value->second == values[i]);
    }
    if (is_wanted) rows.push_back({std::move(name)});
  }
  return text_table({"partition name"}, rows);
}

Result<StatementResult> StatementRunner::run_show_create(const ast::Show& statement) {
  if (statement.object == ast::ObjectKind::kCatalog) {
    const std::string& name = statement.name->parts[0].name;
    const Properties* found = state_.catalog.find_catalog(name);
    if (found == nullptr || statement.name->parts.size() > 1) {
      return text_.not_found(
          statement.name->range(),
          fmt::format("catalog '{}' does not exist", ast::to_sql(*statement.name)),
          did_you_mean_name(name, state_.catalog.catalog_names()));
    }
    CLP_RETURN_IF_ERROR(catalog_problem(*statement.name));
    return text_table({"result"}, {{create_catalog_text(name, *found, Secrets::kHide)}});
  }
  const bool is_view = statement.object == ast::ObjectKind::kView;
  if ((statement.object != ast::ObjectKind::kTable && !is_view) || !statement.name) {
    return refuse(statement,
                  fmt::format("SHOW CREATE {}", ast::object_kind_name(statement.object)));
  }
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(*statement.name));
  if (is_view != (object.view != nullptr)) {
    return text_.invalid(
        statement.name->range(),
        fmt::format("'{}' is a {}", object.path().object, is_view ? "table" : "view"),
        is_view ? "write SHOW CREATE TABLE" : "write SHOW CREATE VIEW");
  }
  return text_table({"result"}, {{is_view ? create_view_text(*object.view)
                                          : create_table_text(*object.table, Secrets::kHide)}});
}

Result<StatementResult> StatementRunner::describe_catalog(const ast::Describe& statement) {
  const std::string& name = statement.name.parts[0].name;
  const Properties* found = state_.catalog.find_catalog(name);
  if (found == nullptr || statement.name.parts.size() > 1) {
    return text_.not_found(statement.name.range(),
                           fmt::format("catalog '{}' does not exist", ast::to_sql(statement.name)),
                           did_you_mean_name(name, state_.catalog.catalog_names()));
  }
  CLP_RETURN_IF_ERROR(catalog_problem(statement.name));
  std::vector<std::vector<std::string>> rows = {{"name", name},
                                                {"type", found->options.at("type")},
                                                {"comment", found->comment.value_or("")}};
  if (statement.extended) {
    for (const auto& [key, value] : found->options) {
      if (key != "type") {
        rows.push_back({"option:" + key, std::string(printable_value(key, value))});
      }
    }
  }
  return text_table({"info name", "info value"}, rows);
}

Result<StatementResult> StatementRunner::describe_database(const ast::Describe& statement) {
  CLP_ASSIGN_OR_RETURN(const DatabasePath path, resolve_database(statement.name));
  const Properties& found = *state_.catalog.find_database(path);
  std::vector<std::vector<std::string>> rows = {
      {"catalog", path.catalog}, {"name", path.database}, {"comment", found.comment.value_or("")}};
  if (statement.extended) {
    for (const auto& [key, value] : found.options) {
      rows.push_back({"option:" + key, std::string(printable_value(key, value))});
    }
  }
  return text_table({"info name", "info value"}, rows);
}

Result<StatementResult> StatementRunner::run_describe(const ast::Describe& statement) {
  switch (statement.object) {
    case ast::ObjectKind::kTable:
      break;
    case ast::ObjectKind::kCatalog:
      return describe_catalog(statement);
    case ast::ObjectKind::kDatabase:
      return describe_database(statement);
    case ast::ObjectKind::kFunction:
      return describe_function(statement);
    case ast::ObjectKind::kJob:
      return describe_job(statement);
    default:
      return refuse(statement, fmt::format("DESCRIBE {}", ast::object_kind_name(statement.object)));
  }
  // EXTENDED shows the same, as in the reference.
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(statement.name));
  CLP_ASSIGN_OR_RETURN(const SchemaPtr schema, schema_of(object, statement.name.range()));
  return column_table(column_lines(object, *schema));
}

}  // namespace clepsydra::sql
