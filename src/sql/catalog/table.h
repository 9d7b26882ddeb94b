// What the catalog knows of a table or view: everything bound and checked when it was created.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clepsydra/table_connector.h"
#include "functions/expression.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

// `default_catalog`.`default_database`.`orders`.
struct ObjectPath {
  std::string catalog;
  std::string database;
  std::string object;

  // "default_catalog.default_database.orders"
  [[nodiscard]] std::string to_string() const { return catalog + "." + database + "." + object; }
  friend bool operator==(const ObjectPath&, const ObjectPath&) = default;
};

enum class ColumnRole : std::uint8_t {
  kPhysical,
  kMetadata,  // METADATA [FROM 'key'] [VIRTUAL]
  kComputed,  // AS expression
};

struct TableColumn {
  std::string name;
  ColumnRole role = ColumnRole::kPhysical;
  DataType type;  // With *ROWTIME* or *PROCTIME*.
  std::optional<std::string> comment;
  std::string metadata_key;       // kMetadata.
  bool metadata_virtual = false;  // kMetadata: not written by INSERT.
  ExpressionPtr computed;         // kComputed: over CatalogTable::produced.
  std::string computed_text;      // kComputed: canonical SQL.

  // INSERT writes it.
  [[nodiscard]] bool is_persisted() const {
    return role == ColumnRole::kPhysical || (role == ColumnRole::kMetadata && !metadata_virtual);
  }
};

struct TableWatermark {
  int column = -1;           // Of the table.
  ExpressionPtr expression;  // Over CatalogTable::schema.
  std::string text;          // Canonical SQL.
  // SOURCE_WATERMARK(): the connector gives them; `expression` is the column.
  bool is_from_source = false;
};

struct CatalogTable {
  ObjectPath path;
  std::uint64_t version = 0;  // Another one for every CREATE: tells equal names apart.
  bool temporary = false;
  std::optional<std::string> comment;
  std::vector<TableColumn> columns;
  std::optional<TableWatermark> watermark;
  std::string primary_key_name;  // Empty without a primary key.
  std::vector<int> primary_key;  // Columns.
  // Columns, physical ones, in the order of PARTITIONED BY.
  std::vector<int> partition_keys;
  std::vector<int> distribution_keys;  // Physical columns.
  std::string distribution;            // "BY HASH (a) INTO 4 BUCKETS"; empty without.
  TableOptions options;

  SchemaPtr schema;    // All columns.
  SchemaPtr physical;  // The physical columns: what a connector is told.
  SchemaPtr
      produced;  // Physical, then metadata columns as declared: what computed columns are over.
};
std::vector<std::string> partition_key_names(const CatalogTable& table);
using CatalogTablePtr = std::shared_ptr<const CatalogTable>;  // Shared by plans; immutable.

struct CatalogView {
  ObjectPath path;
  bool temporary = false;
  std::optional<std::string> comment;
  std::string query;  // SQL text, bound again wherever the view is used.
  std::vector<std::string> column_names;
  SchemaPtr schema;  // As bound when it was created.
};
using CatalogViewPtr = std::shared_ptr<const CatalogView>;

// A function of a user's library. Its library is looked at where it is called.
struct CatalogFunction {
  ObjectPath path;  // The name in small letters: functions are found in any case.
  bool temporary = false;
  bool system = false;     // Temporary, and without catalog and database.
  std::string identifier;  // Its name in the library.
  std::string library;     // Below 'clepsydra.udf.directory'.
};

}  // namespace clepsydra::sql
