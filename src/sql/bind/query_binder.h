// Queries as written to logical plans.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "clepsydra/status.h"
#include "sql/ast/query.h"
#include "sql/bind/aggregate_collector.h"
#include "sql/bind/environment.h"
#include "sql/bind/error_list.h"
#include "sql/bind/expression_binder.h"
#include "sql/bind/scope.h"
#include "sql/bind/statement_text.h"
#include "sql/logical/plan.h"

namespace clepsydra::sql {

// What the queries of one statement share, those inside views too: each table and view is planned
// once.
struct BindState {
  std::map<std::string, PlanPtr> plans;  // By path and options.
  int view_depth = 0;
  int queries = 0;
  // What no operator runs yet. A statement is refused with it when nothing else is wrong, and a
  // view has its columns all the same.
  std::optional<Status> refusal;

  void refuse(Status status) {
    if (!refusal) refusal = std::move(status);
  }
};

class QueryBinder {
 public:
  QueryBinder(const BindEnvironment& environment, const StatementText& text, BindState& state)
      : environment_(environment), text_(text), state_(state) {}

  // The plan; its schema has the query's column names (which need not be unique) and types.
  Result<PlanPtr> bind(const ast::Query& query);

 private:
  struct Source {
    PlanPtr plan;  // Null without FROM.
    Scope scope;
  };
  // A SELECT item after * is expanded.
  struct Output {
    ExpressionPtr value;  // Null: wrong, and told.
    std::string name;
    ast::SourceRange range;
  };

  Result<PlanPtr> bind_body(const ast::QueryBody& body);
  Result<PlanPtr> bind_values(const ast::Values& values);
  Result<PlanPtr> bind_set_operation(const ast::SetOperation& operation);
  Result<PlanPtr> bind_common(const ast::CommonTableExpression& cte);
  void refuse_limit(const ast::Query& query);
  // Stands for what is refused: no rows, only the columns.
  static PlanPtr unbuilt(SchemaPtr schema);

  // select_binder.cc
  Result<PlanPtr> bind_select(const ast::Select& select, std::span<const ast::OrderItem> order);
  // The values that a result is ordered by, without names.
  std::vector<Output> bind_order(std::span<const ast::OrderItem> order,
                                 const std::vector<Output>& outputs, ExpressionBinder& binder,
                                 ErrorList& errors);
  Result<ExpressionPtr> bind_order_item(const ast::OrderItem& item,
                                        const std::vector<Output>& outputs,
                                        ExpressionBinder& binder);
  void refuse_order(const std::vector<Output>& order);
  Status check_group_windows(const ast::Select& select) const;
  Status refuse_select_clauses(const ast::Select& select) const;
  std::vector<Output> bind_items(const ast::Select& select, const Scope& scope,
                                 ExpressionBinder& binder, ErrorList& errors);
  Result<PlanPtr> bind_projection(Source source, std::vector<Output> outputs,
                                  const ExpressionBinder& binder, ErrorList& errors);
  Result<PlanPtr> bind_aggregation(const ast::Select& select, const Source& source,
                                   std::vector<Output> outputs, ExpressionPtr having,
                                   const std::vector<Output>& order, const ExpressionBinder& binder,
                                   const AggregateCollector& aggregates, ErrorList& errors);
  Result<std::vector<ExpressionPtr>> bind_group_keys(const ast::Select& select, const Scope& scope);
  Status check_window_keys(const ast::Select& select, const PlanNode& input,
                           const std::vector<ExpressionPtr>& keys,
                           const AggregateCollector& aggregates) const;

  // from_binder.cc
  Result<Source> bind_from(const ast::FromItem& item);
  Result<Source> bind_relation(const ast::FromItem& item);
  Result<Source> bind_join(const ast::Join& join);
  Status refuse_unnest(const ast::Unnest& unnest, const Scope& left) const;
  Result<Source> bind_table(const ast::TableReference& reference);
  Result<Source> bind_named(const ast::ObjectName& name, const std::vector<ast::Hint>& hints);
  // Whether equal parts of the plan may be one part from the start.
  [[nodiscard]] bool shares_plans() const {
    return environment_.settings.reuse_sub_plans && environment_.settings.reuse_sources;
  }
  Result<PlanPtr> bind_view(const CatalogView& view, ast::SourceRange range);
  Result<Source> with_alias(Source source, const ast::TableAlias& alias);

  // window_function_binder.cc
  Result<PlanPtr> bind_table_argument(const ast::Expression& argument, std::string_view function);
  Result<Source> bind_table_function(const ast::TableFunction& function);

  const BindEnvironment& environment_;
  const StatementText& text_;
  BindState& state_;
  std::vector<std::pair<std::string, PlanPtr>> ctes_;  // Innermost last; null: wrong, and told.
};

// Options of an OPTIONS hint over the table's own, checked. (from_binder.cc)
Result<TableOptions> options_with_hints(const CatalogTable& table,
                                        const std::vector<ast::Hint>& hints,
                                        const BindEnvironment& environment,
                                        const StatementText& text);

// Distinct names for a result: a, a, b -> a, a0, b. (query_binder.cc)
std::vector<std::string> unique_names(const Schema& schema);
// The plan with other column names.
PlanPtr rename_columns(PlanPtr plan, const std::vector<std::string>& names);

}  // namespace clepsydra::sql
