#include "sql/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "functions/user/user_library.h"
#include "sql/grammar/parser.h"
#include "sql/statement_runner.h"
#include "stream/time_zone.h"

namespace clepsydra {
namespace sql {
namespace {

// Statements that are parsed and not built. Those of batch mode are refused by the reference too.
std::string_view unbuilt_name(ast::StatementKind kind) {
  switch (kind) {
    case ast::StatementKind::kUpdate:
      return "UPDATE in streaming mode";
    case ast::StatementKind::kDelete:
      return "DELETE in streaming mode";
    case ast::StatementKind::kTruncate:
      return "TRUNCATE TABLE in streaming mode";
    case ast::StatementKind::kCreateModel:
      return "CREATE MODEL";
    case ast::StatementKind::kCreateMaterializedTable:
      return "CREATE MATERIALIZED TABLE";
    case ast::StatementKind::kCreateConnection:
      return "CREATE CONNECTION";
    case ast::StatementKind::kAlterMaterializedTable:
      return "ALTER MATERIALIZED TABLE";
    case ast::StatementKind::kCall:
      return "CALL";
    case ast::StatementKind::kJar:
      return "ADD JAR and REMOVE JAR (functions are C++ libraries here)";
    case ast::StatementKind::kClientCommand:
      return "the interactive console with QUIT, CLEAR and HELP";
    default:
      return "this statement";
  }
}

}  // namespace

Result<PlanningContext> PlanningContext::make(const SessionState& state) {
  PlanningContext context;
  CLP_ASSIGN_OR_RETURN(context.settings_, read_planner_settings(state.configuration));
  CLP_ASSIGN_OR_RETURN(context.zone_, find_time_zone(context.settings_.zone));
  context.clock_ = &state.clock;
  return context;
}

BindEnvironment PlanningContext::environment(const SessionState& state) const {
  return {
      .catalog = state.catalog,
      .connectors = state.connectors,
      .functions = FunctionRegistry::built_in(),
      .settings = settings_,
      .evaluation = {
          .pool = &literal_pool(), .clock = clock_, .session_zone = zone_.get(), .random_seed = 0}};
}

Status StatementRunner::refuse(const ast::Statement& statement, std::string_view name) const {
  // The first word is place enough.
  const std::size_t end =
      std::min(statement.range.end, text_.sql().find_first_of(" \n\t", statement.range.begin));
  return text_.not_built({statement.range.begin, end}, name);
}

Result<StatementResult> StatementRunner::run(const ast::Statement& statement) {
  CLP_RETURN_IF_ERROR(open_catalog_store());
  refresh_catalogs();
  switch (statement.kind) {
    case ast::StatementKind::kQuery:
      return run_query(statement.as<ast::QueryStatement>());
    case ast::StatementKind::kInsert:
      return run_insert(statement.as<ast::Insert>());
    case ast::StatementKind::kStatementSet:
      return run_statement_set(statement.as<ast::StatementSet>());
    case ast::StatementKind::kExplain:
      return run_explain(statement.as<ast::Explain>());
    case ast::StatementKind::kSet:
      return run_set(statement.as<ast::SetOption>());
    case ast::StatementKind::kReset:
      return run_reset(statement.as<ast::ResetOption>());
    case ast::StatementKind::kUse:
      return run_use(statement.as<ast::Use>());
    case ast::StatementKind::kShow:
      return run_show(statement.as<ast::Show>());
    case ast::StatementKind::kDescribe:
      return run_describe(statement.as<ast::Describe>());
    case ast::StatementKind::kDrop:
      return run_drop(statement.as<ast::Drop>());
    case ast::StatementKind::kCreateTable:
      return run_create_table(statement.as<ast::CreateTable>());
    case ast::StatementKind::kCreateView:
      return run_create_view(statement.as<ast::CreateView>());
    case ast::StatementKind::kCreateCatalog:
      return run_create_catalog(statement.as<ast::CreateCatalog>());
    case ast::StatementKind::kCreateDatabase:
      return run_create_database(statement.as<ast::CreateDatabase>());
    case ast::StatementKind::kCreateFunction:
      return run_create_function(statement.as<ast::CreateFunction>());
    case ast::StatementKind::kAlterFunction:
      return run_alter_function(statement.as<ast::AlterFunction>());
    case ast::StatementKind::kAlterTable:
      return run_alter_table(statement.as<ast::AlterTable>());
    case ast::StatementKind::kAlterView:
      return run_alter_view(statement.as<ast::AlterView>());
    case ast::StatementKind::kAlterObject:
      return run_alter_object(statement.as<ast::AlterObject>());
    case ast::StatementKind::kCompilePlan:
      return run_compile_plan(statement.as<ast::CompilePlan>());
    case ast::StatementKind::kExecutePlan:
      return run_execute_plan(statement.as<ast::ExecutePlan>());
    case ast::StatementKind::kAnalyzeTable:
      return run_analyze(statement.as<ast::AnalyzeTable>());
    case ast::StatementKind::kStopJob:
      return run_stop_job(statement.as<ast::StopJob>());
    case ast::StatementKind::kLoadModule:
      return run_load_module(statement.as<ast::LoadModule>());
    case ast::StatementKind::kUnloadModule:
      return run_unload_module(statement.as<ast::UnloadModule>());
    default:
      return refuse(statement, unbuilt_name(statement.kind));
  }
}

}  // namespace sql

struct SqlSession::Impl {
  sql::SessionState state;
};

SqlSession::SqlSession(const TableConnectorRegistry& connectors, const Clock& clock,
                       Configuration& configuration, FileSystem* files)
    : impl_(new Impl{.state = {.connectors = connectors,
                               .clock = clock,
                               .configuration = configuration,
                               .initial_configuration = configuration.values(),
                               .files = files,
                               .jobs = nullptr,
                               .catalog = {},
                               .statistics = {},
                               .catalog_store = nullptr,
                               .is_store_open = false,
                               .results = 0}}) {
  if (const auto directory = configuration.find(sql::kFunctionDirectory)) {
    set_user_library_directory(*directory);
  }
}

SqlSession::~SqlSession() = default;

void SqlSession::set_jobs(SessionJobs* jobs) {
  impl_->state.jobs = jobs;
}

Result<StatementResult> SqlSession::execute(const ast::Statement& statement, std::string_view sql) {
  return sql::StatementRunner(impl_->state, sql).run(statement);
}

Result<StatementResult> SqlSession::execute(std::string_view sql) {
  CLP_ASSIGN_OR_RETURN(const ast::StatementPtr statement, grammar::parse_statement(sql));
  return execute(*statement, sql);
}

}  // namespace clepsydra
