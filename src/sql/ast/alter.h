// ALTER statements as written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/create.h"
#include "sql/ast/expression.h"
#include "sql/ast/location.h"
#include "sql/ast/query.h"
#include "sql/ast/statement.h"

namespace clepsydra::ast {

enum class ColumnPlace : std::uint8_t { kDefault, kFirst, kAfter };

// A column of ADD or MODIFY with its FIRST or AFTER c.
struct PlacedColumn {
  ColumnDefinition column;
  ColumnPlace place = ColumnPlace::kDefault;
  std::optional<Identifier> after;
};

enum class AlterTableAction : std::uint8_t {
  kRenameTable,       // RENAME TO new_name
  kRenameColumn,      // RENAME [COLUMN] column TO new_column
  kAdd,               // ADD columns, keys, watermark, distribution
  kModify,            // MODIFY the same
  kDropColumns,       // DROP names
  kDropPrimaryKey,    // DROP PRIMARY KEY
  kDropConstraint,    // DROP CONSTRAINT names[0]
  kDropWatermark,     // DROP WATERMARK
  kDropDistribution,  // DROP DISTRIBUTION
  kAddPartitions,     // ADD [IF NOT EXISTS] partitions
  kDropPartitions,    // DROP [IF EXISTS] partitions
  kRenamePartition,   // PARTITION (..) RENAME TO PARTITION (..): partitions[0], partitions[1]
  kSetOptions,        // SET options
  kResetOptions,      // RESET keys
};

struct PartitionSpec {
  std::vector<PartitionValue> values;
  std::vector<Option> options;
};

// What ALTER TABLE and ALTER MATERIALIZED TABLE share.
struct TableChange {
  AlterTableAction action = AlterTableAction::kSetOptions;
  ObjectName new_name;
  std::vector<Identifier> column;  // kRenameColumn: may be nested.
  Identifier new_column;
  std::vector<PlacedColumn> columns;
  std::vector<KeyConstraint> keys;
  std::optional<WatermarkDefinition> watermark;
  std::optional<Distribution> distribution;
  std::vector<std::vector<Identifier>> names;
  bool if_exists = false;  // IF EXISTS or IF NOT EXISTS of partitions.
  std::vector<PartitionSpec> partitions;
  std::vector<Option> options;
  std::vector<std::string> keys_to_reset;
};

struct AlterTable final : StatementNode<StatementKind::kAlterTable> {
  bool if_exists = false;
  ObjectName name;
  TableChange change;
};

enum class AlterMaterializedTableAction : std::uint8_t {
  kSuspend,
  kResume,   // RESUME [WITH (options)]
  kRefresh,  // REFRESH [PARTITION (..)]
  kAsQuery,
  kSetFreshness,
  kSetRefreshMode,
  kChange,  // Schema, distribution, options: `change`.
};

struct AlterMaterializedTable final : StatementNode<StatementKind::kAlterMaterializedTable> {
  ObjectName name;
  AlterMaterializedTableAction action = AlterMaterializedTableAction::kSuspend;
  std::vector<Option> options;
  std::vector<PartitionValue> partition;
  QueryPtr query;
  ExpressionPtr freshness;
  RefreshMode refresh_mode = RefreshMode::kContinuous;
  TableChange change;
};

// ALTER VIEW v RENAME TO w, SET (..), RESET (..) or AS query.
struct AlterView final : StatementNode<StatementKind::kAlterView> {
  bool if_exists = false;
  ObjectName name;
  ObjectName new_name;  // Empty unless renamed.
  std::vector<Option> options;
  std::vector<std::string> keys_to_reset;
  QueryPtr query;  // May be null.
};

// ALTER CATALOG, DATABASE, MODEL, CONNECTION: SET (..), RESET (..), COMMENT 's' or RENAME TO.
struct AlterObject final : StatementNode<StatementKind::kAlterObject> {
  ObjectKind object = ObjectKind::kCatalog;
  bool temporary = false;
  bool system = false;
  bool if_exists = false;
  ObjectName name;
  ObjectName new_name;
  std::vector<Option> options;
  std::vector<std::string> keys_to_reset;
  std::optional<std::string> comment;
};

struct AlterFunction final : StatementNode<StatementKind::kAlterFunction> {
  bool temporary = false;
  bool system = false;
  bool if_exists = false;
  ObjectName name;
  std::string identifier;
  SourceRange identifier_range;
  FunctionLanguage language = FunctionLanguage::kDefault;
  SourceRange language_range;
};

}  // namespace clepsydra::ast
