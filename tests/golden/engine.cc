#include "tests/golden/engine.h"

#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/process.h"
#include "connectors/connector_registry.h"
#include "graph/job_graph.h"
#include "sql/grammar/parser.h"
#include "stream/value_text.h"

namespace clepsydra::golden {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);

// The first row's first value; "" without rows.
std::string first_value(const Batch& batch) {
  const Column& column = batch.column(0);
  if (column.is_null(0)) return "\\N";
  std::string text;
  append_value_text(column, 0, {.binary_as_hex = true}, text);
  std::string escaped;
  append_tsv_escaped(text, escaped);
  return escaped;
}

// Standard output of jobs that print: nobody reads it here.
class Nowhere final : public TextOutput {
 public:
  Status write(std::string_view) override { return Status::ok(); }
  Status flush() override { return Status::ok(); }
  [[nodiscard]] bool is_terminal() const override { return false; }
  [[nodiscard]] bool is_closed() const override { return false; }
};

}  // namespace

std::string_view error_class(Stage stage) {
  switch (stage) {
    case Stage::kParsing:
      return "parse";
    case Stage::kPlanning:
      return "validation";
    case Stage::kRunning:
      return "runtime";
  }
  return "";
}

Engine::Engine(std::unique_ptr<LocalCluster> cluster) : cluster_(std::move(cluster)) {
  restart_session();
}

Result<std::unique_ptr<Engine>> Engine::make() {
  static Nowhere nowhere;
  LocalClusterOptions options;
  options.connectors = &ConnectorRegistry::built_in();
  options.standard_output = &nowhere;
  options.worker_threads = 1;
  CLP_ASSIGN_OR_RETURN(std::unique_ptr<LocalCluster> cluster,
                       LocalCluster::make(std::move(options)));
  return std::unique_ptr<Engine>(new Engine(std::move(cluster)));
}

void Engine::restart_session() {
  session_.reset();
  configuration_ = Configuration();
  session_ =
      std::make_unique<SqlSession>(ConnectorRegistry::built_in(), clock_, configuration_, nullptr);
}

Status Engine::run_script(std::string_view script) {
  grammar::ScriptReader reader(script);
  while (true) {
    CLP_ASSIGN_OR_RETURN(const std::optional<grammar::ScriptStatement> next, reader.next());
    if (!next) return Status::ok();
    const Status status = session_->execute(*next->statement, script).status();
    if (status.code() != StatusCode::kUnimplemented) CLP_RETURN_IF_ERROR(status);
  }
}

Answer Engine::ask(std::string_view statement) {
  Answer answer;
  const Result<ast::StatementPtr> parsed = grammar::parse_statement(statement);
  if (!parsed.is_ok()) {
    answer.status = parsed.status();
    return answer;
  }
  answer.stage = Stage::kPlanning;
  const Result<StatementResult> planned = session_->execute(**parsed, statement);
  if (!planned.is_ok()) {
    answer.status = planned.status();
    return answer;
  }
  answer.stage = Stage::kRunning;
  if (const auto* query = std::get_if<QueryJob>(&*planned)) {
    answer.type = query->schema->field(0).type.to_string();
    answer.status = run(query->graph, query->result_name, answer);
  } else if (const auto* insert = std::get_if<InsertJob>(&*planned)) {
    answer.status = run(insert->graph, {}, answer);
  }
  return answer;
}

Status Engine::run(const StreamGraph& graph, std::string_view result_name, Answer& answer) {
  CLP_ASSIGN_OR_RETURN(const JobGraph job_graph, build_job_graph(graph));
  CLP_ASSIGN_OR_RETURN(const JobId id, cluster_->submit(job_graph));
  if (!result_name.empty()) {
    CLP_ASSIGN_OR_RETURN(const std::unique_ptr<ResultReader> reader,
                         cluster_->fetch_results(id, result_name));
    while (true) {
      CLP_ASSIGN_OR_RETURN(const ResultReader::Fetched fetched, reader->next(kPatience));
      if (fetched.state == ResultReader::State::kEnd) break;
      if (fetched.state == ResultReader::State::kNothingYet) {
        CLP_RETURN_IF_ERROR(cluster_->cancel(id));
        return Status::deadline_exceeded("the result did not come in time");
      }
      if (fetched.batch.rows() > 0) answer.value = first_value(fetched.batch);
    }
  }
  CLP_ASSIGN_OR_RETURN(const JobStatus status, cluster_->wait(id, kPatience));
  if (status.phase == JobPhase::kFinished) return Status::ok();
  if (!status.error.is_ok()) return status.error;
  return Status::deadline_exceeded("the job did not end in time");
}

}  // namespace clepsydra::golden
