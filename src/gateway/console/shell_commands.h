// What the shell understands beside SQL: words such as `jobs`, or the same behind a backslash.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/job_client.h"

namespace clepsydra::console {

enum class ShellCommandKind : std::uint8_t {
  kHelp,
  kQuit,
  kClear,
  kJobs,
  kCancel,  // argument: a number of `jobs`, the beginning of an id, or "all".
  kTiming,  // argument: "on", "off" or nothing.
  kOutput,  // argument: a file, or nothing.
  kEdit,
  kInput,    // argument: a file.
  kUnknown,  // Begins with a backslash; argument: its first word.
};

struct ShellCommand {
  ShellCommandKind kind = ShellCommandKind::kUnknown;
  std::string argument = {};
};

// Nothing for SQL. A final semicolon is allowed.
std::optional<ShellCommand> parse_shell_command(std::string_view text);

std::string_view shell_help();

// The running jobs as a table, numbered from 1.
std::string job_table(std::span<const JobStatus> jobs, std::int64_t now_ms);

// The job that `name` (a number of job_table() or the beginning of an id) means.
Result<JobId> find_job(std::span<const JobStatus> jobs, std::string_view name);

}  // namespace clepsydra::console
