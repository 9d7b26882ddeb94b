#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/local_file_system.h"
#include "base/memory_file_system.h"
#include "base/random.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> names(const std::vector<FileInfo>& entries) {
  std::vector<std::string> result;
  for (const FileInfo& entry : entries)
    result.push_back(entry.name + (entry.is_directory ? "/" : ""));
  return result;
}

Status write_file(FileSystem& files, const std::string& path, std::string_view text) {
  auto file = files.open_for_write(path, WriteMode::kTruncate);
  if (!file.is_ok()) return file.status();
  const Status appended = (*file)->append(text);
  return appended.is_ok() ? (*file)->close() : appended;
}

// What both file systems must do alike. The parameter says which.
class FileSystemConformanceTest : public ::testing::TestWithParam<bool> {
 protected:
  FileSystemConformanceTest() {
    if (GetParam()) {
      files_ = std::make_unique<LocalFileSystem>();
      root_ = *make_temporary_directory("clepsydra-files-");
    } else {
      files_ = std::make_unique<MemoryFileSystem>(clock_);
      root_ = "/data";
      EXPECT_TRUE(files_->create_directories(root_).is_ok());
    }
  }
  void TearDown() override { EXPECT_TRUE(files_->remove_all(root_).is_ok()); }

  [[nodiscard]] std::string path(std::string_view name) const { return join_path(root_, name); }

  SimulatedClock clock_;
  std::unique_ptr<FileSystem> files_;
  std::string root_;
};

TEST_P(FileSystemConformanceTest, what_was_written_is_read) {
  const auto out = *files_->open_for_write(path("a"), WriteMode::kTruncate);
  EXPECT_TRUE(out->append("hello ").is_ok());
  EXPECT_TRUE(out->append("world").is_ok());
  EXPECT_EQ(out->size(), 11);
  EXPECT_TRUE(out->sync().is_ok());
  EXPECT_TRUE(out->close().is_ok());
  EXPECT_TRUE(out->close().is_ok());
  EXPECT_EQ(out->append("x").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(*read_file(*files_, path("a")), "hello world");

  const auto in = *files_->open_for_read(path("a"));
  EXPECT_EQ(*in->size(), 11);
  std::uint8_t bytes[8];
  EXPECT_EQ(*in->read_at(6, bytes), 5);  // Less only at the end.
  EXPECT_EQ(std::string_view(reinterpret_cast<char*>(bytes), 5), "world");
  EXPECT_EQ(*in->read_at(11, bytes), 0);
  EXPECT_EQ(*in->read_at(1000, bytes), 0);
  EXPECT_FALSE(in->read_at(-1, bytes).is_ok());
}

TEST_P(FileSystemConformanceTest, a_growing_file_shows_its_new_end) {
  const auto out = *files_->open_for_write(path("log"), WriteMode::kTruncate);
  const auto in = *files_->open_for_read(path("log"));
  EXPECT_EQ(*in->size(), 0);
  EXPECT_TRUE(out->append("line\n").is_ok());
  std::uint8_t bytes[16];
  EXPECT_EQ(*in->read_at(0, bytes), 5);
  EXPECT_EQ(*in->size(), 5);
}

TEST_P(FileSystemConformanceTest, write_modes) {
  EXPECT_TRUE(write_file(*files_, path("a"), "long text").is_ok());
  EXPECT_TRUE(write_file(*files_, path("a"), "short").is_ok());
  EXPECT_EQ(*read_file(*files_, path("a")), "short");
  {
    const auto more = *files_->open_for_write(path("a"), WriteMode::kAppend);
    EXPECT_EQ(more->size(), 5);
    EXPECT_TRUE(more->append("er").is_ok());
  }
  EXPECT_EQ(*read_file(*files_, path("a")), "shorter");
  EXPECT_EQ(files_->open_for_write(path("a"), WriteMode::kCreateNew).status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_TRUE(files_->open_for_write(path("b"), WriteMode::kCreateNew).is_ok());
}

TEST_P(FileSystemConformanceTest, rename_replaces) {
  EXPECT_TRUE(write_file(*files_, path("new"), "new").is_ok());
  EXPECT_TRUE(write_file(*files_, path("old"), "old").is_ok());
  const auto reader = *files_->open_for_read(path("old"));
  EXPECT_TRUE(files_->rename(path("new"), path("old")).is_ok());
  EXPECT_EQ(*read_file(*files_, path("old")), "new");
  EXPECT_FALSE(*files_->exists(path("new")));
  std::uint8_t bytes[8];
  EXPECT_EQ(*reader->read_at(0, bytes), 3);  // Who had it open still reads the old one.
  EXPECT_EQ(bytes[0], 'o');
  EXPECT_EQ(files_->rename(path("none"), path("x")).code(), StatusCode::kNotFound);
}

TEST_P(FileSystemConformanceTest, directories_list_rename_and_go_away) {
  EXPECT_TRUE(files_->create_directories(path("d/e/f")).is_ok());
  EXPECT_TRUE(files_->create_directories(path("d/e/f")).is_ok());
  EXPECT_TRUE(write_file(*files_, path("d/b.csv"), "12345").is_ok());
  EXPECT_TRUE(write_file(*files_, path("d/a"), "").is_ok());
  EXPECT_TRUE(write_file(*files_, path("d/e.x"), "").is_ok());
  const auto entries = *files_->list(path("d"));
  EXPECT_THAT(names(entries), ElementsAre("a", "b.csv", "e/", "e.x"));
  EXPECT_EQ(entries[1].size, 5);
  EXPECT_GT(entries[1].modified_ms, 1'500'000'000'000);
  EXPECT_EQ(files_->remove(path("d")).code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(files_->rename(path("d"), path("g")).is_ok());
  EXPECT_THAT(names(*files_->list(path("g/e"))), ElementsAre("f/"));
  EXPECT_TRUE(files_->sync_directory(path("g")).is_ok());
  EXPECT_TRUE(files_->remove(path("g/e/f")).is_ok());
  EXPECT_TRUE(files_->remove_all(path("g")).is_ok());
  EXPECT_TRUE(files_->remove_all(path("g")).is_ok());
  EXPECT_FALSE(*files_->exists(path("g")));
}

TEST_P(FileSystemConformanceTest, errors_say_what_is_wrong_and_where) {
  EXPECT_TRUE(write_file(*files_, path("file"), "x").is_ok());
  EXPECT_TRUE(files_->create_directories(path("dir/sub")).is_ok());
  const auto code = [](const auto& result) {
    if constexpr (requires { result.status(); }) {
      return result.status().code();
    } else {
      return result.code();
    }
  };
  EXPECT_EQ(code(files_->open_for_read(path("none"))), StatusCode::kNotFound);
  EXPECT_EQ(code(files_->open_for_read(path("dir"))), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->open_for_write(path("dir"), WriteMode::kTruncate)),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->open_for_write(path("none/x"), WriteMode::kTruncate)),
            StatusCode::kNotFound);
  EXPECT_EQ(code(files_->open_for_write(path("file/x"), WriteMode::kTruncate)),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->list(path("none"))), StatusCode::kNotFound);
  EXPECT_EQ(code(files_->list(path("file"))), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->stat(path("none"))), StatusCode::kNotFound);
  EXPECT_EQ(code(files_->remove(path("none"))), StatusCode::kNotFound);
  EXPECT_EQ(code(files_->create_directories(path("file"))), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->rename(path("file"), path("dir"))), StatusCode::kFailedPrecondition);
  EXPECT_EQ(code(files_->rename(path("dir"), path("dir/sub/x"))), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(files_->open_for_read("hdfs://host/x")), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(files_->open_for_read("")), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(files_->open_for_read(path("none")).status().message()),
              HasSubstr("cannot open '" + path("none") + "': No such file or directory"));
}

TEST_P(FileSystemConformanceTest, uris_and_atomic_writes) {
  const std::string uri = "file://" + path("a%20b");
  EXPECT_TRUE(write_file_atomically(*files_, path("a b"), "one").is_ok());
  EXPECT_EQ(*read_file(*files_, uri), "one");
  EXPECT_TRUE(write_file_atomically(*files_, path("a b"), "two").is_ok());
  EXPECT_EQ(*read_file(*files_, uri), "two");
  EXPECT_THAT(names(*files_->list(root_)), ElementsAre("a b"));
  EXPECT_EQ(read_file(*files_, uri, 2).status().code(), StatusCode::kResourceExhausted);
}

INSTANTIATE_TEST_SUITE_P(Local, FileSystemConformanceTest, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(Memory, FileSystemConformanceTest, ::testing::Values(false));

TEST(LocalFileSystemTest, a_full_disk_is_resource_exhausted) {
  LocalFileSystem files;
  const auto full = files.open_for_write("/dev/full", WriteMode::kAppend);
  if (!full.is_ok()) GTEST_SKIP() << "no /dev/full here";
  const Status status = (*full)->append("x");
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("'/dev/full': No space left on device"));
}

TEST(LocalFileSystemTest, a_link_is_a_second_name) {
  LocalFileSystem files;
  const std::string folder = *make_temporary_directory("clepsydra-link-");
  const std::string one = join_path(folder, "one");
  const std::string two = join_path(folder, "two");
  ASSERT_TRUE(write_file(files, one, "text").is_ok());
  ASSERT_TRUE(hard_link(one, two).is_ok());
  ASSERT_TRUE(files.remove(one).is_ok());
  EXPECT_EQ(*read_file(files, two), "text");
  EXPECT_EQ(hard_link(one, two).code(), StatusCode::kNotFound);
  ASSERT_TRUE(write_file(files, one, "other").is_ok());
  EXPECT_EQ(hard_link(one, two).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(*read_file(files, two), "text");
  struct stat here {};
  struct stat elsewhere {};
  if (::stat(folder.c_str(), &here) == 0 && ::stat("/dev/shm", &elsewhere) == 0 &&
      here.st_dev != elsewhere.st_dev) {
    EXPECT_EQ(hard_link(one, "/dev/shm/clepsydra-link").code(), StatusCode::kUnimplemented);
  }
  EXPECT_TRUE(files.remove_all(folder).is_ok());
}

TEST(LocalFileSystemTest, pipes_are_refused_without_waiting) {
  LocalFileSystem files;
  const std::string directory = *make_temporary_directory("clepsydra-files-");
  const std::string pipe = join_path(directory, "pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(files.open_for_read(pipe).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(files.remove_all(directory).is_ok());
}

TEST(LocalFileSystemTest, remove_all_does_not_follow_links) {
  LocalFileSystem files;
  const std::string directory = *make_temporary_directory("clepsydra-files-");
  ASSERT_TRUE(files.create_directories(join_path(directory, "kept")).is_ok());
  ASSERT_TRUE(write_file(files, join_path(directory, "kept/file"), "x").is_ok());
  ASSERT_TRUE(files.create_directories(join_path(directory, "gone")).is_ok());
  ASSERT_EQ(
      ::symlink(join_path(directory, "kept").c_str(), join_path(directory, "gone/link").c_str()),
      0);
  EXPECT_TRUE(files.remove_all(join_path(directory, "gone")).is_ok());
  EXPECT_TRUE(*files.exists(join_path(directory, "kept/file")));
  EXPECT_TRUE(files.remove_all(directory).is_ok());
}

TEST(LocalFileSystemTest, no_permission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may do everything";
  LocalFileSystem files;
  const std::string directory = *make_temporary_directory("clepsydra-files-");
  ASSERT_EQ(::chmod(directory.c_str(), 0500), 0);
  EXPECT_EQ(files.open_for_write(join_path(directory, "x"), WriteMode::kTruncate).status().code(),
            StatusCode::kPermissionDenied);
  EXPECT_TRUE(files.remove_all(directory).is_ok());
}

class MemoryFileSystemTest : public ::testing::Test {
 protected:
  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
};

TEST_F(MemoryFileSystemTest, the_nth_operation_fails_once) {
  files_.fail_operation(2, Status::unavailable("injected"));
  EXPECT_TRUE(files_.stat("/").is_ok());
  EXPECT_EQ(files_.stat("/").status().message(), "injected");
  EXPECT_TRUE(files_.stat("/").is_ok());
  files_.fail_operation(1, Status::unavailable("injected"), FileOperation::kSync);
  const auto file = *files_.open_for_write("/a", WriteMode::kTruncate);
  EXPECT_TRUE(file->append("x").is_ok());
  EXPECT_FALSE(file->sync().is_ok());
  EXPECT_TRUE(file->sync().is_ok());
}

TEST_F(MemoryFileSystemTest, a_hook_sees_every_operation) {
  std::vector<std::string> seen;
  files_.set_fault_hook([&](FileOperation operation, const std::string& path) {
    seen.push_back(std::to_string(static_cast<int>(operation)) + path);
    return operation == FileOperation::kRename ? Status::aborted("no") : Status::ok();
  });
  EXPECT_EQ(write_file_atomically(files_, "/a", "x").message(), "no");
  // Open, append, sync, close, rename, and the temporary file's removal.
  EXPECT_THAT(seen, ElementsAre("1/.a.unfinished", "3/.a.unfinished", "4/.a.unfinished",
                                "5/.a.unfinished", "6/.a.unfinished", "7/.a.unfinished"));
  EXPECT_THAT(*files_.list("/"), ElementsAre());
}

// Open, append, sync, close, rename, sync the directory: whatever fails, a whole file is there.
TEST_F(MemoryFileSystemTest, atomic_write_survives_a_failure_at_every_step) {
  for (int n = 1; n <= 6; ++n) {
    MemoryFileSystem files(clock_);
    ASSERT_TRUE(write_file_atomically(files, "/a", "old").is_ok());
    files.fail_operation(n, Status::unavailable("injected"));
    EXPECT_EQ(write_file_atomically(files, "/a", "new").message(), "injected") << n;
    EXPECT_EQ(*read_file(files, "/a"), n < 6 ? "old" : "new") << n;
    EXPECT_THAT(names(*files.list("/")), ElementsAre("a")) << n;
  }
}

TEST_F(MemoryFileSystemTest, a_full_disk_takes_what_fits) {
  files_.set_capacity_bytes(10);
  const auto file = *files_.open_for_write("/a", WriteMode::kTruncate);
  EXPECT_TRUE(file->append("12345678").is_ok());
  const Status full = file->append("9abc");
  EXPECT_EQ(full.code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(*read_file(files_, "/a"), "123456789a");
  EXPECT_TRUE(files_.remove("/a").is_ok());
  EXPECT_EQ(files_.used_bytes(), 0);
  EXPECT_TRUE(write_file(files_, "/b", "1234567890").is_ok());
}

TEST_F(MemoryFileSystemTest, a_power_cut_loses_what_was_not_synced) {
  const auto file = *files_.open_for_write("/a", WriteMode::kTruncate);
  EXPECT_TRUE(file->append("safe").is_ok());
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_TRUE(file->append(" lost").is_ok());
  EXPECT_TRUE(files_.sync_directory("/").is_ok());
  files_.drop_unsynced();
  EXPECT_EQ(*read_file(files_, "/a"), "safe");
  EXPECT_EQ(files_.used_bytes(), 4);
}

Status write_synced(FileSystem& files, std::string_view path) {
  CLP_ASSIGN_OR_RETURN(const auto file, files.open_for_write(path, WriteMode::kTruncate));
  CLP_RETURN_IF_ERROR(file->append("x"));
  return file->sync();
}

TEST_F(MemoryFileSystemTest, a_power_cut_takes_back_names_of_folders_that_were_not_synced) {
  ASSERT_TRUE(files_.create_directories("/d/e").is_ok());
  ASSERT_TRUE(write_synced(files_, "/d/kept").is_ok());
  ASSERT_TRUE(write_synced(files_, "/d/moved").is_ok());
  ASSERT_TRUE(write_synced(files_, "/d/removed").is_ok());
  ASSERT_TRUE(files_.sync_directory("/d").is_ok());
  ASSERT_TRUE(write_synced(files_, "/d/new").is_ok());
  ASSERT_TRUE(files_.rename("/d/moved", "/d/e/moved").is_ok());
  ASSERT_TRUE(files_.remove("/d/removed").is_ok());
  files_.drop_unsynced();
  EXPECT_THAT(names(*files_.list("/d")), ElementsAre("e/", "kept", "moved", "removed"));
  EXPECT_THAT(*files_.list("/d/e"), ElementsAre());
}

TEST_F(MemoryFileSystemTest, syncing_one_of_its_folders_makes_a_move_durable) {
  ASSERT_TRUE(files_.create_directories("/a").is_ok());
  ASSERT_TRUE(files_.create_directories("/b").is_ok());
  for (const std::string_view synced : {"/a", "/b"}) {
    ASSERT_TRUE(write_synced(files_, "/a/file").is_ok());
    ASSERT_TRUE(files_.sync_directory("/a").is_ok());
    ASSERT_TRUE(files_.rename("/a/file", "/b/file").is_ok());
    ASSERT_TRUE(files_.sync_directory(synced).is_ok());
    files_.drop_unsynced();
    EXPECT_THAT(*files_.list("/a"), ElementsAre()) << synced;
    EXPECT_THAT(names(*files_.list("/b")), ElementsAre("file")) << synced;
    ASSERT_TRUE(files_.remove("/b/file").is_ok());
  }
}

TEST_F(MemoryFileSystemTest,
       a_power_cut_may_leave_the_first_changes_of_a_folder_and_the_first_bytes) {
  Random random(7);
  std::set<std::vector<std::string>> seen;
  std::set<std::int64_t> sizes;
  for (int round = 0; round < 200; ++round) {
    MemoryFileSystem files(clock_);
    ASSERT_TRUE(write_file(files, "/1", "12").is_ok());
    ASSERT_TRUE(write_synced(files, "/2").is_ok());
    files.cut_power(random);
    std::vector<std::string> left = names(*files.list("/"));
    if (!left.empty()) sizes.insert(files.stat("/1")->size);
    seen.insert(std::move(left));
  }
  EXPECT_THAT(seen, ElementsAre(std::vector<std::string>{}, std::vector<std::string>{"1"},
                                std::vector<std::string>{"1", "2"}));
  EXPECT_THAT(sizes, ElementsAre(0, 1, 2));
}

TEST_F(MemoryFileSystemTest, a_bit_rots) {
  ASSERT_TRUE(write_file(files_, "/a", "AB").is_ok());
  ASSERT_TRUE(files_.create_directories("/d").is_ok());
  EXPECT_TRUE(files_.flip_bit("/a", 8).is_ok());
  EXPECT_EQ(*read_file(files_, "/a"), "AC");
  EXPECT_EQ(files_.flip_bit("/a", 16).code(), StatusCode::kNotFound);
  EXPECT_EQ(files_.flip_bit("/d", 0).code(), StatusCode::kNotFound);
  EXPECT_EQ(files_.flip_bit("/b", 0).code(), StatusCode::kNotFound);
  EXPECT_THAT(files_.paths_below("/"), ElementsAre("/a"));
}

TEST_F(MemoryFileSystemTest, times_come_from_the_clock) {
  clock_.advance_ms(5);
  ASSERT_TRUE(write_file(files_, "/a", "x").is_ok());
  EXPECT_EQ(files_.stat("/a")->modified_ms, clock_.now_ms());
}

TEST(PathTest, uris_become_paths) {
  EXPECT_EQ(*local_path("/a/b"), "/a/b");
  EXPECT_EQ(*local_path("a:b"), "a:b");
  EXPECT_EQ(*local_path("file:///a/b%2Fc"), "/a/b/c");
  EXPECT_EQ(*local_path("file:/a"), "/a");
  EXPECT_EQ(*local_path("file://localhost/a"), "/a");
  for (const std::string_view bad : {"", "s3://bucket/x", "file://host/x", "file:///a%2",
                                     "file:///a%zz", "file:///a%00", "file://"}) {
    EXPECT_FALSE(local_path(bad).is_ok()) << bad;
  }
}

TEST(PathTest, parts_of_paths) {
  EXPECT_EQ(join_path("/a", "b"), "/a/b");
  EXPECT_EQ(join_path("/a/", "b"), "/a/b");
  EXPECT_EQ(join_path("/a", "/b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(base_name("/a/b.csv"), "b.csv");
  EXPECT_EQ(base_name("b.csv"), "b.csv");
  EXPECT_EQ(directory_name("/a/b.csv"), "/a");
  EXPECT_EQ(directory_name("/b.csv"), "/");
  EXPECT_EQ(directory_name("b.csv"), ".");
}

}  // namespace
}  // namespace clepsydra
