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
  sql          Runs SQL statements; 'clepsydra sql --help' lists its options.

Options:
  -h, --help   This text.
  --version    The version.
)";

constexpr std::string_view kSqlUsage =
    R"(Usage: clepsydra sql [OPTIONS] (-e STATEMENTS | -f FILE)

Runs SQL statements, separated by semicolons, in this process. Without -e and -f they
are read from standard input, unless that is a terminal. Results go to standard
output; progress, summaries and errors to standard error.

Options:
  -e, --execute STATEMENTS   The statements.
  -f, --file FILE            A file with the statements.
  -i, --init FILE            Statements to run first.
  -D KEY=VALUE               A setting; wins over config.yaml, SET wins over it.
  -c, --config-dir DIR       Directory with a config.yaml.
  --format FORMAT            tableau, csv, tsv or json; default: tableau in a
                             terminal, else tsv.
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

constexpr std::array<OptionForm, 9> kSqlOptions = {{{'e', "execute", "STATEMENTS"},
                                                    {'f', "file", "FILE"},
                                                    {'i', "init", "FILE"},
                                                    {'D', "", "KEY=VALUE"},
                                                    {'c', "config-dir", "DIR"},
                                                    {0, "format", "FORMAT"},
                                                    {0, "detach", ""},
                                                    {'h', "help", ""},
                                                    {0, "version", ""}}};

constexpr std::size_t kShownCharacters = 64;

std::string close_options(std::string_view word) {
  std::vector<std::string> names;
  for (const OptionForm& form : kSqlOptions) {
    if (!form.name.empty()) names.push_back(fmt::format("--{}", form.name));
  }
  return did_you_mean(close_names(word, names));
}

// One option as found: "-fFILE", "-f FILE", "--file=FILE" or "--file FILE".
struct FoundOption {
  const OptionForm* form = nullptr;
  std::string spelling;
  std::string value;
};

class WordReader {
 public:
  explicit WordReader(std::span<const std::string> words) : words_(words) {}

  [[nodiscard]] bool at_end() const { return at_ == words_.size(); }
  Result<FoundOption> next();

 private:
  Result<FoundOption> with_value(const OptionForm& form, std::string spelling,
                                 std::optional<std::string_view> attached);

  std::span<const std::string> words_;
  std::size_t at_ = 0;
};

Result<FoundOption> WordReader::next() {
  const std::string_view word = words_[at_++];
  if (word.size() < 2 || word[0] != '-') {
    return Status::invalid_argument(
        fmt::format("unexpected argument '{}'; statements stand behind -e, a file behind -f",
                    clip(word, kShownCharacters)));
  }
  if (word[1] != '-') {
    for (const OptionForm& form : kSqlOptions) {
      if (form.letter != word[1]) continue;
      std::optional<std::string_view> attached;
      if (word.size() > 2) attached = word.substr(2);
      return with_value(form, std::string(word.substr(0, 2)), attached);
    }
  } else {
    const std::size_t equals = word.find('=');
    for (const OptionForm& form : kSqlOptions) {
      if (form.name.empty() || form.name != word.substr(2, equals - 2)) continue;
      std::optional<std::string_view> attached;
      if (equals != std::string_view::npos) attached = word.substr(equals + 1);
      return with_value(form, fmt::format("--{}", form.name), attached);
    }
  }
  const std::string shown = clip(word.substr(0, word.find('=')), kShownCharacters);
  return Status::invalid_argument(
      fmt::format("unknown option '{}'.{}", shown, close_options(shown)));
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
  CLP_CHECK(option.form->name == "format");
  CLP_ASSIGN_OR_RETURN(command.format, console::parse_output_format(option.value));
  return Status::ok();
}

Result<Command> parse_sql_command(std::span<const std::string> words) {
  SqlCommand command;
  WordReader reader(words);
  while (!reader.at_end()) {
    CLP_ASSIGN_OR_RETURN(const FoundOption option, reader.next());
    if (option.form->name == "help") return Command(ShowText{std::string(kSqlUsage)});
    if (option.form->name == "version") return Command(ShowText{std::string(kVersion)});
    CLP_RETURN_IF_ERROR(apply(option, command));
  }
  if (command.statements && command.file) {
    return Status::invalid_argument("give the statements by -e or by -f, not by both");
  }
  return Command(std::move(command));
}

}  // namespace

Result<Command> parse_command_line(std::span<const std::string> words) {
  if (words.empty()) return Status::invalid_argument("a command is missing, such as 'sql'");
  const std::string& first = words.front();
  if (first == "sql") return parse_sql_command(words.subspan(1));
  if (first == "--version") return Command(ShowText{std::string(kVersion)});
  if (first == "--help" || first == "-h") return Command(ShowText{std::string(kUsage)});
  const std::string_view kind = first.starts_with('-') ? "option" : "command";
  return Status::invalid_argument(
      fmt::format("unknown {} '{}', expected 'sql', '--help' or "
                  "'--version'",
                  kind, clip(first, kShownCharacters)));
}

std::string_view sql_usage() {
  return kSqlUsage;
}

}  // namespace clepsydra
