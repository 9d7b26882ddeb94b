// `clepsydra sql` for somebody who types: statement by statement, until they leave.
#pragma once

#include <atomic>
#include <string>

#include "clepsydra/status.h"
#include "gateway/console/output_format.h"

namespace clepsydra {
class Clock;
class Configuration;
class FileSystem;
class JobClient;
class Process;
class SqlSession;
class TableConnectorRegistry;
class Terminal;
}  // namespace clepsydra

namespace clepsydra::console {

class LiveDisplay;
class ResultOutput;

// All outlive the shell.
struct ShellOptions {
  SqlSession* session = nullptr;
  Configuration* configuration = nullptr;  // The session's.
  const TableConnectorRegistry* connectors = nullptr;
  JobClient* jobs = nullptr;
  Process* process = nullptr;
  Terminal* terminal = nullptr;
  FileSystem* files = nullptr;
  const Clock* clock = nullptr;
  ResultOutput* output = nullptr;  // Over the process's standard output.
  LiveDisplay* display = nullptr;
  OutputFormat format = OutputFormat::kTableau;
  std::atomic<bool>* interrupted = nullptr;
  std::string history_path = {};  // Empty: nothing is kept.
  // Statements to run first; an error in them ends the shell.
  std::string init = {};
  std::string init_name = {};
};

// The exit code of the process: 0 when somebody left, 1 for an error in `init` or a terminal that
// does not work, 130 when a signal asked for the end.
//
// An interrupt cancels the statement under way; a second one before that has happened ends the
// process at once. Takes Process::on_interrupt() for itself; the caller resets it.
int run_shell(const ShellOptions& options);

// Where history is kept when nobody says otherwise: ".clepsydra-sql-history" in HOME; empty without
// one.
std::string default_history_path(const Process& process);

}  // namespace clepsydra::console
