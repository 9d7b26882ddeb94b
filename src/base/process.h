// The process itself: standard streams, terminal, signals, resource use.
// Nothing outside base/ asks the operating system for these.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clepsydra/status.h"

namespace clepsydra {

// Where text goes: standard output or error, or a string in a test.
//
// Threads: all methods, any thread; one write() is never mixed with another.
class TextOutput {
 public:
  virtual ~TextOutput() = default;
  // Appends to a buffer of kBufferBytes and writes it out when full.
  // Unavailable once the reader has gone (closed pipe): stop producing;
  // ResourceExhausted when the disk behind it is full.
  virtual Status write(std::string_view text) = 0;
  virtual Status flush() = 0;
  [[nodiscard]] virtual bool is_terminal() const = 0;
  // True once a write found the reader gone.
  [[nodiscard]] virtual bool is_closed() const = 0;

  static constexpr std::size_t kBufferBytes = 1U << 16;
};

struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

struct ResourceUsage {
  std::int64_t cpu_ns = 0;  // User and system time of all threads so far.
  std::int64_t peak_resident_bytes = 0;
  std::int64_t resident_bytes = 0;  // Now.
};

// Threads: all methods, any thread, unless said.
class Process {
 public:
  virtual ~Process() = default;

  virtual TextOutput& standard_output() = 0;
  virtual TextOutput& standard_error() = 0;  // Not buffered.
  [[nodiscard]] virtual bool standard_input_is_terminal() const = 0;
  // All of standard input, blocking; ResourceExhausted above `bytes_max`.
  virtual Result<std::string> read_standard_input(std::int64_t bytes_max) = 0;

  [[nodiscard]] virtual TerminalSize terminal_size() const = 0;  // 80 x 24 when unknown.
  [[nodiscard]] virtual ResourceUsage resource_usage() const = 0;
  [[nodiscard]] virtual std::optional<std::string> environment(std::string_view name) const = 0;
  [[nodiscard]] virtual int available_processors() const = 0;  // Of the process's affinity set.
  [[nodiscard]] virtual std::int64_t id() const = 0;           // Of the system: its "pid".
  // Where relative paths begin.
  [[nodiscard]] virtual Result<std::string> working_directory() const = 0;
  // The directory of the running program.
  [[nodiscard]] virtual Result<std::string> program_directory() const = 0;

  // From now on an interrupt (Ctrl-C) or a request to terminate calls
  // `callback` on a thread of its own (so it may lock and wake) with the count
  // of such signals so far, instead of ending the process. An empty callback
  // restores the default. Not from within the callback.
  virtual Status on_interrupt(std::function<void(int count)> callback) = 0;
  // Ends the process now, without destructors; buffered output is flushed.
  [[noreturn]] virtual void exit_now(int code) = 0;
};

// The real one. Makes a closed pipe an error of write() instead of a signal.
std::unique_ptr<Process> make_process();

// Collects what is written: for tests. `bytes_max`: behaves as a closed pipe
// after that many.
class StringOutput final : public TextOutput {
 public:
  explicit StringOutput(bool is_terminal = false,
                        std::optional<std::size_t> bytes_max = std::nullopt);
  ~StringOutput() override;
  Status write(std::string_view text) override;
  Status flush() override;
  [[nodiscard]] bool is_terminal() const override;
  [[nodiscard]] bool is_closed() const override;
  [[nodiscard]] std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace clepsydra
