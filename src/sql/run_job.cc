// SHOW JOBS, DESCRIBE JOB and STOP JOB.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "sql/ast/print.h"
#include "sql/statement_runner.h"
#include "stream/column_builder.h"

namespace clepsydra::sql {
namespace {

Result<StatementResult> job_table(const std::vector<JobStatus>& jobs) {
  const DataType text = DataType::string().with_nullable(false);
  BatchBuilder builder(
      make_schema({{"job id", text, {}},
                   {"job name", text, {}},
                   {"status", text, {}},
                   {"start time", DataType::timestamp_ltz(3).with_nullable(false), {}}}),
      literal_pool());
  for (const JobStatus& job : jobs) {
    builder.column(0).append_string(job.id.to_string());
    builder.column(1).append_string(job.name);
    builder.column(2).append_string(job_phase_name(job.phase));
    builder.column(3).append<std::int64_t>(job.started_ms);
    builder.commit_row();
  }
  CLP_ASSIGN_OR_RETURN(Batch batch, builder.finish());
  return StatementResult(TableResult{std::move(batch)});
}

}  // namespace

ast::SourceRange StatementRunner::place_of(const ast::Statement& statement,
                                           const std::string& text) const {
  const std::string quoted = ast::quote_string(text);
  const std::size_t at = text_.at(statement.range).find(quoted);
  if (at == std::string_view::npos) return statement.range;
  return {statement.range.begin + at, statement.range.begin + at + quoted.size()};
}

Result<StatementResult> StatementRunner::show_jobs(const ast::Statement& statement) {
  if (state_.jobs == nullptr) return refuse(statement, "SHOW JOBS here");
  Result<std::vector<JobStatus>> jobs = state_.jobs->list();
  if (!jobs.is_ok()) return text_.at_place(statement.range, jobs.status());
  return job_table(*jobs);
}

Result<JobStatus> StatementRunner::find_job(const ast::Statement& statement,
                                            const std::string& id) {
  const ast::SourceRange place = place_of(statement, id);
  const Result<JobId> parsed = JobId::parse(id);
  if (!parsed.is_ok()) return text_.at_place(place, parsed.status());
  Result<std::vector<JobStatus>> jobs = state_.jobs->list();
  if (!jobs.is_ok()) return text_.at_place(statement.range, jobs.status());
  std::vector<std::string> known;
  for (JobStatus& job : *jobs) {
    if (job.id == *parsed) return std::move(job);
    known.push_back(job.id.to_string());
  }
  std::string suggestion = did_you_mean_name(id, known);
  if (suggestion.empty()) suggestion = "SHOW JOBS lists those that are known";
  return text_.not_found(place, fmt::format("there is no job '{}'", id), std::move(suggestion));
}

Result<StatementResult> StatementRunner::describe_job(const ast::Describe& statement) {
  if (state_.jobs == nullptr) return refuse(statement, "DESCRIBE JOB here");
  CLP_ASSIGN_OR_RETURN(JobStatus job, find_job(statement, statement.job_id));
  return job_table({std::move(job)});
}

Result<StatementResult> StatementRunner::run_stop_job(const ast::StopJob& statement) {
  if (state_.jobs == nullptr) return refuse(statement, "STOP JOB here");
  const ast::SourceRange place = place_of(statement, statement.job_id);
  if (statement.with_drain && !statement.with_savepoint) {
    return text_.invalid(statement.range, "WITH DRAIN goes with a savepoint",
                         "write WITH SAVEPOINT WITH DRAIN");
  }
  CLP_ASSIGN_OR_RETURN(const JobStatus job, find_job(statement, statement.job_id));
  if (has_ended(job.phase)) {
    return text_.error(
        place,
        fmt::format("job '{}' has ended already: {}", statement.job_id, job_phase_name(job.phase)),
        {}, StatusCode::kFailedPrecondition);
  }
  if (!statement.with_savepoint) {
    const Status cancelled = state_.jobs->cancel(job.id);
    if (!cancelled.is_ok()) return text_.at_place(place, cancelled);
    return StatementResult(Done{fmt::format("Job '{}' is being cancelled.", job.name)});
  }
  Result<std::string> folder = state_.jobs->stop(job.id, statement.with_drain);
  if (!folder.is_ok()) return text_.at_place(place, folder.status());
  return text_table({"savepoint path"}, {{*std::move(folder)}});
}

}  // namespace clepsydra::sql
