// Makes what the sinks of a job prepared visible, or takes it back.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/uncommitted.h"
#include "clepsydra/sink.h"
#include "clepsydra/status.h"
#include "graph/fwd.h"

namespace clepsydra {

class ConnectorRuntime;

// Commits come in the order of the checkpoints they belong to. After one has failed nothing may
// complete until it was made up for: what a later checkpoint holds does not include it.
//
// Threads: one call at a time; all but make() and is_sink() block.
class SinkCommits {
 public:
  // Finds the operators of kind "sink_writer" and opens their committers.
  static Result<std::shared_ptr<SinkCommits>> make(const JobGraph& graph,
                                                   const ConnectorRuntime& connectors,
                                                   const SinkContext& context);

  [[nodiscard]] bool is_sink(int vertex, int op) const { return sinks_.contains({vertex, op}); }

  // Sink by sink. Those after one that fails are not committed.
  Status commit(const std::vector<SinkCommittables>& sinks);
  // Instead of commit() where nothing can be made up for: on an error, what was not committed is
  // taken back.
  Status commit_or_abort(const std::vector<SinkCommittables>& sinks);
  // Of the checkpoint that the job goes on from: afterwards nothing is missing.
  Status commit_restored(const std::vector<SinkCommittables>& sinks);
  // A savepoint is to have them.
  Status hold(const std::vector<SinkCommittables>& sinks);
  void abort(const std::vector<SinkCommittables>& sinks);
  void remove_leftovers(const std::string& job_id);

  // Ok, or why the last commit() failed.
  [[nodiscard]] const Status& failure() const { return failure_; }

 private:
  struct SinkOfJob {
    std::string name;
    std::unique_ptr<Sink> sink;                // The committer may refer to it.
    std::unique_ptr<SinkCommitter> committer;  // Null: the sink has nothing to commit.
  };
  Status commit_one(const SinkCommittables& sink, bool is_restored);

  std::map<std::pair<int, int>, SinkOfJob> sinks_;  // By vertex and operator.
  Status failure_;
};

}  // namespace clepsydra
