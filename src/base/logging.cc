// The only file that sees spdlog.
#include "base/logging.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/mutex.h"
#include "base/thread_annotations.h"
#include "base/utf8.h"

namespace clepsydra {
namespace {

constexpr std::size_t kMessageCharactersMax = 8192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kOff:
      break;
  }
  return spdlog::level::off;
}

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto logger = std::make_shared<spdlog::logger>("clepsydra", std::move(sink));
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %L %v");
  logger->set_level(spdlog::level::trace);  // Log::level decides.
  logger->flush_on(spdlog::level::warn);
  return logger;
}

// Of the process; never destroyed, so that any thread may log until the end.
struct Log {
  std::atomic<LogLevel> level{LogLevel::kWarning};
  Mutex mutex;
  std::shared_ptr<spdlog::logger> logger CLP_GUARDED_BY(mutex);  // Null until the first line.
};

Log& the_log() {
  static Log* const log = new Log;
  return *log;
}

std::shared_ptr<spdlog::logger> current_logger() {
  Log& log = the_log();
  const MutexLock lock(log.mutex);
  if (log.logger == nullptr) {
    log.logger = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  }
  return log.logger;
}

}  // namespace

Status configure_logging(const LoggingOptions& options) {
  std::shared_ptr<spdlog::logger> logger;
  if (!options.file.empty()) {
    try {
      logger = make_logger(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
    } catch (const spdlog::spdlog_ex& error) {
      return Status::unavailable(
          fmt::format("cannot open the log file '{}': {}", options.file, error.what()));
    }
  }
  Log& log = the_log();
  const MutexLock lock(log.mutex);
  log.logger = std::move(logger);
  log.level.store(options.level, std::memory_order_relaxed);
  return Status::ok();
}

Result<LogLevel> parse_log_level(std::string_view text) {
  constexpr std::pair<std::string_view, LogLevel> kNames[] = {
      {"trace", LogLevel::kTrace},  {"debug", LogLevel::kDebug},     {"info", LogLevel::kInfo},
      {"warn", LogLevel::kWarning}, {"warning", LogLevel::kWarning}, {"error", LogLevel::kError},
      {"off", LogLevel::kOff},
  };
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const auto& [name, level] : kNames) {
    if (lower == name) return level;
  }
  return Status::invalid_argument(fmt::format(
      "\"{}\" is no log level: expected trace, debug, info, warn, error or off", clip(text, 64)));
}

bool log_enabled(LogLevel level) {
  return level >= the_log().level.load(std::memory_order_relaxed) && level != LogLevel::kOff;
}

void log(LogLevel level, std::string_view component, std::string_view message) {
  if (!log_enabled(level)) return;
  current_logger()->log(to_spdlog(level), "{}: {}", component,
                        clip(message, kMessageCharactersMax));
}

}  // namespace clepsydra
