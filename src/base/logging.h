// The log: for whoever runs the process. Results and errors of statements do
// not go here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

enum class LogLevel : std::uint8_t { kTrace, kDebug, kInfo, kWarning, kError, kOff };

struct LoggingOptions {
  LogLevel level = LogLevel::kWarning;
  std::string file;  // Empty: standard error.
};

// For the whole process; warnings to standard error until called. Not while
// others log.
Status configure_logging(const LoggingOptions& options);
// "info" -> kInfo, in any case.
Result<LogLevel> parse_log_level(std::string_view text);

// One relaxed load: cheap enough to guard any message.
bool log_enabled(LogLevel level);
// One line: time, level, component, message. Control characters in the message
// are made visible; it is cut at 8192 characters. Never pass secrets. Any thread.
void log(LogLevel level, std::string_view component, std::string_view message);

}  // namespace clepsydra

// CLP_LOG(kInfo, "taskmanager", fmt::format("task {} runs", id)); the message
// is built only when enabled.
#define CLP_LOG(level, component, ...)                                            \
  do {                                                                            \
    if (::clepsydra::log_enabled(::clepsydra::LogLevel::level)) [[unlikely]]      \
      ::clepsydra::log(::clepsydra::LogLevel::level, (component), (__VA_ARGS__)); \
  } while (false)
