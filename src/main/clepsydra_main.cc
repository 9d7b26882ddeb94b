// The program: clepsydra COMMAND.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/process.h"
#include "gateway/console/statement_runner.h"
#include "main/command_line.h"
#include "main/job_command.h"
#include "main/snapshot_command.h"
#include "main/sql_command.h"

namespace clepsydra {
namespace {

int run(int argc, char** argv) {
  const std::unique_ptr<Process> process = make_process();
  const std::vector<std::string> words(argv + 1, argv + argc);
  const Result<Command> command = parse_command_line(words);
  if (!command.is_ok()) {
    (void)process->standard_error().write(fmt::format(
        "error: {}\n'clepsydra sql --help' shows how it is used\n", command.status().message()));
    return console::kExitUsage;
  }
  if (const auto* shown = std::get_if<ShowText>(&*command)) {
    (void)process->standard_output().write(shown->text);
    const bool written = process->standard_output().flush().is_ok();
    return written ? console::kExitSuccess : console::kExitFailure;
  }
  if (const auto* about_jobs = std::get_if<JobCommand>(&*command)) {
    return run_job_command(*about_jobs, *process);
  }
  if (const auto* about_snapshots = std::get_if<SnapshotCommand>(&*command)) {
    return run_snapshot_command(*about_snapshots, *process);
  }
  return run_sql_command(std::get<SqlCommand>(*command), *process);
}

}  // namespace
}  // namespace clepsydra

int main(int argc, char** argv) {
  return clepsydra::run(argc, argv);
}
