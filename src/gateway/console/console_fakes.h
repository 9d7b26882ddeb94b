// A process without an operating system and jobs without a cluster, for the tests of the console.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/job_client.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/terminal.h"

namespace clepsydra::console::testing {

// Threads: one at a time.
class FakeProcess final : public Process {
 public:
  explicit FakeProcess(bool is_terminal = false,
                       std::optional<std::size_t> output_bytes_max = std::nullopt)
      : output_(is_terminal, output_bytes_max), error_(is_terminal) {}

  StringOutput& standard_output() override { return output_; }
  StringOutput& standard_error() override { return error_; }
  [[nodiscard]] bool standard_input_is_terminal() const override { return true; }
  Result<std::string> read_standard_input(std::int64_t /*bytes_max*/) override {
    return std::string();
  }
  [[nodiscard]] TerminalSize terminal_size() const override { return size; }
  [[nodiscard]] ResourceUsage resource_usage() const override { return usage; }
  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] int available_processors() const override { return 1; }
  [[nodiscard]] std::int64_t id() const override { return 1; }
  [[nodiscard]] Result<std::string> working_directory() const override { return std::string("/"); }
  [[nodiscard]] Result<std::string> program_directory() const override { return std::string("."); }
  Status on_interrupt(std::function<void(int)> /*callback*/) override { return Status::ok(); }
  [[noreturn]] void exit_now(int code) override { std::_Exit(code); }

  TerminalSize size;
  ResourceUsage usage;
  std::map<std::string, std::string, std::less<>> variables;

 private:
  StringOutput output_;
  StringOutput error_;
};

// Somebody who types: one text per read, in order; when they are out, the terminal has gone.
//
// Threads: one at a time.
class FakeTerminal final : public Terminal {
 public:
  Status set_mode(TerminalMode new_mode) override {
    mode = new_mode;
    return Status::ok();
  }
  Result<TypedText> read(std::chrono::milliseconds timeout) override;
  Status run_program(std::span<const std::string> words) override;
  void restore() override { mode = TerminalMode::kOriginal; }

  struct Typing {
    std::string bytes = {};             // Empty: nothing comes for a while.
    std::function<void()> before = {};  // Called when it is read.
    bool at_end = false;                // Ctrl-D in a line of a dumb terminal.
  };
  std::deque<Typing> to_come;
  TerminalMode mode = TerminalMode::kOriginal;
  std::function<Status(std::span<const std::string> words)> program;
};

// What a job will do when it is submitted.
struct FakeJob {
  std::vector<Batch> batches = {};  // Of its SELECT, one per read.
  std::int64_t duration_ms = 0;     // Then it ends; an endless one never does.
  bool is_endless = false;
  Status error = Status::ok();         // How it ends.
  std::function<void()> on_look = {};  // Whenever somebody waits for it.
  std::vector<OperatorMetrics> operators = {};
};

// Jobs are taken from `to_come` in the order of submission. Waiting lets the clock go on.
//
// Threads: one at a time.
class FakeJobClient final : public JobClient {
 public:
  explicit FakeJobClient(SimulatedClock& clock) : clock_(clock) {}

  std::deque<FakeJob> to_come;
  std::vector<std::string> events;  // "submit a", "cancel a", "end a", in order.

  Result<JobId> submit(const JobGraph& graph) override;
  Result<JobStatus> status(const JobId& id) override;
  Result<std::vector<JobStatus>> list() override {
    return Status::internal("nobody lists the jobs of a script");
  }
  Result<std::string> savepoint(const JobId& /*id*/, const std::string& /*directory*/) override {
    return Status::internal("nobody asks for a savepoint of a script");
  }
  Result<std::string> stop(const JobId& /*id*/, const std::string& /*directory*/,
                           bool /*drain*/) override {
    return Status::internal("nobody stops the jobs of a script");
  }
  Status cancel(const JobId& id) override;
  Result<JobStatus> wait(const JobId& id,
                         std::optional<std::chrono::milliseconds> timeout) override;
  Result<std::unique_ptr<ResultReader>> fetch_results(const JobId& id,
                                                      std::string_view name) override;

  [[nodiscard]] std::size_t running() const;

 private:
  class Reader;
  struct Running {
    FakeJob job;
    JobStatus status;
    std::int64_t ends_ns = 0;
  };
  Running& find(const JobId& id);
  void let_end(Running& running);

  SimulatedClock& clock_;
  std::map<JobId, Running> jobs_;
};

}  // namespace clepsydra::console::testing
