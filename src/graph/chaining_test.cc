#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "graph/job_graph.h"
#include "stream/data_type.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;

SchemaPtr numbers() {
  return make_schema({{"a", DataType::big_int(), ""}});
}

// Builds graphs of operators that all take and give the same column.
class GraphBuilder {
 public:
  int source(std::string name) { return add(std::move(name), 0); }
  int operation(std::string name, int inputs = 1) { return add(std::move(name), inputs); }
  GraphBuilder& forward(int from, int to, int input = 0) {
    graph.connect({from, to, input, Partitioning::kForward, {}});
    return *this;
  }
  GraphBuilder& hash(int from, int to) {
    graph.connect({from, to, 0, Partitioning::kHash, {0}});
    return *this;
  }

  StreamGraph graph;

 private:
  int add(std::string name, int inputs) {
    StreamNode node;
    node.spec.kind = "any";
    node.spec.uid = "uid-" + name;
    node.spec.name = std::move(name);
    node.spec.inputs.assign(static_cast<std::size_t>(inputs), numbers());
    node.spec.output = numbers();
    return graph.add(std::move(node));
  }
};

std::vector<std::string> vertex_names(const JobGraph& job) {
  std::vector<std::string> names;
  for (const JobVertex& vertex : job.vertices) names.push_back(vertex.name);
  return names;
}

TEST(ChainingTest, forward_edges_share_a_task_and_hash_edges_cut) {
  GraphBuilder build;
  const int source = build.source("Source: s");
  const int calc = build.operation("Calc");
  const int window = build.operation("Window");
  const int sink = build.operation("Sink: out");
  build.forward(source, calc).hash(calc, window).forward(window, sink);

  const Result<JobGraph> job = build_job_graph(build.graph);

  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  EXPECT_THAT(vertex_names(*job), ElementsAre("Source: s -> Calc", "Window -> Sink: out"));
  ASSERT_EQ(job->edges.size(), 1);
  EXPECT_EQ(job->edges[0].from_vertex, 0);
  EXPECT_EQ(job->edges[0].from_operator, 1);
  EXPECT_EQ(job->edges[0].to_vertex, 1);
  EXPECT_EQ(job->edges[0].partitioning, Partitioning::kHash);
  EXPECT_THAT(job->edges[0].keys, ElementsAre(0));
}

TEST(ChainingTest, branches_become_a_tree_in_one_task) {
  GraphBuilder build;
  const int source = build.source("s");
  const int left = build.operation("left");
  const int right = build.operation("right");
  const int end = build.operation("end");
  build.forward(source, left).forward(source, right).forward(right, end);

  const Result<JobGraph> job = build_job_graph(build.graph);

  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  EXPECT_THAT(vertex_names(*job), ElementsAre("s -> (left, right -> end)"));
  std::vector<int> producers;
  for (const ChainedOperator& chained : job->vertices[0].operators) {
    producers.push_back(chained.producer);
  }
  EXPECT_THAT(producers, ElementsAre(-1, 0, 0, 2));
  EXPECT_TRUE(job->edges.empty());
}

TEST(ChainingTest, unions_joins_and_operators_that_may_not_chain_head_their_own_task) {
  GraphBuilder build;
  const int a = build.source("a");
  const int b = build.source("b");
  const int both = build.operation("union");
  const int alone = build.operation("alone");
  const int join = build.operation("join", 2);
  build.forward(a, both).forward(b, both).forward(both, alone);
  build.forward(alone, join, 0).forward(alone, join, 1);
  build.graph.nodes[static_cast<std::size_t>(alone)].may_chain = false;

  const Result<JobGraph> job = build_job_graph(build.graph);

  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  EXPECT_THAT(vertex_names(*job), ElementsAre("a", "b", "union", "alone", "join"));
  EXPECT_EQ(job->edges.size(), 5);
  EXPECT_EQ(job->edges[4].to_input, 1);
}

TEST(ChainingTest, different_numbers_of_key_groups_do_not_share_a_task) {
  GraphBuilder build;
  const int source = build.source("s");
  const int calc = build.operation("c");
  build.forward(source, calc);
  build.graph.nodes[1].max_parallelism = 4096;
  EXPECT_THAT(vertex_names(*build_job_graph(build.graph)), ElementsAre("s", "c"));
}

TEST(ChainingTest, a_chain_longer_than_the_bound_is_cut_by_an_edge) {
  GraphBuilder build;
  int last = build.source("s");
  for (int i = 1; i <= JobGraph::kOperatorsPerVertexMax; ++i) {
    const int next = build.operation("o" + std::to_string(i));
    build.forward(last, next);
    last = next;
  }
  const Result<JobGraph> job = build_job_graph(build.graph);
  ASSERT_TRUE(job.is_ok()) << job.status().to_string();
  ASSERT_EQ(job->vertices.size(), 2);
  EXPECT_EQ(job->vertices[1].operators.size(), 1);
  ASSERT_EQ(job->edges.size(), 1);
  EXPECT_EQ(job->edges[0].from_operator, JobGraph::kOperatorsPerVertexMax - 1);
}

TEST(ChainingTest, ids_depend_on_uids_alone) {
  GraphBuilder build;
  const int source = build.source("s");
  const int calc = build.operation("c");
  build.forward(source, calc);
  const std::string id = build_job_graph(build.graph)->vertices[0].id;
  EXPECT_EQ(id.size(), 32);

  build.graph.nodes[1].spec.name = "another name";
  build.graph.nodes[1].parallelism = build.graph.nodes[0].parallelism = 4;
  EXPECT_EQ(build_job_graph(build.graph)->vertices[0].id, id);

  build.graph.nodes[1].spec.uid = "another uid";
  EXPECT_NE(build_job_graph(build.graph)->vertices[0].id, id);
}

TEST(ChainingTest, a_wrong_graph_is_refused) {
  GraphBuilder build;
  build.source("s");
  build.operation("fed by nobody");
  EXPECT_EQ(build_job_graph(build.graph).status().code(), StatusCode::kInvalidArgument);
}

TEST(ChainingTest, operators_can_be_given_tasks_of_their_own_again) {
  GraphBuilder build;
  const int source = build.source("Source: s");
  const int calc = build.operation("Calc");
  const int other = build.operation("Other");
  const int window = build.operation("Window");
  const int sink = build.operation("Sink: out");
  build.forward(source, calc).forward(calc, other).forward(other, window).hash(calc, sink);
  const Result<JobGraph> job = build_job_graph(build.graph);
  ASSERT_THAT(vertex_names(*job), ElementsAre("Source: s -> Calc -> Other -> Window", "Sink: out"));
  const Result<JobGraph> apart = unchain(*job, {{0, 2}});
  ASSERT_TRUE(apart.is_ok()) << apart.status().to_string();
  EXPECT_THAT(vertex_names(*apart),
              ElementsAre("Source: s -> Calc", "Other -> Window", "Sink: out"));
  ASSERT_EQ(apart->edges.size(), 2U);
  EXPECT_EQ(apart->edges[0].partitioning, Partitioning::kForward);
  EXPECT_EQ(apart->edges[0].from_operator, 1);
  EXPECT_EQ(apart->edges[1].partitioning, Partitioning::kHash);
  EXPECT_EQ(apart->edges[1].to_vertex, 2);
  // What had a task of its own keeps it.
  EXPECT_EQ(vertex_names(*unchain(*apart, {})), vertex_names(*apart));
}

}  // namespace
}  // namespace clepsydra
