// Compares one corpus of this folder with what the engine answers, in one process. Prints every
// difference that is not known, every known one that is none any more, and a table of the
// categories. How it is called: README.md.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/local_file_system.h"
#include "tests/golden/case_file.h"
#include "tests/golden/engine.h"
#include "tests/golden/function_reference.h"
#include "tests/golden/subquery_case.h"

namespace clepsydra::golden {
namespace {

constexpr std::string_view kErrorPrefix = "ERROR:";
constexpr std::string_view kNotYet = "not_yet.txt";

struct Count {
  int passed = 0;
  int listed = 0;  // In differences.md.
  int not_yet = 0;
  int failed = 0;  // Differences that nobody knows.
  int stale = 0;   // Of those passed: still on a list.
  int left_out = 0;
};

struct Arguments {
  std::string corpus;
  std::string folder;
  std::string only;       // A case or a category; empty: all.
  bool show_all = false;  // Also known differences.
  bool update = false;    // Writes not_yet.txt anew.
};

class Run {
 public:
  Run(Engine& engine, LocalFileSystem& files, Arguments arguments)
      : engine_(engine), files_(files), arguments_(std::move(arguments)) {}

  // True when there were no surprises.
  Result<bool> expressions();
  Result<bool> expressions_columns();
  Result<bool> errors();

 private:
  [[nodiscard]] std::string path(std::string_view name) const {
    return fmt::format("{}/{}", arguments_.folder, name);
  }
  Status read_known();
  void compare_expressions(const std::vector<Case>& cases, std::string_view from);
  Answer ask_subquery(const SubqueryCase& asked);
  // What is wrong with an answer; empty when nothing is.
  static std::string difference(const Case& expected, const Answer& answer);
  std::string error_difference(const Case& expected, const Answer& answer) const;
  void judge(const Case& tested, const std::string& difference);
  [[nodiscard]] bool is_wanted(const Case& tested) const;
  Result<bool> report() const;

  Engine& engine_;
  LocalFileSystem& files_;
  const Arguments arguments_;
  std::map<std::string, std::string> differences_;
  // Names of cases that are to pass one day, of all corpora, and those found to differ now.
  std::set<std::string> not_yet_;
  std::set<std::string> differing_;
  std::set<std::string> compared_;
  std::map<std::string, std::vector<std::string>> causes_;
  std::map<std::string, Count> counts_;
};

// Subqueries as values are not built, nor aggregates without a window; the BITMAP functions are no
// part of this engine.
bool is_left_out(const Case& tested) {
  return tested.category == "aggregate" || tested.statement.find("SELECT ") != std::string::npos ||
         tested.statement.find("BITMAP") != std::string::npos;
}

// A subquery may have no row, and its type says so.
std::string as_nullable(std::string type) {
  constexpr std::string_view kNotNull = " NOT NULL";
  if (type.ends_with(kNotNull)) type.resize(type.size() - kNotNull.size());
  return type;
}

std::string clip(std::string_view message) {
  return std::string(message.substr(0, std::min<std::size_t>(message.find('\n'), 300)));
}

// A diagnostic without the piece of the statement that it shows: that says nothing about the cause.
std::string without_source(std::string_view message) {
  std::string said;
  while (!message.empty()) {
    const std::size_t end = std::min(message.find('\n'), message.size());
    const std::string_view line = message.substr(0, end);
    if (!line.starts_with("  ") || line.starts_with("  hint:")) {
      said += line;
      said += '\n';
    }
    message.remove_prefix(std::min(end + 1, message.size()));
  }
  return said;
}

Status Run::read_known() {
  CLP_ASSIGN_OR_RETURN(differences_, read_differences(files_, path("differences.md")));
  CLP_ASSIGN_OR_RETURN(not_yet_, read_names(files_, path(kNotYet)));
  return Status::ok();
}

bool Run::is_wanted(const Case& tested) const {
  return arguments_.only.empty() || arguments_.only == tested.name ||
         arguments_.only == tested.category;
}

Result<bool> Run::expressions() {
  CLP_RETURN_IF_ERROR(read_known());
  CLP_ASSIGN_OR_RETURN(const std::vector<Case> cases,
                       read_expressions(files_, path("expressions.tsv")));
  CLP_RETURN_IF_ERROR(engine_.run_script(aggregate_rows_script()));
  compare_expressions(cases, "");
  return report();
}

Result<bool> Run::expressions_columns() {
  CLP_RETURN_IF_ERROR(read_known());
  CLP_ASSIGN_OR_RETURN(const std::vector<Case> cases,
                       read_expressions(files_, path("expressions_columns.tsv")));
  CLP_ASSIGN_OR_RETURN(std::string setup,
                       read_file(files_, path("expressions_columns.sql"), 1 << 20));
  constexpr std::string_view kInput = "${INPUT}";
  const std::size_t place = setup.find(kInput);
  if (place == std::string::npos) return Status::invalid_argument("no ${INPUT} in the table");
  setup.replace(place, kInput.size(), path("expressions_columns.input"));
  CLP_RETURN_IF_ERROR(engine_.run_script(setup));
  compare_expressions(cases, " FROM one_row");
  return report();
}

void Run::compare_expressions(const std::vector<Case>& cases, std::string_view from) {
  for (const Case& tested : cases) {
    if (!is_wanted(tested)) continue;
    if (!is_left_out(tested)) {
      const Answer answer = engine_.ask(fmt::format("SELECT {}{}", tested.statement, from));
      judge(tested, difference(tested, answer));
      continue;
    }
    const bool is_aggregate = tested.category == "aggregate";
    std::optional<SubqueryCase> asked;
    if (tested.statement.find("BITMAP") == std::string::npos) {
      asked = query_of_subquery(tested.statement, is_aggregate);
    }
    if (asked) {
      judge(tested, difference(tested, ask_subquery(*asked)));
    } else {
      ++counts_[tested.category].left_out;
    }
  }
}

Answer Run::ask_subquery(const SubqueryCase& asked) {
  Answer answer;
  answer.stage = Stage::kPlanning;
  answer.status = engine_.run_script(asked.setup);
  if (!answer.status.is_ok()) return answer;
  answer = engine_.ask(asked.query);
  answer.type = as_nullable(std::move(answer.type));
  return answer;
}

std::string Run::difference(const Case& expected, const Answer& answer) {
  if (expected.result.starts_with(kErrorPrefix)) {
    const std::string wanted = expected.result.substr(kErrorPrefix.size());
    // The reference's own bug: any clean answer is at least as good.
    if (wanted == "internal") return "";
    if (answer.status.is_ok()) {
      return fmt::format("is {} {}, expected an error of class {}: {}", answer.type, answer.value,
                         wanted, clip(expected.message));
    }
    if (answer.status.code() != StatusCode::kUnimplemented && error_class(answer.stage) == wanted) {
      return "";
    }
    return fmt::format("has an error of class {}: {}\n    expected class {}: {}",
                       error_class(answer.stage), clip(answer.status.message()), wanted,
                       clip(expected.message));
  }
  if (!answer.status.is_ok()) {
    return fmt::format("has an error of class {}: {}\n    expected {} {}",
                       error_class(answer.stage), clip(answer.status.message()), expected.type,
                       expected.result);
  }
  if (answer.type == expected.type && same_value(expected.type, answer.value, expected.result)) {
    return "";
  }
  return fmt::format("is {} {}\n    expected {} {}", answer.type, answer.value, expected.type,
                     expected.result);
}

Result<bool> Run::errors() {
  CLP_RETURN_IF_ERROR(read_known());
  CLP_ASSIGN_OR_RETURN(causes_, read_causes(files_, path("error_causes.tsv")));
  CLP_ASSIGN_OR_RETURN(const std::vector<Case> cases, read_errors(files_, path("errors.tsv")));
  CLP_ASSIGN_OR_RETURN(const std::string setup,
                       read_file(files_, path("errors_setup.sql"), 1 << 20));
  for (const Case& tested : cases) {
    if (!is_wanted(tested)) continue;
    engine_.restart_session();
    CLP_RETURN_IF_ERROR(engine_.run_script(setup));
    std::string_view statement = tested.statement;
    Answer answer;
    // Only the category `options` has two statements.
    const std::size_t second = statement.find("; SELECT ");
    if (tested.category == "options" && second != std::string_view::npos) {
      answer = engine_.ask(statement.substr(0, second));
      statement.remove_prefix(second + 2);
    }
    if (answer.status.is_ok()) answer = engine_.ask(statement);
    judge(tested, error_difference(tested, answer));
  }
  return report();
}

std::string Run::error_difference(const Case& expected, const Answer& answer) const {
  const std::string wanted = expected.result.substr(kErrorPrefix.size());
  if (answer.status.is_ok()) {
    return fmt::format("is not refused, expected an error of class {}: {}", wanted,
                       clip(expected.message));
  }
  // What would fail while running may be refused before.
  const bool is_early = wanted == "runtime" && answer.stage == Stage::kPlanning;
  const auto causes = causes_.find(expected.name);
  std::string missing;
  if (causes == causes_.end()) {
    missing = "a line in error_causes.tsv";
  } else {
    const std::string said = without_source(answer.status.message());
    for (const std::string& cause : causes->second) {
      if (said.find(cause) == std::string::npos) missing = cause;
    }
  }
  if ((is_early || error_class(answer.stage) == wanted) && missing.empty()) return "";
  return fmt::format("has an error of class {}: {}\n    expected class {}: {}{}",
                     error_class(answer.stage), answer.status.message(), wanted,
                     clip(expected.message),
                     missing.empty() ? "" : fmt::format("\n    without: {}", missing));
}

void Run::judge(const Case& tested, const std::string& difference) {
  Count& count = counts_[tested.category];
  const bool is_listed = differences_.contains(tested.name);
  const bool is_not_yet = not_yet_.contains(tested.name);
  compared_.insert(tested.name);
  if (difference.empty()) {
    ++count.passed;
    if (!is_listed && !is_not_yet) return;
    ++count.stale;
    fmt::print("{}: {}\n    passes: remove it from {}\n", tested.name, tested.statement,
               is_listed ? "differences.md" : kNotYet);
    return;
  }
  if (!is_listed) differing_.insert(tested.name);
  ++(is_listed ? count.listed : is_not_yet ? count.not_yet : count.failed);
  if ((is_listed || is_not_yet) && !arguments_.show_all) return;
  fmt::print("{}: {}\n    {}\n", tested.name, tested.statement, difference);
}

Result<bool> Run::report() const {
  Count sum;
  fmt::print("\n{:<16} {:>7} {:>7} {:>7} {:>7} {:>9} {:>8}\n", "category", "passed", "differ",
             "not yet", "failed", "left out", "passed");
  const auto line = [](std::string_view name, const Count& count) {
    const int compared = std::max(1, count.passed + count.listed + count.not_yet + count.failed);
    fmt::print("{:<16} {:>7} {:>7} {:>7} {:>7} {:>9} {:>6.1f} %\n", name, count.passed,
               count.listed, count.not_yet, count.failed + count.stale, count.left_out,
               100.0 * count.passed / compared);
  };
  for (const auto& [category, count] : counts_) {
    line(category, count);
    sum.passed += count.passed;
    sum.listed += count.listed;
    sum.not_yet += count.not_yet;
    sum.failed += count.failed;
    sum.stale += count.stale;
    sum.left_out += count.left_out;
  }
  line("all", sum);
  if (arguments_.update) {
    std::set<std::string> names = not_yet_;
    for (const std::string& name : compared_) names.erase(name);
    names.insert(differing_.begin(), differing_.end());
    const std::string text = fmt::format("{}\n", fmt::join(names, "\n"));
    CLP_RETURN_IF_ERROR(write_file_atomically(files_, path(kNotYet), names.empty() ? "" : text));
  }
  return sum.failed + sum.stale == 0;
}

// The examples of all functions, and the page that shows them.
Result<bool> run_functions(Engine& engine, FileSystem& files, const Arguments& arguments) {
  const std::string path = fmt::format("{}/../../docs/reference/functions.md", arguments.folder);
  const std::string page = function_reference();
  if (arguments.update) CLP_RETURN_IF_ERROR(write_file_atomically(files, path, page));
  CLP_ASSIGN_OR_RETURN(const std::string written, read_file(files, path, 1 << 20));
  const bool is_current = written == page;
  if (!is_current) {
    fmt::print(
        "docs/reference/functions.md is not what the functions say; run golden_cases "
        "functions {} --update\n",
        arguments.folder);
  }
  return run_function_examples(engine) == 0 && is_current;
}

Result<bool> run(const Arguments& arguments) {
  CLP_ASSIGN_OR_RETURN(const std::unique_ptr<Engine> engine, Engine::make());
  LocalFileSystem files;
  Run run(*engine, files, arguments);
  if (arguments.corpus == "expressions") return run.expressions();
  if (arguments.corpus == "expressions_columns") return run.expressions_columns();
  if (arguments.corpus == "errors") return run.errors();
  if (arguments.corpus == "functions") return run_functions(*engine, files, arguments);
  return Status::invalid_argument(fmt::format("no corpus '{}'", arguments.corpus));
}

}  // namespace
}  // namespace clepsydra::golden

int main(int argc, char** argv) {
  clepsydra::golden::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--all") {
      arguments.show_all = true;
    } else if (argument == "--update") {
      arguments.update = true;
    } else if (arguments.corpus.empty()) {
      arguments.corpus = argument;
    } else if (arguments.folder.empty()) {
      arguments.folder = argument;
    } else {
      arguments.only = argument;
    }
  }
  if (arguments.folder.empty()) {
    std::fputs(
        "usage: golden_cases expressions|expressions_columns|errors|functions FOLDER "
        "[CASE|CATEGORY] [--all] "
        "[--update]\n",
        stderr);
    return 2;
  }
  const clepsydra::Result<bool> result = clepsydra::golden::run(arguments);
  if (!result.is_ok()) {
    fmt::print(stderr, "error: {}\n", result.status().to_string());
    return 2;
  }
  return *result ? 0 : 1;
}
