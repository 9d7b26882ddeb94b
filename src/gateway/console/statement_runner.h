// Runs scripts: statements one after the other, their jobs side by side.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/job_client.h"
#include "clepsydra/status.h"
#include "gateway/console/console_settings.h"
#include "gateway/console/keys.h"
#include "gateway/console/output_format.h"
#include "gateway/console/result_printer.h"
#include "sql/ast/statement.h"
#include "sql/session.h"

namespace clepsydra {
class Clock;
class Configuration;
class Process;
class Terminal;
}  // namespace clepsydra

namespace clepsydra::console {

class LiveDisplay;
class ResultOutput;
class ResultTable;

// Of the process. 2 is that of a wrong command line.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;  // As a shell reports SIGINT.
inline constexpr int kExitClosedPipe = 141;   // As a shell reports SIGPIPE.

// All outlive the runner.
struct StatementRunnerOptions {
  SqlSession* session = nullptr;
  const Configuration* configuration = nullptr;  // The session's: SET changes it.
  JobClient* jobs = nullptr;
  Process* process = nullptr;
  const Clock* clock = nullptr;
  ResultOutput* output = nullptr;
  LiveDisplay* display = nullptr;
  OutputFormat format = OutputFormat::kTsv;
  // Set by whoever hears of an interrupt; run_typed() resets it.
  std::atomic<bool>* interrupted = nullptr;
  Terminal* terminal = nullptr;  // Where keys for a result in sight come from; null: nobody types.
  // Does QUIT, CLEAR and HELP; false ends what was typed. Null: they are refused.
  std::function<bool(ast::ClientCommandKind command)> client_command = nullptr;
};

// A SELECT is shown to its end before the next statement; INSERT and statement sets start at once
// and run side by side until finish() (with 'table.dml-sync' each is waited for). The first error
// of a statement or of a running job stops everything: jobs are cancelled and waited for. So do an
// interrupt and a reader of standard output that has gone away.
//
// Results go to `output`; messages, summaries of jobs and errors to standard error.
//
// Threads: one at a time.
class StatementRunner {
 public:
  // Jobs of a script that run at the same time.
  static constexpr std::size_t kRunningJobsMax = 256;

  explicit StatementRunner(const StatementRunnerOptions& options);
  ~StatementRunner();
  StatementRunner(const StatementRunner&) = delete;
  StatementRunner& operator=(const StatementRunner&) = delete;

  // True when all statements worked so far. `name` says in errors which script it is; may be empty.
  bool run(std::string_view script, std::string_view name);
  // Waits for the jobs that still run. The exit code of all that was run.
  int finish();

  // For a shell instead of the two above: statements that somebody has typed. An error or interrupt
  // ends what is left of `text` and the SELECT under way; jobs of INSERT go on, and when one fails
  // that is said and nothing else happens. True when all statements worked. `name` says in errors
  // which script it is; may be empty.
  bool run_typed(std::string_view text, std::string_view name);
  // Between statements: says which jobs have ended.
  void look();
  [[nodiscard]] std::vector<JobStatus> running_statuses() const;
  // Asks for the end of a job that runs; look() tells it.
  Status cancel(const JobId& id);
  // Cancels all jobs and waits for their end.
  void cancel_all();
  // Of the results from now on.
  void set_format(OutputFormat format) { format_ = format; }
  // To standard error, below what stands on standard output.
  void say(std::string_view text);

 private:
  struct StartedJob {
    JobId id;
    std::int64_t cpu_ns = 0;  // Of the process when it started.
    JobStatus status;         // As of the last look.
  };

  Status run_statement(const ast::Statement& statement, std::string_view script);
  Status show_table(const TableResult& result);
  Status run_insert(InsertJob job);
  Status run_query(const QueryJob& job);
  Status run_analyze(const AnalyzeJob& job);
  Status read_result(const QueryJob& job, const ConsoleSettings& settings,
                     const ResultPrinterOptions& options);
  Status print_rows(const QueryJob& job, const ResultPrinterOptions& options);
  // Until the end of the result; what `text` still holds was not written yet.
  Status read_rows(ResultPrinter& printer, std::int64_t& rows, std::string& text);
  // In a table that is painted over and over.
  Status show_rows(const QueryJob& job, const ConsoleSettings& settings,
                   const ResultPrinterOptions& options);
  Status collect_rows(ResultTable& table, bool with_keys);
  // Until somebody leaves the table.
  Status page_rows(ResultTable& table);
  // What was typed since the last time; true when somebody wants to leave.
  Result<bool> handle_keys(ResultTable& table, std::chrono::milliseconds wait);
  // Whether all of a table fits on the screen.
  [[nodiscard]] bool fits_screen(const ResultTable& table) const;
  void tell_rows(std::int64_t rows);

  Result<JobId> start(const StreamGraph& graph);
  // Until `id`, or every job when it is null, has ended.
  Status wait_for(const JobId* id);
  // Lets what runs be seen, at most ten times a second. An error when a job has failed or somebody
  // interrupts.
  Status look_after_jobs(ResultTable* table);
  // Asks for every job's status; says how those went that have ended.
  Status update_jobs();
  [[nodiscard]] bool is_running(const JobId& id) const;
  void tell_end(const StartedJob& job);
  // Ends the job that a typed statement waits for.
  void give_up_awaited();

  // Cancels all jobs, waits for their end, says why. Decides the exit code.
  void stop(const Status& cause);
  [[nodiscard]] Result<ResultPrinterOptions> printer_options() const;
  // Empties `text`.
  Status write_result(std::string& text);

  const StatementRunnerOptions options_;
  OutputFormat format_;
  bool is_typed_ = false;  // run_typed() is used.
  std::vector<StartedJob> running_;
  // The job that the statement under way waits for: its failure is the statement's.
  std::optional<JobId> awaited_;
  std::int64_t began_ns_ = 0;  // The statement under way.
  KeyReader keys_;
  std::unique_ptr<ResultReader> reader_;  // Of the SELECT under way; goes after its job.
  JobId read_;                            // That SELECT's job.
  std::int64_t looked_ns_ = 0;
  bool stopped_ = false;
  int exit_code_ = kExitSuccess;
};

}  // namespace clepsydra::console
