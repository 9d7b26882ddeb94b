#include "sql/catalog/definition_text.h"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "base/configuration.h"
#include "sql/ast/print.h"

namespace clepsydra::sql {
namespace {

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

// "WITH (...)" in lines, ending in a line break; empty without options.
std::string options_text(const TableOptions& options, Secrets secrets) {
  if (options.empty()) return {};
  std::string out = "WITH (\n";
  std::size_t left = options.size();
  for (const auto& [key, value] : options) {
    const std::string_view shown =
        secrets == Secrets::kHide ? printable_value(key, value) : std::string_view(value);
    out += fmt::format("  {} = {}{}\n", ast::quote_string(key), ast::quote_string(shown),
                       --left > 0 ? "," : "");
  }
  return out + ")\n";
}

}  // namespace

std::string column_extras(const TableColumn& column) {
  switch (column.role) {
    case ColumnRole::kPhysical:
      return {};
    case ColumnRole::kComputed:
      return "AS " + column.computed_text;
    case ColumnRole::kMetadata:
      break;
  }
  std::string extras = "METADATA";
  if (column.metadata_key != column.name) {
    extras += " FROM " + ast::quote_string(column.metadata_key);
  }
  if (column.metadata_virtual) extras += " VIRTUAL";
  return extras;
}

std::vector<std::string> partition_key_names(const CatalogTable& table) {
  std::vector<std::string> names;
  for (const int key : table.partition_keys) {
    names.push_back(table.columns[static_cast<std::size_t>(key)].name);
  }
  return names;
}

std::string create_table_text(const CatalogTable& table, Secrets secrets) {
  std::string out = fmt::format("CREATE {}TABLE {} (\n", table.temporary ? "TEMPORARY " : "",
                                quoted_path(table.path));
  std::vector<std::string> parts;
  for (const TableColumn& column : table.columns) {
    std::string part = "  " + quoted(column.name);
    const DataType type = column.type.with_time_attribute(TimeAttribute::kNone);
    if (column.role != ColumnRole::kComputed) part += " " + type.to_string();
    const std::string extras = column_extras(column);
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
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out += parts[i] + (i + 1 < parts.size() ? ",\n" : "\n");
  }
  out += ")" + comment_text(table.comment) + "\n";
  if (!table.distribution.empty()) out += fmt::format("DISTRIBUTED {}\n", table.distribution);
  if (!table.partition_keys.empty()) {
    std::string names;
    for (const std::string& name : partition_key_names(table)) {
      names += (names.empty() ? "" : ", ") + quoted(name);
    }
    out += fmt::format("PARTITIONED BY ({})\n", names);
  }
  return out + options_text(table.options, secrets);
}

std::string create_view_text(const CatalogView& view) {
  std::string columns;
  for (const std::string& name : view.column_names) {
    columns += (columns.empty() ? "" : ", ") + quoted(name);
  }
  return fmt::format("CREATE {}VIEW {} ({}){}\nAS {}\n", view.temporary ? "TEMPORARY " : "",
                     quoted_path(view.path), columns, comment_text(view.comment), view.query);
}

std::string create_function_text(const CatalogFunction& function) {
  return fmt::format("CREATE {}FUNCTION {} AS {} LANGUAGE CPP\nUSING ARTIFACT {}\n",
                     function.system      ? "TEMPORARY SYSTEM "
                     : function.temporary ? "TEMPORARY "
                                          : "",
                     function.system ? quoted(function.path.object) : quoted_path(function.path),
                     ast::quote_string(function.identifier), ast::quote_string(function.library));
}

std::string create_database_text(std::string_view database, const Properties& properties,
                                 Secrets secrets) {
  return fmt::format("CREATE DATABASE {}{}\n{}", quoted(database), comment_text(properties.comment),
                     options_text(properties.options, secrets));
}

std::string create_catalog_text(std::string_view catalog, const Properties& properties,
                                Secrets secrets) {
  return fmt::format("CREATE CATALOG {}{}\n{}", quoted(catalog), comment_text(properties.comment),
                     options_text(properties.options, secrets));
}

}  // namespace clepsydra::sql
