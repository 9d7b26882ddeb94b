#include "base/object_store/object_file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/object_store/memory_object_store.h"
#include "base/thread_blocking_pool.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kPartBytes = 100;

class ObjectFileSystemTest : public ::testing::Test {
 protected:
  ObjectFileSystemTest() { make_files(nullptr); }

  void make_files(BlockingPool* pool) {
    ObjectFileSystem::Options options;
    options.part_bytes = kPartBytes;
    options.read_ahead_bytes_max = 64;
    options.pool = pool;
    files_ = std::make_unique<ObjectFileSystem>(
        [this](std::string_view bucket) -> Result<ObjectStore*> {
          if (bucket != "bucket") return Status::failed_precondition("no such bucket");
          return static_cast<ObjectStore*>(&store_);
        },
        options);
  }

  Status write(const std::string& path, std::string_view bytes) {
    auto file = files_->open_for_write(path, WriteMode::kTruncate);
    if (!file.is_ok()) return file.status();
    for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 7))) {
      const Status appended = (*file)->append(bytes.substr(0, 7));
      if (!appended.is_ok()) return appended;
    }
    return (*file)->close();
  }
  std::string read(const std::string& path) { return read_file(*files_, path).value(); }
  std::vector<std::string> names(const std::string& folder) {
    std::vector<std::string> names;
    const auto entries = files_->list(folder);
    EXPECT_TRUE(entries.is_ok()) << entries.status().to_string();
    for (const FileInfo& entry : *entries)
      names.push_back(entry.name + (entry.is_directory ? "/" : ""));
    return names;
  }

  SimulatedClock clock_;
  MemoryObjectStore store_{clock_, kPartBytes};
  std::unique_ptr<ObjectFileSystem> files_;
};

std::string text_of(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i * i % 23);
  return text;
}

TEST_F(ObjectFileSystemTest, files_come_back_whatever_their_size) {
  for (const std::size_t size : {0U, 1U, 99U, 100U, 101U, 200U, 1234U}) {
    ASSERT_TRUE(write("s3://bucket/a/f", text_of(size)).is_ok());
    EXPECT_EQ(read("s3://bucket/a/f"), text_of(size)) << size;
    EXPECT_EQ(files_->stat("s3://bucket/a/f")->size, static_cast<std::int64_t>(size));
  }
  EXPECT_THAT(store_.open_uploads(), IsEmpty());
}

TEST_F(ObjectFileSystemTest, parts_that_go_up_together_come_back_in_order) {
  ThreadBlockingPool pool({});
  make_files(&pool);
  ASSERT_TRUE(write("s3://bucket/f", text_of(12'345)).is_ok());
  EXPECT_EQ(read("s3://bucket/f"), text_of(12'345));
}

TEST_F(ObjectFileSystemTest, nothing_is_seen_before_the_end_and_nothing_is_left_without_one) {
  {
    auto file = files_->open_for_write("s3://bucket/f", WriteMode::kTruncate).value();
    ASSERT_TRUE(file->append(text_of(250)).is_ok());
    EXPECT_FALSE(*files_->exists("s3://bucket/f"));
    EXPECT_EQ(store_.open_uploads().size(), 1U);
  }
  EXPECT_FALSE(*files_->exists("s3://bucket/f"));
  EXPECT_THAT(store_.open_uploads(), IsEmpty());
  auto file = files_->open_for_write("s3://bucket/f", WriteMode::kTruncate).value();
  ASSERT_TRUE(file->append("x").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(read("s3://bucket/f"), "x");
  EXPECT_EQ(file->append("y").code(), StatusCode::kFailedPrecondition);
}

TEST_F(ObjectFileSystemTest, reads_anywhere) {
  const std::string text = text_of(1000);
  ASSERT_TRUE(write("s3://bucket/f", text).is_ok());
  const auto file = files_->open_for_read("s3://bucket/f").value();
  std::vector<std::uint8_t> out(300);
  for (const std::int64_t offset : {0, 10, 999, 500, 501, 0, 1000, 5000}) {
    const std::int64_t expected = std::clamp<std::int64_t>(1000 - offset, 0, 300);
    ASSERT_EQ(*file->read_at(offset, out), expected);
    EXPECT_EQ(std::string(out.begin(), out.begin() + expected),
              expected == 0 ? "" : text.substr(static_cast<std::size_t>(offset), 300));
  }
  ASSERT_TRUE(write("s3://bucket/f", text_of(999)).is_ok());
  EXPECT_EQ(file->read_at(700, out).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(ObjectFileSystemTest, folders_are_what_keys_share) {
  EXPECT_EQ(files_->stat("s3://bucket/a").status().code(), StatusCode::kNotFound);
  EXPECT_THAT(names("s3://bucket/a"), IsEmpty());
  for (const char* path : {"s3://bucket/a/x", "s3://bucket/a/b/y", "s3://bucket/a/b/z",
                           "s3://bucket/ab", "s3://bucket/a/c/d/e"}) {
    ASSERT_TRUE(write(path, "1").is_ok());
  }
  EXPECT_THAT(names("s3://bucket"), ElementsAre("a/", "ab"));
  EXPECT_THAT(names("s3a://bucket/a/"), ElementsAre("b/", "c/", "x"));
  EXPECT_TRUE(files_->stat("s3://bucket/a")->is_directory);
  EXPECT_EQ(files_->list("s3://bucket/a/x").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(files_->remove("s3://bucket/a").code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(files_->open_for_read("s3://bucket/a").status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_TRUE(files_->remove("s3://bucket/a/x").is_ok());
  EXPECT_EQ(files_->remove("s3://bucket/a/x").code(), StatusCode::kNotFound);
  auto open = files_->open_for_write("s3://bucket/a/b/open", WriteMode::kTruncate).value();
  ASSERT_TRUE(open->append(text_of(150)).is_ok());
  ASSERT_TRUE(files_->remove_all("s3://bucket/a").is_ok());
  EXPECT_THAT(store_.keys(), ElementsAre("ab"));
  EXPECT_THAT(store_.open_uploads(), IsEmpty());
  EXPECT_EQ(files_->remove_all("s3://bucket").code(), StatusCode::kInvalidArgument);
}

TEST_F(ObjectFileSystemTest, lists_and_removes_more_than_a_page) {
  for (int i = 0; i < 2500; ++i) {
    ASSERT_TRUE(store_.put("d/" + std::to_string(i), "", PutCondition::kNone).is_ok());
  }
  EXPECT_EQ(names("s3://bucket/d").size(), 2500U);
  ASSERT_TRUE(files_->remove_all("s3://bucket/d").is_ok());
  EXPECT_THAT(store_.keys(), IsEmpty());
}

TEST_F(ObjectFileSystemTest, what_objects_cannot_do_is_refused) {
  ASSERT_TRUE(write("s3://bucket/f", "1").is_ok());
  EXPECT_EQ(files_->rename("s3://bucket/f", "s3://bucket/g").code(), StatusCode::kUnimplemented);
  EXPECT_EQ(files_->open_for_write("s3://bucket/f", WriteMode::kAppend).status().code(),
            StatusCode::kUnimplemented);
  EXPECT_EQ(files_->open_for_write("s3://bucket/f", WriteMode::kCreateNew).status().code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(files_->open_for_write("s3://bucket", WriteMode::kTruncate).status().code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ(files_->stat("/local").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(files_->stat("s3://other/x").status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(ObjectFileSystemTest, writes_atomically_with_one_operation) {
  const std::int64_t before = store_.operations();
  ASSERT_TRUE(write_file_atomically(*files_, "s3://bucket/m", "metadata").is_ok());
  EXPECT_EQ(store_.operations(), before + 1);
  EXPECT_EQ(read("s3://bucket/m"), "metadata");
}

// ---- Staged files ----

TEST_F(ObjectFileSystemTest, a_staged_file_is_seen_once_it_is_published_as_often_as_one_likes) {
  StagingArea& area = *files_->staging_area("s3://bucket/t");
  for (const std::size_t size : {0U, 5U, 250U}) {
    const std::string path = "s3://bucket/t/f" + std::to_string(size);
    std::string token;
    {
      auto file = area.stage(path).value();
      ASSERT_TRUE(file->append(text_of(size)).is_ok());
      ASSERT_TRUE(file->close().is_ok());
      token = file->token();
    }
    EXPECT_FALSE(*files_->exists(path));
    ASSERT_EQ(area.list_staged("s3://bucket/t")->size(), 1U);
    EXPECT_EQ(area.list_staged("s3://bucket/t")->front().path, path);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(area.publish(path, token).is_ok());
    EXPECT_EQ(read(path), text_of(size));
    // Too late.
    EXPECT_TRUE(area.discard(path, token).is_ok());
    EXPECT_EQ(read(path), text_of(size));
    EXPECT_TRUE(area.list_staged("s3://bucket/t")->empty());
    ASSERT_TRUE(files_->remove(path).is_ok());
    EXPECT_EQ(area.publish(path, token).code(), StatusCode::kNotFound);
  }
}

TEST_F(ObjectFileSystemTest, a_discarded_file_cannot_be_published) {
  StagingArea& area = *files_->staging_area("s3://bucket/t");
  auto file = area.stage("s3://bucket/t/f").value();
  ASSERT_TRUE(file->append("1").is_ok());
  ASSERT_TRUE(file->close().is_ok());
  // As somebody does who found it.
  const StagedInfo found = area.list_staged("s3://bucket")->front();
  EXPECT_TRUE(area.discard(found.path, found.token).is_ok());
  EXPECT_TRUE(area.discard(found.path, found.token).is_ok());
  EXPECT_EQ(area.publish("s3://bucket/t/f", file->token()).code(), StatusCode::kNotFound);
  EXPECT_FALSE(area.publish("s3://bucket/t/f", "no token").is_ok());
}

// ---- Faults ----

// Every operation of a write fails once, before or after its effect: either the file is there,
// whole, and the call succeeded, or it failed and writing it again succeeds.
TEST_F(ObjectFileSystemTest, every_operation_of_a_write_may_fail) {
  for (const bool after : {false, true}) {
    for (int fails_at = 1; fails_at < 20; ++fails_at) {
      int count = 0;
      store_.set_fault_hook([&](ObjectOperation, const std::string&) {
        ObjectFault fault;
        if (++count == fails_at) {
          (after ? fault.after : fault.before) = Status::unavailable("lost");
        }
        return fault;
      });
      const std::string path = "s3://bucket/w" + std::to_string(fails_at);
      const Status first = write(path, text_of(450));
      store_.set_fault_hook(nullptr);
      if (!first.is_ok()) {
        EXPECT_EQ(first.code(), StatusCode::kUnavailable);
        ASSERT_TRUE(write(path, text_of(450)).is_ok());
      }
      EXPECT_EQ(read(path), text_of(450));
      if (count < fails_at) break;
      EXPECT_LT(fails_at, 19);
    }
  }
}

TEST_F(ObjectFileSystemTest, a_late_listing_hides_nothing_from_those_who_know_the_name) {
  store_.set_listing_delay_ms(1000);
  clock_.advance_ms(5000);
  ASSERT_TRUE(write("s3://bucket/d/f", "1").is_ok());
  EXPECT_THAT(names("s3://bucket/d"), IsEmpty());
  EXPECT_EQ(read("s3://bucket/d/f"), "1");
  clock_.advance_ms(1000);
  EXPECT_THAT(names("s3://bucket/d"), ElementsAre("f"));
  ASSERT_TRUE(files_->remove("s3://bucket/d/f").is_ok());
  EXPECT_FALSE(*files_->exists("s3://bucket/d/f") && read("s3://bucket/d/f").empty());
  EXPECT_THAT(names("s3://bucket/d"), ElementsAre("f"));
  clock_.advance_ms(1000);
  EXPECT_THAT(names("s3://bucket/d"), IsEmpty());
}

TEST(CanonicalPathTest, takes_what_a_file_system_is_for) {
  EXPECT_EQ(*canonical_path("/a/b"), "/a/b");
  EXPECT_EQ(*canonical_path("file:///a%20b"), "/a b");
  EXPECT_EQ(*canonical_path("s3://bucket/a/b/"), "s3://bucket/a/b");
  EXPECT_EQ(*canonical_path("S3A://bucket"), "s3://bucket");
  EXPECT_EQ(*canonical_path("s3p://my.bucket-1/day=1 x"), "s3://my.bucket-1/day=1 x");
  for (const char* wrong :
       {"", "s3:/bucket/a", "s3://", "s3:///a", "s3://b/a", "s3://bucket/a//b", "s3://bucket/../b",
        "s3://bu%63ket/a", "s3://user:pass@host/a", "hdfs://host/a", "s3://bucket/a\nb"}) {
    EXPECT_EQ(canonical_path(wrong).status().code(), StatusCode::kInvalidArgument) << wrong;
  }
}

}  // namespace
}  // namespace clepsydra
