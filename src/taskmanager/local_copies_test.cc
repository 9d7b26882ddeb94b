#include "taskmanager/local_copies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/hash.h"
#include "base/local_file_system.h"
#include "base/memory_file_system.h"
#include "graph/job_graph.h"
#include "taskmanager/state_upload.h"
#include "taskmanager/task_restore.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const JobId kJob{JobId::Bytes{1}};
const JobId kOtherJob{JobId::Bytes{2}};
const TaskId kTask{kJob, 2, 3, 0};
const std::string kFolder = "/checkpoints/" + kJob.to_string();
const std::string kLocal = "/fast/" + kJob.to_string();

// Runs all work when it is asked to.
class QueueingPool final : public BlockingPool {
 public:
  Status submit(std::function<void()> work) override {
    queue_.push_back(std::move(work));
    return Status::ok();
  }
  void run() {
    while (!queue_.empty()) {
      const std::function<void()> work = std::move(queue_.front());
      queue_.erase(queue_.begin());
      work();
    }
  }

 private:
  std::vector<std::function<void()>> queue_;
};

std::string content(const SnapshotBytes& bytes) {
  std::string room;
  const Result<std::string_view> all = bytes.read(0, bytes.size(), room);
  return all.is_ok() ? std::string(*all) : all.status().to_string();
}

class LocalCopiesTest : public ::testing::Test {
 protected:
  LocalCopiesTest() {
    EXPECT_TRUE(files_.create_directories("/fast").is_ok());
    EXPECT_TRUE(files_.create_directories(kFolder).is_ok());
  }
  std::shared_ptr<LocalCopies> open(LocalCopies::Link link = {}) {
    auto copies = LocalCopies::open({.files = &files_,
                                     .pool = &pool_,
                                     .directory = "/fast",
                                     .link = std::move(link),
                                     .lock = nullptr});
    EXPECT_TRUE(copies.is_ok()) << copies.status().to_string();
    return *copies;
  }
  // A state file, as a task uploads it.
  StateFile upload(const std::shared_ptr<LocalCopies>& copies, const std::string& path,
                   const std::string& bytes, const TaskId& task = kTask) {
    const std::string folder = "/checkpoints/" + task.job.to_string();
    EXPECT_TRUE(files_.create_directories(folder).is_ok());
    const auto upload = std::make_shared<StateUpload>(files_, pool_, folder, path, Waker(),
                                                      LocalCopyTarget{copies, task});
    upload->append(bytes.substr(0, bytes.size() / 2));
    pool_.run();
    upload->append(bytes.substr(bytes.size() / 2));
    upload->finish();
    pool_.run();
    const std::optional<Result<StateFile>> file = upload->take_result();
    EXPECT_TRUE(file && file->is_ok());
    return **file;
  }
  std::vector<std::string> local_files() { return files_.paths_below("/fast"); }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  QueueingPool pool_;
};

TEST_F(LocalCopiesTest, what_is_uploaded_can_be_read_here) {
  const auto copies = open();
  const StateFile file = upload(copies, "shared/1-0-2-3-0", "all of the state");
  EXPECT_EQ(*read_file(files_, kLocal + "/1-0-2-3-0"), "all of the state");
  ASSERT_TRUE(files_.remove_all("/checkpoints").is_ok());
  const Result<SnapshotBytes> read = copies->read(kFolder, file);
  ASSERT_TRUE(read.is_ok()) << read.status().to_string();
  EXPECT_EQ(content(*read), "all of the state");
  EXPECT_EQ(content(*copies->read(kFolder + "/", file)), "all of the state");
  EXPECT_EQ(copies->read("/checkpoints/" + kOtherJob.to_string(), file).status().code(),
            StatusCode::kNotFound);
}

TEST_F(LocalCopiesTest, a_copy_that_is_not_as_it_was_written_is_removed) {
  const auto copies = open();
  const StateFile file = upload(copies, "shared/1-0-2-3-0", "all of the state");
  ASSERT_TRUE(files_.flip_bit(kLocal + "/1-0-2-3-0", 17).is_ok());
  const Status flipped = copies->read(kFolder, file).status();
  EXPECT_EQ(flipped.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(flipped.message()), HasSubstr(kLocal + "/1-0-2-3-0"));
  EXPECT_EQ(copies->read(kFolder, file).status().code(), StatusCode::kNotFound);

  const StateFile other = upload(copies, "shared/2-0-2-3-0", "more");
  ASSERT_TRUE(write_file_atomically(files_, kLocal + "/2-0-2-3-0", "mor").is_ok());
  EXPECT_THAT(std::string(copies->read(kFolder, other).status().message()),
              HasSubstr("has 3 bytes, expected 4"));
}

// A power cut leaves what it leaves: nothing is synced, and everything is checked.
TEST_F(LocalCopiesTest, a_copy_that_a_power_cut_has_shortened_is_found) {
  const auto copies = open();
  const StateFile file = upload(copies, "shared/1-0-2-3-0", "all of the state");
  files_.drop_unsynced();
  EXPECT_FALSE(copies->read(kFolder, file).is_ok());
  EXPECT_EQ(*read_file(files_, kFolder + "/shared/1-0-2-3-0"), "all of the state");
}

TEST_F(LocalCopiesTest, a_disk_that_takes_no_copy_is_no_failure) {
  for (const FileOperation operation :
       {FileOperation::kOpenForWrite, FileOperation::kAppend, FileOperation::kClose}) {
    const auto copies = open();
    files_.set_fault_hook([&](FileOperation each, const std::string& path) {
      const bool fails = each == operation && path.starts_with("/fast/");
      return fails ? Status::resource_exhausted("full") : Status::ok();
    });
    const StateFile file = upload(copies, "shared/1-0-2-3-0", "all of the state");
    files_.set_fault_hook({});
    EXPECT_EQ(*read_file(files_, kFolder + "/shared/1-0-2-3-0"), "all of the state");
    EXPECT_FALSE(copies->read(kFolder, file).is_ok());
    EXPECT_THAT(local_files(), IsEmpty());
  }
}

TEST_F(LocalCopiesTest, only_the_last_completed_checkpoint_is_kept) {
  const auto copies = open();
  (void)upload(copies, "shared/1-0-2-3-0", "base");
  copies->confirm(kTask, 1, {"shared/1-0-2-3-0"});
  (void)upload(copies, "shared/2-0-2-3-0", "delta");
  (void)upload(copies, "shared/3-0-2-3-0", "another");
  copies->confirm(kTask, 2, {"shared/1-0-2-3-0", "shared/2-0-2-3-0"});
  pool_.run();
  EXPECT_THAT(local_files(), UnorderedElementsAre(kLocal + "/1-0-2-3-0", kLocal + "/2-0-2-3-0",
                                                  kLocal + "/3-0-2-3-0"));
  // Checkpoint 3 was aborted, 4 is a base.
  copies->drop(kTask, 3);
  (void)upload(copies, "shared/4-0-2-3-0", "base again");
  (void)upload(copies, "shared/4-0-2-1-0", "another subtask's", {kJob, 2, 1, 0});
  copies->confirm(kTask, 4, {"shared/4-0-2-3-0"});
  pool_.run();
  EXPECT_THAT(local_files(), UnorderedElementsAre(kLocal + "/4-0-2-3-0", kLocal + "/4-0-2-1-0"));
}

TEST_F(LocalCopiesTest, what_was_abandoned_leaves_nothing) {
  const auto copies = open();
  for (const bool finishes : {false, true}) {
    const auto upload = std::make_shared<StateUpload>(files_, pool_, kFolder, "shared/1-0-2-3-0",
                                                      Waker(), LocalCopyTarget{copies, kTask});
    upload->append("some");
    if (finishes) upload->finish();
    pool_.run();
    upload->abandon();
    pool_.run();
    EXPECT_THAT(local_files(), IsEmpty());
  }
}

TEST_F(LocalCopiesTest, a_job_that_has_ended_has_no_copies) {
  const auto copies = open();
  (void)upload(copies, "shared/1-0-2-3-0", "mine");
  (void)upload(copies, "shared/1-0-2-3-0", "another's", {kOtherJob, 2, 3, 0});
  copies->end_job(kJob);
  pool_.run();
  EXPECT_THAT(local_files(), ElementsAre("/fast/" + kOtherJob.to_string() + "/1-0-2-3-0"));
}

TEST_F(LocalCopiesTest, what_a_killed_process_has_left_goes_with_the_next_jobs_first_checkpoint) {
  {
    auto copies = open();
    (void)upload(copies, "shared/1-0-2-3-0", "left behind");
  }
  EXPECT_THAT(local_files(), IsEmpty());  // This one has ended as it should.
  const std::string former = "/fast/" + kOtherJob.to_string();
  ASSERT_TRUE(files_.create_directories(former).is_ok());
  ASSERT_TRUE(write_file_atomically(files_, former + "/7-0-2-3-0", "left behind").is_ok());
  const auto copies = open();
  copies->restored(kTask, "/checkpoints/" + kOtherJob.to_string());
  EXPECT_TRUE(copies
                  ->read("/checkpoints/" + kOtherJob.to_string(),
                         {"shared/7-0-2-3-0", "", 11, hash64("left behind")})
                  .is_ok());
  (void)upload(copies, "shared/8-0-2-3-0", "base");
  pool_.run();
  EXPECT_EQ(local_files().size(), 2);
  copies->confirm(kTask, 8, {"shared/8-0-2-3-0"});
  pool_.run();
  EXPECT_THAT(local_files(), ElementsAre(kLocal + "/8-0-2-3-0"));
}

TEST_F(LocalCopiesTest, the_newest_of_former_jobs_stay) {
  for (int i = 0; i < 20; ++i) {
    clock_.advance_ns(1'000'000'000);
    const std::string folder = "/fast/" + std::to_string(i);
    ASSERT_TRUE(files_.create_directories(folder).is_ok());
    ASSERT_TRUE(write_file_atomically(files_, folder + "/1-0-0-0-0", "x").is_ok());
  }
  const auto copies = open();
  EXPECT_EQ(local_files().size(), LocalCopies::kFormerJobsMax);
  EXPECT_FALSE(*files_.exists("/fast/3"));
  EXPECT_TRUE(*files_.exists("/fast/4"));
}

// On one disk nothing is written twice.
TEST_F(LocalCopiesTest, a_link_is_a_copy_until_there_are_none) {
  int links = 0;
  const auto copies = open([&](const std::string& from, const std::string& to) -> Status {
    EXPECT_EQ(from, kFolder + "/shared/" + std::string(base_name(to)));
    if (++links > 1) return Status::unimplemented("another disk");
    return write_file_atomically(files_, to, *read_file(files_, from));
  });
  for (const char* name : {"1-0-2-3-0", "2-0-2-3-0", "3-0-2-3-0"}) {
    const StateFile file = upload(copies, std::string("shared/") + name, "all of the state");
    EXPECT_EQ(content(*copies->read(kFolder, file)), "all of the state");
  }
  EXPECT_EQ(links, 2);
}

TEST(LocalCopiesOnDiskTest, hard_links_outlive_the_checkpoint) {
  LocalFileSystem files;
  QueueingPool pool;
  const std::string folder = *make_temporary_directory("clepsydra-copies-");
  const std::string checkpoints = join_path(folder, kJob.to_string());
  ASSERT_TRUE(files.create_directories(join_path(folder, "fast")).is_ok());
  ASSERT_TRUE(files.create_directories(checkpoints).is_ok());
  {
    const auto copies = *LocalCopies::open({.files = &files,
                                            .pool = &pool,
                                            .directory = join_path(folder, "fast"),
                                            .link = hard_link,
                                            .lock = nullptr});
    const auto upload = std::make_shared<StateUpload>(files, pool, checkpoints, "shared/1-0-2-3-0",
                                                      Waker(), LocalCopyTarget{copies, kTask});
    upload->append("all of the state");
    upload->finish();
    pool.run();
    const StateFile file = **upload->take_result();
    ASSERT_TRUE(files.remove_all(checkpoints).is_ok());
    EXPECT_EQ(content(*copies->read(checkpoints, file)), "all of the state");
  }
  EXPECT_TRUE(files.remove_all(folder).is_ok());
}

// ---- Restoring ----

class RestoreFromCopiesTest : public LocalCopiesTest {
 protected:
  RestoreFromCopiesTest() {
    JobVertex vertex;
    vertex.name = "task";
    vertex.operators.resize(1);
    graph_.vertices = {std::move(vertex)};
    copies_ = open();
    const StateFile base = upload(copies_, "shared/1-0-0-0-0", "base");
    const StateFile delta = upload(copies_, "shared/2-0-0-0-0", "delta");
    TaskRestore::Operator op;
    op.parts = {{{base, delta}}};
    restore_.folder = kFolder;
    restore_.operators = {op};
  }
  std::vector<std::string> restored() {
    Result<RestoredTasks> tasks = read_restores({restore_}, graph_, files_, pool_, copies_.get());
    if (!tasks.is_ok()) return {tasks.status().to_string()};
    std::vector<std::string> all;
    for (const SnapshotBytes& bytes : tasks->at({0, 0}).operators.at(0).parts.at(0).snapshots) {
      all.push_back(content(bytes));
    }
    return all;
  }
  JobGraph graph_;
  std::shared_ptr<LocalCopies> copies_;
  TaskRestore restore_;
};

TEST_F(RestoreFromCopiesTest, copies_are_enough) {
  ASSERT_TRUE(files_.remove_all("/checkpoints").is_ok());
  EXPECT_THAT(restored(), ElementsAre("base", "delta"));
}

TEST_F(RestoreFromCopiesTest, what_is_missing_or_damaged_comes_from_the_checkpoint) {
  ASSERT_TRUE(files_.flip_bit(kLocal + "/1-0-0-0-0", 3).is_ok());
  ASSERT_TRUE(files_.remove(kLocal + "/2-0-0-0-0").is_ok());
  EXPECT_THAT(restored(), ElementsAre("base", "delta"));
  copies_.reset();
  EXPECT_THAT(restored(), ElementsAre("base", "delta"));
}

TEST_F(RestoreFromCopiesTest, what_is_damaged_everywhere_is_data_loss) {
  ASSERT_TRUE(files_.flip_bit(kLocal + "/1-0-0-0-0", 3).is_ok());
  ASSERT_TRUE(files_.flip_bit(kFolder + "/shared/1-0-0-0-0", 3).is_ok());
  EXPECT_THAT(restored(), ElementsAre(HasSubstr("DataLoss")));
}

// ---- Places ----

TEST_F(LocalCopiesTest, a_place_is_one_processes_and_its_jobs_share_it) {
  std::vector<std::string> locked;
  const auto lock = [&](const std::string& directory) -> Result<std::shared_ptr<void>> {
    if (directory == "/tmp/clepsydra-local-copies-0") {
      return Status::failed_precondition("somebody has it");
    }
    locked.push_back(directory);
    return std::shared_ptr<void>(std::make_shared<int>());
  };
  LocalCopyPlaces places(files_, pool_, "/tmp", lock, {});
  Configuration configuration;
  configuration.set("execution.checkpointing.local-backup.enabled", "true");
  const auto one = places.open(configuration);
  ASSERT_TRUE(one.is_ok()) << one.status().to_string();
  EXPECT_EQ(*places.open(configuration), *one);
  EXPECT_THAT(locked, ElementsAre("/tmp/clepsydra-local-copies-1"));
  configuration.set("execution.checkpointing.local-backup.dirs", "/mine");
  EXPECT_NE(*places.open(configuration), *one);
  EXPECT_THAT(locked, ElementsAre("/tmp/clepsydra-local-copies-1", "/mine/clepsydra-local-copies"));
}

TEST_F(LocalCopiesTest, a_place_that_was_set_and_cannot_be_used_is_an_error) {
  const auto lock = [](const std::string& directory) -> Result<std::shared_ptr<void>> {
    return Status::failed_precondition("'" + directory + "' is in use by process 7");
  };
  LocalCopyPlaces places(files_, pool_, "/tmp", lock, {});
  Configuration configuration;
  configuration.set("execution.checkpointing.local-backup.dirs", "/mine");
  const Status status = places.open(configuration).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("execution.checkpointing.local-backup.dirs"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use by process 7"));
}

}  // namespace
}  // namespace clepsydra
