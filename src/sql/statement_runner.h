// Runs one statement of a session. Private to this room: session.h is the public face.
#pragma once

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
#include "sql/logical/plan_rewrite.h"
#include "sql/session.h"
#include "stream/time_zone.h"

namespace clepsydra::sql {

// What a session keeps between statements.
struct SessionState {
  const TableConnectorRegistry& connectors;
  const Clock& clock;
  Configuration& configuration;
  StringMap initial_configuration;  // What RESET goes back to.
  Catalog catalog;
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
  // The Collect or Sink nodes of a SELECT, INSERT or statement set, bound.
  Result<PlanRoots> bind_roots(const ast::Statement& statement, const BindEnvironment& environment);
  Result<StatementResult> plan_inserts(const ast::Statement& statement);

  // run_ddl.cc
  Result<StatementResult> run_create_table(const ast::CreateTable& statement);
  Result<StatementResult> run_create_view(const ast::CreateView& statement);
  Result<StatementResult> run_drop(const ast::Drop& statement);
  Result<StatementResult> run_use(const ast::Use& statement);
  Result<ObjectPath> resolve(const ast::ObjectName& name) const;

  // run_show.cc
  Result<StatementResult> run_show(const ast::Show& statement);
  Result<StatementResult> run_show_list(const ast::Show& statement);
  Result<StatementResult> run_show_create(const ast::Show& statement);
  Result<StatementResult> run_describe(const ast::Describe& statement);
  Result<CatalogObject> find_object(const ast::ObjectName& name) const;

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
