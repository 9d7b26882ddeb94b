#include "taskmanager/state_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/hash.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "base/simulated_worker_pool.h"
#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPath = "shared/1-0-2-3-4";

std::vector<FileInfo> files_in(MemoryFileSystem& files) {
  const Result<std::vector<FileInfo>> listed = files.list("/job/shared");
  return listed.is_ok() ? *listed : std::vector<FileInfo>();
}

class StateUploadTest : public ::testing::Test {
 protected:
  StateUploadTest() { EXPECT_TRUE(files_.create_directories("/job").is_ok()); }

  std::shared_ptr<StateUpload> open(BlockingPool& pool) {
    return std::make_shared<StateUpload>(files_, pool, "/job", kPath, Waker());
  }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  SimulatedWorkerPool workers_{clock_, {.seed = 3}};
  SimulatedBlockingPool io_{workers_};
};

TEST_F(StateUploadTest, pieces_become_one_file) {
  const auto upload = open(io_);
  upload->append("one ");
  workers_.run_until_idle();
  upload->append("two ");
  upload->append("three");
  EXPECT_FALSE(upload->take_result().has_value());
  upload->finish();
  workers_.run_until_idle();
  const std::optional<Result<StateFile>> result = upload->take_result();
  ASSERT_TRUE(result.has_value());
  ASSERT_TRUE(result->is_ok()) << result->status().to_string();
  EXPECT_EQ(**result, (StateFile{kPath, "", 13, hash64("one two three")}));
  EXPECT_EQ(*read_file(files_, "/job/shared/1-0-2-3-4"), "one two three");
  EXPECT_FALSE(upload->take_result().has_value());
}

TEST_F(StateUploadTest, slow_storage_leaves_no_room) {
  const auto upload = open(io_);
  EXPECT_TRUE(upload->has_room());
  upload->append(std::string(StateUpload::kWaitingBytesMax, 'x'));
  EXPECT_FALSE(upload->has_room());
  workers_.run_until_idle();
  EXPECT_TRUE(upload->has_room());
}

TEST_F(StateUploadTest, an_error_is_told_at_once_and_leaves_nothing) {
  const auto upload = open(io_);
  files_.fail_operation(1, Status::unavailable("gone"), FileOperation::kAppend);
  upload->append("one");
  workers_.run_until_idle();
  const std::optional<Result<StateFile>> result = upload->take_result();
  ASSERT_TRUE(result.has_value());
  EXPECT_THAT(result->status().to_string(), HasSubstr("gone"));
  upload->append("two");
  upload->finish();
  upload->abandon();
  workers_.run_until_idle();
  EXPECT_FALSE(upload->take_result().has_value());
  EXPECT_THAT(files_in(files_), IsEmpty());
}

TEST_F(StateUploadTest, what_is_abandoned_is_removed_at_any_moment) {
  for (std::int64_t after_ns = 0; after_ns < 5'000'000; after_ns += 100'000) {
    const auto upload = open(io_);
    upload->append("one");
    workers_.run_for_ns(after_ns / 3);
    upload->append("two");
    workers_.run_for_ns(after_ns / 3);
    upload->finish();
    workers_.run_for_ns(after_ns / 3);
    upload->abandon();
    workers_.run_until_idle();
    EXPECT_THAT(files_in(files_), IsEmpty()) << "after " << after_ns << " ns";
  }
}

TEST_F(StateUploadTest, a_pool_that_takes_no_work_is_an_error) {
  ThreadBlockingPool pool({});
  pool.shutdown();
  const auto upload = open(pool);
  upload->append("one");
  upload->finish();
  const std::optional<Result<StateFile>> result = upload->take_result();
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(result->status().code(), StatusCode::kCancelled);
}

TEST_F(StateUploadTest, threads_and_the_task_may_meet_at_any_moment) {
  ThreadBlockingPool pool({.threads_max = 3, .queue_max = 1000, .thread_name = "io"});
  Random random(11);
  std::vector<std::pair<std::shared_ptr<StateUpload>, std::string>> kept;
  for (int i = 0; i < 200; ++i) {
    const std::string path = "shared/" + std::to_string(i);
    auto upload = std::make_shared<StateUpload>(files_, pool, "/job", path, Waker());
    std::string bytes;
    for (std::uint64_t pieces = 1 + random.uniform(20); pieces > 0; --pieces) {
      const std::string piece = std::to_string(random.uniform(1000));
      bytes += piece;
      upload->append(piece);
    }
    upload->finish();
    if (random.uniform(2) == 0) {
      upload->abandon();
    } else {
      kept.emplace_back(std::move(upload), std::move(bytes));
    }
  }
  pool.shutdown();
  for (const auto& [upload, bytes] : kept) {
    const std::optional<Result<StateFile>> result = upload->take_result();
    ASSERT_TRUE(result.has_value());
    ASSERT_TRUE(result->is_ok()) << result->status().to_string();
    EXPECT_EQ(*read_file(files_, "/job/" + (*result)->path), bytes);
  }
  EXPECT_EQ(files_in(files_).size(), kept.size());
}

}  // namespace
}  // namespace clepsydra
