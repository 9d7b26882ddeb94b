#include "main/job_command.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/local_file_system.h"
#include "base/process.h"
#include "gateway/console/statement_runner.h"
#include "gateway/console/terminal_text.h"
#include "main/job_door.h"
#include "main/process_configuration.h"
#include "stream/value_text.h"

namespace clepsydra {
namespace {

// As the reference prints it: scripts look for the id between the colons.
std::string section(std::string_view title, const std::vector<RemoteJob>& jobs) {
  constexpr std::size_t kWidth = 62;
  std::string text = fmt::format("{:-^{}}\n", fmt::format(" {} ", title), kWidth);
  for (const RemoteJob& job : jobs) {
    std::string started;
    append_timestamp_text(job.started_ms, 3, started);
    text += fmt::format("{} : {} : {} ({})\n", started, job.id.to_string(),
                        console::visible_text(job.name), job_phase_name(job.phase));
  }
  return text + std::string(kWidth, '-') + "\n";
}

Result<std::string> list(const JobCommand& command, const RemoteJobs& remote) {
  CLP_ASSIGN_OR_RETURN(const std::vector<RemoteJob> jobs, remote.list());
  std::vector<RemoteJob> running;
  std::vector<RemoteJob> ended;
  for (const RemoteJob& job : jobs) (has_ended(job.phase) ? ended : running).push_back(job);
  std::string text =
      running.empty() ? "No running jobs.\n" : section("Running/Restarting Jobs", running);
  if (command.lists_ended) {
    text += ended.empty() ? "No terminated jobs.\n" : section("Terminated Jobs", ended);
  } else if (!command.lists_only_running) {
    text += "No scheduled jobs.\n";
  }
  return text;
}

// The other process may stand elsewhere. A URI stays as it is.
Result<std::string> absolute(const std::string& directory, const Process& process) {
  if (directory.empty() || directory.find("://") != std::string::npos) return directory;
  CLP_ASSIGN_OR_RETURN(const std::string here, process.working_directory());
  return join_path(here, directory);
}

Result<std::string> run(const JobCommand& command, const RemoteJobs& remote,
                        const Process& process) {
  using enum JobCommand::Action;
  if (command.action == kList) return list(command, remote);
  CLP_ASSIGN_OR_RETURN(const RemoteJob job, remote.find(command.job));
  if (command.action == kCancel) {
    CLP_RETURN_IF_ERROR(RemoteJobs::cancel(job));
    return fmt::format("Cancelled job {}.\n", job.id.to_string());
  }
  CLP_ASSIGN_OR_RETURN(const std::string directory, absolute(command.directory, process));
  CLP_ASSIGN_OR_RETURN(const std::string path, command.action == kStop
                                                   ? RemoteJobs::stop(job, directory, command.drain)
                                                   : RemoteJobs::savepoint(job, directory));
  return fmt::format("Savepoint completed. Path: {}\n", path);
}

int complain(Process& process, const Status& status, int exit_code) {
  (void)process.standard_error().write(fmt::format("error: {}\n", status.message()));
  return exit_code;
}

}  // namespace

int run_job_command(const JobCommand& command, Process& process) {
  LocalFileSystem files;
  const Result<Configuration> configuration =
      read_configuration(command.configuration_directory, command.settings, files);
  if (!configuration.is_ok()) {
    return complain(process, configuration.status(), console::kExitUsage);
  }
  const Result<std::string> directory = state_directory(*configuration, process);
  if (!directory.is_ok()) return complain(process, directory.status(), console::kExitFailure);
  const Result<std::string> text = run(command, RemoteJobs(*directory, files), process);
  if (!text.is_ok()) return complain(process, text.status(), console::kExitFailure);
  (void)process.standard_output().write(*text);
  return process.standard_output().flush().is_ok() ? console::kExitSuccess : console::kExitFailure;
}

}  // namespace clepsydra
