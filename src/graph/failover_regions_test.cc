#include "graph/failover_regions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "graph/job_graph.h"

namespace clepsydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

JobGraph graph_of(int vertices, const std::vector<std::pair<int, int>>& edges) {
  JobGraph graph;
  graph.vertices.resize(static_cast<std::size_t>(vertices));
  for (JobVertex& vertex : graph.vertices) vertex.operators.resize(1);
  for (const auto& [from, to] : edges) {
    graph.edges.push_back({from, 0, to, 0, Partitioning::kHash, {}});
  }
  return graph;
}

TEST(FailoverRegionsTest, who_is_connected_by_edges_is_of_one_region) {
  EXPECT_THAT(failover_regions(graph_of(0, {})), IsEmpty());
  EXPECT_THAT(failover_regions(graph_of(3, {})),
              ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
  EXPECT_THAT(failover_regions(graph_of(3, {{0, 1}, {1, 2}})), ElementsAre(ElementsAre(0, 1, 2)));
  // A join of the sources 2 and 3; the chains 0 -> 5 and 1 -> 6 stay apart.
  EXPECT_THAT(failover_regions(graph_of(7, {{2, 4}, {3, 4}, {0, 5}, {1, 6}})),
              ElementsAre(ElementsAre(0, 5), ElementsAre(1, 6), ElementsAre(2, 3, 4)));
  EXPECT_THAT(failover_regions(graph_of(6, {{0, 5}, {1, 4}, {2, 3}, {3, 4}, {3, 5}})),
              ElementsAre(ElementsAre(0, 1, 2, 3, 4, 5)));
}

TEST(FailoverRegionsTest, sources_that_wait_for_each_other_are_of_one_region) {
  JobGraph graph = graph_of(6, {{0, 3}, {1, 4}, {2, 5}});
  for (const int source : {0, 2}) {
    graph.vertices[static_cast<std::size_t>(source)].operators[0].spec.options.set(
        "alignment_group", "g");
  }
  EXPECT_THAT(failover_regions(graph), ElementsAre(ElementsAre(0, 2, 3, 5), ElementsAre(1, 4)));
}

}  // namespace
}  // namespace clepsydra
