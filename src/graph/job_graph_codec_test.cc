#include "graph/job_graph_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "job_graph.pb.h"
#include "stream/data_type.h"
#include "tests/harness/source_path.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

// What tests/formats/job_graph_v1.bin holds. Never change it: write another file for another
// version.
JobGraph golden_graph() {
  const SchemaPtr events =
      make_schema({{"id", DataType::big_int().with_nullable(false), ""},
                   {"at", DataType::timestamp(3).with_time_attribute(TimeAttribute::kRowtime), ""},
                   {"note", DataType::string(), "free text"}});
  const SchemaPtr ids = make_schema({{"id", DataType::big_int().with_nullable(false), ""}});

  JobVertex source;
  source.id = "000102030405060708090a0b0c0d0e0f";
  source.name = "Source: events -> Calc";
  source.parallelism = 2;
  source.operators.resize(2);
  source.operators[0].spec = {"source", "uid-source", "Source: events", {}, events, {}};
  source.operators[0].spec.options.set("rowtime", 1).set("bounded", true);
  source.operators[1].spec = {"calc", "uid-calc", "Calc", {events}, ids, {}};
  source.operators[1].producer = 0;

  JobVertex sink;
  sink.id = "ffeeddccbbaa99887766554433221100";
  sink.name = "Sink: out";
  sink.max_parallelism = 32768;
  sink.operators.resize(1);
  sink.operators[0].spec = {"sink_writer", "uid-sink", "Sink: out", {ids}, nullptr, {}};
  sink.operators[0].spec.options.set("sink", ValueTree::map());

  JobGraph graph;
  graph.name = "golden";
  graph.vertices = {std::move(source), std::move(sink)};
  graph.edges = {{0, 1, 1, 0, Partitioning::kHash, {0}}};
  graph.configuration = {{"pipeline.auto-watermark-interval", "200 ms"}, {"empty", ""}};
  return graph;
}

void expect_same_spec(const OperatorSpec& a, const OperatorSpec& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.uid, b.uid);
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.inputs.size(), b.inputs.size());
  for (std::size_t i = 0; i < a.inputs.size(); ++i) EXPECT_EQ(*a.inputs[i], *b.inputs[i]);
  ASSERT_EQ(a.output == nullptr, b.output == nullptr);
  if (a.output != nullptr) {
    EXPECT_EQ(*a.output, *b.output);
  }
  EXPECT_EQ(a.options, b.options);
}

void expect_same(const JobGraph& a, const JobGraph& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.configuration, b.configuration);
  ASSERT_EQ(a.vertices.size(), b.vertices.size());
  for (std::size_t v = 0; v < a.vertices.size(); ++v) {
    EXPECT_EQ(a.vertices[v].id, b.vertices[v].id);
    EXPECT_EQ(a.vertices[v].name, b.vertices[v].name);
    EXPECT_EQ(a.vertices[v].parallelism, b.vertices[v].parallelism);
    EXPECT_EQ(a.vertices[v].max_parallelism, b.vertices[v].max_parallelism);
    ASSERT_EQ(a.vertices[v].operators.size(), b.vertices[v].operators.size());
    for (std::size_t i = 0; i < a.vertices[v].operators.size(); ++i) {
      EXPECT_EQ(a.vertices[v].operators[i].producer, b.vertices[v].operators[i].producer);
      expect_same_spec(a.vertices[v].operators[i].spec, b.vertices[v].operators[i].spec);
    }
  }
  ASSERT_EQ(a.edges.size(), b.edges.size());
  for (std::size_t e = 0; e < a.edges.size(); ++e) {
    EXPECT_EQ(a.edges[e].from_vertex, b.edges[e].from_vertex);
    EXPECT_EQ(a.edges[e].from_operator, b.edges[e].from_operator);
    EXPECT_EQ(a.edges[e].to_vertex, b.edges[e].to_vertex);
    EXPECT_EQ(a.edges[e].to_input, b.edges[e].to_input);
    EXPECT_EQ(a.edges[e].partitioning, b.edges[e].partitioning);
    EXPECT_EQ(a.edges[e].keys, b.edges[e].keys);
  }
}

std::string golden_bytes() {
  std::ifstream file(testing::source_path("tests/formats/job_graph_v1.bin"), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(JobGraphCodecTest, what_was_encoded_comes_back) {
  const Result<JobGraph> decoded = decode_job_graph(encode_job_graph(golden_graph()));
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  expect_same(*decoded, golden_graph());
  // Equal schemas are one object again.
  EXPECT_EQ(decoded->vertices[0].operators[1].spec.output,
            decoded->vertices[1].operators[0].spec.inputs[0]);
}

TEST(JobGraphCodecTest, version_1_stays_readable) {
  const Result<JobGraph> decoded = decode_job_graph(golden_bytes());
  ASSERT_TRUE(decoded.is_ok()) << decoded.status().to_string();
  expect_same(*decoded, golden_graph());
}

TEST(JobGraphCodecTest, version_1_is_written_as_before) {
  EXPECT_EQ(encode_job_graph(golden_graph()), golden_bytes());
}

TEST(JobGraphCodecTest, another_version_is_refused) {
  proto::JobGraph message;
  ASSERT_TRUE(message.ParseFromString(golden_bytes()));
  message.set_version(2);
  const Status status = decode_job_graph(message.SerializeAsString()).status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("version 2"));
}

TEST(JobGraphCodecTest, numbers_out_of_range_are_refused) {
  const auto refuse = [](auto change) {
    proto::JobGraph message;
    EXPECT_TRUE(message.ParseFromString(golden_bytes()));
    change(message);
    EXPECT_EQ(decode_job_graph(message.SerializeAsString()).status().code(),
              StatusCode::kInvalidArgument);
  };
  refuse([](proto::JobGraph& m) { m.mutable_edges(0)->set_from_vertex(0xFFFFFFFF); });
  refuse([](proto::JobGraph& m) { m.mutable_edges(0)->set_from_operator(2); });
  refuse([](proto::JobGraph& m) { m.mutable_edges(0)->set_to_vertex(0x80000000); });
  refuse([](proto::JobGraph& m) {
    m.mutable_edges(0)->set_partitioning(static_cast<proto::Partitioning>(256));
  });
  refuse([](proto::JobGraph& m) { m.mutable_vertices(0)->set_parallelism(0); });
  refuse([](proto::JobGraph& m) { m.mutable_vertices(0)->set_max_parallelism(0xFFFFFFFF); });
  refuse([](proto::JobGraph& m) { m.mutable_vertices(0)->set_id("short"); });
  refuse([](proto::JobGraph& m) {
    m.mutable_vertices(0)->mutable_operators(1)->set_producer_plus_one(2);
  });
  refuse([](proto::JobGraph& m) {
    m.mutable_vertices(0)->mutable_operators(0)->set_producer_plus_one(1);
  });
}

TEST(JobGraphCodecTest, broken_bytes_are_an_error_and_never_a_crash) {
  const std::string bytes = golden_bytes();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const Result<JobGraph> decoded = decode_job_graph(std::string_view(bytes).substr(0, length));
    if (decoded.is_ok()) {
      EXPECT_TRUE(decoded->validate().is_ok());
    }
  }
  Random random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string broken = bytes;
    for (std::uint64_t flips = 1 + random.uniform(4); flips > 0; --flips) {
      broken[random.uniform(broken.size())] = static_cast<char>(random.uniform(256));
    }
    const Result<JobGraph> decoded = decode_job_graph(broken);
    if (decoded.is_ok()) {
      EXPECT_TRUE(decoded->validate().is_ok());
    }
  }
}

}  // namespace
}  // namespace clepsydra
