#include "base/terminal.h"

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/errno_status.h"

namespace clepsydra {
namespace {

using internal::status_from_errno;

constexpr cc_t kControlC = 3;

termios settings_of(TerminalMode mode, const termios& original) {
  termios settings = original;
  switch (mode) {
    case TerminalMode::kOriginal:
      break;
    case TerminalMode::kLines:
      settings.c_lflag &= ~static_cast<tcflag_t>(ISIG);
      settings.c_lflag |= ICANON | ECHO;
      settings.c_cc[VEOL] = kControlC;
      break;
    case TerminalMode::kKeys:
    case TerminalMode::kKeysAndSignals:
      settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN | ISIG);
      if (mode == TerminalMode::kKeysAndSignals) settings.c_lflag |= ISIG;
      settings.c_iflag &= ~static_cast<tcflag_t>(IXON | ICRNL | INLCR | ISTRIP);
      settings.c_cc[VMIN] = 1;
      settings.c_cc[VTIME] = 0;
      break;
  }
  return settings;
}

class SystemTerminal final : public Terminal {
 public:
  explicit SystemTerminal(const termios& original) : original_(original) {}
  ~SystemTerminal() override { restore(); }
  SystemTerminal(const SystemTerminal&) = delete;
  SystemTerminal& operator=(const SystemTerminal&) = delete;

  Status set_mode(TerminalMode mode) override {
    const termios settings = settings_of(mode, original_);
    while (::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) != 0) {
      if (errno != EINTR) return status_from_errno("cannot set the mode of", "terminal", errno);
    }
    mode_ = mode;
    return Status::ok();
  }

  Result<TypedText> read(std::chrono::milliseconds timeout) override {
    pollfd waited{STDIN_FILENO, POLLIN, 0};
    const auto wait_ms =
        std::clamp<std::int64_t>(timeout.count(), 0, std::numeric_limits<int>::max());
    const int ready = ::poll(&waited, 1, static_cast<int>(wait_ms));
    if (ready == 0 || (ready < 0 && errno == EINTR)) return TypedText{};
    if (ready < 0) return status_from_errno("cannot wait for", "terminal", errno);
    char chunk[1U << 14];
    const ssize_t got = ::read(STDIN_FILENO, chunk, sizeof(chunk));
    if (got > 0) return TypedText{std::string(chunk, static_cast<std::size_t>(got)), false};
    if (got == 0 || errno == EIO) return TypedText{{}, true};  // EIO: its other side has gone.
    if (errno == EINTR || errno == EAGAIN) return TypedText{};
    return status_from_errno("cannot read from", "terminal", errno);
  }

  Status run_program(std::span<const std::string> words) override {
    const TerminalMode before = mode_;
    CLP_RETURN_IF_ERROR(set_mode(TerminalMode::kOriginal));
    const Status status = run_to_end(words);
    CLP_RETURN_IF_ERROR(set_mode(before));
    return status;
  }

  void restore() override { ::tcsetattr(STDIN_FILENO, TCSADRAIN, &original_); }

 private:
  static Status run_to_end(std::span<const std::string> words) {
    CLP_CHECK(!words.empty());
    std::vector<std::string> copies(words.begin(), words.end());
    std::vector<char*> arguments;
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    // This process ignores closed pipes; programs expect to be ended by them.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&attributes, &defaults);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int error =
        ::posix_spawnp(&child, arguments[0], nullptr, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) return status_from_errno("cannot run", words[0], error);

    int state = 0;
    while (::waitpid(child, &state, 0) < 0) {
      if (errno != EINTR) return status_from_errno("cannot wait for", words[0], errno);
    }
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return Status::ok();
    return Status::failed_precondition(
        WIFEXITED(state) ? fmt::format("'{}' ended with exit code {}", words[0], WEXITSTATUS(state))
                         : fmt::format("'{}' was ended by signal {}", words[0], WTERMSIG(state)));
  }

  const termios original_;
  TerminalMode mode_ = TerminalMode::kOriginal;
};

}  // namespace

Result<std::unique_ptr<Terminal>> make_terminal() {
  termios original{};
  if (::tcgetattr(STDIN_FILENO, &original) != 0) {
    return Status::failed_precondition("standard input is not a terminal");
  }
  return std::unique_ptr<Terminal>(std::make_unique<SystemTerminal>(original));
}

}  // namespace clepsydra
