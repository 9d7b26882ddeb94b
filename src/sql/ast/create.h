// CREATE statements as written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expression.h"
#include "sql/ast/location.h"
#include "sql/ast/query.h"
#include "sql/ast/statement.h"
#include "sql/ast/type.h"

namespace clepsydra::ast {

enum class ColumnKind : std::uint8_t {
  kPhysical,  // name type
  kComputed,  // name AS expression
  kMetadata,  // name type METADATA [FROM 'key'] [VIRTUAL]
};

struct ColumnDefinition {
  ColumnKind kind = ColumnKind::kPhysical;
  Identifier name;
  TypeName type;                            // Not for kComputed.
  bool primary_key = false;                 // c INT PRIMARY KEY NOT ENFORCED
  bool unique = false;                      // c INT UNIQUE NOT ENFORCED
  bool constraint_enforced = false;         // ENFORCED was written: the binder refuses it.
  bool constraint_not_enforced = false;     // NOT ENFORCED was written.
  ExpressionPtr computed;                   // kComputed.
  std::optional<std::string> metadata_key;  // kMetadata: FROM 'key', else the column's own name.
  bool metadata_virtual = false;            // kMetadata.
  std::optional<std::string> comment;
  SourceRange range;
};

// WATERMARK FOR column AS expression; the column may be nested: row.field.
struct WatermarkDefinition {
  std::vector<Identifier> column;
  ExpressionPtr expression;
  SourceRange range;
};

// [CONSTRAINT name] PRIMARY KEY (a, b) NOT ENFORCED, or UNIQUE.
struct KeyConstraint {
  std::optional<Identifier> name;
  bool primary = true;
  std::vector<Identifier> columns;
  bool enforced = false;      // ENFORCED was written.
  bool not_enforced = false;  // NOT ENFORCED was written.
  SourceRange range;
};

enum class DistributionKind : std::uint8_t { kDefault, kHash, kRange };

// DISTRIBUTED [BY [HASH|RANGE] (a, b)] [INTO n BUCKETS].
struct Distribution {
  DistributionKind kind = DistributionKind::kDefault;
  std::vector<Identifier> columns;
  std::optional<std::int64_t> buckets;
  SourceRange range;
};

enum class LikeAction : std::uint8_t { kIncluding, kExcluding, kOverwriting };
enum class LikeFeature : std::uint8_t {
  kAll,
  kConstraints,
  kDistribution,
  kGenerated,
  kMetadata,
  kOptions,
  kPartitions,
  kWatermarks,
};

struct LikeOption {
  LikeAction action = LikeAction::kIncluding;
  LikeFeature feature = LikeFeature::kAll;
  SourceRange range;
};

// LIKE source (INCLUDING ALL ...).
struct LikeClause {
  ObjectName source;
  std::vector<LikeOption> options;
  SourceRange range;
};

// The parenthesised part of CREATE TABLE and its kin.
struct TableSchema {
  std::vector<ColumnDefinition> columns;
  std::vector<KeyConstraint> keys;
  std::optional<WatermarkDefinition> watermark;
  // CREATE TABLE t (a, b) AS SELECT: names alone. Then `columns` is empty.
  std::vector<Identifier> column_names;
};

struct CreateTable final : StatementNode<StatementKind::kCreateTable> {
  bool temporary = false;
  bool if_not_exists = false;
  bool create = true;    // false: REPLACE TABLE without CREATE OR.
  bool replace = false;  // [CREATE OR] REPLACE TABLE.
  ObjectName name;
  TableSchema schema;
  std::optional<std::string> comment;
  std::optional<Distribution> distribution;
  std::vector<Identifier> partitioned_by;
  std::vector<Option> options;
  std::optional<LikeClause> like;
  QueryPtr query;  // AS SELECT; may be null.
};

struct CreateView final : StatementNode<StatementKind::kCreateView> {
  bool temporary = false;
  bool if_not_exists = false;
  ObjectName name;
  std::vector<Identifier> columns;
  std::optional<std::string> comment;
  QueryPtr query;
};

struct CreateCatalog final : StatementNode<StatementKind::kCreateCatalog> {
  bool if_not_exists = false;
  Identifier name;
  std::optional<std::string> comment;
  std::vector<Option> options;
};

struct CreateDatabase final : StatementNode<StatementKind::kCreateDatabase> {
  bool if_not_exists = false;
  ObjectName name;
  std::optional<std::string> comment;
  std::vector<Option> options;
};

enum class FunctionLanguage : std::uint8_t { kDefault, kJava, kScala, kPython, kSql, kCpp };

struct FunctionResource {
  bool artifact = false;  // USING ARTIFACT, else USING JAR.
  std::string uri;
  SourceRange range;
};

struct CreateFunction final : StatementNode<StatementKind::kCreateFunction> {
  bool temporary = false;
  bool system = false;
  bool if_not_exists = false;
  ObjectName name;
  std::string identifier;  // AS 'identifier'
  SourceRange identifier_range;
  FunctionLanguage language = FunctionLanguage::kDefault;
  SourceRange language_range;
  std::vector<FunctionResource> resources;
  std::vector<Option> options;
};

struct CreateModel final : StatementNode<StatementKind::kCreateModel> {
  bool temporary = false;
  bool if_not_exists = false;
  ObjectName name;
  std::vector<ColumnDefinition> inputs;
  std::vector<ColumnDefinition> outputs;
  std::optional<std::string> comment;
  std::vector<Option> options;
  QueryPtr query;  // AS SELECT; may be null.
};

enum class RefreshMode : std::uint8_t { kContinuous, kFull };

enum class StartModeKind : std::uint8_t {
  kFromBeginning,
  kFromNow,
  kFromTimestamp,
  kResumeOrFromBeginning,
  kResumeOrFromNow,
  kResumeOrFromTimestamp,
};

struct StartMode {
  StartModeKind kind = StartModeKind::kFromBeginning;
  ExpressionPtr argument;  // Interval or timestamp; may be null.
};

struct CreateMaterializedTable final : StatementNode<StatementKind::kCreateMaterializedTable> {
  bool or_alter = false;
  bool if_not_exists = false;
  ObjectName name;
  TableSchema schema;
  std::optional<std::string> comment;
  std::optional<Distribution> distribution;
  std::vector<Identifier> partitioned_by;
  std::vector<Option> options;
  ExpressionPtr freshness;  // An interval; may be null.
  std::optional<RefreshMode> refresh_mode;
  std::optional<StartMode> start_mode;
  QueryPtr query;
};

struct CreateConnection final : StatementNode<StatementKind::kCreateConnection> {
  bool temporary = false;
  bool system = false;
  bool if_not_exists = false;
  ObjectName name;
  std::optional<std::string> comment;
  std::vector<Option> options;
};

}  // namespace clepsydra::ast
