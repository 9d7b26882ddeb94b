// SHOW and DESCRIBE.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "functions/function_registry.h"
#include "sql/ast/print.h"
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

std::string extras_of(const TableColumn& column) {
  switch (column.role) {
    case ColumnRole::kPhysical:
      return {};
    case ColumnRole::kComputed:
      return "AS " + column.computed_text;
    case ColumnRole::kMetadata:
      break;
  }
  std::string extras = "METADATA";
  if (column.metadata_key != column.name) extras += fmt::format(" FROM '{}'", column.metadata_key);
  if (column.metadata_virtual) extras += " VIRTUAL";
  return extras;
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

std::vector<ColumnLine> column_lines(const CatalogObject& object) {
  std::vector<ColumnLine> lines;
  const Schema& schema = object.table ? *object.table->schema : *object.view->schema;
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
      line.extras = extras_of(table.columns[static_cast<std::size_t>(i)]);
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

std::string quoted(std::string_view name) {
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

std::string quoted_path(const ObjectPath& path) {
  return fmt::format("{}.{}.{}", quoted(path.catalog), quoted(path.database), quoted(path.object));
}

std::string comment_text(const std::optional<std::string>& comment) {
  return comment ? fmt::format(" COMMENT {}", ast::quote_string(*comment)) : std::string();
}

std::string create_table_text(const CatalogTable& table) {
  std::string out = fmt::format("CREATE {}TABLE {} (\n", table.temporary ? "TEMPORARY " : "",
                                quoted_path(table.path));
  std::vector<std::string> parts;
  for (const TableColumn& column : table.columns) {
    std::string part = "  " + quoted(column.name);
    const DataType type = column.type.with_time_attribute(TimeAttribute::kNone);
    if (column.role != ColumnRole::kComputed) part += " " + type.to_string();
    const std::string extras = extras_of(column);
    if (!extras.empty()) part += " " + extras;
    parts.push_back(part + comment_text(column.comment));
  }
  if (table.watermark) {
    const TableColumn& column = table.columns[static_cast<std::size_t>(table.watermark->column)];
    parts.push_back(
        fmt::format("  WATERMARK FOR {} AS {}", quoted(column.name), table.watermark->text));
  }
  if (!table.primary_key.empty()) {
    std::string names;
    for (const int column : table.primary_key) {
      names += (names.empty() ? "" : ", ") +
               quoted(table.columns[static_cast<std::size_t>(column)].name);
    }
    parts.push_back(fmt::format("  CONSTRAINT {} PRIMARY KEY ({}) NOT ENFORCED",
                                quoted(table.primary_key_name), names));
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    out += parts[i] + (i + 1 < parts.size() ? ",\n" : "\n");
  out += ")" + comment_text(table.comment) + "\nWITH (\n";
  std::size_t left = table.options.size();
  for (const auto& [key, value] : table.options) {
    out += fmt::format("  {} = {}{}\n", ast::quote_string(key),
                       ast::quote_string(printable_value(key, value)), --left > 0 ? "," : "");
  }
  return out + ")\n";
}

std::string create_view_text(const CatalogView& view) {
  std::string columns;
  for (const std::string& name : view.column_names)
    columns += (columns.empty() ? "" : ", ") + quoted(name);
  return fmt::format("CREATE {}VIEW {} ({}){}\nAS {}\n", view.temporary ? "TEMPORARY " : "",
                     quoted_path(view.path), columns, comment_text(view.comment), view.query);
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
  return text_.not_found(name.range(), fmt::format("table '{}' does not exist", ast::to_sql(name)),
                         did_you_mean_name(path.object, state_.catalog.table_names()));
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
    return text_table({"current catalog name"}, {{std::string(kDefaultCatalog)}});
  }
  return text_table({"current database name"}, {{std::string(kDefaultDatabase)}});
}

Result<StatementResult> StatementRunner::run_show_list(const ast::Show& statement) {
  const auto refuse_list = [&] {
    return refuse(statement, fmt::format("SHOW {}S", ast::object_kind_name(statement.object)));
  };
  if (statement.name && statement.object != ast::ObjectKind::kColumn) {
    // FROM database: only the one.
    std::vector<std::string> parts;
    for (const ast::Identifier& part : statement.name->parts) parts.push_back(part.name);
    if (statement.object == ast::ObjectKind::kDatabase) parts.emplace_back(kDefaultDatabase);
    parts.emplace_back("t");
    const Result<ObjectPath> path = state_.catalog.resolve(parts);
    if (!path.is_ok()) return text_.at_place(statement.name->range(), path.status());
  }
  switch (statement.object) {
    case ast::ObjectKind::kTable:
      return name_table("table name", state_.catalog.table_names(), statement.pattern);
    case ast::ObjectKind::kView:
      return name_table("view name", state_.catalog.view_names(), statement.pattern);
    case ast::ObjectKind::kCatalog:
      return name_table("catalog name", {std::string(kDefaultCatalog)}, statement.pattern);
    case ast::ObjectKind::kDatabase:
      return name_table("database name", {std::string(kDefaultDatabase)}, statement.pattern);
    case ast::ObjectKind::kFunction: {
      const std::vector<std::string> names =
          statement.user_only ? std::vector<std::string>() : FunctionRegistry::built_in().names();
      return name_table("function name", names, statement.pattern);
    }
    case ast::ObjectKind::kColumn: {
      if (!statement.name) return refuse_list();
      CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(*statement.name));
      std::vector<ColumnLine> lines = column_lines(object);
      std::erase_if(
          lines, [&](const ColumnLine& line) { return !is_listed(line.name, statement.pattern); });
      return column_table(lines);
    }
    default:
      return refuse_list();
  }
}

Result<StatementResult> StatementRunner::run_show_create(const ast::Show& statement) {
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
  return text_table(
      {"result"}, {{is_view ? create_view_text(*object.view) : create_table_text(*object.table)}});
}

Result<StatementResult> StatementRunner::run_describe(const ast::Describe& statement) {
  if (statement.object != ast::ObjectKind::kTable) {
    return refuse(statement, fmt::format("DESCRIBE {}", ast::object_kind_name(statement.object)));
  }
  if (statement.extended) return refuse(statement, "DESCRIBE EXTENDED");
  CLP_ASSIGN_OR_RETURN(const CatalogObject object, find_object(statement.name));
  return column_table(column_lines(object));
}

}  // namespace clepsydra::sql
