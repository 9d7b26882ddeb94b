#include "main/command_line.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>

#include "base/check.h"
#include "base/edit_distance.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::string_view kVersion = "clepsydra " CLEPSYDRA_VERSION "\n";

constexpr std::string_view kUsage =
    R"(Usage: clepsydra COMMAND [OPTIONS]

Commands:
  sql          Runs SQL statements, or a shell to type them in; 'clepsydra sql --help'
               lists its options.
  list         Lists the jobs that run in processes of this user.
  cancel       Ends a job.
  savepoint    Makes a savepoint of a job, or looks at one.
  stop         Ends a job with a savepoint, from which it can go on later.
  checkpoint   Looks at checkpoints.

Options:
  -h, --help   This text, or that of a command.
  --version    The version.
)";

constexpr std::string_view kJobUsage =
    R"(Usage: clepsydra list [-a | -r]
       clepsydra cancel JOB
       clepsydra savepoint JOB [DIR]
       clepsydra stop [-p DIR] [--drain] JOB
       clepsydra checkpoint list DIR
       clepsydra checkpoint inspect PATH
       clepsydra savepoint inspect PATH
       clepsydra savepoint diff PATH PATH

JOB is the id of a job, or the beginning of it; 'clepsydra list' shows those of all
processes of this user. A savepoint goes below DIR (default:
execution.checkpointing.savepoint-dir of the job) and its folder is printed; a job
started with -D execution.state-recovery.path=FOLDER goes on from there.

Options:
  -a, --all                  list: jobs that have ended, too.
  -r, --running              list: only jobs that run.
  -p, --savepointPath DIR    stop: where the savepoint goes.
  -d, --drain                stop: gives out windows that are open first.
  -D KEY=VALUE               A setting, such as clepsydra.state-directory.
  -c, --config-dir DIR       Directory with a config.yaml.
  -h, --help                 This text.
)";

constexpr std::string_view kSqlUsage =
    R"(Usage: clepsydra sql [OPTIONS] [-e STATEMENTS | -f FILE]

Runs SQL statements, separated by semicolons, in this process. Results go to standard
output; progress, summaries and errors to standard error.

Without -e and -f the statements are read from standard input. When that is a terminal,
this is an interactive shell: statements are typed, edited, completed by Tab and run
behind ';'; 'help' lists its keys and commands, 'quit' leaves it.

Options:
  -e, --execute STATEMENTS   The statements.
  -f, --file FILE            A file with the statements.
  -i, --init FILE            Statements to run first.
  -D KEY=VALUE               A setting; wins over config.yaml, SET wins over it.
  -c, --config-dir DIR       Directory with a config.yaml.
  --format FORMAT            tableau, csv, tsv or json; default: tableau in a
                             terminal, else tsv.
  --history FILE             Where the shell keeps what was typed; default:
                             ~/.clepsydra-sql-history. Empty: nowhere.
  -h, --help                 This text.
  --version                  The version.

Exit codes: 0 all statements worked, 1 one failed, 2 wrong command line,
130 interrupted, 141 nobody reads standard output any more.
)";

struct OptionForm {
  char letter;             // 0: none.
  std::string_view name;   // Without the dashes; empty: none.
  std::string_view value;  // What follows; empty: nothing.
};

constexpr std::array<OptionForm, 10> kSqlOptions = {{{'e', "execute", "STATEMENTS"},
                                                     {'f', "file", "FILE"},
                                                     {'i', "init", "FILE"},
                                                     {'D', "", "KEY=VALUE"},
                                                     {'c', "config-dir", "DIR"},
                                                     {0, "format", "FORMAT"},
                                                     {0, "history", "FILE"},
                                                     {0, "detach", ""},
                                                     {'h', "help", ""},
                                                     {0, "version", ""}}};
constexpr std::array<OptionForm, 5> kListOptions = {{{'a', "all", ""},
                                                     {'r', "running", ""},
                                                     {'D', "", "KEY=VALUE"},
                                                     {'c', "config-dir", "DIR"},
                                                     {'h', "help", ""}}};
constexpr std::array<OptionForm, 5> kStopOptions = {{{'p', "savepointPath", "DIR"},
                                                     {'d', "drain", ""},
                                                     {'D', "", "KEY=VALUE"},
                                                     {'c', "config-dir", "DIR"},
                                                     {'h', "help", ""}}};
constexpr std::array<OptionForm, 3> kJobOptions = {
    {{'D', "", "KEY=VALUE"}, {'c', "config-dir", "DIR"}, {'h', "help", ""}}};
constexpr std::array<OptionForm, 1> kSnapshotOptions = {{{'h', "help", ""}}};

const std::vector<std::string> kCommands = {"sql",       "list", "cancel",
                                            "savepoint", "stop", "checkpoint"};

constexpr std::size_t kShownCharacters = 64;

std::string close_options(std::string_view word, std::span<const OptionForm> forms) {
  std::vector<std::string> names;
  for (const OptionForm& form : forms) {
    if (!form.name.empty()) names.push_back(fmt::format("--{}", form.name));
  }
  return did_you_mean(close_names(word, names));
}

// One option as found: "-fFILE", "-f FILE", "--file=FILE" or "--file FILE". A word that is no
// option has no form and is the value.
struct FoundOption {
  const OptionForm* form = nullptr;
  std::string spelling;
  std::string value;
};

class WordReader {
 public:
  WordReader(std::span<const std::string> words, std::span<const OptionForm> forms)
      : words_(words), forms_(forms) {}

  [[nodiscard]] bool at_end() const { return at_ == words_.size(); }
  Result<FoundOption> next();

 private:
  Result<FoundOption> with_value(const OptionForm& form, std::string spelling,
                                 std::optional<std::string_view> attached);

  std::span<const std::string> words_;
  std::span<const OptionForm> forms_;
  std::size_t at_ = 0;
};

Result<FoundOption> WordReader::next() {
  const std::string_view word = words_[at_++];
  if (word.size() < 2 || word[0] != '-') return FoundOption{nullptr, {}, std::string(word)};
  if (word[1] != '-') {
    for (const OptionForm& form : forms_) {
      if (form.letter != word[1]) continue;
      std::optional<std::string_view> attached;
      if (word.size() > 2) attached = word.substr(2);
      return with_value(form, std::string(word.substr(0, 2)), attached);
    }
  } else {
    const std::size_t equals = word.find('=');
    for (const OptionForm& form : forms_) {
      if (form.name.empty() || form.name != word.substr(2, equals - 2)) continue;
      std::optional<std::string_view> attached;
      if (equals != std::string_view::npos) attached = word.substr(equals + 1);
      return with_value(form, fmt::format("--{}", form.name), attached);
    }
  }
  const std::string shown = clip(word.substr(0, word.find('=')), kShownCharacters);
  return Status::invalid_argument(
      fmt::format("unknown option '{}'.{}", shown, close_options(shown, forms_)));
}

Result<FoundOption> WordReader::with_value(const OptionForm& form, std::string spelling,
                                           std::optional<std::string_view> attached) {
  FoundOption found{&form, std::move(spelling), {}};
  if (form.value.empty()) {
    if (!attached) return found;
    return Status::invalid_argument(fmt::format("option '{}' takes no value, found '{}'",
                                                found.spelling, clip(*attached, kShownCharacters)));
  }
  if (attached) {
    found.value = *attached;
    return found;
  }
  // Whatever comes next is the value, even with a dash: a SQL text may begin with a comment.
  if (at_end()) {
    return Status::invalid_argument(fmt::format("option '{}' needs a value: {} {}", found.spelling,
                                                found.spelling, form.value));
  }
  found.value = words_[at_++];
  return found;
}

Status set_once(const FoundOption& option, std::optional<std::string>& target) {
  if (target) {
    return Status::invalid_argument(
        fmt::format("option '{}' is given more than once", option.spelling));
  }
  target = option.value;
  return Status::ok();
}

Status apply(const FoundOption& option, SqlCommand& command) {
  switch (option.form->letter) {
    case 'e':
      return set_once(option, command.statements);
    case 'f':
      return set_once(option, command.file);
    case 'i':
      return set_once(option, command.init_file);
    case 'c':
      return set_once(option, command.configuration_directory);
    case 'D':
      command.settings.push_back(option.value);
      return Status::ok();
    default:
      break;
  }
  if (option.form->name == "detach") {
    return Status::unimplemented(
        "--detach is not built yet: a job runs in this process and ends with it");
  }
  if (option.form->name == "history") return set_once(option, command.history_file);
  CLP_CHECK(option.form->name == "format");
  CLP_ASSIGN_OR_RETURN(command.format, console::parse_output_format(option.value));
  return Status::ok();
}

Result<Command> parse_sql_command(std::span<const std::string> words) {
  SqlCommand command;
  WordReader reader(words, kSqlOptions);
  while (!reader.at_end()) {
    CLP_ASSIGN_OR_RETURN(const FoundOption option, reader.next());
    if (option.form == nullptr) {
      return Status::invalid_argument(
          fmt::format("unexpected argument '{}'; statements stand behind -e, a file behind -f",
                      clip(option.value, kShownCharacters)));
    }
    if (option.form->name == "help") return Command(ShowText{std::string(kSqlUsage)});
    if (option.form->name == "version") return Command(ShowText{std::string(kVersion)});
    CLP_RETURN_IF_ERROR(apply(option, command));
  }
  if (command.statements && command.file) {
    return Status::invalid_argument("give the statements by -e or by -f, not by both");
  }
  return Command(std::move(command));
}

Status apply(const FoundOption& option, JobCommand& command) {
  switch (option.form->letter) {
    case 'a':
      command.lists_ended = true;
      return Status::ok();
    case 'r':
      command.lists_only_running = true;
      return Status::ok();
    case 'p':
      command.directory = option.value;
      return Status::ok();
    case 'd':
      command.drain = true;
      return Status::ok();
    case 'c':
      return set_once(option, command.configuration_directory);
    default:
      CLP_CHECK(option.form->letter == 'D');
      command.settings.push_back(option.value);
      return Status::ok();
  }
}

// Exactly `min` to `max` words that are no options.
Status check_count(const std::vector<std::string>& arguments, std::size_t min, std::size_t max,
                   std::string_view usage) {
  if (arguments.size() > max) {
    return Status::invalid_argument(fmt::format("unexpected argument '{}', usage: clepsydra {}",
                                                clip(arguments[max], kShownCharacters), usage));
  }
  if (arguments.size() < min) {
    return Status::invalid_argument(
        fmt::format("an argument is missing, usage: clepsydra {}", usage));
  }
  return Status::ok();
}

Result<Command> parse_job_command(JobCommand::Action action, std::span<const std::string> words) {
  using enum JobCommand::Action;
  JobCommand command;
  command.action = action;
  std::span<const OptionForm> forms = kJobOptions;
  if (action == kList) forms = kListOptions;
  if (action == kStop) forms = kStopOptions;
  std::vector<std::string> arguments;
  WordReader reader(words, forms);
  while (!reader.at_end()) {
    CLP_ASSIGN_OR_RETURN(FoundOption option, reader.next());
    if (option.form == nullptr) {
      arguments.push_back(std::move(option.value));
    } else if (option.form->name == "help") {
      return Command(ShowText{std::string(kJobUsage)});
    } else {
      CLP_RETURN_IF_ERROR(apply(option, command));
    }
  }
  switch (action) {
    case kList:
      CLP_RETURN_IF_ERROR(check_count(arguments, 0, 0, "list [-a | -r]"));
      return Command(std::move(command));
    case kCancel:
      CLP_RETURN_IF_ERROR(check_count(arguments, 1, 1, "cancel JOB"));
      break;
    case kSavepoint:
      CLP_RETURN_IF_ERROR(check_count(arguments, 1, 2, "savepoint JOB [DIR]"));
      break;
    case kStop:
      CLP_RETURN_IF_ERROR(check_count(arguments, 1, 1, "stop [-p DIR] [--drain] JOB"));
      break;
  }
  command.job = arguments[0];
  if (arguments.size() > 1) command.directory = arguments[1];
  return Command(std::move(command));
}

Result<Command> parse_snapshot_command(SnapshotCommand::Action action,
                                       std::span<const std::string> words, std::string_view usage) {
  SnapshotCommand command;
  command.action = action;
  WordReader reader(words, kSnapshotOptions);
  while (!reader.at_end()) {
    CLP_ASSIGN_OR_RETURN(FoundOption option, reader.next());
    if (option.form != nullptr) return Command(ShowText{std::string(kJobUsage)});
    command.paths.push_back(std::move(option.value));
  }
  const std::size_t count = action == SnapshotCommand::Action::kDiff ? 2 : 1;
  CLP_RETURN_IF_ERROR(check_count(command.paths, count, count, usage));
  return Command(std::move(command));
}

}  // namespace

Result<Command> parse_command_line(std::span<const std::string> words) {
  if (words.empty()) return Status::invalid_argument("a command is missing, such as 'sql'");
  using SnapshotAction = SnapshotCommand::Action;
  const std::string& first = words.front();
  const std::string_view second = words.size() > 1 ? std::string_view(words[1]) : "";
  const std::span<const std::string> rest = words.subspan(1);
  if (first == "sql") return parse_sql_command(rest);
  if (first == "list") return parse_job_command(JobCommand::Action::kList, rest);
  if (first == "cancel") return parse_job_command(JobCommand::Action::kCancel, rest);
  if (first == "stop") return parse_job_command(JobCommand::Action::kStop, rest);
  // No job id begins with these words: they have letters behind "f".
  if (first == "savepoint" && second == "inspect") {
    return parse_snapshot_command(SnapshotAction::kInspect, words.subspan(2),
                                  "savepoint inspect PATH");
  }
  if (first == "savepoint" && second == "diff") {
    return parse_snapshot_command(SnapshotAction::kDiff, words.subspan(2),
                                  "savepoint diff PATH PATH");
  }
  if (first == "savepoint") return parse_job_command(JobCommand::Action::kSavepoint, rest);
  if (first == "checkpoint" && second == "list") {
    return parse_snapshot_command(SnapshotAction::kList, words.subspan(2), "checkpoint list DIR");
  }
  if (first == "checkpoint" && second == "inspect") {
    return parse_snapshot_command(SnapshotAction::kInspect, words.subspan(2),
                                  "checkpoint inspect PATH");
  }
  if (first == "checkpoint") {
    if (second == "--help" || second == "-h") return Command(ShowText{std::string(kJobUsage)});
    return Status::invalid_argument(
        fmt::format("unknown command 'checkpoint {}', expected 'checkpoint list DIR' or "
                    "'checkpoint inspect PATH'",
                    clip(second, kShownCharacters)));
  }
  if (first == "--version") return Command(ShowText{std::string(kVersion)});
  if (first == "--help" || first == "-h") return Command(ShowText{std::string(kUsage)});
  if (first.starts_with('-')) {
    return Status::invalid_argument(
        fmt::format("unknown option '{}', expected a command, "
                    "'--help' or '--version'",
                    clip(first, kShownCharacters)));
  }
  return Status::invalid_argument(fmt::format("unknown command '{}', expected {}{}",
                                              clip(first, kShownCharacters),
                                              "sql, list, cancel, savepoint, stop or checkpoint",
                                              did_you_mean(close_names(first, kCommands))));
}

std::string_view sql_usage() {
  return kSqlUsage;
}

}  // namespace clepsydra
