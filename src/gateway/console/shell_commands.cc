#include "gateway/console/shell_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/utf8.h"
#include "gateway/console/progress.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra::console {
namespace {

constexpr std::size_t kShownCharacters = 64;
constexpr std::string_view kBlanks = " \t\r\n";

enum class Argument : std::uint8_t { kNone, kMaybe, kNeeded };

struct Form {
  std::string_view word;       // Empty: only behind a backslash.
  std::string_view backslash;  // Behind the backslash.
  ShellCommandKind kind;
  Argument argument = Argument::kNone;
};

constexpr auto kForms = std::to_array<Form>({
    {"help", "?", ShellCommandKind::kHelp},
    {"", "h", ShellCommandKind::kHelp},
    {"quit", "q", ShellCommandKind::kQuit},
    {"exit", "", ShellCommandKind::kQuit},
    {"clear", "c", ShellCommandKind::kClear},
    {"jobs", "j", ShellCommandKind::kJobs},
    {"cancel", "k", ShellCommandKind::kCancel, Argument::kNeeded},
    {"timing", "t", ShellCommandKind::kTiming, Argument::kMaybe},
    {"", "o", ShellCommandKind::kOutput, Argument::kMaybe},
    {"edit", "e", ShellCommandKind::kEdit},
    {"", "i", ShellCommandKind::kInput, Argument::kNeeded},
});

constexpr std::string_view kHelp =
    R"(Statements of SQL end with ';' and may have several lines. Beside them:

  help     \?            this text
  quit     \q  Ctrl-D    leaves; 'exit', too
  clear    \c  Ctrl-L    empties the screen
  jobs     \j            lists the running jobs
  cancel N \k N          cancels a job: its number, the beginning of its id, or 'all'
  timing   \t            says or hides how long a query took: 'timing on', 'timing off'
           \o FILE       writes results to a file; its name ends in .csv, .tsv or .json for
                         these formats; '\o' alone goes back to the terminal
           \i FILE       runs the statements of a file
  edit     \e            opens the statement in $EDITOR; Ctrl-X Ctrl-E, too

While typing: Tab completes, Ctrl-R searches what was typed before, arrows move in it, Alt-Enter
adds a line, Ctrl-C drops the line. While a query runs: Ctrl-C cancels it.
In a result: arrows, PgUp, PgDn, Home and End move, 's' sorts by the next column, 'r' reverses the
order, '/' searches, 'q' leaves. SET 'sql-client.execution.result-mode' = 'table', 'changelog' or
'tableau' says how results are shown.
)";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(begin);
  const std::size_t end = text.find_last_not_of(kBlanks);
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

}  // namespace

std::optional<ShellCommand> parse_shell_command(std::string_view text) {
  text = trimmed(text);
  while (text.ends_with(';')) text = trimmed(text.substr(0, text.size() - 1));
  if (text.empty() || text.find('\n') != std::string_view::npos) return std::nullopt;
  const bool has_backslash = text.starts_with('\\');
  if (has_backslash) text.remove_prefix(1);
  const std::size_t end = std::min(text.find_first_of(kBlanks), text.size());
  const std::string_view word = text.substr(0, end);
  const std::string_view argument = trimmed(text.substr(end));
  for (const Form& form : kForms) {
    const std::string_view name = form.word.empty() ? form.backslash : form.word;
    const bool is_it = same(word, form.word) || (has_backslash && word == form.backslash);
    if (!is_it || word.empty() || name.empty()) continue;
    if (form.argument == Argument::kNone ? !argument.empty()
                                         : form.argument == Argument::kNeeded && argument.empty()) {
      continue;
    }
    return ShellCommand{form.kind, std::string(argument)};
  }
  if (!has_backslash) return std::nullopt;
  return ShellCommand{ShellCommandKind::kUnknown, "\\" + clip(word, kShownCharacters)};
}

std::string_view shell_help() {
  return kHelp;
}

std::string job_table(std::span<const JobStatus> jobs, std::int64_t now_ms) {
  if (jobs.empty()) return "No job is running.\n";
  std::vector<std::vector<std::string>> rows = {
      {"nr", "job id", "name", "status", "since", "rows in", "rows out"}};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const JobTotals totals = totals_of(jobs[i]);
    rows.push_back(
        {fmt::format("{}", i + 1), jobs[i].id.to_string(), visible_text(jobs[i].name),
         std::string(job_phase_name(jobs[i].phase)),
         seconds_text(std::max<std::int64_t>(0, now_ms - jobs[i].started_ms) * 1'000'000),
         count_text(totals.rows_in), count_text(totals.rows_out)});
  }
  std::vector<int> widths(rows[0].size(), 0);
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  const TextTable table(std::move(widths));
  std::string text;
  table.append_border(text);
  table.append_row(rows[0], text);
  table.append_border(text);
  for (std::size_t i = 1; i < rows.size(); ++i) table.append_row(rows[i], text);
  table.append_border(text);
  return text;
}

Result<JobId> find_job(std::span<const JobStatus> jobs, std::string_view name) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  if (is_number && number >= 1 && number <= jobs.size()) return jobs[number - 1].id;
  std::optional<JobId> found;
  for (const JobStatus& job : jobs) {
    if (!job.id.to_string().starts_with(name)) continue;
    if (found) {
      return Status::invalid_argument(fmt::format("several jobs have an id that begins with '{}'",
                                                  clip(name, kShownCharacters)));
    }
    found = job.id;
  }
  if (found) return *found;
  return Status::not_found(
      fmt::format("no running job '{}'; 'jobs' lists them", clip(name, kShownCharacters)));
}

}  // namespace clepsydra::console
