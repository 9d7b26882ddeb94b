// One process that runs a job on a simulated machine, from its start to its end or death.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "graph/job_graph.h"
#include "happenings.h"
#include "oracle.h"
#include "process_files.h"
#include "simulated_machine.h"
#include "workload.h"

namespace clepsydra::testing {

enum class LifeEventKind : std::uint8_t {
  kJumpClock,  // Wall time, by up to an hour in either direction.
  kFillDisk,
  kFreeDisk,
  kRot,
  kSavepoint,
  kCancel,
  kStop,   // With a savepoint.
  kDrain,  // The same, and event time goes to its end: the job is over.
  kDie,
};
struct LifeEvent {
  std::int64_t after_ns = 0;  // The start of the life.
  LifeEventKind kind = LifeEventKind::kJumpClock;
};

// What goes wrong in a life.
struct LifeFaults {
  SourceFaults source;
  double write_error = 0;        // Of a sink's writer, per batch: the task fails.
  double preparation_error = 0;  // Per barrier: the same.
  double file_error = 0;         // Per file operation; half of them after its effect.
  double file_death = 0;
  double stale_list = 0;
  double local_store_error = 0;  // Per operation: the task fails.
  double slow_work = 0;          // Per piece of work of the I/O threads.
  std::int64_t slow_work_ms_max = 0;
  // One task in so many rests after each step; 0: none does.
  int slow_task_of = 0;
  std::int64_t slow_task_ns = 0;
  std::vector<LifeEvent> events;    // Ascending.
  std::int64_t heals_after_ns = 0;  // Above 0: from then on nothing goes wrong any more.
  bool is_peace = false;            // Nothing ever does.
  // Above all: what becomes of each file operation.
  ProcessFiles::Plan file_plan;

  // Whether a job may end in failure.
  [[nodiscard]] bool may_fail_job() const {
    return file_error > 0 || file_death > 0 || stale_list > 0 || local_store_error > 0 ||
           !events.empty() || file_plan;
  }
};

// How a job is built and configured in a life.
struct LifeOptions {
  std::vector<std::pair<std::string, std::string>> configuration;
  int parallelism = 1;
  int source_parallelism = 0;  // 0: as all others.
  std::int64_t batch_rows_max = 64;
  std::int64_t channel_bytes_max = 4096;

  // Empty: not set.
  [[nodiscard]] std::string get(std::string_view key) const {
    for (const auto& [name, value] : configuration) {
      if (name == key) return value;
    }
    return "";
  }
};

enum class LifeEnd : std::uint8_t {
  kFinished,  // All there is to do is done.
  kStopped,   // By command; it is to go on from its newest snapshot.
  kDied,
  kFailed,  // The job has given up.
  kBroken,  // Something is wrong: LifeReport::problem.
};

struct LifeReport {
  LifeEnd end = LifeEnd::kBroken;
  std::string problem;
  Status error;  // Of the job, when it has failed.
  std::uint64_t trace = 0;
  std::int64_t steps = 0;
  std::int64_t file_operations = 0;
  std::int64_t local_store_operations = 0;
  std::int64_t attempts = 0;
  std::int64_t checkpoints = 0;
  std::int64_t failed_checkpoints = 0;
  Happenings happened;
  std::int64_t healed_ms = 0;  // How long it took when nothing went wrong any more.
  bool stop_was_asked = false;
  bool has_savepoint_of_stop = false;  // With it all that it covers was committed.
  bool has_drained = false;
  // The savepoint of a drain that has failed half-way; empty: there is none.
  std::string half_drained;
};

struct SimulatedJob {
  const Workload* workload = nullptr;
  const std::vector<Branch>* branches = nullptr;
  // Rows go from the sources to whichever task, so those of a key have no order.
  bool rebalances = false;
};

// `snapshot`: what it starts from; empty: from the beginning. A job without an end is stopped when
// it has read everything.
LifeReport run_life(SimulatedMachine& machine, const SimulatedJob& job, const LifeOptions& options,
                    const LifeFaults& faults, const std::string& snapshot, std::uint64_t seed);

}  // namespace clepsydra::testing
