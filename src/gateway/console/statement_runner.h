// Runs scripts: statements one after the other, their jobs side by side.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/job_client.h"
#include "clepsydra/status.h"
#include "gateway/console/output_format.h"
#include "gateway/console/result_printer.h"
#include "sql/session.h"

namespace clepsydra {
class Clock;
class Configuration;
class Process;
}  // namespace clepsydra

namespace clepsydra::console {

class LiveDisplay;
class LiveTable;
class ResultOutput;

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
  const std::atomic<bool>* interrupted = nullptr;  // Set by whoever hears of an interrupt.
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

 private:
  struct StartedJob {
    JobId id;
    std::int64_t cpu_ns = 0;  // Of the process when it started.
    JobStatus status;         // As of the last look.
  };

  Status run_statement(const ast::Statement& statement, std::string_view script);
  Status show_table(const TableResult& result);
  Status run_insert(InsertJob job);
  Status run_query(QueryJob job);
  Status print_rows(const QueryJob& job, const ResultPrinterOptions& options);
  // Until the end of the result; what `text` still holds was not written yet.
  Status read_rows(ResultPrinter& printer, std::int64_t& rows, std::string& text);
  Status show_rows(const QueryJob& job, const ResultPrinterOptions& options);

  Result<JobId> start(const StreamGraph& graph);
  // Until `id`, or every job when it is null, has ended.
  Status wait_for(const JobId* id);
  // Lets what runs be seen, at most ten times a second. An error when a job has failed or somebody
  // interrupts.
  Status look_after_jobs(const LiveTable* table);
  // Asks for every job's status; says how those went that have ended.
  Status update_jobs();
  [[nodiscard]] bool is_running(const JobId& id) const;
  [[nodiscard]] std::vector<JobStatus> running_statuses() const;
  void tell_end(const StartedJob& job);

  // Cancels all jobs, waits for their end, says why. Decides the exit code.
  void stop(const Status& cause);
  [[nodiscard]] Result<ResultPrinterOptions> printer_options() const;
  // Empties `text`.
  Status write_result(std::string& text);
  // To standard error, below what stands on standard output.
  void say(std::string_view text);

  const StatementRunnerOptions options_;
  std::vector<StartedJob> running_;
  std::unique_ptr<ResultReader> reader_;  // Of the SELECT under way; goes after its job.
  JobId read_;                            // That SELECT's job.
  std::int64_t looked_ns_ = 0;
  bool stopped_ = false;
  int exit_code_ = kExitSuccess;
};

}  // namespace clepsydra::console
