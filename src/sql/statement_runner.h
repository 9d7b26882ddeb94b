// Runs one statement of a session. Private to this room: session.h is the public face.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/configuration.h"
#include "clepsydra/status.h"
#include "clepsydra/table_connector.h"
#include "sql/ast/alter.h"
#include "sql/ast/create.h"
#include "sql/ast/statement.h"
#include "sql/bind/environment.h"
#include "sql/bind/statement_text.h"
#include "sql/catalog/catalog.h"
#include "sql/catalog/catalog_store.h"
#include "sql/catalog/statistics.h"
#include "sql/logical/plan_rewrite.h"
#include "sql/session.h"
#include "stream/time_zone.h"

namespace clepsydra {
class FileSystem;
}  // namespace clepsydra

namespace clepsydra::sql {

// Below it are the catalogs of type 'file'. Read from what the session starts with, never from SET.
inline constexpr std::string_view kCatalogDirectory = "clepsydra.catalog.directory";

// Below it are the libraries of functions; from the start too.
inline constexpr std::string_view kFunctionDirectory = "clepsydra.udf.directory";

// What a session keeps between statements.
struct SessionState {
  const TableConnectorRegistry& connectors;
  const Clock& clock;
  Configuration& configuration;
  StringMap initial_configuration;  // What RESET goes back to.
  FileSystem* files = nullptr;      // Null: no catalogs of files.
  SessionJobs* jobs = nullptr;      // Null: nothing is known of jobs.
  Catalog catalog;
  StatisticsOfTables statistics = {};
  std::unique_ptr<CatalogStore> catalog_store;  // Null: catalogs are not kept.
  bool is_store_open = false;
  int results = 0;  // SELECTs so far: their results' names.
};

class StatementRunner {
 public:
  // `sql`: the text that the statement's ranges point into.
  StatementRunner(SessionState& state, std::string_view sql) : state_(state), text_(sql) {}

  Result<StatementResult> run(const ast::Statement& statement);

 private:
  // run_query.cc
  Result<StatementResult> run_query(const ast::QueryStatement& statement);
  Result<StatementResult> run_insert(const ast::Insert& statement);
  Result<StatementResult> run_statement_set(const ast::StatementSet& statement);
  Result<StatementResult> run_explain(const ast::Explain& statement);
  // What the job would go on from, a section of EXPLAIN; empty when it starts from nothing.
  std::string explain_recovery(const StreamGraph& graph);
  // The Collect or Sink nodes of a SELECT, INSERT or statement set, bound.
  Result<PlanRoots> bind_roots(const ast::Statement& statement, const BindEnvironment& environment);
  Result<PlanRoots> bind_explained(const ast::Statement& statement,
                                   const BindEnvironment& environment);
  // Of a plan for a file secret options are hidden.
  enum class PlanFor : std::uint8_t { kJob, kFile };
  Result<StatementResult> plan_inserts(const ast::Statement& statement,
                                       PlanFor purpose = PlanFor::kJob);

  // run_ddl.cc
  Result<StatementResult> run_create_table(const ast::CreateTable& statement);
  Result<StatementResult> create_table_as(const ast::CreateTable& statement,
                                          const ObjectPath& path);
  // With what its LIKE includes.
  Result<std::shared_ptr<CatalogTable>> bind_table(const ast::CreateTable& statement,
                                                   const BindEnvironment& environment);
  // Adds the table of a CREATE TABLE AS; the sink that fills it.
  Result<PlanPtr> bind_table_as(const ast::CreateTable& statement,
                                const BindEnvironment& environment);
  // Makes what `statement` has created what it was before.
  Status undo_create(const ObjectPath& path, bool temporary, const CatalogObject& old);
  Status add_table(const std::shared_ptr<CatalogTable>& table, const ast::CreateTable& statement);
  Result<StatementResult> run_create_view(const ast::CreateView& statement);
  Result<std::shared_ptr<CatalogView>> bind_view(const ast::Query& query,
                                                 const std::vector<ast::Identifier>& columns);
  Result<StatementResult> run_drop(const ast::Drop& statement);
  Result<ObjectPath> resolve(const ast::ObjectName& name) const;
  Result<ObjectPath> locate(const ast::ObjectName& name) const;

  // run_analyze.cc
  Result<StatementResult> run_analyze(const ast::AnalyzeTable& statement);
  Result<std::vector<int>> analyzed_columns(const ast::AnalyzeTable& statement,
                                            const CatalogTable& table) const;
  // Plans `query`, which reads the table by the name of a copy that is there for so long.
  Result<QueryJob> plan_count(const CatalogTable& table, const std::string& query);

  // run_alter.cc
  Result<StatementResult> run_alter_table(const ast::AlterTable& statement);
  Result<StatementResult> rename_object(const CatalogObject& object, const ast::ObjectName& name);
  Result<StatementResult> alter_partitions(const ast::AlterTable& statement,
                                           const CatalogTable& table);
  Result<StatementResult> run_alter_view(const ast::AlterView& statement);

  // run_catalog.cc
  Result<StatementResult> run_create_catalog(const ast::CreateCatalog& statement);
  Result<StatementResult> run_create_database(const ast::CreateDatabase& statement);
  Result<StatementResult> run_alter_object(const ast::AlterObject& statement);
  Result<StatementResult> run_drop_catalog(const ast::Drop& statement);
  Result<StatementResult> run_drop_database(const ast::Drop& statement);
  Result<StatementResult> run_use(const ast::Use& statement);
  Result<StatementResult> use_modules(const ast::Use& statement);
  Result<StatementResult> run_load_module(const ast::LoadModule& statement);
  Result<StatementResult> run_unload_module(const ast::UnloadModule& statement);
  Result<DatabasePath> resolve_database(const ast::ObjectName& name) const;
  // Where the files of a new catalog are; null for one in memory.
  Result<std::unique_ptr<CatalogFiles>> catalog_files(const std::string& catalog,
                                                      const ast::CreateCatalog& statement,
                                                      std::string_view type,
                                                      const StatementText& text) const;
  // With the options of its definition, which are right.
  Status add_catalog(const std::string& name, const ast::CreateCatalog& statement,
                     const StatementText& text);
  // Once in a session: the catalogs that a store has kept.
  Status open_catalog_store();
  // Why the catalog of this name, which exists, cannot be read.
  [[nodiscard]] Status catalog_problem(const ast::ObjectName& name) const;
  // Sees what others have written to catalogs of files.
  void refresh_catalogs();

  // run_function.cc
  Result<StatementResult> run_create_function(const ast::CreateFunction& statement);
  Result<StatementResult> run_alter_function(const ast::AlterFunction& statement);
  Result<StatementResult> run_drop_function(const ast::Drop& statement);
  Result<StatementResult> describe_function(const ast::Describe& statement);
  // The function that this name in a statement means, or null: the temporary system functions, what
  // is built in (null), those of the catalog.
  Result<const CatalogFunction*> find_function(const ast::ObjectName& name) const;
  Result<ObjectPath> function_path(const ast::ObjectName& name) const;
  Status check_language(ast::FunctionLanguage language, ast::SourceRange range) const;
  Status check_function(const CatalogFunction& function, ast::SourceRange identifier,
                        ast::SourceRange library) const;

  // run_show.cc
  Result<StatementResult> run_show(const ast::Show& statement);
  Result<StatementResult> run_show_list(const ast::Show& statement);
  Result<StatementResult> run_show_create(const ast::Show& statement);
  Result<StatementResult> run_describe(const ast::Describe& statement);
  Result<DatabasePath> listed_database(const ast::Show& statement) const;
  Result<StatementResult> show_databases(const ast::Show& statement) const;
  Result<StatementResult> show_partitions(const ast::Show& statement) const;
  Result<StatementResult> describe_catalog(const ast::Describe& statement);
  Result<StatementResult> describe_database(const ast::Describe& statement);
  // The columns of a view as its query has them now, or of a table.
  Result<SchemaPtr> schema_of(const CatalogObject& object, ast::SourceRange place) const;
  Result<SchemaPtr> bind_view_schema(const CatalogView& view, ast::SourceRange place) const;
  Result<CatalogObject> find_object(const ast::ObjectName& name) const;

  // run_job.cc
  Result<StatementResult> show_jobs(const ast::Statement& statement);
  Result<StatementResult> describe_job(const ast::Describe& statement);
  Result<StatementResult> run_stop_job(const ast::StopJob& statement);
  // The job of this id; its place is the last word of the statement that looks like it.
  Result<JobStatus> find_job(const ast::Statement& statement, const std::string& id);

  // Where `text` stands in quotes in the statement, or all of it.
  [[nodiscard]] ast::SourceRange place_of(const ast::Statement& statement,
                                          const std::string& text) const;

  // run_plan.cc
  Result<StatementResult> run_compile_plan(const ast::CompilePlan& statement);
  Result<StatementResult> run_execute_plan(const ast::ExecutePlan& statement);
  Result<StatementResult> execute_plan(const std::string& path, ast::SourceRange place);

  // run_setting.cc
  Result<StatementResult> run_set(const ast::SetOption& statement);
  Result<StatementResult> run_reset(const ast::ResetOption& statement);

  [[nodiscard]] Status refuse(const ast::Statement& statement, std::string_view name) const;

  SessionState& state_;
  StatementText text_;
};

// The plan's settings and what it may evaluate with, as long as this lives.
class PlanningContext {
 public:
  static Result<PlanningContext> make(const SessionState& state);
  [[nodiscard]] BindEnvironment environment(const SessionState& state) const;
  [[nodiscard]] const PlannerSettings& settings() const { return settings_; }

 private:
  PlannerSettings settings_;
  const Clock* clock_ = nullptr;
  TimeZonePtr zone_;
};

// A table of STRING NOT NULL columns.
Result<StatementResult> text_table(const std::vector<std::string>& columns,
                                   const std::vector<std::vector<std::string>>& rows);

}  // namespace clepsydra::sql
