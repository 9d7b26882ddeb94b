#include "checkpoint/checkpoint_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/bits.h"
#include "base/hash.h"
#include "base/random.h"
#include "checkpoint.pb.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kHeaderBytes = 24;

OperatorSnapshot snapshot_of(int op) {
  OperatorSnapshot snapshot;
  snapshot.op = op;
  return snapshot;
}

// What tests/formats/checkpoint_metadata_v1.bin holds; a program of its own wrote it from
// docs/formats/checkpoint.md. Never change it: write another file for another version.
CheckpointMetadata golden_metadata() {
  CheckpointMetadata::Vertex source;
  source.name = "Source: bids -> Calc";
  source.max_parallelism = 128;
  source.operators = {{"uid-source", "Source: bids", "source", std::string("left: \x00\xff", 8)},
                      {"uid-calc", "Calc", "calc", ""}};
  source.subtasks.resize(2);
  source.subtasks[0].has_finished = true;
  source.subtasks[1].operators = {snapshot_of(0)};
  source.subtasks[1].operators[0].splits = {{"bids.csv@0", "\x80\x01", "progress"},
                                            {"bids.csv@9", "", ""}};

  CheckpointMetadata::Vertex window;
  window.name = "Window -> Sink: out";
  window.max_parallelism = 32768;
  window.operators = {{"uid-window", "Window", "window_aggregate", ""},
                      {"uid-sink", "Sink: out", "sink_writer", ""}};
  window.subtasks.resize(3);
  window.subtasks[0].operators = {snapshot_of(0), snapshot_of(1)};
  window.subtasks[0].operators[0].files = {
      {"shared/41-0-1-0-0", "", 1048576, 0x0123456789abcdefULL},
      {"chk-42/42-0-1-0-0", "", 24, 0xfedcba9876543210ULL}};
  window.subtasks[0].operators[1].committables = {"part-0", ""};
  window.subtasks[1].operators = {snapshot_of(0)};
  window.subtasks[1].operators[0].files = {inline_state("small state")};
  window.subtasks[2].has_finished = true;
  window.subtasks[2].operators = {snapshot_of(1)};
  window.subtasks[2].operators[0].committables = {"last part"};

  CheckpointMetadata metadata;
  metadata.id = 42;
  metadata.timestamp_ms = 1'700'000'000'123;
  metadata.job_id = "00112233445566778899aabbccddeeff";
  metadata.job_name = "bids per minute";
  metadata.vertices = {std::move(source), std::move(window)};
  return metadata;
}

// And tests/formats/checkpoint_metadata_v2.bin, which has rows in flight.
CheckpointMetadata golden_metadata_with_rows_in_flight() {
  CheckpointMetadata metadata = golden_metadata();
  metadata.edges = {{0, 1, "uid-calc", "uid-window", 0}};
  metadata.vertices[0].subtasks[1].in_flight = {
      {0, true, 70, {"chk-42/42-0-0-1-out0", "", 4096, 81'985'529'216'486'895ULL}}};
  // One channel, of subtask 0, that has spoken and holds nothing.
  std::string nothing("\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x80\0\0\0\0", 21);
  metadata.vertices[1].subtasks[0].in_flight = {{0, false, 0, inline_state(std::move(nothing))}};
  return metadata;
}

std::string golden_bytes(int version = 1) {
  std::ifstream file(testing::source_path("tests/formats/checkpoint_metadata_v" +
                                          std::to_string(version) + ".bin"),
                     std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Changes the body of the golden file, under a header that is right again.
template <typename Change>
std::string changed_body(Change change) {
  proto::CheckpointMetadata message;
  EXPECT_TRUE(message.ParseFromString(golden_bytes().substr(kHeaderBytes)));
  change(message);
  std::string bytes = golden_bytes().substr(0, kHeaderBytes) + message.SerializeAsString();
  auto* header = reinterpret_cast<std::uint8_t*>(bytes.data());
  store_le<std::uint64_t>(header + 16, bytes.size() - kHeaderBytes);
  store_le<std::uint64_t>(header + 8, hash64_with_seed(std::string_view(bytes).substr(16),
                                                       load_le<std::uint64_t>(header)));
  return bytes;
}

TaskSnapshot some_task_snapshot() {
  TaskSnapshot snapshot;
  snapshot.operators = golden_metadata().vertices[1].subtasks[0].operators;
  snapshot.operators.push_back(golden_metadata().vertices[0].subtasks[1].operators[0]);
  snapshot.operators.back().op = 7;
  snapshot.alignment_ns = 5;
  snapshot.frozen_ns = 6;
  snapshot.written_bytes = 1'000'000'000'007;
  return snapshot;
}

TaskRestore some_task_restore() {
  TaskRestore restore;
  restore.vertex = 3;
  restore.subtask = 2;
  restore.has_finished = true;
  restore.folder = "/checkpoints/\xff";
  const StateFile base{"shared/1-0-3-2-4", "", 70, 7};
  const StateFile delta{"shared/2-0-3-2-4", "", 80, 8};
  restore.operators = {{0, {{{inline_state("x")}}, {{}}}}, {4, {{{base, delta}}}}};
  return restore;
}

TEST(CheckpointMetadataTest, version_1_stays_readable) {
  const Result<CheckpointMetadata> decoded = decode_checkpoint_metadata(golden_bytes());
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, golden_metadata());
}

TEST(CheckpointMetadataTest, version_1_is_written_as_before) {
  EXPECT_EQ(encode_checkpoint_metadata(golden_metadata()), golden_bytes());
}

TEST(CheckpointMetadataTest, what_was_encoded_comes_back) {
  CheckpointMetadata metadata = golden_metadata();
  metadata.kind = CheckpointKind::kSavepoint;
  metadata.timestamp_ms = -1;
  const Result<CheckpointMetadata> decoded =
      decode_checkpoint_metadata(encode_checkpoint_metadata(metadata));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, metadata);
}

TEST(CheckpointMetadataTest, every_flipped_bit_is_found) {
  const std::string bytes = golden_bytes();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(decode_checkpoint_metadata(flipped).status().code(), StatusCode::kDataLoss) << bit;
  }
}

TEST(CheckpointMetadataTest, missing_and_added_bytes_are_found) {
  const std::string bytes = golden_bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(decode_checkpoint_metadata(std::string_view(bytes).substr(0, length)).status().code(),
              StatusCode::kDataLoss)
        << length;
  }
  EXPECT_EQ(decode_checkpoint_metadata(bytes + '\0').status().code(), StatusCode::kDataLoss);
}

TEST(CheckpointMetadataTest, version_2_has_rows_in_flight) {
  const Result<CheckpointMetadata> decoded = decode_checkpoint_metadata(golden_bytes(2));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, golden_metadata_with_rows_in_flight());
  EXPECT_EQ(encode_checkpoint_metadata(golden_metadata_with_rows_in_flight()), golden_bytes(2));
}

TEST(CheckpointMetadataTest, rows_in_flight_are_those_of_an_edge_of_the_task) {
  const auto refuse = [](auto change) {
    CheckpointMetadata metadata = golden_metadata_with_rows_in_flight();
    change(metadata);
    const Status status = decode_checkpoint_metadata(encode_checkpoint_metadata(metadata)).status();
    EXPECT_EQ(status.code(), StatusCode::kDataLoss);
  };
  refuse([](CheckpointMetadata& m) { m.edges[0].to_vertex = 2; });
  refuse([](CheckpointMetadata& m) { m.edges[0].from_vertex = 1; });
  refuse([](CheckpointMetadata& m) { m.vertices[0].subtasks[1].in_flight[0].edge = 1; });
  refuse([](CheckpointMetadata& m) { m.vertices[0].subtasks[1].in_flight[0].is_output = false; });
  refuse([](CheckpointMetadata& m) { m.vertices[0].subtasks[1].in_flight[0].rows = -1; });
  refuse([](CheckpointMetadata& m) {
    auto& in_flight = m.vertices[0].subtasks[1].in_flight;
    in_flight.push_back(in_flight[0]);
  });
}

TEST(CheckpointMetadataTest, a_later_version_is_named) {
  std::string bytes = golden_bytes();
  auto* header = reinterpret_cast<std::uint8_t*>(bytes.data());
  store_le<std::uint32_t>(header + 4, 3);
  store_le<std::uint64_t>(header + 8, hash64_with_seed(std::string_view(bytes).substr(16),
                                                       load_le<std::uint64_t>(header)));
  const Status status = decode_checkpoint_metadata(bytes).status();
  EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("written in version 3"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("up to version 2"));
}

TEST(CheckpointMetadataTest, what_cannot_be_is_refused_under_a_right_checksum) {
  using Message = proto::CheckpointMetadata;
  EXPECT_TRUE(decode_checkpoint_metadata(changed_body([](Message&) {})).is_ok());
  const auto refuse = [](auto change) {
    EXPECT_EQ(decode_checkpoint_metadata(changed_body(change)).status().code(),
              StatusCode::kDataLoss);
  };
  const auto first_file = [](Message& m) {
    return m.mutable_vertices(1)->mutable_subtasks(0)->mutable_operators(0)->mutable_files(0);
  };
  refuse([](Message& m) { m.set_id(0); });
  refuse([](Message& m) { m.set_id(-7); });
  refuse([](Message& m) { m.set_kind(2); });
  refuse([](Message& m) { m.mutable_vertices(0)->set_max_parallelism(32769); });
  refuse([](Message& m) { m.mutable_vertices(1)->set_max_parallelism(2); });  // It has 3 subtasks.
  refuse([](Message& m) {                                                     // There are two.
    m.mutable_vertices(1)->mutable_subtasks(1)->mutable_operators(0)->set_op(2);
  });
  refuse([](Message& m) {  // The second has the same number.
    m.mutable_vertices(1)->mutable_subtasks(0)->mutable_operators(0)->set_op(1);
  });
  refuse([&](Message& m) { first_file(m)->set_path("/etc/passwd"); });
  refuse([&](Message& m) { first_file(m)->set_path("shared/../../other"); });
  refuse([&](Message& m) { first_file(m)->set_size(-1); });
  refuse([&](Message& m) { first_file(m)->set_inline_bytes("here too"); });
  refuse([&](Message& m) { first_file(m)->clear_path(); });
  refuse([](Message& m) {
    m.mutable_vertices(1)->mutable_subtasks(1)->mutable_operators(0)->mutable_files(0)->set_size(3);
  });
  refuse([](Message& m) {
    m.mutable_vertices(1)
        ->mutable_subtasks(1)
        ->mutable_operators(0)
        ->mutable_files(0)
        ->set_inline_bytes("other state");
  });
}

TEST(TaskSnapshotCodecTest, what_was_encoded_comes_back) {
  const Result<TaskSnapshot> decoded =
      decode_task_snapshot(encode_task_snapshot(some_task_snapshot()));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, some_task_snapshot());
  EXPECT_EQ(*decode_task_snapshot(""), TaskSnapshot());
}

TEST(TaskSnapshotCodecTest, what_cannot_be_is_refused) {
  const auto refuse = [](auto change) {
    TaskSnapshot snapshot = some_task_snapshot();
    change(snapshot);
    const Status status = decode_task_snapshot(encode_task_snapshot(snapshot)).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("snapshot of a task"));
  };
  refuse([](TaskSnapshot& s) { s.operators[0].op = -1; });
  refuse([](TaskSnapshot& s) { s.operators[2].op = 1000; });
  refuse([](TaskSnapshot& s) { s.operators[0].op = 1; });  // Twice.
  refuse([](TaskSnapshot& s) { s.operators[0].files[0].path = "../x"; });
  refuse([](TaskSnapshot& s) { s.operators[0].files[0].bytes = -5; });
  refuse([](TaskSnapshot& s) { s.written_bytes = -5; });
  EXPECT_EQ(decode_task_snapshot("not a message").status().code(), StatusCode::kInvalidArgument);
}

TEST(TaskRestoreCodecTest, what_was_encoded_comes_back) {
  const Result<TaskRestore> decoded = decode_task_restore(encode_task_restore(some_task_restore()));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, some_task_restore());
}

TEST(TaskRestoreCodecTest, what_cannot_be_is_refused) {
  const auto refuse = [](auto change) {
    TaskRestore restore = some_task_restore();
    change(restore);
    EXPECT_EQ(decode_task_restore(encode_task_restore(restore)).status().code(),
              StatusCode::kInvalidArgument);
  };
  refuse([](TaskRestore& r) { r.vertex = -1; });
  refuse([](TaskRestore& r) { r.subtask = 32768; });
  refuse([](TaskRestore& r) { r.operators[0].op = 4; });
  refuse([](TaskRestore& r) { r.operators[1].parts[0].snapshots[0].path = "a//b"; });
  refuse([](TaskRestore& r) { r.operators[0].parts[0].snapshots[0].inline_bytes = "y"; });
}

TEST(InFlightRestoreCodecTest, what_was_encoded_comes_back) {
  InFlightRestore restore{4, 2, 3, 128, "/checkpoints/\xff", {}};
  restore.parts = {{2, false, inline_state("rows")}, {1, true, {"chk-7/7-0-1-1-out4", "", 9, 8}}};
  const Result<InFlightRestore> decoded =
      decode_in_flight_restore(encode_in_flight_restore(restore));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  EXPECT_EQ(*decoded, restore);
  const auto refuse = [&](auto change) {
    InFlightRestore changed = restore;
    change(changed);
    EXPECT_EQ(decode_in_flight_restore(encode_in_flight_restore(changed)).status().code(),
              StatusCode::kInvalidArgument);
  };
  refuse([](InFlightRestore& r) { r.edge = -1; });
  refuse([](InFlightRestore& r) { r.producers = 40'000; });
  refuse([](InFlightRestore& r) { r.parts[0].subtask = 3; });
  refuse([](InFlightRestore& r) { r.parts[1].subtask = 2; });
  refuse([](InFlightRestore& r) { r.parts[1].file.path = "/etc/passwd"; });
}

TEST(RelativePathTest, stays_below_its_folder) {
  for (const char* good : {"7-0-1-2", "shared/7-0-1-2", "chk-7/a.b", "..x", "a/.b/c"}) {
    EXPECT_TRUE(check_relative_path(good).is_ok()) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("/"), std::string("/a"), std::string("a/"), std::string("a//b"),
        std::string("."), std::string(".."), std::string("../a"), std::string("a/.."),
        std::string("a/../../b"), std::string("a/./b"), std::string("s3:/a"),
        std::string("a\0b", 3)}) {
    EXPECT_EQ(check_relative_path(bad).code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(CheckpointCodecTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::string snapshot = encode_task_snapshot(some_task_snapshot());
  const std::string restore = encode_task_restore(some_task_restore());
  const std::string body = golden_bytes().substr(kHeaderBytes);
  Random random(7);
  const auto broken = [&random](std::string bytes) {
    for (std::uint64_t flips = 1 + random.uniform(4); flips > 0; --flips) {
      bytes[random.uniform(bytes.size())] = static_cast<char>(random.uniform(256));
    }
    return bytes;
  };
  for (int i = 0; i < 10'000; ++i) {
    // What is accepted can be written again and is then read as the same.
    if (const auto decoded = decode_task_snapshot(broken(snapshot)); decoded.is_ok()) {
      EXPECT_EQ(*decode_task_snapshot(encode_task_snapshot(*decoded)), *decoded);
    }
    if (const auto decoded = decode_task_restore(broken(restore)); decoded.is_ok()) {
      EXPECT_EQ(*decode_task_restore(encode_task_restore(*decoded)), *decoded);
    }
    const std::string other = broken(body);
    const auto decoded = decode_checkpoint_metadata(changed_body([&](auto& message) {
      if (!message.ParseFromString(other)) message.Clear();
    }));
    if (decoded.is_ok()) {
      EXPECT_EQ(*decode_checkpoint_metadata(encode_checkpoint_metadata(*decoded)), *decoded);
    }
  }
}

}  // namespace
}  // namespace clepsydra
