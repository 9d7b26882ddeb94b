#include "gateway/console/statement_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "base/process.h"
#include "base/terminal.h"
#include "gateway/console/live_display.h"
#include "gateway/console/result_output.h"
#include "gateway/console/result_table.h"
#include "gateway/console/summary.h"
#include "gateway/console/terminal_text.h"
#include "sql/grammar/parser.h"
#include "sql/settings.h"

namespace clepsydra::console {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{100};
constexpr std::int64_t kLookEveryNs = 100'000'000;
// Text of a result that is handed on at once.
constexpr std::size_t kChunkBytes = std::size_t{1} << 16;

constexpr ConfigOption<bool> kDmlSync{"table.dml-sync", "false", "INSERT waits for its end"};
constexpr ConfigOption<std::int32_t> kColumnWidth{"table.display.max-column-width", "30",
                                                  "width of columns of text in tableau"};
constexpr std::string_view kColumnWidthOldKey = "sql-client.display.max-column-width";

std::string error_text(const Status& status) {
  const std::string_view kind = status.code() == StatusCode::kInternal ? "internal error" : "error";
  return fmt::format("{}: {}\n", kind, status.message());
}

Status failure_of(const JobStatus& job) {
  const std::string what = fmt::format("job '{}' failed", job.name);
  if (!job.error.is_ok()) return job.error.with_context(what);
  return Status::cancelled(fmt::format("job '{}' was cancelled", job.name));
}

}  // namespace

StatementRunner::StatementRunner(const StatementRunnerOptions& options)
    : options_(options), format_(options.format) {}

StatementRunner::~StatementRunner() {
  // Left without finish(): nobody waits for the jobs any more.
  for (const StartedJob& job : running_) (void)options_.jobs->cancel(job.id);
}

bool StatementRunner::run(std::string_view script, std::string_view name) {
  const auto in_script = [name](const Status& status) {
    return name.empty() ? status : status.with_context(name);
  };
  grammar::ScriptReader reader(script);
  while (!stopped_) {
    if (options_.interrupted->load()) {
      stop(Status::ok());
      break;
    }
    const auto next = reader.next();
    if (!next.is_ok()) {
      stop(in_script(next.status()));
      break;
    }
    if (!next->has_value()) return true;
    if (const Status status = run_statement(*(*next)->statement, script); !status.is_ok()) {
      stop(in_script(status));
    }
  }
  return false;
}

int StatementRunner::finish() {
  if (!stopped_) {
    if (const Status status = wait_for(nullptr); !status.is_ok()) stop(status);
  }
  options_.display->finish(running_statuses(), nullptr);
  if (const Status status = options_.output->flush(); !status.is_ok() && !stopped_) stop(status);
  return exit_code_;
}

bool StatementRunner::run_typed(std::string_view text, std::string_view name) {
  is_typed_ = true;
  grammar::ScriptReader reader(text);
  while (true) {
    const auto next = reader.next();
    if (next.is_ok() && !next->has_value()) return true;
    if (next.is_ok() && (*next)->statement->kind == ast::StatementKind::kClientCommand &&
        options_.client_command) {
      const auto& command = (*next)->statement->as<ast::ClientCommand>();
      if (!options_.client_command(command.command)) return true;
      continue;
    }
    began_ns_ = options_.clock->monotonic_ns();
    const Status status = next.is_ok() ? run_statement(*(*next)->statement, text) : next.status();
    const bool interrupted = options_.interrupted->exchange(false);
    if (status.is_ok() && !interrupted) continue;
    give_up_awaited();
    if (interrupted) {
      say("Interrupted.\n");
    } else {
      say(error_text(name.empty() ? status : status.with_context(name)));
    }
    return false;
  }
}

void StatementRunner::look() {
  const Status status = update_jobs();
  if (!status.is_ok()) say(error_text(status));
}

Status StatementRunner::cancel(const JobId& id) {
  return options_.jobs->cancel(id);
}

void StatementRunner::cancel_all() {
  for (const StartedJob& job : running_) (void)options_.jobs->cancel(job.id);
  reader_.reset();
  while (!running_.empty()) {
    if (!options_.jobs->wait(running_.front().id, kLookEvery).is_ok()) break;
    (void)update_jobs();  // Whoever cancels has a cause already.
  }
  options_.display->finish({}, nullptr);
}

void StatementRunner::give_up_awaited() {
  if (!awaited_) return;
  const JobId id = *awaited_;
  (void)options_.jobs->cancel(id);
  reader_.reset();
  while (is_running(id)) {
    if (!options_.jobs->wait(id, kLookEvery).is_ok()) break;
    (void)update_jobs();  // The statement's own error is told.
  }
  awaited_.reset();
  options_.display->make_way();
}

Status StatementRunner::run_statement(const ast::Statement& statement, std::string_view script) {
  if (statement.kind == ast::StatementKind::kSet) {
    const auto& option = statement.as<ast::SetOption>().option;
    if (option) CLP_RETURN_IF_ERROR(check_console_setting(option->key, option->value));
  }
  CLP_ASSIGN_OR_RETURN(StatementResult result, options_.session->execute(statement, script));
  if (const auto* done = std::get_if<Done>(&result)) {
    // For people: a script that works needs no answer to each statement.
    if (options_.process->standard_error().is_terminal()) say(done->message + "\n");
    return Status::ok();
  }
  if (const auto* table = std::get_if<TableResult>(&result)) return show_table(*table);
  if (const auto* query = std::get_if<QueryJob>(&result)) return run_query(*query);
  if (const auto* analyze = std::get_if<AnalyzeJob>(&result)) return run_analyze(*analyze);
  return run_insert(std::get<InsertJob>(std::move(result)));
}

Status StatementRunner::show_table(const TableResult& result) {
  CLP_ASSIGN_OR_RETURN(const ResultPrinterOptions options, printer_options());
  options_.display->make_way();
  CLP_RETURN_IF_ERROR(options_.output->begin_result());
  CLP_RETURN_IF_ERROR(options_.output->write_result(print_table(result.rows, options)));
  return options_.output->end_result();
}

Status StatementRunner::run_insert(InsertJob job) {
  CLP_ASSIGN_OR_RETURN(const bool waits, options_.configuration->get(kDmlSync));
  CLP_ASSIGN_OR_RETURN(const JobId id, start(job.graph));
  std::string text = fmt::format("Job '{}' has started, delivery: {}\n", job.graph.name,
                                 job.guarantee.empty() ? "unknown" : job.guarantee);
  say(text);
  if (!waits) return look_after_jobs(nullptr);
  awaited_ = id;
  CLP_RETURN_IF_ERROR(wait_for(&id));
  awaited_.reset();
  return Status::ok();
}

Status StatementRunner::run_query(const QueryJob& job) {
  CLP_ASSIGN_OR_RETURN(const ResultPrinterOptions options, printer_options());
  CLP_ASSIGN_OR_RETURN(const ConsoleSettings settings,
                       read_console_settings(*options_.configuration));
  if (job.changelog != ChangelogKind::kInsertOnly && options.format != OutputFormat::kTableau) {
    return Status::unimplemented(
        "csv, tsv and json cannot say that a row of a result is updated; INSERT it into a table, "
        "or "
        "print it as tableau");
  }
  CLP_ASSIGN_OR_RETURN(const JobId id, start(job.graph));
  awaited_ = id;
  CLP_ASSIGN_OR_RETURN(reader_, options_.jobs->fetch_results(id, job.result_name));
  read_ = id;
  CLP_RETURN_IF_ERROR(read_result(job, settings, options));
  reader_.reset();
  CLP_RETURN_IF_ERROR(wait_for(&id));
  awaited_.reset();
  return Status::ok();
}

Status StatementRunner::run_analyze(const AnalyzeJob& job) {
  CLP_ASSIGN_OR_RETURN(const JobId id, start(job.query.graph));
  awaited_ = id;
  CLP_ASSIGN_OR_RETURN(reader_, options_.jobs->fetch_results(id, job.query.result_name));
  read_ = id;
  std::optional<Batch> row;
  while (true) {
    CLP_RETURN_IF_ERROR(look_after_jobs(nullptr));
    CLP_ASSIGN_OR_RETURN(ResultReader::Fetched fetched, reader_->next(kLookEvery));
    if (fetched.state == ResultReader::State::kEnd) break;
    if (fetched.state == ResultReader::State::kBatch && fetched.batch.rows() > 0) {
      row = std::move(fetched.batch);
    }
  }
  reader_.reset();
  CLP_RETURN_IF_ERROR(wait_for(&id));
  awaited_.reset();
  say(job.finish(row ? &*row : nullptr).message + "\n");
  return Status::ok();
}

Status StatementRunner::read_result(const QueryJob& job, const ConsoleSettings& settings,
                                    const ResultPrinterOptions& options) {
  // Who types wants to look around; a script shows what never ends, and prints the rest.
  const bool is_shown =
      options_.terminal != nullptr ? settings.mode != ResultMode::kTableau : !job.is_bounded;
  const bool can_show = options.format == OutputFormat::kTableau &&
                        options_.display->shows_rows() && options_.output->is_terminal();
  return is_shown && can_show ? show_rows(job, settings, options) : print_rows(job, options);
}

// In the order of emission, as soon as they come.
Status StatementRunner::print_rows(const QueryJob& job, const ResultPrinterOptions& options) {
  const std::unique_ptr<ResultPrinter> printer = make_stream_printer(job.schema, options);
  if (options_.output->is_terminal()) options_.display->make_way();
  CLP_RETURN_IF_ERROR(options_.output->begin_result());
  std::string text;
  printer->begin(text);
  std::int64_t rows = 0;
  const Status status = read_rows(*printer, rows, text);
  if (status.is_ok()) printer->end(text);
  // Also after an error: these rows came before it.
  CLP_RETURN_IF_ERROR(write_result(text));
  CLP_RETURN_IF_ERROR(options_.output->end_result());
  if (options.format == OutputFormat::kTableau && options_.output->is_terminal()) tell_rows(rows);
  return status;
}

Status StatementRunner::read_rows(ResultPrinter& printer, std::int64_t& rows, std::string& text) {
  while (true) {
    CLP_RETURN_IF_ERROR(look_after_jobs(nullptr));
    CLP_ASSIGN_OR_RETURN(ResultReader::Fetched fetched, reader_->try_next());
    if (fetched.state == ResultReader::State::kNothingYet) {
      // Nothing more is waiting: what there is should be seen now.
      CLP_RETURN_IF_ERROR(write_result(text));
      CLP_RETURN_IF_ERROR(options_.output->flush());
      CLP_ASSIGN_OR_RETURN(fetched, reader_->next(kLookEvery));
    }
    if (fetched.state == ResultReader::State::kEnd) return Status::ok();
    if (fetched.state == ResultReader::State::kNothingYet) continue;
    rows += fetched.batch.rows();
    printer.rows(fetched.batch, text);
    if (text.size() >= kChunkBytes) CLP_RETURN_IF_ERROR(write_result(text));
  }
}

Status StatementRunner::show_rows(const QueryJob& job, const ConsoleSettings& settings,
                                  const ResultPrinterOptions& options) {
  const bool is_typed = options_.terminal != nullptr;
  const bool applies_changes = is_typed && settings.mode == ResultMode::kTable;
  if (applies_changes && job.changelog == ChangelogKind::kUpsert) {
    return Status::unimplemented(
        "a table of rows that are updated by key is not built yet; SET "
        "'sql-client.execution.result-mode' = 'changelog'");
  }
  ResultTable table(job.schema, {.zone = options.zone,
                                 .max_column_width = options.max_column_width,
                                 .rows_max = is_typed ? settings.table_rows_max : kLiveRowsMax,
                                 .shows_changes = !applies_changes,
                                 .has_updates = job.changelog != ChangelogKind::kInsertOnly,
                                 .has_keys = is_typed && !job.is_bounded});
  // What ends by itself is looked at when it has ended.
  Status status = collect_rows(table, is_typed && !job.is_bounded);
  if (is_typed && !status.is_ok() && table.received() == 0) return status;
  if (is_typed && status.is_ok()) {
    table.complete();
    if (fits_screen(table)) {
      options_.display->make_way();
      CLP_RETURN_IF_ERROR(options_.output->begin_result());
      CLP_RETURN_IF_ERROR(options_.output->write_result(table.whole_text()));
      CLP_RETURN_IF_ERROR(options_.output->end_result());
    } else {
      status = page_rows(table);
    }
  } else {
    // However it ended: the last rows stay in sight.
    options_.display->finish(running_statuses(), &table);
  }
  tell_rows(table.received());
  return status;
}

Status StatementRunner::collect_rows(ResultTable& table, bool with_keys) {
  ResultTable* shown = with_keys || options_.terminal == nullptr ? &table : nullptr;
  while (true) {
    CLP_RETURN_IF_ERROR(look_after_jobs(shown));
    if (with_keys) {
      CLP_ASSIGN_OR_RETURN(const bool leaves, handle_keys(table, milliseconds(0)));
      if (leaves) {
        options_.interrupted->store(true);
        return Status::cancelled("interrupted");
      }
    }
    CLP_ASSIGN_OR_RETURN(ResultReader::Fetched fetched, reader_->next(kLookEvery));
    if (fetched.state == ResultReader::State::kEnd) return Status::ok();
    if (fetched.state == ResultReader::State::kBatch) table.add(std::move(fetched.batch));
  }
}

Status StatementRunner::page_rows(ResultTable& table) {
  table.show_keys();
  while (true) {
    if (options_.interrupted->exchange(false)) break;
    options_.display->repaint({}, &table);
    CLP_ASSIGN_OR_RETURN(const bool leaves, handle_keys(table, kLookEvery));
    if (leaves) break;
  }
  options_.display->finish({}, &table);
  return Status::ok();
}

Result<bool> StatementRunner::handle_keys(ResultTable& table, milliseconds wait) {
  CLP_ASSIGN_OR_RETURN(const TypedText typed, options_.terminal->read(wait));
  if (typed.at_end) return true;
  if (typed.bytes.empty()) {
    keys_.settle();
  } else {
    keys_.feed(typed.bytes);
  }
  bool has_changed = false;
  for (Key key; keys_.next(key); has_changed = true) {
    if (table.handle(key)) return true;
  }
  if (has_changed) options_.display->repaint(running_statuses(), &table);
  return false;
}

bool StatementRunner::fits_screen(const ResultTable& table) const {
  const TerminalSize size = options_.display->size();
  const std::size_t frame_and_prompt = 6;
  if (table.size() + frame_and_prompt > static_cast<std::size_t>(std::max(0, size.rows)))
    return false;
  const std::string text = table.whole_text();
  return display_width(std::string_view(text).substr(0, text.find('\n'))) < size.columns;
}

void StatementRunner::tell_rows(std::int64_t rows) {
  const Result<ConsoleSettings> settings = read_console_settings(*options_.configuration);
  std::string took;
  if (is_typed_ && settings.is_ok() && settings->print_time_cost) {
    took = fmt::format(" in {}", seconds_text(options_.clock->monotonic_ns() - began_ns_));
  }
  say(fmt::format("Received a total of {}{}\n", rows_text(rows), took));
}

Result<JobId> StatementRunner::start(const StreamGraph& graph) {
  if (running_.size() >= kRunningJobsMax) {
    return Status::resource_exhausted(
        fmt::format("cannot start job '{}': {} jobs of this script are running; SET "
                    "'table.dml-sync' = 'true' runs them one after the other",
                    graph.name, running_.size()));
  }
  CLP_ASSIGN_OR_RETURN(const JobGraph job_graph, build_job_graph(graph));
  StartedJob job;
  job.cpu_ns = options_.process->resource_usage().cpu_ns;
  CLP_ASSIGN_OR_RETURN(job.id, options_.jobs->submit(job_graph));
  job.status.id = job.id;
  job.status.name = graph.name;
  running_.push_back(job);
  return job.id;
}

Status StatementRunner::wait_for(const JobId* id) {
  while (id == nullptr ? !running_.empty() : is_running(*id)) {
    CLP_RETURN_IF_ERROR(
        options_.jobs->wait(id == nullptr ? running_.front().id : *id, kLookEvery).status());
    looked_ns_ = 0;  // Its end should be told now.
    CLP_RETURN_IF_ERROR(look_after_jobs(nullptr));
  }
  return Status::ok();
}

Status StatementRunner::look_after_jobs(ResultTable* table) {
  if (options_.interrupted->load()) return Status::cancelled("interrupted");
  const std::int64_t now_ns = options_.clock->monotonic_ns();
  if (looked_ns_ != 0 && now_ns - looked_ns_ < kLookEveryNs) return Status::ok();
  looked_ns_ = now_ns;
  CLP_RETURN_IF_ERROR(update_jobs());
  if (options_.display->is_due() && !running_.empty()) {
    options_.display->tick(running_statuses(), table);
  }
  return Status::ok();
}

Status StatementRunner::update_jobs() {
  Status failure;
  std::vector<StartedJob> running;
  std::vector<StartedJob> ended;
  for (StartedJob& job : running_) {
    Result<JobStatus> status = options_.jobs->status(job.id);
    if (!status.is_ok()) {
      if (failure.is_ok()) failure = status.status();
      continue;
    }
    job.status = *std::move(status);
    // The end of the SELECT under way is told when its rows have been shown.
    const bool is_over = has_ended(job.status.phase) && !(reader_ != nullptr && job.id == read_);
    (is_over ? ended : running).push_back(std::move(job));
  }
  running_ = std::move(running);
  for (const StartedJob& job : ended) {
    tell_end(job);
    if (job.status.phase == JobPhase::kFinished) continue;
    if (is_typed_ && awaited_ != job.id) {
      // Nobody waits for it: it is told, and was asked for when it was cancelled.
      if (!job.status.error.is_ok()) say(error_text(failure_of(job.status)));
    } else if (failure.is_ok()) {
      failure = failure_of(job.status);
    }
  }
  return failure;
}

bool StatementRunner::is_running(const JobId& id) const {
  return std::any_of(running_.begin(), running_.end(),
                     [&id](const StartedJob& job) { return job.id == id; });
}

std::vector<JobStatus> StatementRunner::running_statuses() const {
  std::vector<JobStatus> statuses;
  statuses.reserve(running_.size());
  for (const StartedJob& job : running_) statuses.push_back(job.status);
  return statuses;
}

void StatementRunner::tell_end(const StartedJob& job) {
  // Of a query that was typed the rows are enough, unless some are missing.
  const JobTotals totals = totals_of(job.status);
  const bool is_query = awaited_ == job.id && read_ == job.id;
  if (is_typed_ && is_query && totals.late_rows == 0 && totals.dropped_rows == 0) {
    const Result<ConsoleSettings> settings = read_console_settings(*options_.configuration);
    if (settings.is_ok() && !settings->verbose) return;
  }
  const ResourceUsage usage = options_.process->resource_usage();
  // What the job printed last comes before what is said about it.
  if (running_.empty()) options_.display->finish({}, nullptr);
  say(summary_text(job.status, {.cpu_ns = usage.cpu_ns - job.cpu_ns,
                                .peak_resident_bytes = usage.peak_resident_bytes}));
}

void StatementRunner::stop(const Status& cause) {
  stopped_ = true;
  const bool interrupted = options_.interrupted->load();
  // Whatever fails because nobody reads any more: there is nobody to tell.
  const bool is_closed = !interrupted && options_.output->is_closed();
  exit_code_ = interrupted ? kExitInterrupted : is_closed ? kExitClosedPipe : kExitFailure;
  cancel_all();
  if (!interrupted && !is_closed) say(error_text(cause));
}

Result<ResultPrinterOptions> StatementRunner::printer_options() const {
  ResultPrinterOptions options;
  options.format = format_;
  CLP_ASSIGN_OR_RETURN(const sql::PlannerSettings settings,
                       sql::read_planner_settings(*options_.configuration));
  CLP_ASSIGN_OR_RETURN(options.zone, find_time_zone(settings.zone));
  ConfigOption<std::int32_t> width = kColumnWidth;
  if (!options_.configuration->contains(width.key)) width.key = kColumnWidthOldKey;
  CLP_ASSIGN_OR_RETURN(options.max_column_width, options_.configuration->get(width));
  if (options.max_column_width < 1) {
    return Status::invalid_argument(
        fmt::format("'{}' must be at least 1, but is {}", width.key, options.max_column_width));
  }
  return options;
}

Status StatementRunner::write_result(std::string& text) {
  if (text.empty()) return Status::ok();
  const bool to_terminal = options_.output->is_terminal();
  if (to_terminal) options_.display->make_way();
  const Status status = options_.output->write_result(text);
  text.clear();
  if (!status.is_ok() || !to_terminal) return status;
  return options_.output->flush();
}

void StatementRunner::say(std::string_view text) {
  options_.display->make_way();
  (void)options_.output->flush();  // Its errors come back with the next result or in finish().
  (void)options_.process->standard_error().write(text);  // Nowhere else to complain.
}

}  // namespace clepsydra::console
