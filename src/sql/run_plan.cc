// COMPILE PLAN and EXECUTE PLAN.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "sql/plan/json_compiled_plan.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr ConfigOption<bool> kForceRecompile{"table.plan.force-recompile", "false",
                                             "COMPILE PLAN overwrites a plan that is there"};
constexpr std::int64_t kPlanBytesMax = std::int64_t{64} << 20;

}  // namespace

Result<StatementResult> StatementRunner::run_compile_plan(const ast::CompilePlan& statement) {
  if (state_.files == nullptr) return refuse(statement, "COMPILE PLAN here");
  const ast::SourceRange place = place_of(statement, statement.file);
  const Result<bool> exists = state_.files->exists(statement.file);
  if (!exists.is_ok()) return text_.at_place(place, exists.status());
  CLP_ASSIGN_OR_RETURN(const bool force, state_.configuration.get(kForceRecompile));
  if (*exists && !force) {
    // As in the reference, COMPILE AND EXECUTE runs what is there.
    if (statement.execute) return execute_plan(statement.file, place);
    if (statement.if_not_exists) {
      return StatementResult(Done{fmt::format("Plan '{}' exists already.", statement.file)});
    }
    return text_.error(place, fmt::format("plan '{}' exists already", statement.file),
                       "write IF NOT EXISTS, or SET 'table.plan.force-recompile' = 'true'",
                       StatusCode::kAlreadyExists);
  }
  CLP_ASSIGN_OR_RETURN(StatementResult planned, plan_inserts(*statement.statement));
  const auto& job = std::get<InsertJob>(planned);
  const Status written =
      write_file_atomically(*state_.files, statement.file, write_compiled_plan(job));
  if (!written.is_ok()) return text_.at_place(place, written);
  if (statement.execute) return execute_plan(statement.file, place);
  return StatementResult(Done{fmt::format("Plan written to '{}'.", statement.file)});
}

Result<StatementResult> StatementRunner::run_execute_plan(const ast::ExecutePlan& statement) {
  if (state_.files == nullptr) return refuse(statement, "EXECUTE PLAN here");
  return execute_plan(statement.file, place_of(statement, statement.file));
}

Result<StatementResult> StatementRunner::execute_plan(const std::string& path,
                                                      ast::SourceRange place) {
  const Result<std::string> text = read_file(*state_.files, path, kPlanBytesMax);
  if (!text.is_ok()) return text_.at_place(place, text.status());
  Result<InsertJob> job = read_compiled_plan(*text);
  if (!job.is_ok()) {
    return text_.at_place(place, job.status().with_context(fmt::format("plan '{}'", path)));
  }
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const std::string& name = planning.settings().pipeline_name;
  if (!name.empty()) job->graph.name = name;
  const StringMap& values = state_.configuration.values();
  job->graph.configuration = {values.begin(), values.end()};
  return StatementResult(*std::move(job));
}

}  // namespace clepsydra::sql
