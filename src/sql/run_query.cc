// SELECT, INSERT, EXECUTE STATEMENT SET and EXPLAIN.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sql/bind/error_list.h"
#include "sql/bind/insert_binder.h"
#include "sql/bind/query_binder.h"
#include "sql/bind/type_enforcer.h"
#include "sql/changelog/changelog_mode.h"
#include "sql/changelog/delivery_guarantee.h"
#include "sql/explain/explain.h"
#include "sql/lower/lowering.h"
#include "sql/optimize/rule_list.h"
#include "sql/plan/secret_options.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr std::string_view kRecoveryPath = "execution.state-recovery.path";
constexpr std::string_view kCheckpointInterval = "execution.checkpointing.interval";

// As in the reference, a batch job takes no checkpoints: what it writes becomes visible at its end.
std::vector<std::pair<std::string, std::string>> configuration_of(
    const Configuration& configuration, const PlannerSettings& settings) {
  std::vector<std::pair<std::string, std::string>> values(configuration.values().begin(),
                                                          configuration.values().end());
  if (settings.is_batch) {
    std::erase_if(values, [](const auto& value) { return value.first == kCheckpointInterval; });
  }
  return values;
}

std::vector<std::string> target_names(const PlanRoots& roots) {
  std::vector<std::string> names;
  for (const PlanPtr& root : roots) {
    if (const auto* sink = root->as_if<SinkNode>()) names.push_back(sink->table->path.to_string());
  }
  return names;
}

// As the reference names its jobs.
std::string job_name(const PlanRoots& roots) {
  std::string name;
  for (const std::string& target : target_names(roots)) name += (name.empty() ? "" : ",") + target;
  return name.empty() ? "collect" : "insert-into_" + name;
}

Result<bool> all_bounded(const PlanRoots& roots, const TableConnectorRegistry& connectors) {
  for (const PlanPtr& root : roots) {
    CLP_ASSIGN_OR_RETURN(const bool bounded, is_bounded(*root, connectors));
    if (!bounded) return false;
  }
  return true;
}

}  // namespace

Result<PlanRoots> StatementRunner::bind_roots(const ast::Statement& statement,
                                              const BindEnvironment& environment) {
  BindState state;
  PlanRoots roots;
  if (const auto* query = statement.as_if<ast::QueryStatement>()) {
    QueryBinder binder(environment, text_, state);
    CLP_ASSIGN_OR_RETURN(PlanPtr plan, binder.bind(*query->query));
    std::vector<DataType> types;
    for (const Field& field : plan->schema->fields()) types.push_back(field.type);
    CLP_ASSIGN_OR_RETURN(plan, enforce_types(std::move(plan), types, environment));
    roots.push_back(
        std::make_shared<CollectNode>(std::move(plan), fmt::format("result-{}", state_.results)));
  } else if (const auto* insert = statement.as_if<ast::Insert>()) {
    CLP_ASSIGN_OR_RETURN(PlanPtr sink, bind_insert(*insert, environment, text_, state));
    roots.push_back(std::move(sink));
  } else if (const auto* set = statement.as_if<ast::StatementSet>()) {
    ErrorList errors;
    for (const auto& member : set->inserts) {
      if (errors.is_full()) break;
      Result<PlanPtr> sink = bind_insert(*member, environment, text_, state);
      errors.add(member->range, sink.status());
      if (sink.is_ok()) roots.push_back(*std::move(sink));
    }
    CLP_RETURN_IF_ERROR(errors.status());
  } else if (const auto* create = statement.as_if<ast::CreateTable>();
             create != nullptr && create->query != nullptr) {
    CLP_ASSIGN_OR_RETURN(PlanPtr sink, bind_table_as(*create, environment));
    roots.push_back(std::move(sink));
  } else {
    return text_.invalid(statement.range, "only SELECT, INSERT and statement sets have a plan");
  }
  if (state.refusal) return *state.refusal;
  return roots;
}

Result<StatementResult> StatementRunner::run_query(const ast::QueryStatement& statement) {
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  ++state_.results;
  CLP_ASSIGN_OR_RETURN(PlanRoots roots, bind_roots(statement, environment));
  QueryJob job;
  job.result_name = roots[0]->as<CollectNode>().result_name;
  const std::vector<std::string> names = unique_names(*roots[0]->schema);
  std::vector<Field> fields = roots[0]->schema->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) fields[i].name = names[i];
  job.schema = make_schema(std::move(fields));
  CLP_ASSIGN_OR_RETURN(roots, optimize(std::move(roots), environment));
  job.changelog = changelog_mode(*roots[0]).kind();
  CLP_ASSIGN_OR_RETURN(job.is_bounded, all_bounded(roots, environment.connectors));
  CLP_ASSIGN_OR_RETURN(job.graph,
                       lower_plans(roots, environment, job_name(roots),
                                   configuration_of(state_.configuration, environment.settings)));
  return StatementResult(std::move(job));
}

Result<StatementResult> StatementRunner::plan_inserts(const ast::Statement& statement,
                                                      PlanFor purpose) {
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  CLP_ASSIGN_OR_RETURN(PlanRoots roots, bind_roots(statement, environment));
  CLP_ASSIGN_OR_RETURN(roots, optimize(std::move(roots), environment));
  if (purpose == PlanFor::kFile) {
    Result<PlanRoots> hidden = hide_secrets(roots);
    if (!hidden.is_ok()) return text_.at_place(statement.range, hidden.status());
    roots = *std::move(hidden);
  }
  InsertJob job;
  job.targets = target_names(roots);
  CLP_ASSIGN_OR_RETURN(job.is_bounded, all_bounded(roots, environment.connectors));
  CLP_ASSIGN_OR_RETURN(job.guarantee, describe_guarantee(roots, environment));
  CLP_ASSIGN_OR_RETURN(job.graph,
                       lower_plans(roots, environment, job_name(roots),
                                   configuration_of(state_.configuration, environment.settings)));
  return StatementResult(std::move(job));
}

Result<StatementResult> StatementRunner::run_insert(const ast::Insert& statement) {
  return plan_inserts(statement);
}

Result<StatementResult> StatementRunner::run_statement_set(const ast::StatementSet& statement) {
  if (statement.inserts.empty()) {
    return text_.invalid(statement.range, "a statement set needs at least one INSERT");
  }
  return plan_inserts(statement);
}

// The table of a CREATE TABLE AS is there while it is bound, and gone afterwards.
Result<PlanRoots> StatementRunner::bind_explained(const ast::Statement& statement,
                                                  const BindEnvironment& environment) {
  const auto* create = statement.as_if<ast::CreateTable>();
  if (create == nullptr || create->query == nullptr) return bind_roots(statement, environment);
  CLP_ASSIGN_OR_RETURN(const ObjectPath path, locate(create->name));
  const CatalogObject old = state_.catalog.find(path, create->temporary);
  Result<PlanRoots> roots = bind_roots(statement, environment);
  CLP_RETURN_IF_ERROR(undo_create(path, create->temporary, old));
  return roots;
}

std::string StatementRunner::explain_recovery(const StreamGraph& graph) {
  const std::string* path = state_.configuration.find(kRecoveryPath);
  if (state_.jobs == nullptr || path == nullptr || path->empty()) return {};
  const Result<std::string> recovery = state_.jobs->explain_recovery(graph, state_.configuration);
  if (recovery.is_ok()) return "\n== State ==\n" + *recovery;
  return fmt::format("\n== State ==\nThe job would be refused: {}\n", recovery.status().message());
}

Result<StatementResult> StatementRunner::run_explain(const ast::Explain& statement) {
  const auto with = [&](ast::ExplainDetail detail) {
    return std::find(statement.details.begin(), statement.details.end(), detail) !=
           statement.details.end();
  };
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const BindEnvironment environment = planning.environment(state_);
  CLP_ASSIGN_OR_RETURN(PlanRoots roots, bind_explained(*statement.statement, environment));
  std::string out =
      "== Abstract Syntax Tree ==\n" + plan_text(roots, {.style = PlanStyle::kLogical});
  CLP_ASSIGN_OR_RETURN(roots, optimize(std::move(roots), environment));
  const KnownRows known = {&environment.connectors, &state_.statistics};
  const bool with_advice = with(ast::ExplainDetail::kPlanAdvice);
  out += fmt::format("\n== Optimized Physical Plan{} ==\n", with_advice ? " With Advice" : "") +
         plan_text(roots,
                   {.style = PlanStyle::kPhysical,
                    .changelog_mode = with(ast::ExplainDetail::kChangelogMode),
                    .estimate_with = with(ast::ExplainDetail::kEstimatedCost) ? &known : nullptr,
                    .parallelism = environment.settings.parallelism});
  if (with_advice) out += "\n" + plan_advice(roots, environment.settings.parallelism);
  CLP_ASSIGN_OR_RETURN(const StreamGraph graph,
                       lower_plans(roots, environment, job_name(roots), {}));
  out += "\n== Optimized Execution Plan ==\n" + graph_text(graph);
  if (with(ast::ExplainDetail::kJsonExecutionPlan))
    out += "\n== Physical Execution Plan ==\n" + graph_json(graph);
  if (statement.statement->kind != ast::StatementKind::kQuery) {
    CLP_ASSIGN_OR_RETURN(const std::string guarantee, describe_guarantee(roots, environment));
    out += "\nDelivery guarantee: " + guarantee + "\n";
  }
  out += explain_recovery(graph);
  return text_table({"result"}, {{std::move(out)}});
}

}  // namespace clepsydra::sql
