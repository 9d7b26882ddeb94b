// The logical plan: what a query computes, before and after the optimizer.
//
// Nodes are immutable and shared: a node with several consumers is computed once. A rule makes new
// nodes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "clepsydra/table_connector.h"
#include "functions/expression.h"
#include "sql/catalog/table.h"
#include "stream/batch.h"
#include "stream/data_type.h"

namespace clepsydra::sql {

enum class PlanKind : std::uint8_t {
  kScan,
  kWatermark,
  kValues,
  kFilter,
  kProject,
  kWindowTableFunction,
  kAggregate,
  kWindowAggregate,
  kUnionAll,
  kSink,
  kCollect,
};

struct PlanNode;
using PlanPtr = std::shared_ptr<const PlanNode>;

struct PlanNode {
  PlanNode(PlanKind k, std::vector<PlanPtr> i, SchemaPtr s)
      : kind(k), inputs(std::move(i)), schema(std::move(s)) {}
  virtual ~PlanNode() = default;
  PlanNode(const PlanNode&) = delete;
  PlanNode& operator=(const PlanNode&) = delete;

  [[nodiscard]] const PlanPtr& input() const {
    CLP_CHECK(inputs.size() == 1);
    return inputs[0];
  }
  template <typename T>
  [[nodiscard]] const T& as() const {
    CLP_CHECK(kind == T::kKind);
    return static_cast<const T&>(*this);
  }
  template <typename T>
  [[nodiscard]] const T* as_if() const {
    return kind == T::kKind ? static_cast<const T*>(this) : nullptr;
  }

  const PlanKind kind;
  const std::vector<PlanPtr> inputs;
  const SchemaPtr schema;  // Of the output; of Sink and Collect: of what goes in.
};

// Fields of a ROW column that are read: nothing set: all of it.
struct FieldNeed {
  bool whole = false;
  std::map<int, FieldNeed> fields;  // By index in the declared type.
};

// Reads physical and metadata columns of a table.
struct ScanNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kScan;
  // `columns`: indices into table->columns, physical ones first, each in the table's order.
  // `types`: their types, ROW types without the fields that nobody reads.
  ScanNode(CatalogTablePtr t, TableOptions o, std::vector<int> c, SchemaPtr s)
      : PlanNode(kKind, {}, std::move(s)),
        table(std::move(t)),
        options(std::move(o)),
        columns(std::move(c)) {}
  CatalogTablePtr table;
  TableOptions options;  // The table's, with those of an OPTIONS hint.
  std::vector<int> columns;
  // Partitions that do not meet them all are not read.
  std::vector<PartitionCondition> partition_conditions;
};

// Makes column `rowtime` the event time, with watermarks by `expression`.
struct WatermarkNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kWatermark;
  WatermarkNode(PlanPtr in, SchemaPtr s, int r, ExpressionPtr e)
      : PlanNode(kKind, {std::move(in)}, std::move(s)), rowtime(r), expression(std::move(e)) {}
  int rowtime;
  ExpressionPtr expression;  // Over the input.
};

// Constant rows.
struct ValuesNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kValues;
  ValuesNode(SchemaPtr s, std::vector<Column> c, std::int64_t r)
      : PlanNode(kKind, {}, std::move(s)), columns(std::move(c)), rows(r) {}
  std::vector<Column> columns;
  std::int64_t rows;
};

// Lets rows through for which `condition` is TRUE.
struct FilterNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kFilter;
  FilterNode(const PlanPtr& in, ExpressionPtr c)
      : PlanNode(kKind, {in}, in->schema), condition(std::move(c)) {}
  ExpressionPtr condition;
};

struct ProjectNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kProject;
  ProjectNode(PlanPtr in, SchemaPtr s, std::vector<ExpressionPtr> e)
      : PlanNode(kKind, {std::move(in)}, std::move(s)), expressions(std::move(e)) {}
  std::vector<ExpressionPtr> expressions;
};

enum class WindowKind : std::uint8_t { kTumble, kHop, kCumulate };

struct WindowSpec {
  WindowKind kind = WindowKind::kTumble;
  std::int64_t size_ms = 0;
  std::int64_t step_ms = 0;  // HOP: the slide; CUMULATE: the step; TUMBLE: the size.
  std::int64_t offset_ms = 0;
  std::string zone;  // IANA name when windows are aligned to a zone's local time, else empty.
  bool processing_time = false;

  friend bool operator==(const WindowSpec&, const WindowSpec&) = default;
};

// Which of a window's bounds a column holds.
enum class WindowBound : std::uint8_t { kStart, kEnd, kTime };
// "window_start", "window_end", "window_time".
std::string_view window_bound_name(WindowBound bound);

// Gives every row its windows: the input's columns, then window_start, window_end, window_time.
struct WindowTableFunctionNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kWindowTableFunction;
  WindowTableFunctionNode(PlanPtr in, SchemaPtr s, WindowSpec w, int t)
      : PlanNode(kKind, {std::move(in)}, std::move(s)), window(std::move(w)), time_column(t) {}
  WindowSpec window;
  int time_column;  // -1: processing time.
};

struct AggregateCall {
  std::string function;        // Canonical name.
  std::vector<int> arguments;  // Columns of the input.
  int filter = -1;             // A BOOLEAN column of the input, or -1.
  bool distinct = false;
  DataType type;
  std::string name;            // Of the output column.
  std::uint64_t identity = 0;  // What it computes, however it is written; see plan_identity.h.

  friend bool operator==(const AggregateCall&, const AggregateCall&) = default;
};

// What an aggregation computes, however it is written; see plan_identity.h.
struct AggregateIdentity {
  std::uint64_t input = 0;
  std::vector<std::uint64_t> keys;
};

// GROUP BY as written; its keys are known to hold a window. Output: keys, then aggregates.
struct AggregateNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kAggregate;
  AggregateNode(PlanPtr in, SchemaPtr s, std::vector<int> k, std::vector<AggregateCall> c)
      : PlanNode(kKind, {std::move(in)}, std::move(s)), keys(std::move(k)), calls(std::move(c)) {}
  std::vector<int> keys;
  std::vector<AggregateCall> calls;
  AggregateIdentity identity;
};

enum class AggregatePhase : std::uint8_t { kSingle, kTwoPhase };

// Aggregation over the windows of an event-time or processing-time column, by slices. Output: keys,
// aggregates, then `bounds`. Keys and aggregates stand in the order of their identities, so that
// state does not depend on the order in which they are written.
struct WindowAggregateNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kWindowAggregate;
  WindowAggregateNode(PlanPtr in, SchemaPtr s, WindowSpec w, int t, std::vector<int> k,
                      std::vector<AggregateCall> c, std::vector<WindowBound> b, AggregatePhase p)
      : PlanNode(kKind, {std::move(in)}, std::move(s)),
        window(std::move(w)),
        time_column(t),
        keys(std::move(k)),
        calls(std::move(c)),
        bounds(std::move(b)),
        phase(p) {}
  WindowSpec window;
  int time_column;  // -1: processing time.
  std::vector<int> keys;
  std::vector<AggregateCall> calls;
  std::vector<WindowBound> bounds;
  AggregatePhase phase;
  AggregateIdentity identity;
};

// All rows of all inputs; column i of every input has the values of type i.
struct UnionAllNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kUnionAll;
  UnionAllNode(std::vector<PlanPtr> in, SchemaPtr s)
      : PlanNode(kKind, std::move(in), std::move(s)) {}
};

// Writes to a table. The input has exactly the columns that the table persists.
struct SinkNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kSink;
  SinkNode(const PlanPtr& in, CatalogTablePtr t, TableOptions o,
           std::optional<ReplacedRows> r = std::nullopt)
      : PlanNode(kKind, {in}, in->schema),
        table(std::move(t)),
        options(std::move(o)),
        replaced(std::move(r)) {}
  CatalogTablePtr table;
  TableOptions options;
  std::optional<ReplacedRows> replaced;  // INSERT OVERWRITE.
};

// Hands the rows to the client.
struct CollectNode final : PlanNode {
  static constexpr PlanKind kKind = PlanKind::kCollect;
  CollectNode(const PlanPtr& in, std::string n)
      : PlanNode(kKind, {in}, in->schema), result_name(std::move(n)) {}
  std::string result_name;
};

// The same node over other inputs (equal schemas).
PlanPtr with_inputs(const PlanPtr& node, std::vector<PlanPtr> inputs);

// A column of `input`, typed.
ExpressionPtr column_of(const PlanNode& input, int index);
// Project of plain columns.
PlanPtr make_projection(const PlanPtr& input, const std::vector<int>& columns);
// Project over expressions with these names; types come from the expressions.
PlanPtr make_project(PlanPtr input, std::vector<ExpressionPtr> expressions,
                     const std::vector<std::string>& names);
// Whether a Project changes nothing but names.
bool is_identity(const ProjectNode& project);

// "TUMBLE", "HOP", "CUMULATE"
std::string_view window_kind_name(WindowKind kind);

}  // namespace clepsydra::sql
