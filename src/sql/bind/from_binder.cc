// What stands in FROM: tables, views, common table expressions, subqueries.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "sql/ast/print.h"
#include "sql/bind/query_binder.h"
#include "sql/bind/table_plan.h"
#include "sql/catalog/option_check.h"
#include "sql/grammar/parser.h"

namespace clepsydra::sql {
namespace {

constexpr int kViewDepthMax = 100;

std::vector<std::string> part_names(const ast::ObjectName& name) {
  std::vector<std::string> parts;
  for (const ast::Identifier& part : name.parts) parts.push_back(part.name);
  return parts;
}

std::string plan_key(const ObjectPath& path, const TableOptions& options) {
  std::string key = path.to_string();
  for (const auto& [name, value] : options) {
    key += fmt::format("\n{}:{}{}:{}", name.size(), name, value.size(), value);
  }
  return key;
}

std::string_view join_name(ast::JoinKind kind) {
  switch (kind) {
    case ast::JoinKind::kComma:
      return "a FROM clause with several tables";
    case ast::JoinKind::kCross:
      return "CROSS JOIN";
    case ast::JoinKind::kInner:
      return "JOIN";
    case ast::JoinKind::kLeft:
      return "LEFT JOIN";
    case ast::JoinKind::kRight:
      return "RIGHT JOIN";
    case ast::JoinKind::kFull:
      return "FULL JOIN";
  }
  return "JOIN";
}

Scope scope_of(const PlanPtr& plan, std::vector<std::string> name) {
  return Scope(plan->schema, {Relation{std::move(name), 0, plan->schema->size()}});
}

}  // namespace

Result<TableOptions> options_with_hints(const CatalogTable& table,
                                        const std::vector<ast::Hint>& hints,
                                        const BindEnvironment& environment,
                                        const StatementText& text) {
  TableOptions options = table.options;
  for (const ast::Hint& hint : hints) {
    if (hint.name.name != "OPTIONS" && hint.name.name != "options") {
      return text.not_built(hint.range, fmt::format("the hint {}", hint.name.name));
    }
    if (!environment.settings.dynamic_table_options) {
      return text.invalid(hint.range, "OPTIONS hints are switched off",
                          "SET 'table.dynamic-table-options.enabled' = 'true'");
    }
    for (const auto& [key, value] : hint.options) {
      if (key == "connector") return text.invalid(hint.range, "a hint cannot change the connector");
      options.insert_or_assign(key, value);
    }
    ErrorList errors;
    for (OptionProblem& problem : check_table_options(
             options, table.physical.get(), environment.connectors, ErrorList::kErrorsMax)) {
      errors.add(hint.range, text.error(hint.range, std::move(problem.message),
                                        std::move(problem.suggestion), problem.code));
    }
    CLP_RETURN_IF_ERROR(errors.status());
  }
  return options;
}

Result<QueryBinder::Source> QueryBinder::bind_from(const ast::FromItem& item) {
  CLP_ASSIGN_OR_RETURN(Source source, bind_relation(item));
  if (item.alias) return with_alias(std::move(source), *item.alias);
  return source;
}

Result<QueryBinder::Source> QueryBinder::bind_relation(const ast::FromItem& item) {
  switch (item.kind) {
    case ast::FromKind::kTable:
      return bind_table(item.as<ast::TableReference>());
    case ast::FromKind::kDerived: {
      const auto& derived = item.as<ast::DerivedTable>();
      if (derived.lateral) return text_.not_built(item.range, "LATERAL");
      CLP_ASSIGN_OR_RETURN(PlanPtr plan, bind(*derived.query));
      Scope scope = scope_of(plan, {});
      return Source{std::move(plan), std::move(scope)};
    }
    case ast::FromKind::kFunction:
      return bind_table_function(item.as<ast::TableFunction>());
    case ast::FromKind::kJoin:
      return bind_join(item.as<ast::Join>());
    case ast::FromKind::kUnnest:
      return refuse_unnest(item.as<ast::Unnest>(), Scope());
    case ast::FromKind::kMatchRecognize: {
      CLP_RETURN_IF_ERROR(bind_from(*item.as<ast::MatchRecognize>().input).status());
      return text_.not_built(item.range, "MATCH_RECOGNIZE");
    }
  }
  return text_.not_built(item.range, "this kind of table");
}

Status QueryBinder::refuse_unnest(const ast::Unnest& unnest, const Scope& left) const {
  ExpressionBinder binder(environment_, text_, left, nullptr, "UNNEST");
  for (const ast::ExpressionPtr& written : unnest.values) {
    CLP_ASSIGN_OR_RETURN(const ExpressionPtr value, binder.bind(*written));
    const TypeKind kind = value->type().kind();
    if (kind != TypeKind::kArray && kind != TypeKind::kMap && kind != TypeKind::kMultiset) {
      return text_.invalid(unnest.range,
                           fmt::format("UNNEST does not take {}; expected an ARRAY, a MAP or a "
                                       "MULTISET",
                                       value->type().to_string()));
    }
  }
  return text_.not_built(unnest.range, "UNNEST");
}

Result<QueryBinder::Source> QueryBinder::bind_join(const ast::Join& join) {
  const bool keeps_left = join.join == ast::JoinKind::kLeft || join.join == ast::JoinKind::kFull;
  const bool keeps_right = join.join == ast::JoinKind::kRight || join.join == ast::JoinKind::kFull;
  const ast::SourceRange range = join.join_range.empty() ? join.range : join.join_range;
  Result<Source> bound_left = bind_from(*join.left);
  ErrorList errors;
  errors.add(join.left->range, bound_left.status());
  if (!bound_left.is_ok()) {
    // What stands on the right speaks of the left only in UNNEST and LATERAL.
    if (join.right->kind == ast::FromKind::kTable || join.right->kind == ast::FromKind::kDerived) {
      errors.add(join.right->range, bind_from(*join.right).status());
    }
    return errors.status();
  }
  const Source left = *std::move(bound_left);
  if (const auto* unnest = join.right->as_if<ast::Unnest>()) {
    return refuse_unnest(*unnest, left.scope);
  }
  const auto* table = join.right->as_if<ast::TableReference>();
  if (table != nullptr && table->system_time && keeps_right) {
    return text_.invalid(range, fmt::format("{} with FOR SYSTEM_TIME AS OF: a temporal join is "
                                            "JOIN or LEFT JOIN",
                                            join_name(join.join)));
  }
  CLP_ASSIGN_OR_RETURN(const Source right, bind_from(*join.right));
  std::string name;
  if (left.scope.shares_name(right.scope, name)) {
    return text_.invalid(join.right->range, fmt::format("'{}' stands twice in FROM", name),
                         "give one of them another name with AS");
  }
  if (join.natural && (join.on || !join.using_columns.empty())) {
    return text_.invalid(join.on ? join.on->range : join.using_columns[0].range,
                         "NATURAL JOIN takes neither ON nor USING");
  }
  if (join.natural || !join.using_columns.empty()) {
    return text_.not_built(
        range, fmt::format("{}{}{}", join.natural ? "NATURAL " : "", join_name(join.join),
                           join.natural ? "" : " ... USING"));
  }
  std::vector<Field> fields = left.plan->schema->fields();
  for (Field& field : fields) {
    if (keeps_right) field.type = field.type.with_nullable(true);
  }
  for (Field field : right.plan->schema->fields()) {
    if (keeps_left) field.type = field.type.with_nullable(true);
    fields.push_back(std::move(field));
  }
  const SchemaPtr schema = make_schema(std::move(fields));
  Scope scope = Scope::join(left.scope, right.scope, schema);
  if (join.on) {
    ExpressionBinder binder(environment_, text_, scope, nullptr, "ON");
    CLP_RETURN_IF_ERROR(binder.bind_condition(*join.on).status());
  }
  state_.refuse(text_.not_built(range, join_name(join.join)));
  return Source{unbuilt(schema), std::move(scope)};
}

Result<QueryBinder::Source> QueryBinder::bind_table(const ast::TableReference& reference) {
  CLP_ASSIGN_OR_RETURN(Source source, bind_named(reference.name, reference.hints));
  if (reference.system_time)
    return text_.not_built(reference.system_time->range, "FOR SYSTEM_TIME AS OF");
  if (reference.sample) return text_.not_built(reference.sample->range, "TABLESAMPLE");
  return source;
}

Result<QueryBinder::Source> QueryBinder::bind_named(const ast::ObjectName& name,
                                                    const std::vector<ast::Hint>& hints) {
  if (name.parts.size() == 1) {
    for (auto cte = ctes_.rbegin(); cte != ctes_.rend(); ++cte) {
      if (cte->first != name.parts[0].name) continue;
      if (cte->second == nullptr) return ErrorList::told_elsewhere();
      if (!hints.empty())
        return text_.invalid(hints[0].range, "OPTIONS belongs to a table, not a query");
      return Source{cte->second, scope_of(cte->second, {cte->first})};
    }
  }
  const std::vector<std::string> parts = part_names(name);
  Result<ObjectPath> path = environment_.catalog.resolve(parts);
  if (!path.is_ok()) return text_.at_place(name.range(), path.status());
  const CatalogObject object = environment_.catalog.find(*path);
  if (!object.found()) {
    std::vector<std::string> names = environment_.catalog.table_names();
    for (const auto& [cte, plan] : ctes_) names.push_back(cte);
    return text_.not_found(name.range(),
                           fmt::format("table '{}' does not exist", ast::to_sql(name)),
                           did_you_mean_name(path->object, names));
  }
  const std::vector<std::string> full = {path->catalog, path->database, path->object};
  if (object.view) {
    if (!hints.empty())
      return text_.invalid(hints[0].range, "OPTIONS belongs to a table, not a view");
    CLP_ASSIGN_OR_RETURN(PlanPtr plan, bind_view(*object.view, name.range()));
    return Source{plan, scope_of(plan, full)};
  }
  CLP_ASSIGN_OR_RETURN(const TableOptions options,
                       options_with_hints(*object.table, hints, environment_, text_));
  PlanPtr plan;
  const std::string key = plan_key(*path, options);
  if (const auto known = state_.plans.find(key); known != state_.plans.end()) {
    plan = known->second;
  } else {
    Result<PlanPtr> made = make_table_plan(object.table, options, environment_);
    if (!made.is_ok()) return text_.at_place(name.range(), made.status());
    plan = *std::move(made);
    if (shares_plans()) state_.plans.emplace(key, plan);
  }
  return Source{plan, scope_of(plan, full)};
}

Result<PlanPtr> QueryBinder::bind_view(const CatalogView& view, ast::SourceRange range) {
  const std::string key = view.path.to_string();
  if (const auto known = state_.plans.find(key); known != state_.plans.end()) return known->second;
  if (state_.view_depth >= kViewDepthMax) {
    return text_.invalid(range, fmt::format("views may be nested at most {} deep", kViewDepthMax));
  }
  CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(view.query));
  const StatementText view_text(view.query);
  QueryBinder binder(environment_, view_text, state_);
  const bool was_refused = state_.refusal.has_value();
  ++state_.view_depth;
  Result<PlanPtr> plan = binder.bind(*statement->as<ast::QueryStatement>().query);
  --state_.view_depth;
  if (!was_refused && state_.refusal) {
    state_.refusal =
        state_.refusal->with_context(fmt::format("in view '{}'", clip(view.path.object, 64)));
  }
  if (!plan.is_ok()) {
    return plan.status().with_context(fmt::format("in view '{}'", clip(view.path.object, 64)));
  }
  PlanPtr renamed = rename_columns(*std::move(plan), view.column_names);
  if (shares_plans()) state_.plans.emplace(key, renamed);
  return renamed;
}

Result<QueryBinder::Source> QueryBinder::with_alias(Source source, const ast::TableAlias& alias) {
  const int count = source.plan->schema->size();
  if (!alias.columns.empty()) {
    if (static_cast<int>(alias.columns.size()) != count) {
      return text_.invalid(ast::cover(alias.columns.front().range, alias.columns.back().range),
                           fmt::format("'{}' names {} columns, but the table has {}",
                                       alias.name.name, alias.columns.size(), count));
    }
    std::vector<std::string> names;
    for (const ast::Identifier& column : alias.columns) names.push_back(column.name);
    source.plan = rename_columns(std::move(source.plan), names);
  }
  source.scope = scope_of(source.plan, {alias.name.name});
  return source;
}

}  // namespace clepsydra::sql
