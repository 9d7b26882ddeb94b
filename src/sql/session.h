// A SQL session: statements in, tables or jobs out. The public face of this room.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "clepsydra/status.h"
#include "graph/job_status.h"
#include "graph/stream_graph.h"
#include "stream/batch.h"
#include "stream/data_type.h"

namespace clepsydra {

namespace ast {
struct Statement;
}  // namespace ast
class Clock;
class Configuration;
class FileSystem;
class TableConnectorRegistry;

// DDL, SET and the like took effect. `message` is one line for people ("Table created."), not a
// result.
struct Done {
  std::string message;
};

// The answer of SHOW, DESCRIBE, EXPLAIN, SET without arguments: a small table, columns as the
// reference names them (its schema is rows.schema()).
struct TableResult {
  Batch rows;
};

// Which changes a result consists of.
enum class ChangelogKind : std::uint8_t {
  kInsertOnly = 0,  // +I
  kUpsert = 1,      // +I, +U, -D by key
  kRetract = 2,     // +I, -U, +U, -D
};

// A SELECT to be run: build_job_graph(graph) and submit; the rows come out of the `collect_sink`
// operator that carries `result_name`.
struct QueryJob {
  StreamGraph graph;
  SchemaPtr schema;  // As the reference would print it: names, types, nullability, *ROWTIME*.
  ChangelogKind changelog = ChangelogKind::kInsertOnly;
  std::string result_name;
  bool is_bounded = true;  // Every source ends by itself.
};

// INSERT INTO, EXECUTE STATEMENT SET: one job, however many targets.
struct InsertJob {
  StreamGraph graph;
  std::vector<std::string> targets;  // Full names: "default_catalog.default_database.out".
  bool is_bounded = true;
  // End-to-end guarantee and the part that weakens it, for the start message:
  // "at-least-once (sink 'out': print cannot take back what it wrote)".
  std::string guarantee;
};

// ANALYZE TABLE: a SELECT of at most one row, which is for the session and not for people.
struct AnalyzeJob {
  QueryJob query;
  // With that row, or null when there was none, once the job has ended well. The session lives.
  std::function<Done(const Batch* row)> finish;
};

using StatementResult = std::variant<Done, TableResult, QueryJob, InsertJob, AnalyzeJob>;

// The jobs that SHOW JOBS, DESCRIBE JOB, STOP JOB and EXPLAIN speak of: whoever runs them answers.
class SessionJobs {
 public:
  virtual ~SessionJobs() = default;
  // All jobs since the start, oldest first.
  virtual Result<std::vector<JobStatus>> list() = 0;
  // Asks for the end and returns at once.
  virtual Status cancel(const JobId& id) = 0;
  // Ends the job with a savepoint in the configured folder, waits for that; its folder.
  virtual Result<std::string> stop(const JobId& id, bool drain) = 0;
  // What a job of these operators would keep, drop and begin anew of the checkpoint in
  // execution.state-recovery.path: lines for people.
  virtual Result<std::string> explain_recovery(const StreamGraph& graph,
                                               const Configuration& configuration) = 0;
};

// Holds the catalog and the session's settings. Nothing is run here: a job comes back as a
// StreamGraph.
//
// Threads: one at a time.
class SqlSession {
 public:
  // All must outlive the session. `configuration` is the session's own: SET and RESET change it,
  // the planner reads it. No option outside `configuration` is read, and no file is opened but
  // those of catalogs of type 'file', in `files` below what 'clepsydra.catalog.directory' says at
  // the start; without `files` there are no such catalogs.
  SqlSession(const TableConnectorRegistry& connectors, const Clock& clock,
             Configuration& configuration, FileSystem* files = nullptr);
  ~SqlSession();
  // Null, as at the start: the statements about jobs are refused. Must outlive its use.
  void set_jobs(SessionJobs* jobs);
  SqlSession(const SqlSession&) = delete;
  SqlSession& operator=(const SqlSession&) = delete;

  // Binds and plans one statement as the parser gave it. `sql` is the text the parser was given:
  // for a script the whole script, as the tree's ranges point into it. Errors carry line, column,
  // the line and a caret. After an error the session is as it was before.
  Result<StatementResult> execute(const ast::Statement& statement, std::string_view sql);

  // Parses exactly one statement and executes it.
  Result<StatementResult> execute(std::string_view sql);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace clepsydra
