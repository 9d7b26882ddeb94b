// Queries as written: SELECT, set operations, VALUES, WITH, and what stands in FROM.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/ast/expression.h"
#include "sql/ast/location.h"

namespace clepsydra::ast {

// One hint of /*+ OPTIONS('k' = 'v'), BROADCAST(a, b) */.
struct Hint {
  Identifier name;
  // Either key = value pairs or a plain list (identifiers and strings alike, as text).
  std::vector<std::pair<std::string, std::string>> options;
  std::vector<std::string> arguments;
  SourceRange range;
};

// AS t (a, b).
struct TableAlias {
  Identifier name;
  std::vector<Identifier> columns;
};

enum class FromKind : std::uint8_t {
  kTable,
  kDerived,
  kFunction,
  kUnnest,
  kJoin,
  kMatchRecognize,
};

// Base of what stands in FROM.
struct FromItem {
  explicit FromItem(FromKind k) : kind(k) {}
  virtual ~FromItem();
  FromItem(const FromItem&) = delete;
  FromItem& operator=(const FromItem&) = delete;

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

  const FromKind kind;
  SourceRange range;
  std::optional<TableAlias> alias;  // Never on a join.
};
using FromItemPtr = std::unique_ptr<FromItem>;

template <FromKind K>
struct FromNode : FromItem {
  static constexpr FromKind kKind = K;
  FromNode() : FromItem(K) {}
};

enum class SampleMethod : std::uint8_t { kBernoulli, kSystem };

// TABLESAMPLE BERNOULLI(10) [REPEATABLE(7)].
struct TableSample {
  SampleMethod method = SampleMethod::kBernoulli;
  ExpressionPtr percent;
  ExpressionPtr seed;  // May be null.
  SourceRange range;
};

// t [/*+ hints */] [FOR SYSTEM_TIME AS OF time] [AS alias].
struct TableReference final : FromNode<FromKind::kTable> {
  ObjectName name;
  std::vector<Hint> hints;
  ExpressionPtr system_time;  // May be null.
  std::optional<TableSample> sample;
};

// [LATERAL] (query) AS alias.
struct DerivedTable final : FromNode<FromKind::kDerived> {
  bool lateral = false;
  QueryPtr query;
};

// [LATERAL] TABLE(f(...)), LATERAL f(...), or f(TABLE t, ...) itself.
struct TableFunction final : FromNode<FromKind::kFunction> {
  bool lateral = false;
  bool wrapped = false;  // Inside TABLE(...).
  ExpressionPtr call;    // A FunctionCall.
};

// UNNEST(a, b) [WITH ORDINALITY].
struct Unnest final : FromNode<FromKind::kUnnest> {
  bool lateral = false;
  std::vector<ExpressionPtr> values;
  bool with_ordinality = false;
};

enum class JoinKind : std::uint8_t { kComma, kCross, kInner, kLeft, kRight, kFull };

struct Join final : FromNode<FromKind::kJoin> {
  JoinKind join = JoinKind::kInner;
  bool natural = false;
  SourceRange join_range;  // The words LEFT JOIN, for messages.
  FromItemPtr left;
  FromItemPtr right;
  ExpressionPtr on;                       // May be null.
  std::vector<Identifier> using_columns;  // Empty without USING.
};

enum class PatternKind : std::uint8_t {
  kVariable,     // A
  kConcat,       // A B: children in order
  kAlternation,  // A | B
  kPermute,      // PERMUTE(A, B)
  kExclusion,    // {- A -}
  kQuantified,   // children[0] repeated
  kEmpty,        // ()
  kStart,        // ^
  kEnd,          // $
};

struct Pattern {
  PatternKind kind = PatternKind::kVariable;
  Identifier variable;
  std::vector<Pattern> children;
  std::uint32_t repeat_min = 1;
  std::optional<std::uint32_t> repeat_max;  // Absent: unbounded.
  bool reluctant = false;
  SourceRange range;
};

enum class SkipKind : std::uint8_t {
  kPastLastRow,  // the default
  kToNextRow,
  kToFirst,
  kToLast,
  kToVariable,  // AFTER MATCH SKIP TO A
};

// AFTER MATCH SKIP TO FIRST A: `variable` for the last three kinds.
struct SkipClause {
  SkipKind kind = SkipKind::kPastLastRow;
  std::optional<Identifier> variable;
  SourceRange range;
};

struct NamedExpression {
  Identifier name;
  ExpressionPtr value;
};

struct PatternSubset {
  Identifier name;
  std::vector<Identifier> variables;
};

enum class RowsPerMatch : std::uint8_t { kDefault, kOneRow, kAllRows };

struct MatchRecognize final : FromNode<FromKind::kMatchRecognize> {
  FromItemPtr input;
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::vector<NamedExpression> measures;  // value AS name
  RowsPerMatch rows = RowsPerMatch::kDefault;
  std::optional<SkipClause> skip;
  Pattern pattern;
  ExpressionPtr within;  // The interval; may be null.
  std::vector<PatternSubset> subsets;
  std::vector<NamedExpression> define;  // name AS condition
};

enum class QueryBodyKind : std::uint8_t { kSelect, kSetOperation, kValues, kTable, kNested };

// Base of what a query consists of beside WITH, ORDER BY, OFFSET and FETCH.
struct QueryBody {
  explicit QueryBody(QueryBodyKind k) : kind(k) {}
  virtual ~QueryBody();
  QueryBody(const QueryBody&) = delete;
  QueryBody& operator=(const QueryBody&) = delete;

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

  const QueryBodyKind kind;
  SourceRange range;
};
using QueryBodyPtr = std::unique_ptr<QueryBody>;

template <QueryBodyKind K>
struct QueryBodyNode : QueryBody {
  static constexpr QueryBodyKind kKind = K;
  QueryBodyNode() : QueryBody(K) {}
};

// value [AS alias], or a Star without alias.
struct SelectItem {
  ExpressionPtr value;
  std::optional<Identifier> alias;
  SourceRange range;
};

enum class GroupingKind : std::uint8_t { kExpression, kEmpty, kTuple, kRollup, kCube, kSets };

// One element of GROUP BY.
struct GroupingElement {
  GroupingKind kind = GroupingKind::kExpression;
  std::vector<ExpressionPtr> expressions;  // kExpression: one; kTuple, (a, b): its members.
  std::vector<GroupingElement> elements;   // kRollup, kCube, kSets: their arguments.
  SourceRange range;
};

struct NamedWindow {
  Identifier name;
  WindowSpecification window;
};

struct Select final : QueryBodyNode<QueryBodyKind::kSelect> {
  std::vector<Hint> hints;
  bool distinct = false;
  bool stream = false;  // SELECT STREAM, kept for a refusal by name.
  std::vector<SelectItem> items;
  FromItemPtr from;  // Null without FROM. FROM a, b is a Join of kind kComma.
  ExpressionPtr where;
  bool has_group_by = false;
  bool group_distinct = false;  // GROUP BY DISTINCT
  std::vector<GroupingElement> group_by;
  ExpressionPtr having;
  std::vector<NamedWindow> windows;
  ExpressionPtr qualify;
};

enum class SetOperator : std::uint8_t { kUnion, kIntersect, kExcept };

// a UNION ALL b UNION ALL c: one node for a run of the same operator, evaluated left to right.
struct SetOperation final : QueryBodyNode<QueryBodyKind::kSetOperation> {
  SetOperator op = SetOperator::kUnion;
  bool all = false;
  std::vector<QueryPtr> inputs;  // Two or more.
};

struct Values final : QueryBodyNode<QueryBodyKind::kValues> {
  // Each row as written: VALUES 1, (2), ROW(3) are three rows of one value.
  std::vector<std::vector<ExpressionPtr>> rows;
  std::vector<SourceRange> row_ranges;
};

// TABLE t.
struct ExplicitTable final : QueryBodyNode<QueryBodyKind::kTable> {
  ObjectName name;
};

// (query): only where a parenthesised query with ORDER BY, OFFSET, LIMIT or WITH of its own gets
// another ORDER BY, OFFSET or LIMIT from outside. Other parentheses leave no trace.
struct NestedQuery final : QueryBodyNode<QueryBodyKind::kNested> {
  QueryPtr query;
};

struct CommonTableExpression {
  Identifier name;
  std::vector<Identifier> columns;
  QueryPtr query;
};

struct Query {
  Query() = default;
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  SourceRange range;
  bool recursive = false;  // WITH RECURSIVE, kept for a refusal by name.
  std::vector<CommonTableExpression> with;
  QueryBodyPtr body;
  std::vector<OrderItem> order_by;
  ExpressionPtr offset;  // May be null.
  ExpressionPtr limit;   // LIMIT n or FETCH FIRST n ROWS ONLY; null without (also for LIMIT ALL).
};

}  // namespace clepsydra::ast
