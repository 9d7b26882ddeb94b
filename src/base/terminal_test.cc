#include "base/terminal.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace clepsydra {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

// In a child of its own, whose standard input is a new terminal: keeps this test's own.
template <typename Body>
void in_terminal(Body body) {
  int keyboard = -1;
  int side = -1;
  if (::openpty(&keyboard, &side, nullptr, nullptr, nullptr) != 0 || ::dup2(side, 0) != 0) _exit(9);
  Result<std::unique_ptr<Terminal>> terminal = make_terminal();
  if (!terminal.is_ok()) _exit(8);
  _exit(body(**terminal, keyboard) ? 0 : 1);
}

bool type(int keyboard, const std::string& text) {
  return ::write(keyboard, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

TEST(TerminalDeathTest, keys_come_at_once_and_control_c_is_one) {
  const auto body = [](Terminal& terminal, int keyboard) {
    if (!terminal.set_mode(TerminalMode::kKeys).is_ok()) return false;
    if (!terminal.read(std::chrono::milliseconds(0))->bytes.empty()) return false;
    if (!type(keyboard, "a\r\x03")) return false;
    std::string bytes;
    while (bytes.size() < 3) bytes += terminal.read(kLong)->bytes;
    return bytes == "a\r\x03";
  };
  EXPECT_EXIT(in_terminal(body), ::testing::ExitedWithCode(0), "");
}

TEST(TerminalDeathTest, lines_come_whole_and_control_c_ends_one) {
  const auto body = [](Terminal& terminal, int keyboard) {
    if (!terminal.set_mode(TerminalMode::kLines).is_ok()) return false;
    if (!type(keyboard, "abx\x7f\nde\x03\x04")) return false;  // Backspace is done by the terminal.
    return terminal.read(kLong)->bytes == "ab\n" && terminal.read(kLong)->bytes == "de\x03" &&
           terminal.read(kLong)->at_end;
  };
  EXPECT_EXIT(in_terminal(body), ::testing::ExitedWithCode(0), "");
}

TEST(TerminalDeathTest, the_original_mode_comes_back) {
  const auto body = [](Terminal& terminal, int /*keyboard*/) {
    termios before{};
    termios during{};
    termios after{};
    ::tcgetattr(0, &before);
    if (!terminal.set_mode(TerminalMode::kKeysAndSignals).is_ok()) return false;
    ::tcgetattr(0, &during);
    terminal.restore();
    ::tcgetattr(0, &after);
    return before.c_lflag != during.c_lflag && (during.c_lflag & ISIG) != 0 &&
           before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag;
  };
  EXPECT_EXIT(in_terminal(body), ::testing::ExitedWithCode(0), "");
}

TEST(TerminalDeathTest, programs_get_the_terminal_and_their_failure_is_told) {
  const auto body = [](Terminal& terminal, int /*keyboard*/) {
    const std::vector<std::string> good = {"sh", "-c", "test -t 0"};
    const std::vector<std::string> bad = {"sh", "-c", "exit 3"};
    const std::vector<std::string> missing = {"clepsydra-no-such-program"};
    return terminal.run_program(good).is_ok() &&
           terminal.run_program(bad).message() == "'sh' ended with exit code 3" &&
           terminal.run_program(missing).code() == StatusCode::kNotFound;
  };
  EXPECT_EXIT(in_terminal(body), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace clepsydra
