#include "main/job_door.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/local_file_system.h"
#include "base/random.h"
#include "base/value_tree.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

// Remembers what it is asked.
class FakeJobs final : public JobClient {
 public:
  std::vector<JobStatus> jobs;
  std::vector<std::string> calls;

  Result<std::vector<JobStatus>> list() override { return jobs; }
  Result<std::string> savepoint(const JobId& id, const std::string& directory) override {
    calls.push_back("savepoint " + id.to_string() + " " + directory);
    if (directory.empty()) return Status::failed_precondition("no directory");
    return directory + "/savepoint-1";
  }
  Result<std::string> stop(const JobId& id, const std::string& directory, bool drain) override {
    calls.push_back("stop " + id.to_string() + " " + directory + (drain ? " drain" : ""));
    return directory + "/savepoint-2";
  }
  Status cancel(const JobId& id) override {
    calls.push_back("cancel " + id.to_string());
    return Status::ok();
  }
  Result<JobId> submit(const JobGraph& /*graph*/) override { return unused(); }
  Result<JobStatus> status(const JobId& /*id*/) override { return unused(); }
  Result<JobStatus> wait(const JobId& /*id*/,
                         std::optional<std::chrono::milliseconds> /*timeout*/) override {
    return unused();
  }
  Result<std::unique_ptr<ResultReader>> fetch_results(const JobId& /*id*/,
                                                      std::string_view /*name*/) override {
    return unused();
  }

 private:
  static Status unused() { return Status::internal("nobody asks for this"); }
};

class JobDoorTest : public ::testing::Test {
 public:
  ~JobDoorTest() override {
    doors_.clear();
    std::filesystem::remove_all(directory_);
  }

 protected:
  JobDoorTest() {
    char pattern[] = "/tmp/clepsydra_door_XXXXXX";
    directory_ = ::mkdtemp(pattern);
    open(1, first_);
    open(2, second_);
  }

  void open(std::int64_t process, FakeJobs& jobs) {
    Result<std::unique_ptr<JobDoor>> door = JobDoor::open(directory_, process, jobs);
    ASSERT_TRUE(door.is_ok()) << door.status().to_string();
    doors_.push_back(*std::move(door));
  }
  static JobStatus job(std::string_view id, std::string name, std::int64_t started_ms,
                       JobPhase phase = JobPhase::kRunning) {
    JobStatus status;
    status.id = *JobId::parse(std::string(id) + std::string(32 - id.size(), '0'));
    status.name = std::move(name);
    status.started_ms = started_ms;
    status.phase = phase;
    return status;
  }
  [[nodiscard]] RemoteJobs remote() { return {directory_, files_}; }

  LocalFileSystem files_;
  std::string directory_;
  FakeJobs first_;
  FakeJobs second_;
  std::vector<std::unique_ptr<JobDoor>> doors_;
};

TEST_F(JobDoorTest, jobs_of_all_processes_are_listed_by_their_start) {
  first_.jobs = {job("a1", "one", 30), job("a2", "two", 10, JobPhase::kFailed)};
  second_.jobs = {job("b1", "three", 20)};
  const std::vector<RemoteJob> jobs = *remote().list();
  ASSERT_EQ(jobs.size(), 3);
  EXPECT_EQ(jobs[0].name, "two");
  EXPECT_EQ(jobs[0].phase, JobPhase::kFailed);
  EXPECT_EQ(jobs[1].name, "three");
  EXPECT_EQ(jobs[2].id, first_.jobs[0].id);
}

TEST_F(JobDoorTest, a_job_is_found_by_the_beginning_of_its_id) {
  first_.jobs = {job("a1", "one", 1)};
  second_.jobs = {job("a2", "two", 2)};
  EXPECT_EQ(remote().find("a2")->name, "two");
  EXPECT_EQ(remote().find(first_.jobs[0].id.to_string())->name, "one");
  EXPECT_THAT(std::string(remote().find("a").status().message()), HasSubstr("several jobs"));
  EXPECT_THAT(std::string(remote().find("c").status().message()),
              HasSubstr("these run:\n  a1000000000000000000000000000000  one\n"));
  EXPECT_EQ(remote().find("").status().code(), StatusCode::kNotFound);
}

TEST_F(JobDoorTest, requests_reach_the_process_of_the_job) {
  second_.jobs = {job("b", "b", 1)};
  const RemoteJob found = *remote().find("b");
  const std::string id = found.id.to_string();
  EXPECT_TRUE(RemoteJobs::cancel(found).is_ok());
  EXPECT_EQ(*RemoteJobs::savepoint(found, "/s"), "/s/savepoint-1");
  EXPECT_EQ(*RemoteJobs::stop(found, "/s", true), "/s/savepoint-2");
  EXPECT_THAT(second_.calls, ::testing::ElementsAre("cancel " + id, "savepoint " + id + " /s",
                                                    "stop " + id + " /s drain"));
  EXPECT_TRUE(first_.calls.empty());
}

TEST_F(JobDoorTest, errors_come_back_as_they_were) {
  second_.jobs = {job("b", "b", 1)};
  const Status status = RemoteJobs::savepoint(*remote().find("b"), "").status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "no directory");
}

TEST_F(JobDoorTest, what_a_killed_process_left_is_cleared_away) {
  const std::string path = directory_ + "/99.sock";
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::close(fd);
  EXPECT_TRUE(remote().list().is_ok());
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(JobDoorTest, without_a_folder_nothing_runs) {
  EXPECT_TRUE(RemoteJobs(directory_ + "/none", files_).list()->empty());
}

TEST_F(JobDoorTest, strange_requests_are_answered_with_an_error) {
  const std::string socket = directory_ + "/1.sock";
  for (const std::string& request :
       {std::string("no tree"), ValueTree::map().encode(),
        ValueTree::map().set("command", "explode").set("job", std::string(32, '0')).encode(),
        ValueTree::map().set("command", "cancel").set("job", "x").encode()}) {
    const Result<std::string> answer = ask_socket(socket, request, 5000);
    ASSERT_TRUE(answer.is_ok());
    EXPECT_NE(*ValueTree::decode(*answer)->get_int("code"), 0);
  }
}

}  // namespace
}  // namespace clepsydra
