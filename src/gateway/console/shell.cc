#include "gateway/console/shell.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/configuration.h"
#include "base/file_system.h"
#include "base/local_file_system.h"
#include "base/process.h"
#include "base/terminal.h"
#include "base/utf8.h"
#include "gateway/console/completion.h"
#include "gateway/console/console_settings.h"
#include "gateway/console/editor_view.h"
#include "gateway/console/history.h"
#include "gateway/console/keys.h"
#include "gateway/console/line_editor.h"
#include "gateway/console/live_display.h"
#include "gateway/console/result_output.h"
#include "gateway/console/shell_commands.h"
#include "gateway/console/statement_runner.h"
#include "sql/grammar/parser.h"

namespace clepsydra::console {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPrompt = "clepsydra> ";
constexpr std::string_view kWelcome =
    "Clepsydra SQL. Statements end with ';', 'help' lists what else there is, 'quit' leaves.\n";
constexpr milliseconds kLookEvery{100};
constexpr char kControlC = '\x03';

// Results in a file.
class FileOutput final : public TextOutput {
 public:
  explicit FileOutput(std::unique_ptr<WritableFile> file) : file_(std::move(file)) {}
  Status write(std::string_view text) override { return file_->append(text); }
  Status flush() override { return Status::ok(); }
  [[nodiscard]] bool is_terminal() const override { return false; }
  [[nodiscard]] bool is_closed() const override { return false; }
  Status close() { return file_->close(); }

 private:
  const std::unique_ptr<WritableFile> file_;
};

OutputFormat format_of_file(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return OutputFormat::kTableau;
  const Result<OutputFormat> format = parse_output_format(path.substr(dot + 1));
  return format.is_ok() ? *format : OutputFormat::kTableau;
}

// Whether Enter ends what was typed.
bool is_complete(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\n");
  if (last == std::string_view::npos || parse_shell_command(text)) return true;
  // Looking at all of a long statement for every line of it would take long.
  const std::size_t last_line = text.rfind('\n', last) + 1;  // 0 when there is one line.
  if (text.find(';', last_line) == std::string_view::npos) return false;
  return !grammar::needs_more_input(text);
}

class Shell {
 public:
  explicit Shell(const ShellOptions& options)
      : options_(options),
        runner_({.session = options.session,
                 .configuration = options.configuration,
                 .jobs = options.jobs,
                 .process = options.process,
                 .clock = options.clock,
                 .output = options.output,
                 .display = options.display,
                 .format = options.format,
                 .interrupted = options.interrupted,
                 .terminal = options.display->can_paint() ? options.terminal : nullptr,
                 .client_command =
                     [this](ast::ClientCommandKind command) { return run_client(command); }}),
        history_(*options.files, options.history_path),
        completer_(*options.session, *options.connectors),
        editor_(
            history_,
            [this](std::string_view text, std::size_t cursor) {
              return completer_.complete(text, cursor);
            },
            is_complete) {}
  ~Shell() { options_.output->redirect(options_.process->standard_output()); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  int run() {
    if (const Status status = start(); !status.is_ok()) return fail(status);
    if (!options_.init.empty() && !runner_.run_typed(options_.init, options_.init_name)) {
      return leave(kExitFailure);
    }
    if (has_left_) return leave(kExitSuccess);
    runner_.say(kWelcome);
    const Result<int> code = options_.display->can_paint() ? run_keys() : run_lines();
    return code.is_ok() ? *code : fail(code.status());
  }

 private:
  Status start() {
    // A statement runs: what was typed too early is kept, Ctrl-C is an interrupt.
    CLP_RETURN_IF_ERROR(options_.terminal->set_mode(busy_mode()));
    CLP_RETURN_IF_ERROR(options_.process->on_interrupt([this](int /*count*/) {
      if (!options_.interrupted->exchange(true)) return;
      options_.terminal->restore();
      options_.process->exit_now(kExitInterrupted);
    }));
    // A shell without history is still one.
    if (const Status status = history_.load(); !status.is_ok()) complain(status);
    return Status::ok();
  }

  [[nodiscard]] TerminalMode busy_mode() const {
    return options_.display->can_paint() ? TerminalMode::kKeysAndSignals : TerminalMode::kOriginal;
  }

  // A terminal that can be painted.
  Result<int> run_keys() {
    CLP_RETURN_IF_ERROR(begin_typing());
    while (true) {
      paint();
      CLP_ASSIGN_OR_RETURN(const TypedText typed, options_.terminal->read(kLookEvery));
      if (options_.interrupted->load()) return leave(kExitInterrupted);
      if (typed.at_end) return leave(kExitSuccess);
      if (typed.bytes.empty()) {
        keys_.settle();
        runner_.look();
        options_.display->show_printed();
      } else {
        keys_.feed(typed.bytes);
      }
      for (Key key; keys_.next(key);) {
        CLP_RETURN_IF_ERROR(handle(key));
        if (has_left_) return leave(kExitSuccess);
      }
    }
  }

  Status handle(const Key& key) {
    switch (editor_.handle(key)) {
      case EditResult::kGoOn:
        return Status::ok();
      case EditResult::kSubmit: {
        paint();
        options_.display->leave_typing();
        return submit(editor_.take());
      }
      case EditResult::kInterrupt:
        options_.display->leave_typing();
        return Status::ok();
      case EditResult::kEnd:
        options_.display->leave_typing();
        quit();
        return Status::ok();
      case EditResult::kClear:
        options_.display->clear_screen();
        return Status::ok();
      case EditResult::kOpenEditor:
        options_.display->make_way();
        edit(editor_.text());
        return Status::ok();
    }
    return Status::ok();
  }

  Status submit(const std::string& text) {
    if (text.find_first_not_of(" \t\n") == std::string::npos) return Status::ok();
    if (const Status status = history_.add(text); !status.is_ok() && !has_complained_) {
      has_complained_ = true;  // Once is enough: it will not get better.
      complain(status);
    }
    options_.display->mark_pastes(false);
    CLP_RETURN_IF_ERROR(options_.terminal->set_mode(busy_mode()));
    run_typed(text);
    return has_left_ ? Status::ok() : begin_typing();
  }

  Status begin_typing() {
    // Interrupts of what has ended by now.
    options_.interrupted->store(false);
    if (!options_.display->can_paint()) return options_.terminal->set_mode(TerminalMode::kLines);
    options_.display->mark_pastes(true);
    return options_.terminal->set_mode(TerminalMode::kKeys);
  }

  void paint() {
    EditorStyle style{.prompt = kPrompt, .colors = ColorSchema::none(), .line_numbers = false};
    Result<ConsoleSettings> settings = read_console_settings(*options_.configuration);
    if (settings.is_ok()) {
      if (!options_.process->environment("NO_COLOR")) style.colors = std::move(settings->colors);
      style.line_numbers = settings->line_numbers;
    }
    const EditorPicture picture = picture_of(editor_, style, options_.display->size());
    options_.display->paint_typing(picture.lines, picture.cursor);
  }

  // A dumb terminal: it edits its lines itself.
  Result<int> run_lines() {
    CLP_RETURN_IF_ERROR(begin_typing());
    std::string text;
    prompt(text);
    while (true) {
      CLP_ASSIGN_OR_RETURN(const TypedText typed, options_.terminal->read(kLookEvery));
      if (options_.interrupted->load()) return leave(kExitInterrupted);
      if (typed.bytes.empty() && !typed.at_end) {
        const std::size_t running = runner_.running_statuses().size();
        runner_.look();
        if (runner_.running_statuses().size() != running) prompt(text);
        continue;
      }
      if (typed.at_end || typed.bytes.back() == kControlC) {
        runner_.say("\n");
        if (typed.at_end && text.empty()) quit();
        text.clear();
      } else {
        CLP_RETURN_IF_ERROR(add_line(typed.bytes, text));
      }
      if (has_left_) return leave(kExitSuccess);
      prompt(text);
    }
  }

  Status add_line(std::string_view line, std::string& text) {
    if (text.size() + line.size() > LineEditor::kTextBytesMax) {
      text.clear();
      complain(Status::resource_exhausted(
          fmt::format("a statement of more than {} bytes", LineEditor::kTextBytesMax)));
      return Status::ok();
    }
    text += replace_invalid_utf8(line);
    std::string_view whole = text;
    while (whole.ends_with('\n')) whole.remove_suffix(1);
    if (!is_complete(whole)) return Status::ok();
    const std::string statement(whole);
    text.clear();
    CLP_RETURN_IF_ERROR(submit(statement));
    // What came back from $EDITOR.
    if (!editor_.text().empty() && !has_left_) return submit(editor_.take());
    return Status::ok();
  }

  void prompt(std::string_view text) {
    const auto line = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    runner_.say(line == 1 ? std::string(kPrompt) : continuation_prompt(kPrompt, line, false));
  }

  void run_typed(std::string_view text) {
    const std::optional<ShellCommand> command = parse_shell_command(text);
    if (!command || command->kind != ShellCommandKind::kQuit) is_leaving_ = false;
    if (command) {
      run_command(*command);
    } else {
      runner_.run_typed(text, "");
    }
  }

  void run_command(const ShellCommand& command) {
    switch (command.kind) {
      case ShellCommandKind::kHelp:
        runner_.say(shell_help());
        break;
      case ShellCommandKind::kQuit:
        quit();
        break;
      case ShellCommandKind::kClear:
        options_.display->clear_screen();
        break;
      case ShellCommandKind::kJobs:
        runner_.look();
        runner_.say(job_table(runner_.running_statuses(), options_.clock->now_ms()));
        break;
      case ShellCommandKind::kCancel:
        tell(cancel(command.argument));
        break;
      case ShellCommandKind::kTiming:
        tell(set_timing(command.argument));
        break;
      case ShellCommandKind::kOutput:
        tell(set_output(command.argument));
        break;
      case ShellCommandKind::kEdit:
        edit(history_.size() > 1 ? history_.at(history_.size() - 2) : std::string());
        break;
      case ShellCommandKind::kInput:
        tell(run_file(command.argument));
        break;
      case ShellCommandKind::kUnknown:
        complain(Status::invalid_argument(fmt::format(
            "no command {} of this form; 'help' lists what there is", command.argument)));
        break;
    }
  }

  // Of SQL: "SELECT 1; QUIT;".
  bool run_client(ast::ClientCommandKind command) {
    switch (command) {
      case ast::ClientCommandKind::kQuit:
        quit();
        return false;
      case ast::ClientCommandKind::kClear:
        options_.display->clear_screen();
        break;
      case ast::ClientCommandKind::kHelp:
        runner_.say(shell_help());
        break;
    }
    return true;
  }

  void quit() {
    const std::size_t running = runner_.running_statuses().size();
    if (running == 0 || is_leaving_) {
      has_left_ = true;
      return;
    }
    is_leaving_ = true;
    runner_.say(
        fmt::format("{} running: {} with this process. Once more to leave, 'jobs' to list them.\n",
                    running == 1 ? std::string("1 job is") : fmt::format("{} jobs are", running),
                    running == 1 ? "it ends" : "they end"));
  }

  Status cancel(const std::string& name) {
    runner_.look();
    const std::vector<JobStatus> jobs = runner_.running_statuses();
    if (name == "all") {
      for (const JobStatus& job : jobs) CLP_RETURN_IF_ERROR(runner_.cancel(job.id));
      return Status::ok();
    }
    CLP_ASSIGN_OR_RETURN(const JobId id, find_job(jobs, name));
    return runner_.cancel(id);
  }

  Status set_timing(const std::string& word) {
    CLP_ASSIGN_OR_RETURN(const ConsoleSettings settings,
                         read_console_settings(*options_.configuration));
    if (!word.empty() && word != "on" && word != "off") {
      return Status::invalid_argument(
          fmt::format("expected 'timing on' or 'timing off', found '{}'", clip(word, 64)));
    }
    const bool is_on = word.empty() ? !settings.print_time_cost : word == "on";
    options_.configuration->set(std::string(kPrintTimeCostKey), is_on ? "true" : "false");
    runner_.say(fmt::format("Timing is {}.\n", is_on ? "on" : "off"));
    return Status::ok();
  }

  Status set_output(const std::string& path) {
    std::unique_ptr<FileOutput> next;
    if (!path.empty()) {
      CLP_ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file,
                           options_.files->open_for_write(path, WriteMode::kTruncate));
      next = std::make_unique<FileOutput>(std::move(file));
    }
    options_.output->redirect(next ? *next : options_.process->standard_output());
    runner_.set_format(next ? format_of_file(path) : options_.format);
    const std::unique_ptr<FileOutput> last = std::exchange(file_, std::move(next));
    return last ? last->close() : Status::ok();
  }

  Status run_file(const std::string& path) {
    CLP_ASSIGN_OR_RETURN(
        const std::string text,
        read_file(*options_.files, path, static_cast<std::int64_t>(grammar::kMaxScriptBytes)));
    runner_.run_typed(text, base_name(path));  // Tells its errors itself.
    return Status::ok();
  }

  // What comes back stands in the editor.
  void edit(const std::string& text) {
    Result<std::string> edited = edit_outside(text);
    if (!edited.is_ok()) {
      complain(edited.status());
      return;
    }
    while (edited->ends_with('\n')) edited->pop_back();
    editor_.set_text(*std::move(edited));
  }

  Result<std::string> edit_outside(const std::string& text) {
    std::optional<std::string> program = options_.process->environment("VISUAL");
    if (!program) program = options_.process->environment("EDITOR");
    CLP_ASSIGN_OR_RETURN(const std::string folder, make_temporary_directory("clepsydra-edit-"));
    const std::string path = join_path(folder, "statement.sql");
    LocalFileSystem files;
    const auto edit_file = [&]() -> Result<std::string> {
      CLP_RETURN_IF_ERROR(write_file_atomically(files, path, text + "\n"));
      // EDITOR may have options: the shell takes it apart.
      const std::vector<std::string> words = {"/bin/sh", "-c", program.value_or("vi") + " \"$1\"",
                                              "sh", path};
      CLP_RETURN_IF_ERROR(options_.terminal->run_program(words).with_context("EDITOR"));
      CLP_ASSIGN_OR_RETURN(
          const std::string edited,
          read_file(files, path, static_cast<std::int64_t>(LineEditor::kTextBytesMax)));
      return replace_invalid_utf8(edited);
    };
    Result<std::string> edited = edit_file();
    (void)files.remove_all(folder);  // It is in the folder for temporary files anyway.
    options_.interrupted->store(false);
    return edited;
  }

  void tell(const Status& status) {
    if (!status.is_ok()) complain(status);
  }

  void complain(const Status& status) { runner_.say(fmt::format("error: {}\n", status.message())); }

  int leave(int code) {
    options_.display->make_way();
    options_.display->mark_pastes(false);
    (void)options_.terminal->set_mode(busy_mode());
    options_.interrupted->store(false);
    runner_.cancel_all();
    if (const Status status = set_output(""); !status.is_ok()) return fail(status);
    if (const Status status = options_.output->flush(); !status.is_ok()) return fail(status);
    options_.terminal->restore();
    return code;
  }

  int fail(const Status& status) {
    complain(status);
    runner_.cancel_all();
    options_.terminal->restore();
    return kExitFailure;
  }

  const ShellOptions& options_;
  StatementRunner runner_;
  History history_;
  SqlCompleter completer_;
  LineEditor editor_;
  KeyReader keys_;
  std::unique_ptr<FileOutput> file_;
  bool has_left_ = false;
  bool is_leaving_ = false;  // Was told that jobs are running.
  bool has_complained_ = false;
};

}  // namespace

int run_shell(const ShellOptions& options) {
  return Shell(options).run();
}

std::string default_history_path(const Process& process) {
  const std::optional<std::string> home = process.environment("HOME");
  return home && !home->empty() ? join_path(*home, ".clepsydra-sql-history") : std::string();
}

}  // namespace clepsydra::console
