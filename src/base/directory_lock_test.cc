#include "base/directory_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

class DirectoryLockTest : public ::testing::Test {
 public:
  ~DirectoryLockTest() override { std::filesystem::remove_all(directory_); }

 protected:
  DirectoryLockTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "directory_lock_XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  std::string directory_;
};

TEST_F(DirectoryLockTest, one_at_a_time_and_nothing_is_left) {
  auto first = DirectoryLock::take(directory_);
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  const auto second = DirectoryLock::take(directory_);
  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().to_string(), HasSubstr(std::to_string(getpid())));
  first->reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
  EXPECT_TRUE(DirectoryLock::take(directory_).is_ok());
}

TEST_F(DirectoryLockTest, a_process_that_was_killed_has_no_lock) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = DirectoryLock::take(directory_);
    const char answer = lock.is_ok() ? 'y' : 'n';
    (void)!write(ready[1], &answer, 1);
    pause();
    _exit(0);
  }
  char answer = '?';
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_THAT(DirectoryLock::take(directory_).status().to_string(),
              HasSubstr("process " + std::to_string(child)));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(DirectoryLock::take(directory_).is_ok());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(DirectoryLockTest, a_folder_that_is_not_there_cannot_be_locked) {
  EXPECT_EQ(DirectoryLock::take(directory_ + "/nowhere").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace clepsydra
