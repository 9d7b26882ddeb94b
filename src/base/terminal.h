// The terminal behind standard input: keys as they are typed, and programs that get it for a while.
// Nothing outside base/ asks the operating system for these.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "clepsydra/status.h"

namespace clepsydra {

enum class TerminalMode : std::uint8_t {
  kOriginal,  // As it was found.
  // Whole lines, edited by the terminal itself. Ctrl-C is no signal but ends the line, as '\x03'.
  kLines,
  kKeys,            // Every key at once, unseen; Ctrl-C is '\x03', Enter '\r'.
  kKeysAndSignals,  // Likewise, but Ctrl-C is an interrupt.
};

// What was typed since the last read.
struct TypedText {
  std::string bytes;    // Empty: nothing yet.
  bool at_end = false;  // Nothing will ever come: the terminal has gone, or Ctrl-D in kLines.
};

// Threads: restore() any, the rest one at a time.
class Terminal {
 public:
  virtual ~Terminal() = default;
  // What was typed already is kept.
  virtual Status set_mode(TerminalMode mode) = 0;
  // Waits up to `timeout` for something typed.
  virtual Result<TypedText> read(std::chrono::milliseconds timeout) = 0;
  // Gives the terminal, in its original mode, to a program (searched in PATH) until that ends.
  // FailedPrecondition when it does not end with exit code 0. Afterwards the mode is as before.
  virtual Status run_program(std::span<const std::string> words) = 0;
  // The original mode, for a process that is about to end at once.
  virtual void restore() = 0;
};

// The real one; restores the mode when it goes. FailedPrecondition when standard input is none.
Result<std::unique_ptr<Terminal>> make_terminal();

}  // namespace clepsydra
