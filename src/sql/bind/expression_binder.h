// Expressions as written to bound expressions: names resolved, functions found, types derived.
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "functions/expression.h"
#include "sql/ast/expression.h"
#include "sql/ast/query.h"
#include "sql/bind/aggregate_collector.h"
#include "sql/bind/environment.h"
#include "sql/bind/scope.h"
#include "sql/bind/statement_text.h"

namespace clepsydra {
struct UserFunctionGroup;
}  // namespace clepsydra

namespace clepsydra::sql {

// What OVER may name in one SELECT, and what is found out about its OVER calls.
struct OverClauses {
  std::span<const ast::NamedWindow> windows;  // WINDOW w AS (...).
  std::string window;                         // That of the aggregates so far, as it is written.
  std::optional<Status> refusal;              // OVER is not built: what to say of the first one.

  void refuse(Status status) {
    if (!refusal) refusal = std::move(status);
  }
};

// Binds the expressions of one clause. Threads: one.
class ExpressionBinder {
 public:
  // GROUPING(key, ...) and its like in a bound expression, which the select binder replaces.
  static constexpr std::string_view kGrouping = "GROUPING";

  // `aggregates`: null where aggregate functions are not allowed; `clause` ("WHERE") then names the
  // place.
  ExpressionBinder(const BindEnvironment& environment, const StatementText& text,
                   const Scope& scope, AggregateCollector* aggregates, std::string_view clause)
      : environment_(environment),
        text_(text),
        scope_(scope),
        aggregates_(aggregates),
        clause_(clause) {}

  Result<ExpressionPtr> bind(const ast::Expression& expression);
  // bind(), and the result must be BOOLEAN.
  Result<ExpressionPtr> bind_condition(const ast::Expression& expression);

  // From now on OVER is allowed. `over` must outlive this.
  void set_over(OverClauses* over) { over_ = over; }
  // The clause that messages name from now on.
  void set_clause(std::string_view clause) { clause_ = clause; }
  // Says where a column that was bound elsewhere (by *) stands.
  void set_place(const ExpressionPtr& column, ast::SourceRange range);
  // Where a column in a bound expression was written, for messages; empty when unknown.
  [[nodiscard]] ast::SourceRange place_of(const Expression& column) const;

 private:
  using Arguments = std::vector<ExpressionPtr>;

  Result<ExpressionPtr> bind_node(const ast::Expression& expression);
  Result<ExpressionPtr> bind_column(const ast::ColumnReference& reference);
  Result<ExpressionPtr> bind_operation(const ast::Operation& operation);
  Result<ExpressionPtr> bind_overlaps(const ast::Operation& operation);
  Result<ExpressionPtr> bind_between(const ast::Between& between);
  Result<ExpressionPtr> bind_like(const ast::Like& like);
  Result<ExpressionPtr> bind_in_list(const ast::InList& in);
  Result<ExpressionPtr> bind_case(const ast::Case& node);
  Result<ExpressionPtr> when_condition(const ExpressionPtr& operand, ExpressionPtr value,
                                       const ast::Expression& written);
  Result<ExpressionPtr> bind_cast(const ast::Cast& cast);
  Result<ExpressionPtr> bind_call(const ast::FunctionCall& call);
  Result<ExpressionPtr> bind_scalar_call(const ast::FunctionCall& call);
  Result<Arguments> bind_arguments(const ast::FunctionCall& call, std::string& name);
  Result<ExpressionPtr> bind_type_of(const ExpressionPtr& value);
  // Of JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT and JSON_ARRAY, which have clauses.
  static bool is_json_call(std::string_view name);
  Result<ExpressionPtr> bind_json_call(const ast::FunctionCall& call);
  Result<ExpressionPtr> bind_json_query(const ast::FunctionCall& call, Arguments arguments,
                                        char on_empty, char on_error);
  Result<ExpressionPtr> bind_json_constructor(const ast::FunctionCall& call, bool is_object);
  [[nodiscard]] Status clause_misplaced(const ast::FunctionCall& call, std::string_view clause,
                                        std::string_view owner) const;
  Result<ExpressionPtr> bind_aggregate_call(const ast::FunctionCall& call,
                                            const UserFunctionGroup* user = nullptr);
  // user_call_binder.cc: functions of libraries. Null for all others.
  Result<const UserFunctionGroup*> find_user_call(const ast::FunctionCall& call) const;
  Result<ExpressionPtr> bind_user_call(const ast::FunctionCall& call,
                                       const UserFunctionGroup& group);
  static bool is_grouping_function(std::string_view name);
  Result<ExpressionPtr> bind_grouping(const ast::FunctionCall& call);
  // over_binder.cc
  Result<ExpressionPtr> bind_over(const ast::FunctionCall& call);
  static bool is_over_function(std::string_view name);
  [[nodiscard]] Result<const ast::WindowSpecification*> window_of(
      const ast::WindowSpecification& over) const;
  Result<DataType> over_type(const ast::FunctionCall& call);
  Result<ExpressionPtr> bind_interval_difference(const ast::IntervalDifference& difference);
  Result<ExpressionPtr> bind_trim(const ast::Trim& trim);
  Result<ExpressionPtr> bind_constructor(const ast::Constructor& constructor);

  // The call, with the place in its error.
  Result<ExpressionPtr> call(std::string_view function, Arguments arguments,
                             ast::SourceRange range);
  Result<Arguments> bind_all(std::span<const ast::ExpressionPtr> expressions);
  // One after the other; with the errors of all.
  Result<Arguments> bind_each(std::span<const ast::Expression* const> expressions);
  Result<Arguments> bind_each(std::initializer_list<const ast::Expression*> expressions);
  // a AND b AND c as a balanced tree, so that long lists do not nest deeply.
  Result<ExpressionPtr> combine(std::string_view function, std::span<const ExpressionPtr> operands,
                                ast::SourceRange range);
  Status refuse_call_extras(const ast::FunctionCall& call) const;
  Status unknown_function(const ast::FunctionCall& call, const std::string& name) const;

  const BindEnvironment& environment_;
  const StatementText& text_;
  const Scope& scope_;
  AggregateCollector* aggregates_;
  bool of_no_rows_ = false;  // Aggregates that are bound now may see no row at all.
  OverClauses* over_ = nullptr;
  std::string_view clause_;
  bool inside_aggregate_ = false;
  int depth_ = 0;
  std::unordered_map<const Expression*, ast::SourceRange> places_;
  std::vector<ExpressionPtr> alive_;  // Keeps the keys of places_ from being used again.
};

// The value of an expression without columns, computed now.
Result<ExpressionPtr> fold(const ExpressionPtr& expression, const BindEnvironment& environment);

}  // namespace clepsydra::sql
