// The command line as data. Parsed by hand: a SQL text may begin with "--", starting must cost
// nothing, and a wrong option should be told what was meant.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "clepsydra/status.h"
#include "gateway/console/output_format.h"

namespace clepsydra {

// clepsydra sql ...
struct SqlCommand {
  std::optional<std::string> statements;               // -e
  std::optional<std::string> file;                     // -f
  std::optional<std::string> init_file;                // -i
  std::optional<std::string> configuration_directory;  // -c
  std::vector<std::string> settings;                   // -D, in order: "key=value".
  std::optional<console::OutputFormat> format;         // --format
  std::optional<std::string> history_file;             // --history; empty: none is kept.
};

// clepsydra list | cancel | savepoint | stop: about jobs of other processes of this user.
struct JobCommand {
  enum class Action : std::uint8_t { kList, kCancel, kSavepoint, kStop };
  Action action = Action::kList;
  bool lists_ended = false;                            // list -a
  bool lists_only_running = false;                     // list -r
  std::string job;                                     // Its id or the beginning of it.
  std::string directory;                               // savepoint JOB DIR, stop -p DIR
  bool drain = false;                                  // stop --drain
  std::optional<std::string> configuration_directory;  // -c
  std::vector<std::string> settings;                   // -D
};

// clepsydra checkpoint list | inspect, savepoint inspect | diff: about what lies in folders.
struct SnapshotCommand {
  enum class Action : std::uint8_t { kList, kInspect, kDiff };
  Action action = Action::kInspect;
  std::vector<std::string> paths;  // One; two for kDiff.
};

// --version and --help, also behind a command.
struct ShowText {
  std::string text;
};

using Command = std::variant<SqlCommand, JobCommand, SnapshotCommand, ShowText>;

// The words after the program's name. InvalidArgument for what it does not understand,
// Unimplemented for what is known and not built.
Result<Command> parse_command_line(std::span<const std::string> words);

// "Usage: clepsydra sql ..." with all options.
std::string_view sql_usage();

}  // namespace clepsydra
