#include "gateway/console/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/configuration.h"
#include "base/local_file_system.h"
#include "base/memory_file_system.h"
#include "gateway/console/console_fakes.h"
#include "gateway/console/live_display.h"
#include "gateway/console/result_output.h"
#include "gateway/console/shell_commands.h"
#include "gateway/console/statement_runner.h"
#include "sql/fake_connectors.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::console {
namespace {

using ::testing::ElementsAre;
using testing::FakeJobClient;
using testing::FakeProcess;
using testing::FakeTerminal;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kTables =
    "CREATE TABLE s (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');"
    "CREATE TABLE e (a INT) WITH ('connector' = 'datagen');"
    "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');";
const std::string kInsert = "insert-into_default_catalog.default_database.t";

Batch numbers(const std::vector<std::string_view>& lines) {
  return clepsydra::testing::batch_of("a INT NOT NULL", lines);
}

// A shell over fakes.
struct Typist {
  explicit Typist(std::string_view term = "xterm") : process(true) {
    process.variables["TERM"] = term;
  }
  void type(std::string bytes, std::function<void()> before = {}) {
    terminal.to_come.push_back({std::move(bytes), std::move(before)});
  }
  // Nothing comes for a while.
  void rest(std::function<void()> before = {}) { type("", std::move(before)); }
  int run(std::string_view init = kTables) {
    LiveDisplay display(process, clock);
    return run_shell({.session = &session,
                      .configuration = &configuration,
                      .connectors = &connectors,
                      .jobs = &jobs,
                      .process = &process,
                      .terminal = &terminal,
                      .files = &files,
                      .clock = &clock,
                      .output = &output,
                      .display = &display,
                      .interrupted = &interrupted,
                      .history_path = "/history",
                      .init = std::string(init),
                      .init_name = "init.sql"});
  }
  std::string out() { return process.standard_output().text(); }
  std::string err() { return process.standard_error().text(); }

  SimulatedClock clock;
  FakeProcess process;
  FakeTerminal terminal;
  MemoryFileSystem files{clock};
  Configuration configuration;
  sql::testing::FakeConnectors connectors;
  SqlSession session{connectors, clock, configuration};
  FakeJobClient jobs{clock};
  ResultOutput output{process.standard_output()};
  std::atomic<bool> interrupted{false};
};

TEST(ShellTest, runs_what_is_typed_and_leaves_the_terminal_as_it_was) {
  Typist typist;
  typist.type("SHOW TABLES;\r");
  typist.type("quit\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.out(), HasSubstr("| table name |\n"));
  EXPECT_EQ(typist.terminal.mode, TerminalMode::kOriginal);
  EXPECT_EQ(*read_file(typist.files, "/history"), "SHOW TABLES;\nquit\n");
}

TEST(ShellTest, statements_may_have_several_lines) {
  Typist typist;
  typist.jobs.to_come.push_back({.batches = {numbers({"1", "2"})}});
  typist.type("SELECT a\rFROM s;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("        -> "));
  EXPECT_EQ(typist.out(), "+---+\n| a |\n+---+\n| 1 |\n| 2 |\n+---+\n");
  EXPECT_THAT(typist.err(), HasSubstr("Received a total of 2 rows in 0.000 s\n"));
  EXPECT_THAT(typist.err(), Not(HasSubstr("finished in")));
}

TEST(ShellTest, an_error_shows_its_place_and_the_shell_goes_on) {
  Typist typist;
  typist.type("SELECT nothing FROM s;\rSHOW TABLES;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("error: line 1, column 8: "));
  EXPECT_THAT(typist.err(), HasSubstr("  SELECT nothing FROM s;\n         ^^^^^^^\n"));
  EXPECT_THAT(typist.out(), HasSubstr("| table name |\n"));
}

TEST(ShellTest, a_query_that_fails_shows_the_rows_before_or_nothing) {
  Typist typist;
  typist.jobs.to_come = {
      {.error = Status::invalid_argument("bad row at line 1")},
      {.batches = {numbers({"1"})}, .error = Status::invalid_argument("bad row at line 2")}};
  typist.type("SELECT a FROM s;\r");
  typist.rest([&] { EXPECT_THAT(typist.err(), Not(HasSubstr("Received a total"))); });
  typist.type("SELECT a FROM s;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("error: bad row at line 1\n"));
  EXPECT_THAT(typist.err(), HasSubstr("|           1 |"));
  EXPECT_THAT(typist.err(), HasSubstr("Received a total of 1 row in"));
  EXPECT_THAT(typist.err(), HasSubstr("error: bad row at line 2\n"));
}

TEST(ShellTest, jobs_run_on_are_listed_and_cancelled) {
  Typist typist;
  typist.jobs.to_come = {{.is_endless = true}, {.batches = {numbers({"7"})}}};
  typist.type("INSERT INTO t SELECT a FROM e;\rjobs\rSELECT a FROM s;\rcancel 2\rcancel 1\r");
  typist.rest();
  typist.type("jobs;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("| " + kInsert + " | RUNNING | "));
  EXPECT_THAT(typist.err(), HasSubstr("error: no running job '2'"));
  EXPECT_THAT(typist.jobs.events, ElementsAre("submit " + kInsert, "submit collect", "end collect",
                                              "cancel " + kInsert));
  EXPECT_THAT(typist.err(), HasSubstr("Job '" + kInsert + "' was cancelled after"));
  EXPECT_THAT(typist.err(), HasSubstr("No job is running.\n"));
}

TEST(ShellTest, the_end_of_a_job_is_told_while_nothing_is_typed) {
  Typist typist;
  typist.jobs.to_come = {{.duration_ms = 50, .error = Status::resource_exhausted("disk full")}};
  typist.type("INSERT INTO t SELECT a FROM s;\r");
  typist.rest([&] { typist.clock.advance_ms(100); });
  typist.type("SHOW TABLES;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("error: job '" + kInsert + "' failed: disk full\n"));
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
}

TEST(ShellTest, an_interrupt_cancels_the_query_and_not_the_jobs) {
  Typist typist;
  typist.jobs.to_come = {
      {.is_endless = true},
      {.is_endless = true, .on_look = [&] { typist.interrupted = true; }},
  };
  typist.type("INSERT INTO t SELECT a FROM e;\rSELECT a FROM s;\rjobs\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.jobs.events, ElementsAre("submit " + kInsert, "submit collect",
                                              "cancel collect", "cancel " + kInsert));
  EXPECT_THAT(typist.err(), HasSubstr("Interrupted.\n"));
  EXPECT_THAT(typist.err(), HasSubstr("| " + kInsert + " | RUNNING | "));
}

TEST(ShellTest, leaving_with_running_jobs_is_asked_for_twice) {
  Typist typist;
  typist.jobs.to_come = {{.is_endless = true}};
  typist.type("INSERT INTO t SELECT a FROM e;\r\x04");
  typist.type("SHOW TABLES;\r\x04", [&] { EXPECT_EQ(typist.jobs.running(), 1U); });
  typist.type("\x04", [&] { EXPECT_EQ(typist.jobs.running(), 1U); });
  typist.type("", [] { FAIL() << "should have left"; });
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_EQ(typist.jobs.running(), 0U);
  EXPECT_THAT(typist.err(), HasSubstr("1 job is running: it ends with this process."));
}

TEST(ShellTest, a_signal_while_nothing_runs_ends_it) {
  Typist typist;
  typist.rest([&] { typist.interrupted = true; });
  typist.type("", [] { FAIL() << "should have left"; });
  EXPECT_EQ(typist.run(), kExitInterrupted);
}

TEST(ShellTest, a_live_table_is_sorted_searched_and_left) {
  Typist typist;
  typist.process.size = {.columns = 100, .rows = 12};
  typist.jobs.to_come = {{.batches = {numbers({"10", "9"})}, .is_endless = true}};
  typist.type("SELECT a FROM e;\r");
  typist.rest();
  typist.rest();
  typist.type("s");
  typist.type("q");
  typist.type("SHOW TABLES;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("|          10 |\x1b[K\n|           9 |"));
  EXPECT_THAT(typist.err(), HasSubstr("|           9 |\x1b[K\n|          10 |"));
  EXPECT_THAT(typist.err(), HasSubstr("rows 1-2 of 2, by a | q quit"));
  EXPECT_THAT(typist.jobs.events, ElementsAre("submit collect", "cancel collect"));
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
}

TEST(ShellTest, a_bounded_result_that_does_not_fit_is_paged) {
  Typist typist;
  typist.process.size = {.columns = 100, .rows = 12};
  std::vector<std::string> texts;
  std::vector<std::string_view> lines;
  for (int i = 1; i <= 50; ++i) texts.push_back(std::to_string(i));
  lines.assign(texts.begin(), texts.end());
  typist.jobs.to_come = {{.batches = {numbers(lines)}}};
  typist.type("SELECT a FROM s;\r");
  typist.type("\x1b[6~");
  typist.type("q");
  typist.type("SHOW TABLES;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("rows 1-6 of 50 | q quit"));
  EXPECT_THAT(typist.err(), HasSubstr("rows 7-12 of 50 | q quit"));
  EXPECT_THAT(typist.err(), HasSubstr("Received a total of 50 rows"));
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
}

TEST(ShellTest, result_modes_are_settings_that_are_checked) {
  Typist typist;
  typist.jobs.to_come = {{.batches = {numbers({"1"})}}, {.batches = {numbers({"2"})}}};
  typist.type("SET 'sql-client.execution.result-mode' = 'tableau'; SELECT a FROM s;\r");
  typist.type("SET 'sql-client.execution.result-mode' = 'changelog'; SELECT a FROM s;\r");
  typist.type("SET 'sql-client.execution.result-mode' = 'picture';\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.out(),
              HasSubstr("| op |           a |\n+----+-------------+\n| +I |           1 |\n"));
  EXPECT_THAT(typist.out(), HasSubstr("| op | a |\n+----+---+\n| +I | 2 |\n"));
  EXPECT_THAT(typist.err(), HasSubstr("sql-client.execution.result-mode"));
  EXPECT_THAT(typist.err(), HasSubstr("CHANGELOG"));
}

TEST(ShellTest, output_goes_to_a_file_in_the_form_of_its_name) {
  Typist typist;
  typist.jobs.to_come = {{.batches = {numbers({"1"})}}, {.batches = {numbers({"2"})}}};
  typist.type("\\o /out.csv\rSELECT a FROM s;\r\\o\rSELECT a FROM s;\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_EQ(*read_file(typist.files, "/out.csv"), "a\n1\n");
  EXPECT_EQ(typist.out(), "+---+\n| a |\n+---+\n| 2 |\n+---+\n");
}

TEST(ShellTest, timing_is_switched_off) {
  Typist typist;
  typist.jobs.to_come = {{.batches = {numbers({"1"})}}};
  typist.type("timing off\rSELECT a FROM s;\rtiming maybe\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err(), HasSubstr("Received a total of 1 row\n"));
  EXPECT_THAT(typist.err(),
              HasSubstr("error: expected 'timing on' or 'timing off', found 'maybe'"));
}

TEST(ShellTest, a_statement_is_edited_outside_and_comes_back) {
  Typist typist;
  typist.process.variables["EDITOR"] = "my-editor --wait";
  typist.terminal.program = [](std::span<const std::string> words) {
    EXPECT_EQ(words[2], "my-editor --wait \"$1\"");
    LocalFileSystem files;
    EXPECT_EQ(*read_file(files, words[4]), "SHOW TABELS;\n");
    return write_file_atomically(files, words[4], "SHOW TABLES;\n");
  };
  typist.type("SHOW TABELS;\x18\x05");
  typist.type("\r");
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
}

TEST(ShellTest, quit_stands_among_statements_too) {
  Typist typist;
  typist.type("SHOW TABLES; QUIT; SHOW VIEWS;\r");
  typist.type("", [] { FAIL() << "should have left"; });
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
  EXPECT_THAT(typist.out(), Not(HasSubstr("view name")));
}

TEST(ShellTest, an_error_in_the_init_script_ends_it) {
  Typist typist;
  typist.type("", [] { FAIL() << "should not have begun"; });
  EXPECT_EQ(typist.run("SHOW TABELS;"), kExitFailure);
  EXPECT_THAT(typist.err(), HasSubstr("error: init.sql: line 1, column 6: "));
}

TEST(ShellTest, a_dumb_terminal_sees_no_escape_sequences) {
  Typist typist("dumb");
  typist.jobs.to_come = {{.batches = {numbers({"1"})}}};
  typist.type("SELECT a\n");
  typist.type("FROM s;\n");
  typist.type("SELECT nonsense\n");
  typist.type("\x03");
  typist.type("SHOW TABLES;\n");
  typist.terminal.to_come.push_back({.at_end = true});
  typist.type("", [] { FAIL() << "should have left"; });
  EXPECT_EQ(typist.run(), kExitSuccess);
  EXPECT_THAT(typist.err() + typist.out(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(typist.err(), HasSubstr("clepsydra>         -> "));
  EXPECT_THAT(typist.out(), HasSubstr("| +I |           1 |\n"));
  EXPECT_THAT(typist.out(), HasSubstr("table name"));
  EXPECT_THAT(typist.err(), Not(HasSubstr("error")));
}

TEST(ShellCommandsTest, words_and_backslashes) {
  EXPECT_EQ(parse_shell_command(" Quit ; ")->kind, ShellCommandKind::kQuit);
  EXPECT_EQ(parse_shell_command("\\q")->kind, ShellCommandKind::kQuit);
  EXPECT_EQ(parse_shell_command("\\o a b.csv")->argument, "a b.csv");
  EXPECT_EQ(parse_shell_command("\\o")->argument, "");
  EXPECT_EQ(parse_shell_command("\\i")->kind, ShellCommandKind::kUnknown);
  EXPECT_EQ(parse_shell_command("\\zz x")->argument, "\\zz");
  for (const std::string_view sql :
       {"SELECT 1;", "o", "cancel", "help me", "quit\nfoo", "", "\\n;"}) {
    const auto command = parse_shell_command(sql);
    EXPECT_TRUE(!command || command->kind == ShellCommandKind::kUnknown) << sql;
  }
}

TEST(ShellCommandsTest, jobs_are_found_by_number_and_by_the_beginning_of_an_id) {
  std::vector<JobStatus> jobs(2);
  jobs[0].id = *JobId::parse("ab000000000000000000000000000000");
  jobs[1].id = *JobId::parse("ac000000000000000000000000000000");
  EXPECT_EQ(*find_job(jobs, "2"), jobs[1].id);
  EXPECT_EQ(*find_job(jobs, "ab"), jobs[0].id);
  EXPECT_THAT(std::string(find_job(jobs, "a").status().message()), HasSubstr("several jobs"));
  EXPECT_EQ(find_job(jobs, "3").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace clepsydra::console
