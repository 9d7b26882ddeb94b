#include "state/snapshot_bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

class SnapshotBytesTest : public ::testing::Test {
 protected:
  SnapshotBytesTest() { EXPECT_TRUE(files_.create_directories("/s").is_ok()); }

  SnapshotBytes in_file(const std::string& bytes) {
    EXPECT_TRUE(files_.write_atomically("/s/a", bytes).is_ok());
    return {files_, "/s/a", static_cast<std::int64_t>(bytes.size())};
  }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  const std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

TEST_F(SnapshotBytesTest, parts_are_read_where_they_are) {
  for (const SnapshotBytes& bytes : {SnapshotBytes("0123456789"), in_file("0123456789")}) {
    std::string room;
    EXPECT_EQ(bytes.size(), 10);
    EXPECT_EQ(*bytes.read(0, 10, room), "0123456789");
    EXPECT_EQ(*bytes.read(3, 4, room), "3456");
    EXPECT_EQ(*bytes.read(10, 0, room), "");
    bytes.close();
    EXPECT_EQ(*bytes.read(9, 1, room), "9");
  }
}

TEST_F(SnapshotBytesTest, what_is_wanted_is_aligned) {
  const std::string text(1000, 'x');
  for (const SnapshotBytes& bytes : {SnapshotBytes(text + "end"), in_file(text + "end")}) {
    for (const std::int64_t aligned_at : {0, 1, 40, 64, 100}) {
      std::int64_t shift = -1;
      const BufferPtr buffer = *bytes.read_aligned(900, 103, aligned_at, *pool_, &shift);
      ASSERT_EQ(buffer->size(), shift + 103);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data() + shift + aligned_at) % 64, 0U);
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffer->data()) + shift, 103),
                std::string(100, 'x') + "end");
    }
  }
}

TEST_F(SnapshotBytesTest, files_that_are_gone_or_shorter_are_errors) {
  std::string room;
  const SnapshotBytes bytes = in_file("0123456789");
  ASSERT_TRUE(files_.write_atomically("/s/a", "01234").is_ok());
  const Status shorter = bytes.read(0, 10, room).status();
  EXPECT_EQ(shorter.code(), StatusCode::kDataLoss);
  EXPECT_THAT(std::string(shorter.message()), HasSubstr("'/s/a' ends after 5 of 10 bytes"));
  bytes.close();
  ASSERT_TRUE(files_.remove("/s/a").is_ok());
  EXPECT_EQ(bytes.read(0, 1, room).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace clepsydra
