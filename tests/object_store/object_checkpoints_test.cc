// Checkpoints on the model of an object store: no renaming, no folders, listings that lag, answers
// that get lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/object_store/memory_object_store.h"
#include "base/object_store/object_file_system.h"
#include "base/random.h"
#include "checkpoint/checkpoint_storage.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kJob = "00112233445566778899aabbccddeeff";
const std::string kDirectory = "s3://bucket/checkpoints";
const std::string kFolder = kDirectory + "/" + std::string(kJob);
constexpr std::int64_t kPartBytes = 64;

CheckpointMetadata metadata_of(CheckpointId id, std::vector<StateFile> state,
                               CheckpointKind kind = CheckpointKind::kCheckpoint) {
  CheckpointMetadata metadata;
  metadata.id = id;
  metadata.kind = kind;
  metadata.job_id = kJob;
  CheckpointMetadata::Vertex vertex;
  vertex.name = "vertex";
  vertex.max_parallelism = 128;
  vertex.operators.push_back({.uid = "op", .name = "op", .kind = "calc", .enumerator = ""});
  CheckpointMetadata::Subtask subtask;
  subtask.operators.emplace_back().files = std::move(state);
  vertex.subtasks.push_back(std::move(subtask));
  metadata.vertices.push_back(std::move(vertex));
  return metadata;
}

class ObjectCheckpointsTest : public ::testing::Test {
 protected:
  CheckpointStorage open() {
    Result<CheckpointStorage> storage = CheckpointStorage::open(files_, kDirectory, kJob);
    EXPECT_TRUE(storage.is_ok()) << storage.status().to_string();
    return *std::move(storage);
  }
  // A shared file of so many bytes, for checkpoint `id`.
  Result<StateFile> write(CheckpointId id, std::size_t bytes) {
    return write_state(files_, kFolder,
                       state_file_path(id, CheckpointKind::kCheckpoint, true, 1, 0, 0, 0),
                       std::string(bytes, static_cast<char>('a' + id)), 0);
  }

  SimulatedClock clock_;
  MemoryObjectStore store_{clock_, kPartBytes};
  ObjectFileSystem files_{[this](std::string_view) { return Result<ObjectStore*>(&store_); },
                          {.part_bytes = kPartBytes, .parts_at_once = 2, .pool = nullptr}};
};

TEST_F(ObjectCheckpointsTest, a_checkpoint_comes_back) {
  const CheckpointStorage storage = open();
  EXPECT_EQ(*storage.highest_id(), 0);
  for (CheckpointId id = 1; id <= 2; ++id) {
    const StateFile file = write(id, 1000).value();
    ASSERT_TRUE(storage.store(metadata_of(id, {file}), "").is_ok());
  }
  EXPECT_EQ(*storage.highest_id(), 2);
  for (const std::string& path :
       {kFolder, kFolder + "/", kFolder + "/chk-2", kFolder + "/chk-2/_metadata",
        "s3a://bucket/checkpoints/" + std::string(kJob)}) {
    const auto found = find_checkpoint(files_, path, FileCheck::kChecksum);
    ASSERT_TRUE(found.is_ok()) << found.status().to_string();
    EXPECT_EQ(found->checkpoint.metadata.id, 2);
    EXPECT_EQ(found->checkpoint.folder, kFolder);
    const StateFile& state =
        found->checkpoint.metadata.vertices[0].subtasks[0].operators[0].files[0];
    EXPECT_EQ(*read_state(files_, kFolder, state), std::string(1000, 'c'));
  }
  EXPECT_THAT(store_.open_uploads(), IsEmpty());
}

TEST_F(ObjectCheckpointsTest, metadata_are_one_put) {
  const CheckpointStorage storage = open();
  std::vector<std::string> puts;
  store_.set_fault_hook([&](ObjectOperation operation, const std::string& key) {
    if (operation == ObjectOperation::kPut) puts.push_back(key);
    EXPECT_NE(operation, ObjectOperation::kCopy);
    return ObjectFault{};
  });
  ASSERT_TRUE(storage.store(metadata_of(1, {}), "").is_ok());
  EXPECT_THAT(puts, ElementsAre("checkpoints/" + std::string(kJob) + "/chk-1/_metadata"));
}

TEST_F(ObjectCheckpointsTest, a_flipped_bit_anywhere_is_found_and_the_one_before_is_taken) {
  const CheckpointStorage storage = open();
  for (CheckpointId id = 1; id <= 2; ++id) {
    ASSERT_TRUE(storage.store(metadata_of(id, {write(id, 200).value()}), "").is_ok());
  }
  const std::string root = "checkpoints/" + std::string(kJob);
  for (const std::string& key : {root + "/chk-2/_metadata", root + "/shared/2-1-0-0-0"}) {
    const std::int64_t bits = store_.head(key)->size * 8;
    for (std::int64_t bit = 0; bit < bits; bit += 37) {
      ASSERT_TRUE(store_.flip_bit(key, static_cast<std::uint64_t>(bit)).is_ok());
      const auto found = find_checkpoint(files_, kFolder, FileCheck::kChecksum);
      ASSERT_TRUE(found.is_ok()) << found.status().to_string();
      EXPECT_EQ(found->checkpoint.metadata.id, 1) << key << " bit " << bit;
      EXPECT_THAT(found->skipped, SizeIs(1));
      ASSERT_TRUE(store_.flip_bit(key, static_cast<std::uint64_t>(bit)).is_ok());
    }
  }
  EXPECT_EQ(find_checkpoint(files_, kFolder, FileCheck::kChecksum)->checkpoint.metadata.id, 2);
}

TEST_F(ObjectCheckpointsTest, what_a_dead_process_left_is_removed) {
  const CheckpointStorage storage = open();
  const StateFile kept = write(1, 100).value();
  ASSERT_TRUE(storage.store(metadata_of(1, {kept}), "").is_ok());
  (void)write(2, 100).value();
  // A process that dies within an upload aborts nothing.
  store_.set_fault_hook([](ObjectOperation operation, const std::string&) {
    ObjectFault fault;
    if (operation == ObjectOperation::kAbortUpload) fault.before = Status::cancelled("dead");
    return fault;
  });
  for (const CheckpointId id : {2, 9}) {
    auto writer = StateFileWriter::create(
        files_, kFolder, state_file_path(id, CheckpointKind::kCheckpoint, false, 1, 0, 0, 0));
    ASSERT_TRUE(writer.is_ok()) << writer.status().to_string();
    ASSERT_TRUE((*writer)->append(std::string(200, 'x')).is_ok());
  }
  store_.set_fault_hook(nullptr);
  ASSERT_THAT(store_.open_uploads(), SizeIs(2));
  ASSERT_TRUE(
      storage.remove_orphans(5, {kFolder + "/chk-1"}, {join_path(kFolder, kept.path)}).is_ok());
  ASSERT_THAT(store_.open_uploads(), SizeIs(1));
  EXPECT_THAT(store_.open_uploads()[0].key, HasSubstr("chk-9/"));
  EXPECT_THAT(store_.keys(), SizeIs(2));
  EXPECT_TRUE(find_checkpoint(files_, kFolder, FileCheck::kChecksum).is_ok());
  CheckpointRemoval removal;
  removal.metadata_folders = {kFolder + "/chk-1"};
  removal.files = {join_path(kFolder, kept.path)};
  ASSERT_TRUE(storage.remove(removal).is_ok());
  ASSERT_TRUE(storage.remove_orphans(100, {}, {}).is_ok());
  ASSERT_TRUE(storage.remove_if_empty().is_ok());
  EXPECT_THAT(store_.keys(), IsEmpty());
  EXPECT_THAT(store_.open_uploads(), IsEmpty());
}

// Whatever operation of a checkpoint goes wrong, before or after its effect, the one before it or
// the new one is found, whole; and the new one if its storing said so.
TEST_F(ObjectCheckpointsTest, any_operation_may_fail_or_lose_its_answer) {
  const CheckpointStorage storage = open();
  ASSERT_TRUE(storage.store(metadata_of(1, {write(1, 200).value()}), "").is_ok());
  for (const bool after : {false, true}) {
    bool has_fired = true;
    for (CheckpointId id = 2; has_fired; ++id) {
      ASSERT_LT(id, 100);
      std::int64_t left = id - 1;
      has_fired = false;
      store_.set_fault_hook([&](ObjectOperation, const std::string&) {
        ObjectFault fault;
        if (--left == 0) {
          has_fired = true;
          (after ? fault.after : fault.before) = Status::unavailable("fault");
        }
        return fault;
      });
      const auto checkpoint = [&]() -> Status {
        Result<StateFile> file = write(id, 200);
        if (!file.is_ok()) return file.status();
        return storage.store(metadata_of(id, {*file}), "").status();
      };
      const Status stored = checkpoint();
      EXPECT_EQ(left <= 0 || !has_fired, true);
      store_.set_fault_hook(nullptr);
      // As the JobManager does: it may be there.
      if (!stored.is_ok()) {
        ASSERT_TRUE(storage.forget(id, "").is_ok());
      }
      const auto found = find_checkpoint(files_, kFolder, FileCheck::kChecksum);
      ASSERT_TRUE(found.is_ok()) << found.status().to_string();
      EXPECT_EQ(found->checkpoint.metadata.id, stored.is_ok() ? id : 1);
      ASSERT_TRUE(
          storage.remove_orphans(1000, {kFolder + "/chk-1"}, {kFolder + "/shared/1-1-0-0-0"})
              .is_ok());
      EXPECT_THAT(store_.keys(), SizeIs(2));
      EXPECT_THAT(store_.open_uploads(), IsEmpty());
    }
  }
}

TEST_F(ObjectCheckpointsTest, a_savepoint_is_one_folder) {
  Random random(1);
  const std::string folder =
      make_savepoint_folder(files_, "s3://bucket/saves", kJob, random).value();
  EXPECT_THAT(folder, HasSubstr("s3://bucket/saves/savepoint-001122-"));
  const CheckpointStorage storage = CheckpointStorage::for_savepoints(files_);
  const StateFile file =
      write_state(files_, folder, state_file_path(3, CheckpointKind::kSavepoint, false, 1, 0, 0, 0),
                  "state", 0)
          .value();
  ASSERT_TRUE(storage.store(metadata_of(3, {file}, CheckpointKind::kSavepoint), folder).is_ok());
  EXPECT_EQ(find_checkpoint(files_, folder, FileCheck::kChecksum)->checkpoint.metadata.id, 3);
  ASSERT_TRUE(storage.remove_aborted(3, folder, {}, {}).is_ok());
  EXPECT_THAT(store_.keys(), IsEmpty());
}

TEST_F(ObjectCheckpointsTest, what_is_not_there_is_said) {
  EXPECT_EQ(find_checkpoint(files_, "s3://bucket/none", FileCheck::kSize).status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(find_checkpoint(files_, "s3://b", FileCheck::kSize).status().code(),
            StatusCode::kInvalidArgument);
  store_.set_fault_hook([](ObjectOperation, const std::string&) {
    return ObjectFault{.before = Status::permission_denied("the server answers 403"), .after = {}};
  });
  const Status denied = CheckpointStorage::open(files_, kDirectory, kJob).status();
  EXPECT_EQ(denied.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(denied.to_string(), HasSubstr("execution.checkpointing.dir"));
}

}  // namespace
}  // namespace clepsydra
