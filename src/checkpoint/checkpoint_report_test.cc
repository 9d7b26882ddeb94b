#include "checkpoint/checkpoint_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/memory_pool.h"
#include "checkpoint/checkpoint_codec.h"
#include "checkpoint/checkpoint_storage.h"
#include "state/state_blocks.h"
#include "stream/column_builder.h"

namespace clepsydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kJob = "00112233445566778899aabbccddeeff";
const std::string kFolder = "/checkpoints/" + std::string(kJob);

class CheckpointReportTest : public ::testing::Test {
 protected:
  Column numbers(std::int64_t first, std::int64_t count) {
    ColumnBuilder builder(DataType::big_int(), *pool_);
    for (std::int64_t i = 0; i < count; ++i) {
      builder.append<std::int64_t>(first + i);
    }
    return *builder.finish();
  }

  // A snapshot with `rows` rows of "slices", a number, a list of two and three timers.
  std::string blocks(bool is_base, std::int64_t rows, std::int64_t erased,
                     const std::string& field = "sum") {
    std::string out;
    StateBlockWriter writer;
    writer.begin({is_base, {0, 128}, 128}, out);
    const auto state = writer.add_state(
        {"slices", {DataType::big_int()}, {{field, DataType::big_int(), ""}}}, out);
    EXPECT_TRUE(state.is_ok());
    const std::vector<NamespaceRun> run = {{1000, rows}};
    EXPECT_TRUE(
        writer.add_rows(*state, run, {numbers(0, rows), numbers(7, rows)}, *pool_, out).is_ok());
    if (erased > 0) {
      const std::vector<NamespaceRun> gone = {{1000, erased}};
      EXPECT_TRUE(writer.add_erased(*state, gone, {numbers(0, erased)}, *pool_, out).is_ok());
    }
    if (!is_base) writer.add_dropped(*state, std::vector<StateNamespace>{500, 600}, out);
    writer.add_number("closed up to", 17, out);
    EXPECT_TRUE(writer.add_list("seen", std::vector<std::string>{"a", "b"}, out).is_ok());
    writer.finish(out);
    return out;
  }

  // A source that has finished in one of two subtasks, and a window with a sink.
  CheckpointMetadata metadata(CheckpointId id) {
    CheckpointMetadata m;
    m.id = id;
    m.timestamp_ms = 1'700'000'000'123;  // 2023-11-14 22:13:20.123
    m.job_id = kJob;
    m.job_name = "bids per minute";
    m.vertices.resize(2);
    m.vertices[0] = {"Source: bids", 128, {{"uid-s", "Source: bids", "source", "12345"}}, {}};
    m.vertices[0].subtasks.resize(2);
    m.vertices[0].subtasks[0].has_finished = true;
    m.vertices[0].subtasks[1].operators.resize(1);
    m.vertices[0].subtasks[1].operators[0].splits = {{"bids.csv@0", "", ""}};
    m.vertices[1] = {
        "Window -> Sink",
        64,
        {{"uid-w", "Window", "window_aggregate", ""}, {"uid-k", "Sink: out", "sink_writer", ""}},
        {}};
    m.vertices[1].subtasks.resize(1);
    m.vertices[1].subtasks[0].operators.resize(2);
    m.vertices[1].subtasks[0].operators[1].op = 1;
    m.vertices[1].subtasks[0].operators[1].committables = {"part-0", "part-1"};
    return m;
  }
  static std::vector<StateFile>& window_files(CheckpointMetadata& m) {
    return m.vertices[1].subtasks[0].operators[0].files;
  }

  void store(CheckpointMetadata m, const std::vector<std::string>& snapshots) {
    const auto storage = CheckpointStorage::open(files_, "/checkpoints", kJob);
    ASSERT_TRUE(storage.is_ok());
    for (std::size_t i = 0; i < snapshots.size(); ++i) {
      const std::string path = "shared/" + std::to_string(m.id) + "-" + std::to_string(i);
      const auto file = write_state(files_, kFolder, path, snapshots[i], 0);
      ASSERT_TRUE(file.is_ok());
      window_files(m).push_back(*file);
    }
    ASSERT_TRUE(storage->store(m, "").is_ok());
  }

  std::string text(const std::string& path) {
    const auto described = checkpoint_text(files_, path);
    EXPECT_TRUE(described.is_ok()) << described.status().to_string();
    return described.is_ok() ? *described : "";
  }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
  std::shared_ptr<MemoryPool> pool_ = MemoryPool::make_root("test");
};

TEST_F(CheckpointReportTest, a_checkpoint_is_described_with_its_operators_and_states) {
  store(metadata(42), {blocks(true, 1200, 0)});
  const std::string described = text(kFolder + "/chk-42");
  EXPECT_THAT(described,
              HasSubstr("checkpoint 42 of job 'bids per minute' (" + std::string(kJob) + ")\n"));
  EXPECT_THAT(described, HasSubstr("taken   2023-11-14 22:13:20.123 UTC\n"));
  EXPECT_THAT(described, HasSubstr("folder  " + kFolder + "/chk-42\n"));
  EXPECT_THAT(described, HasSubstr(" in 1 file (1 shared)\n"));
  EXPECT_THAT(described, HasSubstr("task 'Source: bids': parallelism 2, at most 128, 1 finished\n"
                                   "  operator 'Source: bids' (source, uid uid-s)\n"
                                   "    1 split under way; not handed out yet: 5 bytes\n"));
  EXPECT_THAT(described, HasSubstr("task 'Window -> Sink': parallelism 1, at most 64\n"
                                   "  operator 'Window' (window_aggregate, uid uid-w)\n"
                                   "    state 'slices' (BIGINT) -> (sum BIGINT): 1200 entries, "));
  EXPECT_THAT(described, HasSubstr("    number 'closed up to': of 1 subtask\n"
                                   "    list 'seen': 2 items\n"
                                   "  operator 'Sink: out' (sink_writer, uid uid-k)\n"
                                   "    2 prepared writes, to be committed\n"));
}

TEST_F(CheckpointReportTest, deltas_are_told_from_their_base_and_small_state_is_counted_once) {
  store(metadata(42), {blocks(true, 100, 0), blocks(false, 10, 3), blocks(false, 1, 0)});
  const std::string described = text(kFolder);
  EXPECT_THAT(described, HasSubstr("100 entries, 11 written since, 3 erased since, 4 namespaces "
                                   "dropped since, "));
  EXPECT_THAT(described, HasSubstr("number 'closed up to': of 1 subtask\n"));
  EXPECT_THAT(described, HasSubstr("list 'seen': 2 items\n"));
}

TEST_F(CheckpointReportTest, state_in_the_metadata_is_described_too) {
  CheckpointMetadata m = metadata(1);
  window_files(m) = {inline_state(blocks(true, 2, 0))};
  store(m, {});
  const std::string described = text(kFolder);
  EXPECT_THAT(described, HasSubstr(" in 0 files, of it "));
  EXPECT_THAT(described, HasSubstr("2 entries"));
}

TEST_F(CheckpointReportTest, what_cannot_be_read_is_said_and_the_rest_shown) {
  store(metadata(42), {blocks(true, 1200, 0)});
  const std::string path = kFolder + "/shared/42-0";
  std::string bytes = *read_file(files_, path);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  ASSERT_TRUE(write_file_atomically(files_, path, bytes).is_ok());
  const std::string described = text(kFolder);
  EXPECT_THAT(described, HasSubstr("    cannot be read: DataLoss: "));
  EXPECT_THAT(described, HasSubstr("2 prepared writes"));
}

TEST_F(CheckpointReportTest, checkpoints_are_listed_also_those_that_cannot_be_used) {
  store(metadata(2), {blocks(true, 10, 0)});
  store(metadata(11), {blocks(true, 10, 0)});
  store(metadata(12), {});
  std::string bytes = *read_file(files_, kFolder + "/chk-11/_metadata");
  ASSERT_TRUE(write_file_atomically(files_, kFolder + "/chk-11/_metadata", bytes + "x").is_ok());
  const auto listed = list_checkpoints_text(files_, kFolder);
  ASSERT_TRUE(listed.is_ok());
  EXPECT_THAT(*listed, AllOf(HasSubstr("     2  2023-11-14 22:13:20.123 UTC  "),
                             HasSubstr("    11  cannot be used: DataLoss: "),
                             HasSubstr("   0 bytes    0 files  " + kFolder + "/chk-12\n")));
  EXPECT_EQ(list_checkpoints_text(files_, "/nowhere").status().code(), StatusCode::kNotFound);
}

TEST_F(CheckpointReportTest, a_difference_names_what_is_gone_new_and_changed) {
  store(metadata(1), {blocks(true, 10, 0)});
  CheckpointMetadata changed = metadata(2);
  changed.vertices[0].operators[0].uid = "uid-other";
  changed.vertices[1].max_parallelism = 32;
  changed.vertices[1].subtasks[0].operators.pop_back();
  store(changed, {blocks(true, 12, 0, "total")});
  const auto difference =
      checkpoint_difference_text(files_, kFolder + "/chk-1", kFolder + "/chk-2");
  ASSERT_TRUE(difference.is_ok());
  EXPECT_THAT(*difference, HasSubstr("--- checkpoint 1 of job"));
  EXPECT_THAT(*difference, HasSubstr("+++ checkpoint 2 of job"));
  EXPECT_THAT(*difference, HasSubstr("- operator 'Source: bids' (source, uid uid-s)\n"));
  EXPECT_THAT(*difference, HasSubstr("+ operator 'Source: bids' (source, uid uid-other)\n"));
  EXPECT_THAT(*difference,
              HasSubstr("  operator 'Window' (window_aggregate, uid uid-w)\n"
                        "    maximal parallelism: 64 -> 32\n"
                        "    state 'slices': type (BIGINT) -> (sum BIGINT) -> (BIGINT) -> "
                        "(total BIGINT)\n"
                        "    state 'slices': 10 entries, "));
  EXPECT_THAT(*difference, HasSubstr("    prepared writes: 2 -> 0\n"));
  EXPECT_THAT(*difference, Not(HasSubstr("number 'closed up to'")));
}

TEST_F(CheckpointReportTest, without_a_difference_it_says_so) {
  store(metadata(1), {blocks(true, 10, 0)});
  const auto difference = checkpoint_difference_text(files_, kFolder, kFolder + "/chk-1");
  ASSERT_TRUE(difference.is_ok());
  EXPECT_THAT(*difference, HasSubstr("The operators and their states are the same.\n"));
  EXPECT_EQ(checkpoint_difference_text(files_, kFolder, "/nowhere").status().code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace clepsydra
