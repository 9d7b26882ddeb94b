#include "main/sql_command.h"

#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "base/logging.h"
#include "base/process.h"
#include "base/terminal.h"
#include "base/uri_file_system.h"
#include "connectors/connector_registry.h"
#include "gateway/console/live_display.h"
#include "gateway/console/result_output.h"
#include "gateway/console/shell.h"
#include "gateway/console/statement_runner.h"
#include "graph/job_graph.h"
#include "main/command_line.h"
#include "main/job_door.h"
#include "main/local_cluster.h"
#include "main/process_configuration.h"
#include "main/recovery_report.h"
#include "sql/grammar/parser.h"
#include "sql/session.h"

namespace clepsydra {
namespace {

constexpr auto kScriptBytesMax = static_cast<std::int64_t>(grammar::kMaxScriptBytes);

// Statements and the name that errors give them; empty for -e.
struct Script {
  std::string name;
  std::string text;
};

Result<Script> read_script(const std::string& path, FileSystem& files) {
  CLP_ASSIGN_OR_RETURN(std::string text, read_file(files, path, kScriptBytesMax));
  return Script{std::string(base_name(path)), std::move(text)};
}

Result<Script> read_statements(const SqlCommand& command, FileSystem& files, Process& process) {
  if (command.statements) return Script{{}, *command.statements};
  if (command.file) return read_script(*command.file, files);
  CLP_ASSIGN_OR_RETURN(std::string text, process.read_standard_input(kScriptBytesMax));
  return Script{{}, std::move(text)};
}

int complain(Process& process, const Status& status, int exit_code) {
  (void)process.standard_error().write(fmt::format("error: {}\n", status.message()));
  return exit_code;
}

// The jobs of this process, for statements about jobs.
class ProcessJobs final : public SessionJobs {
 public:
  ProcessJobs(JobClient& jobs, FileSystem& files) : jobs_(jobs), files_(files) {}
  Result<std::vector<JobStatus>> list() override { return jobs_.list(); }
  Status cancel(const JobId& id) override { return jobs_.cancel(id); }
  Result<std::string> stop(const JobId& id, bool drain) override {
    return jobs_.stop(id, {}, drain);
  }
  Result<std::string> explain_recovery(const StreamGraph& graph,
                                       const Configuration& configuration) override {
    CLP_ASSIGN_OR_RETURN(const JobGraph job, build_job_graph(graph));
    return recovery_report(files_, configuration, job);
  }

 private:
  JobClient& jobs_;
  FileSystem& files_;
};

// Everything that scripts need, in the order of construction: what is used stands before its users.
class Assembly {
 public:
  Assembly(Process& process, Configuration configuration)
      : process_(process),
        configuration_(std::move(configuration)),
        files_(configuration_),
        session_(ConnectorRegistry::built_in(), clock_, configuration_, &files_),
        output_(process.standard_output()),
        display_(process, clock_) {}
  ~Assembly() { (void)process_.on_interrupt(nullptr); }
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  Status start() {
    LocalClusterOptions options;
    options.connectors = &ConnectorRegistry::built_in();
    options.standard_output =
        display_.print_output() != nullptr ? display_.print_output() : &output_;
    options.configuration = configuration_;
    CLP_ASSIGN_OR_RETURN(cluster_, LocalCluster::make(std::move(options)));
    jobs_ = std::make_unique<ProcessJobs>(*cluster_, files_);
    session_.set_jobs(jobs_.get());
    open_door();
    return process_.on_interrupt([this](int count) {
      if (count > 1) process_.exit_now(console::kExitInterrupted);
      interrupted_.store(true);
    });
  }

  int run(const std::optional<Script>& init, const Script& script, console::OutputFormat format) {
    console::StatementRunner runner({.session = &session_,
                                     .configuration = &configuration_,
                                     .jobs = cluster_.get(),
                                     .process = &process_,
                                     .clock = &clock_,
                                     .output = &output_,
                                     .display = &display_,
                                     .format = format,
                                     .interrupted = &interrupted_});
    if (!init || runner.run(init->text, init->name)) runner.run(script.text, script.name);
    return runner.finish();
  }

  // For somebody who types.
  int run_shell(const std::optional<Script>& init, console::OutputFormat format, FileSystem& files,
                std::string history_path) {
    const Result<std::unique_ptr<Terminal>> terminal = make_terminal();
    if (!terminal.is_ok()) return complain(process_, terminal.status(), console::kExitFailure);
    return console::run_shell({.session = &session_,
                               .configuration = &configuration_,
                               .connectors = &ConnectorRegistry::built_in(),
                               .jobs = cluster_.get(),
                               .process = &process_,
                               .terminal = terminal->get(),
                               .files = &files,
                               .clock = &clock_,
                               .output = &output_,
                               .display = &display_,
                               .format = format,
                               .interrupted = &interrupted_,
                               .history_path = std::move(history_path),
                               .init = init ? init->text : std::string(),
                               .init_name = init ? init->name : std::string()});
  }

 private:
  // Jobs run as well where nobody can ask about them, as in a folder that cannot be written to.
  void open_door() {
    const Result<std::string> directory = state_directory(configuration_, process_);
    Result<std::unique_ptr<JobDoor>> door =
        directory.is_ok() ? JobDoor::open(*directory, process_.id(), *cluster_)
                          : Result<std::unique_ptr<JobDoor>>(directory.status());
    if (door.is_ok()) {
      door_ = *std::move(door);
      return;
    }
    CLP_LOG(kInfo, "main",
            fmt::format("'clepsydra list' will not show the jobs of this process: {}",
                        door.status().message()));
  }

  Process& process_;
  const SystemClock clock_;
  Configuration configuration_;
  UriFileSystem files_;
  SqlSession session_;
  console::ResultOutput output_;
  console::LiveDisplay display_;
  std::atomic<bool> interrupted_{false};
  std::unique_ptr<LocalCluster> cluster_;
  std::unique_ptr<ProcessJobs> jobs_;
  std::unique_ptr<JobDoor> door_;
};

}  // namespace

int run_sql_command(const SqlCommand& command, Process& process) {
  UriFileSystem files;
  Result<Configuration> configuration =
      read_configuration(command.configuration_directory, command.settings, files);
  if (!configuration.is_ok()) {
    return complain(process, configuration.status(), console::kExitUsage);
  }
  std::optional<Script> init;
  if (command.init_file) {
    Result<Script> read = read_script(*command.init_file, files);
    if (!read.is_ok()) return complain(process, read.status(), console::kExitFailure);
    init = *std::move(read);
  }
  const bool is_typed =
      !command.statements && !command.file && process.standard_input_is_terminal();
  const Result<Script> script =
      is_typed ? Result<Script>(Script{}) : read_statements(command, files, process);
  if (!script.is_ok()) return complain(process, script.status(), console::kExitFailure);
  const bool to_terminal = process.standard_output().is_terminal();
  const console::OutputFormat format = command.format.value_or(
      to_terminal ? console::OutputFormat::kTableau : console::OutputFormat::kTsv);

  Assembly assembly(process, *std::move(configuration));
  if (const Status status = assembly.start(); !status.is_ok()) {
    return complain(process, status, console::kExitFailure);
  }
  if (!is_typed) return assembly.run(init, *script, format);
  return assembly.run_shell(init, format, files,
                            command.history_file.value_or(console::default_history_path(process)));
}

}  // namespace clepsydra
