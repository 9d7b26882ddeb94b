#include "taskmanager/in_flight_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "checkpoint/checkpoint_codec.h"
#include "graph/job_graph.h"
#include "stream/key_group.h"
#include "taskmanager/in_flight_codec.h"
#include "tests/harness/batch_text.h"

namespace clepsydra {
namespace {

using testing::batch_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::schema_of;
using testing::test_pool;
using ::testing::UnorderedElementsAre;

class InFlightRestoreTest : public ::testing::Test {
 protected:
  // Two tasks, `producers` and `consumers` parallel.
  static JobGraph graph(Partitioning partitioning, int producers, int consumers) {
    JobGraph g;
    g.vertices.resize(2);
    for (int v = 0; v < 2; ++v) {
      g.vertices[static_cast<std::size_t>(v)].name = v == 0 ? "from" : "to";
      g.vertices[static_cast<std::size_t>(v)].parallelism = v == 0 ? producers : consumers;
      g.vertices[static_cast<std::size_t>(v)].operators.resize(1);
    }
    g.vertices[0].operators[0].spec.output = schema_of("k BIGINT");
    g.edges = {{0, 0, 1, 0, partitioning, {0}}};
    return g;
  }
  // Of one subtask: (peer, lines) by channel.
  static InFlightRestore::Part part(
      int subtask, bool is_output,
      const std::vector<std::pair<int, std::vector<std::string_view>>>& channels,
      std::int64_t watermark = kMinWatermark, bool has_ended = false) {
    std::vector<InFlightOf> contents;
    for (const auto& [peer, lines] : channels) {
      InFlightOf& of = contents.emplace_back();
      of.peer = peer;
      of.content.has_spoken = true;
      of.content.watermark = watermark;
      of.content.has_ended = has_ended;
      if (!lines.empty()) of.content.elements.emplace_back(batch_of("k BIGINT", lines));
    }
    InFlightEncoder encoder(schema_of("k BIGINT"), std::move(contents), test_pool());
    std::string bytes;
    EXPECT_TRUE(*encoder.encode_some(1 << 20, bytes));
    return {subtask, is_output, inline_state(std::move(bytes))};
  }
  RecoveredEdges restore(InFlightRestore restore, const JobGraph& g) {
    restore.max_parallelism = 128;
    Result<RecoveredEdges> recovered = read_in_flight({restore}, g, files_, test_pool());
    EXPECT_TRUE(recovered.is_ok()) << recovered.status().to_string();
    return recovered.is_ok() ? *std::move(recovered) : RecoveredEdges();
  }
  static std::vector<std::string> lines(const RecoveredEdge& edge) {
    std::vector<std::string> all;
    for (const StreamElement& element : edge.content.elements) {
      if (const Batch* batch = as_batch(element)) {
        for (const std::string& line : lines_of(*batch)) all.push_back(line);
      } else if (const auto* watermark = as_signal<WatermarkSignal>(element)) {
        all.push_back("@" + std::to_string(watermark->watermark));
      }
    }
    return all;
  }

  SimulatedClock clock_;
  MemoryFileSystem files_{clock_};
};

TEST_F(InFlightRestoreTest, at_the_same_parallelism_each_channel_goes_on_receivers_part_first) {
  InFlightRestore from{.edge = 0, .producers = 2, .consumers = 2};
  from.parts = {part(1, true, {{0, {"20"}}}), part(0, false, {{0, {"1"}}, {1, {"10"}}}, 5),
                part(1, false, {{0, {}}, {1, {"11"}}})};
  RecoveredEdges got = restore(from, graph(Partitioning::kRebalance, 2, 2));
  ASSERT_EQ(got.size(), 2);
  const auto& first = got[{1, 0}];
  ASSERT_EQ(first.size(), 2);
  EXPECT_EQ(first[0].content.watermark, 5);
  EXPECT_THAT(lines(first[0]), ElementsAre("1"));
  EXPECT_THAT(lines(first[1]), ElementsAre("10", "20"));
  EXPECT_THAT(lines(got[{1, 1}][1]), ElementsAre("11"));
}

// Against the definition: the subtask that owns a key's group gets its rows, in their order.
TEST_F(InFlightRestoreTest, keys_go_to_the_subtasks_that_own_them_now) {
  std::vector<std::string> texts;
  for (int k = 0; k < 200; ++k) texts.push_back(std::to_string(k));
  std::vector<std::string_view> rows(texts.begin(), texts.end());
  rows.insert(rows.begin() + 100, "@50");
  const Batch all = batch_of("k BIGINT", rows);
  std::vector<std::uint64_t> hashes(200);
  hash_rows(std::vector<Column>{all.column(0)}, 200, hashes.data());
  for (const int consumers : {1, 2, 3, 5, 7}) {
    InFlightRestore from{.edge = 0, .producers = 1, .consumers = 4};
    from.parts = {part(0, false, {{0, rows}}, 3)};
    RecoveredEdges got = restore(from, graph(Partitioning::kHash, 2, consumers));
    for (int c = 0; c < consumers; ++c) {
      std::vector<std::string> expected;
      for (std::size_t row = 0; row < 200; ++row) {
        if (row == 100) expected.emplace_back("@50");
        if (subtask_of_key_group(key_group_of(hashes[row], 128), 128, consumers) == c) {
          expected.push_back(std::to_string(row));
        }
      }
      ASSERT_EQ((got[{1, c}].size()), 1U);
      EXPECT_EQ(lines(got[{1, c}][0]), expected);
      EXPECT_EQ((got[{1, c}][0].content.watermark), 3);
    }
  }
}

TEST_F(InFlightRestoreTest, rebalanced_channels_go_as_a_whole_and_none_is_lost) {
  for (const int consumers : {1, 2, 5}) {
    InFlightRestore from{.edge = 0, .producers = 2, .consumers = 3};
    from.parts = {part(0, false, {{0, {"1"}}, {1, {"2"}}}), part(1, false, {{0, {"3"}}}),
                  part(2, false, {{1, {"4"}}}), part(1, true, {{2, {"5"}}})};
    RecoveredEdges got = restore(from, graph(Partitioning::kRebalance, 4, consumers));
    std::vector<std::string> all;
    for (const auto& [to, edges] : got) {
      for (const RecoveredEdge& edge : edges) {
        for (const std::string& line : lines(edge)) all.push_back(line);
      }
    }
    EXPECT_THAT(all, UnorderedElementsAre("1", "2", "3", "4", "5"));
  }
}

// Where an edge is forward now it was not when rows could overtake: any subtask may have them, and
// all hear of event time what was said among them.
TEST_F(InFlightRestoreTest, rows_go_once_over_an_edge_that_is_forward_now_and_marks_to_all) {
  for (const int parallelism : {1, 3}) {
    InFlightRestore from{.edge = 0, .producers = 1, .consumers = 2};
    from.parts = {part(0, false, {{0, {"1", "@20", "2"}}}, 10), part(1, false, {{0, {"3"}}}, 10)};
    RecoveredEdges got = restore(from, graph(Partitioning::kForward, parallelism, parallelism));
    std::vector<std::string> rows;
    ASSERT_EQ(got.size(), static_cast<std::size_t>(parallelism));
    for (int c = 0; c < parallelism; ++c) {
      int marks = 0;
      for (const RecoveredEdge& edge : got[{1, c}]) {
        EXPECT_EQ(edge.content.watermark, 10);
        for (const std::string& line : lines(edge)) {
          if (line == "@20") ++marks;
          if (line != "@20") rows.push_back(line);
        }
      }
      EXPECT_EQ(marks, 1);
    }
    EXPECT_THAT(rows, UnorderedElementsAre("1", "2", "3"));
  }
}

TEST_F(InFlightRestoreTest, each_subtask_gets_a_copy_over_an_edge_that_is_broadcast_now) {
  InFlightRestore from{.edge = 0, .producers = 2, .consumers = 1};
  from.parts = {part(0, false, {{0, {"1"}}, {1, {"2"}}})};
  RecoveredEdges got = restore(from, graph(Partitioning::kBroadcast, 2, 2));
  for (int c = 0; c < 2; ++c) {
    ASSERT_EQ((got[{1, c}].size()), 2U);
    EXPECT_THAT(lines(got[{1, c}][0]), ElementsAre("1"));
    EXPECT_THAT(lines(got[{1, c}][1]), ElementsAre("2"));
  }
}

TEST_F(InFlightRestoreTest, of_channels_that_hold_nothing_the_slowest_speaks_for_its_consumer) {
  InFlightRestore from{.edge = 0, .producers = 2, .consumers = 2};
  from.parts = {part(0, false, {{0, {}}}, 70), part(0, false, {{1, {}}}, 75),
                part(1, false, {{0, {}}, {1, {}}}, 60)};
  RecoveredEdges got = restore(from, graph(Partitioning::kHash, 2, 3));
  ASSERT_EQ(got.size(), 3);
  for (const auto& [to, edges] : got) {
    ASSERT_EQ(edges.size(), 2);
    EXPECT_EQ(edges[0].content.watermark, 70);
    EXPECT_EQ(edges[0].former_consumer, 0);
    EXPECT_EQ(edges[1].content.watermark, 60);
    EXPECT_EQ(edges[1].former_consumer, 1);
  }
}

// The subtasks of a source may have each other's splits when they are restored.
TEST_F(InFlightRestoreTest, where_each_hears_of_one_nobody_is_ahead_of_the_slowest) {
  InFlightRestore from{.edge = 0, .producers = 3, .consumers = 3};
  from.parts = {part(0, false, {{0, {}}}, 70), part(1, false, {{1, {}}}, 60),
                part(2, false, {{2, {}}}, kMaxWatermark, true)};
  RecoveredEdges got = restore(from, graph(Partitioning::kForward, 3, 3));
  for (int c = 0; c < 3; ++c) {
    ASSERT_EQ((got[{1, c}].size()), 1U);
    EXPECT_EQ((got[{1, c}][0].content.watermark), 60);
    EXPECT_FALSE((got[{1, c}][0].content.has_ended));
  }
  // Whatever the edge is now.
  got = restore(from, graph(Partitioning::kRebalance, 2, 3));
  EXPECT_EQ((got[{1, 0}][0].content.watermark), 60);
  // Nothing comes from anybody.
  from.parts = {part(0, false, {{0, {}}}, kMaxWatermark, true),
                part(1, false, {{1, {}}}, kMaxWatermark, true),
                part(2, false, {{2, {}}}, kMaxWatermark, true)};
  got = restore(from, graph(Partitioning::kForward, 3, 3));
  EXPECT_TRUE((got[{1, 0}][0].content.has_ended));
}

TEST_F(InFlightRestoreTest, errors_name_the_edge) {
  InFlightRestore from{.edge = 0, .producers = 1, .consumers = 1, .folder = "/job"};
  from.parts = {{0, false, {"chk-7/7-0-1-0-in0", "", 24, 8}}};
  const JobGraph g = graph(Partitioning::kHash, 1, 1);
  Status status = read_in_flight({from}, g, files_, test_pool()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  EXPECT_THAT(status.to_string(), HasSubstr("in flight between 'from' and 'to'"));
  from.parts = {part(0, false, {{1, {"1"}}})};  // There was one producer.
  status = read_in_flight({from}, g, files_, test_pool()).status();
  EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  from.edge = 1;
  status = read_in_flight({from}, g, files_, test_pool()).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace clepsydra
