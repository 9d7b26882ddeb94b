// What the sinks of a job prepared, until it is made visible or taken back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clepsydra/sink.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

class ConnectorRuntime;

// Threads: one call at a time; commit() and abort() block.
class SinkCommits {
 public:
  // Finds the operators of kind "sink_writer" and opens their committers.
  static Result<std::shared_ptr<SinkCommits>> make(const JobGraph& graph,
                                                   const ConnectorRuntime& connectors,
                                                   const SinkContext& context);

  // InvalidArgument when the operator is no sink.
  Status add(int vertex, int op, std::vector<std::string> committables);
  // Makes all that was added visible, sink by sink in the order of the graph.
  Status commit();
  // Removes all that was added; what a failed commit() made visible stays.
  void abort();

 private:
  struct SinkOfJob {
    std::string name;
    std::unique_ptr<Sink> sink;                // The committer may refer to it.
    std::unique_ptr<SinkCommitter> committer;  // Null: the sink has nothing to commit.
    std::vector<std::string> committables;
    bool is_committed = false;
  };
  std::map<std::pair<int, int>, SinkOfJob> sinks_;  // By vertex and operator.
};

}  // namespace clepsydra
