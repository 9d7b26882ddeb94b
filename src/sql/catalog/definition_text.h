// Catalog objects as the statements that make them.
#pragma once

#include <string>
#include <string_view>

#include "sql/catalog/catalog.h"
#include "sql/catalog/table.h"

namespace clepsydra::sql {

// Passwords and the like are left out where somebody looks, and kept where the text is stored.
enum class Secrets : std::uint8_t { kHide, kKeep };

// CREATE statements with full names, ending in a line break; each can be run again.
std::string create_table_text(const CatalogTable& table, Secrets secrets);
std::string create_view_text(const CatalogView& view);
std::string create_function_text(const CatalogFunction& function);
std::string create_database_text(std::string_view database, const Properties& properties,
                                 Secrets secrets);
std::string create_catalog_text(std::string_view catalog, const Properties& properties,
                                Secrets secrets);

// "METADATA FROM 'key' VIRTUAL", "AS a + 1"; empty for a physical column.
std::string column_extras(const TableColumn& column);

}  // namespace clepsydra::sql
