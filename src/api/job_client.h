// Starting jobs and asking about them, wherever they run: in this process (main/local_cluster.h) or
// on a cluster.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/ids.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"
#include "stream/batch.h"

namespace clepsydra {

// Reads what one collect_sink emits, in the order of emission (a sink of several subtasks: in order
// per subtask). Between sink and reader at most some megabytes wait: a slow reader holds the job
// back. Destroying it before the end makes the sink fail with Cancelled: cancel the job first.
//
// Threads: one at a time.
class ResultReader {
 public:
  enum class State : std::uint8_t { kBatch, kNothingYet, kEnd };
  struct Fetched {
    State state = State::kNothingYet;
    Batch batch;  // kBatch: rows and marks (the watermark of the result); may have marks alone.
  };
  virtual ~ResultReader();
  // Never waits. kEnd: the sink has finished and all was read (a sink of a job: the job's end may
  // still fail, ask status()). An error: the job failed, with its root cause, or was cancelled.
  virtual Result<Fetched> try_next() = 0;
  // Waits up to `timeout` for something else than kNothingYet.
  virtual Result<Fetched> next(std::chrono::milliseconds timeout) = 0;
};

// Threads: all methods, any thread.
class JobClient {
 public:
  virtual ~JobClient();
  // Returns when the job was accepted; what fails later is in its status.
  virtual Result<JobId> submit(const JobGraph& graph) = 0;
  // Numbers are some 100 ms old while the job runs, and final once it has ended.
  virtual Result<JobStatus> status(const JobId& id) = 0;
  // All jobs since the start, oldest first.
  virtual Result<std::vector<JobStatus>> list() = 0;
  // Makes a savepoint below `directory` (empty: execution.checkpointing.savepoint-dir) and waits
  // for it; its folder. The job goes on. FailedPrecondition for a job that does not run.
  virtual Result<std::string> savepoint(const JobId& id, const std::string& directory) = 0;
  // The same, and the job ends with it: nothing is read behind the savepoint. With `drain` windows
  // that are open are given out first, for a job that will not be continued. Returns when the job
  // has ended, its sinks having committed.
  virtual Result<std::string> stop(const JobId& id, const std::string& directory, bool drain) = 0;
  // Asks for the end; returns at once. A job that has ended already stays as it is.
  virtual Status cancel(const JobId& id) = 0;
  // Waits until the job has ended, or for `timeout`; the status then.
  virtual Result<JobStatus> wait(const JobId& id,
                                 std::optional<std::chrono::milliseconds> timeout) = 0;
  // The results of the job's collect_sink `name`. Once per sink.
  virtual Result<std::unique_ptr<ResultReader>> fetch_results(const JobId& id,
                                                              std::string_view name) = 0;
};

}  // namespace clepsydra
