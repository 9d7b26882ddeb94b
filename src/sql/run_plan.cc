// COMPILE PLAN and EXECUTE PLAN.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/file_system.h"
#include "base/utf8.h"
#include "sql/plan/json_compiled_plan.h"
#include "sql/plan/secret_options.h"
#include "sql/statement_runner.h"

namespace clepsydra::sql {
namespace {

constexpr ConfigOption<bool> kForceRecompile{"table.plan.force-recompile", "false",
                                             "COMPILE PLAN overwrites a plan that is there"};
constexpr std::int64_t kPlanBytesMax = std::int64_t{64} << 20;

// A plan has operators as they run, not tables: what a table is must be in it.
constexpr ConfigOption<std::string> kCompileObjects{"table.plan.compile.catalog-objects", "ALL",
                                                    "what a plan keeps of its tables"};
constexpr ConfigOption<std::string> kRestoreObjects{
    "table.plan.restore.catalog-objects", "ALL", "where tables come from when a plan is executed"};

Status check_objects(const Configuration& configuration, const ConfigOption<std::string>& option) {
  CLP_ASSIGN_OR_RETURN(const std::string value, configuration.get(option));
  if (value == "ALL" || value == "ALL_ENFORCED") return Status::ok();
  return Status::unimplemented(
      fmt::format("'{}' = '{}' is not built: a plan keeps its tables, but for secret options",
                  option.key, clip(value, 64)));
}

}  // namespace

Result<StatementResult> StatementRunner::run_compile_plan(const ast::CompilePlan& statement) {
  if (state_.files == nullptr) return refuse(statement, "COMPILE PLAN here");
  const ast::SourceRange place = place_of(statement, statement.file);
  const Result<bool> exists = state_.files->exists(statement.file);
  if (!exists.is_ok()) return text_.at_place(place, exists.status());
  if (const Status objects = check_objects(state_.configuration, kCompileObjects);
      !objects.is_ok()) {
    return text_.at_place(place, objects);
  }
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
  CLP_ASSIGN_OR_RETURN(StatementResult planned, plan_inserts(*statement.statement, PlanFor::kFile));
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
  if (const Status objects = check_objects(state_.configuration, kRestoreObjects);
      !objects.is_ok()) {
    return text_.at_place(place, objects);
  }
  const Result<std::string> text = read_file(*state_.files, path, kPlanBytesMax);
  if (!text.is_ok()) return text_.at_place(place, text.status());
  Result<InsertJob> job = read_compiled_plan(*text);
  if (!job.is_ok()) {
    return text_.at_place(place, job.status().with_context(fmt::format("plan '{}'", path)));
  }
  if (const Status revealed = reveal_secrets(state_.catalog, *job); !revealed.is_ok()) {
    return text_.at_place(place, revealed.with_context(fmt::format("plan '{}'", path)));
  }
  CLP_ASSIGN_OR_RETURN(const PlanningContext planning, PlanningContext::make(state_));
  const std::string& name = planning.settings().pipeline_name;
  if (!name.empty()) job->graph.name = name;
  const StringMap& values = state_.configuration.values();
  job->graph.configuration = {values.begin(), values.end()};
  return StatementResult(*std::move(job));
}

}  // namespace clepsydra::sql
