// Statements as written, but for CREATE (ast/create.h) and ALTER (ast/alter.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/ast/expression.h"
#include "sql/ast/location.h"
#include "sql/ast/query.h"

namespace clepsydra::ast {

enum class StatementKind : std::uint8_t {
  kQuery,
  kInsert,
  kStatementSet,
  kUpdate,
  kDelete,
  kTruncate,
  kExplain,
  kCompilePlan,
  kExecutePlan,
  kSet,
  kReset,
  kUse,
  kShow,
  kDescribe,
  kDrop,
  kCreateTable,
  kCreateView,
  kCreateCatalog,
  kCreateDatabase,
  kCreateFunction,
  kCreateModel,
  kCreateMaterializedTable,
  kCreateConnection,
  kAlterTable,
  kAlterMaterializedTable,
  kAlterView,
  kAlterObject,
  kAlterFunction,
  kAnalyzeTable,
  kCall,
  kLoadModule,
  kUnloadModule,
  kJar,
  kStopJob,
  kClientCommand,
};

// Base of all statements; `range` excludes the semicolon.
struct Statement {
  explicit Statement(StatementKind k) : kind(k) {}
  virtual ~Statement();  // Key function in statement.cc.
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  template <typename T>
  [[nodiscard]] const T& as() const {
    CLP_CHECK(kind == T::kKind);
    return static_cast<const T&>(*this);
  }
  template <typename T>
  [[nodiscard]] T& as() {
    CLP_CHECK(kind == T::kKind);
    return static_cast<T&>(*this);
  }
  template <typename T>
  [[nodiscard]] const T* as_if() const {
    return kind == T::kKind ? static_cast<const T*>(this) : nullptr;
  }

  const StatementKind kind;
  SourceRange range;
};
using StatementPtr = std::unique_ptr<Statement>;

template <StatementKind K>
struct StatementNode : Statement {
  static constexpr StatementKind kKind = K;
  StatementNode() : Statement(K) {}
};

// 'key' = 'value' in WITH, OPTIONS and SET. Ranges are those of the quoted texts.
struct Option {
  std::string key;
  std::string value;
  SourceRange key_range;
  SourceRange value_range;
};

// PARTITION (a = 1, b): `value` is null where none was given.
struct PartitionValue {
  Identifier column;
  ExpressionPtr value;
};

// [NOT] LIKE 'x', [NOT] ILIKE 'x' of the SHOW statements.
struct ShowPattern {
  bool negated = false;
  bool ignore_case = false;
  std::string pattern;
  SourceRange range;
};

// SELECT, WITH, VALUES, TABLE; `execute` if EXECUTE stood before it.
struct QueryStatement final : StatementNode<StatementKind::kQuery> {
  bool execute = false;
  QueryPtr query;
};

enum class ConflictAction : std::uint8_t { kNone, kError, kNothing, kDeduplicate };

struct Insert final : StatementNode<StatementKind::kInsert> {
  bool execute = false;
  bool overwrite = false;
  ObjectName table;
  std::vector<Hint> hints;
  std::vector<PartitionValue> partition;
  std::vector<Identifier> columns;  // Empty: all of them.
  QueryPtr query;                   // VALUES too.
  ConflictAction on_conflict = ConflictAction::kNone;
};

// [EXECUTE] STATEMENT SET BEGIN a; b; END and BEGIN STATEMENT SET; a; b; END.
struct StatementSet final : StatementNode<StatementKind::kStatementSet> {
  bool execute = false;  // EXECUTE STATEMENT SET; false for the BEGIN form and under EXPLAIN.
  std::vector<std::unique_ptr<Insert>> inserts;
};

struct Assignment {
  Identifier column;
  ExpressionPtr value;
};

struct Update final : StatementNode<StatementKind::kUpdate> {
  ObjectName table;
  std::optional<Identifier> alias;
  std::vector<Assignment> assignments;
  ExpressionPtr where;
};

struct Delete final : StatementNode<StatementKind::kDelete> {
  ObjectName table;
  std::optional<Identifier> alias;
  ExpressionPtr where;
};

struct Truncate final : StatementNode<StatementKind::kTruncate> {
  ObjectName table;
};

enum class ExplainDetail : std::uint8_t {
  kEstimatedCost,
  kChangelogMode,
  kPlanAdvice,
  kJsonExecutionPlan,
};

// EXPLAIN details... statement; EXPLAIN PLAN FOR and EXPLAIN AST have no details.
struct Explain final : StatementNode<StatementKind::kExplain> {
  std::vector<ExplainDetail> details;
  StatementPtr statement;
};

// COMPILE PLAN 'file' [IF NOT EXISTS] FOR statement; with `execute` COMPILE AND EXECUTE PLAN.
struct CompilePlan final : StatementNode<StatementKind::kCompilePlan> {
  std::string file;
  bool if_not_exists = false;
  bool execute = false;
  StatementPtr statement;  // An Insert or a StatementSet.
};

struct ExecutePlan final : StatementNode<StatementKind::kExecutePlan> {
  std::string file;
};

// SET 'key' = 'value'; SET alone lists everything.
struct SetOption final : StatementNode<StatementKind::kSet> {
  std::optional<Option> option;
};

struct ResetOption final : StatementNode<StatementKind::kReset> {
  std::optional<std::string> key;  // Absent: all.
  SourceRange key_range;
};

enum class UseKind : std::uint8_t { kDatabase, kCatalog, kModules };

struct Use final : StatementNode<StatementKind::kUse> {
  UseKind use = UseKind::kDatabase;
  ObjectName name;                // Database or catalog.
  std::vector<Identifier> names;  // Modules, in resolution order.
};

// What SHOW, DESCRIBE and DROP speak of.
enum class ObjectKind : std::uint8_t {
  kCatalog,
  kDatabase,
  kTable,
  kView,
  kMaterializedTable,
  kFunction,
  kProcedure,
  kModel,
  kConnection,
  kModule,
  kColumn,
  kPartition,
  kJar,
  kJob,
};

// "TABLE", "MATERIALIZED TABLE": as SQL spells it.
const char* object_kind_name(ObjectKind kind);

enum class ShowKind : std::uint8_t {
  kList,     // SHOW TABLES, SHOW [USER] FUNCTIONS, SHOW [FULL] MODULES, SHOW COLUMNS FROM t, ...
  kCurrent,  // SHOW CURRENT CATALOG, SHOW CURRENT DATABASE
  kCreate,   // SHOW CREATE TABLE t
};

struct Show final : StatementNode<StatementKind::kShow> {
  ShowKind show = ShowKind::kList;
  ObjectKind object = ObjectKind::kTable;
  bool user_only = false;  // SHOW USER FUNCTIONS.
  bool full = false;       // SHOW FULL MODULES.
  // kList: what stood after FROM or IN, or after SHOW PARTITIONS; kCreate: the object.
  std::optional<ObjectName> name;
  std::optional<ShowPattern> pattern;
  std::vector<PartitionValue> partition;  // SHOW PARTITIONS t PARTITION (...).
};

struct Describe final : StatementNode<StatementKind::kDescribe> {
  ObjectKind object = ObjectKind::kTable;
  bool extended = false;
  ObjectName name;
  std::string job_id;  // kJob.
};

enum class DropBehavior : std::uint8_t { kDefault, kRestrict, kCascade };

struct Drop final : StatementNode<StatementKind::kDrop> {
  ObjectKind object = ObjectKind::kTable;
  bool temporary = false;
  bool system = false;  // DROP TEMPORARY SYSTEM FUNCTION.
  bool if_exists = false;
  ObjectName name;
  DropBehavior behavior = DropBehavior::kDefault;  // kDatabase.
};

struct AnalyzeTable final : StatementNode<StatementKind::kAnalyzeTable> {
  ObjectName table;
  std::vector<PartitionValue> partition;
  bool all_columns = false;         // FOR ALL COLUMNS
  std::vector<Identifier> columns;  // FOR COLUMNS a, b
};

struct Call final : StatementNode<StatementKind::kCall> {
  ExpressionPtr call;  // A FunctionCall.
};

struct LoadModule final : StatementNode<StatementKind::kLoadModule> {
  Identifier name;
  std::vector<Option> options;
};

struct UnloadModule final : StatementNode<StatementKind::kUnloadModule> {
  Identifier name;
};

// ADD JAR 'path', REMOVE JAR 'path'.
struct Jar final : StatementNode<StatementKind::kJar> {
  bool remove = false;
  std::string path;
};

struct StopJob final : StatementNode<StatementKind::kStopJob> {
  std::string job_id;
  bool with_savepoint = false;
  bool with_drain = false;
};

enum class ClientCommandKind : std::uint8_t { kQuit, kClear, kHelp };

// QUIT, EXIT, CLEAR, HELP.
struct ClientCommand final : StatementNode<StatementKind::kClientCommand> {
  ClientCommandKind command = ClientCommandKind::kHelp;
};

}  // namespace clepsydra::ast
