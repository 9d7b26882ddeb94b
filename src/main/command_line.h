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
};

// --version and --help, also behind a command.
struct ShowText {
  std::string text;
};

using Command = std::variant<SqlCommand, ShowText>;

// The words after the program's name. InvalidArgument for what it does not understand,
// Unimplemented for what is known and not built.
Result<Command> parse_command_line(std::span<const std::string> words);

// "Usage: clepsydra sql ..." with all options.
std::string_view sql_usage();

}  // namespace clepsydra
