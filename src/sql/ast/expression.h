// Expressions as written: nothing is resolved, typed or folded here.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "sql/ast/location.h"
#include "sql/ast/type.h"

namespace clepsydra::ast {

struct Query;
using QueryPtr = std::unique_ptr<Query>;

enum class ExpressionKind : std::uint8_t {
  kLiteral,
  kColumnReference,
  kStar,
  kOperation,
  kBetween,
  kLike,
  kInList,
  kInQuery,
  kExists,
  kQuantified,
  kScalarQuery,
  kCase,
  kCast,
  kFunctionCall,
  kTimeUnit,
  kTrim,
  kConstructor,
  kConstructorQuery,
  kElementAccess,
  kFieldAccess,
  kIntervalDifference,
  kDefault,
  kTableArgument,
  kModelArgument,
  kDescriptor,
};

// Base of all expression nodes. Trees are at most grammar::kMaxNesting deep, so that recursion over
// them is safe. Look at `kind`, then as<Literal>(); or ask as_if<Literal>().
struct Expression {
  explicit Expression(ExpressionKind k) : kind(k) {}
  virtual ~Expression();  // Key function in expression.cc.
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

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

  const ExpressionKind kind;
  SourceRange range;
};
using ExpressionPtr = std::unique_ptr<Expression>;

// Gives a node type its kind: struct Star final : Node<ExpressionKind::kStar> { ... }.
template <ExpressionKind K>
struct ExpressionNode : Expression {
  static constexpr ExpressionKind kKind = K;
  ExpressionNode() : Expression(K) {}
};

enum class LiteralKind : std::uint8_t {
  kNull,
  kBoolean,  // text "TRUE" or "FALSE"
  kUnknown,  // UNKNOWN: the BOOLEAN null
  kExact,    // text is digits with at most one point: "12", "1.50", ".5"; the sign is an operation
  kApproximate,  // with an exponent: "1e0", "1.5E-3"
  kString,       // text is the decoded value, valid UTF-8
  kBinary,       // text is the bytes themselves
  kDate,         // DATE '...': text is what stood in the quotes, not checked
  kTime,
  kTimestamp,
  kInterval,  // INTERVAL [-] 'text' qualifier
};

struct Literal final : ExpressionNode<ExpressionKind::kLiteral> {
  LiteralKind literal_kind = LiteralKind::kNull;
  std::string text;
  bool odd = false;            // kBinary: X'4', which the binder refuses; the last digit is none.
  bool negative = false;       // kInterval: INTERVAL -'1' DAY.
  IntervalQualifier interval;  // kInterval.
};

// a, t.a, db.t.a, t.row_column.field: which part is what is the binder's question.
struct ColumnReference final : ExpressionNode<ExpressionKind::kColumnReference> {
  std::vector<Identifier> parts;
};

// * or t.*; in COUNT(*) too.
struct Star final : ExpressionNode<ExpressionKind::kStar> {
  std::vector<Identifier> qualifier;
};

enum class Operator : std::uint8_t {
  // Two or more operands, left to right (a OR b OR c is one node).
  kOr,
  kAnd,
  // Two operands.
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIsDistinctFrom,
  kIsNotDistinctFrom,
  kConcat,  // ||
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,  // %
  kOverlaps,
  kContains,
  kPeriodEquals,
  kPrecedes,
  kImmediatelyPrecedes,
  kSucceeds,
  kImmediatelySucceeds,
  kMemberOf,
  kSubmultisetOf,
  kNotSubmultisetOf,
  kMultisetUnion,  // MULTISET UNION [DISTINCT]; ..._ALL below
  kMultisetUnionAll,
  kMultisetIntersect,
  kMultisetIntersectAll,
  kMultisetExcept,
  kMultisetExceptAll,
  // One operand.
  kNot,
  kPlus,
  kMinus,
  kIsNull,
  kIsNotNull,
  kIsTrue,
  kIsNotTrue,
  kIsFalse,
  kIsNotFalse,
  kIsUnknown,
  kIsNotUnknown,
  kIsASet,
  kIsNotASet,
  kIsEmpty,
  kIsNotEmpty,
  kIsJsonValue,  // IS JSON and IS JSON VALUE
  kIsNotJsonValue,
  kIsJsonObject,
  kIsNotJsonObject,
  kIsJsonArray,
  kIsNotJsonArray,
  kIsJsonScalar,
  kIsNotJsonScalar,
};

// As SQL spells it: "OR", "<=", "IS NOT NULL"; for unary minus "-".
const char* operator_name(Operator op);

struct Operation final : ExpressionNode<ExpressionKind::kOperation> {
  Operator op = Operator::kAnd;
  SourceRange op_range;  // The operator's own words, for messages.
  std::vector<ExpressionPtr> operands;
};

struct Between final : ExpressionNode<ExpressionKind::kBetween> {
  bool negated = false;
  bool symmetric = false;
  ExpressionPtr value;
  ExpressionPtr low;
  ExpressionPtr high;
};

// [NOT] LIKE or SIMILAR TO, with the optional ESCAPE.
struct Like final : ExpressionNode<ExpressionKind::kLike> {
  bool negated = false;
  bool similar = false;
  ExpressionPtr value;
  ExpressionPtr pattern;
  ExpressionPtr escape;  // May be null.
};

struct InList final : ExpressionNode<ExpressionKind::kInList> {
  bool negated = false;
  ExpressionPtr value;
  std::vector<ExpressionPtr> list;
};

struct InQuery final : ExpressionNode<ExpressionKind::kInQuery> {
  InQuery();
  ~InQuery() override;
  bool negated = false;
  ExpressionPtr value;
  QueryPtr query;
};

struct Exists final : ExpressionNode<ExpressionKind::kExists> {
  Exists();
  ~Exists() override;
  QueryPtr query;
};

enum class Quantifier : std::uint8_t { kAll, kAny };  // SOME is ANY.

// x > ALL (SELECT ...), x = ANY (1, 2): either `query` or `list`.
struct Quantified final : ExpressionNode<ExpressionKind::kQuantified> {
  Quantified();
  ~Quantified() override;
  Operator comparison = Operator::kEqual;
  Quantifier quantifier = Quantifier::kAny;
  ExpressionPtr value;
  QueryPtr query;
  std::vector<ExpressionPtr> list;
};

// (SELECT ...) where a value stands; as argument of a table function it is a table.
struct ScalarQuery final : ExpressionNode<ExpressionKind::kScalarQuery> {
  ScalarQuery();
  ~ScalarQuery() override;
  QueryPtr query;
};

// CASE WHEN c THEN r ... and CASE x WHEN v THEN r ...
struct Case final : ExpressionNode<ExpressionKind::kCase> {
  struct When {
    // The condition; with an operand the values it is compared with (WHEN 1, 2 THEN), else one.
    std::vector<ExpressionPtr> conditions;
    ExpressionPtr result;
  };
  ExpressionPtr operand;  // May be null.
  std::vector<When> whens;
  ExpressionPtr otherwise;  // May be null: ELSE NULL.
};

struct Cast final : ExpressionNode<ExpressionKind::kCast> {
  bool try_cast = false;
  ExpressionPtr value;
  TypeName type;
};

enum class SortDirection : std::uint8_t { kDefault, kAscending, kDescending };
enum class NullsOrder : std::uint8_t { kDefault, kFirst, kLast };

struct OrderItem {
  ExpressionPtr value;
  SortDirection direction = SortDirection::kDefault;
  NullsOrder nulls = NullsOrder::kDefault;
  SourceRange range;
};

enum class FrameUnit : std::uint8_t { kRows, kRange };
enum class FrameBoundKind : std::uint8_t {
  kUnboundedPreceding,
  kPreceding,  // offset PRECEDING
  kCurrentRow,
  kFollowing,  // offset FOLLOWING
  kUnboundedFollowing,
};

struct FrameBound {
  FrameBoundKind kind = FrameBoundKind::kCurrentRow;
  ExpressionPtr offset;  // kPreceding, kFollowing.
  SourceRange range;
};

// ROWS BETWEEN start AND end; without BETWEEN the end is CURRENT ROW.
struct WindowFrame {
  FrameUnit unit = FrameUnit::kRange;
  FrameBound start;
  FrameBound end;
  SourceRange range;
};

// What stands in OVER (...) or after WINDOW w AS.
struct WindowSpecification {
  std::optional<Identifier> base;  // OVER (w ORDER BY ...), or OVER w with nothing else.
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
  std::optional<WindowFrame> frame;
  SourceRange range;
};

enum class JsonBehavior : std::uint8_t {
  kNull,    // NULL
  kAbsent,  // ABSENT (ON NULL only)
  kError,   // ERROR
  kTrue,    // JSON_EXISTS ... TRUE ON ERROR
  kFalse,
  kUnknown,
  kEmpty,        // EMPTY
  kEmptyArray,   // EMPTY ARRAY
  kEmptyObject,  // EMPTY OBJECT
  kDefault,      // DEFAULT value
};

struct JsonHandler {
  JsonBehavior behavior = JsonBehavior::kNull;
  ExpressionPtr default_value;  // kDefault.
};

enum class JsonWrapper : std::uint8_t { kWithout, kConditional, kUnconditional };

// The clauses inside the parentheses of JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT,
// JSON_ARRAY, JSON_OBJECTAGG, JSON_ARRAYAGG. Keys and values of JSON_OBJECT are arguments in turn:
// k1, v1, k2, v2.
struct JsonClauses {
  std::optional<TypeName> returning;
  std::optional<JsonWrapper> wrapper;
  std::optional<JsonHandler> on_empty;
  std::optional<JsonHandler> on_error;
  std::optional<JsonBehavior> on_null;  // kNull or kAbsent.
};

struct Argument {
  std::optional<Identifier> name;  // name => value
  ExpressionPtr value;  // May be TableArgument, Descriptor, ModelArgument, Default, Star.
};

enum class CallQuantifier : std::uint8_t { kNone, kDistinct, kAll };
enum class NullTreatment : std::uint8_t { kNone, kRespect, kIgnore };
enum class MatchSemantics : std::uint8_t { kNone, kRunning, kFinal };  // In MATCH_RECOGNIZE.

// Every call, also those with words between the arguments, brought to one form:
//   SUBSTRING(s FROM 2 FOR 3)        SUBSTRING(s, 2, 3)
//   POSITION(a IN b FROM c)          POSITION(a, b, c)
//   OVERLAY(a PLACING b FROM c FOR d) OVERLAY(a, b, c, d)
//   EXTRACT(DAY FROM t)              EXTRACT(TimeUnit DAY, t)
//   FLOOR(t TO HOUR), CEIL(..)       FLOOR(t, TimeUnit HOUR)
//   TIMESTAMPADD(DAY, 1, t), TIMESTAMPDIFF(DAY, a, b): the first argument is a TimeUnit
//   CURRENT_DATE, LOCALTIME, ...     no arguments and bare = true
//   COUNT(*)                         one argument, a Star
struct FunctionCall final : ExpressionNode<ExpressionKind::kFunctionCall> {
  // Usually one part; catalog.database.function otherwise. Case as written.
  ObjectName name;
  std::vector<Argument> arguments;
  bool bare = false;  // Written without parentheses.
  CallQuantifier quantifier = CallQuantifier::kNone;
  std::vector<OrderItem> within_group;  // WITHIN GROUP (ORDER BY ...)
  ExpressionPtr filter;                 // FILTER (WHERE ...); may be null.
  NullTreatment null_treatment = NullTreatment::kNone;
  std::unique_ptr<WindowSpecification> over;  // Null without OVER.
  std::unique_ptr<JsonClauses> json;          // Null for other functions.
  MatchSemantics match_semantics = MatchSemantics::kNone;

  // The function's name in upper case when it has one part, else empty.
  [[nodiscard]] std::string upper_name() const;
};

// DAY in EXTRACT(DAY FROM t).
struct TimeUnitArgument final : ExpressionNode<ExpressionKind::kTimeUnit> {
  TimeUnit unit = TimeUnit::kDay;
};

enum class TrimSide : std::uint8_t { kBoth, kLeading, kTrailing };

// TRIM([BOTH|LEADING|TRAILING] [characters] FROM value); TRIM(value) has null characters.
struct Trim final : ExpressionNode<ExpressionKind::kTrim> {
  TrimSide side = TrimSide::kBoth;
  ExpressionPtr characters;  // May be null: a blank.
  ExpressionPtr value;
};

enum class ConstructorKind : std::uint8_t {
  kRow,          // ROW(a, b)
  kImplicitRow,  // (a, b)
  kArray,        // ARRAY[a, b]
  kMap,          // MAP[k1, v1, k2, v2]
  kMultiset,     // MULTISET[a, b]
};

struct Constructor final : ExpressionNode<ExpressionKind::kConstructor> {
  ConstructorKind constructor = ConstructorKind::kRow;
  std::vector<ExpressionPtr> elements;
};

// ARRAY(SELECT ...), MAP(...), MULTISET(...).
struct ConstructorQuery final : ExpressionNode<ExpressionKind::kConstructorQuery> {
  ConstructorQuery();
  ~ConstructorQuery() override;
  ConstructorKind constructor = ConstructorKind::kArray;
  QueryPtr query;
};

// array[1], map['k'], row['field'].
struct ElementAccess final : ExpressionNode<ExpressionKind::kElementAccess> {
  ExpressionPtr value;
  ExpressionPtr index;
};

// f(x).field, (a).b, items[1].price. Plain a.b.c is a ColumnReference.
struct FieldAccess final : ExpressionNode<ExpressionKind::kFieldAccess> {
  ExpressionPtr value;
  Identifier field;
};

// (left - right) DAY TO SECOND: the difference of two points in time as an interval.
struct IntervalDifference final : ExpressionNode<ExpressionKind::kIntervalDifference> {
  ExpressionPtr left;
  ExpressionPtr right;
  IntervalQualifier interval;
};

// DEFAULT as an argument or inserted value.
struct Default final : ExpressionNode<ExpressionKind::kDefault> {};

// TABLE t [PARTITION BY ...] [ORDER BY ...] as argument of a table function, or the same after
// (SELECT ...).
struct TableArgument final : ExpressionNode<ExpressionKind::kTableArgument> {
  TableArgument();
  ~TableArgument() override;
  ObjectName table;  // Empty when `query` is set.
  QueryPtr query;
  std::vector<ExpressionPtr> partition_by;
  std::vector<OrderItem> order_by;
};

// MODEL m.
struct ModelArgument final : ExpressionNode<ExpressionKind::kModelArgument> {
  ObjectName model;
};

// DESCRIPTOR(c1, c2).
struct Descriptor final : ExpressionNode<ExpressionKind::kDescriptor> {
  std::vector<Identifier> columns;
};

}  // namespace clepsydra::ast
