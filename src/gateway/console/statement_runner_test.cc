#include "gateway/console/statement_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "base/configuration.h"
#include "gateway/console/console_fakes.h"
#include "gateway/console/live_display.h"
#include "gateway/console/result_output.h"
#include "sql/fake_connectors.h"
#include "tests/harness/batch_text.h"

namespace clepsydra::console {
namespace {

using ::testing::ElementsAre;
using testing::FakeJobClient;
using testing::FakeProcess;
using ::testing::HasSubstr;
using ::testing::Not;

// A console over fakes; run() makes a script's whole life.
struct Console {
  explicit Console(OutputFormat output_format = OutputFormat::kTsv, bool is_terminal = false,
                   std::optional<std::size_t> output_bytes_max = std::nullopt)
      : process(is_terminal, output_bytes_max), format(output_format) {}

  int run(std::string_view script, std::string_view name = "", std::string_view init = "") {
    StatementRunner runner({.session = &session,
                            .configuration = &configuration,
                            .jobs = &jobs,
                            .process = &process,
                            .clock = &clock,
                            .output = &output,
                            .display = &display,
                            .format = format,
                            .interrupted = &interrupted});
    if (init.empty() || runner.run(init, "init.sql")) runner.run(script, name);
    return runner.finish();
  }
  std::string out() { return process.standard_output().text(); }
  std::string err() { return process.standard_error().text(); }

  SimulatedClock clock;
  FakeProcess process;
  OutputFormat format;
  Configuration configuration;
  sql::testing::FakeConnectors connectors;
  SqlSession session{connectors, clock, configuration};
  FakeJobClient jobs{clock};
  ResultOutput output{process.standard_output()};
  LiveDisplay display{process, clock};
  std::atomic<bool> interrupted{false};
};

Batch numbers(const std::vector<std::string_view>& lines) {
  return clepsydra::testing::batch_of("a INT NOT NULL", lines);
}

constexpr std::string_view kTables =
    "CREATE TABLE s (a INT) WITH ('connector' = 'datagen', 'number-of-rows' = '1');"
    "CREATE TABLE t (a INT) WITH ('connector' = 'blackhole');"
    "CREATE TABLE u (a INT) WITH ('connector' = 'blackhole');";
constexpr std::string_view kInsertT = "insert-into_default_catalog.default_database.t";
constexpr std::string_view kInsertU = "insert-into_default_catalog.default_database.u";

std::string with_tables(std::string_view script) {
  return std::string(kTables) + std::string(script);
}
std::string event(std::string_view what, std::string_view job) {
  return std::string(what) + " " + std::string(job);
}

TEST(StatementRunnerTest, select_prints_rows_in_the_order_they_come) {
  Console console;
  console.jobs.to_come.push_back({.batches = {numbers({"3", "1"}), numbers({"2"})}});
  EXPECT_EQ(console.run("SELECT 1 AS a"), kExitSuccess);
  EXPECT_EQ(console.out(), "a\n3\n1\n2\n");
}

TEST(StatementRunnerTest, results_are_separated_by_an_empty_line_and_ddl_prints_none) {
  Console console;
  console.jobs.to_come.push_back({.batches = {numbers({"1"})}});
  EXPECT_EQ(console.run(with_tables("SHOW TABLES; SET 'a.b' = 'c'; SELECT 1 AS a;")), kExitSuccess);
  EXPECT_EQ(console.out(), "table name\ns\nt\nu\n\na\n1\n");
}

TEST(StatementRunnerTest, an_error_further_down_comes_when_it_is_reached) {
  Console console;
  console.jobs.to_come.push_back({.batches = {numbers({"1"})}});
  EXPECT_EQ(console.run("SELECT 1 AS a;\nSELEC 2;\nSELECT 3 AS a", "my.sql"), kExitFailure);
  EXPECT_EQ(console.out(), "a\n1\n");
  EXPECT_THAT(console.err(), HasSubstr("error: my.sql: line 2, column 1: "));
}

TEST(StatementRunnerTest, inserts_start_at_once_and_are_waited_for_at_the_end) {
  Console console;
  console.jobs.to_come = {{.duration_ms = 700}, {.duration_ms = 300}};
  EXPECT_EQ(
      console.run(with_tables("INSERT INTO t SELECT a FROM s; INSERT INTO u SELECT a FROM s")),
      kExitSuccess);
  EXPECT_THAT(console.jobs.events, ElementsAre(event("submit", kInsertT), event("submit", kInsertU),
                                               event("end", kInsertU), event("end", kInsertT)));
  EXPECT_EQ(console.out(), "");
}

TEST(StatementRunnerTest, dml_sync_waits_at_each_insert) {
  Console console;
  console.jobs.to_come = {{.duration_ms = 700}, {.duration_ms = 300}};
  EXPECT_EQ(console.run(with_tables("SET 'table.dml-sync' = 'true'; INSERT INTO t SELECT a FROM s; "
                                    "INSERT INTO u SELECT a FROM s")),
            kExitSuccess);
  EXPECT_THAT(console.jobs.events, ElementsAre(event("submit", kInsertT), event("end", kInsertT),
                                               event("submit", kInsertU), event("end", kInsertU)));
}

TEST(StatementRunnerTest, an_error_of_a_statement_cancels_the_running_jobs) {
  Console console;
  console.jobs.to_come = {{.is_endless = true}};
  EXPECT_EQ(console.run(with_tables("INSERT INTO t SELECT a FROM s; SELECT nothing FROM s")),
            kExitFailure);
  EXPECT_THAT(console.jobs.events,
              ElementsAre(event("submit", kInsertT), event("cancel", kInsertT)));
  EXPECT_THAT(console.err(), HasSubstr("was cancelled after"));
  EXPECT_THAT(console.err(), HasSubstr("nothing"));
}

TEST(StatementRunnerTest, an_error_of_a_running_job_stops_the_script_and_the_other_jobs) {
  Console console;
  console.jobs.to_come = {{.is_endless = true},
                          {.duration_ms = 250, .error = Status::resource_exhausted("disk full")}};
  EXPECT_EQ(
      console.run(with_tables("INSERT INTO t SELECT a FROM s; INSERT INTO u SELECT a FROM s")),
      kExitFailure);
  EXPECT_THAT(console.jobs.events, ElementsAre(event("submit", kInsertT), event("submit", kInsertU),
                                               event("end", kInsertU), event("cancel", kInsertT)));
  EXPECT_THAT(console.err(),
              HasSubstr("error: job '" + std::string(kInsertU) + "' failed: disk full\n"));
}

TEST(StatementRunnerTest, a_select_that_fails_prints_what_came_before) {
  Console console;
  console.jobs.to_come = {
      {.batches = {numbers({"1", "2"})}, .error = Status::invalid_argument("bad row at line 3")}};
  EXPECT_EQ(console.run("SELECT 1 AS a; SELECT 2 AS a"), kExitFailure);
  EXPECT_EQ(console.out(), "a\n1\n2\n");
  EXPECT_THAT(console.err(), HasSubstr("error: bad row at line 3\n"));
  EXPECT_THAT(console.jobs.events, ElementsAre("submit collect", "end collect"));
}

TEST(StatementRunnerTest, a_job_that_fails_during_a_select_stops_it) {
  Console console;
  console.jobs.to_come = {{.duration_ms = 250, .error = Status::resource_exhausted("disk full")},
                          {.batches = {numbers({"1"})}, .is_endless = true}};
  EXPECT_EQ(console.run(with_tables("INSERT INTO t SELECT a FROM s; SELECT a FROM s")),
            kExitFailure);
  EXPECT_THAT(console.jobs.events, ElementsAre(event("submit", kInsertT), "submit collect",
                                               event("end", kInsertT), "cancel collect"));
}

TEST(StatementRunnerTest, an_interrupt_cancels_tells_the_summary_and_exits_with_130) {
  Console console;
  console.jobs.to_come = {{.batches = {numbers({"1"})},
                           .is_endless = true,
                           .error = Status::ok(),
                           .on_look = [&console] { console.interrupted = true; }}};
  EXPECT_EQ(console.run("SELECT 1 AS a; SELECT 2 AS a"), kExitInterrupted);
  EXPECT_EQ(console.out(), "a\n1\n");
  EXPECT_THAT(console.jobs.events, ElementsAre("submit collect", "cancel collect"));
  EXPECT_THAT(console.err(), HasSubstr("Job 'collect' was cancelled after"));
  EXPECT_THAT(console.err(), Not(HasSubstr("error")));
}

TEST(StatementRunnerTest, a_closed_pipe_stops_quietly_with_141) {
  Console console(OutputFormat::kTsv, false, 2);
  console.jobs.to_come = {{.batches = {numbers({"1", "2"})}, .is_endless = true}};
  EXPECT_EQ(console.run("SELECT 1 AS a; SELECT 2 AS a"), kExitClosedPipe);
  EXPECT_THAT(console.jobs.events, ElementsAre("submit collect", "cancel collect"));
  EXPECT_THAT(console.err(), Not(HasSubstr("error")));
}

TEST(StatementRunnerTest, the_init_script_runs_first_and_its_errors_name_it) {
  Console console;
  EXPECT_EQ(console.run("SHOW TABLES", "", kTables), kExitSuccess);
  EXPECT_EQ(console.out(), "table name\ns\nt\nu\n");

  Console wrong;
  EXPECT_EQ(wrong.run("SHOW TABLES", "", "SHOW TABELS"), kExitFailure);
  EXPECT_EQ(wrong.out(), "");
  EXPECT_THAT(wrong.err(), HasSubstr("error: init.sql: line 1, column 6: "));
}

TEST(StatementRunnerTest, an_unbounded_select_is_a_live_table_in_a_terminal) {
  Console console(OutputFormat::kTableau, true);
  console.process.size = {.columns = 60, .rows = 8};
  int looks = 0;
  console.jobs.to_come = {{.batches = {numbers({"1", "2", "3", "4", "5", "6"})},
                           .is_endless = true,
                           .on_look = [&] { console.interrupted = ++looks == 2; }}};
  EXPECT_EQ(console.run("CREATE TABLE e (a INT) WITH ('connector' = 'datagen'); SELECT a FROM e"),
            kExitInterrupted);
  // 8 lines: one for the cursor, one for the progress, four of the frame, two rows.
  EXPECT_THAT(console.err(), HasSubstr("| +I |           5 |\x1b[K\n| +I |           6 |\x1b[K\n"
                                       "+----+-------------+\x1b[K\n"));
  EXPECT_THAT(console.err(), HasSubstr("0 rows in | 0 rows out | 0 rows/s | watermark none yet"));
  EXPECT_THAT(console.err(), HasSubstr("Received a total of 6 rows\n"));
  EXPECT_EQ(console.out(), "");
}

TEST(StatementRunnerTest, a_bounded_select_in_a_terminal_prints_every_row) {
  Console console(OutputFormat::kTableau, true);
  console.jobs.to_come = {{.batches = {numbers({"1", "2"})}}};
  EXPECT_EQ(console.run("SELECT 1 AS a"), kExitSuccess);
  EXPECT_EQ(console.out(),
            "+----+-------------+\n"
            "| op |           a |\n"
            "+----+-------------+\n"
            "| +I |           1 |\n"
            "| +I |           2 |\n"
            "+----+-------------+\n");
}

TEST(StatementRunnerTest, the_column_width_is_a_setting) {
  Console console(OutputFormat::kTableau);
  console.jobs.to_come = {
      {.batches = {clepsydra::testing::batch_of("s STRING", {"abcdefghijklmnop"})}}};
  EXPECT_EQ(console.run("SET 'table.display.max-column-width' = '8'; SELECT 'x' AS s"),
            kExitSuccess);
  EXPECT_THAT(console.out(), HasSubstr("| +I | abcde... |\n"));

  Console wrong;
  EXPECT_EQ(wrong.run("SET 'table.display.max-column-width' = 'wide'; SELECT 'x' AS s"),
            kExitFailure);
  EXPECT_THAT(wrong.err(), HasSubstr("table.display.max-column-width"));
}

TEST(ResultOutputTest, printed_lines_are_one_result) {
  StringOutput text;
  ResultOutput output(text);
  ASSERT_TRUE(output.write("+I[1]\n").is_ok());
  ASSERT_TRUE(output.write("+I[2]\n").is_ok());
  ASSERT_TRUE(output.begin_result().is_ok());
  ASSERT_TRUE(output.write_result("a\n").is_ok());
  ASSERT_TRUE(output.write("+I[3]\n").is_ok());
  ASSERT_TRUE(output.end_result().is_ok());
  ASSERT_TRUE(output.write("+I[4]\n").is_ok());
  EXPECT_EQ(text.text(), "+I[1]\n+I[2]\n\na\n+I[3]\n\n+I[4]\n");
}

}  // namespace
}  // namespace clepsydra::console
