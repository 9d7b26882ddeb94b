#include "main/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SqlCommand parsed(const std::vector<std::string>& words) {
  const Result<Command> command = parse_command_line(words);
  EXPECT_TRUE(command.is_ok()) << command.status().to_string();
  return std::get<SqlCommand>(*command);
}

std::string error_of(const std::vector<std::string>& words) {
  const Result<Command> command = parse_command_line(words);
  return command.is_ok() ? "" : std::string(command.status().message());
}

TEST(CommandLineTest, every_option_is_understood) {
  const SqlCommand command = parsed({"sql", "-f", "a.sql", "-i", "init.sql", "-c", "conf", "-D",
                                     "a=1", "-Db=2", "--format", "json"});
  EXPECT_EQ(command.file, "a.sql");
  EXPECT_EQ(command.init_file, "init.sql");
  EXPECT_EQ(command.configuration_directory, "conf");
  EXPECT_THAT(command.settings, ElementsAre("a=1", "b=2"));
  EXPECT_EQ(command.format, console::OutputFormat::kJson);
  EXPECT_FALSE(command.statements.has_value());
}

TEST(CommandLineTest, long_names_and_attached_values_are_the_same) {
  EXPECT_EQ(parsed({"sql", "--file=x=y.sql"}).file, "x=y.sql");
  EXPECT_EQ(parsed({"sql", "--execute", "SELECT 1"}).statements, "SELECT 1");
  EXPECT_EQ(parsed({"sql", "-eSELECT 1"}).statements, "SELECT 1");
}

TEST(CommandLineTest, statements_may_begin_with_a_comment) {
  EXPECT_EQ(parsed({"sql", "-e", "-- first\nSELECT 1"}).statements, "-- first\nSELECT 1");
}

TEST(CommandLineTest, help_and_version_are_texts) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--version"}, {"sql", "--version"}}) {
    const Result<Command> command = parse_command_line(words);
    ASSERT_TRUE(command.is_ok());
    EXPECT_THAT(std::get<ShowText>(*command).text, ::testing::MatchesRegex("clepsydra [0-9.]+\n"));
  }
  const Result<Command> help = parse_command_line(std::vector<std::string>{"sql", "--help"});
  ASSERT_TRUE(help.is_ok());
  EXPECT_EQ(std::get<ShowText>(*help).text, sql_usage());
}

TEST(CommandLineTest, the_shell_and_its_history_are_explained) {
  EXPECT_THAT(std::string(sql_usage()), HasSubstr("[-e STATEMENTS | -f FILE]"));
  EXPECT_THAT(std::string(sql_usage()), HasSubstr("this is an interactive shell"));
  EXPECT_EQ(parsed({"sql"}).history_file, std::nullopt);
  EXPECT_EQ(parsed({"sql", "--history", "/tmp/typed"}).history_file, "/tmp/typed");
  EXPECT_EQ(parsed({"sql", "--history="}).history_file, "");
  EXPECT_THAT(error_of({"sql", "--history"}), HasSubstr("needs a value: --history FILE"));
}

TEST(CommandLineTest, wrong_words_are_told) {
  EXPECT_THAT(error_of({}), HasSubstr("a command is missing"));
  EXPECT_THAT(error_of({"sqll"}), HasSubstr("unknown command 'sqll', expected sql, list"));
  EXPECT_THAT(error_of({"sqll"}), HasSubstr("Did you mean 'sql'?"));
  EXPECT_THAT(error_of({"--verbose"}), HasSubstr("unknown option '--verbose'"));
  EXPECT_THAT(error_of({"sql", "--formt", "csv"}),
              HasSubstr("unknown option '--formt'. Did you mean '--format'?"));
  EXPECT_THAT(error_of({"sql", "-x"}), HasSubstr("unknown option '-x'"));
  EXPECT_THAT(error_of({"sql", "SELECT 1"}), HasSubstr("unexpected argument 'SELECT 1'"));
  EXPECT_THAT(error_of({"sql", "-e"}), HasSubstr("option '-e' needs a value: -e STATEMENTS"));
  EXPECT_THAT(error_of({"sql", "--format", "xml"}),
              HasSubstr("unknown format 'xml', expected tableau, csv, tsv or json"));
  EXPECT_THAT(error_of({"sql", "-e", "a", "-e", "b"}), HasSubstr("'-e' is given more than once"));
  EXPECT_THAT(error_of({"sql", "-e", "a", "-f", "b"}), HasSubstr("by -e or by -f"));
  EXPECT_THAT(error_of({"sql", "--help=yes"}), HasSubstr("takes no value"));
}

TEST(CommandLineTest, commands_about_jobs) {
  const auto of = [](const std::vector<std::string>& words) {
    const Result<Command> command = parse_command_line(words);
    EXPECT_TRUE(command.is_ok()) << command.status().to_string();
    return std::get<JobCommand>(*command);
  };
  EXPECT_EQ(of({"list"}).action, JobCommand::Action::kList);
  EXPECT_TRUE(of({"list", "-a"}).lists_ended);
  EXPECT_EQ(of({"cancel", "ab"}).job, "ab");
  EXPECT_EQ(of({"savepoint", "ab"}).directory, "");
  EXPECT_EQ(of({"savepoint", "ab", "/s", "-D", "a=b"}).directory, "/s");
  const JobCommand stop = of({"stop", "-p", "/s", "--drain", "ab"});
  EXPECT_EQ(stop.action, JobCommand::Action::kStop);
  EXPECT_EQ(stop.directory, "/s");
  EXPECT_TRUE(stop.drain);
  EXPECT_THAT(error_of({"stop"}), HasSubstr("usage: clepsydra stop [-p DIR]"));
  EXPECT_THAT(error_of({"cancel", "a", "b"}), HasSubstr("unexpected argument 'b'"));
  EXPECT_THAT(error_of({"stop", "-x", "a"}), HasSubstr("unknown option '-x'"));
}

TEST(CommandLineTest, commands_about_what_lies_in_folders) {
  const auto of = [](const std::vector<std::string>& words) {
    const Result<Command> command = parse_command_line(words);
    EXPECT_TRUE(command.is_ok()) << command.status().to_string();
    return std::get<SnapshotCommand>(*command);
  };
  EXPECT_EQ(of({"checkpoint", "list", "/c"}).action, SnapshotCommand::Action::kList);
  EXPECT_THAT(of({"savepoint", "inspect", "/c"}).paths, ElementsAre("/c"));
  EXPECT_THAT(of({"savepoint", "diff", "/c", "/d"}).paths, ElementsAre("/c", "/d"));
  EXPECT_THAT(error_of({"savepoint", "diff", "/c"}), HasSubstr("savepoint diff PATH PATH"));
  EXPECT_THAT(error_of({"checkpoint", "lst"}), HasSubstr("expected 'checkpoint list DIR'"));
}

TEST(CommandLineTest, detach_is_refused_by_name) {
  const Result<Command> command =
      parse_command_line(std::vector<std::string>{"sql", "--detach", "-e", "SELECT 1"});
  ASSERT_FALSE(command.is_ok());
  EXPECT_EQ(command.status().code(), StatusCode::kUnimplemented);
  EXPECT_THAT(std::string(command.status().message()), HasSubstr("--detach"));
}

}  // namespace
}  // namespace clepsydra
