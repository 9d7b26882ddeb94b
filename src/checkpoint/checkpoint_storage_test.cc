#include "checkpoint/checkpoint_storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "checkpoint/checkpoint_codec.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kJob = "00112233445566778899aabbccddeeff";
const std::string kFolder = "/checkpoints/" + std::string(kJob);

// Every file below a folder.
std::vector<std::string> all_files(FileSystem& files, const std::string& folder) {
  std::vector<std::string> found;
  const auto entries = files.list(folder);
  if (!entries.is_ok()) return found;
  for (const FileInfo& entry : *entries) {
    const std::string path = join_path(folder, entry.name);
    if (!entry.is_directory) {
      found.push_back(path);
      continue;
    }
    for (std::string& inner : all_files(files, path)) found.push_back(std::move(inner));
  }
  return found;
}

void flip(FileSystem& files, const std::string& path, std::size_t byte) {
  std::string bytes = *read_file(files, path);
  bytes[byte] = static_cast<char>(bytes[byte] ^ 0x10);
  ASSERT_TRUE(write_file_atomically(files, path, bytes).is_ok());
}

CheckpointMetadata metadata_of(CheckpointId id, std::vector<StateFile> state,
                               CheckpointKind kind = CheckpointKind::kCheckpoint) {
  CheckpointMetadata metadata;
  metadata.id = id;
  metadata.kind = kind;
  metadata.job_id = kJob;
  metadata.vertices.resize(1);
  metadata.vertices[0].max_parallelism = 128;
  metadata.vertices[0].operators.push_back({"uid", "window", "window_aggregate", ""});
  OperatorSnapshot op;
  op.files = std::move(state);
  metadata.vertices[0].subtasks.push_back({false, {std::move(op)}});
  return metadata;
}

class CheckpointStorageTest : public ::testing::Test {
 protected:
  CheckpointStorage open() {
    Result<CheckpointStorage> storage = CheckpointStorage::open(files_, "/checkpoints", kJob);
    EXPECT_TRUE(storage.is_ok()) << storage.status().to_string();
    return *std::move(storage);
  }

  // One checkpoint with a shared and an own file.
  Result<CompletedCheckpoint> write(const CheckpointStorage& storage, CheckpointId id,
                                    std::vector<StateFile> state = {}) {
    for (const bool is_shared : {true, false}) {
      auto file =
          write_state(files_, storage.folder(),
                      state_file_path(id, CheckpointKind::kCheckpoint, is_shared, 0, 1, 2, 3),
                      bytes_of(id, is_shared), 0);
      if (!file.is_ok()) return file.status();
      state.push_back(*std::move(file));
    }
    return storage.store(metadata_of(id, std::move(state)), "");
  }
  static std::string bytes_of(CheckpointId id, bool is_shared) {
    return (is_shared ? "shared of " : "own of ") + std::to_string(id);
  }

  FoundCheckpoint find(const std::string& path, FileCheck check = FileCheck::kChecksum) {
    Result<FoundCheckpoint> found = find_checkpoint(files_, path, check);
    EXPECT_TRUE(found.is_ok()) << found.status().to_string();
    return found.is_ok() ? *std::move(found) : FoundCheckpoint();
  }
  Status error_of(const std::string& path, FileCheck check = FileCheck::kChecksum) {
    return find_checkpoint(files_, path, check).status();
  }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
};

// ---- State files ----

TEST_F(CheckpointStorageTest, state_goes_where_it_belongs) {
  EXPECT_EQ(state_file_path(7, CheckpointKind::kCheckpoint, true, 1, 2, 3, 4), "shared/7-1-2-3-4");
  EXPECT_EQ(state_file_path(7, CheckpointKind::kCheckpoint, false, 1, 2, 3, 4), "chk-7/7-1-2-3-4");
  EXPECT_EQ(state_file_path(7, CheckpointKind::kSavepoint, true, 1, 2, 3, 4), "7-1-2-3-4");
}

TEST_F(CheckpointStorageTest, a_state_file_is_written_in_pieces_and_read_back) {
  const CheckpointStorage storage = open();
  auto writer = StateFileWriter::create(files_, storage.folder(), "chk-7/a");
  ASSERT_TRUE(writer.is_ok());
  ASSERT_TRUE((*writer)->append("some ").is_ok());
  ASSERT_TRUE((*writer)->append("state").is_ok());
  const auto file = (*writer)->finish();
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(*file, (StateFile{"chk-7/a", "", 10, hash64("some state")}));
  files_.drop_unsynced();  // A power cut.
  writer->reset();
  EXPECT_EQ(*read_state(files_, storage.folder(), *file), "some state");
}

TEST_F(CheckpointStorageTest, a_state_file_that_is_not_finished_is_removed) {
  const CheckpointStorage storage = open();
  auto writer = StateFileWriter::create(files_, storage.folder(), "shared/a");
  ASSERT_TRUE((*writer)->append("some").is_ok());
  writer->reset();
  EXPECT_THAT(all_files(files_, kFolder), IsEmpty());
}

TEST_F(CheckpointStorageTest, small_state_and_state_without_a_folder_stay_inline) {
  const CheckpointStorage storage = open();
  EXPECT_EQ(*write_state(files_, storage.folder(), "shared/a", "1234", 4), inline_state("1234"));
  EXPECT_EQ(*write_state(files_, "", "shared/a", "12345", 4), inline_state("12345"));
  EXPECT_THAT(all_files(files_, kFolder), IsEmpty());
  EXPECT_EQ(write_state(files_, storage.folder(), "shared/a", "12345", 4)->path, "shared/a");
  EXPECT_EQ(*read_state(files_, "", inline_state("1234")), "1234");
}

TEST_F(CheckpointStorageTest, nothing_is_written_where_the_folder_has_been_removed) {
  EXPECT_EQ(StateFileWriter::create(files_, "/gone", "7-0-1").status().code(),
            StatusCode::kNotFound);
  EXPECT_EQ(StateFileWriter::create(files_, "/gone", "chk-7/7-0-1").status().code(),
            StatusCode::kNotFound);
  EXPECT_FALSE(*files_.exists("/gone"));
}

TEST_F(CheckpointStorageTest, paths_that_lead_out_of_the_folder_are_refused) {
  open();
  EXPECT_EQ(StateFileWriter::create(files_, kFolder, "../x").status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(read_state(files_, kFolder, {"/etc/passwd", "", 1, 1}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(remove_state(files_, kFolder, {{"../../x", "", 1, 1}}).code(),
            StatusCode::kInvalidArgument);
}

TEST_F(CheckpointStorageTest, broken_state_files_are_data_loss) {
  const CheckpointStorage storage = open();
  const StateFile file = *write_state(files_, storage.folder(), "shared/a", "some state", 0);
  const std::string path = kFolder + "/shared/a";
  StateFile wrong = inline_state("x");
  wrong.inline_bytes = "y";
  EXPECT_EQ(read_state(files_, "", wrong).status().code(), StatusCode::kDataLoss);
  for (std::size_t byte = 0; byte < 10; ++byte) {
    flip(files_, path, byte);
    const Status status = read_state(files_, storage.folder(), file).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(path), HasSubstr("checksum")));
    flip(files_, path, byte);
  }
  ASSERT_TRUE(write_file_atomically(files_, path, "some stat").is_ok());
  EXPECT_THAT(std::string(read_state(files_, storage.folder(), file).status().message()),
              HasSubstr("has 9 bytes, expected 10"));
  ASSERT_TRUE(files_.remove(path).is_ok());
  const Status gone = read_state(files_, storage.folder(), file).status();
  EXPECT_EQ(gone.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(gone.message()), HasSubstr("is missing"));
}

TEST_F(CheckpointStorageTest, large_state_files_are_checked_and_stay_where_they_are) {
  const CheckpointStorage storage = open();
  const std::string bytes(3 << 20, 'x');
  const StateFile file = *write_state(files_, storage.folder(), "shared/a", bytes, 0);
  const Result<SnapshotBytes> opened = open_state(files_, storage.folder(), file);
  ASSERT_TRUE(opened.is_ok()) << opened.status().to_string();
  EXPECT_FALSE(opened->is_in_memory());
  std::string room;
  EXPECT_EQ(*opened->read(0, opened->size(), room), bytes);
  EXPECT_TRUE(open_state(files_, "", inline_state("some"))->is_in_memory());

  const std::string path = kFolder + "/shared/a";
  for (const std::size_t byte : {std::size_t{0}, bytes.size() / 2, bytes.size() - 1}) {
    flip(files_, path, byte);
    const Status status = open_state(files_, storage.folder(), file).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(path), HasSubstr("checksum")));
    flip(files_, path, byte);
  }
  ASSERT_TRUE(write_file_atomically(files_, path, bytes.substr(1)).is_ok());
  EXPECT_EQ(open_state(files_, storage.folder(), file).status().code(), StatusCode::kDataLoss);
  ASSERT_TRUE(files_.remove(path).is_ok());
  EXPECT_THAT(std::string(open_state(files_, storage.folder(), file).status().message()),
              HasSubstr("is missing"));
}

// ---- Storing and finding ----

TEST_F(CheckpointStorageTest, a_checkpoint_is_found_by_every_path_that_means_it) {
  const CheckpointStorage storage = open();
  const CompletedCheckpoint stored = *write(storage, 3);
  EXPECT_EQ(stored.folder, kFolder);
  EXPECT_EQ(stored.metadata_folder, kFolder + "/chk-3");
  for (const std::string& path : {kFolder, kFolder + "/", kFolder + "/chk-3", kFolder + "/chk-3//",
                                  kFolder + "/chk-3/_metadata", "file://" + kFolder}) {
    const FoundCheckpoint found = find(path);
    EXPECT_EQ(found.checkpoint.metadata, stored.metadata) << path;
    EXPECT_EQ(found.checkpoint.folder, kFolder) << path;
    EXPECT_EQ(found.checkpoint.metadata_folder, kFolder + "/chk-3") << path;
    EXPECT_THAT(found.skipped, IsEmpty());
  }
}

TEST_F(CheckpointStorageTest, the_latest_is_the_highest_number) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {9, 10, 11}) ASSERT_TRUE(write(storage, id).is_ok());
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 11);
  EXPECT_EQ(*storage.highest_id(), 11);
}

TEST_F(CheckpointStorageTest, ids_of_what_was_never_completed_count_too) {
  const CheckpointStorage storage = open();
  EXPECT_EQ(*storage.highest_id(), 0);
  ASSERT_TRUE(files_.create_directories(kFolder + "/chk-12").is_ok());
  EXPECT_EQ(*storage.highest_id(), 12);
  ASSERT_TRUE(write_state(files_, storage.folder(), "shared/30-0-0-0-0", "x", 0).is_ok());
  EXPECT_EQ(*storage.highest_id(), 30);
}

TEST_F(CheckpointStorageTest, one_without_metadata_is_none) {
  const CheckpointStorage storage = open();
  ASSERT_TRUE(write(storage, 3).is_ok());
  ASSERT_TRUE(write_state(files_, storage.folder(), "chk-4/4-0-0-0-0", "x", 0).is_ok());
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 3);
  EXPECT_THAT(find(kFolder).skipped, IsEmpty());
  const Status status = error_of(kFolder + "/chk-4");
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("never completed"));
}

TEST_F(CheckpointStorageTest, a_savepoint_contains_all_it_needs_and_may_be_moved) {
  const CheckpointStorage storage = open();
  Random random(1);
  const std::string folder = *make_savepoint_folder(files_, "/savepoints", kJob, random);
  EXPECT_THAT(folder, StartsWith("/savepoints/savepoint-001122-"));
  EXPECT_EQ(folder.size(), std::string("/savepoints/savepoint-001122-").size() + 12);
  const StateFile file = *write_state(files_, folder, "5-0-0-0-0", "state", 0);
  const auto stored = storage.store(metadata_of(5, {file}, CheckpointKind::kSavepoint), folder);
  ASSERT_TRUE(stored.is_ok());
  EXPECT_EQ(stored->folder, folder);
  EXPECT_EQ(stored->metadata_folder, folder);

  ASSERT_TRUE(files_.create_directories("/elsewhere").is_ok());
  for (const char* name : {"_metadata", "5-0-0-0-0"}) {
    ASSERT_TRUE(files_.rename(join_path(folder, name), join_path("/elsewhere", name)).is_ok());
  }
  const FoundCheckpoint found = find("/elsewhere");
  EXPECT_EQ(found.checkpoint.folder, "/elsewhere");
  EXPECT_EQ(*read_state(files_, found.checkpoint.folder, file), "state");
}

// ---- What is broken ----

TEST_F(CheckpointStorageTest, a_broken_checkpoint_is_passed_over_and_said) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {1, 2, 3}) ASSERT_TRUE(write(storage, id).is_ok());
  const std::string shared = state_file_path(3, CheckpointKind::kCheckpoint, true, 0, 1, 2, 3);
  const std::string own = state_file_path(3, CheckpointKind::kCheckpoint, false, 0, 1, 2, 3);
  for (const std::string& name : {std::string("chk-3/_metadata"), shared, own}) {
    const std::string path = join_path(kFolder, name);
    flip(files_, path, 7);
    const FoundCheckpoint found = find(kFolder);
    EXPECT_EQ(found.checkpoint.metadata.id, 2) << name;
    ASSERT_THAT(found.skipped, SizeIs(1)) << name;
    EXPECT_THAT(found.skipped[0], AllOf(HasSubstr("checkpoint 3"), HasSubstr("chk-3"),
                                        HasSubstr("DataLoss"), HasSubstr("back to checkpoint 2")));
    // Named itself, there is nothing to go back to.
    EXPECT_EQ(error_of(kFolder + "/chk-3").code(), StatusCode::kDataLoss) << name;
    flip(files_, path, 7);
  }
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 3);
}

TEST_F(CheckpointStorageTest, rows_in_flight_are_files_as_any_other) {
  const CheckpointStorage storage = open();
  ASSERT_TRUE(write(storage, 1).is_ok());
  CheckpointMetadata metadata = metadata_of(2, {});
  metadata.edges = {{0, 0, "uid", "uid", 0}};
  const auto file = write_state(files_, storage.folder(), in_flight_file_path(2, 0, 1, 2, 0, true),
                                "rows in flight", 0);
  ASSERT_TRUE(file.is_ok());
  EXPECT_EQ(file->path, "chk-2/2-0-1-2-out0");
  metadata.vertices[0].subtasks[0].in_flight = {{0, true, 3, *file}};
  ASSERT_TRUE(storage.store(metadata, "").is_ok());
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 2);
  const std::string path = join_path(kFolder, file->path);
  flip(files_, path, 3);
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 1);
  EXPECT_THAT(find(kFolder).skipped, SizeIs(1));
  ASSERT_TRUE(files_.remove(path).is_ok());
  EXPECT_EQ(find(kFolder, FileCheck::kSize).checkpoint.metadata.id, 1);
}

TEST_F(CheckpointStorageTest, sizes_are_checked_without_reading_and_bytes_when_asked) {
  const CheckpointStorage storage = open();
  ASSERT_TRUE(write(storage, 1).is_ok());
  const std::string path =
      join_path(kFolder, state_file_path(1, CheckpointKind::kCheckpoint, true, 0, 1, 2, 3));
  flip(files_, path, 0);
  EXPECT_EQ(find(kFolder, FileCheck::kSize).checkpoint.metadata.id, 1);
  EXPECT_EQ(error_of(kFolder, FileCheck::kChecksum).code(), StatusCode::kDataLoss);
  ASSERT_TRUE(write_file_atomically(files_, path, "short").is_ok());
  EXPECT_EQ(error_of(kFolder, FileCheck::kSize).code(), StatusCode::kDataLoss);
  ASSERT_TRUE(files_.remove(path).is_ok());
  EXPECT_THAT(std::string(error_of(kFolder, FileCheck::kSize).message()),
              AllOf(HasSubstr("no checkpoint in"), HasSubstr("is missing")));
}

TEST_F(CheckpointStorageTest, several_broken_ones_are_all_said) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {1, 2, 3}) ASSERT_TRUE(write(storage, id).is_ok());
  flip(files_, kFolder + "/chk-3/_metadata", 30);
  ASSERT_TRUE(files_.remove(kFolder + "/shared/2-0-1-2-3").is_ok());
  const FoundCheckpoint found = find(kFolder);
  EXPECT_EQ(found.checkpoint.metadata.id, 1);
  ASSERT_THAT(found.skipped, SizeIs(2));
  EXPECT_THAT(found.skipped[1], HasSubstr("shared/2-0-1-2-3"));
  flip(files_, kFolder + "/chk-1/_metadata", 30);
  const Status none = error_of(kFolder);
  EXPECT_EQ(none.code(), StatusCode::kDataLoss);
  EXPECT_THAT(
      std::string(none.message()),
      AllOf(HasSubstr("checkpoint 3"), HasSubstr("checkpoint 2"), HasSubstr("checkpoint 1")));
}

TEST_F(CheckpointStorageTest, a_later_version_is_an_error_and_not_passed_over) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {1, 2}) ASSERT_TRUE(write(storage, id).is_ok());
  const std::string path = kFolder + "/chk-2/_metadata";
  std::string bytes = *read_file(files_, path);
  auto* header = reinterpret_cast<std::uint8_t*>(bytes.data());
  store_le<std::uint32_t>(header + 4, 9);
  store_le<std::uint64_t>(header + 8, hash64_with_seed(std::string_view(bytes).substr(16),
                                                       load_le<std::uint64_t>(header)));
  ASSERT_TRUE(write_file_atomically(files_, path, bytes).is_ok());
  const Status status = error_of(kFolder);
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("version 9"), HasSubstr("chk-2")));
}

TEST_F(CheckpointStorageTest, storage_that_does_not_answer_is_no_reason_to_go_back) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {1, 2}) ASSERT_TRUE(write(storage, id).is_ok());
  const std::int64_t before = files_.operations();
  find(kFolder);
  const std::int64_t operations = files_.operations() - before;
  for (std::int64_t n = 1; n <= operations; ++n) {
    files_.fail_operation(n, Status::unavailable("the disk does not answer"));
    EXPECT_EQ(error_of(kFolder).code(), StatusCode::kUnavailable) << n;
  }
}

TEST_F(CheckpointStorageTest, metadata_of_another_checkpoint_are_not_taken) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {1, 2}) ASSERT_TRUE(write(storage, id).is_ok());
  ASSERT_TRUE(files_.rename(kFolder + "/chk-1/_metadata", kFolder + "/chk-2/_metadata").is_ok());
  EXPECT_EQ(error_of(kFolder).code(), StatusCode::kDataLoss);
}

TEST_F(CheckpointStorageTest, what_is_no_checkpoint_says_what_it_is) {
  open();
  const auto message = [this](const std::string& path) { return error_of(path).to_string(); };
  EXPECT_EQ(error_of("/nowhere").code(), StatusCode::kNotFound);
  EXPECT_THAT(message("/nowhere"), HasSubstr("/nowhere"));
  EXPECT_THAT(message(""), HasSubstr("must not be empty"));
  EXPECT_THAT(message("s3://bucket/a"), HasSubstr("scheme 's3'"));
  ASSERT_TRUE(files_.create_directories("/empty").is_ok());
  EXPECT_THAT(message("/empty"), AllOf(HasSubstr("NotFound"), HasSubstr("it is empty")));
  EXPECT_THAT(message("/checkpoints"), AllOf(HasSubstr("NotFound"), HasSubstr(kJob)));
  EXPECT_THAT(message(kFolder), AllOf(HasSubstr("NotFound"), HasSubstr("'shared', 'taskowned'")));
  ASSERT_TRUE(write_file_atomically(files_, "/empty/file", "x").is_ok());
  EXPECT_THAT(message("/empty/file"), AllOf(HasSubstr("InvalidArgument"), HasSubstr("is a file")));
  ASSERT_TRUE(files_.create_directories("/empty/savepoint-1-2").is_ok());
  EXPECT_THAT(message("/empty/savepoint-1-2"), HasSubstr("has no file _metadata"));
}

TEST_F(CheckpointStorageTest, all_of_a_jobs_folder_is_listed_with_what_is_wrong) {
  const CheckpointStorage storage = open();
  for (const CheckpointId id : {2, 10}) ASSERT_TRUE(write(storage, id).is_ok());
  flip(files_, kFolder + "/chk-2/_metadata", 30);
  const auto listed = list_checkpoints(files_, kFolder);
  ASSERT_TRUE(listed.is_ok());
  ASSERT_THAT(*listed, SizeIs(2));
  EXPECT_EQ((*listed)[0].id, 2);
  EXPECT_EQ((*listed)[0].folder, kFolder + "/chk-2");
  EXPECT_EQ((*listed)[0].status.code(), StatusCode::kDataLoss);
  EXPECT_EQ((*listed)[1].metadata.id, 10);
  EXPECT_TRUE((*listed)[1].status.is_ok());
  EXPECT_EQ(list_checkpoints(files_, "/checkpoints").status().code(), StatusCode::kNotFound);
}

TEST_F(CheckpointStorageTest, a_folder_that_cannot_be_used_is_an_error_at_once) {
  files_.fail_operation(1, Status::permission_denied("no"), FileOperation::kOpenForWrite);
  const Status denied = CheckpointStorage::open(files_, "/checkpoints", kJob).status();
  EXPECT_EQ(denied.code(), StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(denied.message()), HasSubstr("execution.checkpointing.dir"));
  files_.set_capacity_bytes(0);
  EXPECT_EQ(CheckpointStorage::open(files_, "/checkpoints", kJob).status().code(),
            StatusCode::kResourceExhausted);
}

// ---- Removing ----

TEST_F(CheckpointStorageTest, what_an_aborted_checkpoint_alone_has_goes) {
  const CheckpointStorage storage = open();
  CompletedCheckpointStore store(1);
  store.add(*write(storage, 1));
  const std::vector<std::string> before = all_files(files_, kFolder);
  // Its acknowledgements name the base of the one before too.
  std::vector<StateFile> acknowledged =
      store.latest()->metadata.vertices[0].subtasks[0].operators[0].files;
  acknowledged.push_back(*write_state(files_, kFolder, "shared/2-0-0-0-0", "delta", 0));
  acknowledged.push_back(*write_state(files_, kFolder, "chk-2/2-0-0-0-0", "own", 0));
  acknowledged.push_back(inline_state("x"));
  ASSERT_TRUE(write_state(files_, kFolder, "chk-2/2-0-0-1-0", "not acknowledged", 0).is_ok());
  ASSERT_TRUE(storage.remove_aborted(2, "", acknowledged, store.used_files()).is_ok());
  EXPECT_EQ(all_files(files_, kFolder), before);
  EXPECT_FALSE(*files_.exists(kFolder + "/chk-2"));
  // Again, and one that never wrote anything.
  EXPECT_TRUE(storage.remove_aborted(2, "", acknowledged, store.used_files()).is_ok());
  EXPECT_TRUE(storage.remove_aborted(3, "", {}, {}).is_ok());
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 1);
}

TEST_F(CheckpointStorageTest, an_aborted_savepoint_goes_as_a_whole) {
  const CheckpointStorage storage = open();
  Random random(1);
  const std::string folder = *make_savepoint_folder(files_, "/savepoints", kJob, random);
  const StateFile file = *write_state(files_, folder, "5-0-0-0-0", "state", 0);
  ASSERT_TRUE(storage.remove_aborted(5, folder, {file}, {}).is_ok());
  EXPECT_FALSE(*files_.exists(folder));
  EXPECT_TRUE(*files_.exists("/savepoints"));
}

TEST_F(CheckpointStorageTest, without_a_folder_nothing_is_removed_from_the_current_one) {
  ASSERT_TRUE(files_.create_directories("chk-1").is_ok());
  ASSERT_TRUE(write_file_atomically(files_, "chk-1/mine", "x").is_ok());
  ASSERT_TRUE(write_file_atomically(files_, "1-0-0-0-0", "x").is_ok());
  const CheckpointStorage storage = CheckpointStorage::for_savepoints(files_);
  EXPECT_TRUE(storage.remove_aborted(1, "", {{"1-0-0-0-0", "", 1, 1}}, {}).is_ok());
  EXPECT_TRUE(storage.remove_orphans(100, {}, {}).is_ok());
  EXPECT_TRUE(storage.remove_if_empty().is_ok());
  EXPECT_EQ(*storage.highest_id(), 0);
  EXPECT_TRUE(*files_.exists("chk-1/mine"));
  EXPECT_TRUE(*files_.exists("1-0-0-0-0"));
  Random random(1);
  const std::string folder = *make_savepoint_folder(files_, "/savepoints", kJob, random);
  EXPECT_TRUE(storage.store(metadata_of(5, {}, CheckpointKind::kSavepoint), folder).is_ok());
  EXPECT_EQ(find(folder).checkpoint.metadata.id, 5);
}

TEST_F(CheckpointStorageTest, shared_files_go_with_the_last_checkpoint_that_has_them) {
  const CheckpointStorage storage = open();
  CompletedCheckpointStore store(1);
  const CompletedCheckpoint first = *write(storage, 1);
  const StateFile base = first.metadata.vertices[0].subtasks[0].operators[0].files[0];
  ASSERT_TRUE(storage.remove(store.add(first)).is_ok());
  ASSERT_TRUE(storage.remove(store.add(*write(storage, 2, {base}))).is_ok());
  EXPECT_FALSE(*files_.exists(kFolder + "/chk-1"));
  EXPECT_TRUE(*files_.exists(join_path(kFolder, base.path)));
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 2);
  ASSERT_TRUE(storage.remove(store.add(*write(storage, 3))).is_ok());
  EXPECT_THAT(all_files(files_, kFolder),
              ElementsAre(kFolder + "/chk-3/3-0-1-2-3", kFolder + "/chk-3/_metadata",
                          kFolder + "/shared/3-0-1-2-3"));
  ASSERT_TRUE(storage.remove(store.take_all()).is_ok());
  EXPECT_THAT(all_files(files_, kFolder), IsEmpty());
  ASSERT_TRUE(storage.remove_if_empty().is_ok());
  EXPECT_FALSE(*files_.exists(kFolder));
  EXPECT_TRUE(*files_.exists("/checkpoints"));
}

TEST_F(CheckpointStorageTest, a_folder_with_something_in_it_stays) {
  const CheckpointStorage storage = open();
  ASSERT_TRUE(write(storage, 1).is_ok());
  ASSERT_TRUE(storage.remove_if_empty().is_ok());
  EXPECT_EQ(find(kFolder).checkpoint.metadata.id, 1);
}

TEST_F(CheckpointStorageTest, orphans_of_ten_thousand_aborted_checkpoints_go) {
  const CheckpointStorage storage = open();
  CompletedCheckpointStore store(2);
  store.add(*write(storage, 1));
  // Tasks that wrote after the abort, or died before they could say what they wrote.
  for (CheckpointId id = 2; id <= 10'001; ++id) {
    const std::string n = std::to_string(id);
    ASSERT_TRUE(write_state(files_, kFolder, "chk-" + n + "/" + n + "-0-0-0-0", "x", 0).is_ok());
    ASSERT_TRUE(write_state(files_, kFolder, "shared/" + n + "-0-0-0-0", "x", 0).is_ok());
  }
  store.add(*write(storage, 10'002));
  // One that is under way.
  ASSERT_TRUE(write_state(files_, kFolder, "shared/10003-0-0-0-0", "x", 0).is_ok());
  ASSERT_TRUE(write_file_atomically(files_, kFolder + "/shared/notes.txt", "not ours").is_ok());
  ASSERT_TRUE(storage.remove_orphans(10'002, store.metadata_folders(), store.used_files()).is_ok());
  EXPECT_THAT(all_files(files_, kFolder),
              ElementsAre(kFolder + "/chk-1/1-0-1-2-3", kFolder + "/chk-1/_metadata",
                          kFolder + "/chk-10002/10002-0-1-2-3", kFolder + "/chk-10002/_metadata",
                          kFolder + "/shared/1-0-1-2-3", kFolder + "/shared/10002-0-1-2-3",
                          kFolder + "/shared/10003-0-0-0-0", kFolder + "/shared/notes.txt"));
}

// ---- Every operation fails once ----

// The life of a job's folder: three checkpoints of which the newest two are kept, one that is
// aborted, a savepoint.
class Life {
 public:
  Life(MemoryFileSystem& files, const CheckpointStorage& storage)
      : files_(files), storage_(storage) {}

  // Goes on after errors as the JobManager does: what fails is aborted, what could not be removed
  // is removed with the next orphans.
  void run() {
    for (CheckpointId id = 1; id <= 3; ++id) {
      if (!complete(id)) abort(id, "");
    }
    const StateFile late{"shared/4-0-0-0-0", "", 4, hash64("late")};
    const auto written = write_state(files_, storage_.folder(), late.path, "late", 0);
    (void)written;
    abort(4, "", {late});
    if (!save("/savepoints/savepoint-x")) abort(5, "/savepoints/savepoint-x");
  }

  // The job is asked for what is there, and cleans up.
  void check() {
    const Result<FoundCheckpoint> found =
        find_checkpoint(files_, storage_.folder(), FileCheck::kChecksum);
    if (completed_.empty()) {
      EXPECT_EQ(found.status().code(), StatusCode::kNotFound) << found.status().to_string();
    } else {
      ASSERT_TRUE(found.is_ok()) << found.status().to_string();
      // Nothing half-written was found and passed over; a removal may be half done.
      EXPECT_THAT(found->skipped, IsEmpty());
      EXPECT_EQ(found->checkpoint.metadata, store_.latest()->metadata);
    }
    ASSERT_TRUE(
        storage_.remove_orphans(100, store_.metadata_folders(), store_.used_files()).is_ok());
    std::set<std::string> expected = store_.used_files();
    for (const std::string& folder : store_.metadata_folders())
      expected.insert(folder + "/_metadata");
    for (const std::string& file : all_files(files_, storage_.folder())) {
      EXPECT_TRUE(expected.contains(file)) << file;
    }
    if (has_saved_) {
      const auto savepoint =
          find_checkpoint(files_, "/savepoints/savepoint-x", FileCheck::kChecksum);
      EXPECT_TRUE(savepoint.is_ok()) << savepoint.status().to_string();
    } else {
      // Aborted: at most a folder without metadata is left, when its removal failed.
      EXPECT_FALSE(*files_.exists("/savepoints/savepoint-x/_metadata"));
    }
  }

 private:
  bool complete(CheckpointId id) {
    std::vector<StateFile> state = base_;
    for (const bool is_shared : {true, false}) {
      const auto file = write_state(
          files_, storage_.folder(),
          state_file_path(id, CheckpointKind::kCheckpoint, is_shared, 0, 0, 0, 0), "some state", 0);
      if (!file.is_ok()) return false;
      state.push_back(*file);
    }
    const auto stored = storage_.store(metadata_of(id, state), "");
    if (!stored.is_ok()) return false;
    completed_.insert(id);
    base_ = {state[state.size() - 2]};  // The next one builds upon its shared file.
    (void)storage_.remove(store_.add(*stored));
    return true;
  }

  bool save(const std::string& folder) {
    if (!files_.create_directories(folder).is_ok()) return false;
    const auto file = write_state(files_, folder, "5-0-0-0-0", "state", 0);
    if (!file.is_ok()) return false;
    has_saved_ =
        storage_.store(metadata_of(5, {*file}, CheckpointKind::kSavepoint), folder).is_ok();
    return has_saved_;
  }

  void abort(CheckpointId id, const std::string& folder, const std::vector<StateFile>& own = {}) {
    (void)storage_.remove_aborted(id, folder, own, store_.used_files());
  }

  MemoryFileSystem& files_;
  const CheckpointStorage& storage_;
  CompletedCheckpointStore store_{2};
  std::vector<StateFile> base_;
  std::set<CheckpointId> completed_;
  bool has_saved_ = false;
};

TEST(CheckpointStorageFaultTest, any_failed_operation_leaves_a_usable_folder_and_no_orphans) {
  const auto run = [](std::int64_t fail_at, StatusCode code) {
    SCOPED_TRACE(fail_at);
    const SimulatedClock clock;
    MemoryFileSystem files(clock);
    const auto storage = CheckpointStorage::open(files, "/checkpoints", kJob);
    EXPECT_TRUE(storage.is_ok());
    const std::int64_t before = files.operations();
    if (fail_at > 0) files.fail_operation(fail_at, Status(code, "a fault"));
    Life life(files, *storage);
    life.run();
    const std::int64_t operations = files.operations() - before;
    if (fail_at > operations) return std::int64_t{0};
    files.drop_unsynced();  // And then the power goes.
    life.check();
    return operations;
  };
  const std::int64_t operations = run(0, StatusCode::kUnavailable);
  EXPECT_GT(operations, 60);
  for (std::int64_t n = 1; n <= operations; ++n) {
    run(n, StatusCode::kUnavailable);
    run(n, StatusCode::kResourceExhausted);
    if (::testing::Test::HasFailure()) return;
  }
}

// Who finds an older one after a power cut would make the newer ones' results visible once more.
TEST(CheckpointStorageFaultTest, the_last_ones_go_for_good_and_oldest_first) {
  Random random(3);
  int left_newest = 0;
  for (int round = 0; round < 300; ++round) {
    const SimulatedClock clock;
    MemoryFileSystem files(clock);
    const auto storage = CheckpointStorage::open(files, "/checkpoints", kJob);
    ASSERT_TRUE(storage.is_ok());
    CompletedCheckpointStore store(3);
    for (CheckpointId id = 1; id <= 5; ++id) {
      const auto stored = storage->store(metadata_of(id, {}), "");
      ASSERT_TRUE(stored.is_ok());
      // Of the first one that cannot be done.
      const CheckpointRemoval removal = store.add(*stored);
      const Status removed = id != 4 ? storage->remove(removal) : Status::ok();
      ASSERT_TRUE(removed.is_ok());
    }
    const std::int64_t fail_at = random.uniform_between(1, 12);
    files.set_fault_hook(
        [&, operation = std::int64_t{0}](FileOperation, const std::string&) mutable {
          return ++operation >= fail_at ? Status::unavailable("dead") : Status::ok();
        });
    (void)storage->remove_last(store.take_all());
    files.set_fault_hook(nullptr);
    files.cut_power(random);
    const auto listed = list_checkpoints(files, storage->folder());
    if (listed.status().code() == StatusCode::kNotFound) continue;  // The whole folder has gone.
    ASSERT_TRUE(listed.is_ok());
    if (listed->empty()) continue;
    EXPECT_EQ(listed->back().id, 5) << "round " << round;
    ++left_newest;
  }
  EXPECT_GT(left_newest, 10);
}

// The last step of store() fails although the one before has made the checkpoint complete.
TEST(CheckpointStorageFaultTest, what_was_stored_without_saying_so_is_gone_once_it_is_forgotten) {
  for (const bool forgets : {false, true}) {
    const SimulatedClock clock;
    MemoryFileSystem files(clock);
    const auto storage = CheckpointStorage::open(files, "/checkpoints", kJob);
    ASSERT_TRUE(storage.is_ok());
    files.fail_operation(2, Status::unavailable("a fault"), FileOperation::kSyncDirectory);
    EXPECT_FALSE(storage->store(metadata_of(3, {}), "").is_ok());
    const std::string metadata = join_path(storage->folder(), "chk-3/_metadata");
    EXPECT_TRUE(*files.exists(metadata));
    ASSERT_TRUE(files.sync_directory(join_path(storage->folder(), "chk-3")).is_ok());
    if (forgets) {
      files.fail_operation(1, Status::unavailable("a fault"), FileOperation::kRemove);
      EXPECT_FALSE(storage->forget(3, "").is_ok());
      EXPECT_TRUE(storage->forget(3, "").is_ok());
      EXPECT_TRUE(storage->forget(3, "").is_ok());
    }
    files.drop_unsynced();
    EXPECT_EQ(*files.exists(metadata), !forgets);
  }
}

// The process dies before the n-th operation: nothing after it happens.
TEST(CheckpointStorageFaultTest, a_crash_before_any_operation_leaves_the_last_complete_one) {
  for (std::int64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    const SimulatedClock clock;
    MemoryFileSystem files(clock);
    const auto storage = CheckpointStorage::open(files, "/checkpoints", kJob);
    ASSERT_TRUE(storage.is_ok());
    std::int64_t operations = 0;
    files.set_fault_hook([&](FileOperation, const std::string&) {
      return ++operations >= n ? Status::unavailable("dead") : Status::ok();
    });
    CompletedCheckpointStore store(1);
    CheckpointId told = 0;  // Completed, as the job knows it.
    for (CheckpointId id = 1; id <= 3; ++id) {
      const auto file = write_state(
          files, storage->folder(),
          state_file_path(id, CheckpointKind::kCheckpoint, true, 0, 0, 0, 0), "some state", 0);
      if (!file.is_ok()) break;
      const auto stored = storage->store(metadata_of(id, {*file}), "");
      if (!stored.is_ok()) break;
      told = id;
      if (!storage->remove(store.add(*stored)).is_ok()) break;
    }
    files.set_fault_hook({});
    files.drop_unsynced();
    const auto found = find_checkpoint(files, kFolder, FileCheck::kChecksum);
    if (told == 0 && !found.is_ok()) {
      EXPECT_EQ(found.status().code(), StatusCode::kNotFound) << found.status().to_string();
    } else {
      ASSERT_TRUE(found.is_ok()) << found.status().to_string();
      // What was told is there; one more may be, if the process died before it knew.
      EXPECT_GE(found->checkpoint.metadata.id, told);
      EXPECT_LE(found->checkpoint.metadata.id, told + 1);
      EXPECT_THAT(found->skipped, IsEmpty());
    }
    if (::testing::Test::HasFailure()) return;
    if (operations < n) return;  // It got to its end.
  }
}

}  // namespace
}  // namespace clepsydra
