// The tasks of one attempt to run a region of a job, and the enumerators that feed them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checkpoint/pending_checkpoint.h"
#include "checkpoint/state_assignment.h"
#include "clepsydra/status.h"
#include "graph/job_graph.h"
#include "graph/job_status.h"
#include "jobmanager/alignment_groups.h"
#include "jobmanager/job_events.h"
#include "jobmanager/job_services.h"
#include "jobmanager/split_assigner.h"

namespace clepsydra {

// Threads: one call at a time.
class JobAttempt {
 public:
  struct Options {
    JobId job;
    int number = 0;                         // Of all attempts of the job.
    std::vector<int> vertices;              // The region's.
    const JobGraph* graph = nullptr;        // Outlives it.
    const JobServices* services = nullptr;  // Outlives it.
    // Finding or sending splits has failed. Called at most once per event.
    std::function<void(const Status&)> fail;
    // JobServices::schedule for a call into this attempt, unless it is over by then.
    std::function<void(std::int64_t delay_ms, std::function<void(JobAttempt&)>)> schedule;
  };
  // Makes the sources: checks connectors and their options.
  static Result<std::unique_ptr<JobAttempt>> make(Options options);

  // Starts the enumerators, or restores those that `restore` (of the region) has something for.
  Status start_sources(const StateAssignment& restore);
  // Asks the TaskManager for the tasks. On an error no task will exist.
  Status deploy(const StateAssignment& restore);
  // Asks for the end of all tasks; each will still be told to have ended.
  void cancel();
  // The deployment has failed: there are no tasks.
  void deployment_failed() { live_ = 0; }
  // False for what is no (live) task of this attempt.
  bool end_subtask(const SubtaskRef& subtask, bool has_finished, SubtaskReport report);

  void splits_requested(const SubtaskRef& subtask);
  void watermark_reported(const SubtaskRef& subtask, std::int64_t watermark);
  void metrics_reported(const SubtaskRef& subtask, SubtaskReport report);
  void enumerator_timer(int vertex);
  // Nothing is found or sent any more.
  void stop_sources() { sources_.clear(); }
  [[nodiscard]] std::vector<EnumeratorSnapshot> snapshot_enumerators() const;

  [[nodiscard]] int number() const { return options_.number; }
  // Tasks that exist or may exist.
  [[nodiscard]] int live() const { return live_; }
  [[nodiscard]] int finished() const { return finished_; }
  // Is a task of this attempt.
  [[nodiscard]] bool has(const SubtaskRef& subtask) const;
  [[nodiscard]] int subtasks() const;
  // The numbers of the operators of one of its vertices, in their order.
  [[nodiscard]] std::vector<OperatorMetrics> metrics(int vertex) const;

 private:
  struct Subtask {
    bool has_ended = false;
    SubtaskReport report;
  };

  explicit JobAttempt(Options options);
  Status make_source(int vertex, const OperatorSpec& spec);
  Subtask* find(const SubtaskRef& subtask);
  void send_limits(const std::vector<AlignmentGroups::Limit>& limits);
  [[nodiscard]] OperatorMetrics metrics_of(std::size_t vertex, std::size_t op) const;

  const Options options_;
  std::vector<std::vector<Subtask>> subtasks_;  // By vertex; none of other regions.
  int live_ = 0;
  int finished_ = 0;
  std::map<int, std::unique_ptr<SplitAssigner>> sources_;  // By vertex.
  AlignmentGroups alignment_;
};

}  // namespace clepsydra
