#include "base/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "base/local_file_system.h"
#include "base/logging.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::chrono::seconds kLong{120};

TEST(ProcessTest, interrupts_are_counted_and_handed_over) {
  const std::unique_ptr<Process> process = make_process();
  std::counting_semaphore<10> arrived{0};
  std::vector<int> counts;
  ASSERT_TRUE(process
                  ->on_interrupt([&](int count) {
                    counts.push_back(count);
                    arrived.release();
                  })
                  .is_ok());
  ASSERT_EQ(std::raise(SIGINT), 0);
  ASSERT_TRUE(arrived.try_acquire_for(kLong));
  ASSERT_EQ(std::raise(SIGTERM), 0);
  ASSERT_TRUE(arrived.try_acquire_for(kLong));
  ASSERT_TRUE(process->on_interrupt({}).is_ok());
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 2));
}

TEST(ProcessDeathTest, without_a_listener_an_interrupt_ends_the_process) {
  EXPECT_EXIT(
      {
        const std::unique_ptr<Process> process = make_process();
        (void)process->on_interrupt([](int) {});
        (void)process->on_interrupt({});
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

TEST(ProcessDeathTest, exit_now_flushes_and_skips_destructors) {
  EXPECT_EXIT(
      {
        const std::unique_ptr<Process> process = make_process();
        (void)process->standard_error().write("last words");
        process->exit_now(130);
      },
      ::testing::ExitedWithCode(130), "last words");
}

TEST(ProcessTest, a_closed_pipe_is_an_error_not_a_signal) {
  // The other end of standard output is closed in a child, so that this test's own stays usable.
  EXPECT_EXIT(
      {
        const std::unique_ptr<Process> process = make_process();
        int ends[2];
        if (::pipe(ends) != 0 || ::dup2(ends[1], 1) != 1) _exit(9);
        ::close(ends[0]);
        TextOutput& output = process->standard_output();
        (void)output.write("x");
        const Status status = output.flush();
        const bool right = !status.is_ok() && output.is_closed() &&
                           status.message().find("standard output") != std::string::npos;
        _exit(right ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(ProcessTest, knows_itself) {
  const std::unique_ptr<Process> process = make_process();
  const ResourceUsage usage = process->resource_usage();
  EXPECT_GT(usage.cpu_ns, 0);
  EXPECT_GT(usage.resident_bytes, 1 << 20);
  EXPECT_GE(usage.peak_resident_bytes, usage.resident_bytes / 2);
  EXPECT_GE(process->available_processors(), 1);
  EXPECT_TRUE(process->environment("PATH").has_value());
  EXPECT_FALSE(process->environment("CLEPSYDRA_NO_SUCH_VARIABLE").has_value());
  EXPECT_GT(process->terminal_size().columns, 0);
  LocalFileSystem files;
  EXPECT_TRUE(*files.exists(join_path(*process->program_directory(), "base_test")));
}

TEST(StringOutputTest, collects_and_closes) {
  StringOutput output(true, 5);
  EXPECT_TRUE(output.is_terminal());
  EXPECT_TRUE(output.write("abc").is_ok());
  EXPECT_FALSE(output.write("def").is_ok());
  EXPECT_TRUE(output.is_closed());
  EXPECT_EQ(output.text(), "abc");
}

TEST(LoggingTest, writes_lines_of_enabled_levels_only) {
  const std::string directory = *make_temporary_directory("clepsydra-log-");
  const std::string file = join_path(directory, "log");
  ASSERT_TRUE(configure_logging({.level = LogLevel::kInfo, .file = file}).is_ok());
  EXPECT_TRUE(log_enabled(LogLevel::kInfo));
  EXPECT_FALSE(log_enabled(LogLevel::kDebug));
  int built = 0;
  const auto message = [&](std::string text) {
    ++built;
    return text;
  };
  CLP_LOG(kDebug, "test", message("not built"));
  CLP_LOG(kInfo, "test", message("two\nlines"));
  CLP_LOG(kWarning, "test", message("a warning {}"));
  EXPECT_EQ(built, 2);
  ASSERT_TRUE(configure_logging({}).is_ok());  // Closes the file.
  LocalFileSystem files;
  const std::string text = *read_file(files, file);
  EXPECT_THAT(text, HasSubstr("I test: two\\nlines\n"));
  EXPECT_THAT(text, HasSubstr("W test: a warning {}\n"));
  EXPECT_THAT(text, Not(HasSubstr("not built")));
  EXPECT_TRUE(files.remove_all(directory).is_ok());
}

TEST(LoggingTest, wrong_settings_are_refused) {
  EXPECT_EQ(*parse_log_level("WARN"), LogLevel::kWarning);
  EXPECT_FALSE(parse_log_level("loud").is_ok());
  EXPECT_FALSE(configure_logging({.level = LogLevel::kInfo, .file = "/dev/null/x"}).is_ok());
}

}  // namespace
}  // namespace clepsydra
