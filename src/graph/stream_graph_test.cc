#include "graph/stream_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "stream/data_type.h"

namespace clepsydra {
namespace {

using ::testing::HasSubstr;

SchemaPtr numbers(bool nullable = true) {
  return make_schema(
      {{"a", DataType::big_int().with_nullable(nullable), ""}, {"b", DataType::string(), ""}});
}

StreamNode node(std::string uid, std::vector<SchemaPtr> inputs, SchemaPtr output) {
  StreamNode result;
  result.spec.kind = inputs.empty() ? "source" : "calc";
  result.spec.uid = uid;
  result.spec.name = std::move(uid);
  result.spec.inputs = std::move(inputs);
  result.spec.output = std::move(output);
  return result;
}

// source -> sink, by hash of column a.
StreamGraph two_nodes() {
  StreamGraph graph;
  graph.add(node("source", {}, numbers()));
  graph.add(node("sink", {numbers()}, nullptr));
  graph.connect({0, 1, 0, Partitioning::kHash, {0}});
  return graph;
}

void expect_refused(const StreamGraph& graph, const std::string& part) {
  const Status status = graph.validate();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.to_string();
  EXPECT_THAT(std::string(status.message()), HasSubstr(part));
}

TEST(StreamGraphTest, accepts_edges_whose_ends_differ_in_names_and_nullability_alone) {
  StreamGraph graph = two_nodes();
  graph.nodes[1].spec.inputs = {make_schema(
      {{"x", DataType::big_int().with_nullable(false), ""}, {"y", DataType::string(), ""}})};
  EXPECT_TRUE(graph.validate().is_ok()) << graph.validate().to_string();
}

TEST(StreamGraphTest, refuses_a_job_without_operators) {
  expect_refused({}, "no operators");
}

TEST(StreamGraphTest, refuses_edges_between_different_types) {
  StreamGraph graph = two_nodes();
  graph.nodes[1].spec.inputs = {make_schema({{"a", DataType::integer(), ""}})};
  expect_refused(graph, "the target takes (a INT)");
}

TEST(StreamGraphTest, refuses_a_consumer_before_its_producer) {
  StreamGraph graph = two_nodes();
  std::swap(graph.edges[0].from, graph.edges[0].to);
  expect_refused(graph, "producers stand before consumers");
}

TEST(StreamGraphTest, refuses_indices_out_of_range) {
  StreamGraph graph = two_nodes();
  graph.edges[0].to = 7;
  expect_refused(graph, "among the 2 nodes");
  graph = two_nodes();
  graph.edges[0].to_input = 1;
  expect_refused(graph, "input 1 of 'sink', which has 1");
  graph = two_nodes();
  graph.edges[0].keys = {2};
  expect_refused(graph, "key column 2");
}

TEST(StreamGraphTest, refuses_hash_without_keys_and_keys_without_hash) {
  StreamGraph graph = two_nodes();
  graph.edges[0].keys.clear();
  expect_refused(graph, "hash edges have keys");
  graph = two_nodes();
  graph.edges[0].partitioning = Partitioning::kRebalance;
  expect_refused(graph, "other edges have none");
}

TEST(StreamGraphTest, refuses_forward_edges_between_different_parallelisms) {
  StreamGraph graph = two_nodes();
  graph.edges[0] = {0, 1, 0, Partitioning::kForward, {}};
  graph.nodes[0].parallelism = 2;
  expect_refused(graph, "a forward edge joins parallelism 2 and 1");
}

TEST(StreamGraphTest, refuses_inputs_that_nobody_feeds) {
  StreamGraph graph = two_nodes();
  graph.edges.clear();
  expect_refused(graph, "input 0 of operator 'sink' is fed by no edge");
}

TEST(StreamGraphTest, refuses_parallelism_out_of_bounds_and_repeated_uids) {
  StreamGraph graph = two_nodes();
  graph.nodes[1].parallelism = 129;
  expect_refused(graph, "parallelism is 129, expected 1 to max_parallelism = 128");
  graph = two_nodes();
  graph.nodes[1].max_parallelism = 40000;
  expect_refused(graph, "max_parallelism is 40000");
  graph = two_nodes();
  graph.nodes[1].spec.uid = "source";
  expect_refused(graph, "uid 'source' is used twice");
}

}  // namespace
}  // namespace clepsydra
