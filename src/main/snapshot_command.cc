#include "main/snapshot_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/process.h"
#include "base/uri_file_system.h"
#include "checkpoint/checkpoint_report.h"
#include "gateway/console/statement_runner.h"
#include "gateway/console/terminal_text.h"

namespace clepsydra {
namespace {

Result<std::string> report(const SnapshotCommand& command) {
  UriFileSystem files;
  switch (command.action) {
    case SnapshotCommand::Action::kList:
      return list_checkpoints_text(files, command.paths[0]);
    case SnapshotCommand::Action::kInspect:
      return checkpoint_text(files, command.paths[0]);
    case SnapshotCommand::Action::kDiff:
      return checkpoint_difference_text(files, command.paths[0], command.paths[1]);
  }
  return Status::internal("unknown action");
}

// Names in a checkpoint may hold anything, also what moves a terminal's cursor.
std::string visible_lines(std::string_view text) {
  std::string visible;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visible += console::visible_text(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return visible;
}

}  // namespace

int run_snapshot_command(const SnapshotCommand& command, Process& process) {
  const Result<std::string> text = report(command);
  if (!text.is_ok()) {
    (void)process.standard_error().write(fmt::format("error: {}\n", text.status().message()));
    return console::kExitFailure;
  }
  (void)process.standard_output().write(visible_lines(*text));
  return process.standard_output().flush().is_ok() ? console::kExitSuccess : console::kExitFailure;
}

}  // namespace clepsydra
